"""Words about a finding: fields, commands, remedies, and characters that deceive."""

import shutil
import subprocess

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.facts import Access, Audience
from cloudscan.finding import Evidence, Judgement, Subject, Verdict
from cloudscan_reports.summary.counts import open_to_all
from cloudscan_wording import evidence, phrases
from cloudscan_wording.texts import load
from cloudscan_wording.visible import for_shell, visible
from tests.kit.properties import examples
from tests.reports.hostile import NAMES
from tests.reports.synthetic import report

BASH = shutil.which("bash") or "/bin/bash"


def said_by_bash(quoted: list[str]) -> list[str]:
    command = "printf '%s\\0' " + " ".join(quoted)
    output = subprocess.run([BASH, "-c", command], check=True, capture_output=True, env={"LC_ALL": "C.UTF-8"}).stdout
    return output.decode().split("\0")[:-1]


def test_a_quoted_value_is_one_word_of_the_shell() -> None:
    """Whatever a name holds, a shell that runs the command sees that name and does nothing else."""
    names = [name for name in NAMES if "\x00" not in name and "\ud800" not in name]

    assert said_by_bash([for_shell(name) for name in names]) == names


@examples(40)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12), min_size=1))
def test_quoting_holds_for_any_text(names: list[str]) -> None:
    assert said_by_bash([for_shell(name) for name in names]) == names


@given(st.text())
def test_nothing_unseen_is_left(text: str) -> None:
    """A visible text holds no control, no bidi mark and no half of a pair, and stays as it is when looked at again."""
    seen = visible(text)

    seen.encode()
    assert seen == visible(seen)
    assert not set(seen) & set("\x00\x1b\n\r\x7f\x85\x9b\u200f\u2028\u202e\u2066\ufeff")


def test_a_step_keeps_its_commands() -> None:
    """A line in backticks belongs to the step above it; numbering that the author wrote does not show twice."""
    parsed = phrases.steps("1. Open the console.\n2. Run `aws` like this:\n`aws one`\n`aws two`\n\n")

    assert [(step.text, list(step.commands)) for step in parsed] == [
        ("Open the console.", []),
        ("Run `aws` like this:", ["aws one", "aws two"]),
    ]


def test_a_command_is_filled_and_quoted() -> None:
    """Fields are quoted in commands only, and braces that name no field stay as JSON needs them."""
    fix = """Look at {name}.\n`aws s3 rm {name} --x '{"Rules":[{"a":{}}]}'`"""

    (step,) = phrases.filled_steps(fix, {"name": "a b"})

    assert step.text == "Look at a b."
    assert list(step.commands) == ["""aws s3 rm 'a b' --x '{"Rules":[{"a":{}}]}'"""]


@pytest.mark.parametrize(
    ("lang", "audience", "access", "sentence"),
    [
        ("en", Audience.ANYONE_WITH_LINK, Access.READ, "Anyone on the internet can read it"),
        ("ja", Audience.ANYONE_WITH_LINK, Access.READ, "インターネット上の誰でも読み取れます"),
        ("en", Audience.ANY_ACCOUNT, Access.WRITE, "Anyone with an AWS account can edit it"),
        ("ja", Audience.ORGANISATION, Access.MANAGE, "組織内の全員がアクセス権を変更できます"),
        ("en", None, Access.READ, "Who can reach it could not be determined"),
        ("ja", Audience.NOBODY, None, "現在は誰もアクセスできません"),
    ],
)
def test_reach_is_a_sentence(lang: str, audience: Audience | None, access: Access | None, sentence: str) -> None:
    assert phrases.reach(load(lang), verdict(audience, access, blocked_by="")) == sentence


def verdict(audience: Audience | None, access: Access | None, **row: object) -> Verdict:
    return Verdict(
        rule_id="any",
        judgement=Judgement.FLAGGED,
        identity=("s3:bucket/plans",),
        subject=Subject(platform="s3"),
        audience=audience,
        access=access,
        evidence=(Evidence(row={"audience": audience, **row}),),
    )


def test_what_a_block_holds_shut_is_not_said_to_be_open() -> None:
    """A latent way in names its block, and does not count as open to everybody."""
    latent = verdict(Audience.ANYONE_WITH_LINK, Access.READ, blocked_by="RestrictPublicBuckets")
    (finding,) = report(1).findings

    assert phrases.reach(load("en"), latent) == (
        "Anyone on the internet would have access but for: RestrictPublicBuckets"
    )
    assert open_to_all([msgspec.structs.replace(finding, verdict=latent)]) == 0


def test_a_finding_about_a_setting_says_nothing_about_who() -> None:
    """A rule that yields no audience is not "unknown": it is about something else."""
    about = msgspec.structs.replace(verdict(None, None), evidence=(Evidence(row={"value": "off"}),))

    assert phrases.audience_of(about) == "not_access"
    assert phrases.reach(load("ja"), about) == ""


def test_since_says_who_knows_it() -> None:
    """A date from the platform stands alone; a date of our own says that it may be longer."""
    findings = report(30).findings
    dated = next(finding for finding in findings if finding.verdict.since)
    undated = next(finding for finding in findings if not finding.verdict.since)
    texts = load("en")

    assert "earlier" not in phrases.since(texts, dated, report(30).generated_on)
    assert "or earlier" in phrases.since(texts, undated, report(30).generated_on)


@pytest.mark.parametrize(
    ("n", "text"), [(0, "0 bytes"), (999, "999 bytes"), (33_200_000_000, "33.2 GB"), (10**18, "1,000 PB")]
)
def test_sizes_read_well(n: int, text: str) -> None:
    assert phrases.size(n) == text


@pytest.mark.parametrize(
    ("column", "value", "en", "ja"),
    [
        ("audience", "anyone_with_link", "Anyone on the internet", "インターネット上の誰でも"),
        ("access", "write", "can edit it", "変更できます"),
        ("via", "policy", "A policy", "ポリシー"),
        ("expires_on", "9999-12-31T00:00:00Z", "none", "なし"),
        ("granted_on", "2026-03-02T04:05:00Z", "2 Mar 2026", "2026年3月2日"),
        ("last_seen_on", "1970-01-01T00:00:00Z", "never", "利用なし"),
        ("leave_on", "2026-11-20", "20 Nov 2026", "2026年11月20日"),
        ("created_on", "once", "once", "once"),
        ("size_bytes", 1_500_000, "1.5 MB", "1.5 MB"),
        ("password", False, "no", "いいえ"),
        ("setting", "true", "on", "オン"),
        ("setting", "ALLOWED", "ALLOWED", "ALLOWED"),
        ("weak_condition", "false", "none", "なし"),
        ("somebodys_own", "true", "true", "true"),
    ],
)
def test_a_value_of_evidence_reads_in_words(column: str, value: object, en: str, ja: str) -> None:
    """What is an id or a code in the row is a word; anything else stays as it is."""
    assert evidence.cell(column, value, load("en"), "s3") == en
    assert evidence.cell(column, value, load("ja"), "s3") == ja
