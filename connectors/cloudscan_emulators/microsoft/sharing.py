"""Permissions of items: the permission resource, and the `shared` facet that summarises it.

Sources: permission, sharepointIdentitySet and sharingLink resources; recordings in pnp/pnpcore, pnp/cli-microsoft365
and in public code for what documentation leaves out (duplicate identities, empty lists, the id of a site group's
permission is its title in base 64).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cloudscan_emulators.microsoft import ids
from cloudscan_emulators.microsoft.quirks import Quirks
from cloudscan_emulators.microsoft.records import (
    NOBODY,
    Application,
    Claim,
    Direct,
    ExternalUser,
    Grant,
    Group,
    Invitation,
    Item,
    Kind,
    Link,
    Person,
    Principal,
    SiteGroup,
)
from cloudscan_emulators.microsoft.tenant_state import TenantState
from cloudscan_emulators.microsoft.text import NO_TIME, moment

Json = dict[str, Any]
FULL_CONTROL = "Sites.FullControl.All"
LINK_MAKERS = ("Files.ReadWrite.All", "Sites.ReadWrite.All", "Sites.Manage.All", FULL_CONTROL)
_LINK_ROLES = {"edit": "write", "createOnly": "write"}
_FIRST_USER = 10
_IDENTITY = "#microsoft.graph.sharePointIdentity"


class Sharing:
    """Renders permissions as the caller may see them."""

    def __init__(self, state: TenantState, quirks: Quirks) -> None:
        self._state = state
        self._quirks = quirks
        self._facets: dict[int, str] = {}
        self._facets_of = (-1, True)

    def permissions(self, item: Item, *, secrets: bool, everything: bool) -> list[Json]:
        """All permissions of an item; `secrets`: the caller may create links."""
        scope = self._state.scope(item)
        permissions = []
        for grant in scope.grants or ():
            if not everything and self._quirks.short_lists_without_full_control and self._names_a_person(grant):
                continue
            view = self._view(item, grant, secrets=secrets)
            origin = self._origin(item, scope, grant)
            if origin is not None and self._quirks.inherited_from != "never":
                view["inheritedFrom"] = self._reference(origin) if self._quirks.inherited_from == "full" else {}
            permissions.append(view)
        return permissions

    def facet(self, item: Item) -> str:
        """How far the item is shared: ``anonymous``, ``organization``, ``users`` or empty."""
        state = (self._state.generation, self._quirks.claims_raise_shared)
        if self._facets_of != state:
            self._facets.clear()
            self._facets_of = state
        scope = self._state.scope(item)
        facet = self._facets.get(scope.number)
        if facet is None:
            facet = self._facets[scope.number] = self._summary(scope)
        return facet

    def identity(self, principal: Principal, *, owners_only: bool = False) -> Json:
        """A sharePointIdentitySet: one principal in all the forms in which SharePoint knows it."""
        local = str(_FIRST_USER + principal.number)
        login = login_of(self._state, principal, owners_only=owners_only)
        if isinstance(principal, SiteGroup):
            group = {"displayName": principal.name, "id": str(principal.local), "loginName": principal.name}
            identity_set: Json = {"siteGroup": group}
            if self._quirks.sharepoint_group:
                newer = {"id": ids.guid("site group", principal.number), "principalId": str(principal.local)}
                identity_set["sharePointGroup"] = {**newer, "title": principal.name}
            return identity_set
        site_user = {"displayName": principal.name, "id": local, "loginName": login}
        mail = getattr(principal, "mail", "")
        if mail:
            site_user["email"] = mail
        kind = _kind(principal)
        if not kind or principal.deleted:
            return {"siteUser": site_user}
        identity = principal.app_id if isinstance(principal, Application) else getattr(principal, "id", "")
        known = {"@odata.type": _IDENTITY, "displayName": principal.name, "email": mail, "id": identity}
        return {kind: {name: value for name, value in known.items() if value}, "siteUser": site_user}

    def legacy(self, principal: Principal) -> Json:
        """A legacy identitySet, in which everything is a user."""
        if principal.deleted or isinstance(principal, Claim | SiteGroup):
            return {"user": {"displayName": principal.name}}
        if isinstance(principal, Application):
            return {"application": {"displayName": principal.name, "id": principal.app_id}}
        known = {
            "displayName": principal.name,
            "email": getattr(principal, "mail", ""),
            "id": getattr(principal, "id", ""),
        }
        return {"user": {name: value for name, value in known.items() if value}}

    def _view(self, item: Item, grant: Grant, *, secrets: bool) -> Json:
        if isinstance(grant, Link):
            return self._link(item, grant, secrets=secrets)
        if isinstance(grant, Invitation):
            identity = ids.packed(f"invitation:{grant.number}")
            view: Json = {
                "id": identity,
                "roles": [grant.role],
                "invitation": {"email": grant.mail, "signInRequired": grant.sign_in},
            }
            if grant.expires:
                view["expirationDateTime"] = moment(grant.expires)
            if secrets:
                view["shareId"] = identity
            return view
        principal = self._state.principals[grant.principal]
        login = login_of(self._state, principal)
        identity = ids.packed(principal.name if isinstance(principal, SiteGroup) else login)
        view = {
            "id": identity,
            "roles": [grant.role],
            "shareId": identity,
            "hasPassword": False,
            "grantedToV2": self.identity(principal),
            "grantedTo": self.legacy(principal),
        }
        if grant.expires:
            view["expirationDateTime"] = moment(grant.expires)
        return view

    def _link(self, item: Item, link: Link, *, secrets: bool) -> Json:
        facet: Json = {"scope": link.scope, "type": link.type, "preventsDownload": link.prevents_download}
        url = self._link_url(item, link)
        if secrets:
            facet["webUrl"] = url
            if link.type == "embed":
                facet["webHtml"] = f'<iframe src="{url}"></iframe>'
        if link.application != NOBODY:
            facet["application"] = self.legacy(self._state.principals[link.application])["application"]
        people = [self._state.principals[number] for number in link.people]
        view: Json = {
            "id": ids.guid("link", link.number),
            "roles": [_LINK_ROLES.get(link.type, "read")],
            "hasPassword": link.password,
            "grantedToIdentitiesV2": list(self._holders(people)),
            "grantedToIdentities": [self.legacy(one) for one in people],
            "link": facet,
        }
        if secrets:
            view["shareId"] = f"u!{ids.packed(url)}"
        if link.expires:
            view["expirationDateTime"] = moment(link.expires)
        elif self._quirks.year_one and link.number % 2:
            view["expirationDateTime"] = NO_TIME
        return view

    def _holders(self, people: list[Principal]) -> Iterator[Json]:
        for person in people:
            identity_set = self.identity(person)
            if self._quirks.split_identities:
                yield from ({kind: value} for kind, value in identity_set.items())
            else:
                yield identity_set

    def _link_url(self, item: Item, link: Link) -> str:
        kind_letter = "f" if item.kind is Kind.FOLDER else "b"
        site = self._state.sites[self._state.drives[item.drive].site]
        base = f"https://{self._state.site_host(site)}/:{kind_letter}:/{'g' if site.personal else 's'}/{site.path}"
        return f"{base}/{ids.secret('link', link.number)}?e={ids.secret('e', link.number)[:6]}"

    def _origin(self, item: Item, scope: Item, grant: Grant) -> Item | None:
        """The item that a permission is inherited from; None: the item itself. A copied link remains its folder's."""
        if isinstance(grant, Link) and grant.home != item.number:
            return self._state.items[grant.home] or scope
        return None if scope is item else scope

    def _reference(self, origin: Item) -> Json:
        drive = self._state.drives[origin.drive]
        names = [one.name for one in self._state.ancestors(origin) if one.kind is not Kind.ROOT]
        path = "/".join([*reversed(names), origin.name] if origin.kind is not Kind.ROOT else [])
        return {
            "driveId": drive.id,
            "driveType": "business" if drive.personal else "documentLibrary",
            "id": self._state.id_of(origin),
            "path": f"/drives/{drive.id}/root:{f'/{path}' if path else ''}",
        }

    def _summary(self, scope: Item) -> str:
        owner = self._state.sites[self._state.drives[scope.drive].site].owner
        facet = ""
        for grant in scope.grants or ():
            if isinstance(grant, Link):
                if grant.scope == "anonymous":
                    return "anonymous"
                if grant.scope != "existingAccess":
                    facet = "organization" if "organization" in (grant.scope, facet) else "users"
            elif isinstance(grant, Invitation) or self._counts_as_shared(grant, owner):
                facet = facet or "users"
        return facet

    def _counts_as_shared(self, grant: Direct, owner: int) -> bool:
        principal = self._state.principals[grant.principal]
        if isinstance(principal, SiteGroup) or grant.principal == owner:
            return False
        return self._quirks.claims_raise_shared or not isinstance(principal, Claim)

    def _names_a_person(self, grant: Grant) -> bool:
        if not isinstance(grant, Direct):
            return isinstance(grant, Invitation)
        return isinstance(self._state.principals[grant.principal], Person | ExternalUser)


def login_of(state: TenantState, principal: Principal, *, owners_only: bool = False) -> str:
    """The claim of a principal in SharePoint."""
    if isinstance(principal, Claim):
        return principal.login
    if isinstance(principal, Person):
        return f"i:0#.f|membership|{principal.upn.lower()}"
    if isinstance(principal, ExternalUser):
        if principal.tenant:
            return f"i:0#.f|membership|{principal.mail}#ext#@{principal.tenant}"
        return f"i:0#.f|membership|urn%3aspo%3aguest#{principal.mail}"
    if isinstance(principal, Group):
        if principal.kind == "unified":
            return f"c:0o.c|federateddirectoryclaimprovider|{principal.id}{'_o' if owners_only else ''}"
        return f"c:0t.c|tenant|{principal.id}"
    if isinstance(principal, Application):
        return f"i:0i.t|ms.sp.ext|{principal.app_id}@{state.tenant_id}"
    return principal.name


def _kind(principal: Principal) -> str:
    kinds: Mapping[type[Principal], str] = {Person: "user", Group: "group", Application: "application"}
    if isinstance(principal, ExternalUser):
        return "user" if principal.id else ""
    return kinds.get(type(principal), "")
