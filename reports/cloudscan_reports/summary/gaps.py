"""What could not be seen: gaps grouped by what was asked and why there was no answer, and the rules left undecided."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cloudscan.finding import Verdict, Waiver
from cloudscan.report import Report, RuleSummary
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts
from cloudscan_wording.worded_gap import OPEN, Standing, WordedGap, hidden_by, worded_gaps

_APART = (Standing.LEFT_OUT, Standing.NOT_OFFERED)  # doors that are not judged stand on their own


@dataclass(frozen=True)
class GapGroup:
    """Gaps with the same question, the same cause and the same standing, the new ones first. Never empty."""

    gaps: Sequence[WordedGap]

    @property
    def example(self) -> WordedGap:
        """One of them, for what they have in common."""
        return self.gaps[0]

    @property
    def new(self) -> int:
        """How many of them are new."""
        return sum(gap.standing is Standing.NEW for gap in self.gaps)

    @property
    def standing(self) -> Standing:
        """New if one of them is."""
        return self.example.standing

    @property
    def since(self) -> datetime | None:
        """Since when the oldest has been a gap; None if nobody knows."""
        return min((gap.since for gap in self.gaps if gap.since), default=None)

    @cached_property
    def whys(self) -> Sequence[str]:
        """The reasons, each once: the cause is the same, the names in it may differ."""
        return list(dict.fromkeys(gap.why for gap in self.gaps))

    @cached_property
    def advice(self) -> Sequence[str]:
        """What to do, each sentence once."""
        return list(dict.fromkeys(gap.advice for gap in self.gaps if gap.advice))

    @cached_property
    def needs(self) -> Sequence[str]:
        """The permissions that would help, as the platform spells them."""
        return list(dict.fromkeys(gap.row.needs for gap in self.gaps if gap.row.needs))

    @cached_property
    def hides(self) -> Sequence[str]:
        """What may be missing or is not known, each sentence once."""
        return list(dict.fromkeys(gap.hides for gap in self.gaps if gap.hides))

    @cached_property
    def accounts(self) -> Sequence[str]:
        """The accounts that they are in."""
        return list(dict.fromkeys(gap.row.account for gap in self.gaps if gap.row.account))

    @cached_property
    def waivers(self) -> Sequence[Waiver]:
        """The waivers in force, each once."""
        return list({gap.waiver.id: gap.waiver for gap in self.gaps if gap.waiver}.values())


@dataclass(frozen=True, kw_only=True)
class UnknownRule:
    """A rule that could not be evaluated everywhere: on which subjects, and because of which gaps, as far as known."""

    rule: RuleSummary
    verdicts: Sequence[Verdict]
    gaps: Sequence[GapGroup]


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """What could not be seen, in one language."""

    gaps: Sequence[GapGroup]  # those that make the scan incomplete
    waived: Sequence[GapGroup]
    not_judged: Sequence[GapGroup]  # doors that are there, and that cloudscan does not judge
    apart: Sequence[GapGroup]  # left out on purpose, or not offered here
    unknown_rules: Sequence[UnknownRule]
    permissions: Sequence[tuple[str, int]]  # that the scan lacked, and how many gaps each would close

    @property
    def count(self) -> int:
        """How many gaps make the scan incomplete."""
        return _number(self.gaps)

    @property
    def new(self) -> int:
        """How many of these are new."""
        return sum(group.new for group in self.gaps)

    @property
    def waived_count(self) -> int:
        """How many gaps are waived."""
        return _number(self.waived)

    @property
    def not_judged_count(self) -> int:
        """How many things were found that cloudscan does not judge."""
        return _number(self.not_judged)

    @property
    def nothing(self) -> bool:
        """Whether all was seen and decided, but for what was waived, left out or is not offered."""
        return not self.gaps and not self.unknown_rules


def unseen(report: Report, texts: Texts) -> Unseen:
    """What a report could not see."""
    gaps = list(worded_gaps(report, texts))
    groups = grouped(gap for gap in gaps if gap.is_open)
    return Unseen(
        gaps=groups,
        waived=grouped(gap for gap in gaps if gap.standing is Standing.WAIVED),
        not_judged=grouped(gap for gap in gaps if gap.standing is Standing.NOT_JUDGED),
        apart=grouped(gap for gap in gaps if gap.standing in _APART),
        unknown_rules=_unknown_rules(report, gaps),
        permissions=Counter(gap.row.needs for gap in gaps if gap.is_open and gap.row.needs).most_common(),
    )


def grouped(gaps: Iterable[WordedGap]) -> Sequence[GapGroup]:
    """The gaps by question and cause: groups with new gaps first, then the largest."""
    groups: dict[tuple[str, ...], list[WordedGap]] = defaultdict(list)
    for gap in gaps:
        row = gap.row
        common = "open" if gap.standing in OPEN else gap.standing
        groups[row.platform, row.question or row.table, gap.code, row.outcome, common].append(gap)
    order = list(Standing)
    made = [GapGroup(sorted(each, key=lambda gap: order.index(gap.standing))) for each in groups.values()]
    return sorted(made, key=lambda group: (not group.new, -len(group.gaps)))


def asked_of(group: GapGroup, texts: Texts) -> str:
    """What was asked, and whether there is a new gap in the group, for formats that have no room for a mark."""
    asked = group.example.asked
    return texts.say("unseen.new_question", question=asked) if group.new else asked


def nothing_missing(not_seen: Unseen, texts: Texts) -> str:
    """What to say of a report without open gaps and undecided cases: what is waived, and what is not judged."""
    nothing = texts.say("unseen.none_but_waived" if not_seen.waived else "unseen.none")
    return phrases.sentences([nothing, *not_judged(not_seen, texts)], texts.lang)


def tally(not_seen: Unseen, texts: Texts) -> str:
    """How many gaps there are, and how many of them are new or waived, in a sentence each."""
    further = (("unseen.gaps_new", not_seen.new), ("unseen.gaps_waived", not_seen.waived_count))
    sentences = [texts.count("unseen.gaps", not_seen.count), *(texts.count(key, n) for key, n in further if n)]
    return phrases.sentences(sentences, texts.lang)


def not_judged(not_seen: Unseen, texts: Texts) -> Sequence[str]:
    """How much was found that cloudscan does not judge, in a sentence; none if there is nothing."""
    return [texts.count("unseen.not_judged_count", n)] if (n := not_seen.not_judged_count) else []


def _number(groups: Iterable[GapGroup]) -> int:
    return sum(len(group.gaps) for group in groups)


def _unknown_rules(report: Report, gaps: Sequence[WordedGap]) -> Sequence[UnknownRule]:
    """The rules that could not be evaluated, the most frequent first."""
    by_rule: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in report.unknowns:
        by_rule[verdict.rule_id].append(verdict)
    rules = {rule.id: rule for rule in report.rules}
    causes = _Causes.of(gaps)
    unknown = [
        UnknownRule(rule=rules[rule_id], verdicts=verdicts, gaps=grouped(causes.behind(verdicts)))
        for rule_id, verdicts in by_rule.items()
        if rule_id in rules
    ]
    return sorted(unknown, key=lambda rule: -len(rule.verdicts))


@dataclass(frozen=True)
class _Causes:
    """Gaps by what they leave unknown: a thing by its id, or a column of everything in an account."""

    by_uid: Mapping[str, Sequence[int]]
    by_column: Mapping[tuple[str, str, str], Sequence[int]]  # platform, account, column
    gaps: Sequence[WordedGap]

    @classmethod
    def of(cls, gaps: Sequence[WordedGap]) -> "_Causes":
        """The causes among the gaps. What is not offered leaves nothing unknown."""
        by_uid: dict[str, list[int]] = defaultdict(list)
        by_column: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for index, gap in enumerate(gaps):
            row = gap.row
            for hidden in hidden_by(row):
                below = hidden.below or row.resource_uid
                if below:
                    by_uid[below].append(index)
                for column in () if below else hidden.columns:
                    by_column[row.platform, row.account, column].append(index)
        return cls(by_uid, by_column, gaps)

    def behind(self, verdicts: Sequence[Verdict]) -> Sequence[WordedGap]:
        """The gaps that have to do with the verdicts, as far as their evidence shows it."""
        numbers = {number for verdict in verdicts for number in self._numbers(verdict)}
        return [self.gaps[number] for number in sorted(numbers)]

    def _numbers(self, verdict: Verdict) -> Iterable[int]:
        subject = verdict.subject
        for uid in {subject.uid, *subject.inside, *verdict.identity, *_cited(verdict)}:
            yield from self.by_uid.get(uid, ())
        for column in _unread(verdict):
            for account in (subject.account, ""):
                yield from self.by_column.get((subject.platform, account, column), ())


def _cited(verdict: Verdict) -> Iterable[str]:
    """The resources and principals that a verdict's evidence names."""
    for evidence in verdict.evidence:
        yield from (str(value) for name, value in evidence.row.items() if name.endswith("uid") and value)


def _unread(verdict: Verdict) -> set[str]:
    """The columns of the evidence that have no value."""
    return {name for evidence in verdict.evidence for name, value in evidence.row.items() if value is None}
