"""The ways in which an answer can be wrong, each as a function from the right answer to what the client gets."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote

from cloudscan_emulators.kit.local_server import Answer, Request
from tests.campaign.tampering import Spoil

HANGS: Final = 1.2  # seconds; the clients of the campaign wait for one
_HTML: Final = b"<!DOCTYPE html><html><head><title>Service unavailable</title></head><body>Try later</body></html>"
_XML: Final = "application/xml"

_GOOGLE: Final = {
    400: "badRequest", 401: "authError", 403: "forbidden", 404: "notFound", 410: "gone", 429: "rateLimitExceeded",
    500: "backendError",
}  # fmt: skip
_GRAPH: Final = {
    400: "invalidRequest", 401: "InvalidAuthenticationToken", 403: "accessDenied", 404: "itemNotFound",
    410: "resyncRequired", 429: "TooManyRequests", 500: "generalException",
}  # fmt: skip
_AWS: Final = {
    400: "InvalidRequest", 401: "Unauthorized", 403: "AccessDenied", 404: "NotFound", 410: "Gone",
    429: "TooManyRequestsException", 500: "InternalError",
}  # fmt: skip


TOLD_AS_OPEN: Final = frozenset(
    (
        ("s3-control-policies", "401"),
        ("s3-control-policies", "403"),
        ("s3-control-policies", "list emptied"),
        ("s3-control-policy-targets", "list emptied"),
    )
)
"""Where policies that can only take something away may not be looked at, or seem to be none, what they stop is open."""


def refusing(platform: str, status: int) -> Spoil:
    """An error of the platform's own, whatever is asked."""
    return lambda _request, _answered: _error(platform, status)


def failures(platform: str) -> Mapping[str, Spoil]:
    """All of them, by name."""
    return {
        **{str(status): refusing(platform, status) for status in (401, 403, 404, 400, 410, 429, 500)},
        "html 503": lambda _request, _answered: Answer(status=503, body=_HTML, content_type="text/html"),
        "time-out": _hanging,
        "cut body": lambda _request, answered: replace(answered(), cut=True),
        "nothing in it": _changed(_nothing),
        "error in a 200": lambda _request, _answered: replace(_error(platform, 500), status=200),
        "list emptied": _changed(_emptied),
        "one entry malformed": _changed(_one_malformed),
        "page token expired": _paged(platform, "expired"),
        "page token repeated": _paged(platform, "repeated"),
        "page token endless": _paged(platform, "endless"),
    }


def _error(platform: str, status: int) -> Answer:
    message = "as it happens"
    match platform:
        case "gdrive":
            reason = _GOOGLE[status]
            body: Any = {"error": {"code": status, "message": message, "errors": [{"reason": reason}]}}
        case "m365":
            body = {"error": {"code": _GRAPH[status], "message": message}}
        case _:
            code = _AWS[status]
            text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            return Answer(status=status, body=text.encode(), content_type=_XML)
    return Answer(status=status, body=json.dumps(body).encode(), content_type="application/json")


def _hanging(_request: Request, _answered: Callable[[], Answer]) -> Answer:
    time.sleep(HANGS)
    return Answer(reset=True)


def _changed(change: Callable[[Any], Any]) -> Spoil:
    """Change the content of an answer that succeeded, JSON or XML."""

    def spoil(_request: Request, answered: Callable[[], Answer]) -> Answer:
        answer = answered()
        if answer.status != 200:
            return answer
        if answer.body.lstrip().startswith(b"<"):
            return replace(answer, body=_XML_CHANGES[change](answer.body.decode()).encode())
        try:
            content = json.loads(answer.body)
        except ValueError:
            return answer
        return replace(answer, body=json.dumps(change(content)).encode())

    return spoil


def _nothing(_content: Any) -> Any:
    return {}


def _emptied(content: Any) -> Any:
    name = _list_in(content)
    return {**content, name: []} if name else content


def _one_malformed(content: Any) -> Any:
    name = _list_in(content)
    if not name or not content[name]:
        return content
    first, *others = content[name]
    odd = {key: ["x"] for key in first} if isinstance(first, dict) else 17
    return {**content, name: [odd, *others]}


def _list_in(content: Any) -> str:
    """The name of the longest list at the top of an answer."""
    if not isinstance(content, dict):
        return ""
    lists = {name: len(value) for name, value in content.items() if isinstance(value, list)}
    return max(lists, key=lambda name: lists[name], default="")


def _xml_nothing(text: str) -> str:
    root = re.search(r"<(\w+)[^<>?!]*>", text.partition("?>")[2] or text)
    return f"<{root[1]}/>" if root else text


_ENTRY: Final = re.compile(r"<(member|Bucket|AccessPoint|Grant|Rule|Account|Contents|Tag)>.*?</\1>", re.DOTALL)


def _xml_emptied(text: str) -> str:
    return _ENTRY.sub("", text)


def _xml_one_malformed(text: str) -> str:
    return _ENTRY.sub(lambda entry: f"<{entry[1]}><Odd>x</Odd></{entry[1]}>", text, count=1)


_XML_CHANGES: Final[Mapping[Callable[[Any], Any], Callable[[str], str]]] = {
    _nothing: _xml_nothing,
    _emptied: _xml_emptied,
    _one_malformed: _xml_one_malformed,
}


def _paged(platform: str, how: str) -> Spoil:
    """A list that names a next page, which is refused, comes again, or never ends."""
    count = iter(range(1, 1_000_000_000))

    def spoil(request: Request, answered: Callable[[], Answer]) -> Answer:
        later = "cloudscan-page-" in unquote(request.query) + request.body.decode("utf-8", "replace")
        if later and how == "expired":
            return _expired(platform)
        token = f"cloudscan-page-{next(count) if how == 'endless' else 1}"
        answer = answered() if not later else _empty_page(platform)
        if answer.status != 200:
            return answer
        return replace(answer, body=_with_next(platform, request, answer.body, token))

    return spoil


def _expired(platform: str) -> Answer:
    match platform:
        case "gdrive":
            error = {"code": 400, "message": "Invalid Value", "errors": [
                {"reason": "invalid", "location": "pageToken", "locationType": "parameter"}]}  # fmt: skip
        case "m365":
            error = {"code": "Directory_ExpiredPageToken", "message": "The specified page token has expired."}
        case _:
            text = "<Error><Code>InvalidToken</Code><Message>The continuation token is not valid</Message></Error>"
            return Answer(status=400, body=text.encode(), content_type=_XML)
    return Answer(status=400, body=json.dumps({"error": error}).encode(), content_type="application/json")


def _empty_page(platform: str) -> Answer:
    if platform == "s3":
        return Answer(body=b"<Result></Result>", content_type=_XML)
    return Answer(body=b'{"value": [], "files": [], "changes": []}', content_type="application/json")


def _with_next(platform: str, request: Request, body: bytes, token: str) -> bytes:
    if platform == "s3":
        names = ("ContinuationToken", "NextContinuationToken", "NextToken")
        tokens = "".join(f"<{name}>{token}</{name}>" for name in names)
        text = body.decode()
        end = text.rfind("</")
        return f"{text[:end]}<IsTruncated>true</IsTruncated>{tokens}{text[end:]}".encode()
    try:
        content = json.loads(body)
    except ValueError:
        return body
    if not isinstance(content, dict):
        return body
    if platform == "gdrive":
        content.pop("newStartPageToken", None)
        content["nextPageToken"] = token
    else:
        content.pop("@odata.deltaLink", None)
        content["@odata.nextLink"] = f"{request.base}{request.path}?$skiptoken={token}"
    return json.dumps(content).encode()
