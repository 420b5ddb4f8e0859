"""Where a request can come from: the internet, or somebody's VPC endpoint.

`aws:SourceIp` is absent from requests that come through a VPC endpoint, and `aws:SourceVpc` and `aws:SourceVpce` are
present only then (IAM User Guide, "AWS global condition context keys"), so the two are alternatives and no request has
both.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from cloudscan_s3 import match
from cloudscan_s3.match import Context
from cloudscan_s3.mentions import Mentions, examples

BROAD_V4, BROAD_V6 = 8, 32  # User Guide, "The meaning of public": broader ranges than these are public

# What S3 could see from these comes through a VPC endpoint, and then there is no aws:SourceIp.
_NOT_ON_THE_INTERNET = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/32",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
    )
)
_LOCAL_V6 = tuple(IPv6Network(text) for text in ("::/127", "fc00::/7", "fe80::/10"))
_CLOUD, _ENDPOINT = "vpc-0fedcba9876543210", "vpce-0fedcba9876543210"
_CLOUD_KEYS = (
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourcevpcarn",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
)
_WHERE_KEYS = (*_CLOUD_KEYS, "aws:sourceip", "aws:vpcsourceip")

_Address = IPv4Address | IPv6Address
_Range = IPv4Network | IPv6Network


@dataclass(frozen=True, kw_only=True)
class Network:
    """A place to come from, as the context keys that it sets. `name` is empty for a place open to anybody."""

    name: str
    context: Context
    share: float = 0.0  # of the internet, in units of the broadest range that AWS does not call public


def anywhere(mentions: Mentions, vpc: str = "") -> tuple[Network, ...]:
    """Places that anybody can come from: an address that is not singled out, a VPC of one's own.

    `vpc` names the only network served (an access point's); then there is no such place.
    """
    return () if vpc else (*_internet(mentions), *_own_clouds(mentions))


def singled_out(mentions: Mentions, vpc: str = "") -> tuple[Network, ...]:
    """Places that the text names: address ranges that are not too broad, VPCs and endpoints by id or owner."""
    if vpc:
        endpoints = (_ENDPOINT, *mentions.literals("aws:sourcevpce"))
        return tuple(_cloud(mentions, vpc, endpoint, name=vpc) for endpoint in endpoints)
    endpoints, clouds = mentions.literals("aws:sourcevpce"), mentions.literals("aws:sourcevpc")
    return (
        *_named_ranges(mentions),
        *(_cloud(mentions, cloud, each, name=each) for each in endpoints for cloud in (*clouds, _CLOUD)),
        *(_cloud(mentions, cloud, _ENDPOINT, name=cloud) for cloud in clouds),
        *(
            Network(name=value, context={**_cloud(mentions, _CLOUD, _ENDPOINT).context, key: (value,)})
            for key in ("aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths")
            for value in mentions.literals(key)
        ),
    )


def is_broad(network: _Range) -> bool:
    """Broader than what AWS accepts as a fixed range."""
    return network.prefixlen < (BROAD_V4 if network.version == 4 else BROAD_V6)


def is_rfc1918(network: _Range) -> bool:
    """Private address space, which AWS exempts from the question of breadth."""
    private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    return isinstance(network, IPv4Network) and any(network.subnet_of(IPv4Network(each)) for each in private)


def _internet(mentions: Mentions) -> Iterator[Network]:
    ranges = _ranges(mentions)
    narrow = [each for each in ranges if not is_broad(each)]
    starts: list[_Address] = [IPv4Address("45.83.17.9"), IPv6Address("2a02:6b8:77::9")]
    starts += [sample for each in ranges if is_broad(each) for sample in _samples(each)]
    for address in dict.fromkeys(_outside(start, narrow) for start in starts):
        if address is not None and not _is_private(address):
            yield Network(name="", context={"aws:sourceip": (str(address),)})


def _own_clouds(mentions: Mentions) -> Iterator[Network]:
    if not any(key in mentions.conditions for key in _WHERE_KEYS):
        return
    clouds = [_CLOUD, *_like(mentions.patterns("aws:sourcevpc"))]
    endpoints = [_ENDPOINT, *_like(mentions.patterns("aws:sourcevpce"))]
    yield from (_cloud(mentions, cloud, endpoint) for cloud in clouds for endpoint in endpoints)


def _like(patterns: Iterable[str]) -> list[str]:
    return [each for pattern in patterns for each in examples(pattern, ("0fedcba9876543210", ""))]


def _cloud(mentions: Mentions, cloud: str, endpoint: str, name: str = "") -> Network:
    stranger = mentions.stranger
    return Network(
        name=name,
        context={
            "aws:sourcevpc": (cloud,),
            "aws:sourcevpce": (endpoint,),
            "aws:sourcevpcarn": (f"arn:aws:ec2:us-east-1:{stranger}:vpc/{cloud}",),
            "aws:vpceaccount": (stranger,),
            "aws:vpceorgid": ("o-0strangers",),
            "aws:vpceorgpaths": ("o-0strangers/r-0000/ou-0000-00000000/",),
            "aws:vpcsourceip": ("10.11.12.13",),
        },
    )


def _named_ranges(mentions: Mentions) -> Iterator[Network]:
    ranges = _ranges(mentions)
    for each in ranges:
        if is_broad(each):
            continue
        narrower = [other for other in ranges if other != each and _inside(other, each)]
        addresses = {_outside(sample, narrower, within=each) for sample in _samples(each)} - {None}
        for address in sorted(addresses, key=str):
            if address is not None and not _is_private(address):
                yield Network(name=str(each), context={"aws:sourceip": (str(address),)}, share=_share(each))


def _ranges(mentions: Mentions) -> tuple[_Range, ...]:
    found = (match.network(value) for value in mentions.values("aws:sourceip"))
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _inside(inner: _Range, outer: _Range) -> bool:
    return inner.version == outer.version and inner.prefixlen >= outer.prefixlen and inner[0] in outer


def _share(network: _Range) -> float:
    return float(2.0 ** ((BROAD_V4 if network.version == 4 else BROAD_V6) - network.prefixlen))


def _is_private(address: _Address) -> bool:
    if isinstance(address, IPv6Address):
        return any(address in each for each in _LOCAL_V6)
    return any(address in each for each in _NOT_ON_THE_INTERNET)


def _samples(network: _Range) -> Iterator[_Address]:
    last = network.num_addresses - 1
    for offset in dict.fromkeys((min(9, last), 0, last // 2, last)):
        yield network[offset]


def _outside(start: _Address, ranges: Sequence[_Range], within: _Range | None = None) -> _Address | None:
    """The first address from `start` on that lies in none of the ranges (and still in `within`)."""
    address = start
    for _ in range(len(ranges) + 1):
        hit = next((each for each in ranges if each.version == address.version and address in each), None)
        if hit is None:
            return address if within is None or address in within else None
        behind = int(hit.broadcast_address) + 1
        if behind >= 2**address.max_prefixlen:
            return None
        address = type(address)(behind)
    return None
