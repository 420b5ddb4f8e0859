"""The Google connector against a Drive server that is not ours: the npm package google-drive-mock.

    npm install --prefix FOLDER google-drive-mock cors
    PYTHONPATH=.:connectors:reports python tests/interop/google_drive_mock.py FOLDER [--files 2500]

That server knows folders, paging and changes, and no permissions: all grants must be "could not be read".
Prints what was compared, and ends with status 1 where the two do not agree.
"""

import argparse
import http.client
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cloudscan.connector import Estate
from cloudscan.facts import Outcome
from cloudscan.snapshot.collect import CollectOptions, Event, Finished, collect
from cloudscan.snapshot.incremental import Earlier
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan_gdrive.connector import DriveConnector
from cloudscan_gdrive.options import Options

FOLDER = "application/vnd.google-apps.folder"
TOKEN = "valid-token"
OWNERS = [{"emailAddress": "mock@example.com"}]  # the server has one user, and no owners unless they are given
SERVE = """
const {driveStore} = require('google-drive-mock/dist/store')
driveStore.createFile({id: 'root', name: 'My Drive', mimeType: 'application/vnd.google-apps.folder'})
require('google-drive-mock').startServer(Number(process.argv[1]), '127.0.0.1')
"""  # it has no top folder of its own


class Tokens(BaseHTTPRequestHandler):
    """Stands in for Google's token endpoint, which the other server does not have."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def other_server(packages: Path) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as free:
        port = free.server_port
    process = subprocess.Popen(["node", "-e", SERVE, str(port)], cwd=packages, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                ask(port, "GET", "/")
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def ask(port: int, method: str, path: str, body: object = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse().read()
    connection.close()
    return json.loads(answer) if answer[:1] in (b"{", b"[") else None


def fill(port: int, files: int) -> dict[str, str]:
    """Make folders in folders with files in them; gives the path of each by its id."""
    dice, paths, folders = random.Random(1), {}, [("root", "")]
    for number in range(files):
        parent, above = dice.choice(folders[-40:])
        is_folder = number % 25 == 0
        name = f"{'Folder' if is_folder else '資料'} {number}"
        identity = make(port, name, FOLDER if is_folder else "text/plain", parent)
        paths[identity] = f"{above}{name}"
        if is_folder:
            folders.append((identity, f"{above}{name}/"))
    return paths


def make(port: int, name: str, kind: str, parent: str) -> str:
    made = {"name": name, "mimeType": kind, "parents": [parent], "owners": OWNERS}
    return str(ask(port, "POST", "/drive/v3/files", made)["id"])


def paths_in(snapshot: Snapshot) -> dict[str, str]:
    rows = snapshot.query("SELECT uid, path FROM resources WHERE kind IN ('file', 'folder')").rows
    paths = {str(uid).rpartition("/")[2]: str(path).removeprefix("My Drive/") for uid, path in rows}
    paths.pop("root")  # which that server lists like any folder
    return paths


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path)
    parser.add_argument("--files", type=int, default=2500)
    given = parser.parse_args()
    tokens = ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
    threading.Thread(target=tokens.serve_forever, daemon=True).start()
    with other_server(given.packages.resolve()) as port, tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        key = folder / "key.json"
        key.write_text(
            json.dumps(
                {
                    "type": "authorized_user",
                    "client_id": "us",
                    "client_secret": "none",
                    "refresh_token": "none",
                    "token_uri": f"http://127.0.0.1:{tokens.server_port}/token",
                }
            )
        )
        wrong = compare(port, folder, str(key), given.files)
    print("\n".join(wrong) or "both agree")
    return 1 if wrong else 0


def compare(port: int, folder: Path, key: str, files: int) -> list[str]:
    estate, options = Estate(name="us"), Options(endpoint=f"http://127.0.0.1:{port}", key_file=key)

    def scan(number: int, since: Path | None = None) -> tuple[dict[str, str], int]:
        events: list[Event] = []
        wanted = CollectOptions(earlier=Earlier(folder=since) if since else None)
        reader = DriveConnector.open(options, estate)
        with collect([reader], folder / str(number), options=wanted, on_event=events.append) as snapshot:
            read_paths = paths_in(snapshot)
            for row in snapshot.coverage():
                if row.outcome is not Outcome.COMPLETE and row.resource_uid is None:
                    print(f"  {row.table} of {row.scope_name}: {row.outcome}: {row.reason}")
        return read_paths, sum(event.report.requests for event in events if isinstance(event, Finished))

    wrong: list[str] = []

    def check(what: str, scanned: tuple[dict[str, str], int], expected: dict[str, str]) -> None:
        read_paths, requests = scanned
        off = [identity for identity in {*read_paths, *expected} if read_paths.get(identity) != expected.get(identity)]
        print(f"{what}: {len(read_paths)} read, {len(expected)} expected, {requests} requests, {len(off)} differ")
        wrong.extend(
            f"  {identity}: told {read_paths.get(identity)!r}, is {expected.get(identity)!r}" for identity in off[:5]
        )

    paths = fill(port, files)
    check("everything, page by page", scan(1), paths)
    for change in (rename, remove, add):
        change(port, paths)
    check("what changed since", scan(2, folder / "1"), paths)
    check("everything once more", scan(3), paths)
    return wrong


def with_expected(
    read: tuple[dict[str, str], int], paths: dict[str, str]
) -> tuple[dict[str, str], dict[str, str], int]:
    return read[0], dict(paths), read[1]


def rename(port: int, paths: dict[str, str]) -> None:
    identity = next(identity for identity, path in paths.items() if "資料" in path)
    ask(port, "PATCH", f"/drive/v3/files/{identity}", {"name": "renamed"})
    paths[identity] = (paths[identity].rpartition("/")[0] + "/renamed").lstrip("/")


def remove(port: int, paths: dict[str, str]) -> None:
    identity = [identity for identity, path in paths.items() if "資料" in path][7]
    ask(port, "DELETE", f"/drive/v3/files/{identity}")
    del paths[identity]


def add(port: int, paths: dict[str, str]) -> None:
    paths[make(port, "new", "text/plain", "root")] = "new"


if __name__ == "__main__":
    sys.exit(main())
