"""What people read in tickets: it fits, it says what is needed first, and a stranger's text is nothing but text."""

import re
from datetime import date
from functools import cache

import msgspec
import pytest
from markdown_it import MarkdownIt
from syrupy.assertion import SnapshotAssertion

from cloudscan.finding import Finding, PolicyEntry, Waiver
from cloudscan.fix import fixes
from cloudscan.recipient import recipient_of
from cloudscan.report import ChangedBy, Rejudged
from cloudscan.text import openable
from cloudscan.tracker import ClosingReason, CommentContent, CommentReason, TicketSubject
from cloudscan_trackers.markup import BACKLOG, BACKLOG_NOTATION, MARKDOWN, PLAIN, WIKI, Markup
from cloudscan_trackers.wording import Limits, wording
from tests.reports.synthetic import NOW, employee, report
from tests.trackers.test_whole_texts import SUBJECT

replace = msgspec.structs.replace

MARKUPS = {"markdown": MARKDOWN, "wiki": WIKI, "plain": PLAIN, "backlog": BACKLOG, "notation": BACKLOG_NOTATION}
each_markup = pytest.mark.parametrize("markup", MARKUPS.values(), ids=MARKUPS)
each_language = pytest.mark.parametrize("lang", ["en", "ja"])

HOSTILE = (
    "!https://evil.example/pixel.png!",
    "#image(https://evil.example/x.png)",
    "![x](https://evil.example/pixel.png)",
    "[click|https://evil.example]",
    "[click](https://evil.example)",
    "{html}<script>alert(1)</script>{html}",
    "{noformat} h1. Closed {noformat}",
    "<img src=x onerror=alert(1)>",
    "@all @everyone [~admin]",
    "/close",
    "/assign @me\n/close",
    "Fixes #12, GH-12, GL-12, !3 and acme/other#4",
    "- [ ] pay the invoice",
    "``` `x` ```` --> <!--",
    "a\\!img! \\\\ \\*x*",
    "[code]<a href='https://evil.example'>log in</a>[/code]",
    "https://evil.example/login",
    "(x) (on) :) h1. bq. ----",
    "\u202egnp.exe 𠮷田 📋",
)


FENCED = re.compile(r"^(`{3,})\w*$.*?^\1$", re.DOTALL | re.MULTILINE)


def about(name: str, finding: Finding) -> Finding:
    """The finding, about something of this name, which its message repeats."""
    verdict = finding.verdict
    old = verdict.subject.name
    url = "" if openable(name) else name  # that of a platform is its own
    subject = replace(verdict.subject, name=name, path=f"team/{name}", owner=name, account=name, url=url)
    entry = PolicyEntry(kind="policy", number=1, name=name, text=name)
    pieces = tuple(replace(piece, row={**piece.row, "resource_name": name}, entry=entry) for piece in verdict.evidence)
    message = {lang: text.replace(old, name) for lang, text in finding.message.items()}
    return replace(finding, message=message, verdict=replace(verdict, subject=subject, evidence=pieces))


def named(name: str, *, by_owner: bool = False) -> TicketSubject:
    findings = [about(name, finding) for finding in report(6).findings[:3]]
    return replace(
        SUBJECT, findings=findings if by_owner else findings[:1], by_owner=by_owner, owner=name, contact=name
    )


@cache
def of_one_person(count: int, pad: str = "") -> TicketSubject:
    """A ticket about the fixes of one person, each with a policy statement."""
    findings = [about(f"見積書-{number}{pad}", finding) for number, finding in enumerate(report(count).findings)]
    return replace(
        SUBJECT,
        findings=findings,
        by_owner=True,
        recipient=recipient_of(replace(findings[0].verdict.subject, responsible=employee("mika.sato@example.co.jp"))),
    )


def units(text: str) -> int:
    """The length as Java and JavaScript count it."""
    return len(text.encode("utf-16-le")) // 2


def rendered(text: str) -> str:
    """The text of a Markdown page as GitHub's own dialect lays it out, without what is code."""
    html = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"]).render(text)
    return re.sub(r"<code[^>]*>.*?</code>", "", html, flags=re.DOTALL)


@each_markup
@each_language
@pytest.mark.parametrize("most", [4_000, 32_767])
@pytest.mark.parametrize("count", [40, 400])
def test_many_fixes_of_one_person_fit_and_the_rest_are_counted(
    markup: Markup, lang: str, most: int, count: int
) -> None:
    """The marker line has its room, and every code block that begins ends."""
    subject = of_one_person(count)
    total, room = len(fixes(subject.findings)), 700

    body = wording(markup, limits=Limits(body=most)).body(subject, lang, room)

    assert units(body) <= most - room
    shown = len(re.findall(r"\b[0-9a-f]{12}\b", body)) - 1  # the last is in the command that waives
    assert 0 < shown < total
    assert f"{total - shown:,}" in body
    assert body.count("```") % 2 == 0
    assert body.count("{noformat}") % 2 == 0
    assert body.count("{code}") == body.count("{/code}")


@each_markup
@each_language
def test_characters_of_two_units_count_as_two(markup: Markup, lang: str) -> None:
    body = wording(markup, limits=Limits(body=4_000)).body(of_one_person(40, pad="𠮷" * 100), lang, 500)

    assert units(body) <= 3_500


@each_markup
@each_language
def test_a_short_record_still_says_what_to_do(markup: Markup, lang: str) -> None:
    """What, who can reach it, where, until when and whom to ask, before all else is left out."""
    entry = PolicyEntry(kind="policy", number=2, name="Web", text="x" * 5_000)
    (finding,) = SUBJECT.findings
    piece = replace(finding.verdict.evidence[0], entry=entry)
    subject = replace(SUBJECT, findings=[replace(finding, verdict=replace(finding.verdict, evidence=(piece,)))])

    body = wording(markup, limits=Limits(body=4_000)).body(subject, lang, 2_000)

    assert units(body) <= 2_000
    for part in (
        {"en": "can put objects into", "ja": "に書き込めます"}[lang],
        {"en": "Anyone with an AWS account can edit it", "ja": "AWSアカウントを持つ人なら誰でも変更できます"}[lang],
        "https://s3.console.aws.amazon.com/s3/buckets/example",
        {"en": "9 Mar 2026", "ja": "2026年3月9日"}[lang],
        {"en": "turn all on", "ja": "すべてオンにします"}[lang],
    ):
        assert part in body
    assert "security" in body


def test_the_place_is_a_link() -> None:
    """What could be markup in it is percent-encoded."""
    subject = SUBJECT.findings[0].verdict.subject

    assert f"<{subject.url}>" in wording(MARKDOWN).body(SUBJECT, "en", 0)
    assert f"[{subject.url}]" in wording(WIKI).body(SUBJECT, "en", 0)
    assert f": {subject.url}\n" in wording(PLAIN).body(SUBJECT, "en", 0)


def test_an_address_with_signs_of_a_markup_is_a_link_too() -> None:
    finding = SUBJECT.findings[0]
    subject = replace(finding.verdict.subject, url="https://teams.example/l/19:a@thread.tacv2/(x)|~me")
    given = replace(SUBJECT, findings=[replace(finding, verdict=replace(finding.verdict, subject=subject))])

    for texts in (wording(MARKDOWN), wording(WIKI), wording(PLAIN), wording(BACKLOG)):
        assert "https://teams.example/l/19:a%40thread.tacv2/%28x%29%7C%7Eme" in texts.body(given, "en", 0)


@each_language
@pytest.mark.parametrize("by_owner", [False, True], ids=["fix", "owner"])
def test_a_strangers_name_is_only_text_in_markdown(lang: str, *, by_owner: bool) -> None:
    texts = wording(MARKDOWN)
    for name in HOSTILE:
        subject = named(name, by_owner=by_owner)

        title, body = texts.title(subject, lang), texts.body(subject, lang, 0)

        html = rendered(body)
        assert [tag for tag in ("<a ", "<img", "<script", "<input", "<h1", "<del", "<em") if tag in html] == [], name
        for text in (title, html):
            assert not re.search(r"(?<!\w)@\w|[#!]\d|G[HL]-\d|https?://", text), name
        assert not re.search(r"^/", FENCED.sub("", body), re.MULTILINE), name
        assert "\n" not in title


@each_language
@pytest.mark.parametrize("by_owner", [False, True], ids=["fix", "owner"])
def test_a_strangers_name_is_only_text_in_jira(lang: str, *, by_owner: bool) -> None:
    """Jira's renderer takes for text what a backslash precedes, unless another precedes that."""
    for name in HOSTILE:
        body = wording(WIKI).body(named(name, by_owner=by_owner), lang, 0)

        assert body.count("{noformat}") % 2 == 0, name
        live = re.sub(r"\{noformat\}.*?\{noformat\}", "", body, flags=re.DOTALL)
        assert "\\\\" not in live, name
        escaped = re.sub(r"\\[-#*_+?^~|%{}\[\]()!@]", "", live)
        assert "\\" not in escaped, name  # a backslash before any other sign would be shown
        plain = re.sub(r"\{\{|\}\}", "", escaped)
        assert not re.search(r"[!\[\]{}|~@]|\w://|\(x\)|\(on\)|:\)", plain), name


@each_language
def test_a_strangers_name_is_only_text_in_a_record(lang: str) -> None:
    """ServiceNow makes links of addresses, and HTML of what is between code tags."""
    for name in HOSTILE:
        body = wording(PLAIN).body(named(name), lang, 0)

        told = "\n".join(line for line in body.splitlines() if not line.startswith("   "))
        assert not re.search(r"https?://|\[/?code\]", told), name


@each_language
@pytest.mark.parametrize("by_owner", [False, True], ids=["fix", "owner"])
def test_a_strangers_name_is_only_text_in_backlogs_notation(lang: str, *, by_owner: bool) -> None:
    for name in HOSTILE:
        body = wording(BACKLOG_NOTATION).body(named(name, by_owner=by_owner), lang, 0)

        assert body.count("{code}") == body.count("{/code}"), name
        live = re.sub(r"\{code\}.*?\{/code\}", "", body, flags=re.DOTALL)
        assert not re.search(r"https?://|#\w+\(|&\w+\(|\[\[|''|%%|@|\[[ x]\]", live), name


@each_markup
def test_a_waivers_reason_is_only_text(markup: Markup) -> None:
    """On one line, whatever it contains."""
    for name in HOSTILE:
        waiver = Waiver(id=1, owner=name, reason=name, given_on=NOW, until=date(2026, 5, 11))
        content = CommentContent(
            note=CommentReason.CLOSED, day=date(2026, 3, 2), closing=ClosingReason.WAIVED, waiver=waiver
        )

        comment = wording(markup).comment(content, "en", 0)

        assert "\n" not in comment, name
        assert "://evil" not in comment, name
        if markup is MARKDOWN:
            assert rendered(comment).count("<") == 2, name  # the paragraph


@each_markup
@each_language
def test_why_a_ticket_is_closed(markup: Markup, lang: str, snapshot: SnapshotAssertion) -> None:
    """Each reason in its own words, as a comment, and in plain text for a field that asks for it."""
    waiver = Waiver(id=1, owner="mika.sato@example.co.jp", reason="A price list", given_on=NOW, until=date(2026, 5, 11))
    texts = wording(markup)
    said = {}
    for closing in ClosingReason:
        content = CommentContent(
            note=CommentReason.CLOSED,
            day=date(2026, 3, 2),
            closing=closing,
            waiver=waiver,
            instead="OPS-12",
            rejudged=Rejudged(changed_by=ChangedBy.RULE, version="0.2.0", on=NOW),
        )
        said[str(closing)] = [texts.comment(content, lang, 0), texts.note(content, lang)]

    assert len({comment for comment, _ in said.values()}) == len(said)
    assert "\n".join(f"{reason}: {comment}\n  {note}" for reason, (comment, note) in said.items()) == snapshot


@each_language
def test_a_reminder_says_until_when_and_whom_to_ask(lang: str) -> None:
    content = CommentContent(
        note=CommentReason.STILL, day=date(2026, 3, 2), due=date(2026, 2, 20), contact="security@example.co.jp"
    )

    late = wording(PLAIN).comment(content, lang, 0)
    early = wording(PLAIN).comment(replace(content, due=date(2026, 3, 20)), lang, 0)

    assert {"en": "It was due on 20 Feb 2026. Questions", "ja": "対応期限（2026年2月20日）を過ぎています。ご不明な点"}[
        lang
    ] in late
    assert {"en": "It is due by 20 Mar 2026.", "ja": "対応期限は2026年3月20日です。"}[lang] in early
    assert "security@example.co.jp" in late
