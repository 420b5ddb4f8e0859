"""The catalogues of the formats: complete, and equal in both languages."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cloudscan.errors import ConfigurationError
from cloudscan.facts import NEVER, Access, Audience, Outcome
from cloudscan.finding import Confidence, Severity, State
from cloudscan.snapshot.tables import FACTS
from cloudscan_wording.texts import LANGUAGES, load
from cloudscan_wording.worded_gap import Standing


def entries(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from entries(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)


def test_both_languages_say_the_same_things() -> None:
    """Each key stands in both catalogues and names the same fields, so that no page is half translated."""
    english, japanese = (dict(entries(load(lang).table)) for lang in ("en", "ja"))

    assert english.keys() == japanese.keys()
    fields = {key: set(re.findall(r"\{\w+\}", text)) for key, text in english.items() if not key.startswith("time.")}
    differing = {key for key, named in fields.items() if set(re.findall(r"\{\w+\}", japanese[key])) != named}
    assert {key for key in differing if not key.endswith(".one")} == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_rung_has_a_word(lang: str) -> None:
    """No ladder reaches a reader as an identifier."""
    table = load(lang).table

    assert set(Audience) <= table["audience"].keys()
    assert set(Audience) - {"nobody"} <= table["who"].keys()
    assert set(Access) <= table["access"].keys()
    assert set(Severity) <= table["severity"].keys()
    assert set(Confidence) <= table["level"].keys()
    assert set(State) <= table["state"].keys()
    assert set(Outcome) <= table["outcome"].keys()
    assert set(Standing) == table["standing"].keys()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_column_that_may_be_unknown_has_a_word(lang: str) -> None:
    """What a gap hides is said in words, whatever column it is."""
    columns = {field.name for fact in FACTS.values() for field in msgspec.structs.fields(fact)}

    assert columns - {"uid", "platform", "account"} == load(lang).table["column"].keys()


def test_japanese_texts_are_japanese() -> None:
    """A text without a Japanese character is a name, a number or a sign, never a forgotten sentence."""
    table = dict(entries(load("ja").table))

    foreign = {key for key, text in table.items() if not re.search(r"[\u3000-\u30ff\u4e00-\u9fff]", text)}

    assert foreign == {
        "checklist.move_of",
        "suite.gdrive",
        "suite.m365",
        "suite.s3",
        "finding.since_platform",
        "finding.uid",
        "list.colon",
        "list.counted",
        "list.semicolon",
        "platform.m365",
        "platform.s3",
        "reach.can",
        "terminal.title",
        "tickets.owner",
    }


def test_times_are_readable_and_say_utc() -> None:
    """A moment reads as the language writes it; the end of time is a word."""
    moment = datetime(2026, 3, 2, 4, 5, tzinfo=UTC)

    assert load("en").moment(moment) == "2 Mar 2026, 04:05 UTC"
    assert load("ja").moment(moment) == "2026年3月2日 04:05 UTC"
    assert load("en").day(NEVER) == "never"


def test_a_value_is_never_read_as_a_field() -> None:
    """Filling happens once: braces in a name stay braces."""
    assert load("en").say("page.for", organisation="{at}") == "Exposure report for {at}"


def test_what_no_catalogue_knows_is_spelt_out() -> None:
    """A third party's kind or cause shows as its own words."""
    assert load("en").name("cause", "stale-api_key") == "stale api key"


def test_an_unknown_language_is_refused() -> None:
    """The error names the languages that there are."""
    with pytest.raises(ConfigurationError, match="en, ja"):
        load("fr")
