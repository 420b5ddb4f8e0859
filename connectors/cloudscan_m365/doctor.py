"""What `cloudscan doctor` checks before a scan of Microsoft 365."""

import base64
import binascii
from collections.abc import Iterator, Sequence

import msgspec

from cloudscan.connector import Check, Estate
from cloudscan.errors import CloudscanError
from cloudscan.http import Patience
from cloudscan_m365.api.client import Graph, connect
from cloudscan_m365.api.endpoints import ALL_SITES
from cloudscan_m365.api.models import Site
from cloudscan_m365.options import Options
from cloudscan_m365.permissions import PERMISSIONS, SHAREPOINT

_INCLUDED_IN = {
    "Sites.Read.All": ("Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"),
    "User.Read.All": ("User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "GroupMember.Read.All": ("Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "Application.Read.All": ("Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "Team.ReadBasic.All": ("TeamSettings.Read.All", "Group.Read.All", "Directory.Read.All"),
    "Channel.ReadBasic.All": ("ChannelSettings.Read.All", "Group.Read.All", "Directory.Read.All"),
}
"""The larger permissions that include a smaller one (Microsoft Graph permissions reference)."""


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    roles: Sequence[str] = ()


def checks(options: Options, _estate: Estate) -> Iterator[Check]:
    """Checks of the credentials, of each permission in the token, and of a real question to Graph and to SharePoint."""
    try:
        graph = connect(options, Patience(attempts=2, timeout=20.0))
        granted = _roles(graph.sign_in.token(graph.service))
    except CloudscanError as error:
        yield Check(ok=False, what="m365: credentials", remedy=str(error))
        return
    yield Check(ok=True, what="m365: signs in")
    for permission in PERMISSIONS:
        if permission.name.startswith(SHAREPOINT):
            continue
        name = permission.name
        ok = not granted.isdisjoint({name, *_INCLUDED_IN.get(name, ())})
        remedy = f"Missing: {permission.reason}. Needs {name} (application permission of Microsoft Graph); "
        yield Check(ok=ok, what=f"m365: {name}", remedy="" if ok else remedy + _HOW)
    try:
        sites = graph.page(Site, ALL_SITES, select="id,webUrl", top=1).value
    except CloudscanError as error:
        yield Check(ok=False, what="m365: sites", remedy=str(error))
        return
    yield Check(ok=True, what="m365: sites can be listed")
    yield _sharepoint(graph, sites)


_HOW = (
    "`cloudscan permissions --connector m365 --format policy` prints the commands that add it. An administrator has to "
    "consent to it; Entra may need a few minutes to apply it."
)


def _sharepoint(graph: Graph, sites: Sequence[Site]) -> Check:
    what = "m365: SharePoint's own API"
    permission = next(permission for permission in PERMISSIONS if permission.name.startswith(SHAREPOINT))
    remedy = f"Missing: {permission.reason}. Needs {permission.name}; {_HOW}"
    address = next((site.web_url for site in sites if site.web_url), "")
    try:
        if address:
            url = f"{address.rstrip('/')}/_api/web/sitegroups?$top=1&$select=Id"
            graph.sharepoint(dict[str, object], url, needs=permission.name)
    except CloudscanError as error:
        return Check(ok=False, what=what, remedy=f"{error}. {remedy}")
    return Check(ok=True, what=f"{what} accepts the credentials")


def _roles(token: str) -> frozenset[str]:
    """The application permissions in an access token; none where its claims cannot be read."""
    body = token.split(".")[1] if token.count(".") > 1 else ""
    try:
        claims = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        return frozenset(msgspec.json.decode(claims, type=_Claims).roles)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        return frozenset()
