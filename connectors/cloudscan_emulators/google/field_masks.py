"""The `fields` parameter: parsed, checked against the schema of the answer, applied.

Grammar: a list of names, each with a path (a/b) or a list in brackets (a(b,c/d)); an asterisk is everything.
Source: Drive guide "return specific fields".
"""

import re
from collections.abc import Mapping
from typing import Any

from cloudscan_emulators.google import errors

Mask = Mapping[str, "Mask"] | None  # None: everything
Schema = Mapping[str, Any]
_TOKEN = re.compile(r"\s*([A-Za-z0-9_$.\-]+|[*,/()])")


def parse(text: str) -> Mask:
    """Parse a mask; refuse an invalid one."""
    tokens: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise errors.no_such_field(text)
        tokens.append(match[1])
        at = match.end()
    mask, rest = _names(tokens, text)
    if rest or not tokens:
        raise errors.no_such_field(text)
    return mask


def _names(tokens: list[str], text: str) -> tuple[Mask, list[str]]:
    chosen: dict[str, Mask] = {}
    everything = False
    while True:
        if not tokens or tokens[0] in ",/()":
            raise errors.no_such_field(text)
        name, tokens = tokens[0], tokens[1:]
        below: Mask = None
        if tokens and tokens[0] == "/":
            below, tokens = _path(tokens[1:], text)
        elif tokens and tokens[0] == "(":
            below, tokens = _names(tokens[1:], text)
            if not tokens or tokens[0] != ")":
                raise errors.no_such_field(text)
            tokens = tokens[1:]
        if name == "*":
            everything = True
        else:
            chosen[name] = _both(chosen[name], below) if name in chosen else below
        if tokens and tokens[0] == ",":
            tokens = tokens[1:]
            continue
        return (None if everything else chosen), tokens


def _path(tokens: list[str], text: str) -> tuple[Mask, list[str]]:
    """What follows a slash: one name, with whatever hangs on it."""
    if not tokens or tokens[0] in ",/()":
        raise errors.no_such_field(text)
    name, tokens = tokens[0], tokens[1:]
    below: Mask = None
    if tokens and tokens[0] == "/":
        below, tokens = _path(tokens[1:], text)
    elif tokens and tokens[0] == "(":
        below, tokens = _names(tokens[1:], text)
        if not tokens or tokens[0] != ")":
            raise errors.no_such_field(text)
        tokens = tokens[1:]
    return (None if name == "*" else {name: below}), tokens


def _both(mask: Mask, other: Mask) -> Mask:
    if mask is None or other is None:
        return None
    merged = dict(mask)
    for name, below in other.items():
        merged[name] = _both(merged[name], below) if name in merged else below
    return merged


def check(mask: Mask, schema: Schema, schemas: Mapping[str, Schema]) -> None:
    """Refuse a name that the answer's schema does not have."""
    if mask is None:
        return
    while "$ref" in schema or schema.get("type") == "array":
        schema = schemas[schema["$ref"]] if "$ref" in schema else schema["items"]
    if schema.get("type") == "any" or "additionalProperties" in schema:
        return
    properties = schema.get("properties", {})
    for name, below in mask.items():
        if name not in properties:
            raise errors.no_such_field(name)
        check(below, properties[name], schemas)


def apply(mask: Mask, value: Any) -> Any:
    """What of a value is asked for."""
    if mask is None:
        return value
    if isinstance(value, list):
        return [apply(mask, item) for item in value]
    if isinstance(value, dict):
        return {name: apply(mask[name], below) for name, below in value.items() if name in mask}
    return value


def below(mask: Mask, name: str) -> tuple[bool, Mask]:
    """Whether a name is asked for, and what of it."""
    if mask is None:
        return True, None
    return name in mask, mask.get(name)
