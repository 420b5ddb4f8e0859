"""AWS services, and on whose behalf they call.

A service whose access is not tied to a source is a confused deputy: any customer of AWS can make it act for them.
Sources: IAM User Guide, "The confused deputy problem", section "Cross-service confused deputy prevention", and "AWS
global condition context keys", section "Properties of the network" and following.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from string import ascii_lowercase, digits

from cloudscan.facts import Audience
from cloudscan_s3.access import conditions
from cloudscan_s3.access.caller_set import CallerSet
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.mentioned import ORGANISATION, MentionedCallers
from cloudscan_s3.access.callers.service_limits import accounts_in_paths, limits_of, may_write
from cloudscan_s3.access.forms import Form, Segment
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy_literals import TWELVE_DIGITS, PolicyLiterals, examples
from cloudscan_s3.access.shapes import Shape, any_account, fixed, no_organisation, organisation
from cloudscan_s3.access.texts import SOMETHING, TextSet, at_least, expression, many, one_of, words

_SOURCE_KEYS = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths")
_SERVICE_NAMES = ("aws:principalservicename", "aws:principalservicenameslist")
_WORD = one_of(f"{ascii_lowercase}{digits}-")
_SERVICE = expression(at_least(1, _WORD))
_REGION = expression(many(_WORD))  # empty for services that have none


def services(mentioned: MentionedCallers) -> Iterator[CallerClass]:
    """For each service: acting for any customer of AWS, then for us, then for each source that is named."""
    literals = mentioned.literals
    for name in _names(literals):
        service = "sns.amazonaws.com" if name == "*" else name
        for source in _Sources(literals, service).possible():
            unmentioned = source.owner == literals.unmentioned_account
            yield CallerClass(
                audience=Audience.NAMED_EXTERNAL if _is_external(source.owner, literals) else Audience.NAMED,
                kind="service",
                name=name,
                callers=tuple(_callers(service, facets) for facets in source.facets),
                account=source.owner if TWELVE_DIGITS.fullmatch(source.owner) and not unmentioned else "",
                confused_deputy=unmentioned,
                affiliation_known=unmentioned or _knows_whose(source.owner, literals.own_estate),
                within=source.within,
            )


def by_source_arn(service: str) -> str:
    """The class of a service that is admitted because a source's ARN is named in full, whichever account owns it."""
    return f"{service} for a source named in full"


def _callers(service: str, facets: tuple[tuple[Shape, ...], ...]) -> CallerSet:
    context = {
        # In the context of all requests, as AWS says; it does not say with which values for a service.
        "aws:principalaccount": ("service",),
        "aws:userid": ("service",),
        "aws:principaltype": ("Service",),
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (service,),
        "aws:principalservicenameslist": (service,),
    }
    return CallerSet(kind="service", names=frozenset((service,)), context=context, facets=facets)


def _names(literals: PolicyLiterals) -> Iterator[str]:
    """The services that a Principal names or a condition describes; "*" stands for all where a source is named."""
    names = [principal.value for principal in literals.principals if principal.kind == "Service"]
    if literals.depend_on(*_SOURCE_KEYS, "aws:principalisawsservice", *_SERVICE_NAMES):
        written = map(conditions.with_wildcards, literals.values(*_SERVICE_NAMES))
        names += [example for value in written for example in examples(value, ("s3.amazonaws.com", "s3", "x"))]
        names.append("*")
    yield from dict.fromkeys(names)


def _knows_whose(owner: str, own_estate: OwnEstate) -> bool:
    if ORGANISATION.match(owner):
        return own_estate.knows_whose_organisation(owner)
    return not TWELVE_DIGITS.fullmatch(owner) or own_estate.knows_whose(owner)


def _is_external(owner: str, literals: PolicyLiterals) -> bool:
    own_estate = literals.own_estate
    if ORGANISATION.match(owner):
        return own_estate.knows_its_organisation and not own_estate.is_our_organisation(owner)
    return owner not in ("", literals.unmentioned_account) and not own_estate.owns(owner)


@dataclass(frozen=True)
class _Source:
    """On whose behalf a service calls.

    `owner` is an account, an organisation where only that is named, or empty where the source is named in full without
    an account. `within` is the wider class of callers to which this belongs.
    """

    owner: str
    facets: tuple[tuple[tuple[Shape, ...], ...], ...]  # alternatives: the source itself, and its organisation
    within: str = ""


@dataclass(frozen=True)
class _Sources:
    """The sources that the literals tell apart, for one service."""

    literals: PolicyLiterals
    service: str

    def possible(self) -> Iterator[_Source]:
        """Those on whose behalf the service can reach the bucket."""
        statements = self.literals.statements
        unmentioned = any_account(self.literals.unmentioned_account)
        for source in self.all():
            if limits_of(self.service).within_account and source.owner != self.literals.own_estate.account:
                continue
            known = TWELVE_DIGITS.fullmatch(source.owner) and source.owner != self.literals.unmentioned_account
            account = fixed(source.owner) if known else unmentioned
            if may_write(self.service, account, statements, other_than=() if known else self._named_accounts):
                yield source

    def all(self) -> Iterator[_Source]:
        """Any customer's sources, named accounts, sources named in full, named organisations; in this order."""
        unmentioned = self.literals.unmentioned_account
        any_customers = tuple(
            shape.limited("aws:sourceaccount", *self._named_accounts, wanted=False)
            for shape in self._things(any_account(unmentioned))
        )
        unnamed = (any_customers, self._unnamed_organisation)
        # Not every service says for whom it calls.
        yield _Source(unmentioned, (unnamed, ((no_organisation(),),)))
        yield from self._in_full()
        for account in self._accounts:
            yield from self._by_account(account)
        for name in self._organisations:
            things = tuple(
                shape.limited("aws:sourceaccount", *self._named_accounts, wanted=False)
                for shape in (*self._things(any_account(unmentioned)), *self._things_in_full(any_account(unmentioned)))
            )
            yield _Source(name, ((things, (_organisation(fixed(name)),)),))

    def _by_account(self, account: str) -> Iterator[_Source]:
        """Sources of a named account, in each organisation of which it may be a member."""
        own_estate = self.literals.own_estate
        if own_estate.owns(account):
            home = own_estate.organisation
            homes: tuple[tuple[Shape, ...], ...] = ((_organisation(fixed(home)) if home else no_organisation(),),)
        else:
            named = ((_organisation(fixed(name)),) for name in self._organisations)
            homes = (self._unnamed_organisation, *named)
        things, in_full = self._things(fixed(account)), self._things_in_full(fixed(account))
        yield _Source(account, tuple((things, home) for home in homes))
        if in_full:
            yield _Source(account, tuple((in_full, home) for home in homes), by_source_arn(self.service))

    def _in_full(self) -> Iterator[_Source]:
        """Sources whose ARN is named in full and does not show the account, such as a bucket's: of any account."""
        own_estate = self.literals.own_estate
        unmentioned = any_account(self.literals.unmentioned_account)
        unnamed = (
            shape.limited("aws:sourceaccount", *self._named_accounts, wanted=False)
            for shape in self._things_in_full(unmentioned)
        )
        in_full = (*unnamed, *self._things_in_full(fixed(own_estate.account)))
        if in_full:
            home = _organisation(fixed(own_estate.organisation)) if own_estate.organisation else no_organisation()
            yield _Source("", ((in_full, (*self._unnamed_organisation, home)),))

    def _things(self, account: Segment) -> tuple[Shape, ...]:
        """Sources of an account: those whose ARN shows it, and those whose ARN does not, as a bucket's."""
        shown = Shape(
            form=Form(
                (
                    Segment(_SERVICE, self.service.partition(".")[0]),
                    Segment(_REGION, "us-east-1"),
                    account,
                    Segment(SOMETHING, "thing"),
                ),
                (
                    ("aws:sourcearn", (f"arn:{self.literals.partition}:", 0, ":", 1, ":", 2, ":", 3)),
                    *_of_account(2),
                ),
            )
        )
        return (
            shown,
            self._hidden(Segment(SOMETHING, "thing"), account).limited("aws:sourcearn", *self._whole, wanted=False),
        )

    def _things_in_full(self, account: Segment) -> tuple[Shape, ...]:
        """Sources of an account that are named in full by an ARN that does not show it."""
        if not self._arns_in_full:
            return ()
        anything = self._hidden(Segment(SOMETHING, "thing"), account)
        return (anything.limited("aws:sourcearn", *self._whole, wanted=True),)

    def _hidden(self, thing: Segment, account: Segment) -> Shape:
        arn = (f"arn:{self.literals.partition}:", 0, ":::", 1)
        service = Segment(_SERVICE, "s3")
        return Shape(form=Form((service, thing, account), (("aws:sourcearn", arn), *_of_account(2))))

    @cached_property
    def _whole(self) -> tuple[TextSet, ...]:
        return (words(frozenset(self._arns_in_full)),)

    @cached_property
    def _arns_in_full(self) -> tuple[str, ...]:
        return tuple(value for value in self.literals.fixed("aws:sourcearn") if value.split(":")[3:5] == ["", ""])

    @cached_property
    def _accounts(self) -> tuple[str, ...]:
        """Our own, and every account whose number is written, by itself or in an ARN."""
        written = self.literals.values("aws:sourceaccount", "aws:sourceowner")
        arns = (value.split(":")[4:5] for value in self.literals.values("aws:sourcearn"))
        in_paths = accounts_in_paths(self.service, self.literals.statements)
        texts = (*written, *(account for parts in arns for account in parts), *in_paths)
        numbers = (number for text in texts for number in TWELVE_DIGITS.findall(text))
        return tuple(dict.fromkeys((self.literals.own_estate.account, *numbers)))

    @cached_property
    def _named_accounts(self) -> tuple[TextSet, ...]:
        return (words(frozenset(self._accounts)), words(self.literals.own_estate.accounts))

    @cached_property
    def _organisations(self) -> tuple[str, ...]:
        paths = (path.partition("/")[0] for path in self.literals.values("aws:sourceorgpaths"))
        named = (*self.literals.fixed("aws:sourceorgid"), *paths)
        return tuple(dict.fromkeys(name for name in named if ORGANISATION.match(name)))

    @cached_property
    def _unnamed_organisation(self) -> tuple[Shape, ...]:
        """No organisation, or one that no statement names and that is not ours."""
        if not self.literals.depend_on("aws:sourceorgid", "aws:sourceorgpaths"):
            return (no_organisation(),)
        taken = words(frozenset((*self._organisations, *self.literals.own_estate.organisations)))
        return (no_organisation(), _organisation().limited("aws:sourceorgid", taken, wanted=False))


def _organisation(name: Segment | None = None) -> Shape:
    return organisation(name, "aws:source")


def _of_account(segment: int) -> tuple[tuple[str, tuple[int]], ...]:
    return (("aws:sourceaccount", (segment,)), ("aws:sourceowner", (segment,)))
