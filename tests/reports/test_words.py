"""Words about a finding: fields, commands, remedies, and characters that deceive."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.facts import Access, Audience
from cloudscan.finding import Evidence, Judgement, Subject, Verdict
from cloudscan.text import filled, word
from cloudscan.text.shell import faults
from cloudscan_reports.summary.counts import open_to_all
from cloudscan_wording import evidence, phrases
from cloudscan_wording.texts import load
from cloudscan_wording.visible import visible
from tests.kit.properties import examples
from tests.reports.synthetic import report

BASH = shutil.which("bash") or "/bin/bash"
CASES = json.loads(Path(__file__).with_name("commands.json").read_text("utf-8"))
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Zl", "Zp"]), min_size=1, max_size=12)


def read_by_bash(command: str) -> list[str]:
    """The words that a POSIX shell gives to the program."""
    script = 'aws() { printf \'%s\\0\' "$@"; }; gcloud() { aws "$@"; }\n' + command
    output = subprocess.run([BASH, "-c", script], check=True, capture_output=True, env={"LC_ALL": "C.UTF-8"}).stdout
    return output.decode().split("\0")[:-1]


def read_by_powershell(command: str) -> list[str]:
    """The words of a command as about_Quoting_Rules describes them: PowerShell itself was not tried."""
    quotes, words, position = "'\u2018\u2019\u201a\u201b", [""], 0
    while position < len(command):
        character = command[position]
        position += 1
        if character == " ":
            words.append("")
        elif character not in quotes:
            words[-1] += character
        else:
            while command[position] not in quotes or command[position + 1 : position + 2] in tuple(quotes):
                position += command[position] in quotes  # of two quotes, the second is the text's own
                words[-1] += command[position]
                position += 1
            position += 1
    return words


@pytest.mark.parametrize("case", CASES, ids=[case["it"] for case in CASES])
def test_a_command_is_filled_for_its_shell(case: dict[str, Any]) -> None:
    """The table that the page's script is tested with too (`test_page_in_browser`)."""
    line = filled(case["template"], case["values"])

    assert (line and line.text) == case["text"]
    assert list(line.missing if line else ()) == case["missing"]


@examples(40)
@given(TEXT)
def test_a_value_is_one_word_of_its_shell(name: str) -> None:
    """Whatever a name contains, the command gets that name and nothing else, or is not offered."""
    posix = filled("gcloud x --y {name} --z", {"name": name})
    powershell = filled("Set-Thing -Identity {name} -Z", {"name": name})

    assert posix
    assert powershell
    value = [f"--y={name}"] if name.startswith("-") else ["--y", name]
    assert read_by_bash(posix.text) == ["x", *value, "--z"]
    assert read_by_powershell(powershell.text) == ["Set-Thing", "-Identity", name, "-Z"]


@examples(40)
@given(TEXT)
def test_a_word_for_either_shell_is_one_word_in_both(name: str) -> None:
    """It is read alike by both, or there is none."""
    quoted = word(name)

    assert quoted is None or read_by_bash(f"aws --owner {quoted} -x") == ["--owner", name, "-x"]
    assert quoted is None or read_by_powershell(f"--owner {quoted} -x") == ["--owner", name, "-x"]
    assert quoted is not None or name.startswith("-") or set(name) & set("'\u2018\u2019\u201a\u201b")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("frobnicate --all", ["the shell of `frobnicate` is not known"]),
        ("aws x --y {BUCKET}", []),
        ("aws x --y BUCKET", ["`BUCKET` could be taken for a value; write {BUCKET}"]),
        ("Set-SPOTenant -SharingAllowedDomainList 'partner.example'", ["`partner.example` could be taken for a value"]),
        ("aws x --y 'A={{B=C}}'", ["`{{` would stay"]),
        ("""aws x --y '{"A":"{name}"}'""", ["a value inside quotes could end them"]),
        ('aws x --type AWS::S3::Bucket --y \'{"A":"{BUCKET}"}\'', []),
        ("Set-SPOTenant -DisallowInfectedFileDownload $true", []),
    ],
)
def test_the_author_of_a_command_is_told_what_is_wrong(command: str, words: list[str]) -> None:
    """Before a rule is used, its commands have a shell, no invented value, and values where quotes can hold them."""
    found = list(faults(command))

    assert len(found) == len(words)
    assert all(word in fault for word, fault in zip(words, found, strict=True))


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


def test_a_step_says_what_to_replace_and_what_is_missing() -> None:
    """Fields are quoted in commands only; a reader is told which words to replace and why a command is not shown."""
    fix = """Look at {name}.\n`aws s3 rm {name} --x {BUCKET}`\n`Set-Thing {other}`"""

    (english,) = phrases.filled_steps(fix, {"name": "a b", "other": "\x1b"}, "en")
    (japanese,) = phrases.filled_steps(fix, {"name": "a b", "other": "x"}, "ja")

    assert english.text == (
        "Look at a b. (Replace BUCKET with your own values before you run it.) (No command is shown, because a name "
        "contains characters that cannot be typed safely. Use the administration console.)"
    )
    assert list(english.commands) == ["aws s3 rm 'a b' --x BUCKET"]
    assert japanese.text == "Look at a b.（実行する前に、BUCKET を実際の値に置き換えてください）"
    assert list(japanese.commands) == ["aws s3 rm 'a b' --x BUCKET", "Set-Thing 'x'"]


@pytest.mark.parametrize(
    ("lang", "audience", "access", "sentence"),
    [
        ("en", Audience.ANYONE_WITH_LINK, Access.READ, "Anyone on the internet can read it"),
        ("ja", Audience.ANYONE_WITH_LINK, Access.READ, "インターネット上の誰でも読み取れます"),
        ("en", Audience.ANY_ACCOUNT, Access.WRITE, "Anyone with an AWS account can edit it"),
        ("ja", Audience.ORGANISATION, Access.MANAGE, "社内の全員がアクセス権を変更できます"),
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
