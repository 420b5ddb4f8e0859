"""The words for reasons, advice, questions, steps and blocks: one catalogue a package, complete in every language."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from cloudscan import errors
from cloudscan.errors import ProviderError
from cloudscan.reason import GROUPS

LANGUAGES = ("ja",)
PLURAL_VALUE = "count"
ERRORS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, ProviderError) and kind is not errors.TicketRefused
}
GROUPS_OF_FIELD = {("Reason", "code"): ("reason", "step"), ("Question", "name"): ("question",)}
FIELD = re.compile(r"\{([a-z_]+)\}")
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
JAPANESE = "\u3041-\u30ff\u4e00-\u9fff"
# Half-width signs between Japanese letters, a space between them, and a sentence of advice without its end.
UNEVEN = {
    rf"(?<=[{JAPANESE}])[(),.:;?!]|[(),.:;?!](?=[{JAPANESE}])": "full-width signs",
    rf"(?<=[{JAPANESE}]) (?=[{JAPANESE}])": "no space between Japanese words",
    r"\.\.\.": "…",
}


def packages() -> Sequence[EntryPoint]:
    return sorted(entry_points(group="cloudscan.words"), key=lambda entry: entry.value)


each_package = pytest.mark.parametrize("entry", packages(), ids=lambda entry: entry.name)


def folder_of(entry: EntryPoint) -> Path:
    spec = find_spec(entry.value)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@cache
def messages(file: Path, language: str) -> Sequence[Message]:
    with file.open("rb") as source:
        return [message for message in read_po(source, locale=language) if message.id]


def contexts(entry: EntryPoint) -> Sequence[str]:
    return [str(message.context) for message in messages(folder_of(entry) / "messages.pot", "en")]


def forms(text: object) -> Sequence[str]:
    return list(text) if isinstance(text, list | tuple) else [str(text)]


def fields(text: object) -> set[str]:
    """The fields of all plural forms. The number itself may be left out of one."""
    return {field for form in forms(text) for field in FIELD.findall(form)}


@each_package
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_what_english_says(entry: EntryPoint, language: str) -> None:
    """The same entries in the same order, none empty or doubtful, with the same values filled in."""
    english = messages(folder_of(entry) / "messages.pot", "en")
    translated = messages(folder_of(entry) / f"{language}.po", language)

    assert [(message.context, message.id) for message in english] == [
        (message.context, message.id) for message in translated
    ]
    assert [message.context for message in translated if message.fuzzy or not all(forms(message.string))] == []
    assert [message.context for message in translated if fields(message.id) != fields(message.string)] == []


@each_package
def test_every_entry_has_a_group_and_a_code(entry: EntryPoint) -> None:
    named = [context.partition(".") for context in contexts(entry)]

    assert [context for context in named if context[0] not in GROUPS or not context[2]] == []
    assert [code for group, _, code in named if group != "block" and not CODE.fullmatch(code)] == []
    assert len(named) == len({(group, code) for group, _, code in named})


def test_no_two_packages_give_one_code() -> None:
    """A connector's codes begin with its own word, so that a plugin cannot change what another one says."""
    owners: dict[str, set[str]] = {}
    for entry in packages():
        for context in contexts(entry):
            owners.setdefault(context, set()).add(entry.name)

    assert {context: names for context, names in owners.items() if len(names) > 1} == {}


@each_package
def test_plural_forms_are_chosen_by_a_value_that_is_there(entry: EntryPoint) -> None:
    english = messages(folder_of(entry) / "messages.pot", "en")

    assert [
        message.context for message in english if message.pluralizable and PLURAL_VALUE not in fields(message.id)
    ] == []


@each_package
def test_reasons_are_fragments_and_advice_is_sentences(entry: EntryPoint) -> None:
    """A reason follows a colon, and the platform's words may follow it; advice stands alone."""
    ends: Mapping[str, tuple[str, ...]] = {"advice": (".", "。"), "step": (".", "。")}
    wrong = [
        f"{message.context}: {text}"
        for message in all_messages(entry)
        for text in (*forms(message.id), *forms(message.string))
        if text and text.endswith((".", "。")) != (str(message.context).partition(".")[0] in ends)
    ]

    assert wrong == []


@each_package
def test_the_japanese_is_set_as_japanese(entry: EntryPoint) -> None:
    wrong = [
        f"{message.context}: {text} ({rule})"
        for message in messages(folder_of(entry) / "ja.po", "ja")
        for text in forms(message.string)
        for pattern, rule in UNEVEN.items()
        if re.search(pattern, FIELD.sub("{}", text))
    ]

    assert wrong == []


def all_messages(entry: EntryPoint) -> Iterator[Message]:
    yield from messages(folder_of(entry) / "messages.pot", "en")
    for language in LANGUAGES:
        yield from messages(folder_of(entry) / f"{language}.po", language)


class Source:
    """The literals of a package: those that are codes by their position, and all that may become one."""

    def __init__(self, folder: Path) -> None:
        self.literals: set[str] = set()
        self.patterns: list[re.Pattern[str]] = []
        self.given: set[tuple[str, ...]] = set()  # contexts of which one must have words
        self._enums: dict[str, Mapping[str, str]] = {}
        trees = [ast.parse(file.read_text("utf-8")) for file in sorted(folder.rglob("*.py"))]
        for tree in trees:
            self._enums.update(_enums(tree))
        for node in (node for tree in trees for node in ast.walk(tree)):
            self._look(node)

    def mentions(self, code: str) -> bool:
        return code in self.literals or any(pattern.fullmatch(code) for pattern in self.patterns)

    def _look(self, node: ast.AST) -> None:
        match node:
            case ast.Constant(value=str(text)):
                self.literals.add(text)
            case ast.JoinedStr(values=parts):
                fixed = [part.value if isinstance(part, ast.Constant) else None for part in parts]
                if sum(len(str(text)) for text in fixed if text) >= len("s3-"):
                    pattern = "".join(".+" if text is None else re.escape(str(text)) for text in fixed)
                    self.patterns.append(re.compile(pattern))
            case ast.Call():
                self.given.update(self._codes(node))

    def _codes(self, call: ast.Call) -> Iterator[tuple[str, ...]]:
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name in ERRORS and call.args:
            yield from ((f"reason.{code}",) for code in self._values(call.args[0]))
        for keyword in call.keywords:
            groups = GROUPS_OF_FIELD.get((name, str(keyword.arg)), ())
            yield from (tuple(f"{group}.{code}" for group in groups) for code in self._values(keyword.value) if groups)
            if keyword.arg == "blocked_by":
                yield from ((f"block.{code}",) for code in self._values(keyword.value) if code)

    def _values(self, node: ast.expr) -> Iterator[str]:
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr() if _is_prose(node):
                yield ast.unparse(node)
            case ast.IfExp(body=one, orelse=other):
                yield from (*self._values(one), *self._values(other))
            case ast.Attribute(value=ast.Name(id=enum), attr=member) if enum in self._enums:
                yield self._enums[enum].get(member, member)


def _is_prose(text: ast.JoinedStr) -> bool:
    """Whether it is a sentence: codes have no spaces."""
    return any(isinstance(part, ast.Constant) and " " in str(part.value) for part in text.values)


def _enums(tree: ast.Module) -> Iterator[tuple[str, Mapping[str, str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Enum") for base in node.bases):
            yield (
                node.name,
                {
                    each.targets[0].id: each.value.value
                    for each in node.body
                    if isinstance(each, ast.Assign)
                    and isinstance(each.targets[0], ast.Name)
                    and isinstance(each.value, ast.Constant)
                    and isinstance(each.value.value, str)
                },
            )


@cache
def source_of(entry: EntryPoint) -> Source:
    """The package that the catalogue is in."""
    return Source(folder_of(entry).parent)


@each_package
def test_every_code_in_the_source_has_words(entry: EntryPoint) -> None:
    """A code is where an error is raised, a reason is made, a question is declared or a block is named.

    A code may also be a part that longer ones are made of: ``anyone`` of ``graph-anyone-can-read``.
    """
    words = {context for other in packages() for context in contexts(other)}
    parts = " ".join(f"-{context.partition('.')[2]}-" for context in words)

    wordless = [given for given in source_of(entry).given if not words.intersection(given)]
    assert [given for given in wordless if f"-{given[0].partition('.')[2]}-" not in parts] == []


@each_package
def test_no_words_are_left_of_a_code_that_is_gone(entry: EntryPoint) -> None:
    unused = [context for context in contexts(entry) if not source_of(entry).mentions(context.partition(".")[2])]

    assert unused == []


@each_package
def test_advice_belongs_to_a_reason(entry: EntryPoint) -> None:
    reasons = {context.partition(".")[2] for context in contexts(entry) if context.startswith("reason.")}
    advice = {context.partition(".")[2] for context in contexts(entry) if context.startswith("advice.")}

    assert sorted(advice - reasons) == []
