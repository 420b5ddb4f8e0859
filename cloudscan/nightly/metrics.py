"""The figures of a scan for Prometheus (node_exporter's textfile collector) and OpenTelemetry.

They contain no names of people, files or accounts. The file is replaced atomically, and only at the end of a scan: a
scan that did not run, or failed, shows as a timestamp that grows old.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloudscan.errors import ConfigurationError
from cloudscan.facts import Outcome
from cloudscan.files import private_file
from cloudscan.report import Report, figures_of, gap_counts
from cloudscan.sentence import say


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A gauge: one number, or several that differ in one label."""

    name: str  # without the prefix
    description: str
    values: Mapping[str, float]  # by the label's value; the empty string if there is no label
    label: str = ""


def of(report: Report) -> Sequence[Metric]:
    """The metrics of one scan."""
    scan, figures = report.scan, figures_of(report)
    seconds = (scan.finished_on - scan.started_on).total_seconds()
    scopes = {outcome.value: scan.scopes.get(outcome, 0) for outcome in Outcome}
    findings = {severity.value: number for severity, number in figures.findings.items()}
    return (
        one("scan_timestamp_seconds", "When the last scan ended.", scan.finished_on.timestamp()),
        one("scan_duration_seconds", "How long reading took.", seconds),
        one("scan_complete", "1 if everything in scope was read, but for waived gaps; else 0.", int(report.complete)),
        Metric(
            name="scan_gaps",
            description="Answers that are missing: new, known from an earlier scan, or waived.",
            values={state.value: number for state, number in gap_counts(report).items()},
            label="state",
        ),
        one("scan_requests", "Requests to the platforms.", scan.requests),
        one("scan_throttles", "Responses that asked for fewer requests.", scan.throttles),
        one("scan_retries", "Requests that were made again.", scan.retries),
        Metric(name="scan_scopes", description="Scopes, by how far they were read.", values=scopes, label="outcome"),
        Metric(name="findings", description="Findings that need work.", values=findings, label="severity"),
        one("findings_waived", "Findings covered by a waiver.", figures.waived),
        one("unknowns", "Cases that could not be evaluated.", figures.unknown),
        one("score", "The sum of the scores of the findings that need work.", figures.score),
    )


def one(name: str, description: str, value: float) -> Metric:
    """A metric of a single number."""
    return Metric(name=name, description=description, values={"": value})


def text(metrics: Iterable[Metric]) -> str:
    """Metrics in the text format of Prometheus."""
    lines: list[str] = []
    for metric in metrics:
        lines += [f"# HELP cloudscan_{metric.name} {metric.description}", f"# TYPE cloudscan_{metric.name} gauge"]
        for value, number in metric.values.items():
            label = f'{{{metric.label}="{value}"}}' if metric.label else ""
            lines.append(f"cloudscan_{metric.name}{label} {number!r}")
    return "\n".join(lines) + "\n"


def write(metrics: Iterable[Metric], path: Path) -> None:
    """Write metrics to a file that the collector can read. Raises `ConfigurationError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with private_file(path, mode=0o644) as file:  # the collector reads *.prom only, not the part
            file.write(text(metrics).encode("ascii"))
    except OSError as error:
        raise ConfigurationError(
            say(
                "The metrics cannot be written to {path} ({why}); choose another file with --metrics.",
                path=path,
                why=error.strerror,
            )
        ) from error
