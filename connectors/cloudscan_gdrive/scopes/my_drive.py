"""Everything that one person owns, in full or as far as it changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from cloudscan.connector import Cursor, Gap, Yielded
from cloudscan.facts import Outcome, Resource
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.listing import OWN_FILE, files
from cloudscan_gdrive.api.models import File, User
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.folder_tree import Folder, Tree
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.scopes.cursor_state import unpack
from cloudscan_gdrive.scopes.drive_context import DriveContext, malformed, unread
from cloudscan_gdrive.scopes.drive_walk import changed, everything, listed

_OWNERS_IN_A_QUERY = 30
_OPEN = " or ".join(
    f"visibility = '{visibility}'"
    for visibility in ("anyoneCanFind", "anyoneWithLink", "domainCanFind", "domainWithLink")
)


def facts_of_my_drive(
    google: Google, people: People, options: Options, user: str, drive: Resource, since: Cursor | None
) -> Iterator[Yielded]:
    """What a person owns, as far as it changed since the cursor; all of it where there is none.

    `user` is the address in whose name it is read (empty: the credentials' own). Raises as `Google.ask` does, and
    `StaleCursor` where the drive must be read in full.
    """
    tree = Tree(top=drive.uid)
    context = DriveContext(google, people, options, tree, drive.owner_uid)
    if since is not None:
        state = unpack(since.token, options)
        tree.roots = frozenset({state.root})
        yield from changed(MyDrive(context=context, user=user, root=state.root), state)
        return
    root = google.ask(File, google.file, user, fileId="root", fields="id").id
    tree.roots = frozenset({root})
    my_drive = MyDrive(context=context, user=user, root=root)
    if options.only_shared:
        yield Gap(
            table="grants",
            outcome=Outcome.SKIPPED,
            reason="only files that are open beyond named people were listed: no files shared with named external "
            "people, no published copies",
            resource_uid=drive.uid,
        )
        yield from listed(my_drive)  # changes cannot be filtered like that
    else:
        yield from everything(my_drive)


@dataclass(frozen=True, kw_only=True)
class MyDrive:
    """The files that one person owns, wherever in their folders or other people's they are."""

    context: DriveContext
    user: str
    root: str

    file_fields: ClassVar[str] = OWN_FILE
    start_parameters: ClassVar[Mapping[str, object]] = {}
    change_parameters: ClassVar[Mapping[str, object]] = {}
    takes_contents_along: ClassVar[bool] = False  # a folder's new owner does not become the owner of its contents
    members: ClassVar[str] = ""

    def files(self, folder: str | None = None) -> Iterator[File | Gap]:
        """All files that the person owns, or all in a folder, regardless of owner."""
        context = self.context
        if folder is not None:
            query = f"'{folder}' in parents"
        else:
            query = f"'me' in owners and ({_OPEN})" if context.options.only_shared else "'me' in owners"
        return files(context.google, context.options, self.user, context.tree.top, OWN_FILE, corpora="user", q=query)

    def contains(self, file: File) -> bool:
        """Whether the person owns it."""
        return bool(file.owners) and self.context.owner(file.owners[0].email_address) == self.context.owner_uid

    def folder(self, file: File) -> Folder:
        """A folder with the permissions that are listed with it."""
        permissions = self.context.permissions_of(file)
        return Folder(
            uid=uids.file(file.id),
            name=file.name,
            parent=file.parents[0] if file.parents else "",
            keys=frozenset(permission.meaning.key for permission in permissions.effective)
            if permissions
            else frozenset(),
            limited=file.inherited_permissions_disabled,
            trashed=file.trashed,
        )

    def facts_of(self, file: File) -> Iterator[Yielded]:
        """A file with its grants, each with the folder that it was inherited from."""
        context = self.context
        resource = context.resource(file)
        yield resource
        permissions = context.permissions_of(file)
        if permissions is None:
            yield from unread(resource.uid, resource.uid, (Outcome.DENIED, "Google does not show who may open it"))
            return
        tree = context.tree
        for permission in permissions.effective:
            meaning = permission.meaning
            if principal := context.first_mention(meaning):
                yield principal
            if permission.inherited:
                parent = tree.nearest(file.parents)
            elif permission.inherited is None and not file.inherited_permissions_disabled:
                parent = tree.carrying(file.parents, meaning.key)
            else:
                parent = ""
            origin = tree.origin(parent, meaning.key) if parent else resource.uid
            yield context.grant(meaning, resource.uid, origin)
        if permissions.broken:
            yield from unread(resource.uid, resource.uid, malformed(permissions.broken))


def files_of_others(
    google: Google, people: People, options: Options, user: str, owners: Sequence[User]
) -> Iterator[Yielded]:
    """What a user can open of what certain others own. Raises as `Google.ask` does."""
    drives: dict[str, MyDrive] = {}
    for owner in owners:
        tree = Tree(top=uids.my_drive(owner.id))
        context = DriveContext(google, people, options, tree, uids.user(owner.primary_email))
        drives[owner.primary_email.lower()] = MyDrive(context=context, user=user, root="")
    addresses = list(drives)
    for begin in range(0, len(addresses), _OWNERS_IN_A_QUERY):
        some = addresses[begin : begin + _OWNERS_IN_A_QUERY]
        query = " or ".join(f"'{_quoted(address)}' in owners" for address in some)
        for file in files(google, options, user, uids.user(user), OWN_FILE, corpora="user", q=query):
            if isinstance(file, Gap):
                yield file
            elif file.owners and (drive := drives.get(people.address_of(file.owners[0].email_address))):
                yield from drive.facts_of(file)


def _quoted(text: str) -> str:
    """For a text within a query (Drive guide, "Search for files and folders")."""
    return text.replace("\\", "\\\\").replace("'", "\\'")
