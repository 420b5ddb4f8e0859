"""The HTML report as text: what it promises before any browser opens it."""

import base64
import hashlib
import html.parser
import json
import re

import msgspec
import pytest

from cloudscan.errors import ConfigurationError
from cloudscan.framework import ControlResult, ControlStanding, Extent, FrameworkResult
from cloudscan_reports.page import html as page
from cloudscan_reports.page import list_data, payload
from cloudscan_reports.page.model import MOST_STATIC
from cloudscan_wording.texts import load
from tests.reports.hostile import NAMES
from tests.reports.synthetic import report, with_past


class Reader(html.parser.HTMLParser):
    """Tags with their attributes, and the text outside scripts and styles."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] not in ("script", "style"):
            self.text.append(data)


def data_element(source: str) -> str:
    return source.split('id="data">')[1].split("</script>", maxsplit=1)[0]


def test_the_policy_names_exactly_this_script_and_this_style() -> None:
    """Content security policy by hash: nothing else may run, and nothing may be loaded or sent."""
    source = page.write(report(3), "en")

    policy = next(tag["content"] for name, tag in Reader(source).tags if name == "meta" and "http-equiv" in tag)
    for name, opening in (("script", '<script type="module">'), ("style", "<style>")):
        content = source.split(opening)[1].split(f"</{name}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")


@pytest.mark.parametrize("names", [(), NAMES], ids=["plain", "hostile"])
def test_the_page_has_only_its_own_elements(names: tuple[str, ...]) -> None:
    """Names add no element, no handler and no style attribute; the page refers to nothing outside itself."""
    tags = Reader(page.write(report(30, names=names), "en")).tags

    assert sum(name == "script" for name, _ in tags) == 3
    assert not {name for name, _ in tags} & {"img", "link", "iframe", "object", "base", "audio", "video"}
    assert not [
        value for _, attributes in tags for value in attributes if value.startswith("on") or value in ("src", "style")
    ]
    assert all(attributes["href"].startswith("#") for name, attributes in tags if name == "a")


def test_hostile_names_stay_text_in_the_data() -> None:
    """The data element parses, holds each name as it is, and no sign that could end the element."""
    source = page.write(report(len(NAMES), names=NAMES), "en")

    inside = data_element(source)
    pool = json.loads(inside)["pool"]

    assert set(NAMES) - {"half \ud800 pair \udfff"} <= set(pool)
    assert "half \ufffd pair \ufffd" in pool
    assert not re.search("[<>&\u2028\u2029\x7f-\x9f]", inside)
    source.encode()


def test_readers_without_javascript_see_the_findings() -> None:
    """The first findings stand in the page itself with who, since when, why, how to fix it and the reasons."""
    given = report(250)

    text = "".join(Reader(page.write(given, "en")).text)

    assert all(finding.message["en"] in text for finding in given.findings[:MOST_STATIC])
    assert "Anyone on the internet can read it" in text
    assert f"--bucket {given.findings[0].verdict.subject.name} " in text
    assert 'to everybody (Principal "*")' in text


def test_what_could_not_be_seen_is_shown_with_the_permission_to_grant() -> None:
    """Unknowns and gaps are above the findings."""
    text = "".join(Reader(page.write(report(3), "en")).text)

    for sentence in (
        "14 cases could not be evaluated",
        "s3:GetBucketPolicy",
        "no answer from https://s3.example",
        "Check the network, and the proxy and firewall on the way to https://s3.example.",
        "There may be buckets, access points that are not in this report.",
        "10,000 of 481,233 read",
    ):
        assert sentence in text
    assert text.index("14 cases") < text.index("Findings, most urgent first", text.index("14 cases"))


def test_a_clean_report_says_so() -> None:
    """Without findings and gaps the page is still a page."""
    text = "".join(Reader(page.write(report(0, complete=True), "en")).text)

    assert "There are no open findings" in text
    assert "Nothing is missing" in text


@pytest.mark.parametrize(("lang", "other"), [("en", "ja"), ("ja", "en")])
def test_no_page_is_half_translated(lang: str, other: str) -> None:
    """No title and no label of the other language shows."""
    reader = Reader(page.write(report(30), lang))
    text = "".join(reader.text)
    mine, theirs = load(lang).table, load(other).table

    assert dict(reader.tags[0][1]) == {"lang": lang}
    for group in ("page", "first", "unseen", "finding", "findings"):
        for key, phrase in theirs[group].items():
            if isinstance(phrase, str) and "{" not in phrase and len(phrase) > 3 and phrase != mine[group][key]:
                assert phrase not in text, f"{group}.{key}"


def test_the_data_carries_a_message_once_per_rule() -> None:
    """Messages that the rule's template gives are not repeated; one that it does not give is kept."""
    given = report(30)
    odd = msgspec.structs.replace(given.findings[0], message={"en": "Something else.", "ja": "別の文。"})
    given = msgspec.structs.replace(given, findings=[odd, *given.findings[1:]])

    data = list_data.page_data(given, load("en"))

    assert [number for number in data["strings"]["message"] if number != -1] == [0]
    assert "Something else." in data["pool"]


def test_a_thousand_findings_stay_small() -> None:
    """A page for a thousand findings is far below three megabytes; a large one is compressed."""
    assert len(page.write(report(1000), "ja").encode()) < 1_200_000
    assert payload.elements(report(5000), load("en"), 10**7).media_type == "application/gzip"


def test_an_unknown_language_is_refused() -> None:
    """No page in a mixture of languages."""
    with pytest.raises(ConfigurationError):
        page.write(report(1), "fr")


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("index", [0, 1], ids=["light", "dark"])
def test_colours_have_contrast(index: int) -> None:
    """Text reaches 4.5:1 on every ground it stands on (WCAG 2.2, 1.4.3)."""
    source = page.write(report(1), "en")
    scheme = re.findall(r":root \{\s*(?:color-scheme: light dark;)?([^}]*)\}", source)[index]
    colour = dict(re.findall(r"--([a-z]+): (#[0-9a-f]+)", scheme))

    grounds = [colour[name] for name in ("ground", "panel", "code")]
    inks = [colour[name] for name in ("ink", "quiet", "link", "whole", "partial")]
    assert min(contrast(ink, ground) for ink in inks for ground in grounds) >= 4.5
    badges = [colour[name] for name in ("critical", "high", "medium", "low", "info")]
    assert min(contrast("#fff", badge) for badge in badges) >= 4.5


@pytest.mark.parametrize(
    ("lang", "sentences"),
    [
        ("en", ("Bucket policy lets anyone read, everywhere", "Widened: more people", "10 Feb 2026", "on purpose")),
        ("ja", ("バケットポリシーにより誰でも読み取れます（すべての場所）", "広がった範囲：アクセスできる人")),
    ],
)
def test_a_waiver_is_told_in_full(lang: str, sentences: tuple[str, ...]) -> None:
    """What it covers, since when, why, and in what the findings under it have grown."""
    section = page.write(with_past(report(30)), lang).split('<section id="waivers"')[1].split("</section>")[0]

    assert [sentence for sentence in sentences if sentence not in section] == []


def test_a_waiver_names_the_finding_or_the_place_that_it_is_about() -> None:
    given = with_past(report(30))
    (first, second, *_) = given.waivers
    finding = given.findings[0]
    one = msgspec.structs.replace(first.waiver, fingerprint=finding.fingerprint, rule_id="")
    targeted = msgspec.structs.replace(second.waiver, rule_id="", target="s3:bucket/acme-media")
    waivers = [msgspec.structs.replace(first, waiver=one), msgspec.structs.replace(second, waiver=targeted)]

    source = page.write(msgspec.structs.replace(given, waivers=waivers), "en")
    section = source.split('<section id="waivers"')[1].split("</section>")[0]

    assert f'<a href="#finding={finding.fingerprint}">{finding.message["en"]}</a>' in section
    assert "Everything in s3:bucket/acme-media" in section


def test_a_waivers_note_of_another_version_is_spelt_out() -> None:
    """Reports are read that a later cloudscan wrote."""
    given = with_past(report(3))
    waiver = msgspec.structs.replace(given.waivers[0], notes=["overdue", "<b>manual</b>"])

    text = "".join(Reader(page.write(msgspec.structs.replace(given, waivers=[waiver]), "ja")).text)

    assert "<b>manual</b>" in text


def test_frameworks_stand_control_by_control() -> None:
    """Failed and not visible are told apart; what no rule can check has its reason; an odd address is no link."""
    controls = [
        ControlResult(
            id="A.1", title="<b>Links</b>", standing=ControlStanding.FLAGGED, flagged=3, waived=1, passed=9,
            extent=Extent.CHECKED,
        ),
        ControlResult(
            id="A.2", title="Guests", standing=ControlStanding.NOTHING, extent=Extent.PARTLY,
            unseen={"en": "What they <i>promised</i>.", "ja": "約束の内容。"},
        ),
        ControlResult(
            id="A.3", title="Paper", titles={"ja": "紙"}, standing=ControlStanding.NOT_COVERED, extent=Extent.UNSEEN,
            unseen={"en": "It is in a drawer.", "ja": "引き出しの中です。"},
        ),
        ControlResult(id="A.4", title="Silence", standing=ControlStanding.NOT_COVERED, extent=Extent.UNSEEN),
    ]  # fmt: skip
    own = FrameworkResult(id="own", title="House rules", controls=controls, url="javascript:alert(1)")
    given = msgspec.structs.replace(report(3), frameworks=[own])
    source = page.write(given, "en")

    text = " ".join("".join(Reader(source).text).split())
    assert "House rules 1 Failed 1 Not visible: nothing of this kind was seen 2 Not covered by a rule" in text
    assert "How far it can be checked 1 Checked 1 Partly checked 2 Cannot be seen" in text
    assert "A.1 <b>Links</b> Failed 3 1 – 9 Checked A.2 Guests" in text
    assert "Partly checked Not seen: What they <i>promised</i>." in text
    assert "No rule can check these A.3 Paper It is in a drawer. A.4 Silence Its catalogue does not say what" in text
    assert 'href="#framework=own%23A.1&amp;state=any"' in source
    assert "javascript:" not in source.split('id="data">')[0]
    japanese = " ".join("".join(Reader(page.write(given, "ja")).text).split())
    assert "ルールで確認できない管理策 A.3 紙 引き出しの中です。" in japanese
    assert "一部確認可 確認できないこと：約束の内容。" in japanese


def test_a_framework_of_an_earlier_report_says_nothing_of_its_extent() -> None:
    """Reports in old packs and ledgers do not have it; nothing is made up for them."""
    control = ControlResult(id="A.1", title="Links", standing=ControlStanding.PASSED, passed=9)
    own = FrameworkResult(id="own", title="House rules", controls=[control])

    text = "".join(Reader(page.write(msgspec.structs.replace(report(3), frameworks=[own]), "en")).text)

    assert "A.1 Links Passed – – – 9 –" in " ".join(text.split())
    assert text.count("How far it can be checked") == 1  # the column
