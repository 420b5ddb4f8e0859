"""`cloudscan docs`: the pages of the documentation, which are installed with cloudscan."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from cloudscan.errors import ConfigurationError
from cloudscan.sentence import say
from cloudscan.text import suggestion


def _pages() -> dict[str, Path]:
    """The pages by name: inside the package if it was installed from a wheel, beside it in a checkout."""
    here = Path(__file__).parents[1]
    packed = here / "_docs"
    folder = packed if packed.is_dir() else here.parent / "docs"
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*.md"))}


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in _pages() if name.startswith(incomplete)]


@click.command()
@click.argument("page", required=False, shell_complete=_complete)
@click.pass_obj
def docs(_config_path: str | None, page: str | None) -> None:
    """List the pages of the documentation, or print a PAGE, in Markdown.

    \b
    cloudscan docs configuration
    cloudscan docs docs/tickets.md
    """
    pages = _pages()
    if page is None:
        width = max(map(len, pages), default=0)
        for name, path in pages.items():
            click.echo(f"{name:<{width}}  {_title(path)}")
        return
    name = page.removeprefix("docs/").removesuffix(".md")
    if name not in pages:
        raise ConfigurationError(say("There is no page {name}; {hint}.", name=repr(page), hint=suggestion(name, pages)))
    click.echo(pages[name].read_text(encoding="utf-8"), nl=False)


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return next((line.removeprefix("# ").strip() for line in file if line.startswith("# ")), "")
