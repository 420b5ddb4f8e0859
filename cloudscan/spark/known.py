"""What verdicts say of the things behind their keys, fetched from Spark into a small database of this process."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow as pa

from cloudscan.snapshot.database import column_spec
from cloudscan.snapshot.tables import KNOWN, enum_statements
from cloudscan.spark.functions import name
from cloudscan.spark.tables import columns_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_WHOLE: Final = ("accounts", "people", "partners", "waivers", "templates")
"""As large as the organisation, not as its estate."""

_BY_KEY: Final = ("resources", "principals", "grants")
_DEEPEST: Final = 128  # levels of folders


class Known:
    """The tables that `cloudscan.engine.lookup` reads, filled as far as keys were asked for."""

    def __init__(self, session: "SparkSession") -> None:
        self._session = session
        self._db = duckdb.connect(":memory:")
        self._db.execute("SET TimeZone = 'UTC'")
        for statement in enum_statements():
            self._db.execute(statement)
        self._asked: dict[str, set[int]] = {table: set() for table in (*_BY_KEY, "ids", "above")}
        for table in (*_BY_KEY, *_WHOLE):
            self._db.execute(f"CREATE TABLE {table} ({column_spec(KNOWN[table])})")
        self._db.execute("CREATE TABLE ids (key BIGINT, uid VARCHAR)")
        for table in _WHOLE:
            columns = ", ".join(map(name, KNOWN[table]))
            self._insert(table, self._session.sql(f"SELECT {columns} FROM {table}").toArrow(), KNOWN[table])

    def of(self, keys: AbstractSet[int]) -> duckdb.DuckDBPyConnection:
        """The database, with all that these keys lead to."""
        for table in _BY_KEY:
            self._fetch(table, keys)
        self._fetch("principals", self._keys("SELECT owner_uid FROM resources"))
        self._fetch("principals", self._keys("SELECT sponsor_uid FROM principals"))
        self._fetch("principals", self._keys(_MANAGERS))
        self._climb(keys)
        mentioned = self._keys(
            """SELECT uid FROM principals UNION ALL SELECT manager_uid FROM people UNION ALL SELECT uid FROM people
               UNION ALL SELECT owner_uid FROM partners UNION ALL SELECT deputy_uid FROM partners"""
        )
        self._fetch_ids(keys | mentioned)
        return self._db

    def close(self) -> None:
        """Let go of what was fetched."""
        self._db.close()

    def _fetch(self, table: str, keys: Iterable[int]) -> None:
        """Rows of a table by their keys, with the ids that stand beside them."""
        found = self._joined(table, "uid", [f"t.{name(column)}" for column in columns_of(table)], keys)
        if found is None:
            return
        self._db.register("fetched", found)
        self._db.execute(f"DELETE FROM {table} WHERE uid IN (SELECT uid FROM fetched)")  # it may have been climbed over
        self._db.execute("INSERT INTO ids SELECT uid, id FROM fetched")
        self._insert(table, found, KNOWN[table])

    def _climb(self, keys: AbstractSet[int]) -> None:
        """What is above resources, up to the top: of these only where they are, and their ids."""
        frontier: set[int] = set(keys)
        for _ in range(_DEEPEST):
            frontier = frontier - self._asked["above"]
            found = self._joined(
                "resources", "uid", ["t.uid", "t.parent_uid", "t.container_uid", "t.id"], frontier, "above"
            )
            if found is None:
                return
            known = {"uid": "BIGINT", "parent_uid": "BIGINT", "container_uid": "BIGINT"}
            self._db.register("fetched", found)
            self._db.execute(
                f"""INSERT INTO resources ({", ".join(known)}) SELECT {", ".join(known)} FROM fetched
                    WHERE uid NOT IN (SELECT uid FROM resources)"""
            )
            self._db.execute("INSERT INTO ids SELECT uid, id FROM fetched WHERE uid NOT IN (SELECT key FROM ids)")
            above = self._db.execute("SELECT unnest([parent_uid, container_uid]) FROM fetched").fetchall()
            self._db.unregister("fetched")
            frontier = {key for (key,) in above if key is not None}

    def _fetch_ids(self, keys: AbstractSet[int]) -> None:
        above = self._keys("SELECT parent_uid FROM resources UNION ALL SELECT container_uid FROM resources")
        found = self._joined("ids", "key", ["t.key", "t.uid"], (keys | above) - self._keys("SELECT key FROM ids"))
        if found is not None:
            self._insert("ids", found, {"key": "BIGINT", "uid": "VARCHAR"})

    def _joined(
        self, table: str, key: str, shown: Iterable[str], keys: Iterable[int], remembered: str = ""
    ) -> pa.Table | None:
        """The rows of a table that have one of these keys and were not asked for before; None if there are none."""
        asked = self._asked[remembered or table]
        new = sorted(set(keys) - asked)
        if not new:
            return None
        asked.update(new)
        wanted = self._session.createDataFrame(pa.table({"key": pa.array(new, pa.int64())}))
        wanted.createOrReplaceTempView("wanted")
        return self._session.sql(
            f"SELECT {', '.join(shown)} FROM {table} AS t JOIN wanted AS w ON w.key = t.{key}"
        ).toArrow()

    def _insert(self, table: str, rows: pa.Table, columns: Iterable[str]) -> None:
        self._db.register("fetched", rows)
        shown = ", ".join(map(name, columns)).replace("`", '"')
        self._db.execute(f"INSERT INTO {table} ({shown}) SELECT {shown} FROM fetched")
        self._db.unregister("fetched")

    def _keys(self, sql: str) -> set[int]:
        return {key for (key,) in self._db.execute(sql).fetchall() if key is not None}


_MANAGERS: Final = """
    SELECT b.principal_uid FROM principals AS o JOIN accounts AS a ON a.principal_uid = o.uid
    JOIN people AS p ON p.uid = a.person_uid JOIN accounts AS b ON b.person_uid = p.manager_uid"""
