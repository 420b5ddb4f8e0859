"""Callers that anyone can be: unsigned ones, and any customer of AWS."""

from cloudscan.facts import Audience
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.mentioned import MentionedCallers
from cloudscan_s3.access.callers.signed import anonymous


def anyone() -> CallerClass:
    """Callers without an AWS account."""
    return CallerClass(audience=Audience.ANYONE_WITH_LINK, kind="anyone", name="", callers=(anonymous(),))


def any_account(mentioned: MentionedCallers) -> CallerClass:
    """Callers with an AWS account that no statement mentions: a free one will do."""
    callers = mentioned.members(mentioned.no_named_organisation())
    return CallerClass(audience=Audience.ANY_ACCOUNT, kind="any_account", name="", callers=(callers,))
