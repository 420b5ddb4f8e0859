"""Second opinions in the report: a section, a sheet, a line; both reasons in words; nothing where none was had."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloudscan.connector import Yielded
from cloudscan.engine.judge import judge
from cloudscan.facts import Setting
from cloudscan.ledger.ledger import Ledger
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.redaction.redactor import Redactor
from cloudscan.report import Report
from cloudscan.second_opinion import OpinionDifference, OpinionOutcome, SecondOpinions
from cloudscan_reports.formats import json as json_format
from cloudscan_reports.formats import terminal, xlsx
from cloudscan_reports.page import html as page
from cloudscan_reports.summary.opinions import worded_opinions
from cloudscan_wording.texts import load
from tests.kit.facts import file
from tests.kit.organisation import joined
from tests.reports.hostile import NAMES
from tests.reports.synthetic import report
from tests.reports.validators import sheets


def difference(outcome: OpinionOutcome, *reasons: str, **changes: Any) -> OpinionDifference:
    known = {"uid": "s3:bucket/orders", "name": "orders", "platform": "s3", "account": "111122223333"}
    return OpinionDifference(**{**known, **changes}, outcome=outcome, reasons=reasons)


def with_opinions(*differences: OpinionDifference) -> Report:
    """A report of some findings, with two agreements and these differences."""
    return msgspec.structs.replace(report(3), opinions=SecondOpinions(agreements=2, differences=differences))


BOTH_WAYS = with_opinions(
    difference(OpinionOutcome.ONLY_THERE, "s3-restrict-public-buckets"),
    difference(OpinionOutcome.ONLY_HERE, "acl-admits-any-account"),
    difference(OpinionOutcome.TOO_YOUNG),
)


@pytest.mark.parametrize(
    ("outcome", "reasons", "theirs", "ours"),
    [
        (
            OpinionOutcome.ONLY_THERE,
            ["nothing-admits-them"],
            "External callers get in",
            "No external caller gets in: nothing admits them",
        ),
        (
            OpinionOutcome.ONLY_THERE,
            ["archived", "nothing-admits-them"],
            "External callers get in: somebody has accepted it there (archived)",
            "No external caller gets in: nothing admits them",
        ),
        (
            OpinionOutcome.ONLY_THERE,
            ["s3-deny", "s3-ignore-public-acls"],
            "External callers get in",
            "No external caller gets in: a Deny statement; IgnorePublicAcls (Block Public Access)",
        ),
        (
            OpinionOutcome.ONLY_HERE,
            ["policy-admits-anyone-with-link"],
            "Reports nothing",
            "External callers get in: A policy (Anyone on the internet)",
        ),
        (
            OpinionOutcome.EXPLAINED,
            ["zone-of-trust"],
            "External callers get in: they belong to accounts of the organisation, "
            "which are outside the analyzer's zone of trust",
            "No external caller gets in",
        ),
        (
            OpinionOutcome.EXPLAINED,
            ["access-point-of-another-account"],
            "Reports nothing: the way in is an access point of another account, which the analyzer does not look at",
            "External callers get in",
        ),
        (
            OpinionOutcome.TOO_YOUNG,
            ["analyzer-not-ready"],
            "Reports nothing: the analyzer is new or not active",
            "External callers get in",
        ),
        (OpinionOutcome.FILLS_IN, [], "External callers get in", "Could not be read"),
        (OpinionOutcome.SILENT, [], "Reports nothing", "Could not be read"),
        (OpinionOutcome.NOT_ANALYSED, [], "Failed on this bucket", "No comparison"),
    ],
)
def test_both_reasons_are_in_words(outcome: OpinionOutcome, reasons: list[str], theirs: str, ours: str) -> None:
    opinions = SecondOpinions(agreements=0, differences=[difference(outcome, *reasons)])

    (worded,) = worded_opinions(opinions, load("en"))

    assert (worded.theirs, worded.ours) == (theirs, ours)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["Same result: 2. Contradictions: 2. Other differences: 1.", "RestrictPublicBuckets"]),
        ("ja", ["一致：2件、矛盾：2件、その他の相違：1件。", "項目（対象：AWSアカウントを持つ人全員）"]),
    ],
)
def test_the_page_and_the_text_say_how_they_compare(lang: str, words: list[str]) -> None:
    written = str(page.HTML.write(BOTH_WAYS, lang))

    section = written.partition('<section id="opinions"')[2].partition("</section>")[0]
    assert not [word for word in ("orders", "111122223333", *words) if word not in section], section
    assert words[0] in terminal.summary(BOTH_WAYS, lang, colour=False, width=110)


def test_the_workbook_has_a_sheet_of_differences() -> None:
    rows = sheets(xlsx.write(BOTH_WAYS, "en"))["Second opinion"]

    assert list(rows[0][-3:]) == ["The analyzer says", "cloudscan says", "ID"]
    assert [row[4] for row in rows[1:]] == ["External callers get in", "Reports nothing", "External callers get in"]


def test_the_data_have_the_codes() -> None:
    written = b"".join(json_format.write(BOTH_WAYS, "en"))

    opinions = json.loads(written)["opinions"]

    assert opinions["agreements"] == 2
    assert [one["outcome"] for one in opinions["differences"]] == ["only_there", "only_here", "too_young"]


def test_without_an_opinion_there_is_nothing() -> None:
    assert 'id="opinions"' not in str(page.HTML.write(report(3), "en"))
    assert "Second opinion" not in sheets(xlsx.write(report(3), "en"))
    assert "Analyzer" not in terminal.summary(report(3), "en", colour=False, width=110)


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_bucket_is_only_text(name: str) -> None:
    hostile = with_opinions(difference(OpinionOutcome.ONLY_THERE, name, name=name, account=name))

    section = str(page.HTML.write(hostile, "en")).partition('<section id="opinions"')[2].partition("</section>")[0]

    assert "<script" not in section
    assert "<img" not in section


def test_an_earlier_report_has_no_opinion() -> None:
    """The ledger gives back reports that were stored before there were opinions."""
    stored = msgspec.to_builtins(report(3))
    del stored["opinions"]

    assert msgspec.convert(stored, Report).opinions is None


def test_redacted_they_name_nothing() -> None:
    redacted = Redactor(key=b"k" * 32).report(BOTH_WAYS)

    assert redacted.opinions is not None
    assert [one.outcome for one in redacted.opinions.differences] == ["only_there", "only_here", "too_young"]
    assert redacted.opinions.differences[0].reasons == ["s3-restrict-public-buckets"]
    told = msgspec.json.encode(redacted.opinions).decode()
    assert "orders" not in told
    assert "111122223333" not in told


def said(name: str, outcome: str, reasons: str = "") -> list[Yielded]:
    """A resource, and the settings that tell how the opinions of it compare."""
    uid = f"toy:{name}"
    return [
        file(name),
        Setting(scope_uid=uid, name="second_opinion", value=outcome),
        Setting(scope_uid=uid, name="second_opinion_reasons", value=reasons),
    ]


def recorded(folder: Path, *facts: Yielded) -> Report:
    """The report that the ledger gives back after a scan that found these facts."""
    ledger = Ledger(f"sqlite:///{folder}/ledger.db")
    with joined(folder, Knowledge(), facts) as snapshot:
        ledger.record(snapshot, judge(snapshot, []), organisation="Acme")
    latest = ledger.latest()
    assert latest is not None
    return latest


def test_the_ledger_keeps_what_a_scan_said(tmp_path: Path) -> None:
    report = recorded(
        tmp_path,
        *said("young", "too_young", "analyzer-not-ready"),
        *said("same", "agrees"),
        *said("closed", "only_there", "s3-deny, s3-ignore-public-acls"),
        *said("later", "an_outcome_of_tomorrow"),
    )

    assert report.opinions is not None
    assert report.opinions.agreements == 1
    assert [(one.name, one.account, one.outcome, one.reasons) for one in report.opinions.differences] == [
        ("closed", "acme", "only_there", ["s3-deny", "s3-ignore-public-acls"]),
        ("young", "acme", "too_young", ["analyzer-not-ready"]),
    ]
    assert [one.uid for one in report.opinions.differences] == ["toy:closed", "toy:young"]


def test_a_scan_without_an_opinion_records_none(tmp_path: Path) -> None:
    assert recorded(tmp_path, file("closed")).opinions is None
