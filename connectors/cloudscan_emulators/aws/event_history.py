"""CloudTrail's event history, which moto lacks: written from what the server is asked to change, told by LookupEvents.

A test cannot forget an event: each request that changes something is one, also a refused one. Where a test changes what
no request does (`AroundBuckets`, `BeyondMoto`), it records the event too. Sources: botocore's model of LookupEvents
(pages, one attribute, errors); CloudTrail User Guide (90 days, one account and Region); Amazon S3 User Guide, "Amazon
S3 CloudTrail events" (names). Names of events of S3 Control are those of its operations, their parameters guessed.
"""

import hashlib
import json
import re
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cloudscan_emulators.aws.around_buckets import Reply

_PAGE: Final = 50
_KEPT: Final = timedelta(days=90)
_JSON: Final = "application/x-amz-json-1.1"
_GLOBAL: Final = ("iam", "organizations", "sts")  # services whose events are in one Region
_HOME: Final = "us-east-1"
_READING: Final = re.compile(r"Get|List|Describe|Lookup|Head|Generate|AssumeRole|Simulate|BatchGet|Select")
_ATTRIBUTES: Final = ("EventId", "EventName", "ReadOnly", "EventSource", "ResourceName", "ResourceType")
_SUBRESOURCES: Final = {
    "policy": "BucketPolicy",
    "acl": "BucketAcl",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "ownershipControls": "BucketOwnershipControls",
    "tagging": "BucketTagging",
    "website": "BucketWebsite",
    "logging": "BucketLogging",
    "replication": "BucketReplication",
    "encryption": "BucketEncryption",
    "abac": "BucketAbac",
    "cors": "BucketCors",
    "versioning": "BucketVersioning",
    "lifecycle": "BucketLifecycle",
    "notification": "BucketNotification",
    "inventory": "BucketInventoryConfiguration",
    "requestPayment": "BucketRequestPayment",
}
_CONTROL: Final = (
    (r"PUT .*/configuration/publicAccessBlock", "PutAccountPublicAccessBlock"),
    (r"DELETE .*/configuration/publicAccessBlock", "DeleteAccountPublicAccessBlock"),
    (r"PUT .*/accesspoint/([^/]+)", "CreateAccessPoint"),
    (r"DELETE .*/accesspoint/([^/]+)", "DeleteAccessPoint"),
    (r"PUT .*/accesspoint/([^/]+)/policy", "PutAccessPointPolicy"),
    (r"DELETE .*/accesspoint/([^/]+)/policy", "DeleteAccessPointPolicy"),
    (r"POST .*/mrap/create", "CreateMultiRegionAccessPoint"),
    (r"POST .*/mrap/delete", "DeleteMultiRegionAccessPoint"),
    (r"POST .*/mrap/put-policy", "PutMultiRegionAccessPointPolicy"),
    (r"POST .*/tags/(.+)", "TagResource"),
    (r"DELETE .*/tags/(.+)", "UntagResource"),
)
Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class RecordedEvent:
    """An event as CloudTrail keeps it."""

    id: str
    name: str
    source: str
    account: str
    region: str
    happened_on: datetime
    visible_from: datetime  # when the history has it
    request: Json
    error: str = ""  # of an attempt that failed

    @property
    def resources(self) -> Sequence[Json]:
        """The resources as LookupEvents names them; of a bucket that is being created, none."""
        bucket = self.request.get("bucketName")
        is_named = bool(bucket) and self.name != "CreateBucket"
        return [{"ResourceType": "AWS::S3::Bucket", "ResourceName": bucket}] if is_named else []


@dataclass(frozen=True, kw_only=True)
class Change:
    """A request that changes something, before it is answered."""

    name: str
    source: str
    account: str
    region: str
    request: Json


@dataclass
class EventHistory:
    """The events of all accounts, and how the history departs from the plainest behaviour."""

    events: list[RecordedEvent] = field(default_factory=list)
    ahead: timedelta = timedelta()  # of the machine's clock: so much time has passed
    late: timedelta = timedelta()  # until an event from now on is told
    is_losing: bool = False  # events from now on are never told
    is_repeating: bool = False  # each event is told twice
    silent: set[str] = field(default_factory=set)  # Regions whose events are lost
    most_a_second: int = 0  # requests of one account and Region; 0: any number
    recent: dict[tuple[str, str], deque[float]] = field(default_factory=dict)

    def now(self) -> datetime:
        """The time at AWS."""
        return datetime.now(UTC) + self.ahead

    def pass_time(self, passed: timedelta) -> None:
        """Let time pass, as if nothing happened meanwhile."""
        self.ahead += passed

    def record(self, change: Change, error: str = "") -> None:
        """Keep an event that happens now."""
        if self.is_losing or change.region in self.silent:
            return
        now = self.now()
        event = RecordedEvent(
            id=f"{len(self.events):08x}-0000-4000-8000-000000000000",
            name=change.name,
            source=change.source,
            account=change.account,
            region=change.region,
            happened_on=now,
            visible_from=now + self.late,
            request=change.request,
            error=error,
        )
        self.events.append(event)

    def reply(self, target: str, body: str, account: str, region: str) -> Reply | None:
        """The answer to a request by its ``X-Amz-Target``; None: it is not LookupEvents."""
        if not target.endswith(".LookupEvents"):
            return None
        if self._is_too_often(account, region):
            return _refused("ThrottlingException", "Rate exceeded")
        asked = json.loads(body or "{}")
        attributes = asked.get("LookupAttributes") or []
        if len(attributes) > 1 or any(one.get("AttributeKey") not in _ATTRIBUTES for one in attributes):
            return _refused("InvalidLookupAttributesException", "You can specify only one lookup attribute.")
        if not 1 <= asked.get("MaxResults", _PAGE) <= _PAGE:
            return _refused("InvalidMaxResultsException", "MaxResults must be between 1 and 50.")
        return self._page(asked, account, region)

    def _page(self, asked: Json, account: str, region: str) -> Reply:
        parameters = json.dumps({name: value for name, value in asked.items() if name != "NextToken"}, sort_keys=True)
        digest = hashlib.sha256(parameters.encode()).hexdigest()[:16]
        found = [event for event in self._visible(asked, account, region) for _ in range(1 + self.is_repeating)]
        first, _, bound = str(asked.get("NextToken") or f"0.{digest}").partition(".")
        if bound != digest or not first.isdigit():
            return _refused("InvalidNextTokenException", "The token is not valid for these parameters.")
        last = int(first) + asked.get("MaxResults", _PAGE)
        more = {"NextToken": f"{last}.{digest}"} if last < len(found) else {}
        return _answer({"Events": [_as_listed(event) for event in found[int(first) : last]], **more})

    def _visible(self, asked: Json, account: str, region: str) -> Iterator[RecordedEvent]:
        """What the history tells of one account in one Region, the newest first."""
        now = self.now()
        since = max(asked.get("StartTime") or 0, (now - _KEPT).timestamp())
        until = asked.get("EndTime") or now.timestamp()
        for event in sorted(self.events, key=lambda one: one.happened_on, reverse=True):
            is_here = (event.account, event.region) == (account, region) and event.visible_from <= now
            if is_here and since <= event.happened_on.timestamp() <= until and _fits(event, asked):
                yield event

    def _is_too_often(self, account: str, region: str) -> bool:
        if not self.most_a_second:
            return False
        now, recent = time.monotonic(), self.recent.setdefault((account, region), deque())
        while recent and recent[0] < now - 1:
            recent.popleft()
        recent.append(now)
        return len(recent) > self.most_a_second


def change_of(
    line: str, service: str, operation: str, *, account: str, region: str, bucket: tuple[str, str] | None
) -> Change | None:
    """The event that a request becomes, if it changes something that management events speak of.

    `line` is ``METHOD path?query``, `operation` what a form or a target names, `bucket` the account and the Region of
    the bucket that the path names, if there is such a bucket.
    """
    method, _, rest = line.partition(" ")
    path, _, query = rest.partition("?")
    if operation:
        if _READING.match(operation):
            return None
        where = _HOME if service in _GLOBAL else region
        return Change(name=operation, source=f"{service}.amazonaws.com", account=account, region=where, request={})
    if method in ("GET", "HEAD") or service not in ("s3", "s3express"):
        return None
    if path.startswith("/v20180820/"):
        return _change_by_control(f"{method} {path.rstrip('/')}", account, region)
    name, _, key = path.strip("/").partition("/")
    if not name or key or method == "POST":
        return None  # an object's: data events are not in the history
    subresource = next((one for one in re.split("[&=]", query) if one in _SUBRESOURCES), "")
    what = _SUBRESOURCES.get(subresource, "Bucket")
    verb = "Delete" if method == "DELETE" else "Put" if subresource else "Create"
    owner, where = bucket or (account, region)
    source = f"{service}.amazonaws.com"
    return Change(name=f"{verb}{what}", source=source, account=owner, region=where, request={"bucketName": name})


def _change_by_control(line: str, account: str, region: str) -> Change | None:
    for pattern, name in _CONTROL:
        if found := re.fullmatch(pattern, line):
            named = found.groups()
            key = "resourceArn" if "/tags/" in line else "name"
            request = {"accountId": account, **({key: named[0]} if named else {})}
            return Change(name=name, source="s3.amazonaws.com", account=account, region=region, request=request)
    return None


def _fits(event: RecordedEvent, asked: Json) -> bool:
    for one in asked.get("LookupAttributes") or []:
        key, value = one["AttributeKey"], one["AttributeValue"]
        known = {"EventId": event.id, "EventName": event.name, "EventSource": event.source, "ReadOnly": "false"}
        if key in known and known[key] != value:
            return False
        if key not in known and not any(resource.get(key) == value for resource in event.resources):
            return False
    return True


def _as_listed(event: RecordedEvent) -> Json:
    happened = event.happened_on.timestamp()
    whole = {
        "eventVersion": "1.11",
        "eventID": event.id,
        "eventName": event.name,
        "eventSource": event.source,
        "eventTime": event.happened_on.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "awsRegion": event.region,
        "recipientAccountId": event.account,
        "readOnly": False,
        "managementEvent": True,
        "requestParameters": dict(event.request) or None,
        **({"errorCode": event.error} if event.error else {}),
    }
    return {
        "EventId": event.id,
        "EventName": event.name,
        "ReadOnly": "false",
        "EventTime": float(int(happened)),
        "EventSource": event.source,
        "Username": "somebody",
        "Resources": event.resources,
        "CloudTrailEvent": json.dumps(whole),
    }


def _answer(content: Json) -> Reply:
    return Reply(content_type=_JSON, body=json.dumps(content))


def _refused(code: str, message: str) -> Reply:
    content = json.dumps({"__type": code, "message": message})
    return Reply(status="400 Bad Request", content_type=_JSON, body=content)
