"""Progress for a person at a terminal: how far, how fast, for how long still, and the first findings as they appear."""

import math
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.progress import BarColumn, ProgressColumn, Task
from rich.progress import Progress as Display
from rich.table import Column
from rich.text import Text

from cloudscan.cli import terminal
from cloudscan.cli.table import SEVERITY_STYLES
from cloudscan.engine.judge import Params, preview
from cloudscan.engine.rule_file import Rule
from cloudscan.finding import Severity, message
from cloudscan.sentence import Sentence, in_language, say
from cloudscan.snapshot.collect import Began, Event, Finished, Found, Retrying, Sealing
from cloudscan.snapshot.spool import facts
from cloudscan.text import plain

_EVERY: Final = 1.5  # seconds between two previews of the findings
_SHOWN_FROM: Final = Severity.HIGH
_MOST_SHOWN: Final = 20
_MOST_NAMES: Final = 3  # of scopes that are being read
_LONGEST_NAME: Final = 28  # columns
_BAR: Final = 24  # columns
_WIDTH: Final = 80  # of a terminal that does not say; a narrower one has no bar
_SOONEST_PACE: Final = 5  # seconds after which it is known


class Progress:
    """Shows the events of a scan on stderr; call it with those of `cloudscan.snapshot.collect`."""

    def __init__(self, rules: Sequence[Rule], params: Params, language: str) -> None:
        self._rules = {rule.id: rule for rule in rules if rule.severity >= _SHOWN_FROM}
        self._params = {rule.id: params[rule.id] for rule in self._rules.values() if rule.id in params}
        self._language = language
        self._fresh: list[Path] = []
        self._reported: set[str] = set()
        self._reading: dict[str, str] = {}  # names of scopes, by uid
        self._last = time.monotonic()
        self._display = self._made()
        self._task = self._display.add_task("", total=None, reading="")
        self._display.start()

    def __call__(self, event: Event) -> None:
        """Show one event. New findings are previewed at intervals, and once more when sealing begins."""
        match event:
            case Found():
                self._display.update(self._task, total=event.total)
            case Began():
                self._reading[event.scope.uid] = event.scope.name
            case Finished():
                self._reading.pop(event.scope.uid, None)
                self._fresh.append(event.path)
                self._display.update(self._task, total=event.total, completed=event.done)
                if time.monotonic() - self._last > _EVERY:
                    self._first_findings()
            case Retrying():
                words = say(
                    "{scope}: {reason}; trying again in {seconds} s",
                    scope=_short(event.scope.name),
                    reason=event.reason,
                    seconds=round(event.seconds),
                )
                self._line(Text(self._worded(words)))
            case Sealing():
                self._first_findings()
                self._reading = {"": self._worded(say("judging"))}
        self._display.update(self._task, reading=_names(list(self._reading.values())))

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._display.stop()

    def _first_findings(self) -> None:
        self._last = time.monotonic()
        batch, self._fresh = self._fresh, []
        if len(self._reported) >= _MOST_SHOWN or not batch:
            return
        verdicts = preview(
            (fact for path in batch for fact in facts(path)),
            list(self._rules.values()),
            as_of=datetime.now(UTC),
            params=self._params,
        )
        for verdict in verdicts:
            if verdict.fingerprint not in self._reported and len(self._reported) < _MOST_SHOWN:
                self._reported.add(verdict.fingerprint)
                rule = self._rules[verdict.rule_id]
                said = message(rule.text[self._language], verdict, self._language)
                self._line(Text(f"{rule.severity:>8}", style=SEVERITY_STYLES[rule.severity]).append(f"  {said}", ""))

    def _line(self, text: Text) -> None:
        """Print a line above the display; whatever is in it, it is one line."""
        safe = plain(text.plain.replace("\n", " "))
        self._display.console.print(Text(safe, spans=text.spans, overflow="fold"))

    def _made(self) -> Display:
        room = terminal.columns(sys.stderr) or _WIDTH
        bar = [BarColumn(bar_width=_BAR)] if room >= _WIDTH else []
        console = terminal.console(sys.stderr, room, in_colour=terminal.colour(sys.stderr), live=True)
        words = _Words(lambda task: self._words(task, room - (_BAR + 1 if bar else 0)))
        return Display(*bar, words, console=console, transient=True, redirect_stdout=False, refresh_per_second=4)

    def _words(self, task: Task, room: int) -> str:
        """How far, how fast, and which scopes are being read, as far as there is room for it."""
        known = [part for part in (self._worded(_done(task)), self._worded(_pace(task))) if part]
        return _cut("; ".join([*known, *filter(None, [str(task.fields["reading"])])]), room)

    def _worded(self, words: Sentence | str) -> str:
        return in_language(words, self._language)


class _Words(ProgressColumn):
    """What a function says of the task."""

    def __init__(self, words: Callable[[Task], str]) -> None:
        super().__init__(Column(no_wrap=True))
        self._words = words

    def render(self, task: Task) -> Text:
        return Text(self._words(task))


def _done(task: Task) -> Sentence:
    if task.total is None:
        return say("looking for scopes")
    return say("{done} of {total} scopes read", done=round(task.completed), total=round(task.total))


def _pace(task: Task) -> Sentence | str:
    """How fast, and for how long still; nothing before that is known."""
    if not task.speed or task.time_remaining is None or (task.elapsed or 0) < _SOONEST_PACE:
        return ""
    rate, minutes = round(task.speed * 60), math.ceil(task.time_remaining / 60)
    return say("{rate} a minute, about {minutes} min left", rate=rate, minutes=minutes)


def _names(reading: Sequence[str]) -> str:
    """The first scopes that are being read, in a few words."""
    more = [f"+{len(reading) - _MOST_NAMES}"] if len(reading) > _MOST_NAMES else []
    return ", ".join([*map(_short, reading[:_MOST_NAMES]), *more])


def _short(name: str) -> str:
    """A name of anybody's in one line of a few columns."""
    return _cut(plain(name.replace("\n", " ")), _LONGEST_NAME)


def _cut(line: str, columns: int) -> str:
    text = Text(line)
    text.truncate(columns, overflow="ellipsis")
    return text.plain
