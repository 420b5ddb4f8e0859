"""Accounts known by their canonical user id, and CloudFront's origin access identities.

Sources: Amazon S3 User Guide, "Access control list (ACL) overview"; CloudFront Developer Guide, "Restrict access to an
Amazon S3 origin". An id does not show its account; each account tells its own (API Reference, ListBuckets, "Owner").
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cloudscan.facts import Audience
from cloudscan_s3.access.acl import ANONYMOUS
from cloudscan_s3.access.bucket import Acl, Bucket, Unread
from cloudscan_s3.access.caller_set import CallerSet
from cloudscan_s3.access.callers.amazon import AMAZON_CANONICAL
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.mentioned import MentionedCallers
from cloudscan_s3.access.callers.signed import principals
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import parse
from cloudscan_s3.access.shapes import Shape, fixed, no_organisation, organisation

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


def has_unknown(canonical_ids: Iterable[str], own_estate: OwnEstate) -> bool:
    """Is there one among these ids of which it is not known whose it is?"""
    return any(one not in AMAZON_CANONICAL and own_estate.account_behind(one) is None for one in canonical_ids)


def canonical_users(mentioned: MentionedCallers) -> Iterator[CallerClass]:
    """One class for each canonical user other than our own, and one for each origin access identity."""
    literals = mentioned.literals
    # Somebody in an account whose number is not known: only the canonical id names it.
    shapes = tuple(
        replace(shape, names=())
        for shape in mentioned.of_strangers(principals(literals.partition, mentioned.strangers()))
    )
    for principal in literals.principals:
        if principal.kind == "CanonicalUser" and principal.value != literals.own_estate.owner_canonical:
            account = literals.own_estate.account_behind(principal.value)
            if account is not None:
                yield _of_ours(principal.value, account, mentioned)
            else:
                yield _of_others(principal.value, shapes, literals.own_estate)
        elif principal.kind == "AWS" and principal.value.startswith(_ORIGIN_ACCESS_IDENTITY):
            caller = CallerSet(
                kind="principal", names=frozenset({principal.value}), context={"aws:principaltype": ("User",)}
            )
            yield CallerClass(audience=Audience.NAMED, kind="service", name=principal.value, callers=(caller,))


def _of_ours(canonical: str, account: str, mentioned: MentionedCallers) -> CallerClass:
    """An account of ours, under its number: what a statement says of the account is about these callers too."""
    organisation_id = mentioned.literals.own_estate.organisation
    home = organisation(fixed(organisation_id)) if organisation_id else no_organisation()
    shapes = principals(mentioned.literals.partition, fixed(account))
    caller = CallerSet(kind="principal", facets=(shapes, (home,)), names=frozenset({canonical}))
    return CallerClass(audience=Audience.NAMED, kind="account", name=account, callers=(caller,), account=account)


def _of_others(canonical: str, shapes: tuple[Shape, ...], own_estate: OwnEstate) -> CallerClass:
    """Amazon's own, or an account of which only the id is known."""
    amazon = canonical in AMAZON_CANONICAL
    return CallerClass(
        audience=Audience.NAMED if amazon else Audience.NAMED_EXTERNAL,
        kind="service" if amazon else "canonical",
        name="CloudFront log delivery" if amazon else canonical,
        callers=(CallerSet(kind="principal", facets=(shapes,), names=frozenset({canonical})),),
        affiliation_known=amazon or own_estate.knows_its_canonical_users,
    )
