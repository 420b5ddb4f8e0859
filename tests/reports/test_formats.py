"""The formats for machines: valid by their owners' schemas, whatever the names, in both languages, at any size."""

import json
import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import msgspec
import pytest

from cloudscan.cli.output import report_to_file, write_private
from cloudscan.errors import ConfigurationError
from cloudscan.finding import Finding, State, Verdict
from cloudscan.fix import key_of
from cloudscan.report import Report, ReportFormat, Written
from cloudscan_reports.formats import asff, markdown, ndjson, sarif, xlsx
from cloudscan_reports.formats.csv import harmless
from cloudscan_wording.visible import shortened, visible
from tests.reports.hostile import NAMES, drenched
from tests.reports.synthetic import NOW, report, with_past
from tests.reports.validators import VALIDATORS, csv_rows, lines_of, read_slides, sheets, tokens
from tests.reports.written import whole

GROUP = "cloudscan.reports"
PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
DECLARED = {name: EntryPoint(name, value, GROUP) for name, value in PROJECT["entry-points"][GROUP].items()}
FORMATS: dict[str, ReportFormat] = {name: DECLARED[name].load() for name in VALIDATORS}
CELLS = json.loads(Path(__file__).with_name("csv_cells.json").read_text("utf-8"))

replace = msgspec.structs.replace
every_format = pytest.mark.parametrize("name", VALIDATORS)


def in_one_account(given: Report) -> Report:
    """The same under an AWS account: Security Hub takes no other."""
    return replace(given, findings=[with_subject(finding, account="000000000001") for finding in given.findings])


def with_subject(finding: Finding, **changes: Any) -> Finding:
    verdict = finding.verdict
    return replace(finding, verdict=replace(verdict, subject=replace(verdict.subject, **changes)))


def in_state(given: Report, state: State) -> Report:
    return replace(given, findings=[replace(finding, state=state) for finding in given.findings])


def unmapped(given: Report) -> Report:
    """The same with rules that stand for no framework's control."""
    return replace(given, rules=[replace(rule, frameworks=()) for rule in given.rules])


def sarif_run(given: Report, lang: str = "en") -> Any:
    return json.loads(whole(sarif.write, given, lang))["runs"][0]


def test_every_format_bears_the_name_it_is_asked_for() -> None:
    """Names and suffixes are as declared, and no two reports of a scan would overwrite each other."""
    formats = {name: entry.load() for name, entry in DECLARED.items()}

    assert {name: format_.name for name, format_ in formats.items()} == {name: name for name in formats}
    assert len({format_.suffix for format_ in formats.values()}) == len(formats)


@every_format
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_report_is_valid(name: str, lang: str) -> None:
    VALIDATORS[name](whole(FORMATS[name].write, report(60), lang))


@every_format
def test_an_empty_report_is_valid(name: str) -> None:
    """Nothing found and nothing missing; and no rules either."""
    empty = report(0, complete=True)

    VALIDATORS[name](whole(FORMATS[name].write, empty, "en"))
    VALIDATORS[name](whole(FORMATS[name].write, replace(empty, rules=(), coverage=(), organisation=""), "en"))


@every_format
@pytest.mark.parametrize("state", State)
def test_every_state_is_valid(name: str, state: State) -> None:
    VALIDATORS[name](whole(FORMATS[name].write, in_state(report(12), state), "en"))


@every_format
def test_a_finding_that_outlived_its_rule_is_valid(name: str) -> None:
    """It speaks for itself."""
    orphans = replace(report(12), rules=(), unknowns=())

    content = whole(FORMATS[name].write, orphans, "en")

    VALIDATORS[name](content)


@every_format
@pytest.mark.parametrize("index", range(len(NAMES)))
def test_a_hostile_name_changes_nothing(name: str, index: int) -> None:
    """One name wherever strangers can write: the file is as valid as before."""
    soaked = drenched(report(6), NAMES[index])

    for given in (soaked, in_one_account(soaked), unmapped(soaked)):
        VALIDATORS[name](whole(FORMATS[name].write, given, "ja"))


@every_format
def test_hostile_names_side_by_side(name: str) -> None:
    VALIDATORS[name](whole(FORMATS[name].write, report(len(NAMES), names=NAMES), "en"))
    VALIDATORS[name](whole(FORMATS[name].write, drenched(report(3), "".join(NAMES) + "\ufffe"), "en"))


@every_format
def test_japanese_is_said_in_japanese(name: str) -> None:
    """The message of the first finding stands in the file, in the report's language."""
    given = replace(report(1, complete=True), rules=report(1).rules)
    message = given.findings[0].message["ja"]

    content = whole(FORMATS[name].write, given, "ja")

    if name == "pptx":
        assert message in read_slides(cast("bytes", content))[0]
    elif isinstance(content, bytes):
        assert message in str(sheets(content))
    else:
        assert message in content.replace("`", "")


def test_the_same_report_is_the_same_file() -> None:
    """No clock, no chance: what is written depends on the report alone."""
    first = {name: whole(format_.write, report(5), "en") for name, format_ in FORMATS.items()}
    time.sleep(1.1)

    assert {name: whole(format_.write, report(5), "en") for name, format_ in FORMATS.items()} == first


@pytest.fixture(scope="module")
def large() -> Report:
    return report(1_000)


@every_format
def test_a_thousand_findings_are_written(name: str, large: Report) -> None:
    """`tests/bench/growth.py` measures how the time grows with their number."""
    content = whole(FORMATS[name].write, large, "ja")

    assert len(content) > 1_000


def test_a_line_of_ndjson_stands_alone() -> None:
    """It names its scan and what a filter asks of its rule."""
    line = lines_of(whole(ndjson.write, report(1), "ja"))[0]

    assert line["scan"] == report(1).scan.id
    assert line["rule"]["title"] == "任意のAWSアカウントが書き込めます"
    assert line["rule"]["frameworks"] == ["cis-aws-3.0#2.1.4", "iso27001-2022#A.5.15"]


@pytest.mark.parametrize(("text", "cell"), CELLS, ids=range(len(CELLS)))
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    """An apostrophe keeps it text, also where a separator of another country begins a new cell.

    The table that the page's button is tested with too (`test_page_in_browser`).
    """
    assert harmless(text) == cell


def test_csv_says_what_the_report_says() -> None:
    given = report(20)

    rows = csv_rows(whole(FORMATS["csv"].write, given, "en"))

    assert [row["fingerprint"] for row in rows] == [finding.fingerprint for finding in given.findings]
    assert rows[0]["severity"] == given.findings[0].severity
    assert rows[0]["message"] == given.findings[0].message["en"]
    assert rows[0]["first_seen"].endswith("Z")


def test_the_workbook_has_a_sheet_for_each_question() -> None:
    """Found, not judged, read or not, by which rules; with heads and words in the report's language."""
    given = report(20)

    written = sheets(xlsx.write(given, "ja"))

    assert {title: len(rows) - 1 for title, rows in written.items()} == {
        "対処一覧": len({key_of(one) for one in given.findings if one.state is not State.WAIVED}),
        "検出結果": len(given.findings),
        "変化": 0,
        "判定不能": len(given.unknowns),
        "スキャン範囲": len(given.coverage),
        "適合状況": 0,
        "ルール": len(given.rules),
    }
    head, first = written["検出結果"][:2]
    assert dict(zip(head, first, strict=True))["状態"] in ("未対応", "再発", "受容済み")
    assert dict(zip(head, first, strict=True))["最終検出"] == NOW.replace(tzinfo=None)


def test_a_name_in_the_workbook_is_a_text() -> None:
    """What looks like a formula, a number or a link is shown as it is written."""
    names = ("=1+1", "0123", "https://example.com", "_x0041_", "javascript:alert(1)")

    rows = sheets(xlsx.write(report(len(names), names=names), "en"))["Findings"]

    column = rows[0].index("Name")
    assert {row[column] for row in rows[1:]} == set(names)


def test_sarif_tells_open_waived_resolved_and_unknown_apart() -> None:
    results = [
        sarif_run(in_state(report(1, complete=True), state))["results"][0]
        for state in (State.OPEN, State.WAIVED, State.RESOLVED)
    ]
    unknown = sarif_run(report(0))["results"][0]

    assert [(result["kind"], len(result["suppressions"])) for result in results] == [
        ("fail", 0),
        ("fail", 1),
        ("pass", 0),
    ]
    assert unknown["kind"] == "open"
    assert unknown["message"]["text"].startswith("Not evaluated")


def test_a_sarif_result_keeps_its_fingerprint() -> None:
    """The ledger's fingerprint is what tools match results by from scan to scan."""
    given = report(3)

    results = sarif_run(given)["results"]

    assert [result["partialFingerprints"]["cloudscan/v1"] for result in results[:3]] == [
        finding.fingerprint for finding in given.findings
    ]


def test_a_sarif_rule_explains_itself() -> None:
    (rule, *_) = sarif_run(report(1))["tool"]["driver"]["rules"]

    assert rule["shortDescription"]["text"] == "Bucket policy lets anyone read"
    assert "aws s3api put-public-access-block" in rule["help"]["text"]
    assert rule["properties"]["security-severity"] == "9.5"


@pytest.mark.parametrize(
    ("uid", "uri"),
    [
        ("s3:bucket/acme media", "s3/bucket/acme%20media"),
        ("s3:bucket/../../etc/passwd", "s3%3Abucket%2F..%2F..%2Fetc%2Fpasswd"),
        ("//evil.example/x", "%2F%2Fevil.example%2Fx"),
        ("javascript:alert(1)", "javascript/alert%281%29"),
    ],
)
def test_a_uid_as_uri_stays_in_its_folder(uid: str, uri: str) -> None:
    assert sarif.relative_uri(uid) == uri


def test_a_sarif_message_holds_no_placeholder_and_no_link() -> None:
    assert sarif.message_text("{0} [x](javascript:alert)") == "{{0}} [x] (javascript:alert)"


def test_sarif_says_what_was_not_read() -> None:
    """Gaps are notifications, and a scan with gaps was no success. What is waived or not offered is a note."""
    (invocation,) = sarif_run(with_past(report(0)))["invocations"]

    assert not invocation["executionSuccessful"]
    by_question = {each["properties"].get("question"): each for each in invocation["toolExecutionNotifications"]}
    refused = by_question["s3-bucket-policy"]
    assert refused["level"] == "error"
    assert refused["properties"]["reason"] == "s3-not-in-policy"
    assert refused["properties"]["standing"] == "known"
    assert refused["message"]["text"].endswith("Permission needed: s3:GetBucketPolicy")
    assert [by_question[name]["level"] for name in ("toy-sign-ins", "s3-directory-buckets")] == ["note", "note"]


def test_every_format_for_machines_names_tickets_and_what_changed() -> None:
    """The first finding is new since the scan before and has a ticket; most have neither."""
    given = with_past(report(20))
    first = given.findings[0].fingerprint

    (row,) = [row for row in csv_rows(whole(FORMATS["csv"].write, given, "en")) if row["fingerprint"] == first]
    line = json.loads(str(whole(FORMATS["ndjson"].write, given, "en")).splitlines()[0])
    results = sarif_run(given)["results"]

    assert (row["change"], row["ticket"]) == ("new", "OPS-0")
    assert line["change"] == "new"
    assert line["tickets"][0]["key"] == "OPS-0"
    assert results[0]["workItemUris"] == ["https://jira.example.com/browse/OPS-0"]
    assert results[0]["properties"]["change"] == "new"
    assert "workItemUris" not in results[1]
    assert "`OPS-0`" in whole(FORMATS["markdown"].write, given, "en")


def test_only_a_web_address_is_a_work_item() -> None:
    given = with_past(report(1))
    fingerprint = given.findings[0].fingerprint
    link = replace(given.tickets[fingerprint][0], url="javascript:alert(1)")

    (result, *_) = sarif_run(replace(given, tickets={fingerprint: [link]}))["results"]

    assert "workItemUris" not in result


def test_an_ocsf_class_follows_the_rule() -> None:
    """Mapped to a control: a compliance finding. Else: a detection."""
    (mapped,) = lines_of(whole(FORMATS["ocsf"].write, report(1), "en"))
    (bare,) = lines_of(whole(FORMATS["ocsf"].write, unmapped(report(1)), "en"))

    assert (mapped["class_uid"], mapped["compliance"]["status"]) == (2003, "Fail")
    assert (bare["class_uid"], "compliance" in bare) == (2004, False)


def test_an_ocsf_event_tells_new_from_known() -> None:
    given = report(1)
    new = replace(given, findings=[replace(given.findings[0], first_seen_on=given.scan.started_on)])
    gone = in_state(given, State.RESOLVED)

    events = [lines_of(whole(FORMATS["ocsf"].write, one, "en"))[0] for one in (new, given, gone)]

    assert [event["activity_name"] for event in events] == ["Create", "Update", "Close"]


def test_security_hub_gets_findings_of_aws_only() -> None:
    """A drive has no AWS account to file its findings under."""
    given = report(2)
    mixed = replace(given, findings=[given.findings[0], with_subject(given.findings[1], account="C01abcd23")])

    exported = json.loads(whole(asff.write, mixed, "en"))["Findings"]

    assert [finding["Id"].rpartition("/")[2] for finding in exported] == [given.findings[0].fingerprint]
    assert asff.omitted(mixed).startswith("Of 2 findings, 1 are not in this file: they belong to no AWS account")
    assert asff.omitted(given) == ""


def test_the_product_arn_is_the_accounts_own_unless_told() -> None:
    given = in_one_account(report(1))
    detail = {"region": "cn-north-1"}
    chinese = replace(given, findings=[with_subject(finding, detail=detail) for finding in given.findings])

    (here,) = json.loads(whole(asff.write, given, "en"))["Findings"]
    (there,) = json.loads(whole(asff.write, chinese, "en"))["Findings"]
    own = asff.using(asff.Options(product_arn="arn:aws:securityhub:{region}::product/x/y"))
    (exported,) = json.loads(whole(own.write, given, "en"))["Findings"]

    assert here["ProductArn"] == "arn:aws:securityhub:ap-northeast-1:000000000001:product/000000000001/default"
    assert there["ProductArn"] == "arn:aws-cn:securityhub:cn-north-1:000000000001:product/000000000001/default"
    assert exported["ProductArn"] == "arn:aws:securityhub:ap-northeast-1::product/x/y"


def junit_case(given: Report, rule_id: str, account: str) -> ET.Element:
    root = ET.fromstring(str(whole(FORMATS["junit"].write, given, "en")).encode())
    (case,) = root.findall(f"testsuite[@name='{rule_id}']/testcase[@name='s3:{account}']")
    return case


def test_an_open_finding_fails_its_case() -> None:
    given = report(1)
    verdict: Verdict = given.findings[0].verdict

    failed = junit_case(given, verdict.rule_id, verdict.subject.account)
    waived = junit_case(in_state(given, State.WAIVED), verdict.rule_id, verdict.subject.account)

    assert given.findings[0].message["en"] in str(failed.findtext("failure"))
    assert waived.find("failure") is None
    assert "Waived" in str(waived.findtext("system-out"))


def test_what_was_not_seen_does_not_pass() -> None:
    """An account that refused, and a rule that could not judge: skipped, with the reason."""
    refused = junit_case(report(0), "s3-access-logs-off", "000000000009").find("skipped")
    untold = junit_case(report(0), "s3-policy-open-to-read", "000000000003").find("skipped")

    assert refused is not None
    assert "no answer from https://s3.example. Check the network" in refused.attrib["message"]
    assert untold is not None
    assert "acme-locked-00" in str(untold.text)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_markdown_is_code(name: str) -> None:
    """It shows as it is written, cut at some length, and stays in its cell."""
    contents = [token.content for token in tokens(markdown.write(report(1, names=(name,)), "en"))]

    expected = shortened(visible(name), 120).replace("|", "\uff5c")
    assert not name or expected in contents


def test_a_framework_is_told_control_by_control() -> None:
    """What passed, failed, could not be judged, was not seen, has no rule, and how far rules can check it at all."""
    given = with_past(report(5))

    rows = sheets(xlsx.write(given, "en"))["Frameworks"]
    text = markdown.write(given, "en")

    assert [list(row[1:5]) for row in rows[1:]] == [
        ["A.5.15", "Access control", "Failed", "Partly checked"],
        ["A.5.18", "Access rights", "Not evaluated", "Partly checked"],
        ["A.8.3", "Information access restriction", "Passed", "Partly checked"],
        ["A.8.15", "Logging", "Not visible: nothing of this kind was seen", "Partly checked"],
        ["A.8.9", "Configuration management", "Not covered by a rule", "Cannot be seen"],
    ]
    assert rows[5][5] == "What Configuration management leaves open."
    assert "Failed 1, Not evaluated 1, Passed 1, Not visible" in text
    assert "| `A.5.15` Access control | Failed | Partly checked |" in text
    assert "No rule can check these: `A.8.9`" in text


def test_markdown_names_what_comes_first() -> None:
    text = markdown.write(report(120), "ja")

    assert "現在のリスクと優先して行う対応" in text
    assert text.index("最大のリスク") < text.index("最優先の対応") < text.index("推移") < text.index("未確認の範囲")
    assert "… ほか" in text
    assert len(text) < 30_000


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    """Who lacks a format's package is told what to install, and sees no stack trace."""

    def write(_report: Report, _lang: str) -> bytes:
        raise ModuleNotFoundError(name="xlsxwriter")

    with pytest.raises(ConfigurationError, match=r"xlsxwriter.*\[xlsx\]"):
        report_to_file(tmp_path / "report", named("xlsx", write), report(0), "en")


def test_pieces_are_written_one_by_one(tmp_path: Path) -> None:
    """Text, UTF-8 and both, by whatever gives them; what UTF-8 cannot carry is written out."""
    file = tmp_path / "report"

    report_to_file(
        file, named("own", lambda _report, _lang: (part for part in ("名", b"\xe7\xb0\xbf", "\ud800"))), report(0), "en"
    )

    assert file.read_bytes() == "名簿\\ud800".encode()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_report_that_breaks_off_leaves_the_one_before(tmp_path: Path) -> None:
    def write(_report: Report, _lang: str) -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError

    file = tmp_path / "report"
    file.write_bytes(b"yesterday's")

    with pytest.raises(RuntimeError):
        report_to_file(file, named("own", write), report(0), "en")

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"yesterday's"]


@pytest.mark.parametrize("content", [None, [1], 7])
def test_what_is_no_file_is_said(content: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="text or bytes"):
        report_to_file(tmp_path / "report", named("own", lambda _report, _lang: content), report(0), "en")


def named(name: str, write: Callable[[Report, str], Written]) -> ReportFormat:
    return ReportFormat(name=name, title="", suffix="", write=write)


def test_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    """Readable by their owner only, as a text is."""
    file = tmp_path / "reports" / "book.xlsx"

    write_private(file, b"PK\r\n\xff")

    assert file.read_bytes() == b"PK\r\n\xff"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_date_before_excels_calendar_is_a_text() -> None:
    given = report(1)
    old = replace(given.findings[0].verdict, since=NOW - timedelta(days=365 * 150))

    rows = sheets(xlsx.write(replace(given, findings=[replace(given.findings[0], verdict=old)]), "en"))["Findings"]

    assert str(rows[1][rows[0].index("Open since")]).startswith("1876-")
