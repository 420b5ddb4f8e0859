"""Which values of a request are worth trying, so that none that could make a difference is left out.

Policies compare a key with values that they name. So for each key it is enough to try one value of each class that the
comparisons tell apart (`forms.classes`; for numbers, dates and addresses, values at and between those that are named),
and leaving the key out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations, islice, product
from string import ascii_lowercase, digits
from typing import Final

from cloudscan_s3.access import conditions
from cloudscan_s3.access.actions import LISTINGS, Action, Capability
from cloudscan_s3.access.condition_texts import like, texts_named
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.forms import Classes, Comparison, Form, Segment, classes, read
from cloudscan_s3.access.policy import Condition, Statement
from cloudscan_s3.access.policy_literals import examples
from cloudscan_s3.access.situation import VPC_ADDRESS, Situation
from cloudscan_s3.access.targets import PolicyTarget
from cloudscan_s3.access.texts import EVERYTHING, SOMETHING, either, expression, many, one_of, words

_LISTING_KEYS = frozenset(("s3:prefix", "s3:delimiter", "s3:max-keys"))
_ALWAYS_PRESENT = frozenset(("aws:securetransport", "aws:useragent", "aws:viaawsservice"))
_SEVERAL_VALUES = frozenset(("aws:calledvia", "aws:tagkeys", "s3:requestobjecttagkeys"))
"""Keys that may carry several values at once (IAM User Guide, "Multivalued context keys")."""
_OF_MEANS = ":amr"  # how somebody signed in to an identity provider: several values too
_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("aws:securetransport", "aws:multifactorauthpresent", "aws:viaawsservice"), ("true", "false")),
    "s3:authtype": ("REST-HEADER", "REST-QUERY-STRING", "POST"),
    "s3:signatureversion": ("AWS4-HMAC-SHA256", "AWS"),
    "s3express:sessionmode": ("ReadWrite", "ReadOnly"),
    "s3:x-amz-acl": (
        "private",
        "public-read",
        "public-read-write",
        "authenticated-read",
        "aws-exec-read",
        "bucket-owner-read",
        "bucket-owner-full-control",
        "log-delivery-write",
    ),
    "s3:x-amz-server-side-encryption": ("AES256", "aws:kms", "aws:kms:dsse"),
}
"""The values that some keys can have (Service Authorization Reference, "Condition keys for Amazon S3")."""
_INSTANCES_VPC = "aws:ec2instancesourcevpc"  # whose a VPC is, its id does not show
_ARN_CHARACTERS = f"{ascii_lowercase}{digits}-"
_SOME_WORD = "somebody"  # a value for a variable on which no condition insists

Choice = tuple[str, ...] | None
"""The values of one key, or None for leaving the key out."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much one search tries.

    A bucket policy may have 20 KB (Amazon S3 User Guide, "Bucket policies for Amazon S3"), enough for more combinations
    than could ever be tried. The bounds keep such a policy from stalling a scan. Past one of them whether the statement
    admits the caller is unknown; it is never said that it does not.
    """

    combinations: int = 3000  # complete combinations of chosen values, for one statement and one class of callers
    situations: int = 1000  # callers in networks, for the same
    resources: int = 200  # classes of object keys
    variable_values: int = 60  # combinations of values for the policy variables in Resource elements
    values_at_once: int = 3  # of a key that may carry several


BOUNDS = Bounds()


@dataclass(frozen=True)
class Choices:
    """For every key that the caller may choose and a statement depends on: what is worth choosing."""

    by_key: Mapping[str, Sequence[Choice]]
    complete: bool = True


def choices(statement: Statement, relevant: Sequence[Statement], situation: Situation, action: Action) -> Choices:
    """What the caller may choose. `relevant` begins with `statement`; what its own conditions rule out is left out."""
    constraints = [(owner, condition) for owner in relevant for condition in owner.conditions]
    referred = _referred_keys(constraints, situation)
    for name, examples_of_name in _resource_variables(relevant, situation).items():
        referred[name] = tuple(dict.fromkeys((*referred.get(name, ()), *examples_of_name)))
    keys = dict.fromkeys(condition.key for _, condition in constraints) | dict.fromkeys(referred)
    contexts = _contexts_with(referred, situation.context)
    by_key: dict[str, Sequence[Choice]] = {}
    complete = True
    for key in keys:
        if not situation.may_choose(key):
            continue
        if key in _LISTING_KEYS and action.name not in LISTINGS:
            by_key[key] = (None,)
            continue
        on_key = [(owner, condition) for owner, condition in constraints if condition.key == key]
        values = _values(key, on_key, contexts, situation)
        complete = complete and values.complete
        possible = [spelling[0] for spelling in values.spellings if _is_possible(key, spelling[0], action)]
        possible += [value for value in referred.get(key, ()) if value not in possible]
        if key == _INSTANCES_VPC:
            named = {value for _, condition in on_key for value in condition.values}
            complete = complete and named.isdisjoint(possible)
            possible = [value for value in possible if value not in named]
        own = [condition for owner, condition in on_key if owner is statement]
        several = _may_have_several_values(key)
        by_key[key] = _allowed_choices(key, possible, own, situation.context)
        complete = complete and not (several and len(possible) > 2**BOUNDS.values_at_once)
    return Choices(by_key, complete)


def resources(
    statement: Statement, rivals: Sequence[tuple[PolicyTarget, Statement]], action: Action, situation: Situation
) -> Classes:
    """ARNs worth trying: one of each class in which the statements tell objects apart by name.

    `rivals` are the other statements that have a say, each with the target that it is attached to.
    """
    target = situation.target
    own = (target, statement)
    found: dict[tuple[str, ...], None] = {}
    complete = True
    statements = [owner for _, owner in (own, *rivals)]
    for context in _contexts_with_variables(statements, situation):
        if not action.on_objects:
            covering = _covering(target, statement, context, on_objects=False, wanted=True)
            if covering.is_met_by(("",)) == covering.wanted:
                found[target.root,] = None
            continue
        key = (
            Segment(SOMETHING, "any-object")
            if target.key is None
            else Segment(words(frozenset((target.key,))), target.key)
        )
        tests = [_covering(target, statement, context, on_objects=True, wanted=True)]
        tests += [_covering(place, rival, context, on_objects=True, wanted=None) for place, rival in rivals]
        drawn = classes(Form((key,), (("object", (target.objects, 0)),)), tests)
        complete = complete and drawn.complete and len(drawn.spellings) <= BOUNDS.resources
        found |= {(target.objects + spelling[0],): None for spelling in drawn.spellings[: BOUNDS.resources]}
    return Classes(tuple(found), complete)


def open_variables(statements: Iterable[Statement], situation: Situation) -> frozenset[str]:
    """The keys in Resource elements that the caller may choose."""
    texts = (text for owner in statements if owner.variables for text in owner.resources if "${" in text)
    names = (name for text in texts for name in conditions.variables_in(text))
    return frozenset(name for name in names if situation.may_choose(name))


def refers(condition: Condition) -> bool:
    """Does a condition compare with another key of the request?"""
    return bool(conditions.variables_of(condition))


def _covering(
    target: PolicyTarget, statement: Statement, context: Context, *, on_objects: bool, wanted: bool | None
) -> Comparison:
    """Does a statement's Resource element cover the ARN that its target gives to the object (or to the bucket)?"""
    written = (conditions.substitute(value, context, statement.variables) for value in statement.resources)
    patterns = [value for value in written if value is not None]
    reading = (target.objects, 0) if on_objects else (target.root,)
    alternatives = ((reading, expression(either(*map(like, patterns)))),) if patterns else ()
    return Comparison(alternatives, None if wanted is None else wanted != statement.not_resource)


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


def _contexts_with(referred: Mapping[str, tuple[str, ...]], context: Context) -> list[Context]:
    """The context with the first value of each referred key, with the second, and so on; the last one repeats."""
    turns = range(max(map(len, referred.values()), default=1))
    return [
        {**{key: (values[min(turn, len(values) - 1)],) for key, values in referred.items()}, **context}
        for turn in turns
    ]


def _values(
    key: str,
    constraints: Sequence[tuple[Statement, Condition]],
    contexts: Sequence[Context],
    situation: Situation,
) -> Classes:
    """One value of each class that the conditions on one key tell apart."""
    found: dict[tuple[str, ...], None] = {}
    complete = True
    form = _form(key, situation)
    reading = form.readings[0][1]
    refer = any(condition.refers for _, condition in constraints)
    for context in contexts if refer else contexts[:1]:
        tests = []
        for owner, condition in constraints:
            substituted = (conditions.substitute(raw, context, owner.variables) for raw in condition.values)
            texts = texts_named(condition.operator, tuple(value for value in substituted if value is not None))
            if texts is not None:
                tests.append(Comparison(tuple((reading, one) for one in texts)))
        if tests or all(condition.operator == "Null" for _, condition in constraints):
            drawn = classes(form, tests)
            complete = complete and drawn.complete
            found |= {(read(reading, spelling),): None for spelling in drawn.spellings}
    points = dict.fromkeys(_points([condition for _, condition in constraints]))
    mixed = bool(points) and bool(found)  # whether a number also fits a text pattern is only tried
    found |= {(point,): None for point in points}
    return Classes(tuple(found), complete and not mixed)


def _form(key: str, situation: Situation) -> Form:
    """What values of a key look like."""
    listed = _VALUES.get(key)
    if listed is not None:
        return Form((Segment(words(frozenset(listed)), listed[0]),), ((key, (0,)),))
    account = situation.caller.account
    if key.endswith("arn") and account:  # of something that makes the call: it is the caller's own
        arn = ("arn:", 0, ":", 1, ":", 2, f":{account}:", 3)
        part, rest = expression(many(one_of(_ARN_CHARACTERS))), Segment(SOMETHING, "thing")
        return Form((Segment(part, "aws"), Segment(part, "lambda"), Segment(part, "us-east-1"), rest), ((key, arn),))
    return Form((Segment(EVERYTHING, "anything"),), ((key, (0,)),))


def _may_have_several_values(key: str) -> bool:
    return key in _SEVERAL_VALUES or key.endswith(_OF_MEANS)


def _allowed_choices(
    key: str, values: Sequence[str], constraints: Sequence[Condition], context: Context
) -> Sequence[Choice]:
    """The choices that the statement's own conditions on a key do not rule out straight away."""
    options: list[Choice] = [(value,) for value in values]
    if _may_have_several_values(key):
        options += [
            several
            for number in range(2, BOUNDS.values_at_once + 1)
            for several in combinations(values[: 2**BOUNDS.values_at_once], number)
        ]
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


def _is_possible(key: str, value: str, action: Action) -> bool:
    return not (key == "s3express:sessionmode" and action.capability is Capability.WRITING and value == "ReadOnly")


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


def _points(constraints: Sequence[Condition]) -> Iterator[str]:
    """Numbers, moments and addresses at and between those that the conditions name."""
    named = {
        family: [value for condition in constraints if family in condition.operator for value in condition.values]
        for family in ("Numeric", "Date", "IpAddress")
    }
    yield from (f"{point:.15g}" for point in _between(map(conditions.number, named["Numeric"]), 1))
    seconds = (moment.timestamp() for moment in map(conditions.moment, named["Date"]) if moment is not None)
    for point in _between(seconds, 86_400):
        if _FIRST_SECOND <= point <= _LAST_SECOND:
            yield datetime.fromtimestamp(point, UTC).isoformat()
    if named["IpAddress"]:
        yield from _addresses(named["IpAddress"])


_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # the years 1 to 9999


def _between(numbers: Iterable[float | None], step: float) -> Iterator[float]:
    """Each number, one in each gap between two, one below all and one above all."""
    ordered = sorted({number for number in numbers if number is not None})
    for index, number in enumerate(ordered):
        yield number
        yield (number + ordered[index + 1]) / 2 if index + 1 < len(ordered) else number + step
    if ordered:
        yield ordered[0] - step


def _addresses(ranges: Sequence[str]) -> Iterator[str]:
    """Addresses at which a range begins, or that come just after one."""
    yield from ("45.83.17.9", "10.11.12.13")
    for network in map(conditions.network, ranges):
        if network is not None:
            yield str(network[0])
            last = int(network[-1])
            if last + 1 < 2**network.max_prefixlen:
                yield str(type(network[0])(last + 1))
