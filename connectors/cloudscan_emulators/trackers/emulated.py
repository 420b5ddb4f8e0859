"""What the tests see of an emulated tracker, whichever it is."""

from collections.abc import Mapping
from typing import Any, Protocol

from cloudscan_emulators.trackers.server import Service


class Emulated(Protocol):
    """A tracker in a local server."""

    kind: str
    service: Service
    lists: bool  # whether it can tell what it holds
    creates: str  # the request that makes a ticket, as a pattern
    longest_page: int  # tickets that are told at once, however many are asked for

    @property
    def environment(self) -> Mapping[str, str]:
        """The credentials that it takes."""
        ...

    @property
    def table(self) -> str:
        """Its part of cloudscan.toml."""
        ...

    def tickets(self) -> list[dict[str, Any]]:
        """All there are: key, title, body, open, assignee, comments."""
        ...

    def by_hand(self, key: str, *, is_open: bool) -> None:
        """Somebody opens or closes a ticket."""
        ...

    def rewrite(self, key: str, body: str) -> None:
        """Somebody writes another text into a ticket."""
        ...

    def copy(self) -> None:
        """Somebody makes a second ticket out of the first."""
        ...
