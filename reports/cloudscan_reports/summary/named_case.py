"""One named case in words: what, who gets in, since when, whose, which data, by when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloudscan.finding import Severity, Verdict
from cloudscan.report import Report, RuleSummary
from cloudscan_reports.summary.open_fixes import OpenFix, Team, is_counted
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts


@dataclass(frozen=True, kw_only=True)
class NamedCase:
    """A fix that stands for itself, in one language. What is not known is said to be unknown."""

    fingerprint: str  # of the finding that would hurt most
    severity: Severity
    name: str
    message: str  # the finding's sentence
    where: str  # kind, platform, account
    who: str  # who gets in; empty if it is not about access
    since: str
    owner: str  # the owner, or else the team
    data: str  # how much of which kind, with its label
    cause: str
    due: str  # the day; empty without a deadline
    overdue: bool
    tickets: Sequence[str]
    step: str  # the first thing to do; empty if the rule no longer exists


def named_case(one: OpenFix, report: Report, texts: Texts) -> NamedCase:
    """A fix in words."""
    finding, verdict = one.worst, one.worst.verdict
    rules: Mapping[str, RuleSummary] = {rule.id: rule for rule in report.rules}
    rule = rules.get(verdict.rule_id)
    fix = phrases.fix_of(finding, rule, texts.lang)
    subject = verdict.subject
    account = team_name(Team("", subject.platform, subject.account), texts)
    places = (texts.name("kind", subject.kind) if subject.kind else "", account)
    tickets = [ticket for each in one.fix.findings for ticket in report.tickets.get(each.fingerprint, ())]
    return NamedCase(
        fingerprint=finding.fingerprint,
        severity=one.severity,
        name=subject.name or subject.uid,
        message=phrases.message_of(finding, texts.lang) or verdict.rule_id,
        where=texts.say("list.comma").join(filter(None, places)),
        who=phrases.reach(texts, verdict),
        since=phrases.since(texts, finding, report.generated_on),
        owner=subject.owner or team_name(one.team, texts),
        data=data_of(verdict, texts),
        cause=texts.name("cause", rule.cause) if rule else "",
        due=texts.date(one.due) if one.due else "",
        overdue=one.overdue,
        tickets=list(dict.fromkeys(ticket.key for ticket in tickets)),
        step=fix.splitlines()[0] if fix else "",
    )


def team_name(team: Team, texts: Texts) -> str:
    """The department, or the platform with the account."""
    if team.department or not team.platform:
        return team.department or texts.say("splits.no_department")
    platform = texts.name("platform", team.platform)
    return texts.say("splits.account", platform=platform, account=team.account) if team.account else platform


def data_of(verdict: Verdict, texts: Texts) -> str:
    """“12 files or folders, 3.4 GB, label Confidential”; that nobody counted, where that is so."""
    row = verdict.evidence[0].row if verdict.evidence else {}
    detail = verdict.subject.detail
    if not is_counted(verdict):
        amounts = [texts.say("case.not_counted")]
    else:
        amounts = [texts.count("finding.resources", verdict.resources)]
    if verdict.bytes is not None:
        amounts.append(phrases.size(verdict.bytes))
    if label := row.get("label") or detail.get("label"):
        amounts.append(texts.say("case.label", label=phrases.plain(label)))
    if verdict.people:
        amounts.append(texts.count("finding.people", verdict.people))
    return texts.say("list.comma").join(amounts)
