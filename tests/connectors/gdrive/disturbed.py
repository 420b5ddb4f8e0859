"""What a scan may say when a question was not answered: what it said undisturbed, or that it does not know."""

from collections.abc import Iterator, Sequence

from cloudscan.connector import Gap
from cloudscan.facts import EVERYTHING, Fact, Grant, Hidden, Principal, Resource, Setting
from tests.connectors.reading import Read


def wrong_claims(undisturbed: Read, disturbed: Read) -> list[str]:
    """What a disturbed scan says that is neither the truth nor unknown, and what it leaves out without a word."""
    failed = [scope for scope in disturbed.scopes if scope.uid in disturbed.refused]
    hidden = [one for gap in disturbed.gaps if gap.outcome.is_gap for one in gap.hidden]
    hidden += [one for scope in failed for one in scope.hides or (Hidden(table=EVERYTHING),)]
    truth, said = _by_key(undisturbed.facts), _by_key(disturbed.facts)
    containers = {fact.uid: fact for fact in undisturbed.facts if isinstance(fact, Resource)}
    return [
        *(
            f"changed: {key}: {wrong}"
            for key in truth.keys() & said.keys()
            for wrong in _changes(truth[key], said[key])
        ),
        *(f"invented: {key}" for key in said.keys() - truth.keys() if _claims(said[key], undisturbed)),
        *(
            f"left out: {key}"
            for key in truth.keys() - said.keys()
            if not any(_hides(one, truth[key], containers) for one in hidden)
        ),
    ]


def gaps_of(read: Read, question: str) -> Sequence[Gap]:
    """The gaps of a question."""
    return [gap for gap in read.gaps if gap.question == question and gap.outcome.is_gap]


def _by_key(facts: Sequence[Fact]) -> dict[str, Fact]:
    keyed: dict[str, Fact] = {}
    for fact in facts:
        match fact:
            case Grant() | Resource() | Principal():
                keyed[f"{type(fact).__name__} {fact.uid}"] = fact
            case Setting():
                keyed[f"Setting {fact.scope_uid} {fact.name}"] = fact
            case _:
                pass
    return keyed


_JUDGED = {
    Grant: ("audience", "access", "via", "effective", "expires_on", "principal_uid"),
    Principal: ("affiliation", "status", "kind"),
    Resource: ("owner_uid", "kind"),
    Setting: ("value",),
}


def _changes(truth: Fact, said: Fact) -> Iterator[str]:
    for column in _JUDGED[type(truth)]:
        before, now = getattr(truth, column), getattr(said, column)
        if now is not None and now != before:
            yield f"{column} {before} → {now}"


def _claims(fact: Fact, undisturbed: Read) -> bool:
    """Whether a fact that the undisturbed scan does not have says anything definite that is not so."""
    match fact:
        case Grant():
            return fact.audience not in (None, *(grant.audience for grant in undisturbed.grants(fact.resource_uid)))
        case Principal():
            return fact.affiliation is not None
        case Setting():
            return fact.value is not None
        case Resource():
            return fact.kind not in ("org_unit", "audit_log")
        case _:
            return False


def _hides(hidden: Hidden, fact: Fact, containers: dict[str, Resource]) -> bool:
    """Whether a gap says that this row may be missing."""
    table = f"{type(fact).__name__.lower()}s"
    if hidden.columns or hidden.table not in (table, EVERYTHING):
        return False
    uid = str(getattr(fact, "resource_uid", "") or getattr(fact, "scope_uid", "") or getattr(fact, "uid", ""))
    resource = containers.get(uid)
    kind = fact.kind if isinstance(fact, Principal) else resource.kind if resource else ""
    if hidden.kinds and kind not in hidden.kinds:
        return False
    # People whom only a hidden file mentions are hidden with it.
    return hidden.below is None or isinstance(fact, Principal) or hidden.below in _above(uid, containers)


def _above(uid: str | None, containers: dict[str, Resource]) -> Iterator[str]:
    seen: set[str] = set()
    waiting = [uid]
    while waiting:
        at = waiting.pop()
        if at is None or at in seen:
            continue
        seen.add(at)
        yield at
        if resource := containers.get(at):
            waiting += [resource.parent_uid, resource.container_uid]
