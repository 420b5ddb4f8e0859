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
from cloudscan_m365.api.wire import path_of, read

PARTS_MOST = 20


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One part of a batch."""

    question: Question
    ids: Sequence[str] = ()
    options: Mapping[str, object] = field(default_factory=dict)


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    status: int
    headers: Mapping[str, str] = {}
    body: msgspec.Raw = msgspec.Raw(b"{}")


class _Batch(msgspec.Struct, frozen=True, kw_only=True):
    responses: Sequence[_Told] = ()


def batch_of(asked: Mapping[int, Asked]) -> bytes:
    """The body of a batch; parts bear their numbers."""
    return msgspec.json.encode({"requests": [_part(number, each) for number, each in asked.items()]})


def parts_of(body: bytes) -> Iterator[tuple[int, Answer]]:
    """What was answered, by the parts' numbers. Raises `Malformed`."""
    for told in read(_Batch, body).responses:
        if told.id.isdecimal():
            headers = {name.lower(): value for name, value in told.headers.items()}
            yield int(told.id), Answer(status=told.status, body=bytes(told.body), headers=headers)


def pause(answer: Answer) -> Throttled | Unreachable:
    """What a part says that is worth another attempt."""
    if answer.status >= 500 and answer.status != 503:
        return Unreachable(f"Microsoft Graph had trouble of its own (HTTP {answer.status} within a batch)")
    return Throttled(
        f"Microsoft Graph asks for a pause (HTTP {answer.status} within a batch)", retry_after=asked_for(answer)
    )


def _part(number: int, asked: Asked) -> dict[str, object]:
    question = asked.question
    part: dict[str, object] = {
        "id": str(number),
        "method": question.method,
        "url": f"/{path_of(question, asked.ids, asked.options)}",
    }
    if question.method == "POST":
        part |= {"headers": {"Content-Type": "application/json"}, "body": {}}
    elif question.prefer:
        part["headers"] = {"Prefer": question.prefer}
    return part
