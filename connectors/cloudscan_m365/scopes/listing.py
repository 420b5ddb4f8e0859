"""Questions about the items of a library: their fields, who has access, the contents of a folder."""

from collections.abc import Iterator, Mapping, Sequence

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, ProviderError, Vanished
from cloudscan.facts import Outcome
from cloudscan_m365.api.batch import BatchPart
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
"""Stand for permissions that may not be read or are malformed: who gets in by them is unknown."""


def permissions(graph: Graph, drive: str, items: Sequence[str]) -> dict[str, tuple[Permission, ...] | None]:
    """The unique permissions of items by id; None where an item was deleted meanwhile.

    Raises as `Graph.pages_together` does, and `Locked`.
    """
    parts = [BatchPart(question=PERMISSIONS, ids=(drive, item)) for item in items]
    unique: dict[str, tuple[Permission, ...] | None] = {}
    for item, answer in zip(items, graph.pages_together(Permission, parts), strict=True):
        match answer:
            case Page():
                unique[item] = (*answer.value, *(UNREAD if answer.broken else ()))
            case Vanished():
                unique[item] = None
            case Locked():
                raise answer
            case AccessDenied():
                unique[item] = UNREAD
            case ProviderError():
                raise answer
    return unique


def labels(graph: Graph, drive: str, files: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """The sensitivity labels of files by id, as `names` has them. Files without one, or unreadable, are left out.

    Raises as `Graph.together` does.
    """
    parts = [BatchPart(question=FILE_LABELS, ids=(drive, file)) for file in files]
    named: dict[str, str] = {}
    for file, answer in zip(files, graph.together(FileLabels, parts), strict=True):
        assigned = answer.labels if isinstance(answer, FileLabels) else ()
        if identity := next((label.sensitivity_label_id for label in assigned if label.sensitivity_label_id), ""):
            named[file] = names.get(identity, identity)
    return named


def children(graph: Graph, drive: str, folder: str, uid: str) -> Iterator[Item | Gap]:
    """The items in a folder, and a gap for malformed ones. Nothing where the folder was deleted meanwhile."""
    try:
        for page in graph.pages(Item, CHILDREN, drive, folder, select=FIELDS, top=PAGE):
            yield from page.value
            yield from broken(page, uid)
    except Vanished:
        return


def broken(page: Page[Item], uid: str) -> Iterator[Gap]:
    """The gap that malformed items on a page leave."""
    if page.broken:
        reason = f"{page.broken} item(s) do not match Microsoft's documented format"
        yield Gap(table="resources", outcome=Outcome.PARTIAL, reason=reason, resource_uid=uid)
