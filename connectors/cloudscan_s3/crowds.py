"""Who could come: the kinds of caller that a set of policies can tell apart.

A policy cannot be asked about all callers one by one, but it can only distinguish those that its own text mentions.
So it is enough to try, beside the named ones, one member of each crowd that the text leaves open: an unsigned caller,
somebody in an account that nobody mentioned, somebody in each organisation that is mentioned. What a member may choose
for himself (names, tags, sessions) is tried in every form that makes a difference.

Source for what a caller's request carries: IAM User Guide, "AWS global condition context keys".
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from cloudscan.facts import Audience
from cloudscan_s3 import match
from cloudscan_s3.match import Context
from cloudscan_s3.mentions import TWELVE_DIGITS, Mentions, examples, is_pattern
from cloudscan_s3.policy import Principal
from cloudscan_s3.request import Caller, account_of, is_account

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
    ]
)
# Anybody can become a customer of these and be told who he is; only the audience claim says whose customer.
PUBLIC_PROVIDERS = frozenset(
    ("cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com", "accounts.google.com", "*")
)
STRANGERS_ORGANISATION = "o-0strangers"
_STRANGERS_ROLE = "AROA0STRANGERS000000X"


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Callers of whom a policy can only say the same thing."""

    audience: Audience
    kind: str  # anyone, any_account, organisation, account, principal, canonical, unique_id, federated, service
    name: str  # an account id, an ARN, an organisation id, a service; empty for the first two kinds
    callers: tuple[Caller, ...]
    account: str = ""  # the 12 digits behind it, where there is one account
    stray: bool = False  # a service that can be made to act for a stranger: the confused deputy


@dataclass(frozen=True)
class Crowds:
    """Everybody that a set of statements can tell apart, seen from us."""

    mentions: Mentions

    def outside(self) -> Iterator[Crowd]:
        """From the widest to the narrowest, without our own account."""
        yield Crowd(audience=Audience.ANYONE_WITH_LINK, kind="anyone", name="", callers=(anonymous(),))
        yield Crowd(audience=Audience.ANY_ACCOUNT, kind="any_account", name="", callers=self.strangers)
        yield from self._providers()
        yield from self._organisations()
        yield from self._unique_ids()
        yield from self._canonical()
        yield from self._accounts(ours=False)
        yield from self._services()

    def inside(self) -> Iterator[Crowd]:
        """Our own accounts, as far as they are named."""
        yield from self._accounts(ours=True)

    @cached_property
    def strangers(self) -> tuple[Caller, ...]:
        """Somebody with an AWS account that nobody mentioned, in all the shapes that make a difference."""
        account = self.mentions.stranger
        homes = ("", STRANGERS_ORGANISATION, *self._wild_organisations())
        user_names = [name for value in self.mentions.values("aws:username") for name in examples(value) if name]
        arns = [f"arn:aws:iam::{account}:user/{name}" for name in dict.fromkeys(("somebody", *user_names))]
        arns += [f"arn:aws:iam::{account}:role/somebody", f"arn:aws:iam::{account}:root"]
        digits = [each for each in self._accounts_named if self._is_strange(each) and each != account]
        arns += [f"arn:aws:iam::{each}:user/somebody" for each in digits]
        arns += [arn for arn in self._arns if self._is_strange(account_of(arn))]
        members = [self._member(arn, home) for arn in arns for home in homes]
        members += [_in_session(self._member(arns[-1], home), each) for each in self._sessions() for home in homes]
        return tuple(members)

    def _sessions(self) -> Iterator[str]:
        """Values of aws:userid that a stranger can have: the role's id is given, the session's name is his choice."""
        for pattern in self.mentions.patterns("aws:userid"):
            if not _ROLE_ID.match(pattern):
                for start in (_STRANGERS_ROLE, f"{_STRANGERS_ROLE}:"):
                    yield pattern.replace("*", start, 1).replace("*", "x").replace("?", "x")

    @cached_property
    def _arns(self) -> tuple[str, ...]:
        """Every caller's ARN that is named, or that fits a pattern which is."""
        written = [p.value for p in self.mentions.principals if p.kind == "AWS" and not is_account(p.value)]
        written += self.mentions.values("aws:principalarn")
        return tuple(dict.fromkeys(arn for each in written for arn in self._arns_like(each)))

    def _arns_like(self, pattern: str) -> Iterator[str]:
        if not is_pattern(pattern):
            if _CALLER_ARN.match(pattern):
                yield pattern
            return
        stranger = self.mentions.stranger
        parts = pattern.split(":", 5)
        if len(parts) == 6:
            home = _filled_account(parts[4], stranger)
            service = "sts" if parts[5].startswith(("assumed-role", "federated-user")) else "iam"
            tails = examples(parts[5], ("x", "user/x", "role/x", ""))
            candidates: Iterable[str] = (f"arn:aws:{service}::{home}:{tail}" for tail in tails)
        else:
            head = f"arn:aws:iam::{stranger}"
            fillers = (
                f"{head}:user/x",
                f"{head}:role/x",
                f"{head}:role/",
                f"{head}:",
                head,
                f"{stranger}:role/",
                stranger,
            )
            candidates = (pattern.replace("*", each, 1).replace("*", "x").replace("?", "x") for each in fillers)
        yield from (each for each in candidates if _CALLER_ARN.match(each))

    @cached_property
    def _accounts_named(self) -> tuple[str, ...]:
        """Every account that is, or is the home of, somebody who is named; or that fits a pattern which is."""
        found = [account_of(each.value) for each in self.mentions.principals if each.kind == "AWS"]
        found += [account_of(arn) for arn in self._arns]
        found += [each for each in self.mentions.values("aws:userid") if TWELVE_DIGITS.fullmatch(each)]
        for value in self.mentions.values("aws:principalaccount"):
            candidate = _filled_account(value, self.mentions.stranger)
            if TWELVE_DIGITS.fullmatch(candidate) and match.like(value, candidate):
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

    def _organisations(self) -> Iterator[Crowd]:
        us = self.mentions.us
        paths = self.mentions.values("aws:principalorgpaths")
        named = [*self.mentions.literals("aws:principalorgid"), *(path.partition("/")[0] for path in paths)]
        for name in dict.fromkeys(each for each in named if _ORGANISATION.match(each)):
            ours = us.is_our_organisation(name)
            inside = [
                e for path in paths if path.startswith(f"{name}/") for e in examples(path, ("x", "r-x/ou-x/", ""))
            ]
            inside.append(f"{name}/r-0000/ou-0000-00000000/")
            arn = f"arn:aws:iam::{self.mentions.stranger}:role/somebody"
            yield Crowd(
                audience=Audience.ORGANISATION if ours else Audience.EXTERNAL_DOMAIN,
                kind="organisation",
                name=name,
                callers=tuple(self._member(arn, name, path) for path in dict.fromkeys(inside)),
            )

    def _accounts(self, *, ours: bool) -> Iterator[Crowd]:
        us = self.mentions.us
        for account in self._accounts_named:
            if us.owns(account) != ours or self._is_strange(account):
                continue
            wide = Audience.NAMED_EXTERNAL
            if account == us.account:
                wide = Audience.OWNER
            elif ours or account in AMAZON_ACCOUNTS:
                wide = Audience.NAMED
            home = us.organisation or "" if ours else ""
            homes = dict.fromkeys((home, "" if ours else STRANGERS_ORGANISATION))
            plain = [f"arn:aws:iam::{account}:{tail}" for tail in ("role/somebody", "user/somebody", "root")]
            yield Crowd(
                audience=wide,
                kind="service" if account in AMAZON_ACCOUNTS else "account",
                name=account,
                callers=tuple(self._member(arn, each) for arn in plain for each in homes),
                account=account,
            )
            for arn in self._arns:
                if account_of(arn) == account:
                    yield Crowd(
                        audience=Audience.NAMED if ours else wide,
                        kind="principal",
                        name=arn,
                        callers=tuple(self._member(arn, each) for each in homes),
                        account=account,
                    )

    def _unique_ids(self) -> Iterator[Crowd]:
        """People known only by Amazon's id: of a role in a condition. Whose it is cannot be seen from here."""
        for value in self.mentions.values("aws:userid"):
            if _ROLE_ID.match(value):
                identifier = value.partition(":")[0]
                caller = self._member(
                    f"arn:aws:iam::{self.mentions.us.account}:role/somebody", self.mentions.us.organisation or ""
                )
                for example in examples(value, ("session",)):
                    context = {**caller.context, "aws:userid": (example,)}
                    known = Caller(
                        kind="principal", account=caller.account, names=frozenset({identifier}), context=context
                    )
                    yield Crowd(audience=Audience.NAMED, kind="unique_id", name=identifier, callers=(known,))

    def _canonical(self) -> Iterator[Crowd]:
        for principal in self.mentions.principals:
            if principal.kind == "CanonicalUser" and principal.value != self.mentions.us.owner_canonical:
                caller = self._member(f"arn:aws:iam::{self.mentions.stranger}:user/somebody", "")
                known = Caller(kind="principal", account="", names=frozenset({principal.value}), context=caller.context)
                yield Crowd(audience=Audience.NAMED_EXTERNAL, kind="canonical", name=principal.value, callers=(known,))
            elif principal.kind == "AWS" and principal.value.startswith(_CLOUDFRONT):
                known = Caller(
                    kind="principal", names=frozenset({principal.value}), context={"aws:principaltype": ("User",)}
                )
                yield Crowd(audience=Audience.NAMED, kind="service", name=principal.value, callers=(known,))

    def _providers(self) -> Iterator[Crowd]:
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
                yield Crowd(audience=wide, kind="federated", name=provider, callers=(strange, *named), account=account)
            else:
                yield Crowd(audience=Audience.ANY_ACCOUNT, kind="federated", name=provider, callers=(strange,))
                if named:
                    yield Crowd(audience=Audience.NAMED, kind="federated", name=provider, callers=named)

    def _services(self) -> Iterator[Crowd]:
        """A service that acts for a stranger, then for us, then for whoever is named."""
        us, stranger = self.mentions.us, self.mentions.stranger
        names = [p.value for p in self.mentions.principals if p.kind == "Service"]
        by_source = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths")
        hints = (*by_source, "aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist")
        if any(key in self.mentions.conditions for key in hints):
            names += [*self.mentions.literals("aws:principalservicename"), "*"]
        for name in dict.fromkeys(names):
            service = "sns.amazonaws.com" if name == "*" else name
            sources = self._sources(service)
            for account in dict.fromkeys(account for account, _ in sources):
                mine = tuple(_service(service, context) for home, context in sources if home == account)
                foreign = account not in ("", stranger) and not us.owns(account)
                yield Crowd(
                    audience=Audience.NAMED_EXTERNAL if foreign else Audience.NAMED,
                    kind="service",
                    name=name,
                    callers=mine,
                    account="" if account == stranger else account,
                    stray=account == stranger,
                )

    def _sources(self, service: str) -> list[tuple[str, Context]]:
        """On whose behalf a service may call: (account, context). An empty account is a source named in full."""
        us, stranger = self.mentions.us, self.mentions.stranger
        short = service.partition(".")[0]
        arns = self.mentions.values("aws:sourcearn")
        ours = us.organisation or ""
        sources = [(stranger, _source(stranger, f"arn:aws:{short}:us-east-1:{stranger}:thing", STRANGERS_ORGANISATION))]
        for arn in arns:
            sources.extend(self._source_like(arn, ours))
        accounts = [
            us.account,
            *self.mentions.literals("aws:sourceaccount"),
            *self.mentions.literals("aws:sourceowner"),
        ]
        for account in dict.fromkeys(accounts):
            if TWELVE_DIGITS.fullmatch(account):
                home = ours if us.owns(account) else STRANGERS_ORGANISATION
                sources.append((account, _source(account, f"arn:aws:{short}:us-east-1:{account}:thing", home)))
        for value in self.mentions.patterns("aws:sourceaccount"):
            account = _filled_account(value, stranger)
            sources.append(
                (stranger, _source(account, f"arn:aws:{short}:us-east-1:{account}:thing", STRANGERS_ORGANISATION))
            )
        for value in self.mentions.values("aws:sourceorgid"):
            known = not is_pattern(value)
            account = "" if known else stranger
            example = value if known else next(examples(value, ("0strangers",)))
            sources.append((account, _source(stranger, f"arn:aws:{short}:us-east-1:{stranger}:thing", example)))
        return sources

    def _source_like(self, arn: str, ours: str) -> Iterator[tuple[str, Context]]:
        stranger, us = self.mentions.stranger, self.mentions.us
        parts = arn.split(":", 5)
        written = parts[4] if len(parts) == 6 else "*"
        if written == "":  # a bucket's or the like: the name alone says whose, so only a pattern is open
            account = stranger if is_pattern(parts[5].partition("/")[0]) else ""
        else:
            account = _filled_account(written, stranger) if is_pattern(written) else written
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


def _in_session(caller: Caller, user_id: str) -> Caller:
    return replace(caller, context={**caller.context, "aws:userid": (user_id,)})


def _service(name: str, source: Context) -> Caller:
    context = {
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


def _filled_account(pattern: str, stranger: str) -> str:
    """Twelve digits that fit a pattern of an account id."""
    if not is_pattern(pattern):
        return pattern
    prefix = pattern.partition("*")[0].replace("?", "9")
    return (prefix + stranger[len(prefix) :])[:12]
