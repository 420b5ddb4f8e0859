"""Everything that one person owns, in full or as far as it changed."""

from collections.abc import Iterator, Sequence

from cloudscan.connector import Cursor, Gap
from cloudscan.facts import AnyFact, Gone, Outcome, Resource
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.listing import FOLDER, OWN_FILE, below, changes, files, folders_first, start_of_changes
from cloudscan_gdrive.api.models import Change, File, User
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.folder_tree import Folder, Tree
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.scopes.cursor_state import CursorState, check_meanings, digest_of_options, met, pack
from cloudscan_gdrive.scopes.drive_context import DriveContext, senseless, unread

Told = AnyFact | Gap | Cursor

_OWNERS_IN_A_QUERY = 30
_OPEN = " or ".join(
    f"visibility = '{each}'" for each in ("anyoneCanFind", "anyoneWithLink", "domainCanFind", "domainWithLink")
)


def facts_of_my_drive(google: Google, people: People, options: Options, user: str, drive: Resource) -> Iterator[Told]:
    """Everything that a user owns. `user` is who is asked for (empty: the credentials' own)."""
    page = start_of_changes(google, user)
    root = google.ask(File, google.file, user, fileId="root", fields="id").id
    reading = _reading(google, people, options, drive, root)
    query = f"'me' in owners and ({_OPEN})" if options.only_shared else "'me' in owners"
    if options.only_shared:
        yield Gap(
            table="grants",
            outcome=Outcome.SKIPPED,
            reason="only what is open beyond named people was asked for: no files shared with named outsiders, no "
            "published copies",
            resource_uid=drive.uid,
        )
    listed = files(google, options, user, drive.uid, OWN_FILE, corpora="user", q=query)
    for file in folders_first(listed, lambda folder: _remember(reading, folder)):
        if isinstance(file, Gap):
            yield file
        else:
            yield from _file(reading, file)
    if not options.only_shared:  # changes cannot be filtered like that
        yield _cursor(reading, options, page, root)


def changes_of_my_drive(
    google: Google, people: People, options: Options, user: str, drive: Resource, mark: CursorState
) -> Iterator[Told]:
    """What changed since the mark was set. Raises `StaleCursor` where that cannot be told."""
    reading = _reading(google, people, options, drive, mark.root)
    reading.tree.folders.update(mark.folders)
    check_meanings(reading, mark)
    found, page = changes(google, user, mark.page, OWN_FILE)
    again: dict[str, File] = {}
    reread: list[str] = []
    for identity, change in found.items():
        if _moved_what_lies_in_it(reading, identity, change):
            reread.append(identity)
        if change.file is not None and _is_mine(reading, change.file):
            again[identity] = change.file
        else:
            yield Gone(uid=uids.file(identity))

    def note(file: File) -> None:
        if _is_mine(reading, file):
            again[file.id] = file
            if file.mime_type == FOLDER:
                _remember(reading, file)

    def inside(folder: str) -> Iterator[File | Gap]:
        query = f"'{folder}' in parents"
        return files(google, options, user, drive.uid, OWN_FILE, corpora="user", q=query)

    yield from below(reread, inside, note)
    reading.tree.forget_places()
    for file in again.values():
        yield from _file(reading, file)
    yield _cursor(reading, options, page, mark.root)


def files_of_others(
    google: Google, people: People, options: Options, user: str, owners: Sequence[User]
) -> Iterator[Told]:
    """What a user can open of what certain others own."""
    readings = {
        each.primary_email.lower(): DriveContext(
            google, people, options, Tree(top=uids.my_drive(each.id)), uids.user(each.primary_email)
        )
        for each in owners
    }
    addresses = list(readings)
    for begin in range(0, len(addresses), _OWNERS_IN_A_QUERY):
        named = addresses[begin : begin + _OWNERS_IN_A_QUERY]
        query = " or ".join(f"'{_quoted(address)}' in owners" for address in named)
        for file in files(google, options, user, uids.user(user), OWN_FILE, corpora="user", q=query):
            if isinstance(file, Gap):
                yield file
            elif file.owners and (reading := readings.get(people.address_of(file.owners[0].email_address))):
                yield from _file(reading, file)


def _quoted(text: str) -> str:
    """For a text within a query (Drive guide, "Search for files and folders")."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _moved_what_lies_in_it(reading: DriveContext, identity: str, change: Change) -> bool:
    """Take note of a folder's change; tells whether what lies in it may be told otherwise now."""
    before = reading.tree.folders.get(identity)
    file = change.file
    if file is None or file.mime_type != FOLDER:
        reading.tree.folders.pop(identity, None)
        return False  # what lay in a folder that is gone has changes of its own
    if not _is_mine(reading, file):
        reading.tree.folders.pop(identity, None)
        return True
    _remember(reading, file)
    return before != reading.tree.folders[identity]


def _is_mine(reading: DriveContext, file: File) -> bool:
    return bool(file.owners) and reading.owner(file.owners[0].email_address) == reading.owner_uid


def _reading(google: Google, people: People, options: Options, drive: Resource, root: str) -> DriveContext:
    return DriveContext(google, people, options, Tree(top=drive.uid, roots=frozenset({root})), drive.owner_uid)


def _cursor(reading: DriveContext, options: Options, page: str, root: str) -> Cursor:
    mark = CursorState(
        page=page,
        options=digest_of_options(options),
        root=root,
        folders=list(reading.tree.folders.items()),
        met=met(reading),
    )
    return Cursor(scope_uid=reading.tree.top, token=pack(mark))


def _file(reading: DriveContext, file: File) -> Iterator[Told]:
    resource = reading.resource(file)
    yield resource
    listed = reading.carried(file)
    if listed is None:
        yield from unread(resource.uid, resource.uid, (Outcome.DENIED, "Google does not show who may open it"))
        return
    tree = reading.tree
    for each in listed.carried:
        found = each.meaning
        if newcomer := reading.newcomer(found):
            yield newcomer
        if each.inherited:
            above = tree.nearest(file.parents)
        elif each.inherited is None and not file.inherited_permissions_disabled:
            above = tree.carrying(file.parents, found.key)
        else:
            above = ""
        origin = tree.origin(above, found.key) if above else resource.uid
        yield reading.grant(found, resource.uid, origin)
    if listed.broken:
        yield from unread(resource.uid, resource.uid, senseless(listed.broken))


def _remember(reading: DriveContext, file: File) -> None:
    listed = reading.carried(file)
    reading.tree.folders[file.id] = Folder(
        uid=uids.file(file.id),
        name=file.name,
        parent=file.parents[0] if file.parents else "",
        keys=frozenset(each.meaning.key for each in listed.carried) if listed else frozenset(),
        limited=file.inherited_permissions_disabled,
        trashed=file.trashed,
    )
