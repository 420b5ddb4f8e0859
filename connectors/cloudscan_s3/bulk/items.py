"""Configuration items of AWS Config, in both forms in which they come, as one record.

An item of the API has `accountId`, `arn`, a configuration that is text with JSON in it, and supplementary values that
are texts too; a delivered one has `awsAccountId`, `ARN` and objects. The access control list is JSON within a JSON
text in either. So the values at the top are decoded for as long as they are texts that contain JSON; what is within
them (a tag, a name) never is. Sources: AWS Config API Reference, BaseConfigurationItem; Developer Guide, "Example
Configuration Snapshot from AWS Config"; the schemas in awslabs/aws-config-resource-schema.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

BUCKET: Final = "AWS::S3::Bucket"
ACCOUNT_BLOCK: Final = "AWS::S3::AccountPublicAccessBlock"
ACCESS_POINT: Final = "AWS::S3::AccessPoint"
MULTI_REGION_ACCESS_POINT: Final = "AWS::S3::MultiRegionAccessPoint"
KINDS: Final = (BUCKET, ACCOUNT_BLOCK, ACCESS_POINT, MULTI_REGION_ACCESS_POINT)
"""The types of resource that are read."""

_GONE: Final = frozenset({"resourcedeleted", "resourcedeletednotrecorded"})
_NOT_RECORDED: Final = "resourcenotrecorded"
_LAYERS: Final = 3  # of JSON within JSON; the access control list has two


@dataclass(frozen=True, kw_only=True)
class Item:
    """What Config recorded of one resource. Names of members in the two mappings are Config's own."""

    kind: str
    account: str
    region: str
    name: str
    captured_on: datetime | None  # when Config recorded it
    created_on: datetime | None
    gone: bool  # it was deleted
    recorded: bool  # False: Config knows that it is there, and no more
    configuration: Mapping[str, Any]
    supplementary: Mapping[str, Any]
    tags: Mapping[str, str] | None  # None: the item does not say


def decoded(raw: Mapping[str, Any]) -> Item:
    """An item in either form. Raises `ValueError` for one that does not say what it is about."""
    given = {str(name).lower(): value for name, value in raw.items()}
    kind, account = given.get("resourcetype"), given.get("accountid") or given.get("awsaccountid")
    name = given.get("resourcename") or given.get("resourceid")
    if not (isinstance(kind, str) and isinstance(name, str) and kind and name):
        raise ValueError("resourceType, resourceId")
    status = str(given.get("configurationitemstatus") or "").lower()
    supplementary = _mapping(given.get("supplementaryconfiguration"))
    return Item(
        kind=kind,
        account=str(account or "").zfill(12),
        region=str(given.get("awsregion") or ""),
        name=name,
        captured_on=moment(given.get("configurationitemcapturetime")),
        created_on=moment(given.get("resourcecreationtime")),
        gone=status in _GONE,
        recorded=status != _NOT_RECORDED,
        configuration=_mapping(given.get("configuration")),
        supplementary={name: unwrapped(value) for name, value in supplementary.items()},
        tags=_tags(given.get("tags")),
    )


def unwrapped(value: object) -> Any:
    """What is in a text of JSON, and in a text within that; a text that is no JSON stays what it is."""
    for _ in range(_LAYERS):
        if not isinstance(value, str):
            break
        try:
            inner = json.loads(value)
        except (ValueError, RecursionError):
            break
        if not isinstance(inner, dict | list | str):
            break  # a number or null: that was a text after all
        value = inner
    return value


def moment(value: object) -> datetime | None:
    """A time as the SDK gives it, as text in ISO 8601, or as seconds or milliseconds since 1970; None for others."""
    try:
        if isinstance(value, datetime):
            found = value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        else:
            found = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _mapping(value: object) -> Mapping[str, Any]:
    inner = unwrapped(value)
    return inner if isinstance(inner, dict) else {}


def _tags(value: object) -> Mapping[str, str] | None:
    """A mapping in delivered items, a list of key and value in answers to queries."""
    inner = unwrapped(value)
    if isinstance(inner, dict):
        return {str(key): str(text or "") for key, text in inner.items()}
    if isinstance(inner, list) and all(isinstance(one, dict) and "key" in one for one in inner):
        return {str(one["key"]): str(one.get("value") or "") for one in inner}
    return None
