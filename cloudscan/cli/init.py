"""`cloudscan init`."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from cloudscan.connector import ConnectorPlugin
from cloudscan.errors import ConfigurationError

_TEMPLATE = """\
# cloudscan.toml. Every key is explained in docs/configuration.md.
# Secrets do not belong here: credentials are found by the provider's own chain (environment, profile, role).

[organisation]
name = {name}
domains = []            # our mail domains: ["example.com"]
accounts = []           # our cloud accounts that are not scanned: ["111122223333"]
organisation_ids = []   # our organisation's id, where it cannot be read: ["o-a1b2c3d4e5"]
language = "en"         # of reports: en or ja

# [[partners]]          # external organisations we have a contract with
# name = "Haulier Inc."
# domains = ["haulier.example"]
# accounts = ["444455556666"]
# owner = "logistics@example.com"
# contract_ends = 2030-03-31

[scan]
folder = ".cloudscan"   # snapshots, ledger and reports
fail_on = "high"        # exit code 1 from this severity up
concurrency = 16        # requests in flight
max_hours = 20.0        # what has not been read by then is a gap
until = ""              # or by this time of the machine's clock: "06:00"
rules = []              # folders with rules of your own: ["our-rules"]

# [ledger]
# url = "postgresql+psycopg://ledger.example/cloudscan"   # instead of a file in the folder

# [waivers]
# max_days = 180           # the longest a waiver may last
"""


@click.command()
@click.option("--name", default="", help="The organisation's name, for the report.")
@click.option("--connector", "names", multiple=True, help="Only this connector. Repeatable.  [default: all installed]")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.pass_obj
def init(config_path: str | None, name: str, names: Sequence[str], force: bool) -> None:
    """Write a cloudscan.toml to start from, with every key and its default."""
    from cloudscan import plugins

    path = Path(config_path or "cloudscan.toml")
    if path.exists() and not force:
        raise ConfigurationError(f"{path} already exists; use --force to replace it.")
    tables = [_table(plugins.connector(connector)) for connector in names or plugins.connector_names()]
    text = "\n".join([_TEMPLATE.format(name=json.dumps(name, ensure_ascii=False)), *tables])
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}); choose another location.") from error
    click.echo(f"Wrote {path}. Next: cloudscan doctor")


def _table(plugin: ConnectorPlugin) -> str:
    """A connector's table: its keys and their defaults, as its options declare them."""
    lines = [f"[connectors.{plugin.name}]   # {plugin.title}"]
    for field in msgspec.structs.fields(plugin.options):
        if field.required:
            lines.append(f'{field.encode_name} = ""   # required')
        else:
            default = field.default if field.default is not msgspec.NODEFAULT else ()
            lines.append(f"# {field.encode_name} = {_toml(default)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """A text, number, boolean or list in TOML; None becomes the empty text."""
    return json.dumps("" if value is None else msgspec.to_builtins(value), ensure_ascii=False)
