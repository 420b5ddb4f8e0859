"""Who gets in: each question is answered with a witness, with a proof that there is none, or not at all."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import product
from typing import Any

import z3

from tests.connectors.s3.oracle import texts
from tests.connectors.s3.oracle.callers import (
    LOOSE,
    NOT_ON_THE_INTERNET,
    STRICT,
    Case,
    Forms,
    Formula,
    Identity,
    Network,
    Through,
    Unsupported,
)
from tests.connectors.s3.oracle.formulas import Doubts, Json, admitted, both, either, listed, opposite
from tests.connectors.s3.oracle.languages import EVERYTHING, concat, union
from tests.connectors.s3.oracle.solver import Search


class Answer(StrEnum):
    """What the oracle says."""

    YES = "yes"
    NO = "no"
    IT_DEPENDS = "it depends"  # on how AWS's pages are read
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """Whose bucket it is, and who else is ours."""

    name: str
    account: str
    own_accounts: frozenset[str]
    organisation: str | None
    region: str
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Witness:
    """A caller who gets in."""

    case: Case
    values: Mapping[str, str | int | bool]

    def __str__(self) -> str:
        road = f"{self.case.identity}, {self.case.network}, {self.case.through}, {self.case.action}"
        return f"{road}: " + ", ".join(f"{name}={value!r}" for name, value in sorted(self.values.items()))


@dataclass(frozen=True, kw_only=True)
class Result:
    """An answer, and the witness of a yes."""

    answer: Answer
    witness: Witness | None = None


Asked = Callable[[Case], Formula]


def outside(bucket: Bucket, *, through_our_networks: bool) -> Asked:
    """A caller who is neither of our accounts nor of our organisation, nor, if one likes, in a network of ours."""

    def asked(case: Case) -> Formula:
        inside: list[Formula] = [case.account_is(each) for each in sorted(bucket.own_accounts)]
        if bucket.organisation and "organisation" in case.strings:
            inside.append(case.organisation_is(bucket.organisation))
        if not through_our_networks and "vpc" in case.strings:
            inside += [case.endpoint_account_is(each) for each in sorted(bucket.own_accounts)]
        if not through_our_networks and bucket.organisation and "organisation of the endpoint" in case.strings:
            inside.append(case.endpoint_organisation_is(bucket.organisation))
        if "access point" in case.strings:
            value = case.key("s3:dataaccesspointaccount")
            assert value is not None
            inside += [value.member(texts.literal(each)) for each in sorted(bucket.own_accounts)]
        return opposite(either(inside)) if "arn" in case.strings or inside else True

    return asked


def anonymous(case: Case) -> Formula:
    """An unsigned caller, wherever."""
    return case.identity is Identity.ANONYMOUS


def anonymous_on_the_internet(case: Case) -> Formula:
    """An unsigned caller who does not come through a VPC endpoint."""
    return anonymous(case) and case.network is not Network.ENDPOINT


def anonymous_anywhere(policy: Json) -> Asked:
    """An unsigned caller on the internet whose address is in no small network that the policy spells out."""
    networks = [each for word in _words(policy) for each in _networks(word)]
    small = [each for each in networks if each.prefixlen >= (8 if each.version == 4 else 32)]

    def asked(case: Case) -> Formula:
        if not anonymous_on_the_internet(case) or case.addresses_as_text:
            return False
        if "address" not in case.variables:
            return True
        value = case.key("aws:sourceip")
        assert value is not None and value.within is not None
        return opposite(either(value.within(each) for each in small))

    return asked


def anybody(case: Case) -> Formula:
    """Whoever it is, ours or not."""
    return True


def of_account(account: str) -> Asked:
    """A caller of an account."""
    return lambda case: case.account_is(account)


def of_organisation(organisation: str) -> Asked:
    """A caller of an organisation."""
    return lambda case: case.organisation_is(organisation)


def of_account_outside(account: str, bucket: Bucket) -> Asked:
    """A caller of an account, which is not of our organisation."""
    from_outside = outside(bucket, through_our_networks=True)
    return lambda case: both([case.account_is(account), from_outside(case)])


def of_organisation_outside(organisation: str, bucket: Bucket) -> Asked:
    """A caller of an organisation from an account that is not ours."""
    from_outside = outside(bucket, through_our_networks=True)
    return lambda case: both([case.organisation_is(organisation), from_outside(case)])


def unnamed(policy: Json, bucket: Bucket, *, any_id: bool) -> Asked:
    """A caller from outside whose account and organisation the policy does not spell out, nor, if asked, the id.

    A user or role whose id is spelt out in part belongs to some account, and nobody can choose to be of it.
    """
    named = named_in(policy)
    from_outside = outside(bucket, through_our_networks=False)

    def asked(case: Case) -> Formula:
        if not case.signed:
            return False
        parts: list[Formula] = [case.account_is(each) for each in named.accounts]
        if "organisation" in case.strings:
            parts += [case.organisation_is(each) for each in named.organisations]
        if "userid" in case.strings and not any_id:
            ids = union(*(concat(EVERYTHING, each, EVERYTHING) for each in named.ids))
            parts.append(case.text("userid").within(ids) if named.ids else False)
        return both([from_outside(case), opposite(either(parts))])

    return asked


@dataclass(frozen=True, kw_only=True)
class Named:
    """What a policy spells out."""

    accounts: tuple[str, ...]
    organisations: tuple[str, ...]
    ids: tuple[str, ...]  # or what is written of them
    words: tuple[str, ...]


def named_in(policy: Json) -> Named:
    """Everything that a policy spells out."""
    words = sorted(set(_words(policy)))
    text = "\n".join(words)
    ids = {re.sub("^A?(IDA|ROA)", "", each) for each in re.findall(r"[A-Z]{3,}[A-Z0-9]*", text)}
    return Named(
        accounts=tuple(sorted(set(re.findall(r"(?<!\d)\d{12}(?!\d)", text)))),
        organisations=tuple(sorted(set(re.findall(r"\bo-[a-z0-9]{10,32}\b", text)))),
        ids=tuple(sorted(ids - {""})),
        words=tuple(words),
    )


def _networks(word: str) -> Iterator[IPv4Network | IPv6Network]:
    if "." in word or ":" in word:
        with suppress(ValueError):
            yield ip_network(word, strict=False)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _words(each)
    elif isinstance(value, list):
        for each in value:
            yield from _words(each)


class Oracle:
    """Who may do one action with a bucket."""

    def __init__(self, policy: Json, bucket: Bucket, action: str) -> None:
        self._question = (policy, bucket, action)
        self._strict = [_Reading(*self._question, each, STRICT) for each in _readings(policy)]
        self._has_ids = any(re.search(r"userid|vpc|sourceip|principaltag", each) for each in _keys(policy))

    def ask(self, asked: Asked, *, proof: bool = True) -> Result:
        """May somebody do it for which `asked` holds? Where AWS's pages leave a doubt, it depends.

        Without `proof` a no means only that nobody does whose ids look as they do today.
        """
        results = [each.ask(asked) for each in self._strict]
        if proof and self._has_ids and all(each.answer is Answer.NO for each in results):
            results += [each.ask(asked) for each in self._loose]
        answers = {each.answer for each in results}
        if len(answers) == 1:
            return results[0]
        witness = next((each.witness for each in results if each.witness), None)
        return Result(answer=Answer.UNDECIDED if Answer.UNDECIDED in answers else Answer.IT_DEPENDS, witness=witness)

    @cached_property
    def _loose(self) -> list["_Reading"]:
        """The same for ids of any form; asked only where nobody of today's forms gets in."""
        return [_Reading(*self._question, each, LOOSE) for each in _readings(self._question[0])]


def _readings(policy: Json) -> Iterator[Doubts]:
    """Both readings of each doubt that the policy touches."""
    statements = listed(policy.get("Statement", []))
    conditions = [
        (operator.lower(), key.lower(), [str(each) for each in listed(values)])
        for statement in statements
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    ]
    both_ways = (False, True)
    exceptions = both_ways if any("NotPrincipal" in each for each in statements) else (False,)
    short = [each for name, _, values in conditions if "arn" in name for each in values if each.count(":") < 5]
    stars = both_ways if any("*" in each for each in short) else (False,)
    several = (
        both_ways
        if any(key.endswith("orgpaths") and not name.startswith("forany") for name, key, _ in conditions)
        else (False,)
    )
    for needs_both, star, one in product(exceptions, stars, several):
        yield Doubts(not_principal_needs_both=needs_both, star_spans_parts=star, several_values_as_one=one)


class _Reading:
    """Who may do it by one reading of AWS's pages."""

    def __init__(self, policy: Json, bucket: Bucket, action: str, doubts: Doubts, ids: Forms) -> None:
        self._exhaustive = True
        self._made: list[Search] = []
        self._to_make = self._make(policy, cases(policy, bucket, action, ids), doubts)

    def ask(self, asked: Asked) -> Result:
        undecided = False
        for search in self._searches():
            demand = asked(search.case)
            if demand is False:
                continue
            found = search.find(demand)
            if isinstance(found, dict):
                return Result(answer=Answer.YES, witness=Witness(case=search.case, values=found))
            undecided |= found != z3.unsat
        return Result(answer=Answer.UNDECIDED if undecided or not self._exhaustive else Answer.NO)

    def _searches(self) -> Iterator[Search]:
        """One by one, as a witness may be found in the first."""
        yield from self._made
        for search in self._to_make:
            self._made.append(search)
            yield search

    def _make(self, policy: Json, kinds: Iterable[Case], doubts: Doubts) -> Iterator[Search]:
        for case in kinds:
            try:
                formula = admitted(policy, case, doubts)
            except Unsupported:
                self._exhaustive = False
                yield from self._make_with_values(policy, case, doubts)
            else:
                if formula is not False:
                    yield Search(case, both([formula, *_on_the_internet(case)]))

    def _make_with_values(self, policy: Json, case: Case, doubts: Doubts) -> Iterator[Search]:
        for fixed in _values_of_variables(policy, case):
            with suppress(Unsupported):
                formula = admitted(policy, fixed, doubts)
                if formula is not False:
                    yield Search(fixed, both([formula, *_on_the_internet(fixed)]))


def _on_the_internet(case: Case) -> Iterator[Formula]:
    if "address" not in {*case.variables, *case.strings}:
        return
    if case.addresses_as_text and case.network is Network.INTERNET_6:
        return  # their form says it
    value = case.key("aws:sourceip")
    assert value is not None and value.within is not None
    yield from (opposite(value.within(each)) for each in NOT_ON_THE_INTERNET)


def _values_of_variables(policy: Json, case: Case) -> Iterator[Case]:
    """The case with the keys that variables stand for set to a few values: a yes is a yes then, but a no is none."""
    named = named_in(policy)
    names = _variables(named.words)
    for values in product(*(_candidates(each, named) for each in names)):
        fixed = dict(zip(names, values, strict=True))
        yield replace(case, fixed=fixed, strings={}, memberships={}, variables={}, forms=[])


def _variables(words: Iterable[str]) -> list[str]:
    found = re.findall(r"\$\{\s*([^},'*?$]+?)\s*[,}]", "\n".join(words))
    return sorted({each.lower() for each in found} - {"aws:resourceaccount", "aws:resourceorgid"})


def _candidates(name: str, named: Named) -> tuple[str, ...]:
    if "account" in name:
        return (*named.accounts, "909090909090")
    if name.endswith("orgid"):
        return (*named.organisations, "o-unnamed000")
    plain = tuple(word for word in named.words if re.fullmatch(r"[\w-]{2,20}", word))
    return (*named.accounts, *plain[:6], "unnamed")


def cases(policy: Json, bucket: Bucket, action: str, ids: Forms = STRICT) -> Iterator[Case]:
    """The kinds of caller and of road that a policy can tell apart."""
    keys = _keys(policy)
    networks = tuple(Network) if any(_of_network(each) for each in keys) else (Network.INTERNET,)
    roads = tuple(Through) if any("accesspoint" in each for each in keys) else (Through.DIRECT,)
    as_text = _addresses_as_text(policy)
    for identity, network, through in product(Identity, networks, roads):
        if through is not Through.DIRECT and identity is Identity.ANONYMOUS:
            continue  # "Access points restrictions and limitations": no unsigned requests
        if through is Through.VPC_ACCESS_POINT and network is not Network.ENDPOINT and len(networks) > 1:
            continue
        yield Case(
            identity=identity,
            network=network,
            through=through,
            action=action,
            bucket=bucket.name,
            account=bucket.account,
            organisation=bucket.organisation,
            region=bucket.region,
            now=bucket.now,
            ids=ids,
            addresses_as_text=as_text,
        )


def _keys(policy: Json) -> set[str]:
    """The keys that a policy looks at."""
    conditions = (statement.get("Condition", {}) for statement in listed(policy.get("Statement", [])))
    return {key.lower() for each in conditions for keys in each.values() for key in keys} | set(
        _variables(_words(policy))
    )


def _of_network(key: str) -> bool:
    return key.startswith(("aws:sourceip", "aws:sourcevpc", "aws:vpc"))


def _addresses_as_text(policy: Json) -> bool:
    return any(
        key.lower() in {"aws:sourceip", "aws:vpcsourceip"} and "string" in operator.lower()
        for statement in listed(policy.get("Statement", []))
        for operator, keys in statement.get("Condition", {}).items()
        for key in keys
    )
