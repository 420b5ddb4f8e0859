"""Somebody's own receiver, as "Standard Webhooks" 1.0.0 wants it."""

import base64
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudscan_emulators.trackers.emulated import Emulated
from cloudscan_emulators.trackers.server import Reply, Request, Service

KEY = b"thirty-two bytes, for a test only"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
TOLERANCE = 300  # seconds that clocks may differ


@dataclass
class Webhook(Emulated):
    """Tickets by marker."""

    service: Service = field(default_factory=Service)
    longest_page: int = 100
    key: bytes = KEY
    by_marker: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: int = 0
    seen: set[str] = field(default_factory=set)
    done: list[dict[str, Any]] = field(default_factory=list)  # each change, once

    kind = "webhook"
    lists = False
    creates = r"POST /hook$"

    @property
    def environment(self) -> Mapping[str, str]:
        return {"CLOUDSCAN_WEBHOOK_URL": f"{self.service.url}/hook", "CLOUDSCAN_WEBHOOK_SECRET": SECRET}

    @property
    def table(self) -> str:
        return "[trackers.webhook]\n"

    def tickets(self) -> list[dict[str, Any]]:
        return list(self.by_marker.values())

    def by_hand(self, key: str, *, is_open: bool) -> None:
        self.by_marker[key]["open"] = is_open

    def rewrite(self, key: str, body: str) -> None:
        self.by_marker[key]["body"] = body

    def copy(self) -> None:
        """Nobody can: a ticket is its marker."""

    def __post_init__(self) -> None:
        @self.service.route("POST", "/hook")
        def take(request: Request) -> Reply:
            if not self._is_signed(request):
                return Reply(401, {})
            if request.headers["webhook-id"] in self.seen:
                return Reply(200, {})
            self.seen.add(request.headers["webhook-id"])
            self._do(request.json)
            return Reply(202, {})

    def _is_signed(self, request: Request) -> bool:
        """Standard Webhooks, "Verifying signatures": any of the signatures, and only a moment ago."""
        id_, moment = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        if not moment.isdecimal() or abs(time.time() - int(moment)) > TOLERANCE:
            return False
        digest = hmac.digest(self.key, f"{id_}.{moment}.".encode() + request.body, "sha256")
        wanted = f"v1,{base64.b64encode(digest).decode()}"
        given = request.headers.get("webhook-signature", "").split()
        return any(hmac.compare_digest(wanted, signature) for signature in given)

    def _do(self, told: Mapping[str, Any]) -> None:
        """What docs/tickets.md asks of a receiver: a change to a ticket that it does not know changes nothing."""
        self.done.append(dict(told))
        marker, event = told["marker"], told["event"]
        if event == "create" and marker not in self.by_marker:
            self.made += 1
            self.by_marker[marker] = {"key": marker, "open": True, "comments": [], "assignee": told["assignee"]}
        ticket = self.by_marker.get(marker)
        if ticket is None:
            return
        if event in ("create", "update"):
            ticket.update({name: told[name] for name in ("title", "body", "labels")})
        elif event == "comment":
            ticket["comments"].append(told["text"])
        else:
            ticket["open"] = event == "reopen"
