"""Which transition of a Jira workflow closes or reopens an issue, and what its screen has to be filled with.

Statuses, transitions and resolutions have the names that a project gives them: what counts is the category of the
status that a transition leads to, and the names that are common in English and Japanese.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from cloudscan.errors import TicketRefused
from cloudscan.sentence import say
from cloudscan.tracker import Closing, ClosingReason
from cloudscan_trackers.jira_api import Status

_FIXED: Final = ("Fixed", "Done", "Resolved", "Completed", "修正済み", "修正", "完了", "解決済み", "解決", "対応済み")
_DECLINED: Final = (
    "Won't Do", "Won't Fix", "Accepted", "Risk Accepted", "Declined", "Rejected",
    "対応しない", "対応せず", "対応不要", "修正しない", "実施しない", "受容", "却下",
)  # fmt: skip
_DUPLICATE: Final = ("Duplicate", "Duplicated", "重複")
_INVALID: Final = (
    "Invalid", "Not a Bug", "Obsolete", "Cannot Reproduce", "無効", "対象外", "再現できない", "再現不可", "再現せず",
)  # fmt: skip
_NAMES: Final[Mapping[ClosingReason, Sequence[str]]] = {
    ClosingReason.FIXED: _FIXED,
    ClosingReason.GONE: _FIXED,
    ClosingReason.WAIVED: _DECLINED,
    ClosingReason.DUPLICATE: _DUPLICATE,
    ClosingReason.MERGED: _DUPLICATE,
    ClosingReason.WITHDRAWN: (*_INVALID, *_DECLINED),
    ClosingReason.REJUDGED: (*_INVALID, *_DECLINED),
}
"""What resolutions, statuses and transitions are called that fit a reason, the best first."""
_REOPENING: Final = ("Reopen", "Reopened", "Reopen Issue", "To Do", "Open", "再オープン", "再開", "未着手", "未対応")
_COMMENT: Final = "comment"
_RESOLUTION: Final = "resolution"
_MOST_VALUES: Final = 12


class _Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Part of an answer."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """One of the values that a field may have. An option of a custom field has a `value` in place of a name."""

    id: str
    name: str
    value: str

    @property
    def shown(self) -> str:
        """What people call it."""
        return self.name or self.value

    @property
    def sent(self) -> Mapping[str, str]:
        """How it is written into an issue."""
        return {"id": self.id} if self.id else {"name": self.name} if self.name else {"value": self.value}


class ScreenField(_Record, frozen=True, kw_only=True):
    """A field on a screen, of a transition or of a new issue."""

    name: str = ""
    required: bool = False
    has_default_value: bool = False
    allowed_values: Sequence[Any] | None = None

    @property
    def values(self) -> Sequence[Value]:
        """The values that it may have, where they can be counted."""
        told = [one for one in self.allowed_values or () if isinstance(one, dict)]
        return [Value(**{name: str(one.get(name) or "") for name in ("id", "name", "value")}) for one in told]

    def one_of(self, names: Iterable[str]) -> Value | None:
        """The allowed value that is called so, by the first of the names that fits one."""
        allowed = {plain(value.shown): value for value in reversed(self.values)}
        return next((allowed[plain(name)] for name in names if plain(name) in allowed), None)


class Transition(_Record, frozen=True, kw_only=True):
    """A way from one status to another. `fields` are those of its screen, None if Jira does not tell them."""

    id: str | int
    to: Status
    name: str = ""
    is_available: bool = True
    fields: Mapping[str, ScreenField] | None = None


class Transitions(_Record, frozen=True, kw_only=True):
    """The transitions that the user may choose from now ("Get transitions")."""

    transitions: Sequence[Transition]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is to happen to an issue, and what the options say about it."""

    key: str
    closing: Closing | None  # None: it is to be reopened
    transition: str = ""  # its name; empty: any that fits
    fields: Mapping[str, Any] = {}
    transition_option: str = ""  # where to configure these two
    fields_option: str = ""

    @property
    def opens(self) -> bool:
        """Whether the issue is to be open afterwards."""
        return self.closing is None


def chosen(transitions: Sequence[Transition], change: Change) -> Transition:
    """The transition to use: the named one, or the one that fits best.

    Raises `TicketRefused` with what is on offer if there is none.
    """
    offered = [one for one in transitions if one.is_available]
    named = [one for one in offered if not change.transition or plain(one.name) == plain(change.transition)]
    suitable = [one for one in named if one.to.is_done is not change.opens]
    if suitable:
        return min(suitable, key=lambda one: (bool(_missing(one, change)), _rank(one, change)))
    raise _unsuitable(offered, named, change)


def filled(transition: Transition, change: Change) -> dict[str, Any]:
    """What to send for a transition: the options' fields, and a resolution that fits the reason.

    Raises `TicketRefused` for a required field that nobody gave.
    """
    if missing := _missing(transition, change):
        raise _lacking(transition, missing, change)
    fields = _fields(transition, change)
    content: dict[str, Any] = {"transition": {"id": str(transition.id)}}
    if fields:
        content["fields"] = fields
    comment = (transition.fields or {}).get(_COMMENT)
    if comment and comment.required and change.closing and change.closing.note:
        content["update"] = {_COMMENT: [{"add": {"body": change.closing.note}}]}
    return content


def resolution_of(screen: ScreenField, reason: ClosingReason) -> Value | None:
    """The allowed resolution that fits a reason; the only one if there is no choice."""
    if found := screen.one_of(_NAMES[reason]):
        return found
    return screen.values[0] if screen.required and len(screen.values) == 1 else None


def plain(name: str) -> str:
    """A name as it is compared: in any case, with any apostrophe, spaces or not."""
    return "".join(name.casefold().replace("’", "'").split())


def _fields(transition: Transition, change: Change) -> dict[str, Any]:
    """The fields to send. The resolution of a reopened issue is cleared where the screen has it."""
    fields = dict(change.fields)
    screen = (transition.fields or {}).get(_RESOLUTION)
    if screen is None or _RESOLUTION in fields:
        return fields
    if change.closing is None:
        return fields if screen.required else {**fields, _RESOLUTION: None}
    value = resolution_of(screen, change.closing.reason)
    return {**fields, _RESOLUTION: value.sent} if value else fields


def _missing(transition: Transition, change: Change) -> Mapping[str, ScreenField]:
    """The required fields that neither the options nor Jira itself fill in."""
    given = _fields(transition, change)
    note = change.closing.note if change.closing else ""
    return {
        name: one
        for name, one in (transition.fields or {}).items()
        if one.required and not one.has_default_value and given.get(name) is None and not (name == _COMMENT and note)
    }


def _rank(transition: Transition, change: Change) -> int:
    """How well a transition fits, by its name and its status: 0 is best. It keeps the reason apart from the others."""
    names = {plain(transition.name), plain(transition.to.name)}
    if change.closing is None:
        return 0 if names & _all([_REOPENING]) else 1
    own = _NAMES[change.closing.reason]
    if names & _all([own]):
        return 0
    return 2 if names & _all(_NAMES.values()) else 1


def _all(names: Iterable[Sequence[str]]) -> frozenset[str]:
    return frozenset(plain(name) for several in names for name in several)


def _unsuitable(offered: Sequence[Transition], named: Sequence[Transition], change: Change) -> TicketRefused:
    names = ", ".join(f"{one.name} → {one.to.name}" for one in offered)
    option = change.transition_option
    if not offered:
        return TicketRefused(
            say(
                "Jira offers no transition for {key}; give the user the permission Transition Issues, and check the "
                "conditions of the workflow.",
                key=change.key,
            ),
            field=option,
        )
    if change.transition and not named:
        message = say(
            "Jira offers no transition “{wanted}” for {key}; name another one as {option}: {names}",
            wanted=change.transition,
            key=change.key,
            option=option,
            names=names,
        )
    elif change.opens:
        message = say(
            "Jira offers no transition that leads {key} out of the category “done”; name one that does as "
            "{option}: {names}",
            key=change.key,
            option=option,
            names=names,
        )
    else:
        message = say(
            "Jira offers no transition that leads {key} to a status of the category “done”; name one that does as "
            "{option}: {names}",
            key=change.key,
            option=option,
            names=names,
        )
    return TicketRefused(message, field=option)


def _lacking(transition: Transition, missing: Mapping[str, ScreenField], change: Change) -> TicketRefused:
    name, screen = next(iter(missing.items()))
    return TicketRefused(
        say(
            "The transition “{transition}” of {key} requires {fields}; give each in {option}, such as {example}.",
            transition=transition.name,
            key=change.key,
            fields=", ".join(shown(name, screen) for name, screen in missing.items()),
            option=change.fields_option,
            example=example(name, screen),
        ),
        field=name,
    )


def shown(field: str, screen: ScreenField) -> str:
    """A field, and what is allowed in it."""
    values = [value.shown for value in screen.values if value.shown]
    more = ", …" if len(values) > _MOST_VALUES else ""
    allowed = f": {', '.join(values[:_MOST_VALUES])}{more}" if values else ""
    return f"{screen.name or field} ({field}{allowed})"


def example(field: str, screen: ScreenField) -> str:
    """How a field is given in cloudscan.toml."""
    value = next(iter(screen.values), None)
    if value is None:
        return f'{field} = "…"'
    return f'{field} = {{ {"name" if value.name else "value"} = "{value.shown}" }}'
