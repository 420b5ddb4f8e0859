"""Who could come: the kinds of caller that a set of policies can tell apart.

A policy cannot be asked about all callers one by one, but it can only distinguish those that its own text mentions.
So it is enough to try, beside the named ones, one member of each crowd that the text leaves open: an unsigned caller,
somebody in an account that nobody mentioned, somebody in each organisation that is mentioned. What a member may choose
for himself (names, tags, sessions) is tried in every form that makes a difference.

Source for what a caller's request carries: IAM User Guide, "AWS global condition context keys".
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from cloudscan.facts import Audience
from cloudscan_s3.access import conditions
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.policy import Principal
from cloudscan_s3.access.policy_literals import (
    STRANGERS_ORGANISATION,
    TWELVE_DIGITS,
    PolicyLiterals,
    examples,
    filled_account,
    is_pattern,
)
from cloudscan_s3.access.request import Caller, account_of, is_account

_ORGANISATION = re.compile(r"^o-[a-z0-9]{4,32}$")
_CALLER_ARN = re.compile(
    r"^arn:[^:*?]+:(?:iam|sts)::(\d{12}):(root|user/.+|role/.+|assumed-role/.+/.+|federated-user/.+)$", re.DOTALL
)
_ROLE_ID = re.compile(r"^A(?:RO|ID|SI|GP|KI)A[A-Z0-9]{8,}")
_CLOUDFRONT = "arn:aws:iam::cloudfront:user/"

# Log delivery accounts of the load balancers in older regions (Elastic Load Balancing, "Enable access logs for your
# Application Load Balancer"): Amazon's own, not customers.
AMAZON_ACCOUNTS = frozenset(
    [
        "127311923021",
        "033677994240",
        "027434742980",
        "797873946194",
        "098369216593",
        "754344448648",
        "589379963580",
        "718504428378",
        "383597477331",
        "600734575887",
        "114774131450",
        "783225319266",
        "582318560864",
        "985666609251",
        "054676820928",
        "156460612806",
        "652711504416",
        "635631232127",
        "009996457667",
        "897822967062",
        "076674570225",
        "507241528517",
        "048591011584",  # GovCloud, then China
        "190560391635",
        "638102146993",
        "037604701340",
    ]
)
# CloudFront's log delivery (CloudFront Developer Guide, "Configure standard logging (legacy)"), in the world and China.
AMAZON_CANONICAL = frozenset(
    (
        "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0",
        "a52cb28745c0c06e84ec548334e44bfa7fc2a85c54af20cd59e4969344b7af56",
    )
)
# Anybody can become a customer of these and be told who he is; only the audience claim says whose customer.
PUBLIC_PROVIDERS = frozenset(
    ("cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com", "accounts.google.com", "*")
)
_SHAPE_KEYS = ("aws:principalarn", "aws:principaltype", "aws:userid", "aws:username")
_SOURCE_KEYS = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths")
_SERVICE_NAMES = ("aws:principalservicename", "aws:principalservicenameslist")
_STRANGERS_ROLE = "AROA0STRANGERS000000X"


@dataclass(frozen=True, kw_only=True)
class CallerClass:
    """Callers of whom a policy can only say the same thing."""

    audience: Audience
    kind: str  # anyone, any_account, organisation, account, principal, canonical, unique_id, federated, service
    name: str  # an account id, an ARN, an organisation id, a service; empty for the first two kinds
    callers: tuple[Caller, ...]
    account: str = ""  # the 12 digits behind it, where there is one account
    stray: bool = False  # a service that can be made to act for a stranger: the confused deputy
    within: str = ""  # a wider crowd to which this belongs, and which it is no news to name after


@dataclass(frozen=True)
class CallerClasses:
    """Everybody that a set of statements can tell apart, seen from us."""

    mentions: PolicyLiterals

    def outside(self) -> Iterator[CallerClass]:
        """From the widest to the narrowest, without our own account."""
        yield CallerClass(audience=Audience.ANYONE_WITH_LINK, kind="anyone", name="", callers=(anonymous(),))
        yield CallerClass(audience=Audience.ANY_ACCOUNT, kind="any_account", name="", callers=self.strangers)
        yield from self._providers()
        yield from self._organisations()
        yield from self._unique_ids()
        yield from self._canonical()
        yield from self._accounts(ours=False)
        yield from self._services()

    def inside(self) -> Iterator[CallerClass]:
        """Our own accounts, as far as they are named."""
        yield from self._accounts(ours=True)

    @cached_property
    def strangers(self) -> tuple[Caller, ...]:
        """Somebody with an AWS account that nobody mentioned, in all the shapes that make a difference."""
        homes = [("", "")]
        if self._organisations_matter:
            strange_homes = dict.fromkeys((STRANGERS_ORGANISATION, *self._wild_organisations()))
            homes += [(home, path) for home in strange_homes for path in ("", *self._open_paths(home))]
        return tuple(
            member
            for account in self._strange_accounts
            for home, path in homes
            for member in self._members(account, home, path, first="user/somebody")
        )

    @cached_property
    def _strange_accounts(self) -> tuple[str, ...]:
        """An account that nobody mentioned, and one for each pattern of accounts."""
        strange = (each for each in self._accounts_named if self._is_strange(each))
        return tuple(dict.fromkeys((self.mentions.stranger, *strange)))

    @cached_property
    def _organisations_matter(self) -> bool:
        return not self.mentions.subjects.isdisjoint(
            ("aws:principalorgid", "aws:principalorgpaths", "aws:resourceorgid")
        )

    def _members(
        self, account: str, organisation: str, path: str = "", first: str = "role/somebody"
    ) -> Iterator[Caller]:
        """Whoever there is in one account, in all the shapes that make a difference."""
        head = f"arn:{self.mentions.partition}:iam::{account}:"
        tails = [first]
        fitting: list[str] = []
        if not self.mentions.subjects.isdisjoint(_SHAPE_KEYS) or self._wild_principals:
            names = [
                name for value in self.mentions.values("aws:username") for name in examples(conditions.opened(value))
            ]
            tails += ["user/somebody", *(f"user/{name}" for name in names if name), "role/somebody", "root"]
            fitting = [arn for each in self._arns_written for arn in self._arns_like(each, account, open_only=True)]
        for arn in dict.fromkeys((*(head + tail for tail in tails), *fitting)):
            if account_of(arn) == account:
                yield self._member(arn, organisation, path)
        for session in self._sessions():
            yield _in_session(self._member(f"{head}role/somebody", organisation, path), session)

    def _sessions_of(self, caller: Caller) -> Iterator[Caller]:
        yield caller
        if ":role/" in caller.context["aws:principalarn"][0]:
            yield from (_in_session(caller, session) for session in self._sessions())

    def _sessions(self) -> Iterator[str]:
        """Values of aws:userid that a stranger can have: the role's id is given, the session's name is his choice."""
        for pattern in map(conditions.opened, self.mentions.values("aws:userid")):
            if is_pattern(pattern) and not _ROLE_ID.match(pattern):
                for start in (_STRANGERS_ROLE, f"{_STRANGERS_ROLE}:"):
                    yield pattern.replace("*", start, 1).replace("*", "x").replace("?", "x")

    @cached_property
    def _arns_written(self) -> tuple[str, ...]:
        written = [p.value for p in self.mentions.principals if p.kind == "AWS" and not is_account(p.value)]
        return tuple(dict.fromkeys((*written, *self.mentions.values("aws:principalarn"))))

    @cached_property
    def _wild_principals(self) -> bool:
        return any(is_pattern(each.value) and each.value != "*" for each in self.mentions.principals)

    @cached_property
    def _arns(self) -> dict[str, tuple[str, ...]]:
        """The callers' ARNs that are named, each by itself, and those that fit a pattern, by that."""
        stranger = self.mentions.stranger
        return {each: tuple(dict.fromkeys(self._arns_like(each, stranger))) for each in self._arns_written}

    def _arns_like(self, written: str, account: str, *, open_only: bool = False) -> Iterator[str]:
        """Callers' ARNs that fit a pattern, in this account where it leaves that open (and only there, if asked)."""
        pattern = conditions.opened(written)
        if not is_pattern(pattern):
            if not open_only and _CALLER_ARN.match(pattern):
                yield pattern
            return
        parts = pattern.split(":", 5)
        if len(parts) == 6:
            if open_only and not is_pattern(parts[4]):
                return
            home = account if conditions.like(parts[4], account) else filled_account(parts[4], account)
            partition = self.mentions.partition if conditions.like(parts[1], self.mentions.partition) else parts[1]
            service = "sts" if parts[5].startswith(("assumed-role", "federated-user")) else "iam"
            tails = examples(
                parts[5], ("x", "") if "/" in parts[5].partition("*")[0] else ("x", "user/x", "role/x", "")
            )
            candidates: Iterable[str] = (f"arn:{partition}:{service}::{home}:{tail}" for tail in tails)
        else:
            head = f"arn:{self.mentions.partition}:iam::{account}"
            fillers = (
                f"{head}:user/x",
                f"{head}:role/x",
                f"{head}:role/",
                f"{head}:",
                head,
                f"{account}:role/",
                account,
            )
            candidates = (pattern.replace("*", each, 1).replace("*", "x").replace("?", "x") for each in fillers)
        yield from (each for each in candidates if _CALLER_ARN.match(each))

    @cached_property
    def _accounts_named(self) -> tuple[str, ...]:
        """Every account that is, or is the home of, somebody who is named; or that fits a pattern which is."""
        found = [account_of(each.value) for each in self.mentions.principals if each.kind == "AWS"]
        found += [account_of(arn) for arns in self._arns.values() for arn in arns]
        found += [each for each in self.mentions.values("aws:userid") if TWELVE_DIGITS.fullmatch(each)]
        for value in self.mentions.values("aws:principalaccount"):
            candidate = filled_account(value, self.mentions.stranger)
            if TWELVE_DIGITS.fullmatch(candidate) and conditions.like(value, candidate):
                found.append(candidate)
        return tuple(dict.fromkeys(each for each in found if each))

    def _is_strange(self, account: str) -> bool:
        """Not written anywhere in full: it only serves as an example of a pattern."""
        texts = [each.value for each in self.mentions.principals]
        texts += self.mentions.values("aws:principalarn", "aws:principalaccount", "aws:userid")
        return not any(account in text for text in texts)

    def _wild_organisations(self) -> tuple[str, ...]:
        values = [*self.mentions.patterns("aws:principalorgid")]
        values += [path.partition("/")[0] for path in self.mentions.values("aws:principalorgpaths")]
        wild = [
            each for value in values if is_pattern(value) for each in examples(value, ("0strangers", "o-0strangers"))
        ]
        return tuple(dict.fromkeys(each for each in wild if _ORGANISATION.match(each)))

    @cached_property
    def _named_organisations(self) -> tuple[str, ...]:
        paths = self.mentions.values("aws:principalorgpaths")
        named = [*self.mentions.literals("aws:principalorgid"), *(path.partition("/")[0] for path in paths)]
        if "aws:resourceorgid" in self.mentions.subjects and self.mentions.us.organisation:
            named.append(self.mentions.us.organisation)
        # As text without regard to case, an organisation may stand in capitals.
        return tuple(dict.fromkeys(each.lower() for each in named if _ORGANISATION.match(each.lower())))

    def _paths_in(self, organisation: str) -> tuple[str, ...]:
        written = [
            path for path in self.mentions.values("aws:principalorgpaths") if path.startswith(f"{organisation}/")
        ]
        inside = [example for path in written for example in examples(path, ("x", "r-x/ou-x/", ""))]
        return tuple(dict.fromkeys((*inside, f"{organisation}/r-0000/ou-0000-00000000/")))

    def _open_paths(self, organisation: str) -> Iterator[str]:
        """Paths in a stranger's organisation: the ids of units and roots are unique within an organisation only."""
        for written in self.mentions.values("aws:principalorgpaths"):
            head, _, tail = written.partition("/")
            if is_pattern(head) and conditions.like(head, organisation):
                yield from examples(f"{organisation}/{tail}", ("x", ""))

    def _organisations(self) -> Iterator[CallerClass]:
        for name in self._named_organisations:
            ours = self.mentions.us.is_our_organisation(name)
            yield CallerClass(
                audience=Audience.ORGANISATION if ours else Audience.EXTERNAL_DOMAIN,
                kind="organisation",
                name=name,
                callers=tuple(
                    member
                    for path in self._paths_in(name)
                    for account in self._strange_accounts
                    for member in self._members(account, name, path)
                ),
            )

    def _accounts(self, *, ours: bool) -> Iterator[CallerClass]:
        us = self.mentions.us
        for account in self._accounts_named:
            if us.owns(account) != ours or self._is_strange(account):
                continue
            home = us.organisation or "" if ours else ""
            homes = [(each, "") for each in dict.fromkeys((home, "" if ours else STRANGERS_ORGANISATION))]
            yield from self._account(account, homes if self._organisations_matter else homes[:1], "")
            for name in () if ours else self._named_organisations:  # it may be a member, for all we know
                if not us.is_our_organisation(name):
                    yield from self._account(account, [(name, path) for path in self._paths_in(name)], name)

    def _account(self, account: str, homes: Sequence[tuple[str, str]], within: str) -> Iterator[CallerClass]:
        us = self.mentions.us
        ours = us.owns(account)
        wide = Audience.NAMED_EXTERNAL
        if account == us.account:
            wide = Audience.OWNER
        elif ours or account in AMAZON_ACCOUNTS:
            wide = Audience.NAMED
        yield CallerClass(
            audience=wide,
            kind="service" if account in AMAZON_ACCOUNTS else "account",
            name=account,
            callers=tuple(member for home, path in homes for member in self._members(account, home, path)),
            account=account,
            within=within,
        )
        for written, arns in self._arns.items():
            fitting = [arn for arn in arns if account_of(arn) == account]
            if fitting:
                yield CallerClass(
                    audience=Audience.NAMED if ours else wide,
                    kind="principal",
                    name=written,
                    callers=tuple(
                        each
                        for home, path in homes
                        for arn in fitting
                        for each in self._sessions_of(self._member(arn, home, path))
                    ),
                    account=account,
                    within=within,
                )

    def _unique_ids(self) -> Iterator[CallerClass]:
        """People known only by Amazon's id: of a role in a condition.

        Whose it is cannot be seen from here. It is taken to be ours, unless a statement says of which account it is.
        """
        us = self.mentions.us
        accounts = [us.account, *(each for each in self._accounts_named if not self._is_strange(each))]
        for value in self.mentions.values("aws:userid"):
            if _ROLE_ID.match(value):
                identifier = value.partition(":")[0]
                for account in dict.fromkeys(accounts):
                    ours = us.owns(account)
                    caller = self._member(
                        f"arn:{self.mentions.partition}:iam::{account}:role/somebody",
                        us.organisation or "" if ours else "",
                    )
                    yield CallerClass(
                        audience=Audience.NAMED if ours else Audience.NAMED_EXTERNAL,
                        kind="unique_id",
                        name=identifier,
                        callers=tuple(
                            replace(
                                caller,
                                names=frozenset({identifier}),
                                context={**caller.context, "aws:userid": (example,)},
                            )
                            for example in examples(value, ("session",))
                        ),
                        account="" if ours else account,
                    )

    def _canonical(self) -> Iterator[CallerClass]:
        for principal in self.mentions.principals:
            if principal.kind == "CanonicalUser" and principal.value != self.mentions.us.owner_canonical:
                caller = self._member(f"arn:aws:iam::{self.mentions.stranger}:user/somebody", "")
                known = Caller(kind="principal", account="", names=frozenset({principal.value}), context=caller.context)
                amazon = principal.value in AMAZON_CANONICAL
                yield CallerClass(
                    audience=Audience.NAMED if amazon else Audience.NAMED_EXTERNAL,
                    kind="service" if amazon else "canonical",
                    name="CloudFront log delivery" if amazon else principal.value,
                    callers=(known,),
                )
            elif principal.kind == "AWS" and principal.value.startswith(_CLOUDFRONT):
                known = Caller(
                    kind="principal", names=frozenset({principal.value}), context={"aws:principaltype": ("User",)}
                )
                yield CallerClass(audience=Audience.NAMED, kind="service", name=principal.value, callers=(known,))

    def _providers(self) -> Iterator[CallerClass]:
        us = self.mentions.us
        for principal in self.mentions.principals:
            if principal.kind != "Federated":
                continue
            provider = principal.value
            account = account_of(provider)
            names = frozenset({provider})
            claims = [
                key
                for key in self.mentions.conditions
                if key.startswith(f"{provider.lower()}:") and key.endswith(("aud", "app_id", "azp"))
            ]
            strange = Caller(kind="federated", names=names, context=dict.fromkeys(claims, ("somebody-elses",)))
            named = tuple(
                Caller(kind="federated", names=names, context={**strange.context, key: (value,)})
                for key in claims
                for value in self.mentions.literals(key)
            )
            if account or provider not in PUBLIC_PROVIDERS:
                wide = Audience.NAMED if account and us.owns(account) else Audience.NAMED_EXTERNAL
                yield CallerClass(
                    audience=wide, kind="federated", name=provider, callers=(strange, *named), account=account
                )
            else:
                yield CallerClass(audience=Audience.ANY_ACCOUNT, kind="federated", name=provider, callers=(strange,))
                if named:
                    yield CallerClass(audience=Audience.NAMED, kind="federated", name=provider, callers=named)

    def _services(self) -> Iterator[CallerClass]:
        """A service that acts for a stranger, then for us, then for whoever is named."""
        us, stranger = self.mentions.us, self.mentions.stranger
        names = [p.value for p in self.mentions.principals if p.kind == "Service"]
        hints = (*_SOURCE_KEYS, "aws:principalisawsservice", *_SERVICE_NAMES)
        if not self.mentions.subjects.isdisjoint(hints):
            written = map(conditions.opened, self.mentions.values(*_SERVICE_NAMES))
            names += [example for each in written for example in examples(each, ("s3.amazonaws.com", "s3", "x"))]
            names.append("*")
        for name in dict.fromkeys(names):
            service = "sns.amazonaws.com" if name == "*" else name
            by_source: dict[tuple[str, str], list[Caller]] = {}
            for account, within, context in self._sources(service):
                by_source.setdefault((account, within), []).append(_service(service, context))
            for (account, within), callers in by_source.items():
                foreign = account not in ("", stranger) and not us.owns(account)
                if _ORGANISATION.match(account):
                    foreign = us.knows_its_organisation and not us.is_our_organisation(account)
                yield CallerClass(
                    audience=Audience.NAMED_EXTERNAL if foreign else Audience.NAMED,
                    kind="service",
                    name=name,
                    callers=tuple(callers),
                    account=account if TWELVE_DIGITS.fullmatch(account) and account != stranger else "",
                    stray=account == stranger,
                    within=within,
                )

    def _sources(self, service: str) -> Iterator[tuple[str, str, Context]]:
        """On whose behalf a service may call: (account, within, context).

        The account is empty where a source is named in full without one, and an organisation where only that is named.
        """
        us, stranger = self.mentions.us, self.mentions.stranger
        arns = tuple(map(conditions.opened, self.mentions.values("aws:sourcearn")))
        ours = us.organisation or ""

        def thing(account: str) -> str:
            return f"arn:{self.mentions.partition}:{service.partition('.')[0]}:us-east-1:{account}:thing"

        yield stranger, "", _source(stranger, thing(stranger), STRANGERS_ORGANISATION)
        for arn in arns:
            for account, context in self._source_like(arn, ours):
                yield account, "", context
        organisations = self._source_organisations
        for account in self._source_accounts:
            others = () if us.owns(account) else organisations
            for home in dict.fromkeys((ours if us.owns(account) else STRANGERS_ORGANISATION, *others)):
                yield account, "", _source(account, thing(account), home)
                for arn in arns:
                    within = "" if is_pattern(arn) else named_in_full(service)
                    for example in self._source_arns(arn, account):
                        yield account, within, _source(account, example, home)
        for value in self.mentions.patterns("aws:sourceaccount"):
            account = filled_account(value, stranger)
            yield stranger, "", _source(account, thing(account), STRANGERS_ORGANISATION)
        for value in self.mentions.patterns("aws:sourceorgid"):
            yield stranger, "", _source(stranger, thing(stranger), next(examples(value, ("0strangers",))))
        for organisation in organisations:
            for example in (thing(stranger), *(each for arn in arns for each in self._source_arns(arn, stranger))):
                yield organisation, "", _source(stranger, example, organisation)

    @cached_property
    def _source_accounts(self) -> tuple[str, ...]:
        literals = (*self.mentions.literals("aws:sourceaccount"), *self.mentions.literals("aws:sourceowner"))
        found = (self.mentions.us.account, *literals)
        return tuple(dict.fromkeys(each for each in found if TWELVE_DIGITS.fullmatch(each)))

    @cached_property
    def _source_organisations(self) -> tuple[str, ...]:
        paths = (path.partition("/")[0] for path in self.mentions.values("aws:sourceorgpaths"))
        found = (*self.mentions.literals("aws:sourceorgid"), *paths)
        return tuple(dict.fromkeys(each for each in found if _ORGANISATION.match(each)))

    @staticmethod
    def _source_arns(arn: str, account: str) -> Iterator[str]:
        """Sources of one account that fit what is written of a source, if it leaves open whose it is."""
        parts = arn.split(":", 5)
        if len(parts) == 6 and (parts[4] == "" or conditions.like(parts[4], account)):
            filled = ":".join((*parts[:4], account if parts[4] else "", parts[5]))
            yield from examples(filled, ("x", ""))

    def _source_like(self, arn: str, ours: str) -> Iterator[tuple[str, Context]]:
        stranger, us = self.mentions.stranger, self.mentions.us
        parts = arn.split(":", 5)
        written = parts[4] if len(parts) == 6 else "*"
        if written == "":  # a bucket's or the like: the name alone says whose, so only a pattern is open
            account = stranger if is_pattern(parts[5].partition("/")[0]) else ""
        else:
            account = filled_account(written, stranger) if is_pattern(written) else written
        wild = account == stranger or (is_pattern(written) and not TWELVE_DIGITS.fullmatch(written))
        for example in examples(
            ":".join((*parts[:4], account, parts[5])) if len(parts) == 6 and written else arn, ("x", stranger, "")
        ):
            home = ours if account and us.owns(account) else STRANGERS_ORGANISATION
            behind = account if TWELVE_DIGITS.fullmatch(account) else stranger
            for caller in dict.fromkeys((behind, us.account) if account == "" else (behind,)):
                yield (stranger if wild else account), _source(caller, example, home)

    def _member(self, arn: str, organisation: str, path: str = "") -> Caller:
        """Somebody who signs his requests."""
        found = _CALLER_ARN.match(arn)
        account, tail = (found.group(1), found.group(2)) if found else ("", "")
        kind, _, name = tail.partition("/")
        names = {arn}
        context: dict[str, tuple[str, ...]] = {
            "aws:principalaccount": (account,),
            "aws:principalarn": (arn,),
            "aws:principalisawsservice": ("false",),
            "aws:principaltype": (_PRINCIPAL_TYPES.get(kind, "User"),),
        }
        if kind == "assumed-role":
            role, _, session = name.partition("/")
            names.add(f"arn:aws:iam::{account}:role/{role}")
            context["aws:principalarn"] = (f"arn:aws:iam::{account}:role/{role}",)
            context["aws:userid"] = (f"{_STRANGERS_ROLE}:{session}",)
        elif kind == "role":
            context["aws:userid"] = (f"{_STRANGERS_ROLE}:session",)
        elif kind == "root":
            context["aws:userid"] = (account,)
        else:
            context["aws:userid"] = ("AIDA0STRANGERS000000X",)
            context["aws:username"] = (name.rpartition("/")[2],)
        if organisation:
            context["aws:principalorgid"] = (organisation,)
            context["aws:principalorgpaths"] = (path or f"{organisation}/r-0000/ou-0000-00000000/",)
        return Caller(kind="principal", account=account, names=frozenset(names), context=context)


_PRINCIPAL_TYPES = {
    "root": "Account",
    "user": "User",
    "role": "AssumedRole",
    "assumed-role": "AssumedRole",
    "federated-user": "FederatedUser",
}


def anonymous() -> Caller:
    """Somebody who does not sign his requests, and so has no keys but the few that every request has."""
    context = {
        "aws:principalaccount": ("anonymous",),
        "aws:userid": ("anonymous",),
        "aws:principaltype": ("Anonymous",),
        "aws:viaawsservice": ("false",),
    }
    return Caller(kind="anonymous", context=context)


def is_left_over(principal: Principal) -> bool:
    """An id that AWS shows in place of a principal that has been deleted."""
    return principal.kind == "AWS" and _ROLE_ID.fullmatch(principal.value) is not None


def named_in_full(service: str) -> str:
    """What a service is let in by if a source is named in full, whoever owns it."""
    return f"{service} for a source named in full"


def _in_session(caller: Caller, user_id: str) -> Caller:
    return replace(caller, context={**caller.context, "aws:userid": (user_id,)})


def _service(name: str, source: Context) -> Caller:
    context = {
        # In the context of all requests, as AWS says; which account it is for a service it does not say.
        "aws:principalaccount": ("service",),
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (name,),
        "aws:principalservicenameslist": (name,),
        **source,
    }
    return Caller(kind="service", names=frozenset({name}), context=context)


def _source(account: str, arn: str, organisation: str) -> Context:
    context = {
        "aws:sourceaccount": (account,),
        "aws:sourceowner": (account,),
        "aws:sourcearn": (arn,),
    }
    if organisation:
        context["aws:sourceorgid"] = (organisation,)
        context["aws:sourceorgpaths"] = (f"{organisation}/r-0000/ou-0000-00000000/",)
    return context
