"""`cloudscan ranks`: how much what matters, why, and what nobody has ranked."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cloudscan.cli.help import Group
from cloudscan.cli.language import echo
from cloudscan.cli.main import EXIT_INCOMPLETE
from cloudscan.cli.opening import load_config, snapshot_folder
from cloudscan.errors import ConfigurationError
from cloudscan.facts import Audience, rank_name
from cloudscan.sentence import Sentence, in_language, joined, say
from cloudscan.text import plain

if TYPE_CHECKING:
    from cloudscan.config import Config
    from cloudscan.organisation.asset_places import Mapped
    from cloudscan.organisation.rank_lines import RankLine
    from cloudscan.organisation.rank_lookup import Explained, Spoken, Unranked
    from cloudscan.organisation.rank_suggestions import Suggestion
    from cloudscan.snapshot.snapshot import Snapshot

_MOST_IDLE: Final = 20  # entries that reach nothing
_RANKS: Final[Mapping[str, Sentence]] = {
    "news-grade": say("news-grade"),
    "confidential": say("confidential"),
    "working": say("working"),
    "unranked": say("unranked"),
}
_SOURCES: Final[Mapping[str, Sentence]] = {
    "explicit": say("named itself"),
    "tag": say("tag"),
    "label": say("label"),
    "pattern": say("pattern"),
    "department": say("the owner's department"),
}
_USERS: Final[Mapping[Audience | None, Sentence]] = {
    None: say("could not be read"),
    Audience.NOBODY: say("nobody"),
    Audience.OWNER: say("only the owner"),
    Audience.NAMED: say("named people in the organisation"),
    Audience.NAMED_EXTERNAL: say("named people outside"),
    Audience.EXTERNAL_DOMAIN: say("everyone in another organisation"),
    Audience.ORGANISATION: say("everyone in the organisation"),
    Audience.ANY_ACCOUNT: say("anyone with an account on the platform"),
    Audience.ANYONE_WITH_LINK: say("anyone who has the link"),
    Audience.ANYONE_DISCOVERABLE: say("anyone, also by search"),
}
_SNAPSHOT = click.option("--snapshot", type=click.Path(file_okay=False), help="The snapshot.  [default: the last one]")
_FORMAT = click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text",
                       show_default=True, help="Text to read, or JSON and nothing else.")  # fmt: skip


@click.group(cls=Group)
def ranks() -> None:
    """How much what matters: news-grade, confidential, working."""


@ranks.command()
@click.argument("resource")
@_SNAPSHOT
@_FORMAT
@click.pass_obj
def explain(config_path: str | None, resource: str, snapshot: str | None, format_name: str) -> int:
    """Say which rank a resource has, and every entry that speaks.

    RESOURCE is an id, a web address, a place such as Sales/Board, or a name; where several fit, they are listed. The
    last snapshot is ranked by the configuration as it is now, so that a new entry can be tried without a scan.
    """
    import msgspec

    from cloudscan.organisation import rank_lookup

    config = load_config(config_path)
    with _ranked(config, snapshot) as (opened, lines):
        uids = rank_lookup.fitting(opened, resource)
        found = rank_lookup.explain(opened, lines, uids[: rank_lookup.MOST])
    if not found:
        raise ConfigurationError(
            say("Nothing in the snapshot is called {name}; write an id, a web address or a place.",
                name=repr(plain(resource)))
        )  # fmt: skip
    if format_name == "json":
        click.echo(msgspec.json.encode(found))
    elif len(found) == 1:
        _explain(found[0])
    else:
        _list_fitting(found, more=len(uids) > len(found))
    return 0


def _explain(one: "Explained") -> None:
    echo(plain(one.called))
    echo(f"  {one.kind} {plain(one.uid)}")
    echo(joined([say("rank:"), _RANKS.get(rank_name(one.rank), str(one.rank))]))
    if not one.spoken:
        echo(say("No entry reaches it. Unranked counts as the middle, not as low."))
    for spoken in one.spoken:
        echo(_line(spoken))
    if any(not spoken.is_own and spoken.decides for spoken in one.spoken):
        echo(say("What it is in has a higher rank; only an entry that names the resource itself would lower it."))


def _line(spoken: "Spoken") -> Sentence:
    mark = "→" if spoken.decides else " "
    rank, source = _RANKS[rank_name(spoken.rank)], _SOURCES[spoken.source]
    value = repr(plain(spoken.value))
    if spoken.is_own:
        return say("{mark} {rank}: {source} {value}", mark=mark, rank=rank, source=source, value=value)
    return say("{mark} {rank}: {source} {value}, of {container}",
               mark=mark, rank=rank, source=source, value=value, container=plain(spoken.of))  # fmt: skip


def _list_fitting(found: "Sequence[Explained]", *, more: bool) -> None:
    from cloudscan.cli.table import show_table

    rows = [[_RANKS.get(rank_name(one.rank), str(one.rank)), one.kind, one.called, one.uid] for one in found]
    show_table((say("rank"), say("kind"), say("place"), say("id")), rows)
    if more:
        echo(say("… and more; write more of the path."))


@ranks.command("list")
@click.option("--limit", type=click.IntRange(1), default=30, show_default=True, help="Show at most N containers.")
@_SNAPSHOT
@_FORMAT
@click.pass_obj
def list_(config_path: str | None, limit: int, snapshot: str | None, format_name: str) -> int:
    """List what is unranked, where most people have access first.

    Per bucket, drive or library: the widest audience of what is unranked in it, people outside by name, resources and
    bytes. It begins with how far the entries of [[ranks]] reach in the last snapshot, and which reach nothing.
    """
    import msgspec

    from cloudscan.organisation import rank_lookup

    config = load_config(config_path)
    with _ranked(config, snapshot) as (opened, lines):
        counts = rank_lookup.counts(opened, lines)
        unranked = rank_lookup.unranked(opened, limit)
    if format_name == "json":
        click.echo(msgspec.json.encode({"counts": counts, "unranked": unranked}))
        return 0
    ranked = sum(counts.by_rank.values())
    shares = (say("{count} {rank}", count=n, rank=_RANKS[rank_name(rank)]) for rank, n in counts.by_rank.items())
    numbers = joined(shares, ", ")
    echo(say("{ranked} of {count} resources are ranked: {numbers}", ranked=ranked, count=counts.resources,
             numbers=numbers or "-"))  # fmt: skip
    for line in counts.idle[:_MOST_IDLE]:
        echo(say("Reaches nothing: {source} {value}", source=_SOURCES[line.source], value=repr(plain(line.value))))
    if (more := len(counts.idle) - _MOST_IDLE) > 0:
        echo(say("… and {count} more", count=more))
    if unranked:
        _show_unranked(unranked)
    return 0


@ranks.command()
@click.option("--limit", type=click.IntRange(1, 200), default=40, show_default=True, help="Suggest at most N entries.")
@_SNAPSHOT
@click.pass_obj
def suggest(config_path: str | None, limit: int, snapshot: str | None) -> int:
    """Suggest ranks from names and labels, as text for cloudscan.toml.

    Nothing is applied. Each line says which word led to it, how much it reaches and who has access: read it, delete
    what is wrong, and put the rest into cloudscan.toml. Contents are never read.
    """
    from cloudscan.organisation import rank_suggestions

    config = load_config(config_path)
    with _ranked(config, snapshot) as (opened, _lines):
        entries = rank_suggestions.by_rank(rank_suggestions.suggest(opened, limit))
    if not entries:
        echo(say("# Nothing that is unranked has a name or a label that suggests a rank."))
        return 0
    echo(say("# Guessed from names and labels. Nothing is applied: delete what is wrong, keep the rest."))
    for rank, several in entries.items():
        echo("")
        for line in _entry(rank, several):
            echo(line)
    return 0


def _entry(rank: int, several: "Sequence[Suggestion]") -> Iterator[Sentence | str]:
    yield "[[ranks]]"
    yield f'rank = "{rank_name(rank)}"'
    for key in dict.fromkeys(one.key for one in several):
        yield f"{key} = ["
        for one in several:
            if one.key == key:
                yield joined([f"  {quoted(one.value)},  #", _reason(one)])
        yield "]"


def quoted(value: str) -> str:
    """A text as TOML writes it: https://toml.io/en/v1.0.0#string."""
    import tomlkit

    return tomlkit.string(value).as_string()


def _reason(one: "Suggestion") -> Sentence:
    about = say("{word}: {meaning}", word=repr(one.word), meaning=one.meaning) if one.meaning else repr(one.word)
    audience = _USERS[one.audience or Audience.NOBODY]
    return say("{about}; resources: {count}, widest audience: {audience}",
               about=about, count=one.resources, audience=audience)  # fmt: skip


def _show_unranked(unranked: "Sequence[Unranked]") -> None:
    from cloudscan.cli.table import show_table

    rows = [
        [one.called, one.platform, one.kind, _USERS[one.audience], one.external, one.resources, _megabytes(one.bytes)]
        for one in unranked
    ]
    head = (say("unranked in"), say("platform"), say("kind"), say("widest audience"), say("outside"),
            say("resources"), "MB")  # fmt: skip
    show_table(head, rows)


def _megabytes(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e6:,.1f}"


@contextmanager
def _ranked(config: "Config", folder: str | None) -> "Iterator[tuple[Snapshot, Sequence[RankLine]]]":
    """The snapshot, ranked by the entries of today. Raises `SnapshotError` where there is none."""
    from cloudscan.nightly.knowledge import rank_lines
    from cloudscan.organisation import rank_lookup
    from cloudscan.snapshot.snapshot import Snapshot

    chosen, lines = snapshot_folder(config, folder), rank_lines(config.ranks)
    with Snapshot.open(chosen) as opened:
        rank_lookup.rank(opened, lines)
        yield opened, lines


def _latest(config: "Config") -> Path | None:
    from cloudscan.snapshot.store import latest_snapshot

    return latest_snapshot(config.folder / "snapshots")


@ranks.command("import")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--scale", type=click.Choice(["3-2-1", "2-1-0"]), help="How it rates.  [default: as its numbers tell]")
@_SNAPSHOT
@click.pass_obj
def import_(config_path: str | None, file: str, scale: str | None, snapshot: str | None) -> int:
    """Print the ranks that follow from a ledger of information assets (情報資産管理台帳), as text for cloudscan.toml.

    FILE is the ledger of IPA's guideline, as CSV (UTF-8 or Shift_JIS) or Excel workbook. Its column 媒体・保存先 has
    to name a place: by its address, its id, or the name of a bucket, drive or site in the last snapshot. Rows from
    which no rank follows are listed with the reason, and the exit code is 3.
    """
    from cloudscan.organisation.asset_ledger import read_ledger
    from cloudscan.organisation.asset_places import mapped

    config = load_config(config_path)
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            say("{file} cannot be read ({reason}); check the path and its permissions.",
                file=file, reason=error.strerror or type(error).__name__)
        ) from error  # fmt: skip
    assets = read_ledger(data, file, scale or "")
    if snapshot or _latest(config):
        with _ranked(config, snapshot) as (opened, _lines):
            found, unmapped = mapped(assets, opened)
    else:
        found, unmapped = mapped(assets, None)
    for line in _imported(found, file):
        echo(line)
    for one in unmapped:
        echo(say("# line {line}, {name}: {why}", line=one.asset.line, name=repr(plain(one.asset.name)), why=one.why))
    return EXIT_INCOMPLETE if unmapped else 0


def _imported(found: "Sequence[Mapped]", file: str) -> Iterator[Sentence | str]:
    yield say("# From {file}. Nothing is applied: read it, and put it into cloudscan.toml.", file=plain(file))
    for rank in dict.fromkeys(one.asset.rank for one in found):
        yield ""
        yield "[[ranks]]"
        yield f'rank = "{rank}"'
        yield "places = ["
        for one in found:
            if one.asset.rank == rank:
                name = repr(plain(one.asset.name))
                seen = "" if one.is_known else say("; not in the last snapshot")
                why = plain(one.asset.why) if type(one.asset.why) is str else one.asset.why
                reason = say("line {line}, {name}: {why}{seen}", line=one.asset.line, name=name, why=why, seen=seen)
                yield joined([f"  {quoted(one.place)},  #", reason])
        yield "]"
    yield ""


@ranks.command()
@click.option("--format", "format_name", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True,
              help="CSV for any spreadsheet, or an Excel workbook.")  # fmt: skip
@click.option("--scale", type=click.Choice(["3-2-1", "2-1-0"]), default="3-2-1", show_default=True, help="How to rate.")
@click.option("--output", "-o", type=click.Path(dir_okay=False), help="The file.  [default: stdout]")
@_SNAPSHOT
@click.pass_obj
def export(config_path: str | None, format_name: str, scale: str, output: str | None, snapshot: str | None) -> int:
    """Write a ledger of information assets (情報資産管理台帳) of what the last snapshot has.

    A row for each bucket, drive, site and library, and for each folder with a rank of its own, in the columns of IPA's
    guideline: name, who has access, department of the owner, place, confidentiality by rank. What no scan can know is
    empty: the kind of work, kinds of personal data, integrity, availability, how long it is kept.
    """
    from cloudscan.cli.output import to_stdout, write_private
    from cloudscan.days import day_of
    from cloudscan.organisation.asset_ledger import Column
    from cloudscan.organisation.asset_places import kept, ledger_row
    from cloudscan.text import as_csv

    config = load_config(config_path)
    language = config.organisation.language
    with _ranked(config, snapshot) as (opened, lines):
        day = day_of(opened.scan.started_on, config.organisation.timezone)
        rows = [ledger_row(one, scale, in_language(_USERS[one.audience], language), day) for one in kept(opened, lines)]
    head = [column.value for column in Column]
    content = as_csv(head, rows) if format_name == "csv" else _workbook(head, rows)
    if output:
        write_private(Path(output), content)
    else:
        to_stdout(content)
    return 0


def _workbook(head: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """One sheet, every cell a text. Raises `ConfigurationError` without XlsxWriter."""
    import io

    from cloudscan import plugins
    from cloudscan.text import one_line

    with plugins.its_packages(say("The format {name}", name="xlsx"), "xlsx"):
        import xlsxwriter
    out = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    sheet = book.add_worksheet("情報資産管理台帳")
    for number, row in enumerate([head, *rows]):
        for column, value in enumerate(row):
            sheet.write_string(number, column, one_line(value))
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(head) - 1, 18)
    book.close()
    return out.getvalue()
