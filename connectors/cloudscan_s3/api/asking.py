"""The one door through which AWS is asked: an answer that can be believed, or the reason why there is none.

Every request belongs to a declared question. An answer without the member that AWS always writes, a list whose pages
do not end or come twice, and an entry that lacks what names it are failures of that question and of nothing else. A
question that AWS throttles is asked again for a while, once in a scan: after that it is asked one time only, so that a
question without an answer costs minutes once and not once a bucket.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Generic, Literal, Protocol, TypeVar

from botocore import exceptions as sdk_errors
from botocore.parsers import ResponseParserError

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, Malformed, ProviderError, Throttled, Unreachable
from cloudscan.http import Patience
from cloudscan.reason import Reason
from cloudscan.text import first_line
from cloudscan_s3.access.bucket import Unread
from cloudscan_s3.api.account import Account
from cloudscan_s3.api.failures import ABSENT, code_of, translated
from cloudscan_s3.api.memory import Memory
from cloudscan_s3.questions import AwsQuestion

Answer = Mapping[str, Any]
Entry = TypeVar("Entry")

_MOST_PAGES: Final = 5000  # of one list; an organisation of 50,000 accounts has 2,500
_MOST_BYTES: Final = 1_000_000_000  # of one file of an inventory report
_Token = Literal["ContinuationToken", "NextContinuationToken", "NextToken", "Marker", "continuationToken", "nextToken"]
_ARGUMENTS: Final = {"NextContinuationToken": "ContinuationToken"}  # where the argument is not called like the member


class SpentPatience:
    """The questions that used up their patience in this scan. Safe to use from any thread."""

    def __init__(self) -> None:
        self._over: set[str] = set()
        self._lock = threading.Lock()

    def is_over(self, question: AwsQuestion) -> bool:
        """Whether this question is no longer waited for."""
        with self._lock:
            return question.name in self._over

    def end(self, question: AwsQuestion) -> None:
        """From now on it is asked one time only."""
        with self._lock:
            self._over.add(question.name)


class Recorded(Protocol):
    """Answers that were recorded before, and need not be asked for."""

    def answer(self, question: AwsQuestion, region: str, arguments: Answer, /) -> Answer | None:
        """The answer, None where nothing is configured. Raises `KeyError` where it has to be asked for."""
        ...


@dataclass(frozen=True)
class Asker:
    """Asks in the name of one account. `spent` holds the questions whose patience is used up, for all accounts."""

    account: Account
    patience: Patience
    spent: SpentPatience = field(default_factory=SpentPatience)
    asked: set[str] = field(default_factory=set)  # the names of the questions that were asked, whatever the answer
    memory: Memory | None = None  # answers that still stand
    recorded: Recorded | None = None  # what needs not be asked for
    refused: ProviderError | None = None  # why nothing else can be

    def ask(self, question: AwsQuestion, /, region: str = "", **arguments: object) -> Answer | Unread | None:
        """The answer, None where nothing is configured, or `Unread` with the reason. Raises `ConfigurationError`."""
        try:
            return self.require(question, region, **arguments)
        except ProviderError as error:
            return Unread(question=question, error=error)

    def require(self, question: AwsQuestion, /, region: str = "", **arguments: object) -> Answer | None:
        """The answer, or None where nothing is configured; one that is recorded or remembered is not asked for.

        Raises the `ProviderError` that it failed with.
        """
        if self.recorded is not None:
            with suppress(KeyError):
                return self.recorded.answer(question, region, arguments)
        if self.refused is not None:
            raise self.refused
        known = self.memory.recall(question, region, arguments) if self.memory else None
        if known:
            return known.answer
        answer = self._patiently(question, region, arguments)
        if self.memory:
            self.memory.keep(question, region, arguments, answer)
        return answer

    def remembering(self, memory: Memory) -> "Asker":
        """The same, for whom the answers of a memory count as given, and which keeps those that it is given."""
        return replace(self, memory=memory)

    def _patiently(self, question: AwsQuestion, region: str, arguments: Answer) -> Answer | None:
        call = getattr(self.account.client(question.service, region), question.operation)
        self.asked.add(question.name)
        began = time.monotonic()
        attempt = 1
        while True:
            try:
                with self.account.signing():
                    return self._once(call, question, region or self.account.region, arguments)
            except (Throttled, Unreachable) as error:
                elapsed = time.monotonic() - began
                throttled = isinstance(error, Throttled)
                if self.spent.is_over(question) or not self.patience.is_left(attempt, elapsed, throttled=throttled):
                    self.spent.end(question)
                    raise
                time.sleep(self.patience.wait(attempt))
                self.account.meter.repeated()
                attempt += 1

    def list(
        self,
        question: AwsQuestion,
        parse: Callable[[Any], Entry | None],
        /,
        token: _Token,
        *,
        region: str = "",
        about: str | None = None,
        on_page: Callable[[Answer], None] = lambda _: None,
        **arguments: object,
    ) -> tuple[Sequence[Entry], Sequence[Gap]]:
        """All entries of a list that make sense, and gaps for those that do not and for pages that did not come.

        `parse` gives None for an entry that does not concern us and raises `KeyError`, `TypeError`, `ValueError` or
        `AttributeError` for one that makes no sense. A list whose next page is refused begins again, once.
        """
        parsed = _Parsed(parse, [])
        for is_last_try in (False, True):
            parsed = _Parsed(parse, [])
            page_number = 0
            try:
                for page in self._pages(question, token, region, arguments):
                    page_number += 1
                    on_page(page)
                    parsed.add(page.get(question.list_member))
            except Malformed as error:
                if is_last_try or page_number == 0 or error.reason.code != "s3-answered":
                    return parsed.entries, [*parsed.gaps(question, about), question.gap(error, about)]
            except ProviderError as error:
                return parsed.entries, [*parsed.gaps(question, about), question.gap(error, about)]
            else:
                break
        return parsed.entries, parsed.gaps(question, about)

    def content(self, question: AwsQuestion, body: Any, region: str) -> bytes:
        """The whole of a streamed answer. Raises a `ProviderError`."""
        try:
            content = bytes(body.read(_MOST_BYTES + 1))
        except (sdk_errors.BotoCoreError, OSError) as error:
            raise translated(error, question, region or self.account.region, self.account.profiles) from error
        if len(content) > _MOST_BYTES:
            raise Malformed("s3-answer-too-large", bytes=_MOST_BYTES)
        return content

    def _pages(self, question: AwsQuestion, token: _Token, region: str, arguments: Answer) -> Iterator[Answer]:
        """The pages of a list. Raises `Malformed` where they come twice or do not end."""
        seen: set[str] = set()
        following: dict[str, object] = {}
        for _ in range(_MOST_PAGES):
            page = self.require(question, region, **arguments, **following)
            if page is None:
                return
            entries = page.get(question.list_member)
            content = repr(entries)
            if entries and content in seen:
                raise Malformed("s3-pages-in-a-circle")
            yield page
            if not page.get(token):
                if page.get("IsTruncated") is True:
                    raise Malformed("s3-page-without-token")
                return
            if str(page[token]) in seen:
                raise Malformed("s3-pages-in-a-circle")
            seen.update((content, str(page[token])))
            following = {_ARGUMENTS.get(token, token): page[token]}
        raise Malformed("s3-pages-without-end", pages=str(_MOST_PAGES))

    def _once(
        self, call: Callable[..., Answer], question: AwsQuestion, region: str, arguments: Answer
    ) -> Answer | None:
        try:
            answer = call(**arguments)
        except sdk_errors.ClientError as error:
            if code_of(error) in ABSENT:
                return None
            raise translated(error, question, region, self.account.profiles) from error
        except (sdk_errors.BotoCoreError, ResponseParserError, UnicodeDecodeError, EOFError, OSError) as error:
            raise translated(error, question, region, self.account.profiles) from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Malformed("s3-garbled") from error  # the SDK's parser meets a shape that it was not built for
        except RuntimeError as error:  # credentials that were fetched anew, and had expired all the same
            raise AccessDenied("s3-session-expired", quote=first_line(error)) from error
        if question.member and question.member not in answer:
            raise Malformed("s3-member-missing", member=question.member)
        return answer


@dataclass
class _Parsed(Generic[Entry]):
    """The entries of a list so far, and how many made no sense."""

    parse: Callable[[Any], Entry | None]
    entries: list[Entry]
    broken: int = 0

    def add(self, raw: object) -> None:
        """The entries of a page."""
        for one in raw if isinstance(raw, Sequence) else ():
            try:
                entry = self.parse(one)
            except (KeyError, TypeError, ValueError, AttributeError):
                self.broken += 1
                continue
            if entry is not None:
                self.entries.append(entry)

    def gaps(self, question: AwsQuestion, about: str | None) -> Sequence[Gap]:
        """One gap for all entries that made no sense."""
        reason = Reason(code="s3-entries-malformed", values={"count": self.broken})
        return [question.lacking(reason, about)] if self.broken else []


def name_of(entry: Mapping[str, Any], member: str) -> str:
    """What names an entry of a list. Raises `ValueError` where it is missing or empty."""
    name = entry[member]
    if not isinstance(name, str) or not name:
        raise ValueError(member)
    return name


def moment_of(entry: Mapping[str, Any], member: str) -> datetime:
    """When something happened, in UTC. Raises `TypeError` where an entry of a list says it in another form."""
    moment = entry[member]
    if not isinstance(moment, datetime):
        raise TypeError(member)
    return moment.astimezone(UTC)
