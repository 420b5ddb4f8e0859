"""What is asked of each group: who is in it, and who may join.

One request for each group and question. A question that is refused for one group after another is not asked any more.

Sources: discovery documents of Admin Directory v1 (members.list) and Groups Settings v1.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from cloudscan.connector import Gap, Question
from cloudscan.errors import ProviderError
from cloudscan.facts import Outcome
from cloudscan.reason import Reason
from cloudscan_gdrive import questions
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.models import Group, GroupSettings, Member, Members
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning import uids

Answer = TypeVar("Answer")
_MEMBERS: Final = "nextPageToken,members(id,email,role,type)"
_SETTINGS: Final = "email,whoCanJoin,allowExternalMembers"
_CONCURRENT_GROUPS: Final = 8
_MOST_GAPS: Final = 20  # groups that have a gap of their own


@dataclass(frozen=True, kw_only=True)
class _OfOne(Generic[Answer]):
    """What one group answered; None: nothing."""

    answer: Answer | None
    gaps: Sequence[Gap] = ()


@dataclass(kw_only=True)
class OfGroups(Generic[Answer]):
    """What groups answered, by their addresses in lower case."""

    answers: dict[str, Answer] = field(default_factory=dict)
    partly_read: set[str] = field(default_factory=set)
    gaps: Sequence[Gap] = ()


def members_of_groups(google: Google, admin: str, groups: Sequence[Group]) -> OfGroups[Sequence[Member]]:
    """The direct members of each group."""

    def ask(group: Group) -> _OfOne[Sequence[Member]]:
        about = uids.group(group.email)
        found = google.everything(
            Members, google.members, admin, about, groupKey=group.id, fields=_MEMBERS, maxResults=200
        )
        members = found.entries if found.error is None or found.entries else None
        count = str(group.direct_members_count)
        if found.complete and not found.entries and count.isdecimal() and int(count) > 0:
            reason = Reason(code=Code.MEMBERS_MISSING, values={"count": count})
            return _OfOne(answer=members, gaps=[questions.MEMBERS.lacking(reason, about)])
        return _OfOne(answer=members, gaps=found.gaps)

    return _of_each(groups, questions.MEMBERS, ask)


def settings_of_groups(google: Google, admin: str, groups: Sequence[Group]) -> OfGroups[GroupSettings]:
    """Who may join each group."""

    def ask(group: Group) -> _OfOne[GroupSettings]:
        about = uids.group(group.email)
        try:
            settings = google.ask(
                GroupSettings, google.group_settings, admin, groupUniqueId=group.email, fields=_SETTINGS
            )
        except ProviderError as error:
            return _OfOne(answer=None, gaps=[questions.JOINING.gap(error, about)])
        if not settings.who_can_join or settings.allow_external_members in ("", None):
            reason = Reason(code=Code.GROUP_SETTINGS_MISSING)
            return _OfOne(answer=settings, gaps=[questions.JOINING.lacking(reason, about)])
        return _OfOne(answer=settings)

    return _of_each(groups, questions.JOINING, ask)


def _of_each(groups: Sequence[Group], question: Question, ask: Callable[[Group], _OfOne[Answer]]) -> OfGroups[Answer]:
    result = OfGroups[Answer]()
    gaps: list[Gap] = []
    read_any = False
    with ThreadPoolExecutor(_CONCURRENT_GROUPS) as pool:
        for number, (group, found) in enumerate(zip(groups, pool.map(ask, groups), strict=True), start=1):
            address = group.email.lower()
            read_any = read_any or not found.gaps
            gaps += found.gaps
            if found.answer is not None:
                result.answers[address] = found.answer
            if found.gaps:
                result.partly_read.add(address)
            if not read_any and number > _CONCURRENT_GROUPS:
                pool.shutdown(cancel_futures=True)
                break
    result.gaps = [_one_for_all(question, gaps[0])] if gaps and (not read_any or len(gaps) > _MOST_GAPS) else gaps
    return result


def _one_for_all(question: Question, first: Gap) -> Gap:
    return question.lacking(first.reason, outcome=first.outcome, needs=first.needs)


def not_asked() -> Gap:
    """What is missing where it shall not be asked who may join groups."""
    return questions.JOINING.lacking(Reason(code=Code.GROUP_SETTINGS_SWITCHED_OFF), outcome=Outcome.SKIPPED)
