"""From a rule's rows to verdicts: evidence, reach, and the subject looked up.

Works on the temporary table `folded` that `cloudscan.engine.judge` leaves for one rule at a time: one row per identity
with its judgement. Everything here touches only identities that did not pass.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import duckdb
import msgspec

from cloudscan.engine.rule_file import Rule
from cloudscan.facts import Access, Audience
from cloudscan.finding import Evidence, Judgement, Subject, Verdict
from cloudscan.snapshot.database import identifier
from cloudscan.snapshot.tables import is_uid
from cloudscan.snapshot.tables import key as key_for

EVIDENCE: Final = 20
"""Pieces of evidence kept for one verdict; `Verdict.rows` counts them all."""

_DEEPEST: Final = 128  # levels of folders
_SUBJECTS: Final = ("origin_uid", "resource_uid", "scope_uid", "principal_uid")
Run = Callable[[str], duckdb.DuckDBPyConnection]


def verdicts_of(db: duckdb.DuckDBPyConnection, rule: Rule, run: Run) -> Iterator[Verdict]:
    """The verdicts on all identities in `folded` that were flagged or are unknown, flagged ones first."""
    identity = [identifier(column) for column in rule.identity]
    db.execute(
        "CREATE OR REPLACE TEMP TABLE kept AS "
        f"SELECT row_number() OVER (ORDER BY judgement DESC, {', '.join(identity)}) AS n, * "
        "FROM folded WHERE judgement > 0"
    )
    same = " AND ".join(f"q.{column} IS NOT DISTINCT FROM k.{column}" for column in identity)
    columns = ", ".join(f"q.{identifier(column)}" for column in rule.columns)
    run(f"""
        CREATE OR REPLACE TEMP TABLE proof AS
        SELECT k.n, k.judgement, {columns}
        FROM ({rule.sql}) AS q JOIN kept AS k ON {same}
        WHERE (k.judgement = 2 AND q.flagged) OR (k.judgement = 1 AND q.flagged IS NULL)
    """)
    reach = _reach(db, rule)
    evidence = _evidence(db, rule)
    identities = {
        row[0]: row[1:] for row in _rows(db, f"SELECT n, judgement, {', '.join(identity)} FROM kept ORDER BY n")
    }
    subject_keys = {n: _subject_key(rule, row[1:], evidence[n]) for n, row in identities.items()}
    keys = {value for rows in evidence.values() for row in rows for value in _keys(row)}
    keys |= {value for row in identities.values() for value in _keys(dict(zip(rule.identity, row[1:], strict=True)))}
    _want(db, keys | {value for value in subject_keys.values() if value is not None})
    names = dict(_rows(db, "SELECT i.key, i.uid FROM ids AS i JOIN wanted USING (key)"))
    subjects = _subjects(db, names)
    chains = _chains(db) if "grant_uid" in rule.columns else {}
    for n, row in identities.items():
        judgement = Judgement.FLAGGED if row[0] == 2 else Judgement.UNKNOWN
        values = dict(zip(rule.identity, row[1:], strict=True))
        subject = subjects.get(subject_keys[n] or 0) or _bare_subject(subject_keys[n], names, evidence[n])
        rank = reach[n].pop("rank")
        yield Verdict(
            rule_id=rule.id,
            judgement=judgement,
            identity=tuple(identity_text(_named(value, column, names)) for column, value in values.items()),
            subject=subject[0],
            evidence=tuple(_piece(piece, names, chains) for piece in evidence[n]),
            rank=rank if rank is not None else subject[1],
            **reach[n],
        )


def placed(db: duckdb.DuckDBPyConnection, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts, the flagged ones told what their subjects lie in: once for all rules, each step is a join."""
    flagged = {key_for(each.subject.uid) for each in verdicts if each.judgement is Judgement.FLAGGED}
    inside = _inside(db, flagged) if flagged else {}

    def told(verdict: Verdict) -> Verdict:
        above = inside.get(key_for(verdict.subject.uid)) if verdict.judgement is Judgement.FLAGGED else None
        if not above:
            return verdict
        return msgspec.structs.replace(verdict, subject=msgspec.structs.replace(verdict.subject, inside=above))

    return [told(verdict) for verdict in verdicts]


def _inside(db: duckdb.DuckDBPyConnection, keys: set[int]) -> dict[int, list[str]]:
    """What resources lie in, the nearest first. A loop among parents ends at the greatest depth."""
    _want(db, keys)
    rows = _rows(
        db,
        f"""WITH RECURSIVE above(key, place, depth) AS (
                SELECT w.key, w.key, 0 FROM wanted AS w
                UNION
                SELECT a.key, unnest([r.parent_uid, r.container_uid]), a.depth + 1
                FROM above AS a JOIN resources AS r ON r.uid = a.place WHERE a.depth < {_DEEPEST}
            ),
            nearest AS (SELECT key, place, min(depth) AS depth FROM above WHERE place <> key GROUP BY key, place)
            SELECT n.key, i.uid FROM nearest AS n JOIN ids AS i ON i.key = n.place ORDER BY n.key, n.depth, i.uid""",
    )
    found: dict[int, list[str]] = {}
    for resource, uid in rows:
        found.setdefault(resource, []).append(uid)
    return found


def identity_text(value: object) -> str:
    """One value of an identity as text, the same for ever: it goes into the fingerprint."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reach(db: duckdb.DuckDBPyConnection, rule: Rule) -> dict[int, dict[str, Any]]:
    """How far each verdict reaches: rows, widest audience, strongest access, resources, bytes, people, rank, since."""
    has = set(rule.columns)
    since = "since" if "since" in has else "granted_on" if "granted_on" in has else ""
    parts = {
        "rows": "count(*)",
        "audience": "max(audience) FILTER (judgement = 2)" if "audience" in has else "NULL",
        "access": "max(access) FILTER (judgement = 2)" if "access" in has else "NULL",
        "since": f'min("{since}")' if since else "NULL",
        "rank": "max(rank)" if "rank" in has else "NULL",
    }
    selected = ", ".join(f"{sql} AS {name}" for name, sql in parts.items())
    reach = {
        row[0]: dict(zip(parts, row[1:], strict=True))
        for row in _rows(db, f"SELECT n, {selected} FROM proof GROUP BY n")
    }
    for row in reach.values():
        row["audience"] = Audience(row["audience"]) if row["audience"] else None
        row["access"] = Access(row["access"]) if row["access"] else None
        row["since"] = row["since"].replace(tzinfo=UTC) if isinstance(row["since"], datetime) else None
    if "resource_uid" in has:
        for n, resources, size, rank in _rows(
            db,
            """SELECT n, count(*), sum(r.size_bytes), max(r.rank)
               FROM (SELECT DISTINCT n, resource_uid FROM proof WHERE resource_uid IS NOT NULL) AS p
               LEFT JOIN resources AS r ON r.uid = p.resource_uid GROUP BY n""",
        ):
            known = [value for value in (reach[n]["rank"], rank) if value is not None]
            reach[n] |= {"resources": resources, "bytes": size, "rank": max(known, default=None)}
    elif "size_bytes" in has:
        for n, size in _rows(db, "SELECT n, sum(size_bytes) FROM proof GROUP BY n"):
            reach[n]["bytes"] = size
    if "principal_uid" in has:
        for n, people in _rows(
            db,
            """SELECT n, count(DISTINCT coalesce(m.member_uid, p.principal_uid))
               FROM (SELECT DISTINCT n, principal_uid FROM proof WHERE principal_uid IS NOT NULL) AS p
               LEFT JOIN (SELECT * FROM members WHERE member_uid NOT IN (SELECT group_uid FROM members)) AS m
                 ON m.group_uid = p.principal_uid
               GROUP BY n""",
        ):
            reach[n]["people"] = people
    return reach


def _evidence(db: duckdb.DuckDBPyConnection, rule: Rule) -> dict[int, list[dict[str, Any]]]:
    """The weightiest rows of each verdict, in an order that is the same every time."""
    columns = [column for column in rule.columns if column != "flagged"]
    # The place where a person has to act comes before what merely inherits from it.
    own = ["resource_uid = origin_uid DESC NULLS LAST"] if {"resource_uid", "origin_uid"} <= set(columns) else []
    heavy = [f"{column} DESC NULLS LAST" for column in ("audience", "access") if column in columns]
    order = ", ".join([*own, *heavy, *(identifier(column) for column in columns)])
    cursor = db.execute(f"""
        SELECT n, {", ".join(identifier(column) for column in columns)} FROM proof
        QUALIFY row_number() OVER (PARTITION BY n ORDER BY {order}) <= {EVIDENCE}
        ORDER BY n, {order}
    """)
    found: dict[int, list[dict[str, Any]]] = {}
    while rows := cursor.fetchmany(10_000):
        for row in rows:
            found.setdefault(row[0], []).append(dict(zip(columns, row[1:], strict=True)))
    return found


def _subject_key(rule: Rule, identity: Sequence[Any], evidence: Sequence[Mapping[str, Any]]) -> int | None:
    """What the verdict is about: the identity's own id, else the first id that the evidence names."""
    values = dict(zip(rule.identity, identity, strict=True))
    for column in (*_SUBJECTS, *rule.identity):
        if is_uid(column) and values.get(column) is not None:
            return int(values[column])
    for column in _SUBJECTS:
        if evidence and evidence[0].get(column) is not None:
            return int(evidence[0][column])
    return None


def _want(db: duckdb.DuckDBPyConnection, keys: set[int]) -> None:
    db.execute("CREATE OR REPLACE TEMP TABLE wanted (key BIGINT)")
    if keys:
        db.execute("INSERT INTO wanted SELECT unnest($keys::BIGINT[])", {"keys": list(keys)})


def _subjects(db: duckdb.DuckDBPyConnection, names: Mapping[int, str]) -> dict[int, tuple[Subject, int | None]]:
    """Resources and principals among the wanted keys, with their rank."""
    found: dict[int, tuple[Subject, int | None]] = {}
    for key, platform, account, kind, name, detail in _rows(
        db,
        """SELECT p.uid, p.platform, p.account, p.kind, coalesce(nullif(p.email, ''), nullif(p.name, ''), ''), p.detail
           FROM principals AS p JOIN wanted AS w ON w.key = p.uid""",
    ):
        found[key] = (
            Subject(
                uid=names.get(key, ""), platform=platform, account=account, kind=kind, name=name, detail=_json(detail)
            ),
            None,
        )
    for key, platform, account, kind, name, path, url, owner, detail, rank in _rows(
        db,
        """SELECT r.uid, r.platform, r.account, r.kind, r.name, r.path, r.url,
                  coalesce(nullif(o.email, ''), nullif(o.name, ''), ''), r.detail, r.rank
           FROM resources AS r JOIN wanted AS w ON w.key = r.uid LEFT JOIN principals AS o ON o.uid = r.owner_uid""",
    ):
        subject = Subject(
            uid=names.get(key, ""),
            platform=platform,
            account=account,
            kind=kind,
            name=name,
            path=path,
            url=url,
            owner=owner,
            detail=_json(detail),
        )
        found[key] = (subject, rank)
    return found


def _bare_subject(
    key: int | None, names: Mapping[int, str], evidence: Sequence[Mapping[str, Any]]
) -> tuple[Subject, int | None]:
    """A subject that was mentioned but never told: its id, and what the evidence says of it."""
    row = evidence[0] if evidence else {}
    uid = names.get(key or 0, "")
    platform = str(row.get("platform") or uid.partition(":")[0])
    name = str(row.get("resource_name") or row.get("name") or uid)
    return Subject(uid=uid, platform=platform, account=str(row.get("account") or ""), name=name), None


def _chains(db: duckdb.DuckDBPyConnection) -> dict[int, Mapping[str, Sequence[str]]]:
    found: dict[int, Mapping[str, Sequence[str]]] = {}
    for key, chain in _rows(
        db,
        """SELECT g.uid, json_extract(g.detail, '$.chain') FROM grants AS g JOIN wanted AS w ON w.key = g.uid
           WHERE json_extract(g.detail, '$.chain') IS NOT NULL""",
    ):
        try:
            found[key] = msgspec.json.decode(chain, type=dict[str, list[str]])
        except msgspec.MsgspecError:
            continue  # a connector's own idea of a chain; the evidence row still stands
    return found


def _piece(
    row: Mapping[str, Any], names: Mapping[int, str], chains: Mapping[int, Mapping[str, Sequence[str]]]
) -> Evidence:
    plain = {column: _plain(_named(value, column, names)) for column, value in row.items()}
    return Evidence(row=plain, chain=chains.get(row.get("grant_uid") or 0, {}))


def _keys(row: Mapping[str, Any]) -> Iterator[int]:
    return (value for column, value in row.items() if is_uid(column) and isinstance(value, int))


def _named(value: Any, column: str, names: Mapping[int, str]) -> Any:
    return names.get(value, str(value)) if is_uid(column) and isinstance(value, int) else value


def _plain(value: Any) -> Any:
    """Values as JSON can say them."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _json(detail: str | None) -> Mapping[str, Any]:
    found = msgspec.json.decode(detail) if detail else {}
    return found if isinstance(found, dict) else {}


def _rows(db: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return db.execute(sql).fetchall()
