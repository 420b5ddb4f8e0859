"""`cloudscan help` and `cloudscan version`: what people try before `--help` and `--version`."""

from collections.abc import Sequence
from importlib.metadata import version as version_of

import click

from cloudscan.cli.language import spoken
from cloudscan.sentence import say
from cloudscan.text import suggestion


@click.command("help")
@click.argument("names", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def help_(ctx: click.Context, names: Sequence[str]) -> None:
    """Show the commands, or explain one: `cloudscan help waive add`."""
    context = ctx.find_root()
    for name in names:
        group = context.command
        known = group.list_commands(context) if isinstance(group, click.Group) else []
        if not isinstance(group, click.Group) or name not in known:
            raise click.UsageError(
                spoken(say("There is no command {name}; {hint}.", name=repr(name), hint=suggestion(name, known)))
            )
        command = group.get_command(context, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=context)
    click.echo(context.get_help())


@click.command()
def version() -> None:
    """Print the version."""
    click.echo(f"cloudscan {version_of('cloudscan')}")
