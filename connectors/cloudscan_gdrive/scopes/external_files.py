"""Files that external people own and that our users can open.

They are in none of our drives, and Google does not show us their permissions. It shows each of our users that the file
is shared with them, and what they may do with it.

Source: discovery document of Drive v3 (files.list, File.capabilities).
"""

from collections.abc import Iterator

from msgspec.structs import replace

from cloudscan.connector import Gap
from cloudscan.facts import Access, Affiliation, AnyFact, Audience, Grant, Outcome, Principal, Resource, Via
from cloudscan.reason import Reason
from cloudscan_gdrive import questions
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.listing import Acting, files
from cloudscan_gdrive.api.models import Capabilities, File, User
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.meaning.translate import chain_of, off_unless, step, utc
from cloudscan_gdrive.options import Options

_FIELDS = "id,name,mimeType,size,createdTime,modifiedTime,trashed,owners(emailAddress),capabilities(canEdit,canComment)"
_QUERY = "sharedWithMe = true and not 'me' in owners"


def external_files(google: Google, people: People, options: Options, user: User) -> Iterator[AnyFact | Gap]:
    """What external people shared with one of our users, each with this user's grant. Raises as `listing.files` does.

    Files of which it is not known whether their owner is one of ours are counted: they may stand in one of our drives.
    """
    yielded: set[str] = set()
    me = uids.user(user.primary_email)
    unclear = 0
    acting = Acting((user.primary_email,))
    for file in files(google, google.external_files, options, acting, me, _FIELDS, corpora="user", q=_QUERY):
        if isinstance(file, Gap):
            yield anywhere(file)
            continue
        owner = _owner(file, people)
        if owner is None or owner.affiliation is None:
            unclear += not file.drive_id
            continue
        if owner.affiliation is Affiliation.INTERNAL:
            continue
        if owner.uid not in yielded:
            yielded.add(owner.uid)
            yield owner
        yield _resource(file, owner, people)
        yield _grant(file, owner, user)
    if unclear:
        yield questions.EXTERNAL_FILES.lacking(Reason(code=Code.OWNER_UNKNOWN))


def anywhere(gap: Gap) -> Gap:
    """A gap of a list of files that are in none of our drives: what it hides is not below the person who sees them."""
    return replace(gap, hides=tuple(replace(hidden, below=None) for hidden in gap.hidden))


def not_listed(domain: str) -> Gap:
    """What is missing where they are not asked for. It leaves no question about our own files open."""
    reason = Reason(code=Code.EXTERNAL_FILES_SWITCHED_OFF)
    return questions.EXTERNAL_FILES.lacking(reason, uids.external_files(domain), outcome=Outcome.SKIPPED)


def _owner(file: File, people: People) -> Principal | None:
    address = file.owners[0].email_address if file.owners else ""
    return people.principal("user", address) if address else None


def _resource(file: File, owner: Principal, people: People) -> Resource:
    return Resource(
        uid=uids.file(file.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind="external_file",
        name=file.name,
        path=file.name,
        owner_uid=owner.uid,
        content_type=file.mime_type,
        size_bytes=int(file.size) if str(file.size).isdecimal() else 0,
        created_on=utc(file.created_time),
        modified_on=utc(file.modified_time),
        url=f"https://drive.google.com/open?id={file.id}",
        detail={} if file.trashed is None else {"trashed": str(file.trashed).lower()},
    )


def _grant(file: File, owner: Principal, user: User) -> Grant:
    access = _access(file.capabilities or Capabilities())
    address = user.primary_email.lower()
    steps = (
        step("drive-shared-with-us", name=address),
        step(_MAY[access]) if access else step("drive-role-unknown", role="?"),
        step("drive-external-owner", name=owner.email),
    )
    return Grant(
        uid=f"{uids.file(file.id)}#{address}",
        resource_uid=uids.file(file.id),
        origin_uid=uids.file(file.id),
        principal_uid=uids.user(address),
        audience=Audience.NAMED,
        access=access,
        via=Via.DIRECT,
        detail={**off_unless(), "chain": chain_of(iter(steps))},
    )


_MAY = {Access.READ: "drive-may-read", Access.COMMENT: "drive-may-comment", Access.WRITE: "drive-may-write"}


def _access(capabilities: Capabilities) -> Access | None:
    """None: Drive does not say."""
    if capabilities.can_edit:
        return Access.WRITE
    if capabilities.can_edit is None:
        return None
    if capabilities.can_comment is None:
        return None
    return Access.COMMENT if capabilities.can_comment else Access.READ
