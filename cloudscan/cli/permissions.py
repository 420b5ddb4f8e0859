"""`cloudscan permissions`."""

from collections.abc import Sequence

import click

from cloudscan.cli import completing
from cloudscan.cli.language import echo, spoken
from cloudscan.cli.opening import chosen_plugins, load_config
from cloudscan.sentence import say


@click.command()
@click.option(
    "--connector", "names", multiple=True, shell_complete=completing.connectors, help="Only this connector. Repeatable."
)
@click.option("--format", "format_name", type=click.Choice(["table", "policy"]), default="table", show_default=True,
              help="A list with reasons, or the provider's own policy document, ready to paste.")  # fmt: skip
@click.pass_obj
def permissions(config_path: str | None, names: Sequence[str], format_name: str) -> None:
    """List the permissions that a connector needs, and why. One that allows more than reading says so.

    Of the configured platforms, or of all that are installed where none is configured.
    """
    from cloudscan import plugins
    from cloudscan.errors import ConfigurationError

    config = load_config(config_path)
    chosen = chosen_plugins(config, names or tuple(config.connectors) or plugins.connector_names())
    if format_name == "policy":
        documents = [(plugin, plugin.policy_document) for plugin in chosen]
        if names and (without := next((plugin.name for plugin, document in documents if document is None), "")):
            raise ConfigurationError(
                say("The connector {name} has no policy document; use --format table.", name=without)
            )
        for plugin, document in documents:
            if document is not None:
                if len(documents) > 1:
                    click.echo(f"# {plugin.name}: {plugin.title}", err=True)
                click.echo(document())
        return
    for plugin in chosen:
        click.echo(f"{plugin.name}: {plugin.title}")
        width = max((len(permission.name) for permission in plugin.permissions), default=0)
        for permission in plugin.permissions:
            optional = spoken(say(" (optional)")) if permission.optional else ""
            echo(f"  {permission.name:<{width}}  {spoken(permission.reason)}{optional}")
