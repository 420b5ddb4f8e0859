"""Why something could not be read is said in the reader's language, wherever a connector of ours says it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from cloudscan_wording import reasons
from cloudscan_wording.reasons import in_words
from tests.reports.synthetic import report

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "reports/cloudscan_wording/texts/reasons.ja.po"
GIVEN_TO = {"Gap", "Unread"}
FIRST_OF = {
    "AccessDenied",
    "Locked",
    "Malformed",
    "QuotaSpent",
    "StaleCursor",
    "StalePage",
    "Throttled",
    "Unreachable",
    "Vanished",
}
LAST_OF = {"gap", "_gap", "_note"}
FIELD = "it"


def written(node: ast.expr) -> Iterator[str]:
    """The sentences that an expression may be, whatever stands in their fields."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else FIELD for part in parts)
        case ast.IfExp(body=one, orelse=other):
            yield from (*written(one), *written(other))


def reasons_in(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "reason" for to in node.targets):
            yield from written(node.value)
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in GIVEN_TO:
            yield from (text for keyword in node.keywords if keyword.arg == "reason" for text in written(keyword.value))
        if name in FIRST_OF and node.args:
            yield from written(node.args[0])
        if name in LAST_OF and node.args:
            yield from written(node.args[-1])


def reasons_of_ours() -> list[str]:
    """Every reason that our connectors and the engine can give, as far as it is a literal in their sources."""
    files = [file for file in (ROOT / "connectors").glob("*/**/*.py") if "cloudscan_emulators" not in file.parts]
    files += [file for room in ("snapshot", "http", "nightly") for file in (ROOT / "cloudscan" / room).rglob("*.py")]
    texts = {text for file in files for text in reasons_in(file.read_text("utf-8"))}
    return sorted(text for text in texts if sum(map(str.isalpha, text)) > 8 and " " in text)


def test_the_sources_are_read() -> None:
    """Reasons of every connector, and of the core's rooms, are among those that are checked."""
    reasons_by_room = {
        room: {text for file in (ROOT / room).rglob("*.py") for text in reasons_in(file.read_text("utf-8"))}
        for room in ("connectors/cloudscan_s3", "connectors/cloudscan_gdrive", "connectors/cloudscan_m365",
                     "cloudscan/snapshot", "cloudscan/http", "cloudscan/nightly")
    }  # fmt: skip

    assert [room for room, texts in reasons_by_room.items() if not texts & set(reasons_of_ours())] == []


@pytest.mark.parametrize("reason", reasons_of_ours())
def test_every_reason_is_said_in_japanese(reason: str) -> None:
    translation = in_words(reason, "ja")

    assert translation != reason
    assert any("\u3041" <= letter <= "\u9fff" for letter in translation)
    assert in_words(reason, "en") == reason


@pytest.mark.parametrize(
    ("reason", "japanese"),
    [
        (
            "Google refused access (forbidden): Not Authorized; sharing settings could not be read; "
            "only a super admin may",
            "Googleに拒否されました（forbidden）：Not Authorized；共有設定を読み取れませんでした。"
            "読み取れるのは特権管理者だけです",
        ),
        ("access points in eu-west-1: s3:ListAccessPoints is not allowed",
         "eu-west-1 のアクセスポイント：s3:ListAccessPoints が許可されていません"),
        ("The tenant says: no; ask again", "The tenant says: no; ask again"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_a_platform_said_stays_as_it_is(reason: str, japanese: str) -> None:
    assert in_words(reason, "ja") == japanese


def test_every_template_keeps_its_fields() -> None:
    with CATALOGUE.open("rb") as file:
        for message in read_po(file, locale="ja"):
            fields = [set(reasons._FIELD.findall(str(text))) for text in (message.id, message.string)]
            assert fields[0] == fields[1], message.id


@given(st.text(st.sampled_from("abx;: ({}\n"), max_size=200))
def test_a_platforms_text_stays_as_it_is(text: str) -> None:
    """It may look like part of a template, but has no closing bracket: that ends a field of this one.

    With one, where the field ends is ambiguous in the sentence itself.
    """
    translation = in_words(f"Google refused access (x): {text}; org units have no names", "ja")

    assert translation == f"Googleに拒否されました（x）：{text}；組織部門の名前が分かりません"


def test_a_report_tells_its_gaps_in_japanese() -> None:
    given = report(1)
    locked = msgspec.structs.replace(given.coverage[1], reason="s3:GetBucketPolicy is not allowed")
    given = msgspec.structs.replace(given, coverage=[locked])

    (row,) = reasons.worded(given, "ja").coverage

    assert row.reason == "s3:GetBucketPolicy が許可されていません"
    assert reasons.worded(given, "en") is given
