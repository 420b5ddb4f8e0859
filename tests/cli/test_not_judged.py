"""What is there and never judged is named every night, in the reader's language, and makes nothing incomplete."""

import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Desk

NOT_JUDGED = """
from dataclasses import replace
from cloudscan.connector import Gap
from cloudscan.facts import Outcome
from cloudscan.reason import Reason
from cloudscan_toy import PLUGIN as TOY, ToyConnector

class WithDoors(ToyConnector):
    def collect(self, scope, since):
        yield from super().collect(scope, since)
        for name in ("safe", "vault"):
            yield Gap(table="resources", outcome=Outcome.NOT_JUDGED, reason=Reason(code="toy-safe"),
                      resource_uid=f"toy:{name}")

PLUGIN = replace(TOY, open=lambda options, estate: WithDoors(__import__("pathlib").Path(options.folder)))
"""


@pytest.fixture
def seeded(desk: Desk) -> Desk:
    """The company has two safes, which its connector names and does not judge."""
    desk.install("cloudscan-toy-2", "connectors", "toy = toy_doors:PLUGIN", {"toy_doors": NOT_JUDGED})
    (desk.site / "cloudscan_toy-0.1.0.dist-info" / "entry_points.txt").unlink()
    return desk


SAYS = {
    "en": (
        "2 things were found that cloudscan does not judge.",
        "There is no gap: everything in scope was read.",
        "Found, but not judged: 2",
        "2 found, but not judged\n",
    ),
    "ja": (
        "cloudscan の判定対象外のものが 2 件見つかりました。",
        "未確認箇所はありません。対象範囲をすべて読み取りました。",
        "見つかったが判定の対象外のもの：2 件",
        "判定の対象外 2 件\n",
    ),
}


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_scan_is_complete_and_the_doors_are_listed(seeded: Desk, lang: str) -> None:
    seeded.shelve(plan="me")
    scan = seeded.run("scan", "--lang", lang)
    gaps = seeded.run("gaps", "--lang", lang)
    listed = seeded.run("gaps", "--state", "not_judged", "--lang", lang)
    machine = seeded.run("gaps", "--state", "not_judged", "--format", "json").json

    assert scan.code == 0
    counted, nothing, beside, head = SAYS[lang]
    assert counted in scan.out
    assert gaps.out.startswith(nothing)
    assert beside in gaps.out
    assert listed.out.startswith(head)
    assert "toy:safe" in listed.out
    assert "toy:vault" in listed.out
    assert [(one["resource"], one["state"], one["gap"]) for one in machine] == [
        ("toy:safe", "not_judged", ""), ("toy:vault", "not_judged", ""),
    ]  # fmt: skip
    assert seeded.run("gaps", "--format", "json").json == []
    assert seeded.run("health").code == 0


def test_it_keeps_nothing_open(seeded: Desk) -> None:
    """It hides nothing: what was fixed or removed beside it is resolved."""
    seeded.shelve(plan="everybody", menu="everybody")
    seeded.run("scan")
    seeded.shelve(plan="me")
    seeded.run("scan")

    differences = seeded.run("diff", "--format", "json").json["differences"]
    assert {one["name"]: (one["kind"], one["reason"]) for one in differences} == {
        "plan": ("resolved", "passed"), "menu": ("resolved", "gone"),
    }  # fmt: skip


def test_a_pack_lists_it_with_the_coverage(seeded: Desk, tmp_path: Path) -> None:
    seeded.run("scan")
    seeded.run("audit", "--into", str(tmp_path / "pack.zip"))

    with zipfile.ZipFile(tmp_path / "pack.zip") as pack:
        (coverage,) = [pack.read(name).decode() for name in pack.namelist() if name.endswith("coverage/coverage.csv")]
    rows = [line for line in coverage.splitlines() if "not_judged" in line]
    assert [("toy:safe" in row, "toy:vault" in row) for row in rows] == [(True, False), (False, True)]


def test_it_cannot_be_waived(seeded: Desk) -> None:
    """There is nothing to waive: no scan is incomplete because of it."""
    seeded.run("scan")

    refused = seeded.run("waive", "add", "--gap", "toy:safe", "--owner", "me", "--reason", "why", "--days", "9")

    assert refused.code == 2
    assert "There is no gap" in refused.err
