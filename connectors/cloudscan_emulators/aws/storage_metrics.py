"""CloudWatch's daily storage metrics of S3, in place of moto's, which reports on empty buckets and one kind of storage.

Shapes are those of botocore's service model in the protocol that the SDK chooses, JSON. Sources: CloudWatch API
Reference, ListMetrics and GetMetricData; Amazon S3 User Guide, "Metrics and dimensions".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cloudscan_emulators.aws.around_buckets import Reply

_PREFIX: Final = "GraniteServiceVersion20100801."
_PAGE: Final = 500  # metrics that ListMetrics names at once
_MOST_QUERIES: Final = 500
_JSON: Final = "application/x-amz-json-1.0"
Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DailyReport:
    """What S3 reports of a bucket."""

    objects: int
    size_bytes: Mapping[str, int]  # by kind of storage
    region: str = "us-east-1"
    days_ago: int = 1


@dataclass
class StorageMetrics:
    """The reports by the name of the bucket, for all accounts alike; by default none, as in an account of today."""

    reports: dict[str, DailyReport] = field(default_factory=dict)

    def reply(self, target: str, body: str, region: str) -> Reply | None:
        """The answer to a request that is signed for a region; None: it is none of CloudWatch's."""
        if not target.startswith(_PREFIX):
            return None
        request = json.loads(body)
        series = list(self._series(region))
        match target.removeprefix(_PREFIX):
            case "ListMetrics":
                return _metrics(request, [(name, dimensions) for name, dimensions, _, _ in series])
            case "GetMetricData":
                return _data(request, series)
        return None

    def _series(self, region: str) -> Iterator[tuple[str, Mapping[str, str], float, int]]:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for bucket, report in self.reports.items():
            if report.region != region:
                continue
            day = (today - timedelta(days=report.days_ago)).timestamp()
            yield "NumberOfObjects", _dimensions(bucket, "AllStorageTypes"), day, report.objects
            for kind, amount in report.size_bytes.items():
                yield "BucketSizeBytes", _dimensions(bucket, kind), day, amount


def _metrics(request: Json, series: Sequence[tuple[str, Mapping[str, str]]]) -> Reply:
    found = [
        {
            "Namespace": "AWS/S3",
            "MetricName": name,
            "Dimensions": [{"Name": one, "Value": value} for one, value in dimensions.items()],
        }
        for name, dimensions in series
        if request.get("Namespace") == "AWS/S3" and request.get("MetricName", name) == name
    ]
    first = int(request.get("NextToken") or 0)
    more = {"NextToken": str(first + _PAGE)} if len(found) > first + _PAGE else {}
    return _answer({"Metrics": found[first : first + _PAGE], **more})


def _data(request: Json, series: Sequence[tuple[str, Mapping[str, str], float, int]]) -> Reply:
    queries = request["MetricDataQueries"]
    if len(queries) > _MOST_QUERIES:
        said = {"__type": "ValidationError", "message": "The collection MetricDataQueries must not have more than 500"}
        return _answer(said, status="400 Bad Request")
    values = {(name, frozenset(dimensions.items())): (day, value) for name, dimensions, day, value in series}
    results = []
    for query in queries:
        metric = query["MetricStat"]["Metric"]
        asked = frozenset((one["Name"], one["Value"]) for one in metric["Dimensions"])
        day, value = values.get((metric["MetricName"], asked), (0.0, 0))
        is_in_time = request["StartTime"] <= day < request["EndTime"]
        results.append(
            {
                "Id": query["Id"],
                "Label": metric["MetricName"],
                "Timestamps": [day] if is_in_time else [],
                "Values": [float(value)] if is_in_time else [],
                "StatusCode": "Complete",
            }
        )
    return _answer({"MetricDataResults": results, "Messages": []})


def _dimensions(bucket: str, kind: str) -> Mapping[str, str]:
    return {"StorageType": kind, "BucketName": bucket}


def _answer(content: Json, status: str = "200 OK") -> Reply:
    return Reply(status=status, content_type=_JSON, body=json.dumps(content))
