from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from cloudscan_emulators.google import Server, TenantState, company, serve
from cloudscan_emulators.google.company import Company
from cloudscan_emulators.google.signin import new_key
from tests.emulators.google.google_client import close_clients


@pytest.fixture(autouse=True)
def _closed_clients() -> Iterator[None]:
    yield
    close_clients()


@pytest.fixture
def kumo() -> Company:
    """The invented company, with every scenario in it."""
    return company.build(150)


@pytest.fixture
def state() -> TenantState:
    """Three people and nothing else."""
    state = TenantState("kumo.example")
    state.add_user("aoki@kumo.example", "青木 直子", admin="super")
    state.add_user("mori@kumo.example", "森 健一")
    state.add_user("hayashi@kumo.example", "林 美穂")
    return state


@pytest.fixture(scope="session")
def key() -> RSAPrivateKey:
    return new_key(1024)


@pytest.fixture
def server(state: TenantState, key: RSAPrivateKey) -> Iterator[Server]:
    with serve(state, key=key) as running:
        yield running


@pytest.fixture
def office(kumo: Company, key: RSAPrivateKey) -> Iterator[Server]:
    """The company, served."""
    with serve(kumo.state, key=key) as running:
        yield running
