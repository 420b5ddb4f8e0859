"""What a scan of Google Drive costs: requests and CPU for a file, against a plain loop with Google's client.

    PYTHONPATH=.:connectors:reports python tests/bench/gdrive_cost.py [--files 100000]

The emulator runs in a process of its own. The plain loop asks `files().list()` for the same fields, page after page,
for each user, and does nothing with the answers. Ours writes the facts to disk as a scan does. Each contender is a
process of its own; what its imports and start cost is measured with an empty company and taken off both.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

PLAIN = """
import json, sys
from google.oauth2 import service_account
from googleapiclient.discovery import build
endpoint, key, users, fields = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
credentials = service_account.Credentials.from_service_account_file(
    key, scopes=["https://www.googleapis.com/auth/drive.metadata.readonly"])
seen = 0
for user in users:
    drive = build("drive", "v3", credentials=credentials.with_subject(user), static_discovery=True,
                  client_options={"api_endpoint": endpoint + "/drive/v3/"})
    token = None
    while True:
        page = drive.files().list(corpora="user", q="'me' in owners", pageSize=1000, fields=fields,
                                  pageToken=token).execute()
        seen += len(page["files"])
        token = page.get("nextPageToken")
        if not token:
            break
print(seen)
"""
OURS = """
import sys
from pathlib import Path
from cloudscan.connector import Estate, Scope
from cloudscan.snapshot.spool import SpoolWriter
from cloudscan_gdrive.connector import DriveConnector
from cloudscan_gdrive.options import Options
from cloudscan.facts import Fact, Resource
endpoint, key, admin, folder = sys.argv[1:5]
connector = DriveConnector.open(Options(endpoint=endpoint, key_file=key, admin=admin, shared_drives=False), Estate())
seen = 0
waiting = list(connector.scopes())
Path(folder).mkdir(exist_ok=True)
while waiting:
    scope = waiting.pop()
    with SpoolWriter(Path(folder), scope) as spool:
        for row in connector.collect(scope, None):
            if isinstance(row, Fact):
                spool.fact(row)
                seen += isinstance(row, Resource)
            else:
                spool.add(row)
                waiting += [row] if isinstance(row, Scope) else []
        spool.finish()
print(seen)
"""


def serve(pipe: Connection, files: int, folder: str) -> None:
    from cloudscan_emulators.google import company, serve

    built = company.build(files)
    with serve(built.state) as server:
        key = server.write_key(Path(folder) / f"key-{files}.json")
        users = [user.email for user in built.state.accounts if not (user.suspended or user.archived or user.deleted)]
        pipe.send((server.url, str(key), built.admin, users))
        while pipe.recv():
            pipe.send(server.requests)


def run(command: list[str], pipe: Connection) -> tuple[float, float, int, int]:
    """CPU seconds, wall seconds, requests and what it printed."""
    pipe.send(True)
    before = pipe.recv()
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command[:2]
    pipe.send(True)
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - begin, pipe.recv() - before, int(out)


def measure(files: int, folder: str) -> dict[str, tuple[float, float, int, int]]:
    from cloudscan_gdrive.api.listing import OWN_FILE

    pipe, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, files, folder), daemon=True)
    server.start()
    url, key, admin, users = pipe.recv()
    plain = [sys.executable, "-c", PLAIN, url, key, json.dumps(users), f"nextPageToken,files({OWN_FILE})"]
    ours = [sys.executable, "-c", OURS, url, key, admin, f"{folder}/spool-{files}"]
    found = {"plain loop": run(plain, pipe), "cloudscan": run(ours, pipe)}
    pipe.send(False)
    server.join(timeout=10)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        empty, full = measure(10, folder), measure(given.files, folder)
    reference = 0.0
    for name, (cpu, wall, requests, seen) in full.items():
        micro = (cpu - empty[name][0]) / seen * 1e6
        reference = reference or micro
        print(
            f"{name:>11}: {micro:6.1f} µs CPU a file ({micro / reference:4.2f}x), {requests / seen * 1000:5.1f} "
            f"requests per 1,000 files, {seen:,} files in {wall:5.1f} s, {empty[name][0]:4.1f} s CPU to start"
        )


if __name__ == "__main__":
    main()
