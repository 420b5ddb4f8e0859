"""`cloudscan roster check`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cloudscan.cli.help import Group
from cloudscan.cli.language import echo
from cloudscan.cli.main import EXIT_INCOMPLETE
from cloudscan.cli.opening import load_config
from cloudscan.config import Config
from cloudscan.errors import ConfigurationError
from cloudscan.sentence import Sentence, joined, say
from cloudscan.text import plain

if TYPE_CHECKING:
    from cloudscan.organisation.unjoined import Unjoined
    from cloudscan.roster.reading import Dirt, Roster
    from cloudscan.roster.table import Table

_MOST_LINES: Final = 50  # of dirt at the terminal
_STANDINGS: Final[Mapping[str, Sentence]] = {
    "active": say("active"),
    "on-leave": say("on leave"),
    "upcoming": say("not yet here"),
    "term-over": say("contract over, to be confirmed"),
    "left": say("no longer here"),
    "unknown": say("not certain"),
}
_FLAWS: Final[Mapping[str, Sentence]] = {
    "cells": say("it has more or fewer cells than the header; the row is left out"),
    "nobody": say("it names neither a number nor an address; the row is left out"),
    "number": say("a spreadsheet has garbled the number; format the column as text"),
    "address": say("this is not a mail address"),
    "day": say("this is not a day; write 2026-03-31"),
    "employment": say("this way of being employed is not known"),
    "status": say("this status is not known; write active, on leave or left"),
    "twice": say("rows about one person contradict each other; the one that ends last counts"),
    "shared": say("several people have this address, so it tells nobody apart"),
}


@click.group(cls=Group)
def roster() -> None:
    """Who works here, as your HR system's export says."""


@roster.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="Text to read, or JSON and nothing else.")  # fmt: skip
@click.pass_obj
def check(config_path: str | None, file: str | None, format_name: str) -> int:
    """Read an export and say what is wrong with it, line by line.

    FILE is a CSV, in UTF-8 or Shift_JIS; without one it is the file that [roster] names. Shown are the columns and what
    they were taken for, how many people are active, on leave or gone today, and every row that cannot be understood.
    After a scan also who has no account, which accounts belong to nobody, and which of these are called like somebody:
    for a person to confirm in the roster. Names are not printed, numbers and addresses are.
    """
    from cloudscan.days import day_of
    from cloudscan.roster.reading import read_roster
    from cloudscan.roster.table import read_table

    config = load_config(config_path)
    table = read_table(*_opened(config, file), config.roster.columns, config.roster.encoding)
    today = day_of(datetime.now(UTC), config.organisation.timezone)
    read = read_roster(table, today=today, timezone=config.organisation.timezone)
    standings = _standings(read, today)
    left_over = _unjoined(config)
    if format_name == "json":
        click.echo(_as_json(table, read, standings, left_over))
    else:
        _show(table, read, standings)
        if left_over is not None:
            _show_unjoined(left_over)
    return EXIT_INCOMPLETE if read.dirt else 0


def _opened(config: Config, file: str | None) -> tuple[bytes, str]:
    """What a file contains, and its name. Raises `ConfigurationError` if there is none to read."""
    name = file or config.roster.file
    if not name:
        raise ConfigurationError(
            say("There is no roster; name a file, or write [roster] file = … into cloudscan.toml.")
        )
    try:
        return Path(name).read_bytes(), name
    except OSError as error:
        raise ConfigurationError(
            say("{file} cannot be read ({reason}); check the path and its permissions.",
                file=name, reason=error.strerror or type(error).__name__)
        ) from error  # fmt: skip


def _standings(read: "Roster", today: date) -> Mapping[str, int]:
    from cloudscan.roster.entry import Standing, standing

    counts = Counter(standing(entry, today) for entry in read.entries)
    return {one.value: counts[one] for one in Standing if counts[one]}


def _show(table: "Table", read: "Roster", standings: Mapping[str, int]) -> None:
    from cloudscan.roster.reading import columns_taken

    taken = columns_taken(table)
    numbers = joined((say("{count} {state}", count=n, state=_STANDINGS[one]) for one, n in standings.items()), ", ")
    echo(say("{count} people: {numbers}", count=len(read.entries), numbers=numbers or "-"))
    echo(say("Encoding: {encoding}. Header: line {line}.", encoding=table.encoding, line=table.header_line))
    for column, field in taken.items():
        echo(f"  {plain(column)} → {field}")
    if ignored := [plain(name) for name in table.header if name.strip() and name not in taken]:
        echo(say("Not used: {columns}", columns=", ".join(ignored)))
    if read.later:
        echo(say("Rows that apply from a later day: {count}", count=read.later))
    for dirt in read.dirt[:_MOST_LINES]:
        echo(_line(dirt))
    if (more := len(read.dirt) - _MOST_LINES) > 0:
        echo(say("… and {count} more", count=more))


def _unjoined(config: Config) -> "Unjoined | None":
    """What the last scan could not join; None where there is none yet."""
    from cloudscan.organisation.unjoined import unjoined
    from cloudscan.snapshot.snapshot import Snapshot, reading
    from cloudscan.snapshot.store import latest_snapshot

    folder = latest_snapshot(config.folder / "snapshots")
    if folder is None:
        return None
    with Snapshot.open(folder) as opened, reading(opened.path):
        return unjoined(opened)


def _show_unjoined(found: "Unjoined") -> None:
    whys = {"ambiguous": say("several people fit"), "unread": say("a row of the roster could not be read")}
    _list(
        say("By the last scan, people who are here without an account: {count}", count=len(found.people)),
        found.people,
    )
    _list(
        say("Active accounts that belong to nobody: {count}", count=len(found.accounts)),
        [joined([one.platform, one.address, *([whys[one.why]] if one.why in whys else [])]) for one in found.accounts],
    )
    _list(
        say("Called like somebody, to be confirmed in the roster: {count}", count=len(found.proposals)),
        [joined([one.platform, one.address, f"→ {one.number}"]) for one in found.proposals],
    )


def _list(title: Sentence, lines: Sequence[str]) -> None:
    echo(title)
    for line in lines[:_MOST_LINES]:
        echo(joined(["  ", line], ""))
    if (more := len(lines) - _MOST_LINES) > 0:
        echo(say("… and {count} more", count=more))


def _line(dirt: "Dirt") -> Sentence:
    where = joined([dirt.column, repr(plain(dirt.value))]) if dirt.column else plain(dirt.value)
    if where:
        return say("line {line}: {where}: {flaw}", line=dirt.line, where=where, flaw=_FLAWS[dirt.flaw])
    return say("line {line}: {flaw}", line=dirt.line, flaw=_FLAWS[dirt.flaw])


def _as_json(table: "Table", read: "Roster", standings: Mapping[str, int], left_over: "Unjoined | None") -> bytes:
    import msgspec

    from cloudscan.roster.reading import columns_taken

    return msgspec.json.encode(
        {
            "encoding": table.encoding,
            "columns": columns_taken(table),
            "people": len(read.entries),
            "standings": standings,
            "later": read.later,
            "dirt": read.dirt,
            **({"unjoined": left_over} if left_over is not None else {}),
        }
    )
