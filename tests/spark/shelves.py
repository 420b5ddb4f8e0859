"""A cloud in which every shelf has a limit on requests of its own, and which remembers what it was asked."""

import os
import signal
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec

from cloudscan.connector import Connector, Cursor, Permission, Scope, Yielded
from cloudscan.errors import ConfigurationError
from tests.toy_connector.cloudscan_toy import PERMISSIONS, ToyConnector


@dataclass(frozen=True)
class Shelves:
    """Shelves whose name begins with ``annex`` are found by reading the others. `company` has what the toy cloud has.

    ``<shelf>.kills`` in it: the machine that reads this shelf is killed in the middle of it, once.
    """

    company: Path

    name: ClassVar[str] = "toy"
    permissions: ClassVar[Sequence[Permission]] = PERMISSIONS

    def scopes(self) -> Iterable[Scope]:
        return [scope for scope in self._shelves() if not scope.name.startswith("annex")]

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        (self.company / f"{uuid.uuid4().hex}.asked").write_text(f"{scope.name} {'for changes' if since else 'in full'}")
        inner = list(self._of_shelf(scope, since))
        yield from inner[:1]
        if (self.company / f"{scope.name}.kills").exists():
            (self.company / f"{scope.name}.kills").unlink()
            os.kill(_executor(), signal.SIGKILL)
            signal.pause()
        yield from inner[1:]
        if not scope.name.startswith("annex"):
            yield from (one for one in self._shelves() if one.name.startswith("annex"))

    def _of_shelf(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Of an annex everything, with a cursor that stands for all of it; of other shelves what changed."""
        is_whole = scope.name.startswith("annex")
        for one in ToyConnector(self.company).collect(scope, None if is_whole else since):
            yield msgspec.structs.replace(one, whole=True) if is_whole and isinstance(one, Cursor) else one

    def _shelves(self) -> Iterator[Scope]:
        for scope in ToyConnector(self.company).scopes():
            yield msgspec.structs.replace(scope, budget=scope.name)


def shelves_at(company: Path, platform: str) -> Connector:
    """As a machine opens them; one without the company's ``key`` cannot."""
    assert platform == Shelves.name
    if not company.is_dir():
        raise ConfigurationError("There is no company here.")
    return Shelves(company)


def asked(company: Path) -> Counter[str]:
    """What was asked since the last time, and how often."""
    files = list(company.glob("*.asked"))
    questions = Counter(file.read_text() for file in files)
    for file in files:
        file.unlink()
    return questions


def _executor() -> int:
    """The Java process of a Spark executor: it has forked the server that has forked this process."""
    server = os.getppid()
    status = Path(f"/proc/{server}/status").read_text()
    return int(status.partition("PPid:")[2].split()[0])
