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
        users = [
            account
            for account in self._state.accounts
            if account.deleted == deleted and chosen(account) and wanted(account)
        ]
        key = {"familyName": lambda account: account.family, "givenName": lambda account: account.given}.get(
            call.value("orderBy"), lambda account: account.email
        )
        users.sort(key=key, reverse=call.value("sortOrder") == "DESCENDING")
        body: Json = {"kind": "admin#directory#users", "etag": '"users"'}
        page = self._page(call, users, "users", body)
        if page:
            body["users"] = [self._user_body(account) for account in page]
        return dump(field_masks.apply(call.mask, body))

    def _user(self, call: Call, who: int) -> str:
        self._admins_only(who)
        key = call.value("userKey")
        for account in self._state.accounts:
            if not account.deleted and (ids.directory_id(account.number) == key or self._state.find(key) is account):
                return dump(field_masks.apply(call.mask, self._user_body(account)))
        raise errors.Refused(404, "notFound", "Resource Not Found: userKey")

    def _user_body(self, account: Account) -> Json:
        body: Json = {
            "kind": "admin#directory#user",
            "id": ids.directory_id(account.number),
            "etag": f'"{account.number}"',
            "primaryEmail": account.email,
            "name": {"givenName": account.given, "familyName": account.family, "fullName": account.name},
            "isAdmin": account.admin == "super",
            "isDelegatedAdmin": account.admin == "delegated",
            "lastLoginTime": moment(account.last_login),
            "creationTime": moment(account.created),
            "agreedToTerms": account.last_login > 0,
            "suspended": account.suspended,
            "archived": account.archived,
            "changePasswordAtNextLogin": False,
            "ipWhitelisted": False,
            "emails": [{"address": account.email, "primary": True}],
            "customerId": self._state.customer,
            "orgUnitPath": account.unit,
            "isMailboxSetup": True,
            "isEnrolledIn2Sv": account.two_step,
            "isEnforcedIn2Sv": False,
            "includeInGlobalAddressList": True,
        }
        local, domain = account.email.split("@")
        others = [f"{local}@{alias}" for alias, of in self._state.alias_domains.items() if of == domain]
        if account.aliases:
            body["aliases"] = list(account.aliases)
        if others:
            body["nonEditableAliases"] = others
        body["emails"] += [{"address": alias} for alias in (*account.aliases, *others)]
        if account.private:
            body["emails"].append({"address": account.private, "type": "home"})
            body["recoveryEmail"] = account.private
        if account.departments or account.title:
            body["organizations"] = _organisations(account)
        if account.number_of_employee:
            body["externalIds"] = [{"type": "organization", "value": account.number_of_employee}]
        if account.manager:
            body["relations"] = [{"type": "manager", "value": account.manager}]
        if account.suspended:
            body |= {"suspensionReason": "ADMIN", "suspensionTime": moment(account.suspended_on)}
        if account.archived:
            body["archivalTime"] = moment(account.archived_on)
        if account.deleted:
            body["deletionTime"] = moment(account.deleted_on)
        return body

    def _groups(self, call: Call, who: int) -> str:
        self._admins_only(who)
        key = call.value("userKey")
        if key:
            member = self._state.find(key)
            groups = [group for group in self._state.groups if member is not None and member.number in group.members]
        else:
            chosen = self._chosen(call)
            groups = [group for group in self._state.groups if chosen(group)]
        groups = [group for group in groups if not group.deleted]
        groups.sort(key=lambda group: group.email, reverse=call.value("sortOrder") == "DESCENDING")
        body: Json = {"kind": "admin#directory#groups", "etag": '"groups"'}
        page = self._page(call, groups, "groups", body, most=200)
        if page:
            body["groups"] = [_group_body(group) for group in page]
        return dump(field_masks.apply(call.mask, body))

    def _group(self, call: Call, who: int) -> str:
        self._admins_only(who)
        return dump(field_masks.apply(call.mask, _group_body(self._find_group(call))))

    def _find_group(self, call: Call) -> Group:
        key = call.value("groupKey")
        for group in self._state.groups:
            if not group.deleted and key in (group.email, ids.directory_id(group.number)):
                return group
        raise errors.Refused(404, "notFound", "Resource Not Found: groupKey")

    def _members(self, call: Call, who: int) -> str:
        self._admins_only(who)
        group = self._find_group(call)
        roles = [role.strip() for role in call.value("roles").split(",") if role.strip()]
        if not set(roles) <= {"OWNER", "MANAGER", "MEMBER"}:
            raise errors.invalid("roles", "Invalid Input: roles")
        rows = self._derived(group) if call.on("includeDerivedMembership") else self._direct(group)
        rows = [row for row in rows if not roles or row["role"] in roles]
        body: Json = {"kind": "admin#directory#members", "etag": '"members"'}
        page = self._page(call, rows, "members", body, most=200)
        if page:
            body["members"] = page
        return dump(field_masks.apply(call.mask, body))

    def _direct(self, group: Group) -> list[Json]:
        rows = [self._member_body(self._state.principals[number], role) for number, role in group.members.items()]
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
        """Members of nested groups too, each once; those of another company's group are unknown."""
        rows: dict[str, Json] = {}
        seen: set[int] = set()
        left = [group]
        while left:
            nested = left.pop(0)
            if nested.number in seen:
                continue
            seen.add(nested.number)
            for row in self._direct(nested):
                rows.setdefault(row["id"], row)
            members = (self._state.principals[number] for number in nested.members)
            left.extend(member for member in members if isinstance(member, Group) and member.ours)
        return list(rows.values())

    def _member_body(self, member: Principal, role: str) -> Json:
        body: Json = {
            "kind": "admin#directory#member",
            "etag": f'"{member.number}"',
            "id": ids.directory_id(member.number),
            "email": member.email,
            "role": role,
            "type": "GROUP" if member.kind == "group" else "USER" if member.google else "EXTERNAL",
        }
        if isinstance(member, Account):
            body["status"] = "SUSPENDED" if member.suspended else "ACTIVE"
        elif isinstance(member, Group) and member.ours:
            body["status"] = "ACTIVE"
        return body

    def _domains(self, call: Call, who: int) -> str:
        self._admins_only(who)
        self._own_customer(call.value("customer"))
        body = {
            "kind": "admin#directory#domains",
            "etag": '"domains"',
            "domains": [self._domain_body(domain) for domain in (self._state.domain, *self._state.secondary_domains)],
        }
        return dump(field_masks.apply(call.mask, body))

    def _domain_body(self, domain: str) -> Json:
        body: Json = {
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
        return {**body, "domainAliases": aliases} if aliases else body

    def _units(self, call: Call, who: int) -> str:
        """The root is listed only with `allIncludingParent`."""
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
        body: Json = {"kind": "admin#directory#orgUnits", "etag": '"units"'}
        if units:
            body["organizationUnits"] = [self._unit_body(unit) for unit in units]
        return dump(field_masks.apply(call.mask, body))

    def _unit_body(self, unit: OrgUnit) -> Json:
        body = {
            "kind": "admin#directory#orgUnit",
            "etag": f'"{unit.id}"',
            "name": unit.path.rsplit("/", 1)[1] or self._state.name,
            "orgUnitPath": unit.path,
            "orgUnitId": f"id:{unit.id}",
            "blockInheritance": False,
        }
        if not unit.parent:
            return body
        parent = self._state.units[unit.parent]
        return {**body, "parentOrgUnitPath": parent.path, "parentOrgUnitId": f"id:{parent.id}"}

    def _customer(self, call: Call, who: int) -> str:
        self._admins_only(who)
        self._own_customer(call.value("customerKey"))
        body = {
            "kind": "admin#directory#customer",
            "id": self._state.customer,
            "customerDomain": self._state.domain,
            "language": "ja",
        }
        return dump(field_masks.apply(call.mask, body))

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
        return lambda record: record.domain == domain

    def _page(self, call: Call, rows: list[Any], what: str, body: Json, most: int = 500) -> list[Any]:
        size = min(call.numbers["maxResults"], most)
        search = (what, *(call.value(name) for name in _SEARCHING))
        start = pages.position(call.value("pageToken"), search, self._quirks.page_epoch).skip
        if start + size < len(rows):
            body["nextPageToken"] = pages.token(search, pages.Position(skip=start + size), self._quirks.page_epoch)
        return rows[start : start + size]


_SEARCHING = ("customer", "domain", "query", "groupKey", "userKey", "roles", "showDeleted", "includeDerivedMembership")


def _under(unit: OrgUnit, top: str) -> bool:
    return unit.path.startswith(top.rstrip("/") + "/")


def _organisations(account: Account) -> list[Json]:
    """The primary one is marked; it need not come first."""
    primary = {
        "primary": True,
        "department": next(iter(account.departments), ""),
        "title": account.title,
        "description": account.employment,
        "name": account.company,
    }
    others = [{"department": department} for department in account.departments[1:]]
    return [*others, {name: value for name, value in primary.items() if value}]


def _group_body(group: Group) -> Json:
    return {
        "kind": "admin#directory#group",
        "id": ids.directory_id(group.number),
        "etag": f'"{group.number}"',
        "email": group.email,
        "name": group.name,
        "directMembersCount": str(len(group.members) + group.everyone),
        "description": group.description,
        "adminCreated": True,
    }


def _user_test(text: str) -> Callable[[Account], bool]:
    """As much of the search language for users as is needed: name=value clauses, all of which must match."""
    tests: list[Callable[[Account], bool]] = []
    rest = text.strip()
    for match in _CLAUSE.finditer(text):
        name, sign, value = match[1], match[2], match[3].strip("'")
        rest = rest.replace(match[0], "", 1)
        tests.append(_clause(name, sign, value))
    if rest.strip():
        raise errors.invalid("query", "Invalid Input: query")
    return lambda record: all(test(record) for test in tests)


def _clause(name: str, sign: str, value: str) -> Callable[[Account], bool]:
    switches: Mapping[str, Callable[[Account], bool]] = {
        "isSuspended": lambda record: record.suspended,
        "isArchived": lambda record: record.archived,
        "isAdmin": lambda record: record.admin == "super",
        "isEnrolledIn2Sv": lambda record: record.two_step,
    }
    texts: Mapping[str, Callable[[Account], Iterable[str]]] = {
        "email": lambda record: (record.email, *record.aliases),
        "givenName": lambda record: (record.given,),
        "familyName": lambda record: (record.family,),
        "orgUnitPath": lambda record: (record.unit,),
        "orgDepartment": lambda record: record.departments,
        "directManager": lambda record: (record.manager,),
    }
    if name in switches and value in ("true", "false"):
        return lambda record: switches[name](record) == (value == "true")
    if name == "orgUnitPath":
        return lambda record: (record.unit + "/").startswith(value.rstrip("/") + "/")
    if name in texts and sign == ":" and value.endswith("*"):
        return lambda record: any(text.lower().startswith(value[:-1].lower()) for text in texts[name](record))
    if name in texts:
        return lambda record: any(text.lower() == value.lower() for text in texts[name](record))
    raise errors.invalid("query", "Invalid Input: query")
