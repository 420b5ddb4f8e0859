"""What is asked about the items of a library: which fields, who has access, what lies in a folder."""

from collections.abc import Iterator, Sequence

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, ProviderError, Vanished
from cloudscan.facts import Outcome
from cloudscan_m365.answers import Item, Permission
from cloudscan_m365.graph import Asked, Graph
from cloudscan_m365.questions import CHILDREN, PERMISSIONS
from cloudscan_m365.wire import Locked, Page

FIELDS = (
    "id,name,parentReference,size,createdDateTime,lastModifiedDateTime,webUrl,file,folder,package,remoteItem,root,"
    "shared,deleted"
)
PAGE = 1000
UNREAD = (Permission(id="unread/read", roles=("read",)), Permission(id="unread/write", roles=("write",)))
"""Stand for what may not be seen: whom they let in is not known."""


def permissions(graph: Graph, drive: str, items: Sequence[str]) -> dict[str, tuple[Permission, ...] | None]:
    """Who has access to each of some items, as far as it was given there; None where the item is gone meanwhile.

    Raises as `Graph.pages_together` does, and `Locked`.
    """
    asked = [Asked(question=PERMISSIONS, ids=(drive, item)) for item in items]
    found: dict[str, tuple[Permission, ...] | None] = {}
    for item, answer in zip(items, graph.pages_together(Permission, asked), strict=True):
        match answer:
            case list():
                found[item] = tuple(answer)
            case Vanished():
                found[item] = None
            case Locked():
                raise answer
            case AccessDenied():
                found[item] = UNREAD
            case ProviderError():
                raise answer
    return found


def children(graph: Graph, drive: str, folder: str, uid: str) -> Iterator[Item | Gap]:
    """What lies in a folder. Nothing where it is gone meanwhile."""
    try:
        for page in graph.pages(Item, CHILDREN, drive, folder, select=FIELDS, top=PAGE):
            yield from page.value
            yield from broken(page, uid)
    except Vanished:
        return


def broken(page: Page[Item], uid: str) -> Iterator[Gap]:
    """The gap that things on a page leave that make no sense."""
    if page.broken:
        reason = f"{page.broken} item(s) are not told as Microsoft's documentation promises"
        yield Gap(table="resources", outcome=Outcome.PARTIAL, reason=reason, resource_uid=uid)
