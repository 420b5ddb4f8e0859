"""Callers that anyone can be: unsigned ones, and any customer of AWS."""

from cloudscan.facts import Audience
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.example_callers import anonymous
from cloudscan_s3.access.callers.mentioned import MentionedCallers
from cloudscan_s3.access.policy_literals import UNMENTIONED_ORGANISATION
from cloudscan_s3.access.request import Caller


def anyone() -> CallerClass:
    """Callers without an AWS account."""
    return CallerClass(audience=Audience.ANYONE_WITH_LINK, kind="anyone", name="", callers=(anonymous(),))


def any_account(mentioned: MentionedCallers) -> CallerClass:
    """Callers with an AWS account that no statement mentions: a free one will do."""
    return CallerClass(
        audience=Audience.ANY_ACCOUNT, kind="any_account", name="", callers=unmentioned_callers(mentioned)
    )


def unmentioned_callers(mentioned: MentionedCallers) -> tuple[Caller, ...]:
    """Users and roles of an account that no statement mentions, in every form that makes a difference."""
    homes = [("", "")]
    if mentioned.organisations_matter:
        names = dict.fromkeys((UNMENTIONED_ORGANISATION, *mentioned.organisations_by_pattern))
        homes += [(name, path) for name in names for path in ("", *mentioned.open_paths_in(name))]
    return tuple(
        member
        for account in mentioned.unmentioned_accounts
        for organisation, path in homes
        for member in mentioned.members(account, organisation, path, first="user/somebody")
    )
