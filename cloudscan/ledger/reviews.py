"""Waivers are looked at again: how often the same was waived, what a review may decide, and what follows from it.

Pure functions. A review is remembered beside the waiver, which stays as it was given; what *ends* is revoked, what is
*shortened* ends earlier, what is *kept* has been looked at on that day. An entry of an allow-list is kept here, and
ended where the list is.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from msgspec import structs

from cloudscan.days import day_of
from cloudscan.errors import WaiverError
from cloudscan.finding import Waiver
from cloudscan.report import ReviewDecision, WaiverReview
from cloudscan.sentence import say
from cloudscan.snapshot.organisation import waiver_uid

PAUSE: Final = timedelta(days=30)
"""The longest time without a waiver after which the same waiver counts as renewed."""


def renewals(waivers: Iterable[Waiver], revoked: Mapping[int, datetime], timezone: str) -> dict[int, int]:
    """How often the same was waived before, by the waiver's number: each time at most `PAUSE` after the last end."""
    counts: dict[int, int] = {}
    last: dict[tuple[str, ...], Waiver] = {}
    for waiver in sorted(waivers, key=lambda waiver: (waiver.given_on, waiver.id)):
        scope = (waiver.fingerprint, waiver.rule_id, waiver.target, waiver.gap)
        before = last.get(scope)
        counts[waiver.id] = 0
        if before is not None:
            ended = [before.until, *([day_of(revoked[before.id], timezone)] if before.id in revoked else [])]
            if day_of(waiver.given_on, timezone) - min(ended) <= PAUSE:
                counts[waiver.id] = counts[before.id] + 1
        last[scope] = waiver
    return counts


def shortened(waiver: Waiver, reviews: Mapping[str, Sequence[WaiverReview]]) -> Waiver:
    """The waiver with the last day that reviews left it."""
    days = [review.until for review in reviews.get(waiver_uid(waiver.id), ()) if review.until]
    return structs.replace(waiver, until=min((waiver.until, *days)))


def decided(review: WaiverReview, waiver: Waiver | None, today: date) -> WaiverReview:
    """The review, if it can be carried out. `waiver` is what it is about, in force; None: an entry of an allow-list.

    Raises `WaiverError` with what to write instead.
    """
    if waiver is None and review.decision is not ReviewDecision.KEEP:
        raise WaiverError(
            say(
                "An entry of an allow-list can only be kept here. To {decision} it, change the list: [[partners]] in "
                "cloudscan.toml, or the platform's own.",
                decision=review.decision.value,
            )
        )
    if (review.until is not None) != (review.decision is ReviewDecision.SHORTEN):
        raise WaiverError(say("--until is the new last day of a waiver that is shortened, and of no other decision."))
    if waiver is not None and review.until is not None and not today <= review.until < waiver.until:
        raise WaiverError(
            say(
                "{until} shortens nothing: waiver {id} is in force until {end}. Write a day from {today} on, before "
                "that.",
                until=review.until,
                id=waiver.id,
                end=waiver.until,
                today=today,
            )
        )
    return review
