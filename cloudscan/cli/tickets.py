"""`cloudscan tickets`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
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
from cloudscan.cli.only import narrowed_report, only_option
from cloudscan.cli.opening import last_report, load_config, load_rules, open_ledger
from cloudscan.cli.options import lang_option
from cloudscan.cli.trackers import Trackers, open_trackers, preview_wording
from cloudscan.cli.words import word_of
from cloudscan.config import Config
from cloudscan.errors import CloudscanError, ConfigurationError
from cloudscan.recipient import Withheld
from cloudscan.sentence import Sentence, joined, say
from cloudscan.text import plain

if TYPE_CHECKING:
    from cloudscan.ledger.ledger import Ledger
    from cloudscan.report import Report
    from cloudscan.ticketing.deliver import ActionResult
    from cloudscan.ticketing.plan import Plan
    from cloudscan.ticketing.trouble import OngoingTrouble, Trouble

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
@only_option
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="Text to read, or JSON and nothing else.")  # fmt: skip
@lang_option
@click.pass_obj
def tickets(
    config_path: str | None,
    dry_run: bool,
    file: str | None,
    names: Sequence[str],
    only: Sequence[str],
    format_name: str,
    lang: str | None,
) -> int:
    """Keep one ticket per fix up to date: created, commented, closed when resolved, reopened when it is back.

    With --from neither the ledger nor permissions in the cloud are needed: tickets are recognised by the marker line
    in their text. With --only no other ticket is touched, and none is closed because its finding is resolved: a run
    without it does that. Credentials come from the environment: CLOUDSCAN_<TRACKER>_TOKEN and others listed in
    docs/tickets.md. Where no tracker is configured, --dry-run shows the tickets as they would be written in Markdown.
    """
    from cloudscan.snapshot import lock
    from cloudscan.ticketing.memory import NoMemory
    from cloudscan.ticketing.subjects import names_of

    config = load_config(config_path)
    with nullcontext() if dry_run else lock.exclusive(config.folder):  # who only looks may not be able to write there
        report = last_report(config, file)
        chosen = {one.fingerprint for one in narrowed_report(config, report, only).findings} if only else None
        told = _Progress(open_ledger(config) if file is None and not dry_run and not only else None, report.scan.id)
        path = Path(config_path) if config_path else None
        if dry_run and not config.trackers and not names:
            trackers = _preview()
        else:
            with told.failure_of(names or list(config.trackers)):
                memory = open_ledger(config) if file is None else NoMemory()
                needed = {name for one in report.findings for name in names_of(one, config.grouping)}
                trackers = open_trackers(config, path, names, memory, needed, dry_run=dry_run)
        planned = _plan(config, report, trackers, lang or "", chosen, from_file=file is not None)
        as_json = format_name == "json"
        return (
            _show(planned, trackers, as_json=as_json)
            if dry_run
            else _carry_out(planned, trackers, told, as_json=as_json)
        )


@dataclass(frozen=True)
class _Progress:
    """Remembers which trackers are up to date with the scan; nothing without a ledger."""

    ledger: "Ledger | None"
    scan_id: str

    @contextmanager
    def failure_of(self, trackers: Sequence[str]) -> Iterator[None]:
        """Remember that trackers cannot be reached."""
        try:
            yield
        except CloudscanError:
            for tracker in trackers:
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


def _preview() -> Trackers:
    """A tracker that does not exist and contains nothing, to show what tickets look like."""
    from cloudscan.ticketing.deliver import Dispatcher
    from cloudscan.ticketing.memory import NoMemory
    from cloudscan.ticketing.plan import TrackerState

    wording = preview_wording()
    if wording is None:
        raise ConfigurationError(
            say("There is no tracker; write [trackers.<name>] into cloudscan.toml (docs/tickets.md).")
        )
    echo(say("No tracker is configured: this is how tickets would be written. See docs/tickets.md."), err=True)
    states = {"preview": TrackerState(wording=wording, existing=())}
    return Trackers(dispatcher=Dispatcher(opened={}, memory=NoMemory()), states=states)


def _plan(
    config: Config,
    report: "Report",
    trackers: Trackers,
    lang: str,
    chosen: Collection[str] | None,
    *,
    from_file: bool,
) -> "Plan":
    from cloudscan.ticketing.plan import plan

    memory = trackers.dispatcher.memory
    return plan(
        report,
        trackers.states,
        policy=config.tickets,
        terms=config.terms,
        routes=config.routes,
        lang=lang or config.tickets.language or config.organisation.language,
        remembered=memory.tickets(),
        renames=memory.renames(),
        withdrawn=() if from_file else _withdrawn(config, report, trackers),
        unreachable=trackers.unreachable,
        left_out=config.trackers.keys() - {*trackers.states, *trackers.unreachable},
        chosen=chosen,
        now=datetime.now(UTC),
    )


def _withdrawn(config: Config, report: "Report", trackers: Trackers) -> Collection[str]:
    """The rules that tickets speak of, and that are not among the configured ones any more."""
    from cloudscan.ticketing import marker_line

    existing = (ticket for state in trackers.states.values() for ticket in state.existing if ticket.open)
    written = filter(None, (marker_line.read(ticket.body) for ticket in existing))
    renames = trackers.dispatcher.memory.renames().rules
    named = {renames.get(rule, rule) for line in written for rule in line.rules} - {rule.id for rule in report.rules}
    return named - {rule.id for rule in load_rules(config, for_judging=True)} if named else named


def _show(planned: "Plan", trackers: Trackers, *, as_json: bool) -> int:
    import msgspec

    click.echo(msgspec.json.encode(planned) if as_json else _text_of(planned))
    for trouble in trackers.dispatcher.troubles:
        warn(_sentence_of(trouble), "tickets.trouble")
    return EXIT_INCOMPLETE if trackers.dispatcher.troubles else 0


def _carry_out(planned: "Plan", trackers: Trackers, told: _Progress, *, as_json: bool) -> int:
    """Carry the plan out and print what was done; gives the exit code."""
    from cloudscan.ticketing.deliver import ActionOutcome

    dispatcher, results = trackers.dispatcher, []
    for result in dispatcher.carry_out(planned.actions):
        results.append(result)
        if not as_json and result.outcome in (ActionOutcome.DONE, ActionOutcome.FOUND):
            click.echo(_line(result))
    left = sum(result.outcome is ActionOutcome.LEFT for result in results)
    fresh, ongoing = dispatcher.known_troubles()
    if as_json:
        click.echo(_as_json(planned, results, fresh, ongoing))
    elif not results and not dispatcher.troubles:
        echo(say("Every ticket is up to date."))
    for trouble in fresh:
        warn(_sentence_of(trouble), "tickets.trouble")
    for message in [*_ongoing(ongoing), *_left_undone(planned, left)]:
        warn(message, "tickets.left_undone")
    failed = {trouble.tracker for trouble in dispatcher.troubles} | {
        result.tracker for result in results if result.outcome in (ActionOutcome.FAILED, ActionOutcome.LEFT)
    }
    for tracker in [*trackers.states, *trackers.unreachable]:
        told.save(tracker, failed=tracker in failed)
    return EXIT_INCOMPLETE if failed else 0


def _as_json(
    planned: "Plan",
    results: "Sequence[ActionResult]",
    fresh: "Sequence[Trouble]",
    ongoing: "Sequence[OngoingTrouble]",
) -> bytes:
    import msgspec

    troubles = [{"tracker": one.tracker, "what": one.what, "why": str(one.error), "runs": 1} for one in fresh]
    troubles += [
        {"tracker": one.trouble.tracker, "what": one.trouble.what, "why": str(one.trouble.error), "runs": one.runs,
         "since": one.since}
        for one in ongoing
    ]  # fmt: skip
    return msgspec.json.encode(
        {"done": results, "troubles": troubles, "postponed": planned.postponed, "unsettled": planned.unsettled,
         "unrouted": planned.unrouted, "waiting": planned.waiting}
    )  # fmt: skip


def _sentence_of(trouble: "Trouble") -> Sentence:
    """What failed, why, and what to do next."""
    return say("{tracker}: {what}: {error}", tracker=trouble.tracker, what=trouble.what, error=trouble.error)


def _ongoing(troubles: "Sequence[OngoingTrouble]") -> Iterator[Sentence]:
    """What failed in the run before as well: it was told then, and is only named."""
    if not troubles:
        return
    shown = [say("{tracker}: {what}", tracker=one.trouble.tracker, what=one.trouble.what) for one in troubles[:5]]
    more = [say("and {count} more", count=len(troubles) - len(shown))] if len(troubles) > len(shown) else []
    yield say(
        "Still failing ({count}), the first since {day}: {what}. --format json tells the reasons again.",
        count=len(troubles),
        day=min(one.since for one in troubles).date(),
        what=joined([*shown, *more], ", "),
    )


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
            if action.closing:
                lines.append(f"  {spoken(say('reason'))}: {plain(action.closing.note)}")
        parts.append("\n".join([head, *lines]))
    return "\n\n".join([*parts, *map(spoken, _left_undone(planned))]) or spoken(say("Every ticket is up to date."))


def _line(result: "ActionResult") -> str:
    from cloudscan.ticketing.deliver import ActionOutcome

    found = spoken(say(" (already done)")) if result.outcome is ActionOutcome.FOUND else ""
    ticket = plain(result.url or result.key or result.marker[:12])
    line = f"{spoken(_KINDS[result.kind])}{found} {result.tracker} {ticket} {plain(result.title)}".rstrip()
    return f"{line} ({plain(spoken(result.remark))})" if result.remark else line


_KINDS: Final[Mapping[str, Sentence]] = {  # by kind of action
    "create": say("create"),
    "update": say("update"),
    "comment": say("comment"),
    "close": say("close"),
    "reopen": say("reopen"),
}


def _left_undone(planned: "Plan", left: int = 0) -> Sequence[Sentence]:
    """What was not done, and why."""
    messages = []
    if left:
        messages.append(say("{count} changes are left for the next run, after what failed.", count=left))
    if planned.waiting:
        messages.append(
            say(
                "{count} findings wait: whether they have a ticket could not be seen. Nothing was created or closed "
                "for them.",
                count=planned.waiting,
            )
        )
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
