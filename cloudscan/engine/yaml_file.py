"""YAML read strictly: typed by a msgspec record, every problem with its line."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec
import yaml

from cloudscan.sentence import in_language, say
from cloudscan.text import first_line, suggestion

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BOOL = "tag:yaml.org,2002:bool"
_STEP = re.compile(r"\.[^.\[\]]+|\[\d+\]")
GUIDE = "docs/write-a-rule.md"
"""The page that says what belongs into most such files."""

_DEEPEST = 100
"""The deepest nesting that is read. libyaml recurses on the C stack, and ten thousand levels kill the process."""

Record = TypeVar("Record", bound=msgspec.Struct)


class _Words(_Loader):  # type: ignore[misc]
    """Only true and false are booleans, as in YAML 1.2: `value: off` is the word."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
        for first, resolvers in _Loader.yaml_implicit_resolvers.items()
    }


_Words.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


@dataclass(frozen=True, order=True)
class Problem:
    """Something that has to be written differently. `str` is ``file:line: message``."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return self.in_language("en")

    def in_language(self, language: str) -> str:
        """The same in a language (`en`, `ja`)."""
        return f"{self.file}:{self.line}: {in_language(self.message, language)}"


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file's content, and the line of each part of it. Paths look like ``$.text.en.title``."""

    content: bytes
    data: Any
    lines: Mapping[str, int]
    blocks: frozenset[str]

    def line(self, path: str) -> int:
        """The line of a part, or of the nearest part that contains it."""
        while path not in self.lines:
            shorter = re.sub(r"(\.[^.\[\]]*|\[[^\]]*\])$", "", path)
            if shorter == path:
                return 1
            path = shorter
        return self.lines[path]

    def is_block(self, path: str) -> bool:
        """Whether a text is written as a block (``|`` or ``>``), so that it begins on the next line."""
        return path in self.blocks


class _Refused(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def read(
    file: Path, record: type[Record], *, ignored: Collection[str] = (), guide: str = GUIDE
) -> tuple[Document, Record] | Problem:
    """A file as a record, or the first problem that keeps it from being one. `ignored` keys may be there as well.

    `guide` is the page that says what belongs into such a file.
    """
    try:
        content = Path(file).read_bytes()
        document = _parse(content)
    except OSError as error:
        return Problem(
            str(file), 1, say("cannot be read ({why}); check the path and the permissions", why=error.strerror)
        )
    except _Refused as refused:
        return Problem(str(file), refused.line, refused.message)
    try:
        data = document.data
        if ignored and isinstance(data, dict):
            data = {key: value for key, value in data.items() if key not in ignored}
        return document, msgspec.convert(data, record)
    except msgspec.ValidationError as error:
        line, message = _explain(str(error), document, record, guide=guide)
        return Problem(str(file), line, message)


def part(document: Document, path: str, data: Any, record: type[Record]) -> Record | tuple[int, str]:
    """The `data` at a path of a document as a record, or the line and message of what keeps it from being one.

    For values of a mapping, whose keys the problems of `read` do not name.
    """
    try:
        return msgspec.convert(data, record)
    except msgspec.ValidationError as error:
        return _explain(str(error), document, record, within=path)


@lru_cache(maxsize=1_000)
def _parse(content: bytes) -> Document:
    try:
        _check_depth(content)
        loader = _Words(content)
        node = loader.get_single_node()
        builder = _Builder(loader)
        data = builder.build(node, "$")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _Refused(
            line, say("this is not YAML: {problem}; check quotes, colons and indentation here", problem=error.problem)
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _Refused(
            1, say("this YAML cannot be parsed: {error}; save it as UTF-8", error=first_line(error))
        ) from error
    return Document(content=content, data=data, lines=builder.lines, blocks=frozenset(builder.blocks))


def _check_depth(content: bytes) -> None:
    """Refuse endless nesting. Each level needs a bracket or a longer line, so most files need no closer look."""
    longest = max(map(len, content.splitlines()), default=0)
    if content.count(b"[") + content.count(b"{") + longest <= _DEEPEST * 10:
        return
    depth = 0
    for event in yaml.parse(content, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise _Refused(line, say("parts are nested more than {deepest} deep; write it flatter", deepest=_DEEPEST))


class _Builder:
    """Turns a YAML tree into plain values and records the line of each of them."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self.lines: dict[str, int] = {}
        self.blocks: set[str] = set()
        self.seen: set[int] = set()

    def build(self, node: yaml.Node | None, path: str) -> Any:
        if node is None:
            raise _Refused(1, say("the file is empty; write something, or delete it"))
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if id(node) in self.seen:
            # An alias of an alias of an alias grows without bound when it is written out.
            raise _Refused(line, say("YAML aliases (*name) are not read here; write the value out"))
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return {key: self.build(value, f"{path}.{key}") for key, value in self._pairs(node, path)}
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, f"{path}[{index}]") for index, item in enumerate(node.value)]
        if getattr(node, "style", None) in ("|", ">"):
            self.blocks.add(path)
        try:
            return self.loader.construct_object(node)
        except ValueError as error:  # such as 31 June
            value = repr(str(node.value))
            raise _Refused(line, say("{value} does not exist as a day or number; correct it", value=value)) from error

    def _pairs(self, node: yaml.MappingNode, path: str) -> Iterator[tuple[str, yaml.Node]]:
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if f"{path}.{key}" in self.lines:
                raise _Refused(line, say("`{key}` is written twice; keep one", key=key))
            self.lines[f"{path}.{key}"] = line
            yield key, value_node


def _explain(
    message: str, document: Document, record: type[msgspec.Struct], within: str = "$", guide: str = GUIDE
) -> tuple[int, str]:
    """The message of msgspec in our words, with its line. `within`: where in the document the record is."""
    what, _, where = message.partition(" - at `")
    path = where.rstrip("`") or "$"
    line = document.line(within + "".join(_STEP.findall(path.removeprefix("$").split("[...]")[0])))
    if unknown := re.search(r"unknown field `(.*)`", what):
        key = unknown[1]
        known = _fields_at(record, path)
        parent = within + "".join(_STEP.findall(path.removeprefix("$")))
        return document.lines.get(f"{parent}.{key}", line), say(
            "the key `{key}` is not known; {hint}", key=key, hint=suggestion(key, known)
        )
    if missing := re.search(r"missing required field `(.*)`", what):
        return line, say("`{missing}` is missing; write {missing}: …", missing=missing[1])
    if enum := re.search(r"Invalid enum value '?(.*?)'?$", what):
        values = [str(value) for value in _type_at(record, path).__args__] if _is_literal(record, path) else []
        values = values or [str(value) for value in _members(_type_at(record, path))]
        return line, say(
            "{value} is not one of the values; {hint}", value=repr(enum[1]), hint=suggestion(enum[1], values)
        )
    name = path.removeprefix("$.") or "the file"
    return line, say(
        "{name}: {problem}; see {guide} for what belongs here",
        name=name,
        guide=guide,
        problem=f"{what[:1].lower()}{what[1:]}",
    )


def _fields_at(record: type[msgspec.Struct], path: str) -> list[str]:
    return list(getattr(_type_at(record, path), "__struct_fields__", ()))


def _type_at(record: Any, path: str) -> Any:
    """The type at a path of a record: fields by name, the element type of lists and mappings."""
    kind = record
    for step in re.findall(r"\.[^.\[\]]+|\[[^\]]*\]", path):
        if step.startswith(".") and hasattr(kind, "__struct_fields__"):
            hints = {field.name: field.type for field in msgspec.structs.fields(kind)}
            kind = hints.get(step[1:], object)
        else:
            kind = (getattr(kind, "__args__", None) or (object,))[-1]
    return kind


def _is_literal(record: Any, path: str) -> bool:
    return str(getattr(_type_at(record, path), "__origin__", "")) == "typing.Literal"


def _members(kind: Any) -> list[Any]:
    return list(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else []
