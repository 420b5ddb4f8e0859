"""Addresses of Graph, and its answers as records."""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from cloudscan.errors import AccessDenied, Malformed, ProviderError, StaleCursor, Vanished
from cloudscan.http import Answer
from cloudscan.text import encodable
from cloudscan_m365.api.endpoints import Question

Thing = TypeVar("Thing")
_OPTIONS = frozenset({"select", "expand", "filter", "top", "count", "orderby", "search"})
_SAFE = "$,()'/:"


class Locked(AccessDenied):
    """An administrator has blocked the site (423)."""


class Page(msgspec.Struct, Generic[Thing], frozen=True, kw_only=True):
    """A page of a list."""

    value: Sequence[Thing] = ()
    next_link: str = msgspec.field(name="@odata.nextLink", default="")
    delta_link: str = msgspec.field(name="@odata.deltaLink", default="")
    broken: int = 0  # things on it that make no sense, and are left out


class _Inner(msgspec.Struct, frozen=True, kw_only=True):
    code: str | None = ""


class _Trouble(msgspec.Struct, frozen=True, kw_only=True, rename={"inner": "innerError"}):
    code: str | None = ""
    message: str | None = ""
    inner: _Inner | None = None


class _Refusal(msgspec.Struct, frozen=True, kw_only=True):
    error: _Trouble = _Trouble()


def read(wanted: type[Thing], body: bytes) -> Thing:
    """An answer as a record. Raises `Malformed`."""
    try:
        found: Thing = _decoder(wanted).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if (better := _mended(body)) is not None:
            return read(wanted, better)
        raise Malformed(f"Microsoft's answer is not what its documentation promises ({_first_line(error)})") from error
    return found


def refused(answer: Answer, needs: str, who: str = "Microsoft Graph") -> ProviderError:
    """An error in our words. Source: Graph, "Error responses and resource types"; driveItem: delta (410)."""
    try:
        trouble = msgspec.json.decode(answer.body, type=_Refusal).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        trouble = _Trouble()
    told = trouble.code or (trouble.inner and trouble.inner.code) or f"HTTP {answer.status}"
    words = f": {trouble.message[:200]}" if trouble.message else ""
    match answer.status:
        case 401:
            return AccessDenied(f"{who} does not accept the credentials ({told}){words}", needs=needs)
        case 403:
            return AccessDenied(f"{who} refuses ({told}){words}", needs=needs)
        case 404:
            return Vanished(f"it is gone ({told})")
        case 410:
            return StaleCursor(f"Microsoft does not know the token of its changes any more ({told})")
        case 423:
            return Locked("the site is locked: an administrator has blocked access to it (SharePoint admin centre)")
        case _:
            return Malformed(f"{who} answered {told}{words}")


def path_of(question: Question, ids: Sequence[str], options: Mapping[str, object]) -> str:
    """The address of a question behind the version. What is None is left out."""
    path = question.path.format(*(quote(each, safe=",!:/") for each in ids))
    named = {f"${name}" if name in _OPTIONS else name: value for name, value in options.items() if value is not None}
    return f"{path}?{urlencode(named, safe=_SAFE, quote_via=quote)}" if named else path


def read_page(thing: type[Thing], body: bytes) -> Page[Thing]:
    """A page, without the things on it that make no sense. Raises `Malformed` where it is none at all."""
    generic: Any = Page
    try:
        whole: Page[Thing] = _decoder(generic[thing]).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if (better := _mended(body)) is not None:
            return read_page(thing, better)
        raw = read(Page[msgspec.Raw], body)
    else:
        return whole
    found: list[Thing] = []
    for each in raw.value:
        try:
            found.append(_decoder(thing).decode(each))
        except msgspec.MsgspecError:
            continue
    broken = len(raw.value) - len(found)
    return Page(value=found, next_link=raw.next_link, delta_link=raw.delta_link, broken=broken)


def _mended(body: bytes) -> bytes | None:
    """An answer without names that are no text; None where there are none to be mended."""
    text = body.decode("utf-8", "surrogateescape")
    try:
        told = json.loads(text)
    except ValueError:
        return None
    better = encodable(told)
    return None if better == told else json.dumps(better).encode()


def _decoder(wanted: Any) -> msgspec.json.Decoder[Any]:
    return _made(wanted)


@functools.lru_cache(maxsize=128)
def _made(wanted: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(wanted)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
