"""Single things asked for again that no list named, before they count as gone."""

from collections.abc import Mapping, Sequence

from cloudscan.errors import CloudscanError, Vanished
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.client import Graph
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.accounts import DirectoryObject
from cloudscan_m365.questions import APPLICATION, DRIVE, GROUP, ITEM, SITE, USER, GraphQuestion

_ASKED: Mapping[str, GraphQuestion] = {
    "user": USER,
    "group": GROUP,
    "team": GROUP,
    "application": APPLICATION,
    "site": SITE,
    "library": DRIVE,
    "onedrive": DRIVE,
    "item": ITEM,
}
"""The question for each kind of uid. Channels, site groups and people without an account cannot be asked for."""


def still_there(graph: Graph, wanted: Sequence[str]) -> Mapping[str, bool]:
    """Whether things exist; those that cannot be asked for, or give no answer, are left out."""
    parts = {uid: part for uid in wanted if (part := _part(uid)) is not None}
    try:
        answers = graph.together(DirectoryObject, list(parts.values()))
    except CloudscanError:
        return {}
    existing: dict[str, bool] = {}
    for uid, answer in zip(parts, answers, strict=True):
        if isinstance(answer, DirectoryObject):
            existing[uid] = True
        elif isinstance(answer, Vanished):
            existing[uid] = False
    return existing


def _part(uid: str) -> BatchPart | None:
    kind, _, identity = uid.removeprefix(f"{uids.PLATFORM}:").partition("/")
    question = _ASKED.get(kind)
    if question is None or not identity:
        return None
    ids = tuple(identity.rsplit("/", 1)) if question is ITEM else (identity,)
    if len(ids) != question.path.count("{}"):
        return None
    if question is SITE and "/" in identity:
        return None  # a subsite, which Graph knows by its host only
    return BatchPart(question=question, ids=ids, options={"select": "id"})
