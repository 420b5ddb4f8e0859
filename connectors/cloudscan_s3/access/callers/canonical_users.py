"""Accounts known by their canonical user id, and CloudFront's origin access identities.

Sources: Amazon S3 User Guide, "Access control list (ACL) overview"; CloudFront Developer Guide, "Restrict access to an
Amazon S3 origin".
"""

from collections.abc import Iterator
from dataclasses import replace

from cloudscan.facts import Audience
from cloudscan_s3.access.caller_set import CallerSet
from cloudscan_s3.access.callers.amazon import AMAZON_CANONICAL
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.mentioned import MentionedCallers
from cloudscan_s3.access.callers.signed import principals

_ORIGIN_ACCESS_IDENTITY = "arn:aws:iam::cloudfront:user/"


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
            amazon = principal.value in AMAZON_CANONICAL
            yield CallerClass(
                audience=Audience.NAMED if amazon else Audience.NAMED_EXTERNAL,
                kind="service" if amazon else "canonical",
                name="CloudFront log delivery" if amazon else principal.value,
                callers=(CallerSet(kind="principal", facets=(shapes,), names=frozenset({principal.value})),),
            )
        elif principal.kind == "AWS" and principal.value.startswith(_ORIGIN_ACCESS_IDENTITY):
            caller = CallerSet(
                kind="principal", names=frozenset({principal.value}), context={"aws:principaltype": ("User",)}
            )
            yield CallerClass(audience=Audience.NAMED, kind="service", name=principal.value, callers=(caller,))
