"""Reading on many machines gives the snapshot that one process gives, and loses no more than a lost machine's time."""

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from cloudscan.errors import ScanRunning, SnapshotError
from cloudscan.snapshot.collect import CollectOptions, collect
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.spark import source
from cloudscan.spark.collecting import CarryOut, ReadOnMachines
from cloudscan.spark.reading import Errand, read_partition
from cloudscan.spark.store import FolderStore
from tests.kit.properties import examples
from tests.kit.toy_cloud import shelve
from tests.spark.shelves import Shelves, asked, shelves_at

AUDIENCES = ("me", "company", "everybody", "the web", "?", "kim@partner.example")


def one_after_the_other(errand: Errand, partition_ids: Sequence[str]) -> None:
    """All machines are this process."""
    for partition_id in partition_ids:
        read_partition(errand, partition_id, "0")


def snapshot_of(
    company: Path, store: Path, into: Path, carry_out: CarryOut = one_after_the_other, **options: Any
) -> Snapshot:
    reader = ReadOnMachines(
        carry_out=carry_out,
        open_store=partial(FolderStore, store),
        open_connector=partial(shelves_at, company),
    )
    return collect([Shelves(company)], into, options=CollectOptions(**options), read=reader)


def tables(snapshot: Snapshot) -> Mapping[str, list[Any]]:
    """Every row of every table."""
    with snapshot:
        return {
            table: snapshot.db.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
            for table in snapshot.manifest.tables
        }


@pytest.fixture
def company(tmp_path: Path) -> Path:
    company = tmp_path / "company"
    shelve(company, {"price list": "the web", "plan": "me", "letter": "kim@partner.example"}, "sales")
    shelve(company, {"salaries": "?", "rules": "company"}, "people")
    shelve(company, {"old": "everybody"}, "annex")
    (company / "spoilt.json").write_text("no JSON")
    return company


@pytest.mark.long
def test_a_cluster_reads_what_one_process_reads(spark: SparkSession, company: Path, tmp_path: Path) -> None:
    expected = tables(collect([Shelves(company)], tmp_path / "here"))
    asked(company)

    found = tables(snapshot_of(company, tmp_path / "store", tmp_path / "there", partial(source.carry_out, spark)))

    assert found == expected
    assert asked(company) == dict.fromkeys(("sales in full", "people in full", "annex in full", "spoilt in full"), 1)


@pytest.mark.long
def test_a_killed_machine_costs_its_partition_alone(spark: SparkSession, company: Path, tmp_path: Path) -> None:
    expected = tables(collect([Shelves(company)], tmp_path / "here"))
    asked(company)
    (company / "people.kills").touch()

    found = tables(snapshot_of(company, tmp_path / "store", tmp_path / "there", partial(source.carry_out, spark)))

    assert found == expected
    questions = asked(company)
    assert questions["people in full"] == 2
    assert questions["annex in full"] == 1


@examples(4)
@given(
    estate=st.dictionaries(
        st.sampled_from(("sales", "people", "annex-1", "annex-2")),
        st.dictionaries(st.sampled_from("abcd"), st.sampled_from(AUDIENCES)),
        min_size=1,
    ),
    later=st.dictionaries(st.sampled_from("abcd"), st.sampled_from(AUDIENCES)),
)
def test_any_estate_is_the_same_however_many_read_it(
    tmp_path_factory: pytest.TempPathFactory, estate: Mapping[str, Mapping[str, str]], later: Mapping[str, str]
) -> None:
    """On the first night, and on the second, which asks for changes only."""
    folder = tmp_path_factory.mktemp("estate")
    company = folder / "company"
    for shelf, documents in estate.items():
        shelve(company, documents, shelf)
    first = tables(snapshot_of(company, folder / "store", folder / "first"))
    expected_first = tables(collect([Shelves(company)], folder / "first-here"))
    shelve(company, later, min(estate))

    second = tables(snapshot_of(company, folder / "store", folder / "second"))

    expected_second = tables(collect([Shelves(company)], folder / "second-here"))
    assert (without_coverage(first), without_coverage(second)) == tuple(
        map(without_coverage, (expected_first, expected_second))
    )


def without_coverage(found: Mapping[str, list[Any]]) -> Mapping[str, list[Any]]:
    """What was found; how it was asked for differs where only changes were."""
    return {table: rows for table, rows in found.items() if table != "coverage"}


def test_the_next_night_asks_for_changes_alone(company: Path, tmp_path: Path) -> None:
    snapshot_of(company, tmp_path / "store", tmp_path / "first").close()
    asked(company)

    snapshot_of(company, tmp_path / "store", tmp_path / "second").close()

    assert asked(company) == {
        "sales for changes": 1, "people for changes": 1, "annex for changes": 1, "spoilt in full": 1,
    }  # fmt: skip


def test_what_was_read_before_the_driver_broke_off_is_not_read_again(company: Path, tmp_path: Path) -> None:
    def breaks_off(errand: Errand, partition_ids: Sequence[str]) -> None:
        one_after_the_other(errand, partition_ids[:2])
        raise SnapshotError("The cluster is gone.")

    with pytest.raises(SnapshotError, match="cluster is gone"):
        snapshot_of(company, tmp_path / "store", tmp_path / "snapshot", breaks_off)
    shelve(company, {"new": "the web"}, "archive")

    found = tables(snapshot_of(company, tmp_path / "store", tmp_path / "snapshot"))

    assert found == tables(collect([Shelves(company)], tmp_path / "here"))
    assert set(asked(company).values()) == {2}  # once on the machines, once here


def test_a_second_scan_of_one_store_is_refused_until_the_first_has_ended(company: Path, tmp_path: Path) -> None:
    def meanwhile(errand: Errand, partition_ids: Sequence[str]) -> None:
        with pytest.raises(ScanRunning, match=r"begun 20.* wait for it.*claims/00000001\.json"):
            snapshot_of(company, tmp_path / "store", tmp_path / "second")
        one_after_the_other(errand, partition_ids)

    snapshot_of(company, tmp_path / "store", tmp_path / "first", meanwhile).close()
    snapshot_of(company, tmp_path / "store", tmp_path / "third").close()

    manifests = sorted(file.name for file in (tmp_path / "store" / "manifests").iterdir())
    assert manifests == ["00000001.json", "00000002.json"]


def test_a_platform_that_a_machine_cannot_open_is_a_gap_of_its_scopes(company: Path, tmp_path: Path) -> None:
    elsewhere = partial(shelves_at, tmp_path / "not mounted")
    reader = ReadOnMachines(
        carry_out=one_after_the_other, open_store=partial(FolderStore, tmp_path / "store"), open_connector=elsewhere
    )

    with collect([Shelves(company)], tmp_path / "snapshot", read=reader) as snapshot:
        rows = {row.scope_name: (row.outcome, str(row.reason)) for row in snapshot.coverage()}

    assert set(rows) == {"sales", "people", "spoilt"}
    assert all(outcome == "failed" and "There is no company here." in reason for outcome, reason in rows.values())


def test_of_several_attempts_at_a_partition_one_counts(company: Path, tmp_path: Path) -> None:
    def twice_at_once(errand: Errand, partition_ids: Sequence[str]) -> None:
        for partition_id in partition_ids:
            twins = [threading.Thread(target=read_partition, args=(errand, partition_id, name)) for name in "01"]
            for twin in twins:
                twin.start()
            for twin in twins:
                twin.join()

    found = tables(snapshot_of(company, tmp_path / "store", tmp_path / "there", twice_at_once))

    assert found == tables(collect([Shelves(company)], tmp_path / "here"))


def test_a_store_that_refuses_is_named(company: Path, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("in the way")

    with pytest.raises(SnapshotError, match=r"store .*/store cannot be used \(Not a directory\)|File exists"):
        snapshot_of(company, tmp_path / "store", tmp_path / "snapshot")


def test_what_is_in_the_store_is_private(company: Path, tmp_path: Path) -> None:
    snapshot_of(company, tmp_path / "store", tmp_path / "snapshot").close()

    paths = [tmp_path / "store", *(tmp_path / "store").rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in paths} == {0}
