"""What a shared drive's own switches leave of the permissions that were given in it.

Switching one on removes nothing: permissions that were given before stay listed, and apply again when it is switched
off. Sources: Admin help, "Control access to files in shared drives"; discovery document of Drive v3
(Drive.restrictions).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from cloudscan.facts import Audience, Grant
from cloudscan_gdrive.api.models import DownloadRestriction, Permission, Restrictions, SharedDrive
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.accounts import outside_address
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.meaning.translate import Meaning

DOMAIN_USERS_ONLY: Final = "drive-domain-users-only"
MEMBERS_ONLY: Final = "drive-members-only"
_OURS: Final = (Audience.OWNER, Audience.NAMED, Audience.ORGANISATION)


@dataclass(frozen=True, kw_only=True)
class DriveRestrictions:
    """The switches of a drive, and the principals that they do not concern."""

    switches: Restrictions
    members: frozenset[str]  # uids
    more_members: bool  # there may be others, by a group or a domain whose members we cannot read
    groups: frozenset[str]  # uids of our groups, which may have members of ours beside external ones
    guests: frozenset[str]  # uids of the directory's; guessed: nothing says whether they count as users of the domain

    def applied_to(self, grant: Grant) -> Grant:
        """A grant with what the switches leave of it: unchanged, narrowed, blocked, or not known."""
        if not grant.effective or grant.audience is None:
            return grant
        if self.switches.domain_users_only is not False and grant.audience not in _OURS:
            if not self.switches.domain_users_only:
                return replace(grant, effective=None, blocked_by=DOMAIN_USERS_ONLY)
            if grant.principal_uid in self.groups:
                return replace(grant, audience=Audience.NAMED)
            if grant.principal_uid in self.guests:
                return replace(grant, effective=None, blocked_by=DOMAIN_USERS_ONLY)
            return replace(grant, effective=False, blocked_by=DOMAIN_USERS_ONLY)
        if self.switches.drive_members_only is not False and grant.principal_uid not in self.members:
            by_name = grant.audience in (Audience.NAMED, Audience.NAMED_EXTERNAL)
            perhaps = not self.switches.drive_members_only or (by_name and self.more_members)
            return replace(grant, effective=None if perhaps else False, blocked_by=MEMBERS_ONLY)
        return grant


def readers_cannot_copy(switches: Restrictions) -> bool | None:
    """Whether readers can neither download nor print nor copy, by either of the two switches; None: not known."""
    by_managers = switches.download_restriction or DownloadRestriction()
    if by_managers.restricted_for_readers or by_managers.restricted_for_writers:
        return True
    return switches.copy_requires_writer_permission


def restrictions_of(
    drive: SharedDrive, members: Sequence[tuple[Permission, Meaning]], people: People, *, all_members: bool
) -> DriveRestrictions:
    """What is switched on for a drive with these members."""
    named = {meaning.principal.uid for _, meaning in members if meaning.principal}
    in_groups = {
        uids.user(user.primary_email)
        for member, _ in members
        if member.type == "group"
        for user in people.users_in(member.email_address)
    }
    return DriveRestrictions(
        switches=drive.restrictions or Restrictions(),
        members=frozenset(named | in_groups),
        more_members=not all_members
        or any(
            member.type not in ("user", "group")
            or (member.type == "group" and meaning.grant.audience is not Audience.NAMED)
            for member, meaning in members
        ),
        groups=frozenset(uids.group(address) for address in people.groups),
        guests=frozenset(uids.user(outside_address(guest)) for guest in people.guests.values()),
    )
