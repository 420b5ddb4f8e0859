"""From a rule's rows to verdicts: folding by identity, the evidence behind each, how far it reaches, its subject."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

import duckdb
import msgspec

from cloudscan.engine.lookup import Explained, Lookup, RankedSubject
from cloudscan.engine.rule_file import Rule
from cloudscan.errors import RuleError
from cloudscan.facts import OBJECTS_INSIDE, OF_A_PART, Access, Audience
from cloudscan.finding import Evidence, Judgement, Party, Subject, Verdict
from cloudscan.sentence import say
from cloudscan.snapshot.database import identifier
from cloudscan.snapshot.tables import is_uid
from cloudscan.snapshot.tables import key as key_for
from cloudscan.text import first_line

EVIDENCE: Final = 20
"""Pieces of evidence kept for one verdict; `Verdict.rows` counts them all."""

JUDGEMENTS: Final = (Judgement.PASSED, Judgement.UNKNOWN, Judgement.FLAGGED)
"""In ascending order of weight: the heaviest row decides for its identity. SQL speaks of them by index."""

_UNKNOWN, _FLAGGED = JUDGEMENTS.index(Judgement.UNKNOWN), JUDGEMENTS.index(Judgement.FLAGGED)
_UNEXPLAINED: Final = Explained()
_SUBJECTS: Final = ("origin_uid", "resource_uid", "scope_uid", "person_uid", "partner_uid", "principal_uid")


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many identities a rule looked at, by what became of them."""

    flagged: int = 0
    unknown: int = 0
    passed: int = 0


@dataclass(kw_only=True)
class _Extent:
    """How far one verdict reaches, in the terms of `Verdict`. Filled in step by step."""

    rows: int
    audience: Audience | None
    access: Access | None
    since: datetime | None
    rank: int | None
    likelihood: int | None
    resources: int = 1
    bytes: int | None = None
    people: int | None = None


@dataclass(frozen=True)
class _Identity:
    """An identity that did not pass, by its number in the table `not_passed`."""

    judgement: Judgement
    identity: Mapping[str, Any]
    evidence: Sequence[Mapping[str, Any]]
    extent: _Extent


class Evaluation:
    """One rule on one connection. It owns these temporary tables, each made from the one before:

    ============  ===========================================================================
    `folded`      one row per identity: its columns, and `judgement`, an index of `JUDGEMENTS`
    `not_passed`  the flagged and unknown identities, numbered by `n`, flagged ones first
    `evidence`    the rule's rows behind each of them: `n`, `judgement`, the rule's columns
    ============  ===========================================================================

    Call `fold` first, then `verdicts` if anything was flagged or unknown, which needs `find_counted`. Leaving the
    `with` block drops the tables.
    """

    def __init__(self, db: duckdb.DuckDBPyConnection, rule: Rule, bound: Mapping[str, object]) -> None:
        self._db = db
        self._rule = rule
        self._bound = dict(bound)
        self._columns = [column for column in rule.columns if column not in ("flagged", "likelihood")]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for table in ("folded", "not_passed", "evidence"):
            self._db.execute(f"DROP TABLE IF EXISTS {table}")

    def run(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Run SQL made around the rule's query. Raises `RuleError` naming the rule if the database refuses.

        That a table cannot be read is not the rule's fault: DuckDB's own error passes (`snapshot.reading`).
        """
        try:
            return self._db.execute(sql, self._bound or None)
        except duckdb.IOException:
            raise
        except duckdb.Error as error:
            if type(error) is duckdb.Error or "Failed to read file" in str(error):
                raise
            rule, reason = self._rule, first_line(error, 1_000)
            raise RuleError(
                say(
                    "{source}:{query_line}: the query of {id} cannot run: {reason}",
                    source=rule.source,
                    query_line=rule.query_line,
                    id=rule.id,
                    reason=reason,
                )
            ) from error

    @property
    def folded_sql(self) -> str:
        """A query that gives one row per identity, with the index of its judgement in `JUDGEMENTS`."""
        columns = ", ".join(map(identifier, self._rule.identity))
        weight = weight_of("flagged")
        return f"SELECT {columns}, max({weight}) AS judgement FROM ({self._rule.sql}) AS judged GROUP BY {columns}"

    def fold(self) -> Tally:
        """Judge every identity, and count."""
        self.run(f"CREATE OR REPLACE TEMP TABLE folded AS {self.folded_sql}")
        counts = dict(self._rows("SELECT judgement, count(*) FROM folded GROUP BY judgement"))
        return Tally(flagged=counts.get(_FLAGGED, 0), unknown=counts.get(_UNKNOWN, 0), passed=counts.get(0, 0))

    def verdicts(self) -> Iterator[Verdict]:
        """The verdicts on all identities that were flagged or are unknown, flagged ones first."""
        self._number_identities()
        self._gather_rows()
        identities = self._identities()
        keys = {n: self._subject_key(entry) for n, entry in identities.items()}
        mentioned = {
            key for entry in identities.values() for row in (entry.identity, *entry.evidence) for key in _keys(row)
        }
        lookup = Lookup(self._db, mentioned | {key for key in keys.values() if key is not None})
        ids = lookup.ids()
        subjects = lookup.subjects(ids)
        explained = lookup.explained() if "grant_uid" in self._rule.columns else {}
        parties = lookup.parties() if "principal_uid" in self._rule.columns else {}
        for n, entry in identities.items():
            key = keys[n]
            subject = subjects.get(key or 0) or _bare_subject(key, ids, entry.evidence)
            extent = entry.extent
            yield Verdict(
                rule_id=self._rule.id,
                judgement=entry.judgement,
                identity=tuple(identity_text(_with_id(value, column, ids)) for column, value in entry.identity.items()),
                subject=subject.subject,
                evidence=tuple(_piece(row, ids, explained, parties) for row in entry.evidence),
                rows=extent.rows,
                audience=extent.audience,
                access=extent.access,
                resources=extent.resources,
                bytes=extent.bytes,
                people=extent.people,
                rank=extent.rank if extent.rank is not None else subject.rank,
                since=extent.since,
                likelihood=extent.likelihood,
            )

    def judgements(self) -> list[tuple[tuple[str, ...], Judgement]]:
        """Every identity with its judgement, passed ones too. For small estates."""
        rows = self.run(self.folded_sql).fetchall()
        ids = Lookup(self._db, {value for row in rows for value in row if isinstance(value, int)}).ids()
        return [
            (
                tuple(
                    identity_text(ids.get(value, value) if is_uid(column) else value)
                    for column, value in zip(self._rule.identity, identity, strict=True)
                ),
                JUDGEMENTS[judgement],
            )
            for *identity, judgement in rows
        ]

    def judgements_of(self, identities: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], Judgement]:
        """What became of given identities; one that is not in the snapshot is left out."""
        columns = [(f"c{index}", column, is_uid(column)) for index, column in enumerate(self._rule.identity)]
        spec = ", ".join(f"{name} {'BIGINT' if keyed else 'VARCHAR'}" for name, _, keyed in columns)
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE asked (n BIGINT, {spec})")
        values: dict[str, list[Any]] = {
            name: [key_for(identity[index]) if keyed else identity[index] for identity in identities]
            for index, (name, _, keyed) in enumerate(columns)
        }
        unnested = ", ".join(f"unnest(${name}::{'BIGINT' if keyed else 'VARCHAR'}[])" for name, _, keyed in columns)
        self._db.execute(
            f"INSERT INTO asked SELECT unnest($numbers::BIGINT[]), {unnested}",
            {"numbers": list(range(len(identities))), **values},
        )
        same = " AND ".join(
            f"coalesce(f.{identifier(column)}, {key_for('')}) = a.{name}"
            if keyed
            else f"coalesce(CAST(f.{identifier(column)} AS VARCHAR), '') = a.{name}"
            for name, column, keyed in columns
        )
        rows = self.run(f"SELECT a.n, f.judgement FROM ({self.folded_sql}) AS f JOIN asked AS a ON {same}").fetchall()
        self._db.execute("DROP TABLE asked")
        return {identities[n]: JUDGEMENTS[judgement] for n, judgement in rows}

    def _number_identities(self) -> None:
        identity = ", ".join(map(identifier, self._rule.identity))
        self._db.execute(
            "CREATE OR REPLACE TEMP TABLE not_passed AS "
            f"SELECT row_number() OVER (ORDER BY judgement DESC, {identity}) AS n, * FROM folded WHERE judgement > 0"
        )

    def _gather_rows(self) -> None:
        same = " AND ".join(
            f"q.{column} IS NOT DISTINCT FROM k.{column}" for column in map(identifier, self._rule.identity)
        )
        columns = ", ".join(f"q.{identifier(column)}" for column in self._rule.columns)
        self.run(f"""
            CREATE OR REPLACE TEMP TABLE evidence AS
            SELECT k.n, k.judgement, {columns}
            FROM ({self._rule.sql}) AS q JOIN not_passed AS k ON {same}
            WHERE (k.judgement = {_FLAGGED} AND q.flagged) OR (k.judgement = {_UNKNOWN} AND q.flagged IS NULL)
        """)

    def _identities(self) -> dict[int, _Identity]:
        extents, evidence = self._extents(), self._evidence()
        identity = ", ".join(map(identifier, self._rule.identity))
        return {
            n: _Identity(
                judgement=JUDGEMENTS[judgement],
                identity=dict(zip(self._rule.identity, values, strict=True)),
                evidence=evidence[n],
                extent=extents[n],
            )
            for n, judgement, *values in self._rows(f"SELECT n, judgement, {identity} FROM not_passed ORDER BY n")
        }

    def _extents(self) -> dict[int, _Extent]:
        """How far each verdict reaches, by its number."""
        has = set(self._rule.columns)
        since = next((column for column in ("since", "granted_on") if column in has), "")
        own, lowers = self._rule.likelihood, "likelihood" in has
        parts = {
            "audience": f"max(audience) FILTER (judgement = {_FLAGGED})" if "audience" in has else "NULL",
            "access": f"max(access) FILTER (judgement = {_FLAGGED})" if "access" in has else "NULL",
            "since": f"min({identifier(since)})" if since else "NULL",
            "rank": "max(rank)" if "rank" in has else "NULL",
            # A row that says nothing has the rule's own; a row may lower that, never raise it.
            "likelihood": f"max(greatest(1, least(coalesce(likelihood, {own}), {own})))" if lowers else "NULL",
        }
        extents = {
            n: _Extent(
                rows=rows,
                audience=Audience(audience) if audience else None,
                access=Access(access) if access else None,
                since=first.replace(tzinfo=UTC) if isinstance(first, datetime) else None,
                rank=rank,
                likelihood=likelihood,
            )
            for n, rows, audience, access, first, rank, likelihood in self._rows(
                f"SELECT n, count(*), {', '.join(parts.values())} FROM evidence GROUP BY n"
            )
        }
        if "resource_uid" in has:
            self._count_resources(extents)
        elif "size_bytes" in has:
            for n, size in self._rows("SELECT n, sum(size_bytes) FROM evidence GROUP BY n"):
                extents[n].bytes = size
        if "principal_uid" in has:
            self._count_people(extents)
        return extents

    def _count_resources(self, extents: Mapping[int, _Extent]) -> None:
        """Resources with what is counted inside them, unless every grant on one opens an uncounted part of it only.

        Of several containers all count with their contents or none: the sum would rise whenever one is counted at last.
        """
        in_part = "SELECT n, resource_uid FROM evidence WHERE FALSE"
        if "grant_uid" in self._rule.columns:
            in_part = f"""SELECT e.n, e.resource_uid FROM evidence AS e
                JOIN counted AS c ON c.uid = e.resource_uid LEFT JOIN grants AS g ON g.uid = e.grant_uid
                GROUP BY ALL HAVING bool_and(coalesce(g.detail->>'{OF_A_PART}', 'false') = 'true')"""
        rows = self._rows(
            f"""SELECT n, if(uncounted, resources, inside), if(uncounted, NULL, size), rank
               FROM (
                 SELECT p.n, count(*) AS resources, sum(greatest(1, coalesce(c.objects, 1)))::BIGINT AS inside,
                        sum(r.size_bytes) AS size, max(r.rank) AS rank,
                        bool_or(c.uid IS NOT NULL) AND bool_or(r.size_bytes IS NULL OR q.n IS NOT NULL) AS uncounted
                 FROM (SELECT DISTINCT n, resource_uid FROM evidence WHERE resource_uid IS NOT NULL) AS p
                 LEFT JOIN resources AS r ON r.uid = p.resource_uid LEFT JOIN counted AS c ON c.uid = p.resource_uid
                 LEFT JOIN ({in_part}) AS q ON q.n = p.n AND q.resource_uid = p.resource_uid
                 GROUP BY p.n)"""
        )
        for n, resources, size, rank in rows:
            extent = extents[n]
            extent.resources, extent.bytes = resources, size
            extent.rank = max((known for known in (extent.rank, rank) if known is not None), default=None)

    def _count_people(self, extents: Mapping[int, _Extent]) -> None:
        rows = self._rows(
            """SELECT n, count(DISTINCT coalesce(m.member_uid, p.principal_uid))
               FROM (SELECT DISTINCT n, principal_uid FROM evidence WHERE principal_uid IS NOT NULL) AS p
               LEFT JOIN (SELECT * FROM members WHERE member_uid NOT IN (SELECT group_uid FROM members)) AS m
                 ON m.group_uid = p.principal_uid
               GROUP BY n"""
        )
        for n, people in rows:
            extents[n].people = people

    def _evidence(self) -> dict[int, list[dict[str, Any]]]:
        """The weightiest rows of each verdict, in an order that is the same every time."""
        columns = self._columns
        # The resource where the fix belongs comes before those that merely inherit from it.
        own = ["resource_uid = origin_uid DESC NULLS LAST"] if {"resource_uid", "origin_uid"} <= set(columns) else []
        heavy = [f"{column} DESC NULLS LAST" for column in ("audience", "access") if column in columns]
        order = ", ".join([*own, *heavy, *map(identifier, columns)])
        cursor = self._db.execute(f"""
            SELECT n, {", ".join(map(identifier, columns))} FROM evidence
            QUALIFY row_number() OVER (PARTITION BY n ORDER BY {order}) <= {EVIDENCE}
            ORDER BY n, {order}
        """)
        evidence: dict[int, list[dict[str, Any]]] = {}
        while rows := cursor.fetchmany(10_000):
            for n, *values in rows:
                evidence.setdefault(n, []).append(dict(zip(columns, values, strict=True)))
        return evidence

    def _subject_key(self, entry: _Identity) -> int | None:
        """What the verdict is about: the identity's own id, else the first id in the evidence."""
        for column in (*_SUBJECTS, *self._rule.identity):
            if is_uid(column) and entry.identity.get(column) is not None:
                return int(entry.identity[column])
        for column in _SUBJECTS:
            if entry.evidence and entry.evidence[0].get(column) is not None:
                return int(entry.evidence[0][column])
        return None

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._db.execute(sql).fetchall()


def find_counted(db: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table `counted`, once for all rules: the containers whose contents are known as a number.

    They are few, and looking for them reads the `detail` of every resource.
    """
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE counted AS SELECT * FROM (
                SELECT uid, TRY_CAST(detail->>'{OBJECTS_INSIDE}' AS BIGINT) AS objects FROM resources
            ) WHERE objects IS NOT NULL"""
    )


def weight_of(flagged: str) -> str:
    """The SQL that gives the index of a row's judgement in `JUDGEMENTS`."""
    return f"CASE WHEN {flagged} THEN {_FLAGGED} WHEN {flagged} IS NULL THEN {_UNKNOWN} ELSE 0 END"


def with_containers(db: duckdb.DuckDBPyConnection, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts, with the containers of flagged subjects: for all rules together, since each level is a join."""
    flagged = {key_for(verdict.subject.uid) for verdict in verdicts if verdict.judgement is Judgement.FLAGGED}
    containers = Lookup(db, flagged).containers() if flagged else {}

    def contained(verdict: Verdict) -> Verdict:
        inside = containers.get(key_for(verdict.subject.uid)) if verdict.judgement is Judgement.FLAGGED else None
        if not inside:
            return verdict
        return msgspec.structs.replace(verdict, subject=msgspec.structs.replace(verdict.subject, inside=inside))

    return [contained(verdict) for verdict in verdicts]


def identity_text(value: object) -> str:
    """One value of an identity as text. It goes into the fingerprint, so it must never change."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bare_subject(key: int | None, ids: Mapping[int, str], evidence: Sequence[Mapping[str, Any]]) -> RankedSubject:
    """A subject that facts mention but do not describe: its id, and what the evidence says of it."""
    row = evidence[0] if evidence else {}
    uid = ids.get(key or 0, "")
    platform = str(row.get("platform") or uid.partition(":")[0])
    name = str(row.get("resource_name") or row.get("name") or uid)
    return RankedSubject(Subject(uid=uid, platform=platform, account=str(row.get("account") or ""), name=name))


def _piece(
    row: Mapping[str, Any], ids: Mapping[int, str], explained: Mapping[int, Explained], parties: Mapping[int, Party]
) -> Evidence:
    grant = explained.get(row.get("grant_uid") or 0, _UNEXPLAINED)
    return Evidence(
        row={column: _json_value(_with_id(value, column, ids)) for column, value in row.items()},
        chain=grant.chain,
        entry=grant.entry,
        party=parties.get(row.get("principal_uid") or 0),
    )


def _keys(row: Mapping[str, Any]) -> Iterator[int]:
    return (value for column, value in row.items() if is_uid(column) and isinstance(value, int))


def _with_id(value: Any, column: str, ids: Mapping[int, str]) -> Any:
    """A value of a row, ids in place of keys."""
    return ids.get(value, str(value)) if is_uid(column) and isinstance(value, int) else value


def _json_value(value: Any) -> Any:
    """A value as JSON has it; times in UTC."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
