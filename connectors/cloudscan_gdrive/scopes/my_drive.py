"""Everything that one person owns, in full or as far as it changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from msgspec.structs import replace

from cloudscan.connector import Cursor, Gap, Yielded
from cloudscan.errors import ProviderError, QuotaSpent, StaleCursor
from cloudscan.facts import Grant, Outcome, Resource
from cloudscan.reason import Reason
from cloudscan_gdrive import questions
from cloudscan_gdrive.api.client import Google, Method
from cloudscan_gdrive.api.listing import OWN_FILE, Acting, files
from cloudscan_gdrive.api.models import File, TopFolder
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.folder_tree import Folder, Tree
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.meaning.translate import IDS_OF_LINKS, link_by_id
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.scopes.cursor_state import unpack
from cloudscan_gdrive.scopes.drive_context import DriveContext, malformed, marker
from cloudscan_gdrive.scopes.drive_walk import changed, everything, listed
from cloudscan_gdrive.scopes.quiet_drives import QuietDrives

_OPEN = " or ".join(
    f"visibility = '{visibility}'"
    for visibility in ("anyoneCanFind", "anyoneWithLink", "domainCanFind", "domainWithLink")
)


def facts_of_my_drive(
    google: Google,
    people: People,
    options: Options,
    user: str,
    drive: Resource,
    since: Cursor | None,
    quiet: QuietDrives | None = None,
) -> Iterator[Yielded]:
    """What a person owns, as far as it changed since the cursor; all of it where there is none.

    `user` is the address in whose name it is read (empty: the credentials' own). Raises as `listing.files` does, and
    `StaleCursor` where the drive must be read in full.
    """
    tree = Tree(top=drive.uid)
    context = DriveContext(google, people, options, tree, drive.owner_uid, quiet=quiet)
    acting, method = Acting((user,)), google.own_files
    if since is not None:
        state = unpack(since.token, options)
        tree.roots = frozenset({state.root})
        yield from changed(MyDrive(context=context, acting=acting, method=method, root=state.root), state)
        return
    root, gap = "", None
    try:
        root = google.ask(TopFolder, google.root, user, fileId="root", fields="id").id
        tree.roots = frozenset({root})
    except QuotaSpent:
        raise
    except ProviderError as error:
        gap = google.root.question.gap(error, drive.uid)
    my_drive = MyDrive(context=context, acting=acting, method=method, root=root)
    if options.only_shared:
        yield method.question.lacking(Reason(code=Code.ONLY_SHARED), drive.uid, outcome=Outcome.SKIPPED)
    if root and not options.only_shared:
        yield from everything(my_drive)
        return
    yield from listed(my_drive)  # changes cannot be filtered like that, and without its top folder it has no paths
    yield from context.gaps()
    if gap is not None:  # where not even the files can be listed, that is what there is to tell
        yield gap


@dataclass(frozen=True, kw_only=True)
class MyDrive:
    """The files that one person owns, wherever in their folders or other people's they are."""

    context: DriveContext
    acting: Acting
    method: Method  # by which its files are listed
    root: str

    file_fields: ClassVar[str] = OWN_FILE
    start_parameters: ClassVar[Mapping[str, object]] = {}
    change_parameters: ClassVar[Mapping[str, object]] = {}
    takes_contents_along: ClassVar[bool] = False  # a folder's new owner does not become the owner of its contents
    members: ClassVar[str] = ""

    @property
    def key(self) -> str:
        """The owner's address, as the Drive log has it."""
        return self.context.people.address_of(self.acting.user)

    def files(self, folder: str | None = None) -> Iterator[File | Gap]:
        """All files that the person owns, or all in a folder, regardless of owner."""
        context = self.context
        if folder is not None:
            query = f"'{folder}' in parents"
        else:
            query = f"'me' in owners and ({_OPEN})" if context.options.only_shared else "'me' in owners"
        return files(
            context.google,
            self.method,
            context.options,
            self.acting,
            context.tree.top,
            OWN_FILE,
            corpora="user",
            q=query,
        )

    def contains(self, file: File) -> bool:
        """Whether the person owns it. Raises `StaleCursor` where Drive does not say whose it is."""
        owner = self.context.owner(file.owners[0].email_address) if file.owners else None
        if owner is None and not file.drive_id:
            raise StaleCursor(Code.CHANGES_MALFORMED, count=1)
        return owner == self.context.owner_uid

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
        if not file.owners or not file.owners[0].email_address:
            resource = replace(resource, owner_uid=None)
            context.unread(resource.uid, Reason(code=Code.OWNER_UNKNOWN), questions.OWNERS)
        yield resource
        permissions = context.permissions_of(file)
        if permissions is None:
            context.unread(resource.uid, Reason(code=Code.PERMISSIONS_MISSING))
            yield marker(resource.uid, resource.uid)
            yield from _links_by_id(file, resource.uid)
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
        if permissions.broken or not permissions.has_owner:
            broken = permissions.broken
            context.unread(resource.uid, malformed(broken) if broken else Reason(code=Code.OWNER_MISSING))
            yield marker(resource.uid, resource.uid)


def _links_by_id(file: File, uid: str) -> Iterator[Grant]:
    """Links that the ids of the permissions prove, where the permissions themselves are not shown."""
    for identity in IDS_OF_LINKS:
        if identity in file.permission_ids:
            yield replace(link_by_id(identity), uid=f"{uid}#{identity}", resource_uid=uid, origin_uid=uid)
