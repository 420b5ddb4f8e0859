"""Callers who sign their requests: principals of an account, in every shape that there is."""

from cloudscan_s3.access.caller_set import CallerSet
from cloudscan_s3.access.forms import Segment
from cloudscan_s3.access.shapes import Shape, federated_user, role, root, user


def anonymous() -> CallerSet:
    """The caller who does not sign requests, and so has no keys but the few that every request has."""
    context = {
        "aws:principalaccount": ("anonymous",),
        "aws:userid": ("anonymous",),
        "aws:principaltype": ("Anonymous",),
        "aws:viaawsservice": ("false",),
    }
    return CallerSet(kind="anonymous", context=context)


def principals(partition: str, account: Segment) -> tuple[Shape, ...]:
    """The principals of an account."""
    return (
        role(partition, account),
        user(partition, account),
        root(partition, account),
        federated_user(partition, account),
    )
