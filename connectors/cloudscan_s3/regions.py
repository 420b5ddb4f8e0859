"""What is offered where, and a question that is asked in several regions."""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from cloudscan.connector import Gap
from cloudscan.facts import Outcome
from cloudscan.reason import Reason
from cloudscan_s3.questions import AwsQuestion

EXPRESS: Final = frozenset(
    ("us-east-1", "us-east-2", "us-west-2", "ap-northeast-1", "ap-south-1", "eu-north-1", "eu-west-1")
)
"""Regions with directory buckets (User Guide, "Regional and Zonal endpoints for directory buckets"). There may be more
by now, so that regions with other buckets are asked as well."""
_COMMERCIAL: Final = "aws"


@dataclass(frozen=True, kw_only=True)
class InRegions:
    """What the regions listed, and one gap for each cause, with the regions that it concerns."""

    entries: Sequence[Any]
    gaps: Sequence[Gap]


def has_directory_buckets(partition: str) -> bool:
    """Whether a partition has S3 Express. China and GovCloud had none in 2025."""
    return partition == _COMMERCIAL


def has_multi_region_access_points(partition: str) -> bool:
    """Whether a partition has multi-region access points. China and GovCloud had none in 2025."""
    return partition == _COMMERCIAL


def ask_each(
    regions: Iterable[str],
    ask: Callable[[str], tuple[Sequence[Any], Sequence[Gap]]],
    question: AwsQuestion,
    *,
    optional: AbstractSet[str] = frozenset(),
    may_lack: AbstractSet[str] = frozenset(),
) -> InRegions:
    """Ask in every region and merge the answers.

    A refusal in an `optional` region, in which nothing else of the account is, counts as left out: guardrails of an
    organisation refuse everything in regions that are not used. In regions that `may_lack` the service, no connection
    means that it is not offered there.
    """
    entries: list[Any] = []
    by_cause: dict[tuple[str, str], list[tuple[str, Gap]]] = {}
    for region in regions:
        listed, gaps = ask(region)
        entries += listed
        for gap in gaps:
            one = _seen_in(region, gap, question, optional, may_lack)
            by_cause.setdefault((one.question, _code(one)), []).append((region, one))
    return InRegions(entries=entries, gaps=[_merged(found) for found in by_cause.values()])


def _seen_in(
    region: str, gap: Gap, question: AwsQuestion, optional: AbstractSet[str], may_lack: AbstractSet[str]
) -> Gap:
    if region in may_lack and _code(gap) == "s3-no-answer":
        reason = Reason(code="s3-not-in-region", values={"region": region})
        return question.lacking(reason, outcome=Outcome.NOT_OFFERED)
    if region in optional and gap.outcome is Outcome.DENIED:
        return msgspec.structs.replace(gap, outcome=Outcome.SKIPPED)
    return gap


def _code(gap: Gap) -> str:
    return gap.reason.code if isinstance(gap.reason, Reason) else gap.reason


def _merged(found: Sequence[tuple[str, Gap]]) -> Gap:
    """One gap for all regions with the same cause; they are named before what AWS says."""
    gap = next((one for _, one in found if one.outcome is not Outcome.SKIPPED), found[0][1])
    if not isinstance(gap.reason, Reason):
        return gap
    regions = ", ".join(dict.fromkeys(region for region, _ in found))
    if "region" in gap.reason.values:
        reason = msgspec.structs.replace(gap.reason, values={**gap.reason.values, "region": regions})
    else:
        quote = f"{regions}: {gap.reason.quote}" if gap.reason.quote else regions
        reason = msgspec.structs.replace(gap.reason, quote=quote)
    return msgspec.structs.replace(gap, reason=reason)
