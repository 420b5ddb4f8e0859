"""What GitHub and GitLab have in common: issues of projects, users known by login, projects that anyone may read."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cloudscan.errors import TicketRefused
from cloudscan.sentence import say
from cloudscan.tracker import LABEL

_MARK: Final = "cloudscan:1 "  # begins the marker line


def key_of(project: str, number: int) -> str:
    """The key of an issue: ``owner/name#12``."""
    return f"{project}#{number}"


def project_of(key: str) -> str:
    """The project in an issue's key."""
    return key.rpartition("#")[0]


def number_of(key: str, service: str) -> int:
    """The issue's number in its key. Raises `TicketRefused`."""
    number = key.rpartition("#")[2]
    if not (number.isascii() and number.isdecimal()):
        raise TicketRefused(
            say(
                "{key} is not the key of an issue in {service}, which looks like owner/name#12.",
                key=repr(key),
                service=service,
            )
        )
    return int(number)


def login_of(name: str, usernames: Mapping[str, str]) -> str:
    """A user's login, by mail address from `usernames`; a name that is not an address is the login itself.

    Addresses know no case.
    """
    known = {address.strip().lower(): login for address, login in usernames.items()}
    return known.get(name.strip().lower(), "" if "@" in name else name.strip())


def in_utc(moment: datetime | None) -> datetime | None:
    """A moment in an answer; without a time zone it is in UTC, as both services write."""
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def is_labelled(labels: Iterable[str]) -> bool:
    """Whether our label is among an issue's."""
    return any(label.lower() == LABEL for label in labels)


def shows_marker(body: str) -> bool:
    """Whether a text has a marker line, be the label there or not."""
    return _MARK in body


def is_kept(sent: str, kept: str) -> bool:
    """Whether a text is there as it was sent, but for line ends and blanks around it."""
    return " ".join(sent.split()) == " ".join(kept.split())


def dropped_fields(sent: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    """The fields of the options that an answer does not show as they were sent.

    A field may come back as the object that it names: a milestone by its number, an issue type by its name.
    """
    return [name for name, value in sent.items() if not _shows(answer, name, value)]


def _shows(answer: Mapping[str, Any], name: str, value: Any) -> bool:
    shown = answer.get(name, answer.get(name.removesuffix("_id")))
    if isinstance(shown, dict):
        return any(_plain(value) == _plain(part) for part in shown.values())
    if isinstance(value, list | dict) or isinstance(shown, list):
        return bool(shown)
    return _plain(value) == _plain(shown)


def _plain(value: Any) -> str:
    return str(value).lower()


def missing(key: str, service: str) -> TicketRefused:
    """The error for an issue that does not exist, or no longer here."""
    return TicketRefused(
        say("{service} no longer has the issue {key}; it is looked for in the next run.", service=service, key=key)
    )


def outdated_labels(existing: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """The labels of ours that no longer apply: those of another severity."""
    return [label for label in existing if label.startswith("severity-") and label not in wanted]
