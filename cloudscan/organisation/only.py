"""A part of the estate, named as people name it: ``--only department=営業部 --only person=1024``.

============  =================================================  ==================================================
key           its values                                         what it chooses
============  =================================================  ==================================================
department    as the roster, or a directory, spells it           the people in it, their accounts, what these own
site          name, id or address of a site, drive or bucket     it, and all that is in it
account       a cloud account, a tenant, or an account's name    what is in it, and who has an account there
unit          an organisational unit, as ``/Office/Sales``       accounts in it or below it, and what these own
person        employee number, or an address                     somebody's accounts, and what these own
============  =================================================  ==================================================

The same key again means *or*, different keys mean *and*. Width, case and `*` are as people write them. A value that
chooses nothing is an error, for a report about nothing looks like a report about a safe department.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import duckdb
import msgspec

from cloudscan.errors import ConfigurationError
from cloudscan.sentence import Sentence, joined, say
from cloudscan.snapshot.snapshot import Snapshot, reading
from cloudscan.snapshot.tables import key
from cloudscan.text import suggestion

TABLES: Final = ("resources", "principals", "people", "partners", "waivers")
"""What can be chosen: `select` makes a temporary table ``only_…`` of keys for each of them."""

_DEEPEST: Final = 128  # levels of containers in containers
_MANY: Final = 2_000  # names
_ALIKE: Final = 3  # letters by which a misspelt name is longer or shorter


class Only(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the estate is meant."""

    values: Mapping[str, Sequence[str]] = {}  # by key of `KEYS`; empty: all of it

    def __bool__(self) -> bool:
        return bool(self.values)

    @property
    def words(self) -> Sequence[str]:
        """As it was written: ``department=営業部``."""
        return [f"{name}={value}" for name, several in self.values.items() for value in several]


def parsed(texts: Iterable[str]) -> Only:
    """What ``KEY=VALUE`` texts choose. Raises `ConfigurationError`."""
    values: dict[str, list[str]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = folded(name)
        if not equals or not value.strip():
            raise ConfigurationError(
                say("--only {text}: write KEY=VALUE, such as --only department=Sales.", text=repr(text))
            )
        if name not in KEYS:
            raise ConfigurationError(say("--only {text}: {hint}.", text=repr(text), hint=suggestion(name, KEYS)))
        values.setdefault(name, []).append(value.strip())
    return Only(values={name: tuple(dict.fromkeys(several)) for name, several in values.items()})


def folded(text: str) -> str:
    """A name without what people do not see in it: width, case, space around it."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def matches(pattern: str, names: Iterable[str]) -> list[str]:
    """The names that a value stands for; `*` is any text."""
    shape = re.compile(".*".join(map(re.escape, folded(pattern).split("*"))), re.DOTALL)
    return [name for name in names if shape.fullmatch(folded(name))]


def select(db: duckdb.DuckDBPyConnection, only: Only) -> None:
    """Make the temporary tables `only_resources`, `only_principals` …, each with the keys (`uid`) that are chosen.

    `db` is the connection of an open snapshot. Its scopes count as resources, read or not. Raises `ConfigurationError`
    for values that choose nothing, with the nearest names.
    """
    every = {table: f"SELECT uid FROM {table}" for table in TABLES}
    every["resources"] += f" UNION {_SCOPES}"
    if not only:
        _create(db, every)
    problems = []
    for place, (name, several) in enumerate(only.values.items()):
        choice = KEYS[name]
        for step in choice.before:
            db.execute(step)
        known = sorted({row[0] for row in db.execute(choice.names).fetchall() if row[0]})
        found = {value: matches(value, known) for value in several}
        problems += [
            say("{key} {value} is not known; {hint}.", key=name, value=repr(value), hint=_hint(value, known))
            for value, names in found.items()
            if not names
        ]
        chosen = sorted({one for names in found.values() for one in names})
        db.execute(
            "CREATE OR REPLACE TEMP TABLE only_names AS SELECT unnest($names::VARCHAR[]) AS name", {"names": chosen}
        )
        for step in choice.steps:
            db.execute(step)
        queries = {table: choice.queries.get(table, f"SELECT uid FROM {table} WHERE FALSE") for table in TABLES}
        if place:
            queries = {table: f"SELECT uid FROM only_{table} WHERE uid IN ({one})" for table, one in queries.items()}
        _create(db, queries)
    if problems:
        raise ConfigurationError(joined(problems))


def _create(db: duckdb.DuckDBPyConnection, queries: Mapping[str, str]) -> None:
    for table, query in queries.items():
        db.execute(f"CREATE OR REPLACE TEMP TABLE only_{table} AS SELECT uid FROM ({query}) AS found(uid)")


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of some uids: which of them the snapshot has, and which of these are chosen."""

    known: Collection[str]
    chosen: Collection[str]

    def and_of(self, other: "Chosen") -> "Chosen":
        """Both together."""
        return Chosen(known={*self.known, *other.known}, chosen={*self.chosen, *other.chosen})

    def has(self, uids: Iterable[str]) -> bool | None:
        """Whether the first of these uids that the snapshot has is chosen; None: it has none of them."""
        first = next((uid for uid in uids if uid in self.known), None)
        return None if first is None else first in self.chosen


def chosen_of(snapshot: Snapshot, only: Only, uids: Collection[str]) -> Chosen:
    """Which of these uids, of things of any kind, are chosen. Raises `ConfigurationError`, `SnapshotError`."""
    keys = {key(uid): uid for uid in uids if uid}
    with reading(snapshot.path):
        select(snapshot.db, only)
        asked = "CREATE OR REPLACE TEMP TABLE only_asked AS SELECT unnest($keys::BIGINT[]) AS uid"
        snapshot.db.execute(asked, {"keys": list(keys)})

        def among(prefix: str) -> frozenset[str]:
            anything = " UNION ALL ".join(f"SELECT uid FROM {prefix}{table}" for table in TABLES)
            rows = snapshot.db.execute(f"SELECT uid FROM only_asked WHERE uid IN ({anything})").fetchall()
            return frozenset(keys[row[0]] for row in rows)

        known = among("")
        if only.values.keys() <= {"site", "account"}:  # of these it is known what is in them, even if it was not read
            known |= {keys[row[0]] for row in snapshot.db.execute(_SCOPES).fetchall() if row[0] in keys}
        return Chosen(known=known, chosen=among("only_"))


def _hint(value: str, known: Sequence[str]) -> Sentence:
    """What to write instead. Of very many names only those that begin alike are compared: that takes time."""
    wanted = folded(value)
    if len(known) > _MANY:
        alike = [name for name in known if folded(name)[:1] == wanted[:1] and abs(len(name) - len(wanted)) < _ALIKE]
        known = alike or known[:_MANY]
    return suggestion(wanted, known)


class _Choice(msgspec.Struct, frozen=True, kw_only=True):
    """How one key chooses: statements, the values that it may have, and, with those in `only_names`, what they mean."""

    names: str
    before: Sequence[str] = ()
    steps: Sequence[str] = ()
    queries: Mapping[str, str] = {}  # by table of `TABLES`: the keys that are chosen; a table without one: nothing is


_SCOPES: Final = "SELECT DISTINCT scope_uid AS uid FROM coverage WHERE scope_uid IS NOT NULL"
_OWN: Final = {
    "people": "SELECT uid FROM meant_people",
    "principals": "SELECT uid FROM meant_principals",
    "resources": """SELECT r.uid FROM resources AS r LEFT JOIN resources AS c ON c.uid = r.container_uid
                    WHERE coalesce(r.owner_uid, c.owner_uid) IN (SELECT uid FROM meant_principals)""",
    "partners": """SELECT uid FROM partners
                   WHERE owner_uid IN (SELECT uid FROM meant_people) OR deputy_uid IN (SELECT uid FROM meant_people)""",
    "waivers": "SELECT uid FROM waivers WHERE owner_uid IN (SELECT uid FROM meant_people)",
}
"""Somebody's things: what their accounts own, and what is in their drives and has no owner of its own."""

_POSTS: Final = "SELECT person_uid, department FROM posts WHERE until IS NULL OR until = DATE '9999-12-31'"

_DEPARTMENT: Final = _Choice(
    names=f"""SELECT department FROM people UNION SELECT department FROM ({_POSTS})
              UNION SELECT department FROM principals""",
    steps=(
        f"""CREATE OR REPLACE TEMP TABLE meant_people AS
            SELECT uid FROM people WHERE department IN (SELECT name FROM only_names)
            UNION SELECT person_uid FROM ({_POSTS}) WHERE department IN (SELECT name FROM only_names)""",
        # The roster is right about those whom it knows; of the others there is only what a directory says.
        """CREATE OR REPLACE TEMP TABLE meant_principals AS
           SELECT principal_uid AS uid FROM accounts WHERE person_uid IN (SELECT uid FROM meant_people)
           UNION SELECT uid FROM principals
           WHERE department IN (SELECT name FROM only_names)
             AND uid NOT IN (SELECT principal_uid FROM accounts WHERE person_uid IS NOT NULL)""",
    ),
    queries=_OWN,
)
_PERSON: Final = _Choice(
    names="""SELECT number FROM people UNION SELECT email FROM people
             UNION SELECT email FROM principals WHERE kind IN ('user', 'guest')""",
    steps=(
        """CREATE OR REPLACE TEMP TABLE meant_principals AS
           SELECT uid FROM principals WHERE kind IN ('user', 'guest') AND email IN (SELECT name FROM only_names)""",
        """CREATE OR REPLACE TEMP TABLE meant_people AS
           SELECT uid FROM people
           WHERE number IN (SELECT name FROM only_names) OR email IN (SELECT name FROM only_names)
           UNION SELECT person_uid FROM accounts
           WHERE person_uid IS NOT NULL AND principal_uid IN (SELECT uid FROM meant_principals)""",
        """INSERT INTO meant_principals
           SELECT principal_uid FROM accounts
           WHERE person_uid IN (SELECT uid FROM meant_people)
             AND principal_uid NOT IN (SELECT uid FROM meant_principals)""",
    ),
    queries=_OWN,
)
_SITES: Final = f"""CREATE OR REPLACE TEMP TABLE only_sites AS
                    SELECT r.uid, i.uid AS id, r.name, r.url, r.container_uid FROM resources AS r
                    JOIN ids AS i ON i.key = r.uid
                    WHERE r.uid IN (SELECT container_uid FROM resources WHERE container_uid IS NOT NULL UNION {_SCOPES})
                    UNION ALL
                    SELECT DISTINCT scope_uid, scope_text, scope_name, '', NULL::BIGINT FROM sealed_coverage
                    WHERE scope_uid IS NOT NULL"""
_SITE: Final = _Choice(
    before=(_SITES,),
    names="SELECT name FROM only_sites UNION SELECT id FROM only_sites UNION SELECT url FROM only_sites",
    steps=(
        f"""CREATE OR REPLACE TEMP TABLE meant_sites AS
            WITH RECURSIVE inside(uid, depth) AS (
                SELECT uid, 0 FROM only_sites
                WHERE name IN (SELECT name FROM only_names) OR id IN (SELECT name FROM only_names)
                   OR url IN (SELECT name FROM only_names)
                UNION
                SELECT s.uid, i.depth + 1 FROM inside AS i JOIN only_sites AS s ON s.container_uid = i.uid
                WHERE i.depth < {_DEEPEST}
            )
            SELECT DISTINCT uid FROM inside""",
    ),
    queries={
        "resources": """SELECT uid FROM resources
                        WHERE uid IN (SELECT uid FROM meant_sites) OR container_uid IN (SELECT uid FROM meant_sites)
                           OR parent_uid IN (SELECT uid FROM meant_sites)
                        UNION SELECT uid FROM meant_sites"""
    },
)
_NUMBERED: Final = """SELECT account, account AS name FROM resources UNION SELECT account, account FROM principals
                      UNION SELECT account, name FROM resources WHERE kind IN ('account', 'tenant')
                      UNION SELECT account, account FROM coverage"""
_MEANT_ACCOUNTS: Final = f"SELECT account FROM ({_NUMBERED}) WHERE name IN (SELECT name FROM only_names)"
_ACCOUNT: Final = _Choice(
    names=f"SELECT name FROM ({_NUMBERED})",
    queries={
        "resources": f"""SELECT uid FROM resources WHERE account IN ({_MEANT_ACCOUNTS})
                         UNION SELECT scope_uid FROM coverage WHERE account IN ({_MEANT_ACCOUNTS})""",
        "principals": f"SELECT uid FROM principals WHERE account IN ({_MEANT_ACCOUNTS})",
        "people": f"""SELECT DISTINCT a.person_uid FROM accounts AS a JOIN principals AS p ON p.uid = a.principal_uid
                      WHERE a.person_uid IS NOT NULL AND p.account IN ({_MEANT_ACCOUNTS})""",
    },
)
_DETAILS: Final = (
    """SELECT uid, detail FROM principals UNION ALL SELECT uid, detail FROM resources WHERE kind = 'account'"""
)
_UNITS: Final = f"""CREATE OR REPLACE TEMP TABLE only_units AS
                    SELECT uid, detail ->> 'org_unit' AS unit FROM ({_DETAILS})
                    WHERE json_type(detail -> 'org_unit') = 'VARCHAR'
                    UNION ALL
                    SELECT uid, unnest(from_json(detail -> 'administrative_units', '["VARCHAR"]')) FROM ({_DETAILS})
                    WHERE json_type(detail -> 'administrative_units') = 'ARRAY'"""
_BELOW: Final = """SELECT u.uid FROM only_units AS u JOIN only_names AS n
                   ON u.unit = n.name OR starts_with(u.unit, rtrim(n.name, '/') || '/')"""
_UNIT: Final = _Choice(
    before=(_UNITS,),
    names="SELECT unit FROM only_units UNION SELECT name FROM resources WHERE kind = 'org_unit'",
    steps=(
        f"""CREATE OR REPLACE TEMP TABLE meant_principals AS
            SELECT DISTINCT uid FROM ({_BELOW}) WHERE uid IN (SELECT uid FROM principals)""",
        """CREATE OR REPLACE TEMP TABLE meant_people AS
           SELECT DISTINCT person_uid AS uid FROM accounts
           WHERE person_uid IS NOT NULL AND principal_uid IN (SELECT uid FROM meant_principals)""",
    ),
    queries={
        **_OWN,
        "resources": f"""{_OWN["resources"]} UNION {_BELOW}
                         UNION SELECT r.uid FROM resources AS r JOIN only_names AS n
                         ON r.kind = 'org_unit' AND (r.name = n.name OR starts_with(r.name, rtrim(n.name, '/') || '/'))
                         """,
    },
)
KEYS: Final[Mapping[str, _Choice]] = {
    "department": _DEPARTMENT,
    "site": _SITE,
    "account": _ACCOUNT,
    "unit": _UNIT,
    "person": _PERSON,
}
"""What can be named, and how it chooses."""
