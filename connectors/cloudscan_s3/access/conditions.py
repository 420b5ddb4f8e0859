"""Does a condition match this request? Patterns, policy variables and condition operators, evaluated concretely.

Sources: IAM User Guide, "IAM JSON policy elements: Condition operators", "Creating a condition with multiple
context keys or values", "Set operators for multivalued context keys", "Variables and tags".
"""

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_address, ip_network

from cloudscan_s3.access.policy import Condition

Context = Mapping[str, tuple[str, ...]]
"""The request's keys in lower case, with their values. A key that the request does not carry is absent."""

_VARIABLE = re.compile(r"\$\{\s*([^},]*?)\s*(?:,\s*'([^']*)'\s*)?\}")
_SHORT_DATE = re.compile(r"\d{4}(-\d{2})?")
_ESCAPES = {"*": "\x00star", "?": "\x00mark", "$": "$"}


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> Callable[[str], object]:
    """A matcher in which * matches any run of characters and ? exactly one."""
    return re.compile(_body(pattern, "."), re.DOTALL).fullmatch


def _body(pattern: str, one: str) -> str:
    body = re.escape(pattern).replace(r"\*", f"{one}*").replace(r"\?", one)
    return body.replace(re.escape(_ESCAPES["*"]), r"\*").replace(re.escape(_ESCAPES["?"]), r"\?")


@lru_cache(maxsize=4096)
def _arn_glob(pattern: str) -> Callable[[str], object] | None:
    parts = pattern.split(":", 5)
    if len(parts) < 6:
        return None
    bodies = [*(_body(part, "[^:]") for part in parts[:5]), _body(parts[5], ".")]
    return re.compile(":".join(bodies), re.DOTALL).fullmatch


def like(pattern: str, text: str) -> bool:
    """StringLike: case-sensitive, with wildcards."""
    return pattern == "*" or _glob(pattern)(text) is not None


def arn_like(pattern: str, text: str) -> bool:
    """ArnLike: each of the six parts on its own, so that a wildcard does not reach over a colon."""
    if pattern == "*":
        return True
    matcher = _arn_glob(pattern)
    if matcher is None or text.count(":") < 5:
        return like(pattern, text)
    return matcher(text) is not None


def with_wildcards(value: str) -> str:
    """A value with wildcards in place of its policy variables: whatever they may stand for."""
    return _VARIABLE.sub("*", value) if "${" in value else value


def unescaped(text: str) -> str:
    """A substituted value as plain text."""
    return text.replace(_ESCAPES["*"], "*").replace(_ESCAPES["?"], "?")


def substitute(value: str, context: Context, variables: bool) -> str | None:
    """Replace ``${key}``. None where the request does not carry the key: then the value matches nothing."""
    if not variables or "${" not in value:
        return value
    missing = False

    def replacement(match: re.Match[str]) -> str:
        nonlocal missing
        name, default = match.group(1), match.group(2)
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


def variables_of(condition: Condition) -> tuple[str, ...]:
    """The context keys that a condition's values refer to, in lower case."""
    if not condition.refers:
        return ()
    return tuple(dict.fromkeys(name for value in condition.values for name in variables_in(value)))


def key_presence(condition: Condition) -> tuple[Condition, ...]:
    """What a condition asks of a request whatever value suits it: its key, unless that may be absent."""
    if condition.negated or condition.if_exists or condition.quantifier == "all":
        return ()
    return (replace(condition, operator="Null", values=("false",), quantifier=""),)


def is_met(condition: Condition, context: Context, variables: bool = True) -> bool:
    """Does a request meet a condition?

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
    wanted = condition.values
    if variables and condition.refers:
        wanted = tuple(value for raw in wanted if (value := substitute(raw, context, variables)) is not None)
    matches = _any_of(condition.operator, wanted)
    if condition.negated:
        differs = [not matches(value) for value in given]
        return any(differs) if condition.quantifier == "any" else all(differs)
    equals = [bool(matches(value)) for value in given]
    return all(equals) if condition.quantifier == "all" else any(equals)


@lru_cache(maxsize=1024)
def _any_of(operator: str, wanted: tuple[str, ...]) -> Callable[[str], object]:
    """A test whether one of the values matches. Lists may be long: only values with wildcards are tried one by one."""
    matches = _MATCHERS[operator]
    if matches is _in_network:
        return _in_networks(wanted)
    if matches in (like, arn_like):
        plain = frozenset(value for value in wanted if not (is_wild(value) or "\x00" in value))
        wild = tuple(value for value in wanted if value not in plain)
        return lru_cache(maxsize=512)(lambda given: given in plain or any(matches(value, given) for value in wild))
    if matches is _MATCHERS["StringEquals"]:
        return frozenset(unescaped(value) for value in wanted).__contains__
    return lambda given: any(matches(value, given) for value in wanted)


def is_wild(value: str) -> bool:
    """Does a substituted value contain a wildcard?"""
    return "*" in value or "?" in value


def _in_networks(wanted: tuple[str, ...]) -> Callable[[str], bool]:
    ranges = [parsed for parsed in map(network, wanted) if parsed is not None]
    fours = collapse_addresses(parsed for parsed in ranges if isinstance(parsed, IPv4Network))
    sixes = collapse_addresses(parsed for parsed in ranges if isinstance(parsed, IPv6Network))
    spans = {
        4: [(int(span[0]), int(span[-1])) for span in fours],
        6: [(int(span[0]), int(span[-1])) for span in sixes],
    }

    def matches(given: str) -> bool:
        parsed = address(given)
        if parsed is None:
            return False
        sorted_spans = spans[parsed.version]
        index = bisect_right(sorted_spans, (int(parsed), 2**128))
        return index > 0 and int(parsed) <= sorted_spans[index - 1][1]

    return matches


@lru_cache(maxsize=4096)
def address(text: str) -> IPv4Address | IPv6Address | None:
    """An IP address; None for any other text."""
    try:
        return ip_address(text)
    except ValueError:
        return None


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
        # ISO 8601 in the profile of the W3C: the day and the month may be missing.
        parsed = datetime.fromisoformat(text + "-01-01"[len(text) - 4 :] if re.fullmatch(_SHORT_DATE, text) else text)
    except (ValueError, OverflowError, OSError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def number(text: str) -> float | None:
    """A number; None for any other text."""
    try:
        return float(text)
    except ValueError:
        return None


def _in_network(wanted: str, given: str) -> bool:
    return _in_networks((wanted,))(given)


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


_MATCHERS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, given: unescaped(wanted) == given,
    "StringEqualsIgnoreCase": lambda wanted, given: unescaped(wanted).casefold() == given.casefold(),
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
