"""Bucket policies that leave the decision to access points which are not ours.

Source: Amazon S3 User Guide, "Configuring IAM policies for using access points", section "Delegating access control to
access points". A bucket policy that allows whatever comes through an access point of some account lets that account
decide who gets in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from string import ascii_lowercase, digits

from cloudscan.facts import Audience, Via
from cloudscan_s3.access import conditions
from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.actions import Action, Capability
from cloudscan_s3.access.condition_texts import texts_named
from cloudscan_s3.access.forms import Comparison, Form, Segment, classes
from cloudscan_s3.access.path_finder import AccessPathFinder
from cloudscan_s3.access.policy import Statement
from cloudscan_s3.access.policy_literals import TWELVE_DIGITS, PolicyLiterals
from cloudscan_s3.access.shapes import Shape, any_account, fixed
from cloudscan_s3.access.targets import ONLY_WITH_TLS
from cloudscan_s3.access.texts import at_least, expression, one_of, words

_ACCOUNT, _ARN, _ORIGIN = "s3:dataaccesspointaccount", "s3:dataaccesspointarn", "s3:accesspointnetworkorigin"
_OF_SOMEBODY = ("network", "unique_id")  # it is not known who is behind them
_OPENNESS = {False: 0, None: 1, True: 2}
_ACCESS_POINT_KEYS = frozenset((_ACCOUNT, _ARN, _ORIGIN))


def delegated_paths(
    finder: AccessPathFinder, statement: Statement, catalogue: Sequence[Action]
) -> Iterator[AccessPath]:
    """The paths that a statement of a bucket policy opens through access points of accounts that are not ours.

    {"Principal": "*", "Action": "s3:*", "Condition": {"StringEquals": {"s3:DataAccessPointAccount": "222222222222"}}}
    yields paths of the kind "access_point_account" with the audience NAMED_EXTERNAL: everyone that account admits. A
    pattern that fits any account's access points yields the kind "any_account".
    """
    in_statement = _names_access_points(statement)
    denials = (denial for layer in finder.layers for denial in layer.statements if not denial.allows)
    if not in_statement and not any(_names_access_points(denial) for denial in denials):
        return
    texts = finder.candidates.literals.values(_ACCOUNT, _ARN)
    named = {number for text in texts for number in TWELVE_DIGITS.findall(text)}
    signed_only = replace(finder.candidates, signed_only=True)
    through_point = replace(finder, candidates=signed_only)
    through_vpc = replace(finder, candidates=replace(signed_only, endpoints_only=True))
    best: dict[tuple[str, tuple[str, ...], Capability], AccessPath] = {}
    for arn, origin in product(_access_points_of_others(finder), ("Internet", "VPC")):
        account = _account_of(arn)
        context = {_ORIGIN: (origin,), _ACCOUNT: (account,), _ARN: (arn,), **ONLY_WITH_TLS}
        through_this = _with_context(through_vpc if origin == "VPC" else through_point, context)
        for direct in through_this.paths(statement, Via.POLICY, catalogue):
            path = _attributed(direct, account, is_named=account in named)
            if path.kind == "access_point_account" and not finder.candidates.literals.own_estate.knows_whose(account):
                path = replace(path, affiliation_known=False)
            identity = (path.kind, path.names, path.capability)
            is_outside = path.audience >= Audience.NAMED_EXTERNAL or path.kind in _OF_SOMEBODY
            known = best.get(identity)
            if is_outside and (known is None or _OPENNESS[path.effective] > _OPENNESS[known.effective]):
                best[identity] = path
    yield from (path for path in best.values() if in_statement or path.effective is not False)


def _names_access_points(statement: Statement) -> bool:
    return any(condition.key in _ACCESS_POINT_KEYS for condition in statement.conditions)


def _with_context(finder: AccessPathFinder, context: Mapping[str, tuple[str, ...]]) -> AccessPathFinder:
    """The same finder for requests that carry these keys; only the statement's own layer counts."""
    target = replace(finder.target, context={**finder.target.context, **context})
    return replace(finder, layers=(replace(finder.layers[0], target=target),))


def _attributed(path: AccessPath, account: str, *, is_named: bool) -> AccessPath:
    """Say of a path for all in a network, or for any account, whose access points it leads through."""
    everybody = path.audience is Audience.ANY_ACCOUNT
    if not everybody and path.kind != "network":
        return path
    if not is_named:
        return replace(path, kind="any_account", names=(), account="") if everybody else path
    return replace(
        path, audience=Audience.NAMED_EXTERNAL, kind="access_point_account", names=(account,), account=account
    )


def _access_points_of_others(finder: AccessPathFinder) -> Sequence[str]:
    """ARNs of access points that are not ours: of each kind that the text tells apart, in each account named."""
    literals = finder.candidates.literals
    texts = literals.values(_ACCOUNT, _ARN)
    named = dict.fromkeys(number for text in texts for number in TWELVE_DIGITS.findall(text))
    own_estate = literals.own_estate
    ours = own_estate.accounts
    shapes = [_access_point(finder, fixed(account)) for account in named if not own_estate.owns(account)]
    anybodys = _access_point(finder, any_account(literals.unmentioned_account))
    shapes.append(anybodys.limited(_ACCOUNT, words(frozenset(named)), words(ours), wanted=False))
    arns = (arn for shape in shapes for arn in _arns(shape, literals))
    return list(dict.fromkeys(arns))


def _access_point(finder: AccessPathFinder, account: Segment) -> Shape:
    """An access point of the bucket's region, or a multi-region one, which has none."""
    region = next(iter(finder.target.context.get("aws:requestedregion", ())), "us-east-1")
    arn = (f"arn:{finder.candidates.literals.partition}:s3:", 0, ":", 1, ":accesspoint/", 2)
    regions = Segment(words(frozenset((region, ""))), region)
    name = Segment(expression(at_least(1, one_of(f"{ascii_lowercase}{digits}.-"))), "x")
    return Shape(form=Form((regions, account, name), ((_ARN, arn), (_ACCOUNT, (1,)))))


def _arns(shape: Shape, literals: PolicyLiterals) -> Iterator[str]:
    tests = list(shape.tests)
    for key, reading in shape.form.readings:
        for _, condition in literals.conditions.get(key, ()):
            values = tuple(map(conditions.with_wildcards, condition.values))
            tests.append(Comparison(tuple((reading, one) for one in texts_named(condition.operator, values) or ())))
    for spelling in classes(shape.form, tests).spellings:
        yield from shape.context(spelling)[_ARN]


def _account_of(arn: str) -> str:
    return arn.split(":")[4]
