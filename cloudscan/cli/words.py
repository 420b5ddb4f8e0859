"""Words that stand alone in tables and counts: what the core's enumerations are called at the terminal."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from cloudscan.sentence import Sentence, say

WORDS: Final[Mapping[str, Sentence]] = {
    word: word
    for word in (
        *(say("critical"), say("high"), say("medium"), say("low"), say("info")),  # severities
        *(say("flagged"), say("unknown"), say("passed")),  # judgements
        *(say("open"), say("resolved"), say("reopened"), say("waived")),  # states
        *(say("new"), say("widened"), say("known"), say("not judged"), say("judged differently")),  # changes
        *(say("rule"), say("configuration"), say("version"), say("unclear")),  # what changed a judgement
    )
}


def word_of(value: StrEnum | str) -> Sentence | str:
    """What a member of an enumeration is called; itself where there is no word for it."""
    return WORDS.get(str(value).replace("_", " "), str(value))
