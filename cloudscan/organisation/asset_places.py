"""From a ledger of information assets to ranks of places, and from what a snapshot has to such a ledger."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

import msgspec

from cloudscan.facts import RANKS, Audience, rank_name
from cloudscan.organisation import patterns, rank_lookup, ranks
from cloudscan.organisation.asset_ledger import SCALES, Asset, Column
from cloudscan.organisation.patterns import folded
from cloudscan.organisation.rank_lines import RankLine, is_address
from cloudscan.organisation.rows import fill
from cloudscan.sentence import Sentence, say
from cloudscan.snapshot.snapshot import Snapshot

_WHOLE: Final = "'tenant', 'account', 'organisation'"
_CONTAINER: Final = f"""(r.uid IN (SELECT container_uid FROM resources) OR r.container_uid IS NULL
                         AND r.uid IN (SELECT resource_uid FROM grants)) AND r.kind NOT IN ({_WHOLE})"""


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """A place with the rank of the highest asset that is kept there."""

    place: str  # as an entry has it
    asset: Asset
    is_known: bool  # the snapshot has it


class Unmapped(msgspec.Struct, frozen=True, kw_only=True):
    """An asset from which no rank follows."""

    asset: Asset
    why: Sentence | str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A place as the ledger is written of it; empty: not known."""

    place: str
    name: str
    kind: str
    rank: int | None
    decided_by: str
    audience: Audience | None
    department: str


def mapped(assets: Iterable[Asset], snapshot: Snapshot | None) -> tuple[list[Mapped], list[Unmapped]]:
    """The ranks that follow from a ledger, the highest first, and the rows from which none does.

    Without a snapshot only addresses name a place. With one, so does the name of a bucket, drive or site that no other
    has.
    """
    listed = list(assets)
    known = _named(snapshot, {place for asset in listed for place in asset.places}) if snapshot else {}
    by_place: dict[str, Mapped] = {}
    unmapped: list[Unmapped] = []
    for asset in listed:
        found = _place(asset, known)
        if not asset.rank:
            unmapped.append(Unmapped(asset=asset, why=asset.why))
        elif isinstance(found, Mapped):
            before = by_place.get(found.place)
            if before is None or RANKS[before.asset.rank] < RANKS[asset.rank]:
                by_place[found.place] = found
        else:
            unmapped.append(Unmapped(asset=asset, why=found))
    return sorted(by_place.values(), key=lambda one: (-RANKS[one.asset.rank], one.asset.line)), unmapped


def _place(asset: Asset, known: Mapping[str, Sequence[str]]) -> Mapped | Sentence:
    several = ""
    for name in asset.places:
        places = known.get(name, ())
        if len(places) == 1:
            return Mapped(place=places[0], asset=asset, is_known=True)
        several = several or (name if places else "")
    for name in asset.places:
        if is_address(name) or name.lower().startswith("s3://"):
            return Mapped(place=name, asset=asset, is_known=False)
    if several:
        return say("{name} is the name of several places; write the address", name=repr(several))
    if not asset.places:
        return say("no place is written")
    return say("{name} is no place in the clouds that were scanned", name=repr(asset.places[0]))


def _named(snapshot: Snapshot, names: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """The places that each name may mean, by id, address, place, or the name of a container."""
    wanted = sorted(names)
    rows = [
        {"asked": number, "platform": platform, "place": place}
        for number, name in enumerate(wanted)
        for platform, place in [patterns.parts_of(name)]
        if place and not is_address(name)
    ]
    fill(snapshot.db, "rank_asked", {"asked": "BIGINT", "platform": "VARCHAR", "place": "VARCHAR"}, rows)
    found: dict[str, list[int]] = {}
    for asked, uid in snapshot.db.execute(
        """SELECT DISTINCT a.asked, p.resource_uid FROM rank_asked AS a
           JOIN rank_places AS p ON p.place = a.place AND a.platform IN ('', p.platform)"""
    ).fetchall():
        found.setdefault(wanted[asked], []).append(uid)
    containers: dict[str, list[int]] = {}
    for uid, name in snapshot.db.execute(f"SELECT r.uid, r.name FROM resources AS r WHERE {_CONTAINER}").fetchall():
        containers.setdefault(folded(name), []).append(uid)
    for name in wanted:
        if is_address(name):
            found[name] = rank_lookup.fitting(snapshot, name)
        elif name not in found:
            found[name] = containers.get(folded(name), [])
    uids = {uid for several in found.values() for uid in several}
    called = rank_lookup.called(snapshot, uids)
    return {name: [called[uid][1] for uid in several] for name, several in found.items()}


def kept(snapshot: Snapshot, lines: Sequence[RankLine]) -> list[Kept]:
    """Every container, and every folder with a rank of its own, in the order of platform and place."""
    ranks.find_owners(snapshot.db)
    rows = snapshot.db.execute(
        f"""WITH places AS (
                SELECT r.uid, TRUE AS is_container FROM resources AS r WHERE {_CONTAINER}
                UNION ALL
                SELECT d.uid, FALSE FROM rank_decided AS d JOIN resources AS r ON r.uid = d.uid
                LEFT JOIN rank_decided AS a ON a.uid = coalesce(r.parent_uid, r.container_uid)
                WHERE d.origin_uid = d.uid AND r.uid IN (SELECT parent_uid FROM resources)
                  AND r.uid NOT IN (SELECT container_uid FROM resources WHERE container_uid IS NOT NULL)
                  AND r.container_uid IS NOT NULL AND a.line IS DISTINCT FROM d.line
            ), inside AS (
                SELECT uid AS place, uid FROM places
                UNION ALL SELECT p.uid, r.uid FROM places AS p JOIN resources AS r ON r.container_uid = p.uid
                WHERE p.is_container
            ), exposed AS (
                SELECT i.place, max(g.audience) FILTER (WHERE g.effective) AS audience,
                       bool_or(g.audience IS NULL) AS is_unread
                FROM inside AS i JOIN grants AS g ON g.resource_uid = i.uid GROUP BY i.place
            )
            SELECT p.uid, r.name, r.kind, d.line, o.department,
                   CASE WHEN e.audience IS NULL AND NOT coalesce(e.is_unread, FALSE) THEN 'nobody'::audience_ladder
                        WHEN NOT e.is_unread OR e.audience >= 'anyone_discoverable' THEN e.audience END
            FROM places AS p JOIN resources AS r ON r.uid = p.uid
            LEFT JOIN exposed AS e ON e.place = p.uid
            LEFT JOIN rank_decided AS d ON d.uid = p.uid
            LEFT JOIN rank_owners AS o ON o.uid = r.owner_uid"""
    ).fetchall()
    called = rank_lookup.called(snapshot, {row[0] for row in rows})
    listed = [
        Kept(
            place=called[uid][1],
            name=name,
            kind=kind,
            rank=None if line is None else lines[line].rank,
            decided_by="" if line is None else lines[line].value,
            audience=None if audience is None else Audience(audience),
            department=department or "",
        )
        for uid, name, kind, line, department, audience in rows
    ]
    return sorted(listed, key=lambda one: one.place)


def ledger_row(one: Kept, scale: str, users: str, day: date) -> list[str]:
    """A row of the ledger. What no scan can know is left empty: what it is for, integrity, availability, how long."""
    rated = {rank: number for number, rank in SCALES[scale].items()}.get(rank_name(one.rank), "")
    filled = {
        Column.NAME: one.name,
        Column.NOTE: one.decided_by,
        Column.USERS: users,
        Column.DEPARTMENT: one.department,
        Column.MEDIUM: one.place,
        Column.CONFIDENTIALITY: rated,
        Column.REGISTERED: day.isoformat(),
    }
    return [filled.get(column, "") for column in Column]
