"""Which drives nobody touched since they were last read, as the Drive log tells: those are not asked what changed.

The log is one list for the whole company, so a night in which little happened costs a few requests instead of one for
each user. It is no proof: events may be late by hours, or missing. So each window overlaps with the one before, what
an event leaves unclear counts as a change, and every drive is asked all the same once in `look_again_days`.

Sources: discovery document of Reports v1 (activities.list); Reports API, "Data retention and lag times"; Reports API,
"Drive Audit Activity Events". That an event names the owner, and a move the folders, is from there; that a deletion or
a new name is always in the log is guessed, which is why drives are asked again.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cloudscan.connector import Once
from cloudscan.errors import Malformed, ProviderError
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.models import Activities, Activity, LogEvent, Permission
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.meaning.translate import utc
from cloudscan_gdrive.options import Options

_WINDOW: Final = timedelta(days=2)
_LATE: Final = timedelta(hours=12)  # that an event may be, between one scan and the next
_MOST_PAGES: Final = 500  # of a thousand events; beyond, asking the drives takes no more
_FIELDS: Final = "kind,nextPageToken,items(id(time),actor(email),events(name,parameters(name,value,multiValue)))"
_LEAVES_ALL_AS_IT_IS: Final = frozenset({"view", "preview", "download", "print"})
_PEOPLE: Final = ("owner", "new_owner", "old_owner", "target_user", "target")
_FOLDERS: Final = ("source_folder_id", "destination_folder_id")
_SHARED_DRIVES: Final = ("shared_drive_id", "team_drive_id")
_EVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class LogWindow:
    """What the log says was touched from one time to another, each with the time of its last event."""

    begins: datetime
    ends: datetime
    touched: Mapping[str, datetime]  # shared drives by id, people by address: owners, who did it, who got access
    folders: Mapping[str, datetime]  # ids of those that something was moved out of or into
    any_folder: datetime  # when a folder was touched: what is in it may be anybody's

    def is_after(self, time: datetime, names: Iterable[str], folders: Iterable[str]) -> bool:
        """Whether any of these was touched after a time."""
        return any(self.touched.get(name, _EVER) >= time for name in names) or any(
            self.folders.get(folder, _EVER) >= time for folder in folders
        )


@dataclass(frozen=True, kw_only=True)
class Known:
    """How far a drive is known."""

    asked_on: datetime | None  # when the drive itself was asked; None: it is not recorded
    until: datetime | None  # until then nothing else happened, as the drive or the log says
    folders: Sequence[str] = ()  # ids of all that files of the drive are in, as far as they are the drive's own
    in_others_folders: bool = False  # some of its files are in folders of other people
    permissions: Iterable[Permission] = ()


@dataclass
class QuietDrives:
    """The Drive log of one scan, read when the first drive wants to know. Shared by all threads."""

    google: Google
    options: Options
    people: People
    now: datetime
    _window: Once[LogWindow | None] = field(default_factory=Once)

    def untouched_until(self, names: AbstractSet[str], known: Known, *, turn: str) -> datetime | None:
        """Until when what is known is known without asking; None: it has to be asked.

        `names` are the addresses of owners, or the ids of shared drives, that nothing must have happened to. `turn` is
        the uid of the scope, by which it has its day.
        """
        if known.until is None or known.asked_on is None or self._is_its_turn(turn, known.asked_on):
            return None
        if any(_ends_between(permission, known.until, self.now) for permission in known.permissions):
            return None
        window, since = self._window.get(self._read), known.until - _LATE
        if window is None or window.begins > since or window.is_after(since, names, known.folders):
            return None
        return None if known.in_others_folders and window.any_folder >= since else window.ends

    def _is_its_turn(self, uid: str, asked_on: datetime) -> bool:
        """Once in `look_again_days`, on a day that differs from scope to scope."""
        days = self.options.look_again_days
        if days <= 0 or self.now - asked_on >= timedelta(days=days):
            return True
        return (self.now.toordinal() + zlib.crc32(uid.encode())) % days == 0

    def _read(self) -> LogWindow | None:
        """The window; None where the log cannot be read in full, or says nothing at all."""
        begins = self.now - _WINDOW
        touched: dict[str, datetime] = {}
        folders: dict[str, datetime] = {}
        any_folder, anything = _EVER, False
        try:
            for activity in self._activities(begins):
                anything = True
                time = utc(activity.id.time) or self.now
                for event in activity.events:
                    if event.name in _LEAVES_ALL_AS_IT_IS:
                        continue
                    values = dict(_values(event))
                    addresses = [activity.actor.email, *_all(values, _PEOPLE)]
                    for name in (*map(self.people.address_of, addresses), *_all(values, _SHARED_DRIVES)):
                        touched[name] = max(touched.get(name, time), time)
                    for name in _all(values, _FOLDERS):
                        folders[name] = max(folders.get(name, time), time)
                    if "folder" in values.get("doc_type", ("folder",)) or event.name == "move":
                        any_folder = max(any_folder, time)
        except ProviderError:
            return None  # the log's own scope says why
        if not anything:
            return None  # an edition without this log answers like that
        return LogWindow(begins=begins, ends=self.now, touched=touched, folders=folders, any_folder=any_folder)

    def _activities(self, begins: datetime) -> Iterator[Activity]:
        customer = self.options.customer
        pages = self.google.pages(
            Activities, self.google.activities, self.options.admin, userKey="all", applicationName="drive",
            startTime=begins.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"), maxResults=1000, fields=_FIELDS,
            customerId=customer if customer != "my_customer" else None,
        )  # fmt: skip
        for number, page in enumerate(pages, 1):
            if page.broken or number > _MOST_PAGES:
                raise Malformed(Code.ENTRIES_MALFORMED, count=page.broken)
            yield from page.items


def _values(event: LogEvent) -> Iterator[tuple[str, Sequence[str]]]:
    for parameter in event.parameters:
        yield parameter.name, [value for value in (parameter.multi_value or (parameter.value,)) if value]


def _all(values: Mapping[str, Sequence[str]], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from values.get(name, ())


def _ends_between(permission: Permission, begin: datetime, end: datetime) -> bool:
    """Whether a permission expires in that time, which nobody does and so no log may tell."""
    expires = utc(permission.expiration_time)
    return expires is not None and begin < expires <= end
