"""What a user can open of suspended accounts' files: nobody may act as those, so their own drives cannot be read.

One list for each user, which is seldom more than a page. It is not asked for where it was read before, and neither the
Drive log nor the directory says anything that could have changed it.
"""

import base64
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from cloudscan.connector import Cursor, Gap, Yielded
from cloudscan.errors import StaleCursor
from cloudscan.facts import Gone, Resource
from cloudscan.http import decoder
from cloudscan.reason import Reason
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.listing import OWN_FILE, Acting, files
from cloudscan_gdrive.api.models import User
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.folder_tree import Tree
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.scopes.cursor_state import digest, digest_of_options
from cloudscan_gdrive.scopes.drive_context import DriveContext
from cloudscan_gdrive.scopes.external_files import anywhere
from cloudscan_gdrive.scopes.my_drive import MyDrive
from cloudscan_gdrive.scopes.quiet_drives import Known, QuietDrives

_OWNERS_IN_A_QUERY = 30
_FILE = f"{OWN_FILE},permissionIds"  # who may not share a file is not shown its permissions


class _State(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of the list's cursor."""

    conditions: str  # digest of what the list is translated by, and of the owners
    asked_on: datetime
    known_until: datetime
    resources: Sequence[str]  # uids of what was listed


@dataclass(frozen=True, kw_only=True)
class LeftBehind:
    """What one user can open of what suspended accounts own."""

    google: Google
    people: People
    options: Options
    user: User
    owners: Sequence[User]
    quiet: QuietDrives | None

    @property
    def uid(self) -> str:
        """The scope's."""
        return uids.left_behind(self.user.id)

    def facts(self, since: Cursor | None) -> Iterator[Yielded]:
        """All of it, or only the cursor where nothing can have changed since. Raises as `listing.files` does.

        Raises `StaleCursor` where what was kept would be translated in another way.
        """
        state = self._unpacked(since) if since else None
        if state and self.quiet:
            known = Known(asked_on=state.asked_on, until=state.known_until)
            untouched_until = self.quiet.untouched_until(self._owners, known, turn=self.uid)
            if untouched_until is not None:
                yield self._cursor(state.resources, state.asked_on, untouched_until)
                return
        listed: list[str] = []
        whole = True
        for row in files_of_others(self.google, self.people, self.options, self.user.primary_email, self.owners):
            whole = whole and not isinstance(row, Gap)
            if isinstance(row, Resource):
                listed.append(row.uid)
            yield row
        for uid in set(state.resources).difference(listed) if state else ():
            yield Gone(uid=uid)
        if whole and self.quiet:
            yield self._cursor(listed, self.quiet.now, self.quiet.now)

    @property
    def _owners(self) -> frozenset[str]:
        return frozenset(self.people.address_of(owner.primary_email) for owner in self.owners)

    @property
    def _conditions(self) -> str:
        """Who gets into a group can open what is shared with it, and a permission means what the group is."""
        groups = [
            (address, info.name, info.external_members, info.everyone, info.unread, info.join)
            for address, info in sorted(self.people.groups.items())
        ]
        own = sorted(self.people.groups_of(self.user.primary_email))
        known = (sorted(self.people.domains), self.people.all_domains_read, self.people.all_users_read)
        return digest([digest_of_options(self.options), sorted(self._owners), own, groups, known])

    def _cursor(self, resources: Sequence[str], asked_on: datetime, known_until: datetime) -> Cursor:
        state = _State(
            conditions=self._conditions, asked_on=asked_on, known_until=known_until, resources=tuple(resources)
        )
        token = base64.b64encode(zlib.compress(msgspec.json.encode(state), level=1)).decode()
        return Cursor(scope_uid=self.uid, token=token)

    def _unpacked(self, cursor: Cursor) -> _State:
        try:
            state = decoder(_State).decode(zlib.decompress(base64.b64decode(cursor.token)))
        except (ValueError, zlib.error, msgspec.MsgspecError) as error:
            raise StaleCursor(Code.CURSOR_OF_ANOTHER_VERSION) from error
        if state.conditions != self._conditions:
            raise StaleCursor(Code.MEANINGS_CHANGED)
        return state


def files_of_others(
    google: Google, people: People, options: Options, user: str, owners: Sequence[User]
) -> Iterator[Yielded]:
    """What a user can open of what certain others own. Raises as `listing.files` does."""
    drives: dict[str, MyDrive] = {}
    acting, method = Acting((user,)), google.files_of_others
    for owner in owners:
        tree = Tree(top=uids.my_drive(owner.id))
        context = DriveContext(google, people, options, tree, uids.user(owner.primary_email))
        drives[owner.primary_email.lower()] = MyDrive(context=context, acting=acting, method=method, root="")
    addresses = list(drives)
    for begin in range(0, len(addresses), _OWNERS_IN_A_QUERY):
        some = addresses[begin : begin + _OWNERS_IN_A_QUERY]
        query = " or ".join(f"'{_quoted(address)}' in owners" for address in some)
        for file in files(google, method, options, acting, uids.user(user), _FILE, corpora="user", q=query):
            if isinstance(file, Gap):
                yield anywhere(file)
                continue
            drive = drives.get(people.address_of(file.owners[0].email_address)) if file.owners else None
            if drive:
                yield from drive.facts_of(file)
            else:
                yield method.question.lacking(Reason(code=Code.OWNER_UNKNOWN))
    for drive in drives.values():
        yield from drive.context.gaps()


def _quoted(text: str) -> str:
    """For a text within a query (Drive guide, "Search for files and folders")."""
    return text.replace("\\", "\\\\").replace("'", "\\'")
