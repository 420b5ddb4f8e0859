"""What a scan tells a machine while it runs: its events, through Python's `logging`, on the logger ``cloudscan.scan``.

The command line writes them to stderr, one JSON object a line (`cloudscan.cli.log`). Scopes are called by uid, kind and
platform. Names of scopes, files and people, reasons in prose and secrets are never logged: what could not be read, and
why, is in the report.
"""

import logging
import time
from enum import StrEnum

from cloudscan.connector import Scope
from cloudscan.report import Report, figures_of
from cloudscan.snapshot.collect import Began, Event, Finished, Found, Retrying, Sealing


class LogEvent(StrEnum):
    """The `event` of a line, as a dotted name: what it is about, then what happened."""

    SCOPES_FOUND = "scan.scopes_found"
    SCOPE_STARTED = "scan.scope_started"
    SCOPE_RETRIED = "scan.scope_retried"
    SCOPE_FINISHED = "scan.scope_finished"
    SEALING_STARTED = "scan.sealing_started"
    RECORDED = "scan.recorded"  # the ledger contains the scan
    FINISHED = "scan.finished"
    FAILED = "scan.failed"
    LEDGER_NEW = "ledger.begun_anew"  # although there were scans before
    REMOVED = "retention.removed"
    REMOVAL_FAILED = "retention.failed"
    NOTIFICATION_FAILED = "notify.failed"
    EXPORT_FAILED = "metrics.export_failed"


class ScanLog:
    """Logs the events of a scan; call it with those of `cloudscan.snapshot.collect`."""

    def __init__(self) -> None:
        self._logger = logging.getLogger("cloudscan.scan")
        self._scopes: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        """Log one event. A finished scope has null as `seconds` if its start was not logged."""
        match event:
            case Found():
                self.line(LogEvent.SCOPES_FOUND, total=event.total)
            case Began():
                self._scopes[event.scope.uid] = time.monotonic()
                self.line(LogEvent.SCOPE_STARTED, **_about(event.scope))
            case Retrying():
                retry = {"cause": event.cause, "attempt": event.attempt, "pause_seconds": round(event.seconds, 3)}
                self.line(LogEvent.SCOPE_RETRIED, **_about(event.scope), **retry)
            case Finished():
                started = self._scopes.pop(event.scope.uid, None)
                report = event.report
                self.line(
                    LogEvent.SCOPE_FINISHED,
                    **_about(event.scope),
                    outcome=report.outcome,
                    needs=report.needs,
                    facts=report.facts,
                    gaps=len(report.gaps),
                    requests=report.requests,
                    throttles=report.throttles,
                    retries=report.retries,
                    incremental=report.incremental,
                    resumed=event.resumed,
                    seconds=None if started is None else round(time.monotonic() - started, 3),
                    done=event.done,
                    total=event.total,
                )
            case Sealing():
                self.line(LogEvent.SEALING_STARTED, scopes=event.scopes)

    def recorded(self, report: Report) -> None:
        """Log that the ledger contains the scan, with its figures."""
        scan, figures = report.scan, figures_of(report)
        self.line(
            LogEvent.RECORDED,
            scan=scan.id,
            complete=report.complete,
            gaps=figures.gaps,
            scopes=scan.scopes,
            resources=scan.resources,
            requests=scan.requests,
            throttles=scan.throttles,
            retries=scan.retries,
            findings=figures.findings,
            waived=figures.waived,
            unknown=figures.unknown,
            score=figures.score,
        )

    def line(self, event: LogEvent, **fields: object) -> None:
        """Log an event that went as it should."""
        self._logger.info("", extra={"event": event, **fields})


def _about(scope: Scope) -> dict[str, object]:
    return {"scope": scope.uid, "kind": scope.kind, "platform": scope.platform}
