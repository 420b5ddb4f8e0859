"""The accounts that are named, and the users, roles and sessions of them that are."""

from collections.abc import Iterator, Sequence

from cloudscan.facts import Audience
from cloudscan_s3.access.callers.amazon import AMAZON_ACCOUNTS
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.example_callers import signed_caller
from cloudscan_s3.access.callers.mentioned import MentionedCallers
from cloudscan_s3.access.policy_literals import UNMENTIONED_ORGANISATION
from cloudscan_s3.access.request import account_of


def accounts(mentioned: MentionedCallers, *, ours: bool) -> Iterator[CallerClass]:
    """One class for each named account of ours (or of others), and one for each of its principals that is named."""
    own_estate = mentioned.literals.own_estate
    for account in mentioned.accounts:
        if own_estate.owns(account) != ours or mentioned.is_example(account):
            continue
        home = own_estate.organisation or "" if ours else ""
        homes = [(name, "") for name in dict.fromkeys((home, "" if ours else UNMENTIONED_ORGANISATION))]
        yield from _account(mentioned, account, homes if mentioned.organisations_matter else homes[:1], "")
        for name in () if ours else mentioned.organisations:  # it may be a member, for all we know
            if not own_estate.is_our_organisation(name):
                yield from _account(mentioned, account, [(name, path) for path in mentioned.paths_in(name)], name)


def _account(
    mentioned: MentionedCallers, account: str, homes: Sequence[tuple[str, str]], within: str
) -> Iterator[CallerClass]:
    """The account as a whole, then its principals that are named.

    `homes` are the organisations, with paths in them, of which the account may be a member.
    """
    audience = _audience(mentioned, account)
    ours = mentioned.literals.own_estate.owns(account)
    known = account in AMAZON_ACCOUNTS or mentioned.literals.own_estate.knows_whose(account)
    yield CallerClass(
        audience=audience,
        kind="service" if account in AMAZON_ACCOUNTS else "account",
        name=account,
        callers=tuple(member for home, path in homes for member in mentioned.members(account, home, path)),
        account=account,
        affiliation_known=known,
        within=within,
    )
    for written, arns in mentioned.arns.items():
        fitting = [arn for arn in arns if account_of(arn) == account]
        if fitting:
            yield CallerClass(
                audience=Audience.NAMED if ours else audience,
                kind="principal",
                name=written,
                callers=tuple(
                    session
                    for home, path in homes
                    for arn in fitting
                    for session in mentioned.sessions_of(signed_caller(arn, home, path))
                ),
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
