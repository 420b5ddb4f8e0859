"""Learnt permission templates as the YAML that a person tightens, with the numbers behind each line as comments."""

import json
import re
from collections.abc import Iterator

from cloudscan.organisation.template_learning import Learnt, LearntLine, LearntTemplate
from cloudscan.sentence import in_language, say

_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


def as_yaml(learnt: Learnt, language: str) -> str:
    """The file. Comments are in the language, and name nobody."""
    return "\n".join((*_head(learnt, language), *_body(learnt, language))) + "\n"


def _head(learnt: Learnt, language: str) -> Iterator[str]:
    for sentence in (
        say("A draft, learnt from access as it is. Tighten it, then try it with `cloudscan templates check`."),
        say("Beside each line: how many people of the group have access, of how many."),
        say(
            "Looked at: {count}. Nobody has anything in common in {without} of them, and {unnamed} share a name with "
            "something else, so that no pattern can name them.",
            count=learnt.resources,
            without=learnt.without_lines,
            unnamed=learnt.unnamed,
        ),
        say("Grants left out because an open finding of high severity is about them: {count}.", count=learnt.refused),
    ):
        yield f"# {in_language(sentence, language)}"


def _body(learnt: Learnt, language: str) -> Iterator[str]:
    if not learnt.templates:
        yield "templates: []"
        return
    yield "templates:"
    for one in learnt.templates:
        yield from _template(one, language)


def _template(one: LearntTemplate, language: str) -> Iterator[str]:
    yield f"  - name: {_quoted(one.template.name)}"
    yield "    where:"
    yield from (f"      - {_quoted(pattern)}" for pattern in one.template.where)
    yield "    lines:" if one.lines else "    lines: []"
    yield from (f"      - {_line(line)}  # {_numbers(line, language)}" for line in one.lines)
    if one.outliers:
        counts = ", ".join(f"{kind} {count}" for kind, count in sorted(one.outliers.items()))
        yield f"    # {in_language(say('Grants that no line explains: {counts}', counts=counts), language)}"


def _line(line: LearntLine) -> str:
    written = line.line
    fields = {key: getattr(written, key) for key in ("department", "role", "partner", "who") if getattr(written, key)}
    values = [f"{key}: {_quoted(value)}" for key, value in fields.items()]
    return "{" + ", ".join([*values, f"access: {written.access}"]) + "}"


def _numbers(line: LearntLine, language: str) -> str:
    fewest, most = line.having
    having = str(most) if fewest == most else f"{fewest}-{most}"
    return in_language(say("{having} of {people} people", having=having, people=line.people), language)


def _quoted(text: str) -> str:
    """A text as YAML reads it back, whatever is in it."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
