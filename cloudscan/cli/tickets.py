"""`cloudscan tickets`."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from msgspec.structs import replace

from cloudscan.channel import Channel, ChannelKind
from cloudscan.cli import completing
from cloudscan.cli.language import echo, spoken
from cloudscan.cli.log import warn
from cloudscan.cli.main import EXIT_INCOMPLETE
from cloudscan.cli.opening import last_report, load_config, open_ledger
from cloudscan.cli.options import lang_option
from cloudscan.cli.words import word_of
from cloudscan.config import Config, tracker_options
from cloudscan.errors import CloudscanError, ConfigurationError
from cloudscan.recipient import Withheld
from cloudscan.sentence import Sentence, joined, say
from cloudscan.text import plain, suggestion
from cloudscan.tracker import variable

if TYPE_CHECKING:
    from cloudscan.ledger.ledger import Ledger
    from cloudscan.report import Report
    from cloudscan.ticketing.deliver import ActionResult, Dispatcher
    from cloudscan.ticketing.plan import Plan, TrackerState
    from cloudscan.tracker import Tracker, Wording

_WITHHELD: Mapping[Withheld, str] = {
    Withheld.UNKNOWN: say("no owner is known"),
    Withheld.EXTERNAL: say("the owner is an external user"),
    Withheld.ACCOUNT: say("the owner is an account, not a person"),
    Withheld.GROUP: say("the owner is a group, not a person"),
    Withheld.LEFT: say("the owner has left"),
    Withheld.SUSPENDED: say("the owner's account is suspended"),
    Withheld.ADDRESS: say("the owner's address is in a domain that is not among [organisation] domains"),
    Withheld.UNVERIFIED: say("the owner is not known to be an active employee"),
}


@click.command()
@click.option("--dry-run", is_flag=True, help="Send nothing; show exactly what would be sent.")
@click.option(
    "--from", "file", type=click.Path(dir_okay=False), help="A report in JSON, instead of the ledger's last one."
)
@click.option(
    "--tracker", "names", multiple=True, shell_complete=completing.trackers, help="Only this tracker. Repeatable."
)
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="Text to read, or JSON and nothing else.")  # fmt: skip
@lang_option
@click.pass_obj
def tickets(
    config_path: str | None, dry_run: bool, file: str | None, names: Sequence[str], format_name: str, lang: str | None
) -> int:
    """Keep one ticket per fix up to date: created, commented, closed when resolved, reopened when it is back.

    With --from neither the ledger nor permissions in the cloud are needed: tickets are recognised by the marker line
    in their text. Credentials come from the environment: CLOUDSCAN_<TRACKER>_TOKEN and others listed in
    docs/tickets.md. Where no tracker is configured, --dry-run shows the tickets as they would be written in Markdown.
    """
    from cloudscan.snapshot import lock

    config = load_config(config_path)
    with nullcontext() if dry_run else lock.exclusive(config.folder):  # who only looks may not be able to write there
        report = last_report(config, file)
        memory = _Memory(open_ledger(config) if file is None and not dry_run else None, report.scan.id)
        path = Path(config_path) if config_path else None
        dispatcher, trackers = (
            _preview()
            if dry_run and not config.trackers and not names
            else _open_trackers(config, path, names, memory, remember=file is None)
        )
        planned = _plan(config, report, dispatcher, trackers, lang or "")
        as_json = format_name == "json"
        return _show(planned, as_json=as_json) if dry_run else _carry_out(planned, dispatcher, memory, as_json=as_json)


@dataclass(frozen=True)
class _Memory:
    """Remembers which trackers are up to date with the scan; nothing without a ledger."""

    ledger: "Ledger | None"
    scan_id: str

    @contextmanager
    def failure_of(self, tracker: str) -> Iterator[None]:
        """Remember that a tracker cannot be reached."""
        try:
            yield
        except CloudscanError:
            self.save(tracker, failed=True)
            raise

    def save(self, tracker: str, *, failed: bool) -> None:
        """Remember whether a tracker could be brought up to date."""
        if self.ledger is None:
            return
        now, known = datetime.now(UTC), {(one.kind, one.id): one for one in self.ledger.channels()}
        channel = known.get((ChannelKind.TRACKER, tracker), Channel(kind=ChannelKind.TRACKER, id=tracker))
        if failed:
            channel = replace(channel, failing_since=channel.failing_since or now)
        else:
            before = channel.before_id if channel.scan_id == self.scan_id else channel.scan_id
            channel = replace(channel, scan_id=self.scan_id, before_id=before, informed_on=now, failing_since=None)
        self.ledger.save_channel(channel)


def _open_trackers(
    config: Config, path: Path | None, names: Sequence[str], memory: _Memory, *, remember: bool
) -> "tuple[Dispatcher, Mapping[str, TrackerState]]":
    """The chosen trackers, and what they contain. `remember` is whether the ledger keeps track of tickets."""
    from cloudscan.ticketing.deliver import Dispatcher, NoMemory
    from cloudscan.ticketing.plan import TrackerState

    opened = {}
    for name in _chosen(config, names):
        with memory.failure_of(name):
            opened[name] = open_tracker(config, name, path)
    dispatcher = Dispatcher(
        trackers={name: tracker for name, (tracker, _) in opened.items()},
        projects={name: projects_of(config, name) for name in opened},
        memory=open_ledger(config) if remember else NoMemory(),
    )
    states = {}
    for name, (tracker, wording) in opened.items():
        with memory.failure_of(name):
            states[name] = TrackerState(
                wording=wording,
                existing=dispatcher.existing(name),
                index_lag_seconds=tracker.index_lag_seconds,
                fallback_assignee=str(config.trackers[name].get("fallback_assignee", "")),
            )
    return dispatcher, states


def _preview() -> "tuple[Dispatcher, Mapping[str, TrackerState]]":
    """A tracker that does not exist and contains nothing, to show what tickets look like."""
    from cloudscan import plugins
    from cloudscan.ticketing.deliver import Dispatcher, NoMemory
    from cloudscan.ticketing.plan import TrackerState

    wordings = (plugins.tracker(name).preview for name in plugins.tracker_names())
    wording = next(filter(None, wordings), None)
    if wording is None:
        raise ConfigurationError(
            say("There is no tracker; write [trackers.<name>] into cloudscan.toml (docs/tickets.md).")
        )
    echo(say("No tracker is configured: this is how tickets would be written. See docs/tickets.md."), err=True)
    return Dispatcher(trackers={}, projects={}, memory=NoMemory()), {
        "preview": TrackerState(wording=wording, existing=())
    }


def _plan(
    config: Config, report: "Report", dispatcher: "Dispatcher", trackers: "Mapping[str, TrackerState]", lang: str
) -> "Plan":
    from cloudscan.ticketing.plan import plan

    return plan(
        report,
        trackers,
        policy=config.tickets,
        terms=config.terms,
        routes=config.routes,
        lang=lang or config.tickets.language or config.organisation.language,
        remembered=dispatcher.memory.tickets(),
        renames=dispatcher.memory.renames(),
        now=datetime.now(UTC),
    )


def _show(planned: "Plan", *, as_json: bool) -> int:
    import msgspec

    click.echo(msgspec.json.encode(planned) if as_json else _text_of(planned))
    return 0


def _carry_out(planned: "Plan", dispatcher: "Dispatcher", memory: _Memory, *, as_json: bool) -> int:
    """Carry the plan out and print what was done; gives the exit code."""
    import msgspec

    from cloudscan.ticketing.deliver import ActionOutcome

    results = []
    for result in dispatcher.carry_out(planned.actions):
        results.append(result)
        if not as_json:
            click.echo(_line(result))
    if as_json:
        click.echo(
            msgspec.json.encode(
                {"done": results, "postponed": planned.postponed, "unsettled": planned.unsettled,
                 "unrouted": planned.unrouted}
            )
        )  # fmt: skip
    elif not results:
        echo(say("Every ticket is up to date."))
    for message in _left_undone(planned):
        warn(message, "tickets.left_undone")
    failed = {result.tracker for result in results if result.outcome in (ActionOutcome.FAILED, ActionOutcome.LEFT)}
    for tracker in dispatcher.trackers:
        memory.save(tracker, failed=tracker in failed)
    return EXIT_INCOMPLETE if failed else 0


def _chosen(config: Config, names: Sequence[str]) -> Sequence[str]:
    if not config.trackers:
        raise ConfigurationError(
            say("There is no tracker; write [trackers.<name>] into cloudscan.toml (docs/tickets.md).")
        )
    for name in (*names, *filter(None, [config.tickets.tracker])):
        if name not in config.trackers:
            raise ConfigurationError(
                say(
                    "There is no tracker {name}; {hint}.",
                    name=repr(name),
                    hint=suggestion(name, sorted(config.trackers)),
                )
            )
    return list(dict.fromkeys(names)) or list(config.trackers)


def open_tracker(config: Config, name: str, path: Path | None) -> "tuple[Tracker, Wording]":
    """A configured tracker, with its credentials from the environment, and the wording of its tickets.

    Raises `ConfigurationError` for its options, a credential that is not set, or a package that is missing.
    """
    from cloudscan import plugins

    plugin = plugins.tracker(str(config.trackers[name].get("kind", name)))
    options = tracker_options(config, name, plugin.options, path)

    def credential(part: str) -> str:
        value = os.environ.get(variable(name, part), "")
        if not value:
            raise ConfigurationError(
                say(
                    "[trackers.{name}]: the environment variable {variable} is not set.",
                    name=name,
                    variable=variable(name, part),
                )
            )
        return value

    with plugins.its_packages(say("The tracker {name}", name=name), "trackers"):
        return plugin.open(options, credential), plugin.wording(options)


def projects_of(config: Config, name: str) -> Sequence[str]:
    """The projects that may contain our tickets: the tracker's own, and those of routes to it."""
    own = [str(config.trackers[name].get("project", ""))]
    routed = [route.project for route in config.routes if route.tracker in (name, "")]
    return [project for project in dict.fromkeys([*own, *routed]) if project]


def _text_of(planned: "Plan") -> str:
    """The plan in full, for a person."""
    parts = []
    for action in planned.actions:
        head = f"{spoken(_KINDS[action.kind])} {action.tracker} {action.key or spoken(say('(new)'))}"
        if action.ticket:
            ticket = action.ticket
            fields: Mapping[str, str] = {
                say("project"): ticket.project,
                say("title"): ticket.title,
                say("labels"): ", ".join(ticket.labels),
                say("due"): str(ticket.due or ""),
                say("assignee"): ticket.assignee,
                say("fallback assignee"): ticket.fallback_assignee,
                say("owner"): ticket.owner,
                say("not the owner's"): spoken(_WITHHELD[ticket.withheld]) if ticket.withheld else "",
            }
            lines = [f"  {spoken(name)}: {plain(value)}" for name, value in fields.items() if value]
            lines += [f"  | {plain(line)}" for line in ticket.body.splitlines()]
        else:
            lines = [f"  | {plain(line)}" for line in action.text.splitlines()]
        parts.append("\n".join([head, *lines]))
    return "\n\n".join([*parts, *map(spoken, _left_undone(planned))]) or spoken(say("Every ticket is up to date."))


def _line(result: "ActionResult") -> str:
    from cloudscan.ticketing.deliver import ActionOutcome

    notes = {ActionOutcome.DONE: "", ActionOutcome.FOUND: say(" (already done)")}
    ticket = plain(result.url or result.key or result.marker[:12])
    how = f"{spoken(_KINDS[result.kind])}{spoken(notes.get(result.outcome, say(' failed')))}"
    line = f"{how} {result.tracker} {ticket} {plain(result.title)}"
    return line.rstrip() + (f": {plain(result.reason)}" if result.reason else "")


_KINDS: Final[Mapping[str, Sentence]] = {  # by kind of action
    "create": say("create"),
    "update": say("update"),
    "comment": say("comment"),
    "close": say("close"),
    "reopen": say("reopen"),
}


def _left_undone(planned: "Plan") -> Sequence[Sentence]:
    """What was not done, and why."""
    messages = []
    if planned.postponed:
        counts = joined(
            (say("{count} {state}", count=n, state=word_of(severity)) for severity, n in planned.postponed.items()),
            ", ",
        )
        messages.append(
            say(
                "postponed: {counts}: more new tickets than [tickets] max_new allows in one run; the worst went first.",
                counts=counts,
            )
        )
    if planned.unsettled:
        messages.append(
            say(
                "{count} tickets may have been created a moment ago, and the tracker does not list them yet; run again "
                "in a few minutes.",
                count=len(planned.unsettled),
            )
        )
    if planned.unrouted:
        messages.append(
            say(
                "{count} findings have no tracker; name one in [[routes]] or [tickets] tracker.", count=planned.unrouted
            )
        )
    return messages
