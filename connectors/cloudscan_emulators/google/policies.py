"""Cloud Identity Policy API v1: the raw settings, as each was made for an organisational unit. Super admins only.

The filter is a piece of CEL; the forms that the discovery document shows are understood, all others refused.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from cloudscan_emulators.google import errors, field_masks, pages
from cloudscan_emulators.google.discovery import Call
from cloudscan_emulators.google.quirks import Quirks
from cloudscan_emulators.google.records import Account, Policy
from cloudscan_emulators.google.tenant_state import TenantState
from cloudscan_emulators.kit.json_text import dump

Json = dict[str, Any]
_TOKEN = re.compile(r"""\s*(&&|\|\||\(|\)|==|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[A-Za-z_][\w.]*)""")
_Test = Callable[[Policy], bool]


class PoliciesApi:
    """The methods, by their ids."""

    def __init__(self, state: TenantState, quirks: Quirks) -> None:
        self._state = state
        self._quirks = quirks
        self.methods: Mapping[str, Callable[[Call, int], str]] = {
            "cloudidentity.policies.list": self._list,
            "cloudidentity.policies.get": self._get,
        }

    def _list(self, call: Call, who: int) -> str:
        self._super_admins_only(who)
        text = call.value("filter")
        test = _Filter(text, self._state.customer).read() if text else lambda _: True
        policies = [policy for policy in self._state.policies if test(policy)]
        size = min(call.numbers.get("pageSize", 0) or 50, 100)
        search = ("policies", text)
        start = pages.position(call.value("pageToken"), search, self._quirks.page_epoch).skip
        body: Json = {}
        if policies:
            body["policies"] = [self._body(policy) for policy in policies[start : start + size]]
        if start + size < len(policies):
            body["nextPageToken"] = pages.token(search, pages.Position(skip=start + size), self._quirks.page_epoch)
        return dump(field_masks.apply(call.mask, body))

    def _get(self, call: Call, who: int) -> str:
        self._super_admins_only(who)
        for policy in self._state.policies:
            body = self._body(policy)
            if body["name"] == call.value("name"):
                return dump(field_masks.apply(call.mask, body))
        raise errors.Refused(404, "notFound", "Requested entity was not found.", status="NOT_FOUND")

    def _body(self, policy: Policy) -> Json:
        unit = self._state.units[policy.unit].id
        clause = f"entity.org_units.exists(org_unit, org_unit.org_unit_id == orgUnitId('{unit}'))"
        about: Json = {"query": clause, "orgUnit": f"orgUnits/{unit}", "sortOrder": policy.order}
        if policy.group:
            about["group"] = f"groups/{policy.group}"
            about["query"] += f" && entity.groups.exists(group, group.group_id == groupId('{policy.group}'))"
        name = hashlib.sha256(f"{policy.type}\0{unit}\0{policy.group}\0{policy.order}".encode()).hexdigest()[:26]
        return {
            "name": f"policies/{name}",
            "customer": f"customers/{self._state.customer}",
            "policyQuery": about,
            "setting": {"type": f"settings/{policy.type}", "value": dict(policy.value)},
            "type": "ADMIN" if policy.by_admin else "SYSTEM",
        }

    def _super_admins_only(self, who: int) -> None:
        person = self._state.principals[who]
        if not isinstance(person, Account) or person.admin != "super":
            raise errors.Refused(403, "forbidden", "The caller does not have permission", status="PERMISSION_DENIED")


class _Filter:
    def __init__(self, text: str, customer: str) -> None:
        self._customers = {f"customers/{customer}", "customers/my_customer"}
        self._tokens: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None:
                raise _refused()
            self._tokens.append(match[1])
            at = match.end()

    def read(self) -> _Test:
        test = self._either()
        if self._tokens:
            raise _refused()
        return test

    def _either(self) -> _Test:
        tests = [self._both()]
        while self._take("||"):
            tests.append(self._both())
        return lambda policy: any(test(policy) for test in tests)

    def _both(self) -> _Test:
        tests = [self._one()]
        while self._take("&&"):
            tests.append(self._one())
        return lambda policy: all(test(policy) for test in tests)

    def _one(self) -> _Test:
        if self._take("("):
            test = self._either()
            self._must(")")
            return test
        name = self._next()
        if name == "setting.type.matches":
            self._must("(")
            pattern = self._text()
            self._must(")")
            try:
                wanted = re.compile(pattern)
            except re.error:
                raise _refused() from None
            return lambda policy: wanted.search(f"settings/{policy.type}") is not None
        self._must("==")
        value = self._text()
        if name == "setting.type":
            return lambda policy: f"settings/{policy.type}" == value
        if name == "customer":
            if value not in self._customers:
                raise errors.Refused(
                    403, "forbidden", "The caller does not have permission", status="PERMISSION_DENIED"
                )
            return lambda _: True
        raise _refused()

    def _text(self) -> str:
        token = self._next()
        if token[0] not in "'\"":
            raise _refused()
        return re.sub(r"\\(.)", lambda match: match[1] if match[1] in "'\"\\" else match[0], token[1:-1])

    def _next(self) -> str:
        if not self._tokens:
            raise _refused()
        return self._tokens.pop(0)

    def _take(self, token: str) -> bool:
        if self._tokens and self._tokens[0] == token:
            self._tokens.pop(0)
            return True
        return False

    def _must(self, token: str) -> None:
        if not self._take(token):
            raise _refused()


def _refused() -> errors.Refused:
    return errors.Refused(400, "badRequest", "Request contains an invalid argument.", status="INVALID_ARGUMENT")
