"""Which regions an account can have anything in."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from cloudscan.connector import Gap
from cloudscan.facts import Outcome
from cloudscan_s3.api.asking import Asker, name_of
from cloudscan_s3.questions import REGIONS

ALWAYS_ENABLED: Final[Mapping[str, Sequence[str]]] = {
    "aws": (
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    ),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-east-1", "us-gov-west-1"),
    "aws-eusc": ("eusc-de-east-1",),
}
"""By partition: regions that no account can switch off (Account Management Reference Guide, "Enable or disable AWS
Regions in your account"). All others have to be opted in to."""
_ENABLED: Final = ("ENABLED", "ENABLED_BY_DEFAULT", "DISABLING")
_WITH_OPT_IN: Final = "aws"  # GovCloud has no Account Management, and China no region to opt in to (2025)


def enabled_regions(asker: Asker, partition: str) -> tuple[Sequence[str], Sequence[Gap]]:
    """The regions that are enabled in an account, and a gap where those that were opted in to are not known."""
    always = ALWAYS_ENABLED.get(partition, ())
    if partition != _WITH_OPT_IN:
        return always, ()
    listed, gaps = asker.list(REGIONS, _enabled, "NextToken", MaxResults=50)
    if not gaps:
        return listed, ()
    # Nothing was kept from us that is known to exist, and few accounts have opted in to a region.
    left_out = [msgspec.structs.replace(gap, outcome=Outcome.SKIPPED) for gap in gaps]
    return tuple(dict.fromkeys((*always, *listed))), left_out


def _enabled(entry: Mapping[str, Any]) -> str | None:
    return name_of(entry, "RegionName") if entry["RegionOptStatus"] in _ENABLED else None
