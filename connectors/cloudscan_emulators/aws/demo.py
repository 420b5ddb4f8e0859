"""The demo: Kumo Logistics in a local AWS, with the options to scan it."""

from collections.abc import Iterator
from contextlib import contextmanager

from cloudscan.connector import Demo, Estate, Partner
from cloudscan_emulators.aws import company, moto_server

_NEEDED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")


@contextmanager
def demo() -> Iterator[Demo]:
    """The company in a running emulator, which stops when the block is left."""
    with moto_server.running() as emulator:
        company.build(emulator.endpoint)
        emulator.identity_center.owner = moto_server.ACCOUNT
        emulator.identity_center.users += company.DIRECTORY
        emulator.storage.reports |= company.STORED
        partner = Partner(name="Tanuki Haulage", accounts=frozenset({company.HAULIER}), owner="logistics@kumo.example")
        yield Demo(
            options={"endpoint": emulator.endpoint, "organisation": True, "role_name": "cloudscan"},
            environment={name: moto_server.CREDENTIALS[name] for name in _NEEDED},
            estate=Estate(name="Kumo Logistics", partners=(partner,)),
        )
