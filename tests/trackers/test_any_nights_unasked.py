"""Any nights with any trouble at a receiver that cannot be asked: in the end it knows what is so."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.tracker import Closing, ExistingTicket, Listing, Ticket
from tests.kit.properties import examples
from tests.trackers.test_any_nights import Board, Firm, Night, Sheet, markers, nights


@dataclass
class Receiver(Board):
    """Does each change once, and nothing about a ticket that it does not know (docs/tickets.md, "Webhook")."""

    listing: Listing = Listing.NONE
    ids: set[str] = field(default_factory=set)

    def create(self, ticket: Ticket, assignee: str, /, *, once: str) -> ExistingTicket:
        sheet = Sheet(ExistingTicket(key=ticket.marker, marker=ticket.marker, body=ticket.body, open=True), self.now())
        self._take("create", once, lambda: self.sheets.setdefault(ticket.marker, sheet))
        return ExistingTicket(key=ticket.marker, marker=ticket.marker, body=ticket.body, open=True)

    def update(self, key: str, ticket: Ticket, /, *, once: str) -> ExistingTicket:
        self._take("update", once, lambda: self._write(key, body=ticket.body))
        return ExistingTicket(key=key, marker=ticket.marker, body=ticket.body, open=True)

    def comments(self, key: str, /) -> Sequence[str]:
        return ()

    def comment(self, key: str, text: str, /, *, once: str) -> None:
        self._take("comment", once, lambda: self.sheets[key].talk.append(text) if key in self.sheets else None)

    def close(self, key: str, closing: Closing, /, *, once: str) -> ExistingTicket:
        self._take("close", once, lambda: self._write(key, open=False))
        return ExistingTicket(key=key, marker=key, body="", open=False)

    def reopen(self, key: str, /, *, once: str) -> ExistingTicket:
        self._take("reopen", once, lambda: self._write(key, open=True))
        return ExistingTicket(key=key, marker=key, body="", open=True)

    def wide(self) -> set[str]:
        """The tickets that are open and say that everybody can find it."""
        tickets = [sheet.ticket for sheet in self.sheets.values() if sheet.ticket.open]
        return {ticket.marker for ticket in tickets if "audience=anyone-discoverable" in ticket.body}

    def _take(self, event: str, once: str, do: object) -> None:
        _, after = self._before()
        if f"{event}-{once}" not in self.ids:
            self.ids.add(f"{event}-{once}")
            assert callable(do)
            do()
        after()

    def _write(self, key: str, **fields: object) -> None:
        if key in self.sheets:
            self.sheets[key].ticket = msgspec.structs.replace(self.sheets[key].ticket, **fields)


def receiver_of(firm: Firm) -> Receiver:
    firm.board = Receiver(now=lambda: firm.today)
    return firm.board


dead = st.sampled_from([("lost",) * 40, ("unheard",) * 40, ("lost",) * 3, ("unheard", "unheard", "lost")])
unasked = st.builds(
    lambda night, trouble: replace(
        night, trouble=trouble or night.trouble, hands=(), shut=frozenset(), ledger_lost=False
    ),
    nights.map(lambda night: replace(night, unseen=frozenset())),
    st.one_of(st.just(()), dead),
)


@examples(60)
@given(st.lists(unasked, min_size=1, max_size=6), st.integers(0, 3))
def test_a_receiver_knows_in_the_end_what_is_so(lived: list[Night], quiet: int) -> None:
    """Several nights of trouble, and then one on which every answer arrives."""
    firm = Firm(index_lag_seconds=0.0)
    receiver = receiver_of(firm)

    for number, night in enumerate(lived):
        is_quiet = number % 4 >= quiet or number == len(lived) - 1
        left = firm.live(night, then_quiet=is_quiet)

        if is_quiet:
            assert markers(night.standing - night.accepted) <= firm.open()
            assert firm.open() <= markers((night.standing | night.unseen) - night.accepted)
            assert left.actions == []
            assert receiver.wide() == markers((night.standing & night.wide) - night.accepted)
    assert all(count == 1 for sheet in receiver.sheets.values() for count in Counter(sheet.talk).values())
