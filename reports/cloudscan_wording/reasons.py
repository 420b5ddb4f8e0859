"""Why something could not be read, in the reader's language.

Connectors give reasons in English, in sentences of their own that may quote what a platform answered. The catalogue has
these sentences as templates; the value of a field is looked up again, and a platform's own text stays as it is. Where a
platform's text contains the punctuation of a template, the match is a guess: the one that accounts for most letters.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

import msgspec
from babel.messages.pofile import read_po

from cloudscan.reason import Reason, advice, sentence
from cloudscan.report import Report

_FIELD = re.compile(r"\{([a-z]+)\}")
_LONGEST = 1_000  # characters of a reason that is looked up at all
_DEPTH = 3  # sentences within sentences


class _Template(msgspec.Struct, frozen=True):
    patterns: Sequence[re.Pattern[str]]  # with as much, and with as little as possible in the first fields
    letters: int
    translation: str


def worded(report: Report, lang: str) -> Report:
    """The report with the reasons of its gaps in a language, as far as the catalogue has them."""
    coverage = [msgspec.structs.replace(row, reason=_sentence(row.reason, lang)) for row in report.coverage]
    return msgspec.structs.replace(report, coverage=coverage)


def _sentence(reason: Reason | str, lang: str) -> str:
    if isinstance(reason, str):
        return in_words(reason, lang)
    next_step = advice(reason, lang)
    end = "。" if lang == "ja" else ". "
    what = in_words(sentence(reason, lang), lang)
    return f"{what}{end}{next_step}" if next_step else what


def in_words(reason: str, lang: str) -> str:
    """One reason in a language, or unchanged if the catalogue has no translation."""
    if len(reason) > _LONGEST:
        return reason
    return _translated(reason, _templates(lang), _DEPTH)[0]


def _translated(reason: str, templates: Sequence[_Template], depth: int) -> tuple[str, int]:
    """The translation by the templates that account for most of its letters, and the number of these letters."""
    best = (reason, 0)
    if not depth:
        return best
    for template in templates:
        for match in filter(None, (pattern.fullmatch(reason) for pattern in template.patterns)):
            parts = {name: _translated(value, templates, depth - 1) for name, value in match.groupdict().items()}
            letters = template.letters + sum(n for _, n in parts.values())
            if letters > best[1]:
                best = _filled(template.translation, {name: text for name, (text, _) in parts.items()}), letters
    return best


def _filled(template: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda field: values[field[1]], template)


@cache
def _templates(lang: str) -> Sequence[_Template]:
    """Templates with the most letters of their own first: of two that account for as much, the first is taken."""
    file = resources.files("cloudscan_wording.texts").joinpath(f"reasons.{lang}.po")
    if not file.is_file():
        return ()
    with file.open("rb") as source:
        catalogue = read_po(source, locale=lang)
    templates = [_template(str(message.id), str(message.string)) for message in catalogue if message.id]
    return sorted(templates, key=lambda template: -template.letters)


def _template(english: str, translation: str) -> _Template:
    literals = _FIELD.split(english)
    patterns = [
        "".join(f"(?P<{part}>{any_text})" if n % 2 else re.escape(part) for n, part in enumerate(literals))
        for any_text in ((".*", ".*?") if len(literals) > 3 else (".*",))
    ]
    letters = sum(map(str.isalpha, "".join(literals[::2])))
    return _Template([re.compile(pattern, re.DOTALL) for pattern in patterns], letters, translation)
