"""The accounts that are named, and the principals of them that are."""

from collections.abc import Iterator

from cloudscan.facts import Audience
from cloudscan_s3.access.caller_set import CallerSet
from cloudscan_s3.access.callers.amazon import AMAZON_ACCOUNTS
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.mentioned import MentionedCallers, texts_like
from cloudscan_s3.access.callers.signed import principals
from cloudscan_s3.access.shapes import Shape, fixed, no_organisation, organisation


def accounts(mentioned: MentionedCallers, *, ours: bool) -> Iterator[CallerClass]:
    """One class for each named account of ours (or of others), and one for each of its principals that is named."""
    own_estate = mentioned.literals.own_estate
    for account in mentioned.accounts:
        if own_estate.owns(account) != ours:
            continue
        if ours:
            home = (organisation(fixed(own_estate.organisation)),) if own_estate.organisation else (no_organisation(),)
            yield from _account(
                mentioned, account, home if mentioned.organisations_matter else (no_organisation(),), ""
            )
            continue
        yield from _account(mentioned, account, mentioned.no_named_organisation(), "")
        for name in mentioned.organisations:  # it may be a member, for all we know
            if not own_estate.is_our_organisation(name):
                yield from _account(mentioned, account, (organisation(fixed(name)),), name)


def _account(mentioned: MentionedCallers, account: str, homes: tuple[Shape, ...], within: str) -> Iterator[CallerClass]:
    """The account without its principals that are named, then each of these.

    `homes` are the shapes of the organisations of which the account may be a member.
    """
    audience = _audience(mentioned, account)
    ours = mentioned.literals.own_estate.owns(account)
    known = account in AMAZON_ACCOUNTS or mentioned.literals.own_estate.knows_whose(account)
    shapes = principals(mentioned.literals.partition, fixed(account))
    singled_out = mentioned.singled_out(account)
    named = [texts for written in singled_out for texts in texts_like(written)]
    others = tuple(shape.named(*named, wanted=False) for shape in shapes) if named else shapes
    yield CallerClass(
        audience=audience,
        kind="service" if account in AMAZON_ACCOUNTS else "account",
        name=account,
        callers=(CallerSet(kind="principal", facets=(others, homes)),),
        account=account,
        affiliation_known=known,
        within=within,
    )
    for written in singled_out:
        members = tuple(shape.named(*texts_like(written), wanted=True) for shape in shapes)
        yield CallerClass(
            audience=Audience.NAMED if ours else audience,
            kind="principal",
            name=written,
            callers=(CallerSet(kind="principal", facets=(members, homes)),),
            account=account,
            affiliation_known=known,
            within=within,
        )


def _audience(mentioned: MentionedCallers, account: str) -> Audience:
    own_estate = mentioned.literals.own_estate
    if account == own_estate.account:
        return Audience.OWNER
    if own_estate.owns(account) or account in AMAZON_ACCOUNTS:
        return Audience.NAMED
    return Audience.NAMED_EXTERNAL
