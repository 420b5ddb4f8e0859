"""Graph's answers as records, read strictly, so that an answer is believed only if it is one."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Generic, TypeVar

import msgspec

from cloudscan.connector import Question
from cloudscan.errors import (
    AccessDenied,
    Malformed,
    NotOffered,
    ProviderError,
    StaleCursor,
    StalePage,
    Throttled,
    Unreachable,
    Vanished,
)
from cloudscan.http import PASSING, Answer, asked_for, decoder
from cloudscan.text import encodable, first_line
from cloudscan_m365.questions import LIST

Record = TypeVar("Record")
_QUOTED = 300  # characters of Microsoft's own words
_PAGES_MOST = 100_000  # a list of a hundred million entries
_EMPTY_MOST = 100  # empty pages in a row: Graph filters after it has cut the pages
_SAME_MOST = 3  # pages in a row that repeat an earlier page
_NO_LICENCE = ("SPO license", "NonPremium", "premium license")
_PREMIUM = "Microsoft Entra ID P1"
_WITH_TOKENS = frozenset({"m365-items", "m365-changes"})  # questions that continue from a token
_ODD = frozenset({"createdDateTime", "lastModifiedDateTime", "size"})
_PAGE_EXPIRED = ("ExpiredPageToken", "skip token", "skiptoken", "page token")


class Locked(AccessDenied):
    """An administrator has blocked the site (423)."""


class Page(msgspec.Struct, Generic[Record], frozen=True, kw_only=True):
    """A page of a list. A service that writes no `value` has not answered."""

    value: Sequence[Record]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default="")
    delta_link: str | None = msgspec.field(name="@odata.deltaLink", default="")
    broken: int = 0  # how many entries were malformed, and are left out


class _InnerError(msgspec.Struct, frozen=True, kw_only=True):
    code: str | None = ""


class _Error(msgspec.Struct, frozen=True, kw_only=True, rename={"inner": "innerError"}):
    code: str | None = ""
    message: str | msgspec.Raw | None = ""
    inner: _InnerError | None = None

    @property
    def words(self) -> str:
        """Microsoft's own words."""
        text = self.message if isinstance(self.message, str) else ""
        code = self.code or (self.inner and self.inner.code) or ""
        return ": ".join(part for part in (code, text) if part)[:_QUOTED]


class _SharePointMessage(msgspec.Struct, frozen=True, kw_only=True):
    value: str | None = ""


class _SharePointError(msgspec.Struct, frozen=True, kw_only=True):
    code: str | None = ""
    message: _SharePointMessage | None = None


class _ErrorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    error: _Error


class _SharePointAnswer(msgspec.Struct, frozen=True, kw_only=True):
    error: _SharePointError = msgspec.field(name="odata.error")


def decode(record: type[Record], body: bytes, question: Question) -> Record:
    """An answer as a record. Raises `Malformed`."""
    try:
        decoded: Record = decoder(record).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if (repaired := _repaired(body)) is not None:
            return decode(record, repaired, question)
        raise _malformed(body, error) from error
    if question.member not in ("", LIST) and f'"{question.member}"'.encode() not in body:
        raise _in_answer(body) or Malformed("graph-member-missing", member=question.member)
    return decoded


def decode_page(record: type[Record], body: bytes) -> Page[Record]:
    """A page of records, without malformed entries. Raises `Malformed` where it is not a page at all."""
    generic: Any = Page
    try:
        whole: Page[Record] = decoder(generic[record]).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if (repaired := _repaired(body)) is not None:
            return decode_page(record, repaired)
    else:
        return whole
    try:
        raw = decoder(Page[msgspec.Raw]).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _malformed(body, error) from error
    records: list[Record] = []
    for entry in raw.value:
        try:
            records.append(decoder(record).decode(entry))
        except msgspec.MsgspecError:
            if (told := _without_oddities(record, entry)) is not None:
                records.append(told)
    broken = len(raw.value) - len(records)
    return Page(value=records, next_link=raw.next_link, delta_link=raw.delta_link, broken=broken)


class Bounds:
    """Watches the pages of one list: it has to end, and to go on to what was not there before."""

    def __init__(self) -> None:
        self._links: set[int] = set()
        self._pages: set[int] = set()
        self._empty = self._same = 0
        self._numbers: Iterator[int] = count(1)

    def check(self, page: Page[Any]) -> None:
        """Note a page. Raises `StalePage` where the list leads in a circle, `Malformed` where it does not end."""
        link = hash(page.next_link)
        if page.next_link and link in self._links:
            raise StalePage("graph-pages-repeat")
        self._links.add(link)
        if page.value:
            content = hash((len(page.value), repr(page.value[0]), repr(page.value[-1])))
            self._same = self._same + 1 if content in self._pages else 0
            self._pages.add(content)
            self._empty = 0
        else:
            self._empty += 1
        if self._same >= _SAME_MOST or self._empty > _EMPTY_MOST or next(self._numbers) > _PAGES_MOST:
            raise Malformed("graph-pages-endless")


def _without_oddities(record: type[Record], entry: msgspec.Raw) -> Record | None:
    """An entry that makes sense but for a time or a size, which is then not known; None where it makes none at all."""
    try:
        members = decoder(dict[str, Any]).decode(entry)
        told: Record = msgspec.convert({name: members[name] for name in members if name not in _ODD}, record)
    except msgspec.MsgspecError:
        return None
    return told


def error_of(answer: Answer, question: Question, *, lacks: bool) -> ProviderError:
    """The error that an answer other than 200 stands for; `lacks`: the application lacks the permission, or may.

    Source: Graph, "Error responses and resource types"; driveItem: delta (410).
    """
    words = _words(answer.body)
    status = answer.status
    if any(sign in words for sign in _NO_LICENCE):
        if "SPO" in words:
            return NotOffered("graph-no-sharepoint", quote=words)
        return NotOffered("graph-no-premium", needs=_PREMIUM, quote=words)
    if any(sign in words for sign in _PAGE_EXPIRED):
        return StalePage("graph-page-expired", quote=words)
    if status in PASSING:
        return passing(answer)
    match status:
        case 401 if "app only token" in words:
            return AccessDenied("graph-wants-certificate", needs=question.needs, quote=words)
        case 401 | 403 if lacks:
            return AccessDenied(
                "graph-permission-missing", needs=question.needs, quote=words, permission=question.needs
            )
        case 401:
            return AccessDenied("graph-token-refused", quote=words)
        case 403:
            return AccessDenied("graph-refused", quote=words)
        case 404:
            return Vanished("graph-not-there", quote=words)
        case 410 if question.name in _WITH_TOKENS:
            return StaleCursor("graph-token-too-old", quote=words)
        case 423:
            return Locked("graph-site-locked", quote=words)
        case _:
            return Malformed("graph-not-understood", quote=words, status=status)


def passing(answer: Answer) -> Throttled | Unreachable:
    """The error of an answer that deserves another attempt."""
    if answer.status >= 500 and answer.status != 503:
        return Unreachable("graph-failed", quote=_words(answer.body), status=answer.status)
    return Throttled("graph-throttled", quote=_words(answer.body), status=answer.status, retry_after=asked_for(answer))


def _words(body: bytes) -> str:
    """What Microsoft says in an answer that is an error."""
    with suppress(msgspec.MsgspecError, UnicodeDecodeError):
        return decoder(_ErrorAnswer).decode(body).error.words
    with suppress(msgspec.MsgspecError, UnicodeDecodeError):
        error = decoder(_SharePointAnswer).decode(body).error
        return ((error.message and error.message.value) or error.code or "")[:_QUOTED]
    try:
        described = decoder(dict[str, Any]).decode(body).get("error_description", "")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return str(described)[:_QUOTED]


def _in_answer(body: bytes) -> Malformed | None:
    """The error that an answer with status 200 contains, if any."""
    words = _words(body)
    return Malformed("graph-error-in-answer", quote=words) if words or body.lstrip().startswith(b'{"error"') else None


def _malformed(body: bytes, error: Exception) -> Malformed:
    return _in_answer(body) or Malformed("graph-malformed", quote=first_line(error, 200))


def _repaired(body: bytes) -> bytes | None:
    """An answer in which names are valid text; None where there is nothing to repair."""
    try:
        answer = json.loads(body.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None
    repaired = encodable(answer)
    return None if repaired == answer else json.dumps(repaired).encode()
