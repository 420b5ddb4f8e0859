"""What the SDK's parser would let pass: a switch that says neither true nor false, and an answer to something else.

The parser reads every text but ``true`` as false, and takes any document without the asked-for members for an empty
answer. Where an empty answer means "off", that would be an answer that nobody gave.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import boto3

from cloudscan.errors import Malformed

_ODD_SWITCH: Final = re.compile(
    rb"<(BlockPublicAcls|IgnorePublicAcls|BlockPublicPolicy|RestrictPublicBuckets|IsTruncated|IsEnabled)"
    rb"(?:/>|>(?!(?:true|false)</))"
)
_ROOTS: Final[Mapping[str, bytes]] = {
    "GetBucketLogging": b"<BucketLoggingStatus",
    "GetBucketAbac": b"<AbacStatus",
    "ListTagsForResource": b"<ListTagsForResource",
}
_STORES: Final = re.compile(  # guessed, but for MinIO
    r"\b(MinIO|Ceph|RustFS|Wasabi|Cleversafe|UploadServer|cloudflare|SeaweedFS|Garage|OpenStack|StorageGRID|AliyunOSS|"
    r"tencent-cos|OBS$|Cloudian|Zenko|Scality|Backblaze)",
    re.IGNORECASE,
)
"""How other stores that speak the S3 protocol name themselves in the header ``Server``."""


def listen(session: boto3.Session) -> None:
    """Check every answer of S3 before it is parsed. A call then raises `Malformed`."""
    session.events.register("before-parse.s3", _check)
    session.events.register("before-parse.s3-control", _check)
    session.events.register("before-parse.sts", _check_server)


def _check_server(response_dict: Mapping[str, Any], **_: object) -> None:
    """Raises `Malformed` where the server says that it is another store."""
    headers = response_dict.get("headers") or {}
    if _STORES.search(str(headers.get("server") or headers.get("Server") or "")):
        raise Malformed("s3-not-aws")


def _check(operation_model: Any, response_dict: Mapping[str, Any], **_: object) -> None:
    body = response_dict.get("body")
    if response_dict.get("status_code") != 200 or not isinstance(body, bytes):
        return
    if _ODD_SWITCH.search(body) or _ROOTS.get(str(operation_model.name), b"") not in body:
        raise Malformed("s3-garbled")
