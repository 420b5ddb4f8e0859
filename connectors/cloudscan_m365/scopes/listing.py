"""What is asked about the items of a library: which fields, who has access, what lies in a folder."""

from collections.abc import Iterator, Mapping, Sequence

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, ProviderError, Vanished
from cloudscan.facts import Outcome
from cloudscan_m365.api.batch import Asked
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import CHILDREN, FILE_LABELS, PERMISSIONS
from cloudscan_m365.api.models import FileLabels, Item, Permission
from cloudscan_m365.api.wire import Locked, Page

FIELDS = (
    "id,name,parentReference,size,createdDateTime,lastModifiedDateTime,webUrl,file,folder,package,remoteItem,root,"
    "shared,deleted"
)
PAGE = 1000
UNREAD = (Permission(id="unread/read", roles=("read",)), Permission(id="unread/write", roles=("write",)))
"""Stand for what may not be seen, or makes no sense: whom they let in is not known."""


def permissions(graph: Graph, drive: str, items: Sequence[str]) -> dict[str, tuple[Permission, ...] | None]:
    """Who has access to each of some items, as far as it was given there; None where the item is gone meanwhile.

    Raises as `Graph.pages_together` does, and `Locked`.
    """
    asked = [Asked(question=PERMISSIONS, ids=(drive, item)) for item in items]
    found: dict[str, tuple[Permission, ...] | None] = {}
    for item, answer in zip(items, graph.pages_together(Permission, asked), strict=True):
        match answer:
            case Page():
                found[item] = (*answer.value, *(UNREAD if answer.broken else ()))
            case Vanished():
                found[item] = None
            case Locked():
                raise answer
            case AccessDenied():
                found[item] = UNREAD
            case ProviderError():
                raise answer
    return found


def labels(graph: Graph, drive: str, files: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """The sensitivity labels of some files, by the names that the tenant gives them. Files without one are left out.

    Raises as `Graph.together` does. A file that cannot be looked into has none.
    """
    asked = [Asked(question=FILE_LABELS, ids=(drive, file)) for file in files]
    found: dict[str, str] = {}
    for file, answer in zip(files, graph.together(FileLabels, asked), strict=True):
        told = answer.labels if isinstance(answer, FileLabels) else ()
        if label := next((each.sensitivity_label_id for each in told if each.sensitivity_label_id), ""):
            found[file] = names.get(label, label)
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
