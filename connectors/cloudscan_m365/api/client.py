"""Microsoft Graph, and the few calls of SharePoint's own API: requests sent by `cloudscan.http`, read with msgspec.

Microsoft's SDK builds the addresses (`builders`). It neither sends nor decodes: its models take fifteen milliseconds
for one permission, it sends the token wherever a next link leads, and it decodes an unknown enumeration value as an
absent one. Tokens come from azure-identity (`sign_in`).
"""

import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

from cloudscan import __version__
from cloudscan.connector import Question
from cloudscan.errors import (
    AccessDenied,
    Malformed,
    ProviderError,
    QuotaSpent,
    Throttled,
    Unreachable,
)
from cloudscan.http import PASSING, Answer, Budget, Meter, Patience, Web, asked_for
from cloudscan_m365.api.batch import PARTS_MOST, BatchPart, batch_of, parts_of
from cloudscan_m365.api.builders import Addresses
from cloudscan_m365.api.claims import Claims, claims_of
from cloudscan_m365.api.sign_in import SignIn, sign_in
from cloudscan_m365.api.wire import Bounds, Page, decode, decode_page, error_of, passing
from cloudscan_m365.options import Options
from cloudscan_m365.permissions import SHAREPOINT
from cloudscan_m365.questions import GraphQuestion, SharePointQuestion

Record = TypeVar("Record")
SERVICES = {
    "global": "https://graph.microsoft.com",
    "usgov": "https://graph.microsoft.us",
    "dod": "https://dod-graph.microsoft.us",
    "china": "https://microsoftgraph.chinacloudapi.cn",
}
_NEARLY_SPENT = 0.05
_DAY_SPENT = 3_600.0  # seconds: a longer Retry-After means that the day's units are spent
_JSON = "application/json;odata=nometadata"


class _Tired:
    """The questions that were asked in vain while there was patience: they are asked once each from then on."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._lock = threading.Lock()

    def of(self, question: str) -> bool:
        return question in self._names

    def add(self, question: str) -> None:
        with self._lock:
            self._names.add(question)

    def remove(self, question: str) -> None:
        if question in self._names:
            with self._lock:
                self._names.discard(question)


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
    addresses: Addresses = field(default_factory=Addresses)
    _tired: _Tired = field(default_factory=_Tired)

    def claims(self, service: str = "") -> Claims:
        """What the token for a service, by default Graph, says of the application. Raises as `SignIn.token` does."""
        return claims_of(self.sign_in.token(service or self.service))

    def ask(self, record: type[Record], question: GraphQuestion, *ids: str, **options: object) -> Record:
        """Ask for one record. `options` are Graph's (`select`, `top` …) or the method's own parameters.

        Raises `AccessDenied`, `Locked`, `Vanished`, `NotOffered`, `StaleCursor`, `Throttled`, `Unreachable`,
        `Malformed`.
        """
        return decode(record, self._get(question, self._address(question, ids, options)), question)

    def page(self, record: type[Record], question: GraphQuestion, *ids: str, **options: object) -> Page[Record]:
        """The first page of a list. Raises as `ask` does."""
        return decode_page(record, self._get(question, self._address(question, ids, options)))

    def follow(self, record: type[Record], question: GraphQuestion, link: str) -> Page[Record]:
        """The page of a next or delta link, with or without its host (`without_host`). Raises as `ask` does."""
        return decode_page(record, self._get(question, self.base + self.without_host(link)))

    def pages(
        self, record: type[Record], question: GraphQuestion, *ids: str, **options: object
    ) -> Iterator[Page[Record]]:
        """A list page by page. Raises as `ask` does, `StalePage` where it has to begin again or leads in a circle."""
        return self.rest_of(self.page(record, question, *ids, **options), record, question)

    def rest_of(self, page: Page[Record], record: type[Record], question: GraphQuestion) -> Iterator[Page[Record]]:
        """A page, and those that follow it. Raises as `pages` does."""
        bounds = Bounds()
        while True:
            bounds.check(page)
            yield page
            if not page.next_link:
                return
            page = self.follow(record, question, page.next_link)

    def together(self, record: type[Record], parts: Sequence[BatchPart]) -> list[Record | ProviderError]:
        """Ask many questions in few requests; answers come in the order of the questions.

        A part that is refused, or that remains unanswered, has its error in that place. Raises `QuotaSpent`.
        """
        answers: list[Record | ProviderError] = []
        for begin in range(0, len(parts), PARTS_MOST):
            answers += self._batch(parts[begin : begin + PARTS_MOST], functools.partial(_decoded, record))
        return answers

    def pages_together(self, record: type[Record], parts: Sequence[BatchPart]) -> list[Page[Record] | ProviderError]:
        """Ask for many lists in few requests, each to its end, as one page. Raises as `together` does."""
        answers: list[Page[Record] | ProviderError] = []
        for begin in range(0, len(parts), PARTS_MOST):
            batch = parts[begin : begin + PARTS_MOST]
            for part, page in zip(batch, self._batch(batch, lambda body, _: decode_page(record, body)), strict=True):
                if isinstance(page, ProviderError):
                    answers.append(page)
                    continue
                try:
                    answers.append(_as_one(self.rest_of(page, record, part.question)))
                except QuotaSpent:
                    raise
                except ProviderError as error:
                    answers.append(error)
        return answers

    def sharepoint(self, record: type[Record], question: SharePointQuestion, address: str, *ids: str) -> Record:
        """Ask SharePoint's own API about a site or the administration at `address` (``https://…``).

        Raises as `ask` does; `AccessDenied` without a request where the application signs in with a secret.
        """
        return decode(record, self._sharepoint(question, address, ids), question)

    def sharepoint_list(self, record: type[Record], question: SharePointQuestion, address: str) -> Page[Record]:
        """The same for a list, which SharePoint returns as a whole."""
        return decode_page(record, self._sharepoint(question, address, ()))

    def without_host(self, link: str) -> str:
        """A link without the base address, for `follow` and for a cursor to keep.

        Raises `Malformed` where the link leads to another host, which would receive our token.
        """
        if link.startswith("/"):
            return link
        if not link.startswith(f"{self.base}/"):
            raise Malformed("graph-foreign-link")
        return link.removeprefix(self.base)

    def _address(self, question: GraphQuestion, ids: Sequence[str], options: Mapping[str, object]) -> str:
        return f"{self.base}/{self.addresses.of(question, ids, options)}"

    def _path(self, part: BatchPart) -> str:
        return self.addresses.of(part.question, part.ids, part.options)

    def _get(self, question: GraphQuestion, url: str) -> bytes:
        headers = {"Prefer": question.prefer} if question.prefer else {}
        body = None
        if question.method == "POST":
            headers["Content-Type"], body = "application/json", b"{}"
        answer = self._send(question, question.method, url, headers, body, question.units, self.service)
        if answer.status != 200:
            raise self._error(answer, question)
        return answer.body

    def _sharepoint(self, question: SharePointQuestion, address: str, ids: Sequence[str]) -> bytes:
        if self.sign_in.by_secret:
            raise AccessDenied("graph-wants-certificate", needs=question.needs)
        url = address + question.path.format(*ids)
        host = urlsplit(url).netloc
        if not host:
            raise Malformed("graph-no-address")
        headers = {"Accept": _JSON}
        if question.body is not None:
            headers["Content-Type"] = _JSON
        answer = self._send(
            question,
            "POST" if question.body is not None else "GET",
            f"{self.local}/{host}{url.partition(host)[2]}" if self.local else url,
            headers,
            question.body,
            question.units,
            f"https://{host}",
        )
        if answer.status != 200:
            raise self._error(answer, question, f"https://{host}")
        return answer.body

    def _error(self, answer: Answer, question: Question, service: str = "") -> ProviderError:
        """The error that an answer stands for; whether a permission is missing, the token says."""
        lacks = False
        if answer.status in (401, 403) and question.needs:
            claims = self.claims(service)
            lacks = not claims.has(question.needs.removeprefix(SHAREPOINT))
        return error_of(answer, question, lacks=lacks)

    def _send(
        self,
        question: Question,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        units: float,
        service: str,
    ) -> Answer:
        token = self.sign_in.token(service)
        tired = self._tired.of(question.name)
        web = self._hasty if tired else self.web
        for again in (True, False):
            try:
                answer = web.send(
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
            except (Throttled, Unreachable):
                self._tired.add(question.name)
                raise
            if answer.status != 401 or not again:
                break
            token = self.sign_in.token(service, refused=token)
        if tired:
            self._tired.remove(question.name)
        return answer

    @functools.cached_property
    def _hasty(self) -> Web:
        """The same connections for questions that were asked in vain already: one attempt each."""
        return replace(self.web, patience=replace(self.web.patience, attempts=1, span=0.0))

    def _rest_if_asked(self, answer: Answer) -> None:
        """Pause requests to the tenant where Microsoft asks for it, or soon will (RateLimit headers, draft 03)."""
        wait = (asked_for(answer) or 0.0) if answer.status in (429, 503) else 0.0
        if wait > _DAY_SPENT:
            raise QuotaSpent("graph-quota-spent", hours=round(wait / 3600))
        left, most, ends = (
            _number(answer.headers.get(f"ratelimit-{name}")) for name in ("remaining", "limit", "reset")
        )
        if left is not None and ends is not None and left <= (most or 0.0) * _NEARLY_SPENT:
            wait = max(wait, ends)
        if wait:
            self.budget.rest(min(wait, self.web.patience.longest))

    def _batch(
        self, parts: Sequence[BatchPart], decode: Callable[[bytes, GraphQuestion], Record]
    ) -> list[Record | ProviderError]:
        """The answers of a batch. What fails for good, fails alone; what may pass is asked again for a while."""
        answers: dict[int, Record | ProviderError] = {}
        trouble: dict[int, ProviderError] = {}
        patience, begun, attempt = self.web.patience, time.monotonic(), 0
        while unanswered := [number for number in range(len(parts)) if number not in answers]:
            attempt += 1
            try:
                for number, answer in self._answers(parts, unanswered):
                    self._take(parts[number].question, number, answer, decode, answers, trouble)
            except QuotaSpent:
                raise
            except (Throttled, Unreachable) as error:
                trouble |= dict.fromkeys(unanswered, error)
                break
            except ProviderError:
                return [answers[n] if n in answers else self._alone(part, decode) for n, part in enumerate(parts)]
            waiting = [number for number in unanswered if number not in answers]
            names = {parts[number].question.name for number in waiting}
            throttled = any(isinstance(trouble.get(number), Throttled) for number in waiting)
            if not waiting or all(self._tired.of(name) for name in names):
                break
            if not patience.is_left(attempt, time.monotonic() - begun, throttled=throttled):
                for name in names:
                    self._tired.add(name)
                break
            self.budget.rest(patience.wait(attempt))
        missing = Unreachable("graph-part-missing")
        return [answers[number] if number in answers else trouble.get(number, missing) for number in range(len(parts))]

    def _take(
        self,
        question: GraphQuestion,
        number: int,
        answer: Answer,
        decode: Callable[[bytes, GraphQuestion], Record],
        answers: dict[int, Record | ProviderError],
        trouble: dict[int, ProviderError],
    ) -> None:
        """Note the answer of a part, or what troubles it."""
        if answer.status == 401 and number not in trouble:
            self.sign_in.forget(self.service)
            trouble[number] = self._error(answer, question)
        elif answer.status in PASSING:
            error = passing(answer)
            trouble[number] = error
            self.meter.trouble(error)
        elif answer.status != 200:
            answers[number] = self._error(answer, question)
        else:
            self._tired.remove(question.name)
            try:
                answers[number] = decode(answer.body, question)
            except Malformed as error:
                answers[number] = error

    def _alone(self, part: BatchPart, decode: Callable[[bytes, GraphQuestion], Record]) -> Record | ProviderError:
        """A part by itself, where Microsoft refuses the batch as a whole: another part may be the reason."""
        try:
            return decode(self._get(part.question, self._address(part.question, part.ids, part.options)), part.question)
        except QuotaSpent:
            raise
        except ProviderError as error:
            return error

    def _answers(self, parts: Sequence[BatchPart], numbers: Sequence[int]) -> Iterator[tuple[int, Answer]]:
        asked = {number: parts[number] for number in numbers}
        body = batch_of({number: (part.question, self._path(part)) for number, part in asked.items()})
        question = parts[0].question
        units = sum(part.question.units for part in asked.values())
        headers = {"Content-Type": "application/json"}
        outer = self._send(question, "POST", f"{self.base}/$batch", headers, body, units, self.service)
        if outer.status != 200:
            raise self._error(outer, question)
        for number, answer in parts_of(outer.body):
            if number in asked:
                self._rest_if_asked(answer)
                yield number, answer


def connect(options: Options, patience: Patience | None = None) -> Graph:
    """A connection to Graph with the credentials that `options` name; no request is sent yet.

    Raises `ConfigurationError`.
    """
    budget = Budget(options.resource_units_per_minute)
    patience = patience or Patience(longest=options.longest_pause, span=options.patience)
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


def _decoded(record: type[Record], body: bytes, question: GraphQuestion) -> Record:
    return decode(record, body, question)


def _as_one(pages: Iterator[Page[Record]]) -> Page[Record]:
    first, *others = pages
    value = [*first.value, *(entry for page in others for entry in page.value)] if others else first.value
    return Page(value=value, broken=first.broken + sum(page.broken for page in others))


def _is_torn(answer: Answer) -> bool:
    """Whether a body ends in the middle: proxies and gateways cut them."""
    return answer.status == 200 and not answer.body.rstrip().endswith((b"}", b"]"))


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
