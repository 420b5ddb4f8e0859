"""Statements and conditions as formulas over what a request carries."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import z3

from tests.connectors.s3.oracle.callers import Case, Formula, Identity, Unsupported, Value
from tests.connectors.s3.oracle.languages import concat, optional
from tests.connectors.s3.oracle.texts import NAMES, Letter, Pattern, Wildcard, arn_pattern, language, literal

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Doubts:
    """What AWS's pages leave open, read one way or the other."""

    # NotPrincipal: "you must also specify the account ARN of the not-denied principal. Otherwise, the policy might deny
    # access to the entire account". So is a listed account, or a listed role, enough for its callers to be excepted?
    not_principal_needs_both: bool = False
    # Arn operators compare part by part: whether a star may stand for several parts, where there are less than six.
    star_spans_parts: bool = False
    # Operators without ForAnyValue on a key of several values.
    several_values_as_one: bool = False


def both(parts: Iterable[Formula]) -> Formula:
    """All of them, with what is known taken out."""
    kept = [part for part in parts if part is not True]
    if any(part is False for part in kept):
        return False
    return (z3.And(*kept) if len(kept) > 1 else kept[0]) if kept else True


def either(parts: Iterable[Formula]) -> Formula:
    """Any of them, with what is known taken out."""
    kept = [part for part in parts if part is not False]
    if any(part is True for part in kept):
        return True
    return (z3.Or(*kept) if len(kept) > 1 else kept[0]) if kept else False


def opposite(part: Formula) -> Formula:
    """Not so."""
    return (not part) if isinstance(part, bool) else z3.Not(part)


def admitted(policy: Json, case: Case, doubts: Doubts) -> Formula:
    """Some Allow matches and no Deny does (IAM: "Policy evaluation logic")."""
    statements = listed(policy.get("Statement", []))
    variables = policy.get("Version") == "2012-10-17"
    allows = either(_applies(each, case, doubts, variables) for each in statements if each["Effect"] == "Allow")
    if allows is False:
        return False
    denies = [_applies(each, case, doubts, variables) for each in statements if each["Effect"] == "Deny"]
    return both([allows, *(opposite(each) for each in denies)])


def listed(value: Any) -> list[Any]:
    """One or several, as a list."""
    return list(value) if isinstance(value, list) else [value]


def _applies(statement: Json, case: Case, doubts: Doubts, variables: bool) -> Formula:
    return both(_parts(statement, case, doubts, variables))


def _parts(statement: Json, case: Case, doubts: Doubts, variables: bool) -> Iterator[Formula]:
    if not _names_action(statement, case.action):
        yield False
        return
    resource = _names_resource(statement, case)
    principal = _names_caller(statement, case, doubts)
    yield from (resource, principal)
    if resource is False or principal is False:
        return
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            yield _holds(operator, key, [text_of(each) for each in listed(values)], case, doubts, variables)


def text_of(value: Any) -> str:
    """A value as AWS stores it: booleans and numbers become text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _names_action(statement: Json, action: str) -> bool:
    negated = "NotAction" in statement
    patterns = listed(statement["NotAction" if negated else "Action"])
    return any(re.fullmatch(_glob(each.lower()), action.lower()) for each in patterns) != negated


def _glob(pattern: str) -> str:
    return "".join(".*" if each == "*" else "." if each == "?" else re.escape(each) for each in pattern)


def _names_resource(statement: Json, case: Case) -> Formula:
    """Objects can have any name, so whether a pattern covers one is the solver's choice."""
    negated = "NotResource" in statement
    patterns = listed(statement["NotResource" if negated else "Resource"])
    of_objects = case.action in {"s3:GetObject", "s3:PutObject"}
    found = []
    for text in patterns:
        if "${" in text:
            raise Unsupported("a variable in Resource")
        bucket = f"arn:aws:s3:::{case.bucket}"
        if not of_objects:
            found.append(re.fullmatch(_glob(text), bucket, re.DOTALL) is not None)
        elif text in {"*", f"{bucket}/*", f"{bucket}*"}:
            found.append(True)
        else:
            name = case.text("resource", concat(f"{bucket}/", language((Wildcard(), Wildcard(one=True)))))
            found.append(name.within(language(tokens(text))))
    matched = either(found)
    return opposite(matched) if negated else matched


def _names_caller(statement: Json, case: Case, doubts: Doubts) -> Formula:
    if "NotPrincipal" in statement:
        excepted = _excepted(statement["NotPrincipal"], case, doubts)
        return opposite(excepted)
    return either(_is_principal(kind, value, case) for kind, value in _principals(statement["Principal"]))


def _principals(element: Any) -> Iterator[tuple[str, str]]:
    if element == "*":
        yield "AWS", "*"
        return
    for kind, values in element.items():
        for value in listed(values):
            yield kind, value


def _excepted(element: Any, case: Case, doubts: Doubts) -> Formula:
    named = [(value, _is_principal(kind, value, case)) for kind, value in _principals(element)]
    if not doubts.not_principal_needs_both:
        return either(formula for _, formula in named)
    accounts = either(formula for value, formula in named if _account_of(value))
    others = either(formula for value, formula in named if not _account_of(value))
    return both([accounts, others])


def _account_of(principal: str) -> str:
    """The account that a principal stands for as a whole; empty: it does not."""
    whole = re.fullmatch(r"(?:arn:aws:iam::)?(\d{12})(?::root)?", principal)
    return whole[1] if whole else ""


def _is_principal(kind: str, value: str, case: Case) -> Formula:
    if kind == "CanonicalUser":
        raise Unsupported("a canonical user")
    if kind != "AWS":
        return False
    if value == "*":
        return True
    if account := _account_of(value):
        return case.account_is(account)
    session = re.fullmatch(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/([^/]+)", value)
    if session:
        return _is_session(case, *session.groups()) if case.identity is Identity.ROLE else False
    if re.fullmatch(r"arn:aws:(iam|sts)::\d{12}:(user|role|federated-user)/.+", value):
        return case.arn().within(language(literal(value))) if case.signed else False
    return False  # what is left of a deleted principal, or an identity of CloudFront


def _is_session(case: Case, account: str, role: str, session: str) -> Formula:
    """A session's ARN leaves out the path of its role (IAM: "Role session principals")."""
    path = language((Wildcard(), Letter("/")))
    of_role = case.arn().within(concat(f"arn:aws:iam::{account}:role/", optional(path), role))
    value = case.key("aws:userid")
    assert value is not None
    return both([of_role, value.member((Wildcard(), *literal(f":{session}")))])


# ------------------------------------------------------------------------------------------------------- conditions

_OPERATOR = re.compile(r"(?:(?P<set>ForAnyValue|ForAllValues):)?(?P<base>.+?)(?P<if_exists>IfExists)?")
_SEVERAL_VALUES = {"aws:principalorgpaths", "aws:vpceorgpaths"}


def _holds(operator: str, name: str, values: Sequence[str], case: Case, doubts: Doubts, variables: bool) -> Formula:
    parsed = _OPERATOR.fullmatch(operator)
    assert parsed
    key = name.lower()
    value = case.key(key)
    base, quantifier = parsed["base"].lower(), parsed["set"]
    if base == "null":
        return either(_is_absent(value) if each.lower() == "true" else opposite(_is_absent(value)) for each in values)
    positive, negated = _NEGATED.get(base, base), base in _NEGATED
    if quantifier == "ForAllValues" or parsed["if_exists"]:
        if_absent = True
    elif quantifier == "ForAnyValue":
        if_absent = False
    else:
        if_absent = negated
    if value is None:
        return if_absent
    if key in _SEVERAL_VALUES and not quantifier and not doubts.several_values_as_one:
        return if_absent
    compared = either(_compare(positive, each, value, case, doubts, variables) for each in values)
    holds = opposite(compared) if negated else compared
    if value.present is True:
        return holds
    return both([either([value.present, if_absent]), either([opposite(value.present), holds])])


def _is_absent(value: Value | None) -> Formula:
    return True if value is None else opposite(value.present)


_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnlike",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}


def _compare(operator: str, text: str, value: Value, case: Case, doubts: Doubts, variables: bool) -> Formula:
    if operator == "ipaddress":
        if value.within is None:
            raise Unsupported("no address")
        return value.within(ip_network(text, strict=False))
    if operator.startswith("numeric"):
        if value.number is None:
            raise Unsupported("no number")
        return _ordered(operator.removeprefix("numeric"), value.number, float(text))
    if operator.startswith("date"):
        if value.moment is None:
            raise Unsupported("no date")
        return _ordered(operator.removeprefix("date"), value.moment, moment(text))
    pattern = _resolved(text, case) if variables else tokens(text)
    if pattern is None:
        return False
    return _matches(operator, pattern, value, doubts)


def _matches(operator: str, pattern: Pattern, value: Value, doubts: Doubts) -> Formula:
    if operator in {"arnlike", "arnequals"}:
        parts = arn_pattern(pattern)
        if parts is None and doubts.star_spans_parts and Wildcard() in pattern:
            parts = pattern
        return value.member(parts) if parts is not None else False
    if operator == "stringlike":
        return value.member(pattern)
    if operator in {"stringequals", "stringequalsignorecase", "bool"}:
        any_case = operator != "stringequals"
        return value.member(tuple(Letter(_as_written(each), any_case) for each in pattern))
    raise Unsupported(operator)


def _as_written(token: Letter | Wildcard) -> str:
    """StringEquals knows no wildcards."""
    if isinstance(token, Letter):
        return token.text
    return "?" if token.one else "*"


def _ordered(comparison: str, left: Any, right: Any) -> Formula:
    result: Formula = {
        "equals": lambda: left == right,
        "lessthan": lambda: left < right,
        "lessthanequals": lambda: left <= right,
        "greaterthan": lambda: left > right,
        "greaterthanequals": lambda: left >= right,
    }[comparison]()
    return result


def moment(text: str) -> datetime:
    """A date of ISO 8601, where a year or a month is enough, or seconds since 1970."""
    if re.fullmatch(r"\d{5,}", text):
        return datetime.fromtimestamp(int(text), UTC)
    if short := re.fullmatch(r"(\d{4})(?:-(\d\d))?", text):
        return datetime(int(short[1]), int(short[2] or 1), 1, tzinfo=UTC)
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def tokens(text: str) -> Pattern:
    """Letters and wildcards of a text without variables."""
    return tuple(Wildcard(one=each == "?") if each in "*?" else Letter(each) for each in text)


_VARIABLE = re.compile(r"\$\{\s*([^},']+?)\s*(?:,\s*'([^']*)'\s*)?\}")


def _resolved(text: str, case: Case) -> Pattern | None:
    """A text with its variables put in; None: one has no value, and nothing equals it ("Variables with no value")."""
    made: list[Letter | Wildcard] = []
    done = 0
    for found in _VARIABLE.finditer(text):
        made += tokens(text[done : found.start()])
        done = found.end()
        known = found[1] if found[1] in {"*", "?", "$"} else _known(found[1], found[2], case)
        if known is None:
            return None
        made += literal(known)
    return (*made, *tokens(text[done:]))


def _known(name: str, default: str | None, case: Case) -> str | None:
    value = case.key(name.lower())
    if value is None:
        return default
    if value.constant is None or value.present is not True:
        raise Unsupported(f"the variable {name}")
    return value.constant


# What a text may consist of where it is the name of a user or a session.
assert all(letter in NAMES for letter in "aZ0_+=,.@-")
