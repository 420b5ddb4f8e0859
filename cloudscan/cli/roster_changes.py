"""What a roster changes against the one before it, as text and as JSON. Names of people are not printed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from cloudscan.cli.language import echo
from cloudscan.sentence import Sentence, say
from cloudscan.text import plain

if TYPE_CHECKING:
    from cloudscan.roster.changes import Changes
    from cloudscan.roster.history import Reorganisation
    from cloudscan.roster.people import KnownPerson

_MOST: Final = 50  # lines of a kind
DOUBTS: Final[Mapping[str, Sentence]] = {
    "empty": say("nobody is in it"),
    "halved": say("half of the people of the previous roster, or more, are not in it"),
    "leave-dates": say("the previous roster had leave dates, and it has none"),
    "departments": say("the previous roster had departments, and it has none"),
    "second-posts": say("the previous roster had second posts, and it has none"),
}
"""Why a roster is not one to judge people by."""


def show(changes: "Changes") -> None:
    """Print what changed: how many joined, who is no longer listed, who moved, which departments have new names."""
    if changes.previous is None:
        echo(say("No earlier roster is remembered; `cloudscan roster keep` adds one."))
        return
    echo(say(
        "Since the roster of {day}: {joined} new, {dropped} no longer listed, {moved} moved.",
        day=changes.previous, joined=len(changes.joined), dropped=len(changes.dropped), moved=_movers(changes),
    ))  # fmt: skip
    for one in changes.reorganisations:
        echo(_reorganised(one))
    moves = Counter((move.from_department, move.to_department) for _, move in changes.moves)
    for (old, new), count in sorted(moves.items(), key=lambda one: (-one[1], one[0]))[:_MOST]:
        echo(f"  {plain(old)} → {plain(new) or '?'}: {count}")
    _more(len(moves))
    for person in changes.dropped[:_MOST]:
        echo(say("  no longer listed: {person}", person=plain(_called(person))))
    _more(len(changes.dropped))


def as_json(changes: "Changes") -> dict[str, Any]:
    """The same for machines; people are called by number, or by address where they have none."""
    return {
        "previous": changes.previous,
        "joined": len(changes.joined),
        "dropped": [_called(person) for person in changes.dropped],
        "moves": [{"person": _called(person), "move": move} for person, move in changes.moves],
        "reorganisations": changes.reorganisations,
    }


def _movers(changes: "Changes") -> int:
    return len({_called(person) for person, _ in changes.moves})


def _more(count: int) -> None:
    if count > _MOST:
        echo(say("… and {count} more", count=count - _MOST))


def _called(person: "KnownPerson") -> str:
    entry = person.entry
    return entry.number or next(iter(entry.addresses), "-")


def _reorganised(one: "Reorganisation") -> Sentence:
    old, new = plain(one.department), _listed(one.into)
    if one.kind == "split":
        return say("  {old} was split into {new} ({people} people)", old=old, new=new, people=one.people)
    if one.kind == "merged":
        return say("  {old} became part of {new} ({people} people)", old=old, new=new, people=one.people)
    return say("  {old} is now called {new} ({people} people)", old=old, new=new, people=one.people)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(plain, names))
