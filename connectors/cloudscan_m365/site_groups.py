"""Members of a site's groups, which Graph does not have: SharePoint's own API tells them."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloudscan.connector import Gap
from cloudscan.facts import AnyFact
from cloudscan_m365.graph import Graph
from cloudscan_m365.people import People, SiteGroups


@dataclass(frozen=True, kw_only=True)
class SiteRead:
    """A site collection's groups: what a library needs to know of them, what is told of them, what is missing."""

    groups: SiteGroups
    facts: Sequence[AnyFact] = ()  # the groups, their members, and what they may do at the top of the site
    gaps: Sequence[Gap] = ()


def read_site(_graph: Graph, _people: People, site: str, _url: str) -> SiteRead:
    """The groups of one site collection. `site` is its guid."""
    return SiteRead(groups=SiteGroups(site=site))
