"""What a connector tells of an estate, scope by scope, for tests to look into."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cloudscan.connector import Connector, Gap, Scope, Spent
from cloudscan.errors import CloudscanError
from cloudscan.facts import Fact, Grant, Membership, Principal, Resource, Setting


@dataclass
class Read:
    """What was told, and which scopes refused."""

    facts: list[Fact] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    refused: dict[str, CloudscanError] = field(default_factory=dict)
    requests: int = 0

    def grants(self, uid: str) -> list[Grant]:
        return [each for each in self.facts if isinstance(each, Grant) and each.resource_uid == uid]

    def has(self, uid: str) -> bool:
        return any(isinstance(each, Resource) and each.uid == uid for each in self.facts)

    def resource(self, uid: str) -> Resource:
        return next(each for each in self.facts if isinstance(each, Resource) and each.uid == uid)

    def of_kind(self, kind: str) -> list[Resource]:
        return [each for each in self.facts if isinstance(each, Resource) and each.kind == kind]

    def principal(self, uid: str) -> Principal:
        return next(each for each in self.facts if isinstance(each, Principal) and each.uid == uid)

    def members(self, group: str) -> set[str]:
        return {each.member_uid for each in self.facts if isinstance(each, Membership) and each.group_uid == group}

    def setting(self, uid: str, name: str) -> str | None:
        (found,) = {
            each for each in self.facts if isinstance(each, Setting) and (each.scope_uid, each.name) == (uid, name)
        }
        return found.value

    def gap(self, words: str) -> Gap:
        """The one gap whose reason contains the words."""
        found = [each for each in self.gaps if words in each.reason]
        assert len(found) == 1, [each.reason for each in self.gaps]
        return found[0]


def read(reader: Connector) -> Read:
    """Everything there is, as the core would read it, without its retries."""
    told = Read()
    waiting: list[Scope] = list(reader.scopes())
    while waiting:
        scope = waiting.pop(0)
        told.scopes.append(scope)
        facts: Sequence[Fact] = []
        try:
            facts = _facts(reader, scope, told, waiting)
        except CloudscanError as error:
            told.refused[scope.uid] = error  # of a scope that refuses, the core keeps no fact
        told.facts += facts
    return told


def _facts(reader: Connector, scope: Scope, told: Read, waiting: list[Scope]) -> list[Fact]:
    facts: list[Fact] = []
    for each in reader.collect(scope, None):
        if isinstance(each, Scope):
            waiting.append(each)
        elif isinstance(each, Gap):
            told.gaps.append(each)
        elif isinstance(each, Spent):
            told.requests += each.requests
        elif isinstance(each, Fact):
            facts.append(each)
    return facts
