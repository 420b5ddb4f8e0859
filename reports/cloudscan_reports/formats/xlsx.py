"""The report as an Excel workbook (Office Open XML): a sheet each for fixes, findings, coverage, rules.

Every text is written as a string, never as a formula, a number or a link. XlsxWriter, which writes the file, is the
extra `xlsx` and is imported only here.
"""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from cloudscan.days import zone
from cloudscan.facts import Outcome
from cloudscan.finding import Verdict
from cloudscan.framework import ControlResult, FrameworkResult
from cloudscan.report import Difference, Report, ReportFormat, RuleSummary
from cloudscan.text import openable
from cloudscan_reports.formats.columns import Cell, Column, columns
from cloudscan_reports.summary.named_case import named_case
from cloudscan_reports.summary.open_fixes import OpenFix, open_fixes
from cloudscan_reports.summary.opinions import WordedOpinion, worded_opinions
from cloudscan_reports.summary.partners import WordedPartner, worded_partners
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import for_xml, shortened
from cloudscan_wording.worded_finding import WordedFinding, worded_findings
from cloudscan_wording.worded_gap import WordedGap, worded_coverage

# Excel's limits ("Excel specifications and limits"): 32,767 characters in a cell; one beyond U+FFFF counts as two.
_MOST_CHARACTERS = 16_000
_MOST_ROWS = 1_048_576
_FIRST_DAY = datetime(1900, 3, 1, tzinfo=UTC)  # before it Excel's calendar is wrong
_WIDTH = 18
_WIDTHS = {
    **dict.fromkeys(("message", "why", "fix"), 70),
    **dict.fromkeys(("reason", "advice", "hides", "unseen"), 60),
    "title": 50,
    **dict.fromkeys(("reach", "question"), 45),
    **dict.fromkeys(("name", "needs"), 40),
    **dict.fromkeys(("theirs", "ours"), 60),
}
_COVERAGE = (
    "platform",
    "account",
    "scope",
    "resource",
    "table",
    "outcome",
    "standing",
    "question",
    "reason",
    "advice",
    "needs",
    "hides",
    "first_seen",
    "waived",
    "gap",
    "seen",
    "total",
    "facts",
    "requests",
)
_RULES = (
    "rule",
    "title",
    "severity",
    "confidence",
    "cause",
    "likelihood",
    "effort",
    "flagged",
    "unknown",
    "passed",
    "frameworks",
    "why",
    "fix",
    "version",
)
_FIXES = ("severity", "message", "reach", "owner", "platform", "account", "since", "age", "due", "overdue",
          "findings", "score", "ticket", "uid")  # fmt: skip
_CONTROLS = ("framework", "control", "title", "status", "extent", "unseen", "flagged", "unknown", "passed",
             "waived_findings", "rules", "url")  # fmt: skip
_CHANGES = ("change", "severity", "title", "name", "platform", "account", "reason", "rejudged", "rule", "uid",
            "fingerprint")  # fmt: skip
_PARTNERS = ("partner", "contract", "contract_state", "starts", "ends", "owner", "deputy", "purpose", "personal_data",
             "people", "others", "resources", "platforms", "since", "last_seen", "findings", "uid")  # fmt: skip
_OPINIONS = ("name", "platform", "account", "opinion", "theirs", "ours", "uid")
_UNKNOWNS = ("rule", "title", "platform", "account", "kind", "name", "path", "uid")


def write(report: Report, lang: str) -> bytes:
    """The workbook, row by row: no sheet is kept in memory. Raises ModuleNotFoundError without XlsxWriter."""
    import xlsxwriter

    texts = load(lang, report.timezone)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False},
    )
    created = report.generated_on.astimezone(UTC).replace(tzinfo=None)
    book.set_properties({"title": texts.say("page.title"), "created": created})
    shown = columns(texts)
    rules = {rule.id: rule for rule in report.rules}
    sheets = _Sheets(book, texts)
    sheets.add("fixes", _FIXES, (_fix(one, report, texts) for one in open_fixes(report)))
    sheets.add(
        "findings",
        [column.key for column in shown],
        (_finding(worded, shown, texts) for worded in worded_findings(report, lang)),
    )
    changes = report.changes.differences if report.changes else ()
    sheets.add(
        "changes", _CHANGES, (_change(difference, rules.get(difference.rule_id), texts) for difference in changes)
    )
    sheets.add(
        "unknowns", _UNKNOWNS, (_unknown(verdict, rules.get(verdict.rule_id), texts) for verdict in report.unknowns)
    )
    sheets.add("coverage", _COVERAGE, (_coverage(gap, texts) for gap in worded_coverage(report, texts)))
    if report.partners:
        sheets.add("partners", _PARTNERS, (_partner(one, texts) for one in worded_partners(report, texts)))
    if report.opinions:
        sheets.add("opinions", _OPINIONS, (_opinion(one, texts) for one in worded_opinions(report.opinions, texts)))
    sheets.add("frameworks", _CONTROLS, (_control(*pair, texts) for pair in _controls(report)))
    sheets.add("rules", _RULES, (_rule(rule, texts) for rule in report.rules))
    book.close()
    return out.getvalue()


class _Sheets:
    """Writes tables into sheets; one that is too long for a sheet continues in the next."""

    def __init__(self, book: Any, texts: Texts) -> None:
        self._book = book
        self._texts = texts
        self._head = book.add_format({"bold": True, "bottom": 1})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})

    def add(self, name: str, keys: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        title = self._texts.say(f"formats.{name}")
        part, row_number = 1, 0
        sheet = self._begun(title, keys)
        for row in rows:
            row_number += 1
            if row_number == _MOST_ROWS:
                sheet.autofilter(0, 0, row_number - 1, len(keys) - 1)
                part, row_number = part + 1, 1
                sheet = self._begun(f"{title} {part}", keys)
            for at, value in enumerate(row):
                self._put(sheet, row_number, at, value)
        sheet.autofilter(0, 0, row_number, len(keys) - 1)

    def _begun(self, title: str, keys: Sequence[str]) -> Any:
        sheet = self._book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for at, key in enumerate(keys):
            sheet.set_column(at, at, _WIDTHS.get(key, _WIDTH))
            sheet.write_string(0, at, self._texts.say(f"columns.{key}"), self._head)
        return sheet

    def _put(self, sheet: Any, row: int, at: int, value: Cell) -> None:
        match value:
            case None | "":
                return
            case bool():
                sheet.write_string(row, at, self._texts.say("formats.yes" if value else "formats.no"))
            case datetime() if value >= _FIRST_DAY:
                local = value.astimezone(zone(self._texts.timezone)).replace(tzinfo=None)
                sheet.write_datetime(row, at, local, self._moment)
            case int() | float():
                sheet.write_number(row, at, value)
            case _:
                sheet.write_string(row, at, shortened(for_xml(str(value)), _MOST_CHARACTERS))


def _finding(worded: WordedFinding, shown: Sequence[Column], texts: Texts) -> list[Cell]:
    platform = worded.verdict.subject.platform
    return [_worded(column.value(worded), column.group, texts, platform) for column in shown]


def _worded(value: Cell, group: str, texts: Texts, platform: str = "") -> Cell:
    return texts.name(group, value, platform) if group and isinstance(value, str) and value else value


def _change(difference: Difference, rule: RuleSummary | None, texts: Texts) -> list[Cell]:
    return [
        _worded(difference.kind, "change", texts),
        _worded(difference.severity or "", "severity", texts),
        phrases.rule_text(rule, texts.lang).title if rule else "",
        difference.name,
        _worded(difference.platform, "platform", texts),
        difference.account,
        _worded(difference.reason, "event", texts),
        phrases.rejudged(texts, difference.rejudged),
        difference.rule_id,
        difference.uid,
        difference.fingerprint,
    ]


def _unknown(verdict: Verdict, rule: RuleSummary | None, texts: Texts) -> list[Cell]:
    subject = verdict.subject
    return [
        verdict.rule_id,
        phrases.rule_text(rule, texts.lang).title if rule else "",
        _worded(subject.platform, "platform", texts),
        subject.account,
        _worded(subject.kind, "kind", texts),
        subject.name,
        subject.path,
        subject.uid,
    ]


def _coverage(gap: WordedGap, texts: Texts) -> list[Cell]:
    row = gap.row
    whole = row.outcome is Outcome.COMPLETE
    return [
        _worded(row.platform, "platform", texts),
        row.account,
        row.scope_name or row.scope_uid,
        row.resource_uid,
        _worded(row.table, "table", texts),
        _worded(row.outcome, "outcome", texts),
        "" if whole else _worded(gap.standing, "standing", texts),
        gap.asked if row.question else "",
        gap.why if row.reason else "",
        gap.advice,
        row.needs,
        gap.hides,
        gap.since,
        phrases.waived_by(texts, gap.waiver) if gap.waiver else "",
        row.gap,
        row.seen,
        row.total,
        row.facts,
        row.requests,
    ]


def _fix(one: OpenFix, report: Report, texts: Texts) -> list[Cell]:
    case, subject = named_case(one, report, texts), one.worst.verdict.subject
    return [
        _worded(one.severity, "severity", texts),
        case.message,
        case.who,
        case.owner,
        _worded(subject.platform, "platform", texts),
        subject.account,
        one.opened_on,
        round(one.age),
        case.due,
        one.overdue if report.deadlines else "",
        len(one.fix.findings),
        round(one.fix.score, 1),
        " ".join(case.tickets),
        one.fix.origin,
    ]


def _partner(one: WordedPartner, texts: Texts) -> list[Cell]:
    partner = one.partner
    return [
        partner.name,
        partner.contract,
        one.state,
        one.starts,
        one.until,
        partner.owner,
        partner.deputy,
        partner.purpose,
        partner.personal_data,
        partner.people,
        partner.others,
        partner.resources,
        " ".join(texts.name("platform", platform) for platform in partner.platforms),
        partner.since,
        partner.last_seen_on,
        len(one.findings),
        partner.uid,
    ]


def _opinion(one: WordedOpinion, texts: Texts) -> list[Cell]:
    difference = one.difference
    return [
        difference.name,
        _worded(difference.platform, "platform", texts),
        difference.account,
        one.outcome,
        one.theirs,
        one.ours,
        difference.uid,
    ]


def _controls(report: Report) -> Iterable[tuple[FrameworkResult, ControlResult]]:
    return ((framework, control) for framework in report.frameworks for control in framework.controls)


def _control(framework: FrameworkResult, control: ControlResult, texts: Texts) -> list[Cell]:
    return [
        framework.title_in(texts.lang),
        control.id,
        control.title_in(texts.lang),
        texts.name("control", control.standing),
        _worded(control.extent, "extent", texts),
        control.unseen_in(texts.lang),
        control.flagged,
        control.unknown,
        control.passed,
        control.waived,
        " ".join(control.rules),
        openable(framework.url),
    ]


def _rule(rule: RuleSummary, texts: Texts) -> list[Cell]:
    text = phrases.rule_text(rule, texts.lang)
    return [
        rule.id,
        text.title,
        _worded(rule.severity, "severity", texts),
        _worded(rule.confidence, "level", texts),
        _worded(rule.cause, "cause", texts),
        rule.likelihood,
        _worded(rule.effort, "level", texts),
        rule.flagged,
        rule.unknown,
        rule.passed,
        " ".join(rule.frameworks),
        text.why,
        text.fix.strip().replace("\n", " / "),
        rule.version,
    ]


XLSX = ReportFormat(name="xlsx", title="Excel", suffix=".xlsx", write=write, packages=("xlsxwriter",))
