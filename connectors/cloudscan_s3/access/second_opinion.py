"""IAM Access Analyzer's opinion of a bucket beside ours: where both say the same, and why where they do not.

Sources: IAM User Guide, "IAM Access Analyzer resource types" (30 minutes for a changed policy; 6 hours for the block of
the account and multi-region access points; no access points of other accounts, no object ACLs) and "External access
findings" (the zone of trust: an account, or an organisation); API reference, `resourceControlPolicyRestriction`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, Literal

from cloudscan.facts import Audience
from cloudscan.second_opinion import AGREES, OpinionOutcome
from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.access_paths import AccessPaths
from cloudscan_s3.access.bucket import Bucket, Unread
from cloudscan_s3.access.own_estate import OwnEstate

_POLICY_SEEN_AFTER: Final = timedelta(minutes=30)
_BLOCK_SEEN_AFTER: Final = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class AnalyzerFinding:
    """What an analyzer says of a bucket: that somebody outside its zone of trust gets in, or that it failed."""

    bucket: str  # its name
    is_public: bool
    accounts: tuple[str, ...]  # whom it names, where they are accounts; empty: others
    archived: bool = False  # somebody accepted it there
    failed: bool = False
    beneath_control_policy: bool = False  # one is in force, and not folded into the finding
    updated_on: datetime


@dataclass(frozen=True, kw_only=True)
class Analyzer:
    """An analyzer of external access, with all that it says of buckets."""

    of_organisation: bool  # its zone of trust; otherwise the account
    active: bool
    created_on: datetime
    findings: tuple[AnalyzerFinding, ...] = ()

    @cached_property
    def by_bucket(self) -> Mapping[str, Sequence[AnalyzerFinding]]:
        """The findings by the bucket's name: each bucket asks for its own."""
        found: dict[str, list[AnalyzerFinding]] = {}
        for one in self.findings:
            found.setdefault(one.bucket, []).append(one)
        return found


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The outcome, and the codes of its reasons: our own blocks' where we say that nobody gets in."""

    outcome: OpinionOutcome | Literal["agrees"]
    reasons: tuple[str, ...] = ()


def compare(
    bucket: Bucket, paths: AccessPaths, own_estate: OwnEstate, analyzers: Sequence[Analyzer], as_of: datetime
) -> Comparison | None:
    """Compare what is said of a bucket; None where no analyzer looks at it.

    `paths` are the bucket's own and those of its access points, `analyzers` those of its Region in whose zone it is.
    """
    if not analyzers:
        return None
    named = [one for analyzer in analyzers for one in analyzer.by_bucket.get(bucket.name, ())]
    told = [one for one in named if not one.failed]
    external = [one for one in told if not _is_sister(one, own_estate)]
    ours = [path for path in paths.open if _is_external(path)]
    is_open = any(path.effective for path in ours)
    is_unread = (
        isinstance(paths.policy, Unread) or isinstance(bucket.acl, Unread) or any(_is_unknown(one) for one in ours)
    )
    accepted = ("archived",) if external and all(one.archived for one in external) else ()
    if external and is_open:
        return Comparison(outcome=AGREES, reasons=accepted)
    if external and is_unread:
        return Comparison(outcome=OpinionOutcome.FILLS_IN, reasons=accepted)
    if external:
        only_there = _only_there(external, ours, as_of)
        return replace(only_there, reasons=accepted + only_there.reasons)
    if len(told) < len(named):
        return Comparison(outcome=OpinionOutcome.NOT_ANALYSED)
    if is_open:
        return _only_here(bucket, [path for path in ours if path.effective], analyzers, as_of)
    if is_unread:
        return Comparison(outcome=OpinionOutcome.SILENT)
    if told:
        return Comparison(outcome=OpinionOutcome.EXPLAINED, reasons=("zone-of-trust",))
    return Comparison(outcome=AGREES)


def _only_there(external: Sequence[AnalyzerFinding], ours: Sequence[AccessPath], as_of: datetime) -> Comparison:
    blocks = tuple(dict.fromkeys(path.blocked_by for path in ours if path.blocked_by))
    if "s3-resource-control-policy" in blocks and all(one.beneath_control_policy for one in external):
        return Comparison(outcome=OpinionOutcome.EXPLAINED, reasons=("s3-resource-control-policy",))
    seen_after = _BLOCK_SEEN_AFTER if any(_is_slow(path) for path in ours) else _POLICY_SEEN_AFTER
    if max(one.updated_on for one in external) > as_of - seen_after:
        return Comparison(outcome=OpinionOutcome.TOO_YOUNG, reasons=blocks)
    return Comparison(outcome=OpinionOutcome.ONLY_THERE, reasons=blocks or ("nothing-admits-them",))


def _only_here(
    bucket: Bucket, ours: Sequence[AccessPath], analyzers: Sequence[Analyzer], as_of: datetime
) -> Comparison:
    if all(not one.active or one.created_on > as_of - _POLICY_SEEN_AFTER for one in analyzers):
        return Comparison(outcome=OpinionOutcome.TOO_YOUNG, reasons=("analyzer-not-ready",))
    if all(path.access_point and path.access_point.account != bucket.account for path in ours):
        return Comparison(outcome=OpinionOutcome.EXPLAINED, reasons=("access-point-of-another-account",))
    return Comparison(outcome=OpinionOutcome.ONLY_HERE, reasons=tuple(dict.fromkeys(_whom(ours))))


def _whom(paths: Sequence[AccessPath]) -> Iterator[str]:
    for path in paths:
        yield f"{path.via.value}-admits-{path.audience.value}".replace("_", "-")


def _is_sister(finding: AnalyzerFinding, own_estate: OwnEstate) -> bool:
    """Whether a finding is about accounts of ours, which an account's analyzer takes for external ones."""
    return not finding.is_public and bool(finding.accounts) and all(own_estate.owns(one) for one in finding.accounts)


def _is_external(path: AccessPath) -> bool:
    """Whether external callers are meant; what an AWS service may be made to do is in no finding."""
    is_ours = path.audience < Audience.NAMED_EXTERNAL or path.audience is Audience.ORGANISATION
    return not is_ours and not path.confused_deputy and path.kind != "service"


def _is_unknown(path: AccessPath) -> bool:
    return path.effective is None or not path.affiliation_known


def _is_slow(path: AccessPath) -> bool:
    """Whether what decides about it is looked at every six hours only."""
    levels = path.block_switch.levels if path.block_switch else ()
    is_of_many = path.access_point is not None and path.access_point.multi_region
    return is_of_many or bool({"account", "organisation"} & set(levels))
