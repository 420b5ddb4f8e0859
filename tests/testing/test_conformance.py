"""The conformance suite: our connectors pass it, and every broken promise is named."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from cloudscan.connector import Cursor, Gap, Permission, Scope, SettingSpec, SettingType, Yielded
from cloudscan.facts import Access, Audience, Grant, Outcome, Resource, Setting, Via
from cloudscan.reason import Reason
from cloudscan.testing import conforms
from cloudscan_emulators.aws import demo as aws
from cloudscan_s3.plugin import PLUGIN
from tests.kit.toy_cloud import shelve
from tests.toy_connector.cloudscan_toy import ToyConnector

NAIVE = datetime.fromisoformat("2026-01-01T00:00:00")
FOLDER = Resource(uid="odd:f", platform="odd", account="odd", kind="folder", name="f")
GRANT = Grant(uid="odd:g", resource_uid="odd:f", audience=Audience.NAMED, access=Access.READ, via=Via.LINK)

SETTINGS = [SettingSpec(name="public", type=SettingType.SWITCH, meaning="anyone can read the folder")]


@dataclass(frozen=True)
class Odd:
    """A connector that yields what a test wants."""

    items: Sequence[Yielded]

    name: ClassVar[str] = "odd"
    permissions: ClassVar[Sequence[Permission]] = (Permission(name="look", reason="to see"),)

    def scopes(self) -> Iterable[Scope]:
        return [Scope(uid="odd:all", platform="odd", kind="all", name="all")]

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        yield from self.items


def test_the_toy_conforms(tmp_path: Path) -> None:
    shelve(tmp_path / "company", {"plan": "everybody", "notes": "me", "board": "?"})

    conforms(ToyConnector(tmp_path / "company"), settings=())


def test_s3_conforms() -> None:
    with aws.demo() as demo:
        conforms(PLUGIN.open(msgspec.convert(demo.options, PLUGIN.options), demo.estate), PLUGIN.settings)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([FOLDER, Setting(scope_uid="odd:f", name="secret", value="true")], "is not declared"),
        ([FOLDER, Setting(scope_uid="odd:f", name="public", value="on")], "is 'on', but it is declared as switch"),
        ([Resource(uid="f", platform="odd", account="", kind="file", name="f")], "does not begin with 'odd'"),
        ([FOLDER, Resource(uid="odd:f", platform="odd", account="", kind="file", name="g")], "yielded twice"),
        ([GRANT], "resource_uid is 'odd:f', which is not the uid of any Resource"),
        (
            [Resource(uid="odd:f", platform="odd", account="", kind="f", name="f", created_on=NAIVE)],
            "without a time zone",
        ),
        (
            [FOLDER, Gap(table="grnats", outcome=Outcome.DENIED, reason=Reason(code="cannot-read"))],
            "names the table 'grnats'",
        ),
        ([Scope(uid="elsewhere", platform="odd", kind="all", name="e")], "an id that begins with it"),
    ],
)
def test_a_broken_promise_is_named(items: Sequence[Yielded], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        conforms(Odd(items), SETTINGS)
