"""Scanning a part of the estate: what is chosen, what is left out, and what matches nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from cloudscan.connector import Connector, Cursor, Permission, Scope, Yielded
from cloudscan.facts import Hidden, Outcome, Resource
from cloudscan.nightly.selection import ScopeSelection, restricted
from cloudscan.snapshot.collect import collect
from tests.cli.conftest import CONFIG, Desk


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--scope", "saless"), ["No scope matches 'saless'", "write sales"]),
        (("--scope", "sales", "--scope", "nope"), ["No scope matches 'nope'"]),
        (("--skip-scope", "boardd"), ["No scope matches 'boardd'", "write board"]),
    ],
)
def test_a_pattern_that_matches_no_scope_is_an_error(desk: Desk, arguments: list[str], words: list[str]) -> None:
    desk.shelve(plan="everybody")
    (desk.folder / "company" / "board.json").write_text("[]")

    result = desk.run("scan", *arguments)

    assert result.code == 2
    assert not [word for word in words if word not in result.err], result.err


def test_a_scan_of_nothing_is_not_recorded(desk: Desk) -> None:
    desk.run("scan")

    result = desk.run("scan", "--scope", "nope")

    assert result.code == 2
    assert "Complete" not in result.out
    assert len(desk.run("trend", "--format", "json").json) == 1
    assert desk.run("scan").code == 1


def test_an_empty_company_is_not_complete(desk: Desk) -> None:
    (desk.folder / "company" / "sales.json").unlink()

    result = desk.run("scan")

    assert result.code == 3
    assert [scan["complete"] for scan in desk.run("trend", "--format", "json").json] == [False]


def test_what_was_not_chosen_does_not_count_as_gone(desk: Desk) -> None:
    """Both shelves are of one account: what is on the other one stays open, and the scan is complete."""
    (desk.folder / "company" / "board.json").write_text('[{"name": "minutes", "shared_with": "everybody"}]')
    desk.run("scan")
    (desk.folder / "company" / "board.json").write_text("[]")

    chosen = desk.run("scan", "--scope", "sales", "--full", "--format", "json")
    after = {row["verdict"]["subject"]["name"]: row["verified"] for row in chosen.json["findings"]}
    desk.run("scan")

    assert chosen.code == 1
    assert after == {"plan": True, "minutes": False}
    assert len(desk.run("findings", "--format", "json").json) == 1


def test_a_collect_of_nothing_is_an_error_too(desk: Desk) -> None:
    result = desk.run("collect", "--scope", "nope")

    assert result.code == 2
    assert "No scope matches 'nope'" in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("findings", "--rule", "toy-link-open-to-anyon"), "write "),
        (("findings", "--account", "tyo"), "write toy"),
        (("waive", "add", "--gap", "feedfeed", "--owner", "me", "--reason", "why", "--days", "9"), "no gap 'feedfeed'"),
        (("rules", "lint", "empty"), "no rule"),
        (("scan", "--rules", "empty"), "no rule"),
    ],
)
def test_a_name_that_is_not_known_is_an_error_with_the_nearest(desk: Desk, arguments: list[str], words: str) -> None:
    (desk.folder / "empty").mkdir()
    desk.run("scan")

    result = desk.run(*arguments)

    assert result.code == 2
    assert words in result.err


@dataclass(frozen=True)
class Tower:
    """A platform whose first scope, the lobby, names two floors."""

    name: ClassVar[str] = "tower"
    permissions: ClassVar[Sequence[Permission]] = ()

    def scopes(self) -> Iterable[Scope]:
        yield Scope(uid="tower:lobby", platform="tower", kind="directory", name="lobby", account="acme")

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        yield Resource(uid=scope.uid, platform="tower", account="acme", kind="floor", name=scope.name)
        if scope.name == "lobby":
            for floor in ("first", "second"):
                uid = f"tower:{floor}"
                hides = (Hidden(table="all", below=uid),)
                yield Scope(uid=uid, platform="tower", kind="floor", name=floor, account="acme", hides=hides)


def read(folder: Path, selection: ScopeSelection) -> tuple[set[str], set[str]]:
    """The names of what was read, and of what was left out."""
    tower: Connector = Tower()
    with collect([restricted(tower, selection)], folder) as snapshot:
        rows = snapshot.coverage()
        names = {str(row[0]) for row in snapshot.query("SELECT name FROM resources").rows}
    return names, {str(row.resource_uid) for row in rows if row.outcome is Outcome.SKIPPED}


@pytest.mark.parametrize(
    ("selection", "names", "left_out"),
    [
        (ScopeSelection(only=("lobby",)), {"lobby", "first", "second"}, set()),
        (ScopeSelection(only=("first",)), {"lobby", "first"}, {"tower:second"}),
        (ScopeSelection(only=("acme",), skip=("second",)), {"lobby", "first"}, {"tower:second"}),
        (ScopeSelection(skip=("tower:lobby",)), set(), {"tower:lobby"}),
    ],
)
def test_a_pattern_may_name_a_scope_that_another_one_leads_to(
    tmp_path: Path, selection: ScopeSelection, names: set[str], left_out: set[str]
) -> None:
    assert read(tmp_path / "snapshot", selection) == (names, left_out)


def test_an_account_that_cannot_be_listed_makes_no_pattern_wrong(desk: Desk) -> None:
    """Nobody can know what a pattern would match: the scan is incomplete, and recorded."""
    desk.shelve(plan="company")
    desk.install("closed", "connectors", "closed = closed_module:PLUGIN", {"closed_module": CLOSED})
    desk.configure(CONFIG + "\n[connectors.closed]\nfolder = ''\n")

    result = desk.run("scan", "--scope", "elsewhere")

    assert result.code == 3
    assert len(desk.run("trend", "--format", "json").json) == 1


CLOSED = """
import dataclasses
from cloudscan.errors import AccessDenied
from cloudscan_toy import PLUGIN as TOY, ToyConnector

class Closed(ToyConnector):
    name = "closed"

    def scopes(self):
        raise AccessDenied("closed-today")

PLUGIN = dataclasses.replace(TOY, name="closed", open=lambda options, estate: Closed(options.folder))
"""
