"""What to tell the author of a rule that decides about something it does not know."""

from collections.abc import Mapping
from typing import Final

from cloudscan.engine.forgetting import Cell, Listing, Part, Slip
from cloudscan.engine.rule_file import Rule
from cloudscan.engine.yaml_file import Problem
from cloudscan.snapshot.null_traps import trap
from cloudscan.snapshot.tables import KNOWN, Dependency, names_of

_READ_AS: Final[Mapping[str, tuple[str, ...]]] = {
    "grants": ("grants", "exposures"),
    "memberships": ("memberships", "members"),
    "activity": ("activity",),
}
_HANGS_ON: Final = ("resource_uid", "group_uid")


def described(rule: Rule, slip: Slip) -> Problem:
    """A slip as a problem of the rule file: the line of the query, what was forgotten, what to write instead."""
    names = {name for part in slip.forgotten for name in _names(part)}
    tables = {name for part in slip.forgotten if isinstance(part, Listing) for name in _READ_AS[part.table]}
    reason = trap(rule.query, names, tables, disappears=slip.after is None)
    return Problem(rule.source, rule.query_line + reason.line - 1, f"{_what(slip)}; {reason.instead}")


def _what(slip: Slip) -> str:
    parts = " and ".join(f"`{part}`" if isinstance(part, Cell) else str(part) for part in slip.forgotten)
    are = "is" if len(slip.forgotten) == 1 and isinstance(slip.forgotten[0], Cell) else "are"
    example = f"the example {slip.example.it!r}"
    before = "not in the result" if slip.before is None else str(slip.before)
    after = "no longer in the result, which counts as passed," if slip.after is None else str(slip.after)
    if slip.value is not None:
        # A value that stands in the example's place decides otherwise than not knowing it.
        return f"in {example}, what is {before} with {parts} = {slip.value!r} is {after} where {parts} {are} not known"
    return f"in {example}, what is {before} is {after} once {parts} {are} not known"


def _names(part: Part) -> tuple[str, ...]:
    """The names of columns under which a query may read what was forgotten."""
    if isinstance(part, Cell):
        return names_of(part.of)
    shown = (name for column in KNOWN[part.table] for name in names_of(Dependency(part.table, column)))
    return tuple(name for name in shown if name not in _HANGS_ON)
