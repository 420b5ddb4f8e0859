"""The directory's audit log, reduced to who invited whom.

Source: directoryAudit resource. Nothing else in v1.0 names the inviter; the log keeps thirty days with Entra ID P1 and
seven without. The names of activities are those of the audit activity reference.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudscan_emulators.microsoft import filters, ids
from cloudscan_emulators.microsoft.calls import Call, Result, Shape, collection
from cloudscan_emulators.microsoft.records import NOBODY, Person
from cloudscan_emulators.microsoft.tenant_state import TenantState
from cloudscan_emulators.microsoft.text import moment

Json = dict[str, Any]
INVITED = "Invite external user"
_DAY = 86_400
_FILTER: filters.Allowed = {
    "activityDisplayName": frozenset({"eq", "startswith"}),
    "activityDateTime": frozenset({"eq", "ge", "le", "gt", "lt"}),
    "category": frozenset({"eq"}),
    "loggedByService": frozenset({"eq"}),
    "targetResources": frozenset({"any"}),
}


class AuditsApi:
    """Answers for /auditLogs/directoryAudits."""

    def __init__(self, state: TenantState) -> None:
        self._state = state
        self.methods: Mapping[str, Callable[[Call], Result]] = {"audits.directory": self._audits}

    def _audits(self, call: Call) -> Result:
        oldest = self._state.now - (30 if self._state.premium else 7) * _DAY
        invited = [one for one in self._state.persons if one.creation == "Invitation" and one.created >= oldest]
        invited.sort(key=lambda one: -one.created)
        shape = Shape(
            kind="directoryAudit",
            view=self._view,
            context="auditLogs/directoryAudits",
            allowed=_FILTER,
        )
        return collection(call, shape, invited)

    def _view(self, guest: Person) -> Json:
        by = self._state.principals[guest.invited_by] if guest.invited_by != NOBODY else None
        user = None
        if isinstance(by, Person):
            user = {"id": by.id, "displayName": by.name, "userPrincipalName": by.upn, "ipAddress": ""}
        return {
            "id": f"Invited Users_{ids.guid('audit', guest.number)}",
            "activityDateTime": moment(guest.created),
            "activityDisplayName": INVITED,
            "additionalDetails": [{"key": "InvitedUserEmailAddress", "value": guest.mail}],
            "category": "UserManagement",
            "correlationId": ids.guid("correlation", guest.number),
            "initiatedBy": {
                "user": user,
                "app": None if user else {"displayName": "Microsoft Invitation Acceptance Portal"},
            },
            "loggedByService": "Invited Users",
            "operationType": "Add",
            "result": "success",
            "resultReason": "",
            "targetResources": [
                {"id": guest.id, "displayName": guest.name, "type": "User", "userPrincipalName": guest.upn}
            ],
        }
