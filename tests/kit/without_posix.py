"""cloudscan as on Windows, as far as Linux can tell: what only POSIX systems have is not there for our code.

    python -m tests.kit.without_posix '[["scan"], ["findings"]]'

Runs the commands in one process and prints their exit codes as JSON. Modules are hidden from our packages alone, since
libraries have code of their own for Windows; attributes of `os` and `signal` are gone for all. Processes are spawned,
here and in them, and a file that is opened without its encoding is an error.
"""

import builtins
import json
import multiprocessing
import os
import signal
import sys
import warnings
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


hide()

if __name__ == "__main__":
    from cloudscan.cli.main import run
    from cloudscan.snapshot import lock

    assert lock.fcntl is None
    print(json.dumps([run(arguments) for arguments in json.loads(sys.argv[1])]), file=sys.stderr)
