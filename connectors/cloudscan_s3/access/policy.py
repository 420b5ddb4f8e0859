"""Resource policies as data: the text that S3 stores, parsed without dropping what cannot be understood.

Sources: IAM User Guide, "IAM JSON policy elements reference" and "Grammar of the IAM JSON policy language". A
statement that AWS itself would have refused is kept as a `Flaw`: what the policy means is then unknown for that part,
and known for the rest.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from cloudscan.reason import Reason

Quantifier = Literal["", "any", "all"]

OPERATORS = {
    name.lower(): name
    for name in [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnEquals",
        "ArnLike",
        "ArnNotEquals",
        "ArnNotLike",
        "Null",
    ]
}
PRINCIPAL_KINDS = {"aws": "AWS", "service": "Service", "federated": "Federated", "canonicaluser": "CanonicalUser"}


@dataclass(frozen=True)
class Principal:
    """One entry of a Principal element. `kind` is as AWS spells it; "*" in any of its forms is ("AWS", "*")."""

    kind: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One operator on one key. Several of them are ANDed, their values ORed."""

    operator: str  # base name in AWS's spelling, without quantifier and IfExists
    key: str  # lower case: keys are case-insensitive
    spelling: str  # the key as written, for people
    values: tuple[str, ...]
    if_exists: bool = False
    quantifier: Quantifier = ""

    @property
    def negated(self) -> bool:
        """Does it hold where the values do not match?"""
        return "Not" in self.operator

    @cached_property
    def refers(self) -> bool:
        """Does a value contain a policy variable, or what would be one in a newer version?"""
        return any("${" in value for value in self.values)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement, one-based `number` as people count them."""

    number: int
    sid: str = ""
    allows: bool
    principals: tuple[Principal, ...]
    not_principal: bool = False
    actions: tuple[str, ...]  # as written; case does not matter
    not_action: bool = False
    resources: tuple[str, ...]
    not_resource: bool = False
    conditions: tuple[Condition, ...] = ()
    variables: bool = True  # Version 2012-10-17: ${…} is replaced
    control_policy: str = ""  # the resource control policy whose statement it is; empty: the resource's own policy
    stored: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)  # as S3 has it

    @cached_property
    def as_stored(self) -> str:
        """The statement (or the entry of a list that it stands for) as indented JSON."""
        return json.dumps(self.stored, ensure_ascii=False, indent=2)

    @cached_property
    def accounts_and_arns(self) -> tuple[str, ...]:
        """The entries of the kind AWS of its Principal or NotPrincipal element."""
        return tuple(principal.value for principal in self.principals if principal.kind == "AWS")


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """A part of a policy that cannot be understood. `number` is 0 where the whole text is meant."""

    number: int
    problem: Reason
    may_allow: bool = True
    may_deny: bool = True


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A parsed policy: what could be understood, and what could not."""

    statements: tuple[Statement, ...] = ()
    flaws: tuple[Flaw, ...] = ()

    @property
    def allows(self) -> tuple[Statement, ...]:
        """The statements with the effect Allow."""
        return tuple(statement for statement in self.statements if statement.allows)

    @property
    def denies(self) -> tuple[Statement, ...]:
        """The statements with the effect Deny."""
        return tuple(statement for statement in self.statements if not statement.allows)


def parse(text: str) -> Policy:
    """Read a policy text. Never raises: what is wrong with the text is in the result's `flaws`."""
    try:
        document = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return _flawed("s3-policy-not-json")
    if not isinstance(document, dict):
        return _flawed("s3-policy-not-object")
    if isinstance(document, _Ambiguous):
        return _flawed("s3-policy-element-twice")
    raw = _by_lower_case(document).get("statement")
    raw = [raw] if isinstance(raw, dict) else raw
    if not isinstance(raw, list) or not raw:
        return _flawed("s3-policy-without-statements")
    # "If you do not include a Version element, the value defaults to 2008-10-17" and variables are literal text.
    variables = _by_lower_case(document).get("version") == "2012-10-17"
    statements, flaws = [], []
    for number, element in enumerate(raw, start=1):
        try:
            statements.append(_statement(number, element, variables))
        except _NotUnderstood as trouble:
            clear = isinstance(element, dict) and not isinstance(element, _Ambiguous)
            effect = _by_lower_case(element).get("effect") if clear else None
            problem = Reason(code=trouble.code, values={"statement": str(number), **trouble.values})
            flaws.append(Flaw(number=number, problem=problem, may_allow=effect != "Deny", may_deny=effect != "Allow"))
    return Policy(statements=tuple(statements), flaws=tuple(flaws))


def _flawed(code: str) -> Policy:
    """A policy that cannot be understood at all. S3 stores none without statements (API Reference, PutBucketPolicy)."""
    return Policy(flaws=(Flaw(number=0, problem=Reason(code=code)),))


class _NotUnderstood(Exception):
    """Why one statement cannot be read."""

    def __init__(self, code: str, **values: str) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


class _Ambiguous(dict[str, Any]):
    """An object in which a name occurs twice, in any case: which of the two counts is not documented."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len({name.lower() for name in members}) == len(pairs) else _Ambiguous(members)


def _is_clear(element: object) -> bool:
    if isinstance(element, dict):
        return not isinstance(element, _Ambiguous) and all(_is_clear(value) for value in element.values())
    return not isinstance(element, list) or all(_is_clear(entry) for entry in element)


def _statement(number: int, raw: object, variables: bool) -> Statement:
    if not isinstance(raw, dict):
        raise _NotUnderstood("s3-statement-not-object")
    if not _is_clear(raw):
        raise _NotUnderstood("s3-statement-element-twice")
    elements = _by_lower_case(raw)
    effect = elements.get("effect")
    if effect not in ("Allow", "Deny"):
        raise _NotUnderstood("s3-statement-effect")
    actions, not_action = _either(elements, "action", "notaction")
    resources, not_resource = _either(elements, "resource", "notresource")
    not_principal = "notprincipal" in elements
    if not_principal == ("principal" in elements):
        raise _NotUnderstood("s3-statement-one-of", element="Principal")
    principals = tuple(_principals(elements["notprincipal" if not_principal else "principal"]))
    if not principals:
        raise _NotUnderstood("s3-statement-empty", element="Principal")
    return Statement(
        number=number,
        sid=str(elements.get("sid", "")),
        allows=effect == "Allow",
        principals=principals,
        not_principal=not_principal,
        actions=actions,
        not_action=not_action,
        resources=resources,
        not_resource=not_resource,
        conditions=tuple(_conditions(elements.get("condition", {}))),
        variables=variables,
        stored=raw,
    )


def _by_lower_case(element: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).lower(): value for name, value in element.items()}


def _either(elements: Mapping[str, Any], name: str, negated: str) -> tuple[tuple[str, ...], bool]:
    if (name in elements) == (negated in elements):
        raise _NotUnderstood("s3-statement-one-of", element=name.capitalize())
    texts = _texts(elements.get(name, elements.get(negated)))
    if not texts:
        raise _NotUnderstood("s3-statement-empty", element=name.capitalize())
    return texts, negated in elements


def _texts(value: object) -> tuple[str, ...]:
    """One or several scalars, as text. Booleans and numbers are written as in JSON."""
    if isinstance(value, list):
        return tuple(text for entry in value for text in _texts(entry))
    if isinstance(value, bool):
        return (str(value).lower(),)
    if isinstance(value, str | int | float):
        return (str(value),)
    raise _NotUnderstood("s3-statement-not-text")


def _principals(element: object) -> Iterator[Principal]:
    if element == "*":
        yield Principal("AWS", "*")
        return
    if not isinstance(element, dict):
        raise _NotUnderstood("s3-statement-principal")
    for kind, values in element.items():
        known = PRINCIPAL_KINDS.get(str(kind).lower(), "AWS" if kind == "*" else None)
        if known is None:
            raise _NotUnderstood("s3-statement-principal-kind", kind=str(kind))
        for value in _texts(values):
            yield Principal(known, value.strip())


_QUANTIFIERS: dict[str, Quantifier] = {"foranyvalue:": "any", "forallvalues:": "all"}


def _conditions(element: object) -> Iterator[Condition]:
    if not isinstance(element, dict):
        raise _NotUnderstood("s3-statement-condition")
    for written, keys in element.items():
        name = str(written).strip().lower()
        prefix = next((quantifier for quantifier in _QUANTIFIERS if name.startswith(quantifier)), "")
        base = name.removeprefix(prefix).removesuffix("ifexists")
        operator = OPERATORS.get(base)
        if operator is None:
            raise _NotUnderstood("s3-statement-operator", operator=str(written))
        if not isinstance(keys, dict):
            raise _NotUnderstood("s3-statement-condition")
        for key, values in keys.items():
            yield Condition(
                operator=operator,
                key=str(key).strip().lower(),
                spelling=str(key).strip(),
                values=_texts(values),
                if_exists=name.endswith("ifexists") and operator != "Null",
                quantifier=_QUANTIFIERS.get(prefix, ""),
            )
