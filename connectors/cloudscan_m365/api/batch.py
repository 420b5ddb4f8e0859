"""JSON batching: up to twenty questions in one request, each with an answer of its own.

Source: Graph, "Combine multiple requests in one HTTP call using JSON batching". The outer answer is 200 even where
parts fail; parts come in any order, and each may be throttled by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from cloudscan.errors import Malformed
from cloudscan.http import Answer, decoder
from cloudscan_m365.api.wire import decode_page
from cloudscan_m365.questions import GraphQuestion

PARTS_MOST = 20


@dataclass(frozen=True, kw_only=True)
class BatchPart:
    """One question of a batch."""

    question: GraphQuestion
    ids: Sequence[str] = ()
    options: Mapping[str, object] = field(default_factory=dict)


class _PartAnswer(msgspec.Struct, frozen=True, kw_only=True):
    id: str | int
    status: int
    headers: msgspec.Raw = msgspec.Raw(b"{}")
    body: msgspec.Raw = msgspec.Raw(b"{}")


class _Batch(msgspec.Struct, frozen=True, kw_only=True):
    responses: Sequence[msgspec.Raw]


def batch_of(requests: Mapping[int, tuple[GraphQuestion, str]]) -> bytes:
    """The body of a batch request: questions with their addresses. The numbers are the parts' ids."""
    return msgspec.json.encode({"requests": [_request(number, *request) for number, request in requests.items()]})


def parts_of(body: bytes) -> Iterator[tuple[int, Answer]]:
    """The answers in a batch's body, each with its part's number; a part that makes no sense is left out.

    Raises `Malformed`.
    """
    try:
        listed = decoder(_Batch).decode(body).responses
    except (msgspec.MsgspecError, UnicodeDecodeError):
        _as_error(body)
    for entry in listed:
        try:
            part = decoder(_PartAnswer).decode(entry)
            number = int(part.id)
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
            continue
        yield number, Answer(status=part.status, body=bytes(part.body), headers=_headers(part.headers))


def _as_error(body: bytes) -> None:
    """Raise the `Malformed` that a body stands for which is no batch."""
    decode_page(msgspec.Raw, body)
    raise Malformed("graph-member-missing", member="responses")


def _headers(raw: msgspec.Raw) -> Mapping[str, str]:
    """The headers of a part, of which only texts mean anything."""
    try:
        headers = decoder(dict[str, object]).decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return {name.lower(): value for name, value in headers.items() if isinstance(value, str)}


def _request(number: int, question: GraphQuestion, path: str) -> dict[str, object]:
    request: dict[str, object] = {"id": str(number), "method": question.method, "url": f"/{path}"}
    if question.method == "POST":
        request |= {"headers": {"Content-Type": "application/json"}, "body": {}}
    elif question.prefer:
        request["headers"] = {"Prefer": question.prefer}
    return request
