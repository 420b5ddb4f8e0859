"""The accounts, principals and organisations that a set of policies mentions, and the sets of callers around them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cloudscan_s3.access import conditions
from cloudscan_s3.access.caller_set import CallerSet
from cloudscan_s3.access.callers.signed import principals
from cloudscan_s3.access.condition_texts import texts_named
from cloudscan_s3.access.forms import Segment
from cloudscan_s3.access.policy_literals import TWELVE_DIGITS, PolicyLiterals
from cloudscan_s3.access.request import is_account
from cloudscan_s3.access.shapes import Shape, any_account, no_organisation, organisation
from cloudscan_s3.access.texts import TextSet, either, expression, many, one, text, then, words

ORGANISATION = re.compile(r"^o-[a-z0-9]{4,32}$")
UNIQUE_ID = re.compile(r"^A(?:RO|ID|SI|GP|KI)A[A-Z0-9]{8,}")
_CALLER_KEYS = ("aws:principalarn", "aws:principalaccount", "aws:userid", "aws:username")


@dataclass(frozen=True)
class MentionedCallers:
    """What the literals say of callers; computed once for all caller classes."""

    literals: PolicyLiterals

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        """Every account whose number is written somewhere, by itself or in an ARN."""
        texts = [principal.value for principal in self.literals.principals if principal.kind == "AWS"]
        texts += self.literals.values(*_CALLER_KEYS)
        return tuple(dict.fromkeys(number for text in texts for number in TWELVE_DIGITS.findall(text)))

    @cached_property
    def organisations(self) -> tuple[str, ...]:
        """Every organisation that is named, and ours."""
        paths = self.literals.values("aws:principalorgpaths")
        named = [*self.literals.fixed("aws:principalorgid"), *(path.partition("/")[0] for path in paths)]
        if self.organisations_matter:
            named += sorted(self.literals.own_estate.organisations)
        # Compared without regard to case, an organisation may be written in capitals.
        lower = (name.lower() for name in named)
        return tuple(dict.fromkeys(name for name in lower if ORGANISATION.match(name)))

    @cached_property
    def unique_ids(self) -> tuple[str, ...]:
        """Every unique id of a principal that a condition names, with or without a session."""
        matches = (UNIQUE_ID.match(value) for value in self.literals.values("aws:userid"))
        return tuple(dict.fromkeys(match.group() for match in matches if match))

    def singled_out(self, account: str) -> tuple[str, ...]:
        """What is written of some principals of an account, and not of its roles or users in general."""
        head = f"arn:{self.literals.partition}:iam::{account}:"
        in_general = (f"{head}role/somebody", f"{head}user/somebody")
        return tuple(
            value
            for value in self._written_of.get(account, ())
            if not any(conditions.like(conditions.with_wildcards(value), arn) for arn in in_general)
        )

    @cached_property
    def _written_of(self) -> Mapping[str, Sequence[str]]:
        """What is written of principals, by the accounts whose numbers are in it."""
        by_account: dict[str, list[str]] = {}
        for value in self._written:
            for account in dict.fromkeys(TWELVE_DIGITS.findall(value)):
                by_account.setdefault(account, []).append(value)
        return by_account

    def strangers(self) -> Segment:
        """An account that no statement mentions."""
        return any_account(self.literals.unmentioned_account)

    def of_strangers(self, shapes: Sequence[Shape]) -> tuple[Shape, ...]:
        """The shapes, for principals of accounts that are not ours and that no statement mentions."""
        shapes = [shape.limited("aws:principalaccount", *self.known_accounts, wanted=False) for shape in shapes]
        if not self.unique_ids:
            return tuple(shapes)
        named = expression(either(*(then(text(name), many(one())) for name in self.unique_ids)))
        return tuple(shape.limited("aws:userid", named, wanted=False) for shape in shapes)

    def members(self, of_organisation: tuple[Shape, ...]) -> CallerSet:
        """Principals of accounts that are not ours and that no statement mentions, in these organisations."""
        shapes = principals(self.literals.partition, self.strangers())
        facets = (self.of_strangers(shapes), of_organisation)
        return CallerSet(kind="principal", facets=facets, not_of=frozenset(self.accounts))

    def no_named_organisation(self) -> tuple[Shape, ...]:
        """No organisation, or one that no statement names and that is not ours."""
        if not self.organisations_matter:
            return (no_organisation(),)
        taken = frozenset((*self.organisations, *self.literals.own_estate.organisations))
        return (no_organisation(), organisation().limited("aws:principalorgid", words(taken), wanted=False))

    @cached_property
    def organisations_matter(self) -> bool:
        """Does anything depend on a caller's organisation?"""
        return self.literals.depend_on("aws:principalorgid", "aws:principalorgpaths", "aws:resourceorgid")

    @cached_property
    def known_accounts(self) -> tuple[TextSet, ...]:
        """The accounts that are ours or that a statement mentions."""
        return (words(frozenset(self.accounts)), words(self.literals.own_estate.accounts))

    @cached_property
    def _written(self) -> tuple[str, ...]:
        written = [
            principal.value
            for principal in self.literals.principals
            if principal.kind == "AWS" and not is_account(principal.value)
        ]
        return tuple(dict.fromkeys((*written, *self.literals.values("aws:principalarn"))))


def texts_like(written: str) -> tuple[TextSet, ...]:
    """The ARNs that a value may mean, whatever its policy variables stand for."""
    return texts_named("StringLike", (conditions.with_wildcards(written),)) or ()
