"""The list for the half-yearly review of exceptions, and the decisions that come back in it.

Waivers are as the ledger has them now; partners, allow-listed domains, and whether owners are still there, as the last
snapshot says.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec

from cloudscan.days import day_of
from cloudscan.errors import WaiverError
from cloudscan.facts import NEVER
from cloudscan.report import ReviewDecision, WaiverReview, WaiverStatus
from cloudscan.sentence import say
from cloudscan.snapshot.organisation import NO_DAY, ORGANISATION, WAIVER, waiver_uid
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.text import suggestion

TO_FILL: Final = ("decision", "decided_by", "decision_reason", "new_until")
"""The columns of the list in which decisions are written."""

_PREFIX: Final = f"{ORGANISATION}:"


class ReviewItem(msgspec.Struct, frozen=True, kw_only=True):
    """An exception to decide about."""

    uid: str
    kind: str  # waiver, domain, partner
    extent: str
    target: str
    rule_id: str = ""
    covers: int | None = None  # open findings; None: nothing counts them
    owner: str = ""
    owner_standing: str | None = None  # None: not known
    reason: str = ""
    since: date | None = None  # None: nothing says when
    until: date | None = None  # None: no end
    renewals: int = 0
    reviewed_on: date | None = None
    reviewed_by: str = ""
    due: bool = False

    @property
    def id(self) -> str:
        """What people write: a waiver's number, or an entry's name without what is in front of all."""
        return self.uid.removeprefix(waiver_uid(0)[:-1]).removeprefix(_PREFIX)


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote into the list about one exception."""

    uid: str
    review: WaiverReview


def review_list(
    waivers: Iterable[WaiverStatus],
    reviews: Mapping[str, Sequence[WaiverReview]],
    snapshot: Snapshot | None,
    *,
    now: datetime,
    timezone: str,
    days: int,
) -> list[ReviewItem]:
    """What there is to review, what is due first; an exception is due `days` days after somebody last looked at it."""
    known = _sealed(snapshot) if snapshot else {}
    items = [_of_waiver(status, known.get(waiver_uid(status.waiver.id), {}), timezone) for status in waivers]
    items += [_of_entry(row) for row in known.values() if row["kind"] != WAIVER]
    today = day_of(now, timezone)
    listed = [_with_review(item, reviews.get(item.uid, ()), today, timezone, days) for item in items]
    return sorted(listed, key=lambda item: (not item.due, item.until or NO_DAY, item.uid))


def uid_of(text: str, items: Sequence[ReviewItem]) -> str:
    """The uid of the exception that somebody wrote the id of. Raises `WaiverError` with the nearest id."""
    wanted = text.strip()
    for item in items:
        if wanted in (item.id, item.uid, item.uid.removeprefix(_PREFIX)):
            return item.uid
    raise WaiverError(
        say("There is no exception {id}; {hint}.", id=repr(text), hint=suggestion(wanted, [item.id for item in items]))
    )


def decisions_in(data: bytes, items: Sequence[ReviewItem], now: datetime) -> list[Decided]:
    """The decisions in a filled list; rows without one are left out. Raises `WaiverError`, with the line."""
    rows = csv.DictReader(io.StringIO(_text(data), newline=""), dialect=_dialect(data))
    if not rows.fieldnames or not {"id", *TO_FILL} <= set(rows.fieldnames):
        raise WaiverError(
            say(
                "The file lacks columns; it needs {columns}, as `cloudscan waive review --format csv` writes them.",
                columns=", ".join(("id", *TO_FILL)),
            )
        )
    return list(_decided(rows, items, now))


def _decided(rows: "csv.DictReader[str]", items: Sequence[ReviewItem], now: datetime) -> Iterator[Decided]:
    for row in rows:
        word = (row["decision"] or "").strip().lower()
        if not word:
            continue
        try:
            yield Decided(
                uid=uid_of(row["id"] or "", items),
                review=WaiverReview(
                    decision=decision_of(word),
                    by=row["decided_by"] or "",
                    reason=row["decision_reason"] or "",
                    on=now,
                    until=_day(row["new_until"]),
                ),
            )
        except WaiverError as error:
            raise WaiverError(say("Line {line}: {error}", line=rows.line_num, error=error)) from error


def decision_of(word: str) -> ReviewDecision:
    """What a word decides. Raises `WaiverError`."""
    try:
        return ReviewDecision(word)
    except ValueError:
        hint = suggestion(word, [one.value for one in ReviewDecision])
        raise WaiverError(say("{word} is no decision; {hint}.", word=repr(word), hint=hint)) from None


def _sealed(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """The rows of `waivers` in a snapshot, by uid."""
    rows = snapshot.query("SELECT uid, kind, extent, target, owner, owner_standing, until, reviewed_on FROM waivers")
    return {str(row[0]): dict(zip(rows.columns, row, strict=True)) for row in rows.rows}


def _of_waiver(status: WaiverStatus, sealed: Mapping[str, Any], timezone: str) -> ReviewItem:
    waiver = status.waiver
    what = waiver.target or waiver.fingerprint[:12] or waiver.gap[:12]
    return ReviewItem(
        uid=waiver_uid(waiver.id),
        kind=WAIVER,
        extent=str(sealed.get("extent", "")),
        target=what,
        rule_id=waiver.rule_id,
        covers=len(status.findings),
        owner=waiver.owner,
        owner_standing=sealed.get("owner_standing"),
        reason=waiver.reason,
        since=day_of(waiver.given_on, timezone),
        until=waiver.until,
        renewals=status.renewals,
    )


def _of_entry(row: Mapping[str, Any]) -> ReviewItem:
    """An entry of an allow-list. A partner's own review in the register counts, too."""
    reviewed = row["reviewed_on"]
    return ReviewItem(
        uid=row["uid"],
        kind=row["kind"],
        extent=row["extent"],
        target=row["target"],
        owner=row["owner"],
        owner_standing=row["owner_standing"],
        until=None if row["until"] in (None, NO_DAY) else row["until"],
        reviewed_on=reviewed.date() if reviewed and reviewed.year < NEVER.year else None,
    )


def _with_review(
    item: ReviewItem, reviews: Sequence[WaiverReview], today: date, timezone: str, days: int
) -> ReviewItem:
    if reviews:
        last = reviews[-1]
        item = msgspec.structs.replace(item, reviewed_on=day_of(last.on, timezone), reviewed_by=last.by)
    looked = max((day for day in (item.since, item.reviewed_on) if day), default=None)
    return msgspec.structs.replace(item, due=looked is None or today - looked >= timedelta(days=days))


def _text(data: bytes) -> str:
    """The text of a CSV, as UTF-8 or as a Japanese Excel saves it."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp932", "replace")


def _dialect(data: bytes) -> "type[csv.Dialect]":
    """What separates the values: spreadsheets of some countries write semicolons, pasted tables tabs."""
    head = data.partition(b"\n")[0]

    class Dialect(csv.excel):
        delimiter = max((",", ";", "\t"), key=lambda mark: head.count(mark.encode()))

    return Dialect


def _day(text: str | None) -> date | None:
    written = (text or "").strip().replace("/", "-")
    try:
        year, month, day = map(int, written.split("-")) if written else (0, 0, 0)
        return date(year, month, day) if written else None
    except ValueError:
        raise WaiverError(say("{value} is not a date; write it as 2027-03-31.", value=repr(written))) from None
