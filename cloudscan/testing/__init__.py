"""For the tests of connectors: everything that the core relies on, checked in one line.

from cloudscan.testing import conforms

def test_conforms() -> None:
    conforms(MyConnector(...), settings=PLUGIN.settings)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from cloudscan.connector import Connector, Gap, Question, Scope, SettingSpec, specs_for
from cloudscan.errors import ProviderError
from cloudscan.facts import (
    EVERYTHING,
    AnyFact,
    Fact,
    Grant,
    Membership,
    Opening,
    Principal,
    Resource,
    Setting,
    Sighting,
)
from cloudscan.reason import has_words
from cloudscan.snapshot.tables import FACTS, is_uid

_MOST = 20
_LEFT_OUT: Final[tuple[object, ...]] = (None, "", {})
_BOUND_TO: Final[Mapping[str, type[Fact]]] = {
    "parent_uid": Resource,
    "container_uid": Resource,
    "resource_uid": Resource,
    "origin_uid": Resource,
    "owner_uid": Principal,
    "principal_uid": Principal,
    "sponsor_uid": Principal,
    "group_uid": Principal,
    "member_uid": Principal,
}


@dataclass
class _Reading:
    """What one reading of everything yielded."""

    scopes: list[Scope] = field(default_factory=list)
    facts: dict[str, list[Fact]] = field(default_factory=dict)  # by scope
    gaps: list[Gap] = field(default_factory=list)

    @property
    def all_facts(self) -> list[Fact]:
        return [fact for facts in self.facts.values() for fact in facts]


def conforms(connector: Connector, settings: Sequence[SettingSpec], questions: Sequence[Question] = ()) -> None:
    """Read everything twice and check it against what the core relies on.

    `settings` and `questions` are those that the plugin declares. The estate should contain at least one of everything
    that the connector knows, and must not change meanwhile. Raises `AssertionError` that lists what is wrong, where,
    and what to do.
    """
    first = _read(connector, lambda scope: scope)
    second = _read(connector, _stored)
    problems = [
        *_about_permissions(connector),
        *_about_scopes(connector, first),
        *_about_facts(connector, first),
        *_about_references(first),
        *_about_settings(first, settings),
        *_about_questions(questions),
        *_about_gaps(first, questions),
        *_about_repetition(first, second),
    ]
    if problems:
        more = [f"… and {len(problems) - _MOST} more"] if len(problems) > _MOST else []
        raise AssertionError("\n".join([f"{connector.name} does not conform:", *problems[:_MOST], *more]))


def _read(connector: Connector, passed_on: Callable[[Scope], Scope]) -> _Reading:
    reading = _Reading()
    waiting = [passed_on(scope) for scope in connector.scopes()]
    while waiting:
        scope = waiting.pop(0)
        if scope.uid in reading.facts:
            continue
        reading.scopes.append(scope)
        facts: list[Fact] = []
        reading.facts[scope.uid] = facts
        try:
            for item in connector.collect(scope, None):
                match item:
                    case Scope():
                        waiting.append(passed_on(item))
                    case Gap():
                        reading.gaps.append(item)
                    case Fact():
                        facts.append(item)
        except ProviderError:
            facts.clear()
    return reading


def _stored(scope: Scope) -> Scope:
    """The scope as another process finds it that resumes a killed scan."""
    return msgspec.json.decode(msgspec.json.encode(scope), type=Scope)


def _about_permissions(connector: Connector) -> Iterator[str]:
    if not connector.permissions:
        yield "`permissions` is empty: name at least one, with its reason"
    for permission in connector.permissions:
        if not permission.name or not permission.reason:
            yield f"the permission {permission.name!r} needs a name and a reason"


def _about_scopes(connector: Connector, reading: _Reading) -> Iterator[str]:
    if not reading.scopes:
        yield "`scopes` yields nothing to read"
    for scope in reading.scopes:
        if scope.platform != connector.name or not scope.uid.startswith(f"{connector.name}:"):
            yield f"the scope {scope.uid!r} must have platform {connector.name!r} and an id that begins with it"
        if not scope.name:
            yield f"the scope {scope.uid!r} needs a name for people"
        if _stored(scope) != scope:
            yield f"the scope {scope.uid!r} changes when it is stored and read back: use only strings in `params`"


def _is_fuller(one: Fact, other: Fact) -> bool:
    """Whether two statements about a principal differ only in what one of them leaves out: a policy names a user, and
    the directory describes them. Sealing keeps the one that says more.
    """
    if not isinstance(one, Principal) or not isinstance(other, Principal):
        return False
    pairs = list(zip(msgspec.structs.astuple(one), msgspec.structs.astuple(other), strict=True))
    return all(mine == theirs or mine in _LEFT_OUT for mine, theirs in pairs) or all(
        mine == theirs or theirs in _LEFT_OUT for mine, theirs in pairs
    )


def _about_facts(connector: Connector, reading: _Reading) -> Iterator[str]:
    seen: dict[tuple[type[Fact], str], Fact] = {}
    for fact in reading.all_facts:
        try:
            back = msgspec.json.decode(msgspec.json.encode(fact), type=AnyFact)
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            yield f"{_named(fact)} cannot be stored and read back: {error}"
            continue
        if msgspec.json.encode(back) != msgspec.json.encode(fact):
            yield f"{_named(fact)} changes when it is stored and read back"
        for column, value in _fields(fact):
            if is_uid(column) and isinstance(value, str) and not value.startswith(f"{connector.name}:"):
                yield f"{_named(fact)}: {column} is {value!r}, which does not begin with {connector.name!r} and a colon"
            if isinstance(value, datetime) and value.tzinfo is None:
                yield f"{_named(fact)}: {column} is a time without a time zone"
        if isinstance(fact, Resource | Principal | Grant):
            before = seen.setdefault((type(fact), fact.uid), fact)
            if before != fact and not _is_fuller(before, fact):
                yield f"{_named(fact)} is yielded twice, with different values"


def _about_references(reading: _Reading) -> Iterator[str]:
    known: dict[type[Fact], set[str]] = {Resource: set(), Principal: set()}
    for fact in reading.all_facts:
        if isinstance(fact, Resource | Principal):
            known[type(fact)].add(fact.uid)
    for fact in reading.all_facts:
        if isinstance(fact, Opening | Sighting):
            continue  # a log also names things that no longer exist
        for column, value in _fields(fact):
            kind = _BOUND_TO.get(column)
            if kind and value is not None and value not in known[kind]:
                yield f"{_named(fact)}: {column} is {value!r}, which is not the uid of any {kind.__name__}"


def _about_settings(reading: _Reading, settings: Sequence[SettingSpec]) -> Iterator[str]:
    for fact in reading.all_facts:
        if not isinstance(fact, Setting):
            continue
        specs = specs_for(fact.name, settings)
        if not specs:
            yield f"{_named(fact)} is not declared; add a SettingSpec to the plugin's `settings`"
        elif fact.value is not None and not any(spec.fits(fact.value) for spec in specs):
            kinds = " or ".join(" ".join([spec.type, *spec.choices]) for spec in specs)
            yield f"{_named(fact)} is {fact.value!r}, but it is declared as {kinds}"


def _about_questions(questions: Sequence[Question]) -> Iterator[str]:
    names = [question.name for question in questions]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two questions are called {name!r}; their gaps could not be distinguished"
    for question in questions:
        for hidden in question.hides:
            if hidden.table not in FACTS and hidden.table != EVERYTHING:
                yield f"the question {question.name!r} hides rows of {hidden.table!r}; there are {', '.join(FACTS)}"
            for column in hidden.columns:
                known = {field.name for field in msgspec.structs.fields(FACTS.get(hidden.table, Fact))}
                if column.partition(".")[0] not in known:
                    yield f"the question {question.name!r} hides {hidden.table}.{column}, which does not exist"
        for language in ("en", "ja"):
            if not has_words("question", question.name, language):
                yield f"the question {question.name!r} has no words in {language!r}: write question.{question.name}"


def _about_gaps(reading: _Reading, questions: Sequence[Question]) -> Iterator[str]:
    names = {question.name for question in questions}
    for gap in reading.gaps:
        if gap.question and names and gap.question not in names:
            yield f"a gap names the question {gap.question!r}, which is not declared"
        if not has_words("reason", gap.reason.code, "en"):
            yield f"a gap has the reason {gap.reason.code!r}, which has no words: write reason.{gap.reason.code}"
        if gap.table not in FACTS and gap.table != EVERYTHING:
            yield f"a gap names the table {gap.table!r}; there are {', '.join(FACTS)}"


def _about_repetition(first: _Reading, second: _Reading) -> Iterator[str]:
    if {scope.uid for scope in first.scopes} != {scope.uid for scope in second.scopes}:
        yield "reading again, from stored scopes, finds other scopes"
    for uid, facts in first.facts.items():
        if sorted(map(_line, facts)) != sorted(map(_line, second.facts.get(uid, ()))):
            yield f"reading {uid!r} again gives other facts, though nothing has changed"


def _fields(fact: Fact) -> Iterator[tuple[str, object]]:
    return ((name, getattr(fact, name)) for name in fact.__struct_fields__)


def _line(fact: Fact) -> bytes:
    return msgspec.json.encode(fact, order="sorted")


def _named(fact: Fact) -> str:
    match fact:
        case Resource() | Principal() | Grant():
            return f"{type(fact).__name__} {fact.uid!r}"
        case Setting():
            return f"Setting {fact.name!r} of {fact.scope_uid!r}"
        case Membership():
            return f"Membership of {fact.member_uid!r} in {fact.group_uid!r}"
        case _:
            return type(fact).__name__
