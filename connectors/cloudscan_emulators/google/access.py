"""Who may do what: the permissions that apply to an item, with those inherited from its folders and drive.

My Drive: a child carries its folder's permissions, and the folder's owner may write. Shared drives: members come from
the drive, `inheritedFrom` tells the folder or drive. A limited-access folder hands down nothing from above it, except
to organizers; who could read the folder above sees only that it is there (view `metadata`, role reader; the details
keep the role above, as answers recorded in pipeshub-ai's tests show).
Sources: Drive guides "share files" and "limited and expansive access"; discovery document, Permission.
"""

from collections.abc import Iterable

from cloudscan_emulators.google.records import (
    ANYONE,
    MY_DRIVE,
    NOBODY,
    ORPHAN,
    RANKS,
    TOP,
    Account,
    Detail,
    Drive,
    EffectiveGrant,
    Grant,
    Group,
    Item,
    Principal,
)

_CACHED = 200_000
Key = tuple[int, int, int, tuple[Grant, ...], bool]
AUDIENCE = ".audience.googledomains.com"


class Access:
    """Answers from a tenant's records, remembered until `forget`."""

    def __init__(
        self,
        principals: list[Principal],
        items: list[Item | None],
        drives: list[Drive | None],
        own_domains: set[str],
        audiences: dict[str, frozenset[int]],
    ) -> None:
        self._principals = principals
        self._items = items
        self._drives = drives
        self._own_domains = own_domains
        self._audiences = audiences
        self._effective: dict[Key, tuple[EffectiveGrant, ...]] = {}
        self._roles: dict[tuple[Key, int], str] = {}
        self._anchors: dict[int, int] = {}
        self._identities: dict[int, frozenset[int]] = {}

    def forget(self) -> None:
        self._effective.clear()
        self._roles.clear()
        self._anchors.clear()
        self._identities.clear()

    def key(self, item: Item) -> Key:
        """What the permissions of an item depend on: two items with the same key have the same ones."""
        parent = item.parent
        if parent >= 0:
            folder = self._items[parent]
            if folder is not None and folder.owner == item.owner:
                parent = self._anchor(folder)
        return (parent, item.owner, item.drive, item.grants, item.limited)

    def _anchor(self, folder: Item) -> int:
        """The nearest folder, from this one up, that hands down something else than it was handed."""
        anchor = self._anchors.get(folder.number)
        if anchor is None:
            above = self._items[folder.parent] if folder.parent >= 0 else None
            if folder.grants or folder.limited or (above is not None and above.owner != folder.owner):
                anchor = folder.number
            else:
                anchor = TOP if above is None else self._anchor(above)
            self._anchors[folder.number] = anchor
        return anchor

    def grants_on(self, item: Item) -> tuple[EffectiveGrant, ...]:
        """The permissions of an item, each principal once."""
        key = self.key(item)
        grants = self._effective.get(key)
        if grants is None:
            if len(self._effective) > _CACHED:
                self._effective.clear()
                self._roles.clear()
            grants = self._effective[key] = self._merge(item)
        return grants

    def members(self, drive: Drive) -> tuple[EffectiveGrant, ...]:
        """The permissions of a shared drive itself."""
        return tuple(EffectiveGrant(grant, (Detail(True, grant.role, False, ""),)) for grant in drive.members)

    def role(self, item: Item, who: int) -> str:
        """A user's strongest role, empty for none. Knowing the id counts as having the link."""
        if item.owner == who:
            return "owner"
        key = (self.key(item), who)
        role = self._roles.get(key)
        if role is None:
            role = self._roles[key] = self._strongest((effective.grant for effective in self.grants_on(item)), who)
        return role

    def is_own_domain(self, domain: str) -> bool:
        """Whether a domain is the company's, or a target audience in it."""
        return domain in self._own_domains or domain.endswith(AUDIENCE)

    def drive_role(self, drive: Drive, who: int) -> str:
        return self._strongest(drive.members, who)

    def identities(self, who: int) -> frozenset[int]:
        """All principals that a user counts as: themselves, groups, nested ones too, domains, target audiences."""
        identities = self._identities.get(who)
        if identities is None:
            identities = self._identities[who] = self._find_identities(who)
        return identities

    def people(self, grants: Iterable[Grant]) -> set[int]:
        """The users of the company that grants name, themselves or by a group."""
        users: set[int] = set()
        for grant in grants:
            if not grant.view:
                users |= self.users_in(grant.principal)
        return users

    def users_in(self, principal: int) -> set[int]:
        seen: set[int] = set()
        users: set[int] = set()
        left = [principal]
        while left:
            number = left.pop()
            if number in seen:
                continue
            seen.add(number)
            candidate = self._principals[number]
            if isinstance(candidate, Group):
                left.extend(candidate.members)
                if candidate.everyone:
                    users |= {other.number for other in self._principals if isinstance(other, Account)}
            elif candidate.kind == "user":
                users.add(number)
        return users

    def visibility(self, item: Item) -> str:
        """The value of the search term `visibility`. Named people, external ones too, are `limited`."""
        widest = 0
        for effective in self.grants_on(item):
            grant = effective.grant
            if grant.view:
                continue
            if grant.principal == ANYONE:
                widest = max(widest, 4 if grant.discoverable else 3)
            elif self._principals[grant.principal].kind == "domain":
                widest = max(widest, 2 if grant.discoverable else 1)
        return ("limited", "domainWithLink", "domainCanFind", "anyoneWithLink", "anyoneCanFind")[widest]

    def _merge(self, item: Item) -> tuple[EffectiveGrant, ...]:
        merged: dict[tuple[int, bool, str], EffectiveGrant] = {}

        def add(grant: Grant, details: tuple[Detail, ...]) -> None:
            key = (grant.principal, grant.principal == ANYONE and grant.discoverable, grant.view)
            before = merged.get(key)
            if before is None:
                merged[key] = EffectiveGrant(grant, details)
                return
            stronger = grant if RANKS[grant.role] > RANKS[before.grant.role] else before.grant
            merged[key] = EffectiveGrant(stronger, before.details + details)

        if item.owner != NOBODY:
            add(Grant(item.owner, "owner"), (Detail(False, "owner", False, ""),))
        for grant in item.grants:
            add(grant, (Detail(False, grant.role, False, ""),))
        for grant, details in self._from_above(item):
            if grant.principal == item.owner:
                continue
            if item.limited and grant.role != "organizer":
                seeing = Grant(grant.principal, "reader", grant.discoverable, view="metadata")
                add(seeing, details)
            else:
                add(grant, details)
        return tuple(merged.values())

    def _from_above(self, item: Item) -> Iterable[EffectiveGrant]:
        drive = None if item.drive == MY_DRIVE else self._drives[item.drive]
        if item.parent == TOP:
            if drive is not None:
                for grant in drive.members:
                    yield EffectiveGrant(grant, (Detail(True, grant.role, True, drive.id),))
            return
        folder = None if item.parent == ORPHAN else self._items[item.parent]
        if folder is None:
            return
        here = folder.id if drive is not None else ""
        for grant, details in self.grants_on(folder):
            if grant.view or grant.pending:
                continue
            role = "writer" if grant.role == "owner" else grant.role
            inherited = tuple(
                Detail(
                    detail.member,
                    "writer" if detail.role == "owner" else detail.role,
                    True,
                    detail.origin or here,
                )
                for detail in details
            )
            yield EffectiveGrant(grant._replace(role=role), inherited)

    def _strongest(self, grants: Iterable[Grant], who: int) -> str:
        mine = self.identities(who)
        best = ""
        for grant in grants:
            if grant.principal in mine and not grant.view and (not best or RANKS[grant.role] > RANKS[best]):
                best = grant.role
        return best

    def _find_identities(self, who: int) -> frozenset[int]:
        person = self._principals[who]
        ours = isinstance(person, Account)
        identities = {ANYONE, who}
        for principal in self._principals:
            if principal.kind != "domain":
                continue
            if principal.domain.endswith(AUDIENCE):
                if who in self._audiences.get(principal.domain, ()):
                    identities.add(principal.number)
            elif principal.domain == person.domain or (ours and principal.domain in self._own_domains):
                identities.add(principal.number)
        groups = [principal for principal in self._principals if isinstance(principal, Group)]
        more = True
        while more:
            more = False
            for group in groups:
                if group.number in identities:
                    continue
                if (ours and group.everyone) or not identities.isdisjoint(group.members):
                    identities.add(group.number)
                    more = True
        return frozenset(identities)
