"""The S3 connector keeps what the core expects of every connector, read from a company with all kinds of buckets."""

from cloudscan.testing import conforms
from cloudscan_emulators.aws import company
from cloudscan_emulators.aws.moto_server import Emulator
from cloudscan_s3.settings import SETTINGS
from tests.connectors.s3 import estate


def test_it_conforms(server: Emulator) -> None:
    company.build(server.endpoint)

    conforms(estate.connector(server), settings=SETTINGS)
