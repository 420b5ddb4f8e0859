"""What changed in an account and a Region: CloudTrail's event history, which is read for free.

Sources: AWS CloudTrail API Reference, LookupEvents (two requests a second for an account and a Region, 50 events, the
newest first, 90 days, the account's own events); CloudTrail User Guide, "CloudTrail record contents". Events of the
data plane, such as an object's ACL, are never in it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from cloudscan.connector import Gap
from cloudscan.errors import Malformed
from cloudscan_s3.api.asking import Answer, Asker, moment_of, name_of
from cloudscan_s3.changes import Event
from cloudscan_s3.questions import EVENT_HISTORY

_PAGE: Final = 50
_LONGEST: Final = 1_000_000  # bytes of one event's text; CloudTrail's own limit is 256 KB
_BUCKET: Final = "AWS::S3::Bucket"
_BUCKET_ARN: Final = re.compile(r"arn:[\w-]+:s3:::([^:/]+)")


class _Detail(msgspec.Struct, frozen=True, rename="camel"):
    """As much of an event's text as matters."""

    request_parameters: Mapping[str, Any] | None = None
    error_code: str | None = None


def changes_since(asker: Asker, region: str, since: datetime, most_pages: int) -> tuple[Sequence[Event], Sequence[Gap]]:
    """All events of a Region that are not mere reading; with a gap the history is not known.

    More than `most_pages` pages are a gap: then reading the Region itself is cheaper.
    """
    pages = 0

    def counted(_: Answer) -> None:
        nonlocal pages
        pages += 1
        if pages > most_pages:
            raise Malformed("s3-history-too-long", events=str(most_pages * _PAGE))

    return asker.list(
        EVENT_HISTORY,
        _event,
        "NextToken",
        region=region,
        on_page=counted,
        LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
        StartTime=since,
        MaxResults=_PAGE,
    )


def _event(entry: Mapping[str, Any]) -> Event:
    """Raises `ValueError` for an event that makes no sense: what it changed is then not known."""
    text = entry["CloudTrailEvent"]
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise ValueError("CloudTrailEvent")
    detail = msgspec.json.decode(text, type=_Detail)
    request = detail.request_parameters or {}
    resources = entry.get("Resources") or ()
    named = [one["ResourceName"] for one in resources if one.get("ResourceType") == _BUCKET]
    return Event(
        id=name_of(entry, "EventId"),
        name=name_of(entry, "EventName"),
        source=name_of(entry, "EventSource"),
        happened_on=moment_of(entry, "EventTime"),
        buckets=frozenset(filter(None, (_bucket_name(name) for name in (*named, *_in_request(request))))),
        failed=bool(detail.error_code),
    )


def _in_request(request: Mapping[str, Any]) -> Sequence[object]:
    return request.get("bucketName"), request.get("resourceArn")


def _bucket_name(name: object) -> str:
    """A bucket's name, also where its ARN is given; empty for what is none."""
    if not isinstance(name, str):
        return ""
    if not name.startswith("arn:"):
        return name
    found = _BUCKET_ARN.fullmatch(name)
    return found[1] if found else ""
