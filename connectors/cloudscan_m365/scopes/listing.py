"""Questions about the items of a library: their fields, who has access, the contents of a folder."""

from collections.abc import Iterator, Mapping, Sequence

from cloudscan.errors import Malformed, ProviderError, Vanished
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.inquiry import Inquiry
from cloudscan_m365.api.models import FileLabels, Item, Permission
from cloudscan_m365.api.wire import Page
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.translate import UNREAD
from cloudscan_m365.questions import CHILDREN, FILE_LABELS, ITEM, PERMISSIONS

FIELDS = (
    "id,name,parentReference,size,createdDateTime,lastModifiedDateTime,webUrl,file,folder,package,remoteItem,root,"
    "shared,deleted"
)
PAGE = 1000


def permissions(
    graph: Graph, drive: str, items: Sequence[str]
) -> tuple[dict[str, tuple[Permission, ...] | None], dict[str, ProviderError]]:
    """The unique permissions of items by id, and why some of them are not known, or not all.

    None where an item was deleted meanwhile; `UNREAD` stands for those that are not known.
    """
    parts = [BatchPart(question=PERMISSIONS, ids=(drive, item)) for item in items]
    unique: dict[str, tuple[Permission, ...] | None] = {}
    failures: dict[str, ProviderError] = {}
    for item, answer in zip(items, graph.pages_together(Permission, parts), strict=True):
        match answer:
            case Page(value=[]):
                # What has permissions of its own has an owner at least.
                unique[item], failures[item] = (UNREAD,), Malformed("graph-permissions-empty")
            case Page(broken=0):
                unique[item] = tuple(answer.value)
            case Page():
                unique[item] = (*answer.value, UNREAD)
                failures[item] = Malformed("graph-entries-malformed", count=answer.broken)
            case ProviderError():
                unique[item], failures[item] = (UNREAD,), answer
    for item in deleted(graph, drive, [item for item, error in failures.items() if isinstance(error, Vanished)]):
        unique[item] = None
        del failures[item]
    return unique, failures


def deleted(graph: Graph, drive: str, items: Sequence[str]) -> list[str]:
    """Which items do not exist any more, as Microsoft confirms for each."""
    parts = [BatchPart(question=ITEM, ids=(drive, item), options={"select": "id"}) for item in items]
    answers = graph.together(Item, parts)
    return [item for item, answer in zip(items, answers, strict=True) if isinstance(answer, Vanished)]


def labels(inquiry: Inquiry, drive: str, files: Sequence[str], names: Mapping[str, str], top: str) -> dict[str, str]:
    """The sensitivity labels of files by id, as `names` has them. Files without one are left out.

    `top` is the uid of the library.
    """
    parts = [BatchPart(question=FILE_LABELS, ids=(drive, file)) for file in files]
    abouts = [uids.item(drive, file) for file in files]
    named: dict[str, str] = {}
    for file, answer in zip(files, inquiry.together(FileLabels, parts, abouts, within=top), strict=True):
        assigned = answer.labels if answer is not None else ()
        if identity := next((label.sensitivity_label_id for label in assigned if label.sensitivity_label_id), ""):
            named[file] = names.get(identity, identity)
    return named


def children(graph: Graph, drive: str, folder: str) -> Iterator[Page[Item]]:
    """The items in a folder. Raises as `Graph.pages` does."""
    return graph.pages(Item, CHILDREN, drive, folder, select=FIELDS, top=PAGE)
