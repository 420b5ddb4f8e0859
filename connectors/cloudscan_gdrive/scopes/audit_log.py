"""The Drive log: who gave whom access to what and when, and when external people last used a file.

Only events about that are asked for: each change of access, and each use of a file that is open to external people.
However many events a file has, one record of it is kept in memory. What was read is kept in the cursor, so that the
next scan asks only for the days since; the last day is asked for again, because events may arrive late.

Sources: discovery document of Reports v1 (activities.list); Reports API, "Drive Audit Activity Events".
"""

import base64
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from cloudscan.connector import Cursor, Gap, Yielded
from cloudscan.errors import Malformed, ProviderError, StaleCursor, StalePage, Throttled, Unreachable
from cloudscan.facts import Opening, Outcome, Resource, Sighting
from cloudscan.http import decoder
from cloudscan.reason import Reason
from cloudscan_gdrive import questions
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.models import Activities, Activity, LogEvent
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.meaning.translate import utc
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.scopes.cursor_state import digest

_RETENTION_DAYS = 180  # Google keeps no older events
_OVERLAP = timedelta(days=1)
_SHARING = (
    "change_user_access",
    "change_document_access_scope",
    "change_document_visibility",
    "shared_drive_membership_change",
)
_USE = ("view", "edit", "download")
_OUTSIDE = ("shared_externally", "people_with_link", "public_on_the_web")
_BY_LINK = frozenset({"people_with_link", "public_on_the_web"})
_SHARING_FIELDS = "kind,nextPageToken,items(id(time),actor(email),events(name,parameters(name,value,multiValue)))"
_USE_FIELDS = "kind,nextPageToken,items(id(time),actor(email))"
_ANYONE = ""
_READINGS = 3  # how often the log is begun again because a page token expired
_RANKS: Mapping[str, int] = {
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
_UNKNOWN_ROLE = 9  # one that did not exist when this was written ranks above all others


class AccessGiven(msgspec.Struct, frozen=True):
    """The last time that a grantee was given more access than before."""

    on: datetime
    by: str  # an address; empty: the log does not say
    revoked: bool = False  # since then it was taken away


Key = tuple[str, str]
"""A resource's uid and the grantee: an address, a domain, or empty for anyone."""


class _LogState(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of the log's cursor."""

    options: str
    until: datetime  # the log was read up to here
    given: Sequence[tuple[str, str, AccessGiven]]  # with the parts of the `Key`
    last_used: Mapping[str, datetime]
    named: bool = False  # Google named even empty lists


@dataclass
class LogReading:
    """What the log says. The same events may be added several times and in any order."""

    given: dict[Key, AccessGiven] = field(default_factory=dict)
    last_used: dict[str, datetime] = field(default_factory=dict)  # by the user's address
    named: bool = False  # Google answered with a list, even if there was nothing in it
    anything: bool = False  # there was something in a list

    def add_sharing(self, activity: Activity) -> None:
        """Add changes of access."""
        for event in activity.events:
            change = _change_of(event)
            if change is None:
                continue
            key, more = change
            before = self.given.get(key)
            time = utc(activity.id.time) or _EVER
            if before is None or time >= before.on:
                self.given[key] = AccessGiven(time, activity.actor.email.lower(), revoked=not more)

    def add_use(self, activity: Activity) -> None:
        """Add that somebody used a file."""
        address, time = activity.actor.email.lower(), utc(activity.id.time) or _EVER
        if time > self.last_used.get(address, _EVER):
            self.last_used[address] = time

    def forget(self, before: datetime) -> None:
        """Drop what a full reading from that time on would not contain either, and access that was revoked."""
        self.given = {key: access for key, access in self.given.items() if access.on >= before and not access.revoked}
        self.last_used = {address: time for address, time in self.last_used.items() if time >= before}


def facts_of_audit_log(
    google: Google, people: People, options: Options, now: datetime, since: Cursor | None
) -> Iterator[Yielded]:
    """What the log says about the last `audit_days`; a gap where it cannot be read in full.

    Raises `StaleCursor` where the cursor was written under other conditions.
    """
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begins = midnight - timedelta(days=min(options.audit_days, _RETENTION_DAYS))
    conditions = digest([options.audit_days, sorted(people.domains | people.estate.domains)])
    reading, start = LogReading(), begins
    expected = True
    if since is not None:
        state = _unpack(since.token, conditions)
        given = {(resource, grantee): access for resource, grantee, access in state.given}
        reading = LogReading(given, dict(state.last_used))
        start, expected = max(begins, state.until - _OVERLAP), state.named
    for attempt in range(1, _READINGS + 1):
        try:
            _read(google, people, options, start, reading)
        except StalePage as error:
            if attempt == _READINGS:
                yield from _unread(people, error)
                return
        except (Throttled, Unreachable):
            raise  # worth another attempt
        except ProviderError as error:
            # Not even a spent quota is raised: the log has one of its own, which must not stop the drives.
            yield from _unread(people, error)
            return
        else:
            break
    doubtful = expected and not reading.anything and not reading.named  # a list that names itself may be empty
    if doubtful:
        yield questions.ACTIVITIES.lacking(Reason(code=Code.LOG_EMPTY))
    reading.forget(max(begins, now.astimezone(UTC) - timedelta(days=_RETENTION_DAYS)))
    yield _log(people, None if doubtful else begins)
    for (resource, grantee), access in reading.given.items():
        for principal in _principals(people, grantee):
            by = people.address_of(access.by)
            yield Opening(resource_uid=resource, principal_uid=principal, granted_on=access.on, granted_by=by)
    for address, time in reading.last_used.items():
        yield Sighting(principal_uid=uids.user(address), last_seen_on=time)
    if not doubtful:
        yield Cursor(scope_uid=uids.audit_log(people.primary), token=_pack(reading, conditions, now))


def _log(people: People, begins: datetime | None) -> Resource:
    """The log itself: who is not in it has done nothing since `begins`. None: it could not be read."""
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


def not_read(domain: str, code: Code) -> Gap:
    """What is unknown where the log is not asked for at all, by the code of the reason."""
    return questions.ACTIVITIES.lacking(Reason(code=code), uids.audit_log(domain), outcome=Outcome.SKIPPED)


def _unread(people: People, error: ProviderError) -> Iterator[Yielded]:
    """A log that was read in part is not used: what is missing may be that somebody lost access, or was here."""
    yield _log(people, None)
    yield questions.ACTIVITIES.gap(error)


def _read(google: Google, people: People, options: Options, start: datetime, reading: LogReading) -> None:
    for name in _SHARING:
        for activity in _activities(google, options, reading, start, _SHARING_FIELDS, name):
            reading.add_sharing(activity)
    for name in _USE:
        for visibility in _OUTSIDE:
            for activity in _activities(
                google, options, reading, start, _USE_FIELDS, name, f"visibility=={visibility}"
            ):
                domain = activity.actor.email.lower().rpartition("@")[2]
                if domain and not people.is_ours(domain):
                    reading.add_use(activity)


def _activities(
    google: Google,
    options: Options,
    reading: LogReading,
    start: datetime,
    fields: str,
    name: str,
    filters: str | None = None,
) -> Iterator[Activity]:
    pages = google.pages(
        Activities, google.activities, options.admin, userKey="all", applicationName="drive", eventName=name,
        filters=filters, startTime=start.strftime("%Y-%m-%dT%H:%M:%S.000Z"), maxResults=1000, fields=fields,
        customerId=options.customer if options.customer != "my_customer" else None,
    )  # fmt: skip
    for page in pages:
        if page.broken:
            raise Malformed(Code.ENTRIES_MALFORMED, count=page.broken)
        reading.named = reading.named or page.is_one
        reading.anything = reading.anything or bool(page.items)
        yield from page.items


def _change_of(event: LogEvent) -> tuple[Key, bool] | None:
    """Whose access to what an event changed. True: more than before; False: all of it was taken away.

    None: it gave nobody more access than before.
    """
    values = {parameter.name: parameter.multi_value or (parameter.value,) for parameter in event.parameters}

    def first(name: str) -> str:
        return next(iter(values.get(name, ())), "")

    match event.name:
        case "change_user_access":
            change = _change(values.get("old_value", ()), values.get("new_value", ()))
            return _of_file(first("doc_id"), first("target_user").lower(), change)
        case "change_document_access_scope":
            domain = first("target_domain").lower()
            change = _change(values.get("old_value", ()), values.get("new_value", ()))
            return _of_file(first("doc_id"), _ANYONE if domain == "all" else domain, change, named=domain != "all")
        case "change_document_visibility":
            before, after = first("old_visibility") in _BY_LINK, first("visibility") in _BY_LINK
            return _of_file(first("doc_id"), _ANYONE, after if before != after else None, named=False)
        case "shared_drive_membership_change":
            change = _change(values.get("removed_role", ()), values.get("added_role", ()))
            drive, member = first("shared_drive_id"), first("target").lower()
            return None if change is None or not drive or not member else ((uids.shared_drive(drive), member), change)
        case _:
            return None


def _of_file(identity: str, grantee: str, change: bool | None, *, named: bool = True) -> tuple[Key, bool] | None:
    if change is None or not identity or (named and not grantee):
        return None
    return (uids.file(identity), grantee), change


def _change(old: Sequence[str], new: Sequence[str]) -> bool | None:
    """True: more than before; False: no access any more; None: less than before, or they own it now."""
    if "owner" in new:
        return None
    before, after = _rank(old), _rank(new)
    if after == 0:
        return False
    return True if after > before else None


def _rank(roles: Sequence[str]) -> int:
    return max((_RANKS.get(role, _UNKNOWN_ROLE) for role in roles if role), default=0)


def _principals(people: People, grantee: str) -> tuple[str | None, ...]:
    """The uids that a grantee may have. The log does not say whether an external address is a user's or a group's."""
    if grantee == _ANYONE:
        return (None,)
    if "@" not in grantee:
        return (uids.domain(grantee),)
    address = people.address_of(grantee)
    if address in people.groups:
        return (uids.group(address),)
    return (uids.user(address),) if address in people.users else (uids.user(address), uids.group(address))


def _pack(reading: LogReading, conditions: str, until: datetime) -> str:
    given = [(resource, grantee, access) for (resource, grantee), access in reading.given.items()]
    state = _LogState(options=conditions, until=until, given=given, last_used=reading.last_used, named=reading.named)
    return base64.b64encode(zlib.compress(msgspec.json.encode(state), level=1)).decode()


def _unpack(token: str, conditions: str) -> _LogState:
    try:
        state = decoder(_LogState).decode(zlib.decompress(base64.b64decode(token)))
    except (ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise StaleCursor(Code.CURSOR_OF_ANOTHER_VERSION) from error
    if state.options != conditions:
        raise StaleCursor(Code.OPTIONS_CHANGED)
    return state


_EVER: Final = datetime.min.replace(tzinfo=UTC)
