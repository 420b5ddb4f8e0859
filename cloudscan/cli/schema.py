"""`cloudscan schema`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cloudscan.cli.opening import load_config, load_rules
from cloudscan.config import Config
from cloudscan.errors import ConfigurationError
from cloudscan.sentence import say

if TYPE_CHECKING:
    from cloudscan.engine.rule_file import Rule


@click.command()
@click.argument("what", type=click.Choice(["config", "rule", "template", "report"]))
@click.pass_obj
def schema(config_path: str | None, what: str) -> None:
    """Print the JSON Schema of cloudscan.toml (config), of rules, of permission templates, or of the report in JSON.

    Editors use it to complete keys and to mark mistakes; docs/editors.md says how. The schema of the configuration
    contains the options of all connectors, formats and trackers that are installed, and the parameters of all rules.
    """
    import msgspec

    from cloudscan import schemas

    if what == "report":
        click.echo(_report_schema(), nl=False)
        return
    if what == "config":
        made = schemas.configuration_schema(_rules(config_path))
    else:
        made = schemas.rule_schema() if what == "rule" else schemas.template_schema()
    click.echo(msgspec.json.format(msgspec.json.encode(made), indent=2))


def _rules(config_path: str | None) -> "Sequence[Rule]":
    """The rules, with our own where the configuration can be read: it may be what the editor is to help with."""
    try:
        return load_rules(load_config(config_path))
    except ConfigurationError:
        return load_rules(Config())


def _report_schema() -> str:
    from cloudscan import plugins

    made = plugins.report_format("json").schema
    if made is None:
        raise ConfigurationError(say("The installed format json has no schema."))
    return made()
