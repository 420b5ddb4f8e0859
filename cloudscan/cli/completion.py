"""`cloudscan completion`."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash:  eval "$(cloudscan completion bash)"
    zsh:   eval "$(cloudscan completion zsh)"
    fish:  cloudscan completion fish | source
    """
    kind = get_completion_class(shell)
    if kind is not None:
        click.echo(kind(ctx.find_root().command, {}, "cloudscan", "_CLOUDSCAN_COMPLETE").source())
