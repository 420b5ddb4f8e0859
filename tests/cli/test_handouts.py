"""Hand-outs, PDF and configured formats through the command line."""

import json
from collections.abc import Callable

import pytest

from tests.cli.conftest import CONFIG, Desk, Said

Scanned = Callable[..., Said]


@pytest.mark.parametrize(("name", "suffix"), [("html", ".html"), ("markdown", ".md"), ("pdf", ".pdf")])
def test_a_page_an_owner(scanned: Scanned, desk: Desk, name: str, suffix: str) -> None:
    """The folder is printed; only its owner may read what is in it."""
    scanned()

    result = desk.run("report", "--by", "owner", "--into", "handouts", "--format", name)

    assert (result.code, result.out) == (0, "handouts\n")
    files = {file.name: file for file in (desk.folder / "handouts").iterdir()}
    assert set(files) == {f"unknown-owner{suffix}", f"index{suffix}"}
    assert {file.stat().st_mode & 0o077 for file in files.values()} == {0}


def test_contact_and_deadline_come_from_the_configuration(scanned: Scanned, desk: Desk) -> None:
    more = 'name = "Acme"\ncontact = "セキュリティ係 内線1234"'
    desk.configure(CONFIG.replace('name = "Acme"', more) + "[deadlines]\nhigh = 0\n")
    scanned()

    desk.run("report", "--by", "owner", "--into", "handouts", "--lang", "ja")

    page = (desk.folder / "handouts/unknown-owner.html").read_text()
    assert "セキュリティ係 内線1234" in page
    assert "までに対応をお願いします" in page  # today, and the day has not ended


def test_the_report_is_written_as_pdf(scanned: Scanned, desk: Desk) -> None:
    scanned()

    result = desk.run("report", "--format", "pdf", "-o", "report.pdf")

    assert result.out == "report.pdf\n"
    assert (desk.folder / "report.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--by", "owner", "-o", "x.html"), "--into"),
        (("--into", "x"), "--by owner"),
        (("--by", "owner", "--format", "pfd"), "write pdf"),
    ],
)
def test_mistakes_are_told_with_a_remedy(scanned: Scanned, desk: Desk, arguments: tuple[str, ...], words: str) -> None:
    scanned()

    result = desk.run("report", *arguments)

    assert result.code == 2
    assert words in result.err


def test_the_product_arn_comes_from_the_configuration(scanned: Scanned, desk: Desk) -> None:
    """What cannot be a product's is refused. The toy has no AWS account, so nothing is listed under it."""
    arn = "arn:aws:securityhub:{region}:{account}:product/acme/cloudscan"
    desk.configure(CONFIG + f'[reports.asff]\nproduct_arn = "{arn}"\n')
    scanned()
    fine = desk.run("report", "--format", "asff", "-o", "-")
    desk.configure(CONFIG + '[reports.asff]\nproduct_arn = "arn:aws:s3:::{region.__class__}"\n')
    wrong = desk.run("report", "--format", "asff", "-o", "-")
    desk.configure(CONFIG + '[reports.asff]\nproduct = "x"\n')
    unknown = desk.run("report", "--format", "asff", "-o", "-")
    desk.configure(CONFIG + '[reports.asf]\nproduct_arn = "x"\n')
    misspelt = desk.run("report", "--format", "asff", "-o", "-")

    assert json.loads(fine.out) == {"Findings": []}
    assert (wrong.code, unknown.code, misspelt.code) == (2, 2, 2)
    assert "product_arn cannot be" in wrong.err
    assert "write product_arn" in unknown.err
    assert "write asff" in misspelt.err
