"""`cloudscan ranks import` and `export`: the ledger of information assets of IPA's guideline, in and out."""

import io
import tomllib
import zipfile
from pathlib import Path

import openpyxl
import pytest

from cloudscan.cli.main import run
from cloudscan.connector import Yielded
from cloudscan.facts import Audience, Resource
from cloudscan.organisation.knowledge import Knowledge
from tests.kit.facts import file, grant
from tests.kit.organisation import joined, user

SALES = Resource(uid="toy:sales", platform="toy", account="acme", kind="shared_drive", name="営業部", owner_uid="toy:o")
PAY = Resource(
    uid="toy:pay", platform="toy", account="acme", kind="bucket", name="acme-payroll", path="s3://acme-payroll"
)
SITE = Resource(
    uid="toy:site", platform="toy", account="acme", kind="site", name="役員", path="sites/board",
    url="https://acme.sharepoint.example/sites/board",
)  # fmt: skip
HEAD = """\
情報資産管理台帳,,,,,,,,,,,,,,
業務分類,情報資産名称,備考,利用者範囲,管理部署,媒体・保存先,個人情報の種類,,,評価値,,,重要度,保存期限,登録日
,,,,,,個人情報,要配慮個人情報,特定個人情報,機密性,完全性,可用性,,,
"""


@pytest.fixture
def scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A drive, a bucket and a site."""
    monkeypatch.chdir(tmp_path)
    facts: list[Yielded] = [
        user("o", "o@acme.example", department="営業部"),
        SALES, PAY, SITE,
        file("f", container_uid="toy:sales", parent_uid="toy:sales"), file("g", container_uid="toy:site"),
        grant("f", Audience.ANYONE_WITH_LINK), grant("pay", Audience.OWNER),
    ]  # fmt: skip
    folder = tmp_path / ".cloudscan" / "snapshots"
    folder.mkdir(parents=True)
    joined(tmp_path, Knowledge(), facts).close()
    (tmp_path / "snapshot").rename(folder / "20260401T030000Z")
    return tmp_path


def ledger(*rows: str) -> bytes:
    return (HEAD + "\n".join(rows) + "\n").encode("cp932")


def imported(capsys: pytest.CaptureFixture[str], data: bytes, *options: str, code: int = 0) -> tuple[object, str]:
    """The entries that follow, and the comments below them."""
    Path("ledger").write_bytes(data)
    assert run(["ranks", "import", "ledger", *options]) == code
    text = capsys.readouterr().out
    entries = {entry["rank"]: entry["places"] for entry in tomllib.loads(text).get("ranks", [])}
    return entries, text


def test_a_ledger_becomes_ranks(scanned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By confidentiality; a place goes by its address, or by the name of a drive, bucket or site."""
    entries, text = imported(
        capsys,
        ledger(
            "営業,顧客名簿,,営業部,営業部,共有ドライブ「営業部」,有,,,3,1,1,3,5年,2024/4/1",
            "役員,議事録,,役員,総務部,https://acme.sharepoint.example/sites/board/,,,,社外秘,1,3,3,,",
            "人事,規程,,全員,人事部,s3://acme-payroll,,,,1,3,3,3,,",
        ),
    )

    assert entries == {
        "news-grade": ["toy:営業部"],
        "confidential": ["toy:sites/board"],
        "working": ["toy:acme-payroll"],
    }
    assert "# line 4, '顧客名簿': 機密性 3" in text


@pytest.mark.parametrize(
    ("rating", "personal", "rank"),
    [("0", ",,", "working"), ("2", ",,", "news-grade"), ("0", "有,,", "confidential"), ("0", ",○,", "news-grade"),
     ("0", ",,有", "news-grade"), ("1", "無,無,-", "confidential"), ("", ",,", "news-grade")],
)  # fmt: skip
def test_the_scale_from_0_and_personal_data_that_the_law_protects(
    scanned: Path, capsys: pytest.CaptureFixture[str], rating: str, personal: str, rank: str
) -> None:
    """A row with 0 tells the scale; importance stands in where confidentiality is not rated."""
    row = f"人事,給与,,人事部,人事部,acme-payroll,{personal},{rating},0,0,2,,"

    entries, _ = imported(capsys, ledger(row))

    assert entries == {rank: ["toy:acme-payroll"]}


def test_rows_from_which_no_rank_follows_are_listed_with_the_reason(
    scanned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Paper, a server in the office, a rating that nobody knows, none at all."""
    entries, text = imported(
        capsys,
        ledger(
            "経理,請求書,,経理部,経理部,書類,,,,3,1,1,3,,",
            "経理,控え,,経理部,経理部,acme-payroll,,,,S,1,1,3,,",
            "経理,台帳,,経理部,経理部,acme-payroll,,,,,,,,,",
        ),
        code=3,
    )

    assert entries == {}
    assert "# line 4, '請求書': '書類' is no place" in text
    assert "# line 5, '控え': 機密性 'S' is not understood" in text
    assert "# line 6, '台帳': it is not rated" in text


def test_a_scale_that_is_not_clear_is_asked_for(scanned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """2 is the highest of one edition and the middle of the other."""
    row = "人事,給与,,人事部,人事部,acme-payroll,,,,2,1,1,2,,"
    Path("ledger").write_bytes(ledger(row))

    assert run(["ranks", "import", "ledger"]) == 2
    assert "--scale 3-2-1" in capsys.readouterr().err
    assert imported(capsys, ledger(row), "--scale", "3-2-1")[0] == {"confidential": ["toy:acme-payroll"]}


def test_what_is_no_ledger_is_said(scanned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A list of something else, a picture, an archive of something else."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as other:
        other.writestr("a.txt", "a")
    for data in (b"a,b\n1,2\n", b"\x89PNG\r\n\x1a\n\xff", archive.getvalue()):
        Path("ledger").write_bytes(data)
        assert run(["ranks", "import", "ledger"]) == 2
        assert "ledger" in capsys.readouterr().err


def test_a_workbook_that_declares_entities_is_refused(scanned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They may expand to anything."""
    book = openpyxl.Workbook()
    out = io.BytesIO()
    book.save(out)
    hostile = io.BytesIO()
    with zipfile.ZipFile(out) as source, zipfile.ZipFile(hostile, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            target.writestr(name, b'<!DOCTYPE x [<!ENTITY a "a">]>' + text if name.endswith("workbook.xml") else text)
    Path("ledger").write_bytes(hostile.getvalue())

    assert run(["ranks", "import", "ledger"]) == 2
    assert "is not an Excel workbook" in capsys.readouterr().err


def test_what_excel_writes_is_read(scanned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Merged heads, numbers, a sheet of instructions in front."""
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active["A1"] = "記入方法"
    sheet = book.create_sheet("台帳")
    for line in HEAD.splitlines():
        sheet.append([cell or None for cell in line.split(",")])
    sheet.merge_cells("G2:I2")
    sheet.append(["営業", "顧客名簿", None, "営業部", "営業部", "営業部", "有", None, None, 3, 1, 1, 3, None, None])
    out = io.BytesIO()
    book.save(out)

    assert imported(capsys, out.getvalue())[0] == {"news-grade": ["toy:営業部"]}


@pytest.mark.parametrize("format_name", ["csv", "xlsx"])
def test_what_is_exported_can_be_imported(scanned: Path, capsys: pytest.CaptureFixture[str], format_name: str) -> None:
    """The same places with the same ranks, and nothing that no scan can know."""
    Path("cloudscan.toml").write_text(
        '[[ranks]]\nrank = "news-grade"\nplaces = ["acme-payroll"]\n'
        '[[ranks]]\nrank = "working"\ncontainers = ["営業*"]\n'
        '[[ranks]]\nrank = "confidential"\nplaces = ["sites/board"]\n',
        encoding="utf-8",
    )

    assert run(["ranks", "export", "--format", format_name, "--output", "out"]) == 0
    entries, _ = imported(capsys, Path("out").read_bytes())

    assert entries == {
        "news-grade": ["toy:acme-payroll"],
        "confidential": ["toy:sites/board"],
        "working": ["toy:営業部"],
    }


def test_the_export_has_the_ledgers_columns(scanned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who has access and the owner's department are known; purpose, integrity and retention are not."""
    assert run(["ranks", "export"]) == 0

    lines = capsys.readouterr().out.lstrip("\ufeff").splitlines()
    row = dict(zip(lines[0].split(","), next(line for line in lines if "営業部" in line).split(","), strict=True))
    assert row == {
        '"業務分類"': '""', '"情報資産名称"': '"営業部"', '"備考"': '""', '"利用者範囲"': '"anyone who has the link"',
        '"管理部署"': '"営業部"', '"媒体・保存先"': '"toy:営業部"', '"個人情報"': '""', '"要配慮個人情報"': '""',
        '"特定個人情報"': '""', '"機密性"': '""', '"完全性"': '""', '"可用性"': '""', '"重要度"': '""',
        '"保存期限"': '""', '"登録日"': '"2026-04-01"',
    }  # fmt: skip
