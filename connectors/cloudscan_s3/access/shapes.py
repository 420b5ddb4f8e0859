"""The shapes in which callers, organisations and sources occur: forms of their keys, with what always goes with them.

Sources: IAM User Guide, "AWS global condition context keys", "IAM JSON policy elements: Variables and tags" (section
"Where you can use policy variables", the table of principal types), "IAM identifiers" and "IAM and AWS STS quotas";
AWS Organizations API Reference, "Account" and "OrganizationalUnit". Where a length is limited, the limit is left out:
to call a caller possible who is not does less harm than the opposite.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import Final

from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.forms import Comparison, Form, Reading, Segment, read
from cloudscan_s3.access.texts import (
    TextSet,
    at_least,
    either,
    expression,
    many,
    one_of,
    text,
    then,
    times,
    words,
)

_NAME_CHARACTERS = f"{ascii_letters}{digits}+=,.@_-"
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_LOWER = f"{ascii_lowercase}{digits}"

ACCOUNT_ID: Final = expression(times(12, one_of(digits)))
ORGANISATION_ID: Final = expression(then(text("o-"), at_least(4, one_of(_LOWER))))
_ORGANISATION_PATH: Final = expression(
    then(
        text("r-"),
        at_least(1, one_of(_LOWER)),
        text("/"),
        many(then(text("ou-"), at_least(1, one_of(_LOWER)), text("-"), at_least(1, one_of(_LOWER)), text("/"))),
    )
)
_PATH: Final = expression(either(then(), then(many(one_of(_PRINTABLE)), text("/"))))
_NAME: Final = expression(at_least(1, one_of(_NAME_CHARACTERS)))
_LONGER_NAME: Final = expression(at_least(2, one_of(_NAME_CHARACTERS)))  # of sessions and federated users
UNIQUE_ID_CHARACTER: Final = one_of(f"{ascii_uppercase}{digits}")
_ROLE_ID: Final = expression(then(text("AROA"), at_least(12, UNIQUE_ID_CHARACTER)))
_USER_ID: Final = expression(then(text("AIDA"), at_least(12, UNIQUE_ID_CHARACTER)))

EXAMPLE_ORGANISATION: Final = "o-0strangers"
_EXAMPLE_PATH: Final = "r-0000/ou-0000-00000000/"
_EXAMPLE_ROLE_ID: Final = "AROA0STRANGERS000000X"
_EXAMPLE_USER_ID: Final = "AIDA0STRANGERS000000X"


_OWNER_KEYS: Final = frozenset(
    ("aws:principalaccount", "aws:sourceaccount", "aws:principalorgid", "aws:sourceorgid", "aws:vpceorgid")
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A form of keys that belong together, and what is so for all that have it."""

    form: Form
    constants: Context = field(default_factory=dict)  # keys that always have this value
    names: tuple[Reading, ...] = ()  # the ways in which a Principal element may name exactly this caller
    tests: tuple[Comparison, ...] = ()  # what a spelling must fulfil to be meant at all

    @property
    def owner(self) -> int | None:
        """The segment that is the account's number, or the organisation's id; None where there is none."""
        for key, reading in self.form.readings:
            if key in _OWNER_KEYS and isinstance(reading[0], int):
                return reading[0]
        return None

    def limited(self, key: str, *sets: TextSet, wanted: bool) -> "Shape":
        """The same shape, for those whose key is in one of the sets (or in none). Without the key it is in none."""
        reading = self.form.reading(key)
        alternatives = tuple((reading, texts) for texts in sets) if reading is not None else ()
        return replace(self, tests=(*self.tests, Comparison(alternatives, wanted)))

    def named(self, *sets: TextSet, wanted: bool) -> "Shape":
        """The same shape, for those of whose names one is in one of the sets (or none is)."""
        alternatives = tuple((name, texts) for name in self.names for texts in sets)
        return replace(self, tests=(*self.tests, Comparison(alternatives, wanted)))

    def context(self, spelling: tuple[str, ...]) -> Context:
        """All keys, for one spelling."""
        return {**self.constants, **self.form.context(spelling)}

    def names_of(self, spelling: tuple[str, ...]) -> frozenset[str]:
        """The names, for one spelling."""
        return frozenset(read(name, spelling) for name in self.names)


def fixed(value: str) -> Segment:
    """A segment that is always the same."""
    return Segment(words(frozenset((value,))), value)


def any_account(example: str) -> Segment:
    """The segment of an account that may be any."""
    return Segment(ACCOUNT_ID, example)


def role(partition: str, account: Segment, unique_id: Segment | None = None) -> Shape:
    """A role in a session. aws:PrincipalArn is the role's; a Principal may also name the session."""
    arn: Reading = (f"arn:{partition}:iam::", 0, ":role/", 1, 2)
    return Shape(
        form=Form(
            (
                account,
                Segment(_PATH, rare=True),
                Segment(_NAME, "somebody"),
                unique_id or Segment(_ROLE_ID, _EXAMPLE_ROLE_ID),
                Segment(_LONGER_NAME, "session"),
            ),
            (("aws:principalaccount", (0,)), ("aws:principalarn", arn), ("aws:userid", (3, ":", 4))),
        ),
        constants=_of_principals("AssumedRole"),
        names=(arn, (f"arn:{partition}:sts::", 0, ":assumed-role/", 2, "/", 4)),
    )


def user(partition: str, account: Segment, unique_id: Segment | None = None) -> Shape:
    """An IAM user."""
    arn: Reading = (f"arn:{partition}:iam::", 0, ":user/", 1, 2)
    return Shape(
        form=Form(
            (
                account,
                Segment(_PATH, rare=True),
                Segment(_NAME, "somebody"),
                unique_id or Segment(_USER_ID, _EXAMPLE_USER_ID),
            ),
            (
                ("aws:principalaccount", (0,)),
                ("aws:principalarn", arn),
                ("aws:username", (2,)),
                ("aws:userid", (3,)),
            ),
        ),
        constants=_of_principals("User"),
        names=(arn,),
    )


def root(partition: str, account: Segment) -> Shape:
    """The root user of an account."""
    arn: Reading = (f"arn:{partition}:iam::", 0, ":root")
    return Shape(
        form=Form((account,), (("aws:principalaccount", (0,)), ("aws:principalarn", arn), ("aws:userid", (0,)))),
        constants=_of_principals("Account"),
        names=(arn,),
    )


def federated_user(partition: str, account: Segment) -> Shape:
    """A user for whom somebody in an account called GetFederationToken."""
    arn: Reading = (f"arn:{partition}:sts::", 0, ":federated-user/", 1)
    return Shape(
        form=Form(
            (account, Segment(_LONGER_NAME, "somebody")),
            (("aws:principalaccount", (0,)), ("aws:principalarn", arn), ("aws:userid", (0, ":", 1))),
        ),
        constants=_of_principals("FederatedUser"),
        names=(arn,),
    )


def no_organisation() -> Shape:
    """An account that is in no organisation."""
    return Shape(form=Form((), ()))


def organisation(name: Segment | None = None, prefix: str = "aws:principal") -> Shape:
    """The organisation of an account, and the account's path in it; `prefix` begins the names of the keys."""
    return Shape(
        form=Form(
            (name or Segment(ORGANISATION_ID, EXAMPLE_ORGANISATION), Segment(_ORGANISATION_PATH, _EXAMPLE_PATH)),
            ((f"{prefix}orgid", (0,)), (f"{prefix}orgpaths", (0, "/", 1))),
        )
    )


def _of_principals(kind: str) -> Mapping[str, tuple[str, ...]]:
    return {"aws:principalisawsservice": ("false",), "aws:principaltype": (kind,)}
