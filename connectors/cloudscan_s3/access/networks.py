"""Where a request can come from: the internet, or a VPC endpoint.

`aws:SourceIp` is absent from requests that come through a VPC endpoint, and `aws:SourceVpc` and `aws:SourceVpce` are
present only then (IAM User Guide, "AWS global condition context keys"), so the two are alternatives and no request has
both. AWS sets the keys from the endpoint: nobody can call from a VPC or endpoint whose id, account or organisation a
policy names, but those to whom it belongs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from string import ascii_lowercase, digits, hexdigits

from cloudscan_s3.access import conditions
from cloudscan_s3.access.addresses import SOURCE_IP, AddressKinds, address_kinds
from cloudscan_s3.access.condition_texts import texts_named
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.forms import Comparison, Form, Segment, classes
from cloudscan_s3.access.policy_literals import TWELVE_DIGITS, PolicyLiterals
from cloudscan_s3.access.shapes import Shape, any_account, fixed, no_organisation, organisation
from cloudscan_s3.access.texts import at_least, either, expression, one_of, text, then, times, words

_VPC, _ENDPOINT = "vpc-0fedcba9876543210", "vpce-0fedcba9876543210"
_ID = either(times(8, one_of(hexdigits.lower())), times(17, one_of(hexdigits.lower())))
_VPC_ID = expression(then(text("vpc-"), _ID))
_ENDPOINT_ID = expression(then(text("vpce-"), _ID))
_REGION = expression(at_least(1, one_of(f"{ascii_lowercase}{digits}-")))
_OWNER_KEYS = ("aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths", "aws:sourcevpcarn")
_KEYS = (*_OWNER_KEYS, "aws:sourcevpc", "aws:sourcevpce", SOURCE_IP, "aws:vpcsourceip")


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network to call from, as the context keys that it sets. `name` is empty for one that is open to anyone."""

    name: str
    context: Context
    alike: tuple[str, ...] = ()  # this and all the others of which the statements say the same
    account: str = ""  # whose it is, where a statement says so
    organisation: str = ""  # the same


@dataclass(frozen=True)
class Networks:
    """The networks that a set of policies tells apart."""

    literals: PolicyLiterals
    vpc: str = ""  # the only VPC that is served; empty: all are
    endpoints_only: bool = False  # nothing is served but what comes through a VPC endpoint

    @cached_property
    def open_to_anyone(self) -> tuple[Network, ...]:
        """Networks that anyone can call from: an address that the text does not single out, a VPC of one's own."""
        if self.vpc:
            return ()
        addresses = () if self.endpoints_only else (_at(kind.address) for kind in self._addresses.open_to_anyone)
        return (*addresses, *self._vpcs.open_to_anyone)

    @cached_property
    def named(self) -> tuple[Network, ...]:
        """Networks that the text names: address ranges that are not too broad, VPCs and endpoints by id or owner."""
        if self.vpc:
            return tuple(self._vpcs.only(self.vpc))
        addresses = () if self.endpoints_only else (_at(kind.address, kind.names) for kind in self._addresses.named)
        return (*addresses, *self._vpcs.named)

    @property
    def complete(self) -> bool:
        """Are these all the networks that the text tells apart?"""
        _ = (self.open_to_anyone, self.named)  # only then it is known of the endpoints
        return (bool(self.vpc) or self.endpoints_only or self._addresses.complete) and self._vpcs.complete

    @cached_property
    def _addresses(self) -> AddressKinds:
        return address_kinds(self.literals)

    @cached_property
    def _vpcs(self) -> "_Vpcs":
        return _Vpcs(self.literals, wanted=self.endpoints_only)


def _at(address: str, names: tuple[str, ...] = ()) -> Network:
    return Network(name=names[0] if names else "", context={SOURCE_IP: (address,)}, alike=names)


class _Vpcs:
    """VPC endpoints: their own id, the VPC's, the region, and whose they are."""

    def __init__(self, literals: PolicyLiterals, *, wanted: bool) -> None:
        self.complete = True
        self._wanted = wanted or literals.depend_on(*_KEYS)  # else the internet stands for them as well
        self._literals = literals
        self._vpc_ids = frozenset((*literals.fixed("aws:sourcevpc"), *_vpcs_in(literals.values("aws:sourcevpcarn"))))
        self._endpoint_ids = frozenset(literals.fixed("aws:sourcevpce"))
        arns = literals.values("aws:vpceaccount", "aws:sourcevpcarn")
        self._accounts = tuple(dict.fromkeys(number for text in arns for number in TWELVE_DIGITS.findall(text)))
        heads = (value.partition("/")[0] for value in literals.values("aws:vpceorgpaths"))
        named = (*literals.fixed("aws:vpceorgid"), *(head for head in heads if not conditions.is_wild(head)))
        own_estate = literals.own_estate
        self._ours = own_estate.accounts
        self._our_organisations = own_estate.organisations
        matter = literals.depend_on("aws:vpceorgid", "aws:vpceorgpaths")
        self._organisations = tuple(dict.fromkeys((*named, *(sorted(self._our_organisations) if matter else ()))))

    @cached_property
    def open_to_anyone(self) -> tuple[Network, ...]:
        """Endpoints that anyone can make for themselves, of all kinds that the text tells apart."""
        if not self._wanted:
            return ()
        contexts = self._contexts(self._unnamed(self._endpoint()), self._strangers_organisation())
        return tuple(Network(name="", context=context) for context in contexts)

    @cached_property
    def named(self) -> tuple[Network, ...]:
        """Endpoints that the text names by their id, their VPC's, or their owner's."""
        return (*self._by_id(), *self._by_owner())

    def only(self, vpc: str) -> Iterator[Network]:
        """The endpoints of one VPC."""
        anywhere = self._endpoint(vpc=fixed(vpc))
        for context in self._contexts(anywhere, self._any_organisation()):
            yield Network(name=vpc, context=context, alike=(vpc,))

    def _by_id(self) -> Iterator[Network]:
        for alike in _alike(self._literals, "aws:sourcevpce"):
            shape = self._endpoint(endpoint=fixed(alike[0]))
            for context in self._contexts(shape, self._any_organisation()):
                yield Network(name=alike[0], context=context, alike=alike)
        by_arn = [(vpc,) for vpc in sorted(self._vpc_ids - set(self._literals.fixed("aws:sourcevpc")))]
        for alike in (*_alike(self._literals, "aws:sourcevpc"), *by_arn):
            shape = self._endpoint(vpc=fixed(alike[0])).limited(
                "aws:sourcevpce", words(self._endpoint_ids), wanted=False
            )
            for context in self._contexts(shape, self._any_organisation()):
                yield Network(name=alike[0], context=context, alike=alike)

    def _by_owner(self) -> Iterator[Network]:
        for account in self._accounts:
            shape = self._without_named_ids(self._endpoint(account=fixed(account)))
            for context in self._contexts(shape, self._any_organisation()):
                yield Network(name=account, context=context, alike=(account,), account=account)
        if self._literals.patterns("aws:vpceaccount") or self._literals.patterns("aws:sourcevpcarn"):
            ours = Segment(words(self._ours - set(self._accounts)))
            for context in self._contexts(
                self._without_named_ids(self._endpoint(account=ours)), self._any_organisation()
            ):
                account = context["aws:vpceaccount"][0]
                yield Network(name=account, context=context, alike=(account,), account=account)
        for name in self._organisations:
            for context in self._contexts(self._unnamed(self._endpoint()), (_organisation(fixed(name)),)):
                yield Network(name=name, context=context, alike=(name,), organisation=name)

    def _endpoint(
        self, *, account: Segment | None = None, vpc: Segment | None = None, endpoint: Segment | None = None
    ) -> Shape:
        arn = (f"arn:{self._literals.partition}:ec2:", 0, ":", 1, ":vpc/", 2)
        return Shape(
            form=Form(
                (
                    Segment(_REGION, "us-east-1"),
                    account or any_account(self._literals.unmentioned_account),
                    vpc or Segment(_VPC_ID, _VPC),
                    endpoint or Segment(_ENDPOINT_ID, _ENDPOINT),
                ),
                (
                    ("aws:sourcevpcarn", arn),
                    ("aws:vpceaccount", (1,)),
                    ("aws:sourcevpc", (2,)),
                    ("aws:sourcevpce", (3,)),
                ),
            )
        )

    def _without_named_ids(self, shape: Shape) -> Shape:
        shape = shape.limited("aws:sourcevpc", words(self._vpc_ids), wanted=False)
        return shape.limited("aws:sourcevpce", words(self._endpoint_ids), wanted=False)

    def _unnamed(self, shape: Shape) -> Shape:
        """Endpoints of accounts that are not ours and that no statement names."""
        taken = (words(frozenset(self._accounts)), words(self._ours))
        return self._without_named_ids(shape).limited("aws:vpceaccount", *taken, wanted=False)

    def _any_organisation(self) -> tuple[Shape, ...]:
        """No organisation or any: whose the endpoint is, is not known."""
        return (no_organisation(), _organisation()) if self._organisations_matter else (no_organisation(),)

    def _strangers_organisation(self) -> tuple[Shape, ...]:
        if not self._organisations_matter:
            return (no_organisation(),)
        taken = words(frozenset((*self._organisations, *self._our_organisations)))
        return (no_organisation(), _organisation().limited("aws:vpceorgid", taken, wanted=False))

    @cached_property
    def _organisations_matter(self) -> bool:
        return self._literals.depend_on("aws:vpceorgid", "aws:vpceorgpaths")

    def _contexts(self, endpoint: Shape, homes: Sequence[Shape]) -> Iterator[Context]:
        """The keys of one endpoint of each kind that the text tells apart."""
        spelled = self._spellings(endpoint)
        at_home = [context for home in homes for context in self._spellings(home)]
        return ({**one, **other} for one, other in product(spelled, at_home))

    def _spellings(self, shape: Shape) -> Sequence[Context]:
        tests = list(shape.tests)
        for key, _ in shape.form.readings:
            reading = shape.form.reading(key)
            for _, condition in self._literals.conditions.get(key, ()):
                values = tuple(value for value in condition.values if not conditions.variables_in(value))
                sets = texts_named(condition.operator, values)
                if sets is None:
                    self.complete = self.complete and condition.operator == "Null"
                elif reading is not None:
                    tests.append(Comparison(tuple((reading, one) for one in sets)))
        found = classes(shape.form, tests)
        self.complete = self.complete and found.complete
        return [shape.context(spelling) for spelling in found.spellings]


def _organisation(name: Segment | None = None) -> Shape:
    return organisation(name, "aws:vpce")


def _vpcs_in(arns: Sequence[str]) -> Iterator[str]:
    tails = (arn.rpartition(":vpc/")[2] for arn in arns if ":vpc/" in arn)
    return (tail for tail in tails if tail and not conditions.is_wild(tail))


def _alike(literals: PolicyLiterals, key: str) -> Sequence[tuple[str, ...]]:
    """The ids that are named, joined where every condition says the same of them."""
    by_answers: dict[tuple[bool | str, ...], list[str]] = {}
    for value in literals.fixed(key):
        answers = [
            value if condition.refers else conditions.is_met(condition, {key: (value,)})
            for _, condition in literals.conditions[key]
        ]
        by_answers.setdefault(tuple(answers), []).append(value)
    return [tuple(ids) for ids in by_answers.values()]
