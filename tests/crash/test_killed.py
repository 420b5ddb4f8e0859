"""`cloudscan scan`, killed where it writes and started again."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_a_scan_that_is_killed_and_started_again_comes_out_the_same() -> None:
    """A sample of all writes, on a first and on a second night: facts, findings, events and history as without.

    The whole campaign is `python tests/bench/kill_campaign.py`.
    """
    campaign = [sys.executable, "tests/bench/kill_campaign.py", "--every", "97", "--first", "41"]
    path = os.pathsep.join(str(ROOT / part) for part in ("", "connectors", "reports"))

    done = subprocess.run(
        campaign, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert [int(tried) > 1 for tried in re.findall(r"killed at (\d+)", done.stdout)] == [True, True]
