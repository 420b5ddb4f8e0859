"""Teams, their channels and members.

Sources: team, channel, conversationMember and sharedWithChannelTeamInfo resources. The type of `shared`
channels is unknownFutureValue unless a Prefer header asks for later members of the enumeration. The files of private
and shared channels are in separate sites.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudscan_emulators.microsoft import errors, ids
from cloudscan_emulators.microsoft.calls import Call, Result, Shape, collection, single
from cloudscan_emulators.microsoft.quirks import Quirks
from cloudscan_emulators.microsoft.records import NOBODY, Channel, ExternalUser, Group, Person
from cloudscan_emulators.microsoft.tenant_state import TenantState
from cloudscan_emulators.microsoft.text import NO_TIME, moment

Json = dict[str, Any]
_LATER = "include-unknown-enum-members"


class TeamsApi:
    """Answers for /teams."""

    def __init__(self, state: TenantState, quirks: Quirks, drive_item: Callable[[Call, int], Result]) -> None:
        self._state = state
        self._quirks = quirks
        self._drive_item = drive_item
        self.methods: Mapping[str, Callable[[Call], Result]] = {
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
        }

    def _team(self, call: Call, name: str) -> Group:
        team = self._state.find(call.values[name])
        if not isinstance(team, Group) or not team.team:
            raise errors.no_such_team(call.values[name])
        return team

    def _teams(self, call: Call) -> Result:
        return collection(call, self._team_shape(), [group for group in self._state.groups if group.team])

    def _team_view(self, group: Group) -> Json:
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
            "tenantId": self._state.tenant_id,
            "guestSettings": {"allowCreateUpdateChannels": False, "allowDeleteChannels": False},
        }

    def _team_members(self, call: Call) -> Result:
        group = self._team(call, "team")
        roles = dict.fromkeys(self._state.closure(group), "") | dict.fromkeys(group.owners, "owner")
        return self._conversation(call, roles)

    def _channels(self, call: Call) -> Result:
        group = self._team(call, "team")
        return collection(call, self._channel_shape(call), group.channels)

    def _channel(self, call: Call) -> Channel:
        for channel in self._team(call, "team").channels:
            if _channel_id(channel) == call.values["channel"]:
                return channel
        raise errors.Refused(404, "NotFound", "No channel found with that id.")

    def _channel_members(self, call: Call) -> Result:
        channel = self._channel(call)
        if channel.membership == "standard":
            return self._team_members(call)
        return self._conversation(call, channel.members)

    def _conversation(self, call: Call, roles: Mapping[int, str]) -> Result:
        shape = Shape(
            kind="conversationMember",
            view=lambda pair: self._member_view(*pair),
            context="members",
            default=self._quirks.teams_page,
        )
        principals = [(self._state.principals[number], role) for number, role in roles.items()]
        people = [
            (principal, role)
            for principal, role in principals
            if isinstance(principal, Person | ExternalUser) and not principal.deleted
        ]
        return collection(call, shape, people)

    def _member_view(self, member: Person | ExternalUser, role: str) -> Json:
        guest = isinstance(member, Person) and member.guest
        tenant = member.tenant if isinstance(member, ExternalUser) else self._state.tenant_id
        return {
            "@odata.type": "#microsoft.graph.aadUserConversationMember",
            "id": ids.packed(f"{member.number}:{role}:member"),
            "roles": [role] if role else ["guest"] if guest else [],
            "displayName": member.name,
            "visibleHistoryStartDateTime": NO_TIME,
            "userId": member.id,
            "email": member.mail or None,
            "tenantId": tenant,
        }

    def _shared_with(self, call: Call) -> Result:
        channel = self._channel(call)
        group = self._team(call, "team")
        views: list[Json] = []
        if channel.membership == "shared":
            own = {"id": group.id, "displayName": group.name, "tenantId": self._state.tenant_id, "isHostTeam": True}
            views.append(own)
            for number, text in enumerate(channel.shared_with):
                tenant, _, name = text.partition("|")
                identity = ids.guid("foreign team", channel.number * 10 + number)
                views.append({"id": identity, "displayName": name, "tenantId": tenant, "isHostTeam": False})
        return collection(call, Shape(kind="sharedWithChannelTeamInfo", view=dict, context="sharedWithTeams"), views)

    def _files_folder(self, call: Call) -> Result:
        channel = self._channel(call)
        group = self._team(call, "team")
        site = channel.site if channel.site != NOBODY else group.site
        if site == NOBODY:
            raise errors.no_such_item()
        return self._drive_item(call, self._state.sites[site].drives[0])

    def _team_shape(self) -> Shape:
        return Shape(kind="team", view=self._team_view, context="teams", default=self._quirks.teams_page)

    def _channel_shape(self, call: Call) -> Shape:
        later = call.prefers(_LATER)

        def view(channel: Channel) -> Json:
            kind = "unknownFutureValue" if channel.membership == "shared" and not later else channel.membership
            return {
                "id": _channel_id(channel),
                "createdDateTime": moment(channel.created),
                "displayName": channel.name,
                "description": None,
                "email": "",
                "isArchived": False,
                "membershipType": kind,
                "tenantId": self._state.tenant_id,
                "webUrl": f"https://teams.microsoft.com/l/channel/{_channel_id(channel)}",
            }

        return Shape(kind="channel", view=view, context="channels", default=self._quirks.teams_page)


def _channel_id(channel: Channel) -> str:
    return f"19:{ids.guid('channel', channel.number).replace('-', '')}@thread.tacv2"
