"""`cloudscan gaps`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cloudscan.cli.language import echo
from cloudscan.cli.only import only_option, snapshot_of
from cloudscan.cli.opening import last_report, load_config
from cloudscan.cli.options import lang_option
from cloudscan.cli.words import word_of
from cloudscan.config import Config
from cloudscan.facts import Outcome
from cloudscan.sentence import Sentence, joined, say

if TYPE_CHECKING:
    from cloudscan.coverage import Coverage
    from cloudscan.report import Report

_STATES = ("new", "known", "waived")
_NOT_JUDGED = "not_judged"
_SHOWN = 8  # characters of an id


@click.command()
@click.option("--state", "states", type=click.Choice((*_STATES, _NOT_JUDGED)), multiple=True,
              help="Only these. Repeatable. not_judged: found, but never judged, which is no gap.")  # fmt: skip
@only_option
@click.option("--limit", type=click.IntRange(1), help="Show at most N gaps.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="Text to read, or JSON and nothing else.")  # fmt: skip
@lang_option
@click.pass_obj
def gaps(
    config_path: str | None,
    states: Sequence[str],
    only: Sequence[str],
    limit: int | None,
    format_name: str,
    lang: str | None,
) -> None:
    """List what the last scan could not read: since when, why, what to do. New ones come first.

    A gap that cannot be closed is waived by its id, and then no longer makes a scan incomplete:

    \b
    cloudscan waive add --gap 1a2b3c4d --owner "Mika Sato" --reason "locked on purpose" --days 90
    """
    import msgspec

    config = load_config(config_path)
    report = _narrowed(config, last_report(config, None), only)
    language = lang or config.organisation.language
    grouped, not_judged = _grouped(report), _not_judged(report)
    selected = {gap: rows for gap, rows in grouped.items() if not states or report.gap_state(rows[0]).value in states}
    if _NOT_JUDGED in states:
        selected |= not_judged
    shown = list(selected.values())[:limit]
    if format_name == "json":
        click.echo(msgspec.json.encode([_record(rows, report, language) for rows in shown]))
        return
    if shown:
        states_shown = [_state(rows[0], report) for rows in selected.values()]
        counts = {state: states_shown.count(state) for state in (*_STATES, _NOT_JUDGED)}
        echo(
            joined(
                (say("{count} {state}", count=count, state=_words(state)) for state, count in counts.items() if count),
                ", ",
            )
        )
    else:
        none = say("There is no gap: everything in scope was read.")
        echo(say("There is no such gap.") if grouped or states else none)
    for rows in shown:
        echo()
        _show(rows, report, language)
    if len(shown) < len(selected):
        echo()
        echo(say("… and {count} more", count=len(selected) - len(shown)))
    if not_judged and not states:
        echo()
        echo(
            say(
                "Found, but not judged: {count}; `cloudscan gaps --state {state}` lists them.",
                count=len(not_judged),
                state=_NOT_JUDGED,
            )
        )


def _narrowed(config: Config, report: "Report", only: Sequence[str]) -> "Report":
    """The report with the gaps that are about something chosen, and those of which nobody can tell."""
    if not only:
        return report
    import msgspec

    from cloudscan.organisation.narrowing import names_of_row
    from cloudscan.organisation.only import chosen_of, parsed

    with snapshot_of(config, report.scan.id) as snapshot:
        chosen = chosen_of(snapshot, parsed(only), {uid for row in report.coverage for uid in names_of_row(row)})
    rows = [row for row in report.coverage if chosen.has(names_of_row(row)) is not False]
    return msgspec.structs.replace(report, coverage=rows)


def _grouped(report: "Report") -> "dict[str, list[Coverage]]":
    """The rows of each gap, new ones first, then by platform and name."""
    by_gap: dict[str, list[Coverage]] = {}
    rows = [row for row in report.coverage if row.outcome.is_gap]
    for row in sorted(rows, key=lambda row: (_STATES.index(report.gap_state(row)), row.platform, row.scope_name)):
        by_gap.setdefault(row.gap or row.scope_uid, []).append(row)
    return by_gap


def _not_judged(report: "Report") -> "dict[str, list[Coverage]]":
    """The rows of each thing that was found and that cloudscan does not judge, by platform and name."""
    by_thing: dict[str, list[Coverage]] = {}
    rows = [row for row in report.coverage if row.outcome is Outcome.NOT_JUDGED]
    for row in sorted(rows, key=lambda row: (row.platform, row.scope_name, row.question)):
        about = (row.platform, row.resource_uid or row.scope_uid, row.question or row.table, str(row.reason))
        by_thing.setdefault("\x1f".join(about), []).append(row)
    return by_thing


def _state(row: "Coverage", report: "Report") -> str:
    return _NOT_JUDGED if row.outcome is Outcome.NOT_JUDGED else report.gap_state(row).value


def _words(state: str) -> Sentence | str:
    return say("found, but not judged") if state == _NOT_JUDGED else word_of(state)


def _record(rows: "Sequence[Coverage]", report: "Report", language: str) -> dict[str, Any]:
    from cloudscan.reason import advice, question, sentence

    row, status = rows[0], report.gaps.get(rows[0].gap)
    return {
        "gap": row.gap,
        "state": _state(row, report),
        "first_seen_on": status.first_seen_on if status else report.scan.started_on,
        "platform": row.platform,
        "account": row.account,
        "scope": row.scope_name,
        "resource": row.resource_uid,
        "question": row.question,
        "asked": question(row.question, language),
        "outcome": row.outcome,
        "reason": row.reason,
        "why": sentence(row.reason, language),
        "advice": advice(row.reason, language),
        "needs": row.needs,
        "rows": len(rows),
        "seen": row.seen,
        "total": row.total,
        "waiver": status.waiver if status else None,
    }


def _show(rows: "Sequence[Coverage]", report: "Report", language: str) -> None:
    from cloudscan.cli.table import show_details
    from cloudscan.days import day_of

    record = _record(rows, report, language)
    waiver = record["waiver"]
    title = joined((record["gap"][:_SHOWN] or "-", _words(record["state"])), "  ")
    if record["state"] != _NOT_JUDGED:
        title = say("{state} since {day}", state=title, day=day_of(record["first_seen_on"], report.timezone))
    if waiver:
        title = say(
            "{state}, waived until {until} by {owner}: {reason}",
            state=title,
            until=waiver.until,
            owner=waiver.owner,
            reason=waiver.reason,
        )
    show_details(
        title,
        {
            "": " / ".join(filter(None, (record["platform"], record["account"], record["scope"]))),
            say("asked"): record["asked"],
            say("about"): record["resource"],
            say("why"): record["why"],
            say("do"): record["advice"],
            say("needs"): record["needs"],
            say("how many"): _amount(record),
        },
    )


def _amount(record: dict[str, Any]) -> str:
    if record["seen"] is not None:
        total = record["total"] if record["total"] is not None else say("an unknown number")
        return say("{seen} of {total} read", seen=record["seen"], total=total)
    return say("{count} rows", count=record["rows"]) if record["rows"] > 1 else ""
