"""Texts that rules share: fix steps, written once in ``remedies.yaml`` and named by id.

::

    fix:
      drive-unshare: {en: …, ja: …}            # a rule's `fix` lists such ids, in the order of work

A step that starts with a backtick is a command and the same in every language: it is written once, here or in a rule.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from cloudscan.engine import yaml_file
from cloudscan.engine.rule_file import RemediesFile, Remedy, Rule, RuleFile, Texts
from cloudscan.engine.yaml_file import Problem
from cloudscan.finding import RuleText
from cloudscan.sentence import say
from cloudscan.text import suggestion
from cloudscan.text.shell import faults

FILE: Final = "remedies.yaml"
LANGUAGES: Final = ("en", "ja")


class Remedies(msgspec.Struct, frozen=True, kw_only=True):
    """The shared texts of a set of folders, by id."""

    fix: Mapping[str, Remedy] = {}


def is_remedies(file: Path) -> bool:
    """Whether a file in a folder of rules contains shared texts."""
    return file.name == FILE


def read(files: Iterable[Path], *, ignored: Sequence[str] = ()) -> tuple[Remedies, list[Problem]]:
    """The shared texts in all ``remedies.yaml`` among `files`, and what is wrong with them.

    `ignored` are keys of earlier versions that may be there.
    """
    fix: dict[str, Remedy] = {}
    problems: list[Problem] = []
    for file in filter(is_remedies, files):
        outcome = yaml_file.read(file, RemediesFile, ignored=ignored)
        if isinstance(outcome, Problem):
            problems.append(outcome)
            continue
        document, written = outcome
        for name, text in written.fix.items():
            texts = dict.fromkeys(LANGUAGES, text) if isinstance(text, str) and _is_command(text) else text
            line = document.line(f"$.fix.{name}")
            if name in fix:
                message = f"the id {name!r} is taken by {fix[name].file}; write another id"
                problems.append(Problem(str(file), line, message))
            elif isinstance(texts, str) or not _is_complete(texts):
                message = f"{name!r} needs a text in each language; write {{en: …, ja: …}}, or a `command`"
                problems.append(Problem(str(file), line, message))
            else:
                fix[name] = Remedy(texts=texts, file=str(file), line=line)
    return Remedies(fix=fix), problems


def problems_of(rule: RuleFile, remedies: Remedies) -> Iterator[tuple[str, str]]:
    """(path, message) for what keeps a rule's steps from being written out."""
    for language, text in rule.text.items():
        path = f"$.text.{language}.fix"
        if rule.fix and text.fix:
            yield path, say("the steps are listed under the rule's `fix` too; keep one of the two")
        if not rule.fix and not text.fix.strip():
            yield path, say("empty; write what a reader needs here, or list the steps under the rule's `fix`")
    for index, step in enumerate(rule.fix):
        path = f"$.fix[{index}]"
        if not isinstance(step, str):
            if not _is_complete(step):
                yield path, say("a step needs a text in each language; write {en: …, ja: …}")
        elif not _is_command(step) and step not in remedies.fix:
            yield (
                path,
                say(
                    "there is no step {step} in {file}; {hint}",
                    step=repr(step),
                    file=FILE,
                    hint=suggestion(step, remedies.fix),
                ),
            )


def texts_of(rule: RuleFile, remedies: Remedies) -> Mapping[str, RuleText]:
    """What a rule without problems says, by language, with its steps written out one per line."""
    return {
        language: RuleText(
            title=text.title,
            message=text.message,
            why=text.why,
            fix=text.fix or "".join(f"{_step(step, language, remedies).strip()}\n" for step in rule.fix),
        )
        for language, text in rule.text.items()
    }


def used_by(rule: RuleFile, remedies: Remedies) -> Sequence[Remedy]:
    """The shared texts in a rule without problems, in its order."""
    return [remedies.fix[step] for step in rule.fix if isinstance(step, str) and not _is_command(step)]


def unused(remedies: Remedies, rules: Iterable[Rule]) -> Iterator[Problem]:
    """The shared texts that none of the rules names."""
    used = {(remedy.file, remedy.line) for rule in rules for remedy in rule.remedies}
    for name, remedy in remedies.fix.items():
        if (remedy.file, remedy.line) not in used:
            yield Problem(
                remedy.file, remedy.line, say("no rule uses {name}; name it in a rule, or drop it", name=repr(name))
            )


def faults_of_commands(rules: Iterable[Rule]) -> Iterator[Problem]:
    """What keeps the commands in fixes from being copied as they are; see `cloudscan.text.shell`."""
    for rule in rules:
        for command in dict.fromkeys(_commands_in("\n".join(text.fix for text in rule.text.values()))):
            file, line = _where(command, rule)
            yield from (Problem(file, line, fault) for fault in faults(command))


def _where(command: str, rule: Rule) -> tuple[str, int]:
    """The file and line of a command: in a step that the rule shares, or in the rule itself."""
    for remedy in rule.remedies:
        if any(command in text for text in remedy.texts.values()):
            return remedy.file, remedy.line
    lines = Path(rule.source).read_text("utf-8").splitlines()
    return rule.source, next((number for number, line in enumerate(lines, 1) if command in line), 1)


def _step(step: str | Texts, language: str, remedies: Remedies) -> str:
    if not isinstance(step, str):
        return step[language]
    return step if _is_command(step) else remedies.fix[step].texts[language]


def _is_command(step: str) -> bool:
    return step.startswith("`")


def _commands_in(fix: str) -> Iterator[str]:
    """The commands among the lines of a step or of a whole `fix`: each stands alone in its line, between backticks."""
    for line in map(str.strip, fix.splitlines()):
        if len(line) > 2 and _is_command(line) and line.endswith("`") and "`" not in line[1:-1]:
            yield line[1:-1]


def _is_complete(texts: Texts) -> bool:
    return set(texts) == set(LANGUAGES) and all(text.strip() for text in texts.values())
