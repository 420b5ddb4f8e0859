"""Partners in the report: a section, a sheet, and a page for the person in charge; names are only text."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import pytest

from cloudscan.config import Config, OrganisationTable
from cloudscan.report import ContractState, PartnerSummary, Report
from cloudscan_reports.formats import xlsx
from cloudscan_reports.handout import html as handout_pages
from cloudscan_reports.page import html as page
from tests.reports.hostile import NAMES
from tests.reports.synthetic import NOW, report
from tests.reports.validators import sheets

TERMS = Config(organisation=OrganisationTable(contact="security@example.co.jp")).terms


def partner(name: str, **changes: Any) -> PartnerSummary:
    """A contract that ended, with somebody here who is responsible."""
    known: dict[str, Any] = {
        "uid": f"organisation:partner/{name}", "name": name, "owner": "mika@acme.example", "deputy": "",
        "owner_is_here": True, "purpose": "Transport", "contract": "K-17", "personal_data": True,
        "state": ContractState.ENDED, "starts_on": date(2025, 4, 1), "ends_on": date(2026, 3, 31), "people": 3,
        "others": 1, "resources": 1200, "places": 2, "platforms": ["gdrive", "s3"], "since": NOW,
    }  # fmt: skip
    return PartnerSummary(**{**known, **changes})


def with_partners(*partners: PartnerSummary) -> Report:
    """A report of some findings, with partners."""
    return msgspec.structs.replace(report(3), partners=partners)


def handouts(given: Report, lang: str) -> dict[str, str]:
    """The pages by file name."""
    return {name: str(content) for name, content in handout_pages.write(given, lang, TERMS)}


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ["Partners", "Ended", "31 Mar 2026", "1,200"]), ("ja", ["取引先", "終了", "2026年3月31日", "1,200"])],
)
def test_the_page_has_a_section_of_partners(lang: str, words: Sequence[str]) -> None:
    written = page.HTML.write(with_partners(partner("Haulier")), lang)

    section = str(written).partition('<section id="partners"')[2].partition("</section>")[0]
    assert not [word for word in ("Haulier", "mika@acme.example", *words) if word not in section], section


def test_without_partners_there_is_no_section() -> None:
    assert 'id="partners"' not in str(page.HTML.write(report(3), "en"))
    assert "Partners" not in sheets(xlsx.write(report(3), "en"))


def test_the_workbook_has_a_sheet_of_partners() -> None:
    gone = partner("Broker", owner="", owner_is_here=False, state=ContractState.OPEN_ENDED, ends_on=None)

    rows = sheets(xlsx.write(with_partners(partner("Haulier"), gone), "en"))["Partners"]

    assert list(rows[0][:5]) == ["Partner", "Contract", "Contract is", "Contract begins", "Last day"]
    assert [row[2] for row in rows[1:]] == ["No end known", "Ended"]


def test_the_person_in_charge_gets_a_page_for_each_partner() -> None:
    """What is found about the partner is on it, and of what is found about others nothing."""
    given = with_partners()
    first, second = given.findings[:2]
    given = with_partners(partner("Haulier", findings=[first.fingerprint]))

    made = handouts(given, "en")

    (name,) = [one for one in made if one.startswith("partner-")]
    assert "For mika@acme.example." in made[name]
    assert first.fingerprint[:8] in made[name]
    assert second.fingerprint[:8] not in made[name]
    assert name in made["index.html"]


@pytest.mark.parametrize("name", NAMES)
def test_a_partners_name_is_only_text(name: str) -> None:
    given = with_partners(partner(name, purpose=name, owner=name, contract=name))

    for text in (str(page.HTML.write(given, "en")), *handouts(given, "en").values()):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<svg onload" not in text
