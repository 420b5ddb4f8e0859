"""A ticket's text, its comments and a notification as a reader gets them, one a language, for review by eye.

After an intended change: `pytest tests/trackers/test_whole_texts.py --snapshot-update`, then read the diff.
"""

from datetime import date, timedelta

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from cloudscan.finding import Waiver
from cloudscan.fix import fixes
from cloudscan.notifier import Notice
from cloudscan.recipient import recipient_of
from cloudscan.tracker import ClosingReason, CommentContent, CommentReason, TicketSubject
from cloudscan_trackers.apprise import ThroughApprise
from cloudscan_trackers.markup import MARKDOWN
from cloudscan_trackers.wording import wording
from tests.reports.synthetic import NOW, RULES, employee, report

GIVEN = report(6)
SUBJECT = TicketSubject(
    marker="0" * 32,
    owner="mika.sato@example.co.jp",
    recipient=recipient_of(
        msgspec.structs.replace(GIVEN.findings[0].verdict.subject, responsible=employee("mika.sato@example.co.jp"))
    ),
    findings=GIVEN.findings[:1],
    rules={rule.id: rule for rule in RULES},
    severity=GIVEN.findings[0].severity,
    due=date(2026, 3, 9),
    contact="security@example.co.jp",
    waive_until=date(2026, 6, 27),
)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_ticket(lang: str, snapshot: SnapshotAssertion) -> None:
    texts = wording(MARKDOWN)

    assert f"{texts.title(SUBJECT, lang)}\n\n{texts.body(SUBJECT, lang, 0)}" == snapshot


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_comments(lang: str, snapshot: SnapshotAssertion) -> None:
    """One for every reason."""
    waiver = Waiver(
        id=1, owner="mika.sato@example.co.jp", reason="A price list.", given_on=NOW, until=date(2026, 5, 11)
    )
    whys: list[tuple[CommentReason, ClosingReason | None]] = [
        *((note, None) for note in CommentReason if note is not CommentReason.CLOSED),
        *((CommentReason.CLOSED, closing) for closing in ClosingReason),
    ]
    comments = [
        CommentContent(
            note=note,
            closing=closing,
            day=date(2026, 3, 2),
            widened=("audience", "resources"),
            waiver=waiver,
            instead="OPS-12",
        )
        for note, closing in whys
    ]

    assert "\n".join(wording(MARKDOWN).comment(comment, lang, 0) for comment in comments) == snapshot


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_notification(lang: str, snapshot: SnapshotAssertion) -> None:
    notice = Notice(
        organisation=GIVEN.organisation,
        scanned_on=NOW,
        changed=list(zip(("new", "reopened", "widened"), fixes(GIVEN.findings), strict=False)),
        resolved=["acme-logs-eu-00008", "acme-media-jp-00009"],
        since=NOW - timedelta(days=3),
        counts={"new": 1, "reopened": 1, "widened": 1, "resolved": 2},
        standing=5,
        unread=2,
        report=GIVEN,
    )

    title, text = ThroughApprise({}).words(notice, lang)

    assert f"{title}\n\n{text}" == snapshot
