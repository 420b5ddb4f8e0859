"""AWS's own verdict on a policy text: would `GetBucketPolicyStatus` call it public?

Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", section "The meaning of public". S3
considers a policy public unless every grant goes to fixed values. The definition speaks of what is granted; it is
silent about Deny, and so is this verdict. Who really has access is another question (`access_paths.py`).
"""

from collections.abc import Callable

from cloudscan_s3.access import conditions
from cloudscan_s3.access.addresses import is_broad, is_rfc1918
from cloudscan_s3.access.policy import Condition, Policy, Statement
from cloudscan_s3.access.policy_literals import TWELVE_DIGITS, is_pattern

_POSITIVE = frozenset(("StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"))
_ALWAYS_PRESENT = frozenset(("aws:principalaccount", "aws:userid"))


def is_public(policy: Policy, *, access_point: bool = False) -> bool:
    """Does AWS call a bucket's (or an access point's) policy public? One public statement makes it public."""
    return any(_is_public_statement(statement, access_point=access_point) for statement in policy.allows)


def _is_public_statement(statement: Statement, *, access_point: bool) -> bool:
    """Does an Allow statement grant to something that is not fixed?"""
    if not _open_to_all(statement):
        return False
    return not any(pins(condition, statement, access_point=access_point) for condition in statement.conditions)


def _open_to_all(statement: Statement) -> bool:
    if statement.not_principal:
        return True
    return any(is_pattern(principal.value) for principal in statement.principals if principal.kind != "Service")


def pins(condition: Condition, statement: Statement, *, access_point: bool = False) -> bool:
    """Does AWS accept this condition as limiting the statement to fixed callers or networks?"""
    fixed = _FIXED.get(condition.key)
    if fixed is None or (access_point and condition.key == "s3:dataaccesspointarn"):
        return False
    if condition.quantifier == "all" or (condition.if_exists and condition.key not in _ALWAYS_PRESENT):
        return False
    if condition.key == "aws:sourceip":
        if condition.operator != "IpAddress":
            return False
    elif condition.operator not in _POSITIVE:
        return False
    wild = "Like" in condition.operator or condition.operator.startswith("Arn")
    return all(_is_text(value, statement) and fixed(value, wild) for value in condition.values)


def _is_text(value: str, statement: Statement) -> bool:
    return not (statement.variables and "${" in value)


def _plain(value: str, wild: bool) -> bool:
    return not (wild and is_pattern(value))


def _range(value: str, _wild: bool) -> bool:
    network = conditions.network(value)
    return network is not None and (is_rfc1918(network) or not is_broad(network))


def _organisation_path(value: str, wild: bool) -> bool:
    # The guide's own examples end in a wildcard below a fixed organisation.
    return _plain(value.partition("/")[0], wild)


def _access_point(value: str, wild: bool) -> bool:
    # "the access point name may be a wildcard as long as the account is fixed"
    parts = value.split(":", 5)
    return _plain(value, wild) or (len(parts) == 6 and TWELVE_DIGITS.fullmatch(parts[4]) is not None)


_FIXED: dict[str, Callable[[str, bool], bool]] = {
    **dict.fromkeys(
        (
            "aws:principalorgid",
            "aws:principalarn",
            "aws:principalaccount",
            "aws:userid",
            "aws:sourcearn",
            "aws:sourcevpc",
            "aws:sourcevpce",
            "aws:sourceowner",
            "aws:sourceaccount",
            "s3:dataaccesspointaccount",
        ),
        _plain,
    ),
    "aws:principalorgpaths": _organisation_path,
    "aws:sourceip": _range,
    "s3:dataaccesspointarn": _access_point,
}
