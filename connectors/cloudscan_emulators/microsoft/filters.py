"""`$filter`, as far as Graph supports it: each type declares the operators of each property.

Source: "Use the $filter query parameter", "Advanced query capabilities on Microsoft Entra ID objects" (`ne`, `not` and
`endswith` need ConsistencyLevel: eventual and $count=true), and the property tables of the types.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudscan_emulators.microsoft import errors
from cloudscan_emulators.microsoft.text import moment, seconds

Json = dict[str, Any]
Test = Callable[[Any], bool]
Allowed = Mapping[str, frozenset[str]]
_ADVANCED = frozenset({"ne", "not", "endswith"})
_COMPARE = ("eq", "ne", "ge", "le", "gt", "lt")
_FUNCTIONS = ("startswith", "endswith", "contains")
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?)(?![-\w])"
    r"|(?P<guid>[0-9a-fA-F]{8}-[0-9a-fA-F-]{27})"
    r"|(?P<number>-?\d+(?:\.\d+)?)(?![-\w])"
    r"|(?P<word>[A-Za-z_@][\w./@]*)"
    r"|(?P<sign>[():,]))"
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A parsed filter, and what it needs to be accepted."""

    test: Test
    paths: frozenset[str]
    advanced: bool


def read(text: str, allowed: Allowed) -> Filter:
    """Parse a filter, or refuse it."""
    parser = _Parser(text, allowed)
    test = parser.read()
    return Filter(test=test, paths=frozenset(parser.paths), advanced=parser.advanced)


class _Parser:
    def __init__(self, text: str, allowed: Allowed) -> None:
        self.paths: set[str] = set()
        self.advanced = False
        self._allowed = allowed
        self._tokens = _tokens(text)
        self._at = 0
        self._variable = ""

    def read(self) -> Test:
        test = self._or()
        if self._at != len(self._tokens):
            raise errors.bad_filter("Syntax error")
        return test

    def _or(self) -> Test:
        tests = [self._and()]
        while self._word("or"):
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else lambda resource: any(test(resource) for test in tests)

    def _and(self) -> Test:
        tests = [self._not()]
        while self._word("and"):
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda resource: all(test(resource) for test in tests)

    def _not(self) -> Test:
        if self._word("not"):
            self.advanced = True
            test = self._not()
            return lambda resource: not test(resource)
        if self._sign("("):
            test = self._or()
            self._expect(")")
            return test
        return self._term()

    def _term(self) -> Test:
        first = self._next("word")
        if first in _FUNCTIONS and self._sign("("):
            path = self._next("word")
            self._expect(",")
            wanted = self._value()
            self._expect(")")
            self._may(path, first)
            return _function(first, self._getter(path), str(wanted))
        if first.lower().endswith("/any") and self._sign("("):
            return self._any(first[:-4])
        operator = self._next("word")
        if operator == "in":
            self._may(first, "in")
            self._expect("(")
            values = [self._value()]
            while self._sign(","):
                values.append(self._value())
            self._expect(")")
            get = self._getter(first)
            return lambda resource: get(resource) in values
        if operator not in _COMPARE:
            raise errors.bad_filter(f"Operator '{operator}' is not known")
        self._may(first, operator)
        return _compare(operator, self._getter(first), self._value())

    def _any(self, path: str) -> Test:
        self._may(path, "any")
        self._variable = self._next("word")
        self._expect(":")
        inside = self._or()
        self._expect(")")
        self._variable = ""
        get = self._getter(path)
        return lambda resource: any(inside(one) for one in get(resource) or ())

    def _may(self, path: str, operator: str) -> None:
        if self._variable and path.partition("/")[0] == self._variable:
            return
        if operator not in self._allowed.get(path, ()):
            raise errors.unsupported_filter(path)
        self.paths.add(path)
        self.advanced = self.advanced or operator in _ADVANCED

    def _getter(self, path: str) -> Callable[[Any], Any]:
        names = path.split("/")
        if self._variable and names[0] == self._variable:
            names = names[1:]

        def get(resource: Any) -> Any:
            for name in names:
                resource = resource.get(name) if isinstance(resource, dict) else None
            return resource

        return get

    def _value(self) -> Any:
        token = self._take()
        if token.kind == "word":
            if token.text not in ("true", "false", "null"):
                raise errors.bad_filter(f"'{token.text}' is not a value")
            return {"true": True, "false": False, "null": None}[token.text]
        if token.kind == "time":
            when = seconds(token.text)
            if when is None:
                raise errors.bad_filter(f"'{token.text}' is not a time")
            return moment(when)
        if token.kind == "number":
            return float(token.text)
        if token.kind == "sign":
            raise errors.bad_filter("Syntax error")
        return token.text

    def _take(self) -> _Token:
        if self._at >= len(self._tokens):
            raise errors.bad_filter("Expression expected")
        self._at += 1
        return self._tokens[self._at - 1]

    def _next(self, kind: str) -> str:
        token = self._take()
        if token.kind != kind:
            raise errors.bad_filter(f"Syntax error at '{token.text}'")
        return token.text

    def _word(self, word: str) -> bool:
        return self._is("word", word)

    def _sign(self, sign: str) -> bool:
        return self._is("sign", sign)

    def _is(self, kind: str, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == _Token(kind, text):
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._sign(sign):
            raise errors.bad_filter(f"'{sign}' expected")


def _tokens(text: str) -> list[_Token]:
    tokens = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise errors.bad_filter(f"Syntax error at position {position}")
        kind = match.lastgroup or ""
        part = match[kind]
        tokens.append(_Token(kind, part[1:-1].replace("''", "'") if kind == "text" else part))
        position = match.end()
    return tokens


def _function(name: str, get: Callable[[Any], Any], wanted: str) -> Test:
    low = wanted.lower()
    tests: Mapping[str, Callable[[str], bool]] = {
        "startswith": lambda text: text.startswith(low),
        "endswith": lambda text: text.endswith(low),
        "contains": lambda text: low in text,
    }
    test = tests[name]
    return lambda resource: test(str(get(resource) or "").lower())


def _compare(operator: str, get: Callable[[Any], Any], wanted: Any) -> Test:
    def same(resource: Any) -> bool:
        value = get(resource)
        if isinstance(value, str) and isinstance(wanted, str):
            return value.lower() == wanted.lower()
        return bool(value == wanted)

    if operator == "eq":
        return same
    if operator == "ne":
        return lambda resource: not same(resource)
    orders: Mapping[str, Callable[[Any], bool]] = {
        "ge": lambda value: value >= wanted,
        "le": lambda value: value <= wanted,
        "gt": lambda value: value > wanted,
        "lt": lambda value: value < wanted,
    }
    order = orders[operator]
    # A missing value is neither before nor after (users who never signed in are missing from `le`).
    return lambda resource: get(resource) is not None and order(get(resource))
