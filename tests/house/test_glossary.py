"""One word a concept: names use the glossary's words, and none that it retires."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from cloudscan.cli.main import cli
from cloudscan.ledger import schema

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
SOURCES = ("cloudscan", "connectors", "reports", "tools")
OWN_TERMS = ("confused_deputy", "invitation-never-accepted", "news-grade", "news_grade")  # of AWS, Entra, and the ranks
OLD_SCHEMAS = "migrations/versions"  # migrations name what there was


class Name(msgspec.Struct, frozen=True):
    """A name and where it is given."""

    text: str
    where: str


def glossary() -> dict[str, str]:
    """The retired words, each with the word to use instead."""
    table = PAGE.read_text("utf-8").partition("## Glossary")[2]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")][2:]
    return {word: row[0].strip() for row in rows for word in re.findall(r"`([^`]+)`", row[2])}


def words_of(name: str) -> set[str]:
    """The words that a name is made of, in lower case: `lastSeen_on` is last, seen, on."""
    for term in OWN_TERMS:
        name = name.replace(term, "")
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def source_files() -> list[Path]:
    return [file for folder in SOURCES for file in (ROOT / folder).rglob("*.py") if OLD_SCHEMAS not in file.as_posix()]


def names_in(file: Path) -> Iterator[Name]:
    """Modules, classes, functions, and the fields of records: configuration and JSON keys are such fields."""
    where = str(file.relative_to(ROOT))
    yield Name(file.stem, where)
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield Name(node.name, f"{where}:{node.lineno}")
        if isinstance(node, ast.ClassDef):
            fields = (
                each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
            )
            yield from (Name(ast.unparse(field.target), f"{where}:{field.lineno}") for field in fields)


def rule_ids() -> Iterator[Name]:
    for file in (ROOT / "rules").rglob("*.yaml"):
        if file.parent.name != "frameworks":
            yield Name(file.stem, str(file.relative_to(ROOT)))


def ledger_tables() -> Iterator[Name]:
    for table in schema.SCHEMA.sorted_tables:
        yield Name(table.name, "a table of the ledger")
        yield from (Name(column.name, f"a column of the ledger's {table.name}") for column in table.columns)


def command_line(command: click.Command, path: str = "cloudscan") -> Iterator[Name]:
    for option in command.params:
        yield from (Name(spelling, path) for spelling in (*option.opts, *option.secondary_opts))
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield Name(name, path)
                yield from command_line(found, f"{path} {name}")


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(lambda: [name for file in source_files() for name in names_in(file)], id="code"),
        pytest.param(rule_ids, id="rules"),
        pytest.param(ledger_tables, id="ledger"),
        pytest.param(lambda: command_line(cli), id="command line"),
    ],
)
def test_no_name_uses_a_retired_word(names: object) -> None:
    retired = glossary()

    assert callable(names)
    wrong = [
        f"{name.where}: {name.text} (write {retired[word]})"
        for name in names()
        for word in sorted(words_of(name.text) & retired.keys())
    ]

    assert not wrong, "\n".join(wrong)


def test_the_glossary_is_read() -> None:
    """A table that is not found would retire nothing."""
    retired = glossary()

    assert retired["outsider"] == "external"
    assert len(retired) > 30
