"""The entry point of the Microsoft 365 connector. Cheap to import: Microsoft's libraries are loaded on opening."""

from collections.abc import Iterator

from cloudscan.connector import Check, Connector, ConnectorPlugin, Estate
from cloudscan.forecast import Amount
from cloudscan_m365.forecast import FORECASTING
from cloudscan_m365.needs import needs
from cloudscan_m365.options import Options
from cloudscan_m365.permissions import PERMISSIONS, consent_script
from cloudscan_m365.questions import EXPORT_QUESTIONS, QUESTIONS
from cloudscan_m365.settings import SETTINGS


def _open(options: Options, estate: Estate) -> Connector:
    from cloudscan_m365.connector import M365Connector

    if options.data_connect:
        from cloudscan_m365.bulk.connector import DataConnectConnector

        return DataConnectConnector.open(options, estate)
    return M365Connector.open(options, estate)


def _doctor(options: Options, estate: Estate) -> Iterator[Check]:
    from cloudscan_m365.doctor import checks

    return checks(options, estate)


def _size(options: Options, estate: Estate) -> Iterator[Amount]:
    from cloudscan_m365.forecast import size

    return size(options, estate)


PLUGIN = ConnectorPlugin(
    name="m365",
    title="Microsoft 365",
    options=Options,
    permissions=PERMISSIONS,
    packages=("azure.identity", "certifi", "cryptography", "msgraph", "pycurl"),
    settings=SETTINGS,
    questions=(*QUESTIONS, *EXPORT_QUESTIONS),
    open=_open,
    meaning=3,
    basis_options=(
        "tenant",
        "sites",
        "skip_sites",
        "onedrives",
        "private_labels",
        "all_unique_permissions",
        "sampled_items",
        "file_labels",
        "data_connect",
        "data_connect_directory",
    ),
    policy_document=consent_script,
    doctor=_doctor,
    forecasting=FORECASTING,
    size=_size,
    needs=needs,
)
