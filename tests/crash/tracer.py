"""Kill a process at its n-th write: at the system call itself, whether Python, SQLite or DuckDB makes it.

A seccomp filter stops the traced process at the calls that change a file, before they take effect (seccomp(2),
SECCOMP_RET_TRACE; ptrace(2), PTRACE_O_TRACESECCOMP); all others run at full speed. Linux on x86-64 and ARM64.
"""

import ctypes
import os
import platform
import signal
import struct
from collections.abc import Callable
from dataclasses import dataclass

# x86-64, ARM64; 0: the machine has no such call.
_CALLS = {
    "write": (1, 64), "pwrite64": (18, 68), "writev": (20, 66), "pwritev": (296, 70), "fsync": (74, 82),
    "fdatasync": (75, 83), "ftruncate": (77, 46), "fallocate": (285, 47), "rename": (82, 0), "renameat": (264, 38),
    "renameat2": (316, 276), "unlink": (87, 0), "unlinkat": (263, 35), "mkdir": (83, 0), "mkdirat": (258, 34),
    "rmdir": (84, 0), "link": (86, 0), "linkat": (265, 37), "copy_file_range": (326, 285), "sendfile": (40, 71),
}  # fmt: skip
_OPENAT = (257, 56)
_CREATES = 0o1100  # O_CREAT, O_TRUNC
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000
_TRACEME, _CONT, _SETOPTIONS = 0, 7, 0x4200
_OPTIONS = 0x2 | 0x4 | 0x8 | 0x80 | 0x100000  # fork, vfork, clone, seccomp, kill the tracee when the tracer ends
_SECCOMP_EVENT = 7
_WALL = 0x40000000
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


@dataclass(frozen=True)
class Ended:
    """How a traced process ended."""

    writes: int  # that it came to
    code: int | None  # None: it was killed


def run(work: Callable[[], int], kill_at: int | None = None) -> Ended:
    """Do some work in a child of this process, and kill it at its n-th write. This process must not have threads."""
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            _traced()
            code = work()
        finally:
            os._exit(code)
    os.waitpid(pid, 0)
    _ptrace(_SETOPTIONS, pid, _OPTIONS)
    _ptrace(_CONT, pid, 0)
    writes = 0
    while True:
        who, status = os.waitpid(-1, _WALL)
        if not os.WIFSTOPPED(status):
            if who == pid:
                return Ended(writes, os.WEXITSTATUS(status) if os.WIFEXITED(status) else None)
            continue
        stop, event = os.WSTOPSIG(status), status >> 16
        if event == _SECCOMP_EVENT:
            writes += 1
            if writes == kill_at:
                os.kill(pid, signal.SIGKILL)
                continue
        _ptrace(_CONT, who, 0 if event or stop in (signal.SIGTRAP, signal.SIGSTOP) else stop)


def _ptrace(request: int, pid: int, data: int) -> None:
    if _libc.ptrace(request, pid, None, data) < 0 and ctypes.get_errno() != 3:  # ESRCH: it is being killed
        raise OSError(ctypes.get_errno(), f"ptrace {request}: {os.strerror(ctypes.get_errno())}")


def _traced() -> None:
    _ptrace(_TRACEME, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    program = _program()
    code = ctypes.create_string_buffer(program)
    head = ctypes.create_string_buffer(struct.pack("@HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    if _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or _libc.prctl(_SET_SECCOMP, _FILTER, head, 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel takes no seccomp filter")


def _program() -> bytes:
    """The filter, in the instructions of the Berkeley packet filter."""
    machine = {"x86_64": 0, "aarch64": 1}[platform.machine()]
    numbers = [call[machine] for call in _CALLS.values() if call[machine]]
    steps = [(_LOAD, 0, 0, 0)]
    # After these come three steps for openat, then "allow", then "trace".
    steps += [(_EQUAL, len(numbers) - place + 3, 0, number) for place, number in enumerate(numbers)]
    steps += [(_EQUAL, 0, 2, _OPENAT[machine]), (_LOAD, 0, 0, 32), (_ANY_BIT, 1, 0, _CREATES)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _TRACE)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
