"""What the Google connector tells of a company in the emulator."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from cloudscan.connector import Estate, Gap, Partner, Scope, Spent
from cloudscan.errors import ProviderError
from cloudscan.facts import Fact, Grant, Membership, Principal, Resource, Setting
from cloudscan.web import Patience
from cloudscan_gdrive import uids
from cloudscan_gdrive.connector import DriveConnector
from cloudscan_gdrive.emulator import Server, company
from cloudscan_gdrive.options import Options

ESTATE = Estate(
    name="Kumo Logistics",
    partners=(Partner(name="Tanuki", domains=frozenset({company.PARTNER}), contract_ends=date(2026, 3, 31)),),
)
HASTY = Patience(attempts=4, pause=0.001, longest=0.002, timeout=5.0)


@dataclass
class Read:
    """What was told, and which scopes refused."""

    facts: list[Fact] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    refused: dict[str, ProviderError] = field(default_factory=dict)
    requests: int = 0

    def grants(self, uid: str) -> list[Grant]:
        return [each for each in self.facts if isinstance(each, Grant) and each.resource_uid == uid]

    def resource(self, uid: str) -> Resource:
        return next(each for each in self.facts if isinstance(each, Resource) and each.uid == uid)

    def principal(self, uid: str) -> Principal:
        return next(each for each in self.facts if isinstance(each, Principal) and each.uid == uid)

    def setting(self, uid: str, name: str) -> str | None:
        found = [
            each for each in self.facts if isinstance(each, Setting) and (each.scope_uid, each.name) == (uid, name)
        ]
        assert len(found) == 1, found
        return found[0].value

    def members(self, group: str) -> set[str]:
        return {each.member_uid for each in self.facts if isinstance(each, Membership) and each.group_uid == group}

    def of_kind(self, kind: str) -> list[Resource]:
        return [each for each in self.facts if isinstance(each, Resource) and each.kind == kind]


def read(reader: DriveConnector) -> Read:
    """Everything there is, as the core would read it, without its retries."""
    told = Read()
    waiting = list(reader.scopes())
    while waiting:
        scope = waiting.pop(0)
        told.scopes.append(scope)
        facts: list[Fact] = []
        try:
            for each in reader.collect(scope, None):
                if isinstance(each, Scope):
                    waiting.append(each)
                elif isinstance(each, Gap):
                    told.gaps.append(each)
                elif isinstance(each, Spent):
                    told.requests += each.requests
                elif isinstance(each, Fact):
                    facts.append(each)
        except ProviderError as error:
            told.refused[scope.uid] = error
            continue
        told.facts += facts
    return told


@contextmanager
def connector(server: Server, folder: Path, **options: Any) -> Iterator[DriveConnector]:
    key = server.write_key(folder / "key.json")
    wanted = {"endpoint": server.url, "admin": company.ADMIN, "key_file": str(key), **options}
    yield DriveConnector.open(Options(**wanted), ESTATE, HASTY)


def file(identity: str) -> str:
    return uids.file(identity)
