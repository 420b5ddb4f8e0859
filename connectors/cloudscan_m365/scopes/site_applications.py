"""What single applications may do on single sites, beside what all sites allow them.

Graph shows that only to an application with full control of all sites: without it, the row says that nobody looked. The
list of a site leaves the roles out, so each entry is asked for. Sources: site: list permissions; permission: get.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from cloudscan.connector import Gap
from cloudscan.errors import ProviderError
from cloudscan.facts import AnyFact, Outcome, unread_grants
from cloudscan.reason import Reason
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.inquiry import Inquiry
from cloudscan_m365.api.models import Permission
from cloudscan_m365.meaning.people import People, SiteGroups
from cloudscan_m365.meaning.translate import Sharing, TenantContext, translate
from cloudscan_m365.permissions import GRAPH_FULL_CONTROL
from cloudscan_m365.questions import SITE_APPLICATION, SITE_APPLICATIONS

_SELECTED = ".Selected"
"""The end of the permissions that mean nothing without one on a site, a list or an item."""


@dataclass(frozen=True, kw_only=True)
class SiteTop:
    """The top site of a collection."""

    id: str  # Graph's
    uid: str


def grants_to_applications(
    inquiry: Inquiry, people: People, sites: Sequence[SiteTop], now: datetime
) -> Iterator[AnyFact]:
    """The grants of applications on sites, or the row that says that they were not looked at."""
    if not sites or not _may_exist(people):
        return
    if not _may_ask(inquiry):
        inquiry.gaps.append(_not_looked_at(len(sites)))
        return
    tenant = TenantContext(people=people, groups=SiteGroups(), sharing=Sharing(), owner_uid=None, now=now)
    parts = [BatchPart(question=SITE_APPLICATIONS, ids=(site.id,)) for site in sites]
    listed = inquiry.lists(Permission, parts, [site.uid for site in sites])
    named = [(site, entry) for site, answer in zip(sites, listed, strict=True) for entry in answer.entries if entry.id]
    single = [BatchPart(question=SITE_APPLICATION, ids=(site.id, entry.id or "")) for site, entry in named]
    answers = inquiry.together(Permission, single, [site.uid for site, _ in named])
    for site, entries in zip(sites, listed, strict=True):
        if not entries.whole:
            yield msgspec.structs.replace(unread_grants(site.uid), uid=f"{site.uid}#applications-unread")
    for (site, entry), answer in zip(named, answers, strict=True):
        translated = translate(answer if answer is not None else entry, tenant)
        if translated is None:
            continue
        yield from (one for one in translated.principals if not people.includes(one))
        yield msgspec.structs.replace(
            translated.grant, uid=f"{site.uid}#application-{entry.id}", resource_uid=site.uid, origin_uid=site.uid
        )


def _may_exist(people: People) -> bool:
    """Whether an application is known that needs such grants, or applications are not known."""
    applications = [entry.principal for entry in people.entries.values() if entry.principal.kind == "service"]
    return not applications or any(_SELECTED in str(one.detail.get("permissions", _SELECTED)) for one in applications)


def _may_ask(inquiry: Inquiry) -> bool:
    try:
        return inquiry.graph.claims().has(GRAPH_FULL_CONTROL)
    except ProviderError:
        return False


def _not_looked_at(count: int) -> Gap:
    reason = Reason(code="graph-site-applications", values={"count": count})
    return Gap(
        question=SITE_APPLICATIONS.name,
        table="grants",
        outcome=Outcome.NOT_JUDGED,
        reason=reason,
        hides=(),
        needs=GRAPH_FULL_CONTROL,
    )
