"""Microsoft Graph, and the few calls of SharePoint's own API: requests sent by `cloudscan.http`, read with msgspec.

Microsoft's SDK is not asked to carry or to read: its models take fifteen milliseconds for one permission, it sends the
token wherever a next link leads, and reads a word it does not know as one that is not there. It signs in, though:
tokens come from azure-identity (`sign_in`).
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
from cloudscan_m365.api.batch import PARTS_MOST, Asked, batch_of, parts_of, pause
from cloudscan_m365.api.endpoints import Question
from cloudscan_m365.api.sign_in import SignIn, sign_in
from cloudscan_m365.api.wire import Page, path_of, read, read_page, refused
from cloudscan_m365.options import Options

Thing = TypeVar("Thing")
SERVICES = {
    "global": "https://graph.microsoft.com",
    "usgov": "https://graph.microsoft.us",
    "dod": "https://dod-graph.microsoft.us",
    "china": "https://microsoftgraph.chinacloudapi.cn",
}
_NEARLY_SPENT = 0.05
_FOR_TODAY = 3_600.0  # seconds: who is asked to stay away for longer has spent the day's units


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The way to ask. May be used from any thread."""

    web: Web
    budget: Budget
    service: str  # https://graph.microsoft.com: whom tokens are for
    base: str  # the same with the version, or a local server
    sign_in: SignIn
    agent: str
    local: str = ""  # a local server that stands for SharePoint's hosts
    meter: Meter = field(default_factory=Meter)

    def ask(self, wanted: type[Thing], question: Question, *ids: str, **options: object) -> Thing:
        """Ask for one thing. `options` are Graph's (`select`, `top` …) or the method's own parameters.

        Raises `AccessDenied`, `Locked`, `Vanished`, `StaleCursor`, `Throttled`, `Unreachable`, `Malformed`.
        """
        return read(wanted, self._got(question, f"{self.base}/{path_of(question, ids, options)}"))

    def page(self, thing: type[Thing], question: Question, *ids: str, **options: object) -> Page[Thing]:
        """The first page of a list. Raises as `ask` does."""
        return read_page(thing, self._got(question, f"{self.base}/{path_of(question, ids, options)}"))

    def follow(self, thing: type[Thing], question: Question, link: str) -> Page[Thing]:
        """The page behind a next or delta link, or behind what `without_host` made of one. Raises as `ask` does."""
        return read_page(thing, self._got(question, self.base + self.without_host(link)))

    def pages(self, thing: type[Thing], question: Question, *ids: str, **options: object) -> Iterator[Page[Thing]]:
        """A list page by page. Raises as `ask` does, and `StalePage` where it leads in a circle."""
        return self.rest_of(self.page(thing, question, *ids, **options), thing, question)

    def rest_of(self, page: Page[Thing], thing: type[Thing], question: Question) -> Iterator[Page[Thing]]:
        """A page, and those that follow it."""
        seen: set[str] = set()
        while True:
            yield page
            if not page.next_link:
                return
            if page.next_link in seen:
                raise StalePage("a list leads in a circle: the same next link came twice")
            seen.add(page.next_link)
            page = self.follow(thing, question, page.next_link)

    def things(self, thing: type[Thing], question: Question, *ids: str, **options: object) -> Iterator[Thing]:
        """Everything in a list. Things that make no sense are passed over. Raises as `pages` does."""
        for page in self.pages(thing, question, *ids, **options):
            yield from page.value

    def together(self, wanted: type[Thing], asked: Sequence[Asked]) -> list[Thing | ProviderError]:
        """Ask many questions in few requests; answers come in the order of the questions.

        What one part is refused stands in its place. Raises `Throttled`, `Unreachable`, `Malformed` where parts stay
        without an answer.
        """
        found: list[Thing | ProviderError] = []
        for begin in range(0, len(asked), PARTS_MOST):
            found += self._batch(asked[begin : begin + PARTS_MOST], functools.partial(read, wanted))
        return found

    def pages_together(self, thing: type[Thing], asked: Sequence[Asked]) -> list[Page[Thing] | ProviderError]:
        """Ask for many lists in few requests, each to its end, as one page. Raises as `together` does."""
        found: list[Page[Thing] | ProviderError] = []
        for begin in range(0, len(asked), PARTS_MOST):
            parts = asked[begin : begin + PARTS_MOST]
            for part, page in zip(parts, self._batch(parts, functools.partial(read_page, thing)), strict=True):
                if isinstance(page, ProviderError):
                    found.append(page)
                    continue
                try:
                    found.append(_as_one(self.rest_of(page, thing, part.question)))
                except (AccessDenied, Vanished) as refused:
                    found.append(refused)
        return found

    def sharepoint(
        self, wanted: type[Thing], url: str, *, needs: str, units: float = 2.0, body: bytes | None = None
    ) -> Thing:
        """Ask SharePoint's own API (``https://kumo.sharepoint.com/sites/x/_api/…``); with a body, by POST.

        Raises as `ask` does; `AccessDenied` at once where the application signs in with a secret.
        """
        if self.sign_in.by_secret:
            words = "SharePoint's own API lets nobody in who signs in with a client secret; use a certificate"
            raise AccessDenied(words, needs=needs)
        parts = urlsplit(url)
        where = f"{self.local}/{parts.netloc}{url.partition(parts.netloc)[2]}" if self.local else url
        headers = {"Accept": "application/json;odata=nometadata"}
        if body is not None:
            headers["Content-Type"] = "application/json;odata=nometadata"
        answer = self._sent("POST" if body is not None else "GET", where, headers, body, units,
                            f"https://{parts.netloc}")  # fmt: skip
        if answer.status != 200:
            raise refused(answer, needs, "SharePoint")
        return read(wanted, answer.body)

    def without_host(self, link: str) -> str:
        """What stands behind the base address in a link, for `follow` and for a cursor to keep.

        Raises `Malformed` where the link leads to another host: it would be given our token.
        """
        if link.startswith("/"):
            return link
        if not link.startswith(f"{self.base}/"):
            raise Malformed("a link to the next page leads to another server, which would be given our token")
        return link.removeprefix(self.base)

    def _got(self, question: Question, url: str) -> bytes:
        headers = {"Prefer": question.prefer} if question.prefer else {}
        answer = self._sent("GET", url, headers, None, question.units, self.service)
        if answer.status != 200:
            raise refused(answer, question.needs)
        return answer.body

    def _sent(
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
                on_answer=self._heed,
                on_trouble=self.meter.trouble,
            )
            if answer.status != 401 or not again:
                break
            token = self.sign_in.token(service, refused=token)
        return answer

    def _heed(self, answer: Answer) -> None:
        """Let the whole tenant rest where Microsoft asks for it, or will soon (RateLimit headers, draft 03)."""
        wait = (asked_for(answer) or 0.0) if answer.status in (429, 503) else 0.0
        if wait > _FOR_TODAY:
            raise QuotaSpent(
                f"Microsoft wants to be left alone for {wait / 3600:.0f} hours: the tenant's resource units are spent; "
                "scan again after that, or ask for less (resource_units_per_minute)"
            )
        left, most, ends = (
            _number(answer.headers.get(f"ratelimit-{name}")) for name in ("remaining", "limit", "reset")
        )
        if left is not None and ends is not None and left <= (most or 0.0) * _NEARLY_SPENT:
            wait = max(wait, ends)
        if wait:
            self.budget.rest(min(wait, self.web.patience.longest))

    def _batch(self, asked: Sequence[Asked], decode: Callable[[bytes], Thing]) -> list[Thing | ProviderError]:
        found: dict[int, Thing | ProviderError] = {}
        trouble: ProviderError = Unreachable("parts of a batch stay without an answer")
        for attempt in range(self.web.patience.attempts):
            open_ = [number for number in range(len(asked)) if number not in found]
            if not open_:
                break
            for number, answer in self._parts(asked, open_):
                needs = asked[number].question.needs
                if answer.status == 401:
                    self.sign_in.forget(self.service)
                    trouble = refused(answer, needs)
                elif answer.status in PASSING:
                    trouble = again = pause(answer)
                    self.meter.trouble(again)
                elif answer.status != 200:
                    found[number] = refused(answer, needs)
                else:
                    found[number] = _or_error(decode, answer.body)
            if isinstance(trouble, Throttled | Unreachable) and len(found) < len(asked):
                self.budget.rest(self.web.patience.wait(attempt + 1))
        if len(found) < len(asked):
            raise trouble
        return [found[number] for number in range(len(asked))]

    def _parts(self, asked: Sequence[Asked], open_: Sequence[int]) -> Iterator[tuple[int, Answer]]:
        units = sum(asked[number].question.units for number in open_)
        body = batch_of({number: asked[number] for number in open_})
        headers = {"Content-Type": "application/json"}
        outer = self._sent("POST", f"{self.base}/$batch", headers, body, units, self.service)
        if outer.status != 200:
            raise refused(outer, asked[0].question.needs)
        for number, answer in parts_of(outer.body):
            if number in open_:
                self._heed(answer)
                yield number, answer


def connect(options: Options, patience: Patience | None = None) -> Graph:
    """Find credentials and set up the way to Graph; nothing is asked yet. Raises `ConfigurationError`."""
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


def _as_one(pages: Iterator[Page[Thing]]) -> Page[Thing]:
    first, *others = pages
    value = [*first.value, *(each for page in others for each in page.value)] if others else first.value
    return Page(value=value, broken=first.broken + sum(page.broken for page in others))


def _or_error(decode: Callable[[bytes], Thing], body: bytes) -> Thing | ProviderError:
    try:
        return decode(body)
    except Malformed as error:
        return error


def _is_torn(answer: Answer) -> bool:
    """A body that ends in the middle: proxies and gateways cut them."""
    return answer.status == 200 and not answer.body.rstrip().endswith((b"}", b"]"))


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
