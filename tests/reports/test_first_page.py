"""The first page: named things first, an honest course, ranges instead of promises, and where the work is."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from cloudscan.coverage import ScopesRead
from cloudscan.facts import Affiliation
from cloudscan.finding import Finding, Person, Severity, State
from cloudscan.report import Comparison, Report, Scan, WhyIncomparable, figures_of
from cloudscan_reports.formats import markdown, terminal
from cloudscan_reports.page import html
from cloudscan_reports.summary import charts, course
from cloudscan_reports.summary.first_page import first_page, risk_chart
from cloudscan_reports.summary.ranking import Cause
from cloudscan_wording.texts import load
from tests.reports.synthetic import NOW, report, with_past

EN = load("en")
DEADLINES = {Severity.CRITICAL: 7, Severity.HIGH: 30, Severity.MEDIUM: 90, Severity.LOW: 180, Severity.INFO: 365}
THEN = Scan(id="then", started_on=NOW - timedelta(days=29, hours=1), complete=True, figures=figures_of(report(3)))


def replaced(given: Report, **changes: object) -> Report:
    return msgspec.structs.replace(given, **changes)


def compared(**changes: object) -> Report:
    comparison = Comparison(old=THEN, days=29, asked_days=30, platforms=["s3"])
    return replaced(with_past(report(30)), comparisons=[msgspec.structs.replace(comparison, **changes)])


def test_one_named_case_comes_before_any_category() -> None:
    """What, who gets in, since when, whose, which data, by when; its cause is the first one of the ranking."""
    given = replaced(report(60), deadlines=DEADLINES)

    page = first_page(given, EN)

    worst = max((one for one in given.findings if one.state is not State.WAIVED), key=lambda one: one.score)
    assert page.worst
    assert page.worst.fingerprint == worst.fingerprint
    assert page.answers[0].short == worst.message["en"]
    assert page.worst.cause == page.ranking[0].name
    labels = [label for label, _ in page.facts]
    assert labels == ["Who can reach it", "Open since", "Owner", "Where", "Data", "Due", "Kind of risk"]
    written = html.write(given, "en")
    written = written[written.index("<main") :]
    assert written.index(page.worst.name) < written.index(page.ranking[0].name)
    written = markdown.write(given, "en")
    assert written.index(page.worst.name) < written.index(page.ranking[0].name)
    assert page.worst.name in terminal.summary(given, "en", colour=False, width=99)


def test_what_to_do_first_is_a_named_thing_with_an_owner_and_a_day() -> None:
    given = replaced(report(60), deadlines=DEADLINES)

    page = first_page(given, EN)
    first = page.answers[1]

    assert page.worst
    named = {finding.verdict.subject.name: finding for finding in given.findings}
    name, _, rest = first.short.partition(": ")
    assert re.fullmatch(r"by \d+ \w+ \d{4}, .+", rest)
    cause = {rule.id: rule.cause for rule in given.rules}[named[name].verdict.rule_id]
    assert EN.name("cause", cause) == page.ranking[0].name


@pytest.mark.parametrize(("score_before", "score_now", "words"), [
    (1000, 1234, "Worse: 23% more risk than on 1 Feb 2026"),
    (1234, 1000, "Better: 19% less risk than on 1 Feb 2026"),
    (1000, 1001, "Unchanged: as much risk as on 1 Feb 2026"),
    (0, 94, "Nothing was found on 1 Feb 2026 (29 days ago); today the sum of the scores is 94"),
    (0, 0, "Nothing was found on 1 Feb 2026 (29 days ago), nor today"),
])  # fmt: skip
def test_better_or_worse(score_before: float, score_now: float, words: str) -> None:
    assert course.short(compared(score_before=score_before, score_now=score_now), EN).startswith(words)


@pytest.mark.parametrize("why", list(WhyIncomparable))
def test_what_cannot_be_compared_is_said(why: WhyIncomparable) -> None:
    given = compared(why_not=why)

    assert course.short(given, EN).startswith("No comparison: ")
    assert "1 Feb 2026" in course.short(given, EN)
    assert "net" not in course.more(given, None, EN)


def test_the_course_tells_weeks_ages_and_what_is_left_out() -> None:
    """Only what the estate changed; a platform that is new is named and not counted."""
    given = replaced(
        compared(added=["gdrive"], score_before=10, score_now=20, new=12, reopened=2, resolved=5, rejudged=3),
        deadlines=DEADLINES,
    )

    more = first_page(given, EN).answers[3].more

    assert "Each week since then: 3.4 findings new or back, 1.2 resolved, +2.2 net." in more
    assert "Not compared, since it was not read then: Google Drive." in more
    assert "3 changes are left out" in more
    assert re.search(r"\d+ of \d+ fixes are overdue \(\d+%\)\. Open fixes have been waiting \d+ days", more)


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("findings", [1, 40])
def test_no_plan_promises_that_nothing_is_left(findings: int, lang: str) -> None:
    opened = [msgspec.structs.replace(one, state=State.OPEN) for one in report(findings).findings]
    given = replaced(report(findings), findings=opened)

    page = first_page(given, load(lang))

    assert all(re.fullmatch(r"[1-9]\d*–[1-9]\d*%", step.risk_left) for step in page.roadmap)
    assert not re.search(r"(?<![\d.])0%|Nothing left", " ".join(answer.short + answer.more for answer in page.answers))


OURS = Person(kind="user", account="kumo.example", address="mika@kumo.example", affiliation=Affiliation.INTERNAL,
              status="active")  # fmt: skip
LEFT = msgspec.structs.replace(OURS, address="left@kumo.example", status="left", manager=OURS)


@pytest.mark.parametrize(("owner", "person", "shown"), [
    ("mika@kumo.example", OURS, "mika@kumo.example"),
    ("left@kumo.example", LEFT, "mika@kumo.example, manager of left@kumo.example"),
    ("left@kumo.example", msgspec.structs.replace(LEFT, manager=None), "Amazon S3 kumo.example"),
    ("spy@rival.example", msgspec.structs.replace(OURS, kind="guest"), "Amazon S3 kumo.example"),
    ("spy@rival.example", None, "Amazon S3 kumo.example"),
    ("tag@kumo.example", None, "tag@kumo.example"),
    ("写真チーム", None, "写真チーム"),
    ("master", Person(kind="account", name="master"), "Amazon S3 kumo.example"),
    ("", None, "Amazon S3 kumo.example"),
])  # fmt: skip
def test_a_case_is_whose_it_can_be(owner: str, person: Person | None, shown: str) -> None:
    """An active person of ours, the manager of one who left, else the team; never an external user."""
    (finding,) = seen(1)
    subject = msgspec.structs.replace(finding.verdict.subject, account="kumo.example", owner=owner, responsible=person)
    mine = msgspec.structs.replace(
        finding, state=State.OPEN, verdict=msgspec.structs.replace(finding.verdict, subject=subject)
    )

    page = first_page(replaced(report(1), findings=[mine]), EN)

    assert page.worst
    assert page.worst.owner == shown


def test_splits_add_up() -> None:
    """By platform and by account: each fix once, its overdue ones by the deadlines."""
    given = replaced(report(60), deadlines=DEADLINES)

    page = first_page(given, EN)

    assert [split.by for split in page.splits] == ["platform", "account"]
    for split in page.splits:
        assert sum(row.fixes for row in split.rows) == page.fixes
        for severity, n in page.severities.items():
            assert sum(row.severities[severity] for row in split.rows) == n
    assert 0 < sum(row.overdue for row in page.splits[0].rows) <= page.fixes


def test_what_was_not_read_is_told_as_shares() -> None:
    """99.6% is not all."""
    read = [
        ScopesRead(platform="gdrive", kind="my_drive", total=250, whole=249, partly=1),
        ScopesRead(platform="s3", kind="account", total=4, whole=4, partly=0),
    ]
    given = replaced(report(3), scan=msgspec.structs.replace(report(3).scan, read=read))

    assert first_page(given, EN).answers[-1].short == ("Read completely: Google Drive 99%, Amazon S3 100%")


def cause(likelihood: int, impact: float) -> Cause:
    return Cause(
        cause="shared-link",
        likelihood=likelihood,
        impact=impact,
        findings=1,
        resources=1,
        uncounted=0,
        people=0,
        fixes=1,
        hours=1,
        hours_range=(0.5, 2),
        rule_id="x",
    )


def test_points_of_the_chart_stand_where_their_figures_are() -> None:
    """Two that touch share a label; no point is moved."""
    chart = risk_chart([cause(5, 18.3), cause(5, 18.1), cause(3, 18.3), cause(1, 2)], EN)

    assert chart
    across = [float(x) for x in re.findall(r'<circle class="dot" cx="([\d.]+)"', chart)]
    assert across[0] == across[1]
    assert across[0] - across[2] == pytest.approx(2 * (across[2] - across[3]) / 2, abs=0.2)
    assert sorted(re.findall(r'class="label"[^>]*>([^<]*)<', chart)) == ["1, 2", "3", "4"]


@pytest.mark.parametrize(("highest", "ticks"), [
    (0, [0, 0.25, 0.5, 0.75, 1.0]),
    (94, [0, 25, 50, 75, 100]),
    (9149, [0, 2500, 5000, 7500, 10000]),
    (10, [0, 2.5, 5, 7.5, 10]),
])  # fmt: skip
def test_the_axis_has_round_numbers(highest: float, ticks: list[float]) -> None:
    assert charts.round_ticks(highest) == ticks


@pytest.mark.parametrize("hours", [[0, 1, 2, 3], [0, 24, 25, 26, 27], [24 * day for day in range(90)], [0]])
def test_labels_of_days_are_not_printed_over_each_other(hours: list[int]) -> None:
    """Several scans on the first day, on the last, a quarter of nights, one alone."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(hours=hour) for hour in hours]
    marks = [charts.Mark(on=on, day=EN.day(on), value=1.0) for on in moments]

    chart = charts.trend(marks, title="t", description="d")

    labels = re.findall(r'x="([\d.]+)" y="178.0" text-anchor="(\w+)">([^<]*)<', chart)
    edges = [(left, left + 70) for left in (float(x) - {"start": 0, "middle": 35, "end": 70}[a] for x, a, _ in labels)]
    assert all(right < left for (_, right), (left, _) in pairwise(edges))
    assert len({text for _, _, text in labels}) == len(labels) > 0


def test_days_of_the_page_are_the_organisations() -> None:
    """22:00 UTC is the next day in Tokyo, in what stands in the page and in what its script writes."""
    late = [msgspec.structs.replace(one, first_seen_on=datetime(2026, 3, 1, 22, 0, tzinfo=UTC)) for one in seen(1)]
    given = replaced(report(1), findings=late, timezone="Asia/Tokyo")

    text = html.write(given, "en")

    assert "2 Mar 2026" in text
    assert "1 Mar 2026" not in text
    assert '"timezone":"Asia/Tokyo"' in text
    assert "UTC" not in text[: text.index("<script")]


def seen(findings: int) -> list[Finding]:
    return [
        msgspec.structs.replace(one, verdict=msgspec.structs.replace(one.verdict, since=None))
        for one in report(findings).findings
    ]
