"""The score: never falls when things get worse, and stays on its scale."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cloudscan.facts import Access, Audience
from cloudscan.finding import Severity
from cloudscan.ledger.score import impact, score

REACH = st.fixed_dictionaries(
    {
        "severity": st.sampled_from(list(Severity)),
        "audience": st.none() | st.sampled_from(list(Audience)),
        "access": st.none() | st.sampled_from(list(Access)),
        "resources": st.integers(0, 10**9),
        "size_bytes": st.none() | st.integers(0, 10**16),
        "people": st.none() | st.integers(0, 10**7),
        "rank": st.integers(1, 5),
        "days_open": st.floats(0, 4000),
    }
)


@given(REACH, REACH)
def test_worse_is_never_less(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Whichever argument rises, the impact does not fall."""
    for name, value in other.items():
        if one[name] is None or (value is not None and value >= one[name]):
            assert impact(**{**one, name: value}) >= impact(**one)


@given(REACH, st.integers(1, 5))
def test_a_score_is_between_nought_and_a_hundred(reach: dict[str, Any], likelihood: int) -> None:
    """100 is the worst there is."""
    hurt = impact(**reach)

    assert 0 <= hurt <= 20
    assert 0 <= score(likelihood, hurt) <= 100


def test_the_example_of_the_documentation_holds() -> None:
    """docs/score.md works this one out step by step."""
    hurt = impact(
        Severity.HIGH,
        audience=Audience.ANYONE_DISCOVERABLE,
        access=Access.READ,
        resources=20_000,
        size_bytes=10 * 10**9,
    )

    assert (hurt, score(4, hurt)) == (13.26, 53.0)
