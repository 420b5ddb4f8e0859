"""Principals known only by the unique id that IAM gave them.

Source: IAM User Guide, "IAM identifiers", section "Unique identifiers".
"""

from collections.abc import Iterator
from dataclasses import replace

from cloudscan.facts import Audience
from cloudscan_s3.access.caller_set import CallerSet
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.mentioned import UNIQUE_ID, MentionedCallers
from cloudscan_s3.access.forms import Segment
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import Principal
from cloudscan_s3.access.shapes import UNIQUE_ID_CHARACTER, Shape, fixed, no_organisation, organisation, role, user
from cloudscan_s3.access.texts import expression, many, text, then


def unique_ids(mentioned: MentionedCallers) -> Iterator[CallerClass]:
    """One class for each unique id in a condition and each account that it may belong to.

    An id does not show its account. It is taken to be ours if one of ours gets in with it, then to belong to an account
    that a statement mentions, and only then to another.
    """
    own_estate = mentioned.literals.own_estate
    for identifier in mentioned.unique_ids:
        for account in dict.fromkeys((own_estate.account, *mentioned.accounts, "")):
            ours = own_estate.owns(account)
            homes = _own_home(own_estate) if ours else _homes_of_others(mentioned)
            yield CallerClass(
                audience=Audience.NAMED if ours else Audience.NAMED_EXTERNAL,
                kind="unique_id",
                name=identifier,
                callers=(_callers(mentioned, identifier, account, homes),),
                account="" if ours else account,
                affiliation_known=bool(account),
            )


def _own_home(own_estate: OwnEstate) -> tuple[Shape, ...]:
    return (organisation(fixed(own_estate.organisation)) if own_estate.organisation else no_organisation(),)


def _homes_of_others(mentioned: MentionedCallers) -> tuple[Shape, ...]:
    own_estate = mentioned.literals.own_estate
    named = (name for name in mentioned.organisations if not own_estate.is_our_organisation(name))
    return (*mentioned.no_named_organisation(), *(organisation(fixed(name)) for name in named))


def _callers(mentioned: MentionedCallers, identifier: str, account: str, homes: tuple[Shape, ...]) -> CallerSet:
    """The principals with an id that begins like this, of one account; empty: of any that nobody mentions."""
    shape = (role if identifier.startswith("AROA") else user)(
        mentioned.literals.partition,
        fixed(account) if account else mentioned.strangers(),
        Segment(expression(then(text(identifier), many(UNIQUE_ID_CHARACTER))), identifier),
    )
    if not account:
        shape = shape.limited("aws:principalaccount", *mentioned.known_accounts, wanted=False)
    return CallerSet(kind="principal", facets=((replace(shape, names=()),), homes))


def is_left_over(principal: Principal) -> bool:
    """Is this an id that AWS shows in place of a principal that has been deleted?"""
    return principal.kind == "AWS" and UNIQUE_ID.fullmatch(principal.value) is not None
