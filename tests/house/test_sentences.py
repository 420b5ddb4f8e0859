"""What is said at the terminal is said in every language, and nothing is said that cannot be."""

import ast
import re
from pathlib import Path

import pytest

from cloudscan import errors
from cloudscan.errors import CloudscanError, ProviderError
from tests.house.test_words import FIELD, UNEVEN
from tools import sentences

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    file for folders in sentences.CATALOGUES.values() for folder in folders for file in (ROOT / folder).rglob("*.py")
)
SAID_BY = {  # the errors that are raised with a sentence; a provider's have codes
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, CloudscanError) and not issubclass(kind, ProviderError)
} | {"UsageError", "BadParameter"}
PRINTS = ("echo", "secho")
CODE_SHAPED = re.compile(r"[^A-Za-z]*|[a-z]+:?")  # punctuation, a unit, an id: the same in every language

each_catalogue = pytest.mark.parametrize("package", sentences.CATALOGUES)


@each_catalogue
@pytest.mark.parametrize("language", sentences.LANGUAGES)
def test_the_catalogue_is_what_the_code_says(package: str, language: str) -> None:
    """`tools/sentences.py` writes it; run it after a change of a sentence or of the command line's help."""
    written = sentences.file_of(package, language).read_bytes()

    assert written == sentences.text_of(sentences.catalogue(package, language))


@each_catalogue
@pytest.mark.parametrize("language", sentences.LANGUAGES)
def test_every_sentence_is_translated_with_all_its_fields(package: str, language: str) -> None:
    messages = [message for message in sentences.catalogue(package, language) if message.id]

    assert [message.id for message in messages if message.fuzzy or not message.string] == []
    assert [message.id for message in messages if fields(str(message.id)) != fields(str(message.string))] == []


@each_catalogue
def test_the_japanese_is_set_as_japanese(package: str) -> None:
    wrong = [
        f"{message.string} ({rule})"
        for message in sentences.catalogue(package, "ja")
        for pattern, rule in UNEVEN.items()
        if "\n" not in str(message.string) and re.search(pattern, FIELD.sub("{}", str(message.string)))
    ]

    assert wrong == []


@pytest.mark.parametrize("language", sentences.LANGUAGES)
def test_clicks_own_words_are_compiled_and_still_clicks(language: str) -> None:
    folder = sentences.CLICK / language / "LC_MESSAGES"
    words = sentences.clicks_words(language)
    templates = {str(form) for message in words if message.id for form in forms(message.id)}

    assert (folder / "messages.mo").read_bytes() == sentences.compiled(language)
    assert templates - sentences.clicks_templates() == set()
    assert [message.id for message in words if message.id and not all(forms(message.string))] == []


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_what_a_person_reads_is_a_sentence(file: Path) -> None:
    """Errors and output are given to `say`, so that they can be shown in the reader's language."""
    bare = [
        f"{file.relative_to(ROOT)}:{call.lineno}: {ast.unparse(call)[:100]}"
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call) and call.args and (is_bare(call) or is_only_english(call))
    ]

    assert not bare, "\n".join(bare)


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_sentence_is_given_all_its_fields(file: Path) -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{call.lineno}: {template}"
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "say" and isinstance(call.args[0], ast.Constant)
        for template in [str(call.args[0].value)]
        if {str(keyword.arg) for keyword in call.keywords} ^ fields(template)
    ]

    assert not wrong, "\n".join(wrong)


def name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def is_bare(call: ast.Call) -> bool:
    return name_of(call) in {*SAID_BY, *PRINTS} and is_prose(call.args[0])


def is_only_english(call: ast.Call) -> bool:
    """Whether click is given a sentence, which is English to it: `echo` and `spoken` know the reader's language."""
    argument = call.args[0]
    by_click = ast.unparse(call.func).startswith("click.") or name_of(call) in ("UsageError", "BadParameter")
    return by_click and isinstance(argument, ast.Call) and name_of(argument) in ("say", "joined")


def is_prose(node: ast.expr) -> bool:
    """Whether an expression writes words itself, however it puts them together."""
    match node:
        case ast.Constant(value=str(text)):
            return not CODE_SHAPED.fullmatch(text.strip())
        case ast.JoinedStr(values=parts):
            return any(isinstance(part, ast.Constant) and is_prose(part) for part in parts)
        case ast.BinOp(left=one, right=other) | ast.IfExp(body=one, orelse=other):
            return is_prose(one) or is_prose(other)
        case ast.Call(func=ast.Attribute(value=text, attr="format" | "join")):
            return is_prose(text)
        case _:
            return False


def fields(text: str) -> set[str]:
    return set(FIELD.findall(text))


def forms(text: object) -> list[str]:
    return list(text) if isinstance(text, list | tuple) else [str(text)]
