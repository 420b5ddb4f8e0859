"""Does a crowd get in by a statement? Found out by looking for one request that does.

An answer of "yes" always comes with a witness: a concrete request that the evaluator in `request.py` lets through,
which a person can repeat. An answer of "no" means that no combination of what the caller may choose makes a difference
that the statements can see.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

from cloudscan_s3 import actions, match
from cloudscan_s3.actions import Action
from cloudscan_s3.match import Context
from cloudscan_s3.mentions import examples, is_pattern
from cloudscan_s3.networks import Network
from cloudscan_s3.policy import Condition, Statement
from cloudscan_s3.request import Caller, Request, allowed, covers, means, speaks_of

# Keys of which a caller has no choice: they are what his crowd and his network say, or absent.
_OF_SERVICES = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths")
_OF_THE_CALLER = frozenset(
    (
        *_OF_SERVICES,
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principaltype",
        "aws:userid",
        "aws:username",
        "aws:principalisawsservice",
        "aws:principalservicename",
        "aws:principalservicenameslist",
        "aws:sourceip",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourcevpcarn",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
        "aws:vpcsourceip",
        "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointname",
        "s3:accesspointnetworkorigin",
    )
)
# Keys that exist only once a request is signed.
_OF_THE_SIGNED = (
    "aws:multifactorauth",
    "aws:tokenissuetime",
    "aws:calledvia",
    "aws:sourceidentity",
    "aws:federatedprovider",
)
_OF_LISTINGS = frozenset(("s3:prefix", "s3:delimiter", "s3:max-keys"))
_LISTINGS = frozenset(("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"))
_ALWAYS_THERE = frozenset(("aws:securetransport", "aws:useragent", "aws:viaawsservice"))
_MOST_TRIES = 3000


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the statements stand: what they protect, and what every request to it carries."""

    root: str  # the bucket's or access point's ARN
    objects: str  # what an object's ARN begins with
    context: Context  # keys that the place sets: the account it belongs to, the time
    key: str | None = None  # the one object in question; None: any


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One policy that a request must pass besides the statement in question."""

    place: Place
    statements: tuple[Statement, ...]
    must_allow: bool  # False: only its denials count


@dataclass(frozen=True, kw_only=True)
class Witness:
    """A request that gets through."""

    request: Request
    network: Network
    certain: bool = True  # False: too many combinations to try; taken to get in rather than not


def witness(
    statement: Statement,
    callers: Sequence[Caller],
    networks: Sequence[Network],
    wanted: Sequence[Action],
    gates: Sequence[Gate],
) -> Witness | None:
    """Look for a request that `statement` allows and every gate lets pass. The first gate is the statement's own."""
    place = gates[0].place
    possible = [action for action in wanted if actions.named(statement.actions, statement.not_action, action)]
    if not possible:
        return None
    rivals = tuple(each for gate in gates for each in gate.statements if gate.must_allow or not each.allows)
    for caller in callers:
        if any(means(each, caller) for each in statement.principals) == statement.not_principal:
            continue
        for network in networks:
            context = {**place.context, **network.context, **caller.context}
            if not _fixed_part_holds(statement, context, caller):
                continue
            for action in possible:
                for resource in _resources(statement, rivals, action, place, context):
                    found = _try(statement, caller, network, context, action, resource, gates)
                    if found is not None:
                        return found
    return None


def _fixed_part_holds(statement: Statement, context: Context, caller: Caller) -> bool:
    """Cheap refusal: a condition on a key that the caller cannot choose is not met."""
    return all(
        match.holds(condition, context, statement.variables)
        for condition in statement.conditions
        if condition.key in context or not _is_free(condition.key, caller)
        if not any(match.variables_in(value) for value in condition.values)
    )


def _is_free(key: str, caller: Caller) -> bool:
    if key in _OF_THE_CALLER:
        return False
    if caller.kind == "anonymous":
        return not key.startswith(("aws:principaltag/", *_OF_THE_SIGNED))
    return not (caller.kind == "federated" and key in caller.context)


def _try(
    statement: Statement,
    caller: Caller,
    network: Network,
    context: Context,
    action: Action,
    resource: str,
    gates: Sequence[Gate],
) -> Witness | None:
    denies = [
        (gate, deny)
        for gate in gates
        for deny in gate.statements
        if not deny.allows and _could_speak_of(deny, caller, action)
    ]
    relevant = [statement, *(deny for _, deny in denies)]
    relevant += [each for gate in gates if gate.must_allow for each in gate.statements if each.allows]
    free = _choices(statement, relevant, context, caller, action)
    for tries, values in enumerate(product(*free.values())):
        if tries >= _MOST_TRIES:
            request = Request(caller=caller, action=action, resource=resource, context=context)
            return Witness(request=request, network=network, certain=False)
        chosen = {key: value for key, value in zip(free, values, strict=True) if value is not None}
        request = Request(caller=caller, action=action, resource=resource, context={**context, **chosen})
        if speaks_of(statement, request) and all(_passes(gate, request, gates[0].place) for gate in gates):
            return Witness(request=request, network=network)
    return None


def _passes(gate: Gate, request: Request, place: Place) -> bool:
    moved = request if gate.place is place else seen_from(request, gate.place, place)
    if gate.must_allow:
        return allowed(gate.statements, moved)
    return not any(speaks_of(each, moved) for each in gate.statements if not each.allows)


def seen_from(request: Request, place: Place, was: Place) -> Request:
    """The same call as another policy on its way sees it: by that place's name of the resource."""
    if request.resource.startswith(was.objects):
        resource = place.objects + request.resource.removeprefix(was.objects)
    else:
        resource = place.root
    return Request(
        caller=request.caller, action=request.action, resource=resource, context={**request.context, **place.context}
    )


def _could_speak_of(statement: Statement, caller: Caller, action: Action) -> bool:
    return any(means(each, caller) for each in statement.principals) != statement.not_principal and actions.named(
        statement.actions, statement.not_action, action
    )


def _resources(
    statement: Statement, rivals: Iterable[Statement], action: Action, place: Place, context: Context
) -> Iterator[str]:
    """Resources worth trying: each form of name by which the statements tell objects apart."""
    if not action.on_objects:
        if covers(statement, place.root, context):
            yield place.root
        return
    keys = [place.key] if place.key is not None else _keys(statement, rivals, place, context)
    for key in keys:
        resource = place.objects + key
        if covers(statement, resource, context):
            yield resource


def _keys(statement: Statement, rivals: Iterable[Statement], place: Place, context: Context) -> list[str]:
    found: dict[str, None] = {"any-object": None}
    for each in (statement, *rivals):
        for raw in each.resources:
            pattern = match.substitute(raw, context, each.variables) or ""
            if pattern.startswith(place.objects):
                tail = pattern.removeprefix(place.objects)
            else:
                tail = pattern.partition("/")[2] or pattern.rpartition(":")[2]
            found |= dict.fromkeys(key for key in examples(tail, ("any-object", "x", "")) if key)
    return list(found)


def _choices(
    statement: Statement, relevant: Sequence[Statement], context: Context, caller: Caller, action: Action
) -> Mapping[str, Sequence[tuple[str, ...] | None]]:
    """For every key that the caller may choose: the values that could make a difference, None for leaving it out."""
    conditions = [(each, condition) for each in relevant for condition in each.conditions]
    referred = _referred(conditions, context, caller)
    known = {**{key: (values[0],) for key, values in referred.items()}, **context}
    choices: dict[str, Sequence[tuple[str, ...] | None]] = {}
    free = dict.fromkeys(condition.key for _, condition in conditions) | dict.fromkeys(referred)
    for key in free:
        if key in context or not _is_free(key, caller):
            continue
        if key in _OF_LISTINGS and action.name not in _LISTINGS:
            choices[key] = (None,)
            continue
        about = [(owner, each) for owner, each in conditions if each.key == key]
        values = dict.fromkeys(value for owner, each in about for value in _values(each, known, owner.variables))
        values |= dict.fromkeys(referred.get(key, ()))
        options: list[tuple[str, ...] | None] = [None, *((value,) for value in values)]
        if key in _ALWAYS_THERE:
            options = options[1:]
        # A condition that depends on no other key rules its own values out at once.
        own = [each for owner, each in about if owner is statement and not _refers(each)]
        choices[key] = [
            option
            for option in options
            if all(match.holds(each, {**context, key: option} if option else context) for each in own)
        ]
    return choices


def _refers(condition: Condition) -> bool:
    return any(match.variables_in(value) for value in condition.values)


def _referred(
    conditions: Iterable[tuple[Statement, Condition]], context: Context, caller: Caller
) -> dict[str, tuple[str, ...]]:
    """Keys that the caller may choose and that policy variables refer to, with values worth choosing."""
    found: dict[str, dict[str, None]] = {}
    for _, condition in conditions:
        for value in condition.values:
            for name in match.variables_in(value):
                if name not in context and _is_free(name, caller):
                    wanted = found.setdefault(name, {"somebody": None})
                    wanted |= dict.fromkeys(context.get(condition.key, ()))
    return {name: tuple(values) for name, values in found.items()}


def _values(condition: Condition, context: Context, variables: bool) -> Iterator[str]:
    """Values of a key that fall on either side of a condition."""
    family = next((each for each in _ON_EITHER_SIDE if each in condition.operator), "")
    if family:
        for value in condition.values or ("",):
            yield from _ON_EITHER_SIDE[family](value)
        return
    yield "anything"
    for raw in condition.values:
        known = match.substitute(raw, context, variables)
        if known is not None:
            plain = known.replace("\x00star", "*").replace("\x00mark", "?")
            wild = is_pattern(plain) and ("Like" in condition.operator or condition.operator.startswith("Arn"))
            yield from examples(plain, ("x", "")) if wild else (plain,)


def _around_number(value: str) -> Iterator[str]:
    if (number := match.number(value)) is not None:
        yield from (f"{each:g}" for each in (number, number - 1, number + 1))


def _around_moment(value: str) -> Iterator[str]:
    if (moment := match.moment(value)) is not None:
        for step in (timedelta(), timedelta(days=-1), timedelta(days=1)):
            with contextlib.suppress(OverflowError):
                yield (moment + step).isoformat()


def _in_and_out(value: str) -> Iterator[str]:
    if (network := match.network(value)) is not None:
        yield from (str(network[0]), "45.83.17.9")


_ON_EITHER_SIDE: Mapping[str, Callable[[str], Iterable[str]]] = {
    "Null": lambda _: ("something",),
    "Bool": lambda _: ("true", "false"),
    "Binary": lambda value: (value, "AAAA"),
    "Numeric": _around_number,
    "Date": _around_moment,
    "IpAddress": _in_and_out,
}
