"""The one door to Microsoft's answers: what is not answered is a gap of that question, and costs nothing else.

The list of a scope's own things is read without it (`Graph.pages`): its failure is the scope's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from cloudscan.connector import Gap, Question
from cloudscan.errors import ProviderError, QuotaSpent, StalePage
from cloudscan.facts import Outcome
from cloudscan.reason import Reason
from cloudscan_m365.api.batch import BatchPart
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.wire import Page
from cloudscan_m365.questions import GraphQuestion, SharePointQuestion

Record = TypeVar("Record")
Answered = TypeVar("Answered")
_LIST_ATTEMPTS = 3  # how often a list is begun again of which a page is no longer available
_NAMED_MOST = 200  # things that one gap names; with more, it hides anything of its kind


@dataclass(frozen=True, kw_only=True)
class Listing(Generic[Record]):
    """A list as far as it was answered."""

    entries: Sequence[Record] = ()
    whole: bool = False  # all that there is; not if the question failed, or entries made no sense
    answered: bool = False  # there was an answer at all


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """Asks on behalf of one scope and collects the gaps. Only `QuotaSpent` and a failing sign-in are raised."""

    graph: Graph
    gaps: list[Gap] = field(default_factory=list)

    def one(
        self, record: type[Record], question: GraphQuestion, *ids: str, about: str | None = None, **options: object
    ) -> Record | None:
        """One record; None where there is no answer."""
        return self.answer(question, lambda: self.graph.ask(record, question, *ids, **options), about)

    def all(
        self, record: type[Record], question: GraphQuestion, *ids: str, about: str | None = None, **options: object
    ) -> Listing[Record]:
        """All entries of a list. Where a page is no longer available, the list begins again."""
        return self.list_of(question, lambda: self._pages(record, question, ids, options), about)

    def together(
        self,
        record: type[Record],
        parts: Sequence[BatchPart],
        abouts: Sequence[str],
        *,
        singly: bool = False,
        within: str | None = None,
    ) -> list[Record | None]:
        """One record for each part. `abouts` are the uids of what each is about; see `failed`."""
        answers = self.graph.together(record, parts)
        self.failed(_failures(parts, answers, abouts), singly=singly, within=within)
        return [None if isinstance(answer, ProviderError) else answer for answer in answers]

    def lists(
        self, record: type[Record], parts: Sequence[BatchPart], abouts: Sequence[str], *, singly: bool = False
    ) -> list[Listing[Record]]:
        """One list for each part; see `together`."""
        answers = self.graph.pages_together(record, parts)
        self.failed(_failures(parts, answers, abouts), singly=singly)
        listings = []
        for part, answer, about in zip(parts, answers, abouts, strict=True):
            if isinstance(answer, Page):
                self._count_malformed(part.question, answer.broken, about)
                listings.append(Listing(entries=answer.value, whole=not answer.broken, answered=True))
            else:
                listings.append(Listing[Record]())
        return listings

    def sharepoint(
        self, record: type[Record], question: SharePointQuestion, address: str, *ids: str, about: str | None = None
    ) -> Record | None:
        """One record of SharePoint's own API; None where there is no answer."""
        return self.answer(question, lambda: self.graph.sharepoint(record, question, address, *ids), about)

    def sharepoint_list(
        self, record: type[Record], question: SharePointQuestion, address: str, about: str | None = None
    ) -> Listing[Record]:
        """A list of SharePoint's own API."""
        return self.list_of(question, lambda: self.graph.sharepoint_list(record, question, address), about)

    def answer(self, question: Question, ask: Callable[[], Answered], about: str | None = None) -> Answered | None:
        """What `ask` returns; None, and a gap, where it raises a `ProviderError`."""
        try:
            return ask()
        except QuotaSpent:
            raise
        except ProviderError as error:
            gap = question.gap(error, about)
            self.gaps.append(about_all(question, gap, [about]) if about else gap)
            return None

    def list_of(self, question: Question, ask: Callable[[], Page[Record]], about: str | None = None) -> Listing[Record]:
        """The same for a list that is asked for as one page."""
        page = self.answer(question, ask, about)
        if page is None:
            return Listing()
        self._count_malformed(question, page.broken, about)
        return Listing(entries=page.value, whole=not page.broken, answered=True)

    def lacking(
        self,
        question: Question,
        code: str,
        about: str | None = None,
        *,
        outcome: Outcome = Outcome.PARTIAL,
        needs: str = "",
        **values: str | int,
    ) -> None:
        """Note that an answer is not whole, and why."""
        reason = Reason(code=code, values=values)
        self.gaps.append(question.lacking(reason, about, outcome=outcome, needs=needs))

    def failed(
        self,
        failures: Iterable[tuple[Question, str, ProviderError]],
        *,
        singly: bool = False,
        within: str | None = None,
    ) -> None:
        """Note failures about many things, as (question, uid, error): one gap for all that have the same cause.

        With `singly` each has its own. `within` is what all of them are in.
        """
        groups: dict[tuple[str, str, str], list[tuple[Question, str, ProviderError]]] = {}
        for question, about, error in failures:
            key = (question.name, error.reason.code, about if singly else "")
            groups.setdefault(key, []).append((question, about, error))
        for together in groups.values():
            question, about, error = together[0]
            gap = question.gap(error, about or None)
            self.gaps.append(about_all(question, gap, [uid for _, uid, _ in together], within))

    def _count_malformed(self, question: Question, broken: int, about: str | None) -> None:
        if broken:
            self.lacking(question, "graph-entries-malformed", about or None, count=broken)

    def _pages(
        self, record: type[Record], question: GraphQuestion, ids: Sequence[str], options: Mapping[str, object]
    ) -> Page[Record]:
        for attempt in range(_LIST_ATTEMPTS):
            try:
                pages = list(self.graph.pages(record, question, *ids, **options))
            except StalePage:
                if attempt == _LIST_ATTEMPTS - 1:
                    raise
            else:
                value = [entry for page in pages for entry in page.value]
                return Page(value=value, broken=sum(page.broken for page in pages))
        raise AssertionError("the last attempt returns or raises")


def about_all(question: Question, gap: Gap, abouts: Sequence[str], within: str | None = None) -> Gap:
    """A gap of a question that concerns these things and no others; all in `within`, if they are too many to name."""
    named = abouts if len(abouts) <= _NAMED_MOST else [within]
    # Principals are in nothing: those that are missing may be missing anywhere.
    hides = [
        msgspec.structs.replace(hidden, below=hidden.below or (None if hidden.table == "principals" else uid))
        for uid in named
        for hidden in question.hides
    ]
    if len(abouts) == 1:
        return msgspec.structs.replace(gap, hides=tuple(hides), resource_uid=abouts[0] or None)
    return msgspec.structs.replace(gap, hides=tuple(dict.fromkeys(hides)), resource_uid=within, total=len(abouts))


def _failures(
    parts: Sequence[BatchPart], answers: Sequence[object], abouts: Sequence[str]
) -> Iterable[tuple[Question, str, ProviderError]]:
    for part, answer, about in zip(parts, answers, abouts, strict=True):
        if isinstance(answer, ProviderError):
            yield part.question, about, answer
