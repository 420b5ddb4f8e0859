"""What goes wrong on demand in an emulator: which faults are switched on, and which one a request meets."""

import re
import threading
from typing import Generic, Protocol, TypeVar


class Matching(Protocol):
    """As much of a fault as has to be known to say whether a request is meant."""

    @property
    def where(self) -> str: ...  # a regular expression, looked for in ``METHOD path?query``

    @property
    def after(self) -> int: ...  # let so many matching requests pass first

    @property
    def times(self) -> int | None: ...  # then so many are hit; None: all

    def concerns(self, user: str) -> bool: ...


Fault = TypeVar("Fault", bound=Matching)


class Faults(Generic[Fault]):
    """The faults that are switched on, with how often each was met."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._met: dict[int, int] = {}
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._faults += faults

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self._met.clear()

    def met(self, fault: Fault) -> int:
        """How many requests came that a fault is about, those that it let pass too."""
        with self._lock:
            return self._met.get(id(fault), 0)

    def hit(self, asked: str, user: str = "") -> Fault | None:
        """The fault that this request meets."""
        with self._lock:
            for fault in self._faults:
                if not fault.concerns(user) or not re.search(fault.where, asked):
                    continue
                met = self._met[id(fault)] = self._met.get(id(fault), 0) + 1
                if met > fault.after and (fault.times is None or met <= fault.after + fault.times):
                    return fault
        return None
