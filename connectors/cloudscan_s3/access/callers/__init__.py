"""Who could call: sets of callers, each of which is one audience.

Beside those whom a policy names there are always some whom it leaves open: an unsigned caller, a principal of an
account that the text does not mention, a member of each organisation that it does. Every caller is in one of the sets.
What members of a set can look like is said by shapes (`access.shapes`), not by examples.
"""

from collections.abc import Iterator

from cloudscan_s3.access.callers.accounts import accounts
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.canonical_users import canonical_users
from cloudscan_s3.access.callers.everyone import any_account, anyone
from cloudscan_s3.access.callers.identity_providers import identity_providers
from cloudscan_s3.access.callers.mentioned import MentionedCallers
from cloudscan_s3.access.callers.organisations import organisations
from cloudscan_s3.access.callers.services import by_source_arn, services
from cloudscan_s3.access.callers.signed import anonymous
from cloudscan_s3.access.callers.unique_ids import is_left_over, unique_ids

__all__ = [
    "CallerClass",
    "MentionedCallers",
    "anonymous",
    "any_account",
    "by_source_arn",
    "inside",
    "is_left_over",
    "outside",
]


def outside(mentioned: MentionedCallers) -> Iterator[CallerClass]:
    """The classes outside our own accounts, from the widest to the narrowest."""
    yield anyone()
    yield any_account(mentioned)
    yield from identity_providers(mentioned)
    yield from organisations(mentioned)
    yield from unique_ids(mentioned)
    yield from canonical_users(mentioned)
    yield from accounts(mentioned, ours=False)
    yield from services(mentioned)


def inside(mentioned: MentionedCallers) -> Iterator[CallerClass]:
    """Our own accounts, as far as they are named."""
    yield from accounts(mentioned, ours=True)
