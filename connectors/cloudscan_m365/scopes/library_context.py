"""One library while it is read: what its items are called, and what their permissions mean."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from cloudscan.facts import AnyFact, Grant, Resource, Via
from cloudscan_m365.api.models import Item, Permission
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.folder_tree import Tree
from cloudscan_m365.meaning.translate import Meaning, TenantContext, meaning, without_identity
from cloudscan_m365.scopes.cursor_state import Met, digest

_PLAIN: Mapping[str, str] = {}


class EffectivePermission(NamedTuple):
    """A right that holds for an item, and where it was given."""

    key: str  # the permission's id
    meaning: Meaning
    origin: str  # uid


@dataclass
class LibraryContext:
    """One library while it is read."""

    around: TenantContext
    tree: Tree
    owner_uid: str | None
    given: tuple[Permission, ...] = ()  # at the top
    kinds: dict[Permission, int] = field(default_factory=dict)  # what was met, numbered
    meanings: list[Meaning | None] = field(default_factory=list)  # by number
    told: set[str] = field(default_factory=set)  # principals
    _carried: dict[str, list[EffectivePermission]] = field(default_factory=dict)  # by folder

    def forget(self) -> None:
        """To be called after folders were changed."""
        self.tree.changed()
        self._carried.clear()

    def kind(self, permission: Permission) -> int:
        """Permissions of the same kind stand on many items: each kind has a number, and is thought about once."""
        plain = without_identity(permission)
        number = self.kinds.get(plain)
        if number is None:
            number = self.kinds[plain] = len(self.meanings)
            self.meanings.append(meaning(permission, self.around))
        return number

    def meaning(self, permission: Permission) -> Meaning | None:
        return self.meanings[self.kind(permission)]

    def met(self, numbers: Iterable[int]) -> list[Met]:
        """Kinds of permissions, with what they mean today."""
        wanted = set(numbers)
        return [
            Met(permission=kind, told=self._told(number), passed_on=self._passed_on(number))
            for kind, number in self.kinds.items()
            if number in wanted
        ]

    def changed(self, before: Sequence[Met]) -> tuple[set[int], set[int]]:
        """Which kinds are told otherwise today, and which of them for what inherits too.

        To be called first: it numbers the kinds in the order in which they were kept.
        """
        numbers = [self.kind(each.permission) for each in before]
        told = {number for number, each in zip(numbers, before, strict=True) if self._told(number) != each.told}
        passed_on = {
            number for number, each in zip(numbers, before, strict=True) if self._passed_on(number) != each.passed_on
        }
        return told | passed_on, passed_on

    def carried(self, folder: str) -> list[EffectivePermission]:
        """The rights that hold in a folder."""
        scope = self.tree.scope(folder)
        found = self._carried.get(scope)
        if found is None:
            known = self.tree.folders.get(scope)
            given = self.given if known is None or known.given is None else known.given
            above = self.carried(known.parent) if known else []
            found = self._carried[scope] = self.own(given, above, self.tree.uid(scope))
        return found

    def own(
        self, given: Sequence[Permission], above: Sequence[EffectivePermission], uid: str
    ) -> list[EffectivePermission]:
        """Rights that an item has of its own. SharePoint copies those from above; where the copy still hangs on what
        it was copied from, that is the origin: a link is one link, and a site's group one group."""
        found: dict[str, EffectivePermission] = {}
        for permission in given:
            known = self.meaning(permission)
            if known is None:
                continue
            origin = uid
            if known.at_site:
                origin = self.around.groups.origin
            elif permission.link is not None or known.grant.via is Via.MEMBERSHIP:
                origin = next((each.origin for each in above if _is_same(each, permission.id, known)), uid)
            reference = permission.inherited_from
            if origin == uid and reference and reference.id and self.tree.holds(reference.id):
                origin = self.tree.uid(reference.id)
            key = permission.id or str(len(found))
            found.setdefault(key, EffectivePermission(key, known, origin))
        return list(found.values())

    def grants(self, carried: Sequence[EffectivePermission], resource: str) -> Iterator[AnyFact]:
        """What is told of a resource for which these rights hold."""
        for key, known, origin in carried:
            for principal in known.principals:
                if principal.uid not in self.told and not self.around.people.are_told(principal):
                    self.told.add(principal.uid)
                    yield principal
            given = known.grant
            yield Grant(
                uid=f"{resource}#{key}",
                resource_uid=resource,
                origin_uid=origin,
                inherited=origin != resource,
                principal_uid=given.principal_uid,
                audience=given.audience,
                access=given.access,
                via=given.via,
                discoverable=given.discoverable,
                expires_on=given.expires_on,
                password=given.password,
                effective=given.effective,
                blocked_by=given.blocked_by,
                # An inherited grant has the reasons of the one it comes from.
                detail=given.detail if origin == resource else known.brief,
            )

    def _told(self, number: int) -> str:
        found = self.meanings[number]
        if found is None:
            return ""
        are_told = self.around.people.are_told
        return digest([[one.uid if are_told(one) else one for one in found.principals], found.grant, found.at_site])

    def _passed_on(self, number: int) -> str:
        found = self.meanings[number]
        if found is None:
            return ""
        plain = msgspec.structs.replace(found.grant, detail=found.brief)
        return digest([[one.uid for one in found.principals], plain, found.at_site])

    def resource(self, item: Item, parent: str, label: str) -> Resource:
        kind = "folder" if item.folder is not None else "shortcut" if item.remote_item is not None else "file"
        name = item.name or ""
        return Resource(
            uid=uids.item(self.tree.drive, item.id),
            platform=uids.PLATFORM,
            account=self.around.people.primary,
            kind=kind,
            name=name,
            path=self.tree.path(parent, name),
            parent_uid=self.tree.uid(parent) if self.tree.holds(parent) else self.tree.top,
            container_uid=self.tree.top,
            owner_uid=self.owner_uid,
            content_type=(item.file and item.file.mime_type) or "",
            size_bytes=item.size or 0,
            created_on=item.created_date_time,
            modified_on=item.last_modified_date_time,
            label=label,
            url=(item.web_url or "").partition("?")[0],
            detail=_detail(item) if item.package is not None or item.remote_item is not None else _PLAIN,
        )


def _detail(item: Item) -> Mapping[str, str]:
    if item.package is not None:
        return {"package": "true"}
    target = item.remote_item
    drive = target and target.parent_reference and target.parent_reference.drive_id
    return {"target_uid": uids.item(drive, target.id)} if target and target.id and drive else {}


def _is_same(above: EffectivePermission, identity: str, known: Meaning) -> bool:
    return above.key == identity and above.meaning.grant.access == known.grant.access
