"""Catalogues of controls: what an author writes, and a catalogue that passed every check.

::

    id: house-rules
    title: House rules                       # or {en: …, ja: …}
    url: https://intranet.example/rules
    controls:
      H.1:
        title: {en: Nothing is public, ja: 公開しない}
        unseen: nothing                      # the rules that are mapped to it check all of it
      H.2:
        title: {en: Partners sign first, ja: 委託は契約締結後に行う}
        unseen: {en: Signatures on paper., ja: 紙の契約書への署名。}

How far a control can be checked is not written: it follows from `unseen` and from the rules that name the control, so
that a catalogue cannot promise a check that no rule makes. A control may be its title alone. Then nobody has said what
of it remains unseen, and it never counts as checked.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from cloudscan.engine import yaml_file
from cloudscan.engine.remedies import LANGUAGES
from cloudscan.engine.rule_file import Rule, Texts
from cloudscan.engine.yaml_file import Document, Problem
from cloudscan.sentence import say

FOLDER: Final = "frameworks"
_NOTHING: Final = "nothing"
_CHOICES: Final = "unseen: nothing, or unseen: {en: …, ja: …}"


class _WrittenControl(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str | Texts
    unseen: str | Texts | None = None  # as a word, `_NOTHING`


class _FrameworkFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    title: str | Texts
    controls: Mapping[str, Any]  # a title, or a `_WrittenControl`; read one by one, so that a problem has its own line
    url: str = ""


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is asked to do."""

    titles: Texts
    line: int
    whole: bool = False  # nothing of it remains unseen, so far as there are rules for it
    unseen: Texts = {}  # what no rule can see of it, and why; empty if nothing or if nobody said


class Framework(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue of controls that rules map to."""

    id: str
    titles: Texts
    controls: Mapping[str, Control]
    source: str  # the file
    url: str = ""


def is_framework(file: Path) -> bool:
    """Whether a file in a folder of rules is a catalogue of controls."""
    return file.parent.name == FOLDER


def read(files: Iterable[Path]) -> tuple[dict[str, Framework], list[Problem]]:
    """The catalogues among `files` by id, and what keeps others from being used."""
    frameworks: dict[str, Framework] = {}
    problems: list[Problem] = []
    for file in filter(is_framework, files):
        outcome = yaml_file.read(file, _FrameworkFile)
        if isinstance(outcome, Problem):
            problems.append(outcome)
            continue
        document, written = outcome
        faults = [*_faults(document, written)]
        problems += [Problem(str(file), line, message) for line, message in faults]
        if not faults:
            frameworks[written.id] = _framework(document, written, str(file))
    return frameworks, problems


def unstated(frameworks: Iterable[Framework], rules: Iterable[Rule]) -> Iterator[Problem]:
    """The controls whose catalogue does not say what remains unseen, or says that nothing does and is wrong."""
    mapped = {reference for rule in rules for reference in rule.frameworks}
    for framework in frameworks:
        for name, control in framework.controls.items():
            if not control.whole and not control.unseen:
                message = say(
                    "{control} does not say what of it no rule can see; write {choices}",
                    control=repr(name),
                    choices=_CHOICES,
                )
                yield Problem(framework.source, control.line, message)
            elif control.whole and f"{framework.id}#{name}" not in mapped:
                message = say(
                    "no rule is mapped to {control}, so all of it is unseen; write why: {example}",
                    control=repr(name),
                    example="unseen: {en: …, ja: …}",
                )
                yield Problem(framework.source, control.line, message)


def _faults(document: Document, written: _FrameworkFile) -> Iterator[tuple[int, str]]:
    yield from _text_faults(document, "$.title", written.title)
    for name, value in written.controls.items():
        path = f"$.controls.{name}"
        control = _control(document, name, value)
        if isinstance(control, tuple):
            yield control
            continue
        yield from _text_faults(document, f"{path}.title" if isinstance(value, dict) else path, control.title)
        if isinstance(control.unseen, Mapping):
            yield from _text_faults(document, f"{path}.unseen", control.unseen)
        elif control.unseen not in (None, _NOTHING):
            message = say(
                "{word} says neither that nothing is unseen nor what is; write {choices}",
                word=repr(control.unseen),
                choices=_CHOICES,
            )
            yield document.line(f"{path}.unseen"), message


def _control(document: Document, name: str, value: Any) -> _WrittenControl | tuple[int, str]:
    if isinstance(value, str):
        return _WrittenControl(title=value)
    path = f"$.controls.{name}"
    if not isinstance(value, dict):
        return document.line(path), say(
            "{control} is neither a title nor a mapping; write {example}",
            control=repr(name),
            example="{title: …, unseen: …}",
        )
    return yaml_file.part(document, path, value, _WrittenControl)


def _text_faults(document: Document, path: str, text: str | Texts) -> Iterator[tuple[int, str]]:
    """A text of one language is a name that all readers know, and the same for all of them."""
    if isinstance(text, str):
        if not text.strip():
            yield document.line(path), say("empty; write what a reader needs here")
    elif set(text) != set(LANGUAGES) or not all(each.strip() for each in text.values()):
        yield (
            document.line(path),
            say("a text is needed in each language and no other; write {example}", example="{en: …, ja: …}"),
        )


def _framework(document: Document, written: _FrameworkFile, source: str) -> Framework:
    return Framework(
        id=written.id,
        titles=_texts(written.title),
        controls=dict(_controls(document, written)),
        source=source,
        url=written.url,
    )


def _controls(document: Document, written: _FrameworkFile) -> Iterator[tuple[str, Control]]:
    for name, value in written.controls.items():
        control = _control(document, name, value)
        if isinstance(control, _WrittenControl):
            yield (
                name,
                Control(
                    titles=_texts(control.title),
                    line=document.line(f"$.controls.{name}"),
                    whole=control.unseen == _NOTHING,
                    unseen=control.unseen if isinstance(control.unseen, Mapping) else {},
                ),
            )


def _texts(text: str | Texts) -> Texts:
    return dict.fromkeys(LANGUAGES, text) if isinstance(text, str) else text
