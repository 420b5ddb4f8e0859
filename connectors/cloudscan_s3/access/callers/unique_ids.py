"""Principals known only by the unique id that IAM gave them.

Source: IAM User Guide, "IAM identifiers", section "Unique identifiers".
"""

from collections.abc import Iterator
from dataclasses import replace

from cloudscan.facts import Audience
from cloudscan_s3.access.caller_set import CallerSet
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.mentioned import UNIQUE_ID, MentionedCallers
from cloudscan_s3.access.policy import Principal
from cloudscan_s3.access.shapes import fixed, no_organisation, organisation, role, user


def unique_ids(mentioned: MentionedCallers) -> Iterator[CallerClass]:
    """One class for each unique id in a condition and each account that it may belong to.

    An id does not show its account. It is taken to be ours, unless a statement says which account it belongs to.
    """
    literals, own_estate = mentioned.literals, mentioned.literals.own_estate
    for identifier in mentioned.unique_ids:
        for account in dict.fromkeys((own_estate.account, *mentioned.accounts)):
            ours = own_estate.owns(account)
            home = (
                organisation(fixed(own_estate.organisation)) if ours and own_estate.organisation else no_organisation()
            )
            shape = (role if identifier.startswith("AROA") else user)(
                literals.partition, fixed(account), fixed(identifier)
            )
            yield CallerClass(
                audience=Audience.NAMED if ours else Audience.NAMED_EXTERNAL,
                kind="unique_id",
                name=identifier,
                callers=(
                    CallerSet(
                        kind="principal", facets=((replace(shape, names=()),), (home,)), names=frozenset((identifier,))
                    ),
                ),
                account="" if ours else account,
            )


def is_left_over(principal: Principal) -> bool:
    """Is this an id that AWS shows in place of a principal that has been deleted?"""
    return principal.kind == "AWS" and UNIQUE_ID.fullmatch(principal.value) is not None
