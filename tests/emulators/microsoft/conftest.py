from collections.abc import Iterator

import pytest

from cloudscan_emulators.microsoft import Server, TenantState, certificates, company, serve
from cloudscan_emulators.microsoft.certificates import Pair
from cloudscan_emulators.microsoft.company import Company
from cloudscan_emulators.microsoft.records import Drive, Site
from tests.emulators.microsoft.graph_client import Graph


@pytest.fixture
def state() -> TenantState:
    """Two colleagues, a guest, a team and its site."""
    state = TenantState("kumo.example")
    state.add_user("mori@kumo.example", "森 健一")
    state.add_user("hayashi@kumo.example", "林 美穂")
    state.add_guest("tanuki@partner.example", "Tanuki", sponsors=["mori@kumo.example"])
    group = state.add_group(
        "Sales",
        kind="unified",
        mail="sales@kumo.example",
        visibility="Private",
        owners=["mori@kumo.example"],
        members=["mori@kumo.example", "hayashi@kumo.example"],
        team=True,
    )
    state.add_site("", "Home")
    state.add_site("sites/sales", "Sales", group=group, sharing=2)
    state.add_onedrive("mori@kumo.example")
    return state


@pytest.fixture
def site(state: TenantState) -> Site:
    sales = state.site_at(state.host, "sites/sales")
    assert sales is not None
    return sales


@pytest.fixture
def drive(state: TenantState, site: Site) -> Drive:
    return state.drives[site.drives[0]]


@pytest.fixture(scope="session")
def certificate() -> Pair:
    return certificates.for_application(key_size=1024)


@pytest.fixture
def server(state: TenantState, certificate: Pair) -> Iterator[Server]:
    with serve(state, certificate=certificate) as running:
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
    with serve(kumo.state) as running:
        yield Graph(running)
