"""The plugin that registers Google Drive. Cheap to import: Google's libraries load when a connector is opened."""

from collections.abc import Iterator

from cloudscan.connector import Check, Connector, ConnectorPlugin, Estate
from cloudscan.forecast import Amount
from cloudscan_gdrive.forecast import FORECASTING
from cloudscan_gdrive.needs import needs
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.permissions import PERMISSIONS, delegation_list
from cloudscan_gdrive.questions import INVENTORY_QUESTIONS, QUESTIONS
from cloudscan_gdrive.settings import SETTINGS


def _open(options: Options, estate: Estate) -> Connector:
    from cloudscan_gdrive.connector import DriveConnector

    if options.inventory_export:
        from cloudscan_gdrive.bulk.connector import InventoryConnector

        return InventoryConnector.open(options, estate)
    return DriveConnector.open(options, estate)


def _doctor(options: Options, estate: Estate) -> Iterator[Check]:
    from cloudscan_gdrive.doctor import checks

    return checks(options, estate)


def _size(options: Options, estate: Estate) -> Iterator[Amount]:
    from cloudscan_gdrive.forecast import size

    return size(options, estate)


PLUGIN = ConnectorPlugin(
    name="gdrive",
    title="Google Drive",
    options=Options,
    permissions=PERMISSIONS,
    packages=("certifi", "cryptography", "google.auth", "googleapiclient", "pycurl"),
    settings=SETTINGS,
    questions=(*QUESTIONS, *INVENTORY_QUESTIONS),
    open=_open,
    meaning=3,
    basis_options=(
        "admin",
        "customer",
        "users",
        "skip_users",
        "shared_drives",
        "only_shared",
        "audit_days",
        "inventory_export",
        "external_files",
        "group_settings",
        "labels",
    ),
    policy_document=delegation_list,
    doctor=_doctor,
    forecasting=FORECASTING,
    size=_size,
    needs=needs,
)
