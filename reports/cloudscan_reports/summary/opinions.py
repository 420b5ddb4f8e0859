"""Second opinions in words, for the page, the workbook and the text: what the other says, what we say, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cloudscan.facts import Audience, Via
from cloudscan.reason import block, has_words
from cloudscan.second_opinion import OpinionDifference, OpinionOutcome, SecondOpinions
from cloudscan_wording.texts import Texts

_GETS_IN, _SILENT, _NOBODY, _UNREAD, _FAILED, _NONE = "gets_in", "silent", "nobody", "unread", "failed", "none"
_SAID: Final = {
    OpinionOutcome.ONLY_THERE: (_GETS_IN, _NOBODY),
    OpinionOutcome.ONLY_HERE: (_SILENT, _GETS_IN),
    OpinionOutcome.FILLS_IN: (_GETS_IN, _UNREAD),
    OpinionOutcome.EXPLAINED: (_GETS_IN, _NOBODY),
    OpinionOutcome.TOO_YOUNG: (_GETS_IN, _NOBODY),
    OpinionOutcome.SILENT: (_SILENT, _UNREAD),
    OpinionOutcome.NOT_ANALYSED: (_FAILED, _NONE),
}
"""What the other says and what we say."""
_OF_THEIR_SILENCE: Final = frozenset({"analyzer-not-ready", "access-point-of-another-account"})
"""Reasons why the other says nothing: we say that somebody gets in."""
_OF_THE_OTHER: Final = _OF_THEIR_SILENCE | {"zone-of-trust", "archived"}
_BETWEEN: Final = "-admits-"


@dataclass(frozen=True, kw_only=True)
class WordedOpinion:
    """A difference as a reader sees it."""

    difference: OpinionDifference
    outcome: str
    theirs: str  # with the reason, where one is known
    ours: str  # the same


def worded_opinions(opinions: SecondOpinions, texts: Texts) -> Sequence[WordedOpinion]:
    """All differences, in their order."""
    return [_worded(one, texts) for one in opinions.differences]


def tally(opinions: SecondOpinions, texts: Texts) -> str:
    """One sentence: how many agree, how many contradict each other, how many differ otherwise."""
    contradictions = opinions.contradictions
    return texts.say(
        "opinions.tally",
        agreements=f"{opinions.agreements:,}",
        contradictions=f"{contradictions:,}",
        others=f"{len(opinions.differences) - contradictions:,}",
    )


def _worded(one: OpinionDifference, texts: Texts) -> WordedOpinion:
    theirs, ours = _SAID[one.outcome]
    if _OF_THEIR_SILENCE & set(one.reasons):
        theirs, ours = _SILENT, _GETS_IN
    of_other = [_reason(code, texts) for code in one.reasons if code in _OF_THE_OTHER]
    of_ours = [_reason(code, texts) for code in one.reasons if code not in _OF_THE_OTHER]
    return WordedOpinion(
        difference=one,
        outcome=texts.name("opinion", one.outcome),
        theirs=texts.say("list.colon").join(_with_reasons(theirs, of_other, texts)),
        ours=texts.say("list.colon").join(_with_reasons(ours, of_ours, texts)),
    )


def _with_reasons(said: str, reasons: Sequence[str], texts: Texts) -> Iterator[str]:
    yield texts.name("opinion_says", said)
    if reasons:
        yield texts.say("list.semicolon").join(reasons)


def _reason(code: str, texts: Texts) -> str:
    if has_words("block", code, "en"):
        return block(code, texts.lang)
    via, _, audience = (part.replace("-", "_") for part in code.partition(_BETWEEN))
    if via in set(Via) and audience in {one.value for one in Audience}:
        who = texts.name("audience", audience, "s3")
        return texts.say("opinions.admits", via=texts.name("via", via), who=who)
    return texts.name("opinion_reason", code)
