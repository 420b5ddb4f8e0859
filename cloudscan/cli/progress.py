"""Progress for a person at a terminal: a line that counts, and the first findings as they appear."""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from cloudscan.engine.judge import Params, preview
from cloudscan.engine.rule_file import Rule
from cloudscan.finding import Severity, message
from cloudscan.snapshot.collect import Event, Finished, Found, Retrying, Sealing
from cloudscan.snapshot.spool import facts
from cloudscan.text import plain

_EVERY = 1.5  # seconds between two previews of the findings
_SHOWN_FROM = Severity.HIGH
_MOST_SHOWN = 20


class Progress:
    """Shows the events of a scan on stderr; call it with those of `cloudscan.snapshot.collect`."""

    def __init__(self, rules: Sequence[Rule], params: Params, language: str) -> None:
        self._rules = [rule for rule in rules if rule.severity >= _SHOWN_FROM]
        self._params = {rule.id: params[rule.id] for rule in self._rules if rule.id in params}
        self._language = language
        self._fresh: list[Path] = []
        self._reported: set[str] = set()
        self._last = time.monotonic()
        self._shown = ""

    def __call__(self, event: Event) -> None:
        """Show one event. New findings are previewed at intervals, and once more when sealing begins."""
        if isinstance(event, Found):
            self._count(f"{event.total} scopes found")
        elif isinstance(event, Finished):
            self._fresh.append(event.path)
            self._count(f"{event.done} of {event.total} scopes read")
            if time.monotonic() - self._last > _EVERY:
                self._first_findings()
        elif isinstance(event, Retrying):
            self._line(f"{event.scope.name}: {event.reason}; trying again in {event.seconds:.0f} s")
        elif isinstance(event, Sealing):
            self._first_findings()
            self._count("judging")

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._count("")

    def _first_findings(self) -> None:
        self._last = time.monotonic()
        batch, self._fresh = self._fresh, []
        if len(self._reported) >= _MOST_SHOWN or not batch:
            return
        rules: dict[str, Rule] = {rule.id: rule for rule in self._rules}
        verdicts = preview(
            (fact for path in batch for fact in facts(path)), self._rules, as_of=datetime.now(UTC), params=self._params
        )
        for verdict in verdicts:
            if verdict.fingerprint not in self._reported and len(self._reported) < _MOST_SHOWN:
                self._reported.add(verdict.fingerprint)
                rule = rules[verdict.rule_id]
                self._line(f"{rule.severity:>8}  {message(rule.text[self._language], verdict, self._language)}")

    def _line(self, text: str) -> None:
        self._count("")
        click.echo(plain(text).replace("\n", " "), err=True)

    def _count(self, text: str) -> None:
        if text != self._shown:
            click.echo(f"\r\x1b[2K{text}", err=True, nl=False)
            self._shown = text


def progress_listener(rules: Sequence[Rule], params: Params, language: str) -> Progress | None:
    """A progress display if stderr is a terminal, else None."""
    return Progress(rules, params, language) if sys.stderr.isatty() else None
