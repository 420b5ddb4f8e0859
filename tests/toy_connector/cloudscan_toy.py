"""A toy cloud: each JSON file of a folder is a shelf of documents, each shared with one audience, or an address.

Its cursor is the shelf as it was, so that later runs yield only documents that are new, shared differently or gone.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from cloudscan.connector import ConnectorPlugin, Cursor, Estate, Permission, Scope, Yielded
from cloudscan.errors import AccessDenied, Malformed
from cloudscan.facts import Access, Affiliation, Audience, Gone, Grant, Hidden, Principal, Resource, Via
from cloudscan.text import domain_of

PERMISSIONS = (Permission(name="read the folder", reason="the shelves are its files"),)
AUDIENCES = {
    "me": Audience.OWNER,
    "company": Audience.ORGANISATION,
    "everybody": Audience.ANYONE_WITH_LINK,
    "the web": Audience.ANYONE_DISCOVERABLE,
    "?": None,
}


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[connectors.toy]``."""

    folder: str


@dataclass(frozen=True)
class ToyConnector:
    """Reads shelves. `folder` holds ``<shelf>.json``: a list of {"name": …, "shared_with": …}."""

    folder: Path
    estate: Estate = field(default_factory=Estate, kw_only=True)

    name: ClassVar[str] = "toy"
    permissions: ClassVar[Sequence[Permission]] = PERMISSIONS

    def scopes(self) -> Iterable[Scope]:
        for file in sorted(self.folder.glob("*.json")):
            uid = f"toy:shelf/{file.stem}"
            hides = (Hidden(table="all", below=uid),)
            yield Scope(uid=uid, platform="toy", kind="shelf", name=file.stem, account="toy", hides=hides)

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        before: dict[str, str] = json.loads(since.token) if since else {}
        now = {document["name"]: document["shared_with"] for document in self._documents(scope)}
        yield Resource(uid=scope.uid, platform="toy", account="toy", kind="folder", name=scope.name)
        for name in before.keys() - now.keys():
            yield Gone(uid=_uid(scope, name))
        for name, shared_with in now.items():
            if before.get(name) != shared_with:
                yield from self._document(scope, name, shared_with)
        yield Cursor(scope_uid=scope.uid, token=json.dumps(now))

    def _document(self, scope: Scope, name: str, shared_with: str) -> Iterator[Yielded]:
        uid = _uid(scope, name)
        yield Resource(uid=uid, platform="toy", account="toy", kind="file", name=name, parent_uid=scope.uid)
        person = self._person(shared_with) if "@" in shared_with else None
        if person:
            yield person
        yield Grant(
            uid=f"{uid}#share",
            resource_uid=uid,
            principal_uid=person.uid if person else None,
            audience=Audience.NAMED_EXTERNAL if person else AUDIENCES[shared_with],
            access=Access.READ,
            via=Via.LINK,
        )

    def _person(self, address: str) -> Principal:
        domain = domain_of(address)
        partner = self.estate.partner_of(address, domain)
        return Principal(
            uid=f"toy:person/{address}",
            platform="toy",
            account="toy",
            kind="guest",
            email=address,
            domain=domain,
            name=address,
            affiliation=Affiliation.PARTNER if partner else Affiliation.EXTERNAL,
            status="active",
            detail={"consumer": "false", **self.estate.partner_detail(address, domain)},
        )

    def _documents(self, scope: Scope) -> list[dict[str, Any]]:
        file = self.folder / f"{scope.name}.json"
        try:
            documents = json.loads(file.read_text("utf-8"))
        except PermissionError:
            raise AccessDenied("toy-not-allowed", needs="read the folder") from None
        except ValueError as error:
            raise Malformed("toy-not-json", quote=f"{file}: not JSON ({error})") from None
        if not isinstance(documents, list):
            raise Malformed("toy-no-list", quote=str(file))
        return documents


def _uid(scope: Scope, name: str) -> str:
    return f"toy:document/{scope.name}/{name}"


def open_connector(options: Options, estate: Estate) -> ToyConnector:
    return ToyConnector(Path(options.folder), estate=estate)


PLUGIN = ConnectorPlugin(
    name="toy",
    title="A folder of JSON files",
    options=Options,
    permissions=PERMISSIONS,
    open=open_connector,
)
