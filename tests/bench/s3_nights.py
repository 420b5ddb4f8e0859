"""What a further account costs, and what a quiet night costs against a full one.

    PYTHONPATH=.:connectors:reports python tests/bench/s3_nights.py [--buckets 1000] [--accounts 100] [--save]

moto runs in a process of its own. Each scan is collected and sealed, not judged, in a process of its own. An account's
own cost is that of an organisation whose buckets are spread over many accounts, less that of one account with as many
buckets, in the two Regions that the emulator has by default. A night is measured in one account with the 17 Regions
that no account can switch off; its requests about objects, of which CloudTrail tells nothing, are counted apart.
"""

import argparse
import os
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path

from tests.bench.figures import Bench, Figure, save

FEW = 3  # buckets of an account


def serve(pipe: Connection, buckets: int, accounts: int, *, everywhere: bool) -> None:
    """Serve an estate; answer a message with the requests since the last one, all and about objects."""
    from cloudscan_emulators.aws import around_buckets, company, moto_server

    with moto_server.running() as server:
        company.many(server.endpoint, buckets)
        if accounts:
            company.members(server.endpoint, accounts, FEW)
        if everywhere:
            server.around.regions = around_buckets.ALWAYS_ENABLED
        server.history.pass_time(timedelta(days=2))
        server.request_log.clear()
        pipe.send(server.endpoint)
        while pipe.recv():
            about_objects = sum("list-type=2" in line for line in server.request_log)
            pipe.send((server.requests, about_objects))
            server.request_log.clear()
            server.history.pass_time(timedelta(days=1))


def collect_once(pipe: Connection, endpoint: str, into: str, since: str, *, organisation: bool) -> None:
    """One scan; sends its CPU seconds and the peak of memory in MB."""
    from cloudscan.connector import Estate
    from cloudscan.snapshot.collect import CollectOptions, collect
    from cloudscan.snapshot.incremental import Earlier
    from cloudscan_emulators.aws.moto_server import CREDENTIALS
    from cloudscan_s3.options import Options
    from cloudscan_s3.plugin import PLUGIN

    os.environ |= CREDENTIALS
    reader = PLUGIN.open(Options(endpoint=endpoint, organisation=organisation), Estate())
    begun = time.process_time()
    options = CollectOptions(earlier=Earlier(folder=Path(since)) if since else None)
    collect([reader], Path(into), options=options).close()
    pipe.send((time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000))


def nights(buckets: int, accounts: int = 0, *, everywhere: bool = False, number: int = 1) -> list[dict[str, float]]:
    """So many nights of an estate in which nothing happens."""
    context = get_context("spawn")
    ours, theirs = Pipe()
    context.Process(
        target=serve, args=(theirs, buckets, accounts), kwargs={"everywhere": everywhere}, daemon=True
    ).start()
    endpoint = str(ours.recv())
    found: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for night in range(number):
            told, telling = Pipe()
            since = f"{folder}/{night - 1}" if night else ""
            scan = context.Process(
                target=collect_once,
                args=(telling, endpoint, f"{folder}/{night}", since),
                kwargs={"organisation": accounts > 0},
            )
            scan.start()
            cpu, memory = told.recv()
            scan.join()
            ours.send(True)
            requests, about_objects = ours.recv()
            found.append({"cpu": cpu, "memory": memory, "requests": requests, "objects": about_objects})
            print(f"{buckets} buckets, {accounts} further accounts, night {night + 1}: {found[-1]}")
    ours.send(False)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--buckets", type=int, default=1000)
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()

    (spread,) = nights(FEW, given.accounts)
    (together,) = nights(FEW * (given.accounts + 1))
    cpu = (spread["cpu"] - together["cpu"]) / given.accounts
    memory = (spread["memory"] - together["memory"]) / given.accounts
    first, second = nights(given.buckets, everywhere=True, number=2)
    quiet = (second["requests"] - second["objects"]) / given.buckets
    figures = [
        Figure(work=f"a further account, {given.accounts} of them", ours=round(cpu, 3), unit="s CPU", wanted="≤ 0.1"),
        Figure(
            work=f"a further account, {given.accounts} of them", ours=round(memory, 2), unit="MB peak", wanted="≤ 1"
        ),
        Figure(
            work=f"a quiet night, {given.buckets:,} buckets in one account",
            ours=round(quiet, 3),
            unit="requests a bucket, without those about objects",
            reference=round(first["requests"] / given.buckets, 3),
            against="the full scan",
            wanted="≤ 0.1",
            limit="one request a Region and some 20 an account",
        ),
        Figure(
            work=f"objects' own ACLs on a quiet night, {given.buckets:,} buckets, a fifth of them with ACLs",
            ours=round(second["objects"] / given.buckets, 3),
            unit="requests a bucket",
            reference=round(first["objects"] / given.buckets, 3),
            against="the full scan",
            limit="object_requests: at most 200 an account",
        ),
        Figure(
            work=f"a quiet night, {given.buckets:,} buckets in one account",
            ours=round(second["cpu"], 2),
            unit="s CPU",
            reference=round(first["cpu"], 2),
            against="the full scan",
        ),
    ]
    for figure in figures:
        print(figure)
    if given.save:
        command = f"tests/bench/s3_nights.py --buckets {given.buckets} --accounts {given.accounts}"
        tried = (
            "One loader of service descriptions for all sessions, as measured before: a further account still has its "
            "own clients, some ten a Region.",
            "Handing the objects' listings to memory as well: no event tells of objects, so that nothing would vouch "
            "for them.",
        )
        day = datetime.now(UTC).date().isoformat()
        save(Bench(bench="s3_nights", command=command, measured_on=day, figures=figures, tried=tried))


if __name__ == "__main__":
    main()
