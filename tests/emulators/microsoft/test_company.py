import subprocess
import sys

import pytest

from cloudscan_emulators.microsoft import company
from cloudscan_emulators.microsoft.company import Company
from tests.emulators.microsoft.graph_client import Graph


@pytest.mark.parametrize("items", [10, 150, 1000])
def test_the_size_is_as_requested_and_the_company_reproducible(items: int) -> None:
    one, other = company.build(items), company.build(items)

    assert len(one.state.items) - len(one.state.drives) == items
    assert one.scenarios == other.scenarios
    assert [item and (item.name, item.grants) for item in one.state.items] == [
        item and (item.name, item.grants) for item in other.state.items
    ]


def test_every_scenario_can_be_read(kumo: Company, office: Graph) -> None:
    """Ids of items, users, groups, applications and sites; a deleted one does not exist."""
    gone = {"trashed", "user deleted", "site deleted", "site group with nested group"}
    locked = {"site locked"}
    for name, identity in kumo.scenarios.items():
        if name in gone:
            continue
        path = f"/sites/{identity}" if "," in identity else f"/directory/{identity}"
        if identity.startswith("01"):
            item = kumo.state.item(identity)
            assert item is not None, name
            path = f"{kumo.state.path_of(item)}/permissions"
        elif identity.startswith("b!"):
            path = f"/drives/{identity}/root"
        elif "," not in identity:
            reply = kumo.state.find(identity)
            assert reply is not None, name
            kind = {"Person": "users", "Group": "groups", "Application": "servicePrincipals"}[type(reply).__name__]
            path = f"/{kind}/{identity}"
        assert office.get(path).status == (423 if name in locked else 200), name


def test_the_whole_company_can_be_read(kumo: Company, office: Graph) -> None:
    sites, _ = office.everything("/sites/getAllSites?$select=id")
    items = 0
    for site in sites:
        drives = office.get(f"/sites/{site['id']}/drives?$select=id")
        for drive in drives.value if drives.status == 200 else ():
            entries, _ = office.everything(f"/drives/{drive['id']}/root/delta?$select=id,name,shared")
            items += len(entries) - 1

    living = [item for item in kumo.state.items if item is not None]
    assert items == len(living) - len(kumo.state.drives)


def test_the_emulator_as_a_program() -> None:
    """It prints its addresses and credentials."""
    command = [sys.executable, "-m", "cloudscan_emulators.microsoft", "--items", "20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        lines = dict(program.stdout.readline().rstrip().split(": ", 1) for _ in range(8))
        program.terminate()

    assert lines["graph"].endswith("/v1.0")
    assert lines["authority"].startswith("https://127.0.0.1:")
