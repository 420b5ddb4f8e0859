"""Reading one drive, somebody's own or a shared one: every file, and every way into it.

Lists come with folders first (`orderBy=folder`), so that what lies in a folder can be told from what was shared by
itself. Folders are kept until the first file comes; files are told as they come.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec

from cloudscan.connector import Gap
from cloudscan.errors import Malformed
from cloudscan.facts import (
    Access,
    Affiliation,
    AnyFact,
    Audience,
    Grant,
    Membership,
    Outcome,
    Principal,
    Resource,
    Setting,
    Via,
)
from cloudscan_gdrive import uids
from cloudscan_gdrive.answers import File, Files, Permission, Permissions, RawFiles, Restrictions, SharedDrive, User
from cloudscan_gdrive.google import Google, Vanished
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.people import People
from cloudscan_gdrive.translate import Meaning, is_inherited, meaning
from cloudscan_gdrive.tree import Folder, Tree

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"
_PERMISSION = (
    "id,type,role,emailAddress,domain,allowFileDiscovery,expirationTime,deleted,pendingOwner,view,"
    "permissionDetails(permissionType,role,inherited,inheritedFrom)"
)
_COMMON = (
    "id,name,mimeType,parents,size,createdTime,modifiedTime,trashed,copyRequiresWriterPermission,"
    "inheritedPermissionsDisabled,shortcutDetails(targetId),labelInfo"
)
FIELDS_OF_MY_DRIVE = (
    f"nextPageToken,incompleteSearch,files({_COMMON},owners(emailAddress),writersCanShare,permissions({_PERMISSION}))"
)
FIELDS_OF_SHARED_DRIVE = f"nextPageToken,incompleteSearch,files({_COMMON},hasAugmentedPermissions)"
_PERMISSIONS = f"nextPageToken,permissions({_PERMISSION})"
_OPEN = " or ".join(
    f"visibility = '{each}'" for each in ("anyoneCanFind", "anyoneWithLink", "domainCanFind", "domainWithLink")
)

_SWITCHES = (
    "domain_users_only",
    "drive_members_only",
    "copy_requires_writer",
    "folders_shared_by_managers_only",
    "managers_set_restrictions",
)

_PLAIN: Mapping[str, str] = {}

Told = AnyFact | Gap


@dataclass
class _Reading:
    """One drive while it is read."""

    google: Google
    people: People
    options: Options
    tree: Tree
    owner_uid: str | None  # of what has no owner of its own
    meanings: dict[object, Meaning | None] = field(default_factory=dict)
    by_key: dict[str, Meaning] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)  # principals
    owners: dict[str, str | None] = field(default_factory=dict)  # address: uid

    def meaning(self, permission: Permission) -> Meaning | None:
        """The same permission stands on many files: it is thought about once."""
        known = (permission.id, permission.role, permission.view, permission.expiration_time, permission.pending_owner,
                 permission.allow_file_discovery, permission.deleted)  # fmt: skip
        if known not in self.meanings:
            found = self.meanings[known] = meaning(permission, self.people)
            if found:
                self.by_key[found.key] = found
        return self.meanings[known]

    def grant(self, found: Meaning, resource: str, origin: str) -> Iterator[AnyFact]:
        if found.principal is not None and found.principal.uid not in self.told:
            self.told.add(found.principal.uid)
            yield found.principal
        given = found.grant
        yield Grant(
            uid=f"{resource}#{found.key}",
            resource_uid=resource,
            origin_uid=origin,
            inherited=origin != resource,
            principal_uid=given.principal_uid,
            audience=given.audience,
            access=given.access,
            via=given.via,
            discoverable=given.discoverable,
            expires_on=given.expires_on,
            effective=given.effective,
            blocked_by=given.blocked_by,
            # An inherited grant has the reasons of the one it comes from; a hundred thousand copies would say no more.
            detail=given.detail if origin == resource else {},
        )

    def resource(self, file: File) -> Resource:
        folder = file.mime_type == FOLDER
        return Resource(
            uid=uids.file(file.id),
            platform=uids.PLATFORM,
            account=self.people.primary,
            kind="folder" if folder else "shortcut" if file.mime_type == SHORTCUT else "file",
            name=file.name,
            path=self.tree.path(file.parents, file.name),
            parent_uid=self.tree.parent_uid(file.parents),
            container_uid=self.tree.top,
            owner_uid=self.owner(file.owners[0].email_address) if file.owners else self.owner_uid,
            content_type=file.mime_type,
            size_bytes=int(file.size) if file.size.isdecimal() else 0,
            created_on=file.created_time,
            modified_on=file.modified_time,
            label=self._label(file) if file.label_info else "",
            url=f"https://drive.google.com/{'drive/folders/' if folder else 'open?id='}{file.id}",
            detail=_detail(file) if _is_special(file) else _PLAIN,
        )

    def owner(self, email: str) -> str | None:
        """The uid of an owner, who is the same for most files."""
        found = self.owners.get(email)
        if found is None:
            found = self.owners[email] = uids.user(self.people.address_of(email)) if email else self.owner_uid
        return found

    def _label(self, file: File) -> str:
        labels = file.label_info.labels if file.label_info else ()
        titles = (self.options.labels.get(label.id, "") for label in labels)
        return ", ".join(title for title in titles if title)


def _is_special(file: File) -> bool:
    return (
        file.trashed
        or file.copy_requires_writer_permission
        or file.inherited_permissions_disabled
        or file.writers_can_share is False
        or file.shortcut_details is not None
    )


def _detail(file: File) -> Mapping[str, str]:
    told = {
        "trashed": "true" if file.trashed else "",
        "copy_restricted": "true" if file.copy_requires_writer_permission else "",
        "limited_access": "true" if file.inherited_permissions_disabled else "",
        "writers_can_share": "false" if file.writers_can_share is False else "",
        "target_uid": uids.file(file.shortcut_details.target_id) if file.shortcut_details else "",
    }
    return {name: value for name, value in told.items() if value}


def facts_of_my_drive(google: Google, people: People, options: Options, user: str, drive: Resource) -> Iterator[Told]:
    """Everything that a user owns. `user` is who is asked for (empty: the credentials' own)."""
    root = google.ask(File, google.file, user, fileId="root", fields="id").id
    tree = Tree(top=drive.uid, roots=frozenset({root}))
    reading = _Reading(google, people, options, tree, drive.owner_uid)
    if drive.owner_uid:
        reading.told.add(drive.owner_uid)
    query = f"'me' in owners and ({_OPEN})" if options.only_shared else "'me' in owners"
    if options.only_shared:
        yield Gap(
            table="grants",
            outcome=Outcome.SKIPPED,
            reason="only what is open beyond named people was asked for; files shared with named outsiders were not",
            resource_uid=drive.uid,
        )
    listed = _listed(google, options, user, drive.uid, corpora="user", q=query, fields=FIELDS_OF_MY_DRIVE)
    for file in _folders_first(listed, lambda folder: _remember_own(reading, folder)):
        if isinstance(file, Gap):
            yield file
        else:
            yield from _own_file(reading, file)


def facts_of_shared_drive(
    google: Google, people: People, options: Options, admin: str, found: SharedDrive
) -> Iterator[Told]:
    """A shared drive, its members, and everything in it."""
    uid = uids.shared_drive(found.id)
    everyone = Principal(
        uid=uids.drive_members(found.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind="group",
        name=f"members of {found.name}",
        affiliation=Affiliation.INTERNAL,
        status="active",
    )
    yield everyone
    yield Resource(
        uid=uid,
        platform=uids.PLATFORM,
        account=people.primary,
        kind="shared_drive",
        name=found.name,
        path=found.name,
        owner_uid=everyone.uid,
        size_bytes=0,
        created_on=found.created_time,
        url=f"https://drive.google.com/drive/folders/{found.id}",
        detail={"hidden": "true"} if found.hidden else {},
    )
    members = _permissions(google, admin, found.id, useDomainAdminAccess=True)
    reading = _Reading(google, people, options, Tree(top=uid, roots=frozenset({found.id})), everyone.uid)
    outside: list[Meaning] = []
    strongest = Access.READ
    for member in members:
        known = reading.meaning(member)
        if known is None:
            continue
        for fact in reading.grant(known, uid, uid):
            yield msgspec.structs.replace(fact, via=Via.MEMBERSHIP) if isinstance(fact, Grant) else fact
        if known.principal:
            yield Membership(group_uid=everyone.uid, member_uid=known.principal.uid, role=member.role)
        if known.grant.audience is None or known.grant.audience > Audience.NAMED:
            outside.append(known)
        strongest = max(strongest, known.grant.access)
    yield from _restrictions(found, uid, members, people)
    actor = _actor(members, people)
    if actor is None:
        yield Gap(
            table="resources",
            outcome=Outcome.DENIED,
            reason="none of our active users is a member, so nobody can look inside",
            needs="a member of ours in the drive",
            resource_uid=uid,
        )
        return
    within = Grant(
        uid="",
        resource_uid="",
        origin_uid=uid,
        inherited=True,
        principal_uid=everyone.uid,
        audience=Audience.NAMED,
        access=strongest,
        via=Via.MEMBERSHIP,
    )
    listed = _listed(google, options, actor, uid, corpora="drive", driveId=found.id, includeItemsFromAllDrives=True,
                     supportsAllDrives=True, fields=FIELDS_OF_SHARED_DRIVE)  # fmt: skip
    direct: dict[str, Sequence[Permission]] = {}
    for file in _folders_first(listed, lambda folder: _remember_shared(reading, actor, folder, direct)):
        if isinstance(file, Gap):
            yield file
        else:
            yield from _shared_file(reading, actor, file, within, outside, direct)


def _own_file(reading: _Reading, file: File) -> Iterator[Told]:
    resource = reading.resource(file)
    if resource.owner_uid and resource.owner_uid not in reading.told and file.owners:
        reading.told.add(resource.owner_uid)
        yield reading.people.principal("user", file.owners[0].email_address)
    yield resource
    if file.permissions is None:
        yield Grant(
            uid=f"{resource.uid}#unread", resource_uid=resource.uid, audience=None, access=Access.READ, via=Via.DIRECT
        )
        yield Gap(
            table="grants",
            outcome=Outcome.DENIED,
            reason="Google does not show who may open it",
            resource_uid=resource.uid,
        )
        return
    for permission in file.permissions:
        found = reading.meaning(permission)
        if found is None:
            continue
        inherited = is_inherited(permission)
        if inherited is None:
            inherited = not file.inherited_permissions_disabled and reading.tree.inherits(file.parents, found.key)
        parent = next((each for each in file.parents if each in reading.tree.folders), "")
        origin = reading.tree.origin(parent, found.key) if inherited and parent else resource.uid
        yield from reading.grant(found, resource.uid, origin)


def _shared_file(
    reading: _Reading,
    actor: str,
    file: File,
    within: Grant,
    outside: Sequence[Meaning],
    direct: dict[str, Sequence[Permission]],
) -> Iterator[Told]:
    resource = reading.resource(file)
    uid = resource.uid
    yield resource
    above = {} if file.inherited_permissions_disabled else reading.tree.above(file.parents)
    cut = file.inherited_permissions_disabled or any(folder.limited for folder in above.values())
    if not cut:
        yield msgspec.structs.replace(within, uid=f"{uid}#members", resource_uid=uid)
        for found in outside:
            for fact in reading.grant(found, uid, reading.tree.top):
                yield msgspec.structs.replace(fact, via=Via.MEMBERSHIP) if isinstance(fact, Grant) else fact
    told: set[str] = set()
    given = direct.pop(file.id, None)
    for permission in _direct(reading, actor, file) if given is None else given:
        found_here = reading.meaning(permission)
        if found_here and found_here.key not in told:
            told.add(found_here.key)
            yield from reading.grant(found_here, uid, uid)
    for folder in above.values():
        for key in folder.keys - told:
            told.add(key)
            yield from reading.grant(reading.by_key[key], uid, folder.uid)


def _remember_own(reading: _Reading, file: File) -> None:
    carried = [reading.meaning(permission) for permission in file.permissions or ()]
    reading.tree.folders[file.id] = Folder(
        uid=uids.file(file.id),
        name=file.name,
        parent=file.parents[0] if file.parents else "",
        keys=frozenset(found.key for found in carried if found),
        limited=file.inherited_permissions_disabled,
    )


def _remember_shared(reading: _Reading, actor: str, file: File, direct: dict[str, Sequence[Permission]]) -> None:
    """In a shared drive a folder's keys are those given on the folder itself."""
    given = _direct(reading, actor, file)
    direct[file.id] = given
    carried = [reading.meaning(permission) for permission in given]
    reading.tree.folders[file.id] = Folder(
        uid=uids.file(file.id),
        name=file.name,
        parent=file.parents[0] if file.parents else "",
        keys=frozenset(found.key for found in carried if found),
        limited=file.inherited_permissions_disabled,
    )


def _direct(reading: _Reading, actor: str, file: File) -> Sequence[Permission]:
    """What was given on an item of a shared drive itself; it is asked for only where Drive says that there is some."""
    if not file.has_augmented_permissions:
        return ()
    try:
        found = _permissions(reading.google, actor, file.id)
    except Vanished:
        return ()
    return [
        permission
        for permission in found
        if permission.permission_details is None
        or any(not detail.inherited and detail.permission_type == "file" for detail in permission.permission_details)
    ]


def _folders_first(listed: Iterator[File | Gap], remember: Any) -> Iterator[File | Gap]:
    """Hold folders back until all are known, so that each finds its parents."""
    folders: list[File] | None = []
    for file in listed:
        if isinstance(file, Gap):
            yield file
        elif file.mime_type == FOLDER:
            remember(file)
            if folders is None:
                yield file  # a server that does not keep the order
            else:
                folders.append(file)
        else:
            if folders is not None:
                yield from folders
                folders = None
            yield file
    yield from folders or ()


def _listed(google: Google, options: Options, user: str, place: str, **what: Any) -> Iterator[File | Gap]:
    labels = ",".join(options.labels) or None
    first = at = google.address(google.files, pageSize=1000, orderBy="folder", includeLabels=labels, **what)
    while True:
        page, broken = _page(google.fetch(google.files, at, user))
        if page.incomplete_search:
            yield Gap(
                table="resources",
                outcome=Outcome.PARTIAL,
                reason="Google did not search everything (incompleteSearch)",
                resource_uid=place,
            )
        if broken:
            yield Gap(
                table="resources",
                outcome=Outcome.PARTIAL,
                reason=f"{broken} file(s) are not told as Google's documentation promises",
                resource_uid=place,
            )
        yield from page.files
        if not page.next_page_token:
            return
        at = f"{first}&pageToken={quote(page.next_page_token, safe='')}"


def _page(body: bytes) -> tuple[Files, int]:
    """A page, and how many files of it make no sense."""
    try:
        return _files.decode(body), 0
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    try:
        raw = msgspec.json.decode(body, type=RawFiles)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Malformed(f"Google's list is not what its documentation promises ({error})") from error
    files: list[File] = []
    for each in raw.files:
        try:
            files.append(msgspec.json.decode(each, type=File))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
    page = Files(files=files, next_page_token=raw.next_page_token, incomplete_search=raw.incomplete_search)
    return page, len(raw.files) - len(files)


_files = msgspec.json.Decoder(Files)


def _permissions(google: Google, user: str, file_id: str, **what: Any) -> list[Permission]:
    found: list[Permission] = []
    token: str | None = None
    while True:
        page = google.ask(
            Permissions, google.permissions, user, fileId=file_id, supportsAllDrives=True, pageSize=100,
            pageToken=token, fields=_PERMISSIONS, **what,
        )  # fmt: skip
        found += page.permissions
        token = page.next_page_token or None
        if token is None:
            return found


def _restrictions(found: SharedDrive, uid: str, members: Sequence[Permission], people: People) -> Iterator[Setting]:
    for name, value in _switches(found.restrictions).items():
        yield Setting(scope_uid=uid, name=name, value=None if value is None else str(value).lower())
    managers = [member for member in members if member.role == "organizer" and _alive(member, people)]
    yield Setting(scope_uid=uid, name="managers", value=str(len(managers)))


def _switches(told: Restrictions | None) -> Mapping[str, bool | None]:
    if told is None:
        return dict.fromkeys(_SWITCHES)
    values = (
        told.domain_users_only,
        told.drive_members_only,
        told.copy_requires_writer_permission,
        told.sharing_folders_requires_organizer_permission,
        not told.admin_managed_restrictions,
    )
    return dict(zip(_SWITCHES, values, strict=True))


def _alive(member: Permission, people: People) -> bool:
    """Somebody who can act: no deleted account, no suspended user of ours."""
    known = people.users.get(member.email_address.lower())
    return not member.deleted and not (known and (known.suspended or known.archived))


def _actor(members: Sequence[Permission], people: People) -> str | None:
    """One of our active users who is a member, the strongest first: in his name the drive is read."""
    roles = {"organizer": 0, "fileOrganizer": 1, "writer": 2, "commenter": 3, "reader": 4}
    for member in sorted(members, key=lambda each: roles.get(each.role, 9)):
        candidates: list[User] = []
        if member.type == "user" and (known := people.users.get(member.email_address.lower())):
            candidates = [known]
        elif member.type == "group":
            candidates = people.users_in(member.email_address)
        for user in candidates:
            if not user.suspended and not user.archived:
                return user.primary_email
    return None
