"""Who could call: the classes of caller that a set of policies can tell apart.

A policy cannot be asked about all callers one by one, but it can only distinguish those that its own text mentions.
So it is enough to try, beside the named ones, one member of each class that the text leaves open: an unsigned caller,
a user in an account that the text does not mention, a member of each organisation that it does. What members may
choose for themselves (names, tags, sessions) is tried in every form that makes a difference.

Source for what a caller's request carries: IAM User Guide, "AWS global condition context keys".
"""

from collections.abc import Iterator

from cloudscan_s3.access.callers.accounts import accounts
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.canonical_users import canonical_users
from cloudscan_s3.access.callers.everyone import any_account, anyone, unmentioned_callers
from cloudscan_s3.access.callers.example_callers import anonymous
from cloudscan_s3.access.callers.identity_providers import identity_providers
from cloudscan_s3.access.callers.mentioned import MentionedCallers
from cloudscan_s3.access.callers.organisations import organisations
from cloudscan_s3.access.callers.services import by_source_arn, services
from cloudscan_s3.access.callers.unique_ids import is_left_over, unique_ids

__all__ = [
    "CallerClass",
    "MentionedCallers",
    "anonymous",
    "by_source_arn",
    "inside",
    "is_left_over",
    "outside",
    "unmentioned_callers",
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
