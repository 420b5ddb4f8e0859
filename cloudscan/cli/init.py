"""`cloudscan init`."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec

from cloudscan import plugins
from cloudscan.cli import completing
from cloudscan.cli.language import current, echo
from cloudscan.cli.opening import load_rules
from cloudscan.cli.options import lang_option
from cloudscan.config import Config
from cloudscan.connector import ConnectorPlugin
from cloudscan.errors import ConfigurationError
from cloudscan.sentence import in_language, say

_INTRODUCTION = (
    say("Every key is explained in docs/configuration.md: `cloudscan docs configuration`."),
    say("Secrets do not belong here: credentials are found by the provider's own chain (environment, profile, role)."),
)
_TABLES: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    (
        "[organisation]",
        (
            ("name = {name}", ""),
            ("domains = []", say('our mail domains: ["example.com"]')),
            ("accounts = []", say('our cloud accounts that are not scanned: ["111122223333"]')),
            ("organisation_ids = []", say('our organisation\'s id, where it cannot be read: ["o-a1b2c3d4e5"]')),
            ("language = {language}", say("of reports: en or ja")),
            ('timezone = "UTC"', say("where days begin and end: Asia/Tokyo")),
        ),
    ),
    (
        "# [[partners]]",
        (
            ('# name = "Haulier Inc."', say("an external organisation that we have a contract with")),
            ('# domains = ["haulier.example"]', ""),
            ('# accounts = ["444455556666"]', ""),
            ('# owner = "logistics@example.com"', say("our contact for the partner")),
            ("# ends = 2030-03-31", say("the last day of the contract")),
        ),
    ),
    (
        "[scan]",
        (
            ('folder = ".cloudscan"', say("snapshots, ledger and reports")),
            ('fail_on = "high"', say("exit code 1 from this severity up")),
            ("concurrency = 16", say("requests in flight")),
            ("max_hours = 20.0", say("what has not been read by then is a gap")),
            ('until = ""', say('or by this time of the machine\'s clock: "06:00"')),
            ("rules = []", say('folders with rules of your own: ["our-rules"]')),
        ),
    ),
    ("# [ledger]", (('# url = "postgresql+psycopg://host/db"', say("instead of a file in the folder")),)),
    ("# [waivers]", (("# max_days = 180", say("the longest a waiver may last")),)),
)


SCHEMA_FILE = "cloudscan.schema.json"


@click.command()
@click.option("--name", default="", help="The organisation's name, for the report.")
@click.option(
    "--connector", "names", multiple=True, shell_complete=completing.connectors,
    help="Only this connector. Repeatable.  [default: all whose packages are installed]",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace an existing file.")
@lang_option
@click.pass_obj
def init(config_path: str | None, name: str, names: Sequence[str], force: bool, lang: str | None) -> None:
    """Write a cloudscan.toml to start from, with every key and its default, and its schema for editors."""
    path = Path(config_path or "cloudscan.toml")
    if path.exists() and not force:
        raise ConfigurationError(say("{file} already exists; use --force to replace it.", file=path))
    language = lang or current()
    chosen = [plugins.connector(connector) for connector in names] or list(_installed())
    tables = [_table(plugin, language) for plugin in chosen]
    text = "\n".join([*_head(name, language), *tables])
    _write(path, text)
    _write(path.with_name(SCHEMA_FILE), schema_text())
    echo(say("Wrote {file}. Next: cloudscan doctor", file=path))


def schema_text() -> str:
    """The schema of cloudscan.toml, as `cloudscan schema config` prints it."""
    from cloudscan import schemas

    return msgspec.json.format(
        msgspec.json.encode(schemas.configuration_schema(load_rules(Config()))), indent=2
    ).decode()


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            say("{file} cannot be written ({reason}); choose another folder.", file=path, reason=error.strerror)
        ) from error


def _installed() -> Iterator[ConnectorPlugin]:
    """The connectors whose packages are installed; the others are named on stderr.

    Raises `ConfigurationError` if there is none.
    """
    found = 0
    for name in plugins.connector_names():
        try:
            plugin = plugins.connector(name)
            plugins.check_packages(name, name, plugin.packages)
        except ConfigurationError as error:
            echo(say("cloudscan: left out: {error}", error=error), err=True)
        else:
            found += 1
            yield plugin
    if not found:
        raise ConfigurationError(
            say("No platform can be read; install a connector first, or name one with --connector.")
        )


def _head(name: str, language: str) -> Iterator[str]:
    """The tables that do not depend on what is installed, every key with its default."""
    yield f"#:schema ./{SCHEMA_FILE}"
    for sentence in _INTRODUCTION:
        yield f"# {in_language(sentence, language)}"
    yield ""
    for heading, lines in _TABLES:
        yield heading
        for line, comment in lines:
            written = line.format(name=json.dumps(name, ensure_ascii=False), language=json.dumps(language))
            yield f"{written:<40}  # {in_language(comment, language)}" if comment else written
        yield ""


def _table(plugin: ConnectorPlugin, language: str) -> str:
    """A connector's table: its keys and their defaults, as its options declare them, with what they mean."""
    from cloudscan.schemas import field_notes

    notes = field_notes(plugin.options)
    lines = [f"[connectors.{plugin.name}]   # {plugin.title}"]
    for field in msgspec.structs.fields(plugin.options):
        note = notes.get(field.name, "")
        if field.required:
            required = in_language(say("required"), language)
            lines.append(f'{field.encode_name} = ""   # {required}' + (f": {note}" if note else ""))
        else:
            default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            line = f"# {field.encode_name} = {_toml(default)}"
            lines.append(f"{line:<40}  # {note}" if note else line)
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """A text, number, boolean, list or table in TOML; None becomes the empty text."""
    return "{}" if value == {} else json.dumps("" if value is None else msgspec.to_builtins(value), ensure_ascii=False)
