"""What the keys of a request look like for each kind of caller, and how they hang together.

The strings that the solver chooses are few: an ARN, a user id, a path in an organisation, an address, an endpoint.
All other keys are parts of these (the account in the ARN *is* `aws:PrincipalAccount`), so a pattern over a key becomes
a regular expression over the string that the key is cut from. That keeps related keys together, and leaves the solver
what it is good at: is one string a member of several regular languages?

Sources: IAM User Guide, "AWS global condition context keys" and "IAM policy elements: Variables and tags" (the table of
values by principal), "IAM identifiers", "IAM and AWS STS quotas"; VPC guide, "Shared subnets" (who uses a subnet of
another account may not create endpoints there, so endpoint and VPC have one owner). Whether a root user
may carry tags, and how long an id is, is guessed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, TypeAlias

import z3

from tests.connectors.s3.oracle import texts
from tests.connectors.s3.oracle.languages import (
    EVERYTHING,
    NOTHING,
    Language,
    Letters,
    concat,
    letters,
    one,
    optional,
    repeat,
    star,
    union,
)
from tests.connectors.s3.oracle.texts import DIGITS, IDS, LOWER, NAMES, Letter, Pattern, Wildcard, language

Formula: TypeAlias = Any  # a z3.BoolRef, or a bool where it is known


class Unsupported(Exception):
    """The oracle has no opinion on such a policy."""


class Identity(StrEnum):
    """The forms of a caller; services are left out."""

    ANONYMOUS = "anonymous"
    USER = "user"
    ROLE = "role"
    ROOT = "root"
    FEDERATED = "federated"


class Network(StrEnum):
    """Where a call comes from. Each excludes the keys of the others."""

    INTERNET = "internet"
    INTERNET_6 = "internet, IPv6"
    ENDPOINT = "VPC endpoint"


class Through(StrEnum):
    """What a call goes through to get to the bucket."""

    DIRECT = "direct"
    ACCESS_POINT = "access point"
    VPC_ACCESS_POINT = "access point of a VPC"


PRINCIPAL_TYPES = {
    Identity.ANONYMOUS: "Anonymous",
    Identity.USER: "User",
    Identity.ROLE: "AssumedRole",
    Identity.ROOT: "Account",
    Identity.FEDERATED: "FederatedUser",
}

ACCOUNT = repeat(DIGITS, 12, 12)
_PATH = concat(star(one(letters("!~"))), "/")  # guessed: IAM's own form forbids little more than blanks
_NAME, _SESSION = repeat(NAMES, 1), repeat(NAMES, 2)
_ARNS = {
    Identity.USER: concat("arn:aws:iam::", ACCOUNT, ":user/", optional(_PATH), _NAME),
    Identity.ROLE: concat("arn:aws:iam::", ACCOUNT, ":role/", optional(_PATH), _NAME),
    Identity.ROOT: concat("arn:aws:iam::", ACCOUNT, ":root"),
    Identity.FEDERATED: concat("arn:aws:sts::", ACCOUNT, ":federated-user/", _SESSION),
}
_HEX = letters("09", "af")
_ORGANISATION = letters("az", "09", "-")
ORGANISATION_ID = concat("o-", repeat(LOWER, 10, 32))
_ORGANISATION_PATH = concat(
    ORGANISATION_ID,
    concat("/r-", repeat(LOWER, 4), "/"),
    star(concat("ou-", repeat(LOWER, 4), "-", repeat(LOWER, 8), "/")),
)
_REGION = concat(repeat(letters("az"), 2, 2), "-", repeat(letters("az"), 3), "-", repeat(DIGITS, 1, 1))
_POINT_NAME = concat(one(LOWER), repeat(letters("az", "09", "-"), 1), one(LOWER))


@dataclass(frozen=True, kw_only=True)
class Forms:
    """What the ids look like that AWS gives out."""

    user_id: Language
    role_id: Language
    vpc: Language
    endpoint: Language
    ipv6: Language
    root_may_have_tags: bool


# As they look today: 17 letters after the four of the kind; 8 or 17 hexadecimal digits; addresses with a first group
# that is in use, without zeros to leave out. Somebody of these forms can exist.
STRICT = Forms(
    user_id=concat("AIDA", repeat(IDS, 17, 17)),
    role_id=concat("AROA", repeat(IDS, 17, 17), ":", _SESSION),
    vpc=concat("vpc-", union(repeat(_HEX, 8, 8), repeat(_HEX, 17, 17))),
    endpoint=concat("vpce-", union(repeat(_HEX, 8, 8), repeat(_HEX, 17, 17))),
    ipv6=concat("2", repeat(_HEX, 3, 3), *[concat(":", one(letters("19", "af")), repeat(_HEX, 0, 3))] * 7),
    root_may_have_tags=False,
)
# What nothing in AWS's pages excludes. Where nobody of these forms gets in, nobody does.
LOOSE = Forms(
    user_id=concat("AIDA", repeat(IDS, 1)),
    role_id=concat("AROA", repeat(IDS, 1), ":", _SESSION),
    vpc=concat("vpc-", repeat(LOWER, 1)),
    endpoint=concat("vpce-", repeat(LOWER, 1)),
    ipv6=concat(repeat(letters("09", "af", ":"), 2)),
    root_may_have_tags=True,
)


@dataclass(frozen=True, kw_only=True)
class Value:
    """A key's value. `member` says whether it matches a pattern; what else it can be compared as, the others say."""

    member: Callable[[Pattern], Formula]
    present: Formula = True
    number: z3.ArithRef | int | None = None
    moment: datetime | None = None
    within: Callable[[IPv4Network | IPv6Network], Formula] | None = None
    constant: str | None = None  # where the value is known


@dataclass(kw_only=True)
class Case:
    """One kind of caller on one kind of road; what the solver may choose freely is in `variables`."""

    identity: Identity
    network: Network
    through: Through
    action: str
    bucket: str
    account: str  # the bucket's
    organisation: str | None
    region: str
    now: datetime
    ids: Forms = STRICT
    addresses_as_text: bool = False
    fixed: Mapping[str, str] = field(default_factory=dict)  # keys whose value is not the solver's choice
    strings: dict[str, Language] = field(default_factory=dict)  # the strings, with the form that each has
    memberships: dict[str, tuple[str, Language]] = field(default_factory=dict)  # the atoms of the formula about them
    variables: dict[str, z3.ExprRef] = field(default_factory=dict)  # everything else that the solver chooses
    forms: list[z3.BoolRef] = field(default_factory=list)  # what is true of that

    @property
    def signed(self) -> bool:
        """Does the caller have an identity?"""
        return self.identity is not Identity.ANONYMOUS

    def key(self, name: str) -> Value | None:
        """The value of a key (in lower case); None: no request of this kind carries it."""
        value = self._key(name)
        if value is None or name not in self.fixed:
            return value
        known = self.fixed[name]
        self.forms += [z3.And(value.present), z3.And(value.member(texts.literal(known)))]
        return _constant(known)

    def _key(self, name: str) -> Value | None:
        maker = _KEYS.get(name)
        if maker is not None:
            return maker(self)
        for prefix, tagged in _TAGS.items():
            if name.startswith(prefix):
                return tagged(self, name)
        raise Unsupported(name)

    def text(self, name: str, form: Language = EVERYTHING) -> "Text":
        """The solver's string of a name, of a form."""
        self.strings.setdefault(name, form)
        return Text(self, name)

    def switch(self, name: str) -> z3.BoolRef:
        """Something that is so or not."""
        return self.variables.setdefault(name, z3.Bool(name))

    def arn(self) -> "Text":
        """The ARN of a signed caller."""
        return self.text("arn", _ARNS[self.identity])

    def account_is(self, account: str) -> Formula:
        """Is the caller of an account?"""
        return _account(self).member(texts.literal(account)) if self.signed else False

    def organisation_is(self, organisation: str) -> Formula:
        """Is the caller's account a member of an organisation?"""
        value = self.key("aws:principalorgid")
        return z3.And(value.present, value.member(texts.literal(organisation))) if value else False

    def endpoint_account_is(self, account: str) -> Formula:
        """Does the call come through an endpoint of an account?"""
        value = self.key("aws:vpceaccount")
        return value.member(texts.literal(account)) if value else False

    def endpoint_organisation_is(self, organisation: str) -> Formula:
        """Does the call come through an endpoint of an organisation?"""
        value = self.key("aws:vpceorgid")
        return z3.And(value.present, value.member(texts.literal(organisation))) if value else False


@dataclass(frozen=True)
class Text:
    """One of the solver's strings."""

    case: Case
    name: str

    def within(self, form: Language) -> Formula:
        """Is it one of these?"""
        if form is NOTHING or form is EVERYTHING:
            return form is EVERYTHING
        atom = f"{self.name} in {form.serial}"
        self.case.memberships[atom] = (self.name, form)
        return z3.Bool(atom)


def _constant(text: str, **more: object) -> Value:
    return Value(member=lambda pattern: texts.matches(pattern, text), constant=text, **more)  # type: ignore[arg-type]


def _part(variable: Text, before: Language, letters: Letters, after: Language, **more: Formula) -> Value:
    """A key that is the part of a longer string between `before` and `after`."""

    def member(pattern: Pattern) -> Formula:
        inside = language(pattern, letters)
        return False if inside is NOTHING else variable.within(concat(before, inside, after))

    return Value(member=member, **more)


def _whole(variable: Text, present: Formula = True) -> Value:
    return Value(member=lambda pattern: variable.within(language(pattern)), present=present)


def _flag(case: Case, name: str, present: Formula = True) -> Value:
    on = case.switch(name)

    def member(pattern: Pattern) -> Formula:
        return choose(on, texts.matches(pattern, "true"), texts.matches(pattern, "false"))

    return Value(member=member, present=present)


def choose(on: z3.BoolRef, yes: bool, no: bool) -> Formula:
    """`yes` where `on`, else `no`."""
    if yes == no:
        return yes
    return on if yes else z3.Not(on)


def _principal_arn(case: Case) -> Value | None:
    return _whole(case.arn()) if case.signed else None


def _account(case: Case) -> Value:
    if not case.signed:
        return _constant("anonymous")
    service = "sts" if case.identity is Identity.FEDERATED else "iam"
    return _part(case.arn(), concat(f"arn:aws:{service}::"), DIGITS, concat(":", EVERYTHING))


def _username(case: Case) -> Value | None:
    if case.identity is not Identity.USER:
        return None
    return _part(case.arn(), concat(EVERYTHING, "/"), NAMES, concat())


def _user_id(case: Case) -> Value:
    if case.identity is Identity.ANONYMOUS:
        return _constant("anonymous")
    if case.identity is Identity.ROOT:
        return _account(case)
    if case.identity is Identity.FEDERATED:
        return Value(member=lambda pattern: case.arn().within(_federated_id(pattern)))
    return _whole(case.text("userid", case.ids.user_id if case.identity is Identity.USER else case.ids.role_id))


@lru_cache(maxsize=1024)
def _federated_id(pattern: Pattern) -> Language:
    """ARNs of federated users whose id, ACCOUNT:NAME, matches a pattern: it is cut wherever the colon can be."""
    cuts = []
    for place, token in enumerate(pattern):
        if isinstance(token, Letter) and token.text == ":":
            cuts.append((pattern[:place], pattern[place + 1 :]))
        elif isinstance(token, Wildcard) and ":" in token.letters:
            kept = () if token.one else (token,)
            cuts.append(((*pattern[:place], *kept), (*kept, *pattern[place + 1 :])))
    made = []
    for left, right in cuts:
        account, name = language(left, DIGITS), language(right, NAMES)
        if account is not NOTHING and name is not NOTHING:
            made.append(concat("arn:aws:sts::", account, ":federated-user/", name))
    return union(*made)


def _organisation_id(variable: str) -> Callable[[Case], Value | None]:
    def value(case: Case) -> Value | None:
        if not _has_organisation(case, variable):
            return None
        path = case.text(variable, _ORGANISATION_PATH)
        present = case.switch(f"{variable} present")
        return _part(path, concat(), _ORGANISATION, concat("/", EVERYTHING), present=present)

    return value


def _organisation_paths(variable: str) -> Callable[[Case], Value | None]:
    def value(case: Case) -> Value | None:
        if not _has_organisation(case, variable):
            return None
        return _whole(case.text(variable, _ORGANISATION_PATH), case.switch(f"{variable} present"))

    return value


def _has_organisation(case: Case, variable: str) -> bool:
    return case.signed if variable == "organisation" else case.network is Network.ENDPOINT


def _principal_tag(case: Case, name: str) -> Value | None:
    if not case.signed or (case.identity is Identity.ROOT and not case.ids.root_may_have_tags):
        return None
    return _whole(case.text(name), case.switch(f"{name} present"))


def _free(name: str) -> Callable[[Case], Value]:
    return lambda case: _whole(case.text(name), case.switch(f"{name} present"))


def _of_listing(name: str) -> Callable[[Case], Value | None]:
    return lambda case: _free(name)(case) if case.action == "s3:ListBucket" else None


def _object_tag(case: Case, name: str) -> Value | None:
    return _free(name)(case) if case.action == "s3:GetObject" else None


def _number(name: str) -> Callable[[Case], Value]:
    def value(case: Case) -> Value:
        if name not in case.variables:
            case.variables[name] = z3.Int(name)
            case.forms.append(case.variables[name] >= 0)
        return Value(member=_not_as_text, present=case.switch(f"{name} present"), number=case.variables[name])

    return value


def _max_keys(case: Case) -> Value | None:
    return _number("s3:max-keys")(case) if case.action == "s3:ListBucket" else None


def _not_as_text(pattern: Pattern) -> Formula:
    raise Unsupported("a number as text")


def _mfa(case: Case) -> Value | None:
    """Long-term keys carry no such key; federated sessions cannot prove it."""
    if not case.signed:
        return None
    present = case.switch("mfa present")
    if case.identity is Identity.FEDERATED:
        return _constant("false", present=present)
    return _flag(case, "mfa", present)


def _secure(case: Case) -> Value:
    """Access points answer to HTTPS alone."""
    return _flag(case, "secure") if case.through is Through.DIRECT else _constant("true")


def _address(variable: str, networks: frozenset[Network]) -> Callable[[Case], Value | None]:
    def value(case: Case) -> Value | None:
        if case.network not in networks:
            return None
        bits = 128 if case.network is Network.INTERNET_6 else 32
        if case.addresses_as_text:
            if bits == 128:
                return _ipv6_as_text(case.text(variable, case.ids.ipv6))
            text = case.text(variable, _IPV4)
            return Value(
                member=lambda pattern: text.within(language(pattern)),
                within=lambda net: isinstance(net, IPv4Network) and text.within(network_language(net)),
            )
        if variable not in case.variables:
            case.variables[variable] = z3.BitVec(variable, bits)
        number = case.variables[variable]
        return Value(member=_not_as_text, within=lambda net: _in_network(number, net))

    return value


def _ipv6_as_text(text: "Text") -> Value:
    """An IPv6 address that patterns are held against; of networks only all or none can be determined."""

    def within(network: IPv4Network | IPv6Network) -> Formula:
        if isinstance(network, IPv6Network) and network.prefixlen:
            raise Unsupported("IPv6 as text and as a network")
        return isinstance(network, IPv6Network)

    return Value(member=lambda pattern: text.within(language(pattern)), within=within)


def _in_network(number: z3.BitVecRef, network: IPv4Network | IPv6Network) -> Formula:
    if number.size() != network.max_prefixlen:
        return False
    low, high = int(network.network_address), int(network.broadcast_address)
    return z3.And(z3.UGE(number, low), z3.ULE(number, high))


@lru_cache(maxsize=512)
def _octet(low: int, high: int) -> Language:
    """The decimal numbers from `low` to `high`, by their last digit."""
    heads: dict[str, list[str]] = {}
    for number in range(low, high + 1):
        heads.setdefault(str(number)[:-1], []).append(str(number)[-1])
    return union(*(concat(head, one(letters(digits[0] + digits[-1]))) for head, digits in heads.items()))


@lru_cache(maxsize=512)
def network_language(network: IPv4Network) -> Language:
    """The addresses of a network, as text."""
    first, last = network.network_address.packed, network.broadcast_address.packed
    octets = [_octet(low, high) for low, high in zip(first, last, strict=True)]
    return concat(octets[0], ".", octets[1], ".", octets[2], ".", octets[3])


_IPV4 = network_language(IPv4Network("0.0.0.0/0"))
NOT_ON_THE_INTERNET = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.168.0.0/16", "224.0.0.0/3", "::/8", "fc00::/7", "fe80::/10", "ff00::/8",
    )
)  # fmt: skip


def _vpc_arn(case: Case) -> Text:
    return case.text("vpc", concat("arn:aws:ec2:", _REGION, ":", ACCOUNT, ":vpc/", case.ids.vpc))


def _at_endpoint(make: Callable[[Case], Value]) -> Callable[[Case], Value | None]:
    return lambda case: make(case) if case.network is Network.ENDPOINT else None


def _endpoint_account(case: Case) -> Value:
    return _part(_vpc_arn(case), concat("arn:aws:ec2:", _REGION, ":"), DIGITS, concat(":", EVERYTHING))


def _vpc(case: Case) -> Value:
    return _part(_vpc_arn(case), concat(EVERYTHING, ":vpc/"), letters("az", "09", "-"), concat())


def _point_arn(case: Case) -> Text:
    form = concat(f"arn:aws:s3:{case.region}:", ACCOUNT, ":accesspoint/", _POINT_NAME)
    return case.text("access point", form)


def _at_point(make: Callable[[Case], Value]) -> Callable[[Case], Value | None]:
    return lambda case: None if case.through is Through.DIRECT else make(case)


def _point_account(case: Case) -> Value:
    return _part(_point_arn(case), concat(f"arn:aws:s3:{case.region}:"), DIGITS, concat(":", EVERYTHING))


def _point_origin(case: Case) -> Value:
    return _constant("VPC" if case.through is Through.VPC_ACCESS_POINT else "Internet")


def _never(case: Case) -> None:
    """Only the call of an AWS service carries it."""


_EVERYWHERE = frozenset(Network)
_KEYS: Mapping[str, Callable[[Case], Value | None]] = {
    "aws:principalarn": _principal_arn,
    "aws:principalaccount": _account,
    "aws:principaltype": lambda case: _constant(PRINCIPAL_TYPES[case.identity]),
    "aws:userid": _user_id,
    "aws:username": _username,
    "aws:principalorgid": _organisation_id("organisation"),
    "aws:principalorgpaths": _organisation_paths("organisation"),
    "aws:principalisawsservice": lambda case: _constant("false") if case.signed else None,
    "aws:multifactorauthpresent": _mfa,
    "aws:securetransport": _secure,
    "aws:sourceip": _address("address", frozenset({Network.INTERNET, Network.INTERNET_6})),
    "aws:vpcsourceip": _address("address in a VPC", frozenset({Network.ENDPOINT})),
    "aws:sourcevpc": _at_endpoint(_vpc),
    "aws:sourcevpcarn": _at_endpoint(lambda case: _whole(_vpc_arn(case))),
    "aws:sourcevpce": _at_endpoint(lambda case: _whole(case.text("endpoint", case.ids.endpoint))),
    "aws:vpceaccount": _at_endpoint(_endpoint_account),
    "aws:vpceorgid": _organisation_id("organisation of the endpoint"),
    "aws:vpceorgpaths": _organisation_paths("organisation of the endpoint"),
    "aws:referer": _free("aws:referer"),
    "aws:useragent": _free("aws:useragent"),
    "s3:prefix": _of_listing("s3:prefix"),
    "s3:delimiter": _of_listing("s3:delimiter"),
    "s3:max-keys": _max_keys,
    "s3:dataaccesspointarn": _at_point(lambda case: _whole(_point_arn(case))),
    "s3:dataaccesspointaccount": _at_point(_point_account),
    "s3:accesspointnetworkorigin": _at_point(_point_origin),
    "aws:resourceaccount": lambda case: _constant(case.account),
    "aws:resourceorgid": lambda case: _constant(case.organisation) if case.organisation else None,
    "aws:currenttime": lambda case: Value(member=_not_as_text, moment=case.now),
    "aws:epochtime": lambda case: Value(member=_not_as_text, moment=case.now, number=int(case.now.timestamp())),
    "aws:sourcearn": _never,
    "aws:sourceaccount": _never,
    "aws:sourceorgid": _never,
    "aws:sourceorgpaths": _never,
    "aws:principalservicename": _never,
    "aws:principalservicenameslist": _never,
}
_TAGS: Mapping[str, Callable[[Case, str], Value | None]] = {
    "aws:principaltag/": _principal_tag,
    "s3:existingobjecttag/": _object_tag,
}
