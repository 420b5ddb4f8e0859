import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloudscan_emulators.google import Server, company
from cloudscan_emulators.google.company import Company
from tests.emulators.google.google_client import HAYASHI, MORI, drive, everything


@pytest.mark.parametrize("files", [10, 60, 1000, 20_000])
def test_any_size(files: int) -> None:
    built = company.build(files)

    assert len(built.state.items) - files in range(10)


def test_the_same_size_is_the_same_company() -> None:
    first, second = company.build(500), company.build(500)

    assert first.scenarios == second.scenarios
    assert [str(item) for item in first.state.items] == [str(item) for item in second.state.items]


def test_its_visibilities(office: Server) -> None:
    def files(visibility: str) -> set[str]:
        question = f"visibility = '{visibility}'"
        return {file["name"] for file in everything(drive(office).files().list, "files", q=question)}

    assert "会社案内 2026" in files("anyoneCanFind")
    assert {"料金表", "顧客一覧", "panel-0.png"} <= files("anyoneWithLink")
    assert "社内報" in files("domainCanFind")
    assert "就業規則" in files("domainWithLink")


def test_hostile_names_come_through(office: Server, kumo: Company) -> None:
    files = drive(office).files()

    def name(scenario: str) -> str:
        return str(files.get(fileId=kumo.scenarios[scenario]).execute()["name"])

    assert name("markup in name") == "<script>alert('kumo')</script>"
    assert name("right-to-left name") == "invoice\u202efdp.exe"
    assert name("newline in name") == "two\nlines\tand a tab"
    assert name("formula in name") == "=1+1"


def test_a_suspended_owners_file_is_seen_by_whom_he_shared_it_with(office: Server, kumo: Company) -> None:
    file = drive(office).files().get(fileId=kumo.scenarios["owner suspended"], fields="owners").execute()

    assert file["owners"][0]["emailAddress"] == "left@kumo.example"


def test_every_scenario_can_be_seen_by_somebody(office: Server, kumo: Company) -> None:
    everywhere = {"corpora": "allDrives", "includeItemsFromAllDrives": True, "supportsAllDrives": True}
    unseen = set(kumo.scenarios.values())
    for user in (MORI, HAYASHI, "dormant@kumo.example"):
        files = everything(drive(office, user).files().list, "files", **everywhere)
        unseen -= {file["id"] for file in files}

    drives = {drive.id for drive in kumo.state.drives if drive}
    assert unseen - drives == set()


def test_it_runs_on_its_own(tmp_path: Path) -> None:
    """As a command: it prints where it is and writes a key."""
    key = tmp_path / "key.json"
    command = [sys.executable, "-m", "cloudscan_emulators.google", "--files", "20", "--key", str(key)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            name, _, url = process.stdout.readline().strip().partition(": ")
            process.stdout.readline()
            info = json.loads(key.read_text(encoding="utf-8"))
        finally:
            process.terminate()

    assert name == "endpoint"
    assert url.startswith("http://127.0.0.1:")
    assert info["token_uri"] == f"{url}/token"


def test_remembered_permissions_are_those_worked_out_anew() -> None:
    """Items that share a key share their permissions: a shortcut that must not change an answer."""
    state = company.build(3000).state
    access = state.access
    items = [item for item in state.items if item is not None]
    remembered = [(access.grants_on(item), access.visibility(item)) for item in items]

    for item, before in zip(items, remembered, strict=True):
        access.forget()
        assert (access.grants_on(item), access.visibility(item)) == before
