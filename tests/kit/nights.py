"""Nights of the toy company with a clock of their own, in the folders that the command line uses."""

from datetime import datetime
from pathlib import Path

from cloudscan.ledger.ledger import Ledger
from cloudscan.nightly.scan import run_nightly
from cloudscan.report import Report
from cloudscan.snapshot.collect import CollectOptions
from tests.kit.toy_cloud import rules, shelve
from tests.toy_connector.cloudscan_toy import ToyConnector


def night(folder: Path, on: datetime, **documents: str) -> Report:
    """Scan the company in this folder; `on` is what the clock says."""
    shelve(folder / "company", documents)
    return run_nightly(
        [ToyConnector(folder / "company")],
        rules(),
        snapshots=folder / ".cloudscan" / "snapshots",
        ledger=ledger_in(folder),
        publish=lambda _: None,
        now=on,
        options=CollectOptions(concurrency=1, clock=lambda: on),
    )


def ledger_in(folder: Path) -> Ledger:
    """The ledger of these nights."""
    return Ledger(f"sqlite:///{folder / '.cloudscan' / 'ledger.db'}")
