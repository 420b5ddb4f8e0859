"""Any nights with any trouble: in the end one ticket for each finding, open where it stands and closed where not."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.errors import Throttled, Unreachable
from cloudscan.facts import Audience
from cloudscan.finding import Finding, Severity, State
from cloudscan.http import Patience
from cloudscan.report import Report, Terms
from cloudscan.sentence import Sentence
from cloudscan.ticketing.asking import Asking
from cloudscan.ticketing.deliver import Dispatcher, Opened
from cloudscan.ticketing.memory import KnownTrouble, PendingComment
from cloudscan.ticketing.plan import TrackerState, plan
from cloudscan.ticketing.policy import Policy
from cloudscan.ticketing.renames import Renames
from cloudscan.tracker import Closing, ExistingTicket, Listing, Ticket, TicketRecord, Wording
from cloudscan_trackers.markup import MARKDOWN
from cloudscan_trackers.wording import wording
from tests.kit.properties import examples
from tests.reports.synthetic import NOW, report

NAMES = ("accounts", "backups", "contracts")
WORDS = wording(MARKDOWN)


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Memory:
    """A ledger that may be lost."""

    rows: dict[tuple[str, str], TicketRecord] = field(default_factory=dict)
    pending: dict[tuple[str, str], PendingComment] = field(default_factory=dict)

    def tickets(self) -> Sequence[TicketRecord]:
        return list(self.rows.values())

    def save_ticket(self, record: TicketRecord) -> None:
        self.rows[record.tracker, record.marker] = record

    def renames(self) -> Renames:
        return Renames()

    def pending_comments(self) -> Sequence[PendingComment]:
        return list(self.pending.values())

    def save_pending_comment(self, comment: PendingComment) -> None:
        self.pending[comment.key, comment.comment_id] = comment

    def drop_pending_comment(self, tracker: str, key: str, comment_id: str) -> None:
        self.pending.pop((key, comment_id), None)

    def troubles(self) -> Sequence[KnownTrouble]:
        return ()

    def keep_troubles(self, tracker: str, troubles: Sequence[KnownTrouble]) -> None:
        """Nobody asks."""


@dataclass
class Board:
    """A tracker that does what it is asked, before or after something goes wrong, or not at all."""

    now: Callable[[], datetime]
    index_lag_seconds: float = 0.0
    listing: Listing = Listing.BY_PROJECT
    tickets: dict[str, ExistingTicket] = field(default_factory=dict)
    talk: dict[str, list[str]] = field(default_factory=dict)
    born: dict[str, datetime] = field(default_factory=dict)
    trouble: Iterator[str] = field(default_factory=lambda: iter(()))

    def wording(self, project: str, /) -> Wording:
        return WORDS

    def check(self, project: str, /) -> Iterable[Sentence]:
        return ()

    def existing(self, project: str, /) -> Iterable[ExistingTicket]:
        """The index takes up a ticket only after a while."""
        self._before()
        since = self.now() - timedelta(seconds=self.index_lag_seconds)
        return [ticket for key, ticket in self.tickets.items() if not self.index_lag_seconds or self.born[key] <= since]

    def get(self, key: str, /) -> ExistingTicket | None:
        self._before()
        return self.tickets.get(key)

    def person(self, name: str, project: str, /) -> str:
        return name

    def create(self, ticket: Ticket, assignee: str, /, *, once: str) -> ExistingTicket:
        after = self._before()
        key = f"T-{len(self.tickets) + 1}"
        self.tickets[key] = ExistingTicket(key=key, body=ticket.body, open=True)
        self.born[key] = self.now()
        after()
        return self.tickets[key]

    def update(self, key: str, ticket: Ticket, /, *, once: str) -> ExistingTicket:
        return self._change(key, body=ticket.body)

    def comments(self, key: str, /) -> Sequence[str]:
        self._before()
        return self.talk.get(key, [])

    def comment(self, key: str, text: str, /, *, once: str) -> None:
        after = self._before()
        self.talk.setdefault(key, []).append(text)
        after()

    def close(self, key: str, closing: Closing, /, *, once: str) -> ExistingTicket:
        return self._change(key, open=False, closed_on=self.now())

    def reopen(self, key: str, /, *, once: str) -> ExistingTicket:
        return self._change(key, open=True, closed_on=None)

    def _change(self, key: str, **fields: object) -> ExistingTicket:
        after = self._before()
        self.tickets[key] = msgspec.structs.replace(self.tickets[key], **fields)
        after()
        return self.tickets[key]

    def _before(self) -> Callable[[], None]:
        """What goes wrong now; gives what goes wrong when it is done."""
        trouble = next(self.trouble, "")
        match trouble:
            case "killed before":
                raise Killed
            case "throttled":
                raise Throttled("a pause")
            case "unheard":
                raise Unreachable("nothing came through")
            case "lost" | "killed after":
                return lambda: self._lost(trouble)
        return lambda: None

    def _lost(self, trouble: str) -> None:
        raise Killed if trouble == "killed after" else Unreachable("the answer was lost")


@dataclass(frozen=True)
class Night:
    """Which findings stand, which of them reach further, which cannot be seen, and what goes wrong."""

    standing: frozenset[str]
    wide: frozenset[str]
    unseen: frozenset[str]
    trouble: tuple[str, ...]
    ledger_lost: bool


some = st.frozensets(st.sampled_from(NAMES))
nights = st.builds(
    Night,
    standing=some,
    wide=some,
    unseen=some,
    trouble=st.lists(
        st.sampled_from([""] * 4 + ["killed before", "killed after", "throttled", "unheard", "lost"]), max_size=12
    ).map(tuple),
    ledger_lost=st.sampled_from([False] * 4 + [True]),
)


def findings() -> dict[str, Finding]:
    """One finding for each name."""
    made = report(len(NAMES), seed=3).findings
    return {
        name: msgspec.structs.replace(finding, fingerprint=f"{number:x}" * 32, state=State.OPEN, waiver=None)
        for number, (name, finding) in enumerate(zip(NAMES, made, strict=True), 1)
    }


WHOLE = report(len(NAMES), seed=3)
FINDINGS = findings()
COVERAGE = [
    msgspec.structs.replace(WHOLE.coverage[0], account=value.verdict.subject.account) for value in FINDINGS.values()
]
"""Every account was read every night."""


def seen(night: Night, on: datetime) -> Report:
    """The report of a night."""
    findings = []
    for name in sorted(night.standing | night.unseen):
        verdict = FINDINGS[name].verdict
        if name in night.wide:
            verdict = msgspec.structs.replace(verdict, audience=Audience.ANYONE_DISCOVERABLE)
        findings.append(msgspec.structs.replace(FINDINGS[name], verdict=verdict, verified=name in night.standing))
    scan = msgspec.structs.replace(WHOLE.scan, id=f"{on:%Y%m%d}", started_on=on)
    return msgspec.structs.replace(WHOLE, scan=scan, findings=findings, coverage=COVERAGE)


class Firm:
    """Lives through nights."""

    def __init__(self, index_lag_seconds: float) -> None:
        self.today = NOW
        self.board = Board(now=lambda: self.today, index_lag_seconds=index_lag_seconds)
        self.memory = Memory()

    def live(self, night: Night) -> None:
        self.today += timedelta(days=1)
        if night.ledger_lost:
            self.memory = Memory()
        report = seen(night, self.today - timedelta(minutes=5))
        self.board.trouble = iter(night.trouble)
        with suppress(Killed, Unreachable, Throttled):
            self.hand_over(report)
        self.today += timedelta(seconds=30)
        self.board.trouble = iter(())
        self.hand_over(report)
        self.today += timedelta(minutes=30)

    def hand_over(self, report: Report) -> None:
        asking = Asking(tracker="board", patience=Patience(attempts=3, pause=0.0, longest=0.0), sleep=lambda _: None)
        sender = Dispatcher(
            opened={"board": Opened(tracker=self.board, asking=asking, projects=[""])},
            memory=self.memory,
            now=lambda: self.today,
        )
        needed = {finding.fingerprint for finding in report.findings}
        inventory = sender.inventory("board", needed)
        desk = TrackerState(
            wording=WORDS,
            existing=inventory.tickets,
            unlisted=inventory.unlisted,
            unread=inventory.unread,
            index_lag_seconds=self.board.index_lag_seconds,
        )
        planned = plan(
            report,
            {"board": desk},
            policy=Policy(min_severity=min(value.severity for value in FINDINGS.values())),
            terms=Terms(days=dict.fromkeys(Severity, 7)),
            routes=(),
            lang="en",
            remembered=self.memory.tickets(),
            now=self.today,
        )
        list(sender.carry_out(planned.actions))

    @property
    def open(self) -> list[str]:
        return sorted(self._marker(value) for value in self.board.tickets.values() if value.open)

    @property
    def made(self) -> Counter[str]:
        return Counter(self._marker(value) for value in self.board.tickets.values())

    def _marker(self, ticket: ExistingTicket) -> str:
        return ticket.body.partition("cloudscan:1 ")[2].partition(" ")[0]


@examples(25)
@given(st.lists(nights, min_size=1, max_size=6))
def test_each_finding_has_one_ticket_in_the_right_state(lived: list[Night]) -> None:
    """Killed, unheard, throttled, the ledger lost: never a second ticket, and after the next quiet run all is right."""
    firm = Firm(index_lag_seconds=0.0)

    for night in lived:
        firm.live(night)

        assert set(firm.made.values()) <= {1}
        assert {FINDINGS[name].fingerprint for name in night.standing} <= set(firm.open)
        assert set(firm.open) <= {FINDINGS[name].fingerprint for name in night.standing | night.unseen}


@examples(25)
@given(st.lists(nights.map(lambda night: replace(night, ledger_lost=False)), min_size=1, max_size=6))
def test_an_index_that_lags_behind_doubles_nothing(lived: list[Night]) -> None:
    """As long as the ledger is there: it remembers what may have been made."""
    firm = Firm(index_lag_seconds=300.0)

    for night in lived:
        firm.live(night)

        assert set(firm.made.values()) <= {1}


@examples(30)
@given(st.lists(nights, min_size=2, max_size=5))
def test_a_comment_is_written_once(lived: list[Night]) -> None:
    """Whatever answer is lost, nobody reads the same sentence of the same night twice."""
    firm = Firm(index_lag_seconds=0.0)

    for night in lived:
        firm.live(night)

    assert all(count == 1 for talk in firm.board.talk.values() for count in Counter(talk).values())
