"""Principals that are named and cannot be identified: what they get is there, with an audience that is not known.

Nothing was left unread, so a scan is whole with them; each is unknown to the rules, and has its row.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from cloudscan.connector import Gap, Question
from cloudscan.facts import Hidden, Outcome
from cloudscan.reason import Reason
from cloudscan_m365.api.inquiry import about_all

_COLUMNS: Final = ("audience", "principal_uid", "detail.externals", "detail.unlisted", "detail.consumer")
_OF_GRANTS: Final = (Hidden(table="grants", columns=_COLUMNS),)


def grantees_unresolved(question: Question, about: Sequence[str], within: str) -> Gap:
    """The row for grants to somebody who cannot be identified. `about` are the uids of what was granted."""
    return _gap(question, "graph-grantee-not-told", about, within)


def members_unresolved(question: Question, about: Sequence[str], within: str) -> Gap:
    """The row for groups with members who cannot be identified. `about` are the uids of the groups."""
    return _gap(question, "graph-member-not-told", about, within)


def _gap(question: Question, code: str, about: Sequence[str], within: str) -> Gap:
    question = replace(question, hides=_OF_GRANTS)
    gap = question.lacking(Reason(code=code, values={"count": len(about)}), outcome=Outcome.NOT_JUDGED)
    return about_all(question, gap, about, within)
