"""What GitHub and GitLab have in common: issues of projects, users known by login, projects that anyone may read."""

from collections.abc import Iterable, Mapping, Sequence

from cloudscan.errors import TicketRefused


def key_of(project: str, number: int) -> str:
    """The key of an issue: ``owner/name#12``."""
    return f"{project}#{number}"


def project_of(key: str) -> str:
    """The project in an issue's key."""
    return key.partition("#")[0]


def number_of(key: str, service: str) -> int:
    """The issue's number in its key. Raises `TicketRefused`."""
    number = key.partition("#")[2]
    if not number.isdecimal():
        raise TicketRefused(f"{key!r} is not the key of an issue in {service}; it should look like owner/name#12")
    return int(number)


def login_of(name: str, usernames: Mapping[str, str]) -> str:
    """A user's login, by mail address from `usernames`; a name that is not an address is the login itself."""
    return usernames.get(name.lower(), "" if "@" in name else name)


def missing(key: str, service: str) -> TicketRefused:
    """The error for an issue that does not exist."""
    return TicketRefused(f"{service} no longer has the issue {key}")


def public(project: str, service: str, *, option: str, remedy: str) -> TicketRefused:
    """The error for a project that anyone may read. `option` is the one that allows it, `remedy` what to do."""
    return TicketRefused(
        f"{service}'s project {project} is public, and tickets name files and people; {remedy}", field=option
    )


def outdated_labels(existing: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """The labels of ours that no longer apply: those of another severity."""
    return [label for label in existing if label.startswith("severity-") and label not in wanted]
