"""`cloudscan permissions`."""

from collections.abc import Sequence

import click

from cloudscan.cli.language import echo, spoken
from cloudscan.cli.opening import chosen_plugins, load_config
from cloudscan.sentence import say


@click.command()
@click.option("--connector", "names", multiple=True, help="Only this connector. Repeatable.")
@click.option("--format", "format_name", type=click.Choice(["table", "policy"]), default="table", show_default=True,
              help="A list with reasons, or the provider's own policy document, ready to paste.")  # fmt: skip
@click.pass_obj
def permissions(config_path: str | None, names: Sequence[str], format_name: str) -> None:
    """List the permissions that a connector needs, and why. One that allows more than reading says so."""
    from cloudscan.errors import ConfigurationError

    for plugin in chosen_plugins(load_config(config_path), names):
        if format_name == "policy":
            if plugin.policy_document is None:
                raise ConfigurationError(
                    say("The connector {name} has no policy document; use --format table.", name=plugin.name)
                )
            click.echo(plugin.policy_document())
            continue
        click.echo(f"{plugin.name}: {plugin.title}")
        width = max((len(permission.name) for permission in plugin.permissions), default=0)
        for permission in plugin.permissions:
            optional = spoken(say(" (optional)")) if permission.optional else ""
            echo(f"  {permission.name:<{width}}  {spoken(permission.reason)}{optional}")
