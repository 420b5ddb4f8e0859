from collections.abc import Iterator

import pytest

from cloudscan_gdrive.emulator import Server, World, company, serve
from cloudscan_gdrive.emulator.company import Company


@pytest.fixture
def kumo() -> Company:
    """The invented company, with every situation in it."""
    return company.build(150)


@pytest.fixture
def world() -> World:
    """Three people and nothing else."""
    world = World("kumo.example")
    world.add_user("aoki@kumo.example", "青木 直子", admin="super")
    world.add_user("mori@kumo.example", "森 健一")
    world.add_user("hayashi@kumo.example", "林 美穂")
    return world


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    with serve(world) as running:
        yield running


@pytest.fixture
def office(kumo: Company) -> Iterator[Server]:
    """The company, served."""
    with serve(kumo.world) as running:
        yield running
