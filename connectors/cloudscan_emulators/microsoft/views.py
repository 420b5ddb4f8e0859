"""The driveItem resource, built as text, as there may be a million of them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cloudscan_emulators.kit.json_text import dump, quoted
from cloudscan_emulators.microsoft import ids
from cloudscan_emulators.microsoft.records import NOBODY, Drive, Item, Kind
from cloudscan_emulators.microsoft.sharing import Sharing
from cloudscan_emulators.microsoft.tenant_state import TenantState
from cloudscan_emulators.microsoft.text import moment

Part = Callable[[Item], str]
_UNASKED = (
    "createdBy",
    "createdDateTime",
    "cTag",
    "eTag",
    "id",
    "lastModifiedBy",
    "lastModifiedDateTime",
    "name",
    "parentReference",
    "size",
    "webUrl",
    "file",
    "fileSystemInfo",
    "folder",
    "package",
    "remoteItem",
    "root",
    "shared",
    "specialFolder",
    "deleted",
)
_NOT_IN_DELTA = frozenset({"cTag"})


@dataclass(frozen=True)
class Projection:
    """Which properties of items to render, and for which kind of call."""

    select: frozenset[str] | None = None
    delta: bool = False
    hierarchical: bool = False  # Prefer: hierarchicalsharing
    in_list: bool = True


class Views:
    """Renders items."""

    def __init__(self, state: TenantState, sharing: Sharing) -> None:
        self._state = state
        self._sharing = sharing
        self._people: dict[int, str] = {}

    def renderer(self, projection: Projection) -> Callable[[Item], str]:
        """A function that renders items as a projection asks: the members of an object, without its brackets."""
        parts = self._parts(projection)
        names = _UNASKED if projection.select is None else tuple(sorted(projection.select))
        chosen = [parts[name] for name in names if name in parts and not (projection.delta and name in _NOT_IN_DELTA)]
        if projection.select is None and not projection.delta:
            chosen.append(self._download)

        def render(item: Item) -> str:
            return ",".join(filter(None, (part(item) for part in chosen)))

        return render

    def gone(self, drive: Drive, number: int, projection: Projection, *, empty: bool) -> str:
        """A deleted item: hardly more than its id. Without `deleted` in $select, not even that it was deleted."""
        kind = "business" if drive.personal else "documentLibrary"
        parts = {
            "id": f'"id":"{ids.item_id(number)}"',
            "parentReference": f'"parentReference":{{"driveId":"{drive.id}","driveType":"{kind}"}}',
            "deleted": f'"deleted":{"{}" if empty else dump({"state": "deleted"})}',
        }
        return ",".join(text for name, text in parts.items() if projection.select is None or name in projection.select)

    def _parts(self, projection: Projection) -> Mapping[str, Part]:
        return {
            "createdBy": lambda item: f'"createdBy":{self._by(item.author)}',
            "createdDateTime": lambda item: f'"createdDateTime":"{moment(item.created)}"',
            "cTag": lambda item: f'"cTag":{dump(self._tag(item, "c:"))}',
            "eTag": lambda item: f'"eTag":{dump(self._tag(item, ""))}',
            "id": lambda item: f'"id":"{ids.item_id(item.number)}"',
            "lastModifiedBy": lambda item: f'"lastModifiedBy":{self._by(item.author)}',
            "lastModifiedDateTime": lambda item: f'"lastModifiedDateTime":"{moment(item.modified)}"',
            "name": lambda item: f'"name":{_text(item.name)}',
            "parentReference": self._parent_in_delta if projection.delta else self._parent,
            "size": lambda item: f'"size":{item.size}',
            "webUrl": lambda item: f'"webUrl":{_text(self._state.url_of(item))}',
            "file": self._file,
            "fileSystemInfo": _file_system,
            "folder": self._folder,
            "package": lambda item: '"package":{"type":"oneNote"}' if item.kind is Kind.PACKAGE else "",
            "remoteItem": self._remote,
            "root": lambda item: '"root":{}' if item.kind is Kind.ROOT else "",
            "shared": self._shared_on_scopes if projection.hierarchical else self._shared,
            "sharepointIds": self._sharepoint_ids,
            "retentionLabel": _retention,
            "malware": lambda item: (
                '"malware":{"description":"EICAR"}' if item.extra is not None and item.extra.malware else ""
            ),
            "webDavUrl": lambda item: f'"webDavUrl":{_text(self._state.url_of(item))}',
        }

    def _tag(self, item: Item, prefix: str) -> str:
        return f'"{prefix}{{{ids.guid("item", item.number).upper()}}},{item.version}"'

    def _by(self, number: int) -> str:
        text = self._people.get(number)
        if text is None:
            known = {"user": {"displayName": "System Account"}}
            if number != NOBODY:
                known = self._sharing.legacy(self._state.principals[number])
            text = self._people[number] = dump(known)
        return text

    def _drive(self, item: Item) -> str:
        drive = self._state.drives[item.drive]
        site = self._state.sites[drive.site]
        kind = "business" if drive.personal else "documentLibrary"
        return f'"driveType":"{kind}","driveId":"{drive.id}","siteId":"{site.id}"'

    def _parent_in_delta(self, item: Item) -> str:
        if item.parent < 0:
            return f'"parentReference":{{{self._drive(item)}}}'
        return f'"parentReference":{{{self._drive(item)},"id":"{ids.item_id(item.parent)}"}}'

    def _parent(self, item: Item) -> str:
        if item.parent < 0:
            return f'"parentReference":{{{self._drive(item)}}}'
        names = [one.name for one in self._state.ancestors(item) if one.kind is not Kind.ROOT]
        path = "".join(f"/{name}" for name in reversed(names))
        drive = self._state.drives[item.drive]
        above = ids.item_id(item.parent)
        return (
            f'"parentReference":{{{self._drive(item)},"id":"{above}","name":{_text(names[0] if names else drive.name)},'
            f'"path":{_text(f"/drives/{drive.id}/root:{path}")}}}'
        )

    def _file(self, item: Item) -> str:
        if item.kind is not Kind.FILE:
            return ""
        hashed = f"{ids.item_id(item.number)[2:26]}{item.version % 1000:03}"
        return f'"file":{{"mimeType":{dump(item.mime)},"hashes":{{"quickXorHash":"{hashed}="}}}}'

    def _folder(self, item: Item) -> str:
        return f'"folder":{{"childCount":{len(self._state.children(item.number))}}}' if item.is_container else ""

    def _remote(self, item: Item) -> str:
        if item.kind is not Kind.SHORTCUT or item.extra is None:
            return ""
        target = self._state.items[item.extra.target]
        if target is None:
            return '"remoteItem":{}'
        facet = '"folder":{"childCount":0}' if target.is_container else '"file":{}'
        return (
            f'"remoteItem":{{"id":"{ids.item_id(target.number)}","name":{_text(target.name)},{facet},'
            f'"parentReference":{{{self._drive(target)}}},"webUrl":{_text(self._state.url_of(target))}}}'
        )

    def _shared(self, item: Item) -> str:
        facet = self._sharing.facet(item)
        return f'"shared":{{"scope":"{facet}","owner":{self._by(item.author)}}}' if facet else ""

    def _shared_on_scopes(self, item: Item) -> str:
        if item.grants is None:
            return ""
        facet = self._sharing.facet(item)
        return f'"shared":{{"scope":"{facet}"}}' if facet else '"shared":{}'

    def _sharepoint_ids(self, item: Item) -> str:
        drive = self._state.drives[item.drive]
        site = self._state.sites[drive.site]
        sharepoint_ids = {
            "listId": drive.list_id,
            "listItemId": str(item.number + 1),
            "listItemUniqueId": ids.guid("item", item.number),
            "siteId": site.collection,
            "siteUrl": self._state.site_url(site),
            "tenantId": self._state.tenant_id,
            "webId": site.web,
        }
        return f'"sharepointIds":{dump(sharepoint_ids)}'

    def _download(self, item: Item) -> str:
        if item.kind is not Kind.FILE:
            return ""
        site = self._state.sites[self._state.drives[item.drive].site]
        password = ids.secret("download", item.number)
        base = f"{self._state.site_url(site)}/_layouts/15/download.aspx"
        url = f"{base}?UniqueId={ids.guid('item', item.number)}&tempauth=v1.{password}"
        return f'"@microsoft.graph.downloadUrl":{dump(url)}'


def _file_system(item: Item) -> str:
    times = {"createdDateTime": moment(item.created), "lastModifiedDateTime": moment(item.modified)}
    return f'"fileSystemInfo":{dump(times)}'


def _retention(item: Item) -> str:
    if item.extra is None or not item.extra.retention:
        return ""
    return f'"retentionLabel":{dump({"name": item.extra.retention, "isLabelAppliedExplicitly": True})}'


def _text(value: str) -> str:
    """A name as JSON; a lone surrogate is escaped, as it cannot be sent."""
    if value.isascii() and value.isprintable() and '"' not in value and "\\" not in value:
        return quoted(value)
    try:
        value.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return dump(value)
