"""The toy connector at work: a folder of JSON files in the role of a company, and one rule about it."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from cloudscan.connector import Connector
from cloudscan.engine.loader import load
from cloudscan.engine.rule_file import Rule
from cloudscan.snapshot.collect import collect
from cloudscan.snapshot.snapshot import Snapshot
from tests.toy_connector.cloudscan_toy import ToyConnector

RULES = Path(__file__).parents[1] / "cli" / "rules"


def shelve(company: Path, documents: Mapping[str, str], shelf: str = "sales") -> None:
    """Put documents onto a shelf: the name of each, and its audience (me, company, everybody, the web, ?)."""
    company.mkdir(exist_ok=True)
    rows = [{"name": name, "shared_with": audience} for name, audience in documents.items()]
    (company / f"{shelf}.json").write_text(json.dumps(rows))


def snapshot_of(company: Path, into: Path) -> Snapshot:
    """Scan the company."""
    connectors: Sequence[Connector] = [ToyConnector(company)]
    return collect(connectors, into)


@cache
def rules() -> tuple[Rule, ...]:
    return load([RULES])
