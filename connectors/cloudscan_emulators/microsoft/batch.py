"""JSON batching: up to twenty requests in one.

Source: "Combine multiple requests in one HTTP call using JSON batching". The parts' answers come in any order (here the
last first), each with a status of its own; a part whose `dependsOn` failed is 424.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cloudscan_emulators.kit.local_server import Answer, Request
from cloudscan_emulators.microsoft import errors
from cloudscan_emulators.microsoft.text import JSON_TYPE

MOST = 20
_FAILED = {"error": {"code": "FailedDependency", "message": "A request that this one depends on has failed."}}
_PARSES = frozenset({"application/json", "text/json"})


@dataclass(frozen=True, kw_only=True)
class Part:
    """One request of a batch."""

    identity: str
    request: Request
    after: tuple[str, ...] = ()


def read(request: Request) -> list[Part]:
    """The parts of a batch, which is refused as a whole where it is malformed."""
    try:
        payload = json.loads(request.body)
        listed = payload["requests"]
    except (ValueError, KeyError, TypeError):
        raise errors.bad("Invalid batch payload format.") from None
    if not isinstance(listed, list) or not listed:
        raise errors.bad("Invalid batch payload format.")
    if len(listed) > MOST:
        raise errors.bad(f"Number of batch request steps exceeds the maximum value of {MOST}.")
    parts = [_part(one, request) for one in listed]
    if len({part.identity for part in parts}) != len(parts):
        raise errors.bad("Request Id is not unique.")
    return parts


def answer(parts: list[Part], ask: Callable[[Request], Answer]) -> Answer:
    """The answer to a batch, with the answers of all its parts."""
    answers: dict[str, dict[str, Any]] = {}
    for part in parts:
        failed = any(answers.get(part_id, {}).get("status", 424) >= 400 for part_id in part.after)
        if failed:
            answers[part.identity] = {"id": part.identity, "status": 424, "body": _FAILED}
        else:
            answers[part.identity] = _answer_of(part.identity, ask(part.request))
    responses = list(reversed(answers.values()))
    return Answer(body=json.dumps({"responses": responses}, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _part(step: Mapping[str, Any], outer: Request) -> Part:
    try:
        identity, verb, url = step["id"], step["method"], step["url"]
    except (KeyError, TypeError):
        raise errors.bad("Invalid batch payload format: id, method and url are needed.") from None
    if not isinstance(identity, str) or not isinstance(url, str) or "://" in url or "$batch" in url:
        raise errors.bad(f"Invalid request in batch: {url}")
    path, _, query = url.partition("?")
    headers = {str(name).lower(): str(value) for name, value in (step.get("headers") or {}).items()}
    body = step.get("body")
    return Part(
        identity=identity,
        after=tuple(step.get("dependsOn") or ()),
        request=Request(
            verb=str(verb).upper(),
            path=f"/v1.0/{path.lstrip('/')}",
            query=query,
            base=outer.base,
            headers={"authorization": outer.header("authorization"), **headers},
            body=json.dumps(body).encode() if body is not None else b"",
        ),
    )


def _answer_of(identity: str, answer: Answer) -> dict[str, Any]:
    body: Any = answer.body.decode("utf-8", "surrogatepass")
    if (answer.content_type or JSON_TYPE).partition(";")[0] in _PARSES:
        with suppress(ValueError):
            body = json.loads(body)
    headers = {"Content-Type": answer.content_type or JSON_TYPE, **answer.headers}
    return {"id": identity, "status": answer.status, "headers": headers, "body": body}
