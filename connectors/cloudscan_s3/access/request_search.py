"""Does a crowd get in by a statement? Found out by looking for one request that does.

An answer of "yes" always comes with a witness: a concrete request that the evaluator in `request.py` lets through,
which a person can repeat. An answer of "no" means that no combination of what the caller may choose makes a difference
that the statements can see.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain, count, islice, product

from cloudscan_s3.access import actions, conditions
from cloudscan_s3.access.actions import Action, Capability
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.networks import Network
from cloudscan_s3.access.policy import Condition, Statement
from cloudscan_s3.access.policy_literals import STRANGERS_ORGANISATION, examples, is_pattern
from cloudscan_s3.access.request import Caller, Request, admits, allowed, applies_to, covers

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
        "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointname",
        "s3:accesspointnetworkorigin",
    )
)
# Keys that exist only once a request is signed; as do those of other services, which come with their credentials.
_OF_THE_SIGNED = (
    "aws:principaltag/",
    "aws:multifactorauth",
    "aws:tokenissuetime",
    "aws:calledvia",
    "aws:sourceidentity",
    "aws:federatedprovider",
    "aws:ec2instancesource",
    "aws:assumedroot",
    "aws:chatbotsourcearn",
    "s3:authtype",
    "s3:signatureage",
    "s3:signatureversion",
)
_OF_ANYBODY = ("aws:", "s3:", "s3express:")
_VPC_ADDRESS = "aws:vpcsourceip"  # of one's own VPC one chooses the addresses
_OF_LISTINGS = frozenset(("s3:prefix", "s3:delimiter", "s3:max-keys"))
_LISTINGS = frozenset(("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"))
_ALWAYS_THERE = frozenset(("aws:securetransport", "aws:useragent", "aws:viaawsservice"))
_MOST_TRIES = 3000
_MOST_PAIRS = 400
_MOST_GUESSES = 60
_SOMEBODY = "somebody"


@dataclass(frozen=True, kw_only=True)
class PolicyTarget:
    """Where the statements stand: what they protect, and what every request to it carries."""

    root: str  # the bucket's or access point's ARN
    objects: str  # what an object's ARN begins with
    context: Context  # keys that the place sets: the account it belongs to, the time
    key: str | None = None  # the one object in question; None: any


@dataclass(frozen=True, kw_only=True)
class PolicyLayer:
    """One policy that a request must pass besides the statement in question."""

    place: PolicyTarget
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
    gates: Sequence[PolicyLayer],
) -> Witness | None:
    """Look for a request that `statement` allows and every gate lets pass. The first gate is the statement's own."""
    place = gates[0].place
    rivals = tuple(each for gate in gates for each in gate.statements if gate.must_allow or not each.allows)
    possible = _told_apart(statement, wanted, rivals)
    denies = [(gate, each, _asks(each)) for gate in gates for each in gate.statements if not each.allows]
    about = _About((statement, *rivals))
    seen: set[object] = set()
    for caller in callers:
        if not possible or not admits(statement, caller):
            continue
        for network in networks:
            context = {**place.context, **network.context, **caller.context}
            if not _fixed_part_holds(statement, context, caller):
                continue
            fingerprint = about.fingerprint(context, caller)
            if fingerprint in seen:
                continue
            seen.add(fingerprint)
            evadable, standing = _sorted_out(denies, context, caller)
            resources: dict[bool, list[str]] = {}
            for action in possible:
                if action.on_objects not in resources:
                    resources[action.on_objects] = list(_resources(statement, rivals, action, place, context, caller))
                stops = [each for each in standing if actions.named(each[1].actions, each[1].not_action, action)]
                for resource in resources[action.on_objects]:
                    request = Request(caller=caller, action=action, resource=resource, context=context)
                    if any(_lies_in(deny, _moved(request, gate, place)) for gate, deny in stops):
                        continue
                    found = _try(statement, network, request, evadable, gates)
                    if found is not None:
                        return found
    return None


def _told_apart(statement: Statement, wanted: Sequence[Action], rivals: Sequence[Statement]) -> list[Action]:
    """Of the actions that a statement names, one of each kind that the others tell apart."""
    found: dict[object, Action] = {}
    for action in wanted:
        if actions.named(statement.actions, statement.not_action, action):
            named = tuple(actions.named(each.actions, each.not_action, action) for each in rivals)
            found.setdefault((action.on_objects, action.name in _LISTINGS, action.capability, named), action)
    return list(found.values())


class _About:
    """What a set of statements can see of a caller and of where he comes from."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._statements = statements
        constraints = [each for statement in statements for each in statement.conditions]
        self._told = sorted(_referred_to(statements) | {each.key for each in constraints if each.refers})

    def fingerprint(self, context: Context, caller: Caller) -> object:
        """Two callers who leave the same one get the same answers, whatever they choose."""
        verdicts = tuple(
            (
                admits(each, caller),
                *(
                    conditions.holds(condition, context, each.variables)
                    for condition in each.conditions
                    if condition.key in context or not _is_free(condition.key, caller, context)
                ),
            )
            for each in self._statements
        )
        own = tuple(sorted(caller.context)) if caller.kind == "federated" else ()
        return caller.kind, own, "aws:sourcevpce" in context, verdicts, tuple(context.get(key) for key in self._told)


def _referred_to(statements: Iterable[Statement]) -> set[str]:
    texts = [text for each in statements for text in each.resources]
    texts += [value for each in statements for one in each.conditions if one.refers for value in one.values]
    return {name for text in texts if "${" in text for name in conditions.variables_in(text)}


def _fixed_part_holds(statement: Statement, context: Context, caller: Caller) -> bool:
    """Cheap refusal: a condition on a key that the caller cannot choose is not met."""
    return all(
        conditions.holds(condition, context, statement.variables)
        for condition in statement.conditions
        if condition.key in context or not _is_free(condition.key, caller, context)
        if not _refers(condition)
    )


def _is_free(key: str, caller: Caller, context: Context) -> bool:
    if key in _OF_THE_CALLER or (key == _VPC_ADDRESS and "aws:sourcevpce" not in context):
        return False
    if caller.kind == "anonymous":
        return key.startswith(_OF_ANYBODY) and not key.startswith(_OF_THE_SIGNED)
    return not (caller.kind == "federated" and key in caller.context)


_Denies = Sequence[tuple[PolicyLayer, Statement]]


def _asks(statement: Statement) -> frozenset[str]:
    """The keys on which a statement's conditions depend."""
    values = (value for each in statement.conditions if each.refers for value in each.values)
    names = (name for value in values for name in conditions.variables_in(value))
    return frozenset((*(each.key for each in statement.conditions), *names))


def _sorted_out(
    denies: Iterable[tuple[PolicyLayer, Statement, frozenset[str]]], context: Context, caller: Caller
) -> tuple[_Denies, _Denies]:
    """The denials that a choice of the caller's may evade; and those that hold whatever he chooses.

    Those that cannot hold are in neither.
    """
    evadable: list[tuple[PolicyLayer, Statement]] = []
    standing: list[tuple[PolicyLayer, Statement]] = []
    for gate, deny, keys in denies:
        if not admits(deny, caller):
            continue
        there = {**context, **gate.place.context}
        if any(key not in there and _is_free(key, caller, there) for key in keys):
            evadable.append((gate, deny))
        elif all(conditions.holds(each, there, deny.variables) for each in deny.conditions):
            # A variable in a Resource may still be the caller's to choose.
            free = _open_names((deny,), there, caller)
            (evadable if free else standing).append((gate, deny))
    return evadable, standing


def _lies_in(deny: Statement, request: Request) -> bool:
    return covers(deny, request.resource, request.context)


def _try(
    statement: Statement, network: Network, first: Request, evadable: _Denies, gates: Sequence[PolicyLayer]
) -> Witness | None:
    """Go through what the caller may choose, key by key, and turn back as soon as a denial speaks."""
    place, context = gates[0].place, first.context
    denies = [(gate, deny) for gate, deny in evadable if actions.named(deny.actions, deny.not_action, first.action)]
    relevant = [statement, *(deny for _, deny in denies)]
    relevant += [each for gate in gates if gate.must_allow for each in gate.statements if each.allows]
    free = _choices(statement, relevant, context, first.caller, first.action, place)
    # The denials that depend on the fewest choices come first: each is asked as soon as all of its keys are chosen.
    asked = sorted(
        ((_depends_on(deny) & free.keys(), gate, deny) for gate, deny in denies), key=lambda each: len(each[0])
    )
    order = list(dict.fromkeys((*(key for keys, _, _ in asked for key in sorted(keys)), *free)))
    due: list[list[tuple[PolicyLayer, Statement]]] = [[] for _ in range(len(order) + 1)]
    for keys, gate, deny in asked:
        due[max((order.index(key) + 1 for key in keys), default=0)].append((gate, deny))
    stack: list[tuple[int, Context]] = [(0, context)]
    tries = 0
    while stack:
        chosen, known = stack.pop()
        request = replace(first, context=known)
        if any(applies_to(deny, _moved(request, gate, place)) for gate, deny in due[chosen]):
            continue
        if chosen < len(order):
            key = order[chosen]
            stack += [(chosen + 1, {**known, key: each} if each is not None else known) for each in reversed(free[key])]
            continue
        if applies_to(statement, request) and all(
            allowed(gate.statements, _moved(request, gate, place)) for gate in gates if gate.must_allow
        ):
            return Witness(request=request, network=network)
        tries += 1
        if tries >= _MOST_TRIES:
            return Witness(request=first, network=network, certain=False)
    return None


def _moved(request: Request, gate: PolicyLayer, place: PolicyTarget) -> Request:
    return request if gate.place is place else seen_from(request, gate.place, place)


def _depends_on(statement: Statement) -> frozenset[str]:
    """All the keys on which a statement depends."""
    return _asks(statement) | {name for text in statement.resources for name in conditions.variables_in(text)}


def seen_from(request: Request, place: PolicyTarget, was: PolicyTarget) -> Request:
    """The same call as another policy on its way sees it: by that place's name of the resource."""
    if request.resource.startswith(was.objects):
        resource = place.objects + request.resource.removeprefix(was.objects)
    else:
        resource = place.root
    return Request(
        caller=request.caller, action=request.action, resource=resource, context={**request.context, **place.context}
    )


def _could_speak_of(statement: Statement, caller: Caller, action: Action) -> bool:
    return admits(statement, caller) and actions.named(statement.actions, statement.not_action, action)


def could_stop(statement: Statement, request: Request) -> bool:
    """Is this a denial that speaks of such a request once some key, yet to be chosen, has the right value?"""
    return not statement.allows and _could_speak_of(statement, request.caller, request.action)


def _resources(
    statement: Statement,
    rivals: Sequence[Statement],
    action: Action,
    place: PolicyTarget,
    context: Context,
    caller: Caller,
) -> Iterator[str]:
    """Resources worth trying: each form of name by which the statements tell objects apart."""
    seen: set[str] = set()
    for guess in _guesses((statement, *rivals), place, context, caller):
        keys = [place.key] if place.key is not None else _keys(statement, rivals, place, guess)
        for resource in (place.objects + key for key in keys) if action.on_objects else (place.root,):
            if resource not in seen and covers(statement, resource, guess):
                seen.add(resource)
                yield resource


def _guesses(
    statements: Sequence[Statement], place: PolicyTarget, context: Context, caller: Caller
) -> Iterator[Context]:
    """The context, with values for what Resource elements refer to and the caller may choose."""
    options = _named_by(statements, place, context, caller)
    for values in islice(product(*options.values()), _MOST_GUESSES):
        yield {**context, **{key: (value,) for key, value in zip(options, values, strict=True)}}


def _open_names(statements: Iterable[Statement], context: Context, caller: Caller) -> frozenset[str]:
    """The keys in Resource elements of which the caller has the choice."""
    texts = (text for each in statements if each.variables for text in each.resources if "${" in text)
    names = (name for text in texts for name in conditions.variables_in(text))
    return frozenset(name for name in names if name not in context and _is_free(name, caller, context))


def _named_by(
    statements: Sequence[Statement], place: PolicyTarget, context: Context, caller: Caller
) -> dict[str, tuple[str, ...]]:
    """What to put for a variable in a Resource: some word, the bucket's name, or what a condition wants of it."""
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(_open_names(statements, context, caller)):
        wanted = [
            example
            for each in statements
            for condition in each.conditions
            if condition.key == name
            for value in condition.values
            if "${" not in value
            for example in examples(value, ("x", ""))
        ]
        found[name] = tuple(dict.fromkeys((_SOMEBODY, place.root.rpartition(":")[2], *wanted)))
    return found


def _keys(statement: Statement, rivals: Sequence[Statement], place: PolicyTarget, context: Context) -> Iterator[str]:
    patterns = {
        each: [conditions.substitute(raw, context, each.variables) or "" for raw in each.resources]
        for each in dict.fromkeys((statement, *rivals))
    }
    nobodys = _unmentioned("any-object", [text for texts in patterns.values() for text in texts])
    yield nobodys
    for each in patterns.values():
        for pattern in each:
            if pattern.startswith(place.objects):
                tail = pattern.removeprefix(place.objects)
            else:
                tail = pattern.partition("/")[2] or pattern.rpartition(":")[2]
            yield from (conditions.unescaped(key) for key in examples(tail, (nobodys, "x", "")) if key)
    own = patterns[statement]
    pairs = [(one, other) for each in rivals if each is not statement for other in patterns[each] for one in own]
    for one, other in pairs[:_MOST_PAIRS]:
        both = conditions.meeting(one, other) if is_pattern(one) and is_pattern(other) else None
        if both and both.startswith(place.objects) and both != place.objects:
            yield conditions.unescaped(both.removeprefix(place.objects))


def _unmentioned(word: str, texts: Sequence[str]) -> str:
    """A name that no statement speaks of, so that what one of them says of a single object is not taken for all."""
    return next(name for name in chain((word,), (f"{word}-{n}" for n in count(1)))
                if not any(name in text for text in texts))  # fmt: skip


def _choices(
    statement: Statement,
    relevant: Sequence[Statement],
    context: Context,
    caller: Caller,
    action: Action,
    place: PolicyTarget,
) -> Mapping[str, Sequence[tuple[str, ...] | None]]:
    """For every key that the caller may choose: the values that could make a difference, None for leaving it out."""
    constraints = [(each, condition) for each in relevant for condition in each.conditions]
    referred = _referred(constraints, context, caller)
    for name, wanted in _named_by(relevant, place, context, caller).items():
        referred[name] = tuple(dict.fromkeys((*referred.get(name, ()), *wanted)))
    knowns = [
        {**{key: (values[min(turn, len(values) - 1)],) for key, values in referred.items()}, **context}
        for turn in range(max(map(len, referred.values()), default=1))
    ]
    choices: dict[str, Sequence[tuple[str, ...] | None]] = {}
    free = dict.fromkeys(condition.key for _, condition in constraints) | dict.fromkeys(referred)
    for key in free:
        if key in context or not _is_free(key, caller, context):
            continue
        if key in _OF_LISTINGS and action.name not in _LISTINGS:
            choices[key] = (None,)
            continue
        about = [(owner, each) for owner, each in constraints if each.key == key]
        values = dict.fromkeys(
            value
            for owner, each in about
            for known in (knowns if each.refers else knowns[:1])
            for value in _values(each, known, owner.variables)
        )
        values |= dict.fromkeys(_in_common([each for _, each in about]))
        values |= dict.fromkeys(referred.get(key, ()))
        values = dict.fromkeys(each for each in values if _can_be(key, each, action))
        options: list[tuple[str, ...] | None] = [None, *((value,) for value in values)]
        if key in _ALWAYS_THERE or key == _VPC_ADDRESS:
            options = options[1:]
        # A condition that depends on no other key rules its own values out at once.
        own = [each for owner, each in about if owner is statement and not _refers(each)]
        choices[key] = [
            option
            for option in options
            if all(conditions.holds(each, {**context, key: option} if option else context) for each in own)
        ]
    return choices


def _in_common(constraints: Sequence[Condition]) -> Iterator[str]:
    """Values that fit patterns of two constraints on the same key."""
    patterns = [
        [value for value in each.values if is_pattern(value)] if _has_patterns(each) else [] for each in constraints
    ]
    several = (
        (one, other)
        for place, here in enumerate(patterns)
        for there in patterns[:place]
        for one in here
        for other in there
    )
    for (one, other), _ in zip(several, range(_MOST_PAIRS), strict=False):
        if one != other and (both := conditions.meeting(one, other)) is not None:
            yield both


def _has_patterns(condition: Condition) -> bool:
    return "Like" in condition.operator or condition.operator.startswith("Arn")


def _can_be(key: str, value: str, action: Action) -> bool:
    if key == "s3express:sessionmode":
        return not (action.capability is Capability.WRITING and value == "ReadOnly")
    # Whose organisation the bucket is in may be unknown; a stranger's it is not.
    return not (key == "aws:resourceorgid" and value.startswith(STRANGERS_ORGANISATION))


def _refers(condition: Condition) -> bool:
    return condition.refers and any(conditions.variables_in(value) for value in condition.values)


def _referred(
    constraints: Sequence[tuple[Statement, Condition]], context: Context, caller: Caller
) -> dict[str, tuple[str, ...]]:
    """Keys that the caller may choose and that policy variables refer to, with values worth choosing."""
    found: dict[str, dict[str, None]] = {}
    for _, condition in constraints:
        for value in condition.values if condition.refers else ():
            for name in conditions.variables_in(value):
                if name not in context and _is_free(name, caller, context):
                    wanted = found.setdefault(name, {_SOMEBODY: None})
                    wanted |= dict.fromkeys(context.get(condition.key, ()))
    for _, condition in constraints:
        if condition.key in found:  # what is asked of the key itself
            plain = (value for value in condition.values if "${" not in value)
            found[condition.key] |= dict.fromkeys(each for value in plain for each in examples(value, ("x", "")))
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
        known = conditions.substitute(raw, context, variables)
        if known is not None:
            plain = conditions.unescaped(known)
            wild = is_pattern(plain) and _has_patterns(condition)
            yield from examples(plain, ("x", "")) if wild else (plain,)


def _around_number(value: str) -> Iterator[str]:
    if (number := conditions.number(value)) is not None:
        yield from (f"{each:.15g}" for each in (number, number - 1, number + 1))


def _around_moment(value: str) -> Iterator[str]:
    if (moment := conditions.moment(value)) is not None:
        for step in (timedelta(), timedelta(days=-1), timedelta(days=1)):
            with contextlib.suppress(OverflowError):
                yield (moment + step).isoformat()


def _in_and_out(value: str) -> Iterator[str]:
    if (network := conditions.network(value)) is not None:
        yield from (str(network[0]), "45.83.17.9", "10.11.12.13")


_ON_EITHER_SIDE: Mapping[str, Callable[[str], Iterable[str]]] = {
    "Null": lambda _: ("something",),
    "Bool": lambda _: ("true", "false"),
    "Binary": lambda value: (value, "AAAA"),
    "Numeric": _around_number,
    "Date": _around_moment,
    "IpAddress": _in_and_out,
}
