"""Files of permission templates, read strictly: every problem has its file and line."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cloudscan.engine.yaml_file import Document, Problem, read
from cloudscan.organisation.template import Template, TemplateFile, faults, named_twice
from cloudscan.sentence import say

_GUIDE = "docs/templates.md"


def read_templates(files: Sequence[str], platforms: Sequence[str] = ()) -> tuple[list[Template], list[Problem]]:
    """The templates of some files, in their order, and what is wrong; a file with a problem gives no templates.

    `files` may have stars. `platforms` are those that a pattern may name; empty: any.
    """
    templates: list[Template] = []
    problems: list[Problem] = []
    for name in files:
        found = sorted(_files(name))
        if not found:
            problems.append(Problem(name, 1, say("there is no such file; check the path")))
        for file in found:
            wrong = list(_read_one(file, platforms, templates))
            problems += wrong
    twice = named_twice(templates)
    problems += [
        Problem(", ".join(files), 1, say("several templates are called {name}; give each a name of its own", name=name))
        for name in sorted(twice)
    ]
    return [one for one in templates if one.name not in twice], problems


def _files(name: str) -> Iterable[Path]:
    path = Path(name)
    return Path(path.anchor).glob(str(path.relative_to(path.anchor))) if name else ()


def _read_one(file: Path, platforms: Sequence[str], into: list[Template]) -> Iterator[Problem]:
    """Add the templates of a file, or give what is wrong with it."""
    answer = read(file, TemplateFile, guide=_GUIDE)
    if isinstance(answer, Problem):
        yield answer
        return
    document, content = answer
    wrong = list(_faults(file, document, content, platforms))
    yield from wrong
    if not wrong:
        into += content.templates


def _faults(file: Path, document: Document, content: TemplateFile, platforms: Sequence[str]) -> Iterator[Problem]:
    for number, template in enumerate(content.templates):
        for way, wrong in faults(template, platforms):
            yield Problem(str(file), document.line(f"$.templates[{number}]{way}"), wrong)
