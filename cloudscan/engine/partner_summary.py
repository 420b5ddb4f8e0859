"""What each partner has and where it stands, for the report: counts of what was seen, and no names of people."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Final

from cloudscan.finding import Finding
from cloudscan.report import ContractState, PartnerSummary
from cloudscan.snapshot.organisation import NO_DAY
from cloudscan.snapshot.snapshot import Snapshot

_NEVER_SEEN: Final = datetime(1971, 1, 1)  # noqa: DTZ001 - the snapshot's moments are UTC without saying so
_REGISTER: Final = """
    SELECT uid, name, owner, deputy, owner_is_here, purpose, contract, personal_data, starts_on, contract_ends,
           renews_on
    FROM partners
"""
_PRINCIPALS: Final = f"""
    SELECT a.partner_uid, count(DISTINCT coalesce(nullif(lower(p.email), ''), CAST(p.uid AS VARCHAR)))
               FILTER (p.kind IN ('user', 'guest')) AS people,
           count(DISTINCT p.uid) FILTER (p.kind NOT IN ('user', 'guest')) AS others,
           max(p.last_seen_on) FILTER (p.last_seen_on > TIMESTAMP '{_NEVER_SEEN:%Y-%m-%d}') AS last_seen_on
    FROM partner_accounts AS a JOIN principals AS p ON p.uid = a.principal_uid
    WHERE a.joined_by <> 'member' GROUP BY a.partner_uid
"""
_EXPOSURES: Final = """
    SELECT a.partner_uid, count(DISTINCT e.resource_uid) AS resources, count(DISTINCT e.origin_uid) AS places,
           min(e.granted_on) AS since, list_sort(list(DISTINCT e.platform)) AS platforms
    FROM partner_accounts AS a JOIN exposures AS e ON e.principal_uid = a.principal_uid
    WHERE e.effective IS DISTINCT FROM FALSE GROUP BY a.partner_uid
"""


def partner_summaries(snapshot: Snapshot, findings: Iterable[Finding], today: date) -> list[PartnerSummary]:
    """One for each contract in the register, by name; `findings` are the open ones, `today` is the organisation's.

    People who are in the directories of two platforms under one address count once. What something blocks counts as
    nothing, what may be blocked as access.
    """
    registered = snapshot.query(_REGISTER).rows
    if not registered:
        return []
    principals = {row[0]: row[1:] for row in snapshot.query(_PRINCIPALS).rows}
    exposures = {row[0]: row[1:] for row in snapshot.query(_EXPOSURES).rows}
    about = _findings_about(snapshot, findings)
    summaries = []
    for (
        uid,
        name,
        owner,
        deputy,
        is_here,
        purpose,
        contract,
        personal_data,
        starts_on,
        ends_on,
        renews_on,
    ) in registered:
        people, others, last_seen_on = principals.get(uid, (0, 0, None))
        resources, places, since, platforms = exposures.get(uid, (0, 0, None, ()))
        summaries.append(
            PartnerSummary(
                uid=uid,
                name=name,
                owner=owner,
                deputy=deputy,
                owner_is_here=is_here,
                purpose=purpose,
                contract=contract,
                personal_data=personal_data,
                state=_state(starts_on, ends_on, renews_on, today),
                starts_on=starts_on if starts_on and starts_on > date.min else None,
                ends_on=next((day for day in (ends_on, renews_on) if day and day != NO_DAY), None),
                people=people,
                others=others,
                resources=resources,
                places=places,
                platforms=list(platforms),
                since=_aware(since),
                last_seen_on=_aware(last_seen_on),
                findings=about.get(uid, ()),
            )
        )
    return sorted(summaries, key=lambda one: (one.name, one.uid))


def _state(starts_on: date, ends_on: date, renews_on: date, today: date) -> ContractState:
    if starts_on > today:
        return ContractState.UPCOMING
    if ends_on < today:
        return ContractState.ENDED
    if renews_on != NO_DAY:
        return ContractState.RENEWING
    return ContractState.OPEN_ENDED if ends_on == NO_DAY else ContractState.RUNNING


def _findings_about(snapshot: Snapshot, findings: Iterable[Finding]) -> Mapping[str, list[str]]:
    """The fingerprints of what is found about a partner, or about one of its principals, by the partner's uid."""
    of_principal: dict[str, list[str]] = {}
    pairs = snapshot.query("SELECT principal_uid, partner_uid FROM partner_accounts WHERE joined_by <> 'member'").rows
    for principal, partner in pairs:
        of_principal.setdefault(str(principal), []).append(str(partner))
    about: dict[str, list[str]] = {}
    for finding in findings:
        rows = [piece.row for piece in finding.verdict.evidence]
        named = {str(row["partner_uid"]) for row in rows if row.get("partner_uid")}
        named |= {one for row in rows for one in of_principal.get(str(row.get("principal_uid") or ""), ())}
        for partner in sorted(named):
            about.setdefault(partner, []).append(finding.fingerprint)
    return about


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None
