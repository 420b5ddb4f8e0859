"""`cloudscan diff` and `cloudscan trend`."""

from collections.abc import Iterator, Mapping

import click

from cloudscan.cli.opening import load_config, open_ledger
from cloudscan.finding import Severity
from cloudscan.ledger.history import OPEN_TO_ALL
from cloudscan.report import ChangedBy, Difference, DifferenceKind, Scan, ScanFigures

_KINDS: Mapping[str, str] = {DifferenceKind.REJUDGED: "judged differently"}
_FORMAT = click.option("--format", "format_name", type=click.Choice(["table", "json"]), default="table",
                       show_default=True, help="A table to read, or JSON and nothing else.")  # fmt: skip


@click.command()
@click.argument("old", default="")
@click.argument("new", default="")
@_FORMAT
@click.pass_obj
def diff(config_path: str | None, old: str, new: str, format_name: str) -> None:
    """Compare two scans: what is new, reopened, widened, judged differently, waived, resolved. By default the last two.

    OLD and NEW are the beginning of a scan's id, or a day (2026-11-23: its last scan), as `cloudscan trend` lists them.
    Widened findings are open to more people, to stronger access, or have a larger blast radius. Those that are judged
    differently were made or unmade by a rule, the configuration or a version of cloudscan, and not by the cloud.
    """
    import msgspec

    from cloudscan.cli.table import show_table

    differences = open_ledger(load_config(config_path)).diff(old, new)
    if format_name == "json":
        click.echo(msgspec.json.encode(differences))
        return
    counts = ", ".join(f"{n} {_KINDS.get(kind, kind)}" for kind, n in differences.counts.items() if n)
    click.echo(f"{_when(differences.old)} to {_when(differences.new)}: {counts or 'no difference'}")
    for scan in (differences.old, differences.new):
        if not scan.complete:
            click.echo(
                f"The scan of {_when(scan)} could not read everything; what it could not read counts as unchanged."
            )
    if differences.differences:
        rows = [
            [
                _KINDS.get(difference.kind, difference.kind),
                difference.severity,
                difference.rule_id,
                difference.name,
                difference.account,
                ", ".join(filter(None, (_widening(difference), _judged(difference)))),
                difference.fingerprint[:8],
            ]
            for difference in differences.differences
        ]
        show_table(("", "severity", "rule", "what", "account", "how", "id"), rows)


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

    scans = open_ledger(load_config(config_path)).trend()[-(last or 0) :]
    if format_name == "json":
        click.echo(msgspec.json.encode(scans))
        return
    if not scans:
        click.echo("There is no scan yet; run `cloudscan scan` first.")
        return
    severities = list(reversed(Severity))
    head = ("scan", "started", *severities, "waived", "score", "open to all", "behind", "")
    rows = [[scan.id[:8], _when(scan), *_numbers(scan.figures, severities), ", ".join(_notes(scan))] for scan in scans]
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


def _widening(difference: Difference) -> str:
    """Such as: audience named → organisation, resources 3 → 40."""
    return ", ".join(
        f"{name} {getattr(difference.before, name)} → {getattr(difference.now, name)}" for name in difference.widened
    )


def _judged(difference: Difference) -> str:
    """Such as: no longer found since version 0.2.0, by rule."""
    rejudged = difference.rejudged
    if rejudged is None:
        return ""
    since = f"version {rejudged.version}" if rejudged.version else f"{rejudged.on:%Y-%m-%d}"
    if rejudged.changed_by is ChangedBy.UNCLEAR:
        return f"judged by something else since {since}: it cannot be determined whether the cloud changed too"
    how = "no longer found" if difference.now is None else "found" if difference.before is None else "reaches further"
    return f"{how} since {since}, by {rejudged.changed_by}"


def _notes(scan: Scan) -> Iterator[str]:
    """What has to be known to read a scan's figures beside those of the scan before."""
    if not scan.complete:
        yield "incomplete"
    if scan.figures and scan.figures.basis_changes:
        changes = " and ".join(scan.figures.basis_changes)
        yield f"{changes} changed: {scan.figures.rejudged or 0} judged differently"


def _when(scan: Scan) -> str:
    return f"{scan.started_on:%Y-%m-%d %H:%M}"
