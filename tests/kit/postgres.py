"""A PostgreSQL of our own, reached by a socket, for as long as it is needed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HASTE = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off -c shared_buffers=16MB"
"""For a server whose data nobody needs tomorrow."""


def programs() -> Path | None:
    """The folder of PostgreSQL's programs; None where it is not installed."""
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *map(Path, os.get_exec_path())]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def server(home: Path, settings: str = HASTE) -> Iterator[str]:
    """Start an empty server with these settings; gives its URL. `home` is the folder of its programs."""
    folder = Path(tempfile.mkdtemp(prefix="cloudscan-"))
    user = None
    if os.geteuid() == 0:  # PostgreSQL refuses to be run by root
        user = next(name for name in ("postgres", "nobody") if name in {account.pw_name for account in pwd.getpwall()})
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        command = [str(home / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    run("initdb", "--username=auditor", "--auth=trust", "--encoding=UTF8", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} {settings}"
    run("pg_ctl", "--wait", "--log", str(folder / "log"), "--options", options, "start")
    try:
        yield f"postgresql+psycopg://auditor@/postgres?host={folder}"
    finally:
        run("pg_ctl", "--wait", "--mode=immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
