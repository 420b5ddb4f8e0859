"""JSON batching: up to twenty questions in one request, each with an answer of its own.

Source: Graph, "Combine multiple requests in one HTTP call using JSON batching". The outer answer is 200 even where
parts fail; parts come in any order, and each may be throttled by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from cloudscan.errors import Throttled, Unreachable
from cloudscan.http import Answer, asked_for
from cloudscan_m365.api.endpoints import Question
from cloudscan_m365.api.wire import decode, path_of

PARTS_MOST = 20


@dataclass(frozen=True, kw_only=True)
class BatchPart:
    """One question of a batch."""

    question: Question
    ids: Sequence[str] = ()
    options: Mapping[str, object] = field(default_factory=dict)


class _PartAnswer(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    status: int
    headers: Mapping[str, str] = {}
    body: msgspec.Raw = msgspec.Raw(b"{}")


class _Batch(msgspec.Struct, frozen=True, kw_only=True):
    responses: Sequence[_PartAnswer] = ()


def batch_of(parts: Mapping[int, BatchPart]) -> bytes:
    """The body of a batch request. The parts' numbers are their ids."""
    return msgspec.json.encode({"requests": [_request(number, part) for number, part in parts.items()]})


def parts_of(body: bytes) -> Iterator[tuple[int, Answer]]:
    """The answers in a batch's body, each with its part's number. Raises `Malformed`."""
    for part in decode(_Batch, body).responses:
        if part.id.isdecimal():
            headers = {name.lower(): value for name, value in part.headers.items()}
            yield int(part.id), Answer(status=part.status, body=bytes(part.body), headers=headers)


def retryable(answer: Answer) -> Throttled | Unreachable:
    """The error of a part that deserves another attempt."""
    if answer.status >= 500 and answer.status != 503:
        return Unreachable(f"Microsoft Graph failed on its side (HTTP {answer.status} within a batch)")
    return Throttled(
        f"Microsoft Graph is throttling requests (HTTP {answer.status} within a batch)", retry_after=asked_for(answer)
    )


def _request(number: int, part: BatchPart) -> dict[str, object]:
    question = part.question
    request: dict[str, object] = {
        "id": str(number),
        "method": question.method,
        "url": f"/{path_of(question, part.ids, part.options)}",
    }
    if question.method == "POST":
        request |= {"headers": {"Content-Type": "application/json"}, "body": {}}
    elif question.prefer:
        request["headers"] = {"Prefer": question.prefer}
    return request
