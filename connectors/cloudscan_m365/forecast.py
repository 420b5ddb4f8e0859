"""What reading Microsoft 365 costs, and how large a tenant is: a few requests before a scan.

Sources: "Avoid getting throttled or blocked in SharePoint Online" (resource units by licences);
"Microsoft Graph Data Connect FAQ" (prices).
"""

from collections.abc import Iterator
from math import inf
from typing import Final

import msgspec

from cloudscan.connector import Estate
from cloudscan.errors import CloudscanError
from cloudscan.forecast import ONCE, Allowance, Amount, Approach, Charge, Forecasting, Quota, Role
from cloudscan.http import Patience
from cloudscan.sentence import joined, say
from cloudscan_m365.options import Options

_PAGES: Final = 10  # of a list that is counted
_UNITS: Final = "Avoid getting throttled or blocked in SharePoint Online"
_BY_LICENCES: Final = (
    Allowance(1_000, 1_250, 1_200_000),
    Allowance(5_000, 2_500, 2_400_000),
    Allowance(15_000, 3_750, 3_600_000),
    Allowance(50_000, 5_000, 4_800_000),
    Allowance(inf, 6_250, 6_000_000),
)
"""Resource units of one application in one tenant."""

_CONNECT: Final = "Microsoft Graph Data Connect FAQ"

FORECASTING: Final = Forecasting(
    typical={"files": 1.0, "users": 1 / 500, "sites": 1 / 2_000},
    approaches=(
        Approach(
            name="live",
            title=say("Walk through every library"),
            role=Role.WHOLE,
            requests={ONCE: 40, "users": 2, "sites": 12, "files": 0.012},
            microseconds={"users": 3_000, "sites": 8_000, "files": 18},
            quotas=(
                Quota(
                    allowed=_BY_LICENCES, sized_by="users", used={"users": 5, "sites": 20, "files": 0.3}, source=_UNITS
                ),
            ),
        ),
        Approach(
            name="quiet-night",
            title=say("Ask every library what changed"),
            role=Role.CHANGES,
            requests={ONCE: 40, "users": 1.1, "sites": 5, "files": 0.0002},
            microseconds={"users": 2_000, "sites": 4_000, "files": 3},
            quotas=(
                Quota(
                    allowed=_BY_LICENCES,
                    sized_by="users",
                    used={"users": 1.5, "sites": 8, "files": 0.002},
                    source=_UNITS,
                ),
            ),
        ),
        Approach(
            name="data-connect",
            title=say("Read the datasets of Microsoft Graph Data Connect"),
            role=Role.BULK,
            requests={ONCE: 40},
            microseconds={"files": 20},
            charges=(
                Charge(what=say("permissions"), dollars=0.75, unit="files", per=1_000, source=_CONNECT, certain=False),
                Charge(what=say("files"), dollars=0.75, unit="files", per=50_000, source=_CONNECT),
                Charge(what=say("sites"), dollars=0.75, unit="sites", per=1_000, source=_CONNECT),
            ),
            hours_old=48,
            lacks=say("Passwords of links, and whether they block downloads, which are gaps."),
            needs=say("An Azure subscription, an administrator's consent, and a pipeline that writes the files."),
        ),
    ),
)


def size(options: Options, _estate: Estate) -> Iterator[Amount]:
    """How many users and sites there are. Nothing is raised: what is refused is an amount that is not known."""
    from cloudscan_m365.api.client import connect
    from cloudscan_m365.questions import ALL_SITES, USERS

    try:
        graph = connect(options, Patience(attempts=2, timeout=20.0))
    except CloudscanError as error:
        yield Amount(unit="users", count=None, certain=False, because=joined([error]))
        return
    yield _counted("users", (len(page.value) for page in graph.pages(_Named, USERS, select="id", top=999)))
    if options.sites:
        yield Amount(unit="sites", count=len(options.sites), because=say("as configured"))
    else:
        yield _counted("sites", (len(page.value) for page in graph.pages(_Named, ALL_SITES, select="id", top=999)))


class _Named(msgspec.Struct, frozen=True):
    """Of an entry only that it is there matters."""

    id: str = ""


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
