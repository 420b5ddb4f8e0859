"""The rows behind a verdict in words: heads instead of column names, ids apart, and what a policy says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from cloudscan.facts import NEVER, rank_name
from cloudscan.finding import Finding, PolicyEntry
from cloudscan.reason import block
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts

_NEVER_ACTIVE: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""What directories say of an account that was never used."""
_SWITCHES: Final = {"true": "value.on", "false": "value.off"}
_ANSWERS: Final = {"true": "value.yes", "false": "value.no"}
_RAW: Final = {"likelihood"}


@dataclass(frozen=True, kw_only=True)
class QuotedEntry:
    """A policy entry with its title."""

    title: str
    text: str
    whole: bool

    @property
    def lines(self) -> Sequence[str]:
        """The text line by line, an ellipsis where its end is left out."""
        return [*self.text.split("\n"), *(() if self.whole else ("…",))]

    @property
    def line(self) -> str:
        """The text on one line, for where there is room for one only. JSON means the same without its indents."""
        return " ".join(line.strip() for line in self.lines)


def is_raw(column: str) -> bool:
    """Whether a column is for machines: an id, or a number that only the score needs."""
    return column.endswith("_uid") or column in _RAW


def head(column: str, texts: Texts) -> str:
    """What a column contains, in words; that of a third party's rule is spelt out."""
    return texts.name("evidence", column)


def cell(column: str, value: Any, texts: Texts, platform: str = "") -> str:
    """A value of a rule's row as a reader sees it. A value of an unknown kind is shown as it is."""
    text = phrases.plain(value)
    match column:
        case "audience":
            return texts.name("audience", text, platform)
        case "access" | "via" | "joined_by" | "decided_by" | "employment" | "platform" | "rank_source" | "drift":
            return texts.name(column, text)
        case "most_access":
            return texts.name("access", text)
        case "intended_access":
            return texts.name("access", text) if text else texts.say("value.none")
        case "rank" if isinstance(value, int):
            return texts.name("rank", name) if (name := rank_name(value)) else text
        case "blocked_by":
            return block(text, texts.lang)
        case "size_bytes" if isinstance(value, int):
            return phrases.size(value)
        case "setting":
            return texts.say(_SWITCHES[text]) if text in _SWITCHES else text
        case "password" | "policy_public":
            return texts.say(_ANSWERS[text]) if text in _ANSWERS else text
        case "weak_condition" if text == "false":
            return texts.say("value.none")
        case _ if column.endswith(("_on", "_day")):
            return _day(value, texts)
        case _:
            return text


def quoted(finding: Finding, texts: Texts) -> Sequence[QuotedEntry]:
    """The policy entries behind a finding, each once."""
    entries = dict.fromkeys(piece.entry for piece in finding.verdict.evidence if piece.entry)
    return [_quoted(entry, texts) for entry in entries]


def _quoted(entry: PolicyEntry, texts: Texts) -> QuotedEntry:
    key = f"finding.entry_{'acl' if entry.kind == 'acl' else 'policy_named' if entry.name else 'policy'}"
    return QuotedEntry(title=texts.say(key, n=entry.number, name=entry.name), text=entry.text, whole=entry.whole)


def _day(value: Any, texts: Texts) -> str:
    if (day := _date(value)) is not None:
        return texts.date(day)  # one of the organisation's days: the same in all zones
    moment = value if isinstance(value, datetime) else _moment(value)
    if moment is None:
        return phrases.plain(value)
    if moment == _NEVER_ACTIVE:
        return texts.say("value.never_active")
    return texts.say("value.none") if moment >= NEVER else texts.day(moment)


def _date(value: Any) -> date | None:
    """A date that is one already, as text; None for a moment, and for what is neither."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-03-31") else None
    except ValueError:
        return None


def _moment(value: Any) -> datetime | None:
    """A moment that JSON carried as text; None for what is none."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
