"""Principals known only by the unique id that IAM gave them.

Source: IAM User Guide, "IAM identifiers", section "Unique identifiers".
"""

from collections.abc import Iterator
from dataclasses import replace

from cloudscan.facts import Audience
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.example_callers import signed_caller, with_user_id
from cloudscan_s3.access.callers.mentioned import UNIQUE_ID, MentionedCallers
from cloudscan_s3.access.policy import Principal
from cloudscan_s3.access.policy_literals import examples


def unique_ids(mentioned: MentionedCallers) -> Iterator[CallerClass]:
    """One class for each unique id in a condition and each account that it may belong to.

    An id does not show its account. It is taken to be ours, unless a statement says which account it belongs to.
    """
    literals, own_estate = mentioned.literals, mentioned.literals.own_estate
    accounts = [own_estate.account, *(name for name in mentioned.accounts if not mentioned.is_example(name))]
    for value in literals.values("aws:userid"):
        if not UNIQUE_ID.match(value):
            continue
        identifier = value.partition(":")[0]
        for account in dict.fromkeys(accounts):
            ours = own_estate.owns(account)
            organisation = own_estate.organisation or "" if ours else ""
            caller = signed_caller(f"arn:{literals.partition}:iam::{account}:role/somebody", organisation)
            named = replace(caller, names=frozenset({identifier}))
            yield CallerClass(
                audience=Audience.NAMED if ours else Audience.NAMED_EXTERNAL,
                kind="unique_id",
                name=identifier,
                callers=tuple(with_user_id(named, user_id) for user_id in examples(value, ("session",))),
                account="" if ours else account,
            )


def is_left_over(principal: Principal) -> bool:
    """Is this an id that AWS shows in place of a principal that has been deleted?"""
    return principal.kind == "AWS" and UNIQUE_ID.fullmatch(principal.value) is not None
