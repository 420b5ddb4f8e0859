"""Addresses of Graph, and its answers as records."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from cloudscan.errors import AccessDenied, Malformed, ProviderError, StaleCursor, Vanished
from cloudscan.http import Answer, decoder
from cloudscan.text import encodable, first_line
from cloudscan_m365.api.endpoints import Question

Record = TypeVar("Record")
_OPTIONS = frozenset({"select", "expand", "filter", "top", "count", "orderby", "search"})
_SAFE = "$,()'/:"


class Locked(AccessDenied):
    """An administrator has blocked the site (423)."""


class Page(msgspec.Struct, Generic[Record], frozen=True, kw_only=True):
    """A page of a list."""

    value: Sequence[Record] = ()
    next_link: str = msgspec.field(name="@odata.nextLink", default="")
    delta_link: str = msgspec.field(name="@odata.deltaLink", default="")
    broken: int = 0  # how many entries were malformed, and are left out


class _InnerError(msgspec.Struct, frozen=True, kw_only=True):
    code: str | None = ""


class _Error(msgspec.Struct, frozen=True, kw_only=True, rename={"inner": "innerError"}):
    code: str | None = ""
    message: str | None = ""
    inner: _InnerError | None = None


class _ErrorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    error: _Error = _Error()


def decode(record: type[Record], body: bytes) -> Record:
    """An answer as a record. Raises `Malformed`."""
    try:
        decoded: Record = decoder(record).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if (repaired := _repaired(body)) is not None:
            return decode(record, repaired)
        raise Malformed(
            f"Microsoft's answer does not match its documented format ({first_line(error, 200)})"
        ) from error
    return decoded


def decode_page(record: type[Record], body: bytes) -> Page[Record]:
    """A page of records, without malformed entries. Raises `Malformed` where it is not a page at all."""
    generic: Any = Page
    try:
        whole: Page[Record] = decoder(generic[record]).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if (repaired := _repaired(body)) is not None:
            return decode_page(record, repaired)
        raw = decode(Page[msgspec.Raw], body)
    else:
        return whole
    records: list[Record] = []
    for entry in raw.value:
        try:
            records.append(decoder(record).decode(entry))
        except msgspec.MsgspecError:
            continue
    broken = len(raw.value) - len(records)
    return Page(value=records, next_link=raw.next_link, delta_link=raw.delta_link, broken=broken)


def error_of(answer: Answer, needs: str, service: str = "Microsoft Graph") -> ProviderError:
    """The error that an answer other than 200 stands for; `needs` is the permission that the question takes.

    Source: Graph, "Error responses and resource types"; driveItem: delta (410).
    """
    try:
        error = decoder(_ErrorAnswer).decode(answer.body).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        error = _Error()
    code = error.code or (error.inner and error.inner.code) or f"HTTP {answer.status}"
    message = f": {error.message[:200]}" if error.message else ""
    match answer.status:
        case 401:
            return AccessDenied(f"{service} does not accept the credentials ({code}){message}", needs=needs)
        case 403:
            return AccessDenied(f"{service} refused access ({code}){message}", needs=needs)
        case 404:
            return Vanished(f"it no longer exists ({code})")
        case 410:
            return StaleCursor(f"Microsoft no longer accepts the change token ({code})")
        case 423:
            return Locked("the site is locked: an administrator has blocked access to it (SharePoint admin centre)")
        case _:
            return Malformed(f"{service} answered {code}{message}")


def path_of(question: Question, ids: Sequence[str], options: Mapping[str, object]) -> str:
    """The address of a question, after the version. Options that are None are left out."""
    path = question.path.format(*(quote(identity, safe=",!:/") for identity in ids))
    query = {f"${name}" if name in _OPTIONS else name: value for name, value in options.items() if value is not None}
    return f"{path}?{urlencode(query, safe=_SAFE, quote_via=quote)}" if query else path


def _repaired(body: bytes) -> bytes | None:
    """An answer in which names are valid text; None where there is nothing to repair."""
    try:
        answer = json.loads(body.decode("utf-8", "surrogateescape"))
    except ValueError:
        return None
    repaired = encodable(answer)
    return None if repaired == answer else json.dumps(repaired).encode()
