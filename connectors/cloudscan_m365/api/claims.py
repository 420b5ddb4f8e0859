"""What an access token says of the application: its tenant, its own object in the directory, its permissions."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

INCLUDED_IN: Final[Mapping[str, Sequence[str]]] = {
    "Sites.Read.All": ("Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"),
    "User.Read.All": ("User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "GroupMember.Read.All": ("Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "Application.Read.All": ("Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "Team.ReadBasic.All": ("TeamSettings.Read.All", "Group.Read.All", "Directory.Read.All"),
    "Channel.ReadBasic.All": ("ChannelSettings.Read.All", "Group.Read.All", "Directory.Read.All"),
}
"""The larger permissions that include a smaller one (Microsoft Graph permissions reference)."""


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of an access token of an application, as far as they are looked at."""

    roles: frozenset[str] = frozenset()  # its application permissions
    tid: str = ""  # its tenant
    oid: str = ""  # its service principal

    def has(self, permission: str) -> bool:
        """Whether the application has a permission, or a larger one. Of what the token does not say: no."""
        return not self.roles.isdisjoint({permission, *INCLUDED_IN.get(permission, ())})


def claims_of(token: str) -> Claims:
    """The claims in an access token; empty ones where they cannot be read."""
    body = token.split(".")[1] if token.count(".") > 1 else ""
    try:
        claims = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        return msgspec.json.decode(claims, type=Claims)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        return Claims()
