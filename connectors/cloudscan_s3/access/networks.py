"""Where a request can come from: the internet, or somebody's VPC endpoint.

`aws:SourceIp` is absent from requests that come through a VPC endpoint, and `aws:SourceVpc` and `aws:SourceVpce` are
present only then (IAM User Guide, "AWS global condition context keys"), so the two are alternatives and no request has
both.

Policies list address ranges by the hundred. Two ranges that stand in the same conditions cannot be told apart by them,
so one of them is tried for all.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses

from cloudscan_s3.access import conditions
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.policy_literals import (
    STRANGERS_ORGANISATION,
    PolicyLiterals,
    examples,
    filled_account,
    is_pattern,
)

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
_OWNER_KEYS = ("aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths", "aws:sourcevpcarn")
_WHERE_KEYS = frozenset((*_OWNER_KEYS, "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:vpcsourceip"))
# What makes an address of a text with a wildcard, such as 54.*
_FILLERS = ("9", "9.9", "9.9.9", ".9.9.9", ".9.9", ".9", "9.9.9.9", "", "::9", "9::9")

_Address = IPv4Address | IPv6Address
_Range = IPv4Network | IPv6Network


@dataclass(frozen=True, kw_only=True)
class Network:
    """A place to come from, as the context keys that it sets. `name` is empty for a place open to anybody."""

    name: str
    context: Context
    alike: tuple[str, ...] = ()  # this and all the others of which the statements say the same


def anywhere(mentions: PolicyLiterals, vpc: str = "") -> tuple[Network, ...]:
    """Places that anybody can come from: an address that is not singled out, a VPC of one's own.

    `vpc` names the only network served (an access point's); then there is no such place.
    """
    return () if vpc else (*_internet(mentions), *_own_clouds(mentions))


def singled_out(mentions: PolicyLiterals, vpc: str = "") -> tuple[Network, ...]:
    """Places that the text names: address ranges that are not too broad, VPCs and endpoints by id or owner."""
    if vpc:
        endpoints = (_ENDPOINT, *mentions.literals("aws:sourcevpce"))
        return tuple(_named(vpc, _cloud(mentions, vpc, endpoint), (vpc,)) for endpoint in endpoints)
    return (*_named_ranges(mentions), *_named_texts(mentions), *_named_clouds(mentions))


def is_broad(network: _Range) -> bool:
    """Broader than what AWS accepts as a fixed range."""
    return network.prefixlen < (BROAD_V4 if network.version == 4 else BROAD_V6)


def is_rfc1918(network: _Range) -> bool:
    """Private address space, which AWS exempts from the question of breadth."""
    private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    return isinstance(network, IPv4Network) and any(network.subnet_of(IPv4Network(each)) for each in private)


def share(names: Iterable[str]) -> float:
    """How much of the internet these ranges cover together, in units of the broadest that AWS does not call public."""
    known = [each for each in map(conditions.network, names) if each is not None]
    fours = collapse_addresses(each for each in known if isinstance(each, IPv4Network))
    sixes = collapse_addresses(each for each in known if isinstance(each, IPv6Network))
    return sum(2.0 ** (BROAD_V4 - each.prefixlen) for each in fours) + sum(
        2.0 ** (BROAD_V6 - each.prefixlen) for each in sixes
    )


@dataclass(frozen=True)
class _Spot:
    """An address range, an address in it that is in no narrower one, and the conditions that list it."""

    range: _Range
    address: _Address
    listed_in: frozenset[tuple[int, str]]


def _spots(mentions: PolicyLiterals) -> Iterator[_Spot]:
    listed: dict[_Range, set[tuple[int, str]]] = {}
    for number, (_, condition) in enumerate(mentions.conditions.get("aws:sourceip", ())):
        by_range = "IpAddress" in condition.operator  # else the text is compared, and no two are alike
        for value in condition.values:
            if (network := conditions.network(value)) is not None:
                listed.setdefault(network, set()).add((number, "" if by_range else value))
    around: list[_Range] = []
    children: dict[_Range, list[_Range]] = {each: [] for each in listed}
    within: dict[_Range, frozenset[tuple[int, str]]] = {}
    for each in sorted(listed, key=lambda one: (one.version, int(one.network_address), one.prefixlen)):
        while around and not (around[-1].version == each.version and each[0] in around[-1]):
            around.pop()
        above = within[around[-1]] if around else frozenset[tuple[int, str]]()
        within[each] = above | listed[each]
        if around:
            children[around[-1]].append(each)
        around.append(each)
    for each, narrower in children.items():
        taken = (*narrower, *(_NOT_ON_THE_INTERNET if each.version == 4 else _LOCAL_V6))
        for start in (each[min(9, each.num_addresses - 1)], each[0]):
            if (address := _outside(start, taken, within=each)) is not None:
                yield _Spot(each, address, within[each])
                break


def _internet(mentions: PolicyLiterals) -> Iterator[Network]:
    spots = list(_spots(mentions))
    ranges = [conditions.network(value) for value in mentions.values("aws:sourceip")]
    narrow = [each for each in ranges if each is not None and not is_broad(each)]
    broad = [each for each in ranges if each is not None and is_broad(each)]
    starts: list[_Address] = [IPv4Address("45.83.17.9"), IPv6Address("2a02:6b8:77::9")]
    starts += {spot.listed_in: spot.address for spot in spots if is_broad(spot.range)}.values()
    starts += [behind for each in broad if (behind := _behind(each)) is not None]
    starts += [address for value, address in _texts(mentions) if not _is_fixed_text(value)]
    taken = (*narrow, *_NOT_ON_THE_INTERNET, *_LOCAL_V6)
    for address in dict.fromkeys(_outside(start, taken) for start in starts):
        if address is not None:
            yield Network(name="", context={"aws:sourceip": (str(address),)})


def _named_ranges(mentions: PolicyLiterals) -> Iterator[Network]:
    alike: dict[frozenset[tuple[int, str]], list[_Spot]] = {}
    for spot in _spots(mentions):
        if not is_broad(spot.range):
            alike.setdefault(spot.listed_in, []).append(spot)
    for spots in alike.values():
        names = tuple(str(each.range) for each in spots)
        yield _named(names[0], {"aws:sourceip": (str(spots[0].address),)}, names)


def _texts(mentions: PolicyLiterals) -> Iterator[tuple[str, _Address]]:
    """Addresses that fit a text with wildcards, which only the operators for texts understand."""
    for value in mentions.patterns("aws:sourceip"):
        filled = (value.replace("*", each, 1).replace("*", "").replace("?", "9") for each in _FILLERS)
        fitting = (conditions.address(each) for each in filled if conditions.like(value, each))
        address = next((each for each in fitting if each is not None and not _is_private(each)), None)
        if address is not None:
            yield value, address


def _is_fixed_text(value: str) -> bool:
    head = value.replace("?", "*").partition("*")[0]
    return head.count(".") >= 1 or head.count(":") >= 2


def _named_texts(mentions: PolicyLiterals) -> Iterator[Network]:
    for value, address in _texts(mentions):
        if _is_fixed_text(value):
            yield _named(value, {"aws:sourceip": (str(address),)}, (value,))


def _own_clouds(mentions: PolicyLiterals) -> Iterator[Network]:
    if not mentions.subjects & _WHERE_KEYS:
        return
    clouds = [_CLOUD, *_like(mentions.patterns("aws:sourcevpc"))]
    endpoints = [_ENDPOINT, *_like(mentions.patterns("aws:sourcevpce"))]
    owned = [{}, *(more for _, more, anybodys in _owners(mentions) if anybodys)]
    for cloud in clouds:
        for endpoint in endpoints:
            for more in owned:
                yield Network(name="", context={**_cloud(mentions, cloud, endpoint), **more})


def _named_clouds(mentions: PolicyLiterals) -> Iterator[Network]:
    clouds, endpoints = _alike(mentions, "aws:sourcevpc"), _alike(mentions, "aws:sourcevpce")
    other_clouds = (_CLOUD, *_like(mentions.patterns("aws:sourcevpc")))
    other_endpoints = (_ENDPOINT, *_like(mentions.patterns("aws:sourcevpce")))
    owners = [(name, more) for name, more, anybodys in _owners(mentions) if not anybodys]
    for more_of_owner in ({}, *(more for _, more in owners)):
        for endpoint in endpoints:
            for cloud in (*(each[0] for each in clouds), *other_clouds):
                yield _named(endpoint[0], {**_cloud(mentions, cloud, endpoint[0]), **more_of_owner}, endpoint)
        for alike in clouds:
            for each in other_endpoints:
                yield _named(alike[0], {**_cloud(mentions, alike[0], each), **more_of_owner}, alike)
    for name, more in owners:
        for cloud in other_clouds:
            for each in other_endpoints:
                yield _named(name, {**_cloud(mentions, cloud, each), **more}, (name,))


def _owners(mentions: PolicyLiterals) -> Iterator[tuple[str, Context, bool]]:
    """What is said of a VPC's or endpoint's owner: the text, the keys that fit it, and whether that can be anybody."""
    for key in _OWNER_KEYS:
        for value in mentions.values(key):
            yield from _owners_like(mentions, key, conditions.opened(value))


def _owners_like(mentions: PolicyLiterals, key: str, value: str) -> Iterator[tuple[str, Context, bool]]:
    if key == "aws:vpceaccount":
        yield value, {key: (filled_account(value, mentions.stranger),)}, is_pattern(value)
        return
    if key != "aws:sourcevpcarn":
        for example in examples(value, ("0strangers", "o-0strangers", "x", "")):
            yield value, {key: (example,)}, is_pattern(value.partition("/")[0])
        return
    parts = value.split(":", 5)
    if len(parts) == 6:
        anybodys = is_pattern(parts[4]) and is_pattern(parts[5])
        account = filled_account(parts[4], mentions.stranger)
        first = (parts[0], mentions.partition if is_pattern(parts[1]) else parts[1], "ec2")
        for region in examples(parts[3], ("us-east-1", "east-1", "1")):
            for cloud in examples(parts[5], (_CLOUD, f"vpc/{_CLOUD}", "0fedcba9876543210")):
                yield value, {key: (":".join((*first, region, account, cloud)),)}, anybodys
    elif is_pattern(value):
        yield value, {}, True


def _alike(mentions: PolicyLiterals, key: str) -> list[tuple[str, ...]]:
    """The ids that are named, joined where every condition says the same of them."""
    found: dict[tuple[bool | str, ...], list[str]] = {}
    for value in mentions.literals(key):
        answers = [
            value if condition.refers else conditions.holds(condition, {key: (value,)})
            for _, condition in mentions.conditions[key]
        ]
        found.setdefault(tuple(answers), []).append(value)
    return [tuple(each) for each in found.values()]


def _like(patterns: Iterable[str]) -> list[str]:
    return [each for pattern in patterns for each in examples(pattern, ("0fedcba9876543210", ""))]


def _named(name: str, context: Context, alike: tuple[str, ...]) -> Network:
    return Network(name=name, context=context, alike=alike)


def _cloud(mentions: PolicyLiterals, cloud: str, endpoint: str) -> dict[str, tuple[str, ...]]:
    stranger = mentions.stranger
    return {
        "aws:sourcevpc": (cloud,),
        "aws:sourcevpce": (endpoint,),
        "aws:sourcevpcarn": (f"arn:{mentions.partition}:ec2:us-east-1:{stranger}:vpc/{cloud}",),
        "aws:vpceaccount": (stranger,),
        "aws:vpceorgid": (STRANGERS_ORGANISATION,),
        "aws:vpceorgpaths": (f"{STRANGERS_ORGANISATION}/r-0000/ou-0000-00000000/",),
    }


def _behind(network: _Range) -> _Address | None:
    """The first address after a range."""
    last = int(network.broadcast_address)
    return None if last + 1 >= 2**network.max_prefixlen else type(network[0])(last + 1)


def _is_private(address: _Address) -> bool:
    return any(address in each for each in (_NOT_ON_THE_INTERNET if address.version == 4 else _LOCAL_V6))


def _outside(start: _Address, ranges: Sequence[_Range], within: _Range | None = None) -> _Address | None:
    """The first address from `start` on that lies in none of the ranges (and still in `within`)."""
    address: _Address | None = start
    for _ in range(len(ranges) + 1):
        hit = next((each for each in ranges if address is not None and address in each), None)
        if address is None or hit is None:
            return address if address is None or within is None or address in within else None
        address = _behind(hit)
    return None
