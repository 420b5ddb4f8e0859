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


def file(identity: str, told: Json, permissions: Any = ..., **more: Any) -> Json:
    """A file as Drive tells it, with what the situation says instead."""
    plain: Json = {
        "kind": "drive#file", "id": identity, "name": f"file {identity}", "mimeType": "text/plain", "size": "42",
        "createdTime": "2026-02-23T12:10:30.134Z", "modifiedTime": "2026-02-23T12:13:23.341Z", "trashed": False,
        "webViewLink": "https://drive.google.com/x", "capabilities": {"canEdit": True},
    }  # fmt: skip
    told = {**plain, **more, **told, "permissions": permissions}
    if told.pop("folder", False):
        told["mimeType"] = FOLDER
    return {name: value for name, value in told.items() if value is not ...}


def small(**more: Any) -> Payloads:
    """A company of two with nothing in it."""
    users: list[Json] = [{"id": "u1", "primaryEmail": ALICE}, {"id": "u2", "primaryEmail": BOB}]
    domains = [{"domainName": "kumo.example"}]
    plain: Json = {"users": users, "groups": [], "members": {}, "domains": domains, "files": {}}
    return Payloads(**(plain | more))


def mine(identity: str, *given: Json, **told: Any) -> Json:
    return file(identity, {"parents": ["root"], "owners": [{"emailAddress": ALICE}], **told}, [OWNER, *given])


HASTY = Patience(attempts=2, pause=0.001, longest=0.002, timeout=5.0)
Ways = dict[str, set[str]]


def ways_of(snapshot: Snapshot) -> Ways:
    """Who gets in, by resource, in the words of the table."""
    rows = snapshot.query(
        "SELECT resource_uid, audience, access, effective, inherited, origin_uid, grant_uid FROM exposures"
    ).rows
    found: Ways = {}
    for uid, audience, access, effective, inherited, origin, grant in rows:
        here = found.setdefault(str(uid), set())
        if grant is not None:
            text = "?" if audience is None else f"{audience} {access}" + {True: "", False: "!", None: "?"}[effective]
            here.add(text + (f" < {str(origin).rpartition('/')[2]}" if inherited else ""))
    return found


@contextmanager
def scanned(payloads: Payloads, folder: Path, since: Path | None = None, me: str = "") -> Iterator[Snapshot]:
    """A snapshot of what a server with these payloads tells; `me`: by one person's consent only."""
    folder.mkdir(parents=True, exist_ok=True)
    with serve(payloads, folder) as server:
        key = server.consent(me) if me else server.key
        options = Options(admin="" if me else ALICE, key_file=str(key), endpoint=server.url)
        wanted = CollectOptions(
            earlier=Earlier(folder=since) if since else None, patience=Patience(attempts=1, pause=0.001)
        )
        with collect([DriveConnector.open(options, ESTATE, HASTY)], folder / "snapshot", options=wanted) as found:
            yield found
