"""What a connector yields for an estate, scope by scope, for tests to look into."""

from dataclasses import dataclass, field

from cloudscan.connector import Connector, Gap, Scope, Spent
from cloudscan.errors import CloudscanError
from cloudscan.facts import Fact, Grant, Membership, Principal, Resource, Setting


@dataclass
class Read:
    """The facts and gaps of all scopes, and the scopes that failed."""

    facts: list[Fact] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    refused: dict[str, CloudscanError] = field(default_factory=dict)  # by the scope's uid
    requests: int = 0

    def grants(self, uid: str) -> list[Grant]:
        """All grants on a resource."""
        return [fact for fact in self.facts if isinstance(fact, Grant) and fact.resource_uid == uid]

    def has(self, uid: str) -> bool:
        """Whether there is such a resource."""
        return any(isinstance(fact, Resource) and fact.uid == uid for fact in self.facts)

    def resource(self, uid: str) -> Resource:
        """The resource with this uid. Raises `StopIteration` if there is none."""
        return next(fact for fact in self.facts if isinstance(fact, Resource) and fact.uid == uid)

    def of_kind(self, kind: str) -> list[Resource]:
        """All resources of a kind."""
        return [fact for fact in self.facts if isinstance(fact, Resource) and fact.kind == kind]

    def principal(self, uid: str) -> Principal:
        """The principal with this uid. Raises `StopIteration` if there is none."""
        return next(fact for fact in self.facts if isinstance(fact, Principal) and fact.uid == uid)

    def members(self, group: str) -> set[str]:
        """The uids of a group's direct members."""
        memberships = [fact for fact in self.facts if isinstance(fact, Membership) and fact.group_uid == group]
        return {fact.member_uid for fact in memberships if fact.member_uid}

    def setting(self, uid: str, name: str) -> str | None:
        """The one value of a setting; None: it could not be read."""
        (setting,) = {
            fact for fact in self.facts if isinstance(fact, Setting) and (fact.scope_uid, fact.name) == (uid, name)
        }
        return setting.value

    def gap(self, words: str) -> Gap:
        """The one gap whose reason contains the words."""
        gaps = [gap for gap in self.gaps if words in str(gap.reason)]
        assert len(gaps) == 1, [gap.reason for gap in self.gaps]
        return gaps[0]


def read(connector: Connector) -> Read:
    """Everything there is, as the core would read it, without its retries."""
    result = Read()
    waiting: list[Scope] = list(connector.scopes())
    while waiting:
        scope = waiting.pop(0)
        result.scopes.append(scope)
        try:
            facts = _facts(connector, scope, result, waiting)
        except CloudscanError as error:
            result.refused[scope.uid] = error  # the core keeps no fact of a scope that fails
        else:
            result.facts += facts
    return result


def _facts(connector: Connector, scope: Scope, result: Read, waiting: list[Scope]) -> list[Fact]:
    facts: list[Fact] = []
    for row in connector.collect(scope, None):
        if isinstance(row, Scope):
            waiting.append(row)
        elif isinstance(row, Gap):
            result.gaps.append(row)
        elif isinstance(row, Spent):
            result.requests += row.requests
        elif isinstance(row, Fact):
            facts.append(row)
    return facts
