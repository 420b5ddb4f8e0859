"""An inventory export means what Drive would list; what it has no column for is unknown, and never not shared."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cloudscan.connector import Estate
from cloudscan.errors import ConfigurationError
from cloudscan.facts import OBSERVED_ON, Grant, Outcome
from cloudscan.testing import conforms
from cloudscan_emulators.google import company, inventory_export
from cloudscan_gdrive.bulk.connector import InventoryConnector
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.plugin import PLUGIN
from cloudscan_gdrive.settings import SETTINGS
from tests.connectors import reading
from tests.connectors.gdrive.estate import connector, serve
from tests.connectors.reading import Read

ROW: dict[str, Any] = {
    "id": "1plan",
    "title": "plan",
    "owner": {"user": {"id": "u1", "email": "aoki@kumo.example"}, "shared_drive": None},
    "read_time_micros": 1_795_000_000_000_000,
    "access": {"permissions": [{"type": "ANYONE", "role": "READER"}]},
}
OURS = Estate(domains=frozenset({"kumo.example"}))


def exported(folder: Path, *rows: Mapping[str, Any]) -> Read:
    (folder / "part.json").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return reading.read(PLUGIN.open(Options(inventory_export=str(folder)), OURS))


def test_it_conforms(tmp_path: Path) -> None:
    (tmp_path / "part.json").write_text(json.dumps(ROW), encoding="utf-8")

    conforms(PLUGIN.open(Options(inventory_export=str(tmp_path)), OURS), settings=SETTINGS)


def meaning(grant: Grant) -> tuple[object, ...]:
    return (
        grant.uid,
        grant.origin_uid,
        grant.principal_uid,
        grant.audience,
        grant.access,
        grant.via,
        grant.effective,
        grant.blocked_by,
        grant.discoverable,
        grant.expires_on,
    )


def in_my_drives(result: Read) -> dict[str, set[tuple[object, ...]]]:
    """What each file in somebody's My Drive is called, and what its grants mean."""
    files = [
        one
        for kind in ("file", "folder")
        for one in result.of_kind(kind)
        if (one.container_uid or "").startswith("gdrive:my-drive/")
    ]
    return {f"{one.uid} {one.path} {one.owner_uid}": {*map(meaning, result.grants(one.uid))} for one in files}


def test_the_company_is_the_same_both_ways(tmp_path: Path) -> None:
    """Files of people who cannot be asked any more are in the export too, so that it may say more."""
    with serve(company.build(60).state) as server:
        live = connector(server, tmp_path, audit_days=0)
        asked = in_my_drives(reading.read(live))
        (tmp_path / "export").mkdir()
        (tmp_path / "export" / "rows.json").write_text(inventory_export.as_json_lines(server.state), encoding="utf-8")
        options = Options(**{**vars_of(live.options), "inventory_export": str(tmp_path / "export")})
        found = InventoryConnector.open(options, live.estate)
        known = in_my_drives(reading.read(found))

    assert asked
    assert {name: grants for name, grants in known.items() if name in asked} == asked


def vars_of(options: Options) -> dict[str, Any]:
    return {name: getattr(options, name) for name in options.__struct_fields__}


def test_without_an_administrator_nobody_is_known_and_that_is_told(tmp_path: Path) -> None:
    member = {"type": "GROUP", "role": "WRITER", "email": "all@kumo.example"}

    result = exported(tmp_path, {**ROW, "access": {"permissions": [member]}})

    (grant,) = result.grants("gdrive:file/1plan")
    assert grant.audience is None
    skipped = {gap.question for gap in result.gaps if gap.outcome is Outcome.SKIPPED}
    assert skipped >= {"gdrive-users", "gdrive-groups", "gdrive-members", "gdrive-shared-drive-members"}


def test_a_shared_drives_members_are_unknown_without_an_administrator(tmp_path: Path) -> None:
    result = exported(tmp_path, {**ROW, "owner": {"user": None, "shared_drive": {"id": "0drive"}}})

    assert [grant.audience for grant in result.grants("gdrive:shared-drive/0drive")] == [None]


def test_when_google_read_a_file_is_told(tmp_path: Path) -> None:
    assert exported(tmp_path, ROW).resource("gdrive:file/1plan").detail[OBSERVED_ON].startswith("2026-11-18")


def test_a_file_without_a_list_of_permissions_is_unknown(tmp_path: Path) -> None:
    other = {**ROW, "id": "2other", "access": None}

    result = exported(tmp_path, ROW, other)

    assert [grant.audience for grant in result.grants("gdrive:file/2other")] == [None]
    assert result.gap("drive-permissions-missing").question == "gdrive-inventory"


def test_a_kind_of_permission_that_nobody_knows_may_admit_anybody(tmp_path: Path) -> None:
    result = exported(tmp_path, {**ROW, "access": {"permissions": [{"role": "READER"}]}})

    assert [grant.audience for grant in result.grants("gdrive:file/1plan")] == [None]


def test_parquet_is_read_too(tmp_path: Path) -> None:
    lines, target = tmp_path / "rows.ndjson", tmp_path / "export"
    target.mkdir()
    lines.write_text(json.dumps(ROW), encoding="utf-8")
    with duckdb.connect() as db:
        db.execute(
            f"COPY (SELECT *, timestamptz '2026-11-18 09:00:00+00' AS created_time, "
            f"{{'at': timestamptz '2026-11-18 09:00:00+00'}} AS "
            f"more FROM read_json('{lines}')) TO '{target / 'part.parquet'}'"
        )

    result = reading.read(PLUGIN.open(Options(inventory_export=str(target)), OURS))

    assert [grant.audience for grant in result.grants("gdrive:file/1plan")] == ["anyone_with_link"]


def test_an_export_without_permissions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no column access\.permissions"):
        exported(tmp_path, {name: value for name, value in ROW.items() if name != "access"})


def test_a_folder_without_an_export_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no file of an export"):
        PLUGIN.open(Options(inventory_export=str(tmp_path)), OURS)
