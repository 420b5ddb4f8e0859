"""How much is in an account's buckets: S3 reports it to CloudWatch once a day, for each bucket and kind of storage.

Sources: Amazon S3 User Guide, "Metrics and dimensions"; CloudWatch API Reference, ListMetrics and GetMetricData. The
counts include noncurrent versions, delete markers and parts of unfinished uploads. Nothing is reported of a bucket
that is empty or of today. ListMetrics names the kinds of storage that a bucket has, so that no other is paid for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from cloudscan.connector import Gap
from cloudscan.facts import Outcome
from cloudscan_s3 import regions
from cloudscan_s3.access.bucket import Stored
from cloudscan_s3.api.asking import Asker, name_of
from cloudscan_s3.api.reader import ListedBucket
from cloudscan_s3.questions import STORAGE, STORAGE_METRICS

_NAMESPACE: Final = "AWS/S3"
_BYTES, _OBJECTS, _OF_ALL_KINDS = "BucketSizeBytes", "NumberOfObjects", "AllStorageTypes"
_MOST_QUERIES: Final = 500  # of one request
_DAYS: Final = 3  # before today: the report of a day may be late, or not come at all
_DAY: Final = 86_400
_MOST: Final = 2**53  # beyond it no number of CloudWatch's is exact, and no bucket is as large


class _Series(NamedTuple):
    """One metric of one bucket."""

    bucket: str
    metric: str
    kind: str  # of storage


class _Point(NamedTuple):
    """The value of the latest day."""

    day: datetime
    value: int


def stored(asker: Asker, buckets: Iterable[ListedBucket], now: datetime) -> tuple[Mapping[str, Stored], Sequence[Gap]]:
    """What is in the buckets of an account, by name; one of which S3 reports nothing is left out.

    A region is asked once for all its buckets. No verdict rests on the answer: where there is none, or no permission,
    the gaps say so and leave the scan complete.
    """
    by_region: dict[str, set[str]] = {}
    for bucket in buckets:
        by_region.setdefault(bucket.region or asker.account.region, set()).add(bucket.name)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    listed = regions.ask_each(
        sorted(by_region), lambda region: _in_region(asker, region, by_region[region], midnight), STORAGE
    )
    return dict(listed.entries), [msgspec.structs.replace(gap, outcome=Outcome.SKIPPED) for gap in listed.gaps]


def _in_region(
    asker: Asker, region: str, names: AbstractSet[str], midnight: datetime
) -> tuple[Sequence[tuple[str, Stored]], Sequence[Gap]]:
    reported, gaps = asker.list(
        STORAGE_METRICS, _reported(names), "NextToken", region=region, Namespace=_NAMESPACE, MetricName=_BYTES
    )
    counts = (_Series(name, _OBJECTS, _OF_ALL_KINDS) for name in dict.fromkeys(one.bucket for one in reported))
    wanted = list(dict.fromkeys((*counts, *reported)))
    points: dict[_Series, _Point | None] = {}
    missing = list(gaps)
    for first in range(0, len(wanted), _MOST_QUERIES):
        series = {f"q{number}": one for number, one in enumerate(wanted[first : first + _MOST_QUERIES])}
        answered, more = asker.list(
            STORAGE,
            _latest(series),
            "NextToken",
            region=region,
            MetricDataQueries=[query(name, *one) for name, one in series.items()],
            StartTime=midnight - timedelta(days=_DAYS),
            EndTime=midnight + timedelta(days=1),
            ScanBy="TimestampDescending",
        )
        missing += more
        for one, point in answered:
            points[one] = max((known for known in (points.get(one), point) if known), default=None)
    by_bucket: dict[str, list[_Series]] = {}
    for one in wanted:
        by_bucket.setdefault(one.bucket, []).append(one)
    known = ((name, _summed(of_bucket, points)) for name, of_bucket in by_bucket.items())
    return [(name, amount) for name, amount in known if amount], missing


def _reported(names: AbstractSet[str]) -> Callable[[Mapping[str, Any]], _Series | None]:
    """Reads an entry of the list of metrics; those of buckets that are gone stay in it for two weeks."""

    def parse(entry: Mapping[str, Any]) -> _Series | None:
        dimensions = {name_of(one, "Name"): name_of(one, "Value") for one in entry["Dimensions"]}
        if dimensions.keys() != {"BucketName", "StorageType"} or dimensions["BucketName"] not in names:
            return None
        return _Series(dimensions["BucketName"], _BYTES, dimensions["StorageType"])

    return parse


def query(name: str, bucket: str, metric: str = _OBJECTS, kind: str = _OF_ALL_KINDS) -> Mapping[str, Any]:
    """A query of GetMetricData for the daily values of a metric, by default the number of objects in a bucket."""
    dimensions = [{"Name": "BucketName", "Value": bucket}, {"Name": "StorageType", "Value": kind}]
    metric_of = {"Namespace": _NAMESPACE, "MetricName": metric, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": metric_of, "Period": _DAY, "Stat": "Average"}}


def _latest(series: Mapping[str, _Series]) -> Callable[[Mapping[str, Any]], tuple[_Series, _Point | None]]:
    """Reads a result; None where there is no value of these days."""

    def parse(entry: Mapping[str, Any]) -> tuple[_Series, _Point | None]:
        one = series[name_of(entry, "Id")]
        if entry.get("StatusCode") in ("InternalError", "Forbidden"):
            raise ValueError(entry["StatusCode"])
        days = zip(entry.get("Timestamps") or (), entry.get("Values") or (), strict=True)
        return one, max((_Point(day, _amount(value)) for day, value in days), default=None)

    return parse


def _amount(value: float) -> int:
    """Raises `ValueError` for what is no amount."""
    if not 0 <= value <= _MOST:
        raise ValueError(value)
    return int(value)


def _summed(series: Sequence[_Series], points: Mapping[_Series, _Point | None]) -> Stored | None:
    """What is in one bucket; None where a part of it is not known, since a part would be taken for the whole.

    A kind of storage without a value on the latest day has been emptied since.
    """
    if any(one not in points for one in series):
        return None
    objects = [point for one in series if one.metric == _OBJECTS and (point := points[one])]
    sizes = [point for one in series if one.metric == _BYTES and (point := points[one])]
    if not objects or not sizes:
        return None
    day = max(point.day for point in sizes)
    return Stored(objects=objects[0].value, size_bytes=sum(point.value for point in sizes if point.day == day))
