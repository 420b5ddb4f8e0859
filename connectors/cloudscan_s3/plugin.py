"""How cloudscan finds the S3 connector. Cheap to import: the SDK is loaded when a connector is opened."""

from collections.abc import Iterator

from cloudscan.connector import Check, Connector, ConnectorPlugin, Estate, IdShape
from cloudscan.forecast import Amount
from cloudscan_s3.forecast import FORECASTING
from cloudscan_s3.needs import needs
from cloudscan_s3.options import Options
from cloudscan_s3.permissions import PERMISSIONS, policy_document
from cloudscan_s3.questions import QUESTIONS
from cloudscan_s3.settings import SETTINGS


def _open(options: Options, estate: Estate) -> Connector:
    from cloudscan_s3.connector import S3Connector
    from cloudscan_s3.several import SeveralProfiles

    if options.profiles:
        return SeveralProfiles(options, estate)
    if options.config_aggregator or options.config_snapshots:
        from cloudscan_s3.bulk.connector import ConfigConnector

        return ConfigConnector(options, estate)
    return S3Connector(options, estate)


def _doctor(options: Options, estate: Estate) -> Iterator[Check]:
    from cloudscan_s3.doctor import checks

    return checks(options, estate)


def _size(options: Options, estate: Estate) -> Iterator[Amount]:
    from cloudscan_s3.forecast import size

    return size(options, estate)


PLUGIN = ConnectorPlugin(
    name="s3",
    title="Amazon S3",
    options=Options,
    permissions=PERMISSIONS,
    packages=("boto3",),
    settings=SETTINGS,
    questions=QUESTIONS,
    open=_open,
    meaning=5,
    basis_options=(
        *("organisation", "accounts", "skip_accounts", "object_requests", "objects_per_bucket"),
        *("config_aggregator", "config_snapshots"),
    ),
    account_ids=IdShape(pattern=r"[0-9]{12}", example="111122223333"),
    organisation_ids=IdShape(pattern=r"o-[a-z0-9]{10,32}", example="o-a1b2c3d4e5"),
    policy_document=policy_document,
    doctor=_doctor,
    forecasting=FORECASTING,
    size=_size,
    needs=needs,
)
