"""A row of coverage in words: what was asked, why there is no answer, what to do, what may be missing without it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from cloudscan.coverage import Coverage
from cloudscan.facts import EVERYTHING, Hidden, Outcome
from cloudscan.finding import Waiver
from cloudscan.reason import Reason, advice, question, sentence
from cloudscan.report import GapStatus, Report
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts


class Standing(StrEnum):
    """How a row that is not complete is to be taken, in the order of attention. Only the first three are open gaps."""

    NEW = "new"
    KNOWN = "known"
    UNREAD = "unread"  # a gap of which no ledger knows more
    WAIVED = "waived"
    LEFT_OUT = "left_out"  # on purpose: a budget, an option
    NOT_OFFERED = "not_offered"  # does not exist here: nothing is missing
    NOT_JUDGED = "not_judged"  # is there, and cloudscan does not judge it


OPEN = (Standing.NEW, Standing.KNOWN, Standing.UNREAD)


@dataclass(frozen=True, kw_only=True)
class WordedGap:
    """One row of coverage that is not complete, in one language."""

    row: Coverage
    status: GapStatus | None  # None: no ledger knows it
    name: str  # of what the answer would have been about; empty if it has none that the report knows
    texts: Texts

    @property
    def standing(self) -> Standing:
        """How it is to be taken."""
        match self.row.outcome:
            case Outcome.SKIPPED:
                return Standing.LEFT_OUT
            case Outcome.NOT_OFFERED:
                return Standing.NOT_OFFERED
            case Outcome.NOT_JUDGED:
                return Standing.NOT_JUDGED
            case _ if self.status is None:
                return Standing.UNREAD
            case _:
                return Standing(self.status.state)

    @property
    def is_open(self) -> bool:
        """Whether it makes the scan incomplete."""
        return self.standing in OPEN

    @property
    def code(self) -> str:
        """The code of its cause; the sentence, where an older cloudscan recorded one."""
        return self.row.reason.code if isinstance(self.row.reason, Reason) else self.row.reason

    @cached_property
    def asked(self) -> str:
        """What was asked for: the question, or the table if it is not about a question."""
        if self.row.question:
            return question(self.row.question, self.texts.lang)
        return self.texts.name("table", self.row.table)

    @cached_property
    def why(self) -> str:
        """Why there is no answer, with the platform's own words; what the outcome is called, if nothing is known."""
        return sentence(self.row.reason, self.texts.lang) or self.texts.name("outcome", self.row.outcome)

    @cached_property
    def advice(self) -> str:
        """What to do next; empty where nothing can be done, or nothing is known."""
        return advice(self.row.reason, self.texts.lang)

    @property
    def hides(self) -> str:
        """What may be missing, or is not known, without the answer; empty if that is nothing."""
        words = dict.fromkeys(hidden_words(self.texts, hidden) for hidden in hidden_by(self.row))
        return phrases.sentences(words, self.texts.lang)

    @property
    def location(self) -> str:
        """What the answer would have been about, as people know it; its id where it has no name here."""
        row = self.row
        if self.name:
            return self.name
        if row.resource_uid and row.resource_uid != row.scope_uid:
            return row.resource_uid.removeprefix(f"{row.platform}:")
        return row.scope_name or row.scope_uid

    @property
    def looked_at(self) -> str:
        """How much of it was read, if somebody counted."""
        if self.row.seen is None:
            return ""
        seen = f"{self.row.seen:,}"
        if self.row.total is None:
            return self.texts.say("unseen.seen", seen=seen)
        return self.texts.say("unseen.seen_of", seen=seen, total=f"{self.row.total:,}")

    @property
    def since(self) -> datetime | None:
        """Since when it has been a gap; None if nobody knows."""
        return self.status.first_seen_on if self.status else None

    @property
    def waiver(self) -> Waiver | None:
        """The waiver in force."""
        return self.status.waiver if self.status else None


def worded_gap(row: Coverage, report: Report, texts: Texts) -> WordedGap:
    """A row of a report in words, with what the ledger knows about it."""
    return _Wording.of(report, texts).worded(row)


def worded_gaps(report: Report, texts: Texts) -> Iterable[WordedGap]:
    """All rows of a report that are not complete, in its order."""
    return (gap for gap in worded_coverage(report, texts) if gap.row.outcome is not Outcome.COMPLETE)


def worded_coverage(report: Report, texts: Texts) -> Iterable[WordedGap]:
    """All rows of a report, those too that are complete."""
    wording = _Wording.of(report, texts)
    return (wording.worded(row) for row in report.coverage)


@dataclass(frozen=True, kw_only=True)
class _Wording:
    """What a report knows about its gaps."""

    statuses: Mapping[str, GapStatus]
    names: Mapping[str, str]
    texts: Texts

    @classmethod
    def of(cls, report: Report, texts: Texts) -> "_Wording":
        """What the ledger knows, once it has another scan to compare with; names from findings and open questions."""
        verdicts = [*(finding.verdict for finding in report.findings), *report.unknowns]
        return cls(
            statuses={} if _is_first(report) else report.gaps,
            names={verdict.subject.uid: verdict.subject.name for verdict in verdicts if verdict.subject.name},
            texts=texts,
        )

    def worded(self, row: Coverage) -> WordedGap:
        """The row in words."""
        return WordedGap(
            row=row,
            status=self.statuses.get(row.gap) if row.gap else None,
            name=self.names.get(row.resource_uid or "", ""),
            texts=self.texts,
        )


def _is_first(report: Report) -> bool:
    """Whether it is of the first scan in a ledger, in which all gaps are new, and none is waived."""
    return len(report.trend) < 2 and not any(status.waiver for status in report.gaps.values())


def hidden_by(row: Coverage) -> tuple[Hidden, ...]:
    """What a row can hide. One that neither says so nor is about a question hides rows of its table."""
    if row.hides or row.question or not row.outcome.can_hide:
        return row.hides
    return (Hidden(table=row.table, below=row.resource_uid),)


def hidden_words(texts: Texts, hidden: Hidden) -> str:
    """“There may be files and folders that are not in this report.” or “Not known of users: the last activity.”"""
    if hidden.columns:
        columns = texts.say("list.comma").join(
            texts.name("column", name.removeprefix("detail.")) for name in hidden.columns
        )
        return texts.say("unseen.hides_columns", columns=columns, things=_things(texts, hidden))
    if hidden.table == EVERYTHING and not hidden.kinds:
        return texts.say("unseen.hides_anything")
    return texts.say("unseen.hides_rows", things=_things(texts, hidden))


def _things(texts: Texts, hidden: Hidden) -> str:
    if hidden.kinds:
        return texts.say("list.comma").join(texts.plural("kind", kind, 2) for kind in hidden.kinds)
    return texts.name("table", hidden.table)
