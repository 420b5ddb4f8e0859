"""The metrics of a scan for OpenTelemetry, exported with OTLP over HTTP as the standard OTEL_* variables configure.

Without an endpoint in the environment nothing is sent and nothing imported. Sources: OpenTelemetry specification, "SDK
Environment Variables" and "OTLP Exporter".
"""

from collections.abc import Mapping, Sequence

from cloudscan.errors import ConfigurationError
from cloudscan.installation import install_hint
from cloudscan.nightly.metrics import Metric
from cloudscan.sentence import say

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether the environment configures an endpoint for metrics."""
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return (
        not off and environment.get("OTEL_METRICS_EXPORTER", "otlp") == "otlp" and any(map(environment.get, _ENDPOINTS))
    )


def send(metrics: Sequence[Metric]) -> None:
    """Export metrics once. Raises `ConfigurationError` if the package is missing or the endpoint refuses them."""
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import (
            InMemoryMetricReader,
            MetricExportResult,
        )
        from opentelemetry.sdk.resources import Resource
    except ImportError as error:
        raise ConfigurationError(
            say(
                "The environment asks for OpenTelemetry metrics, which need a package; {how}.", how=install_hint("otel")
            )
        ) from error
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], resource=Resource.create({"service.name": "cloudscan"}), shutdown_on_exit=False)
    meter = provider.get_meter("cloudscan")
    for metric in metrics:
        gauge = meter.create_gauge(f"cloudscan.{metric.name}", description=metric.description)
        for value, number in metric.values.items():
            gauge.set(number, {metric.label: value} if metric.label else {})
    data = reader.get_metrics_data()
    exporter = OTLPMetricExporter()
    try:
        sent = data is not None and exporter.export(data) is MetricExportResult.SUCCESS
    finally:
        exporter.shutdown()
        provider.shutdown()
    if not sent:
        raise ConfigurationError(
            say("The OpenTelemetry endpoint did not accept the metrics; check OTEL_EXPORTER_OTLP_ENDPOINT.")
        )
