"""Microsoft Graph, and the few calls of SharePoint's own API: requests sent by `cloudscan.http`, read with msgspec.

Microsoft's SDK neither sends nor decodes: its models take fifteen milliseconds for one permission, it sends the token
wherever a next link leads, and it decodes an unknown enumeration value as an absent one. Tokens do come from
azure-identity (`sign_in`).
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

from cloudscan import __version__
from cloudscan.errors import (
    AccessDenied,
    Malformed,
    ProviderError,
    QuotaSpent,
    StalePage,
    Throttled,
    Unreachable,
    Vanished,
)
from cloudscan.http import PASSING, Answer, Budget, Meter, Patience, Web, asked_for
from cloudscan_m365.api.batch import PARTS_MOST, BatchPart, batch_of, parts_of, retryable
from cloudscan_m365.api.endpoints import Question
from cloudscan_m365.api.sign_in import SignIn, sign_in
from cloudscan_m365.api.wire import Page, decode, decode_page, error_of, path_of
from cloudscan_m365.options import Options

Record = TypeVar("Record")
SERVICES = {
    "global": "https://graph.microsoft.com",
    "usgov": "https://graph.microsoft.us",
    "dod": "https://dod-graph.microsoft.us",
    "china": "https://microsoftgraph.chinacloudapi.cn",
}
_NEARLY_SPENT = 0.05
_DAY_SPENT = 3_600.0  # seconds: a longer Retry-After means that the day's units are spent


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A connection to one tenant's Graph and SharePoint. May be used from any thread."""

    web: Web
    budget: Budget
    service: str  # what tokens are for, such as https://graph.microsoft.com
    base: str  # the same with the version, or a local server's address
    sign_in: SignIn
    agent: str
    local: str = ""  # a local server that takes the place of SharePoint's hosts
    meter: Meter = field(default_factory=Meter)

    def ask(self, record: type[Record], question: Question, *ids: str, **options: object) -> Record:
        """Ask for one record. `options` are Graph's (`select`, `top` …) or the method's own parameters.

        Raises `AccessDenied`, `Locked`, `Vanished`, `StaleCursor`, `Throttled`, `Unreachable`, `Malformed`.
        """
        return decode(record, self._get(question, f"{self.base}/{path_of(question, ids, options)}"))

    def page(self, record: type[Record], question: Question, *ids: str, **options: object) -> Page[Record]:
        """The first page of a list. Raises as `ask` does."""
        return decode_page(record, self._get(question, f"{self.base}/{path_of(question, ids, options)}"))

    def follow(self, record: type[Record], question: Question, link: str) -> Page[Record]:
        """The page of a next or delta link, with or without its host (`without_host`). Raises as `ask` does."""
        return decode_page(record, self._get(question, self.base + self.without_host(link)))

    def pages(self, record: type[Record], question: Question, *ids: str, **options: object) -> Iterator[Page[Record]]:
        """A list page by page. Raises as `ask` does, and `StalePage` where a next link comes twice."""
        return self.rest_of(self.page(record, question, *ids, **options), record, question)

    def rest_of(self, page: Page[Record], record: type[Record], question: Question) -> Iterator[Page[Record]]:
        """A page, and those that follow it. Raises as `pages` does."""
        seen: set[str] = set()
        while True:
            yield page
            if not page.next_link:
                return
            if page.next_link in seen:
                raise StalePage("a list leads in a circle: the same next link came twice")
            seen.add(page.next_link)
            page = self.follow(record, question, page.next_link)

    def entries(self, record: type[Record], question: Question, *ids: str, **options: object) -> Iterator[Record]:
        """All entries of a list. Malformed ones are skipped. Raises as `pages` does."""
        for page in self.pages(record, question, *ids, **options):
            yield from page.value

    def together(self, record: type[Record], parts: Sequence[BatchPart]) -> list[Record | ProviderError]:
        """Ask many questions in few requests; answers come in the order of the questions.

        A part that is refused has its error in that place. Raises `Throttled`, `Unreachable`, `Malformed` where parts
        remain unanswered.
        """
        answers: list[Record | ProviderError] = []
        for begin in range(0, len(parts), PARTS_MOST):
            answers += self._batch(parts[begin : begin + PARTS_MOST], functools.partial(decode, record))
        return answers

    def pages_together(self, record: type[Record], parts: Sequence[BatchPart]) -> list[Page[Record] | ProviderError]:
        """Ask for many lists in few requests, each to its end, as one page. Raises as `together` does."""
        answers: list[Page[Record] | ProviderError] = []
        for begin in range(0, len(parts), PARTS_MOST):
            batch = parts[begin : begin + PARTS_MOST]
            for part, page in zip(batch, self._batch(batch, functools.partial(decode_page, record)), strict=True):
                if isinstance(page, ProviderError):
                    answers.append(page)
                    continue
                try:
                    answers.append(_as_one(self.rest_of(page, record, part.question)))
                except (AccessDenied, Vanished) as refusal:
                    answers.append(refusal)
        return answers

    def sharepoint(
        self, record: type[Record], url: str, *, needs: str, units: float = 2.0, body: bytes | None = None
    ) -> Record:
        """Ask SharePoint's own API (``https://kumo.sharepoint.com/sites/x/_api/…``); with a body, by POST.

        Raises as `ask` does; `AccessDenied` without a request where the application signs in with a secret.
        """
        if self.sign_in.by_secret:
            reason = "SharePoint's own API does not accept a client secret; sign in with a certificate"
            raise AccessDenied(reason, needs=needs)
        parts = urlsplit(url)
        address = f"{self.local}/{parts.netloc}{url.partition(parts.netloc)[2]}" if self.local else url
        headers = {"Accept": "application/json;odata=nometadata"}
        if body is not None:
            headers["Content-Type"] = "application/json;odata=nometadata"
        answer = self._send("POST" if body is not None else "GET", address, headers, body, units,
                            f"https://{parts.netloc}")  # fmt: skip
        if answer.status != 200:
            raise error_of(answer, needs, "SharePoint")
        return decode(record, answer.body)

    def without_host(self, link: str) -> str:
        """A link without the base address, for `follow` and for a cursor to keep.

        Raises `Malformed` where the link leads to another host, which would receive our token.
        """
        if link.startswith("/"):
            return link
        if not link.startswith(f"{self.base}/"):
            raise Malformed("the link to the next page leads to another server, which would receive our token")
        return link.removeprefix(self.base)

    def _get(self, question: Question, url: str) -> bytes:
        headers = {"Prefer": question.prefer} if question.prefer else {}
        answer = self._send("GET", url, headers, None, question.units, self.service)
        if answer.status != 200:
            raise error_of(answer, question.needs)
        return answer.body

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, units: float, service: str
    ) -> Answer:
        token = self.sign_in.token(service)
        for again in (True, False):
            answer = self.web.send(
                method,
                url,
                {"Authorization": f"Bearer {token}", "User-Agent": self.agent, **headers},
                body=body,
                units=units,
                passing=_is_torn,
                on_request=self.meter.tick,
                on_answer=self._rest_if_asked,
                on_trouble=self.meter.trouble,
            )
            if answer.status != 401 or not again:
                break
            token = self.sign_in.token(service, refused=token)
        return answer

    def _rest_if_asked(self, answer: Answer) -> None:
        """Pause requests to the tenant where Microsoft asks for it, or soon will (RateLimit headers, draft 03)."""
        wait = (asked_for(answer) or 0.0) if answer.status in (429, 503) else 0.0
        if wait > _DAY_SPENT:
            raise QuotaSpent(
                f"Microsoft throttles requests for {wait / 3600:.0f} hours: the tenant's resource units are spent; "
                "scan again later, or lower resource_units_per_minute"
            )
        left, most, ends = (
            _number(answer.headers.get(f"ratelimit-{name}")) for name in ("remaining", "limit", "reset")
        )
        if left is not None and ends is not None and left <= (most or 0.0) * _NEARLY_SPENT:
            wait = max(wait, ends)
        if wait:
            self.budget.rest(min(wait, self.web.patience.longest))

    def _batch(self, parts: Sequence[BatchPart], decode: Callable[[bytes], Record]) -> list[Record | ProviderError]:
        answers: dict[int, Record | ProviderError] = {}
        error: ProviderError = Unreachable("parts of a batch remain unanswered")
        for attempt in range(self.web.patience.attempts):
            unanswered = [number for number in range(len(parts)) if number not in answers]
            if not unanswered:
                break
            for number, answer in self._answers(parts, unanswered):
                needs = parts[number].question.needs
                if answer.status == 401:
                    self.sign_in.forget(self.service)
                    error = error_of(answer, needs)
                elif answer.status in PASSING:
                    error = again = retryable(answer)
                    self.meter.trouble(again)
                elif answer.status != 200:
                    answers[number] = error_of(answer, needs)
                else:
                    answers[number] = _or_error(decode, answer.body)
            if isinstance(error, Throttled | Unreachable) and len(answers) < len(parts):
                self.budget.rest(self.web.patience.wait(attempt + 1))
        if len(answers) < len(parts):
            raise error
        return [answers[number] for number in range(len(parts))]

    def _answers(self, parts: Sequence[BatchPart], numbers: Sequence[int]) -> Iterator[tuple[int, Answer]]:
        units = sum(parts[number].question.units for number in numbers)
        body = batch_of({number: parts[number] for number in numbers})
        headers = {"Content-Type": "application/json"}
        outer = self._send("POST", f"{self.base}/$batch", headers, body, units, self.service)
        if outer.status != 200:
            raise error_of(outer, parts[0].question.needs)
        for number, answer in parts_of(outer.body):
            if number in numbers:
                self._rest_if_asked(answer)
                yield number, answer


def connect(options: Options, patience: Patience | None = None) -> Graph:
    """A connection to Graph with the credentials that `options` name; no request is sent yet.

    Raises `ConfigurationError`.
    """
    budget = Budget(options.resource_units_per_minute)
    patience = patience or Patience(longest=options.longest_pause)
    service, local = SERVICES[options.cloud], options.endpoint.rstrip("/")
    return Graph(
        web=Web(
            connections=options.connections,
            patience=patience,
            budget=budget,
            ca_file=Path(options.ca_file) if options.ca_file else None,
        ),
        budget=budget,
        service=service,
        base=f"{local or service}/v1.0",
        sign_in=sign_in(options),
        agent=f"NONISV|{quote(options.company or 'cloudscan')}|cloudscan/{__version__}",
        local=local,
    )


def _as_one(pages: Iterator[Page[Record]]) -> Page[Record]:
    first, *others = pages
    value = [*first.value, *(entry for page in others for entry in page.value)] if others else first.value
    return Page(value=value, broken=first.broken + sum(page.broken for page in others))


def _or_error(decode: Callable[[bytes], Record], body: bytes) -> Record | ProviderError:
    try:
        return decode(body)
    except Malformed as error:
        return error


def _is_torn(answer: Answer) -> bool:
    """Whether a body ends in the middle: proxies and gateways cut them."""
    return answer.status == 200 and not answer.body.rstrip().endswith((b"}", b"]"))


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
