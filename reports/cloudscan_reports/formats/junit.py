"""The report as JUnit XML: a suite per rule, a test case per rule and account. For CI pipelines.

It follows the schema of Jenkins' xUnit plugin (`junit-10.xsd`). An open finding fails its case. If a rule could not be
evaluated, or the account could not be read, the case is skipped: nothing that was not seen is shown as passed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from cloudscan.facts import EVERYTHING, Hidden, Outcome
from cloudscan.finding import State, Verdict
from cloudscan.report import Report, ReportFormat, RuleSummary
from cloudscan_reports.summary.counts import NEEDING_WORK
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import for_xml
from cloudscan_wording.worded_finding import WordedFinding, iso, not_evaluated, tool, worded_findings
from cloudscan_wording.worded_gap import hidden_by, worded_gaps

Account = tuple[str, str]
"""Platform and account."""
_NOT_READ = (Outcome.DENIED, Outcome.FAILED, Outcome.SKIPPED)


@dataclass(kw_only=True)
class _Case:
    """What one rule says about one account."""

    failed: list[WordedFinding] = field(default_factory=list)
    waived: list[WordedFinding] = field(default_factory=list)
    unknown: list[Verdict] = field(default_factory=list)


def write(report: Report, lang: str) -> str:
    """The whole document. Texts are in `lang`."""
    texts = load(lang, report.timezone)
    root = ET.Element("testsuites", {"name": _attribute(" ".join(tool(report))), "time": "0"})
    blind = _blind(report, texts)
    accounts = _accounts(report)
    cases = _cases(report, lang)
    rules = {rule.id: rule for rule in report.rules}
    for rule_id in dict.fromkeys((*rules, *cases)):
        suite = _suite(rule_id, rules.get(rule_id), cases.get(rule_id, {}), accounts, blind, texts)
        suite.set("timestamp", iso(report.scan.started_on))
        suite.set("id", str(len(root)))
        root.append(suite)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _cases(report: Report, lang: str) -> Mapping[str, Mapping[Account, _Case]]:
    cases: dict[str, dict[Account, _Case]] = defaultdict(lambda: defaultdict(_Case))
    for worded in worded_findings(report, lang):
        case = cases[worded.verdict.rule_id][worded.verdict.subject.platform, worded.verdict.subject.account]
        if worded.finding.state in NEEDING_WORK:
            case.failed.append(worded)
        elif worded.finding.state is State.WAIVED:
            case.waived.append(worded)
    for verdict in report.unknowns:
        cases[verdict.rule_id][verdict.subject.platform, verdict.subject.account].unknown.append(verdict)
    return cases


def _accounts(report: Report) -> Sequence[Account]:
    """All accounts that the report mentions."""
    verdicts = [*(finding.verdict for finding in report.findings), *report.unknowns]
    return sorted(
        {(row.platform, row.account) for row in report.coverage}
        | {(verdict.subject.platform, verdict.subject.account) for verdict in verdicts}
    )


def _blind(report: Report, texts: Texts) -> Mapping[Account, str]:
    """Accounts whose resources or permissions could not be read at all, with the first reason and the advice."""
    blind: dict[Account, str] = {}
    for gap in worded_gaps(report, texts):
        row = gap.row
        if row.resource_uid is None and row.outcome in _NOT_READ and any(map(_is_everything, hidden_by(row))):
            blind.setdefault(
                (row.platform, row.account), texts.say("list.stop").join(filter(None, (gap.why, gap.advice)))
            )
    return blind


def _is_everything(hidden: Hidden) -> bool:
    """Whether a gap can hide resources, or permissions on them; not only one of their attributes."""
    return not hidden.columns and hidden.table in (EVERYTHING, "scopes", "resources", "grants")


def _suite(
    rule_id: str,
    rule: RuleSummary | None,
    cases: Mapping[Account, _Case],
    accounts: Sequence[Account],
    blind: Mapping[Account, str],
    texts: Texts,
) -> ET.Element:
    suite = ET.Element("testsuite", {"name": _attribute(rule_id)})
    if rule:
        properties = ET.SubElement(suite, "properties")
        for name, value in _properties(rule, texts):
            ET.SubElement(properties, "property", {"name": name, "value": _attribute(value)})
    for account in accounts:
        suite.append(_testcase(rule_id, rule, account, cases.get(account, _Case()), blind.get(account, ""), texts))
    suite.set("tests", str(len(accounts)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    suite.set("errors", "0")
    suite.set("time", "0")
    return suite


def _properties(rule: RuleSummary, texts: Texts) -> Iterator[tuple[str, str]]:
    yield "title", phrases.rule_text(rule, texts.lang).title
    yield "severity", rule.severity
    yield "version", rule.version
    yield "frameworks", " ".join(rule.frameworks)


def _testcase(
    rule_id: str, rule: RuleSummary | None, account: Account, case: _Case, blind: str, texts: Texts
) -> ET.Element:
    element = ET.Element(
        "testcase", {"classname": _attribute(rule_id), "name": _attribute(":".join(account)), "time": "0"}
    )
    unknown = [_name(verdict) for verdict in case.unknown]
    if case.failed:
        failure = ET.SubElement(
            element,
            "failure",
            {"type": _attribute(rule_id), "message": texts.count("findings.count", len(case.failed))},
        )
        failure.text = _lines(_line(finding, texts) for finding in case.failed)
    elif case.unknown:
        message = texts.count("unseen.rule_count", len(unknown))
        skipped = ET.SubElement(element, "skipped", {"message": message})
        skipped.text = _lines([*([not_evaluated(rule, texts)] if rule else []), *unknown])
    elif blind:
        ET.SubElement(element, "skipped", {"message": _attribute(texts.say("formats.not_read", reason=blind))})
    elif rule and not (rule.passed or rule.flagged or rule.unknown or case.waived):
        ET.SubElement(element, "skipped", {"message": texts.say("formats.nothing_to_evaluate")})
    output = [_line(finding, texts) for finding in case.waived]
    if case.failed and unknown:
        output += [texts.count("unseen.rule_count", len(unknown)), *unknown]
    if output:
        ET.SubElement(element, "system-out").text = _lines(output)
    return element


def _line(worded: WordedFinding, texts: Texts) -> str:
    finding = worded.finding
    marks = f"[{texts.name('severity', finding.severity)}] [{texts.name('state', finding.state)}]"
    return f"{marks} {worded.message} ({_name(worded.verdict)}, {finding.fingerprint})"


def _name(verdict: Verdict) -> str:
    return verdict.subject.uid or verdict.subject.name or " ".join(verdict.identity)


def _lines(lines: Sequence[str] | Iterator[str]) -> str:
    return "\n".join(for_xml(line) for line in lines)


def _attribute(text: str) -> str:
    return for_xml(text)


JUNIT = ReportFormat(name="junit", title="JUnit XML", suffix=".junit.xml", write=write)
