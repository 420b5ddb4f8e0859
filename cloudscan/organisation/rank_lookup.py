"""What is ranked how in a snapshot by the entries of today: why, which entries reach nothing, and what is unranked.

Nothing is scanned for it, so that an entry can be tried before the night.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from cloudscan.facts import OBJECTS_INSIDE, Audience
from cloudscan.organisation import patterns, rank_lines, ranks
from cloudscan.organisation.rank_lines import RankLine
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.snapshot.tables import key

MOST: Final = 50
"""Resources that fit a name, and are listed."""

_DEEPEST: Final = 128  # levels of folders
_OUTSIDE: Final = f"audience = '{Audience.NAMED_EXTERNAL}' OR audience = '{Audience.EXTERNAL_DOMAIN}'"


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that reaches a resource, or something that it is in."""

    of: str  # the place that it reaches
    is_own: bool  # the resource itself
    rank: int
    source: str
    value: str
    decides: bool


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """A resource, its rank by today's entries, and all that speaks."""

    uid: str
    kind: str
    called: str  # its place, as an entry can have it
    rank: int | None
    spoken: Sequence[Spoken] = ()  # what it is itself first, then what it is in, the nearest first


class Unranked(msgspec.Struct, frozen=True, kw_only=True):
    """A container with resources that nobody ranked."""

    uid: str
    platform: str
    kind: str
    called: str
    resources: int
    bytes: int | None
    audience: Audience | None  # the widest; None: it could not be read
    external: int  # people and accounts outside who have access by name


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many resources have which rank, and how many entries reach nothing."""

    resources: int
    by_rank: dict[int, int]
    idle: Sequence[RankLine]


def rank(snapshot: Snapshot, lines: Sequence[RankLine]) -> None:
    """Rank the resources of a snapshot by these lines, on its connection. The other functions here need it."""
    for table in ("people", "accounts"):
        snapshot.db.execute(f"CREATE OR REPLACE TEMP VIEW joined_{table} AS SELECT * FROM {table}")
    ranks.find(snapshot.db, lines)
    ranks.decide(snapshot.db)


def fitting(snapshot: Snapshot, name: str) -> list[int]:
    """The resources that somebody may mean by an id, a web address, a path with or without its container, or a name."""
    db = snapshot.db
    wanted = name.strip()
    if rank_lines.is_address(wanted):
        params = {"address": rank_lines.address_of(wanted), "id": rank_lines.id_in(wanted)}
        whole = f"SELECT uid FROM resources WHERE url <> '' AND {rank_lines.ADDRESS} = $address"
        by_id = "SELECT uid FROM resources WHERE $id <> '' AND contains(url, $id)"
        rows = db.execute(whole, {"address": params["address"]}).fetchall()
        if len(rows) != 1:
            rows = db.execute(by_id, {"id": params["id"]}).fetchall() or rows
        return [uid for (uid,) in rows][: MOST + 1]
    platform, place = patterns.parts_of(wanted)
    exact = """SELECT uid FROM resources WHERE uid = $key
               UNION SELECT resource_uid FROM rank_places WHERE place = $place AND $platform IN ('', platform)"""
    rows = db.execute(exact, {"key": key(wanted), "platform": platform, "place": place}).fetchall()
    rows = (
        rows
        or db.execute(
            f"""SELECT resource_uid FROM rank_places WHERE suffix(place, $place) AND $platform IN ('', platform)
            ORDER BY length(place), resource_uid LIMIT {MOST + 1}""",
            {"place": f"/{place}", "platform": platform},
        ).fetchall()
    )
    named = f"SELECT uid FROM resources WHERE lower(name) = lower($name) LIMIT {MOST + 1}"
    rows = rows or db.execute(named, {"name": wanted}).fetchall()
    return [uid for (uid,) in rows][: MOST + 1]


def explain(snapshot: Snapshot, lines: Sequence[RankLine], uids: Sequence[int]) -> list[Explained]:
    """Resources with their ranks and all that speaks, in the same order."""
    chains = {uid: list(_chain(snapshot, uid)) for uid in uids}
    every = {one for chain in chains.values() for one in chain}
    names = called(snapshot, every)
    spoken = _spoken(snapshot, lines, every)
    decided = dict(
        snapshot.db.execute(
            "SELECT uid, (line, origin_uid) FROM rank_decided WHERE uid IN (SELECT unnest($uids::BIGINT[]))",
            {"uids": list(uids)},
        ).fetchall()
    )
    texts = snapshot.texts(every)
    explained = []
    for uid, chain in chains.items():
        line, origin = decided.get(uid) or (None, None)
        explained.append(
            Explained(
                uid=texts.get(uid, str(uid)),
                kind=names[uid][0],
                called=names[uid][1],
                rank=None if line is None else lines[line].rank,
                spoken=[
                    Spoken(
                        of=names[one][1],
                        is_own=one == uid,
                        rank=lines[number].rank,
                        source=lines[number].source,
                        value=lines[number].value,
                        decides=(number, one) == (line, origin),
                    )
                    for one in chain
                    for number in spoken.get(one, ())
                ],
            )
        )
    return explained


def _chain(snapshot: Snapshot, uid: int) -> Iterator[int]:
    """A resource and what it is in, the nearest first."""
    seen: dict[int, None] = {}
    while uid not in seen and len(seen) < _DEEPEST:
        row = snapshot.db.execute(
            "SELECT coalesce(parent_uid, container_uid) FROM resources WHERE uid = $uid", {"uid": uid}
        ).fetchone()
        if row is None:
            break
        seen[uid] = None
        if row[0] is None:
            break
        uid = row[0]
    return iter(seen)


def called(snapshot: Snapshot, uids: set[int]) -> dict[int, tuple[str, str]]:
    """Kind, and place as it is written, with the platform in front."""
    places = patterns.written(snapshot.db, uids)
    rows = snapshot.db.execute(
        "SELECT uid, platform, kind FROM resources WHERE uid IN (SELECT unnest($uids::BIGINT[]))", {"uids": list(uids)}
    ).fetchall()
    return {uid: (kind, f"{platform}:{places[uid]}") for uid, platform, kind in rows}


def _spoken(snapshot: Snapshot, lines: Sequence[RankLine], uids: set[int]) -> dict[int, list[int]]:
    """The numbers of the lines that reach each of these resources, those first that count first."""
    rows = snapshot.db.execute(
        """SELECT DISTINCT uid, precedence FROM rank_found WHERE uid IN (SELECT unnest($uids::BIGINT[]))
           ORDER BY precedence""",
        {"uids": list(uids)},
    ).fetchall()
    found: dict[int, list[int]] = {}
    numbers = {rank_lines.precedence(number, line): number for number, line in enumerate(lines)}
    for uid, precedence in rows:
        found.setdefault(uid, []).append(numbers[precedence])
    return found


def counts(snapshot: Snapshot, lines: Sequence[RankLine]) -> Counts:
    """How far the entries reach."""
    db = snapshot.db
    total = db.execute("SELECT count(*) FROM resources").fetchone()
    by_rank = db.execute(
        """SELECT l.rank, count(*) FROM rank_decided AS d JOIN rank_lines AS l ON l.number = d.line
           GROUP BY l.rank ORDER BY l.rank DESC"""
    ).fetchall()
    reaching = {precedence for (precedence,) in db.execute("SELECT DISTINCT precedence FROM rank_found").fetchall()}
    return Counts(
        resources=total[0] if total else 0,
        by_rank=dict(by_rank),
        idle=[line for number, line in enumerate(lines) if rank_lines.precedence(number, line) not in reaching],
    )


def unranked(snapshot: Snapshot, most: int) -> list[Unranked]:
    """Containers with unranked resources, those that most people have access to first, then the largest."""
    rows = snapshot.db.execute(
        f"""WITH open AS (
                SELECT uid, coalesce(container_uid, uid) AS container, size_bytes,
                       CASE WHEN contains(detail::VARCHAR, '"{OBJECTS_INSIDE}"')
                            THEN greatest(1, try_cast(detail ->> '{OBJECTS_INSIDE}' AS BIGINT)) ELSE 1 END AS things
                FROM resources WHERE uid NOT IN (SELECT uid FROM rank_decided)
                  AND kind NOT IN ('tenant', 'account', 'organisation')
            ), sizes AS (
                SELECT container, sum(things) AS resources, sum(size_bytes) AS bytes FROM open GROUP BY container
            ), exposed AS (
                SELECT o.container, max(g.audience) FILTER (WHERE g.effective) AS audience,
                       count(DISTINCT g.principal_uid) FILTER (WHERE g.effective AND ({_OUTSIDE})) AS external,
                       bool_or(g.audience IS NULL) AS is_unread
                FROM open AS o JOIN grants AS g ON g.resource_uid = o.uid GROUP BY o.container
            )
            SELECT s.container, r.platform, r.kind, s.resources, s.bytes,
                   coalesce(e.audience, CASE WHEN NOT coalesce(e.is_unread, FALSE) THEN 'nobody'::audience_ladder END),
                   coalesce(e.external, 0)
            FROM sizes AS s JOIN resources AS r ON r.uid = s.container
            LEFT JOIN exposed AS e ON e.container = s.container
            ORDER BY 6 DESC NULLS FIRST, 7 DESC, s.bytes DESC NULLS LAST, s.resources DESC, r.name
            LIMIT {most}"""
    ).fetchall()
    names = called(snapshot, {row[0] for row in rows})
    texts = snapshot.texts([row[0] for row in rows])
    return [
        Unranked(
            uid=texts.get(uid, str(uid)),
            platform=platform,
            kind=kind,
            called=names[uid][1],
            resources=int(resources),
            bytes=None if size is None else int(size),
            audience=None if audience is None else Audience(audience),
            external=external,
        )
        for uid, platform, kind, resources, size, audience, external in rows
    ]
