"""`cloudscan waive review`: the half-yearly review of exceptions."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cloudscan.cli.language import echo, spoken
from cloudscan.cli.opening import load_config, open_ledger
from cloudscan.config import Config
from cloudscan.errors import WaiverError
from cloudscan.report import ReviewDecision, WaiverReview
from cloudscan.sentence import Sentence, joined, say

if TYPE_CHECKING:
    from cloudscan.ledger.ledger import Ledger
    from cloudscan.nightly.review_list import Decided, ReviewItem

_COLUMNS: Final = (
    *("id", "kind", "extent", "target", "rule_id", "covers", "owner", "owner_standing", "reason", "since", "until"),
    *("renewals", "reviewed_on", "reviewed_by", "due"),
)
_STANDINGS: Final[Mapping[str | None, Sentence | str]] = {
    "active": say("at work"),
    "on-leave": say("on leave"),
    "upcoming": say("begins later"),
    "term-over": say("the contract's end has passed"),
    "left": say("has left"),
    "unlisted": say("not in the roster"),
    "group": say("a group"),
    "none": say("nobody"),
    None: say("not known"),
}


@click.command()
@click.option("--due", is_flag=True, help="Only those that nobody has looked at for [waivers] review_days.")
@click.option("--format", "format_name", type=click.Choice(["table", "csv", "json"]), default="table",
              show_default=True, help="csv can be filled in and read back with --from.")  # fmt: skip
@click.option("--decide", nargs=2, multiple=True, metavar="ID DECISION",
              help="Decide: keep, end or shorten. Repeatable, with the same --by and --reason.")  # fmt: skip
@click.option("--by", default="", help="Who decided.")
@click.option("--reason", default="", help="Why.")
@click.option("--until", metavar="DATE", default="", help="The new last day of what is shortened.")
@click.option("--from", "file", type=click.Path(exists=True, dir_okay=False),
              help="Read decisions from a list that was filled in (CSV).")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only show what would happen.")
@click.pass_obj
def review(
    config_path: str | None,
    due: bool,
    format_name: str,
    decide: Sequence[tuple[str, str]],
    by: str,
    reason: str,
    until: str,
    file: str | None,
    dry_run: bool,
) -> None:
    """List what was excepted, and record what a review decides: waivers, partners, domains on allow-lists.

    \b
    cloudscan waive review --format csv > review.csv
    cloudscan waive review --from review.csv
    cloudscan waive review --decide 3 keep --by "Mika Sato" --reason "the price list stays public"
    cloudscan waive review --decide 4 shorten --until 2027-03-31 --by … --reason …

    \b
    keep     somebody looked at it, and it stays; it is due again after [waivers] review_days
    end      a waiver ends immediately, and what it covered is reopened
    shorten  a waiver ends earlier

    Decisions are only ever added to the ledger. An entry of an allow-list is kept here, and ended where the list is.
    """
    from cloudscan.nightly.review_list import Decided, decision_of, decisions_in, uid_of

    config, now = load_config(config_path), datetime.now(UTC)
    ledger = open_ledger(config)
    items = _items(config, ledger, now)
    if decide or file:
        try:
            last_day = date.fromisoformat(until) if until else None
        except ValueError as error:
            raise click.BadParameter(
                spoken(say("{value} is not a date; write it as 2027-03-31.", value=repr(until)))
            ) from error
        decisions = [
            Decided(
                uid=uid_of(name, items),
                review=WaiverReview(decision=decision_of(word), by=by, reason=reason, on=now, until=last_day),
            )
            for name, word in decide
        ]
        if file:
            decisions += decisions_in(Path(file).read_bytes(), items, now)
        _carry_out(ledger, decisions, items, now, dry_run=dry_run)
        return
    _show([item for item in items if item.due or not due], format_name)


def _items(config: Config, ledger: "Ledger", now: datetime) -> "list[ReviewItem]":
    from cloudscan.nightly.exemptions import in_force
    from cloudscan.nightly.review_list import review_list
    from cloudscan.snapshot import store
    from cloudscan.snapshot.snapshot import Snapshot

    with ExitStack() as opened:
        folder = store.latest_snapshot(config.folder / "snapshots")
        return review_list(
            [one for one in ledger.waivers(now=now, due_days=config.waivers.due_days) if in_force(one)],
            ledger.reviews(),
            opened.enter_context(Snapshot.open(folder)) if folder else None,
            now=now,
            timezone=config.organisation.timezone,
            days=config.waivers.review_days,
        )


def _carry_out(
    ledger: "Ledger", decisions: "Sequence[Decided]", items: "Sequence[ReviewItem]", now: datetime, *, dry_run: bool
) -> None:
    """Check all decisions, then record them: a mistake in the last line leaves nothing half done."""
    ids = {item.uid: item.id for item in items}
    if len({one.uid for one in decisions}) < len(decisions):
        raise WaiverError(say("There are two decisions about the same exception; write one."))
    for one in decisions:
        try:
            ledger.review(one.uid, one.review, now=now, dry_run=True)
        except WaiverError as error:
            raise WaiverError(say("{id}: {error}", id=ids[one.uid], error=error)) from error
    for one in decisions:
        if not dry_run:
            ledger.review(one.uid, one.review, now=now)
        name = say("Dry run: {id}", id=ids[one.uid]) if dry_run else ids[one.uid]
        echo(say("{name}: {what}", name=name, what=_what(one.review)))
    if not decisions:
        echo(say("There is no decision in the file."))


def _what(review: WaiverReview) -> Sentence:
    match review.decision:
        case ReviewDecision.KEEP:
            return say("kept")
        case ReviewDecision.END:
            return say("ended")
        case ReviewDecision.SHORTEN:
            return say("ends on {until}", until=review.until)


def _show(items: "Sequence[ReviewItem]", format_name: str) -> None:
    import msgspec

    from cloudscan.cli.table import show_table
    from cloudscan.nightly.review_list import TO_FILL
    from cloudscan.text import as_csv

    if format_name == "json":
        click.echo(msgspec.json.encode([{"id": item.id, **msgspec.structs.asdict(item)} for item in items]))
        return
    if format_name == "csv":
        rows = [[getattr(item, name) for name in _COLUMNS] + [""] * len(TO_FILL) for item in items]
        click.echo(as_csv([*_COLUMNS, *TO_FILL], rows), nl=False)
        return
    if not items:
        echo(say("There is nothing to review."))
        return
    shown = [
        [
            item.id,
            _state(item),
            item.until or "–",
            "–" if item.covers is None else item.covers,
            item.renewals,
            joined(part for part in (item.rule_id, item.target) if part),
            joined((item.owner, say("({standing})", standing=_STANDINGS.get(item.owner_standing, "")))),
            item.reason,
        ]
        for item in items
    ]
    heads = (say("id"), "", say("until"), say("findings"), say("renewed"), say("scope"), say("owner"), say("reason"))
    show_table(heads, shown)


def _state(item: "ReviewItem") -> Sentence:
    reviewed = [say("reviewed on {day}", day=item.reviewed_on)] if item.reviewed_on else []
    return joined([*([say("review due")] if item.due else []), *reviewed], ", ")
