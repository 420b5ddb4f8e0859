"""`cloudscan diff` and `cloudscan trend`."""

from collections.abc import Iterator, Mapping, Sequence

import click

from cloudscan.cli.language import echo
from cloudscan.cli.only import only_option, snapshot_of
from cloudscan.cli.opening import load_config, open_ledger
from cloudscan.cli.words import word_of
from cloudscan.config import Config
from cloudscan.days import clock_time, day_of
from cloudscan.finding import Severity
from cloudscan.ledger.history import OPEN_TO_ALL
from cloudscan.report import ChangedBy, Diff, Difference, DifferenceKind, Scan, ScanFigures
from cloudscan.sentence import Sentence, joined, say

_KINDS: Mapping[str, Sentence] = {DifferenceKind.REJUDGED: say("judged differently")}
_WIDENED: Mapping[str, Sentence] = {
    "audience": say("audience"),
    "access": say("access"),
    "resources": say("resources"),
    "bytes": say("bytes"),
    "people": say("people"),
    "severity": say("severity"),
}
_FORMAT = click.option("--format", "format_name", type=click.Choice(["table", "json"]), default="table",
                       show_default=True, help="A table to read, or JSON and nothing else.")  # fmt: skip


@click.command()
@click.argument("old", default="")
@click.argument("new", default="")
@only_option
@_FORMAT
@click.pass_obj
def diff(config_path: str | None, old: str, new: str, only: Sequence[str], format_name: str) -> None:
    """Compare two scans: what is new, reopened, widened, judged differently, waived, resolved. By default the last two.

    OLD and NEW are the beginning of a scan's id, or a day (2026-11-23: its last scan), as `cloudscan trend` lists them.
    Widened findings are open to more people, to stronger access, or have a larger blast radius. Those that are judged
    differently were made or unmade by a rule, the configuration or a version of cloudscan, and not by the cloud.
    """
    import msgspec

    from cloudscan.cli.table import show_table

    config = load_config(config_path)
    timezone = config.organisation.timezone
    differences = _narrowed(config, open_ledger(config).diff(old, new), only)
    if format_name == "json":
        click.echo(msgspec.json.encode(differences))
        return
    counts = joined(
        (say("{count} {state}", count=n, state=_kind(kind)) for kind, n in differences.counts.items() if n), ", "
    )
    echo(
        say(
            "{old} to {new}: {counts}",
            old=_when(differences.old, timezone),
            new=_when(differences.new, timezone),
            counts=counts or say("no difference"),
        )
    )
    for scan in (differences.old, differences.new):
        if not scan.complete:
            echo(
                say(
                    "The scan of {when} could not read everything; what it could not read counts as unchanged.",
                    when=_when(scan, timezone),
                )
            )
    if differences.differences:
        rows = [
            [
                _kind(difference.kind),
                difference.severity,
                difference.rule_id,
                difference.name,
                difference.account,
                joined([*_widening(difference), *_judged(difference, timezone)], ", "),
                difference.fingerprint[:8],
            ]
            for difference in differences.differences
        ]
        show_table(("", say("severity"), say("rule"), say("what"), say("account"), say("how"), say("id")), rows)


def _narrowed(config: Config, differences: Diff, only: Sequence[str]) -> Diff:
    """What differs in what the newer scan, or else the older one, knows as chosen."""
    if not only:
        return differences
    from cloudscan.organisation.narrowing import only_of
    from cloudscan.organisation.only import chosen_of, parsed

    uids = {one.uid for one in differences.differences}
    with snapshot_of(config, differences.new.id) as snapshot:
        chosen = chosen_of(snapshot, parsed(only), uids)
    if gone := uids - set(chosen.known):
        with snapshot_of(config, differences.old.id) as snapshot:
            chosen = chosen.and_of(chosen_of(snapshot, parsed(only), gone))
    return only_of(differences, chosen)


@click.command()
@click.option("--last", type=click.IntRange(1), help="Show only the newest N scans.")
@_FORMAT
@click.pass_obj
def trend(config_path: str | None, last: int | None, format_name: str) -> None:
    """Show, scan by scan, the oldest first: findings that need work, the sum of scores, what is open to all.

    "open to all" counts the findings that anyone on the internet can reach, "behind" the resources behind them.
    """
    import msgspec

    from cloudscan.cli.table import show_table

    config = load_config(config_path)
    timezone = config.organisation.timezone
    scans = open_ledger(config).trend()[-(last or 0) :]
    if format_name == "json":
        click.echo(msgspec.json.encode(scans))
        return
    if not scans:
        echo(say("There is no scan yet; run `cloudscan scan` first."))
        return
    severities = list(reversed(Severity))
    head = (
        *(say("scan"), say("started"), *map(word_of, severities), say("waived"), say("score")),
        *(say("open to all"), say("behind"), ""),
    )
    rows = [
        [scan.id[:8], _when(scan, timezone), *_numbers(scan.figures, severities), joined(_notes(scan), ", ")]
        for scan in scans
    ]
    show_table(head, rows)


def _numbers(figures: ScanFigures | None, severities: list[Severity]) -> list[object]:
    if figures is None:
        return ["–"] * (len(severities) + 4)
    open_to_all = [figures.exposure[audience] for audience in OPEN_TO_ALL if audience in figures.exposure]
    return [
        *(figures.findings.get(severity, 0) for severity in severities),
        figures.waived,
        f"{figures.score:.0f}",
        sum(count.subjects for count in open_to_all),
        sum(count.resources for count in open_to_all),
    ]


def _kind(kind: str) -> Sentence | str:
    return _KINDS.get(kind) or word_of(kind)


def _widening(difference: Difference) -> Iterator[Sentence]:
    """Such as: audience named → organisation, resources 3 → 40."""
    for name in difference.widened:
        before, now = getattr(difference.before, name), getattr(difference.now, name)
        yield joined((_WIDENED.get(name, name), before, "→", now))


def _judged(difference: Difference, timezone: str) -> Iterator[Sentence]:
    """Such as: no longer found since version 0.2.0, by rule."""
    rejudged = difference.rejudged
    if rejudged is None:
        return
    version = say("version {version}", version=rejudged.version)
    since = version if rejudged.version else day_of(rejudged.on, timezone)
    if rejudged.changed_by is ChangedBy.UNCLEAR:
        yield say(
            "judged by something else since {since}: it cannot be determined whether the cloud changed too",
            since=since,
        )
        return
    how = say("found") if difference.before is None else say("reaches further")
    if difference.now is None:
        how = say("no longer found")
    yield say("{how} since {since}, by {by}", how=how, since=since, by=word_of(rejudged.changed_by))


def _notes(scan: Scan) -> Iterator[Sentence]:
    """What has to be known to read a scan's figures beside those of the scan before."""
    if not scan.complete:
        yield say("incomplete")
    if scan.figures and scan.figures.basis_changes:
        changes = joined(map(word_of, scan.figures.basis_changes), ", ")
        yield say("{changes} changed: {count} judged differently", changes=changes, count=scan.figures.rejudged or 0)


def _when(scan: Scan, timezone: str) -> str:
    return clock_time(scan.started_on, timezone)
