"""Patterns of places: what a line with stars names, on every platform alike."""

from collections.abc import Sequence

import duckdb
import pytest

from cloudscan.organisation import patterns

RESOURCES = (  # uid, platform, kind, name, path, container
    (1, "s3", "account", "Production", "111111111111", None),
    (2, "s3", "bucket", "plans", "s3://plans", 1),
    (3, "s3", "object", "2026/list.csv", "s3://plans/2026/list.csv", 2),
    (4, "s3", "access_point", "for-haulier", "arn:aws:s3:eu-west-1:111111111111:accesspoint/for-haulier", 2),
    (5, "gdrive", "shared_drive", "Ｓａｌｅｓ", "Ｓａｌｅｓ", None),
    (6, "gdrive", "file", "list.xlsx", "Customers/list.xlsx", 5),
    (7, "gdrive", "my_drive", "My Drive: Mika", "mika@acme.example", None),
    (8, "gdrive", "folder", "契約書", "契約書", 7),
    (9, "m365", "site", "Sales", "/sites/sales", None),
    (10, "m365", "library", "Shared Documents", "sites/sales/Shared Documents", 9),
    (11, "m365", "file", "Ōno.docx", "Customers/Ōno.docx", 10),
)


@pytest.fixture(scope="module")
def db() -> duckdb.DuckDBPyConnection:
    """An estate of eleven places."""
    db = duckdb.connect()
    db.execute(
        "CREATE TABLE resources (uid BIGINT, platform VARCHAR, kind VARCHAR, name VARCHAR, path VARCHAR, "
        "container_uid BIGINT)"
    )
    db.executemany("INSERT INTO resources VALUES (?, ?, ?, ?, ?, ?)", RESOURCES)
    patterns.make_places(db)
    return db


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("plans", [2, 3, 4]),  # with what is in it
        ("s3://plans/2026/", [3]),
        ("s3:plans/2026", [3]),
        ("gdrive:plans", []),
        ("plan", []),  # a name is a whole name
        ("plan?", [2, 3, 4]),
        ("sales", [5, 6]),  # full width, upper case
        ("SALES/*/*.XLSX", [6]),
        ("Sales/*.xlsx", []),  # one star stays within a name
        ("Sales/**.xlsx", [6]),
        ("sites/sales/Shared Documents/Customers", [11]),
        ("/sites/*", [9, 10, 11]),
        ("**/customers", [6, 11]),
        ("**/契約書", [8]),
        ("*@acme.example/契約*", [8]),
        ("**/ōno.docx", [11]),
        ("**", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ("m365:**", [9, 10, 11]),
        ("plans.", []),  # a dot is a dot
        ("(plans|sales)", []),
    ],
)
def test_a_pattern_names_what_fits_and_what_is_below(
    db: duckdb.DuckDBPyConnection, pattern: str, named: Sequence[int]
) -> None:
    """The database and Python agree."""
    patterns.match(db, [pattern, "nothing like this"], "found")

    assert db.execute("SELECT resource_uid FROM found ORDER BY 1").fetchall() == [(one,) for one in named]
    understood = patterns.pattern_of(pattern)
    places = db.execute("SELECT resource_uid, platform, place FROM places ORDER BY 1").fetchall()
    assert [uid for uid, platform, place in places if understood.fits(platform, place)] == named


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "a pattern is empty"),
        ("s3:/", "a pattern is empty"),
        ("dropbox:plans", "no platform"),
        ("Sales//Contracts", "an empty name"),
    ],
)
def test_a_pattern_that_names_nothing_is_refused_in_words(pattern: str, words: str) -> None:
    """Before the night, not after it."""
    found = patterns.problem(pattern, ["s3", "gdrive"])

    assert found is not None
    assert words in str(found)


def test_many_patterns_keep_their_numbers(db: duckdb.DuckDBPyConnection) -> None:
    """More than fit into one regular expression."""
    patterns.match(db, [*(f"none{number}" for number in range(120)), "plans/2026"], "found")

    assert db.execute("SELECT * FROM found").fetchall() == [(120, 3)]
