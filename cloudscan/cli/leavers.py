"""`cloudscan leavers` and `cloudscan movers`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cloudscan.checklist import WINDOW, Checklist, Closer, Item, ItemState, Occasion, Task, closing
from cloudscan.cli.dates import as_day
from cloudscan.cli.language import echo
from cloudscan.cli.opening import load_config, open_ledger, redactor
from cloudscan.cli.options import lang_option, redact_option
from cloudscan.sentence import Sentence, joined, say

if TYPE_CHECKING:
    from cloudscan.config import Config
    from cloudscan.redaction.redactor import Redactor
    from cloudscan.snapshot.snapshot import Snapshot

Command = TypeVar("Command", bound=Callable[..., Any])

_RULE: Final = "mover-keeps-old-access"
_STATES: Final[Mapping[ItemState, Sentence]] = {
    ItemState.OPEN: say("open"),
    ItemState.UNKNOWN: say("not known"),
    ItemState.DONE: say("closed"),
    ItemState.NONE: say("no account known"),
}


def _output_options(command: Command) -> Command:
    for option in (
        lang_option,
        redact_option,
        click.option("--pages", type=click.Path(file_okay=False),
                     help="Write a page a person for the manager into this folder."),
        click.option("--format", "format_name", type=click.Choice(["table", "json", "csv"]), default="table",
                     show_default=True, help="A table to read, or JSON or CSV and nothing else."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@click.argument("person", required=False)
@click.option("--since", callback=as_day, metavar="DAY", help="Everyone whose last day is DAY or later.  [default: of "
              "the last 90 days, or with an active account]")  # fmt: skip
@click.option("--upcoming", type=click.IntRange(0, 400), default=30, show_default=True,
              help="Those too whose last day is in at most N days.")  # fmt: skip
@_output_options
@click.pass_obj
def leavers(
    config_path: str | None,
    person: str | None,
    since: date | None,
    upcoming: int,
    format_name: str,
    pages: str | None,
    redacting: bool,
    lang: str | None,
) -> None:
    """Show what is closed of people who left or leave soon, since when, and who closes the rest.

    PERSON is an employee number, an address or a name, and shows every item. Days are counted from the last day until
    nothing lets them in any more: all accounts and keys on all platforms. Mail forwarding and computers are not seen by
    cloudscan.

    \b
    cloudscan leavers --upcoming 60
    cloudscan leavers 00123
    cloudscan leavers --pages ./leavers
    """
    from cloudscan.organisation import checklists

    def made(snapshot: "Snapshot", config: "Config", occasion: Occasion) -> Sequence[Checklist]:
        first = since or occasion.today - (WINDOW + timedelta(days=1) if person is None else timedelta(days=36_500))
        people = checklists.leaving(snapshot, occasion.timezone, since=first, upcoming_days=upcoming)
        return open_ledger(config).recalled(people)

    _run(
        config_path,
        person,
        made,
        _Output(format_name, pages, lang, redacting=redacting),
        say("Nobody left, and nobody is about to."),
    )


@click.command()
@click.argument("person", required=False)
@_output_options
@click.pass_obj
def movers(
    config_path: str | None,
    person: str | None,
    format_name: str,
    pages: str | None,
    redacting: bool,
    lang: str | None,
) -> None:
    """Show who moved to another department, and what they still have of the old one.

    PERSON is an employee number, an address or a name, and shows every item. Until the grace period is over, the old
    access is there for handing over.
    """
    from cloudscan.organisation import checklists

    def made(snapshot: "Snapshot", config: "Config", occasion: Occasion) -> Sequence[Checklist]:
        grace = config.rules.get(_RULE, {}).get("grace_days", checklists.GRACE_DAYS)
        return checklists.moved(snapshot, occasion.timezone, grace_days=int(grace))

    _run(config_path, person, made, _Output(format_name, pages, lang, redacting=redacting), say("Nobody moved."))


class _Output:
    """Where to, and in which form."""

    def __init__(self, format_name: str, pages: str | None, lang: str | None, *, redacting: bool) -> None:
        self.redacting = redacting
        self.format_name = format_name
        self.pages = Path(pages) if pages else None
        self.lang = lang


_Made = Callable[["Snapshot", "Config", Occasion], Sequence[Checklist]]


def _run(config_path: str | None, person: str | None, made: _Made, output: _Output, nobody: Sentence) -> None:
    from cloudscan.errors import ConfigurationError, SnapshotError
    from cloudscan.snapshot.snapshot import Snapshot, reading
    from cloudscan.snapshot.store import latest_snapshot

    config = load_config(config_path)
    language = output.lang or config.organisation.language
    folder = latest_snapshot(config.folder / "snapshots")
    if folder is None:
        raise SnapshotError(say("No snapshot exists yet; run `cloudscan scan` first."))
    with Snapshot.open(folder) as snapshot, reading(snapshot.path):
        occasion = Occasion(
            organisation=config.organisation.name,
            seen_on=snapshot.scan.started_on,
            timezone=config.organisation.timezone,
            contact=config.organisation.contact,
        )
        people = made(snapshot, config, occasion)
    if person is not None:
        people = [one for one in people if _is_meant(one, person)]
        if not people:
            raise ConfigurationError(
                say(
                    "{person} is not among them; `cloudscan who {person}` shows anybody's access.",
                    person=repr(person),
                )
            )
    if output.redacting:
        hidden = redactor(config)
        people = [_redacted(one, hidden) for one in people]
    if output.pages is not None:
        _write_pages(people, occasion, output.pages, language)
    elif output.format_name == "json":
        import msgspec

        click.echo(msgspec.json.encode([_record(one, occasion) for one in people]))
    elif output.format_name == "csv":
        click.echo(_csv(people, occasion, language), nl=False)
    elif not people:
        echo(nobody)
    elif person is not None:
        for one in people:
            _show_person(one, occasion, language)
    else:
        _show_table(people, occasion)


def _redacted(person: Checklist, hidden: "Redactor") -> Checklist:
    """Names, numbers, addresses and departments as hashes; what is closed, and days, stay."""
    import msgspec

    names = ("number", "name", "email", "department", "manager", "manager_email", "from_department")
    return msgspec.structs.replace(
        person,
        person_uid=hidden.id(person.person_uid),
        items=[
            msgspec.structs.replace(item, examples=[hidden.text(one) for one in item.examples]) for item in person.items
        ],
        **{name: hidden.text(getattr(person, name)) for name in names},
    )


def _is_meant(person: Checklist, name: str) -> bool:
    wanted = name.strip().casefold()
    return wanted in (person.number.casefold(), person.email.casefold(), person.name.casefold())


def _show_table(people: Sequence[Checklist], occasion: Occasion) -> None:
    from cloudscan.cli.table import show_table

    if people[0].from_department:
        head = (say("number"), say("name"), say("from"), say("to"), say("moved"), say("grace until"), say("open"),
                say("not known"))  # fmt: skip
        rows: list[Sequence[object]] = [
            [one.number, one.name, one.from_department, one.department, one.moved_on or say("not known"),
             one.grace_ends or "", one.count(ItemState.OPEN), one.count(ItemState.UNKNOWN)]
            for one in people
        ]  # fmt: skip
    else:
        head = (say("number"), say("name"), say("department"), say("last day"), say("accounts"), say("days"),
                say("open"), say("not known"))  # fmt: skip
        rows = [
            [one.number, one.name, one.department, one.last_day or say("not known"),
             *_closing_in_words(one, occasion), one.count(ItemState.OPEN), one.count(ItemState.UNKNOWN)]
            for one in people
        ]  # fmt: skip
    show_table(head, rows)


def _closing_in_words(person: Checklist, occasion: Occasion) -> tuple[Sentence, object]:
    if not person.left:
        return say("still here"), ""
    took = closing(person, occasion.today, occasion.timezone)
    days: object = "" if took.days is None else took.days
    return _STATES[took.state], say("not known") if took.state is ItemState.DONE and took.days is None else days


def _show_person(person: Checklist, occasion: Occasion, language: str) -> None:
    from cloudscan.cli.table import show_details, show_table

    show_details(
        joined((one for one in (person.name, person.number) if one), "  "),
        {
            say("department"): person.department,
            say("old department"): person.from_department,
            say("moved"): person.moved_on or "",
            say("grace until"): person.grace_ends or "",
            say("last day"): person.last_day or "",
            say("accounts"): "" if person.from_department else _closing_in_words(person, occasion)[0],
            say("days"): "" if person.from_department else _closing_in_words(person, occasion)[1],
            say("manager"): person.manager,
        },
    )
    echo()
    rows = [
        [item.platform, _STATES[item.state], _sentence_of(item, language), _since(item, occasion),
         _closer(item) if item.state in (ItemState.OPEN, ItemState.UNKNOWN) else "", ", ".join(item.examples)]
        for item in sorted(person.items, key=lambda one: (list(ItemState).index(one.state), one.platform))
        if item.state is not ItemState.NONE or item.task is Task.ACCOUNT
    ]  # fmt: skip
    show_table((say("platform"), say("state"), say("what"), say("closed"), say("who closes it"), say("names")), rows)


def _sentence_of(item: Item, language: str) -> str:
    from cloudscan.reason import sentence

    return sentence(item.says, language)


def _since(item: Item, occasion: Occasion) -> object:
    from cloudscan.days import day_of

    if item.closed_on is None:
        return ""
    day = day_of(item.closed_on, occasion.timezone)
    return day if item.by_directory else say("by {day}", day=day)


def _closer(item: Item) -> Sentence:
    return say("manager") if item.closer is Closer.MANAGER else say("administrator")


def _record(person: Checklist, occasion: Occasion) -> dict[str, Any]:
    import msgspec

    took = closing(person, occasion.today, occasion.timezone)
    record: dict[str, Any] = msgspec.to_builtins(person)
    record["items"] = [
        {**msgspec.to_builtins(item), "duty": item.duty.value, "closer": item.closer.value} for item in person.items
    ]
    if not person.from_department:
        record["closing"] = msgspec.to_builtins(took)
    return record


_COLUMNS: Final = (
    *("number", "name", "email", "department", "from_department", "moved_on", "grace_ends", "last_day", "manager"),
    *("closing", "days", "platform", "duty", "task", "state", "closed_on", "closer", "says", "examples"),
)


def _csv(people: Sequence[Checklist], occasion: Occasion, language: str) -> str:
    from cloudscan.text import BYTE_ORDER_MARK, as_csv, plain

    rows = list(_csv_rows(people, occasion, language))
    return as_csv(_COLUMNS, rows, readable=plain).removeprefix(BYTE_ORDER_MARK)


def _csv_rows(people: Sequence[Checklist], occasion: Occasion, language: str) -> Iterator[Sequence[object]]:
    for one in people:
        took = closing(one, occasion.today, occasion.timezone)
        for item in one.items:
            yield (
                *(one.number, one.name, one.email, one.department, one.from_department, _text(one.moved_on)),
                *(_text(one.grace_ends), _text(one.last_day), one.manager),
                *(("", "") if one.from_department else (took.state, "" if took.days is None else took.days)),
                *(item.platform, item.duty, item.task, item.state, _text(item.closed_on), item.closer),
                *(_sentence_of(item, language), ", ".join(item.examples)),
            )


def _text(moment: date | None) -> str:
    return "" if moment is None else moment.isoformat()


def _write_pages(people: Sequence[Checklist], occasion: Occasion, folder: Path, language: str) -> None:
    from cloudscan import plugins
    from cloudscan.cli.output import write_private
    from cloudscan.errors import ConfigurationError

    format_ = plugins.handout_format("html")
    if format_.checklists is None:
        raise ConfigurationError(say("The format {name} has no checklists.", name=format_.name))
    for name, content in format_.checklists(people, occasion, language):
        write_private(folder / name, content)
    click.echo(folder)
