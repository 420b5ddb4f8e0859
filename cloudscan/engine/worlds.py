"""Many small estates judged at once by one rule, each as if it were alone.

Every uid gets the number of its world in front, so that no join leads from one world to another; and the rule's query
runs once for each world (as a LATERAL subquery) and sees the rows of that world only, so that counts and accounts are
its own, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import duckdb
import sqlglot
from sqlglot import exp

from cloudscan.engine.folding import JUDGEMENTS, weight_of
from cloudscan.engine.rule_file import Rule
from cloudscan.errors import RuleError
from cloudscan.finding import Judgement
from cloudscan.sentence import say
from cloudscan.snapshot import in_memory
from cloudscan.snapshot.database import identifier
from cloudscan.snapshot.tables import TABLES, is_uid, key
from cloudscan.text import first_line

Identity = tuple[Any, ...]
"""One value for each identity column; uids as the estate spells them, None where it is not known."""

_HANGS_ON: Final[Mapping[str, str]] = {
    "grants": "resource_uid", "exposures": "resource_uid", "activity": "resource_uid",
    "memberships": "group_uid", "members": "group_uid", "settings": "scope_uid", "coverage": "scope_uid",
    "posts": "person_uid", "moves": "person_uid", "accounts": "principal_uid",
    "department_containers": "resource_uid", "leftovers": "person_uid", "partner_accounts": "principal_uid",
    "partner_places": "principal_uid", "ranks": "resource_uid", "drift": "resource_uid",
}  # fmt: skip
_WORLDS: Final = "(SELECT DISTINCT world FROM worlds)"
_SEPARATOR: Final = "\x1f"


def judge(
    db: duckdb.DuckDBPyConnection, rule: Rule, estates: Sequence[in_memory.Estate], bound: Mapping[str, object]
) -> list[dict[Identity, Judgement]]:
    """The judgement of every identity in each estate. The connection's tables must be empty, and are so again.

    Raises `RuleError` if the database cannot run the query.
    """
    try:
        return _judge(db, rule, estates, bound, _together(rule))
    except duckdb.Error:
        pass  # a query that runs by itself, but not inside another one; or one that does not run at all
    try:
        return [_judge(db, rule, [estate], bound, _alone(rule))[0] for estate in estates]
    except duckdb.Error as error:
        raise RuleError(
            say(
                "{source}:{query_line}: the query of {id} cannot run: {error}",
                source=rule.source,
                query_line=rule.query_line,
                id=rule.id,
                error=first_line(error, 1000),
            )
        ) from error


def _judge(
    db: duckdb.DuckDBPyConnection,
    rule: Rule,
    estates: Sequence[in_memory.Estate],
    bound: Mapping[str, object],
    query: str,
) -> list[dict[Identity, Judgement]]:
    db.execute("BEGIN")
    try:
        uids = _fill(db, estates)
        rows = db.execute(query, dict(bound) or None).fetchall()
    finally:
        db.execute("ROLLBACK")
    results: list[dict[Identity, Judgement]] = [{} for _ in estates]
    for world, *values, weight in rows:
        identity = tuple(
            uids.get(value, value) if is_uid(column) else value
            for column, value in zip(rule.identity, values, strict=True)
        )
        results[world][identity] = JUDGEMENTS[weight]
    return results


def _fill(db: duckdb.DuckDBPyConnection, estates: Sequence[in_memory.Estate]) -> dict[int, str]:
    """All estates in the same tables; gives the uids, as they were, by their keys."""
    together: dict[str, list[Mapping[str, Any]]] = {}
    uids: dict[int, str] = {}
    worlds: list[int] = []
    for world, estate in enumerate(estates):
        keyed: dict[str, str] = {}
        for table, rows in estate.items():
            together.setdefault(table, []).extend(_renamed(rows, world, keyed))
        keys = {key(name): uid for uid, name in keyed.items()}
        uids |= keys
        worlds += [world] * len(keys)
    in_memory.fill(db, together)
    db.execute("CREATE TEMP TABLE worlds (key BIGINT, world BIGINT)")
    db.execute(
        "INSERT INTO worlds SELECT unnest($keys::BIGINT[]), unnest($worlds::BIGINT[])",
        {"keys": list(uids), "worlds": worlds},
    )
    return uids


def _renamed(rows: Iterable[Mapping[str, Any]], world: int, keyed: dict[str, str]) -> Iterable[Mapping[str, Any]]:
    for row in rows:
        renamed = dict(row)
        for column, value in row.items():
            if value is not None and is_uid(column):
                renamed[column] = keyed[str(value)] = f"{world}{_SEPARATOR}{value}"
        yield renamed


def _together(rule: Rule) -> str:
    """The rule's query, once for each world."""
    query = sqlglot.parse_one(rule.sql, read="duckdb")
    named = {cte.alias for cte in query.find_all(exp.CTE)}
    for table in list(query.find_all(exp.Table)):
        if table.name in TABLES and table.name not in named:
            of_a_world = f"{table.name} AS t_ JOIN worlds AS k_ ON k_.key = t_.{_HANGS_ON.get(table.name, 'uid')}"
            own = sqlglot.parse_one(f"SELECT t_.* FROM {of_a_world} WHERE k_.world = w_.world", read="duckdb")
            alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name))
            table.replace(exp.Subquery(this=own, alias=alias))
    return _folded(rule, "w_.world", f"{_WORLDS} AS w_, LATERAL ({query.sql(dialect='duckdb')}) AS q_")


def _alone(rule: Rule) -> str:
    """The rule's query for the only world that there is."""
    return _folded(rule, "0 AS world", f"({rule.sql}) AS q_")


def _folded(rule: Rule, world: str, source: str) -> str:
    identity = ", ".join(f"q_.{identifier(column)}" for column in rule.identity)
    return f"SELECT {world}, {identity}, max({weight_of('q_.flagged')}) FROM {source} GROUP BY ALL"
