"""Any nights with any trouble: in the end one ticket for each finding, open where it stands and closed where not."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.errors import AccessDenied, Throttled, TicketRefused, Unreachable
from cloudscan.facts import Audience
from cloudscan.finding import Finding, Severity, State, Waiver
from cloudscan.http import Patience
from cloudscan.report import Report, Terms
from cloudscan.sentence import Sentence
from cloudscan.ticketing.asking import Asking
from cloudscan.ticketing.deliver import Dispatcher, Opened
from cloudscan.ticketing.inventory import marker_of
from cloudscan.ticketing.memory import KnownTrouble, PendingComment
from cloudscan.ticketing.plan import Plan, TrackerState, plan
from cloudscan.ticketing.policy import Policy
from cloudscan.ticketing.renames import Renames
from cloudscan.ticketing.routing import Route
from cloudscan.tracker import Closing, Dropped, ExistingTicket, Listing, Ticket, TicketRecord, Wording
from cloudscan_trackers.markup import MARKDOWN
from cloudscan_trackers.wording import wording
from tests.kit.properties import examples
from tests.reports.synthetic import NOW, report

NAMES = ("accounts", "backups", "contracts")
WORDS = wording(MARKDOWN)
MAIN, SIDE = "MAIN", "SIDE"  # projects
TROUBLES = (
    "killed before", "killed after", "throttled", "throttled for long", "unheard", "lost", "refused", "denied",
    "odd answer", "odd answer to what was done", "label dropped", "text dropped",
)  # fmt: skip
HANDS = (
    "closed", "opened", "deleted", "moved", "moved away", "label taken off", "emptied", "wiped", "copied", "archived",
)  # fmt: skip


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Memory:
    """A ledger that may be lost. It keeps one ticket for each marker, and one for each key."""

    rows: dict[str, TicketRecord] = field(default_factory=dict)
    pending: dict[tuple[str, str], PendingComment] = field(default_factory=dict)
    failing: Sequence[KnownTrouble] = ()

    def tickets(self) -> Sequence[TicketRecord]:
        return list(self.rows.values())

    def save_ticket(self, record: TicketRecord) -> None:
        self.rows = {marker: kept for marker, kept in self.rows.items() if not record.key or kept.key != record.key} | {
            record.marker: record
        }

    def renames(self) -> Renames:
        return Renames()

    def pending_comments(self) -> Sequence[PendingComment]:
        return list(self.pending.values())

    def save_pending_comment(self, comment: PendingComment) -> None:
        self.pending[comment.key, comment.comment_id] = comment

    def drop_pending_comment(self, tracker: str, key: str, comment_id: str) -> None:
        self.pending.pop((key, comment_id), None)

    def troubles(self) -> Sequence[KnownTrouble]:
        return self.failing

    def keep_troubles(self, tracker: str, troubles: Sequence[KnownTrouble]) -> None:
        self.failing = troubles


@dataclass
class Sheet:
    """A ticket on the board, and what has become of it."""

    ticket: ExistingTicket
    born: datetime
    ours: bool = True
    deleted: bool = False
    recognisable: bool = True  # by us, with or without a ledger
    talk: list[str] = field(default_factory=list)

    @property
    def counts(self) -> bool:
        """Whether it is the ticket about its finding, as far as anybody can know."""
        ticket = self.ticket
        final = ticket.is_final and not ticket.open
        return self.ours and self.recognisable and not self.deleted and not ticket.moved and not final


@dataclass
class Board:
    """A tracker that does what it is asked, before or after something goes wrong, or not at all.

    It tells the person who looks after it what must never happen: `wrongs`.
    """

    now: Callable[[], datetime]
    index_lag_seconds: float = 0.0
    listing: Listing = Listing.BY_PROJECT
    sheets: dict[str, Sheet] = field(default_factory=dict)
    trouble: Iterator[str] = field(default_factory=lambda: iter(()))
    shut: frozenset[str] = frozenset()
    strangers: bool = False  # whether people cannot be looked up
    wrongs: list[str] = field(default_factory=list)

    def wording(self, project: str, /) -> Wording:
        return WORDS

    def check(self, project: str, /) -> Iterable[Sentence]:
        return ()

    def existing(self, project: str, /) -> Iterable[ExistingTicket]:
        """The index takes up a ticket only after a while. What strangers wrote is told beside ours."""
        self._before()
        if project in self.shut:
            raise AccessDenied("refused")
        since = self.now() - timedelta(seconds=self.index_lag_seconds)
        return [
            sheet.ticket
            for sheet in self.sheets.values()
            if not sheet.deleted
            and sheet.ticket.project == project
            and (not self.index_lag_seconds or sheet.born <= since)
        ]

    def get(self, key: str, /) -> ExistingTicket | None:
        self._before()
        sheet = self.sheets.get(key)
        if sheet is None or sheet.deleted:
            return None
        if sheet.ticket.project in self.shut:
            raise AccessDenied("refused")
        return sheet.ticket

    def person(self, name: str, project: str, /) -> str:
        if self.strangers:
            raise AccessDenied("refused")
        return name

    def create(self, ticket: Ticket, assignee: str, /, *, once: str) -> ExistingTicket:
        trouble, after = self._before()
        same = [key for key, sheet in self.sheets.items() if sheet.counts and marker_of(sheet.ticket) == ticket.marker]
        self.wrongs += [f"a second ticket beside {key}" for key in same]
        key = f"T-{len(self.sheets) + 1}"
        made = ExistingTicket(key=key, body=ticket.body, open=True, project=ticket.project or MAIN)
        self.sheets[key] = Sheet(_kept(made, trouble), self.now())
        after()
        return self._answer(key, trouble)

    def update(self, key: str, ticket: Ticket, /, *, once: str) -> ExistingTicket:
        trouble, after = self._before()
        written = msgspec.structs.replace(self._ours(key).ticket, body=ticket.body, labelled=True)
        self.sheets[key].ticket = _kept(written, trouble)
        after()
        return self._answer(key, trouble)

    def comments(self, key: str, /) -> Sequence[str]:
        self._before()
        return self.sheets[key].talk

    def comment(self, key: str, text: str, /, *, once: str) -> None:
        _, after = self._before()
        self._ours(key).talk.append(text)
        after()

    def close(self, key: str, closing: Closing, /, *, once: str) -> ExistingTicket:
        return self._change(key, open=False, closed_on=self.now())

    def reopen(self, key: str, /, *, once: str) -> ExistingTicket:
        return self._change(key, open=True, closed_on=None)

    def _change(self, key: str, **fields: object) -> ExistingTicket:
        trouble, after = self._before()
        sheet = self._ours(key)
        if sheet.ticket.is_final and not sheet.ticket.open:
            raise TicketRefused("it is closed for good")
        sheet.ticket = msgspec.structs.replace(sheet.ticket, **fields)
        after()
        return self._answer(key, trouble)

    def _ours(self, key: str) -> Sheet:
        """A ticket that is about to be written."""
        sheet = self.sheets[key]
        if not sheet.ours or sheet.deleted or sheet.ticket.moved:
            self.wrongs.append(f"{key} is not ours, and was written")
        return sheet

    def _answer(self, key: str, trouble: str) -> ExistingTicket:
        dropped = {"label dropped": [Dropped.LABEL], "text dropped": [Dropped.TEXT]}.get(trouble, [])
        return msgspec.structs.replace(self.sheets[key].ticket, dropped=dropped)

    def _before(self) -> tuple[str, Callable[[], None]]:
        """What goes wrong now; and what goes wrong when it is done."""
        trouble = next(self.trouble, "")
        match trouble:
            case "killed before":
                raise Killed
            case "throttled":
                raise Throttled("a pause", retry_after=2.0)
            case "throttled for long":
                raise Throttled("a long pause", retry_after=3600.0)
            case "unheard":
                raise Unreachable("nothing came through")
            case "refused":
                raise TicketRefused("refused")
            case "denied":
                raise AccessDenied("refused")
            case "odd answer":
                raise KeyError("a field")
            case "lost" | "killed after" | "odd answer to what was done":
                return trouble, lambda: self._lost(trouble)
        return trouble, lambda: None

    def _lost(self, trouble: str) -> None:
        errors = {"killed after": Killed(), "lost": Unreachable("the answer was lost")}
        raise errors.get(trouble, KeyError("a field"))

    def by_hand(self, what: str, number: int) -> None:
        """What somebody does to one of our tickets that has been there for a while."""
        ours = [key for key, sheet in self.sheets.items() if sheet.counts and sheet.born < self.now()]
        if not ours:
            return
        key = ours[number % len(ours)]
        sheet = self.sheets[key]
        match what:
            case "closed" | "opened":
                is_open = what == "opened"
                self._by_hand(sheet, open=is_open, closed_on=None if is_open else self.now())
            case "deleted":
                sheet.deleted = True
            case "moved":
                there = f"S-{len(self.sheets) + 1}"
                ticket = msgspec.structs.replace(sheet.ticket, key=there, project=SIDE)
                self.sheets[there] = replace(sheet, ticket=ticket, born=self.now(), talk=list(sheet.talk))
                self._by_hand(sheet, moved=True, moved_to=there)
            case "moved away":
                self._by_hand(sheet, moved=True)
            case "label taken off":
                self._by_hand(sheet, labelled=False)
            case "emptied":
                self._by_hand(sheet, body="Who wrote all this?")
            case "wiped":
                self._by_hand(sheet, body="Who wrote all this?", labelled=False)
            case "copied":
                copy = f"T-{len(self.sheets) + 1}"
                ticket = msgspec.structs.replace(sheet.ticket, key=copy, labelled=False)
                self.sheets[copy] = Sheet(ticket, self.now(), ours=False)
            case _:
                self._by_hand(sheet, is_final=True)

    def _by_hand(self, sheet: Sheet, **fields: object) -> None:
        sheet.ticket = msgspec.structs.replace(sheet.ticket, **fields)
        sheet.recognisable &= sheet.ticket.labelled or bool(marker_of(sheet.ticket))

    def forgotten(self) -> None:
        """The ledger is lost: without label or marker nobody knows a ticket any more."""
        for sheet in self.sheets.values():
            sheet.recognisable &= sheet.ticket.labelled and bool(marker_of(sheet.ticket))


def _kept(ticket: ExistingTicket, trouble: str) -> ExistingTicket:
    """What a service makes of what was written."""
    if trouble == "label dropped":
        return msgspec.structs.replace(ticket, labelled=False)
    if trouble == "text dropped":
        return msgspec.structs.replace(ticket, body="")
    return ticket


@dataclass(frozen=True)
class Night:
    """Which findings stand, reach further, are accepted, cannot be seen, and what goes wrong."""

    standing: frozenset[str]
    wide: frozenset[str]
    unseen: frozenset[str]
    accepted: frozenset[str]
    trouble: tuple[str, ...] = ()
    hands: tuple[tuple[str, int], ...] = ()
    shut: frozenset[str] = frozenset()
    strangers: bool = False
    ledger_lost: bool = False


some = st.frozensets(st.sampled_from(NAMES))
few = st.one_of(st.just(frozenset[str]()), some)
nights = st.builds(
    Night,
    standing=some,
    wide=some,
    unseen=few,
    accepted=few,
    trouble=st.lists(st.sampled_from([""] * len(TROUBLES) + list(TROUBLES)), max_size=16).map(tuple),
    hands=st.lists(st.tuples(st.sampled_from(HANDS), st.integers(0, 9)), max_size=2).map(tuple),
    shut=st.sampled_from([frozenset[str]()] * 4 + [frozenset({SIDE}), frozenset({MAIN, SIDE})]),
    strangers=st.booleans(),
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
WAIVER = Waiver(id=1, owner="Mika Sato", reason="Public on purpose.", given_on=NOW, until=date(2099, 1, 1))
ROUTES = [
    Route(path=FINDINGS["contracts"].verdict.subject.path or FINDINGS["contracts"].verdict.subject.name, project=SIDE),
    Route(assignee="mika@acme.example"),
]


def seen(night: Night, on: datetime) -> Report:
    """The report of a night."""
    findings = []
    for name in sorted(night.standing | night.unseen):
        verdict = FINDINGS[name].verdict
        if name in night.wide:
            verdict = msgspec.structs.replace(verdict, audience=Audience.ANYONE_DISCOVERABLE)
        finding = msgspec.structs.replace(FINDINGS[name], verdict=verdict, verified=name in night.standing)
        if name in night.accepted:
            finding = msgspec.structs.replace(finding, state=State.WAIVED, waiver=WAIVER)
        findings.append(finding)
    scan = msgspec.structs.replace(WHOLE.scan, id=f"{on:%Y%m%d}", started_on=on)
    return msgspec.structs.replace(WHOLE, scan=scan, findings=findings, coverage=COVERAGE)


class Firm:
    """Lives through nights."""

    def __init__(self, index_lag_seconds: float) -> None:
        self.today = NOW
        self.board = Board(now=lambda: self.today, index_lag_seconds=index_lag_seconds)
        self.memory = Memory()

    def live(self, night: Night, *, then_quiet: bool = True) -> Plan:
        """A run with trouble, and a quiet one; gives what would be left to do."""
        board = self.board
        self.today += timedelta(days=1)
        for what, number in night.hands:
            board.by_hand(what, number)
        if night.ledger_lost:
            self.memory = Memory()
            board.forgotten()
        self.today += timedelta(minutes=10)
        report = seen(night, self.today - timedelta(minutes=5))
        board.trouble, board.shut, board.strangers = iter(night.trouble), night.shut, night.strangers
        with suppress(Killed):
            self.hand_over(report)
        self.today += timedelta(seconds=30)
        board.trouble, board.shut, board.strangers = iter(()), frozenset(), False
        if then_quiet:
            self.hand_over(report)
        self.today += timedelta(minutes=30)
        return self.planned(report)[1]

    def hand_over(self, report: Report) -> None:
        sender, planned = self.planned(report)
        list(sender.carry_out(planned.actions))
        sender.known_troubles()

    def planned(self, report: Report) -> tuple[Dispatcher, Plan]:
        asking = Asking(tracker="board", patience=Patience(attempts=3, pause=0.0, longest=0.0), sleep=lambda _: None)
        sender = Dispatcher(
            opened={"board": Opened(tracker=self.board, asking=asking, projects=[MAIN, SIDE])},
            memory=self.memory,
            now=lambda: self.today,
        )
        inventory = sender.inventory("board", {finding.fingerprint for finding in report.findings})
        desk = TrackerState(
            wording=WORDS,
            existing=[ticket for ticket in inventory.tickets if ticket.project not in inventory.unlisted],
            unlisted=inventory.unlisted,
            unread=inventory.unread,
            index_lag_seconds=self.board.index_lag_seconds,
            project=MAIN,
        )
        planned = plan(
            report,
            {"board": desk},
            policy=Policy(min_severity=min(value.severity for value in FINDINGS.values())),
            terms=Terms(days=dict.fromkeys(Severity, 7)),
            routes=ROUTES,
            lang="en",
            remembered=self.memory.tickets(),
            now=self.today,
        )
        return sender, planned

    def open(self) -> set[str]:
        """The markers of the tickets that are open."""
        return {marker_of(sheet.ticket) for sheet in self.board.sheets.values() if sheet.counts and sheet.ticket.open}

    def doubtful(self) -> set[str]:
        """The markers that somebody else's ticket bears, or one that nobody can prove to be ours."""
        sheets = self.board.sheets.values()
        return {marker_of(one.ticket) for one in sheets if not (one.counts or one.deleted) and not one.ticket.labelled}


def markers(names: Iterable[str]) -> set[str]:
    return {FINDINGS[name].fingerprint for name in names}


@examples(60)
@given(st.lists(nights, min_size=1, max_size=6))
def test_each_finding_has_one_ticket_in_the_right_state(lived: list[Night]) -> None:
    """Never a second ticket, never a word in what is not ours; after the next quiet run all is right, and at rest."""
    firm = Firm(index_lag_seconds=0.0)

    for night in lived:
        left = firm.live(night)

        assert firm.board.wrongs == []
        assert markers(night.standing - night.accepted) <= firm.open() | firm.doubtful()
        assert firm.open() <= markers((night.standing | night.unseen) - night.accepted)
        assert left.actions == []


@examples(25)
@given(st.lists(nights.map(lambda night: replace(night, ledger_lost=False)), min_size=1, max_size=6))
def test_an_index_that_lags_behind_doubles_nothing(lived: list[Night]) -> None:
    """As long as the ledger is there: it remembers what may have been made."""
    firm = Firm(index_lag_seconds=300.0)

    for night in lived:
        firm.live(night)

        assert firm.board.wrongs == []


@examples(40)
@given(st.lists(nights, min_size=2, max_size=5))
def test_a_comment_is_written_once(lived: list[Night]) -> None:
    """Whatever answer is lost, nobody reads the same sentence of the same night twice."""
    firm = Firm(index_lag_seconds=0.0)

    for night in lived:
        firm.live(night)

    assert all(count == 1 for sheet in firm.board.sheets.values() for count in Counter(sheet.talk).values())
