"""The few calls of SharePoint's own REST API that Graph lacks: members of site groups, and the administration.

Sources: "Users, groups, and roles REST API reference", recordings of _api/SPO.Tenant in pnp/cli-microsoft365. Tokens
are valid for one host and must come from a certificate; one from a client secret is an "Unsupported app only token".
Without an Accept header for JSON the answer is an Atom feed.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from cloudscan_emulators.kit.json_text import dump
from cloudscan_emulators.kit.local_server import Answer, Request
from cloudscan_emulators.microsoft import errors, ids
from cloudscan_emulators.microsoft.odata import Options
from cloudscan_emulators.microsoft.records import (
    NOBODY,
    Direct,
    ExternalUser,
    Group,
    Link,
    Person,
    Principal,
    Seat,
    Site,
    SiteGroup,
)
from cloudscan_emulators.microsoft.sharing import FULL_CONTROL, login_of
from cloudscan_emulators.microsoft.signin import SignIn, Token
from cloudscan_emulators.microsoft.tenant import admin_settings, site_properties
from cloudscan_emulators.microsoft.tenant_state import TenantState

Json = dict[str, Any]
_ATOM = b'<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"></feed>'
_FIRST_LINK_GROUP = 1000
_KINDS = {("anonymous", "view"): "AnonymousView", ("anonymous", "edit"): "AnonymousEdit"}
_ASSOCIATED = {
    "associatedownergroup": "Owners",
    "associatedmembergroup": "Members",
    "associatedvisitorgroup": "Visitors",
}
_READERS = ("Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", FULL_CONTROL)


class RestRefused(Exception):
    """SharePoint's own forms of error, which differ between gateways and services."""

    def __init__(self, status: int, code: str, message: str, *, gateway: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.gateway = gateway


class SharePointRest:
    """Answers requests to the tenant's SharePoint hosts."""

    def __init__(self, state: TenantState, sign_in: SignIn) -> None:
        self._state = state
        self._sign_in = sign_in
        self._calls: list[tuple[re.Pattern[str], Callable[[Site, re.Match[str], Options], Json]]] = [
            (re.compile(pattern, re.IGNORECASE), call)
            for pattern, call in (
                (r"web", lambda site, _m, _o: self._web(site)),
                (r"site", lambda site, _m, _o: self._site(site)),
                (r"web/sitegroups", lambda site, _m, options: self._site_groups(site, options)),
                (r"web/sitegroups(?:/getbyid)?\((\d+)\)(/users)?", self._group_by_id),
                (r"web/sitegroups/getbyname\('([^']*)'\)(/users)?", self._group_by_name),
                (r"web/(associated(?:owner|member|visitor)group)(/users)?", self._associated),
                (r"web/siteusers", lambda site, _m, _o: self._site_users(site)),
                (r"web/roleassignments", lambda site, _m, _o: self._role_assignments(site)),
            )
        ]

    def host_of(self, request: Request) -> tuple[str, str] | None:
        """Host and path of a request to SharePoint, by the Host header or the path's first segment; None for others."""
        hosts = self._state.hosts()
        host = request.base.partition("://")[2].partition(":")[0].lower()
        if host in hosts:
            return host, request.path
        first, _, rest = request.path.lstrip("/").partition("/")
        return (first.lower(), f"/{rest}") if first.lower() in hosts else None

    def token(self, request: Request, host: str) -> Token:
        """The caller's token; raises `RestRefused`."""
        audience = f"https://{host}"
        try:
            token = self._sign_in.authenticate(request.header("authorization"), audience)
        except errors.Refused as refused:
            message = str(refused)
            if "audience" in message:
                kind = "Microsoft.IdentityModel.Tokens.AudienceUriValidationFailedException"
                message = f"Exception of type '{kind}' was thrown."
            elif "expired" in message:
                message = "Invalid JWT token. The token is expired."
            raise RestRefused(401, "", message, gateway=True) from None
        if not token.by_certificate:
            raise RestRefused(401, "", "Unsupported app only token.", gateway=True)
        return token

    def answer(self, host: str, path: str, request: Request, token: Token, options: Options) -> Answer:
        """The answer to a call; raises `RestRefused`."""
        accept = request.header("accept").lower()
        site_path, separator, call = unquote(path).partition("/_api/")
        if not separator:
            raise RestRefused(404, "", "File Not Found.", gateway=True)
        if host == self._state.admin_host_of(self._state.hosts()[host]):
            body = self._admin(self._state.hosts()[host], call, request, token)
        else:
            if token.roles.isdisjoint(_READERS):
                raise _unauthorized()
            body = self._find(host, site_path, call, token, options)
        if "json" not in accept:
            return Answer(body=_ATOM, content_type="application/atom+xml;type=feed;charset=utf-8")
        return Answer(body=_dressed(_selected(body, options), accept), content_type=_content_type(accept))

    # the administration

    def _admin(self, geo: str, call: str, request: Request, token: Token) -> Json:
        if FULL_CONTROL not in token.roles:
            raise _unauthorized()
        low = call.lower().rstrip("/")
        if low in ("spo.tenant", "microsoft.online.sharepoint.tenantadministration.tenant"):
            return {**admin_settings(self._state), **self._state.geos.get(geo, {})}
        single = re.fullmatch(r"spo\.tenant/sites\('?([0-9a-f-]{36})'?\)", low)
        if single is not None:
            for site in self._state.sites:
                known = site.collection == single[1] and site.geo == geo
                if known and site.parent == NOBODY and not site.deleted:
                    return site_properties(self._state, site)
            raise RestRefused(404, "-1, Microsoft.Online.SharePoint.Common.SpoNoSiteException", "Cannot get site.")
        if low.endswith("/getsitepropertiesfromsharepointbyfilters") and request.verb == "POST":
            here = [site for site in self._state.sites if site.geo == geo]
            sites = [site for site in here if site.parent == NOBODY and not site.deleted]
            return {"value": [site_properties(self._state, site) for site in sites]}
        raise _no_such_call(call)

    # sites

    def _find(self, host: str, site_path: str, call: str, token: Token, options: Options) -> Json:
        site = self._state.site_at(host, site_path)
        if site is None:
            raise RestRefused(404, "", "404 FILE NOT FOUND", gateway=True)
        if site.archive != "NotArchived":
            raise _unauthorized()
        if site.lock == "NoAccess":
            raise RestRefused(423, "-2147024860, System.IO.IOException", "Access to this Web site has been blocked.")
        for pattern, answer in self._calls:
            match = pattern.fullmatch(call.rstrip("/"))
            if match is not None:
                body = answer(site, match, options)
                self._check_members(body, token)
                return body
        raise _no_such_call(call)

    def _check_members(self, body: Json, token: Token) -> None:
        """Refuse members of groups that show them to members only, unless the caller has full control."""
        if FULL_CONTROL in token.roles:
            return
        for group in (body, *body.get("value", ())):
            if group.get("OnlyAllowMembersViewMembership") and "Users" in group:
                del group["Users"]
            if group.pop("_members_only", False):
                raise _unauthorized()

    def _web(self, site: Site) -> Json:
        name, _, number = site.template.partition("#")
        return {
            "Id": site.web,
            "Title": site.title,
            "Url": self._state.site_url(site),
            "WebTemplate": name,
            "Configuration": int(number or 0),
            "ServerRelativeUrl": f"/{site.path}",
            "HasUniqueRoleAssignments": site.parent == NOBODY,
        }

    def _site(self, site: Site) -> Json:
        return {
            "Id": site.collection,
            "GroupId": getattr(self._state.principals[site.group], "id", "") if site.group != NOBODY else None,
            "ReadOnly": site.lock == "ReadOnly",
            "SensitivityLabelId": site.label or None,
            "ShareByEmailEnabled": site.sharing in (1, 2),
            "ShareByLinkEnabled": site.sharing == 2,
            "Url": self._state.site_url(site),
        }

    def _site_groups(self, site: Site, options: Options) -> Json:
        views = []
        for number in site.groups.values():
            group = self._state.site_group(number)
            view = self._group_view(group)
            if any(name.lower() == "users" for name in options.expand):
                view["Users"] = self._users(group.seats)
            views.append(view)
        views += self._link_groups(site, options)
        return {"value": views}

    def _group_by_id(self, site: Site, match: re.Match[str], options: Options) -> Json:
        return self._one_group(site, lambda group: group.local == int(match[1]), match[2], options)

    def _group_by_name(self, site: Site, match: re.Match[str], options: Options) -> Json:
        return self._one_group(site, lambda group: group.name.lower() == match[1].lower(), match[2], options)

    def _associated(self, site: Site, match: re.Match[str], options: Options) -> Json:
        wanted = site.groups.get(_ASSOCIATED[match[1].lower()], NOBODY)
        return self._one_group(site, lambda group: group.number == wanted, match[2], options)

    def _one_group(self, site: Site, is_it: Callable[[SiteGroup], bool], users: str | None, options: Options) -> Json:
        for number in site.groups.values():
            group = self._state.site_group(number)
            if not is_it(group):
                continue
            if users:
                body: Json = {"value": self._users(group.seats)}
                return {**body, "_members_only": True} if group.members_only else body
            view = self._group_view(group)
            if any(name.lower() == "users" for name in options.expand):
                view["Users"] = self._users(group.seats)
            return view
        raise RestRefused(404, "-2146232832, Microsoft.SharePoint.SPException", "Group cannot be found.")

    def _group_view(self, group: SiteGroup) -> Json:
        return {
            "Id": group.local,
            "IsHiddenInUI": False,
            "LoginName": group.name,
            "Title": group.name,
            "PrincipalType": 8,
            "AllowMembersEditMembership": False,
            "AllowRequestToJoinLeave": False,
            "AutoAcceptRequestToJoinLeave": False,
            "Description": None,
            "OnlyAllowMembersViewMembership": group.members_only,
            "OwnerTitle": group.name,
        }

    def _link_groups(self, site: Site, options: Options) -> list[Json]:
        """Each sharing link is a hidden group of its site."""
        links: dict[int, Link] = {}
        for drive in site.drives:
            for number in self._state.drives[drive].items:
                item = self._state.items[number]
                for grant in (item.grants or ()) if item is not None else ():
                    if isinstance(grant, Link):
                        links[grant.number] = grant
        views = []
        for link in links.values():
            word = "Flexible" if link.scope == "users" else _KINDS.get((link.scope, link.type), "OrganizationView")
            if link.scope == "organization" and link.type == "edit":
                word = "OrganizationEdit"
            item_id, link_id = ids.guid("item", link.home), ids.guid("link", link.number)
            name = f"SharingLinks.{item_id}.{word}.{link_id}"
            view: Json = {
                "Id": _FIRST_LINK_GROUP + link.number,
                "IsHiddenInUI": True,
                "LoginName": name,
                "Title": name,
                "PrincipalType": 8,
                "Description": None,
                "OnlyAllowMembersViewMembership": False,
                "OwnerTitle": "System Account",
            }
            if any(one.lower() == "users" for one in options.expand):
                view["Users"] = self._users([Seat(number) for number in link.people])
            views.append(view)
        return views

    def _users(self, seats: list[Seat]) -> list[Json]:
        return [self._user_view(self._state.principals[seat.principal], owners=seat.owners_only) for seat in seats]

    def _user_view(self, principal: Principal, *, owners: bool = False, admin: bool = False) -> Json:
        login = login_of(self._state, principal, owners_only=owners)
        person = isinstance(principal, Person | ExternalUser)
        title = (
            f"{principal.name} {'Owners' if owners else 'Members'}" if isinstance(principal, Group) else principal.name
        )
        upn = principal.upn if isinstance(principal, Person) else None
        return {
            "Id": 10 + principal.number,
            "IsHiddenInUI": False,
            "LoginName": login,
            "Title": title,
            "PrincipalType": 1 if person else 4,
            "Email": getattr(principal, "mail", ""),
            "Expiration": "",
            "IsEmailAuthenticationGuestUser": isinstance(principal, ExternalUser) and not principal.tenant,
            "IsShareByEmailGuestUser": isinstance(principal, ExternalUser) and not principal.tenant,
            "IsSiteAdmin": admin,
            "UserId": {"NameId": getattr(principal, "id", ""), "NameIdIssuer": "urn:federation:microsoftonline"}
            if person
            else None,
            "UserPrincipalName": upn,
        }

    def _site_users(self, site: Site) -> Json:
        seats: dict[int, Seat] = {}
        for number in site.groups.values():
            for seat in self._state.site_group(number).seats:
                seats.setdefault(seat.principal, seat)
        if site.owner != NOBODY:
            seats.setdefault(site.owner, Seat(site.owner))
        return {
            "value": [
                self._user_view(
                    self._state.principals[seat.principal],
                    owners=seat.owners_only,
                    admin=seat.owners_only or seat.principal == site.owner,
                )
                for seat in seats.values()
            ]
        }

    def _role_assignments(self, site: Site) -> Json:
        """The role assignments at the top of the site."""
        definitions = {"owner": ("Full Control", 5), "write": ("Edit", 6), "read": ("Read", 2)}
        root = self._state.root(self._state.drives[site.drives[0]])
        views = []
        for grant in root.grants or ():
            if not isinstance(grant, Direct):
                continue
            grantee = self._state.principals[grant.principal]
            member = self._group_view(grantee) if isinstance(grantee, SiteGroup) else self._user_view(grantee)
            name, kind = definitions.get(grant.role, (grant.role, 0))
            views.append(
                {
                    "PrincipalId": member["Id"],
                    "Member": member,
                    "RoleDefinitionBindings": [{"Name": name, "RoleTypeKind": kind, "Hidden": False}],
                }
            )
        return {"value": views}


def refusal(refused: RestRefused, accept: str) -> Answer:
    """An error as SharePoint writes it."""
    if refused.gateway:
        body: Json = {"error_description": refused.message} if refused.status == 401 else {"error": refused.message}
        headers: Mapping[str, str] = {}
        if refused.status == 401:
            reason = f'3000003;reason="{refused.message}";category="invalid_client"'
            headers = {"x-ms-diagnostics": reason, "WWW-Authenticate": 'Bearer realm="",client_id="00000003-0000-0ff1"'}
        return Answer(status=refused.status, body=dump(body).encode(), content_type="application/json", headers=headers)
    error = {"code": refused.code, "message": {"lang": "en-US", "value": refused.message}}
    name = "error" if "odata=verbose" in accept else "odata.error"
    return Answer(status=refused.status, body=dump({name: error}).encode(), content_type=_content_type(accept))


def _unauthorized() -> RestRefused:
    message = "Attempted to perform an unauthorized operation."
    return RestRefused(403, "-2147024891, System.UnauthorizedAccessException", message)


def _no_such_call(call: str) -> RestRefused:
    message = f"Cannot find resource for the request {call}."
    return RestRefused(404, "-1, Microsoft.SharePoint.Client.ResourceNotFoundException", message)


def _selected(body: Json, options: Options) -> Json:
    body = {name: value for name, value in body.items() if not name.startswith("_")}
    names = {name.partition("/")[0].lower() for name in (*options.select, *options.expand)}
    if not options.select or "*" in options.select:
        return body

    def pick(view: Json) -> Json:
        known = {name.lower() for name in view}
        for name in options.select:
            if name.partition("/")[0].lower() not in known:
                message = f"The query to field '{name}' is not valid. The property does not exist."
                raise RestRefused(400, "-1, Microsoft.SharePoint.Client.InvalidClientQueryException", message)
        return {name: value for name, value in view.items() if name.lower() in names}

    if "value" in body:
        return {"value": [pick(view) for view in body["value"]]}
    return pick(body)


def _dressed(body: Json, accept: str) -> bytes:
    if "odata=verbose" in accept:
        inside = {"results": body["value"]} if "value" in body else body
        return dump({"d": inside}).encode()
    return dump(body).encode()


def _content_type(accept: str) -> str:
    wanted = re.search(r"odata(?:\.metadata)?=(\w+)", accept)
    return f"application/json;odata={wanted[1] if wanted else 'minimalmetadata'};streaming=true;charset=utf-8"
