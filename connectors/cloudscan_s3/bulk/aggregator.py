"""Asks an aggregator of AWS Config: which accounts it has, how fresh each is, and the items of one.

Sources: AWS Config API Reference, SelectAggregateResourceConfig, BatchGetAggregateResourceConfig and
DescribeConfigurationAggregatorSourcesStatus; Developer Guide, "Querying the Current Configuration State of AWS
Resources". A query names only scalar members, so the items themselves are fetched by the hundred.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cloudscan.connector import Gap
from cloudscan.errors import ProviderError
from cloudscan.reason import Reason
from cloudscan_s3.api.asking import Asker
from cloudscan_s3.bulk.items import KINDS, Item, decoded, moment
from cloudscan_s3.questions import CONFIG_ITEMS, CONFIG_RESOURCES, CONFIG_SOURCES

_PAGE: Final = 100  # the most that a query gives at once, and keys that are fetched at once
_TRIES: Final = 2  # for keys that Config leaves unprocessed
_OLD: Final = timedelta(days=2)
"""Config gives no bound; a source that has not been copied for so long is not taken for today's."""


@dataclass(frozen=True, kw_only=True)
class Aggregator:
    """One aggregator, in a region of the account that asks."""

    asker: Asker
    name: str
    region: str
    now: datetime

    def accounts(self) -> tuple[Sequence[str], Sequence[Gap]]:
        """The accounts that it knows a bucket of, and gaps."""
        rows, gaps = self._select(
            "SELECT accountId, COUNT(*) WHERE resourceType = 'AWS::S3::Bucket' GROUP BY accountId"
        )
        return sorted({str(row["accountId"]).zfill(12) for row in rows if row.get("accountId")}), gaps

    def stale(self) -> tuple[Mapping[str, Mapping[str, datetime | None]], Sequence[Gap]]:
        """By account: the regions whose last copy failed or is old, and of when it is."""
        listed, gaps = self.asker.list(
            CONFIG_SOURCES,
            _source,
            "NextToken",
            region=self.region,
            ConfigurationAggregatorName=self.name,
        )
        found: dict[str, dict[str, datetime | None]] = {}
        for account, region, succeeded, updated_on in listed:
            if not succeeded or (updated_on is not None and updated_on < self.now - _OLD):
                found.setdefault(account, {})[region] = updated_on
        return found, gaps

    def items(self, account: str) -> tuple[Sequence[Item], Sequence[Gap]]:
        """Every item of an account, and gaps for those that did not come."""
        kinds = ", ".join(f"'{kind}'" for kind in KINDS)
        columns = "accountId, awsRegion, resourceId, resourceName, resourceType"
        rows, gaps = self._select(f"SELECT {columns} WHERE accountId = '{account}' AND resourceType IN ({kinds})")
        keys = [key for row in rows if (key := _key(row, account)) is not None]
        items: list[Item] = []
        missing, broken = len(rows) - len(keys), 0
        more: list[Gap] = []
        for first in range(0, len(keys), _PAGE):
            try:
                raw, left = self._fetched(keys[first : first + _PAGE])
            except ProviderError as error:
                more.append(CONFIG_ITEMS.gap(error))
                break
            missing += left
            for one in raw:
                try:
                    items.append(decoded(one))
                except (ValueError, TypeError, AttributeError):
                    broken += 1
        if missing or broken:
            reason = Reason(code="s3-entries-malformed", values={"count": missing + broken})
            more.append(CONFIG_ITEMS.lacking(reason))
        return items, [*gaps, *more]

    def _select(self, expression: str) -> tuple[Sequence[Mapping[str, Any]], Sequence[Gap]]:
        return self.asker.list(
            CONFIG_RESOURCES,
            _row,
            "NextToken",
            region=self.region,
            ConfigurationAggregatorName=self.name,
            Expression=expression,
            Limit=_PAGE,
        )

    def _fetched(self, keys: Sequence[Mapping[str, str]]) -> tuple[Sequence[Mapping[str, Any]], int]:
        """The items of at most a hundred keys, and how many did not come."""
        items: list[Mapping[str, Any]] = []
        waiting = list(keys)
        for _ in range(_TRIES):
            answer = self.asker.require(
                CONFIG_ITEMS, self.region, ConfigurationAggregatorName=self.name, ResourceIdentifiers=waiting
            )
            items += (answer or {}).get("BaseConfigurationItems") or ()
            waiting = list((answer or {}).get("UnprocessedResourceIdentifiers") or ())
            if not waiting:
                break
        return items, len(waiting)


def _row(text: object) -> Mapping[str, Any]:
    """A result is a text of JSON. Raises `ValueError` or `TypeError` for one that is not."""
    row = json.loads(text) if isinstance(text, str) else text
    if not isinstance(row, dict):
        raise TypeError("Results")
    return row


def _key(row: Mapping[str, Any], account: str) -> Mapping[str, str] | None:
    names = {
        "SourceAccountId": str(row.get("accountId") or account).zfill(12),
        "SourceRegion": str(row.get("awsRegion") or ""),
        "ResourceId": str(row.get("resourceId") or row.get("resourceName") or ""),
        "ResourceType": str(row.get("resourceType") or ""),
    }
    return names if all(names.values()) else None


def _source(entry: Mapping[str, Any]) -> tuple[str, str, bool, datetime | None] | None:
    """An account's region; None for the organisation as a whole."""
    if entry["SourceType"] != "ACCOUNT":
        return None
    succeeded = entry.get("LastUpdateStatus") != "FAILED"
    return str(entry["SourceId"]), str(entry.get("AwsRegion") or ""), succeeded, moment(entry.get("LastUpdateTime"))


def gaps_of_stale(stale: Mapping[str, datetime | None], about: str) -> Iterator[Gap]:
    """What Config recorded may no longer be so, where its items are old and nothing else can be asked."""
    for region, since in sorted(stale.items()):
        day = since.date().isoformat() if since else "?"
        reason = Reason(code="s3-config-stale", values={"region": region or "?", "day": day})
        yield CONFIG_SOURCES.lacking(reason, about)
