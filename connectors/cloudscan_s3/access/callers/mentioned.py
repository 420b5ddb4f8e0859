"""The accounts, principals and organisations that a set of policies mentions, and members of them to try."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from cloudscan_s3.access import conditions
from cloudscan_s3.access.callers.example_callers import (
    CALLER_ARN,
    ROLE_ID,
    example_path,
    signed_caller,
    with_user_id,
)
from cloudscan_s3.access.policy_literals import (
    TWELVE_DIGITS,
    PolicyLiterals,
    examples,
    filled_account,
    is_pattern,
)
from cloudscan_s3.access.request import Caller, account_of, is_account

ORGANISATION = re.compile(r"^o-[a-z0-9]{4,32}$")
UNIQUE_ID = re.compile(r"^A(?:RO|ID|SI|GP|KI)A[A-Z0-9]{8,}")
_SHAPE_KEYS = ("aws:principalarn", "aws:principaltype", "aws:userid", "aws:username")


@dataclass(frozen=True)
class MentionedCallers:
    """What the literals say of callers; computed once for all caller classes."""

    literals: PolicyLiterals

    @cached_property
    def organisations_matter(self) -> bool:
        """Does anything depend on a caller's organisation?"""
        return self.literals.depend_on("aws:principalorgid", "aws:principalorgpaths", "aws:resourceorgid")

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        """Every account that is named, is the home of a named principal, or is an example of a pattern."""
        accounts = [account_of(principal.value) for principal in self.literals.principals if principal.kind == "AWS"]
        accounts += [account_of(arn) for arns in self.arns.values() for arn in arns]
        accounts += [value for value in self.literals.values("aws:userid") if TWELVE_DIGITS.fullmatch(value)]
        for value in self.literals.values("aws:principalaccount"):
            candidate = filled_account(value, self.literals.unmentioned_account)
            if TWELVE_DIGITS.fullmatch(candidate) and conditions.like(value, candidate):
                accounts.append(candidate)
        return tuple(dict.fromkeys(account for account in accounts if account))

    @cached_property
    def unmentioned_accounts(self) -> tuple[str, ...]:
        """An account that the text does not mention, and one for each pattern of accounts."""
        by_pattern = (account for account in self.accounts if self.is_example(account))
        return tuple(dict.fromkeys((self.literals.unmentioned_account, *by_pattern)))

    def is_example(self, account: str) -> bool:
        """Is an account not written anywhere in full, so that it only stands for a pattern?"""
        texts = [principal.value for principal in self.literals.principals]
        texts += self.literals.values("aws:principalarn", "aws:principalaccount", "aws:userid")
        return not any(account in text for text in texts)

    @cached_property
    def arns(self) -> dict[str, tuple[str, ...]]:
        """The callers' ARNs that are named, each under itself, and those that fit a pattern, under the pattern."""
        account = self.literals.unmentioned_account
        return {written: tuple(dict.fromkeys(self._arns_like(written, account))) for written in self._arns_written}

    @cached_property
    def organisations(self) -> tuple[str, ...]:
        """Every organisation that is named."""
        paths = self.literals.values("aws:principalorgpaths")
        named = [*self.literals.fixed("aws:principalorgid"), *(path.partition("/")[0] for path in paths)]
        own = self.literals.own_estate.organisation
        if own and self.literals.depend_on("aws:resourceorgid"):
            named.append(own)
        # Compared without regard to case, an organisation may be written in capitals.
        lower = (name.lower() for name in named)
        return tuple(dict.fromkeys(name for name in lower if ORGANISATION.match(name)))

    @cached_property
    def organisations_by_pattern(self) -> tuple[str, ...]:
        """An organisation for each pattern of organisations."""
        values = [*self.literals.patterns("aws:principalorgid")]
        values += [path.partition("/")[0] for path in self.literals.values("aws:principalorgpaths")]
        names = (
            name for value in values if is_pattern(value) for name in examples(value, ("0strangers", "o-0strangers"))
        )
        return tuple(dict.fromkeys(name for name in names if ORGANISATION.match(name)))

    def paths_in(self, organisation: str) -> tuple[str, ...]:
        """Paths in a named organisation: those that the text describes, and one that it does not mention."""
        written = [
            path for path in self.literals.values("aws:principalorgpaths") if path.startswith(f"{organisation}/")
        ]
        described = [example for path in written for example in examples(path, ("x", "r-x/ou-x/", ""))]
        return tuple(dict.fromkeys((*described, example_path(organisation))))

    def open_paths_in(self, organisation: str) -> Iterator[str]:
        """Paths in an unnamed organisation: the ids of units and roots are unique within one organisation only."""
        for written in self.literals.values("aws:principalorgpaths"):
            head, _, tail = written.partition("/")
            if is_pattern(head) and conditions.like(head, organisation):
                yield from examples(f"{organisation}/{tail}", ("x", ""))

    def members(
        self, account: str, organisation: str, path: str = "", first: str = "role/somebody"
    ) -> Iterator[Caller]:
        """Callers in one account, in every form that makes a difference; `first` is tried before all others."""
        head = f"arn:{self.literals.partition}:iam::{account}:"
        tails = [first]
        fitting: list[str] = []
        if self.literals.depend_on(*_SHAPE_KEYS) or self._patterns_of_principals:
            names = [
                name
                for value in self.literals.values("aws:username")
                for name in examples(conditions.with_wildcards(value))
            ]
            tails += ["user/somebody", *(f"user/{name}" for name in names if name), "role/somebody", "root"]
            fitting = [
                arn for pattern in self._arns_written for arn in self._arns_like(pattern, account, open_only=True)
            ]
        for arn in dict.fromkeys((*(head + tail for tail in tails), *fitting)):
            if account_of(arn) == account:
                yield signed_caller(arn, organisation, path)
        for session in self._sessions():
            yield with_user_id(signed_caller(f"{head}role/somebody", organisation, path), session)

    def sessions_of(self, caller: Caller) -> Iterator[Caller]:
        """The caller, and if it is a role, its sessions of every name that makes a difference."""
        yield caller
        if ":role/" in caller.context["aws:principalarn"][0]:
            yield from (with_user_id(caller, session) for session in self._sessions())

    def _sessions(self) -> Iterator[str]:
        """Values of aws:userid that anyone can have: AWS gives the role's id, the caller chooses the session's name."""
        for pattern in map(conditions.with_wildcards, self.literals.values("aws:userid")):
            if is_pattern(pattern) and not UNIQUE_ID.match(pattern):
                for start in (ROLE_ID, f"{ROLE_ID}:"):
                    yield pattern.replace("*", start, 1).replace("*", "x").replace("?", "x")

    @cached_property
    def _arns_written(self) -> tuple[str, ...]:
        written = [
            principal.value
            for principal in self.literals.principals
            if principal.kind == "AWS" and not is_account(principal.value)
        ]
        return tuple(dict.fromkeys((*written, *self.literals.values("aws:principalarn"))))

    @cached_property
    def _patterns_of_principals(self) -> bool:
        return any(is_pattern(principal.value) and principal.value != "*" for principal in self.literals.principals)

    def _arns_like(self, written: str, account: str, *, open_only: bool = False) -> Iterator[str]:
        """Callers' ARNs that fit a pattern, in this account where it leaves that open (and only there, if asked)."""
        pattern = conditions.with_wildcards(written)
        if not is_pattern(pattern):
            if not open_only and CALLER_ARN.match(pattern):
                yield pattern
            return
        parts = pattern.split(":", 5)
        if len(parts) == 6:
            if open_only and not is_pattern(parts[4]):
                return
            candidates = self._whole_arns_like(parts, account)
        else:
            candidates = self._loose_arns_like(pattern, account)
        yield from (candidate for candidate in candidates if CALLER_ARN.match(candidate))

    def _whole_arns_like(self, parts: list[str], account: str) -> Iterable[str]:
        """ARNs that fit a pattern with all six parts: arn:aws:iam::*:role/app-*."""
        home = account if conditions.like(parts[4], account) else filled_account(parts[4], account)
        partition = self.literals.partition if conditions.like(parts[1], self.literals.partition) else parts[1]
        service = "sts" if parts[5].startswith(("assumed-role", "federated-user")) else "iam"
        says_kind = "/" in parts[5].partition("*")[0]
        tails = examples(parts[5], ("x", "") if says_kind else ("x", "user/x", "role/x", ""))
        return (f"arn:{partition}:{service}::{home}:{tail}" for tail in tails)

    def _loose_arns_like(self, pattern: str, account: str) -> Iterable[str]:
        """ARNs that fit a pattern without regard to their parts: *Admin*."""
        head = f"arn:{self.literals.partition}:iam::{account}"
        starts = (
            f"{head}:user/x",
            f"{head}:role/x",
            f"{head}:role/",
            f"{head}:",
            head,
            f"{account}:role/",
            account,
        )
        return (pattern.replace("*", start, 1).replace("*", "x").replace("?", "x") for start in starts)
