"""What a shared drive's own switches leave of what was given in it.

Switching one on takes nothing away: whoever was let in before stays listed, and comes back when it is switched off.
Source: Admin help, "Control access to files in shared drives"; discovery document of Drive v3, Drive.restrictions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from cloudscan.facts import Audience, Grant
from cloudscan_gdrive.api.models import Permission, Restrictions, SharedDrive
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.meaning.translate import Meaning

_OURS = (Audience.OWNER, Audience.NAMED, Audience.ORGANISATION)


@dataclass(frozen=True, kw_only=True)
class Restricted:
    """The switches of a drive, and whom they spare."""

    switches: Restrictions
    members: frozenset[str]  # uids
    more_members: bool  # somebody may be one by a group or a domain that we cannot look into
    groups: frozenset[str]  # uids of groups of ours, who hold people of ours beside outsiders

    def leave(self, grant: Grant) -> Grant:
        """A grant as it works behind the switches."""
        if not grant.effective or grant.audience is None:
            return grant
        if self.switches.domain_users_only and grant.audience not in _OURS:
            if grant.principal_uid in self.groups:
                return replace(grant, audience=Audience.NAMED)
            return replace(grant, effective=False, blocked_by="domainUsersOnly")
        if self.switches.drive_members_only and grant.principal_uid not in self.members:
            by_name = grant.audience in (Audience.NAMED, Audience.NAMED_EXTERNAL)
            return replace(
                grant, effective=None if by_name and self.more_members else False, blocked_by="driveMembersOnly"
            )
        return grant


def restrictions_of(drive: SharedDrive, members: Sequence[tuple[Permission, Meaning]], people: People) -> Restricted:
    """What is switched on for a drive with these members."""
    named = {found.principal.uid for _, found in members if found.principal}
    in_groups = {
        uids.user(user.primary_email)
        for member, _ in members
        if member.type == "group"
        for user in people.users_in(member.email_address)
    }
    return Restricted(
        switches=drive.restrictions or Restrictions(),
        members=frozenset(named | in_groups),
        more_members=any(
            member.type not in ("user", "group")
            or (member.type == "group" and found.grant.audience is not Audience.NAMED)
            for member, found in members
        ),
        groups=frozenset(uids.group(address) for address in people.groups),
    )
