"""What `cloudscan doctor` looks at before a scan of Microsoft 365."""

from collections.abc import Iterator

from cloudscan.connector import Check, Estate
from cloudscan.errors import AccessDenied, CloudscanError
from cloudscan.web import Patience
from cloudscan_m365.answers import Site
from cloudscan_m365.graph import connect
from cloudscan_m365.options import Options
from cloudscan_m365.questions import ALL_SITES


def checks(options: Options, _estate: Estate) -> Iterator[Check]:
    """Credentials, then each right that a scan wants, tried for real."""
    try:
        graph = connect(options, Patience(attempts=2, timeout=20.0))
        graph.page(Site, ALL_SITES, select="id", top=1)
    except CloudscanError as error:
        yield Check(ok=False, what="m365: credentials", remedy=_remedy(error))
        return
    yield Check(ok=True, what="m365: sites can be listed")


def _remedy(error: CloudscanError) -> str:
    if isinstance(error, AccessDenied) and error.needs:
        return f"{error}. Needs {error.needs}."
    return str(error)
