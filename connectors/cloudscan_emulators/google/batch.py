"""Batch requests: multipart/mixed there and back, one HTTP message in each part."""

import email
import email.policy
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from cloudscan_emulators.google import errors
from cloudscan_emulators.google.text import JSON_TYPE
from cloudscan_emulators.kit.local_server import Answer, Request


@dataclass(frozen=True, kw_only=True)
class Part:
    """One request of a batch."""

    identity: str
    request: Request


def read(outer: Request, *, most: int) -> list[Part]:
    """The requests in a batch; each may do without its own Authorization."""
    head = f"Content-Type: {outer.headers.get('content-type', '')}\r\nMIME-Version: 1.0\r\n\r\n"
    message = email.message_from_bytes(head.encode() + outer.body, policy=email.policy.HTTP)
    if not message.is_multipart():
        raise errors.Refused(400, "badRequest", "Failed to parse batch request, error: no multipart content.")
    parts = []
    for part in message.iter_parts():
        text = part.get_payload(decode=True)
        lines, _, body = (text if isinstance(text, bytes) else b"").lstrip().partition(b"\r\n\r\n")
        if not body:
            lines, _, body = (text if isinstance(text, bytes) else b"").lstrip().partition(b"\n\n")
        first, *rest = lines.decode("latin-1").splitlines() or [""]
        fields = first.split(" ")
        if len(fields) < 2:
            raise errors.Refused(400, "badRequest", "Failed to parse batch request, error: a part is no request.")
        pairs = (line.split(":", 1) for line in rest if ":" in line)
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        headers.setdefault("authorization", outer.headers.get("authorization", ""))
        path, _, query = fields[1].partition("?")
        request = Request(verb=fields[0], path=path, query=query, headers=headers, body=body)
        parts.append(Part(identity=str(part.get("Content-ID", "")), request=request))
    if len(parts) > most:
        too_many = f"The batch request must not contain more than {most} calls."
        raise errors.Refused(400, "badRequest", too_many)
    return parts


def write(answers: Iterable[tuple[str, Answer]]) -> Answer:
    border = f"batch_{secrets.token_hex(12)}"
    pieces: list[bytes] = []
    for identity, answer in answers:
        content_id = identity.replace("<", "<response-", 1)
        head = (
            f"--{border}\r\nContent-Type: application/http\r\nContent-ID: {content_id}\r\n\r\n"
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
            f"Content-Type: {answer.content_type or JSON_TYPE}\r\n"
            f"Content-Length: {len(answer.body)}\r\n\r\n"
        )
        pieces.append(head.encode() + answer.body + b"\r\n")
    pieces.append(f"--{border}--\r\n".encode())
    return Answer(body=b"".join(pieces), content_type=f"multipart/mixed; boundary={border}")
