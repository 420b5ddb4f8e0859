"""What a night costs in requests, against a full scan, when one item in a thousand has changed.

    PYTHONPATH=.:connectors:reports python tests/bench/nightly_cost.py [--files 450000] [--people 3] [--buckets 100]

Google Drive keeps a log of changes for each user and each shared drive, so a night asks at least once for each of them,
however little happened: what it saves depends on how many files a drive holds. Two shapes are measured, few large
drives (`--people` and one shared drive for each) and the emulator's ordinary company with some 500 files a user. On S3
nothing has changed: CloudTrail's event history says so, and what it tells nothing of is asked (see `s3_nights.py`).
"""

import argparse
import os
import random
import tempfile
from datetime import timedelta
from pathlib import Path

from cloudscan.connector import Connector
from cloudscan.snapshot.collect import CollectOptions, collect
from cloudscan.snapshot.incremental import Earlier
from cloudscan_emulators.google import TenantState, company, serve
from cloudscan_emulators.google.records import ANYONE, DOCUMENT, MY_DRIVE, NOBODY, TOP, Grant
from tests.connectors.gdrive.estate import connector


def large_drives(files: int, people: int) -> TenantState:
    """Nine of ten files in the My Drives of a few people, one in their shared drives; one in thirty is shared."""
    state = company.build(400).state
    dice = random.Random(5)
    users = [state.add_user(f"large{index}@kumo.example", f"Large {index}") for index in range(people)]
    teams = [state.add_drive(f"Archive {n}", {f"large{n}@kumo.example": "organizer"}) for n in range(people)]
    shared = (Grant(ANYONE, "reader"),)
    for index in range(files):
        holder = index % people
        owner, drive = (users[holder].number, MY_DRIVE) if dice.random() < 0.9 else (NOBODY, teams[holder].number)
        grants = shared if owner != NOBODY and dice.random() < 0.03 else ()
        state.load(f"Paper {index}", DOCUMENT, TOP, owner, drive, grants, state.now - 9000, state.now - 5000, 1000)
    return state


def change(state: TenantState, share: float) -> int:
    """New names, new content, new shares, new files: for a share of the tenant's items."""
    dice = random.Random(6)
    there = [item for item in state.items if item is not None and item.owner != NOBODY and not item.trashed]
    chosen = dice.sample(there, int(len(state.items) * share))
    for number, item in enumerate(chosen):
        if number % 3 == 0:
            state.rename(item, f"Renamed {number}")
        elif number % 3 == 1:
            state.touch(item)
        else:
            state.share(item, "spy@rival.example", "reader")
    return len(chosen)


def drive(name: str, state: TenantState, folder: Path) -> None:
    with serve(state) as server:

        def scan(number: int, since: Path | None) -> int:
            before = server.requests
            options = CollectOptions(concurrency=4, earlier=Earlier(folder=since) if since else None)
            collect([connector(server, folder)], folder / str(number), options=options).close()
            return server.requests - before

        full = scan(1, None)
        changed = change(state, 0.001)
        print_cost(name, len(state.items), full, changed, scan(2, folder / "1"))


def s3(buckets: int, folder: Path) -> None:
    from cloudscan.connector import Estate
    from cloudscan_emulators.aws import company as shop
    from cloudscan_emulators.aws import moto_server
    from cloudscan_s3.options import Options
    from cloudscan_s3.plugin import PLUGIN

    os.environ |= {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with moto_server.running() as server:
        shop.many(server.endpoint, buckets)
        server.history.pass_time(timedelta(days=1))

        def connect() -> Connector:
            return PLUGIN.open(Options(endpoint=server.endpoint), Estate())

        costs = []
        for number, since in ((1, None), (2, folder / "1")):
            before = server.requests
            earlier = Earlier(folder=since) if since else None
            collect([connect()], folder / str(number), options=CollectOptions(earlier=earlier)).close()
            server.history.pass_time(timedelta(days=1))
            costs.append(server.requests - before)
        print_cost("S3", buckets, costs[0], 0, costs[1])


def print_cost(name: str, items: int, full: int, changed: int, night: int) -> None:
    print(
        f"{name:>22}: {items:,} items, full scan {full:,} requests; {changed:,} changed, "
        f"the night {night:,} requests, {night / full:.1%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=450_000)
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--buckets", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        drive("few large drives", large_drives(given.files, given.people), Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        drive("an ordinary company", company.build(given.files // 10).state, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        s3(given.buckets, Path(folder))


if __name__ == "__main__":
    main()
