"""Users, groups, teams, channels and applications.

Sources: user, group, team, channel, conversationMember and servicePrincipal resources. What is easily overlooked: most
properties come only when they are selected; signInActivity needs a licence and AuditLog.Read.All and filters alone;
hidden memberships are told as empty; `shared` channels are called unknownFutureValue unless a Prefer header asks for
members of the enumeration that came later; an expanded relationship holds twenty objects at most.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudscan_m365.emulator import errors, ids, odata
from cloudscan_m365.emulator.calls import Call, Shape, Told, collection, single
from cloudscan_m365.emulator.manners import Manners
from cloudscan_m365.emulator.people import GRAPH_APP, SHAREPOINT_APP
from cloudscan_m365.emulator.records import (
    NOBODY,
    Application,
    Channel,
    Group,
    Outsider,
    Person,
    Principal,
)
from cloudscan_m365.emulator.text import moment
from cloudscan_m365.emulator.world import World

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
_APP_FILTER = {
    "id": frozenset({"eq", "in"}),
    "appId": _EQ,
    "displayName": _TEXT,
    "servicePrincipalType": _EQ,
    "accountEnabled": _EQ,
    "appOwnerOrganizationId": _EQ,
}
_EXPANDED_MOST = 20
_CASTS: Mapping[str, tuple[type[Principal], str]] = {
    "user": (Person, "user"),
    "group": (Group, "group"),
    "servicePrincipal": (Application, "servicePrincipal"),
}
_LATER = "include-unknown-enum-members"


class DirectoryApi:
    """Answers for /users, /groups, /teams and /servicePrincipals."""

    def __init__(self, world: World, manners: Manners, drive_item: Callable[[Call, int], Told]) -> None:
        self._world = world
        self._manners = manners
        self._drive_item = drive_item
        self.methods: Mapping[str, Callable[[Call], Told]] = {
            "users.list": self._users,
            "users.get": self._user,
            "users.sponsors": lambda call: self._objects(call, self._person(call).sponsors),
            "users.manager": self._manager,
            "users.memberOf": lambda call: self._objects(call, self._groups_of(self._person(call), deep=False)),
            "users.transitiveMemberOf": lambda call: self._objects(call, self._groups_of(self._person(call))),
            "groups.list": lambda call: collection(call, self._group_shape(), list(self._world.groups)),
            "groups.get": lambda call: single(call, self._group_shape(), self._group(call)),
            "groups.owners": lambda call: self._objects(call, self._group(call).owners),
            "groups.members": lambda call: self._members(call, deep=False),
            "groups.transitiveMembers": lambda call: self._members(call, deep=True),
            "teams.list": self._teams,
            "teams.get": lambda call: single(call, self._team_shape(), self._team(call, "team")),
            "groups.team": lambda call: single(call, self._team_shape(), self._team(call, "group")),
            "teams.members": self._team_members,
            "teams.channels": self._channels,
            "channels.get": lambda call: single(call, self._channel_shape(call), self._channel(call)),
            "channels.members": self._channel_members,
            "channels.allMembers": self._channel_members,
            "channels.sharedWithTeams": self._shared_with,
            "channels.filesFolder": self._files_folder,
            "apps.list": lambda call: collection(call, self._app_shape(), self._apps()),
            "apps.get": lambda call: single(call, self._app_shape(), self._app(call)),
            "apps.appRoleAssignments": self._role_assignments,
            "apps.appRoleAssignedTo": self._role_assigned_to,
        }

    # users

    def _users(self, call: Call) -> Told:
        self._check_activity(call)
        activity = any(name.lower().startswith("signinactivity") for name in call.options.select)
        shape = self._user_shape(most=500 if activity else 999)
        return collection(call, shape, list(self._world.persons))

    def _user(self, call: Call) -> Told:
        self._check_activity(call)
        return single(call, self._user_shape(), self._person(call))

    def _check_activity(self, call: Call) -> None:
        asked = [*call.options.select, call.options.filter]
        if not any("signinactivity" in one.lower() for one in asked):
            return
        if not self._world.premium:
            raise errors.no_licence()
        if not call.may("AuditLog.Read.All"):
            raise errors.no_audit_right()

    def _person(self, call: Call) -> Person:
        found = self._world.find(call.values["user"])
        if not isinstance(found, Person):
            raise errors.no_such_object(call.values["user"])
        return found

    def _manager(self, call: Call) -> Told:
        person = self._person(call)
        if person.manager == NOBODY:
            raise errors.no_such_object("manager")
        face = self.object_face(self._world.principals[person.manager])
        return {"@odata.context": call.context("directoryObjects/$entity"), **_defaults(face)}

    def user_face(self, person: Person) -> Json:
        given, _, family = person.name.partition(" ")
        local = person.upn.partition("@")[0]
        return {
            "id": person.id,
            "deletedDateTime": None,
            "accountEnabled": person.enabled,
            "businessPhones": [],
            "companyName": None,
            "createdDateTime": moment(person.created),
            "creationType": person.creation or None,
            "department": person.department or None,
            "displayName": person.name,
            "employeeLeaveDateTime": moment(person.leaves) if person.leaves else None,
            "employeeType": None,
            "externalUserState": person.state or None,
            "externalUserStateChangeDateTime": moment(person.state_changed) if person.state_changed else None,
            "givenName": given or None,
            "identities": self._identities(person),
            "jobTitle": person.title or None,
            "mail": person.mail or None,
            "mailNickname": local,
            "mobilePhone": None,
            "officeLocation": None,
            "otherMails": [person.mail] if person.creation and person.mail else [],
            "preferredLanguage": None,
            "proxyAddresses": [f"SMTP:{person.mail}"] if person.mail else [],
            "surname": family or None,
            "userPrincipalName": person.upn,
            "userType": person.user_type,
            **_activity(person),
        }

    def _identities(self, person: Person) -> list[Json]:
        issuer = "ExternalAzureAD" if person.creation == "Invitation" else self._world.initial_domain
        identity = None if person.creation else person.upn
        return [{"signInType": "userPrincipalName", "issuer": issuer, "issuerAssignedId": identity}]

    def _groups_of(self, person: Person, *, deep: bool = True) -> list[int]:
        world = self._world
        inside = world.closure if deep else (lambda group: group.members)
        return [group.number for group in world.groups if person.number in inside(group)]

    # groups

    def _group(self, call: Call) -> Group:
        found = self._world.find(call.values["group"])
        if not isinstance(found, Group):
            raise errors.no_such_object(call.values["group"])
        return found

    def group_face(self, group: Group) -> Json:
        unified = group.kind == "unified"
        types = (["Unified"] if unified else []) + (["DynamicMembership"] if group.rule else [])
        labels = {label.id: label.name for label in self._world.labels}
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

    def _members(self, call: Call, *, deep: bool) -> Told:
        group = self._group(call)
        if group.visibility == "HiddenMembership" and not call.may("Member.Read.Hidden"):
            return self._objects(call, ())
        return self._objects(call, self._world.closure(group) if deep else group.members)

    def _objects(self, call: Call, numbers: Any) -> Told:
        """Directory objects of several types, or of the one that the address names."""
        things = [self._world.principals[number] for number in numbers]
        kind, cast = "user", call.values.get("cast", "")
        if cast:
            if cast not in _CASTS:
                raise errors.no_such_segment(f"microsoft.graph.{cast}")
            wanted, kind = _CASTS[cast]
            things = [one for one in things if isinstance(one, wanted)]
        elif call.options.select:
            kind = self._kind_with(call)
        shape = Shape(
            kind=kind,
            face=self.object_face,
            context="directoryObjects",
            default=self._manners.directory_page,
            allowed=_USER_FILTER if kind == "user" else _GROUP_FILTER,
            advanced=True,
        )
        return collection(call, shape, [one for one in things if not one.deleted])

    def _kind_with(self, call: Call) -> str:
        """The type that knows all that is selected."""
        for kind in ("user", "group", "servicePrincipal"):
            try:
                odata.wanted(call.options, kind)
            except errors.Refused:
                continue
            return kind
        return "user"

    def object_face(self, one: Principal) -> Json:
        if isinstance(one, Person):
            return {"@odata.type": "#microsoft.graph.user", **self.user_face(one)}
        if isinstance(one, Group):
            return {"@odata.type": "#microsoft.graph.group", **self.group_face(one)}
        if isinstance(one, Application):
            return {"@odata.type": "#microsoft.graph.servicePrincipal", **self._app_face(one)}
        return {"@odata.type": "#microsoft.graph.directoryObject", "id": getattr(one, "id", "")}

    # teams

    def _team(self, call: Call, name: str) -> Group:
        found = self._world.find(call.values[name])
        if not isinstance(found, Group) or not found.team:
            raise errors.no_such_team(call.values[name])
        return found

    def _teams(self, call: Call) -> Told:
        return collection(call, self._team_shape(), [group for group in self._world.groups if group.team])

    def _team_face(self, group: Group) -> Json:
        return {
            "id": group.id,
            "createdDateTime": moment(group.created),
            "displayName": group.name,
            "description": None,
            "internalId": f"19:{group.id}@thread.tacv2",
            "classification": None,
            "visibility": (group.visibility or "Private").lower(),
            "webUrl": f"https://teams.microsoft.com/l/team/{group.id}",
            "isArchived": group.archived,
            "tenantId": self._world.tenant_id,
            "guestSettings": {"allowCreateUpdateChannels": False, "allowDeleteChannels": False},
        }

    def _team_members(self, call: Call) -> Told:
        group = self._team(call, "team")
        roles = dict.fromkeys(self._world.closure(group), "") | dict.fromkeys(group.owners, "owner")
        return self._conversation(call, roles)

    def _channels(self, call: Call) -> Told:
        group = self._team(call, "team")
        return collection(call, self._channel_shape(call), group.channels)

    def _channel(self, call: Call) -> Channel:
        for channel in self._team(call, "team").channels:
            if _channel_id(channel) == call.values["channel"]:
                return channel
        raise errors.Refused(404, "NotFound", "No channel found with that id.")

    def _channel_members(self, call: Call) -> Told:
        channel = self._channel(call)
        if channel.membership == "standard":
            return self._team_members(call)
        return self._conversation(call, channel.members)

    def _conversation(self, call: Call, roles: Mapping[int, str]) -> Told:
        shape = Shape(
            kind="conversationMember",
            face=lambda pair: self._member_face(*pair),
            context="members",
            default=self._manners.teams_page,
        )
        things = [(self._world.principals[number], role) for number, role in roles.items()]
        people = [(one, role) for one, role in things if isinstance(one, Person | Outsider) and not one.deleted]
        return collection(call, shape, people)

    def _member_face(self, one: Person | Outsider, role: str) -> Json:
        guest = isinstance(one, Person) and one.guest
        tenant = one.tenant if isinstance(one, Outsider) else self._world.tenant_id
        return {
            "@odata.type": "#microsoft.graph.aadUserConversationMember",
            "id": ids.packed(f"{one.number}:{role}:member"),
            "roles": [role] if role else ["guest"] if guest else [],
            "displayName": one.name,
            "visibleHistoryStartDateTime": "0001-01-01T00:00:00Z",
            "userId": one.id,
            "email": one.mail or None,
            "tenantId": tenant,
        }

    def _shared_with(self, call: Call) -> Told:
        channel = self._channel(call)
        group = self._team(call, "team")
        faces: list[Json] = []
        if channel.membership == "shared":
            own = {"id": group.id, "displayName": group.name, "tenantId": self._world.tenant_id, "isHostTeam": True}
            faces.append(own)
            for number, text in enumerate(channel.shared_with):
                tenant, _, name = text.partition("|")
                identity = ids.guid("foreign team", channel.number * 10 + number)
                faces.append({"id": identity, "displayName": name, "tenantId": tenant, "isHostTeam": False})
        return collection(call, Shape(kind="sharedWithChannelTeamInfo", face=dict, context="sharedWithTeams"), faces)

    def _files_folder(self, call: Call) -> Told:
        channel = self._channel(call)
        group = self._team(call, "team")
        site = channel.site if channel.site != NOBODY else group.site
        if site == NOBODY:
            raise errors.no_such_item()
        return self._drive_item(call, self._world.sites[site].drives[0])

    # applications

    def _apps(self) -> list[Application]:
        return [*self._microsoft(), *self._world.applications]

    def _app(self, call: Call) -> Application:
        for app in self._apps():
            if call.values["app"] in (app.id, f"appId={app.app_id}"):
                return app
        raise errors.no_such_object(call.values["app"])

    def _microsoft(self) -> list[Application]:
        """The services whose permissions are given."""
        owner = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
        return [
            Application(number=-number - 2, name=name, id=ids.guid("service", number), app_id=app_id, home_tenant=owner)
            for number, (name, app_id) in enumerate(
                (("Microsoft Graph", GRAPH_APP), ("Office 365 SharePoint Online", SHAREPOINT_APP))
            )
        ]

    def _app_face(self, app: Application) -> Json:
        roles: list[Json] = []
        if app.app_id in (GRAPH_APP, SHAREPOINT_APP):
            known = sorted({role for one in self._world.applications for role in _roles(one, app.app_id)})
            roles = [
                {
                    "allowedMemberTypes": ["Application"],
                    "displayName": role,
                    "id": _role_id(app.app_id, role),
                    "isEnabled": True,
                    "value": role,
                }
                for role in known
            ]
        return {
            "id": app.id,
            "accountEnabled": app.enabled,
            "appDisplayName": app.name,
            "appId": app.app_id,
            "appOwnerOrganizationId": app.home_tenant,
            "appRoles": roles,
            "displayName": app.name,
            "servicePrincipalType": "ManagedIdentity" if app.managed else "Application",
            "signInAudience": "AzureADMyOrg" if app.home_tenant == self._world.tenant_id else "AzureADMultipleOrgs",
            "tags": [],
        }

    def _role_assignments(self, call: Call) -> Told:
        app = self._app(call)
        faces = [self._assignment(app, service, role) for service in self._microsoft() for role in _given(app, service)]
        return collection(call, Shape(kind="appRoleAssignment", face=dict, context="appRoleAssignments"), faces)

    def _role_assigned_to(self, call: Call) -> Told:
        service = self._app(call)
        faces = [
            self._assignment(app, service, role) for app in self._world.applications for role in _given(app, service)
        ]
        return collection(call, Shape(kind="appRoleAssignment", face=dict, context="appRoleAssignments"), faces)

    def _assignment(self, app: Application, service: Application, role: str) -> Json:
        return {
            "id": ids.packed(f"{app.app_id}{role}")[:43],
            "deletedDateTime": None,
            "appRoleId": _role_id(service.app_id, role),
            "createdDateTime": moment(app.created),
            "principalDisplayName": app.name,
            "principalId": app.id,
            "principalType": "ServicePrincipal",
            "resourceDisplayName": service.name,
            "resourceId": service.id,
        }

    # shapes

    def _user_shape(self, most: int = 999) -> Shape:
        return Shape(
            kind="user",
            face=self.user_face,
            context="users",
            default=self._manners.directory_page,
            most=most,
            allowed=_USER_FILTER,
            advanced=True,
            capped=most == 500,
            expansions={
                "sponsors": lambda person: self._expanded(person.sponsors),
                "manager": lambda person: self._expanded([person.manager] if person.manager >= 0 else [])[:1] or None,
                "memberOf": lambda person: self._expanded(self._groups_of(person, deep=False)),
            },
        )

    def _group_shape(self) -> Shape:
        return Shape(
            kind="group",
            face=self.group_face,
            context="groups",
            default=self._manners.directory_page,
            allowed=_GROUP_FILTER,
            advanced=True,
            expansions={
                "owners": lambda group: self._expanded(group.owners),
                "members": lambda group: self._expanded(group.members),
            },
        )

    def _team_shape(self) -> Shape:
        return Shape(kind="team", face=self._team_face, context="teams", default=self._manners.teams_page)

    def _channel_shape(self, call: Call) -> Shape:
        later = call.prefers(_LATER)

        def face(channel: Channel) -> Json:
            kind = "unknownFutureValue" if channel.membership == "shared" and not later else channel.membership
            return {
                "id": _channel_id(channel),
                "createdDateTime": moment(channel.created),
                "displayName": channel.name,
                "description": None,
                "email": "",
                "isArchived": False,
                "membershipType": kind,
                "tenantId": self._world.tenant_id,
                "webUrl": f"https://teams.microsoft.com/l/channel/{_channel_id(channel)}",
            }

        return Shape(kind="channel", face=face, context="channels", default=self._manners.teams_page)

    def _app_shape(self) -> Shape:
        return Shape(
            kind="servicePrincipal",
            face=self._app_face,
            context="servicePrincipals",
            default=self._manners.directory_page,
            allowed=_APP_FILTER,
            advanced=True,
        )

    def _expanded(self, numbers: Any) -> list[Json]:
        things = [self._world.principals[number] for number in numbers]
        return [_defaults(self.object_face(one)) for one in things if not one.deleted][:_EXPANDED_MOST]


def _activity(person: Person) -> Json:
    """Users who never signed in do not have the property at all."""
    if not (person.signed_in or person.signed_in_by_itself):
        return {}
    told = {
        "lastSignInDateTime": person.signed_in,
        "lastNonInteractiveSignInDateTime": person.signed_in_by_itself,
        "lastSuccessfulSignInDateTime": person.succeeded,
    }
    return {"signInActivity": {name: moment(when) if when else None for name, when in told.items()}}


def _defaults(face: Json) -> Json:
    kind = str(face["@odata.type"]).rpartition(".")[2]
    return odata.trimmed(face, odata.chosen((), kind))


def _channel_id(channel: Channel) -> str:
    return f"19:{ids.guid('channel', channel.number).replace('-', '')}@thread.tacv2"


def _roles(app: Application, service: str) -> frozenset[str]:
    return app.graph_roles if service == GRAPH_APP else app.sharepoint_roles


def _given(app: Application, service: Application) -> list[str]:
    return sorted(_roles(app, service.app_id)) if service.app_id in (GRAPH_APP, SHAREPOINT_APP) else []


def _role_id(service: str, role: str) -> str:
    return ids.guid(f"role{service[4:9]}", ids.digest([role]))
