"""Snapshots: what is sealed, how it is opened, what it refuses."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from cloudscan.connector import Yielded
from cloudscan.errors import ConfigurationError, SnapshotError
from cloudscan.facts import Audience, Membership, Outcome, Principal, Setting
from cloudscan.reason import sentence
from cloudscan.snapshot import spool
from cloudscan.snapshot.collect import CollectOptions, collect
from cloudscan.snapshot.seal import SealOptions, seal
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.snapshot.tables import TABLES
from tests.kit.facts import Listed, file, grant, scope, yielding


def sealed(folder: Path, *facts: Yielded, **scripts: tuple[Yielded, ...]) -> Snapshot:
    scripts_by_scope = {"a": yielding(*facts), **{name: yielding(*more) for name, more in scripts.items()}}
    return collect([Listed(scripts_by_scope)], folder / "s", options=CollectOptions(concurrency=2))


def person(name: str, email: str = "") -> Principal:
    return Principal(uid=f"toy:{name}", platform="toy", account="acme", kind="user", name=name, email=email)


def test_a_resource_without_grants_is_exposed_to_nobody(tmp_path: Path) -> None:
    """One row for each resource at least, so that "passed" counts every one."""
    with sealed(tmp_path, file("1")) as snapshot:
        row = snapshot.query(
            "SELECT resource_uid, origin_uid, audience, effective, grant_uid, access FROM exposures"
        ).rows

    assert row == [["toy:1", "toy:1", "nobody", True, None, None]]


def test_an_unreadable_way_in_stays_unreadable(tmp_path: Path) -> None:
    """None goes all the way from the connector to the rule, in the very columns where it has a meaning."""
    with sealed(tmp_path, file("1"), grant("1", None, effective=None, password=None, expires_on=None)) as snapshot:
        rows = snapshot.query("SELECT audience, effective, password, expires_on, discoverable FROM exposures").rows

    assert rows == [[None, None, None, None, False]]


def test_columns_are_those_that_rules_are_checked_against(tmp_path: Path) -> None:
    """The checker's list of columns and types and what a snapshot holds are the same."""
    ladders = {"audience": "audience_ladder", "access": "access_ladder", "most_access": "access_ladder"}
    with sealed(tmp_path, file("1"), grant("1")) as snapshot:
        for table, columns in TABLES.items():
            described = snapshot.db.execute(f"DESCRIBE {table}").fetchall()
            types = {row[0]: ladders[row[0]] if row[1].startswith("ENUM") else row[1] for row in described}
            assert types == dict(columns), table


def test_a_thing_told_twice_is_there_once_and_the_fuller_telling_wins(tmp_path: Path) -> None:
    """Two scopes name the same principal, one file, one grant."""
    facts = (file("1"), grant("1"), person("ann"), Setting(scope_uid="toy:1", name="web", value=None))
    more = (file("1", size_bytes=3), grant("1"), person("ann", email="ann@acme.example"))
    switch = Setting(scope_uid="toy:1", name="web", value="on")

    with sealed(tmp_path, *facts, b=(*more, switch, *more)) as snapshot:
        assert snapshot.query("SELECT uid, size_bytes FROM resources").rows == [["toy:1", 3]]
        assert snapshot.query("SELECT uid, email FROM principals").rows == [["toy:ann", "ann@acme.example"]]
        assert snapshot.query("SELECT scope_uid, value FROM settings").rows == [["toy:1", "on"]]
        assert snapshot.query("SELECT count(*) FROM exposures").rows == [[1]]


def test_of_two_equal_tellings_the_wider_one_wins(tmp_path: Path) -> None:
    """A public bucket called private is the one unforgivable error."""
    with sealed(
        tmp_path, file("1"), grant("1", Audience.NAMED), b=(grant("1", Audience.ANYONE_WITH_LINK),)
    ) as snapshot:
        assert snapshot.query("SELECT audience FROM exposures").rows == [["anyone_with_link"]]


def test_an_inherited_grant_finds_the_folder_where_it_was_given(tmp_path: Path) -> None:
    """The nearest ancestor with the same grant of its own, not the topmost and not another person's."""
    facts: list[Yielded] = [
        file("top"), grant("top"),
        file("mid", parent_uid="toy:top"), grant("mid"), grant("mid", Audience.NAMED, uid="toy:other"),
        file("low", parent_uid="toy:mid"),
        file("leaf", parent_uid="toy:low"), grant("leaf", inherited=True),
        file("lone", parent_uid="toy:low"), grant("lone", Audience.ORGANISATION, inherited=True),
    ]  # fmt: skip

    with sealed(tmp_path, *facts) as snapshot:
        rows = snapshot.query(
            "SELECT resource_uid, origin_uid FROM exposures WHERE inherited ORDER BY resource_name"
        ).rows

    assert rows == [["toy:leaf", "toy:mid"], ["toy:lone", "toy:lone"]]


def test_folders_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    """Platforms do not promise trees."""
    facts: list[Yielded] = [file("a", parent_uid="toy:b"), file("b", parent_uid="toy:a"), grant("a", inherited=True)]

    with sealed(tmp_path, *facts) as snapshot:
        assert snapshot.query("SELECT origin_uid FROM grants").rows == [["toy:a"]]


def test_a_large_spool_is_staged_in_a_file_with_the_same_result(tmp_path: Path) -> None:
    """A small one is staged in memory."""
    facts = (
        file("1"),
        grant("1"),
        grant("ghost"),
        person("ann"),
        Membership(group_uid="toy:all", member_uid="toy:ann"),
    )
    keep = CollectOptions(seal=SealOptions(keep_spool=True))

    def tables() -> dict[str, object]:
        with Snapshot.open(tmp_path) as snapshot:
            return {name: snapshot.query(f"SELECT * FROM {name} ORDER BY ALL").rows for name in TABLES}

    collect([Listed({"a": yielding(*facts, file("1"))})], tmp_path, options=keep).close()
    in_memory = tables()
    (tmp_path / "manifest.json").unlink()
    seal(tmp_path, SealOptions(in_memory=0))

    assert tables() == in_memory


def test_what_few_lines_have_is_sealed_as_it_was_said(tmp_path: Path) -> None:
    """Principals, settings and logs share a column on the way: odd characters, moments, nothing and "null" survive."""
    moment = datetime(2026, 3, 1, 4, 5, 6, 789012, tzinfo=UTC)
    ann = replace(person("ann", email='a"\0\\漢@acme.example'), last_seen_on=moment, sponsor_uid="toy:boss")
    settings = [Setting(scope_uid="toy:1", name=name, value=value) for name, value in (("a", None), ("b", "null"))]

    with sealed(tmp_path, ann, *settings) as snapshot:
        people = snapshot.query("SELECT email, last_seen_on::VARCHAR, sponsor_uid, redeemed FROM principals").rows
        switches = snapshot.query("SELECT name, value FROM settings ORDER BY name").rows

    assert people == [['a"\0\\漢@acme.example', "2026-03-01 04:05:06.789012", "toy:boss", ann.redeemed]]
    assert switches == [["a", None], ["b", "null"]]


def test_members_are_those_of_groups_in_groups_too(tmp_path: Path) -> None:
    """Closed over nesting, and groups that contain each other come to an end."""
    pairs = [("all", "team"), ("team", "ann"), ("team", "all")]
    facts = [Membership(group_uid=f"toy:{group}", member_uid=f"toy:{member}") for group, member in pairs]

    with sealed(tmp_path, *facts) as snapshot:
        rows = snapshot.query("SELECT member_uid FROM members WHERE group_uid IN (SELECT group_uid FROM memberships "
                              "WHERE role = 'member') ORDER BY 1").rows  # fmt: skip

    assert {row[0] for row in rows} == {"toy:all", "toy:team", "toy:ann"}


def test_a_grant_without_its_resource_is_reported(tmp_path: Path) -> None:
    """No rule can see it, so the report has to say so."""
    with sealed(tmp_path, grant("ghost")) as snapshot:
        troubles = [row for row in snapshot.coverage() if row.outcome is not Outcome.COMPLETE]

    assert "one grant is on a resource that was not read" in sentence(troubles[0].reason, "en")


def test_a_damaged_line_costs_a_coverage_row(tmp_path: Path) -> None:
    """A disk that ran full in the middle of a line does not cost the snapshot."""
    lines = tmp_path / "spool"
    spool.begin(lines, spool.ScanRecord(id="1", started_on=spool.now(), connectors=["toy"]))
    with spool.SpoolWriter(lines, scope("a")) as pen:
        pen.fact(file("1"))
        path = pen.finish()[1]
    path.write_bytes(b'{"type":"resource","uid":"toy\n[1,2]\n' + path.read_bytes())

    seal(tmp_path)

    with Snapshot.open(tmp_path) as snapshot:
        assert snapshot.query("SELECT uid FROM resources").rows == [["toy:1"]]
        (row,) = [row for row in snapshot.coverage() if row.outcome is Outcome.PARTIAL]
        assert "2 lines" in sentence(row.reason, "en")


def test_only_the_owner_may_read_a_snapshot(tmp_path: Path) -> None:
    """Snapshots name files and people."""
    sealed(tmp_path, file("1")).close()

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "s").rglob("*")}
    assert all(mode & 0o077 == 0 for mode in modes.values()), modes


@pytest.mark.parametrize(
    "sql",
    [
        "DROP VIEW resources",
        "COPY (SELECT 1) TO 'out.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT 1; SELECT 2",
        "SET memory_limit = '10GB'",
        "ATTACH 'x.db'",
        "SELECT * FROM nowhere",
    ],
)
def test_a_query_only_reads_this_snapshot(tmp_path: Path, sql: str) -> None:
    """Queries and rules are other people's text."""
    with sealed(tmp_path, file("1")) as snapshot, pytest.raises(ConfigurationError):
        snapshot.query(sql)


def test_a_query_compares_ladders_by_rung(tmp_path: Path) -> None:
    """As text, 'owner' would be more than 'anyone_with_link'."""
    with sealed(tmp_path, file("1"), grant("1", Audience.OWNER), file("2"), grant("2")) as snapshot:
        rows = snapshot.query("SELECT resource_uid FROM exposures WHERE audience >= 'anyone_with_link'").rows

    assert rows == [["toy:2"]]


def test_what_is_no_snapshot_is_said_not_to_be_one(tmp_path: Path) -> None:
    """Missing, damaged or of another version: each with what to do."""
    with pytest.raises(SnapshotError, match="check the path"):
        Snapshot.open(tmp_path / "nowhere")
    sealed(tmp_path, file("1")).close()
    manifest = tmp_path / "s" / "manifest.json"
    content = json.loads(manifest.read_text())

    manifest.write_text(json.dumps(content | {"format": 99}))
    with pytest.raises(SnapshotError, match="has format 99"):
        Snapshot.open(tmp_path / "s")
    manifest.write_text("{")
    with pytest.raises(SnapshotError, match="is damaged"):
        Snapshot.open(tmp_path / "s")
    manifest.write_text(json.dumps(content))
    (tmp_path / "s" / "tables" / "grants.parquet").write_bytes(b"not parquet")
    with pytest.raises(SnapshotError, match="is damaged"):
        Snapshot.open(tmp_path / "s")


def test_sealing_can_be_done_again_after_a_crash(tmp_path: Path) -> None:
    """Until the manifest is there the spool is; a half-made snapshot is made anew."""
    lines = tmp_path / "spool"
    spool.begin(lines, spool.ScanRecord(id="1", started_on=spool.now(), connectors=["toy"]))
    with spool.SpoolWriter(lines, scope("a")) as pen:
        pen.fact(file("1"))
        pen.finish()
    (tmp_path / ".sealing" / "tables").mkdir(parents=True)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "grants.parquet").write_bytes(b"half")

    seal(tmp_path, SealOptions(keep_spool=True))
    manifest = seal(tmp_path)

    assert manifest.tables["resources"] == 1
    assert not lines.exists()
