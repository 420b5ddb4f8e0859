"""What could not be seen, in words: question, reason, advice, what it hides, who accepted it."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import date, timedelta

import msgspec
import pypdf
import pytest

from cloudscan.coverage import Coverage, gap_id
from cloudscan.facts import Hidden, Outcome
from cloudscan.finding import Evidence, Judgement, Subject, Verdict, Waiver
from cloudscan.reason import Reason
from cloudscan.report import GapStatus, Report, Scan, WaiverStatus
from cloudscan_reports.formats import json as data
from cloudscan_reports.formats import markdown, pdf, sarif, terminal, xlsx
from cloudscan_reports.page import html
from cloudscan_reports.summary.first_page import completeness, first_page
from cloudscan_reports.summary.gaps import Unseen, unseen
from cloudscan_wording.texts import load
from cloudscan_wording.worded_gap import Standing, hidden_words, worded_gap
from tests.reports.synthetic import NOW, RULES, report
from tests.reports.written import whole

EN = load("en")
NO_ANSWER = Reason(code="no-answer", values={"host": "https://graph.example"}, quote="connection reset")
ADVICE = {
    "en": "Check the network, and the proxy and firewall on the way to https://graph.example.",
    "ja": "ネットワークと、https://graph.example までの経路上にあるプロキシやファイアウォールを確認してください。",
}
WHY = {
    "en": "no answer from https://graph.example (“connection reset”)",
    "ja": "https://graph.example から応答がありません：「connection reset」",
}


def row(outcome: Outcome = Outcome.FAILED, reason: Reason | str = NO_ANSWER, **more: object) -> Coverage:
    given = {"scope_uid": "m365:site/plans", "scope_name": "Plans", "question": "toy-links", "needs": "Sites.Read.All"}
    made = msgspec.convert({**given, "platform": "m365", "account": "acme", "table": "grants", "outcome": outcome,
                            "reason": msgspec.to_builtins(reason), **more}, Coverage)  # fmt: skip
    return msgspec.structs.replace(made, gap=gap_id(made)) if outcome.is_gap else made


def given(*rows: Coverage, new: bool = True, waived: bool = False) -> Report:
    """A report without findings whose ledger has seen these rows a week ago, and two scans."""
    waiver = Waiver(id=1, owner="Mika Sato", reason="no licence", given_on=NOW, until=date(2026, 4, 1))
    status = GapStatus(first_seen_on=NOW - timedelta(days=7), new=new, waiver=waiver if waived else None)
    return msgspec.structs.replace(
        report(0, complete=True),
        coverage=rows,
        gaps={each.gap: status for each in rows if each.gap},
        trend=[Scan(id=f"night-{n}", started_on=NOW - timedelta(days=n), complete=False) for n in (1, 0)],
    )


def seen_in(report: Report) -> Unseen:
    return unseen(report, EN)


def workbook(report: Report, lang: str) -> str:
    with zipfile.ZipFile(io.BytesIO(xlsx.write(report, lang))) as book:
        return "".join(book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet"))


def in_terminal(report: Report, lang: str) -> str:
    return terminal.summary(report, lang, colour=False, width=110).replace("\n  ", " " if lang == "en" else "")


WRITERS: dict[str, Callable[[Report, str], str]] = {
    "html": html.write,
    "terminal": in_terminal,
    "markdown": markdown.write,
    "sarif": lambda report, lang: str(whole(sarif.write, report, lang)),
    "xlsx": workbook,
}


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_reason_and_advice_in_the_readers_language(name: str, lang: str) -> None:
    text = WRITERS[name](given(row()), lang).replace("&#46;", ".").replace("&#44;", ",")

    assert "https" in text
    for part in (*WHY[lang].replace("https://graph.example", "|").split("|"), ADVICE[lang][-12:]):
        assert part.strip("「」(“)”： ") in text
    assert "Sites.Read.All" in text
    assert "toy-links" in text


@pytest.mark.parametrize("name", WRITERS)
def test_an_older_cloudscans_prose_is_shown_as_it_is(name: str) -> None:
    assert "it is locked" in WRITERS[name](given(row(reason="it is locked")), "ja")


@pytest.mark.parametrize(
    ("outcome", "new", "waived", "standing"),
    [
        (Outcome.FAILED, True, False, Standing.NEW),
        (Outcome.DENIED, False, False, Standing.KNOWN),
        (Outcome.PARTIAL, True, True, Standing.WAIVED),
        (Outcome.SKIPPED, True, False, Standing.LEFT_OUT),
        (Outcome.NOT_OFFERED, True, False, Standing.NOT_OFFERED),
        (Outcome.NOT_JUDGED, True, False, Standing.NOT_JUDGED),
    ],
)
def test_each_row_has_one_standing(outcome: Outcome, new: bool, waived: bool, standing: Standing) -> None:
    told = given(row(outcome), new=new, waived=waived)

    assert worded_gap(told.coverage[0], told, EN).standing is standing


def test_without_an_earlier_scan_a_gap_is_neither_new_nor_known() -> None:
    first = msgspec.structs.replace(given(row()), trend=())

    assert worded_gap(row(), first, EN).standing is Standing.UNREAD
    assert worded_gap(row(), report(0), EN).standing is Standing.UNREAD
    assert seen_in(first).new == 0


def test_a_thing_with_a_name_is_called_by_it() -> None:
    told = msgspec.structs.replace(given(row()), unknowns=[undecided(name="Price list")])

    assert worded_gap(row(resource_uid="m365:item/1"), told, EN).location == "Price list"
    assert worded_gap(row(resource_uid="m365:item/2"), told, EN).location == "item/2"
    assert worded_gap(row(), told, EN).location == "Plans"


@pytest.mark.parametrize("outcome", [Outcome.SKIPPED, Outcome.NOT_OFFERED])
def test_what_does_not_exist_or_is_left_out_is_listed_apart_and_makes_nothing_incomplete(outcome: Outcome) -> None:
    calm = given(row(outcome))

    assert seen_in(calm).nothing
    assert [group.example.row.outcome for group in seen_in(calm).apart] == [outcome]
    assert completeness(calm, EN) == "Complete: everything in scope was read"
    assert first_page(calm, EN).answers[-1].short == "Nothing is missing"
    page = html.write(calm, "en")
    assert "Not part of this scan" in page
    assert "Incomplete" not in page


HEADINGS = {"en": "Found, but not judged", "ja": "見つかったが、判定の対象外のもの"}
COUNTS = {
    "en": "1 thing was found that cloudscan does not judge",
    "ja": "cloudscan の判定対象外のものが 1 件見つかりました",
}
STANDINGS = {"en": "There, but not judged", "ja": "判定の対象外"}


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_what_is_found_but_not_judged_is_named_in_every_format(lang: str) -> None:
    """What it is and where, in a part of its own; the scan is complete, and nobody is asked to do anything about it."""
    found = given(row(Outcome.NOT_JUDGED, needs=""))
    texts = load(lang)

    for name, text in {
        **{name: write(found, lang) for name, write in WRITERS.items()},
        "pdf": "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf.write(found, lang))).pages),
    }.items():
        squeezed = re.sub(r"\s+", "", text)
        assert "Plans" in squeezed, name
        assert "toy-links" in squeezed, name
        shown = {"sarif": "not_judged", "xlsx": STANDINGS[lang], "terminal": COUNTS[lang]}.get(name, HEADINGS[lang])
        assert shown.replace(" ", "") in squeezed, name
    assert completeness(found, texts) == texts.say("page.complete")
    assert found.complete
    assert first_page(found, texts).answers[-1].more.rstrip(".。").endswith(COUNTS[lang])
    assert unseen(found, texts).nothing


def test_data_says_what_is_not_judged() -> None:
    """In JSON a row of coverage with this outcome; it is no gap, hides nothing, and cannot be waived."""
    (covered,) = json.loads(whole(data.write, given(row(Outcome.NOT_JUDGED)), "en"))["coverage"]

    assert covered["outcome"] == "not_judged"
    assert covered.keys().isdisjoint({"gap", "hides"})


def test_a_scan_with_waived_gaps_alone_is_complete_and_says_so() -> None:
    waived = given(row(), waived=True)
    page = html.write(waived, "en")

    assert completeness(waived, EN) == "Complete but for gaps that were waived"
    assert "Nothing is missing but what was waived" in page
    assert "Waived until 1 Apr 2026 by Mika Sato: no licence" in page
    assert "Waived gaps: 1" in terminal.summary(waived, "en", colour=False, width=80)


def test_gaps_with_one_question_and_one_cause_are_one_group() -> None:
    """Their names may differ, and each has its own id to waive it by."""
    rows = [
        row(resource_uid=f"m365:site/{name}", reason=msgspec.structs.replace(NO_ANSWER, values={"host": name}))
        for name in ("one", "two")
    ]
    other = row(reason=Reason(code="host-failed", values={"host": "x", "status": "500"}))

    groups = seen_in(given(*rows, other)).gaps

    assert [[gap.location for gap in group.gaps] for group in groups] == [["site/one", "site/two"], ["Plans"]]
    assert groups[0].whys == ["no answer from one (“connection reset”)", "no answer from two (“connection reset”)"]
    page = html.write(given(*rows, other), "en")
    assert all(each.gap in page for each in (*rows, other))


def test_new_gaps_come_first() -> None:
    known = [row(resource_uid=f"m365:site/{n}") for n in range(5)]
    new = row(question="toy-owners")
    told = msgspec.structs.replace(given(*known, new, new=False))
    told = msgspec.structs.replace(
        told, gaps={**told.gaps, new.gap: msgspec.structs.replace(told.gaps[new.gap], new=True)}
    )

    assert [group.example.row.question for group in seen_in(told).gaps] == ["toy-owners", "toy-links"]
    assert seen_in(told).new == 1


@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        (Hidden(table="all", below="m365:site/x"), "Anything in it may be missing from this report."),
        (Hidden(table="resources"), "There may be resources that are not in this report."),
        (
            Hidden(table="resources", kinds=("file", "folder")),
            "There may be files, folders that are not in this report.",
        ),
        (
            Hidden(table="principals", columns=("last_seen_on", "detail.left_on")),
            "Not known of people and groups: when they were last active, left on.",
        ),
        (
            Hidden(table="principals", kinds=("guest",), columns=("sponsor_uid",)),
            "Not known of guests: the sponsor.",
        ),
    ],
)
def test_what_a_gap_hides_is_said_in_words(hidden: Hidden, words: str) -> None:
    assert hidden_words(EN, hidden) == words


def test_a_question_that_hides_nothing_says_nothing_of_it() -> None:
    assert worded_gap(row(), report(0), EN).hides == ""
    assert worded_gap(row(question="", reason="it is locked"), report(0), EN).hides == (
        "There may be permissions that are not in this report."
    )


def undecided(**subject: object) -> Verdict:
    return Verdict(
        rule_id=RULES[0].id,
        judgement=Judgement.UNKNOWN,
        identity=("m365:item/1",),
        subject=msgspec.convert({"uid": "m365:item/1", "platform": "m365", "account": "acme", **subject}, Subject),
        evidence=(Evidence(row={"resource_uid": "m365:item/1", "last_seen_on": None}),),
    )


@pytest.mark.parametrize(
    ("gap", "behind"),
    [
        (row(hides=[{"table": "grants", "below": "m365:item/1"}]), True),
        (row(hides=[{"table": "all", "below": "m365:site/plans"}]), True),
        (row(hides=[{"table": "principals", "columns": ["last_seen_on"]}]), True),
        (row(hides=[{"table": "principals", "columns": ["status"]}]), False),
        (row(hides=[{"table": "principals", "columns": ["last_seen_on"]}], account="other"), False),
        (row(Outcome.NOT_OFFERED, hides=[]), False),
    ],
    ids=["the thing itself", "what it is in", "a column of everything", "another column", "another account", "no gap"],
)
def test_a_case_that_could_not_be_evaluated_names_the_gaps_behind_it(gap: Coverage, behind: bool) -> None:
    """Where the evidence shows none, none is named: nobody is sent after a permission that would not help."""
    told = msgspec.structs.replace(given(gap), unknowns=[undecided(inside=["m365:site/plans"])])

    (rule,) = seen_in(told).unknown_rules

    assert bool(rule.gaps) is behind


def test_only_open_gaps_ask_for_permissions() -> None:
    open_gap, waived = row(), row(question="toy-owners", needs="Other.Read")
    told = given(open_gap, waived, row(Outcome.NOT_OFFERED, needs="Third.Read"))
    waiver = given(waived, waived=True).gaps[waived.gap]
    told = msgspec.structs.replace(told, gaps={**told.gaps, waived.gap: waiver})

    assert seen_in(told).permissions == [("Sites.Read.All", 1)]


def test_a_waiver_of_a_gap_names_the_question() -> None:
    gap = row()
    told = given(gap, waived=True)
    status = told.gaps[gap.gap].waiver
    assert status
    waiver = WaiverStatus(
        waiver=msgspec.structs.replace(status, gap=gap.gap), current=True, notes=[], findings=[], widened={}
    )

    page = html.write(msgspec.structs.replace(told, waivers=[waiver]), "en")

    assert "Gap: toy-links (Plans)" in page
