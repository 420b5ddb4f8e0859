"""What an AWS service can send and where it can write, for any of its customers.

Most services put a file wherever their customer says, so only a condition on the source ties one to somebody. A few
cannot be aimed at other people's buckets, or only at a part of one:

- S3's server access logs go to a bucket of the account that owns the source (User Guide, "Logging requests with server
  access logging").
- Load balancers write below `[prefix/]AWSLogs/ACCOUNT/`, and the prefix must not contain `AWSLogs` (Elastic Load
  Balancing, "Enable access logs for your Application Load Balancer").

Trails, configuration snapshots and vended logs are written below `AWSLogs/ACCOUNT/` too, but nothing says that their
prefix cannot contain that itself: with the prefix `AWSLogs/111122223333` anybody's trail would be written there. They
stay confused deputies where no condition names a source (guessed).

Whether a service tells on whose behalf it calls is documented for some of their calls only. So each is taken to make
calls that carry none of the keys of a source (guessed): a condition with IfExists does not tie it to anybody.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cloudscan_s3.access import conditions
from cloudscan_s3.access.condition_texts import like
from cloudscan_s3.access.forms import Comparison, Form, Segment, classes
from cloudscan_s3.access.policy import Statement
from cloudscan_s3.access.texts import EVERYTHING, TextSet, expression

_LOGS: Final = "AWSLogs/"
_WITH_LOGS: Final = expression(like(f"*{_LOGS.removesuffix('/')}*"))
_TWELVE_DIGITS: Final = re.compile(r"\d{12}")
# A service's call lacks what comes with the signature of a principal (IAM User Guide, "AWS global condition context
# keys", availability of each key) and the keys of other services, which come with a role's session.
OF_ANY_REQUEST: Final = ("aws:", "s3:", "s3express:")
OF_PRINCIPALS: Final = (
    "aws:principaltag/",
    "aws:multifactorauth",
    "aws:tokenissuetime",
    "aws:calledvia",
    "aws:sourceidentity",
    "aws:federatedprovider",
    "aws:ec2instancesource",
    "aws:assumedroot",
    "aws:chatbotsourcearn",
)


@dataclass(frozen=True, kw_only=True)
class ServiceLimits:
    """Where a service writes."""

    within_account: bool = False  # only into buckets of the account on whose behalf it calls
    below_account: bool = False  # only below [prefix/]AWSLogs/ACCOUNT/


_UNLIMITED: Final = ServiceLimits()
_LIMITS: Final = {
    "logging.s3.amazonaws.com": ServiceLimits(within_account=True),
    "logdelivery.elasticloadbalancing.amazonaws.com": ServiceLimits(below_account=True),
    "logdelivery.elb.amazonaws.com": ServiceLimits(below_account=True),  # on Outposts
}


def limits_of(service: str) -> ServiceLimits:
    """The limits of a service, in any partition."""
    return _LIMITS.get(service.removesuffix(".cn"), _UNLIMITED)


def may_carry(key: str) -> bool:
    """Can a service's call carry a key (in lower case) that neither the caller nor the target settles?"""
    return key.startswith(OF_ANY_REQUEST) and not key.startswith(OF_PRINCIPALS)


def may_write(
    service: str, account: Segment, statements: Iterable[Statement], *, other_than: Sequence[TextSet] = ()
) -> bool:
    """Does an Allow for a service cover anything that it could write on behalf of an account?

    `account` may be any, other than those in some sets.
    """
    if not limits_of(service).below_account:
        return True
    form = Form(
        (Segment(EVERYTHING), account, Segment(EVERYTHING)),
        (("resource", (0, _LOGS, 1, "/", 2)), ("prefix", (0,)), ("account", (1,)), ("file", (2,))),
    )
    limits = (
        _comparison(form, "prefix", _WITH_LOGS, wanted=False),
        _comparison(form, "file", _WITH_LOGS, wanted=False),
        _comparison(form, "account", *other_than, wanted=False),
    )
    return any(
        _is_possible(form, (*limits, _comparison(form, "resource", _fitting(resource), wanted=not owner.not_resource)))
        for owner in _allowing(service, statements)
        for resource in owner.resources
    )


def _fitting(resource: str) -> TextSet:
    return expression(like(conditions.with_wildcards(resource)))


def _is_possible(form: Form, limits: Sequence[Comparison]) -> bool:
    found = classes(form, limits)
    return bool(found.spellings) or not found.complete


def _comparison(form: Form, key: str, *texts: TextSet, wanted: bool) -> Comparison:
    reading = form.reading(key) or ()
    return Comparison(tuple((reading, one) for one in texts), wanted)


def accounts_in_paths(service: str, statements: Iterable[Statement]) -> Sequence[str]:
    """The accounts whose logs a service may write, as far as the Resource elements name them."""
    if not limits_of(service).below_account:
        return ()
    named = (
        _account_segment(resource) for statement in _allowing(service, statements) for resource in statement.resources
    )
    return tuple(dict.fromkeys(account for account in named if _TWELVE_DIGITS.fullmatch(account)))


def _allowing(service: str, statements: Iterable[Statement]) -> Iterable[Statement]:
    return (
        statement
        for statement in statements
        if statement.allows
        and (statement.not_principal or any(principal.value in ("*", service) for principal in statement.principals))
    )


def _account_segment(pattern: str) -> str:
    """What a pattern says of the part behind AWSLogs/: arn:aws:s3:::b/lb/AWSLogs/1111*/x gives 1111*."""
    tail = pattern.partition(_LOGS)[2]
    segment, slash, _ = tail.partition("/")
    return segment if slash or not segment.endswith("*") else f"{segment.rstrip('*')}*"
