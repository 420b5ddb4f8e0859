"""Delta: all items of a drive page by page, and later what has changed.

Source: driveItem: delta. A token contains its drive, and either the position in a full enumeration or the part of the
log that is being reported. Preferences are read from every request: they do not carry over to the next page.
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
_PREFIX = "NDslMjM0OyUyMzE7MzsyMz"


@dataclass(frozen=True)
class Position:
    """The meaning of a token."""

    drive: int
    full: bool
    seen: int  # full: the last item reported; else: how many changes were reported
    since: int  # the part of the log starts here
    until: int  # and ends before here
    empty: bool = False  # the empty page before this one was sent


@dataclass(frozen=True)
class Change:
    """The entry of a page for one item."""

    item: int
    sharing: bool = False
    stale: bool = False


class Delta:
    """Answers delta requests."""

    def __init__(self, state: TenantState, views: Views, quirks: Quirks) -> None:
        self._state = state
        self._views = views
        self._quirks = quirks

    def answer(self, call: Call, drive: Drive) -> str:
        """A page of everything or of the changes, as the token asks."""
        self._refuse(call)
        if self._quirks.retention_needs_full_control and self._retains(drive) and not call.may(FULL_CONTROL):
            raise errors.denied("files", (FULL_CONTROL,), ())
        options = call.options
        projection = Projection(
            select=odata.wanted(options, "driveItem"),
            delta=True,
            hierarchical=call.prefers("hierarchicalsharing"),
        )
        position = self._position(call, drive)
        if position is None:
            return self._page(
                call, [], self._link(call, Position(drive.number, False, 0, len(drive.log), len(drive.log)))
            )
        if self._quirks.empty_delta_pages and not position.empty:
            return self._page(call, [], self._link(call, replace(position, empty=True), more=True), more=True)
        size = options.size(self._quirks.delta_page, self._quirks.delta_most, capped=True)
        if position.full:
            return self._everything(call, drive, projection, position, size)
        return self._changes(call, drive, projection, position, size)

    def start(self, call: Call, drive: Drive) -> str:
        """The link from which to start again."""
        return self._link(call, Position(drive.number, True, -1, 0, len(drive.log)))

    def _everything(self, call: Call, drive: Drive, projection: Projection, position: Position, size: int) -> str:
        first = bisect_right(drive.items, position.seen)
        numbers = drive.items[first : first + size]
        render = self._views.renderer(projection)
        items = [item for item in map(self._state.items.__getitem__, numbers) if item is not None]
        entries = [f"{{{_TYPE},{render(item)}}}" for item in items]
        if first + size < len(drive.items):
            link = self._link(call, replace(position, seen=numbers[-1], empty=False))
            return self._page(call, entries, link, more=True)
        return self._page(
            call, entries, self._link(call, Position(drive.number, False, 0, position.until, position.until))
        )

    def _changes(self, call: Call, drive: Drive, projection: Projection, position: Position, size: int) -> str:
        if position.since < drive.oldest or self._must_resync(drive, position):
            raise errors.resync(self._quirks.resync, self.start(call, drive))
        fresh = position.seen == 0 and position.since == position.until
        until = len(drive.log) if fresh else position.until
        exclude = "deltaexcludeparent" in call.request.headers or call.prefers("deltaexcludeparent")
        changes = list(self._between(drive, position.since, until, parents=not exclude))
        marked = self._marks_sharing_changes(call)
        page = changes[position.seen : position.seen + size]
        render = self._views.renderer(projection)
        entries = []
        for change in page:
            item = self._state.items[change.item]
            if item is None or item.drive != drive.number:
                view = self._views.gone(drive, change.item, projection, empty=self._quirks.empty_deleted)
            elif change.stale:
                view = render(item).replace('"name":"', '"name":"~', 1)
            else:
                view = render(item)
            entries.append(f"{{{_TYPE},{view}{f',{_SHARED}' if change.sharing and marked else ''}}}")
        seen = position.seen + len(page)
        if seen < len(changes):
            return self._page(
                call, entries, self._link(call, Position(drive.number, False, seen, position.since, until)), more=True
            )
        return self._page(call, entries, self._link(call, Position(drive.number, False, 0, until, until)))

    def _between(self, drive: Drive, since: int, until: int, *, parents: bool) -> Iterator[Change]:
        """Each changed item once, in the order of last changes, after the folders that contain it."""
        last: dict[int, bool] = {}
        gone: set[int] = set()
        for event in drive.log[since:until]:
            sharing = last.pop(event.item, False) or event.sharing
            last[event.item] = sharing
            (gone.add if event.gone else gone.discard)(event.item)
        reported: set[int] = set()
        if self._quirks.repeats_in_delta:
            yield from (Change(number, stale=True) for number in last if self._state.items[number] is not None)
        for number, sharing in last.items():
            item = self._state.items[number]
            if item is None:
                if number in gone:
                    yield Change(number)
                    below = self._state.binned(number)[1:] if self._quirks.deleted_children else []
                    yield from (Change(child.number) for child in below)
                continue
            for above in reversed(list(self._state.ancestors(item))) if parents else ():
                if above.number not in reported and above.number not in last:
                    reported.add(above.number)
                    yield Change(above.number)
            yield Change(number, sharing)

    def _retains(self, drive: Drive) -> bool:
        """Reported: microsoftgraph/microsoft-graph-docs-contrib issue 693."""
        items = map(self._state.items.__getitem__, drive.items)
        return any(item is not None and item.extra is not None and item.extra.retention for item in items)

    def _must_resync(self, drive: Drive, position: Position) -> bool:
        if not self._quirks.resync_on_library_change:
            return False
        return any(event.item == drive.root and event.sharing for event in drive.log[position.since :])

    def _marks_sharing_changes(self, call: Call) -> bool:
        """Whether sharing changes are marked: two other preferences must be set too."""
        enabled = all(
            call.prefers(preference)
            for preference in ("deltashowsharingchanges", "deltashowremovedasdeleted", "deltatraversepermissiongaps")
        )
        return enabled and (call.may(FULL_CONTROL) or not self._quirks.sharing_changes_need_full_control)

    def _position(self, call: Call, drive: Drive) -> Position | None:
        """The position that is asked for; None: the end of the log (`token=latest`)."""
        text = call.values.get("token") or call.options.others.get("token", "")
        if text in ("", "null"):
            return Position(drive.number, True, -1, 0, len(drive.log))
        if text == "latest":
            return None
        if text.startswith(_PREFIX):
            return _read(text, drive)
        when = seconds(text)
        if when is None:
            raise errors.bad("Provided sync token is malformed", "invalidRequest")
        since = sum(event.time <= when for event in drive.log)
        return Position(drive.number, False, 0, since, since)

    def _link(self, call: Call, position: Position, *, more: bool = False) -> str:
        drive = self._state.drives[position.drive]
        fields = (position.drive, position.full, position.seen, position.since, position.until, position.empty and more)
        token = quote(_PREFIX + ids.packed(";".join(str(int(value)) for value in fields)))
        query = call.options.query()
        return f"{call.service}/drives/{drive.id}/root/delta(token='{token}'){f'?{query}' if query else ''}"

    def _page(self, call: Call, entries: list[str], link: str, *, more: bool = False) -> str:
        name = "@odata.nextLink" if more else "@odata.deltaLink"
        context = dump(call.context("Collection(driveItem)"))
        return f'{{"@odata.context":{context},"{name}":{dump(link)},"value":[{",".join(entries)}]}}'

    def _refuse(self, call: Call) -> None:
        options = call.options
        if "permissions" in options.expand:
            raise errors.not_supported("Permission is not supported in this item.")
        if options.expand:
            raise errors.not_supported(f"'{next(iter(options.expand))}' cannot be expanded here.")
        for name in ("filter", "orderby", "search", "skip"):
            if getattr(options, name):
                raise errors.not_supported(f"The query option '${name}' is not supported on delta.")


def _read(text: str, drive: Drive) -> Position:
    try:
        raw = base64.urlsafe_b64decode(text[len(_PREFIX) :] + "=" * (-len(text[len(_PREFIX) :]) % 4)).decode()
        number, full, seen, since, until, empty = map(int, raw.split(";"))
    except (ValueError, binascii.Error):
        raise errors.bad("Provided sync token is malformed", "invalidRequest") from None
    if number != drive.number or until > len(drive.log):
        raise errors.bad("Provided sync token is malformed", "invalidRequest")
    return Position(number, bool(full), seen, since, until, bool(empty))
