"""What there is in a tenant beside libraries and OneDrives, and is not judged: counted and named.

Sources: list resource (templates; lists with the `system` facet are not listed); SharePoint Embedded: containers are
open to the application that owns them and to those that it admits, so no list of them can be had.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from cloudscan.connector import Gap, Question
from cloudscan.errors import ProviderError
from cloudscan.facts import Outcome
from cloudscan.reason import Reason
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.inquiry import Inquiry
from cloudscan_m365.api.models import Answer, Site, Text
from cloudscan_m365.questions import ALL_SITES, LISTS

_CONTAINERS = "contentstorage/"
"""Where SharePoint keeps the containers of applications, such as Loop's workspaces."""

_PAGE = 500


class _ListInfo(Answer, frozen=True, kw_only=True):
    hidden: bool | None = None
    template: Text = ""


class _List(Answer, frozen=True, kw_only=True):
    list: _ListInfo | None = None

    @property
    def is_looked_at(self) -> bool:
        """Whether it is a library, which is read as a drive, or hidden from people."""
        info = self.list
        if info is None:
            return False
        return info.hidden is True or (info.template or "").lower().endswith("library")


def is_container(site: Site) -> bool:
    """Whether a site is a container of an application rather than a place where people keep files."""
    return urlsplit(site.web_url or "").path.lower().lstrip("/").startswith(_CONTAINERS)


def containers(sites: Sequence[Site]) -> Gap:
    """The row for containers of applications. How many there are is not known: Microsoft lists some at best."""
    count = sum(map(is_container, sites))
    code = "graph-containers-listed" if count else "graph-containers"
    return _row(ALL_SITES, Reason(code=code, values={"count": count} if count else {}))


def lists(inquiry: Inquiry, sites: Sequence[Site]) -> Iterator[Gap]:
    """The row for lists that are not libraries, and one for sites that do not say which lists they have."""
    parts = [BatchPart(question=LISTS, ids=(site.id,), options={"select": "id,list", "top": _PAGE}) for site in sites]
    count = silent = on = 0
    for answer in inquiry.graph.pages_together(_List, parts):
        if isinstance(answer, ProviderError):
            silent += 1
            continue
        found = sum(not one.is_looked_at for one in answer.value) + answer.broken
        count, on = count + found, on + bool(found)
    if count:
        yield _row(LISTS, Reason(code="graph-lists", values={"count": count, "sites": on}))
    if silent:
        yield _row(LISTS, Reason(code="graph-lists-not-told", values={"count": silent}))


def _row(question: Question, reason: Reason) -> Gap:
    gap = question.lacking(reason, outcome=Outcome.NOT_JUDGED)
    return Gap(question=gap.question, table="resources", outcome=gap.outcome, reason=reason, hides=())
