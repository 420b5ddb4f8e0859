"""What a scan of S3 costs: requests, CPU, memory and output per bucket, against a bare loop and against peers.

    PYTHONPATH=.:connectors:reports python tests/bench/s3_cost.py [--buckets 1000] [--latency 0.05] [--concurrency 32]
        [--accounts 100] [--save] [--peer "prowler=prowler aws --service s3 --output-directory OUT"] …

With `--accounts` there is an organisation of so many further accounts with three buckets each. The bare loop has one
account's credentials and does not read them; what each of them costs is measured by `s3_nights.py`.

moto runs in a process of its own with an estate of which nine of ten buckets are private. Each contender is a process
of its own too, so that import and start count. The bare loop sends four requests per bucket, one after another, and
ignores the answers. Ratios are to that loop. A peer is any command; it finds the estate through AWS_ENDPOINT_URL, and
`OUT` in it is replaced by a folder whose size is reported.
"""

import argparse
import multiprocessing
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from tests.bench.figures import Bench, Figure, save

FEW = 3  # buckets of a further account
LOOP = """
import boto3
s3 = boto3.client("s3")
for bucket in s3.list_buckets()["Buckets"]:
    for ask in (s3.get_bucket_policy, s3.get_bucket_acl, s3.get_public_access_block, s3.get_bucket_ownership_controls):
        try:
            ask(Bucket=bucket["Name"])
        except s3.exceptions.ClientError:
            pass
"""


@dataclass(frozen=True, kw_only=True)
class Cost:
    requests: int
    cpu: float  # seconds, user and system
    wall: float
    memory: float  # MB, peak
    output: float  # MB written to the folder
    code: int


def serve(pipe: Connection, buckets: int, latency: float, accounts: int) -> None:
    """Serve the estate; answer each message with the number of requests so far."""
    from cloudscan_emulators.aws import around_buckets, company, moto_server
    from cloudscan_emulators.aws.moto_server import Fault

    with moto_server.running() as server:
        company.many(server.endpoint, buckets)
        if accounts:
            company.members(server.endpoint, accounts, FEW)
        server.around.regions = around_buckets.ALWAYS_ENABLED
        if latency:
            server.faults.add(Fault(where="", delay=latency, delay_only=True))
        server.request_log.clear()
        pipe.send(server.endpoint)
        while pipe.recv():
            pipe.send(server.requests)


def measured(command: Sequence[str], environment: Mapping[str, str], folder: Path, pipe: Connection) -> Cost:
    requests_before = _count(pipe)
    start = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    return Cost(
        requests=_count(pipe) - requests_before,
        cpu=usage.ru_utime + usage.ru_stime,
        wall=wall,
        memory=usage.ru_maxrss / 1000,
        output=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6,
        code=os.waitstatus_to_exitcode(status),
    )


def _count(pipe: Connection) -> int:
    pipe.send(True)
    return int(pipe.recv())


def summary(cost: Cost, reference: Cost, buckets: int) -> str:
    return (
        f"{cost.requests / buckets:5.1f} requests ({cost.requests / reference.requests:4.2f}x), "
        f"{cost.cpu / buckets * 1000:6.1f} ms CPU ({cost.cpu / reference.cpu:4.2f}x), {cost.wall:6.1f} s, "
        f"{cost.memory:5.0f} MB, wrote {cost.output:6.2f} MB"
    )


def keep(costs: Mapping[str, Cost], buckets: int, accounts: int) -> None:
    """Save what the scan cost against the bare loop."""
    scan, loop = costs["cloudscan"], costs["a bare loop"]
    every = buckets + accounts * FEW
    further = f" and {accounts} further accounts" if accounts else ""
    figures = [
        Figure(
            work=f"a scan of {buckets:,} buckets{further}, judged and reported",
            ours=round(scan.cpu / every * 1000, 2),
            unit="ms CPU a bucket, start included",
            reference=round(loop.cpu / buckets * 1000, 2),
            against="a loop of boto3 that sends four requests a bucket and ignores the answers",
            wanted="≤ 1.35 of the loop",
            limit="the loop: nothing but the SDK and the network",
        ),
        Figure(
            work=f"a scan of {buckets:,} buckets{further}",
            ours=round(scan.requests / every, 2),
            unit="requests a bucket, all questions included",
            reference=round(loop.requests / buckets, 2),
            against="the loop",
            wanted="≤ 4.5",
        ),
        Figure(work=f"a scan of {buckets:,} buckets{further}", ours=round(scan.memory), unit="MB peak"),
    ]
    command = f"tests/bench/s3_cost.py --buckets {buckets}" + (f" --accounts {accounts}" if accounts else "")
    tried = [
        "Clients that are made anew for each account: 16.5 MB each; now all accounts of an organisation share theirs."
    ]
    day = datetime.now(UTC).date().isoformat()
    save(Bench(bench="s3_cost", command=command, measured_on=day, figures=figures, tried=tried))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--buckets", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--concurrency", type=int, default=16, help="of cloudscan")
    parser.add_argument("--accounts", type=int, default=0, help="further ones, of an organisation")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    arguments = parser.parse_args()

    pipe, server_pipe = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    server = context.Process(
        target=serve, args=(server_pipe, arguments.buckets, arguments.latency, arguments.accounts), daemon=True
    )
    server.start()
    endpoint = str(pipe.recv())
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    scan = [sys.executable, "-m", "cloudscan", "scan", "--concurrency", str(arguments.concurrency)]
    contenders = {"a bare loop": [sys.executable, "-c", LOOP], "cloudscan": scan}
    contenders |= {name: shlex.split(command) for name, _, command in (peer.partition("=") for peer in arguments.peer)}
    reference: Cost | None = None
    costs: dict[str, Cost] = {}
    print(f"{arguments.buckets} buckets, {arguments.latency * 1000:.0f} ms of latency; for each bucket:")
    for name, command in contenders.items():
        folder = Path(tempfile.mkdtemp(prefix="s3-cost-"))
        everyone = "organisation = true\n" if arguments.accounts else ""
        (folder / "cloudscan.toml").write_text(f'[connectors.s3]\nendpoint = "{endpoint}"\n{everyone}')
        cost = measured([str(folder) if word == "OUT" else word for word in command], environment, folder, pipe)
        reference = reference or cost
        costs[name] = cost
        pages = [path.stat().st_size / 1e6 for path in folder.rglob("*.html")]
        page = f" (page {max(pages):.2f} MB)" if pages else ""
        print(f"{name:>12}: {summary(cost, reference, arguments.buckets)}{page}, exit {cost.code}")
        shutil.rmtree(folder)
    pipe.send(False)
    server.join(timeout=10)
    if arguments.save:
        keep(costs, arguments.buckets, arguments.accounts)


if __name__ == "__main__":
    main()
