"""The log for machines, whatever names the scanned things have."""

import io
import json

import pytest

from cloudscan.connector import Scope
from cloudscan.nightly.json_log import JsonLog
from cloudscan.snapshot.collect import Began
from tests.reports.hostile import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_line_stays_a_line_whatever_a_scope_is_called(name: str) -> None:
    """One object a line; nothing that a terminal obeys, that turns text round, or that UTF-8 cannot carry."""
    stream = io.StringIO()

    JsonLog(stream)(Began(scope=Scope(uid=f"toy:{name}", platform="toy", kind="drive", name=name)))

    line, rest = stream.getvalue().split("\n")
    assert json.loads(line)["event"] == "scan.scope_started"
    assert rest == ""
    assert all(character.isprintable() for character in line)
