"""Accounts known by their canonical user id, and CloudFront's origin access identities.

Sources: Amazon S3 User Guide, "Access control list (ACL) overview"; CloudFront Developer Guide, "Restrict access to an
Amazon S3 origin". An id does not show its account; each account tells its own (API Reference, ListBuckets, "Owner").
"""

from collections.abc import Iterable, Iterator

from cloudscan.facts import Audience
from cloudscan_s3.access.acl import ANONYMOUS
from cloudscan_s3.access.bucket import Acl, Bucket, Unread
from cloudscan_s3.access.callers.amazon import AMAZON_CANONICAL
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.example_callers import signed_caller
from cloudscan_s3.access.callers.mentioned import MentionedCallers
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import parse
from cloudscan_s3.access.policy_literals import PolicyLiterals
from cloudscan_s3.access.request import Caller

_ORIGIN_ACCESS_IDENTITY = "arn:aws:iam::cloudfront:user/"


def named_by(bucket: Bucket) -> Iterator[str]:
    """The canonical user ids that a bucket's ACL and policy name."""
    yield from named_in(bucket.acl)
    if isinstance(bucket.policy, str) and "canonicaluser" in bucket.policy.lower():
        for statement in parse(bucket.policy).statements:
            yield from (principal.value for principal in statement.principals if principal.kind == "CanonicalUser")


def named_in(acl: Acl | Unread | None) -> Iterator[str]:
    """The canonical user ids that an ACL names beside its owner's."""
    if isinstance(acl, Acl):
        yield from (grant.canonical_id for grant in acl.grants if grant.canonical_id not in ("", acl.owner, ANONYMOUS))


def has_stranger(canonical_ids: Iterable[str], own_estate: OwnEstate) -> bool:
    """Is there one among these ids of which it is not known whose it is?"""
    return any(one not in AMAZON_CANONICAL and own_estate.account_behind(one) is None for one in canonical_ids)


def canonical_users(mentioned: MentionedCallers) -> Iterator[CallerClass]:
    """One class for each canonical user other than our own, and one for each origin access identity."""
    literals = mentioned.literals
    for principal in literals.principals:
        if principal.kind == "CanonicalUser" and principal.value != literals.own_estate.owner_canonical:
            yield _canonical_user(principal.value, literals)
        elif principal.kind == "AWS" and principal.value.startswith(_ORIGIN_ACCESS_IDENTITY):
            caller = Caller(
                kind="principal", names=frozenset({principal.value}), context={"aws:principaltype": ("User",)}
            )
            yield CallerClass(audience=Audience.NAMED, kind="service", name=principal.value, callers=(caller,))


def _canonical_user(canonical: str, literals: PolicyLiterals) -> CallerClass:
    """Amazon's own, an account of ours under its number, or somebody of whom only the id is known."""
    own_estate = literals.own_estate
    ours = own_estate.account_behind(canonical)
    if ours is not None:
        user = signed_caller(f"arn:{literals.partition}:iam::{ours}:user/somebody", own_estate.organisation or "")
        caller = Caller(kind="principal", account=ours, names=user.names | {canonical}, context=user.context)
        return CallerClass(audience=Audience.NAMED, kind="account", name=ours, callers=(caller,), account=ours)
    amazon = canonical in AMAZON_CANONICAL
    context = signed_caller(f"arn:aws:iam::{literals.unmentioned_account}:user/somebody", "").context
    return CallerClass(
        audience=Audience.NAMED if amazon else Audience.NAMED_EXTERNAL,
        kind="service" if amazon else "canonical",
        name="CloudFront log delivery" if amazon else canonical,
        callers=(Caller(kind="principal", names=frozenset({canonical}), context=context),),
        affiliation_known=amazon or own_estate.knows_its_canonical_users,
    )
