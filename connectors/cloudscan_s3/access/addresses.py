"""The addresses of the internet, as far as conditions on aws:SourceIp tell them apart.

The ranges that are listed cut the address space into stretches; within one, every condition says the same of all
addresses. So one address of each kind of stretch is enough. Where addresses are compared as texts (StringLike on
aws:SourceIp), a stretch is cut further, into what the texts tell apart.

Policies list ranges by the hundred. Ranges that are listed in the same conditions are one kind.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses

from cloudscan_s3.access import conditions
from cloudscan_s3.access.condition_texts import like, texts_named
from cloudscan_s3.access.forms import Comparison, Form, Segment, classes
from cloudscan_s3.access.policy import Condition
from cloudscan_s3.access.policy_literals import PolicyLiterals
from cloudscan_s3.access.texts import EVERYTHING, Piece, TextSet, either, expression, one_of, text, then, times

BROAD_V4, BROAD_V6 = 8, 32  # User Guide, "The meaning of public": broader ranges than these are public
SOURCE_IP = "aws:sourceip"

Address = IPv4Address | IPv6Address
Range = IPv4Network | IPv6Network

# Requests from these addresses reach S3 through a VPC endpoint only, and then carry no aws:SourceIp.
_OFF_THE_INTERNET: Sequence[Range] = (
    *map(
        IPv4Network,
        (
            "0.0.0.0/32",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
        ),
    ),
    *map(IPv6Network, ("::/127", "fc00::/7", "fe80::/10")),
)
_EXAMPLES: Sequence[Address] = (IPv4Address("45.83.17.9"), IPv6Address("2a02:6b8:77::9"))


@dataclass(frozen=True, kw_only=True)
class AddressKind:
    """Addresses of which all conditions say the same."""

    address: str  # one of them
    names: tuple[str, ...] = ()  # the ranges, as written, that single them out; empty: nothing does


@dataclass(frozen=True, kw_only=True)
class AddressKinds:
    """One address of each kind. Not `complete` where some kinds may be missing."""

    kinds: Sequence[AddressKind]
    complete: bool = True

    @property
    def open_to_anyone(self) -> Iterator[AddressKind]:
        """Those that no narrow range singles out."""
        return (kind for kind in self.kinds if not kind.names)

    @property
    def named(self) -> Iterator[AddressKind]:
        """Those that the text singles out."""
        return (kind for kind in self.kinds if kind.names)


def is_broad(network: Range) -> bool:
    """Is a range broader than what AWS accepts as fixed?"""
    return network.prefixlen < (BROAD_V4 if network.version == 4 else BROAD_V6)


def is_rfc1918(network: Range) -> bool:
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


def address_kinds(literals: PolicyLiterals) -> AddressKinds:
    """One address of each kind that the conditions on aws:SourceIp tell apart, of those that the internet has."""
    compared = [condition for _, condition in literals.conditions.get(SOURCE_IP, ())]
    ranges = [condition for condition in compared if "IpAddress" in condition.operator]
    texts = [condition for condition in compared if condition not in ranges and condition.operator != "Null"]
    return _kinds_by_text(ranges, texts) if texts else AddressKinds(kinds=list(_kinds_by_range(ranges)))


_Listing = frozenset[int]  # the conditions that list a range


@dataclass
class _Node:
    """A range, with those that lie directly in it."""

    range: Range
    listing: _Listing = frozenset()  # with that of all ranges around it
    singled_out: Range | None = None  # the narrowest range around that is narrow enough to count as named
    on_the_internet: bool = True
    inner: list["_Node"] = field(default_factory=list)

    def stretches(self) -> Iterator[tuple[Address, Address]]:
        """What is in this range and in none of the inner ones: first and last address."""
        kind = type(self.range[0])
        start = int(self.range[0])
        for node in self.inner:
            if start < int(node.range[0]):
                yield kind(start), kind(int(node.range[0]) - 1)
            start = int(node.range[-1]) + 1
        if start <= int(self.range[-1]):
            yield kind(start), self.range[-1]


def _kinds_by_range(ranges: Sequence[Condition]) -> Iterator[AddressKind]:
    """One kind for the stretches that the same conditions list and that are named, or not, alike."""
    examples: dict[tuple[_Listing, bool], Address] = {}
    names: dict[tuple[_Listing, bool], dict[str, None]] = {}
    for node in _nested(_listings(ranges)):
        if not node.on_the_internet:
            continue
        kind = (node.listing, node.singled_out is not None)
        for first, last in node.stretches():
            preferred = next((one for one in _EXAMPLES if _is_between(one, first, last)), None)
            ninth = type(first)(min(int(first) + 9, int(last)))
            if kind not in examples or (preferred is not None and examples[kind] not in _EXAMPLES):
                examples[kind] = preferred or ninth
            if node.singled_out is not None:
                names.setdefault(kind, {})[str(node.singled_out)] = None
    for kind, address in examples.items():
        yield AddressKind(address=str(address), names=tuple(names.get(kind, ())))


def _is_between(address: Address, first: Address, last: Address) -> bool:
    return address.version == first.version and int(first) <= int(address) <= int(last)


def _listings(ranges: Sequence[Condition]) -> Mapping[Range, set[int]]:
    listed: dict[Range, set[int]] = {}
    for number, condition in enumerate(ranges):
        for value in condition.values:
            if (network := conditions.network(value)) is not None:
                listed.setdefault(network, set()).add(number)
    return listed


def _nested(listed: Mapping[Range, set[int]]) -> Sequence[_Node]:
    """Every range, and the whole of either address space; of two ranges one contains the other, or they are apart."""
    whole: Sequence[Range] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
    every = sorted(
        {*whole, *_OFF_THE_INTERNET, *listed}, key=lambda one: (one.version, int(one.network_address), one.prefixlen)
    )
    nodes: list[_Node] = []
    around: list[_Node] = []
    for one in every:
        while around and not (around[-1].range.version == one.version and one[0] in around[-1].range):
            around.pop()
        outer = around[-1] if around else _Node(one)
        node = _Node(
            one,
            listing=outer.listing | listed.get(one, set()),
            singled_out=one if one in listed and not is_broad(one) else outer.singled_out,
            on_the_internet=outer.on_the_internet and one not in _OFF_THE_INTERNET,
        )
        if around:
            outer.inner.append(node)
        around.append(node)
        nodes.append(node)
    return nodes


def _kinds_by_text(ranges: Sequence[Condition], texts: Sequence[Condition]) -> AddressKinds:
    """Where addresses are compared as texts too, all is asked of their texts."""
    found: list[AddressKind] = []
    complete = True
    for form, space in ((_V4_FORM, 4), (_V6_FORM, 6)):
        listings = [
            [one for one in map(conditions.network, each.values) if one and one.version == space] for each in ranges
        ]
        if space == 6 and any(one.prefixlen for listed in listings for one in listed):
            complete = False  # ranges of the newer addresses are not said in texts
            continue
        apart = [Comparison(((_READING, _written(listed)),)) for listed in listings if listed]
        for condition in texts:
            sets = texts_named(condition.operator, tuple(value for value in condition.values if "${" not in value))
            complete = complete and sets is not None and not condition.refers
            apart.append(Comparison(tuple((_READING, one) for one in sets or ())))
        off = _written([one for one in _OFF_THE_INTERNET if one.version == space])
        here = [*apart, Comparison(((_READING, off),), wanted=False)]
        groups = _named_together(listings, texts)
        taken = tuple((_READING, one) for _, one in groups)
        for names, wanted in (((), Comparison(taken, wanted=False)), *_each_wanted(groups)):
            drawn = classes(form, [*here, wanted])
            found += [AddressKind(address=spelling[0], names=names) for spelling in drawn.spellings]
            complete = complete and drawn.complete
    return AddressKinds(kinds=found, complete=complete)


def _named_together(
    listings: Sequence[Sequence[Range]], texts: Sequence[Condition]
) -> Sequence[tuple[tuple[str, ...], TextSet]]:
    """Narrow ranges that the same conditions list, and the beginnings of addresses that a condition compares with."""
    listed_in: dict[Range, tuple[int, ...]] = {}
    for number, listed in enumerate(listings):
        for one in dict.fromkeys(listed):
            if not is_broad(one):
                listed_in[one] = (*listed_in.get(one, ()), number)
    together: dict[tuple[int, ...], list[Range]] = {}
    for one, numbers in listed_in.items():
        together.setdefault(numbers, []).append(one)
    written = [(tuple(map(str, ranges)), _written(ranges)) for ranges in together.values()]
    for condition in texts:
        values = tuple(value for value in condition.values if _is_fixed_text(value))
        if values:
            written.append((values, expression(either(*map(like, values)))))
    return written


def _each_wanted(
    groups: Sequence[tuple[tuple[str, ...], TextSet]],
) -> Iterator[tuple[tuple[str, ...], Comparison]]:
    return ((names, Comparison(((_READING, texts),), wanted=True)) for names, texts in groups)


_DIGITS = "0123456789"
_BYTE = either(
    one_of(_DIGITS),
    then(one_of("123456789"), one_of(_DIGITS)),
    then(text("1"), times(2, one_of(_DIGITS))),
    then(text("2"), one_of("01234"), one_of(_DIGITS)),
    then(text("25"), one_of("012345")),
)
_GROUP = then(one_of("123456789abcdef"), *[either(then(), one_of(f"{_DIGITS}abcdef"))] * 3)
_GLOBAL_GROUP = then(one_of("23"), times(3, one_of(f"{_DIGITS}abcdef")))  # of 2000::/3, which is all that is in use
_READING = (0,)


def _v6() -> Piece:
    """Addresses as they are usually written: in full where no group is zero, else with the zeros left out."""

    def groups(number: int) -> Piece:
        return then(*[then(text(":"), _GROUP)] * number)

    shortened = (
        then(groups(before), text("::"), *([_GROUP, groups(behind - 1)] if behind else []))
        for before in range(6)
        for behind in range(6 - before)
    )
    return then(_GLOBAL_GROUP, either(groups(7), *shortened))


_V4_FORM = Form(
    (Segment(expression(then(_BYTE, *[then(text("."), _BYTE)] * 3)), str(_EXAMPLES[0])),), ((SOURCE_IP, (0,)),)
)
_V6_FORM = Form((Segment(expression(_v6()), "2a02:6b8:77::9"),), ((SOURCE_IP, (0,)),))


def _written(ranges: Sequence[Range]) -> TextSet:
    """Address ranges as texts; of the newer addresses only the whole space."""
    if any(one.prefixlen == 0 for one in ranges):
        return EVERYTHING
    return expression(either(*(_written_v4(one) for one in ranges if isinstance(one, IPv4Network))))


def _written_v4(network: IPv4Network) -> Piece:
    first, last = network[0].packed, network[-1].packed
    parts = [
        _BYTE if (low, high) == (0, 255) else either(*(text(str(number)) for number in range(low, high + 1)))
        for low, high in zip(first, last, strict=True)
    ]
    return then(parts[0], *(then(text("."), part) for part in parts[1:]))


def _is_fixed_text(value: str) -> bool:
    """Does a text with wildcards begin with enough of an address to name a network?"""
    head = value.replace("?", "*").partition("*")[0]
    return head.count(".") >= 1 or head.count(":") >= 2
