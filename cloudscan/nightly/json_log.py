"""The log of a scan for machines: one JSON object a line, on whatever stream it is given.

Every line has `time` (RFC 3339, UTC) and `event`; about a scope also its uid, name and platform. Names of files and
people, reasons in words and secrets are not in it: what could not be read, and why, stands in the report.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

import msgspec

from cloudscan.connector import Scope
from cloudscan.report import Report, figures_of
from cloudscan.snapshot.collect import Began, Event, Finished, Found, Retrying, Sealing
from cloudscan.text import plain


class JsonLog:
    """Hears what happens in a scan and writes it down."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._begun = time.monotonic()
        self._scopes: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case Found():
                self.line("scopes found", {"total": event.total})
            case Began():
                self._scopes[event.scope.uid] = time.monotonic()
                self.line("scope began", _about(event.scope))
            case Retrying():
                more = {"cause": event.cause, "attempt": event.attempt, "pause_seconds": round(event.seconds, 3)}
                self.line("scope retried", _about(event.scope) | more)
            case Finished():
                begun = self._scopes.pop(event.scope.uid, None)
                report = event.report
                self.line(
                    "scope finished",
                    _about(event.scope)
                    | {
                        "outcome": report.outcome,
                        "needs": report.needs,
                        "facts": report.facts,
                        "gaps": len(report.gaps),
                        "requests": report.requests,
                        "throttles": report.throttles,
                        "retries": report.retries,
                        "incremental": report.incremental,
                        "resumed": event.resumed,
                        "seconds": None if begun is None else round(time.monotonic() - begun, 3),
                        "done": event.done,
                        "total": event.total,
                    },
                )
            case Sealing():
                self.line("sealing", {"scopes": event.scopes})

    def entered(self, report: Report) -> None:
        """The scan stands in the ledger."""
        scan, night = report.scan, figures_of(report)
        self.line(
            "scan entered",
            {
                "scan": scan.id,
                "complete": scan.complete,
                "scopes": scan.scopes,
                "resources": scan.resources,
                "requests": scan.requests,
                "throttles": scan.throttles,
                "retries": scan.retries,
                "findings": night.findings,
                "waived": night.waived,
                "unknown": night.unknown,
                "score": night.score,
            },
        )

    def ended(self, code: int) -> None:
        """The run is over."""
        self.line("ended", {"exit_code": code})

    def line(self, event: str, more: Mapping[str, object]) -> None:
        """Write one line; `seconds_in` is how long the run has gone on."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        seconds = round(time.monotonic() - self._begun, 3)
        told = {name: plain(value) if type(value) is str else value for name, value in more.items()}
        written = msgspec.json.encode({"time": now, "event": event, "seconds_in": seconds, **told})
        self._stream.write(written.decode() + "\n")
        self._stream.flush()


def _about(scope: Scope) -> dict[str, object]:
    return {"scope": scope.uid, "name": scope.name, "kind": scope.kind, "platform": scope.platform}
