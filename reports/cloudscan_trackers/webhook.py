"""A webhook: each change as JSON to an address of your own, signed so that it can be trusted and sent twice.

It is signed as "Standard Webhooks" 1.0.0 says (``webhook-id``, ``webhook-timestamp``, ``webhook-signature``). The id is
the same for each attempt at the same change, over nights, so that a receiver does it once. The receiver cannot list its
tickets: the ledger remembers them.
"""

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from cloudscan.errors import (
    AccessDenied,
    ConfigurationError,
    ProviderError,
    Throttled,
    TicketRefused,
    Unreachable,
    check_url,
)
from cloudscan.http import Answer, Carrier
from cloudscan.sentence import Sentence, say
from cloudscan.tracker import Closing, ExistingTicket, Listing, Ticket, Tracker, TrackerPlugin, Wording
from cloudscan_trackers.markup import PLAIN
from cloudscan_trackers.wording import wording

WORDING = wording(PLAIN)

_PREFIX: Final = "whsec_"  # Standard Webhooks, "Signature scheme": what follows is base64
_ENOUGH: Final = 24  # bytes of a secret (the same section)
_TIMEOUT: Final = 30.0  # seconds (Standard Webhooks, "Request timeouts")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[trackers.<name>]`` with the kind `webhook`."""

    project: str = ""  # passed on as it is
    fallback_assignee: str = ""  # if the owner is unknown or has left
    usernames: Mapping[
        str, str
    ] = {}  # addresses → the receiver's own names of people; others are passed on as they are
    fields: Mapping[str, Any] = {}  # passed on as `fields` when a ticket is created
    close_fields: Mapping[str, Any] = {}  # passed on as `fields` when it is closed
    reopen_fields: Mapping[str, Any] = {}  # passed on as `fields` when it is reopened
    close_as: Mapping[str, Mapping[str, Any]] = {}  # by reason: what is passed on in place of `close_fields`


@dataclass
class Webhook:
    """An address that receives changes. A ticket's key is the marker under which it was created."""

    url: str
    keys: Sequence[bytes]  # all of them sign, so that the receiver's can be changed at any time
    options: Options
    carrier: Carrier = field(default_factory=lambda: Carrier(connections=2, timeout=_TIMEOUT))
    has_unsubscribed: bool = False

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
        """The name that the options give for an address, else the address: the receiver looks up its own user."""
        known = {address.casefold(): username for address, username in self.options.usernames.items()}
        return known.get(name.casefold(), name)

    def create(self, ticket: Ticket, assignee: str, *, once: str) -> ExistingTicket:
        """Post the event `create`. The answer's body is not read: the marker becomes the key, and there is no URL."""
        self._post("create", ticket.marker, self._written(ticket, assignee), self.options.fields, once)
        return ExistingTicket(key=ticket.marker, marker=ticket.marker, body=ticket.body, open=True)

    def update(self, key: str, ticket: Ticket, *, once: str) -> ExistingTicket:
        """Post the event `update`, also with severity, project and fingerprints."""
        self._post("update", key, self._written(ticket), {}, once)
        return ExistingTicket(key=key, marker=ticket.marker, body=ticket.body, open=True)

    def comments(self, _key: str) -> Sequence[str]:
        """Always empty, so only the id keeps a comment from being written twice."""
        return ()

    def comment(self, key: str, text: str, *, once: str) -> None:
        """Post the event `comment`."""
        self._post("comment", key, {"text": text}, {}, once)

    def close(self, key: str, closing: Closing, *, once: str) -> ExistingTicket:
        """Post the event `close`."""
        about = {"reason": closing.reason, "note": closing.note, "instead": closing.instead}
        fields = self.options.close_as.get(closing.reason, self.options.close_fields)
        self._post("close", key, about, fields, once)
        return ExistingTicket(key=key, marker=key, body="", open=False)

    def reopen(self, key: str, *, once: str) -> ExistingTicket:
        """Post the event `reopen`."""
        self._post("reopen", key, {}, self.options.reopen_fields, once)
        return ExistingTicket(key=key, marker=key, body="", open=True)

    def check(self, _project: str) -> Iterable[Sentence]:
        """Whether the secrets are long enough; nothing else can be known of the receiver."""
        if short := [len(key) for key in self.keys if len(key) < _ENOUGH]:
            yield say(
                "the secret has {count} bytes; use at least {least} random ones, written as {prefix} and base64.",
                count=min(short),
                least=_ENOUGH,
                prefix=_PREFIX,
            )

    def _written(self, ticket: Ticket, assignee: str | None = None) -> dict[str, Any]:
        written = {
            "title": ticket.title,
            "body": ticket.body,
            "severity": ticket.severity,
            "labels": ticket.labels,
            "due": ticket.due,
            "project": ticket.project or self.options.project,
            "fingerprints": ticket.fingerprints,
        }
        return written if assignee is None else written | {"assignee": assignee}

    def _post(self, event: str, marker: str, about: Mapping[str, Any], fields: Mapping[str, Any], once: str) -> None:
        if self.has_unsubscribed:
            raise _unsubscribed()
        told = {"event": event, "marker": marker, **about} | ({"fields": fields} if fields else {})
        body = msgspec.json.encode(told)
        id_ = f"{event}-{hashlib.sha256(once.encode()).hexdigest()[:32]}"
        headers = {
            "Content-Type": "application/json",
            **signed(id_, int(time.time()), body, self.keys),
            "Idempotency-Key": id_,
        }
        answer = self.carrier.carry("POST", self.url, headers, body, fresh=True)
        if 200 <= answer.status < 300:
            return
        self.has_unsubscribed = answer.status == 410
        raise _refusal(answer)


def signed(id_: str, moment: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The headers that prove who sent a body, and when (Standard Webhooks, "Webhook headers")."""
    content = f"{id_}.{moment}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, content, "sha256")).decode() for key in keys]
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(moment),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _refusal(answer: Answer) -> ProviderError:
    """What an answer that is no success means (Standard Webhooks, "Delivery success and failure")."""
    status = answer.status
    match status:
        case 401 | 403:
            return AccessDenied(
                say(
                    "the webhook's receiver refused the signature (HTTP {status}); both sides need the same secret, "
                    "and clocks that agree.",
                    status=status,
                )
            )
        case 410:
            return _unsubscribed()
        case 413:
            return TicketRefused(
                say("the webhook's receiver takes no message of this size (HTTP 413); raise its limit to 1 MB.")
            )
        case 429 | 503:
            return Throttled(
                say("the webhook's receiver is throttling requests (HTTP {status}).", status=status),
                retry_after=pause_of(answer),
            )
        case _ if status == 408 or status >= 500:
            return Unreachable(
                say("the webhook's receiver failed on its side (HTTP {status}); its log says why.", status=status)
            )
        case _ if 300 <= status < 400:
            return TicketRefused(
                say(
                    "the webhook's receiver redirects elsewhere (HTTP {status}), which is not followed; set its final "
                    "https address.",
                    status=status,
                )
            )
        case _:
            return TicketRefused(
                say(
                    "the webhook's receiver refused the change (HTTP {status}); check its address, and its log.",
                    status=status,
                )
            )


def _unsubscribed() -> TicketRefused:
    return TicketRefused(
        say(
            "the webhook's receiver has unsubscribed (HTTP 410); remove the tracker from cloudscan.toml, or set the "
            "receiver's new address."
        )
    )


def pause_of(answer: Answer) -> float | None:
    """The seconds that a service wants us to wait, as a number or a date (RFC 9110, Retry-After); None: not said."""
    asked = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", asked):
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return None
    return max(0.0, until.replace(tzinfo=until.tzinfo or UTC).timestamp() - time.time())


def keys_of(secrets: str) -> Sequence[bytes]:
    """The keys in one or several secrets, separated by blanks: base64 after ``whsec_``, else the characters themselves.

    Raises `ConfigurationError` for one that is neither, and if there is none.
    """
    keys = [_key(secret) for secret in secrets.split()]
    if not all(keys) or not keys:
        raise ConfigurationError(
            say("The webhook's secret is empty, or does not continue with base64 after {prefix}.", prefix=_PREFIX)
        )
    return keys


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return b"" if secret.startswith(("whsk_", "whpk_")) else secret.encode()  # those are keys of another algorithm
    encoded = secret.removeprefix(_PREFIX)
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def open_webhook(options: Options, credential: Callable[[str], str]) -> Tracker:
    """The tracker. Raises `ConfigurationError` for an address that is not https, and for a secret that is none."""
    url = credential("URL").strip()
    try:
        check_url("URL", url, needs_https=True)
    except ConfigurationError as error:
        raise _no_address() from error
    if not url:
        raise _no_address()
    return Webhook(url, keys_of(credential("SECRET")), options)


def _no_address() -> ConfigurationError:
    return ConfigurationError(say("The webhook's address must begin with https://: tickets name files and people."))


WEBHOOK = TrackerPlugin(
    name="webhook",
    title="Webhook",
    options=Options,
    open=open_webhook,
    secrets=("URL", "SECRET"),
)
