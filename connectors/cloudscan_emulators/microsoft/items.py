"""Items of a drive: single ones, children, delta, permissions and labels."""

from collections.abc import Callable, Mapping
from typing import Any

from cloudscan_emulators.kit.json_text import dump
from cloudscan_emulators.microsoft import errors, filters, odata
from cloudscan_emulators.microsoft.calls import Call, Shape, Told, collection, single, skip_token, skipped
from cloudscan_emulators.microsoft.delta import Delta
from cloudscan_emulators.microsoft.quirks import Quirks
from cloudscan_emulators.microsoft.records import Item, Kind
from cloudscan_emulators.microsoft.sharing import FULL_CONTROL, LINK_MAKERS, Sharing
from cloudscan_emulators.microsoft.sites import SitesApi
from cloudscan_emulators.microsoft.tenant_state import TenantState
from cloudscan_emulators.microsoft.views import Projection, Views

Json = dict[str, Any]
_PERMISSION_FILTER: filters.Allowed = {
    "link": frozenset({"eq", "ne"}),
    "link/scope": frozenset({"eq", "ne"}),
    "link/type": frozenset({"eq", "ne"}),
}
_CHILD_FILTER: filters.Allowed = {
    "name": frozenset({"eq", "ne", "startswith"}),
    "file": frozenset({"eq", "ne"}),
    "folder": frozenset({"eq", "ne"}),
}
_EXPANDABLE = frozenset({"children", "listItem", "thumbnails", "permissions"})
_MOST_CHILDREN = 1000


class ItemsApi:
    """Answers for /drives/{id}/items and /drives/{id}/root."""

    def __init__(self, world: TenantState, sites: SitesApi, sharing: Sharing, quirks: Quirks) -> None:
        self._world = world
        self._sites = sites
        self._sharing = sharing
        self._quirks = quirks
        self._views = Views(world, sharing)
        self._delta = Delta(world, self._views, quirks)
        self.methods: Mapping[str, Callable[[Call], Told]] = {
            "items.get": self._get,
            "items.children": self._children,
            "items.delta": self._changes,
            "items.permissions": self._permissions,
            "items.permission": self._permission,
            "items.labels": self._labels,
        }

    def root_of(self, call: Call, drive: int) -> Told:
        """The top of a library, for a channel's files."""
        root = self._world.root(self._world.drives[drive])
        tell = self._views.teller(Projection(select=odata.wanted(call.options, "driveItem")))
        return f'{{"@odata.context":{dump(call.context("driveItem"))},{tell(root)}}}'

    def _item(self, call: Call) -> Item:
        drive = self._sites.drive(call)
        identity = call.values.get("item", "root")
        item = self._world.root(drive) if identity == "root" else self._world.item(identity)
        if item is None or item.drive != drive.number:
            raise errors.no_such_item()
        return item

    def _get(self, call: Call) -> Told:
        item = self._item(call)
        tell = self._views.teller(Projection(select=odata.wanted(call.options, "driveItem")))
        self._may_expand(call)
        return f'{{"@odata.context":{dump(call.context("drives/items/$entity"))},{self._told(call, item, tell)}}}'

    def _children(self, call: Call) -> Told:
        item = self._item(call)
        options = call.options
        if options.skip:
            words = "$skip is not supported on this API. Only URLs returned by the API can be used to page."
            raise errors.bad(words, "invalidRequest")
        self._may_expand(call)
        tell = self._views.teller(Projection(select=odata.wanted(options, "driveItem")))
        children = [one for one in map(self._world.items.__getitem__, self._world.children(item.number)) if one]
        children = _ordered(children, options.orderby)
        if options.filter:
            test = filters.read(options.filter, _CHILD_FILTER).test
            children = [one for one in children if test(_glance(one))]
        search = (call.path, options.filter, options.orderby)
        start = skipped(options.skiptoken, search)
        size = options.size(self._quirks.children_page, _MOST_CHILDREN, capped=True)
        told = [f"{{{self._told(call, one, tell)}}}" for one in children[start : start + size]]
        parts = [f'"@odata.context":{dump(call.context("Collection(driveItem)"))}']
        if options.count:
            parts.append(f'"@odata.count":{len(children)}')
        if start + size < len(children):
            query = options.query(**{"$skiptoken": skip_token(start + size, search)})
            parts.append(f'"@odata.nextLink":{dump(f"{call.address}?{query}")}')
        return f'{{{",".join(parts)},"value":[{",".join(told)}]}}'

    def _changes(self, call: Call) -> Told:
        item = self._item(call)
        if item.kind is not Kind.ROOT:
            raise errors.not_supported("Delta is supported on the root of a drive only.")
        return self._delta.answer(call, self._world.drives[item.drive])

    def _permissions(self, call: Call) -> Told:
        item = self._item(call)
        shape = Shape(
            kind="permission",
            view=dict,
            context=f"drives('{call.values['drive']}')/items('{self._world.id_of(item)}')/permissions",
            default=self._quirks.permissions_page,
            allowed=_PERMISSION_FILTER,
            capped=True,
        )
        return collection(call, shape, self._of(call, item))

    def _permission(self, call: Call) -> Told:
        item = self._item(call)
        for view in self._of(call, item):
            if view["id"] == call.values["permission"]:
                return single(call, Shape(kind="permission", view=dict, context="permissions"), view)
        raise errors.no_such_item()

    def _of(self, call: Call, item: Item) -> list[Json]:
        return self._sharing.permissions(item, secrets=call.may(*LINK_MAKERS), everything=call.may(FULL_CONTROL))

    def _labels(self, call: Call) -> Told:
        """The sensitivity labels of one file (driveItem: extractSensitivityLabels)."""
        item = self._item(call)
        if item.kind is not Kind.FILE:
            raise errors.not_supported("Sensitivity labels are extracted from files only.")
        label = item.extra.label if item.extra is not None else ""
        found = (
            [{"sensitivityLabelId": label, "assignmentMethod": "standard", "tenantId": self._world.tenant_id}]
            if label
            else []
        )
        return {"@odata.context": call.context("microsoft.graph.extractSensitivityLabelsResult"), "labels": found}

    def _may_expand(self, call: Call) -> None:
        for name in call.options.expand:
            if name == "permissions" and not self._quirks.expand_permissions:
                raise errors.not_supported("Permission is not supported in this item.")
            if name not in _EXPANDABLE:
                words = (
                    f"Property '{name}' on type 'oneDrive.item' is not a navigation property. "
                    "Only navigation properties can be expanded."
                )
                raise errors.bad(words, "generalException")

    def _told(self, call: Call, item: Item, tell: Callable[[Item], str]) -> str:
        parts = [tell(item)]
        for name in call.options.expand:
            if name == "permissions":
                parts.append(f'"permissions":{dump(self._of(call, item))}')
            elif name == "listItem":
                parts.append(f'"listItem":{{"id":"{item.number + 1}","fields":{{}}}}')
            elif name == "thumbnails":
                parts.append('"thumbnails":[]')
            elif item.holds:
                below = map(self._world.items.__getitem__, self._world.children(item.number))
                parts.append(f'"children":[{",".join(f"{{{tell(one)}}}" for one in below if one is not None)}]')
        return ",".join(filter(None, parts))


def _ordered(items: list[Item], order: str) -> list[Item]:
    """Children come by name; other orders are few."""
    name, _, way = order.partition(" ")
    keys: Mapping[str, Callable[[Item], Any]] = {
        "": lambda item: item.name.lower(),
        "name": lambda item: item.name.lower(),
        "lastModifiedDateTime": lambda item: item.modified,
        "size": lambda item: item.size,
    }
    if name not in keys or way.strip() not in ("", "asc", "desc"):
        raise errors.bad(f"The $orderby '{order}' is not supported.", "invalidRequest")
    return sorted(items, key=keys[name], reverse=way.strip() == "desc")


def _glance(item: Item) -> Json:
    return {
        "name": item.name,
        "file": {} if item.kind is Kind.FILE else None,
        "folder": {} if item.kind is Kind.FOLDER else None,
    }
