"""Drive estates made of recorded payloads, served by `other_server`, and who gets in by what we make of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cloudscan.connector import Estate, Partner
from cloudscan.http import Patience
from cloudscan.snapshot.collect import CollectOptions, collect
from cloudscan.snapshot.incremental import Earlier
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan_gdrive.connector import DriveConnector
from cloudscan_gdrive.options import Options
from tests.connectors.gdrive.other_server import Payloads, serve
from tests.connectors.gdrive.scenarios import (
    ALICE,
    BOB,
    OWNER,
)

Json = dict[str, Any]
ESTATE = Estate(name="Kumo", partners=(Partner(name="Pat", domains=frozenset({"partner.example"})),))
FOLDER = "application/vnd.google-apps.folder"


def file(identity: str, members: Json, permissions: Any = ..., **more: Any) -> Json:
    """A file as Drive lists it, with the scenario's members instead of the usual ones. `...`: the member is absent."""
    defaults: Json = {
        "kind": "drive#file", "id": identity, "name": f"file {identity}", "mimeType": "text/plain", "size": "42",
        "createdTime": "2026-02-23T12:10:30.134Z", "modifiedTime": "2026-02-23T12:13:23.341Z", "trashed": False,
        "webViewLink": "https://drive.google.com/x", "capabilities": {"canEdit": True},
    }  # fmt: skip
    members = {**defaults, **more, **members, "permissions": permissions}
    if members.pop("folder", False):
        members["mimeType"] = FOLDER
    return {name: value for name, value in members.items() if value is not ...}


def small(**more: Any) -> Payloads:
    """A company of two people without any files."""
    users: list[Json] = [{"id": "u1", "primaryEmail": ALICE}, {"id": "u2", "primaryEmail": BOB}]
    domains = [{"domainName": "kumo.example"}]
    plain: Json = {"users": users, "groups": [], "members": {}, "domains": domains, "files": {}}
    return Payloads(**(plain | more))


def mine(identity: str, *given: Json, **members: Any) -> Json:
    return file(identity, {"parents": ["root"], "owners": [{"emailAddress": ALICE}], **members}, [OWNER, *given])


HASTY = Patience(attempts=2, pause=0.001, longest=0.002, timeout=5.0)
AccessByUid = dict[str, set[str]]


def access_in(snapshot: Snapshot) -> AccessByUid:
    """Who gets in, by resource, in the words of the table."""
    rows = snapshot.query(
        "SELECT resource_uid, audience, access, effective, inherited, origin_uid, grant_uid FROM exposures"
    ).rows
    by_uid: AccessByUid = {}
    for uid, audience, access, effective, inherited, origin, grant in rows:
        entries = by_uid.setdefault(str(uid), set())
        if grant is not None:
            text = "?" if audience is None else f"{audience} {access}" + {True: "", False: "!", None: "?"}[effective]
            entries.add(text + (f" < {str(origin).rpartition('/')[2]}" if inherited else ""))
    return by_uid


@contextmanager
def scanned(
    payloads: Payloads, folder: Path, since: Path | None = None, me: str = "", **more: Any
) -> Iterator[Snapshot]:
    """A snapshot of a scan of these payloads; `me`: by one user's consent, without an administrator."""
    folder.mkdir(parents=True, exist_ok=True)
    with serve(payloads, folder) as server:
        key = server.consent(me) if me else server.key
        options = Options(admin="" if me else ALICE, key_file=str(key), endpoint=server.url, **more)
        core_options = CollectOptions(
            earlier=Earlier(folder=since) if since else None, patience=Patience(attempts=1, pause=0.001)
        )
        with collect(
            [DriveConnector.open(options, ESTATE, HASTY)], folder / "snapshot", options=core_options
        ) as snapshot:
            yield snapshot
