"""Items of a drive: single ones, children, delta, permissions and labels."""

from collections.abc import Callable, Mapping
from typing import Any

from cloudscan_emulators.kit.json_text import dump
from cloudscan_emulators.microsoft import errors, filters, odata
from cloudscan_emulators.microsoft.calls import Call, Result, Shape, collection, single, skip_token, skipped
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

    def __init__(self, state: TenantState, sites: SitesApi, sharing: Sharing, quirks: Quirks) -> None:
        self._state = state
        self._sites = sites
        self._sharing = sharing
        self._quirks = quirks
        self._views = Views(state, sharing)
        self._delta = Delta(state, self._views, quirks)
        self.methods: Mapping[str, Callable[[Call], Result]] = {
            "items.get": self._get,
            "items.children": self._children,
            "items.delta": self._changes,
            "items.permissions": self._permissions,
            "items.permission": self._permission,
            "items.labels": self._labels,
        }

    def root_of(self, call: Call, drive: int) -> Result:
        """The root of a library, for a channel's files."""
        root = self._state.root(self._state.drives[drive])
        render = self._views.renderer(Projection(select=odata.wanted(call.options, "driveItem")))
        return f'{{"@odata.context":{dump(call.context("driveItem"))},{render(root)}}}'

    def _item(self, call: Call) -> Item:
        drive = self._sites.drive(call)
        identity = call.values.get("item", "root")
        item = self._state.root(drive) if identity == "root" else self._state.item(identity)
        if item is None or item.drive != drive.number:
            raise errors.no_such_item()
        return item

    def _get(self, call: Call) -> Result:
        item = self._item(call)
        render = self._views.renderer(Projection(select=odata.wanted(call.options, "driveItem")))
        self._check_expand(call)
        return f'{{"@odata.context":{dump(call.context("drives/items/$entity"))},{self._entry(call, item, render)}}}'

    def _children(self, call: Call) -> Result:
        item = self._item(call)
        options = call.options
        if options.skip:
            message = "$skip is not supported on this API. Only URLs returned by the API can be used to page."
            raise errors.bad(message, "invalidRequest")
        self._check_expand(call)
        render = self._views.renderer(Projection(select=odata.wanted(options, "driveItem")))
        children = [child for child in map(self._state.items.__getitem__, self._state.children(item.number)) if child]
        children = _ordered(children, options.orderby)
        if options.filter:
            test = filters.read(options.filter, _CHILD_FILTER).test
            children = [child for child in children if test(_glance(child))]
        search = (call.path, options.filter, options.orderby)
        start = skipped(options.skiptoken, search)
        size = options.size(self._quirks.children_page, _MOST_CHILDREN, capped=True)
        entries = [f"{{{self._entry(call, child, render)}}}" for child in children[start : start + size]]
        parts = [f'"@odata.context":{dump(call.context("Collection(driveItem)"))}']
        if options.count:
            parts.append(f'"@odata.count":{len(children)}')
        if start + size < len(children):
            query = options.query(**{"$skiptoken": skip_token(start + size, search)})
            parts.append(f'"@odata.nextLink":{dump(f"{call.address}?{query}")}')
        return f'{{{",".join(parts)},"value":[{",".join(entries)}]}}'

    def _changes(self, call: Call) -> Result:
        item = self._item(call)
        if item.kind is not Kind.ROOT:
            raise errors.not_supported("Delta is supported on the root of a drive only.")
        return self._delta.answer(call, self._state.drives[item.drive])

    def _permissions(self, call: Call) -> Result:
        item = self._item(call)
        shape = Shape(
            kind="permission",
            view=dict,
            context=f"drives('{call.values['drive']}')/items('{self._state.id_of(item)}')/permissions",
            default=self._quirks.permissions_page,
            allowed=_PERMISSION_FILTER,
            capped=True,
        )
        return collection(call, shape, self._of(call, item))

    def _permission(self, call: Call) -> Result:
        item = self._item(call)
        for view in self._of(call, item):
            if view["id"] == call.values["permission"]:
                return single(call, Shape(kind="permission", view=dict, context="permissions"), view)
        raise errors.no_such_item()

    def _of(self, call: Call, item: Item) -> list[Json]:
        return self._sharing.permissions(item, secrets=call.may(*LINK_MAKERS), everything=call.may(FULL_CONTROL))

    def _labels(self, call: Call) -> Result:
        """The sensitivity labels of one file (driveItem: extractSensitivityLabels)."""
        item = self._item(call)
        if item.kind is not Kind.FILE:
            raise errors.not_supported("Sensitivity labels are extracted from files only.")
        label = item.extra.label if item.extra is not None else ""
        labels = (
            [{"sensitivityLabelId": label, "assignmentMethod": "standard", "tenantId": self._state.tenant_id}]
            if label
            else []
        )
        return {"@odata.context": call.context("microsoft.graph.extractSensitivityLabelsResult"), "labels": labels}

    def _check_expand(self, call: Call) -> None:
        for name in call.options.expand:
            if name == "permissions" and not self._quirks.expand_permissions:
                raise errors.not_supported("Permission is not supported in this item.")
            if name not in _EXPANDABLE:
                message = (
                    f"Property '{name}' on type 'oneDrive.item' is not a navigation property. "
                    "Only navigation properties can be expanded."
                )
                raise errors.bad(message, "generalException")

    def _entry(self, call: Call, item: Item, render: Callable[[Item], str]) -> str:
        parts = [render(item)]
        for name in call.options.expand:
            if name == "permissions":
                parts.append(f'"permissions":{dump(self._of(call, item))}')
            elif name == "listItem":
                parts.append(f'"listItem":{{"id":"{item.number + 1}","fields":{{}}}}')
            elif name == "thumbnails":
                parts.append('"thumbnails":[]')
            elif item.is_container:
                children = map(self._state.items.__getitem__, self._state.children(item.number))
                parts.append(
                    f'"children":[{",".join(f"{{{render(child)}}}" for child in children if child is not None)}]'
                )
        return ",".join(filter(None, parts))


def _ordered(items: list[Item], order: str) -> list[Item]:
    """Children in the order that is asked for; by name unless said otherwise."""
    name, _, direction = order.partition(" ")
    keys: Mapping[str, Callable[[Item], Any]] = {
        "": lambda item: item.name.lower(),
        "name": lambda item: item.name.lower(),
        "lastModifiedDateTime": lambda item: item.modified,
        "size": lambda item: item.size,
    }
    if name not in keys or direction.strip() not in ("", "asc", "desc"):
        raise errors.bad(f"The $orderby '{order}' is not supported.", "invalidRequest")
    return sorted(items, key=keys[name], reverse=direction.strip() == "desc")


def _glance(item: Item) -> Json:
    return {
        "name": item.name,
        "file": {} if item.kind is Kind.FILE else None,
        "folder": {} if item.kind is Kind.FOLDER else None,
    }
