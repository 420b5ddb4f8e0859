"""The questions to Graph: addresses, the application permission that each needs, and its cost.

Resource units: "Avoid getting throttled or blocked in SharePoint Online" (2025-10): a single item or a delta with token
one, a list or a delta without token two, anything about permissions five. The directory has separate limits.
"""

from dataclasses import dataclass

from cloudscan_m365 import permissions as needs


@dataclass(frozen=True, kw_only=True)
class Question:
    """One kind of request."""

    path: str  # after /v1.0/; {} is the place of an id
    needs: str  # the application permission
    units: float = 0.0  # resource units; 0: not a question to SharePoint
    prefer: str = ""
    method: str = "GET"  # POST only where Graph takes a question no other way


ALL_SITES = Question(path="sites/getAllSites", needs=needs.SITES, units=2)
SITE_BY_ADDRESS = Question(path="sites/{}:/{}", needs=needs.SITES, units=1)
SUBSITES = Question(path="sites/{}/sites", needs=needs.SITES, units=2)
DRIVES = Question(path="sites/{}/drives", needs=needs.SITES, units=2)
ROOT = Question(path="drives/{}/root", needs=needs.SITES, units=1)
ITEM = Question(path="drives/{}/items/{}", needs=needs.SITES, units=1)
CHILDREN = Question(path="drives/{}/items/{}/children", needs=needs.SITES, units=2)
PERMISSIONS = Question(path="drives/{}/items/{}/permissions", needs=needs.SITES, units=5)
FILE_LABELS = Question(
    path="drives/{}/items/{}/extractSensitivityLabels", needs=needs.SITES, units=2, method="POST"
)  # only reads, despite its name

_SHARING = "hierarchicalsharing, deltashowremovedasdeleted, deltatraversepermissiongaps, deltashowsharingchanges"
EVERYTHING = Question(path="drives/{}/root/delta", needs=needs.SITES, units=2, prefer=_SHARING)
CHANGES = Question(path="drives/{}/root/delta", needs=needs.SITES, units=1, prefer=_SHARING)
"""`EVERYTHING` starts without a token, `CHANGES` follows a link with one."""
