"""The door for platforms: what a connector is given, what it yields, what the core does for it.

A connector translates; it never judges. It has no threads, retries, progress or error tallies: the core owns
concurrency, budget, resuming and coverage, so that no author can forget them. It reads and never writes.

What one call of `Connector.collect` may yield:

- a fact (`cloudscan.facts`);
- a `Scope`: more to be collected, on its own, by whichever worker is free. An account yields its buckets;
- a `Gap`: something inside this scope that could not be read, or was left out on purpose;
- a `Spent`: the number of requests made;
- a `Cursor`: everything before it is complete; the next incremental run starts here.

To refuse a whole scope, raise `AccessDenied`, `Unreachable`, `Throttled` or `Malformed` from `cloudscan.errors`:
the core retries what is worth retrying and writes the coverage row. Only the question that lists a scope's own things
may do that; any other question that fails costs what hangs on its answer, as a `Gap` of that `Question`.
"""

import re
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar, runtime_checkable
from zoneinfo import ZoneInfo

import msgspec

from cloudscan.errors import AccessDenied, NotOffered, ProviderError, Throttled, Unreachable
from cloudscan.facts import EVERYTHING, NEVER, AnyFact, Hidden, Outcome, Word
from cloudscan.forecast import Amount, Forecasting
from cloudscan.needs import Needs
from cloudscan.reason import Reason

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Scope(msgspec.Struct, frozen=True, kw_only=True, tag="scope", tag_field="type"):
    """A part of the estate that can be read, and read again, on its own.

    `params` is whatever the connector needs to find the scope again, as strings, so that a killed scan can be resumed
    by another process. `hides` is what may be missing where the whole scope cannot be read; empty: anything in its
    account (anything on its platform, where it has no account). `budget` names whose limit on requests it uses up:
    where several machines read, one of them reads all scopes of a budget; empty: the limit is the whole platform's.
    """

    uid: str
    platform: str
    kind: str  # account, bucket, drive, site, directory
    name: str  # for people
    account: str = ""
    parent_uid: str | None = None
    params: Mapping[str, str] = {}
    hides: tuple[Hidden, ...] = ()
    budget: str = ""  # 111122223333/eu-west-1


class Cursor(msgspec.Struct, frozen=True, kw_only=True, tag="cursor", tag_field="type"):
    """A position in a scope's stream of changes from which the next run can continue.

    `whole`: what was yielded before it is all that there is, also where the scope was continued. The connector
    remembers in the token what spares it questions; nothing is taken over from the earlier run, facts and gaps alike.
    """

    scope_uid: str
    token: str
    whole: bool = False


class Gap(msgspec.Struct, frozen=True, kw_only=True, tag="gap", tag_field="type"):
    """One answer that is missing from a scope: which, why, and what it can hide.

    `question` names a declared `Question`; empty for what is not a question's (a malformed fact, a budget).
    `needs` names the permission that would help: not one that the application already has. `resource_uid` is what the
    answer is about, as far as it is about one thing. `seen` and `total` state a budget: looked at 500 of 12,000 (None:
    the total is not known). Question, place and the reason's code are the gap's identity, by which it can be waived.
    """

    table: Word
    outcome: Outcome
    reason: Reason
    question: Word = ""
    hides: tuple[Hidden, ...] | None = None  # None: existence in `table`, of `resource_uid` or anywhere
    needs: Word = ""
    resource_uid: str | None = None
    seen: int | None = None
    total: int | None = None
    passing: bool = False  # the same question may well be answered later in the same scan

    @property
    def hidden(self) -> Sequence[Hidden]:
        """What it can hide."""
        return self.hides if self.hides is not None else (Hidden(table=self.table, below=self.resource_uid),)


class Spent(msgspec.Struct, frozen=True, kw_only=True, tag="spent", tag_field="type"):
    """How many requests were made since the last `Spent` of this scope; the core adds them up. Optional."""

    requests: int
    throttles: int = 0  # answers that throttled us
    retries: int = 0  # requests that were repeated, for any reason

    def plus(self, more: "Spent") -> "Spent":
        """The sum of both."""
        return Spent(
            requests=self.requests + more.requests,
            throttles=self.throttles + more.throttles,
            retries=self.retries + more.retries,
        )


Yielded = AnyFact | Scope | Gap | Cursor | Spent


@dataclass(frozen=True, kw_only=True)
class Permission:
    """A permission that the connector asks for, and what cannot be answered without it."""

    name: str  # as the platform spells it: s3:GetBucketAcl
    reason: str
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Question:
    """Something that a connector asks a platform: what hangs on the answer, and with which permission it is asked.

    Every request of a connector belongs to a declared question, and any failure of it (status, body, shape, time, size,
    pages that do not end) is a gap of that question alone. Connectors build their own questions on this record.
    """

    name: Word  # gdrive-users; its words: ``question.gdrive-users``
    needs: str = ""  # the permission, as the platform spells it
    hides: tuple[Hidden, ...] = ()  # what is unknown without its answer
    member: str = ""  # what the service always writes into an answer, even where it is empty; empty: nothing is certain
    names_scopes: bool = False  # its answer says which scopes there are

    @property
    def table(self) -> str:
        """The table that its gaps are listed under."""
        return self.hides[0].table if self.hides else EVERYTHING

    def gap(self, error: ProviderError, about: str | None = None) -> Gap:
        """The gap that an error leaves; `about` is the uid of the one thing that was asked about, None: all of them."""
        denied, absent = isinstance(error, AccessDenied), isinstance(error, NotOffered)
        gap = self.lacking(
            error.reason,
            about,
            outcome=Outcome.NOT_OFFERED if absent else Outcome.DENIED if denied else Outcome.FAILED,
            needs=error.needs,
        )
        return msgspec.structs.replace(gap, passing=isinstance(error, Throttled | Unreachable))

    def lacking(
        self,
        reason: Reason,
        about: str | None = None,
        *,
        outcome: Outcome = Outcome.PARTIAL,
        needs: str = "",
        seen: int | None = None,
        total: int | None = None,
    ) -> Gap:
        """The gap that an incomplete answer leaves. What does not exist hides nothing."""
        hides = tuple(msgspec.structs.replace(one, below=one.below or about) for one in self.hides)
        return Gap(
            question=self.name,
            table=self.table,
            outcome=outcome,
            reason=reason,
            hides=hides,
            needs=needs,
            resource_uid=about,
            seen=seen,
            total=total,
        )


class SettingType(StrEnum):
    """How the value of a `Setting` is written. Values are always text."""

    SWITCH = "switch"  # true or false
    NUMBER = "number"  # in digits, with a minus sign or a decimal point where needed
    TEXT = "text"  # anything
    CHOICE = "choice"  # one of `SettingSpec.choices`


_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_SWITCH_VALUES: Final = ("true", "false")


@dataclass(frozen=True, kw_only=True)
class SettingSpec:
    """A setting that a connector yields: the documentation, and what rules are checked against.

    `meaning` is one phrase for rule authors: what the setting does, and the unit of a number. A name that ends in
    ``*`` covers all names with that beginning, for platforms whose own list of settings is open.
    """

    name: str
    type: SettingType
    meaning: str
    choices: Sequence[str] = ()  # the values of a choice

    def matches(self, name: str) -> bool:
        """Whether a setting of this name is meant."""
        return name.startswith(self.name[:-1]) if self.name.endswith("*") else name == self.name

    @property
    def values(self) -> Sequence[str]:
        """The values of a switch or a choice; empty where they cannot be listed."""
        return _SWITCH_VALUES if self.type is SettingType.SWITCH else self.choices

    def fits(self, value: str) -> bool:
        """Whether a value is one that this setting can have."""
        match self.type:
            case SettingType.TEXT:
                return True
            case SettingType.NUMBER:
                return bool(_NUMBER.fullmatch(value))
            case _:
                return value in self.values


def specs_for(name: str, settings: Iterable[SettingSpec]) -> Sequence[SettingSpec]:
    """The specs of a setting's name: those of exactly this name, else those that cover it with their ``*``."""
    matching = [spec for spec in settings if spec.matches(name)]
    return [spec for spec in matching if spec.name == name] or matching


@runtime_checkable
class Connector(Protocol):
    """One platform, ready to be read."""

    name: ClassVar[str]
    permissions: ClassVar[Sequence[Permission]]

    def scopes(self) -> Iterable[Scope]:
        """The scopes to begin with. Cheap: what takes many calls belongs in `collect`, which may yield further scopes.

        Raises `ConfigurationError`, or a `ProviderError` if the platform refuses.
        """
        ...

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Yield all facts of one scope; with `since`, only what changed. May be called from any thread.

        Raises `StaleCursor` if the platform no longer accepts `since`, and other `ProviderError`s to give up the scope.
        """
        ...


@runtime_checkable
class Rechecks(Protocol):
    """A further ability of a connector: to ask for single things again before they count as gone."""

    def still_there(self, uids: Sequence[str]) -> Mapping[str, bool]:
        """Whether things that no list named this time exist; those that cannot be asked for are left out.

        Resources, and principals of the directory, by uid. Never raises a `ProviderError`.
        """
        ...


class Once(Generic[Value]):
    """A value that is read once for all threads, such as a directory that every scope needs.

    One thread computes, the others wait for it. An error reaches all of them; the next call computes again, so that
    the core's retries work. `compute` must not ask for the value that it computes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._attempt: _Attempt[Value] | None = None

    def get(self, compute: Callable[[], Value]) -> Value:
        """The value; the first call that succeeds computes it. Raises what `compute` raises."""
        with self._lock:
            attempt, first = self._attempt, self._attempt is None
            if attempt is None:
                attempt = self._attempt = _Attempt()
        if first and not attempt.run(compute):
            with self._lock:
                if self._attempt is attempt:
                    self._attempt = None
        return attempt.outcome()

    def take(self, compute: Callable[[], Value]) -> Value:
        """The value as `get` gives it, then forget it: it is large and the caller is the last to need it."""
        value = self.get(compute)
        with self._lock:
            self._attempt = None
        return value


class OncePerKey(Generic[Key, Value]):
    """Values that are read once per key for all threads. Different keys do not wait for each other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[Key, Once[Value]] = {}

    def get(self, key: Key, compute: Callable[[], Value]) -> Value:
        """The value of this key; see `Once.get`."""
        return self._of(key).get(compute)

    def take(self, key: Key, compute: Callable[[], Value]) -> Value:
        """The value of this key, then forget it; see `Once.take`."""
        return self._of(key).take(compute)

    def _of(self, key: Key) -> Once[Value]:
        with self._lock:
            return self._values.setdefault(key, Once())


class _Attempt(Generic[Value]):
    """One computation, with its value or its error once it has ended."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._values: list[Value] = []  # one, where it succeeded: None may be a value
        self._error: BaseException | None = None

    def run(self, compute: Callable[[], Value]) -> bool:
        try:
            self._values.append(compute())
        except BaseException as error:  # noqa: BLE001 - all that wait must be woken, and get it raised
            self._error = error
        self._ended.set()
        return self._error is None

    def outcome(self) -> Value:
        self._ended.wait()
        if self._error is not None:
            raise self._error
        return self._values[0]


PARTNER_SIGNS: Final[Mapping[str, str]] = {
    "address": "addresses",
    "account": "accounts",
    "organisation": "organisations",
    "application": "applications",
    "group": "groups",
    "domain": "domains",
    "sub-contractor": "sub_contractors",
}
"""By what a principal is a partner's, the strongest sign first, and the field of `Partner` that has the values."""

_BY_ORGANISATION: Final = ("account", "organisation", "domain")
"""Signs that speak of all of a partner's people, so that what is said of one is said of all with the same value."""


@dataclass(frozen=True, kw_only=True)
class Partner:
    """An external party we have a contract with, and what is theirs on the platforms. Names are in lower case."""

    name: str
    domains: frozenset[str] = frozenset()  # of mail
    accounts: frozenset[str] = frozenset()  # of a cloud, or organisation ids
    organisations: frozenset[str] = frozenset()  # ids of organisations and tenants
    groups: frozenset[str] = frozenset()  # addresses
    applications: frozenset[str] = frozenset()  # client ids
    addresses: frozenset[str] = frozenset()  # of single people, where the domain is not theirs
    sub_contractors: frozenset[str] = frozenset()  # mail domains of those who work for them
    owner: str = ""  # our contact for the partner
    contract_ends: date | None = None  # the last day; None: not recorded, or it renews itself

    @property
    def detail(self) -> Mapping[str, str]:
        """What rules read of a partner, in the `detail` of its principals. `false`: no end is recorded."""
        ends = self.contract_ends
        return {"partner": self.name, "contract_ends": ends.isoformat() if ends else "false"}

    def sign_of(self, name: str) -> str:
        """By what a name is this partner's (`PARTNER_SIGNS`); empty if it is not."""
        known = (name, name.lower())
        return next((sign for sign, field in PARTNER_SIGNS.items() if not getattr(self, field).isdisjoint(known)), "")


@dataclass(frozen=True, kw_only=True)
class Estate:
    """The organisation that is scanned: what is not part of it is external."""

    name: str = ""
    domains: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()  # cloud accounts of ours, beside those that the connector finds itself
    organisations: frozenset[str] = frozenset()  # our organisation ids, e.g. o-a1b2c3d4e5
    timezone: str = "UTC"  # of its days, as the IANA database names it
    partners: tuple[Partner, ...] = ()
    ranked_by_tag: bool = False  # tags say what matters how much: read them of everything that has some

    def day_of(self, moment: datetime) -> date:
        """The organisation's day that a moment belongs to: what a platform records for a day may be midnight here."""
        return moment.date() if moment == NEVER else moment.astimezone(ZoneInfo(self.timezone)).date()

    def partner_of(self, *names: str) -> Partner | None:
        """The partner that a principal belongs to, by all its names; None if there is none.

        Names are the address, account, organisation or tenant, client id and mail domain, in any case; the first that
        is anybody's decides, so that the narrowest comes first. Of several contracts it is the one that ends last.
        """
        fitting = next((known for name in names if name and (known := self._partners_by_name.get(name.lower()))), ())
        return max(fitting, key=lambda partner: partner.contract_ends or date.max, default=None)

    @cached_property
    def _partners_by_name(self) -> Mapping[str, Sequence[Partner]]:
        known: dict[str, list[Partner]] = {}
        for partner in self.partners:
            for name in frozenset().union(*(getattr(partner, sign) for sign in PARTNER_SIGNS.values())):
                known.setdefault(name.lower(), []).append(partner)
        return known

    def partner_detail(self, *names: str) -> Mapping[str, str]:
        """What rules read of the partner of a principal with these names (`partner_of`); empty if there is none.

        Where it is not all of the partner's people, but this one, a group or an application, `partner_by` says so, and
        no end is recorded: rules about everybody at a domain must not speak of it, the register alone decides.
        """
        partner = self.partner_of(*names)
        if partner is None:
            return {}
        sign = next(sign for name in names if name and (sign := partner.sign_of(name)))
        if sign in _BY_ORGANISATION:
            return partner.detail
        return {**partner.detail, "contract_ends": "false", "partner_by": sign}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of `cloudscan doctor`: what was tried, whether it worked, and if not, what to do."""

    ok: bool
    what: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A running emulator with a company in it, ready to be scanned.

    `options` are the keys of ``[connectors.<name>]``, or of ``[trackers.<name>]`` for an emulated tracker: an emulator
    does not know what reads it.
    """

    options: Mapping[str, object]
    estate: Estate = Estate()
    environment: Mapping[str, str] = field(default_factory=dict)  # the made-up credentials that it accepts
    files: Mapping[str, bytes] = field(default_factory=dict)  # what the company's administration hands over, by name
    rosters: Mapping[str, date] = field(default_factory=dict)  # those of the files that are exports of earlier days
    tables: Mapping[str, object] = field(default_factory=dict)  # further tables of cloudscan.toml; they name the files


@dataclass(frozen=True, kw_only=True)
class DemoPlugin:
    """What the entry point groups `cloudscan.demos` and `cloudscan.demo_trackers` resolve to. Cheap to import.

    A small company in an emulator, or an issue tracker without tickets.
    """

    name: str  # of the connector, or of the kind of tracker, that talks to it
    start: Callable[[], AbstractContextManager[Demo]]  # the emulator runs until the block is left


@dataclass(frozen=True, kw_only=True)
class IdShape:
    """How a platform's ids look, so that one that is none is found in the configuration."""

    pattern: str  # a regular expression, for the whole id
    example: str


@dataclass(frozen=True, kw_only=True)
class ConnectorPlugin:
    """What the entry point group `cloudscan.connectors` resolves to.

    Importing it must be cheap: the provider's SDK is imported inside `open`, never at the top of the module. `options`
    is a msgspec Struct with ``forbid_unknown_fields``; its fields are the keys of ``[connectors.<name>]``.
    """

    name: str
    title: str
    options: type[msgspec.Struct]
    permissions: Sequence[Permission]
    open: Callable[[Any, Estate], Connector]  # (options, estate); raises `ConfigurationError`
    packages: Sequence[str] = ()  # of others, as they are imported, without which `open` fails
    settings: Sequence[SettingSpec] = ()  # all that its `Setting` facts may say
    questions: Sequence[Question] = ()  # all that it asks
    meaning: int = 1  # raised whenever the same answers are translated into other facts than before
    basis_options: Sequence[str] = ()  # the options that decide what is read, or what it means
    account_ids: IdShape | None = None  # of `Estate.accounts`; None: it does not look at them
    organisation_ids: IdShape | None = None  # of `Estate.organisations`; None: it does not look at them
    policy_document: Callable[[], str] | None = None  # the least-privilege policy, ready to paste
    doctor: Callable[[Any, Estate], Iterable[Check]] | None = None
    forecasting: Forecasting | None = None  # what reading costs
    size: Callable[[Any, Estate], Iterable[Amount]] | None = None  # how much there is, by a few requests
    needs: Callable[[Any], Needs] | None = None  # (options): what an unattended scan needs beside the configuration
