"""`cloudscan scan --engine spark`: the same report as without, by way of a cluster."""

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from cloudscan_emulators.google import company
from tests.cli.conftest import Desk, desk
from tests.connectors.gdrive.estate import serve
from tests.kit.spark import MASTER

__all__ = ["desk"]


@pytest.mark.long
def test_a_scan_on_a_cluster_reports_what_a_scan_here_does(desk: Desk, spark: SparkSession, tmp_path: Path) -> None:
    with serve(company.build(30).state) as server:
        key = server.write_key(desk.folder / "key.json")
        desk.configure(
            f'[connectors.gdrive]\nendpoint = "{server.url}"\nkey_file = "{key}"\nadmin = "{company.ADMIN}"\n'
            "audit_days = 0\n"
        )
        here = desk.run("scan", "--format", "json", "--output", str(tmp_path / "here.html"))
        (desk.folder / "cloudscan.db").rename(tmp_path / "first.db") if (
            desk.folder / "cloudscan.db"
        ).exists() else None

        there = desk.run(
            "scan", "--engine", "spark", "--master", MASTER, "--store", str(tmp_path / "store"), "--format", "json"
        )

    assert (here.code, there.code) == (5, 5), there.err
    assert findings(there.out) == findings(here.out)
    assert spark.sql("SELECT 1").collect()  # a session that was there is left open


def findings(report: str) -> set[tuple[str, str]]:
    """Which there are in a report, and how severe."""
    return {(finding["fingerprint"], finding["severity"]) for finding in json.loads(report)["findings"]}
