"""The three companies behind a spoiling proxy, each with something that is deleted before the second night."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from cloudscan.connector import Connector
from cloudscan.http import Patience
from cloudscan_emulators.aws import company as aws_company
from cloudscan_emulators.aws import moto_server
from cloudscan_emulators.aws.around_buckets import AccessGrant
from cloudscan_emulators.google import company as google_company
from cloudscan_emulators.microsoft import company as microsoft_company
from cloudscan_emulators.microsoft.server import GRAPH_ROLES
from cloudscan_gdrive.connector import DriveConnector
from cloudscan_gdrive.options import Options as DriveOptions
from cloudscan_m365.connector import M365Connector
from cloudscan_m365.options import Options as GraphOptions
from cloudscan_s3.connector import S3Connector
from cloudscan_s3.options import Options as S3Options
from tests.campaign.tampering import Proxy, between
from tests.connectors.gdrive import estate as drive_estate
from tests.connectors.m365 import estate as graph_estate
from tests.connectors.s3 import estate as buckets_estate

HASTY = Patience(attempts=2, pause=0.001, longest=0.002, timeout=1.0)
_FILES = 60


@dataclass(frozen=True, kw_only=True)
class Company:
    """One company in a running emulator."""

    platform: str
    proxy: Proxy
    connect: Callable[[], Connector]  # a connector that asks through the proxy
    delete: Callable[[], str]  # delete something with an open finding; gives its uid


@contextmanager
def drive(folder: Path) -> Iterator[Company]:
    """Kumo Logistics on Google."""
    built = google_company.build(_FILES)
    with drive_estate.serve(built.state) as server, between(server.url) as proxy:
        key = server.write_key(folder / "key.json")
        options = DriveOptions(endpoint=proxy.url, admin=built.admin, key_file=str(key), external_files=True)

        def connect() -> Connector:
            return DriveConnector.open(
                options, drive_estate.ESTATE, HASTY, lambda: datetime.fromtimestamp(server.state.now, tz=UTC)
            )

        def delete() -> str:
            identity = built.scenarios["link writer below public folder"]
            built.state.delete(next(item for item in built.state.items if item and item.id == identity))
            return drive_estate.file(identity)

        yield Company(platform="gdrive", proxy=proxy, connect=connect, delete=delete)


@contextmanager
def graph(folder: Path) -> Iterator[Company]:
    """Kumo Logistics on Microsoft 365."""
    built = microsoft_company.build(_FILES)
    roles = {*GRAPH_ROLES, "Sites.FullControl.All"}  # so that everything is asked
    with graph_estate.tenant(built.state, graph_roles=roles) as server, between(server.url) as proxy:
        file = folder / "application.pem"
        file.write_bytes(graph_estate.pair().pem)
        options = GraphOptions(
            tenant=server.tenant,
            client_id=server.client_id,
            certificate_file=str(file),
            endpoint=proxy.url,
            authority=server.authority,
            ca_file=str(server.ca_file),
            resource_units_per_minute=10_000_000,
        )

        def connect() -> Connector:
            return M365Connector.open(
                options, graph_estate.ESTATE, HASTY, lambda: datetime.fromtimestamp(server.state.now, tz=UTC)
            )

        def delete() -> str:
            identity = built.scenarios["anyone edit"]
            item = built.state.item(identity)
            assert item is not None
            uid = graph_estate.item(server, identity)
            built.state.trash(item)
            return uid

        yield Company(platform="m365", proxy=proxy, connect=connect, delete=delete)


@contextmanager
def buckets(_folder: Path) -> Iterator[Company]:
    """Kumo Logistics on AWS."""
    with moto_server.running() as server, between(server.endpoint) as proxy:
        aws_company.build(server.endpoint)
        _beside_buckets(server)
        options = S3Options(endpoint=proxy.url, organisation=True, role_name="cloudscan", patience=0.0)
        moment = datetime.now(UTC)

        def delete() -> str:
            s3 = boto3.resource("s3", endpoint_url=server.endpoint)
            bucket = s3.Bucket(_OPEN_BUCKET)
            bucket.objects.delete()
            bucket.delete()
            return f"s3:bucket/{_OPEN_BUCKET}"

        yield Company(
            platform="s3",
            proxy=proxy,
            connect=lambda: S3Connector(options, microsoft_company.estate(), moment),
            delete=delete,
        )


def _beside_buckets(server: moto_server.Emulator) -> None:
    """Whatever else lets somebody in, or is counted only."""
    buckets_estate.bucket(server, "kumo-copied", enforced=True)
    buckets_estate.replicated(server, "kumo-copied", "their-copies", account=aws_company.CONSULTANT)
    role = f"arn:aws:iam::{aws_company.CONSULTANT}:role/analyst"
    shares = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "s3:GetDataAccess", "Resource": "*"}
    server.around.access_grants.append(AccessGrant(scope="s3://kumo-copied/*", grantee=role))
    server.around.access_grants_policy = buckets_estate.policy(shares)
    server.around.object_lambda.append("kumo-redacting")
    server.around.outposts.append("op-0123")


_OPEN_BUCKET = "kumo-delivery-photos"

COMPANIES: Mapping[str, Callable[[Path], Any]] = {"gdrive": drive, "m365": graph, "s3": buckets}
