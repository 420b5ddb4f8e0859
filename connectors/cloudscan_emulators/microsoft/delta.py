"""Delta: all items of a drive page by page, and later what has changed.

Source: driveItem: delta. A token remembers its drive, and either how far a full enumeration has come or which part of
the log is being told. Preferences are read from every request: a next page without them is told without them.
"""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote

from cloudscan_emulators.kit.json_text import dump
from cloudscan_emulators.microsoft import errors, ids, odata
from cloudscan_emulators.microsoft.calls import Call
from cloudscan_emulators.microsoft.quirks import Quirks
from cloudscan_emulators.microsoft.records import Drive
from cloudscan_emulators.microsoft.sharing import FULL_CONTROL
from cloudscan_emulators.microsoft.tenant_state import TenantState
from cloudscan_emulators.microsoft.text import seconds
from cloudscan_emulators.microsoft.views import Projection, Views

_TYPE = '"@odata.type":"#microsoft.graph.driveItem"'
_SHARED = '"@microsoft.graph.sharedChanged":"True"'
_MARK = "NDslMjM0OyUyMzE7MzsyMz"


@dataclass(frozen=True)
class Place:
    """What a token means."""

    drive: int
    full: bool
    seen: int  # full: the last item told; else: how many changes were told
    since: int  # the log from here
    until: int  # to here
    empty: bool = False  # the empty page before this one was told


@dataclass(frozen=True)
class Change:
    """What a page tells of one item."""

    item: int
    sharing: bool = False
    stale: bool = False


class Delta:
    """Answers delta requests."""

    def __init__(self, world: TenantState, views: Views, quirks: Quirks) -> None:
        self._world = world
        self._views = views
        self._quirks = quirks

    def answer(self, call: Call, drive: Drive) -> str:
        self._refuse(call)
        if self._quirks.retention_needs_full_control and self._retains(drive) and not call.may(FULL_CONTROL):
            raise errors.denied("files", (FULL_CONTROL,), ())
        options = call.options
        projection = Projection(
            select=odata.wanted(options, "driveItem"),
            delta=True,
            hierarchical=call.prefers("hierarchicalsharing"),
        )
        place = self._place(call, drive)
        if place is None:
            return self._page(call, [], self._link(call, Place(drive.number, False, 0, len(drive.log), len(drive.log))))
        if self._quirks.empty_delta_pages and not place.empty:
            return self._page(call, [], self._link(call, replace(place, empty=True), more=True), more=True)
        size = options.size(self._quirks.delta_page, self._quirks.delta_most, capped=True)
        if place.full:
            return self._everything(call, drive, projection, place, size)
        return self._changes(call, drive, projection, place, size)

    def start(self, call: Call, drive: Drive) -> str:
        """Where to start again from."""
        return self._link(call, Place(drive.number, True, -1, 0, len(drive.log)))

    def _everything(self, call: Call, drive: Drive, projection: Projection, place: Place, size: int) -> str:
        first = bisect_right(drive.items, place.seen)
        numbers = drive.items[first : first + size]
        tell = self._views.teller(projection)
        found = [item for item in map(self._world.items.__getitem__, numbers) if item is not None]
        told = [f"{{{_TYPE},{tell(item)}}}" for item in found]
        if first + size < len(drive.items):
            link = self._link(call, replace(place, seen=numbers[-1], empty=False))
            return self._page(call, told, link, more=True)
        return self._page(call, told, self._link(call, Place(drive.number, False, 0, place.until, place.until)))

    def _changes(self, call: Call, drive: Drive, projection: Projection, place: Place, size: int) -> str:
        if place.since < drive.oldest or self._must_resync(drive, place):
            raise errors.resync(self._quirks.resync, self.start(call, drive))
        fresh = place.seen == 0 and place.since == place.until
        until = len(drive.log) if fresh else place.until
        exclude = "deltaexcludeparent" in call.request.headers or call.prefers("deltaexcludeparent")
        changes = list(self._between(drive, place.since, until, parents=not exclude))
        marked = self._marks(call)
        part = changes[place.seen : place.seen + size]
        tell = self._views.teller(projection)
        told = []
        for change in part:
            item = self._world.items[change.item]
            if item is None or item.drive != drive.number:
                view = self._views.gone(drive, change.item, projection, empty=self._quirks.empty_deleted)
            elif change.stale:
                view = tell(item).replace('"name":"', '"name":"~', 1)
            else:
                view = tell(item)
            told.append(f"{{{_TYPE},{view}{f',{_SHARED}' if change.sharing and marked else ''}}}")
        seen = place.seen + len(part)
        if seen < len(changes):
            return self._page(
                call, told, self._link(call, Place(drive.number, False, seen, place.since, until)), more=True
            )
        return self._page(call, told, self._link(call, Place(drive.number, False, 0, until, until)))

    def _between(self, drive: Drive, since: int, until: int, *, parents: bool) -> Iterator[Change]:
        """Each changed item once, where it was changed last, behind the folders it is in."""
        last: dict[int, bool] = {}
        gone: set[int] = set()
        for event in drive.log[since:until]:
            sharing = last.pop(event.item, False) or event.sharing
            last[event.item] = sharing
            (gone.add if event.gone else gone.discard)(event.item)
        told: set[int] = set()
        if self._quirks.repeats_in_delta:
            yield from (Change(number, stale=True) for number in last if self._world.items[number] is not None)
        for number, sharing in last.items():
            item = self._world.items[number]
            if item is None:
                if number in gone:
                    yield Change(number)
                    below = self._world.binned(number)[1:] if self._quirks.deleted_children else []
                    yield from (Change(one.number) for one in below)
                continue
            for above in reversed(list(self._world.ancestors(item))) if parents else ():
                if above.number not in told and above.number not in last:
                    told.add(above.number)
                    yield Change(above.number)
            yield Change(number, sharing)

    def _retains(self, drive: Drive) -> bool:
        """Reported: microsoftgraph/microsoft-graph-docs-contrib issue 693."""
        items = map(self._world.items.__getitem__, drive.items)
        return any(item is not None and item.extra is not None and item.extra.retention for item in items)

    def _must_resync(self, drive: Drive, place: Place) -> bool:
        if not self._quirks.resync_on_library_change:
            return False
        return any(event.item == drive.root and event.sharing for event in drive.log[place.since :])

    def _marks(self, call: Call) -> bool:
        """Whether sharing changes are marked: two other preferences must come along."""
        asked = all(
            call.prefers(one)
            for one in ("deltashowsharingchanges", "deltashowremovedasdeleted", "deltatraversepermissiongaps")
        )
        return asked and (call.may(FULL_CONTROL) or not self._quirks.sharing_changes_need_full_control)

    def _place(self, call: Call, drive: Drive) -> Place | None:
        """What is asked for; None: only where the log ends (`token=latest`)."""
        text = call.values.get("token") or call.options.others.get("token", "")
        if text in ("", "null"):
            return Place(drive.number, True, -1, 0, len(drive.log))
        if text == "latest":
            return None
        if text.startswith(_MARK):
            return _read(text, drive)
        when = seconds(text)
        if when is None:
            raise errors.bad("Provided sync token is malformed", "invalidRequest")
        since = sum(event.time <= when for event in drive.log)
        return Place(drive.number, False, 0, since, since)

    def _link(self, call: Call, place: Place, *, more: bool = False) -> str:
        drive = self._world.drives[place.drive]
        told = (place.drive, place.full, place.seen, place.since, place.until, place.empty and more)
        token = quote(_MARK + ids.packed(";".join(str(int(one)) for one in told)))
        query = call.options.query()
        return f"{call.service}/drives/{drive.id}/root/delta(token='{token}'){f'?{query}' if query else ''}"

    def _page(self, call: Call, told: list[str], link: str, *, more: bool = False) -> str:
        name = "@odata.nextLink" if more else "@odata.deltaLink"
        context = dump(call.context("Collection(driveItem)"))
        return f'{{"@odata.context":{context},"{name}":{dump(link)},"value":[{",".join(told)}]}}'

    def _refuse(self, call: Call) -> None:
        options = call.options
        if "permissions" in options.expand:
            raise errors.not_supported("Permission is not supported in this item.")
        if options.expand:
            raise errors.not_supported(f"'{next(iter(options.expand))}' cannot be expanded here.")
        for name in ("filter", "orderby", "search", "skip"):
            if getattr(options, name):
                raise errors.not_supported(f"The query option '${name}' is not supported on delta.")


def _read(text: str, drive: Drive) -> Place:
    try:
        raw = base64.urlsafe_b64decode(text[len(_MARK) :] + "=" * (-len(text[len(_MARK) :]) % 4)).decode()
        number, full, seen, since, until, empty = map(int, raw.split(";"))
    except (ValueError, binascii.Error):
        raise errors.bad("Provided sync token is malformed", "invalidRequest") from None
    if number != drive.number or until > len(drive.log):
        raise errors.bad("Provided sync token is malformed", "invalidRequest")
    return Place(number, bool(full), seen, since, until, bool(empty))
