"""Departments that are renamed, merged or split, told from people who move.

Where most of a department's people turn up together in one other department on the same day, and the old one is gone or
almost, the department continues under another name, and nobody moved. The few who went elsewhere did.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import attrgetter
from typing import Final

import msgspec

from cloudscan.roster.career import Career, Loss, same_department
from cloudscan.roster.history import Reorganisation, Reorganised


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """From when on people who change their department together are a department that changes its name.

    That 80 % tell one from the other is our advice; no standard says so.
    """

    together_percent: int = 80  # of the people who are still with us turn up in one department
    remaining_percent: int = 20  # and the old one has fewer than this, newcomers included
    people: int = 3  # with fewer, all must go to a department that is new, and the old one must be gone
    settling_days: int = 31  # who follows that many days before or after the others is one of them


@dataclass(frozen=True)
class _Sizes:
    """How many people were in a department, by day."""

    since: Sequence[date]
    until: Sequence[date]

    def staying(self, day: date) -> int:
        """Those who were there the day before, and still are."""
        return bisect_left(self.since, day) - bisect_left(self.until, day)

    def on(self, day: date) -> int:
        return bisect_right(self.since, day) - bisect_left(self.until, day)

    def is_new(self, day: date) -> bool:
        """Whether nobody was there before that day."""
        return not self.since or self.since[0] >= day


_NOBODY: Final = _Sizes((), ())


def reorganisations(careers: Iterable[Career], limits: Limits, first_reading: date) -> list[Reorganisation]:
    """The departments that were renamed, merged or split, by day.

    Before the first roster, only those are known who are still there, and too few of a small department.
    """
    groups, sizes = _groups(careers)
    found = [
        one
        for (_, day), group in groups.items()
        if (one := _became(group, sizes, limits, is_complete=day > first_reading))
    ]
    ends = Counter((one.on, same_department(one.into[0])) for one in found if one.kind is Reorganised.RENAMED)
    return sorted((_merged(one, ends, sizes) for one in found), key=attrgetter("on", "department"))


def names_now(reorganised: Sequence[Reorganisation], current: Iterable[str]) -> dict[str, str]:
    """What departments that nobody is in any more are called now, by their folded old names."""
    in_use = {same_department(name) for name in current}
    names: dict[str, str] = {}
    for one in reorganised:
        if one.kind is Reorganised.SPLIT:
            continue
        old, new = same_department(one.department), one.into[0]
        names = {name: new if same_department(now) == old else now for name, now in names.items()} | {old: new}
    return {name: now for name, now in names.items() if name not in in_use}


@dataclass(frozen=True)
class Followed:
    """Who went along with their department."""

    by_department: Mapping[str, Sequence[Reorganisation]]
    limits: Limits

    @classmethod
    def of(cls, reorganised: Iterable[Reorganisation], limits: Limits) -> "Followed":
        """Sorted by the departments that went."""
        by_department: dict[str, list[Reorganisation]] = defaultdict(list)
        for one in reorganised:
            by_department[same_department(one.department)].append(one)
        return cls(by_department, limits)

    def to(self, loss: Loss) -> str:
        """What somebody's department is called now that they seem to have left; empty for a real move."""
        near = timedelta(days=self.limits.settling_days)
        for one in self.by_department.get(same_department(loss.department), ()):
            if abs(one.on - loss.on) <= near:
                into = {same_department(name) for name in one.into}
                for name in loss.now:
                    if same_department(name) in into:
                        return name
        return ""


def _groups(careers: Iterable[Career]) -> tuple[Mapping[tuple[str, date], list[Loss]], Mapping[str, _Sizes]]:
    """Those who were lost to a department on the same day, and the sizes of all departments."""
    groups: dict[tuple[str, date], list[Loss]] = defaultdict(list)
    since, until = defaultdict[str, list[date]](list), defaultdict[str, list[date]](list)
    for one in careers:
        for loss in one.losses:
            groups[same_department(loss.department), loss.on].append(loss)
        for department, begins, ends in one.tenures:
            since[department].append(begins)
            until[department].append(ends)
    return groups, {name: _Sizes(sorted(since[name]), sorted(until[name])) for name in since}


def _became(
    group: Sequence[Loss], sizes: Mapping[str, _Sizes], limits: Limits, *, is_complete: bool
) -> Reorganisation | None:
    """What became of a department that these people are no longer in; None if they just moved.

    People who left the organisation at the same time tell nothing of it, and are not counted.
    """
    day, size = group[0].on, sizes.get(same_department(group[0].department), _NOBODY)
    people, remaining = len(group) + size.staying(day), size.on(day)
    went = Counter(name for loss in group for name in {same_department(name) for name in loss.gained})
    if not went:
        return None
    most = max(went, key=lambda name: (went[name], name))
    is_small = people < limits.people
    if is_small:
        is_one = is_complete and not remaining and went[most] == people and sizes.get(most, _NOBODY).is_new(day)
    else:
        is_one = _reaches(went[most], people, limits) and remaining * 100 < people * limits.remaining_percent
    if is_one:
        return _reorganisation(Reorganised.RENAMED, group, [most])
    new = sorted(name for name in went if sizes.get(name, _NOBODY).is_new(day))
    if is_small or remaining or len(new) == 1:
        return None
    split = _reorganisation(Reorganised.SPLIT, group, new)
    return split if _reaches(split.people, people, limits) else None


def _reaches(count: int, people: int, limits: Limits) -> bool:
    return count * 100 >= people * limits.together_percent


def _reorganisation(kind: Reorganised, group: Sequence[Loss], into: Sequence[str]) -> Reorganisation:
    written = {same_department(name): name for loss in group for name in loss.gained}
    along = sum(any(same_department(name) in into for name in loss.gained) for loss in group)
    return Reorganisation(
        on=group[0].on,
        kind=kind,
        department=max(loss.department for loss in group),
        into=[written[name] for name in into],
        people=along,
    )


def _merged(one: Reorganisation, ends: Counter[tuple[date, str]], sizes: Mapping[str, _Sizes]) -> Reorganisation:
    """A new name is a merger, if it was another department's before, or becomes several ones'."""
    into = same_department(one.into[0])
    if one.kind is Reorganised.SPLIT or (sizes.get(into, _NOBODY).is_new(one.on) and ends[one.on, into] == 1):
        return one
    return msgspec.structs.replace(one, kind=Reorganised.MERGED)


def departments_of(careers: Iterable[Career], day: date) -> Iterator[str]:
    """The folded names of departments in which somebody is on a day."""
    for one in careers:
        for tenure in one.tenures:
            if tenure.since <= day <= tenure.until:
                yield tenure.department
