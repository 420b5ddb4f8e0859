"""A page for each person who leaves or moved: what is closed, what is not, and who closes it. It prints on paper."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloudscan.checklist import Checklist, Closer, Duty, Item, ItemState, Occasion, Task, closing
from cloudscan.days import day_of
from cloudscan.reason import advice, sentence
from cloudscan_reports.handout.addressees import stem
from cloudscan_reports.handout.rendering import SCREEN, rendered
from cloudscan_wording.texts import Texts, load

_SHOWN = (ItemState.OPEN, ItemState.UNKNOWN, ItemState.DONE, ItemState.NONE)
_CLOSERS = {Closer.ADMINISTRATOR: "administrator", Closer.MANAGER: "manager_closes"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One item in words."""

    state: ItemState
    platform: str
    what: str
    examples: Sequence[str]
    more: int  # that are open and not named
    note: str  # since when it is closed, when an account was used last
    warning: str
    todo: str
    closer: str  # empty: nothing is left to do


@dataclass(frozen=True, kw_only=True)
class Part:
    """What belongs together: a duty of the day."""

    title: str
    note: str
    nothing: str  # said in place of lines
    lines: Sequence[Line]


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the manager of one person reads."""

    person: Checklist
    heading: str
    facts: Sequence[tuple[str, str]]
    status: str
    open: int
    unknown: int
    parts: Sequence[Part]


def write(people: Sequence[Checklist], occasion: Occasion, lang: str) -> Iterator[tuple[str, str]]:
    """The pages by file name, and an index of them."""
    texts = load(lang, occasion.timezone)
    pages = [(_name_of(person), page_of(person, occasion, texts)) for person in people]
    for name, page in pages:
        yield name, rendered("checklist.html", texts, SCREEN, page=page, occasion=occasion)
    yield "index.html", rendered("checklists.html", texts, SCREEN, pages=pages, occasion=occasion)


def page_of(person: Checklist, occasion: Occasion, texts: Texts) -> Page:
    """The page of one person, in words."""
    parts = [_part(duty, person, occasion, texts) for duty in Duty]
    return Page(
        person=person,
        heading=texts.say("checklist.moved" if person.from_department else "checklist.leaves"),
        facts=[(texts.say(f"checklist.{key}"), value) for key, value in _facts(person, texts) if value],
        status=_status(person, occasion, texts),
        open=person.count(ItemState.OPEN),
        unknown=person.count(ItemState.UNKNOWN),
        parts=[part for part in parts if part],
    )


def _name_of(person: Checklist) -> str:
    """The name of the file; somebody may have left several departments."""
    return (
        f"{stem('/'.join(filter(None, (person.number or person.email or person.name, person.from_department))))}.html"
    )


def _facts(person: Checklist, texts: Texts) -> Iterator[tuple[str, str]]:
    yield "number", person.number
    yield "department", "" if person.from_department else person.department
    if person.from_department:
        yield "move", texts.say("checklist.move_of", old=person.from_department, new=person.department or "?")
        yield "moved_on", texts.date(person.moved_on) if person.moved_on else texts.say("checklist.day_unknown")
        yield "grace", texts.date(person.grace_ends) if person.grace_ends else ""
    else:
        yield "last_day", texts.date(person.last_day) if person.last_day else texts.say("checklist.day_unknown")
    manager = person.manager or person.manager_email
    yield "manager", manager if person.manager_is_here or not manager else texts.say("checklist.gone", name=manager)


def _status(person: Checklist, occasion: Occasion, texts: Texts) -> str:
    if person.from_department:
        if not person.count(ItemState.OPEN):
            return texts.say("checklist.nothing_unless" if person.count(ItemState.UNKNOWN) else "checklist.nothing_old")
        over = person.grace_ends is not None and person.grace_ends < occasion.today
        return texts.say("checklist.grace_over" if over else "checklist.grace_runs")
    if not person.left:
        return texts.say("checklist.preview")
    took = closing(person, occasion.today, occasion.timezone)
    match took.state:
        case ItemState.OPEN:
            return (
                texts.count("checklist.still_open", took.days) if took.days is not None else texts.say("checklist.open")
            )
        case ItemState.DONE if took.days == 0:
            return texts.say("checklist.closed_at_once")
        case ItemState.DONE if took.days is not None:
            return texts.count("checklist.closed_after", took.days)
        case ItemState.DONE:
            return texts.say("checklist.closed")
        case ItemState.UNKNOWN:
            return texts.say("checklist.cannot_tell")
    return texts.say("checklist.no_account")


def _part(duty: Duty, person: Checklist, occasion: Occasion, texts: Texts) -> Part | None:
    items = [item for item in person.items if item.duty is duty and _is_shown(item)]
    if not items and (person.from_department or duty is Duty.HANDOVER):
        return None
    key = duty.name.lower()
    return Part(
        title=texts.say("checklist.duty_moved" if person.from_department else f"checklist.duty_{key}"),
        note="" if person.from_department else texts.say(f"checklist.note_{key}"),
        nothing="" if items or duty is Duty.MAIL else texts.say("checklist.nothing_known"),
        lines=[
            _line(item, occasion, texts)
            for item in sorted(items, key=lambda item: (_SHOWN.index(item.state), item.platform))
        ],
    )


def _is_shown(item: Item) -> bool:
    return item.state is not ItemState.NONE or item.task is Task.ACCOUNT


def _line(item: Item, occasion: Occasion, texts: Texts) -> Line:
    unfinished = item.state in (ItemState.OPEN, ItemState.UNKNOWN)
    count = item.says.values.get("count", 0)
    used = texts.date(day_of(item.last_used_on, occasion.timezone)) if item.last_used_on else ""
    platform = texts.name("suite", item.platform)
    closer = item.closer if item.state is ItemState.OPEN else Closer.ADMINISTRATOR
    return Line(
        state=item.state,
        platform="" if item.platform == "organisation" else platform,
        what=sentence(item.says, texts.lang),
        examples=item.examples,
        more=int(count) - len(item.examples) if item.state is ItemState.OPEN and item.examples else 0,
        note=_since(item, occasion, texts),
        warning=texts.say("checklist.used_after", day=used) if item.used_after else "",
        todo=advice(item.says, texts.lang),
        closer=texts.say(f"checklist.{_CLOSERS[closer]}", platform=platform) if unfinished else "",
    )


def _since(item: Item, occasion: Occasion, texts: Texts) -> str:
    if item.state is not ItemState.DONE:
        return ""
    if item.closed_on is None:
        return texts.say("checklist.since_unknown") if item.task in (Task.ACCOUNT, Task.KEYS) else ""
    day = texts.date(day_of(item.closed_on, occasion.timezone))
    return texts.say("checklist.since" if item.by_directory else "checklist.since_scan", day=day)
