"""What is wrong with a project, in the same words for every tracker; the options that remedy it are called alike."""

from collections.abc import Iterable, Iterator

from cloudscan.sentence import Sentence, say
from cloudscan.tracker import Tracker


def archived(project: str) -> Sentence:
    """Nothing can be written there."""
    return say("{project} is archived, so it is read-only; choose another project.", project=project)


def renamed(project: str, name: str) -> Sentence:
    """It is still found under its old name."""
    return say("{project} is called {name} now; write that as project.", project=project, name=name)


def switched_off(project: str) -> Sentence:
    """Its issues are switched off."""
    return say(
        "issues are switched off in {project}; switch them on in its settings, or choose another project.",
        project=project,
    )


def unknown_type(project: str, wanted: str, names: Iterable[str]) -> Sentence:
    """Its issues have other types."""
    return say(
        "{project} has no issue type {wanted}; write one of these as issue_type: {names}",
        project=project,
        wanted=wanted,
        names=", ".join(names) or "–",
    )


def requires(project: str, fields: Iterable[str]) -> Sentence:
    """A new issue needs more than is sent."""
    return say(
        "{project} requires fields that are not set: {fields}; write them under fields.",
        project=project,
        fields=", ".join(fields),
    )


def drops_labels(project: str, service: str, roles: str) -> Sentence:
    """The user may create issues, and not label them."""
    return say(
        "the token's user may not set labels in {project}, and {service} drops them without a word; give it one of "
        "these roles: {roles}",
        project=project,
        service=service,
        roles=roles,
    )


def lacks_fallback(tracker: Tracker, fallback: str, project: str) -> Iterator[Sentence]:
    """Whether the fallback assignee of the options cannot be assigned there."""
    if fallback and not tracker.person(fallback, project):
        yield say(
            "the fallback assignee {name} cannot be assigned in {project}; give it access, or name another.",
            name=fallback,
            project=project,
        )
