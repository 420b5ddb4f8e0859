"""Conditions on the time: what opens later is latent, what has closed is closed."""

from cloudscan.facts import Grant
from tests.connectors.s3.buckets import (
    ANYONE,
    allow,
    bucket,
    chain,
    facts_of,
    paths,
    when,
)


def test_what_opens_on_a_future_date_is_latent() -> None:
    """Nothing has to be changed for it to become public."""
    (path,) = paths(allow(when=when("DateGreaterThan", "aws:CurrentTime", "2030-01-01T00:00:00Z")))

    assert (path.audience, path.effective) == (ANYONE, False)
    assert path.blocked_by == "s3-not-yet"


def test_a_window_that_has_closed_opens_nothing() -> None:
    """Neither does a window that closes before it opens."""
    past = {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01"}, "DateLessThan": {"aws:CurrentTime": "2021-01-01"}}
    never = {"DateGreaterThan": {"aws:CurrentTime": "2030-01-01"}, "DateLessThan": {"aws:CurrentTime": "2021-01-01"}}

    assert paths(allow(when=past)) == paths(allow(when=never)) == ()


def test_the_explanation_says_when_a_path_opens() -> None:
    """A condition that is not met yet is not reported as met."""
    opening = bucket(allow(when=when("DateGreaterThan", "aws:CurrentTime", "2030-01-01T00:00:00Z")))

    (steps,) = [chain(fact, "en") for fact in facts_of(opening) if isinstance(fact, Grant)]

    assert any("opens by itself on 2030-01-01" in step for step in steps)
    assert not any("is currently met" in step for step in steps)
