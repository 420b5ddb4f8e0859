"""Why something could not be read, in the reader's language.

Connectors say it in English, in sentences of their own that may hold what a platform said. The catalogue has those
sentences as templates; what stands in a field is looked up again, and a platform's own words stay as they are.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

import msgspec
from babel.messages.pofile import read_po

from cloudscan.report import Report

_FIELD = re.compile(r"\{([a-z]+)\}")
_LONGEST = 1_000  # characters of a reason that is looked up at all
_DEEP = 3  # sentences within sentences


class _Template(msgspec.Struct, frozen=True):
    patterns: Sequence[re.Pattern[str]]  # with as much, and with as little as possible in the first fields
    letters: int
    said: str


def worded(report: Report, lang: str) -> Report:
    """The report with the reasons of its gaps in a language, as far as the catalogue has them."""
    told = {row.reason: in_words(row.reason, lang) for row in report.coverage}
    if all(reason == said for reason, said in told.items()):
        return report
    coverage = [msgspec.structs.replace(row, reason=told[row.reason]) for row in report.coverage]
    return msgspec.structs.replace(report, coverage=coverage)


def in_words(reason: str, lang: str) -> str:
    """One reason; the English one where there is no other."""
    if len(reason) > _LONGEST:
        return reason
    return _said(reason, _templates(lang), _DEEP)[0]


def _said(reason: str, templates: Sequence[_Template], deep: int) -> tuple[str, int]:
    """The sentence by the templates that account for most of its letters, and how many; none where none does."""
    best = (reason, 0)
    if not deep:
        return best
    for template in templates:
        for found in filter(None, (pattern.fullmatch(reason) for pattern in template.patterns)):
            parts = {name: _said(value, templates, deep - 1) for name, value in found.groupdict().items()}
            letters = template.letters + sum(n for _, n in parts.values())
            if letters > best[1]:
                best = _filled(template.said, {name: said for name, (said, _) in parts.items()}), letters
    return best


def _filled(template: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda field: values[field[1]], template)


@cache
def _templates(lang: str) -> Sequence[_Template]:
    """Those that say most of their own come first: of two that account for as much, the first is taken."""
    file = resources.files("cloudscan_wording.texts").joinpath(f"reasons.{lang}.po")
    if not file.is_file():
        return ()
    with file.open("rb") as written:
        catalogue = read_po(written, locale=lang)
    found = [_template(str(message.id), str(message.string)) for message in catalogue if message.id]
    return sorted(found, key=lambda each: -each.letters)


def _template(written: str, said: str) -> _Template:
    literals = _FIELD.split(written)
    patterns = [
        "".join(f"(?P<{part}>{any_text})" if place % 2 else re.escape(part) for place, part in enumerate(literals))
        for any_text in ((".*", ".*?") if len(literals) > 3 else (".*",))
    ]
    letters = sum(map(str.isalpha, "".join(literals[::2])))
    return _Template([re.compile(pattern, re.DOTALL) for pattern in patterns], letters, said)
