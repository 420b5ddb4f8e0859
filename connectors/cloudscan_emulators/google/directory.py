"""Admin SDK Directory v1, as far as a scanner reads it. Only an administrator may ask.

What is told of a user follows the discovery document; that somebody never signed in is told as the year 1970.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cloudscan_emulators.google import errors, field_masks, ids, pages
from cloudscan_emulators.google.discovery import Call
from cloudscan_emulators.google.quirks import Quirks
from cloudscan_emulators.google.records import Account, Group, OrgUnit, Principal
from cloudscan_emulators.google.tenant_state import TenantState
from cloudscan_emulators.google.text import moment
from cloudscan_emulators.kit.json_text import dump

Json = dict[str, Any]
_CLAUSE = re.compile(r"(\w+)\s*(=|:)\s*('(?:[^'\\]|\\.)*'|\S+)")


class DirectoryApi:
    """The methods, by their ids."""

    def __init__(self, state: TenantState, quirks: Quirks) -> None:
        self._state = state
        self._quirks = quirks
        self.methods: Mapping[str, Callable[[Call, int], str]] = {
            "admin.users.list": self._users,
            "admin.users.get": self._user,
            "admin.groups.list": self._groups,
            "admin.groups.get": self._group,
            "admin.members.list": self._members,
            "admin.domains.list": self._domains,
            "admin.orgunits.list": self._units,
            "admin.customers.get": self._customer,
        }

    def _users(self, call: Call, who: int) -> str:
        self._admins_only(who)
        chosen = self._chosen(call)
        deleted = call.value("showDeleted").lower() == "true"
        wanted = _user_test(call.value("query"))
        users = [one for one in self._state.accounts if one.deleted == deleted and chosen(one) and wanted(one)]
        key = {"familyName": lambda one: one.family, "givenName": lambda one: one.given}.get(
            call.value("orderBy"), lambda one: one.email
        )
        users.sort(key=key, reverse=call.value("sortOrder") == "DESCENDING")
        face: Json = {"kind": "admin#directory#users", "etag": '"users"'}
        page = self._page(call, users, "users", face)
        if page:
            face["users"] = [self._user_face(one) for one in page]
        return dump(field_masks.apply(call.mask, face))

    def _user(self, call: Call, who: int) -> str:
        self._admins_only(who)
        key = call.value("userKey")
        for one in self._state.accounts:
            if not one.deleted and (ids.directory_id(one.number) == key or self._state.find(key) is one):
                return dump(field_masks.apply(call.mask, self._user_face(one)))
        raise errors.Refused(404, "notFound", "Resource Not Found: userKey")

    def _user_face(self, one: Account) -> Json:
        face: Json = {
            "kind": "admin#directory#user",
            "id": ids.directory_id(one.number),
            "etag": f'"{one.number}"',
            "primaryEmail": one.email,
            "name": {"givenName": one.given, "familyName": one.family, "fullName": one.name},
            "isAdmin": one.admin == "super",
            "isDelegatedAdmin": one.admin == "delegated",
            "lastLoginTime": moment(one.last_login),
            "creationTime": moment(one.created),
            "agreedToTerms": one.last_login > 0,
            "suspended": one.suspended,
            "archived": one.archived,
            "changePasswordAtNextLogin": False,
            "ipWhitelisted": False,
            "emails": [{"address": one.email, "primary": True}],
            "customerId": self._state.customer,
            "orgUnitPath": one.unit,
            "isMailboxSetup": True,
            "isEnrolledIn2Sv": one.two_step,
            "isEnforcedIn2Sv": False,
            "includeInGlobalAddressList": True,
        }
        local, domain = one.email.split("@")
        others = [f"{local}@{alias}" for alias, of in self._state.alias_domains.items() if of == domain]
        if one.aliases:
            face["aliases"] = list(one.aliases)
        if others:
            face["nonEditableAliases"] = others
        if one.department or one.title:
            face["organizations"] = [{"primary": True, "department": one.department, "title": one.title}]
        if one.manager:
            face["relations"] = [{"type": "manager", "value": one.manager}]
        if one.suspended:
            face["suspensionReason"] = "ADMIN"
        if one.deleted:
            face["deletionTime"] = moment(one.deleted_on)
        return face

    def _groups(self, call: Call, who: int) -> str:
        self._admins_only(who)
        key = call.value("userKey")
        if key:
            member = self._state.find(key)
            groups = [one for one in self._state.groups if member is not None and member.number in one.members]
        else:
            chosen = self._chosen(call)
            groups = [one for one in self._state.groups if chosen(one)]
        groups = [one for one in groups if not one.deleted]
        groups.sort(key=lambda one: one.email, reverse=call.value("sortOrder") == "DESCENDING")
        face: Json = {"kind": "admin#directory#groups", "etag": '"groups"'}
        page = self._page(call, groups, "groups", face, most=200)
        if page:
            face["groups"] = [_group_face(one) for one in page]
        return dump(field_masks.apply(call.mask, face))

    def _group(self, call: Call, who: int) -> str:
        self._admins_only(who)
        return dump(field_masks.apply(call.mask, _group_face(self._find_group(call))))

    def _find_group(self, call: Call) -> Group:
        key = call.value("groupKey")
        for one in self._state.groups:
            if not one.deleted and key in (one.email, ids.directory_id(one.number)):
                return one
        raise errors.Refused(404, "notFound", "Resource Not Found: groupKey")

    def _members(self, call: Call, who: int) -> str:
        self._admins_only(who)
        group = self._find_group(call)
        roles = [one.strip() for one in call.value("roles").split(",") if one.strip()]
        if not set(roles) <= {"OWNER", "MANAGER", "MEMBER"}:
            raise errors.invalid("roles", "Invalid Input: roles")
        rows = self._derived(group) if call.on("includeDerivedMembership") else self._direct(group)
        rows = [row for row in rows if not roles or row["role"] in roles]
        face: Json = {"kind": "admin#directory#members", "etag": '"members"'}
        page = self._page(call, rows, "members", face, most=200)
        if page:
            face["members"] = page
        return dump(field_masks.apply(call.mask, face))

    def _direct(self, group: Group) -> list[Json]:
        rows = [self._member_face(self._state.principals[one], role) for one, role in group.members.items()]
        if group.everyone:
            rows.append(
                {
                    "kind": "admin#directory#member",
                    "id": self._state.customer,
                    "role": "MEMBER",
                    "type": "CUSTOMER",
                    "status": "ACTIVE",
                }
            )
        return rows

    def _derived(self, group: Group) -> list[Json]:
        """Members of members too, each once; what another company's group holds stays unknown."""
        rows: dict[str, Json] = {}
        seen: set[int] = set()
        left = [group]
        while left:
            one = left.pop(0)
            if one.number in seen:
                continue
            seen.add(one.number)
            for row in self._direct(one):
                rows.setdefault(row["id"], row)
            members = (self._state.principals[number] for number in one.members)
            left.extend(member for member in members if isinstance(member, Group) and member.ours)
        return list(rows.values())

    def _member_face(self, one: Principal, role: str) -> Json:
        face: Json = {
            "kind": "admin#directory#member",
            "etag": f'"{one.number}"',
            "id": ids.directory_id(one.number),
            "email": one.email,
            "role": role,
            "type": "GROUP" if one.kind == "group" else "USER" if one.google else "EXTERNAL",
        }
        if isinstance(one, Account):
            face["status"] = "SUSPENDED" if one.suspended else "ACTIVE"
        elif isinstance(one, Group) and one.ours:
            face["status"] = "ACTIVE"
        return face

    def _domains(self, call: Call, who: int) -> str:
        self._admins_only(who)
        self._own_customer(call.value("customer"))
        face = {
            "kind": "admin#directory#domains",
            "etag": '"domains"',
            "domains": [self._domain_face(domain) for domain in (self._state.domain, *self._state.secondary_domains)],
        }
        return dump(field_masks.apply(call.mask, face))

    def _domain_face(self, domain: str) -> Json:
        face: Json = {
            "kind": "admin#directory#domain",
            "etag": f'"{domain}"',
            "domainName": domain,
            "isPrimary": domain == self._state.domain,
            "verified": True,
            "creationTime": "1500000000000",
        }
        aliases = [
            {
                "kind": "admin#directory#domainAlias",
                "etag": f'"{alias}"',
                "domainAliasName": alias,
                "parentDomainName": domain,
                "verified": True,
                "creationTime": "1500000000000",
            }
            for alias, of in self._state.alias_domains.items()
            if of == domain
        ]
        return {**face, "domainAliases": aliases} if aliases else face

    def _units(self, call: Call, who: int) -> str:
        """The root itself is told only with `allIncludingParent`."""
        self._admins_only(who)
        self._own_customer(call.value("customerId"))
        top = "/" + call.value("orgUnitPath").strip("/")
        kind = call.value("type") or "children"
        units = [
            unit
            for unit in self._state.units.values()
            if (unit.path == top and kind == "allIncludingParent")
            or (unit.path != top and (unit.parent == top if kind == "children" else _under(unit, top)))
        ]
        face: Json = {"kind": "admin#directory#orgUnits", "etag": '"units"'}
        if units:
            face["organizationUnits"] = [self._unit_face(unit) for unit in units]
        return dump(field_masks.apply(call.mask, face))

    def _unit_face(self, unit: OrgUnit) -> Json:
        face = {
            "kind": "admin#directory#orgUnit",
            "etag": f'"{unit.id}"',
            "name": unit.path.rsplit("/", 1)[1] or self._state.name,
            "orgUnitPath": unit.path,
            "orgUnitId": f"id:{unit.id}",
            "blockInheritance": False,
        }
        if not unit.parent:
            return face
        parent = self._state.units[unit.parent]
        return {**face, "parentOrgUnitPath": parent.path, "parentOrgUnitId": f"id:{parent.id}"}

    def _customer(self, call: Call, who: int) -> str:
        self._admins_only(who)
        self._own_customer(call.value("customerKey"))
        face = {
            "kind": "admin#directory#customer",
            "id": self._state.customer,
            "customerDomain": self._state.domain,
            "language": "ja",
        }
        return dump(field_masks.apply(call.mask, face))

    def _admins_only(self, who: int) -> None:
        person = self._state.principals[who]
        if not isinstance(person, Account) or not person.admin:
            raise errors.not_an_admin()

    def _own_customer(self, customer: str) -> None:
        if customer not in ("my_customer", self._state.customer):
            raise errors.not_an_admin()

    def _chosen(self, call: Call) -> Callable[[Principal], bool]:
        """Either the whole customer or one of its domains must be named."""
        customer, domain = call.value("customer"), call.value("domain")
        if customer:
            self._own_customer(customer)
            return lambda _: True
        if not domain:
            raise errors.Refused(400, "badRequest", "Bad Request")
        if domain != self._state.domain and domain not in self._state.secondary_domains:
            raise errors.Refused(404, "notFound", "Domain not found.")
        return lambda one: one.domain == domain

    def _page(self, call: Call, rows: list[Any], what: str, face: Json, most: int = 500) -> list[Any]:
        size = min(call.numbers["maxResults"], most)
        search = (what, *(call.value(name) for name in _SEARCHING))
        start = pages.place(call.value("pageToken"), search, self._quirks.page_epoch).skip
        if start + size < len(rows):
            face["nextPageToken"] = pages.token(search, pages.Place(skip=start + size), self._quirks.page_epoch)
        return rows[start : start + size]


_SEARCHING = ("customer", "domain", "query", "groupKey", "userKey", "roles", "showDeleted", "includeDerivedMembership")


def _under(unit: OrgUnit, top: str) -> bool:
    return unit.path.startswith(top.rstrip("/") + "/")


def _group_face(one: Group) -> Json:
    return {
        "kind": "admin#directory#group",
        "id": ids.directory_id(one.number),
        "etag": f'"{one.number}"',
        "email": one.email,
        "name": one.name,
        "directMembersCount": str(len(one.members) + one.everyone),
        "description": one.description,
        "adminCreated": True,
    }


def _user_test(text: str) -> Callable[[Account], bool]:
    """The search language of users, so far: name=value clauses, all of which must hold."""
    tests: list[Callable[[Account], bool]] = []
    rest = text.strip()
    for match in _CLAUSE.finditer(text):
        name, sign, value = match[1], match[2], match[3].strip("'")
        rest = rest.replace(match[0], "", 1)
        tests.append(_clause(name, sign, value))
    if rest.strip():
        raise errors.invalid("query", "Invalid Input: query")
    return lambda one: all(test(one) for test in tests)


def _clause(name: str, sign: str, value: str) -> Callable[[Account], bool]:
    switches: Mapping[str, Callable[[Account], bool]] = {
        "isSuspended": lambda one: one.suspended,
        "isArchived": lambda one: one.archived,
        "isAdmin": lambda one: one.admin == "super",
        "isEnrolledIn2Sv": lambda one: one.two_step,
    }
    texts: Mapping[str, Callable[[Account], Iterable[str]]] = {
        "email": lambda one: (one.email, *one.aliases),
        "givenName": lambda one: (one.given,),
        "familyName": lambda one: (one.family,),
        "orgUnitPath": lambda one: (one.unit,),
        "orgDepartment": lambda one: (one.department,),
        "directManager": lambda one: (one.manager,),
    }
    if name in switches and value in ("true", "false"):
        return lambda one: switches[name](one) == (value == "true")
    if name == "orgUnitPath":
        return lambda one: (one.unit + "/").startswith(value.rstrip("/") + "/")
    if name in texts and sign == ":" and value.endswith("*"):
        return lambda one: any(text.lower().startswith(value[:-1].lower()) for text in texts[name](one))
    if name in texts:
        return lambda one: any(text.lower() == value.lower() for text in texts[name](one))
    raise errors.invalid("query", "Invalid Input: query")
