"""The register of partners: external organisations that there is a contract with, as ``[[partners]]`` says.

What is written is what the contract says; what is not written is not known, and `missing` names it. The fields are
those that the guideline for the Act on the Protection of Personal Information, 3-4-4, asks for (choose, contract, grasp
how it is handled), and a check of measures every year, as IPA advises.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final, Literal

import msgspec

from cloudscan.facts import Access
from cloudscan.snapshot.organisation import NO_DAY

NO_START: Final = date(1, 1, 1)
"""The register names no first day."""

_YEAR: Final = timedelta(days=365)


class PartnerTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[partners]]``: an external organisation that we have a contract with; one entry for each contract."""

    name: str
    id: str = ""  # permanent, never reused; needed where two contracts have one name. Empty: the name
    domains: Sequence[str] = ()  # their mail domains; a subdomain only if it is written
    accounts: Sequence[str] = ()  # their cloud accounts, or organisation ids
    organisations: Sequence[str] = ()  # their organisations' and tenants' ids: o-a1b2c3d4e5
    groups: Sequence[str] = ()  # addresses of groups outside that are theirs
    applications: Sequence[str] = ()  # client ids of their applications
    addresses: Sequence[str] = ()  # single people, where the domain is anybody's: gmail.com
    owner: str = ""  # who is responsible here: a mail address, or a department
    deputy: str = ""  # and in their place
    purpose: str = ""  # what they do for us
    contract: str = ""  # the contract's number
    starts: date | None = None  # the first day
    ends: date | None = None  # the last day, 2030-03-31; empty: not known
    contract_ends: date | None = None  # the same under its older name
    renews: bool = False  # goes on after its end unless somebody cancels it
    most_rank: Literal["news-grade", "confidential", "working"] = "news-grade"  # the highest rank that they may see
    places: Sequence[str] = ()  # what they may see, as patterns: Sales/Haulier, s3:plans, **/haulier; empty: anything
    most_access: Access = Access.OWN  # the strongest access that they may have
    personal_data: bool | None = None  # whether personal data is entrusted to them
    sub_contractors: Sequence[str] = ()  # whom they may pass it on to: names of other partners, or mail domains
    abroad: bool | None = None  # whether it is handled outside the country
    training_shown: date | None = None  # when they last showed that their people are trained
    training_due: date | None = None  # the last day for showing it again; empty: a year after
    logs_shown: date | None = None  # when they last showed how they handle logs
    logs_due: date | None = None  # the last day for showing it again; empty: a year after
    reviewed: date | None = None  # when we last checked their measures
    review_due: date | None = None  # the last day for checking them again; empty: a year after
    incident_contact: str = ""  # whom to call
    incident_hours: int | None = None  # within how many hours they have to tell us
    at_end: Sequence[Literal["return", "deletion-certificate"]] | None = None  # what the contract asks for at its end
    returned_on: date | None = None  # when they gave back what they had
    deletion_certified_on: date | None = None  # when they certified that they deleted it

    @property
    def key(self) -> str:
        """What tells the contract from others for good."""
        return self.id or self.name

    @property
    def last_day(self) -> date | None:
        """The last day that the register names, be it the contract's or of the time until it renews itself."""
        return self.ends or self.contract_ends

    @property
    def contract_end(self) -> date:
        """The last day of the contract; `NO_DAY` where it renews itself, or none is named."""
        return NO_DAY if self.renews else self.last_day or NO_DAY

    @property
    def renewal(self) -> date:
        """The last day before the contract renews itself; `NO_DAY` if it does not."""
        return self.last_day or NO_DAY if self.renews else NO_DAY

    @property
    def dues(self) -> tuple[date, date, date]:
        """The last days for training, logs and review to be shown again; `NO_DAY` where nothing is agreed."""
        return (
            _due(self.training_shown, self.training_due),
            _due(self.logs_shown, self.logs_due),
            _due(self.reviewed, self.review_due),
        )

    @property
    def end_is_settled(self) -> bool:
        """Whether nothing is left to be done of what the contract asks for at its end."""
        asked = self.at_end or ()
        done = {"return": self.returned_on, "deletion-certificate": self.deletion_certified_on}
        return all(done[one] is not None for one in asked)

    @property
    def identifiers(self) -> dict[str, frozenset[str]]:
        """What their principals are known by, in lower case, by kind of sign; the strongest kind first."""
        domains = [one for one in self.sub_contractors if "." in one and " " not in one]
        return {
            "address": _lower(self.addresses),
            "account": _lower(self.accounts),
            "organisation": _lower(self.organisations),
            "application": _lower(self.applications),
            "group": _lower(self.groups),
            "domain": _lower(self.domains),
            "sub-contractor": _lower(domains),
        }


def missing(entry: PartnerTable) -> Iterator[str]:
    """The keys of a contract's facts that the register lacks; of those that only personal data asks for, if it does."""
    yield from (
        name
        for name, value in (
            ("purpose", entry.purpose),
            ("starts", entry.starts),
            ("ends", entry.last_day),
            ("personal_data", entry.personal_data is not None),
        )
        if not value
    )
    if entry.personal_data:
        training, logs, review = entry.dues
        yield from (name for name, day in (("training_due", training), ("logs_due", logs), ("review_due", review))
                    if day == NO_DAY)  # fmt: skip
        yield from (name for name, value in (("abroad", entry.abroad), ("at_end", entry.at_end)) if value is None)
        if not entry.incident_contact:
            yield "incident_contact"


def _due(shown: date | None, due: date | None) -> date:
    return due or (shown + _YEAR if shown else NO_DAY)


def _lower(values: Sequence[str]) -> frozenset[str]:
    return frozenset(value.lower() for value in values)
