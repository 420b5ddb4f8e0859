"""Bucket policies that leave the decision to access points which are not ours.

Source: Amazon S3 User Guide, "Configuring IAM policies for using access points", section "Delegating access control to
access points". A bucket policy that allows whatever comes through an access point of some account lets that account
decide who gets in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

from cloudscan.facts import Audience, Via
from cloudscan_s3.access import conditions
from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.actions import Action, Capability
from cloudscan_s3.access.path_finder import AccessPathFinder
from cloudscan_s3.access.policy import Statement
from cloudscan_s3.access.policy_literals import (
    TWELVE_DIGITS,
    PolicyLiterals,
    examples,
    filled_account,
    is_pattern,
)

_ACCOUNT, _ARN, _ORIGIN = "s3:dataaccesspointaccount", "s3:dataaccesspointarn", "s3:accesspointnetworkorigin"
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
    unmentioned = finder.candidates.literals.unmentioned_account
    through_point = replace(finder, candidates=replace(finder.candidates, signed_only=True))
    seen: set[tuple[str, tuple[str, ...], Capability]] = set()
    for arn, origin in product(_access_points_of_others(finder), ("Internet", "VPC")):
        account = _account_of(arn)
        context = {_ORIGIN: (origin,), _ACCOUNT: (account,), _ARN: (arn,)}
        for direct in _with_context(through_point, context).paths(statement, Via.POLICY, catalogue):
            path = _attributed(direct, account, is_named=account != unmentioned)
            if path.kind == "access_point_account" and not finder.candidates.literals.own_estate.knows_whose(account):
                path = replace(path, affiliation_known=False)
            identity = (path.kind, path.names, path.capability)
            if identity not in seen and path.audience >= Audience.NAMED_EXTERNAL and (in_statement or path.effective):
                seen.add(identity)
                yield path


def _names_access_points(statement: Statement) -> bool:
    return any(condition.key in _ACCESS_POINT_KEYS for condition in statement.conditions)


def _with_context(finder: AccessPathFinder, context: Mapping[str, tuple[str, ...]]) -> AccessPathFinder:
    """The same finder for requests that carry these keys; only the statement's own layer counts."""
    target = replace(finder.target, context={**finder.target.context, **context})
    return replace(finder, layers=(replace(finder.layers[0], target=target),))


def _attributed(path: AccessPath, account: str, *, is_named: bool) -> AccessPath:
    """Say of a path for any AWS account whose access points it leads through; other paths stay as they are."""
    if path.audience is not Audience.ANY_ACCOUNT:
        return path
    if not is_named:
        return replace(path, kind="any_account", names=(), account="")
    return replace(
        path, audience=Audience.NAMED_EXTERNAL, kind="access_point_account", names=(account,), account=account
    )


def _access_points_of_others(finder: AccessPathFinder) -> Iterator[str]:
    """ARNs worth trying: those that the text names or describes, and one of an account that it does not mention."""
    literals = finder.candidates.literals
    region = next(iter(finder.target.context.get("aws:requestedregion", ())), "us-east-1")
    arns = [arn for value in literals.values(_ARN) for arn in _example_arns(value, literals, region)]
    accounts = [value for value in literals.values(_ACCOUNT) if TWELVE_DIGITS.fullmatch(value)]
    head = f"arn:{literals.partition}:s3:{region}"
    arns += [f"{head}:{account}:accesspoint/x" for account in (*accounts, literals.unmentioned_account)]
    return (arn for arn in dict.fromkeys(arns) if not literals.own_estate.owns(_account_of(arn)))


def _account_of(arn: str) -> str:
    return arn.split(":")[4]


def _example_arns(value: str, literals: PolicyLiterals, region: str) -> Iterator[str]:
    pattern = conditions.with_wildcards(value)
    parts = pattern.split(":", 5)
    if len(parts) == 6:
        parts[3] = region if conditions.like(parts[3], region) else parts[3].replace("*", "x").replace("?", "x")
        parts[4] = filled_account(parts[4], literals.unmentioned_account)
        yield from examples(":".join(parts), ("x", ""))
    elif is_pattern(pattern):
        yield f"arn:aws:s3:{region}:{literals.unmentioned_account}:accesspoint/x"
