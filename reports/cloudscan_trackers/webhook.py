"""A webhook: each change as JSON to an address of your own, signed, with a key that makes it safe to send twice.

``X-Cloudscan-Signature: sha256=<hex>`` is the HMAC-SHA256 of ``<X-Cloudscan-Timestamp>.<body>`` under the shared
secret. ``Idempotency-Key`` is the same for each attempt at the same ticket or comment. The receiver cannot list its
tickets: the ledger remembers them.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cloudscan.errors import AccessDenied, ConfigurationError, TicketRefused, Unreachable
from cloudscan.http import Web
from cloudscan.sentence import Sentence, say
from cloudscan.tracker import Closing, ExistingTicket, Listing, Ticket, Tracker, TrackerPlugin, Wording
from cloudscan_trackers.markup import PLAIN
from cloudscan_trackers.rest import once
from cloudscan_trackers.wording import wording

WORDING = wording(PLAIN)


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `webhook`."""

    project: str = ""  # passed on as it is
    fallback_assignee: str = ""  # if the owner is unknown or has left


@dataclass(frozen=True)
class Webhook:
    """An address that receives changes. A ticket's key is the marker under which it was created."""

    url: str
    key: bytes
    options: Options
    web: Web

    index_lag_seconds = 0.0
    listing = Listing.NONE

    def wording(self, _project: str) -> Wording:
        """Plain text."""
        return WORDING

    def existing(self, _project: str) -> Iterable[ExistingTicket]:
        """Always empty: the receiver cannot be asked."""
        return ()

    def get(self, _key: str) -> ExistingTicket | None:
        """Always None: the receiver cannot be asked."""
        return None

    def person(self, name: str, _project: str) -> str:
        """The name as it is; the receiver looks up its own user."""
        return name

    def create(self, ticket: Ticket, assignee: str, *, once: str) -> ExistingTicket:
        """Post the event `create`. The answer's body is not read: the marker becomes the key, and there is no URL."""
        self._post("create", ticket.marker, {**self._written(ticket), "assignee": assignee}, once)
        return ExistingTicket(key=ticket.marker, marker=ticket.marker, body=ticket.body, open=True)

    def update(self, key: str, ticket: Ticket, *, once: str) -> ExistingTicket:
        """Post the event `update`, also with severity, project and fingerprints, and a new idempotency key."""
        self._post("update", key, self._written(ticket), once)
        return ExistingTicket(key=key, marker=ticket.marker, body=ticket.body, open=True)

    def comments(self, _key: str) -> Sequence[str]:
        """Always empty, so only the idempotency key keeps a comment from being written twice."""
        return ()

    def comment(self, key: str, text: str, *, once: str) -> None:
        """Post the event `comment`. The same text has the same idempotency key."""
        self._post("comment", key, {"text": text}, once)

    def close(self, key: str, closing: Closing, *, once: str) -> ExistingTicket:
        """Post the event `close` with a new idempotency key."""
        self._post("close", key, {"reason": closing.reason, "note": closing.note}, once)
        return ExistingTicket(key=key, marker=key, body="", open=False)

    def reopen(self, key: str, *, once: str) -> ExistingTicket:
        """Post the event `reopen` with a new idempotency key."""
        self._post("reopen", key, {}, once)
        return ExistingTicket(key=key, marker=key, body="", open=True)

    def check(self, _project: str) -> Iterable[Sentence]:
        """Nothing: the receiver cannot be asked."""
        return ()

    def _written(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "title": ticket.title,
            "body": ticket.body,
            "severity": ticket.severity,
            "labels": ticket.labels,
            "due": ticket.due,
            "project": ticket.project or self.options.project,
            "fingerprints": ticket.fingerprints,
        }

    def _post(self, event: str, marker: str, fields: dict[str, Any], once: str) -> None:
        body = msgspec.json.encode({"event": event, "marker": marker, **fields})
        moment = str(int(time.time()))
        signature = hmac.new(self.key, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"{event}-{hashlib.sha256(once.encode()).hexdigest()[:32]}",
            "X-Cloudscan-Timestamp": moment,
            "X-Cloudscan-Signature": f"sha256={signature}",
        }
        status = self.web.send("POST", self.url, headers, body=body, repeatable=False).status
        if status in (401, 403):
            raise AccessDenied(f"the webhook refused the signature (HTTP {status}); both sides need the same secret")
        if status >= 500:
            raise Unreachable(f"the webhook failed on its side (HTTP {status})")
        if not 200 <= status < 300:
            raise TicketRefused(f"the webhook refused the change (HTTP {status})")


def open_webhook(options: Options, credential: Callable[[str], str]) -> Tracker:
    """The tracker. Raises `ConfigurationError` for an address that is not https."""
    url = credential("URL")
    if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ConfigurationError(say("The webhook's address must begin with https://: tickets name files and people."))
    return Webhook(url, credential("SECRET").encode(), options, once())


WEBHOOK = TrackerPlugin(
    name="webhook",
    title="Webhook",
    options=Options,
    open=open_webhook,
    secrets=("URL", "SECRET"),
)
