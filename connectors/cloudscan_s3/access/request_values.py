"""Which values of a request are worth trying, so that none that could make a difference is left out.

Policies compare a key with values that they name. So for each key it is enough to try one value on either side of each
comparison, values that fit two patterns at once, and leaving the key out.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, count, islice, product

from cloudscan_s3.access import conditions
from cloudscan_s3.access.actions import LISTINGS, Action, Capability
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.policy import Condition, Statement
from cloudscan_s3.access.policy_literals import UNMENTIONED_ORGANISATION, examples, is_pattern
from cloudscan_s3.access.request import covers
from cloudscan_s3.access.situation import VPC_ADDRESS, Situation
from cloudscan_s3.access.targets import PolicyTarget

_LISTING_KEYS = frozenset(("s3:prefix", "s3:delimiter", "s3:max-keys"))
_ALWAYS_PRESENT = frozenset(("aws:securetransport", "aws:useragent", "aws:viaawsservice"))
_SOME_WORD = "somebody"  # a value for a variable on which no condition insists

Choice = tuple[str, ...] | None
"""The values of one key, or None for leaving the key out."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much one search tries.

    A bucket policy may have 20 KB (Amazon S3 User Guide, "Bucket policies for Amazon S3"), enough for more combinations
    than could ever be tried. The bounds keep such a policy from stalling a scan.
    """

    # Complete combinations of chosen values, for one caller, network, action and resource. Past it the statement is
    # taken to admit the caller, and the witness is not `certain`: better a false alarm than a hidden path.
    combinations: int = 3000
    # Pairs of patterns that are intersected, for one key or for the resources. Past it the remaining pairs are not
    # intersected; examples of each pattern by itself are still tried. A request that fits only such a pair is missed.
    pattern_pairs: int = 400
    # Combinations of values for the policy variables in Resource elements. Past it the remaining ones are not tried.
    variable_values: int = 60


BOUNDS = Bounds()


def choices(
    statement: Statement, relevant: Sequence[Statement], situation: Situation, action: Action
) -> Mapping[str, Sequence[Choice]]:
    """For every key that the caller may choose and a relevant statement depends on: what is worth choosing.

    `relevant` begins with `statement`. Values that the statement's own conditions rule out are not offered.
    """
    constraints = [(owner, condition) for owner in relevant for condition in owner.conditions]
    referred = _referred_keys(constraints, situation)
    for name, examples_of_name in _resource_variables(relevant, situation).items():
        referred[name] = tuple(dict.fromkeys((*referred.get(name, ()), *examples_of_name)))
    keys = dict.fromkeys(condition.key for _, condition in constraints) | dict.fromkeys(referred)
    contexts = _contexts_with(referred, situation.context)
    options: dict[str, Sequence[Choice]] = {}
    for key in keys:
        if not situation.may_choose(key):
            continue
        if key in _LISTING_KEYS and action.name not in LISTINGS:
            options[key] = (None,)
            continue
        on_key = [(owner, condition) for owner, condition in constraints if condition.key == key]
        values = dict.fromkeys((*_values_for(on_key, contexts), *referred.get(key, ())))
        possible = [value for value in values if _is_possible(key, value, action)]
        own = [condition for owner, condition in on_key if owner is statement]
        options[key] = _allowed_choices(key, possible, own, situation.context)
    return options


def resources(statement: Statement, rivals: Sequence[Statement], action: Action, situation: Situation) -> Iterator[str]:
    """ARNs worth trying: one for each way in which the statements tell objects apart by name."""
    target = situation.target
    seen: set[str] = set()
    for context in _contexts_with_variables((statement, *rivals), situation):
        keys = [target.key] if target.key is not None else _object_keys(statement, rivals, target, context)
        for resource in (target.objects + key for key in keys) if action.on_objects else (target.root,):
            if resource not in seen and covers(statement, resource, context):
                seen.add(resource)
                yield resource


def open_variables(statements: Iterable[Statement], situation: Situation) -> frozenset[str]:
    """The keys in Resource elements that the caller may choose."""
    texts = (text for owner in statements if owner.variables for text in owner.resources if "${" in text)
    names = (name for text in texts for name in conditions.variables_in(text))
    return frozenset(name for name in names if situation.may_choose(name))


def refers(condition: Condition) -> bool:
    """Does a condition compare with another key of the request?"""
    return condition.refers and any(conditions.variables_in(value) for value in condition.values)


def _contexts_with_variables(statements: Sequence[Statement], situation: Situation) -> Iterator[Context]:
    """The context, with values for what Resource elements refer to and the caller may choose."""
    options = _resource_variables(statements, situation)
    for values in islice(product(*options.values()), BOUNDS.variable_values):
        yield {**situation.context, **{key: (value,) for key, value in zip(options, values, strict=True)}}


def _resource_variables(statements: Sequence[Statement], situation: Situation) -> dict[str, tuple[str, ...]]:
    """Values for a variable in a Resource: some word, the bucket's name, and whatever a condition on it names."""
    variables: dict[str, tuple[str, ...]] = {}
    for name in sorted(open_variables(statements, situation)):
        named = [
            example
            for owner in statements
            for condition in owner.conditions
            if condition.key == name
            for value in condition.values
            if "${" not in value
            for example in examples(value, ("x", ""))
        ]
        variables[name] = tuple(dict.fromkeys((_SOME_WORD, situation.target.root.rpartition(":")[2], *named)))
    return variables


def _object_keys(
    statement: Statement, rivals: Sequence[Statement], target: PolicyTarget, context: Context
) -> Iterator[str]:
    """A key that no statement mentions, an example of each pattern, and examples of each two patterns together."""
    patterns = {
        owner: [conditions.substitute(raw, context, owner.variables) or "" for raw in owner.resources]
        for owner in dict.fromkeys((statement, *rivals))
    }
    unmentioned = _unmentioned_key("any-object", [text for texts in patterns.values() for text in texts])
    yield unmentioned
    for texts in patterns.values():
        for pattern in texts:
            if pattern.startswith(target.objects):
                tail = pattern.removeprefix(target.objects)
            else:
                tail = pattern.partition("/")[2] or pattern.rpartition(":")[2]
            yield from (conditions.unescaped(key) for key in examples(tail, (unmentioned, "x", "")) if key)
    own = patterns[statement]
    pairs = [(one, other) for rival in rivals if rival is not statement for other in patterns[rival] for one in own]
    for one, other in pairs[: BOUNDS.pattern_pairs]:
        both = conditions.intersection(one, other) if is_pattern(one) and is_pattern(other) else None
        if both and both.startswith(target.objects) and both != target.objects:
            yield conditions.unescaped(both.removeprefix(target.objects))


def _unmentioned_key(word: str, texts: Sequence[str]) -> str:
    """A key that no statement mentions, so that what one of them says of a single object is not taken for all."""
    candidates = chain((word,), (f"{word}-{number}" for number in count(1)))
    return next(key for key in candidates if not any(key in text for text in texts))


def _contexts_with(referred: Mapping[str, tuple[str, ...]], context: Context) -> list[Context]:
    """The context with the first value of each referred key, with the second, and so on; the last one repeats."""
    turns = range(max(map(len, referred.values()), default=1))
    return [
        {**{key: (values[min(turn, len(values) - 1)],) for key, values in referred.items()}, **context}
        for turn in turns
    ]


def _values_for(constraints: Sequence[tuple[Statement, Condition]], contexts: Sequence[Context]) -> Iterator[str]:
    """Values on either side of each condition on one key, and values that fit two of them."""
    for owner, condition in constraints:
        for context in contexts if condition.refers else contexts[:1]:
            yield from _values(condition, context, owner.variables)
    yield from _common_values([condition for _, condition in constraints])


def _allowed_choices(
    key: str, values: Sequence[str], constraints: Sequence[Condition], context: Context
) -> Sequence[Choice]:
    """The choices that the statement's own conditions on a key do not rule out straight away."""
    options: list[Choice] = [(value,) for value in values]
    if key not in _ALWAYS_PRESENT and key != VPC_ADDRESS:
        options.insert(0, None)
    independent = [condition for condition in constraints if not refers(condition)]
    return [
        option
        for option in options
        if all(
            conditions.is_met(condition, {**context, key: option} if option else context) for condition in independent
        )
    ]


def _common_values(constraints: Sequence[Condition]) -> Iterator[str]:
    """Values that fit patterns of two conditions on the same key."""
    patterns = [
        [value for value in condition.values if is_pattern(value)] if _has_patterns(condition) else []
        for condition in constraints
    ]
    pairs = (
        (one, other)
        for index, later in enumerate(patterns)
        for earlier in patterns[:index]
        for one in later
        for other in earlier
    )
    for one, other in islice(pairs, BOUNDS.pattern_pairs):
        if one != other and (both := conditions.intersection(one, other)) is not None:
            yield both


def _has_patterns(condition: Condition) -> bool:
    return "Like" in condition.operator or condition.operator.startswith("Arn")


def _is_possible(key: str, value: str, action: Action) -> bool:
    if key == "s3express:sessionmode":
        return not (action.capability is Capability.WRITING and value == "ReadOnly")
    # Which organisation the bucket is in may be unknown; it is not the one that stands for all the others.
    return not (key == "aws:resourceorgid" and value.startswith(UNMENTIONED_ORGANISATION))


def _referred_keys(
    constraints: Sequence[tuple[Statement, Condition]], situation: Situation
) -> dict[str, tuple[str, ...]]:
    """Keys that the caller may choose and that policy variables refer to, with values worth choosing."""
    referred: dict[str, dict[str, None]] = {}
    for _, condition in constraints:
        for value in condition.values if condition.refers else ():
            for name in conditions.variables_in(value):
                if situation.may_choose(name):
                    values = referred.setdefault(name, {_SOME_WORD: None})
                    values |= dict.fromkeys(situation.context.get(condition.key, ()))
    for _, condition in constraints:
        if condition.key in referred:  # what is asked of the key itself
            plain = (value for value in condition.values if "${" not in value)
            referred[condition.key] |= dict.fromkeys(
                example for value in plain for example in examples(value, ("x", ""))
            )
    return {name: tuple(values) for name, values in referred.items()}


def _values(condition: Condition, context: Context, variables: bool) -> Iterator[str]:
    """Values of a key on either side of a condition."""
    family = next((name for name in _ON_EITHER_SIDE if name in condition.operator), "")
    if family:
        for value in condition.values or ("",):
            yield from _ON_EITHER_SIDE[family](value)
        return
    yield "anything"
    for raw in condition.values:
        substituted = conditions.substitute(raw, context, variables)
        if substituted is not None:
            plain = conditions.unescaped(substituted)
            wild = is_pattern(plain) and _has_patterns(condition)
            yield from examples(plain, ("x", "")) if wild else (plain,)


def _around_number(value: str) -> Iterator[str]:
    if (number := conditions.number(value)) is not None:
        yield from (f"{near:.15g}" for near in (number, number - 1, number + 1))


def _around_moment(value: str) -> Iterator[str]:
    if (moment := conditions.moment(value)) is not None:
        for step in (timedelta(), timedelta(days=-1), timedelta(days=1)):
            with contextlib.suppress(OverflowError):
                yield (moment + step).isoformat()


def _inside_and_outside(value: str) -> Iterator[str]:
    if (network := conditions.network(value)) is not None:
        yield from (str(network[0]), "45.83.17.9", "10.11.12.13")


_ON_EITHER_SIDE: Mapping[str, Callable[[str], Iterable[str]]] = {
    "Null": lambda _: ("something",),
    "Bool": lambda _: ("true", "false"),
    "Binary": lambda value: (value, "AAAA"),
    "Numeric": _around_number,
    "Date": _around_moment,
    "IpAddress": _inside_and_outside,
}
