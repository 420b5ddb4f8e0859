"""Failures on demand: which faults an emulator was given, which one a request runs into, which ones never struck."""

import re
import threading
from typing import Generic, Protocol, TypeVar


class RequestFault(Protocol):
    """What `Faults` needs to know of a fault to tell whether it concerns a request."""

    @property
    def where(self) -> str: ...  # a regular expression, searched for in ``METHOD path?query``

    @property
    def after(self) -> int: ...  # the number of matching requests that pass before the first one is hit

    @property
    def times(self) -> int | None: ...  # the number of requests that are then hit; None: all

    def concerns(self, user: str) -> bool: ...


Fault = TypeVar("Fault", bound=RequestFault)


class FaultNeverMet(AssertionError):
    """A fault was added and no request ran into it: the test that added it has tested nothing."""


class Faults(Generic[Fault]):
    """The faults that are switched on, with the number of requests that matched each. Safe to use from any thread."""

    def __init__(self) -> None:
        self._active: list[Fault] = []
        self._required: list[Fault] = []
        self._matches: dict[int, int] = {}  # by the fault's id(); faults stay referenced, so ids are not reused
        self._struck: set[int] = set()
        self._cleared: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Switch faults on. Each must strike at least once before the emulator ends (see `require_met`)."""
        with self._lock:
            self._active += faults
            self._required += faults

    def add_optional(self, *faults: Fault) -> None:
        """Switch faults on that may never strike, as in a test that shows that no such request is made."""
        with self._lock:
            self._active += faults

    def clear(self) -> None:
        """Switch all faults off. Those that never struck are still reported by `require_met`."""
        with self._lock:
            self._cleared += self._active
            self._active.clear()
            self._matches.clear()

    def met(self, fault: Fault) -> int:
        """How many requests matched a fault, including those that it let pass."""
        with self._lock:
            return self._matches.get(id(fault), 0)

    def hit(self, request_line: str, user: str = "") -> Fault | None:
        """The fault that strikes this request (``METHOD path?query``), if any."""
        with self._lock:
            for fault in self._active:
                if not fault.concerns(user) or not re.search(fault.where, request_line):
                    continue
                matches = self._matches[id(fault)] = self._matches.get(id(fault), 0) + 1
                if matches > fault.after and (fault.times is None or matches <= fault.after + fault.times):
                    self._struck.add(id(fault))
                    return fault
        return None

    def require_met(self) -> None:
        """Raise `FaultNeverMet` if a fault that was added with `add` never struck a request."""
        with self._lock:
            unmet = [fault for fault in self._required if id(fault) not in self._struck]
        if unmet:
            raise FaultNeverMet(f"no request ran into these faults: {unmet}")
