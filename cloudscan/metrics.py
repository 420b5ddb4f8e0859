"""What a scan came to, as Prometheus reads it from a file (node_exporter's textfile collector).

No name of a person, file or account is in it. The file is replaced in one step, and only at the end of a scan: a scan
that did not run, or broke, shows by a timestamp that grows old.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from cloudscan.errors import ConfigurationError
from cloudscan.facts import Outcome
from cloudscan.history import night_of
from cloudscan.report import Report


def text(report: Report) -> str:
    """The metrics of one scan, in the text format."""
    return "\n".join(_lines(report)) + "\n"


def write(report: Report, path: Path) -> None:
    """Put the metrics into a file, readable by the collector. Raises `ConfigurationError`."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")  # the collector reads *.prom only
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text(report), encoding="ascii")
        beside.chmod(0o644)
        beside.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"The metrics cannot be written to {path} ({error.strerror}); choose another file with --metrics."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def _lines(report: Report) -> Iterator[str]:
    scan, night = report.scan, night_of(report)
    seconds = (scan.finished_on - scan.started_on).total_seconds()
    yield from _gauge("scan_timestamp_seconds", "When the last scan ended.", {"": scan.finished_on.timestamp()})
    yield from _gauge("scan_duration_seconds", "How long reading took.", {"": seconds})
    yield from _gauge("scan_complete", "1 where everything in scope was read, else 0.", {"": int(scan.complete)})
    yield from _gauge("scan_requests", "Requests to the platforms.", {"": scan.requests})
    scopes = {_label("outcome", outcome): scan.scopes.get(outcome, 0) for outcome in Outcome}
    yield from _gauge("scan_scopes", "Scopes, by how far they were read.", scopes)
    findings = {_label("severity", severity): n for severity, n in night.findings.items()}
    yield from _gauge("findings", "Findings that need work.", findings)
    yield from _gauge("findings_waived", "Findings that somebody accepted for now.", {"": night.waived})
    yield from _gauge("unknowns", "Cases that could not be judged.", {"": night.unknown})
    yield from _gauge("score", "The sum of the scores of the findings that need work.", {"": night.score})


def _gauge(name: str, told: str, values: Mapping[str, float]) -> Iterator[str]:
    yield f"# HELP cloudscan_{name} {told}"
    yield f"# TYPE cloudscan_{name} gauge"
    yield from (f"cloudscan_{name}{labels} {value!r}" for labels, value in values.items())


def _label(name: str, value: str) -> str:
    return f'{{{name}="{value}"}}'
