"""Groups Settings v1, as far as a scanner reads it: who may join a group. Only an administrator may ask.

Without ``alt=json`` the service answers with an Atom entry (discovery document, parameter `alt`). Switches are texts.
"""

from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from cloudscan_emulators.google import errors, field_masks
from cloudscan_emulators.google.discovery import Call
from cloudscan_emulators.google.records import Account, Group
from cloudscan_emulators.google.tenant_state import TenantState
from cloudscan_emulators.kit.json_text import dump

Json = dict[str, Any]


class GroupSettingsApi:
    """The methods, by their ids."""

    def __init__(self, state: TenantState) -> None:
        self._state = state
        self.methods: Mapping[str, Callable[[Call, int], str]] = {"groupsSettings.groups.get": self._get}

    def _get(self, call: Call, who: int) -> str:
        person = self._state.principals[who]
        if not isinstance(person, Account) or not person.admin:
            raise errors.not_an_admin()
        address = call.value("groupUniqueId")
        for group in self._state.groups:
            if not group.deleted and group.email == address:
                body = field_masks.apply(call.mask, _body(group))
                return dump(body) if call.value("alt") == "json" else _atom(body)
        raise errors.Refused(404, "notFound", "Not Found")


def _body(group: Group) -> Json:
    return {
        "kind": "groupsSettings#groups",
        "email": group.email,
        "name": group.name,
        "description": group.description,
        "whoCanJoin": group.who_can_join,
        "whoCanViewMembership": "ALL_IN_DOMAIN_CAN_VIEW",
        "whoCanViewGroup": "ALL_MEMBERS_CAN_VIEW",
        "allowExternalMembers": "true" if group.externals_allowed else "false",
        "whoCanPostMessage": "ANYONE_CAN_POST",
        "isArchived": "false",
        "archiveOnly": "false",
        "whoCanLeaveGroup": "ALL_MEMBERS_CAN_LEAVE",
        "whoCanModerateMembers": "OWNERS_AND_MANAGERS",
        "whoCanDiscoverGroup": "ALL_IN_DOMAIN_CAN_DISCOVER",
    }


def _atom(body: Json) -> str:
    entries = "".join(f"<apps:{name}>{escape(str(value))}</apps:{name}>" for name, value in body.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?><entry xmlns="http://www.w3.org/2005/Atom" '
        f'xmlns:apps="http://schemas.google.com/apps/2006">{entries}</entry>'
    )
