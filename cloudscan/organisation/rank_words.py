"""Words in names and labels from which a rank may be guessed, for a person to confirm. Nothing is ranked by them."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from cloudscan.facts import RANKS
from cloudscan.organisation.patterns import folded
from cloudscan.sentence import Sentence, say
from cloudscan.snapshot.database import literal

_MEANINGS: Final[Mapping[str, Sentence]] = {
    "protected-numbers": say("numbers that the law protects"),
    "pay": say("pay"),
    "health": say("health"),
    "identity-papers": say("identity papers"),
    "customers": say("lists of customers"),
    "board": say("the board"),
    "acquisitions": say("acquisitions"),
    "unpublished": say("what is not published yet"),
    "cards": say("card data"),
    "incidents": say("incidents"),
    "secret": say("marked as secret"),
    "reviews": say("reviews of staff"),
    "applicants": say("applicants"),
    "contracts": say("contracts"),
    "prices": say("prices and costs"),
    "decisions": say("decisions in writing"),
    "know-how": say("know-how"),
    "accounts": say("accounts and taxes"),
    "ways-in": say("ways in"),
    "confidential": say("marked as confidential"),
}


class Topic(NamedTuple):
    """What something is about if its name has one of these words."""

    rank: int
    meaning: Sentence
    words: Sequence[str]


@cache
def topics() -> Sequence[Topic]:
    """All topics, in the order in which they are looked for."""
    return [
        Topic(RANKS[table["rank"]], _MEANINGS[name], table["words"]) for name, table in _vocabulary()["topics"].items()
    ]


@cache
def _vocabulary() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("rank_words.toml").read_text(encoding="utf-8"))


def condition(word: str, text: str) -> str:
    """The SQL that looks for a word in a folded text."""
    wanted = folded(word)
    if not wanted.isascii():
        return f"contains({text}, {literal(wanted)})"
    spaced = re.escape(wanted).replace(r"\ ", "[ _.-]?")
    pattern = f"(?:^|[^a-z]){spaced}(?:[^a-z]|$)"
    return f"regexp_matches({text}, {literal(pattern)})"


def rank_of_label(label: str) -> tuple[int, str] | None:
    """The rank that a label may mean, the highest of several, and the word that says so; None if none does."""
    called = folded(label)
    for rank, words in _vocabulary()["labels"].items():
        for word in words:
            bare = re.escape(folded(word))
            if re.search(rf"(?<![a-z]){bare}(?![a-z])" if word.isascii() else bare, called):
                return RANKS[rank], word
    return None
