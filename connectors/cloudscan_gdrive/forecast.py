"""What reading Google Drive costs, and how large a customer is: a few requests before a scan.

Sources: Drive API, "Usage limits" (quota units since May 2026); Admin help, "Export your organization's Drive inventory
to BigQuery".
"""

from collections.abc import Iterator
from math import inf
from typing import Final

from cloudscan.connector import Estate
from cloudscan.errors import CloudscanError
from cloudscan.forecast import ONCE, Allowance, Amount, Approach, Forecasting, Quota, Role
from cloudscan.http import Patience, Web
from cloudscan.sentence import joined, say
from cloudscan_gdrive.options import Options

_PAGES: Final = 10  # of a list that is counted
_UNITS: Final = "Drive API, Usage limits"

FORECASTING: Final = Forecasting(
    typical={"files": 1.0, "users": 1 / 500, "drives": 1 / 5_000},
    approaches=(
        Approach(
            name="live",
            title=say("List every user's files"),
            role=Role.WHOLE,
            requests={ONCE: 40, "users": 4.1, "drives": 8, "files": 0.0102},
            microseconds={"users": 4_000, "drives": 6_000, "files": 15},
            quotas=(
                Quota(
                    allowed=(Allowance(inf, 900_000),), used={"users": 110, "drives": 300, "files": 1.02}, source=_UNITS
                ),
            ),
        ),
        Approach(
            name="quiet-night",
            title=say("Ask the Drive log who changed anything, and those what"),
            role=Role.CHANGES,
            requests={ONCE: 55, "users": 1.3, "drives": 2, "files": 0.0002},
            microseconds={"users": 3_000, "drives": 3_000, "files": 3},
            quotas=(
                Quota(
                    allowed=(Allowance(inf, 900_000),),
                    used={"users": 110, "drives": 200},
                    source=_UNITS,
                ),
            ),
        ),
        Approach(
            name="inventory-export",
            title=say("Read Google's Drive inventory from the export files of BigQuery"),
            role=Role.BULK,
            requests={ONCE: 55, "drives": 1},
            microseconds={"files": 12},
            quotas=(
                Quota(
                    allowed=(Allowance(inf, 900_000),),
                    used={"drives": 100},
                    source=_UNITS,
                ),
            ),
            hours_old=168,
            lacks=say("Who is in a group and who is a member of a shared drive, which is asked for as ever."),
            needs=say("An edition with inventory exports, and files that BigQuery has exported."),
        ),
    ),
)


def size(options: Options, _estate: Estate) -> Iterator[Amount]:
    """How many users and shared drives there are. Nothing is raised: what is refused is an amount that is not known."""
    from cloudscan_gdrive.api.client import connect
    from cloudscan_gdrive.api.models import SharedDrives, Users

    if not options.admin:
        yield Amount(unit="users", count=1, because=say("no administrator is configured: one person's own drive"))
        yield Amount(unit="drives", count=0)
        return
    try:
        google = connect(options, Web(patience=Patience(attempts=2, timeout=20.0)))
        users = google.pages(
            Users,
            google.users,
            options.admin,
            customer=options.customer,
            maxResults=500,
            fields="nextPageToken,users(id,primaryEmail)",
        )
        yield _counted("users", (len(page.entries) for page in users))
        drives = google.pages(
            SharedDrives,
            google.drives,
            options.admin,
            useDomainAdminAccess=True,
            pageSize=100,
            fields="nextPageToken,drives(id)",
        )
        yield _counted("drives", (len(page.entries) for page in drives))
    except CloudscanError as error:
        yield Amount(unit="users", count=None, certain=False, because=joined([error]))


def _counted(unit: str, pages: Iterator[int]) -> Amount:
    """The entries of the first pages of a list."""
    count = 0
    try:
        for number, entries in enumerate(pages, 1):
            if number > _PAGES:
                return Amount(unit=unit, count=count, certain=False, because=say("at least; not all were counted"))
            count += entries
    except CloudscanError as error:
        return Amount(unit=unit, count=count or None, certain=False, because=joined([error]))
    return Amount(unit=unit, count=count, because=say("listed"))
