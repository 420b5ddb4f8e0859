"""Does a statement speak of this request? Patterns, policy variables and condition operators, evaluated concretely.

Sources: IAM User Guide, "IAM JSON policy elements: Condition operators", "Creating a condition with multiple
context keys or values", "Set operators for multivalued context keys", "Variables and tags".
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from cloudscan_s3.policy import Condition

Context = Mapping[str, tuple[str, ...]]
"""The request's keys in lower case. A key that the request does not carry is not there."""

_VARIABLE = re.compile(r"\$\{\s*([^},]*?)\s*(?:,\s*'([^']*)'\s*)?\}")
_ESCAPES = {"*": "\x00star", "?": "\x00mark", "$": "$"}


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> Callable[[str], object]:
    """A matcher in which * stands for any run of characters and ? for one."""
    body = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    body = body.replace(re.escape(_ESCAPES["*"]), r"\*").replace(re.escape(_ESCAPES["?"]), r"\?")
    return re.compile(body, re.DOTALL).fullmatch


def like(pattern: str, text: str) -> bool:
    """StringLike: case-sensitive, with wildcards."""
    return pattern == "*" or _glob(pattern)(text) is not None


def arn_like(pattern: str, text: str) -> bool:
    """ArnLike: each of the six parts on its own, so that a wildcard does not reach over a colon."""
    if pattern == "*":
        return True
    wanted, given = pattern.split(":", 5), text.split(":", 5)
    if len(wanted) < 6 or len(given) < 6:
        return like(pattern, text)
    return all(like(one, other) for one, other in zip(wanted, given, strict=True))


def substitute(value: str, context: Context, variables: bool) -> str | None:
    """Replace ``${key}``. None where the request carries no such key: then the value matches nothing."""
    if not variables or "${" not in value:
        return value
    missing = False

    def replacement(found: re.Match[str]) -> str:
        nonlocal missing
        name, default = found.group(1), found.group(2)
        if name in _ESCAPES:
            return _ESCAPES[name]
        values = context.get(name.lower())
        if values is None or len(values) != 1:
            missing = missing or default is None
            return default or ""
        # What a caller's name contains is text, never a wildcard.
        return values[0].replace("*", _ESCAPES["*"]).replace("?", _ESCAPES["?"])

    result = _VARIABLE.sub(replacement, value)
    return None if missing else result


def variables_in(value: str) -> tuple[str, ...]:
    """The context keys that a value refers to, in lower case."""
    return tuple(name.lower() for name, _ in _VARIABLE.findall(value) if name not in _ESCAPES)


def holds(condition: Condition, context: Context, variables: bool = True) -> bool:
    """Is one condition true of a request?

    A missing key makes a positive operator false and a negated one true; IfExists makes either true. With
    ForAllValues a missing key is true, with ForAnyValue false.
    """
    given = context.get(condition.key)
    if condition.operator == "Null":
        return any((wanted.lower() == "true") == (given is None) for wanted in condition.values)
    if given is None:
        if condition.if_exists or condition.quantifier == "all":
            return True
        return condition.negated and condition.quantifier == ""
    wanted = [value for raw in condition.values if (value := substitute(raw, context, variables)) is not None]
    matches = _MATCHERS[condition.operator]
    if condition.negated:
        free = [not any(matches(each, value) for each in wanted) for value in given]
        return any(free) if condition.quantifier == "any" else all(free)
    met = [any(matches(each, value) for each in wanted) for value in given]
    return all(met) if condition.quantifier == "all" else any(met)


@lru_cache(maxsize=4096)
def network(text: str) -> IPv4Network | IPv6Network | None:
    """A CIDR range or single address; None for what is neither."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def moment(text: str) -> datetime | None:
    """A date as policies write it: ISO 8601 or seconds since 1970; None for what is neither."""
    try:
        if re.fullmatch(r"\d{6,}(\.\d+)?", text):
            return datetime.fromtimestamp(float(text), UTC)
        parsed = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def number(text: str) -> float | None:
    """A number; None for what is none."""
    try:
        return float(text)
    except ValueError:
        return None


def _in_network(wanted: str, given: str) -> bool:
    inside = network(wanted)
    try:
        address = ip_address(given)
    except ValueError:
        return False
    return inside is not None and address.version == inside.version and address in inside


def _compared(convert: Callable[[str], float | None], accept: Callable[[float], bool]) -> Callable[[str, str], bool]:
    def matches(wanted: str, given: str) -> bool:
        right, left = convert(wanted), convert(given)
        return right is not None and left is not None and accept(left - right)

    return matches


def _seconds(text: str) -> float | None:
    parsed = moment(text)
    return None if parsed is None else parsed.timestamp()


def _same_bytes(wanted: str, given: str) -> bool:
    try:
        return base64.b64decode(wanted, validate=True) == base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        return False


def _literal(wanted: str) -> str:
    return wanted.replace(_ESCAPES["*"], "*").replace(_ESCAPES["?"], "?")


_MATCHERS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, given: _literal(wanted) == given,
    "StringEqualsIgnoreCase": lambda wanted, given: _literal(wanted).casefold() == given.casefold(),
    "StringLike": like,
    "ArnEquals": arn_like,  # "ArnEquals and ArnLike behave identically"
    "ArnLike": arn_like,
    "Bool": lambda wanted, given: wanted.lower() == given.lower(),
    "BinaryEquals": _same_bytes,
    "IpAddress": _in_network,
    "NumericEquals": _compared(number, lambda difference: difference == 0),
    "NumericLessThan": _compared(number, lambda difference: difference < 0),
    "NumericLessThanEquals": _compared(number, lambda difference: difference <= 0),
    "NumericGreaterThan": _compared(number, lambda difference: difference > 0),
    "NumericGreaterThanEquals": _compared(number, lambda difference: difference >= 0),
    "DateEquals": _compared(_seconds, lambda difference: difference == 0),
    "DateLessThan": _compared(_seconds, lambda difference: difference < 0),
    "DateLessThanEquals": _compared(_seconds, lambda difference: difference <= 0),
    "DateGreaterThan": _compared(_seconds, lambda difference: difference > 0),
    "DateGreaterThanEquals": _compared(_seconds, lambda difference: difference >= 0),
}
_MATCHERS |= {
    "StringNotEquals": _MATCHERS["StringEquals"],
    "StringNotEqualsIgnoreCase": _MATCHERS["StringEqualsIgnoreCase"],
    "StringNotLike": like,
    "ArnNotEquals": arn_like,
    "ArnNotLike": arn_like,
    "NotIpAddress": _in_network,
    "NumericNotEquals": _MATCHERS["NumericEquals"],
    "DateNotEquals": _MATCHERS["DateEquals"],
}
