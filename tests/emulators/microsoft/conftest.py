from collections.abc import Iterator

import pytest

from cloudscan_emulators.microsoft import Server, TenantState, certificates, company, serve
from cloudscan_emulators.microsoft.certificates import Pair
from cloudscan_emulators.microsoft.company import Company
from cloudscan_emulators.microsoft.records import Drive, Site
from tests.emulators.microsoft.graph_client import Graph


@pytest.fixture
def world() -> TenantState:
    """Two colleagues, a guest, a team and its site."""
    world = TenantState("kumo.example")
    world.add_user("mori@kumo.example", "森 健一")
    world.add_user("hayashi@kumo.example", "林 美穂")
    world.add_guest("tanuki@partner.example", "Tanuki", sponsors=["mori@kumo.example"])
    group = world.add_group(
        "Sales",
        kind="unified",
        mail="sales@kumo.example",
        visibility="Private",
        owners=["mori@kumo.example"],
        members=["mori@kumo.example", "hayashi@kumo.example"],
        team=True,
    )
    world.add_site("", "Home")
    world.add_site("sites/sales", "Sales", group=group, sharing=2)
    world.add_onedrive("mori@kumo.example")
    return world


@pytest.fixture
def site(world: TenantState) -> Site:
    found = world.site_at(world.host, "sites/sales")
    assert found is not None
    return found


@pytest.fixture
def drive(world: TenantState, site: Site) -> Drive:
    return world.drives[site.drives[0]]


@pytest.fixture(scope="session")
def certificate() -> Pair:
    return certificates.for_application(key_size=1024)


@pytest.fixture
def server(world: TenantState, certificate: Pair) -> Iterator[Server]:
    with serve(world, certificate=certificate) as running:
        yield running


@pytest.fixture
def graph(server: Server) -> Graph:
    return Graph(server)


@pytest.fixture
def kumo() -> Company:
    """The invented company, with every scenario in it."""
    return company.build(200)


@pytest.fixture
def office(kumo: Company) -> Iterator[Graph]:
    """The company, served."""
    with serve(kumo.world) as running:
        yield Graph(running)
