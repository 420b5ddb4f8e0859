"""The second opinions of a snapshot for the report, from the settings `second_opinion` and `second_opinion_reasons`."""

from typing import Final

from cloudscan.second_opinion import AGREES, OpinionDifference, OpinionOutcome, SecondOpinions
from cloudscan.snapshot.snapshot import Snapshot

_PLACES: Final = {outcome.value: place for place, outcome in enumerate(OpinionOutcome)}
_AGREED: Final = f"SELECT count(*) FROM settings WHERE name = 'second_opinion' AND value = '{AGREES}'"
_DIFFERENT: Final = f"""
    SELECT r.uid, r.name, r.platform, r.account, s.value, w.value
    FROM settings AS s JOIN resources AS r ON r.uid = s.scope_uid
    LEFT JOIN settings AS w ON w.scope_uid = s.scope_uid AND w.name = 'second_opinion_reasons'
    WHERE s.name = 'second_opinion' AND s.value <> '{AGREES}'
"""


def second_opinions(snapshot: Snapshot) -> SecondOpinions | None:
    """How what another program says compares with what was found; None where no opinion was had.

    An outcome that this version has no word for is left out.
    """
    ((agreements,),) = snapshot.query(_AGREED).rows
    differences = [
        OpinionDifference(
            uid=uid,
            name=name,
            platform=platform,
            account=account,
            outcome=OpinionOutcome(outcome),
            reasons=tuple(filter(None, (reasons or "").split(", "))),
        )
        for uid, name, platform, account, outcome, reasons in snapshot.query(_DIFFERENT).rows
        if outcome in _PLACES
    ]
    if not agreements and not differences:
        return None
    differences.sort(key=lambda one: (_PLACES[one.outcome], one.account, one.name, one.uid))
    return SecondOpinions(agreements=agreements, differences=differences)
