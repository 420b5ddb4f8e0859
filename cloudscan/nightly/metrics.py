"""What a scan came to in numbers, for Prometheus (node_exporter's textfile collector) and OpenTelemetry.

No name of a person, file or account is in it. The file is replaced in one step, and only at the end of a scan: a scan
that did not run, or broke, shows by a timestamp that grows old.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloudscan.errors import ConfigurationError
from cloudscan.facts import Outcome
from cloudscan.report import Report, figures_of


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number that may go up and down, or several that differ by one label."""

    name: str  # without the prefix
    told: str
    values: Mapping[str, float]  # by the label's value; empty where there is no label
    label: str = ""


def of(report: Report) -> Sequence[Metric]:
    """The metrics of one scan."""
    scan, night = report.scan, figures_of(report)
    seconds = (scan.finished_on - scan.started_on).total_seconds()
    scopes = {outcome.value: scan.scopes.get(outcome, 0) for outcome in Outcome}
    findings = {severity.value: number for severity, number in night.findings.items()}
    return (
        one("scan_timestamp_seconds", "When the last scan ended.", scan.finished_on.timestamp()),
        one("scan_duration_seconds", "How long reading took.", seconds),
        one("scan_complete", "1 where everything in scope was read, else 0.", int(scan.complete)),
        one("scan_requests", "Requests to the platforms.", scan.requests),
        one("scan_throttles", "Answers by which a platform asked for a pause.", scan.throttles),
        one("scan_retries", "Requests that were made again.", scan.retries),
        Metric(name="scan_scopes", told="Scopes, by how far they were read.", values=scopes, label="outcome"),
        Metric(name="findings", told="Findings that need work.", values=findings, label="severity"),
        one("findings_waived", "Findings that somebody accepted for now.", night.waived),
        one("unknowns", "Cases that could not be judged.", night.unknown),
        one("score", "The sum of the scores of the findings that need work.", night.score),
    )


def one(name: str, told: str, value: float) -> Metric:
    """A metric of a single number."""
    return Metric(name=name, told=told, values={"": value})


def text(metrics: Iterable[Metric]) -> str:
    """Metrics in the text format of Prometheus."""
    lines: list[str] = []
    for metric in metrics:
        lines += [f"# HELP cloudscan_{metric.name} {metric.told}", f"# TYPE cloudscan_{metric.name} gauge"]
        for value, number in metric.values.items():
            label = f'{{{metric.label}="{value}"}}' if metric.label else ""
            lines.append(f"cloudscan_{metric.name}{label} {number!r}")
    return "\n".join(lines) + "\n"


def write(metrics: Iterable[Metric], path: Path) -> None:
    """Put metrics into a file, readable by the collector. Raises `ConfigurationError`."""
    beside = path.with_name(f".{path.name}.part")  # the collector reads *.prom only
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text(metrics), encoding="ascii")
        beside.chmod(0o644)
        beside.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"The metrics cannot be written to {path} ({error.strerror}); choose another file with --metrics."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
