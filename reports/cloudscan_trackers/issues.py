"""What trackers have in common: how people are named, what was kept of what was sent, how an issue is closed.

Of GitHub and GitLab also keys like ``owner/name#12``, and pages that name the next one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec

from cloudscan.errors import TicketRefused
from cloudscan.sentence import say
from cloudscan.tracker import LABEL, Dropped, ExistingTicket
from cloudscan_trackers.api import Api, Pairs

Value = TypeVar("Value")

SIGN: Final = "cloudscan:1"
"""How a marker line begins."""


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


def mapped(name: str, usernames: Mapping[str, str]) -> str:
    """The tracker's own name for a mail address, from the options; empty if they do not have it.

    Addresses know no case.
    """
    known = {address.strip().casefold(): user for address, user in usernames.items()}
    return known.get(name.strip().casefold(), "")


def closing(
    reason: Mapping[str, Value] | None, usual: Mapping[str, Value], close_fields: Mapping[str, Value]
) -> dict[str, Value]:
    """What is written to close an issue: `reason` is `close_as` for the reason, which replaces what is usual for it."""
    return {**(usual if reason is None else {}), **close_fields, **(reason or {})}


def time_of(text: object) -> datetime | None:
    """A time in ISO 8601, in UTC where it names no zone; None if it is none."""
    try:
        return in_utc(datetime.fromisoformat(str(text)))
    except ValueError:
        return None


def in_utc(moment: datetime | None) -> datetime | None:
    """A moment in an answer; without a time zone it is in UTC, as services write."""
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def is_labelled(labels: Iterable[str]) -> bool:
    """Whether our label is among an issue's."""
    return any(label.lower() == LABEL for label in labels)


def shows_marker(body: str) -> bool:
    """Whether a text has a marker line, be the label there or not."""
    return f"{SIGN} " in body


def is_kept(sent: str, kept: str) -> bool:
    """Whether a text is there as it was sent, but for line ends and blanks around it."""
    return " ".join(sent.split()) == " ".join(kept.split())


def ends_alike(sent: str, kept: str) -> bool:
    """Whether a text is there as far as its last line, the marker line: a text that is cut loses it."""
    lines = (line.strip() for line in reversed(sent.split("\n")))
    return next(filter(None, lines), "") in kept


def compared(ticket: ExistingTicket, lost: Mapping[Dropped, bool]) -> ExistingTicket:
    """A ticket, with what of it was sent and is not there."""
    return msgspec.structs.replace(ticket, dropped=[what for what, is_lost in lost.items() if is_lost])


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


def moved(key: str, to: str) -> ExistingTicket:
    """What is at the address of an issue that has another key now."""
    return ExistingTicket(key=key, body="", open=False, moved=True, moved_to=to)


def outdated_labels(existing: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """The labels of ours that no longer apply: those of another severity."""
    return [label for label in existing if label.startswith("severity-") and label not in wanted]


def pages(api: Api, path: str, where: str, query: Pairs) -> Iterator[Sequence[Any]]:
    """The pages of a list, by the Link header (RFC 8288), of which only the query counts, or X-Next-Page."""
    asked: set[Pairs] = set()
    following: Pairs | None = tuple(query)
    while following is not None and following not in asked:
        asked.add(following)
        reply = api.ask("GET", path, where, query=following)
        yield api.read(reply.content, list[Any], where)
        following = _following(reply.headers, following)


def texts(api: Api, path: str, where: str, query: Pairs) -> Iterator[str]:
    """The texts of comments, on all pages."""
    for page in pages(api, path, where, query):
        yield from (str(one.get("body") or "") for one in page if isinstance(one, dict))


def _following(headers: Mapping[str, str], query: Pairs) -> Pairs | None:
    """The query of the page after this one; None if it is the last."""
    for link in headers.get("link", "").split(","):
        address, _, parameters = link.partition(">")
        if 'rel="next"' in parameters.replace("rel=next", 'rel="next"'):
            return tuple(parse_qsl(urlsplit(address.strip().lstrip("<")).query))
    page = headers.get("x-next-page", "").strip()
    return (*((name, value) for name, value in query if name != "page"), ("page", page)) if page else None
