"""Files that external people own and that our users can open.

They are in none of our drives, and Google does not show us their permissions. It shows each of our users that the file
is shared with them, and what they may do with it.

Source: discovery document of Drive v3 (files.list, File.capabilities).
"""

from collections.abc import Iterator

from cloudscan.connector import Gap
from cloudscan.facts import Access, Affiliation, AnyFact, Audience, Grant, Outcome, Principal, Resource, Via
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.listing import files
from cloudscan_gdrive.api.models import Capabilities, File, User
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.people import People
from cloudscan_gdrive.options import Options

_FIELDS = "id,name,mimeType,size,createdTime,modifiedTime,trashed,owners(emailAddress),capabilities(canEdit,canComment)"
_QUERY = "sharedWithMe = true and not 'me' in owners"
_VERBS = {
    Access.READ: ("read", "閲覧"),
    Access.COMMENT: ("read and comment", "閲覧とコメント"),
    Access.WRITE: ("read and change", "閲覧と編集"),
}


def external_files(google: Google, people: People, options: Options, user: User) -> Iterator[AnyFact | Gap]:
    """What external people shared with one of our users, each with this user's grant. Raises as `Google.ask` does."""
    yielded: set[str] = set()
    me = uids.user(user.primary_email)
    for file in files(google, options, user.primary_email, me, _FIELDS, corpora="user", q=_QUERY):
        if isinstance(file, Gap):
            yield file
            continue
        owner = _owner(file, people)
        if owner is None or owner.affiliation is Affiliation.INTERNAL:
            continue
        if owner.uid not in yielded:
            yielded.add(owner.uid)
            yield owner
        yield _resource(file, owner, people)
        yield _grant(file, owner, user)


def not_listed(domain: str) -> Gap:
    """What is missing where they are not asked for. It leaves no question about our own files open."""
    return Gap(
        table="grants",
        outcome=Outcome.SKIPPED,
        reason="files owned by external people were not read (external_files is off: it takes one more list per user)",
        resource_uid=uids.external_files(domain),
    )


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
        created_on=file.created_time,
        modified_on=file.modified_time,
        url=f"https://drive.google.com/open?id={file.id}",
        detail={"trashed": "true"} if file.trashed else {},
    )


def _grant(file: File, owner: Principal, user: User) -> Grant:
    access = _access(file.capabilities or Capabilities())
    can, can_ja = _VERBS[access]
    address = user.primary_email.lower()
    return Grant(
        uid=f"{uids.file(file.id)}#{address}",
        resource_uid=uids.file(file.id),
        origin_uid=uids.file(file.id),
        principal_uid=uids.user(address),
        audience=Audience.NAMED,
        access=access,
        via=Via.DIRECT,
        detail={
            "chain": {
                "en": [f"{address} can {can}.", f"{owner.email}, who is external, owns the file and shares it."],
                "ja": [
                    f"{address} が{can_ja}できます。",
                    f"ファイルは社外の {owner.email} が所有し、共有しています。",
                ],
            }
        },
    )


def _access(capabilities: Capabilities) -> Access:
    if capabilities.can_edit:
        return Access.WRITE
    return Access.COMMENT if capabilities.can_comment else Access.READ
