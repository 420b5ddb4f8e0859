"""cloudscan as on Windows, as far as Linux can tell: what only POSIX systems have is not there for our code.

    python -m tests.kit.without_posix '[["scan"], ["findings"]]'

Runs the commands in one process and prints their exit codes as JSON. Modules are hidden from our packages alone, since
libraries have code of their own for Windows; attributes of `os` and `signal` are gone for all. Processes are spawned,
here and in them. A file that is opened without its encoding is an error, and so is moving or removing what this process
has open, or a folder around it.
"""

import builtins
import errno
import json
import multiprocessing
import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

MODULES = frozenset({"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"})
ATTRIBUTES = {
    os: (
        *("O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "chown", "chroot", "fchmod", "fchown", "fork", "forkpty"),
        *("getegid", "geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getuid", "killpg", "lchown"),
        *("mkfifo", "mknod", "nice", "openpty", "sched_getaffinity", "setsid", "sysconf", "ttyname"),
        *("uname", "wait3", "wait4"),
    ),
    signal: ("SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2", "alarm", "setitimer"),
}


def hide() -> None:
    """Take away what Windows does not have."""
    imported = builtins.__import__

    def import_(name: str, globals: Any = None, *rest: Any, **named: Any) -> ModuleType:
        if name in MODULES and str((globals or {}).get("__name__")).startswith("cloudscan"):
            raise ImportError(f"No module named {name!r}", name=name)
        return imported(name, globals, *rest, **named)

    builtins.__import__ = import_
    for module, names in ATTRIBUTES.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    multiprocessing.get_all_start_methods = lambda: ["spawn"]
    multiprocessing.set_start_method("spawn", force=True)
    warnings.filterwarnings("error", category=EncodingWarning, module="cloudscan")


def keep_what_is_open() -> None:
    """Let nobody move or remove a file that this process has open, nor a folder with one in it."""
    setattr(shutil, "_use_fd_functions", False)  # noqa: B010 - Windows has no such functions
    for name in ("remove", "rename", "replace", "rmdir", "unlink"):
        setattr(os, name, _refusing(getattr(os, name)))


def _refusing(change: Callable[..., None]) -> Callable[..., None]:
    def changed(*paths: Any, **more: Any) -> None:
        for path in map(os.path.realpath, paths[:2]):
            if busy := [opened for opened in _open_files() if opened == Path(path) or Path(path) in opened.parents]:
                raise PermissionError(errno.EACCES, f"{busy[0]} is open", path)
        change(*paths, **more)

    return changed


def _open_files() -> list[Path]:
    opened = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # that of the listing itself
            opened.append(descriptor.readlink())
    return [path for path in opened if path.is_file()]


hide()
keep_what_is_open()

if __name__ == "__main__":
    from cloudscan.cli.main import run
    from cloudscan.snapshot import lock

    assert lock.fcntl is None
    print(json.dumps([run(arguments) for arguments in json.loads(sys.argv[1])]), file=sys.stderr)
