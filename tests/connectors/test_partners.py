"""A partner is one by the same names on every platform, and stays outside whatever else is known of it."""

from datetime import date

import pytest

from cloudscan.connector import Estate, Partner
from cloudscan.facts import Affiliation, Audience, Principal
from cloudscan_gdrive.meaning.people import People as GooglePeople
from cloudscan_m365.meaning.people import People as MicrosoftPeople
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.facts.recipients import recipient

ENDED = date(2026, 3, 31)
ESTATE = Estate(
    domains=frozenset({"acme.example"}),
    partners=(
        Partner(
            name="Haulier",
            domains=frozenset({"haulier.example"}),
            accounts=frozenset({"222222222222"}),
            addresses=frozenset({"freelance@gmail.com"}),
            groups=frozenset({"team@lists.example"}),
            sub_contractors=frozenset({"driver.example"}),
            contract_ends=ENDED,
        ),
    ),
)
GOOGLE = GooglePeople(estate=ESTATE, primary="acme.example", domains=frozenset({"acme.example"}))
MICROSOFT = MicrosoftPeople(estate=ESTATE, primary="acme.example", domains=frozenset({"acme.example"}))


def _google(address: str, kind: str = "user") -> Principal:
    return GOOGLE.principal(kind, address)


def _microsoft(address: str) -> Principal:
    return MICROSOFT.by_email(address).principal


@pytest.mark.parametrize(
    ("principal", "by"),
    [
        (_google("taro@haulier.example"), "domain"),
        (_google("Freelance@gmail.com"), "address"),
        (_google("x@driver.example"), "sub-contractor"),
        (_google("team@lists.example", "group"), "group"),
        (_microsoft("taro@haulier.example"), "domain"),
        (_microsoft("Freelance@gmail.com"), "address"),
        (_microsoft("x@driver.example"), "sub-contractor"),
        (recipient("222222222222", OwnEstate(account="111111111111", estate=ESTATE)).principal, "account"),
    ],
)
def test_a_partner_is_one_by_any_of_its_names(principal: Principal, by: str) -> None:
    """Only what is true of all at a domain or in an account is left to the rules about these."""
    assert principal.affiliation is Affiliation.PARTNER
    assert principal.detail["partner"] == "Haulier"
    whole = by in ("domain", "account")
    assert principal.detail["contract_ends"] == (ENDED.isoformat() if whole else "false")
    assert principal.detail.get("partner_by", by) == by


@pytest.mark.parametrize(
    "principal",
    [
        _google("x@sub.haulier.example"),
        _google("somebody@gmail.com"),
        _microsoft("x@sub.haulier.example"),
        _microsoft("somebody@gmail.com"),
        recipient("333333333333", OwnEstate(account="111111111111", estate=ESTATE)).principal,
    ],
)
def test_others_stay_external(principal: Principal) -> None:
    """A subdomain only if it is written; a neighbour at a provider of free mail is nobody's."""
    assert principal.affiliation is Affiliation.EXTERNAL
    assert "partner" not in principal.detail


def test_a_partner_is_outside_as_before() -> None:
    """To be registered changes who is spoken of, never who gets in."""
    assert MICROSOFT.by_email("freelance@gmail.com").audience is Audience.NAMED_EXTERNAL
