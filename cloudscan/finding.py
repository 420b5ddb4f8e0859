"""Judgements: what the rules decided (verdicts), and what needs fixing (findings).

These records are many, and never refer to themselves: the garbage collector need not look at them (``gc=False``).
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec

from cloudscan.facts import Access, Affiliation, Audience, Ladder, Word
from cloudscan.reason import Reason, block

FINGERPRINT_SCHEME = 1


class Severity(Ladder):
    """How bad one instance is, before reach and likelihood are weighed."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Confidence(Ladder):
    """How sure the rule is that a flagged row is a fault and not intended."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Judgement(StrEnum):
    """A rule's answer on one identity."""

    FLAGGED = "flagged"
    UNKNOWN = "unknown"
    PASSED = "passed"


class State(StrEnum):
    """Where a finding is in its lifecycle."""

    OPEN = "open"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    WAIVED = "waived"


class Person(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the snapshot says of the principal that owns something, or of that principal's manager.

    Whether they may be told of it is decided in `cloudscan.recipient`.
    """

    uid: str = ""
    platform: str = ""
    account: str = ""  # the directory that lists them
    kind: str = ""  # user, guest, group, account …
    address: str = ""  # of mail
    name: str = ""
    affiliation: Affiliation | None = None  # None: not known whether they are ours
    status: str | None = None  # active, suspended, deleted …; None: not known
    manager: "Person | None" = None  # None: none is known


class Subject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a finding is about: the resource (or the principal) that has to be changed."""

    uid: str = ""
    platform: str = ""
    account: str = ""
    kind: str = ""
    name: str = ""
    path: str = ""
    url: str = ""
    owner: str = ""  # mail address or name
    responsible: Person | None = None  # what is known of the owner; None: nothing, or an older cloudscan judged it
    inside: Sequence[str] = ()  # ids of what it is in, the nearest first: folders, bucket, drive, site
    detail: Mapping[str, Any] = {}


class PartyKind(StrEnum):
    """What is known of somebody outside the organisation."""

    PARTNER = "partner"  # registered under [[partners]]
    UNLISTED = "unlisted"  # external, and of no registered partner
    PRIVATE = "private"  # an address at a mail provider for private people
    UNKNOWN = "unknown"  # whether it is one of ours is not known


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody outside who has access: a partner by its name, else a domain or an account, a private address itself."""

    name: str
    kind: PartyKind


class PolicyEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The entry of a policy or list that gives access, as the platform stores it. Its owner wrote it: hostile text."""

    kind: Word  # policy, acl
    number: int  # its position, from 1
    name: str = ""  # a policy statement's Sid
    text: str  # JSON, of at most `cloudscan.facts.MOST_ENTRY` characters
    whole: bool = True  # False: the end of the text is left out


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One row behind a verdict. `chain` explains it step by step, from the setting to the verdict.

    A ledger of an older cloudscan has sentences there, by language.
    """

    row: Mapping[str, Any] = {}  # the rule's columns, uids as text
    chain: Sequence[Reason] | Mapping[str, Sequence[str]] = ()
    entry: PolicyEntry | None = None  # None: the platform has none, or its connector does not give it
    party: Party | None = None  # None: nobody outside in particular


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A rule's answer on one identity, with its evidence. Passed ones are counted, not kept."""

    rule_id: str
    judgement: Judgement
    identity: Sequence[str]
    subject: Subject
    evidence: Sequence[Evidence] = ()  # at most a few dozen; `rows` counts them all
    rows: int = 1
    audience: Audience | None = None  # widest among the flagged rows
    access: Access | None = None  # strongest among the flagged rows
    resources: int = 1  # blast radius: how many are affected
    bytes: int | None = None
    people: int | None = None
    rank: int | None = None
    since: datetime | None = None  # when it was opened, as far as the platform says
    likelihood: int | None = None  # 1 to the rule's, the highest among its rows; None: the rule's

    @property
    def fingerprint(self) -> str:
        """The name of the finding that this verdict is about; see the function `fingerprint`."""
        return fingerprint(self.rule_id, self.subject.account, self.identity)


class Waiver(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A decision to accept one finding, with a rule's findings, with all findings on one target, or with a gap."""

    id: int
    fingerprint: str = ""  # of the one finding that is waived; else empty
    rule_id: str = ""
    target: str = ""  # a resource's id, or an account
    gap: str = ""  # of the one missing answer that is waived (`Coverage.gap`); else empty
    owner: str  # who is responsible for the decision
    reason: str
    given_on: datetime
    until: date  # the last day on which it is in force, where the organisation works


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A flagged verdict with its history: one item of work."""

    fingerprint: str
    verdict: Verdict
    severity: Severity
    score: float
    likelihood: int
    impact: float
    state: State
    verified: bool  # False: its scope was not read this time, so it may no longer exist
    first_seen_on: datetime
    last_seen_on: datetime
    message: Mapping[str, str]  # by language, filled in
    waiver: Waiver | None = None  # the one in force, if the state is waived


def fingerprint(rule_id: str, account: str, identity: Sequence[str]) -> str:
    """The finding's permanent name: no title, time, severity or wording goes in, so none of them can change it."""
    parts = "\x1f".join((str(FINGERPRINT_SCHEME), rule_id, account, *identity))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class RuleText(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule tells people, in one language. `message` may contain ``{column}`` fields."""

    title: str
    message: str
    why: str
    fix: str  # steps, one per line; a line in backticks is a command to run


# English messages read well with the ladder's own words.
_ACCESS_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {},
    "ja": {
        "list": "一覧",
        "read": "読み取り",
        "comment": "コメント",
        "write": "書き込み",
        "manage": "アクセス権の管理",
        "own": "所有",
    },
}


class _Fields(dict[str, str]):
    """The values for a message's fields, looked up when they are asked for; one without a value is ``?``."""

    def __init__(self, verdict: Verdict, language: str) -> None:
        super().__init__()
        self._verdict = verdict
        self._language = language

    def __missing__(self, field: str) -> str:
        evidence, subject = self._verdict.evidence, self._verdict.subject
        value = evidence[0].row.get(field) if evidence else None
        if value in (None, ""):
            value = getattr(subject, _SUBJECT_FIELDS[field]) if field in _SUBJECT_FIELDS else None
        if value in (None, ""):
            return "?"
        if field == "access":
            return _ACCESS_WORDS[self._language].get(str(value), str(value))
        return block(str(value), self._language) if field == "blocked_by" else str(value)


_SUBJECT_FIELDS: Mapping[str, str] = {
    "resource_name": "name",
    "name": "name",
    "account": "account",
    "owner_email": "owner",
}


def message(text: RuleText, verdict: Verdict, language: str) -> str:
    """The rule's message about a verdict, its fields filled from the first piece of evidence, then the subject."""
    return text.message.format_map(_Fields(verdict, language))
