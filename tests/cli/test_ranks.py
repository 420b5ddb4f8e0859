"""`cloudscan ranks`: entries are tried on the last snapshot, as it is."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from cloudscan.cli.main import run
from cloudscan.facts import Audience, Resource
from cloudscan.organisation.knowledge import Knowledge
from tests.kit.facts import file, grant
from tests.kit.organisation import joined

DRIVE = Resource(uid="toy:hr", platform="toy", account="acme", kind="shared_drive", name="HR")
BOARD = Resource(
    uid="toy:board", platform="toy", account="acme", kind="folder", name="Board", path="Board",
    parent_uid="toy:hr", container_uid="toy:hr",
)  # fmt: skip
MINUTES = file("m", path="Board/minutes.docx", parent_uid="toy:board", container_uid="toy:hr", label="General")
SALES = Resource(uid="toy:sales", platform="toy", account="acme", kind="shared_drive", name="営業")
OFFER = file("o", path="見積/見積書.docx", parent_uid="toy:sales", container_uid="toy:sales", size_bytes=2_000_000)
ENTRIES = """
[[ranks]]
rank = "news-grade"
places = ["HR/Board", "**/*merger*"]

[[ranks]]
rank = "working"
labels = ["general"]
"""


@pytest.fixture
def scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A snapshot that was made before anything was ranked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    folder = tmp_path / ".cloudscan" / "snapshots" / "20260401T030000Z"
    folder.mkdir(parents=True)
    joined(folder, Knowledge(), [DRIVE, BOARD, MINUTES, SALES, OFFER, grant("o", Audience.ANYONE_WITH_LINK)]).close()
    (folder / "snapshot").rename(folder.parent / "20260401T030001Z")
    Path("cloudscan.toml").write_text(ENTRIES, encoding="utf-8")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["ranks", *arguments]) == 0
    return capsys.readouterr().out


def test_a_new_entry_is_tried_without_a_scan(scanned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All that speaks is said, and an arrow marks what decides."""
    text = said(capsys, "explain", "minutes.docx")

    assert text.splitlines()[0] == "toy:HR/Board/minutes.docx"
    assert "rank: news-grade" in text
    assert "  working: label 'general'" in text
    assert "→ news-grade: named itself 'HR/Board', of toy:HR/Board" in text


def test_what_several_are_called_is_listed(scanned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything whose path ends so."""
    found = json.loads(said(capsys, "explain", "見積/見積書.docx", "--format", "json"))

    assert [(one["called"], one["rank"], one["spoken"]) for one in found] == [("toy:営業/見積/見積書.docx", None, [])]


def test_what_is_called_nothing_is_an_error(scanned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rather than an empty answer."""
    assert run(["ranks", "explain", "nothing"]) == 2
    assert "'nothing'" in capsys.readouterr().err


def test_unranked_containers_are_listed_and_entries_that_reach_nothing(
    scanned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one that anybody with a link can open comes first."""
    text = said(capsys, "list")

    assert text.startswith("2 of 5 resources are ranked: 2 news-grade\n")
    assert "Reaches nothing: pattern '**/*merger*'" in text
    rows = [re.split(" {2,}", line.strip()) for line in text.splitlines() if "shared_drive" in line]
    assert [(row[0], row[3], row[-1]) for row in rows] == [
        ("toy:営業", "anyone who has the link", "2.0"),
        ("toy:HR", "nobody", "?"),
    ]


def test_suggestions_are_text_for_the_configuration_and_change_nothing(
    scanned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the word that led to each, and how far it reaches; what is ranked already is left out."""
    before = Path("cloudscan.toml").read_text(encoding="utf-8")

    text = said(capsys, "suggest")

    (entry,) = tomllib.loads(text)["ranks"]
    assert entry == {"rank": "confidential", "places": ["toy:営業/**/*見積*", "toy:HR"]}
    assert "'見積': prices and costs; resources: 1, widest audience: anyone who has the link" in text
    assert Path("cloudscan.toml").read_text(encoding="utf-8") == before


def test_a_name_that_would_break_the_configuration_is_a_pattern_of_what_can_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Quotes, line ends and characters that turn the text around are a stranger's."""
    monkeypatch.chdir(tmp_path)
    hostile = Resource(
        uid="toy:x", platform="toy", account="acme", kind="shared_drive", name='pay\u202eroll*\n"]\nrank = "給与'
    )
    joined(tmp_path / "a", Knowledge(), [hostile]).close()

    text = said(capsys, "suggest", "--snapshot", str(tmp_path / "a" / "snapshot"))

    (entry,) = tomllib.loads(text)["ranks"]
    assert entry["places"] == ['toy:pay?roll??"]?rank = "給与']
    assert "\u202e" not in text
