"""Partners in words, for the page, the workbook and the hand-outs. Nobody of the partners' is named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cloudscan.finding import Finding
from cloudscan.report import ContractState, PartnerSummary, Report
from cloudscan_wording.texts import Texts

_DASH: Final = "–"


@dataclass(frozen=True, kw_only=True)
class WordedPartner:
    """A partner's contract and what the partner has, as a reader sees it."""

    partner: PartnerSummary
    state: str
    is_over: bool
    starts: str
    until: str
    owner: str  # with the deputy
    note: str  # what is wrong with them; empty: nothing
    platforms: str
    since: str
    last_seen: str
    findings: Sequence[Finding]  # about them, the most urgent first


def worded_partners(report: Report, texts: Texts) -> Sequence[WordedPartner]:
    """All in the register, those with the most urgent findings first."""
    place = {finding.fingerprint: at for at, finding in enumerate(report.findings)}

    def urgency(partner: PartnerSummary) -> tuple[int, str]:
        return min((place[one] for one in partner.findings if one in place), default=len(place)), partner.name

    return [_worded(partner, report, place, texts) for partner in sorted(report.partners, key=urgency)]


def _worded(partner: PartnerSummary, report: Report, place: dict[str, int], texts: Texts) -> WordedPartner:
    owners = [one for one in (partner.owner, partner.deputy) if one]
    note = ""
    if not partner.owner_is_here:
        note = texts.say("partners.owner_unknown" if partner.owner_is_here is None else "partners.owner_gone")
    found = sorted(place[one] for one in partner.findings if one in place)
    return WordedPartner(
        partner=partner,
        state=texts.name("contract", partner.state),
        is_over=partner.state is ContractState.ENDED,
        starts=texts.date(partner.starts_on) if partner.starts_on else _DASH,
        until=texts.date(partner.ends_on) if partner.ends_on else _DASH,
        owner=texts.say("list.comma").join(owners) or _DASH,
        note=note,
        platforms=texts.say("list.comma").join(texts.name("platform", one) for one in partner.platforms) or _DASH,
        since=texts.day(partner.since) if partner.since else _DASH,
        last_seen=texts.day(partner.last_seen_on) if partner.last_seen_on else _DASH,
        findings=[report.findings[at] for at in found],
    )
