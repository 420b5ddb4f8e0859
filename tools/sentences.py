"""Collect what the code says at the terminal into each package's catalogue, which translators then complete.

    python tools/sentences.py           write them, keep existing translations, drop what is no longer said
    python tools/sentences.py --list    print what still has to be translated

Templates are the literals given to `cloudscan.sentence.say` and the command line's own help. Click's words, which it
looks up through gettext, are translated in ``cloudscan/cli/locale`` and compiled here.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from cloudscan.cli.help import paragraphs
from cloudscan.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[1]
LANGUAGES = ("ja",)
CATALOGUES: Mapping[str, tuple[str, ...]] = {
    "cloudscan": ("cloudscan",),
    "connectors/cloudscan_gdrive": ("connectors/cloudscan_gdrive",),
    "connectors/cloudscan_m365": ("connectors/cloudscan_m365",),
    "connectors/cloudscan_s3": ("connectors/cloudscan_s3",),
    "reports/cloudscan_reports": ("reports/cloudscan_reports", "reports/cloudscan_wording"),
    "reports/cloudscan_trackers": ("reports/cloudscan_trackers",),
}
"""The packages that have a folder `sentences`, and where each one's sentences are said."""

CLICK = ROOT / "cloudscan" / "cli" / "locale"
HEAD = """\
# What is said at the terminal. tools/sentences.py collects it; only the translations are edited.
msgid ""
msgstr ""
"Language: LANGUAGE\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""


def catalogue(package: str, language: str) -> Catalog:
    """The catalogue of a package as the code now is, with the translations that its file has."""
    known = {message.id: message.string for message in _read(file_of(package, language), language) if message.id}
    fresh = Catalog(locale=language, charset="utf-8", fuzzy=False)
    for template, where in _templates_of(package):
        fresh.add(template, known.get(template, ""), locations=[(where, 1)])
    return fresh


def file_of(package: str, language: str) -> Path:
    """The file of a package's catalogue."""
    return ROOT / package / "sentences" / f"{language}.po"


def text_of(catalogue: Catalog) -> bytes:
    """The catalogue as a file, without dates, versions and line numbers: what changes is what is said."""
    out = BytesIO()
    write_po(out, catalogue, width=120, include_lineno=False, omit_header=True)
    return HEAD.replace("LANGUAGE", str(catalogue.locale)).encode() + out.getvalue()


def compiled(language: str) -> bytes:
    """Click's words in a language, as gettext reads them."""
    out = BytesIO()
    write_mo(out, clicks_words(language))
    return out.getvalue()


def clicks_words(language: str) -> Catalog:
    """Click's words with their translations."""
    words = _read(CLICK / language / "LC_MESSAGES" / "messages.po", language)
    words.creation_date = words.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # gettext's header has them
    return words


def clicks_templates() -> set[str]:
    """What click looks up."""
    spec = find_spec("click")
    assert spec is not None
    assert spec.origin is not None
    found: set[str] = set()
    for _, _, message, _, _ in extract_from_dir(str(Path(spec.origin).parent)):
        found.update([message] if isinstance(message, str) else [str(form) for form in message])
    return found


def _templates_of(package: str) -> Iterator[tuple[str, str]]:
    """Each template with the file in which it is said."""
    for folder in CATALOGUES[package]:
        for file in sorted((ROOT / folder).rglob("*.py")):
            where = file.relative_to(ROOT).as_posix()
            yield from ((template, where) for template in templates(file))
    if package == "cloudscan":
        yield from _helps()


def templates(file: Path) -> Iterator[str]:
    """What a module says, in the order of its lines."""
    calls = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        if isinstance(call.func, ast.Name) and call.func.id == "say":
            template = call.args[0] if call.args else None
            if not (isinstance(template, ast.Constant) and isinstance(template.value, str)):
                message = f"{file}:{call.lineno}: `say` takes a literal, which can be collected"
                raise SystemExit(message)
            yield template.value


def _helps() -> Iterator[tuple[str, str]]:
    for _, text in COMMANDS.values():
        yield text, "cloudscan/cli/main.py"
    for command in commands(cli):
        where = f"{command.callback.__module__.replace('.', '/')}.py" if command.callback else ""
        yield from ((words, where) for words, _ in paragraphs(command.help or "") if words)
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.help:
                yield parameter.help, where


def commands(group: click.Group) -> Iterator[click.Command]:
    """The command and everything below it."""
    yield group
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command)
        elif command is not None:
            yield command


def _read(file: Path, language: str) -> Catalog:
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as source:
        return read_po(source, locale=language)


def main() -> None:
    """Write the catalogues, or list what is missing in them."""
    for language in LANGUAGES:
        for package in CATALOGUES:
            current = catalogue(package, language)
            missing = [str(message.id) for message in current if message.id and not message.string]
            if "--list" in sys.argv:
                print(*missing, sep="\n")  # noqa: T201
                continue
            file = file_of(package, language)
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(text_of(current))
            print(f"{file.relative_to(ROOT)}: {len(missing)} of {len(current)} to translate")  # noqa: T201
        if "--list" not in sys.argv:
            (CLICK / language / "LC_MESSAGES" / "messages.mo").write_bytes(compiled(language))


if __name__ == "__main__":
    main()
