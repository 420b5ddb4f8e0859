"""`cloudscan roster`."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cloudscan.cli import roster_accounts, roster_changes
from cloudscan.cli.dates import as_day
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
    from cloudscan.roster.changes import Changes
    from cloudscan.roster.history import Doubt, History
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
    "quote": say("a quotation mark is not closed, or a cell is too long; the row is left out"),
    "number": say("a spreadsheet has garbled the number; format the column as text"),
    "address": say("this is not a mail address"),
    "day": say("this is not a day; write 2026-03-31"),
    "order": say("this is before the first day; if they came back, remove it"),
    "employment": say("this way of being employed is not known"),
    "status": say("this status is not known; write active, on leave or left"),
    "twice": say("rows about one person contradict each other; the one that ends last counts"),
    "shared": say("several people have this address, so it tells nobody apart"),
    "shared-number": say("several people have this number, so it tells nobody apart"),
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
    they were taken for, how many people are active, on leave or gone today, every row that cannot be understood, and
    what changed since the previous roster. After a scan also who has no account, which accounts belong to nobody, and
    which of these are called like somebody: for a person to confirm in the roster. Names are not printed, but numbers
    and addresses.
    """
    from cloudscan.roster import memory

    config = load_config(config_path)
    today = _today(config)
    table, read = _read(config, file, today)
    standings = _standings(read, today)
    reason, changes = _compared(memory.load(config.folder), read, today)
    if format_name == "json":
        click.echo(_as_json(table, read, standings, reason, changes, roster_accounts.left_over(config)))
    else:
        _show(table, read, standings)
        if reason:
            echo(say("People cannot be judged by it: {reason}.", reason=roster_changes.DOUBTS[reason]))
        elif changes:
            roster_changes.show(changes)
        if (left_over := roster_accounts.left_over(config)) is not None:
            roster_accounts.show(left_over)
    return EXIT_INCOMPLETE if read.dirt or reason else 0


def remember(config: Config, file: str, day: date) -> None:
    """Remember an export of an earlier day. Raises `ConfigurationError` if it cannot be read or written."""
    from cloudscan.roster import memory
    from cloudscan.roster.history import merge

    _, read = _read(config, file, day)
    memory.save(config.folder, merge(memory.load(config.folder), read, day))


@roster.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--day", required=True, metavar="DATE", callback=as_day, help="When it was exported, such as 2026-03-31.")
@click.option("--trust", is_flag=True, help="Keep it although it looks like a broken export.")
@click.pass_obj
def keep(config_path: str | None, file: str, day: date, *, trust: bool) -> int:
    """Remember an earlier export, so that moves and people who left since then are known.

    Every scan remembers the roster that it reads. Exports from before can be added in any order. What was remembered of
    that day is replaced.
    """
    from cloudscan.roster import memory
    from cloudscan.roster.changes import changes_on
    from cloudscan.roster.history import doubt, merge
    from cloudscan.snapshot import lock

    config = load_config(config_path)
    _refuse_day(config, day)
    _, read = _read(config, file, day)
    with lock.exclusive(config.folder):
        history = memory.load(config.folder)
        if not trust and (reason := doubt(history, read, day)):
            raise ConfigurationError(
                say("{file} looks like a broken export: {reason}. If it is sound, add --trust.",
                    file=file, reason=roster_changes.DOUBTS[reason])
            )  # fmt: skip
        history = merge(history, read, day)
        memory.save(config.folder, history)
    echo(say("{count} people are remembered as of {day}.", count=len(read.entries), day=day))
    roster_changes.show(changes_on(history, day))
    if read.dirt:
        count = len(read.dirt)
        echo(say("{count} rows or cells cannot be understood; `cloudscan roster check` lists them.", count=count))
    return EXIT_INCOMPLETE if read.dirt else 0


@roster.command()
@click.option("--dry-run", is_flag=True, help="Only say how many would be forgotten.")
@click.pass_obj
def forget(config_path: str | None, *, dry_run: bool) -> None:
    """Forget people who left, or are no longer listed, for longer than [retention] roster_days.

    Every scan does so at its end, and so does `cloudscan prune`. People whom the newest roster lists are remembered.
    """
    from cloudscan.nightly import retention
    from cloudscan.snapshot import lock

    config = load_config(config_path)
    if dry_run:
        number = retention.people_due(config.folder, config.retention, _today(config))
        echo(say("People to be forgotten: {number}.", number=number))
        return
    with lock.exclusive(config.folder):
        number = retention.forget_people(config.folder, config.retention, _today(config))
    echo(say("People forgotten: {number}.", number=number))


def _today(config: Config) -> date:
    from cloudscan.days import day_of

    return day_of(datetime.now(UTC), config.organisation.timezone)


def _read(config: Config, file: str | None, day: date) -> "tuple[Table, Roster]":
    from cloudscan.roster.reading import read_roster
    from cloudscan.roster.table import read_table

    table = read_table(*_opened(config, file), config.roster.columns, config.roster.encoding)
    return table, read_roster(table, today=day, timezone=config.organisation.timezone)


def _compared(history: "History", read: "Roster", today: date) -> "tuple[Doubt | None, Changes | None]":
    """Why a roster is not to be trusted; else what it changes."""
    from cloudscan.roster.changes import changes_on
    from cloudscan.roster.history import doubt, merge

    reason = doubt(history, read, today)
    return reason, None if reason else changes_on(merge(history, read, today), today)


def _refuse_day(config: Config, day: date) -> None:
    """Raises `ConfigurationError` for a day on which no roster can have been read, or that is past retention."""
    today = _today(config)
    if day > today:
        raise ConfigurationError(say("--day {day} is in the future; today is {today}.", day=day, today=today))
    if (today - day).days > config.retention.roster_days:
        days = config.retention.roster_days
        raise ConfigurationError(
            say("--day {day} is longer ago than [retention] roster_days ({days}) allows.", day=day, days=days)
        )


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
    numbers = joined((say("{state}: {count}", count=n, state=_STANDINGS[one]) for one, n in standings.items()), ", ")
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


def _line(dirt: "Dirt") -> Sentence:
    where = joined([dirt.column, repr(plain(dirt.value))]) if dirt.column else plain(dirt.value)
    if where:
        return say("line {line}: {where}: {flaw}", line=dirt.line, where=where, flaw=_FLAWS[dirt.flaw])
    return say("line {line}: {flaw}", line=dirt.line, flaw=_FLAWS[dirt.flaw])


def _as_json(
    table: "Table",
    read: "Roster",
    standings: Mapping[str, int],
    reason: "Doubt | None",
    changes: "Changes | None",
    left_over: "Unjoined | None",
) -> bytes:
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
            "doubt": reason,
            "changes": roster_changes.as_json(changes) if changes else None,
            "unjoined": left_over,
        }
    )
