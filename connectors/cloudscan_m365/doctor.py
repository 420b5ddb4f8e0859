"""What `cloudscan doctor` checks before a scan of Microsoft 365."""

from collections.abc import Generator, Iterator, Sequence

from cloudscan.connector import Check, Estate
from cloudscan.errors import AccessDenied, CloudscanError
from cloudscan.http import Patience
from cloudscan.reason import Worded
from cloudscan.reason import question as words
from cloudscan.sentence import joined, say
from cloudscan_m365.api.client import Graph, connect
from cloudscan_m365.api.models import Site
from cloudscan_m365.options import Options
from cloudscan_m365.permissions import GRAPH_FULL_CONTROL, PERMISSIONS, SELECTED_SITES, SHAREPOINT, SITES
from cloudscan_m365.questions import (
    ALL_SITES,
    AUTHORIZATION,
    CHOSEN_SITE,
    LABELS,
    LISTS,
    PARTNERS,
    SHARING,
    SITE_APPLICATIONS,
    SITE_GROUPS,
)
from cloudscan_m365.scopes.sites import by_address


def checks(options: Options, _estate: Estate) -> Iterator[Check]:
    """Checks of the credentials, of each permission in the token, and of a real question to Graph and to SharePoint."""
    try:
        graph = connect(options, Patience(attempts=2, timeout=20.0))
        claims = graph.claims()
    except CloudscanError as error:
        yield Check(ok=False, what=say("m365: credentials"), remedy=joined((error,)))
        return
    yield Check(ok=True, what=say("m365: signs in"))
    for permission in PERMISSIONS:
        if permission.name.startswith(SHAREPOINT):
            continue
        name = permission.name
        ok = claims.has(name) or (name == SITES and bool(options.sites) and claims.has(SELECTED_SITES))
        remedy = say(
            "Missing: {purpose}. Needs {name} (application permission of Microsoft Graph); {how}",
            purpose=permission.reason,
            name=name,
            how=_HOW,
        )
        yield Check(ok=ok, what=f"m365: {name}", remedy="" if ok else remedy)
    yield from _side_questions(graph)
    sites: Sequence[Site]
    if options.sites:
        sites = yield from _chosen(graph, options.sites)
    else:
        try:
            sites = graph.page(Site, ALL_SITES, select="id,webUrl", top=1).value
        except CloudscanError as error:
            yield Check(ok=False, what=say("m365: sites"), remedy=joined((error,)))
            return
        yield Check(ok=True, what=say("m365: sites can be listed"))
    if sites:
        yield from _beside_libraries(graph, sites[0], full_control=claims.has(GRAPH_FULL_CONTROL))
        yield _sharepoint(graph, sites)


def _chosen(graph: Graph, addresses: Sequence[str]) -> Generator[Check, None, list[Site]]:
    """A check for each site that `connectors.m365.sites` names; returns those that answer."""
    sites = []
    for address in addresses:
        what = f"m365: {address}"
        try:
            sites.append(graph.ask(Site, CHOSEN_SITE, *by_address(address), select="id,webUrl"))
        except CloudscanError as error:
            yield Check(ok=False, what=what, remedy=joined((say("{error}.", error=error), _SELECTED)))
        else:
            yield Check(ok=True, what=what)
    return sites


def _beside_libraries(graph: Graph, site: Site, *, full_control: bool) -> Iterator[Check]:
    """What is asked of a site beside its libraries."""
    for question in (LISTS, *((SITE_APPLICATIONS,) if full_control else ())):
        try:
            graph.page(dict[str, object], question, site.id)
        except CloudscanError as error:
            yield Check(ok=False, what=joined(("m365", Worded(words, question.name)), ": "), remedy=joined((error,)))


_SELECTED = say(
    "With Sites.Selected, an administrator grants the application each site (`Grant-PnPAzureADAppSitePermission`)."
)

_LISTS = (LABELS, PARTNERS)
_RECORDS = (SHARING, AUTHORIZATION)
"""Questions about the whole tenant that some tenants do not answer, whatever the permissions."""


def _side_questions(graph: Graph) -> Iterator[Check]:
    """What this tenant does not answer, besides permissions that are missing."""
    for question in (*_LISTS, *_RECORDS):
        what = joined(("m365", Worded(words, question.name)), ": ")
        try:
            if question in _LISTS:
                graph.page(dict[str, object], question)
            else:
                graph.ask(dict[str, object], question)
        except AccessDenied:
            continue  # the permission has a line of its own
        except CloudscanError as error:
            yield Check(ok=False, what=what, remedy=joined((error,)))


_HOW = say(
    "`cloudscan permissions --connector m365 --format policy` prints the commands that add it. An administrator has to "
    "consent to it; Entra may need a few minutes to apply it."
)


def _sharepoint(graph: Graph, sites: Sequence[Site]) -> Check:
    what = say("m365: SharePoint's own API")
    permission = next(permission for permission in PERMISSIONS if permission.name.startswith(SHAREPOINT))
    remedy = say("Missing: {purpose}. Needs {name}; {how}", purpose=permission.reason, name=permission.name, how=_HOW)
    address = next((site.web_url for site in sites if site.web_url), "")
    try:
        if address:
            graph.sharepoint_list(dict[str, object], SITE_GROUPS, address.rstrip("/"))
    except CloudscanError as error:
        return Check(ok=False, what=what, remedy=joined((say("{error}.", error=error), remedy)))
    return Check(ok=True, what=say("{what} accepts the credentials", what=what))
