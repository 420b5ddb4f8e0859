"""What the forecast multiplies by is what the benches found."""

import pytest

from cloudscan.forecast import Forecasting
from cloudscan.planning import model
from cloudscan_s3.forecast import FORECASTING as S3
from tests.bench.figures import saved


def measured(bench: str, unit: str) -> float:
    """The first figure in this unit that a bench kept."""
    runs = {run.bench: run for run in saved()}
    return next(figure.ours for figure in runs[bench].figures if figure.unit.startswith(unit))


def requests(forecasting: Forecasting, approach: str, unit: str) -> float:
    """The requests for one of a unit."""
    approaches = {one.name: one for one in forecasting.approaches}
    return approaches[approach].requests[unit]


@pytest.mark.parametrize(
    ("multiplied_by", "bench", "unit"),
    [
        (model.SEALING, "sealing", "µs CPU"),
        (model.JUDGING, "engine", "µs CPU"),
        (requests(S3, "live", "buckets"), "s3_cost", "requests a bucket"),
        (requests(S3, "quiet-night", "buckets"), "s3_nights", "requests a bucket"),
    ],
)
def test_a_forecast_multiplies_by_what_was_measured(multiplied_by: float, bench: str, unit: str) -> None:
    """Within a factor of two, by which machines differ."""
    assert 0.5 <= multiplied_by / measured(bench, unit) <= 2
