"""What an account has beside buckets and their access points: who is let in another way, and what is not judged.

Each list is asked once for an account and a region: access points and the two other kinds of bucket in every region
that is enabled, access grants and Outposts where the account has buckets, and Object Lambda where it has access points,
without which there is none.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import msgspec

from cloudscan.connector import Gap, Yielded
from cloudscan.facts import Outcome
from cloudscan.reason import Reason
from cloudscan_s3 import regions
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.api import access_grants
from cloudscan_s3.api.asking import Asker, name_of
from cloudscan_s3.facts.access_grants import facts_of_access_grants
from cloudscan_s3.facts.translate import account_uid
from cloudscan_s3.questions import (
    ACCESS_GRANTS,
    OBJECT_LAMBDA,
    OUTPOSTS,
    TABLE_BUCKETS,
    VECTOR_BUCKETS,
    AwsQuestion,
)

_UNANSWERED = ("s3-gone", "s3-operation-unknown")


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """The regions of an account."""

    enabled: Sequence[str]
    with_buckets: AbstractSet[str]
    with_points: AbstractSet[str]  # access points, or no list of them


def facts_of_access_grants_in(asker: Asker, own_estate: OwnEstate, whereabouts: Whereabouts) -> Iterator[Yielded]:
    """Who may fetch credentials from the account's instances of S3 Access Grants."""
    number = own_estate.account
    listed = regions.ask_each(
        sorted(whereabouts.with_buckets),
        lambda region: access_grants.list_in_region(asker, number, region),
        ACCESS_GRANTS,
    )
    yield from (unless_unknown(gap) for gap in listed.gaps)
    policies: dict[str, Any] = {}

    def policy_in(region: str) -> Any:
        if region not in policies:
            policies[region] = access_grants.instance_policy(asker, number, region)
        return policies[region]

    yield from facts_of_access_grants(listed.entries, number, own_estate, policy_in)


def not_judged(asker: Asker, number: str, whereabouts: Whereabouts) -> Iterator[Gap]:
    """A row for each kind of thing that is there and that cloudscan does not judge; a refusal is one as well."""
    everywhere = [*whereabouts.enabled, *sorted(whereabouts.with_buckets - set(whereabouts.enabled))]
    yield from _counted(asker, OBJECT_LAMBDA, "Name", sorted(whereabouts.with_points), number, AccountId=number)
    yield from _counted(asker, TABLE_BUCKETS, "arn", everywhere, number)
    yield from _counted(asker, VECTOR_BUCKETS, "vectorBucketArn", everywhere, number)
    yield from _counted(asker, OUTPOSTS, "OutpostId", sorted(whereabouts.with_buckets), number)


def unless_unknown(gap: Gap) -> Gap:
    """A list that the endpoint does not know costs no completeness, but may hide what another one would show."""
    known = not isinstance(gap.reason, Reason) or gap.reason.code not in _UNANSWERED
    return gap if known else msgspec.structs.replace(gap, outcome=Outcome.SKIPPED)


_TOKENS: Mapping[str, Any] = {
    OBJECT_LAMBDA.name: "NextToken",
    TABLE_BUCKETS.name: "continuationToken",
    VECTOR_BUCKETS.name: "nextToken",
    OUTPOSTS.name: "NextToken",
}


def _counted(
    asker: Asker, question: AwsQuestion, member: str, wanted: Collection[str], number: str, **arguments: Any
) -> Iterator[Gap]:
    found = regions.ask_each(
        wanted,
        _in_region(asker, question, member, arguments),
        question,
        may_lack=frozenset(wanted),
    )
    about = account_uid(number)
    if found.entries:
        names = {name for name, _ in found.entries}
        where = ", ".join(sorted({region for _, region in found.entries}))
        reason = Reason(code="s3-not-judged", values={"count": len(names), "regions": where})
        yield question.lacking(reason, about, outcome=Outcome.NOT_JUDGED, seen=len(names))
    for gap in found.gaps:
        absent = gap.outcome is Outcome.NOT_OFFERED
        yield gap if absent else msgspec.structs.replace(gap, outcome=Outcome.NOT_JUDGED, resource_uid=about)


def _in_region(
    asker: Asker, question: AwsQuestion, member: str, arguments: Mapping[str, Any]
) -> Callable[[str], tuple[Sequence[Any], Sequence[Gap]]]:
    """The names in a region, each with the region."""

    def ask(region: str) -> tuple[Sequence[Any], Sequence[Gap]]:
        return asker.list(
            question,
            lambda entry: (name_of(entry, member), region),
            _TOKENS[question.name],
            region=region,
            **arguments,
        )

    return ask
