"""Users and groups.

Sources: user and group resources. Easily overlooked: most properties are returned only when they are selected;
signInActivity needs a licence and AuditLog.Read.All, and cannot be combined with other filters; hidden memberships
appear empty; an expanded relationship contains twenty objects at most; of users one relationship can be expanded at a
time (microsoft-graph-docs, issue 96: "for users it is still limited to a single expanded navigation").
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudscan_emulators.microsoft import errors, odata
from cloudscan_emulators.microsoft.applications import ApplicationsApi
from cloudscan_emulators.microsoft.calls import Call, Result, Shape, collection, single
from cloudscan_emulators.microsoft.quirks import Quirks
from cloudscan_emulators.microsoft.records import NOBODY, Application, Group, Person, Principal
from cloudscan_emulators.microsoft.tenant_state import TenantState
from cloudscan_emulators.microsoft.text import moment

Json = dict[str, Any]
_EQ = frozenset({"eq", "ne", "in"})
_TEXT = _EQ | {"startswith", "ge", "le"}
_TIME = frozenset({"eq", "ne", "ge", "le", "in"})
_USER_FILTER = {
    "id": frozenset({"eq", "in"}),
    "userType": _EQ,
    "accountEnabled": _EQ,
    "externalUserState": _EQ,
    "creationType": _EQ,
    "createdDateTime": _TIME,
    "employeeLeaveDateTime": _TIME,
    "displayName": _TEXT,
    "department": _TEXT,
    "mail": _TEXT | {"endswith"},
    "userPrincipalName": _TEXT | {"endswith"},
    "signInActivity/lastSignInDateTime": frozenset({"eq", "ne", "ge", "le"}),
    "signInActivity/lastNonInteractiveSignInDateTime": frozenset({"eq", "ne", "ge", "le"}),
    "signInActivity/lastSuccessfulSignInDateTime": frozenset({"eq", "ne", "ge", "le"}),
}
_GROUP_FILTER = {
    "id": frozenset({"eq", "in"}),
    "displayName": _TEXT,
    "mail": _TEXT,
    "mailEnabled": _EQ,
    "securityEnabled": _EQ,
    "createdDateTime": _TIME,
    "groupTypes": frozenset({"any"}),
    "resourceProvisioningOptions": frozenset({"any"}),
}
_EXPANDED_MOST = 20
_CASTS: Mapping[str, tuple[type[Principal], str]] = {
    "user": (Person, "user"),
    "group": (Group, "group"),
    "servicePrincipal": (Application, "servicePrincipal"),
}


class DirectoryApi:
    """Answers for /users and /groups."""

    def __init__(self, state: TenantState, quirks: Quirks, applications: ApplicationsApi) -> None:
        self._state = state
        self._quirks = quirks
        self._applications = applications
        self.methods: Mapping[str, Callable[[Call], Result]] = {
            "users.list": self._users,
            "users.get": self._user,
            "users.sponsors": lambda call: self._objects(call, self._person(call).sponsors),
            "users.manager": self._manager,
            "users.memberOf": lambda call: self._objects(call, self._groups_of(self._person(call), deep=False)),
            "users.transitiveMemberOf": lambda call: self._objects(call, self._groups_of(self._person(call))),
            "groups.list": lambda call: collection(call, self._group_shape(), list(self._state.groups)),
            "groups.get": lambda call: single(call, self._group_shape(), self._group(call)),
            "groups.owners": lambda call: self._objects(call, self._group(call).owners),
            "groups.members": lambda call: self._members(call, deep=False),
            "groups.transitiveMembers": lambda call: self._members(call, deep=True),
        }

    # users

    def _users(self, call: Call) -> Result:
        self._check_activity(call)
        activity = any(name.lower().startswith("signinactivity") for name in call.options.select)
        shape = self._user_shape(call, most=500 if activity else 999)
        return collection(call, shape, list(self._state.persons))

    def _user(self, call: Call) -> Result:
        self._check_activity(call)
        return single(call, self._user_shape(call), self._person(call))

    def _check_activity(self, call: Call) -> None:
        if (expanded := len(call.options.expand)) > 1:
            raise errors.too_many_expanded(expanded)
        mentioned = [*call.options.select, call.options.filter]
        if not any("signinactivity" in text.lower() for text in mentioned):
            return
        if not self._state.premium:
            raise errors.no_licence()
        if not call.may("AuditLog.Read.All"):
            raise errors.no_audit_permission()

    def _person(self, call: Call) -> Person:
        person = self._state.find(call.values["user"])
        if not isinstance(person, Person):
            raise errors.no_such_object(call.values["user"])
        return person

    def _manager(self, call: Call) -> Result:
        person = self._person(call)
        if person.manager == NOBODY:
            raise errors.no_such_object("manager")
        view = self.object_view(self._state.principals[person.manager])
        return {"@odata.context": call.context("directoryObjects/$entity"), **_defaults(view)}

    def user_view(self, person: Person) -> Json:
        """The user resource, with all properties."""
        given, _, family = person.name.partition(" ")
        local = person.upn.partition("@")[0]
        return {
            "id": person.id,
            "deletedDateTime": None,
            "accountEnabled": person.enabled,
            "businessPhones": [],
            "companyName": person.company or None,
            "createdDateTime": moment(person.created),
            "creationType": person.creation or None,
            "department": person.department or None,
            "displayName": person.name,
            "employeeHireDate": moment(person.hired) if person.hired else None,
            "employeeId": person.employee_id or None,
            "employeeLeaveDateTime": moment(person.leaves) if person.leaves else None,
            "employeeType": person.employee_type or None,
            "externalUserState": person.state or None,
            "externalUserStateChangeDateTime": moment(person.state_changed) if person.state_changed else None,
            "givenName": given or None,
            "identities": self._identities(person),
            "jobTitle": person.title or None,
            "mail": person.mail or None,
            "mailNickname": local,
            "mobilePhone": None,
            "officeLocation": None,
            "onPremisesImmutableId": person.immutable_id or None,
            "otherMails": [person.mail] if person.creation and person.mail else list(person.other_mails),
            "preferredLanguage": None,
            "proxyAddresses": _proxies(person),
            "surname": family or None,
            "userPrincipalName": person.upn,
            "userType": person.user_type,
            **_activity(person),
        }

    def _identities(self, person: Person) -> list[Json]:
        issuer = "ExternalAzureAD" if person.creation == "Invitation" else self._state.initial_domain
        identity = None if person.creation else person.upn
        return [{"signInType": "userPrincipalName", "issuer": issuer, "issuerAssignedId": identity}]

    def _groups_of(self, person: Person, *, deep: bool = True) -> list[int]:
        state = self._state
        inside = state.closure if deep else (lambda group: group.members)
        return [group.number for group in state.groups if person.number in inside(group)]

    # groups

    def _group(self, call: Call) -> Group:
        group = self._state.find(call.values["group"])
        if not isinstance(group, Group):
            raise errors.no_such_object(call.values["group"])
        return group

    def group_view(self, group: Group) -> Json:
        """The group resource, with all properties."""
        unified = group.kind == "unified"
        types = (["Unified"] if unified else []) + (["DynamicMembership"] if group.rule else [])
        labels = {label.id: label.name for label in self._state.labels}
        return {
            "id": group.id,
            "deletedDateTime": None,
            "assignedLabels": [{"labelId": group.label, "displayName": labels.get(group.label)}] if group.label else [],
            "classification": None,
            "createdDateTime": moment(group.created),
            "description": None,
            "displayName": group.name,
            "expirationDateTime": None,
            "groupTypes": types,
            "isAssignableToRole": None,
            "mail": group.mail or None,
            "mailEnabled": bool(group.mail),
            "mailNickname": group.mail.partition("@")[0] or group.id[:8],
            "membershipRule": group.rule or None,
            "onPremisesSyncEnabled": None,
            "proxyAddresses": [f"SMTP:{group.mail}"] if group.mail else [],
            "renewedDateTime": moment(group.created),
            "resourceBehaviorOptions": [],
            "resourceProvisioningOptions": ["Team"] if group.team else [],
            "securityEnabled": not unified,
            "visibility": group.visibility,
        }

    def _members(self, call: Call, *, deep: bool) -> Result:
        group = self._group(call)
        if group.visibility == "HiddenMembership" and not call.may("Member.Read.Hidden"):
            return self._objects(call, ())
        return self._objects(call, self._state.closure(group) if deep else group.members)

    def _objects(self, call: Call, numbers: Any) -> Result:
        """Directory objects of several types, or of the one in the address."""
        objects = [self._state.principals[number] for number in numbers]
        kind, cast = "user", call.values.get("cast", "")
        if cast:
            if cast not in _CASTS:
                raise errors.no_such_segment(f"microsoft.graph.{cast}")
            wanted, kind = _CASTS[cast]
            objects = [entry for entry in objects if isinstance(entry, wanted)]
        elif call.options.select:
            kind = self._kind_with(call)
        shape = Shape(
            kind=kind,
            view=self.object_view,
            context="directoryObjects",
            default=self._quirks.directory_page,
            allowed=_USER_FILTER if kind == "user" else _GROUP_FILTER,
            advanced=True,
        )
        return collection(call, shape, [entry for entry in objects if not entry.deleted])

    def _kind_with(self, call: Call) -> str:
        """The type that has all selected properties."""
        for kind in ("user", "group", "servicePrincipal"):
            try:
                odata.wanted(call.options, kind)
            except errors.Refused:
                continue
            return kind
        return "user"

    def object_view(self, entry: Principal) -> Json:
        """A directory object of any type, with its type."""
        if isinstance(entry, Person):
            return {"@odata.type": "#microsoft.graph.user", **self.user_view(entry)}
        if isinstance(entry, Group):
            return {"@odata.type": "#microsoft.graph.group", **self.group_view(entry)}
        if isinstance(entry, Application):
            return {"@odata.type": "#microsoft.graph.servicePrincipal", **self._applications.view(entry)}
        return {"@odata.type": "#microsoft.graph.directoryObject", "id": getattr(entry, "id", "")}

    # shapes

    def _user_shape(self, call: Call, most: int = 999) -> Shape:
        shows_leave_dates = call.may("User-LifeCycleInfo.Read.All", "User-LifeCycleInfo.ReadWrite.All")

        def view(person: Person) -> Json:
            user = self.user_view(person)
            return user if shows_leave_dates else {**user, "employeeLeaveDateTime": None}  # empty rather than refused

        return Shape(
            kind="user",
            view=view,
            context="users",
            default=self._quirks.directory_page,
            most=most,
            allowed=_USER_FILTER,
            advanced=True,
            capped=most == 500,
            expansions={
                "sponsors": lambda person: self._expanded(person.sponsors),
                "manager": lambda person: next(
                    iter(self._expanded([person.manager] if person.manager >= 0 else [])), None
                ),
                "memberOf": lambda person: self._expanded(self._groups_of(person, deep=False)),
            },
        )

    def _group_shape(self) -> Shape:
        return Shape(
            kind="group",
            view=self.group_view,
            context="groups",
            default=self._quirks.directory_page,
            allowed=_GROUP_FILTER,
            advanced=True,
            expansions={
                "owners": lambda group: self._expanded(group.owners),
                "members": lambda group: self._expanded(group.members),
            },
        )

    def _expanded(self, numbers: Any) -> list[Json]:
        objects = [self._state.principals[number] for number in numbers]
        return [_defaults(self.object_view(entry)) for entry in objects if not entry.deleted][:_EXPANDED_MOST]


def _proxies(person: Person) -> list[str]:
    """The primary address in capitals, then the others."""
    return ([f"SMTP:{person.mail}"] if person.mail else []) + [f"smtp:{alias}" for alias in person.aliases]


def _activity(person: Person) -> Json:
    """The property of sign-ins, which users who never signed in lack."""
    if not (person.signed_in or person.signed_in_by_itself):
        return {}
    sign_ins = {
        "lastSignInDateTime": person.signed_in,
        "lastNonInteractiveSignInDateTime": person.signed_in_by_itself,
        "lastSuccessfulSignInDateTime": person.succeeded,
    }
    return {"signInActivity": {name: moment(when) if when else None for name, when in sign_ins.items()}}


def _defaults(view: Json) -> Json:
    kind = str(view["@odata.type"]).rpartition(".")[2]
    return odata.trimmed(view, odata.chosen((), kind))
