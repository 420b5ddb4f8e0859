"""Patterns of places: how ranks, partners and templates name the same thing, a folder, bucket, drive or site.

Every resource has a *place*, one text: the path of what it is in, then its own path, without a scheme or a slash in
front. A pattern is such a text with stars, and names what fits and everything below it.

=====================  ===========================  ====================================================
platform               place of a container         place of something in it
=====================  ===========================  ====================================================
S3                     ``plans``                    ``plans/2026/list.csv``
Google Drive           ``Sales``                    ``Sales/Customers/list.xlsx`` (a shared drive)
                       ``mika@acme.example``        ``mika@acme.example/Customers/list.xlsx`` (My Drive)
Microsoft 365          ``sites/sales``              ``sites/sales/Shared Documents/Customers/list.xlsx``
=====================  ===========================  ====================================================

``*`` is anything within one name, ``**`` anything across names (``**/contracts``: at any depth, also at the top), ``?``
one character; all else stands for itself. ``s3:plans`` speaks of one platform only; ``s3://plans`` is the same. Upper
and lower case, full and half width are the same (NFKC, case-folded), since people write names as they please.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudscan.sentence import Sentence, say

if TYPE_CHECKING:  # every command reads a configuration, and many need no database
    import duckdb

_PLATFORM: Final = re.compile(r"([a-z][a-z0-9]*):(?:/*)(?=.)")
_STARS: Final = re.compile(r"\*\*/|/\*\*|\*\*|\*|\?")
_STAR_WORDS: Final = {"**/": "(?:.*/)?", "/**": "(?:/.*)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_PLAIN: Final = r"[ -~、。々〇〈-】〜ぁ-ゖァ-ヾ一-鿿]*"
"""Characters that NFKC leaves alone and that lower() folds as Python does: most names, which need not be looked at."""

# A path with a scheme or a slash in front says all, and so does one that begins as its container's; another one
# continues from the path of the container.
_PLACE: Final = """CASE WHEN c.uid IS NULL OR c.kind IN ('account', 'tenant')
                             OR starts_with(r.path, '/') OR has_scheme(r.path)
                        THEN own_place(r.path, r.name)
                        WHEN starts_with(own_place(r.path, r.name), c.place || '/')
                        THEN own_place(r.path, r.name)
                        WHEN starts_with(r.path, 'arn:') THEN c.place
                        ELSE c.place || '/' || own_place(r.path, r.name) END"""

_MACROS: Final = r"""
    CREATE OR REPLACE TEMP MACRO has_scheme(path) AS contains(path, '://') AND regexp_matches(path, '^[a-z0-9]+://');
    CREATE OR REPLACE TEMP MACRO without_scheme(path) AS
        CASE WHEN contains(path, '://') THEN regexp_replace(path, '^[a-z0-9]+://', '') ELSE path END;
    CREATE OR REPLACE TEMP MACRO own_place(path, name) AS
        ltrim(without_scheme(coalesce(nullif(path, ''), name)), '/')"""
"""A regular expression is the dearest of this: few paths have a scheme, and those are looked at for it."""

_TOGETHER: Final = 50  # patterns in one regular expression
_BATCH: Final = 50_000


class Pattern(NamedTuple):
    """A pattern, understood."""

    platform: str  # empty: any
    expression: str  # a regular expression for the whole place, which RE2 and Python read alike
    literal: str = ""  # a text in every place that fits, which is found faster

    def fits(self, platform: str, place: str) -> bool:
        """Whether a folded place on a platform is meant, or is below what is meant."""
        return self.platform in ("", platform) and re.fullmatch(self.expression, place, re.DOTALL) is not None


def folded(text: str) -> str:
    """A place or pattern as it is compared."""
    return unicodedata.normalize("NFKC", text).casefold()


def exact(text: str) -> tuple[str, str] | None:
    """The platform (empty: any) and the place that a pattern without stars names; None if it has some."""
    platform, rest = parts_of(text)
    return None if _STARS.search(rest) else (platform, rest)


def pattern_of(text: str) -> Pattern:
    """What a pattern means; see the head of this module. `problem` says whether it means anything."""
    platform, rest = parts_of(text)
    words: list[str] = []
    end = 0
    for stars in _STARS.finditer(rest):
        words += [re.escape(rest[end : stars.start()]), _STAR_WORDS[stars[0]]]
        end = stars.end()
    words.append(re.escape(rest[end:]))
    literal = max(_STARS.split(rest), key=len)
    return Pattern(platform, "".join(words) + "(?:/.*)?", literal)


def parts_of(text: str) -> tuple[str, str]:
    """The platform that a pattern speaks of, empty for any, and the rest of it, folded as places are."""
    rest = folded(text).strip()
    platform = _PLATFORM.match(rest)
    return (platform[1], rest[platform.end() :].strip("/")) if platform else ("", rest.strip("/"))


def problem(text: str, platforms: Sequence[str] = ()) -> Sentence | None:
    """What is wrong with a pattern, without a full stop; None if nothing is. `platforms`: those that it may name."""
    rest = folded(text).strip()
    platform = _PLATFORM.match(rest)
    if platform and platforms and platform[1] not in platforms:
        return say(
            "{value} begins with {name}:, which is no platform; write one of {platforms}, or leave it out",
            value=repr(text),
            name=platform[1],
            platforms=", ".join(f"{one}:" for one in platforms),
        )
    rest = rest[platform.end() :] if platform else rest
    if not rest.strip("/"):
        return say("a pattern is empty; write a place such as Sales/Contracts, or ** for every place")
    if "//" in rest:
        return say("{value} has an empty name between two slashes; remove one of them", value=repr(text))
    return None


def make_places(db: "duckdb.DuckDBPyConnection", *, among: str = "resources", table: str = "places") -> None:
    """Make the temporary table `table` (resource_uid, platform, place), one row a resource, places folded.

    `among` is a table, or a query in brackets, with the resources that matter.
    """
    db.execute(_MACROS)
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
            SELECT r.uid AS resource_uid, r.platform, lower({_PLACE}) AS place
            FROM {among} AS r LEFT JOIN {_containers(among)} AS c ON c.uid = r.container_uid AND c.uid <> r.uid"""
    )
    _fold_the_rest(db, table)


def written(db: "duckdb.DuckDBPyConnection", uids: Iterable[int]) -> dict[int, str]:
    """The places of some resources as they are written, by key, after `make_places`."""
    return dict(
        db.execute(
            f"""SELECT r.uid, {_PLACE} FROM resources AS r
                LEFT JOIN {_containers("resources")} AS c ON c.uid = r.container_uid AND c.uid <> r.uid
                WHERE r.uid IN (SELECT unnest($uids::BIGINT[]))""",
            {"uids": list(uids)},
        ).fetchall()
    )


def _containers(among: str) -> str:
    """The places of what these resources are in, each worked out once: a query in brackets."""
    return f"""(SELECT uid, kind, own_place(path, name) AS place FROM resources
                WHERE uid IN (SELECT container_uid FROM {among}))"""


def match(db: "duckdb.DuckDBPyConnection", patterns: Sequence[str], table: str, *, places: str = "places") -> None:
    """Make the temporary table `table` (pattern, resource_uid): which of the patterns, by number, name which resource.

    `places` is what `make_places` made. One pass over all resources finds what any pattern names, and each pattern is
    tried on that.
    """
    db.execute(f"CREATE OR REPLACE TEMP TABLE {table} (pattern BIGINT, resource_uid BIGINT)")
    understood = [pattern_of(text) for text in patterns]
    for start in range(0, len(understood), _TOGETHER):
        some = understood[start : start + _TOGETHER]
        db.execute(
            f"""CREATE OR REPLACE TEMP TABLE named_places AS
                SELECT * FROM {places} WHERE {_is_any(some)}"""
        )
        for number, one in enumerate(some, start):
            db.execute(
                f"INSERT INTO {table} SELECT {number}, resource_uid FROM named_places "
                f"WHERE contains(place, {_quoted(one.literal)}) AND ({_is_any([one])})"
            )
    db.execute("DROP TABLE IF EXISTS named_places")


def _is_any(patterns: Iterable[Pattern]) -> str:
    """The SQL that is true for a place that one of the patterns names."""
    by_platform: dict[str, list[str]] = {}
    for one in patterns:
        by_platform.setdefault(one.platform, []).append(one.expression)
    return " OR ".join(
        f"({f'platform = {_quoted(platform)} AND ' if platform else ''}"
        f"regexp_full_match(place, {_quoted('|'.join(f'(?:{one})' for one in expressions))}, 's'))"
        for platform, expressions in by_platform.items()
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _fold_the_rest(db: "duckdb.DuckDBPyConnection", table: str) -> None:
    """Places with characters that SQL does not fold as Python does: full width, accents, circled numbers."""
    odd = db.execute(f"SELECT DISTINCT place FROM {table} WHERE NOT regexp_full_match(place, '{_PLAIN}')").fetchall()
    pairs = [(text, folded(text)) for (text,) in odd]
    changed = [pair for pair in pairs if pair[0] != pair[1]]
    if not changed:
        return
    db.execute("CREATE OR REPLACE TEMP TABLE refolded (place VARCHAR, folded VARCHAR)")
    for some in _batches(changed):
        db.execute(
            "INSERT INTO refolded SELECT unnest($old::VARCHAR[]), unnest($new::VARCHAR[])",
            {"old": [old for old, _ in some], "new": [new for _, new in some]},
        )
    db.execute(f"UPDATE {table} SET place = f.folded FROM refolded AS f WHERE f.place = {table}.place")
    db.execute("DROP TABLE refolded")


def _batches(pairs: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    for start in range(0, len(pairs), _BATCH):
        yield pairs[start : start + _BATCH]
