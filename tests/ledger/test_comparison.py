"""Better or worse: what today is compared with."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from cloudscan.facts import Outcome
from cloudscan.finding import Severity
from cloudscan.ledger import comparison
from cloudscan.ledger.comparison import Turns, with_turns
from cloudscan.report import ChangedBy, Comparison, EventKind, PlatformFigures, Scan, ScanFigures, WhyIncomparable
from tests.ledger.conftest import Nights

START = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)


def scan(
    day: float, score: float | Mapping[str, float], *, resources: int = 100, missing: int = 0, counted: bool = True
) -> Scan:
    """A scan of ten scopes; the score is S3's, or by platform."""
    scores = score if isinstance(score, Mapping) else {"s3": score}
    figures = ScanFigures(
        findings=dict.fromkeys(Severity, 0),
        waived=0,
        unknown=0,
        score=sum(scores.values()),
        exposure={},
        scopes={Outcome.COMPLETE: 10 - missing, Outcome.FAILED: missing},
        resources=resources,
        by_platform={
            name: PlatformFigures(findings=dict.fromkeys(Severity, 0), fixes=1, score=value)
            for name, value in scores.items()
        }
        if counted
        else None,
    )
    return Scan(id=f"scan-{day}", started_on=START + timedelta(days=day), complete=not missing, figures=figures)


def course(compared: Comparison) -> tuple[int, float, float]:
    return compared.asked_days, compared.score_before, compared.score_now


def test_a_year_of_decay_is_not_outshone_by_a_good_first_month() -> None:
    """300 on the first night, 100 after a month, then one more each day: worse, whichever way it is asked."""
    good = [scan(day, 300 - day * 200 / 30) for day in range(30)]
    decay = [scan(day, 100 + day - 30) for day in range(30, 395)]

    compared = comparison.chosen([*good, *decay])

    assert [course(one) for one in compared] == [(30, 434, 464), (90, 374, 464)]


def test_nights_on_which_nothing_was_read_are_no_zero() -> None:
    """A selection that matched nothing, a platform that came later, and then the whole estate."""
    blind = [scan(day, {}, resources=0) for day in range(4)]
    seen = [scan(day, 94) for day in (4, 5)]

    (compared,) = comparison.chosen([*blind, *seen, scan(6, {"s3": 94, "gdrive": 3173})])

    assert course(compared) == (0, 94, 94)
    assert (compared.old.id, compared.platforms, compared.added) == ("scan-4", ["s3"], ["gdrive"])


def test_a_real_zero_can_be_compared() -> None:
    (compared,) = comparison.chosen([scan(0, 0), scan(9, 94)])

    assert compared.why_not is None
    assert course(compared) == (0, 0, 94)


@pytest.mark.parametrize(("old", "why"), [
    (scan(0, {}, resources=0), WhyIncomparable.NOTHING_READ),
    (scan(0, 94, missing=3), WhyIncomparable.PARTLY_READ),
    (scan(0, 94, counted=False), WhyIncomparable.NOT_COUNTED),
    (scan(0, {"m365": 94}), WhyIncomparable.OTHER_PLATFORMS),
])  # fmt: skip
def test_what_cannot_be_compared_says_why(old: Scan, why: WhyIncomparable) -> None:
    for ago in (9, 30, 90):
        (compared,) = comparison.chosen([old, scan(ago, 94)])

        assert (compared.old, compared.why_not, compared.score_before) == (old, why, 0)


def test_the_nearest_night_that_was_read_well_enough_is_taken() -> None:
    """The one of exactly thirty days ago is half missing; a gap in two of ten scopes is none."""
    compared = comparison.chosen([scan(0, 50), scan(28, 60, missing=2), scan(30, 10, missing=5), scan(60, 70)])

    assert course(compared[0]) == (30, 60, 70)
    assert compared[0].days == 32


def test_only_what_the_estate_changed_counts() -> None:
    (compared,) = comparison.chosen([scan(0, 50), scan(14, {"s3": 60, "gdrive": 9})])
    turns = [
        Turns(EventKind.OPENED, "s3", ChangedBy.ESTATE, 9),
        Turns(EventKind.REOPENED, "s3", ChangedBy.ESTATE, 2),
        Turns(EventKind.RESOLVED, "s3", ChangedBy.ESTATE, 3),
        Turns(EventKind.OPENED, "s3", ChangedBy.RULE, 40),
        Turns(EventKind.OPENED, "s3", ChangedBy.UNCLEAR, 1),
        Turns(EventKind.OPENED, "gdrive", ChangedBy.ESTATE, 500),
    ]

    told = with_turns(compared, turns)

    assert (told.new, told.reopened, told.resolved, told.rejudged) == (9, 2, 3, 41)
    assert told.net_per_week == 4


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_ledger_tells_what_came_and_went_in_a_month(nights: Nights) -> None:
    """A night without documents, then a good one, then three open documents, of which one is closed again."""
    nights.scan(on=START)
    nights.scan(plan="everybody", on=START + timedelta(days=1))
    nights.scan(plan="me", a="everybody", b="everybody", c="everybody", on=START + timedelta(days=20))
    report = nights.scan(plan="me", a="me", b="everybody", c="everybody", on=START + timedelta(days=36))

    (compared,) = report.comparisons

    assert (compared.asked_days, compared.old.started_on) == (30, START + timedelta(days=1))
    assert (compared.new, compared.resolved, compared.net_per_week) == (3, 2, 0.2)
    assert 0 < compared.score_before < compared.score_now
