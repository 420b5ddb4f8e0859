"""The search language of Drive's `q` parameter.

Terms and operators: Drive guide "search query terms". A term, operator or value that is not there is refused.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from cloudscan_emulators.google import errors, ids
from cloudscan_emulators.google.access import Access
from cloudscan_emulators.google.records import RANKS, TOP, Drive, Item
from cloudscan_emulators.google.tenant_state import TenantState

Thing = TypeVar("Thing")
Test = Callable[[Thing], bool]
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<sign><=|>=|!=|=|<|>|\(|\)|\{|\})|(?P<word>[\w.\-:+@]+))"""
)
_SAME = ("=", "!=")
_TIME = ("<=", "<", "=", "!=", ">", ">=")
_TEXT = ("contains", "=", "!=")
_VISIBILITIES = {"anyoneCanFind", "anyoneWithLink", "domainCanFind", "domainWithLink", "limited"}


@dataclass(frozen=True, kw_only=True)
class Searcher:
    """Who searches, and where."""

    state: TenantState
    who: int

    @property
    def access(self) -> Access:
        return self.state.access


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def for_files(text: str, searcher: Searcher) -> Test[Item]:
    """The test that `q` of files.list is."""
    return _Parser(text, _FileTerms(searcher).make).read()


def for_drives(text: str, state: TenantState) -> Test[Drive]:
    """The test that `q` of drives.list is."""
    return _Parser(text, _DriveTerms(state).make).read()


class _Parser(Generic[Thing]):
    def __init__(self, text: str, make: Callable[[str, str, str], Test[Thing]]) -> None:
        self._make = make
        self._tokens = list(_tokens(text))
        self._at = 0

    def read(self) -> Test[Thing]:
        test = self._or()
        if self._at != len(self._tokens):
            raise errors.invalid("q")
        return test

    def _or(self) -> Test[Thing]:
        tests = [self._and()]
        while self._word("or"):
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)

    def _and(self) -> Test[Thing]:
        tests = [self._not()]
        while self._word("and"):
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)

    def _not(self) -> Test[Thing]:
        if self._word("not"):
            test = self._not()
            return lambda record: not test(record)
        if self._word("("):
            test = self._or()
            if not self._word(")"):
                raise errors.invalid("q")
            return test
        return self._term()

    def _term(self) -> Test[Thing]:
        first, operator = self._next(), self._next()
        if first.kind == "text":
            name = self._next()
            if operator.text != "in" or name.kind != "word":
                raise errors.invalid("q")
            return self._make(name.text, "in", first.text)
        if first.kind != "word":
            raise errors.invalid("q")
        value = self._next()
        if operator.text == "has" and value.text == "{":
            inside = []
            while (value := self._next()).text != "}":
                inside.append(value.text)
            if len(inside) != 7 or inside[::2][0] != "key" or inside[3] != "and" or inside[4] != "value":
                raise errors.invalid("q")
            return self._make(first.text, "has", f"{inside[2]}\0{inside[6]}")
        if value.kind == "sign":
            raise errors.invalid("q")
        return self._make(first.text, operator.text, value.text)

    def _next(self) -> _Token:
        if self._at >= len(self._tokens):
            raise errors.invalid("q")
        self._at += 1
        return self._tokens[self._at - 1]

    def _word(self, word: str) -> bool:
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind != "text" and token.text == word:
                self._at += 1
                return True
        return False


class _FileTerms:
    def __init__(self, searcher: Searcher) -> None:
        self._state = searcher.state
        self._who = searcher.who
        self._access = searcher.access
        self._terms: Mapping[str, tuple[tuple[str, ...], Callable[[str, str], Test[Item]]]] = {
            "name": (_TEXT, lambda how, value: _text(how, value, lambda item: item.name)),
            "fullText": (("contains",), lambda how, value: _text(how, value, self._words)),
            "mimeType": (_TEXT, lambda how, value: _text(how, value, lambda item: item.mime, prefix=False)),
            "modifiedTime": (_TIME, lambda how, value: _time(how, value, lambda item: item.modified)),
            "viewedByMeTime": (_TIME, lambda how, value: _time(how, value, lambda item: item.modified)),
            "createdTime": (_TIME, lambda how, value: _time(how, value, lambda item: item.created)),
            "trashed": (_SAME, lambda how, value: _switch(how, value, self._state.in_trash)),
            "starred": (_SAME, lambda how, value: _switch(how, value, self._starred)),
            "sharedWithMe": (_SAME, lambda how, value: _switch(how, value, self._shared_with_me)),
            "visibility": (_SAME, self._visibility),
            "parents": (("in",), self._parents),
            "owners": (("in",), lambda _, value: self._people(value, "owner")),
            "writers": (("in",), lambda _, value: self._people(value, "writer")),
            "readers": (("in",), lambda _, value: self._people(value, "reader")),
            "properties": (("has",), self._properties),
            "appProperties": (("has",), lambda _how, _value: lambda _item: False),
            "shortcutDetails.targetId": (_SAME, lambda how, value: _text(how, value, self._target)),
            "labels": (("in",), self._labels),
        }

    def make(self, name: str, operator: str, value: str) -> Test[Item]:
        operators, make = self._terms.get(name, ((), None))
        if make is None or operator not in operators:
            raise errors.invalid("q")
        return make(operator, value)

    def _words(self, item: Item) -> str:
        return f"{item.name} {item.extra.description}" if item.extra else item.name

    def _starred(self, item: Item) -> bool:
        return item.extra is not None and self._who in item.extra.starred_by

    def _shared_with_me(self, item: Item) -> bool:
        if item.owner == self._who:
            return False
        mine = self._access.identities(self._who)
        kinds = self._state.principals
        return any(
            grant.principal in mine and kinds[grant.principal].kind in ("user", "group") for grant in item.grants
        )

    def _visibility(self, how: str, value: str) -> Test[Item]:
        if value not in _VISIBILITIES:
            raise errors.invalid("q")
        return lambda item: (self._access.visibility(item) == value) == (how == "=")

    def _parents(self, _how: str, value: str) -> Test[Item]:
        if value == "root":
            value = ids.root_id(self._who)
        root, drive, number = ids.root_number(value), ids.drive_number(value), ids.file_number(value)
        if root is not None:
            return lambda item: item.parent == TOP and item.owner == root
        if drive is not None:
            return lambda item: item.parent == TOP and item.drive == drive
        if number is None or number >= len(self._state.items) or self._state.items[number] is None:
            raise errors.no_such_file(value or ".")
        return lambda item: item.parent == number

    def _people(self, value: str, least: str) -> Test[Item]:
        person = self._state.principals[self._who] if value == "me" else self._state.find(value)
        if person is None:
            return lambda _: False
        number = person.number
        if least == "owner":
            return lambda item: item.owner == number
        return lambda item: any(
            grant.grant.principal == number and not grant.grant.view and RANKS[grant.grant.role] >= RANKS[least]
            for grant in self._access.grants_on(item)
        )

    def _properties(self, _how: str, value: str) -> Test[Item]:
        key, _, wanted = value.partition("\0")
        return lambda item: item.extra is not None and item.extra.properties.get(key) == wanted

    def _target(self, item: Item) -> str:
        if item.extra is None or item.extra.shortcut_to is None:
            return ""
        return ids.file_id(item.extra.shortcut_to)

    def _labels(self, _how: str, value: str) -> Test[Item]:
        wanted = value.removeprefix("labels/")
        return lambda item: item.extra is not None and any(label.id == wanted for label in item.extra.labels)


class _DriveTerms:
    """Terms for shared drives; counts only make sense with domain admin access, which is asked for elsewhere."""

    def __init__(self, state: TenantState) -> None:
        self._terms: Mapping[str, tuple[tuple[str, ...], Callable[[str, str], Test[Drive]]]] = {
            "name": (_TEXT, lambda how, value: _text(how, value, lambda drive: drive.name)),
            "hidden": (_SAME, lambda how, value: _switch(how, value, lambda drive: drive.hidden)),
            "createdTime": (_TIME, lambda how, value: _time(how, value, lambda drive: drive.created)),
            "orgUnitId": (_SAME, lambda how, value: _text(how, value, lambda drive: state.units[drive.unit].id)),
            "memberCount": (_TIME, lambda how, value: _number(how, value, lambda drive: len(drive.members))),
            "organizerCount": (
                _TIME,
                lambda how, value: _number(how, value, lambda drive: sum(g.role == "organizer" for g in drive.members)),
            ),
        }

    def make(self, name: str, operator: str, value: str) -> Test[Drive]:
        operators, make = self._terms.get(name, ((), None))
        if make is None or operator not in operators:
            raise errors.invalid("q")
        return make(operator, value)


def _tokens(text: str) -> list[_Token]:
    tokens = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise errors.invalid("q")
        kind = match.lastgroup or ""
        part = match[kind]
        tokens.append(_Token(kind, re.sub(r"\\(.)", r"\1", part[1:-1]) if kind == "text" else part))
        at = match.end()
    return tokens


def _text(how: str, value: str, get: Callable[[Thing], str], *, prefix: bool = True) -> Test[Thing]:
    """`contains` of a name matches the beginnings of its words only, as the guide warns."""
    if how == "=":
        return lambda record: get(record) == value
    if how == "!=":
        return lambda record: get(record) != value
    if not prefix:
        return lambda record: value in get(record)
    word = re.compile(rf"(?<!\w){re.escape(value)}", re.IGNORECASE)
    return lambda record: word.search(get(record)) is not None


def _switch(how: str, value: str, get: Callable[[Thing], bool]) -> Test[Thing]:
    if value not in ("true", "false"):
        raise errors.invalid("q")
    wanted = (value == "true") == (how == "=")
    return lambda record: get(record) == wanted


def _time(how: str, value: str, get: Callable[[Thing], int]) -> Test[Thing]:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise errors.invalid("q") from None
    return _order(how, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(), get)


def _number(how: str, value: str, get: Callable[[Thing], int]) -> Test[Thing]:
    try:
        return _order(how, int(value), get)
    except ValueError:
        raise errors.invalid("q") from None


def _order(how: str, limit: float, get: Callable[[Thing], int]) -> Test[Thing]:
    tests: Mapping[str, Test[Thing]] = {
        "<": lambda record: get(record) < limit,
        "<=": lambda record: get(record) <= limit,
        "=": lambda record: get(record) == limit,
        "!=": lambda record: get(record) != limit,
        ">": lambda record: get(record) > limit,
        ">=": lambda record: get(record) >= limit,
    }
    return tests[how]
