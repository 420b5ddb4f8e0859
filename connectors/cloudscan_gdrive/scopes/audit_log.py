"""The Drive log: who opened what to whom and when, and when outsiders were last there.

Asked for are only the events that say so: each change of access, and each use of a file that is open to the outside.
Many events of one file leave one line in memory. What was read is kept in the cursor, so that a night asks for the
days since the last one; a day is asked for twice, because events may arrive late.

Sources: discovery document of Reports v1 (activities.list); Reports API, "Drive Audit Activity Events".
"""

import base64
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from cloudscan.connector import Cursor, Gap
from cloudscan.errors import AccessDenied, ProviderError, QuotaSpent, StaleCursor
from cloudscan.facts import AnyFact, Opening, Outcome, Resource, Sighting
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.models import Activities, Activity, LogEvent
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.scopes.cursor_state import digest

Told = AnyFact | Gap | Cursor

_KEPT = 180  # days: Google has nothing older
_LATE = timedelta(days=1)
_SHARING = (
    "change_user_access",
    "change_document_access_scope",
    "change_document_visibility",
    "shared_drive_membership_change",
)
_USE = ("view", "edit", "download")
_OUTSIDE = ("shared_externally", "people_with_link", "public_on_the_web")
_BY_LINK = frozenset({"people_with_link", "public_on_the_web"})
_SHARING_FIELDS = "nextPageToken,items(id(time),actor(email),events(name,parameters(name,value,multiValue)))"
_USE_FIELDS = "nextPageToken,items(id(time),actor(email))"
_ANYONE = ""
_UNKNOWN_WITHOUT = "since when files are shared, by whom, and when outsiders were last there is not known"
_ROLES: Mapping[str, int] = {
    "none": 0,
    "can_view": 1,
    "can_comment": 2,
    "can_edit": 3,
    "reader": 1,
    "commenter": 2,
    "writer": 3,
    "fileOrganizer": 4,
    "organizer": 5,
}
_UNKNOWN = 9  # a word that did not exist when this was written: more than any other


class Opened(msgspec.Struct, frozen=True):
    """The last time that somebody was given more than he had."""

    on: datetime
    by: str  # an address; empty: the log does not say
    closed: bool = False  # it was taken from him since


class _Mark(msgspec.Struct, frozen=True, kw_only=True):
    """The cursor's contents."""

    options: str
    until: datetime  # up to here the log was read
    opened: Sequence[tuple[str, str, Opened]]  # resource, to whom (an address, a domain, or nobody in particular)
    seen: Mapping[str, datetime]


@dataclass
class Heard:
    """What the log said, however often it said it and in whatever order."""

    opened: dict[tuple[str, str], Opened] = field(default_factory=dict)
    seen: dict[str, datetime] = field(default_factory=dict)  # address

    def sharing(self, activity: Activity) -> None:
        """Take note of changes of access."""
        if activity.id.time is None:
            return
        for event in activity.events:
            found = _step(event)
            if found is None:
                continue
            key, wider = found
            before = self.opened.get(key)
            if before is None or activity.id.time >= before.on:
                self.opened[key] = Opened(activity.id.time, activity.actor.email.lower(), closed=not wider)

    def use(self, activity: Activity) -> None:
        """Take note that somebody was there."""
        address, when = activity.actor.email.lower(), activity.id.time
        if when is not None and when > self.seen.get(address, _EVER):
            self.seen[address] = when

    def forget(self, before: datetime) -> None:
        """Leave out what a fresh reading from then on would not find either, and what was closed again."""
        self.opened = {key: one for key, one in self.opened.items() if one.on >= before and not one.closed}
        self.seen = {address: when for address, when in self.seen.items() if when >= before}


def facts_of_audit_log(
    google: Google, people: People, options: Options, now: datetime, since: Cursor | None
) -> Iterator[Told]:
    """What the log says of the last `audit_days`, as far as it is allowed. Raises as `Google.ask` does, and
    `StaleCursor` where the cursor was written under other conditions."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begins = midnight - timedelta(days=min(options.audit_days, _KEPT))
    conditions = digest([options.audit_days, sorted(people.domains | people.estate.domains)])
    heard, start = Heard(), begins
    if since is not None:
        mark = _unpack(since.token, conditions)
        heard = Heard({(resource, to): one for resource, to, one in mark.opened}, dict(mark.seen))
        start = max(begins, mark.until - _LATE)
    try:
        _read(google, people, options, start, heard)
    except AccessDenied as refused:
        yield _log(people, None)
        yield _denied(google, people, refused)
        return
    except QuotaSpent as spent:
        # Its quota is the log's own: the drives are not to be stopped by it.
        raise ProviderError(str(spent)) from spent
    heard.forget(begins)
    yield _log(people, begins)
    for (resource, to), one in heard.opened.items():
        for principal in _principals(people, to):
            by = people.address_of(one.by)
            yield Opening(resource_uid=resource, principal_uid=principal, granted_on=one.on, granted_by=by)
    for address, when in heard.seen.items():
        yield Sighting(principal_uid=uids.user(address), last_seen_on=when)
    yield Cursor(scope_uid=uids.audit_log(people.primary), token=_pack(heard, conditions, now))


def _log(people: People, begins: datetime | None) -> Resource:
    """The log itself: whoever does not stand in it did nothing since it begins. None: it could not be read."""
    return Resource(
        uid=uids.audit_log(people.primary),
        platform=uids.PLATFORM,
        account=people.primary,
        kind="audit_log",
        name="Drive log events",
        path="Drive log events",
        parent_uid=uids.tenant(people.primary),
        created_on=begins,
        url="https://admin.google.com/ac/reporting/audit/drive",
    )


def not_read(domain: str, reason: str) -> Gap:
    """What is missing where the log is not asked for at all."""
    return Gap(
        table="grants",
        outcome=Outcome.SKIPPED,
        reason=f"the Drive log was not read ({reason}): {_UNKNOWN_WITHOUT}",
        resource_uid=uids.audit_log(domain),
    )


def _read(google: Google, people: People, options: Options, start: datetime, heard: Heard) -> None:
    for name in _SHARING:
        for activity in _activities(google, options, start, _SHARING_FIELDS, name):
            heard.sharing(activity)
    for name in _USE:
        for visibility in _OUTSIDE:
            for activity in _activities(google, options, start, _USE_FIELDS, name, f"visibility=={visibility}"):
                domain = activity.actor.email.lower().rpartition("@")[2]
                if domain and not people.is_ours(domain):
                    heard.use(activity)


def _activities(
    google: Google, options: Options, start: datetime, fields: str, name: str, filters: str | None = None
) -> Iterator[Activity]:
    pages = google.pages(
        Activities, google.activities, options.admin, userKey="all", applicationName="drive", eventName=name,
        filters=filters, startTime=start.strftime("%Y-%m-%dT%H:%M:%S.000Z"), maxResults=1000, fields=fields,
        customerId=options.customer if options.customer != "my_customer" else None,
    )  # fmt: skip
    return (activity for page in pages for activity in page.items)


def _denied(google: Google, people: People, refused: AccessDenied) -> Gap:
    return Gap(
        table="grants",
        outcome=Outcome.DENIED,
        reason=f"{refused}; the Drive log could not be read: {_UNKNOWN_WITHOUT}",
        needs=google.activities.needs,
        resource_uid=uids.audit_log(people.primary),
    )


def _step(event: LogEvent) -> tuple[tuple[str, str], bool] | None:
    """Whose access to what an event changed, and whether he got in; None where nobody got more than he had."""
    told = {each.name: each.multi_value or (each.value,) for each in event.parameters}

    def first(name: str) -> str:
        return next(iter(told.get(name, ())), "")

    match event.name:
        case "change_user_access":
            change = _change(told.get("old_value", ()), told.get("new_value", ()))
            return _of_file(first("doc_id"), first("target_user").lower(), change)
        case "change_document_access_scope":
            domain = first("target_domain").lower()
            change = _change(told.get("old_value", ()), told.get("new_value", ()))
            return _of_file(first("doc_id"), _ANYONE if domain == "all" else domain, change, named=domain != "all")
        case "change_document_visibility":
            before, after = first("old_visibility") in _BY_LINK, first("visibility") in _BY_LINK
            return _of_file(first("doc_id"), _ANYONE, after if before != after else None, named=False)
        case "shared_drive_membership_change":
            change = _change(told.get("removed_role", ()), told.get("added_role", ()))
            drive, who = first("shared_drive_id"), first("target").lower()
            return None if change is None or not drive or not who else ((uids.shared_drive(drive), who), change)
        case _:
            return None


def _of_file(identity: str, to: str, change: bool | None, *, named: bool = True) -> tuple[tuple[str, str], bool] | None:
    if change is None or not identity or (named and not to):
        return None
    return (uids.file(identity), to), change


def _change(old: Sequence[str], new: Sequence[str]) -> bool | None:
    """True: more than before; False: nothing any more; None: less than before, or he owns it now."""
    if "owner" in new:
        return None
    before, after = _rank(old), _rank(new)
    if after == 0:
        return False
    return True if after > before else None


def _rank(words: Sequence[str]) -> int:
    return max((_ROLES.get(word, _UNKNOWN) for word in words if word), default=0)


def _principals(people: People, to: str) -> tuple[str | None, ...]:
    """Whom the log means. Of a stranger's address it does not say whether it is a person's or a group's."""
    if to == _ANYONE:
        return (None,)
    if "@" not in to:
        return (uids.domain(to),)
    address = people.address_of(to)
    if address in people.groups:
        return (uids.group(address),)
    return (uids.user(address),) if address in people.users else (uids.user(address), uids.group(address))


def _pack(heard: Heard, conditions: str, until: datetime) -> str:
    opened = [(resource, to, one) for (resource, to), one in heard.opened.items()]
    mark = _Mark(options=conditions, until=until, opened=opened, seen=heard.seen)
    return base64.b64encode(zlib.compress(msgspec.json.encode(mark), level=1)).decode()


def _unpack(token: str, conditions: str) -> _Mark:
    try:
        mark = msgspec.json.decode(zlib.decompress(base64.b64decode(token)), type=_Mark)
    except (ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise StaleCursor("what was kept of the Drive log is of another version") from error
    if mark.options != conditions:
        raise StaleCursor("audit_days or our domains were changed")
    return mark


_EVER: Final = datetime.min.replace(tzinfo=UTC)
