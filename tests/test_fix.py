"""Findings that one change fixes."""

import msgspec

from cloudscan.finding import Evidence, Finding, Severity
from cloudscan.fix import fixes
from tests.reports.synthetic import report

LINK = {"origin_uid": "gdrive:file/root"}
FRIEND = {"origin_uid": "gdrive:file/root", "principal_uid": "gdrive:user/friend"}


def test_what_a_link_offends_is_one_fix_led_by_the_worst() -> None:
    given = [about(0, Severity.LOW, LINK), about(1, Severity.CRITICAL, LINK)]

    (fix,) = fixes(given)

    assert [finding.severity for finding in fix.findings] == [Severity.CRITICAL, Severity.LOW]
    assert fix.lead is fix.findings[0]
    assert fix.severity is Severity.CRITICAL


def test_another_principal_on_the_same_folder_is_another_fix() -> None:
    assert len(fixes([about(0, Severity.HIGH, LINK), about(1, Severity.HIGH, FRIEND)])) == 2


def test_settings_of_one_bucket_are_a_fix_each() -> None:
    """A log that is off and a version that is not kept are on one bucket, and are two things to do."""
    assert len(fixes([about(0, Severity.HIGH, {}), about(1, Severity.HIGH, {})])) == 2


def test_several_origins_are_no_common_change() -> None:
    given = about(0, Severity.HIGH, LINK, {"origin_uid": "gdrive:file/other"})

    (fix,) = fixes([given])

    assert fix.key == given.fingerprint


def test_the_key_outlives_severity_and_rule() -> None:
    (before,), (after,) = fixes([about(0, Severity.LOW, LINK)]), fixes([about(1, Severity.CRITICAL, LINK)])

    assert before.key == after.key


def about(number: int, severity: Severity, *rows: dict[str, str]) -> Finding:
    finding = report(4).findings[number]
    subject = msgspec.structs.replace(finding.verdict.subject, account="kumo.example")
    evidence = tuple(Evidence(row=row) for row in rows)
    verdict = msgspec.structs.replace(finding.verdict, evidence=evidence, subject=subject)
    return msgspec.structs.replace(finding, verdict=verdict, severity=severity)
