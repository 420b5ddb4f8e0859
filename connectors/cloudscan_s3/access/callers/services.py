"""AWS services, and on whose behalf they call.

A service whose access is not tied to a source is a confused deputy: any customer of AWS can make it act for them.
Source: IAM User Guide, "The confused deputy problem", section "Cross-service confused deputy prevention".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from cloudscan.facts import Audience
from cloudscan_s3.access import conditions
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.example_callers import service_caller, source_keys
from cloudscan_s3.access.callers.mentioned import ORGANISATION, MentionedCallers
from cloudscan_s3.access.callers.service_limits import SOURCE_ARN, accounts_in_paths, limits_of, may_write
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy_literals import (
    TWELVE_DIGITS,
    UNMENTIONED_ORGANISATION,
    PolicyLiterals,
    examples,
    filled_account,
    is_pattern,
)
from cloudscan_s3.access.request import Caller

_SOURCE_KEYS = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths")
_SERVICE_NAMES = ("aws:principalservicename", "aws:principalservicenameslist")


def services(mentioned: MentionedCallers) -> Iterator[CallerClass]:
    """For each service: acting for any customer of AWS, then for us, then for each source that is named."""
    literals = mentioned.literals
    for name in _names(literals):
        service = "sns.amazonaws.com" if name == "*" else name
        callers_by_source: dict[tuple[str, str], list[Caller]] = {}
        for source in _Sources(literals, service).possible():
            callers = callers_by_source.setdefault((source.owner, source.within), [])
            callers.append(service_caller(service, source.context))
        for (owner, within), callers in callers_by_source.items():
            unmentioned = owner == literals.unmentioned_account
            yield CallerClass(
                audience=Audience.NAMED_EXTERNAL if _is_external(owner, literals) else Audience.NAMED,
                kind="service",
                name=name,
                callers=tuple(callers),
                account=owner if TWELVE_DIGITS.fullmatch(owner) and not unmentioned else "",
                confused_deputy=unmentioned,
                affiliation_known=unmentioned or _knows_whose(owner, literals.own_estate),
                within=within,
            )


def by_source_arn(service: str) -> str:
    """The class of a service that is admitted because a source's ARN is named in full, whichever account owns it."""
    return f"{service} for a source named in full"


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
    context: Context
    within: str = ""


@dataclass(frozen=True)
class _Sources:
    """The sources that the literals tell apart, for one service."""

    literals: PolicyLiterals
    service: str

    def possible(self) -> Iterator[_Source]:
        """Those on whose behalf the service can reach the bucket, and whose ARN has the form of one."""
        home = self.literals.own_estate.account
        for source in self.all():
            account = next(iter(source.context.get("aws:sourceaccount", ())), self.literals.unmentioned_account)
            if limits_of(self.service).within_account and account != home:
                continue
            if not may_write(self.service, account, self.literals.statements):
                continue
            if all(SOURCE_ARN.fullmatch(arn) for arn in source.context.get("aws:sourcearn", ())):
                yield source

    def all(self) -> Iterator[_Source]:
        """Any customer's, told or not, then named ARNs, named accounts, patterns, named organisations."""
        unmentioned = self.literals.unmentioned_account
        context = source_keys(unmentioned, self._thing(unmentioned), UNMENTIONED_ORGANISATION)
        yield _Source(unmentioned, context)
        yield _Source(unmentioned, {})
        for arn in self._arns:
            yield from self._by_arn(arn)
            yield from self._by_form(arn)
        for account in self._accounts:
            yield from self._by_account(account)
        yield from self._by_pattern()
        for organisation in self._organisations:
            fitting = (example for arn in self._arns for example in _arns_of(arn, unmentioned))
            for example, path in product((self._thing(unmentioned), *fitting), self._paths_in(organisation)):
                yield _Source(organisation, source_keys(unmentioned, example, organisation, path))

    def _thing(self, account: str) -> str:
        """The ARN of some resource of this service in an account."""
        return f"arn:{self.literals.partition}:{self.service.partition('.')[0]}:us-east-1:{account}:thing"

    def _paths_in(self, organisation: str) -> Sequence[str]:
        """An account's paths in an organisation: those that the text describes, and one that it does not mention."""
        written = [path for path in self.literals.values("aws:sourceorgpaths") if path.startswith(f"{organisation}/")]
        described = (example for path in written for example in examples(path, ("x", "r-x/ou-x/", "")))
        return tuple(dict.fromkeys(("", *described)))

    @cached_property
    def _own_organisation(self) -> str:
        return self.literals.own_estate.organisation or ""

    @cached_property
    def _arns(self) -> tuple[str, ...]:
        return tuple(map(conditions.with_wildcards, self.literals.values("aws:sourcearn")))

    @cached_property
    def _accounts(self) -> tuple[str, ...]:
        named = (*self.literals.fixed("aws:sourceaccount"), *self.literals.fixed("aws:sourceowner"))
        in_paths = accounts_in_paths(self.service, self.literals.statements)
        accounts = (self.literals.own_estate.account, *named, *in_paths)
        return tuple(dict.fromkeys(account for account in accounts if TWELVE_DIGITS.fullmatch(account)))

    @cached_property
    def _organisations(self) -> tuple[str, ...]:
        paths = (path.partition("/")[0] for path in self.literals.values("aws:sourceorgpaths"))
        named = (*self.literals.fixed("aws:sourceorgid"), *paths)
        return tuple(dict.fromkeys(name for name in named if ORGANISATION.match(name)))

    def _by_account(self, account: str) -> Iterator[_Source]:
        """Sources of a named account, in each organisation of which it may be a member."""
        ours = self.literals.own_estate.owns(account)
        homes = (self._own_organisation,) if ours else (UNMENTIONED_ORGANISATION, *self._organisations)
        for home in dict.fromkeys(homes):
            yield _Source(account, source_keys(account, self._thing(account), home))
            for arn in self._arns:
                within = "" if is_pattern(arn) else by_source_arn(self.service)
                for example in _arns_of(arn, account):
                    yield _Source(account, source_keys(account, example, home), within)

    def _by_pattern(self) -> Iterator[_Source]:
        """Sources of any customer's that fit a pattern of accounts or organisations."""
        unmentioned = self.literals.unmentioned_account
        for value in self.literals.patterns("aws:sourceaccount"):
            account = filled_account(value, unmentioned)
            yield _Source(unmentioned, source_keys(account, self._thing(account), UNMENTIONED_ORGANISATION))
        for value in self.literals.patterns("aws:sourceorgid"):
            organisation = next(examples(value, ("0strangers",)))
            yield _Source(unmentioned, source_keys(unmentioned, self._thing(unmentioned), organisation))

    def _by_arn(self, arn: str) -> Iterator[_Source]:
        """Sources that fit an ARN as it is written in a condition, whichever account owns them."""
        unmentioned, own_estate = self.literals.unmentioned_account, self.literals.own_estate
        parts = arn.split(":", 5)
        written = parts[4] if len(parts) == 6 else "*"
        if written == "":  # a bucket or the like: only its name shows whose it is, so only a pattern is open
            account = unmentioned if is_pattern(parts[5].partition("/")[0]) else ""
        else:
            account = filled_account(written, unmentioned) if is_pattern(written) else written
        anyones = account == unmentioned or (is_pattern(written) and not TWELVE_DIGITS.fullmatch(written))
        filled = ":".join((*parts[:4], account, parts[5])) if len(parts) == 6 and written else arn
        for example in examples(filled, ("x", unmentioned, "")):
            home = self._own_organisation if account and own_estate.owns(account) else UNMENTIONED_ORGANISATION
            behind = account if TWELVE_DIGITS.fullmatch(account) else unmentioned
            for caller in dict.fromkeys((behind, own_estate.account) if account == "" else (behind,)):
                yield _Source(unmentioned if anyones else account, source_keys(caller, example, home))

    def _by_form(self, pattern: str) -> Iterator[_Source]:
        """Sources that fit a pattern with fewer than six parts, of anybody's and of ours: arn:aws:sns:*, *:trail/x."""
        if not is_pattern(pattern) or pattern.count(":") >= 5:
            return
        for account in (self.literals.unmentioned_account, self.literals.own_estate.account):
            ours = account == self.literals.own_estate.account
            example = conditions.intersection(pattern, f"arn:{self.literals.partition}:?*:*:{account}:?*")
            if example is not None:
                home = self._own_organisation if ours else UNMENTIONED_ORGANISATION
                yield _Source(account, source_keys(account, example, home))


def _arns_of(arn: str, account: str) -> Iterator[str]:
    """Sources of one account that fit an ARN as it is written, if that leaves open whose it is."""
    parts = arn.split(":", 5)
    if len(parts) == 6 and (parts[4] == "" or conditions.like(parts[4], account)):
        filled = ":".join((*parts[:4], account if parts[4] else "", parts[5]))
        yield from examples(filled, ("x", ""))
