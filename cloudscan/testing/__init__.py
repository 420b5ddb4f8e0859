"""For the tests of connectors: what every connector must keep, checked in one line.

from cloudscan.testing import conforms

def test_conforms() -> None:
    conforms(MyConnector(...), settings=PLUGIN.settings)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from cloudscan.connector import Connector, Gap, Scope, SettingSpec, Yielded, specs_for
from cloudscan.errors import ProviderError
from cloudscan.facts import AnyFact, Fact, Grant, Membership, Opening, Principal, Resource, Setting, Sighting
from cloudscan.snapshot.tables import FACTS, is_uid

_MOST = 20
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
class _Heard:
    """What one reading of everything told."""

    scopes: list[Scope] = field(default_factory=list)
    facts: dict[str, list[Fact]] = field(default_factory=dict)  # by scope
    gaps: list[Gap] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # scopes

    @property
    def all_facts(self) -> list[Fact]:
        return [fact for facts in self.facts.values() for fact in facts]


def conforms(connector: Connector, settings: Sequence[SettingSpec] | None = None) -> None:
    """Read everything twice and check it against what the core relies on.

    `settings` are those that the plugin declares; without them, names and values of settings are not checked. The
    estate should contain at least one of everything that the connector knows, and must not change meanwhile. Raises
    `AssertionError` that lists what is wrong, where, and what to do.
    """
    heard = _listen(connector, lambda scope: scope)
    again = _listen(connector, _written_down)
    complaints = [
        *_about_permissions(connector),
        *_about_scopes(connector, heard),
        *_about_facts(connector, heard),
        *_about_references(heard),
        *_about_settings(heard, settings),
        *_about_gaps(heard),
        *_about_repetition(heard, again),
    ]
    if complaints:
        more = [f"… and {len(complaints) - _MOST} more"] if len(complaints) > _MOST else []
        raise AssertionError("\n".join([f"{connector.name} does not conform:", *complaints[:_MOST], *more]))


def _listen(connector: Connector, carried: Callable[[Scope], Scope]) -> _Heard:
    heard = _Heard()
    waiting = [carried(scope) for scope in connector.scopes()]
    while waiting:
        scope = waiting.pop(0)
        if scope.uid in heard.facts:
            continue
        heard.scopes.append(scope)
        facts: list[Fact] = []
        heard.facts[scope.uid] = facts
        try:
            for told in connector.collect(scope, None):
                _sort(told, facts, heard, waiting, carried)
        except ProviderError:
            heard.refused.append(scope.uid)
            facts.clear()
    return heard


def _sort(
    told: Yielded, facts: list[Fact], heard: _Heard, waiting: list[Scope], carried: Callable[[Scope], Scope]
) -> None:
    if isinstance(told, Scope):
        waiting.append(carried(told))
    elif isinstance(told, Gap):
        heard.gaps.append(told)
    elif isinstance(told, Fact):
        facts.append(told)


def _written_down(scope: Scope) -> Scope:
    """As another process finds it that goes on with a killed scan."""
    return msgspec.json.decode(msgspec.json.encode(scope), type=Scope)


def _about_permissions(connector: Connector) -> Iterator[str]:
    if not connector.permissions:
        yield "`permissions` is empty: name at least one right, with its reason"
    for permission in connector.permissions:
        if not permission.name or not permission.reason:
            yield f"the permission {permission.name!r} needs a name and a reason"


def _about_scopes(connector: Connector, heard: _Heard) -> Iterator[str]:
    if not heard.scopes:
        yield "`scopes` names nothing to read"
    for scope in heard.scopes:
        if scope.platform != connector.name or not scope.uid.startswith(f"{connector.name}:"):
            yield f"the scope {scope.uid!r} must have platform {connector.name!r} and an id that begins with it"
        if not scope.name:
            yield f"the scope {scope.uid!r} needs a name for people"
        if _written_down(scope) != scope:
            yield f"the scope {scope.uid!r} changes when it is written down and read back: keep `params` to strings"


def _about_facts(connector: Connector, heard: _Heard) -> Iterator[str]:
    seen: dict[tuple[type[Fact], str], Fact] = {}
    for fact in heard.all_facts:
        try:
            back = msgspec.json.decode(msgspec.json.encode(fact), type=AnyFact)
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            yield f"{_named(fact)} cannot be written down and read back: {error}"
            continue
        if msgspec.json.encode(back) != msgspec.json.encode(fact):
            yield f"{_named(fact)} changes when it is written down and read back"
        for column, value in _fields(fact):
            if is_uid(column) and isinstance(value, str) and not value.startswith(f"{connector.name}:"):
                yield f"{_named(fact)}: {column} is {value!r}, which does not begin with {connector.name!r} and a colon"
            if isinstance(value, datetime) and value.tzinfo is None:
                yield f"{_named(fact)}: {column} is a time without a time zone"
        if isinstance(fact, Resource | Principal | Grant):
            before = seen.setdefault((type(fact), fact.uid), fact)
            if before != fact:
                yield f"{_named(fact)} is told twice, and differently"


def _about_references(heard: _Heard) -> Iterator[str]:
    known: dict[type[Fact], set[str]] = {Resource: set(), Principal: set()}
    for fact in heard.all_facts:
        if isinstance(fact, Resource | Principal):
            known[type(fact)].add(fact.uid)
    for fact in heard.all_facts:
        if isinstance(fact, Opening | Sighting):
            continue  # a log also names what is there no more
        for column, value in _fields(fact):
            kind = _BOUND_TO.get(column)
            if kind and value is not None and value not in known[kind]:
                yield f"{_named(fact)}: {column} leads to {value!r}, which no {kind.__name__} has"


def _about_settings(heard: _Heard, settings: Sequence[SettingSpec] | None) -> Iterator[str]:
    if settings is None:
        return
    for fact in heard.all_facts:
        if not isinstance(fact, Setting):
            continue
        specs = specs_for(fact.name, settings)
        if not specs:
            yield f"{_named(fact)} is not declared; add a SettingSpec to the plugin's `settings`"
        elif fact.value is not None and not any(spec.fits(fact.value) for spec in specs):
            kinds = " or ".join(" ".join([spec.type, *spec.choices]) for spec in specs)
            yield f"{_named(fact)} is {fact.value!r}, but it is declared as {kinds}"


def _about_gaps(heard: _Heard) -> Iterator[str]:
    for gap in heard.gaps:
        if gap.table not in FACTS:
            yield f"a gap names the table {gap.table!r}; there are {', '.join(FACTS)}"
        if not gap.reason:
            yield f"a gap in {gap.table} needs a reason in words"


def _about_repetition(heard: _Heard, again: _Heard) -> Iterator[str]:
    if {scope.uid for scope in heard.scopes} != {scope.uid for scope in again.scopes}:
        yield "reading again, from scopes that were written down, finds other scopes"
    for uid, facts in heard.facts.items():
        if sorted(map(_line, facts)) != sorted(map(_line, again.facts.get(uid, ()))):
            yield f"reading {uid!r} again tells something else, though nothing has changed"


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
