"""What IAM Access Analyzer says of buckets: its analyzers of external access in a Region, with their findings.

Source: IAM Access Analyzer API Reference, ListAnalyzers and ListFindings; the first version of the latter has principal
and condition in the list itself. An organisation's analyzer is listed in the account that owns it alone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from cloudscan.connector import Gap
from cloudscan.facts import Outcome
from cloudscan_s3.access.second_opinion import Analyzer, AnalyzerFinding
from cloudscan_s3.api.asking import Asker, moment_of, name_of
from cloudscan_s3.questions import ANALYZER_FINDINGS, ANALYZERS

_EXTERNAL: Final = {"ACCOUNT": False, "ORGANIZATION": True}  # whether the organisation is the zone of trust
_FILTER: Final = {
    "resourceType": {"eq": ["AWS::S3::Bucket", "AWS::S3Express::DirectoryBucket"]},
    "status": {"eq": ["ACTIVE", "ARCHIVED"]},
}
_BUCKET: Final = re.compile(r"arn:[\w-]+:s3(?:express)?:[\w-]*:\d*:(?:bucket/)?([^/:]+)")
_ACCOUNT: Final = re.compile(r"(?:arn:[\w-]+:(?:iam|sts)::)?(\d{12})(?::.*)?")


def analyzers_in(asker: Asker, region: str) -> tuple[Sequence[Analyzer], Sequence[Gap]]:
    """The analyzers whose findings were read as a whole, and what could not be read."""
    listed, gaps = asker.list(ANALYZERS, _listed, "nextToken", region=region)
    missing = [_left_out(gap) for gap in gaps]
    analyzers = []
    for arn, analyzer in listed:
        findings, gaps = asker.list(
            ANALYZER_FINDINGS, _finding, "nextToken", region=region, analyzerArn=arn, filter=_FILTER
        )
        if gaps:
            missing += [_left_out(gap) for gap in gaps]
        else:
            analyzers.append(replace(analyzer, findings=tuple(findings)))
    return analyzers, missing


def _left_out(gap: Gap) -> Gap:
    """Nothing hangs on a second opinion."""
    return msgspec.structs.replace(gap, outcome=Outcome.SKIPPED, passing=False)


def _listed(entry: Mapping[str, Any]) -> tuple[str, Analyzer] | None:
    of_organisation = _EXTERNAL.get(entry["type"])
    if of_organisation is None:
        return None
    return name_of(entry, "arn"), Analyzer(
        of_organisation=of_organisation, active=entry["status"] == "ACTIVE", created_on=moment_of(entry, "createdAt")
    )


def _finding(entry: Mapping[str, Any]) -> AnalyzerFinding | None:
    found = _BUCKET.fullmatch(name_of(entry, "resource"))
    if found is None:
        raise ValueError("resource")
    principal = entry.get("principal") or {}
    accounts = [_ACCOUNT.fullmatch(value) for value in principal.values()]
    return AnalyzerFinding(
        bucket=found[1],
        is_public=entry.get("isPublic") is True,
        accounts=tuple(one[1] for one in accounts if one) if all(accounts) else (),
        archived=entry["status"] == "ARCHIVED",
        failed=bool(entry.get("error")),
        beneath_control_policy=entry.get("resourceControlPolicyRestriction") == "APPLICABLE",
        updated_on=moment_of(entry, "updatedAt"),
    )
