"""Where a request can come from: the internet, or a VPC endpoint.

`aws:SourceIp` is absent from requests that come through a VPC endpoint, and `aws:SourceVpc` and `aws:SourceVpce` are
present only then (IAM User Guide, "AWS global condition context keys"), so the two are alternatives and no request has
both.

Policies list address ranges by the hundred. Ranges that are listed in the same conditions cannot be told apart by
them, so one of them is tried for all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses
from itertools import product

from cloudscan_s3.access import conditions
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.policy_literals import (
    UNMENTIONED_ORGANISATION,
    PolicyLiterals,
    examples,
    filled_account,
    is_pattern,
)

BROAD_V4, BROAD_V6 = 8, 32  # User Guide, "The meaning of public": broader ranges than these are public

# Requests from these addresses reach S3 through a VPC endpoint only, and then carry no aws:SourceIp.
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
_NOT_ON_THE_INTERNET_V6 = tuple(IPv6Network(text) for text in ("::/127", "fc00::/7", "fe80::/10"))
_VPC, _ENDPOINT = "vpc-0fedcba9876543210", "vpce-0fedcba9876543210"
_OWNER_KEYS = ("aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths", "aws:sourcevpcarn")
_NETWORK_KEYS = (*_OWNER_KEYS, "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:vpcsourceip")
# What makes an address of a text with a wildcard, such as 54.*
_FILLERS = ("9", "9.9", "9.9.9", ".9.9.9", ".9.9", ".9", "9.9.9.9", "", "::9", "9::9")

_Address = IPv4Address | IPv6Address
_Range = IPv4Network | IPv6Network
_Listing = frozenset[tuple[int, str]]  # the conditions that list a range, and the text where texts are compared


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network to call from, as the context keys that it sets. `name` is empty for one that is open to anyone."""

    name: str
    context: Context
    alike: tuple[str, ...] = ()  # this and all the others of which the statements say the same


def open_to_anyone(literals: PolicyLiterals, vpc: str = "") -> tuple[Network, ...]:
    """Networks that anyone can call from: an address that the text does not single out, a VPC of one's own.

    `vpc` names the only network served (an access point's); then there is none.
    """
    return () if vpc else (*_internet(literals), *_own_vpcs(literals))


def named(literals: PolicyLiterals, vpc: str = "") -> tuple[Network, ...]:
    """Networks that the text names: address ranges that are not too broad, VPCs and endpoints by id or owner."""
    if vpc:
        endpoints = (_ENDPOINT, *literals.fixed("aws:sourcevpce"))
        contexts = (_vpc_context(literals, vpc, endpoint) for endpoint in endpoints)
        return tuple(Network(name=vpc, context=context, alike=(vpc,)) for context in contexts)
    return (*_named_ranges(literals), *_named_texts(literals), *_named_vpcs(literals))


def is_broad(network: _Range) -> bool:
    """Is a range broader than what AWS accepts as fixed?"""
    return network.prefixlen < (BROAD_V4 if network.version == 4 else BROAD_V6)


def is_rfc1918(network: _Range) -> bool:
    """Is a range in private address space, which AWS exempts from the question of breadth?"""
    private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    return isinstance(network, IPv4Network) and any(network.subnet_of(IPv4Network(text)) for text in private)


def share(names: Iterable[str]) -> float:
    """How much of the internet these ranges cover together, in units of the broadest that AWS does not call public."""
    ranges = [network for network in map(conditions.network, names) if network is not None]
    fours = collapse_addresses(network for network in ranges if isinstance(network, IPv4Network))
    sixes = collapse_addresses(network for network in ranges if isinstance(network, IPv6Network))
    return sum(2.0 ** (BROAD_V4 - network.prefixlen) for network in fours) + sum(
        2.0 ** (BROAD_V6 - network.prefixlen) for network in sixes
    )


@dataclass(frozen=True)
class _ListedRange:
    """An address range, an address in it that is in no narrower one, and the conditions that list it."""

    range: _Range
    address: _Address
    listed_in: _Listing


def _listed_ranges(literals: PolicyLiterals) -> Iterator[_ListedRange]:
    """Every range in a condition on aws:SourceIp. A range counts as listed wherever one around it is."""
    listed = _listings(literals)
    around: list[_Range] = []  # the ranges that contain the present one, the widest first
    narrower: dict[_Range, list[_Range]] = {network: [] for network in listed}
    listed_in: dict[_Range, _Listing] = {}
    for network in sorted(listed, key=lambda net: (net.version, int(net.network_address), net.prefixlen)):
        while around and not (around[-1].version == network.version and network[0] in around[-1]):
            around.pop()
        above = listed_in[around[-1]] if around else _Listing()
        listed_in[network] = above | listed[network]
        if around:
            narrower[around[-1]].append(network)
        around.append(network)
    for network, inner in narrower.items():
        taken = (*inner, *(_NOT_ON_THE_INTERNET if network.version == 4 else _NOT_ON_THE_INTERNET_V6))
        for start in (network[min(9, network.num_addresses - 1)], network[0]):
            if (address := _first_outside(taken, start, within=network)) is not None:
                yield _ListedRange(network, address, listed_in[network])
                break


def _listings(literals: PolicyLiterals) -> Mapping[_Range, set[tuple[int, str]]]:
    listed: dict[_Range, set[tuple[int, str]]] = {}
    for number, (_, condition) in enumerate(literals.conditions.get("aws:sourceip", ())):
        by_range = "IpAddress" in condition.operator  # else the text is compared, and no two are alike
        for value in condition.values:
            if (network := conditions.network(value)) is not None:
                listed.setdefault(network, set()).add((number, "" if by_range else value))
    return listed


def _internet(literals: PolicyLiterals) -> Iterator[Network]:
    """Addresses outside all narrow ranges: some of ours, one in each kind of broad range, one just after each."""
    ranges = [network for network in map(conditions.network, literals.values("aws:sourceip")) if network is not None]
    narrow = [network for network in ranges if not is_broad(network)]
    broad = [network for network in ranges if is_broad(network)]
    starts: list[_Address] = [IPv4Address("45.83.17.9"), IPv6Address("2a02:6b8:77::9")]
    broad_listed = (listed for listed in _listed_ranges(literals) if is_broad(listed.range))
    starts += {listed.listed_in: listed.address for listed in broad_listed}.values()
    starts += [address for network in broad if (address := _first_after(network)) is not None]
    starts += [address for value, address in _text_patterns(literals) if not _is_fixed_text(value)]
    taken = (*narrow, *_NOT_ON_THE_INTERNET, *_NOT_ON_THE_INTERNET_V6)
    for address in dict.fromkeys(_first_outside(taken, start) for start in starts):
        if address is not None:
            yield Network(name="", context={"aws:sourceip": (str(address),)})


def _named_ranges(literals: PolicyLiterals) -> Iterator[Network]:
    """One network for all narrow ranges that are listed in the same conditions."""
    by_listing: dict[_Listing, list[_ListedRange]] = {}
    for listed in _listed_ranges(literals):
        if not is_broad(listed.range):
            by_listing.setdefault(listed.listed_in, []).append(listed)
    for alike in by_listing.values():
        names = tuple(str(listed.range) for listed in alike)
        yield Network(name=names[0], context={"aws:sourceip": (str(alike[0].address),)}, alike=names)


def _text_patterns(literals: PolicyLiterals) -> Iterator[tuple[str, _Address]]:
    """Addresses that fit a text with wildcards, which only the operators for texts understand."""
    for value in literals.patterns("aws:sourceip"):
        filled = (value.replace("*", filler, 1).replace("*", "").replace("?", "9") for filler in _FILLERS)
        addresses = (conditions.address(text) for text in filled if conditions.like(value, text))
        address = next((known for known in addresses if known is not None and not _is_off_the_internet(known)), None)
        if address is not None:
            yield value, address


def _is_fixed_text(value: str) -> bool:
    head = value.replace("?", "*").partition("*")[0]
    return head.count(".") >= 1 or head.count(":") >= 2


def _named_texts(literals: PolicyLiterals) -> Iterator[Network]:
    for value, address in _text_patterns(literals):
        if _is_fixed_text(value):
            yield Network(name=value, context={"aws:sourceip": (str(address),)}, alike=(value,))


def _own_vpcs(literals: PolicyLiterals) -> Iterator[Network]:
    """VPCs that anyone can make: with ids that fit the patterns, and owners that anyone can be."""
    if not literals.depend_on(*_NETWORK_KEYS):
        return
    vpcs = [_VPC, *_ids_like(literals.patterns("aws:sourcevpc"))]
    endpoints = [_ENDPOINT, *_ids_like(literals.patterns("aws:sourcevpce"))]
    owners: list[Context] = [{}, *(owner.context for owner in _owners(literals) if owner.anyone)]
    for vpc, endpoint, owner in product(vpcs, endpoints, owners):
        yield Network(name="", context={**_vpc_context(literals, vpc, endpoint), **owner})


def _named_vpcs(literals: PolicyLiterals) -> Iterator[Network]:
    """Endpoints by id, VPCs by id, and VPCs by owner; each with every owner that the text names."""
    vpcs, endpoints = _alike_ids(literals, "aws:sourcevpc"), _alike_ids(literals, "aws:sourcevpce")
    other_vpcs = (_VPC, *_ids_like(literals.patterns("aws:sourcevpc")))
    other_endpoints = (_ENDPOINT, *_ids_like(literals.patterns("aws:sourcevpce")))
    named_owners = [owner for owner in _owners(literals) if not owner.anyone]
    no_owner: Context = {}
    for owner in (no_owner, *(named_owner.context for named_owner in named_owners)):
        for alike in endpoints:
            for vpc in (*(ids[0] for ids in vpcs), *other_vpcs):
                context = {**_vpc_context(literals, vpc, alike[0]), **owner}
                yield Network(name=alike[0], context=context, alike=alike)
        for alike, endpoint in product(vpcs, other_endpoints):
            context = {**_vpc_context(literals, alike[0], endpoint), **owner}
            yield Network(name=alike[0], context=context, alike=alike)
    for named_owner, vpc, endpoint in product(named_owners, other_vpcs, other_endpoints):
        context = {**_vpc_context(literals, vpc, endpoint), **named_owner.context}
        yield Network(name=named_owner.text, context=context, alike=(named_owner.text,))


@dataclass(frozen=True)
class _VpcOwner:
    """What a condition says of the owner of a VPC or endpoint."""

    text: str
    context: Context  # keys that fit the text
    anyone: bool  # can anyone be such an owner?


def _owners(literals: PolicyLiterals) -> Iterator[_VpcOwner]:
    for key in _OWNER_KEYS:
        for value in literals.values(key):
            yield from _owners_like(literals, key, conditions.with_wildcards(value))


def _owners_like(literals: PolicyLiterals, key: str, value: str) -> Iterator[_VpcOwner]:
    if key == "aws:vpceaccount":
        account = filled_account(value, literals.unmentioned_account)
        yield _VpcOwner(value, {key: (account,)}, is_pattern(value))
        return
    if key != "aws:sourcevpcarn":
        for example in examples(value, ("0strangers", "o-0strangers", "x", "")):
            yield _VpcOwner(value, {key: (example,)}, is_pattern(value.partition("/")[0]))
        return
    parts = value.split(":", 5)
    if len(parts) == 6:
        anyone = is_pattern(parts[4]) and is_pattern(parts[5])
        account = filled_account(parts[4], literals.unmentioned_account)
        first = (parts[0], literals.partition if is_pattern(parts[1]) else parts[1], "ec2")
        for region in examples(parts[3], ("us-east-1", "east-1", "1")):
            for vpc in examples(parts[5], (_VPC, f"vpc/{_VPC}", "0fedcba9876543210")):
                yield _VpcOwner(value, {key: (":".join((*first, region, account, vpc)),)}, anyone)
    elif is_pattern(value):
        yield _VpcOwner(value, {}, True)


def _alike_ids(literals: PolicyLiterals, key: str) -> list[tuple[str, ...]]:
    """The ids that are named, joined where every condition says the same of them."""
    by_answers: dict[tuple[bool | str, ...], list[str]] = {}
    for value in literals.fixed(key):
        answers = [
            value if condition.refers else conditions.is_met(condition, {key: (value,)})
            for _, condition in literals.conditions[key]
        ]
        by_answers.setdefault(tuple(answers), []).append(value)
    return [tuple(ids) for ids in by_answers.values()]


def _ids_like(patterns: Iterable[str]) -> list[str]:
    return [example for pattern in patterns for example in examples(pattern, ("0fedcba9876543210", ""))]


def _vpc_context(literals: PolicyLiterals, vpc: str, endpoint: str) -> dict[str, tuple[str, ...]]:
    account = literals.unmentioned_account
    return {
        "aws:sourcevpc": (vpc,),
        "aws:sourcevpce": (endpoint,),
        "aws:sourcevpcarn": (f"arn:{literals.partition}:ec2:us-east-1:{account}:vpc/{vpc}",),
        "aws:vpceaccount": (account,),
        "aws:vpceorgid": (UNMENTIONED_ORGANISATION,),
        "aws:vpceorgpaths": (f"{UNMENTIONED_ORGANISATION}/r-0000/ou-0000-00000000/",),
    }


def _first_after(network: _Range) -> _Address | None:
    """The first address after a range; None for the last range of all."""
    last = int(network.broadcast_address)
    return None if last + 1 >= 2**network.max_prefixlen else type(network[0])(last + 1)


def _is_off_the_internet(address: _Address) -> bool:
    ranges: Sequence[_Range] = _NOT_ON_THE_INTERNET if address.version == 4 else _NOT_ON_THE_INTERNET_V6
    return any(address in network for network in ranges)


def _first_outside(ranges: Sequence[_Range], start: _Address, within: _Range | None = None) -> _Address | None:
    """The first address from `start` upwards that is in none of the ranges (and still in `within`)."""
    address: _Address | None = start
    for _ in range(len(ranges) + 1):
        hit = next((network for network in ranges if address is not None and address in network), None)
        if address is None or hit is None:
            return address if address is None or within is None or address in within else None
        address = _first_after(hit)
    return None
