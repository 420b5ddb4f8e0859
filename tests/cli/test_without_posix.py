"""On Windows: nothing on the way from a scan to a ticket needs what only POSIX systems have.

Windows itself was not tried. What it lacks is hidden (`tests.kit.without_posix`), in a process of its own.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cloudscan_emulators.trackers.server import running
from cloudscan_emulators.trackers.webhook import Webhook
from tests.cli.conftest import CONFIG, Desk

# Microsoft, "Naming Files, Paths, and Namespaces".
NO_NAME = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[ .]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)
COMMANDS = (
    (["scan", "--format", "json", "-o", "scan.json"], 1),
    (["scan"], 1),
    (["findings"], 0),
    (["report", "--format", "csv", "-o", "findings.csv"], 0),
    (["report", "--lang", "ja", "-o", "report.html"], 0),
    (["report", "--by", "owner", "--into", "handouts"], 0),
    (["query", "SELECT name FROM resources"], 0),
    (["diff"], 0),
    (["gaps"], 0),
    (["doctor"], 0),
    (["tickets", "--dry-run"], 0),
    (["tickets"], 0),
    (["audit", "--into", "pack"], 0),
    (["audit", "verify", "--replay", "pack"], 0),
    (["collect", "--into", "snapshot"], 0),
    (["collect", "--redact", "--into", "redacted"], 0),
    (["judge", "snapshot"], 1),
    (["prune"], 0),
)


@pytest.mark.long
def test_no_command_needs_posix(desk: Desk) -> None:
    """All of them succeed, in a land of another encoding, and every file has a name that Windows takes."""
    tracker = Webhook()
    desk.shelve(**{"計画: 2026?": "everybody", "con": "everybody", "notes": "me"})
    desk.configure(f"{CONFIG}\n{tracker.table}\n[retention]\nkeep_snapshots = 1\nsnapshots_days = 0\n")
    root = str(Path(__file__).parents[2])
    environment = {
        **desk.environment,
        "PYTHONPATH": f"{desk.environment['PYTHONPATH']}:{root}",
        "PYTHONWARNDEFAULTENCODING": "1",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "LC_ALL": "C",
    }

    with running(tracker.service):
        done = subprocess.run(
            [sys.executable, "-m", "tests.kit.without_posix", json.dumps([command for command, _ in COMMANDS])],
            cwd=desk.folder,
            env=environment | dict(tracker.environment),
            capture_output=True,
            check=False,
        )

    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, said
    assert json.loads(said.splitlines()[-1]) == [code for _, code in COMMANDS], said
    names = {path.name for path in desk.folder.rglob("*") if desk.folder / "company" not in path.parents}
    assert not [name for name in names if NO_NAME.search(name)]
    assert len(list((desk.folder / ".cloudscan" / "snapshots").glob("*/manifest.json"))) == 1  # the older one is gone
    assert tracker.tickets()
