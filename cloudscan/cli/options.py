"""The options that several commands have, each defined once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cloudscan.cli import completing
from cloudscan.cli.language import HELP, LANGUAGES, explicit
from cloudscan.cli.only import only_option
from cloudscan.finding import Severity

if TYPE_CHECKING:
    from cloudscan.nightly.selection import ScopeSelection

Command = TypeVar("Command", bound=Callable[..., Any])
SEVERITIES = click.Choice([severity.value for severity in Severity])


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which part of the estate to read, and how fast: the options of `selection_options`."""

    connectors: Sequence[str]  # names; empty: as configured
    scopes: Sequence[str]  # patterns; empty: all
    skipped: Sequence[str]  # patterns
    only: Sequence[str]  # KEY=VALUE; empty: all
    only_shared: bool
    concurrency: int | None  # requests in flight; None: as configured

    def within(self, snapshots: Path) -> "ScopeSelection":
        """What to read, with what ``--only`` means there by an earlier scan. Raises `ConfigurationError`."""
        if not self.only:
            return self.chosen
        from cloudscan.nightly.part import part_of
        from cloudscan.organisation.only import parsed

        return replace(self.chosen, part=part_of(snapshots, parsed(self.only)))

    @property
    def chosen(self) -> "ScopeSelection":
        """The patterns."""
        from cloudscan.nightly.selection import ScopeSelection

        return ScopeSelection(only=tuple(self.scopes), skip=tuple(self.skipped))

    @property
    def settings(self) -> dict[str, str]:
        """What was left out, as the snapshot's manifest records it; empty for a full read."""
        left_out = {
            "only": " ".join(self.scopes),
            "skip": " ".join(self.skipped),
            "part": " ".join(self.only),
            "only_shared": "yes" if self.only_shared else "",
        }
        return {name: value for name, value in left_out.items() if value}


def selection_options(command: Callable[..., int]) -> Callable[..., int]:
    """The options that say what to read, handed to the command as one `Selection`."""

    @wraps(command)
    def with_selection(
        *arguments: object,
        connectors: Sequence[str],
        scopes: Sequence[str],
        skipped: Sequence[str],
        only: Sequence[str],
        only_shared: bool,
        concurrency: int | None,
        **others: object,
    ) -> int:
        selection = Selection(
            connectors=connectors,
            scopes=scopes,
            skipped=skipped,
            only=only,
            only_shared=only_shared,
            concurrency=concurrency,
        )
        return command(*arguments, selection=selection, **others)

    for option in (
        click.option(
            "--concurrency", type=click.IntRange(1, 512), help="Requests in flight.  [default: as configured, 16]"
        ),
        click.option(
            "--skip-scope",
            "skipped",
            multiple=True,
            shell_complete=completing.scopes,
            help="Leave out scopes (pattern). Repeatable.",
        ),
        click.option(
            "--scope",
            "scopes",
            multiple=True,
            shell_complete=completing.scopes,
            help="Scan only these scopes, such as an account, a drive or a site (pattern). Repeatable.",
        ),
        only_option,
        click.option(
            "--only-shared",
            is_flag=True,
            help="List only what is shared beyond named people, where the platform supports such a query; faster, but "
            "blind to everything else.",
        ),
        click.option(
            "--connector",
            "connectors",
            multiple=True,
            shell_complete=completing.connectors,
            help="Read only this platform. Repeatable.",
        ),
    ):
        with_selection = option(with_selection)
    return with_selection


def lang_option(command: Command) -> Command:
    """``--lang``, which is None unless it is written, here or before the subcommand."""
    return click.option("--lang", type=LANGUAGES, default=explicit, help=HELP)(command)


def rules_option(command: Command) -> Command:
    """``--rules``, repeatable."""
    return click.option(
        "--rules",
        "rule_folders",
        multiple=True,
        type=click.Path(file_okay=False),
        help="A folder with rules of your own, in addition to the shipped ones. Repeatable.",
    )(command)


def redact_option(command: Command) -> Command:
    """``--redact``."""
    return click.option(
        "--redact", "redacting", is_flag=True, help="Replace names by keyed hashes that are stable across runs."
    )(command)
