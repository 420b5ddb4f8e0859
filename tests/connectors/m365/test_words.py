"""Every code, question, step and block that this connector can utter has words in every language."""

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from cloudscan.reason import has_words
from cloudscan.text.catalogue import table
from cloudscan_m365.meaning.explanations import ACTIONS, SUBJECTS
from cloudscan_m365.questions import QUESTIONS

SOURCES = Path(str(resources.files("cloudscan_m365")))
LANGUAGES = ("en", "ja")
_CODE = re.compile(r'"(graph-[a-z0-9-]+)"')
_FIELDS = re.compile(r"\{([a-z_]+)\}")
GROUPS = ("reason", "step", "block")


def codes() -> set[str]:
    """Every code that stands in the source."""
    return {code for path in SOURCES.rglob("*.py") for code in _CODE.findall(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_words(language: str) -> None:
    without = [code for code in codes() if not any(has_words(group, code, language) for group in GROUPS)]

    assert without == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_and_every_first_step_has_words(language: str) -> None:
    steps = [f"graph-{subject}-can-{action}" for subject in SUBJECTS for action in ACTIONS]

    assert [one.name for one in QUESTIONS if not has_words("question", one.name, language)] == []
    assert [step for step in steps if not has_words("step", step, language)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_block_has_a_step(language: str) -> None:
    blocks = [code for code in codes() if has_words("block", code, language)]

    assert blocks
    assert [code for code in blocks if not has_words("step", f"{code}-blocks", language)] == []


def test_translations_have_the_same_fields() -> None:
    english, japanese = (dict(messages(language)) for language in LANGUAGES)

    assert english.keys() == japanese.keys()
    assert {key for key in english if fields(english[key]) != fields(japanese[key])} == set()


def messages(language: str) -> Iterator[tuple[str, str]]:
    for group, entries in table(resources.files("cloudscan_m365.words"), language).items():
        yield from ((f"{group}.{key}", text) for key, text in entries.items())


def fields(text: str) -> set[str]:
    return set(_FIELDS.findall(text))
