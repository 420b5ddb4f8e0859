"""Opening the configured trackers, one by one: what is wrong with one does not keep the others from being asked."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cloudscan.config import Config, tracker_options
from cloudscan.errors import CloudscanError, ConfigurationError, ProviderError
from cloudscan.sentence import say
from cloudscan.text import suggestion
from cloudscan.tracker import Tracker, Wording, variable

if TYPE_CHECKING:
    from cloudscan.ticketing.deliver import Dispatcher, Opened
    from cloudscan.ticketing.memory import TicketStore
    from cloudscan.ticketing.plan import TrackerState


@dataclass(frozen=True, kw_only=True)
class Trackers:
    """The trackers that could be opened, what they contain, and what went wrong so far."""

    dispatcher: "Dispatcher"
    states: "Mapping[str, TrackerState]"
    unreachable: Sequence[str] = ()


def open_trackers(
    config: Config,
    path: Path | None,
    names: Sequence[str],
    memory: "TicketStore",
    needed: Collection[str],
    *,
    dry_run: bool = False,
) -> Trackers:
    """The chosen trackers; `needed` are the markers that today's findings have.

    In a dry run, one that cannot be asked is shown as the ledger remembers it. Raises `ConfigurationError` if none of
    them can be opened with this configuration.
    """
    from cloudscan.ticketing.deliver import Dispatcher
    from cloudscan.ticketing.plan import TrackerState
    from cloudscan.ticketing.trouble import trouble_with

    opened, unreachable, states = {}, dict[str, CloudscanError](), dict[str, TrackerState]()
    chosen = _chosen(config, names)
    for name in chosen:
        try:
            opened[name] = _opened(config, name, path)
        except CloudscanError as error:
            unreachable[name] = error
    previews = {name: state for name in chosen if dry_run and (state := _remembered(config, name, path, memory))}
    if not (opened or previews) and all(isinstance(error, ConfigurationError) for error in unreachable.values()):
        raise next(iter(unreachable.values()))
    dispatcher = Dispatcher(opened=opened, memory=memory)
    for name, reason in unreachable.items():
        what = say("the tracker {tracker} cannot be used", tracker=name)
        dispatcher.troubles.append(trouble_with(name, "open", what, reason))
    for name in opened:
        if state := _state(config, name, dispatcher, needed):
            states[name] = state
    states = previews | states
    return Trackers(dispatcher=dispatcher, states=states, unreachable=[name for name in chosen if name not in states])


def preview_wording() -> Wording | None:
    """How tickets are written where no tracker says it."""
    from cloudscan import plugins

    return next(filter(None, (plugins.tracker(name).preview for name in plugins.tracker_names())), None)


def open_tracker(config: Config, name: str, path: Path | None) -> Tracker:
    """A configured tracker, with its credentials from the environment.

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
        return plugin.open(options, credential)


def projects_of(config: Config, name: str) -> Sequence[str]:
    """The projects that may contain our tickets: the tracker's own, and those of routes to it."""
    own = [str(config.trackers[name].get("project", ""))]
    usual = config.tickets.tracker or (name if len(config.trackers) == 1 else "")
    routed = [route.project for route in config.routes if (route.tracker or usual) == name]
    return list(dict.fromkeys([*own, *filter(None, routed)]))


def _opened(config: Config, name: str, path: Path | None) -> "Opened":
    from cloudscan.ticketing.asking import Asking
    from cloudscan.ticketing.deliver import Opened

    asking = Asking(tracker=name)
    tracker = asking.once(lambda: open_tracker(config, name, path))
    return Opened(tracker=tracker, asking=asking, projects=projects_of(config, name))


def _state(config: Config, name: str, dispatcher: "Dispatcher", needed: Collection[str]) -> "TrackerState | None":
    """What a tracker contains, and how texts are written there; None if nothing can be written there at all."""
    from cloudscan.ticketing.plan import TrackerState
    from cloudscan.ticketing.trouble import trouble_with

    opened = dispatcher.opened[name]
    inventory = dispatcher.inventory(name, needed)
    wordings, unworded = {}, set()
    for project in opened.projects:
        if project in inventory.unlisted:
            continue
        try:
            wordings[project] = opened.asking.retrying(partial(opened.tracker.wording, project))
        except ProviderError as error:
            unworded.add(project)
            what = say("the project {project}", project=project)
            dispatcher.troubles.append(trouble_with(name, f"project {project}", what, error))
    unlisted = {*inventory.unlisted, *unworded}
    if not wordings:
        return None
    own = opened.projects[0]
    return TrackerState(
        wording=wordings.get(own) or next(iter(wordings.values())),
        wordings=wordings,
        existing=[ticket for ticket in inventory.tickets if (ticket.project or own) not in unlisted],
        index_lag_seconds=opened.tracker.index_lag_seconds,
        fallback_assignee=str(config.trackers[name].get("fallback_assignee", "")),
        project=own,
        unlisted=unlisted,
        unread=inventory.unread,
    )


def _remembered(config: Config, name: str, path: Path | None, memory: "TicketStore") -> "TrackerState | None":
    """A tracker that cannot be asked, as the ledger remembers it; in Markdown if its texts depend on its projects.

    None if its options cannot be used.
    """
    from cloudscan import plugins
    from cloudscan.ticketing.inventory import as_remembered
    from cloudscan.ticketing.plan import TrackerState

    try:
        plugin = plugins.tracker(str(config.trackers[name].get("kind", name)))
        tracker_options(config, name, plugin.options, path)
    except ConfigurationError:
        return None
    wording = plugin.preview or preview_wording()
    if wording is None:
        return None
    return TrackerState(
        wording=wording,
        existing=as_remembered(record for record in memory.tickets() if record.tracker == name),
        fallback_assignee=str(config.trackers[name].get("fallback_assignee", "")),
        project=str(config.trackers[name].get("project", "")),
    )


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
