"""One named case in words: what, who gets in, since when, whose, which data, by when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloudscan.finding import Severity, Verdict
from cloudscan.recipient import Via, Withheld, recipient_of
from cloudscan.report import Report, RuleSummary
from cloudscan.text import domain_of
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
    brief: str  # who gets in, since when, whose, due when
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
    who, since = phrases.reach(texts, verdict), phrases.since(texts, finding, report.generated_on)
    owner = owner_of(one, texts)
    tickets = [ticket for each in one.fix.findings for ticket in report.tickets.get(each.fingerprint, ())]
    return NamedCase(
        fingerprint=finding.fingerprint,
        severity=one.severity,
        name=subject.name or subject.uid,
        message=phrases.message_of(finding, texts.lang) or verdict.rule_id,
        where=texts.say("list.comma").join(filter(None, places)),
        who=who,
        since=since,
        owner=owner,
        data=data_of(verdict, texts),
        cause=texts.name("cause", rule.cause) if rule else "",
        brief=_brief(one, who, since, owner, texts),
        due=texts.date(one.due) if one.due else "",
        overdue=one.overdue,
        tickets=list(dict.fromkeys(ticket.key for ticket in tickets)),
        step=fix.splitlines()[0] if fix else "",
    )


def _brief(one: OpenFix, who: str, since: str, owner: str, texts: Texts) -> str:
    stop, colon = texts.say("list.stop"), texts.say("list.colon")
    due = texts.date(one.due) if one.due else ""
    labelled = (
        ("finding.since", since),
        ("finding.owner", owner),
        ("case.due", texts.say("case.overdue", day=due) if one.overdue else due),
    )
    parts = [who.removesuffix(stop.strip()), *(f"{texts.say(key)}{colon}{value}" for key, value in labelled if value)]
    return stop.join(filter(None, parts))


def owner_of(one: OpenFix, texts: Texts) -> str:
    """Who answers for it: an active person of ours, or the manager of one who left, else the team.

    A name that is no address, as a tag may contain, is taken for a team's.
    """
    subject = one.worst.verdict.subject
    recipient = recipient_of(subject, one.our_domains)
    if recipient.person and recipient.via is Via.MANAGER:
        return texts.say("case.managed", manager=recipient.address, owner=subject.owner)
    if recipient.person or (subject.owner and recipient.withheld is Withheld.ADDRESS):
        return recipient.address or subject.owner
    if recipient.withheld is Withheld.UNVERIFIED and subject.owner:
        domain = domain_of(subject.owner)
        if not domain or domain in one.our_domains:
            return subject.owner
    return team_name(one.team, texts)


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
