"""What a scan will cost, from sizes and coefficients."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from cloudscan import plugins
from cloudscan.forecast import ONCE, Allowance, Approach, Forecasting, Quota, Role
from cloudscan.planning.model import Cost, advise, costs, sizes_of

LIVE = Approach(
    name="live",
    title="",
    role=Role.WHOLE,
    requests={ONCE: 10, "files": 0.01},
    microseconds={"files": 10},
    quotas=(Quota(allowed=(Allowance(inf, 100),), used={"files": 0.01}, owners="accounts"),),
)
BULK = Approach(name="bulk", title="", role=Role.BULK, requests={ONCE: 10}, microseconds={"files": 5}, hours_old=24)
DRIVE = Forecasting(approaches=(LIVE, BULK), typical={"files": 1.0, "accounts": 1 / 1_000_000})


def of(forecasting: Forecasting, **known: int) -> dict[str, Cost]:
    """The costs of an estate, by approach."""
    return {cost.approach: cost for cost in costs(forecasting, sizes_of(forecasting, known))}


def test_what_is_not_known_is_as_in_an_ordinary_estate() -> None:
    assert sizes_of(DRIVE, {"accounts": 3}) == {"files": 3_000_000, "accounts": 3, ONCE: 1}
    assert sizes_of(DRIVE, {"accounts": 3, "files": 50}) == {"files": 50, "accounts": 3, ONCE: 1}


def test_owners_of_a_budget_each_have_their_own() -> None:
    """A million files of one account: 10,000 requests at 100 a minute. Of ten accounts a tenth of that."""
    assert of(DRIVE, files=1_000_000, accounts=1)["live"].hours_by_quota == 10_000 / 100 / 60
    assert of(DRIVE, files=1_000_000, accounts=10)["live"].hours_by_quota == 1_000 / 100 / 60


def test_a_larger_customer_may_ask_more_and_a_day_has_its_own_limit() -> None:
    quota = Quota(allowed=(Allowance(10, 100, 6_000), Allowance(inf, 1_000)), used={"files": 1.0}, sized_by="users")

    assert quota.hours({"files": 6_000, "users": 10}) == 1
    assert quota.hours({"files": 12_000, "users": 10}) == 48
    assert quota.hours({"files": 6_000, "users": 11}) == 0.1


def test_a_scan_that_fits_into_a_night_asks_live() -> None:
    found = of(DRIVE, files=1_000_000)

    assert advise(list(found.values()), 1_000_000).whole == "live"


def test_one_that_takes_weeks_is_advised_to_read_what_the_provider_has_written() -> None:
    found = of(DRIVE, files=100_000_000, accounts=1)

    advice = advise(list(found.values()), 100_000_000)

    assert (advice.whole, advice.engine) == ("bulk", "spark")
    assert "167 hours" in advice.because[0]


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_more_never_costs_less(few: int, more: int) -> None:
    """Of every platform that we ship, by every approach."""
    few, more = sorted((few, more))
    for name in plugins.connector_names():
        forecasting = plugins.connector(name).forecasting
        assert forecasting is not None
        small, large = of(forecasting, files=few), of(forecasting, files=more)
        for approach, cost in small.items():
            other = large[approach]
            assert cost.requests <= other.requests
            assert cost.processor_hours <= other.processor_hours
            assert cost.dollars <= other.dollars
            assert cost.memory_megabytes <= other.memory_megabytes <= 2048
