"""One caller of each class that a statement and its rivals tell apart, from a set of callers.

Of a facet of a caller set (`caller_set.CallerSet`) everything is asked at once that any of the statements asks of its
keys. What the statement itself demands must come out so; what the others ask is told apart (`forms.classes`). A caller
who is not among the classes is let in by the same statements as one who is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from cloudscan_s3.access import conditions
from cloudscan_s3.access.caller_set import CallerSet
from cloudscan_s3.access.condition_texts import arn_like, texts_named
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.forms import Comparison, Reading, classes
from cloudscan_s3.access.policy import Condition, Statement
from cloudscan_s3.access.request import Caller, account_of, is_account
from cloudscan_s3.access.shapes import Shape
from cloudscan_s3.access.texts import EVERYTHING, TextSet, expression, words

_CONFINED = re.compile(r"^(?:(\d{12})$|arn:[^:*?]*:[^:*?]*:[^:*?]*:(\d{12}):|(o-[a-z0-9]+)/)")
_Spelled = tuple[Shape, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a statement demands of a caller, and what its rivals ask."""

    statement: Statement
    rivals: Sequence[Statement]  # the other statements that have a say
    decisive: Sequence[Statement]  # of these, denials that stop everything wherever their one condition holds
    context: Context  # the keys that are the same for every caller


@dataclass(frozen=True)
class Members:
    """One caller of each class. Not `complete` where some classes may be missing."""

    callers: Sequence[Caller]
    complete: bool = True


def members(callers: CallerSet, asked: Asked) -> Members:
    """One member of each class of callers that the statements tell apart and the statement may admit."""
    facets = [_spellings(shapes, asked, callers.not_of) for shapes in callers.facets]
    drawn = [callers.member(*spelled) for spelled in product(*(spellings for spellings, _ in facets))]
    return Members(drawn, complete=all(complete for _, complete in facets))


def _spellings(shapes: Sequence[Shape], asked: Asked, not_of: frozenset[str]) -> tuple[Sequence[_Spelled], bool]:
    spelled: list[_Spelled] = []
    complete = True
    for shape in shapes:
        if not _constants_fit(asked.statement, shape):
            continue
        questions = _Questions(shape, asked, not_of)
        found = classes(shape.form, (*shape.tests, *questions.tests))
        complete = complete and found.complete and questions.complete
        spelled += [(shape, spelling) for spelling in found.spellings]
    return spelled, complete


def _constants_fit(statement: Statement, shape: Shape) -> bool:
    """Does the statement accept the keys that are the same for all of this shape?"""
    return all(
        conditions.is_met(condition, shape.constants, statement.variables)
        for condition in statement.conditions
        if condition.key in shape.constants and not conditions.variables_of(condition)
    )


class _Questions:
    """What is asked of the callers of one shape."""

    def __init__(self, shape: Shape, asked: Asked, not_of: frozenset[str]) -> None:
        self.tests: list[Comparison] = []
        self.complete = True  # False: something is asked that is not said in texts
        self._shape = shape
        self._not_of = not_of
        self._settled = {**asked.context, **shape.constants}
        self._add(asked.statement, wanted=True)
        for rival in asked.rivals:
            self._add(rival, wanted=False if rival in asked.decisive else None)

    def _add(self, statement: Statement, *, wanted: bool | None) -> None:
        """The questions of one statement; `wanted`: whether its conditions must be met, or must not be."""
        admitted = self._names_admitted(statement)
        if admitted is not None:
            self.tests.append(Comparison(admitted, not statement.not_principal if wanted else None))
        for condition in statement.conditions:
            reading = self._shape.form.reading(condition.key)
            if reading is None or condition.operator == "Null":
                continue
            names = conditions.variables_of(condition) if statement.variables else ()
            is_settled = all(name in self._settled for name in names)
            texts = self._texts(condition, statement, reading) if is_settled else _texts_that_may_match(condition)
            self.complete = self.complete and texts is not None
            if texts is not None:
                met = None if wanted is None else wanted != condition.negated
                # What may match is more than what does: to lack it is not enough, to have it is not too much.
                self.tests.append(
                    Comparison(tuple((reading, one) for one in texts), met if is_settled or met else None)
                )

    def _texts(self, condition: Condition, statement: Statement, reading: Reading) -> Sequence[TextSet] | None:
        """The texts that match a condition; None where it is not about texts."""
        substituted = (conditions.substitute(value, self._settled, statement.variables) for value in condition.values)
        values = tuple(value for value in substituted if value is not None)
        return texts_named(condition.operator, self._of_these_owners(values, reading))

    def _names_admitted(self, statement: Statement) -> tuple[tuple[Reading, TextSet], ...] | None:
        """Which names a Principal element admits; None where it makes no difference between the callers."""
        entries = statement.accounts_and_arns
        if not self._shape.names or not entries or "*" in entries:
            return None
        return tuple(
            (name, texts) for name in self._shape.names for texts in _texts_of(self._of_these_owners(entries, name))
        )

    def _of_these_owners(self, values: tuple[str, ...], reading: Reading) -> tuple[str, ...]:
        """The values without those that are confined to accounts and organisations that none of the callers is in."""
        confined = _by_owner(values)
        if not confined:
            return values
        segment = self._shape.owner
        if segment is not None and segment not in reading:
            return values
        own = self._shape.form.segments[segment] if segment is not None else None
        if own is not None and own.is_fixed:
            return (*confined.get("", ()), *confined.get(own.example, ()))
        return tuple(value for owner, of_it in confined.items() if owner not in self._not_of for value in of_it)


@lru_cache(maxsize=1024)
def _by_owner(values: tuple[str, ...]) -> Mapping[str, Sequence[str]]:
    """Values by the account or organisation to which they are confined, whatever wildcards stand for; empty: to none.

    Where none of them is, the result is empty.
    """
    by_owner: dict[str, list[str]] = {}
    for value in values:
        match = _CONFINED.match(value)
        by_owner.setdefault(match[1] or match[2] or match[3] if match else "", []).append(value)
    return {} if set(by_owner) <= {""} else by_owner


def _texts_that_may_match(condition: Condition) -> Sequence[TextSet] | None:
    """The texts that match a condition, whatever its policy variables stand for."""
    if condition.operator.endswith("IgnoreCase"):
        return (EVERYTHING,)
    operator = "StringLike" if condition.operator.startswith("String") else condition.operator
    return texts_named(operator, tuple(map(conditions.with_wildcards, condition.values)))


@lru_cache(maxsize=1024)
def _texts_of(principals: tuple[str, ...]) -> Sequence[TextSet]:
    plain = frozenset(value for value in principals if not is_account(value) and not conditions.is_wild(value))
    patterns = [value for value in principals if conditions.is_wild(value)]
    patterns += [f"arn:*:*:*:{account_of(value)}:*" for value in principals if is_account(value)]
    return [*((words(plain),) if plain else ()), *(expression(arn_like(pattern)) for pattern in patterns)]
