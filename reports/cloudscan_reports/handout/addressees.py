"""Who gets which page: an active person of ours what they own, a manager what a former employee left.

What belongs to anybody else is on the page of the security team, with the reason (`cloudscan.recipient`).
"""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cloudscan.days import day_of
from cloudscan.finding import Finding
from cloudscan.fix import Fix, fixes
from cloudscan.recipient import Recipient, recipient_of
from cloudscan.report import Report, Terms
from cloudscan_reports.summary import counts
from cloudscan_wording.recipients import owned_by, why
from cloudscan_wording.texts import Texts
from cloudscan_wording.visible import shortened

UNKNOWN: Final = "unknown-owner"
_MOST_NAME: Final = 100
_MOST_SLUG: Final = 40
_UNSAFE: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Given:
    """A fix, and who is told of it."""

    fix: Fix
    recipient: Recipient

    @property
    def lead(self) -> Finding:
        """The finding that speaks for the fix."""
        return self.fix.lead

    @property
    def owner(self) -> str:
        """Who owns the subject, as the platform spells it; empty: unknown."""
        return self.lead.verdict.subject.owner.strip()


@dataclass(frozen=True, kw_only=True)
class WithoutPage:
    """An owner who gets no page, and where the items are instead."""

    owner: str  # empty: unknown
    why: str
    count: int
    stem: str


def given_out(report: Report, terms: Terms) -> Sequence[Given]:
    """What needs work, the most urgent first."""
    return [
        Given(fix, recipient_of(fix.lead.verdict.subject, terms.domains)) for fix in fixes(counts.needing_work(report))
    ]


def without_page(report: Report, texts: Texts, terms: Terms) -> Sequence[WithoutPage]:
    """The owners who get no page, with the reason, the one with most items first."""
    counted: dict[tuple[str, str, str], list[Given]] = defaultdict(list)
    for given in given_out(report, terms):
        if given.recipient.withheld:
            place = (key(given.owner), given.recipient.withheld, stem(given.recipient.address))
            counted[place].append(given)
    made = [
        WithoutPage(
            owner=shortened(group[0].owner, _MOST_NAME), why=why(group[0].recipient, texts), count=len(group), stem=page
        )
        for (_, _, page), group in counted.items()
    ]
    return sorted(made, key=lambda row: (-row.count, key(row.owner)))


def key(owner: str) -> str:
    """What distinguishes owners: names that differ only in case, spaces or letter forms are one owner."""
    return " ".join(unicodedata.normalize("NFKC", owner).split()).casefold()


def stem(owner: str) -> str:
    """The file name of an owner, without suffix: safe on every system, stable, and different for every owner."""
    if not key(owner):
        return UNKNOWN
    digest = hashlib.sha256(key(owner).encode("utf-8", "surrogatepass")).hexdigest()[:10]
    slug = _UNSAFE.sub("-", key(owner))[:_MOST_SLUG].strip("-")
    return f"{slug}-{digest}" if slug else f"owner-{digest}"


def owner_line(given: Given, texts: Texts) -> str:
    """Who owns it and why they are not told, as a sentence; empty if it is the reader's own."""
    return owned_by(shortened(given.owner, _MOST_NAME), given.recipient, texts)


def due_of(fix: Fix, terms: Terms) -> datetime:
    """By when a fix is due: the earliest of its findings."""
    return min(finding.first_seen_on + timedelta(days=terms.days_for(finding)) for finding in fix.findings)


def is_over(due: datetime, report: Report) -> bool:
    """Whether the day that something was due on had ended for the organisation when the report was made."""
    return day_of(report.generated_on, report.timezone) > day_of(due, report.timezone)
