"""What a scan tells a collector of OpenTelemetry, over real HTTP."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.cli.conftest import Desk


class Collector(ThreadingHTTPServer):
    """Takes metrics by OTLP and keeps them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.taken: list[tuple[str, str, ExportMetricsServiceRequest]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = ExportMetricsServiceRequest.FromString(body)
        self.server.taken.append((self.path, self.headers.get("x-team", ""), request))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_metrics_go_where_the_environment_says(
    desk: Desk, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Endpoint, headers, name and attributes of the service are those of the standard variables."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=audit")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=night")

    result = desk.run("scan")

    assert result.code == 1
    ((path, team, request),) = collector.taken
    (resource,) = request.resource_metrics
    attributes = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
    metrics = {metric.name: metric.gauge.data_points for scope in resource.scope_metrics for metric in scope.metrics}
    by_severity = {
        point.attributes[0].value.string_value: point.as_int or point.as_double
        for point in metrics["cloudscan.findings"]
    }
    assert (path, team) == ("/v1/metrics", "audit")
    assert attributes["service.name"] == "cloudscan"
    assert attributes["deployment.environment"] == "night"
    assert by_severity["high"] == 1
    assert metrics["cloudscan.scan_complete"][0].as_int == 1
    assert {"cloudscan.scan_throttles", "cloudscan.scan_retries", "cloudscan.scan_requests"} <= metrics.keys()


@pytest.mark.parametrize("switch", ["OTEL_SDK_DISABLED=true", "OTEL_METRICS_EXPORTER=none", ""])
def test_nothing_is_sent_that_nobody_asked_for(
    desk: Desk, collector: Collector, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    if switch:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv(*switch.split("="))

    desk.run("scan")

    assert collector.taken == []


def test_a_collector_that_is_away_is_said_and_spoils_no_scan(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")

    result = desk.run("scan")

    assert result.code == 1
    assert "The OpenTelemetry endpoint did not accept the metrics; check OTEL_EXPORTER_OTLP_ENDPOINT" in result.err
