"""One library while it is read: how its items are named, and which grants they have."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from cloudscan.facts import AnyFact, Grant, Resource, Via
from cloudscan_m365.api.models import Item, Permission
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.folder_tree import Tree
from cloudscan_m365.meaning.translate import TenantContext, TranslatedPermission, translate, without_identity
from cloudscan_m365.scopes.cursor_state import SeenPermission, digest

_NO_DETAIL: Mapping[str, str] = {}


class EffectivePermission(NamedTuple):
    """A permission that applies to an item, and where it was granted."""

    key: str  # the permission's id
    translated: TranslatedPermission
    origin: str  # uid


@dataclass
class LibraryContext:
    """What has been learnt of a library so far."""

    tenant: TenantContext
    tree: Tree
    owner_uid: str | None
    root_permissions: tuple[Permission, ...] = ()
    kinds: dict[Permission, int] = field(default_factory=dict)  # kinds of permissions that were seen, numbered
    translations: list[TranslatedPermission | None] = field(default_factory=list)  # by the kind's number
    reported: set[str] = field(default_factory=set)  # uids of principals
    _effective: dict[str, list[EffectivePermission]] = field(default_factory=dict)  # by folder

    def forget(self) -> None:
        """To be called after folders of the tree were changed."""
        self.tree.changed()
        self._effective.clear()

    def kind(self, permission: Permission) -> int:
        """The number of a permission's kind: many items have the same kind, which is translated once."""
        plain = without_identity(permission)
        number = self.kinds.get(plain)
        if number is None:
            number = self.kinds[plain] = len(self.translations)
            self.translations.append(translate(permission, self.tenant))
        return number

    def translated(self, permission: Permission) -> TranslatedPermission | None:
        """A permission as a grant; None where it lets in nobody, or only the owner."""
        return self.translations[self.kind(permission)]

    def seen(self, numbers: Iterable[int]) -> list[SeenPermission]:
        """Kinds of permissions, with digests of what they mean today."""
        wanted = set(numbers)
        return [
            SeenPermission(permission=kind, at_origin=self._digest(number), inherited=self._inherited_digest(number))
            for kind, number in self.kinds.items()
            if number in wanted
        ]

    def changed_meanings(self, before: Sequence[SeenPermission]) -> tuple[set[int], set[int]]:
        """The kinds that mean something else today, and those of them for which items that inherit are concerned.

        To be called first: it numbers the kinds in the order in which they were kept.
        """
        numbers = [self.kind(seen.permission) for seen in before]
        pairs = list(zip(numbers, before, strict=True))
        at_origin = {number for number, seen in pairs if self._digest(number) != seen.at_origin}
        inherited = {number for number, seen in pairs if self._inherited_digest(number) != seen.inherited}
        return at_origin | inherited, inherited

    def permissions_in(self, folder: str) -> list[EffectivePermission]:
        """The permissions that apply in a folder."""
        scope = self.tree.scope(folder)
        effective = self._effective.get(scope)
        if effective is None:
            known = self.tree.folders.get(scope)
            unique = self.root_permissions if known is None or known.permissions is None else known.permissions
            above = self.permissions_in(known.parent) if known else []
            effective = self._effective[scope] = self.with_origins(unique, above, self.tree.uid(scope))
        return effective

    def with_origins(
        self, unique: Sequence[Permission], above: Sequence[EffectivePermission], uid: str
    ) -> list[EffectivePermission]:
        """The unique permissions of an item, each with its origin; `above` apply in the item's parent.

        SharePoint copies the parent's permissions when an item gets unique ones. Where the copy still depends on the
        original, that is the origin: a link is one link, and a site's group one group.
        """
        effective: dict[str, EffectivePermission] = {}
        for permission in unique:
            translated = self.translated(permission)
            if translated is None:
                continue
            origin = uid
            if translated.from_site:
                origin = self.tenant.groups.origin
            elif permission.link is not None or translated.grant.via is Via.MEMBERSHIP:
                same = (parent.origin for parent in above if _is_same(parent, permission.id, translated))
                origin = next(same, uid)
            reference = permission.inherited_from
            if origin == uid and reference and reference.id and self.tree.contains(reference.id):
                origin = self.tree.uid(reference.id)
            key = permission.id or str(len(effective))
            while key in effective and effective[key].translated is not translated:
                key += "~"  # one id for two permissions: neither hides the other
            effective.setdefault(key, EffectivePermission(key, translated, origin))
        return list(effective.values())

    def grants(self, permissions: Sequence[EffectivePermission], resource: str) -> Iterator[AnyFact]:
        """The grants of a resource to which these permissions apply, and principals not reported before."""
        for key, translated, origin in permissions:
            for principal in translated.principals:
                if principal.uid not in self.reported and not self.tenant.people.includes(principal):
                    self.reported.add(principal.uid)
                    yield principal
            grant = translated.grant
            yield Grant(
                uid=f"{resource}#{key}",
                resource_uid=resource,
                origin_uid=origin,
                inherited=origin != resource,
                principal_uid=grant.principal_uid,
                audience=grant.audience,
                access=grant.access,
                via=grant.via,
                discoverable=grant.discoverable,
                expires_on=grant.expires_on,
                password=grant.password,
                effective=grant.effective,
                blocked_by=grant.blocked_by,
                detail=grant.detail if origin == resource else translated.inherited_detail,
            )

    def resource(self, item: Item, parent: str, label: str) -> Resource:
        """An item of the library. `parent` is a folder's id, `label` the name of a sensitivity label."""
        kind = "folder" if item.is_folder else "shortcut" if item.remote_item is not None else "file"
        name, tree = item.name or "", self.tree
        return Resource(
            uid=uids.item(tree.drive, item.id),
            platform=uids.PLATFORM,
            account=self.tenant.people.primary,
            kind=kind,
            name=name,
            path=tree.path(parent, name),
            parent_uid=tree.uid(parent) if tree.contains(parent) else tree.top,
            container_uid=tree.top,
            owner_uid=self.owner_uid,
            content_type=(item.file and item.file.mime_type) or "",
            size_bytes=item.size or 0,
            created_on=item.created_date_time,
            modified_on=item.last_modified_date_time,
            label=label,
            url=(item.web_url or "").partition("?")[0],
            detail=_detail(item) if item.package is not None or item.remote_item is not None else _NO_DETAIL,
        )

    def _digest(self, number: int) -> str:
        translated = self.translations[number]
        if translated is None:
            return ""
        includes = self.tenant.people.includes
        principals = [principal.uid if includes(principal) else principal for principal in translated.principals]
        return digest([principals, translated.grant, translated.from_site])

    def _inherited_digest(self, number: int) -> str:
        translated = self.translations[number]
        if translated is None:
            return ""
        grant = msgspec.structs.replace(translated.grant, detail=translated.inherited_detail)
        return digest([[principal.uid for principal in translated.principals], grant, translated.from_site])


def _detail(item: Item) -> Mapping[str, str]:
    if item.package is not None:
        return {"package": "true"}
    target = item.remote_item
    drive = target and target.parent_reference and target.parent_reference.drive_id
    return {"target_uid": uids.item(drive, target.id)} if target and target.id and drive else {}


def _is_same(above: EffectivePermission, identity: str | None, translated: TranslatedPermission) -> bool:
    return above.key == identity and above.translated.grant.access == translated.grant.access
