"""Somebody's own receiver: checks the signature, and does what it was asked only once for each idempotency key."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudscan_emulators.trackers.emulated import Emulated
from cloudscan_emulators.trackers.server import Reply, Request, Service

SECRET = "of-a-test"


@dataclass
class Webhook(Emulated):
    """Tickets by marker."""

    service: Service = field(default_factory=Service)
    longest_page: int = 100
    by_marker: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: int = 0
    seen: set[str] = field(default_factory=set)

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
            signed = request.headers["x-cloudscan-timestamp"].encode() + b"." + request.body
            wanted = "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(wanted, request.headers["x-cloudscan-signature"]):
                return Reply(401, {})
            if request.headers["idempotency-key"] in self.seen:
                return Reply(200, {})
            self.seen.add(request.headers["idempotency-key"])
            self._do(request.json)
            return Reply(202, {})

    def _do(self, told: Mapping[str, Any]) -> None:
        marker, event = told["marker"], told["event"]
        ticket = self.by_marker.setdefault(marker, {"key": marker, "open": True, "comments": []})
        if event == "create":
            self.made += 1
        if event in ("create", "update"):
            ticket.update({name: told[name] for name in ("title", "body", "labels")})
            ticket.setdefault("assignee", told.get("assignee", ""))
        elif event == "comment":
            ticket["comments"].append(told["text"])
        else:
            ticket["open"] = event == "reopen"
