"""`cloudscan query`."""

import sys
from pathlib import Path
from typing import TextIO

import click

from cloudscan.cli.language import spoken
from cloudscan.cli.opening import load_config
from cloudscan.sentence import say


@click.command()
@click.argument("sql", required=False)
@click.option("--file", "-f", type=click.File(encoding="utf-8"), help="Read the query from a file; - is stdin.")
@click.option("--snapshot", type=click.Path(file_okay=False), help="The snapshot.  [default: the last one]")
@click.option(
    "--format", "format_name", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True,
    help="A table to read, or JSON or CSV and nothing else.",
)  # fmt: skip
@click.option("--tables", is_flag=True, help="List the tables and their columns.")
@click.pass_obj
def query(
    config_path: str | None, sql: str | None, file: TextIO | None, snapshot: str | None, format_name: str, tables: bool
) -> None:
    """Query a snapshot: one SELECT, in SQL, as an argument, from a file or from stdin (-).

    \b
    cloudscan query "SELECT resource_name, audience FROM exposures WHERE audience >= 'any_account'"
    cloudscan query -f exposures.sql
    """
    import msgspec

    from cloudscan.cli.table import show_table
    from cloudscan.errors import SnapshotError
    from cloudscan.snapshot.snapshot import Snapshot
    from cloudscan.snapshot.store import latest_snapshot
    from cloudscan.snapshot.tables import TABLES
    from cloudscan.text import BYTE_ORDER_MARK, as_csv, plain

    if tables:
        rows = [[name, column, kind] for name, columns in TABLES.items() for column, kind in columns.items()]
        show_table((say("table"), say("column"), say("type")), rows)
        return
    sql = _written(sql, file)
    if not sql:
        raise click.UsageError(
            spoken(say('The query is missing: cloudscan query "SELECT … FROM exposures"; --tables lists the tables.'))
        )
    folder = Path(snapshot) if snapshot else latest_snapshot(load_config(config_path).folder / "snapshots")
    if folder is None:
        raise SnapshotError(say("No snapshot exists yet; run `cloudscan scan` first, or name one with --snapshot."))
    with Snapshot.open(folder) as opened:
        answer = opened.query(sql)
    if format_name == "json":
        click.echo(msgspec.json.encode([dict(zip(answer.columns, row, strict=True)) for row in answer.rows]))
    elif format_name == "csv":
        # As bytes: a text's line ends would become the system's own. The mark is for Excel, not for a pipe.
        written = as_csv(answer.columns, answer.rows, readable=plain).removeprefix(BYTE_ORDER_MARK)
        click.echo(written.encode("utf-8", "replace"), nl=False)
    else:
        show_table(answer.columns, answer.rows)


def _written(sql: str | None, file: TextIO | None) -> str:
    """The query, from wherever it is written. Raises `click.UsageError` for two, and for a file that is not text."""
    if sql and file:
        raise click.UsageError(spoken(say("There are two queries; write one, or --file.")))
    source = sys.stdin if sql == "-" else file
    if source is None:
        return sql or ""
    try:
        return source.read().strip()
    except UnicodeDecodeError:
        raise click.UsageError(spoken(say("{file} is not UTF-8 text; save it as UTF-8.", file=source.name))) from None
