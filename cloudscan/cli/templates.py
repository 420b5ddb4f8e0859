"""`cloudscan templates check|learn`."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cloudscan.cli.help import Group
from cloudscan.cli.language import current, echo
from cloudscan.cli.main import EXIT_FINDINGS, EXIT_INCOMPLETE, EXIT_USAGE
from cloudscan.cli.only import only_option
from cloudscan.cli.opening import last_report, load_config, snapshot_folder
from cloudscan.cli.table import show_table
from cloudscan.config import Config
from cloudscan.errors import CloudscanError, ConfigurationError
from cloudscan.files import write_private
from cloudscan.finding import Severity
from cloudscan.sentence import Sentence, in_language, joined, say
from cloudscan.text import plain

if TYPE_CHECKING:
    from cloudscan.nightly.template_check import Check, Compared, Drifting
    from cloudscan.organisation.only import Only
    from cloudscan.organisation.template import Template
    from cloudscan.organisation.template_learning import Method
    from cloudscan.snapshot.snapshot import Snapshot

_MOST: Final = 20  # lines of each list below the table
_EXAMPLES: Final = 3  # grants that are named in a row of the table
_DRIFT: Final = {
    "wider": say("wider"),
    "unlisted": say("not listed"),
    "stronger": say("stronger"),
    "expired": say("expired"),
    "unclear": say("could not be determined"),
}
_SNAPSHOT: Final = click.option(
    "--snapshot", type=click.Path(file_okay=False), help="The snapshot.  [default: the last one]"
)


@click.group(cls=Group)
def templates() -> None:
    """Who is meant to reach what, and who does."""


@templates.command()
@click.argument("files", nargs=-1, type=click.Path(dir_okay=False))
@only_option
@_SNAPSHOT
@click.option("--format", "format_name", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="A table to read, or JSON and nothing else.")  # fmt: skip
@click.pass_obj
def check(
    config_path: str | None, files: Sequence[str], only: Sequence[str], snapshot: str | None, format_name: str
) -> int:
    """Compare the last scan with permission templates as they are now; nothing is scanned.

    FILES are templates, by default those that [templates] names. Shown is, for each folder, drive, site or bucket,
    which access is wider, stronger or longer than intended, or somebody's who is in no line; then what no template is
    for.

    Exit codes: 0 everything is as intended, 1 something is not, 2 a file is wrong, 3 some access could not be judged.
    """
    import msgspec

    from cloudscan.nightly.template_check import check as checked

    config = load_config(config_path)
    read = _read(files or config.templates.files)
    if read is None:
        return EXIT_USAGE
    with _opened(config, snapshot) as opened:
        result = checked(opened, read, config.organisation.timezone, _part(only))
    if format_name == "json":
        click.echo(msgspec.json.encode(result))
    else:
        _show(result)
    if result.count(unclear=False):
        return EXIT_FINDINGS
    return EXIT_INCOMPLETE if result.count(unclear=True) else 0


@templates.command()
@only_option
@_SNAPSHOT
@click.option("--output", "-o", type=click.Path(dir_okay=False), help="The file to write.  [default: the terminal]")
@click.option("--least", type=click.IntRange(3), default=5, show_default=True,
              help="The fewest people that a line may be about.")  # fmt: skip
@click.option("--share", type=click.IntRange(50, 100), default=60, show_default=True,
              help="How many percent of a group have to have access.")  # fmt: skip
@click.pass_obj
def learn(
    config_path: str | None,
    only: Sequence[str],
    snapshot: str | None,
    output: str | None,
    least: int,
    share: int,
) -> None:
    """Write a first draft of permission templates from access as it is in the last scan.

    What most people of a department or role have in common becomes a line; what is left is counted, not learnt. Links
    for anyone, expired grants, people who left, partners past their contract and grants with a critical or high finding
    are never learnt. Nobody is named. An existing file is not overwritten.
    """
    from cloudscan.days import day_of
    from cloudscan.nightly.template_text import as_yaml
    from cloudscan.organisation.template_learning import learn as learnt_from
    from cloudscan.snapshot.snapshot import reading

    config = load_config(config_path)
    if output and Path(output).exists():
        raise ConfigurationError(say("{file} exists; name another file, or remove it.", file=output))
    with _opened(config, snapshot) as opened, reading(opened.path):
        timezone, now = config.organisation.timezone, opened.scan.started_on
        method = _method(config, opened, _part(only), least=least, share=share / 100)
        found = learnt_from(opened.db, method, now=now, today=day_of(now, timezone), timezone=timezone)
    text = as_yaml(found, current())
    if output is None:
        click.echo(text, nl=False)
        return
    write_private(Path(output), text.encode())
    echo(
        say(
            "{file}: {count} templates. Read them, tighten them, then run `cloudscan templates check {file}`.",
            file=output,
            count=len(found.templates),
        )
    )


def _read(files: Sequence[str]) -> "list[Template] | None":
    """The templates in the files; None, with each problem said, if something in them is wrong."""
    from cloudscan import plugins
    from cloudscan.nightly.template_files import read_templates

    if not files:
        raise ConfigurationError(
            say("There are no permission templates; name a file, or write [templates] files = … into cloudscan.toml.")
        )
    read, problems = read_templates(files, plugins.connector_names())
    for problem in problems:
        click.echo(problem.in_language(current()), err=True)
    return None if problems else read


def _opened(config: Config, snapshot: str | None) -> "Snapshot":
    from cloudscan.snapshot.snapshot import Snapshot

    return Snapshot.open(snapshot_folder(config, snapshot))


def _part(only: Sequence[str]) -> "Only | None":
    from cloudscan.organisation.only import parsed

    return parsed(only) if only else None


def _method(config: Config, snapshot: "Snapshot", only: "Only | None", *, least: int, share: float) -> "Method":
    from cloudscan.organisation.only import matches, select
    from cloudscan.organisation.template_learning import Method

    departments: Collection[str] | None = None
    resources: Collection[int] | None = None
    if only:
        select(snapshot.db, only)
        if wanted := only.values.get("department"):
            known = [one for (one,) in snapshot.db.execute("SELECT DISTINCT department FROM posts").fetchall()]
            departments = {name for value in wanted for name in matches(value, known)}
        if set(only.values) - {"department"}:
            resources = {uid for (uid,) in snapshot.db.execute("SELECT uid FROM only_resources").fetchall()}
    return Method(least=least, share=share, refused=_refused(config), resources=resources, departments=departments)


def _refused(config: Config) -> Collection[int]:
    """The keys of grants that an open critical or high finding is about, as far as the last report says."""
    from cloudscan.snapshot.tables import key

    with suppress(CloudscanError):
        return {
            key(str(uid))
            for finding in last_report(config, None).findings
            if finding.severity in (Severity.CRITICAL, Severity.HIGH)
            for piece in finding.verdict.evidence
            if (uid := piece.row.get("grant_uid"))
        }
    return ()


def _show(result: "Check") -> None:
    rows = [
        [one.path, one.template, _DRIFT[drift], len(found), _examples(found)]
        for one in result.resources
        for drift in _DRIFT
        if (found := [each for each in one.drift if each.drift == drift])
    ]
    if rows:
        show_table((say("where"), say("template"), say("difference"), say("grants"), say("for example")), rows)
    drifting = sum(any(each.drift in _DRIFT for each in one.drift) for one in result.resources)
    echo(
        say(
            "As intended: {count} of {total}.",
            count=len(result.resources) - drifting,
            total=len(result.resources),
        )
    )
    _list(
        say("Several templates fit, the most specific counts:"),
        [_chosen(one) for one in result.resources if one.also],
    )
    _list(
        say("Intended, and nobody has access (information only):"),
        [f"{one.path}: {', '.join(one.missing)}" for one in result.resources if one.missing],
    )
    _list(say("Patterns that name nothing:"), [f"{one.template}: {one.pattern}" for one in result.names_nothing])
    _list(
        say("In no template:"),
        [say("{name}, files: {count}", name=one.name, count=one.files) for one in result.without_template],
    )


def _examples(found: "Sequence[Drifting]") -> Sentence:
    shown = [_example(one) for one in found[:_EXAMPLES]]
    return joined([*shown, *(["…"] if len(found) > _EXAMPLES else [])], ", ")


def _example(one: "Drifting") -> str:
    who = one.principal_name or (one.audience.value if one.audience else "?")
    strength = one.access.value if one.access else "?"
    return f"{who} {strength} ({one.resource_name})"


def _chosen(one: "Compared") -> Sentence:
    return say("{path}: {template}, not {others}", path=one.path, template=one.template, others=", ".join(one.also))


def _list(title: Sentence, lines: Sequence[object]) -> None:
    if not lines:
        return
    echo(title)
    for line in lines[:_MOST]:
        echo(f"  {plain(in_language(line, current()))}")
    if (more := len(lines) - _MOST) > 0:
        echo(say("… and {count} more", count=more))
