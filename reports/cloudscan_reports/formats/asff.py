"""The findings of AWS accounts in the AWS Security Finding Format (2018-10-08), as Security Hub imports them.

Lengths are those of `AwsSecurityFinding` in the API reference. Findings outside AWS are omitted: Security Hub accepts a
finding only under an AWS account.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

import msgspec

from cloudscan.errors import ConfigurationError
from cloudscan.finding import Severity, State, Subject
from cloudscan.report import Report, ReportFormat
from cloudscan.sentence import say
from cloudscan.text import openable
from cloudscan_reports.formats.streamed import Items, Outline, indented
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import carriable, shortened, visible
from cloudscan_wording.worded_finding import WordedFinding, iso, tool, worded_findings

PRODUCT_ARN: Final = "arn:{partition}:securityhub:{region}:{account}:product/{account}/default"
"""The product that every account has for its own findings ("Using custom product integrations")."""

MOST_BYTES: Final = 240_000
"""Bytes of one finding. The lengths below keep every finding far below it."""

_PRODUCT: Final = re.compile(
    r"arn:(?:aws[a-z-]*|\{partition\}):securityhub:(?:[a-z0-9-]+|\{region\}):(?:[0-9]{12}|\{account\})?:product/"
    r"(?:[0-9A-Za-z._-]+|\{account\})/[0-9A-Za-z._-]+"
)
_REGION: Final = "us-east-1"  # for a resource without a region: the region of AWS's global services
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_REGION_NAME: Final = re.compile(r"[a-z]{2}(?:-[a-z]+){1,2}-[0-9]{1,2}")
_PARTITIONS: Final = {"cn": "aws-cn", "us-gov": "aws-us-gov"}
_LABELS: Final = {Severity.INFO: "INFORMATIONAL"}
_CONFIDENCES: Final = {"low": 30, "medium": 60, "high": 90}
_TYPES: Final = {"account": "AwsAccount", "bucket": "AwsS3Bucket", "access_point": "AwsS3AccessPoint"}
_WORKFLOWS: Final = {State.WAIVED: "SUPPRESSED", State.RESOLVED: "RESOLVED"}
_MOST_REQUIREMENTS: Final = 32


def write(report: Report, lang: str, *, product_arn: str = PRODUCT_ARN) -> Iterator[bytes]:
    """``{"Findings": […]}`` with the findings of AWS accounts, most urgent first.

    `product_arn` is a pattern: ``{partition}``, ``{region}`` and ``{account}`` are the finding's.
    """
    report = carriable(report)
    return indented(Outline({"Findings": Items(findings(report, load(lang, report.timezone), product_arn))}))


def findings(report: Report, texts: Texts, product_arn: str = PRODUCT_ARN) -> Iterator[dict[str, Any]]:
    """Each finding of an AWS account as `BatchImportFindings` accepts it, at most a hundred per call."""
    for worded in worded_findings(report, texts.lang):
        if _ACCOUNT.fullmatch(worded.verdict.subject.account):
            yield _finding(worded, report, texts, product_arn)


def omitted(report: Report) -> str:
    """How many findings have no place in the file, and why; empty if none."""
    count = sum(not _ACCOUNT.fullmatch(finding.verdict.subject.account) for finding in report.findings)
    if not count:
        return ""
    return say(
        "Of {total} findings, {count} are not in this file: they belong to no AWS account, and Security Hub takes no "
        "others.",
        total=len(report.findings),
        count=count,
    )


def _finding(worded: WordedFinding, report: Report, texts: Texts, product_arn: str) -> dict[str, Any]:
    finding, verdict, subject = worded.finding, worded.verdict, worded.verdict.subject
    region = _region(subject)
    severity = {"Label": _LABELS.get(finding.severity, finding.severity.upper()), "Original": finding.severity}
    types = [_type(worded)]
    exported: dict[str, Any] = {
        "SchemaVersion": "2018-10-08",
        "Id": f"cloudscan/{subject.account}/{finding.fingerprint}",
        "ProductArn": product_arn.format(partition=_partition(region), region=region, account=subject.account),
        "ProductName": "cloudscan",
        "CompanyName": "cloudscan",
        "GeneratorId": _text(f"cloudscan/{verdict.rule_id}", 512),
        "AwsAccountId": subject.account,
        "Types": types,
        "FirstObservedAt": iso(verdict.since or finding.first_seen_on),
        "LastObservedAt": iso(finding.last_seen_on),
        "CreatedAt": iso(finding.first_seen_on),
        "UpdatedAt": iso(report.generated_on),
        "Severity": severity,
        "Title": _text(worded.title, 256),
        "Description": _text(" ".join(filter(None, (worded.message, phrases.because(finding, texts.lang)))), 1024),
        "ProductFields": dict(_product_fields(worded, report, texts)),
        "Resources": [_resource(subject, region)],
        "Workflow": {"Status": _WORKFLOWS.get(finding.state, "NEW")},
        "RecordState": "ARCHIVED" if finding.state is State.RESOLVED else "ACTIVE",
        "FindingProviderFields": {"Severity": severity, "Types": types},
    }
    if worded.rule:
        exported["FindingProviderFields"]["Confidence"] = _CONFIDENCES[worded.rule.confidence]
    if worded.fix:
        exported["Remediation"] = {"Recommendation": {"Text": _text(worded.fix.replace("\n", " / "), 512)}}
    if worded.frameworks:
        exported["Compliance"] = {
            "Status": "PASSED" if finding.state is State.RESOLVED else "FAILED",
            "RelatedRequirements": [_text(name, 256) for name in worded.frameworks[:_MOST_REQUIREMENTS]],
        }
    return exported


def _type(worded: WordedFinding) -> str:
    """A path of the finding type taxonomy."""
    if phrases.audience_of(worded.verdict) == "not_access":
        return "Software and Configuration Checks/AWS Security Best Practices"
    return "Effects/Data Exposure"


def _product_fields(worded: WordedFinding, report: Report, texts: Texts) -> Iterator[tuple[str, str]]:
    finding, verdict = worded.finding, worded.verdict
    fields = {
        "ProviderName": tool(report)[0],
        "ProviderVersion": tool(report)[1],
        "cloudscan/Scan": report.scan.id,
        "cloudscan/Fingerprint": finding.fingerprint,
        "cloudscan/State": finding.state,
        "cloudscan/Change": worded.change,
        # Notes and the workflow status belong to the customer, who sets them with BatchUpdateFindings.
        "cloudscan/Ticket": " ".join(f"{ticket.key} {openable(ticket.url)}".strip() for ticket in worded.tickets),
        "cloudscan/Verified": "true" if finding.verified else "false",
        "cloudscan/Score": str(finding.score),
        "cloudscan/Cause": worded.cause,
        "cloudscan/Audience": phrases.audience_of(verdict),
        "cloudscan/Access": verdict.access or "",
        "cloudscan/Reach": phrases.reach(texts, verdict),
        "cloudscan/Owner": verdict.subject.owner,
        "cloudscan/Resources": str(verdict.resources),
        "cloudscan/Bytes": "" if verdict.bytes is None else str(verdict.bytes),
    }
    for name, value in fields.items():
        if value.strip():
            yield name, _text(value, 2048)


def _resource(subject: Subject, region: str) -> dict[str, Any]:
    name = _text(subject.name or subject.uid, 1024)
    resource: dict[str, Any] = {
        "Type": _TYPES.get(subject.kind, "Other"),
        "Id": _text(_arn(subject, _partition(region)) or subject.uid or subject.name, 512),
        "Partition": _partition(region),
        "Region": region,
    }
    if subject.kind == "bucket":
        resource["Details"] = {"AwsS3Bucket": {"Name": name, "OwnerAccountId": subject.account}}
    else:
        resource["Details"] = {
            "Other": {"Name": name, "Kind": _text(subject.kind, 1024), "Uid": _text(subject.uid, 1024)}
        }
    return resource


def _arn(subject: Subject, partition: str) -> str:
    """The id by which Security Hub knows the resource; empty if there is none."""
    match subject.kind:
        case "bucket":
            return f"arn:{partition}:s3:::{subject.name}"
        case "account":
            return f"AWS::::Account:{subject.account}"
        case _ if subject.path.startswith("arn:"):
            return subject.path
        case _:
            return ""


def _region(subject: Subject) -> str:
    region = str(subject.detail.get("region", ""))
    return region if len(region) <= 16 and _REGION_NAME.fullmatch(region) else _REGION


def _partition(region: str) -> str:
    return next((name for begin, name in _PARTITIONS.items() if region.startswith(f"{begin}-")), "aws")


def _text(text: str, most: int) -> str:
    """A text that fits the type `NonEmptyString`: visible, not empty, at most `most` characters."""
    return shortened(visible(text.replace("\n", " ")), most).strip() or "-"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[reports.asff]``."""

    product_arn: str = PRODUCT_ARN  # of your own product; {partition}, {region}, {account} are the finding's


def using(options: Options) -> ReportFormat:
    """The format with the configured product. Raises `ConfigurationError` if its ARN is not valid."""
    pattern = options.product_arn
    if not _PRODUCT.fullmatch(pattern):
        raise ConfigurationError(
            say(
                "[reports.asff]: product_arn cannot be {pattern}; write it like {product_arn}, or with a "
                "region, an account and a product of your own.",
                pattern=repr(pattern),
                product_arn=PRODUCT_ARN,
            )
        )
    return replace(ASFF, write=partial(write, product_arn=pattern))


ASFF = ReportFormat(
    name="asff",
    title="AWS Security Finding Format",
    suffix=".asff.json",
    write=write,
    omitted=omitted,
    options=Options,
    using=using,
)
