"""`cloudscan waive add|list|review|revoke`."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from cloudscan.cli import completing
from cloudscan.cli.dates import as_day
from cloudscan.cli.help import Group
from cloudscan.cli.language import echo, spoken
from cloudscan.cli.opening import load_config, load_rules, open_ledger
from cloudscan.cli.options import rules_option
from cloudscan.cli.waiver_review import review
from cloudscan.config import Config
from cloudscan.finding import Waiver
from cloudscan.sentence import Sentence, joined, say

if TYPE_CHECKING:
    from cloudscan.ledger.lifecycle import Entry

_FORMATS = click.Choice(["table", "json"])
_NOTES = {
    "due_soon": say("due soon"),
    "overdue": say("overdue"),
    "unused": say("unused"),
    "widened": say("widened"),
    "revoked": say("revoked"),
    "ended": say("ended"),
}
_MOST = 20  # findings named when a waiver is given
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only show what would happen.")


@click.group(cls=Group)
def waive() -> None:
    """Waive a finding, a rule, a target or a gap until a given date. What is waived stays visible and is watched.

    A waiver ends after its last day, when it is revoked, and for a finding that has widened since: a wider audience,
    stronger access, a larger blast radius. The finding is then reopened. A scan in which only waived gaps are left
    counts as complete; what they hide still closes no finding.
    """


@waive.command()
@click.option(
    "--finding", default="", shell_complete=completing.findings, help="One finding: its id, or the beginning of it."
)
@click.option(
    "--rule",
    "rule_id",
    default="",
    shell_complete=completing.rules,
    help="All findings of this rule, including future ones.",
)
@click.option("--target", default="", help="All findings at this resource's id or account, including future ones.")
@click.option(
    "--gap",
    default="",
    shell_complete=completing.gaps,
    help="One gap: its id, or the beginning of it, as `cloudscan gaps` lists it.",
)
@click.option("--owner", default="", help="Who answers for it.")
@click.option("--reason", default="", help="Why the risk is acceptable.")
@click.option("--until", metavar="DATE", callback=as_day, help="The last day of the waiver, such as 2027-03-31.")
@click.option("--days", type=click.IntRange(1), help="How many days it lasts; an alternative to --until.")
@_DRY_RUN
@rules_option
@click.pass_obj
def add(
    config_path: str | None,
    finding: str,
    rule_id: str,
    target: str,
    gap: str,
    owner: str,
    reason: str,
    until: date | None,
    days: int | None,
    dry_run: bool,
    rule_folders: Sequence[str],
) -> None:
    """Waive findings, or a gap, until a given date, starting immediately.

    \b
    cloudscan waive add --finding 1a2b3c4d --owner "Mika Sato" --reason "public price list" --days 90
    cloudscan waive add --rule some-rule --target 111122223333 --owner … --reason … --until 2027-03-31
    cloudscan waive add --gap 5e6f7a8b --owner … --reason "a site that is locked on purpose" --days 180
    """
    from cloudscan.days import day_of
    from cloudscan.ledger.waivers import WaiverRequest

    if until and days:
        raise click.UsageError(spoken(say("Write --until or --days, not both.")))
    config = load_config(config_path)
    if rule_id:
        _known_rule(config, rule_id, rule_folders)
    now = datetime.now(UTC)
    result = open_ledger(config).waive(
        WaiverRequest(
            finding=finding,
            rule_id=rule_id,
            target=target,
            gap=gap,
            owner=owner,
            reason=reason,
            until=day_of(now, config.organisation.timezone) + timedelta(days=days) if days else until,
        ),
        now=now,
        max_days=config.waivers.max_days,
        dry_run=dry_run,
    )
    name = say("Dry run: this waiver") if dry_run else say("Waiver {id}", id=result.waiver.id)
    if result.waiver.gap:
        echo(
            say(
                "{name} is in force until {until} and covers the gap {gap}.",
                name=name,
                until=result.waiver.until,
                gap=result.waiver.gap,
            )
        )
        return
    introduction = say("{name} is in force until {until} and covers", name=name, until=result.waiver.until)
    _show_covered(introduction, result.covered)


@waive.command()
@click.argument("number", type=int)
@_DRY_RUN
@click.pass_obj
def revoke(config_path: str | None, number: int, dry_run: bool) -> None:
    """End waiver NUMBER early. Findings that no other waiver covers are reopened immediately."""
    result = open_ledger(load_config(config_path)).revoke(number, dry_run=dry_run)
    ended = say("Waiver {id} has ended", id=number)
    name = say("Dry run: waiver {id} would end", id=number) if dry_run else ended
    if result.waiver.gap:
        echo(say("{name}; it covered the gap {gap}.", name=name, gap=result.waiver.gap))
        return
    _show_covered(say("{name}; it covered", name=name), result.covered)


@waive.command("list")
@click.option("--all", "everything", is_flag=True, help="Include expired and revoked waivers.")
@click.option("--only", type=click.Choice(["due_soon", "overdue", "unused", "widened"]),
              help="Only those that need a review for this reason.")  # fmt: skip
@click.option("--format", "format_name", type=_FORMATS, default="table", show_default=True,
              help="A table to read, or JSON and nothing else.")  # fmt: skip
@click.pass_obj
def list_(config_path: str | None, everything: bool, only: str | None, format_name: str) -> None:
    """List the waivers, the first to end first, and which of them need a review.

    \b
    due_soon   ends within [waivers] due_days
    overdue    has expired, and findings that it covered are still open
    unused     covers no open finding, and no gap of the last scan
    widened    no longer covers a finding that reaches further than it did
    """
    import msgspec

    from cloudscan.cli.table import show_table

    config = load_config(config_path)
    listed = [
        status
        for status in open_ledger(config).waivers(due_days=config.waivers.due_days)
        if (everything or status.current) and only in (None, *status.notes)
    ]
    if format_name == "json":
        click.echo(msgspec.json.encode(listed))
        return
    if not listed:
        echo(say("No such waiver.") if only or everything else say("No waiver is in force."))
        return
    rows = [
        [status.waiver.id, status.waiver.until, joined((_NOTES[note] for note in status.notes), ", "),
         len(status.findings), _scope(status.waiver), status.waiver.owner, status.waiver.reason]
        for status in listed
    ]  # fmt: skip
    heads = (say("no"), say("until"), say("note"), say("findings"), say("scope"), say("owner"), say("reason"))
    show_table(heads, rows)


waive.add_command(review)


def _known_rule(config: Config, rule_id: str, folders: Sequence[str]) -> None:
    from cloudscan.errors import WaiverError
    from cloudscan.text import suggestion

    known = [rule.id for rule in load_rules(config, folders)]
    if rule_id not in known:
        raise WaiverError(
            say("There is no rule {rule_id}; {hint}.", rule_id=repr(rule_id), hint=suggestion(rule_id, known))
        )


def _scope(waiver: Waiver) -> str:
    if waiver.gap:
        return say("gap {id}", id=waiver.gap[:8])
    if waiver.rule_id and waiver.target:
        return say("{rule} at {target}", rule=waiver.rule_id, target=waiver.target)
    return waiver.fingerprint[:8] or waiver.rule_id or waiver.target


def _show_covered(introduction: Sentence, entries: "Sequence[Entry]") -> None:
    from cloudscan.cli.table import show_table

    number = len(entries)
    covered = say("one finding") if number == 1 else say("{number} findings", number=number)
    if entries:
        echo(say("{introduction} {findings}:", introduction=introduction, findings=covered))
    else:
        echo(say("{introduction} no open finding.", introduction=introduction))
    if entries:
        rows = [
            [entry.fingerprint[:8], entry.verdict.rule_id, entry.verdict.subject.name, entry.verdict.subject.account]
            for entry in entries[:_MOST]
        ]
        show_table((say("id"), say("rule"), say("what"), say("account")), rows)
    if len(entries) > _MOST:
        echo(say("… and {most} more", most=len(entries) - _MOST))
