"""`cloudscan tickets`."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudscan.cli.main import EXIT_INCOMPLETE
from cloudscan.cli.opening import last_report, load_config, open_ledger
from cloudscan.cli.options import lang_option
from cloudscan.config import Config, tracker_options
from cloudscan.errors import ConfigurationError
from cloudscan.text import one_of, plain

if TYPE_CHECKING:
    from cloudscan.report import Report
    from cloudscan.ticketing.deliver import ActionResult
    from cloudscan.ticketing.plan import Plan
    from cloudscan.tracker import Tracker, Wording


@click.command()
@click.option("--dry-run", is_flag=True, help="Send nothing; show exactly what would be sent.")
@click.option(
    "--from", "file", type=click.Path(dir_okay=False), help="A report in JSON, in place of the ledger's last one."
)
@click.option("--tracker", "names", multiple=True, help="Only this tracker. Repeatable.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="Text to read, or JSON and nothing else.")  # fmt: skip
@lang_option
@click.pass_obj
def tickets(
    config_path: str | None, dry_run: bool, file: str | None, names: Sequence[str], format_name: str, lang: str | None
) -> int:
    """Hand the findings over: one ticket each, kept up to date, closed when resolved, reopened when back.

    With --from neither ledger nor rights in the cloud are needed: tickets are found again by the mark that they bear.
    Credentials come from the environment: CLOUDSCAN_<TRACKER>_TOKEN and what docs/tickets.md names beside it.
    """
    from cloudscan.snapshot import lock

    config = load_config(config_path)
    with lock.hold(config.folder):
        return hand_over(
            config,
            Path(config_path) if config_path else None,
            names=names,
            report=last_report(config, file),
            remember=file is None,
            dry_run=dry_run,
            as_json=format_name == "json",
            language=lang or config.tickets.language or config.organisation.language,
        )


def hand_over(
    config: Config,
    path: Path | None,
    *,
    names: Sequence[str],
    report: "Report",
    remember: bool,
    dry_run: bool,
    as_json: bool,
    language: str,
) -> int:
    """Plan, and carry the plan out or show it; gives the exit code."""
    import msgspec

    from cloudscan.ticketing.deliver import Dispatcher, NoMemory
    from cloudscan.ticketing.plan import TrackerState, plan

    opened = {name: _opened(config, name, path) for name in _chosen(config, names)}
    sender = Dispatcher(
        trackers={name: tracker for name, (tracker, _) in opened.items()},
        projects={name: _projects(config, name) for name in opened},
        memory=open_ledger(config) if remember else NoMemory(),
    )
    desks = {
        name: TrackerState(
            wording=words,
            held=sender.held(name),
            index_lag_seconds=tracker.index_lag_seconds,
            fallback_assignee=str(config.trackers[name].get("fallback_assignee", "")),
        )
        for name, (tracker, words) in opened.items()
    }
    planned = plan(
        report,
        desks,
        policy=config.tickets,
        deadlines=config.terms.days,
        routes=config.routes,
        lang=language,
        kept=sender.memory.tickets(),
        now=datetime.now(UTC),
    )
    if dry_run:
        click.echo(msgspec.json.encode(planned) if as_json else _shown(planned))
        return 0
    done = []
    for each in sender.carry_out(planned.actions):
        done.append(each)
        if not as_json:
            click.echo(_line(each))
    if as_json:
        click.echo(
            msgspec.json.encode(
                {"done": done, "held_back": planned.held_back, "unsettled": planned.unsettled,
                 "unrouted": planned.unrouted}
            )
        )  # fmt: skip
    elif not done:
        click.echo("Every ticket is up to date.")
    for word in _left(planned):
        click.echo(f"cloudscan: {word}", err=True)
    return EXIT_INCOMPLETE if any(each.outcome in ("failed", "left") for each in done) else 0


def _chosen(config: Config, names: Sequence[str]) -> Sequence[str]:
    if not config.trackers:
        raise ConfigurationError("There is no tracker; write [trackers.<name>] into cloudscan.toml (docs/tickets.md).")
    for name in (*names, *filter(None, [config.tickets.tracker])):
        if name not in config.trackers:
            raise ConfigurationError(f"There is no tracker {name!r}; {one_of(name, sorted(config.trackers))}.")
    return list(dict.fromkeys(names)) or list(config.trackers)


def _opened(config: Config, name: str, path: Path | None) -> "tuple[Tracker, Wording]":
    from cloudscan import plugins

    plugin = plugins.tracker(str(config.trackers[name].get("kind", name)))
    options = tracker_options(config, name, plugin.options, path)
    prefix = "CLOUDSCAN_" + "".join(letter if letter.isalnum() else "_" for letter in name).upper()

    def credential(part: str) -> str:
        value = os.environ.get(f"{prefix}_{part}", "")
        if not value:
            raise ConfigurationError(f"[trackers.{name}]: the environment variable {prefix}_{part} is not set.")
        return value

    with plugins.its_packages(f"The tracker {name}", "trackers"):
        return plugin.open(options, credential), plugin.wording(options)


def _projects(config: Config, name: str) -> Sequence[str]:
    """Where tickets of ours may be: what the tracker's table says, and the routes that lead there."""
    own = [str(config.trackers[name].get("project", ""))]
    routed = [route.project for route in config.routes if route.tracker in (name, "")]
    return [each for each in dict.fromkeys([*own, *routed]) if each]


def _shown(planned: "Plan") -> str:
    """The plan in full, for a person."""
    parts = []
    for action in planned.actions:
        head = f"{action.kind} {action.tracker} {action.key or '(new)'}"
        if action.ticket:
            ticket = action.ticket
            about: Mapping[str, str] = {
                "project": ticket.project,
                "title": ticket.title,
                "labels": ", ".join(ticket.labels),
                "due": str(ticket.due or ""),
                "assignee": ticket.assignee,
                "fallback_assignee": ticket.fallback_assignee,
            }
            lines = [f"  {name}: {plain(value)}" for name, value in about.items() if value]
            lines += [f"  | {plain(line)}" for line in ticket.body.splitlines()]
        else:
            lines = [f"  | {plain(line)}" for line in action.text.splitlines()]
        parts.append("\n".join([head, *lines]))
    return "\n\n".join([*parts, *_left(planned)]) or "Every ticket is up to date."


def _line(done: "ActionResult") -> str:
    told = {"done": done.kind.value, "found": f"{done.kind} (it was there)"}.get(done.outcome, f"{done.kind} failed")
    reason = f": {plain(done.reason)}" if done.reason else ""
    return (
        f"{told} {done.tracker} {plain(done.url or done.key or done.marker[:12])} {plain(done.title)}".rstrip() + reason
    )


def _left(planned: "Plan") -> Sequence[str]:
    """What was not done, and why."""
    words = []
    if planned.held_back:
        numbers = ", ".join(f"{n} {severity}" for severity, n in planned.held_back.items())
        words.append(
            f"held back: {numbers}: more new tickets than [tickets] max_new allows in one run; the worst went first."
        )
    if planned.unsettled:
        words.append(
            f"{len(planned.unsettled)} tickets may have been made a moment ago, and the tracker does not list them "
            "yet; run again in some minutes."
        )
    if planned.unrouted:
        words.append(f"{planned.unrouted} findings have no tracker; name one in [[routes]] or [tickets] tracker.")
    return words
