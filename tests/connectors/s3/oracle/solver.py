"""Is there a request of which a formula holds?

z3 decides the formula with each membership of a string in a language taken for an atom. Then, string by string, the
memberships that it chose are tried together. What cannot be together is added as a clause, and z3 chooses again. (z3
can decide memberships as well, but takes seconds for some; test_oracle.py asks it for a sample.)
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import z3

from tests.connectors.s3.oracle.callers import Case, Formula
from tests.connectors.s3.oracle.languages import Language, TooLarge, common

MILLISECONDS = 5000
ROUNDS = 1000

Values = dict[str, str | int | bool]
Choice = tuple[tuple[str, bool], ...]  # memberships, and whether the string has them


class Search:
    """Requests of one kind of which a formula holds; further demands are made question by question."""

    def __init__(self, case: Case, formula: Formula) -> None:
        self.case = case
        self._solver = z3.SimpleSolver()
        self._solver.set("timeout", MILLISECONDS)
        self._solver.add(formula)

    def find(self, demand: Formula) -> Values | z3.CheckSatResult:
        """A value for everything, or z3's `unsat` or `unknown`."""
        self._solver.push()
        self._solver.add(demand, *self.case.forms)
        learnt: list[z3.BoolRef] = []
        found = self._find(learnt)
        self._solver.pop()
        self._solver.add(*learnt)
        return found

    def _find(self, learnt: list[z3.BoolRef]) -> Any:
        for _ in range(ROUNDS):
            said = self._solver.check()
            if said != z3.sat:
                return said
            model = self._solver.model()
            try:
                values, conflict = self._strings(self._chosen(model))
            except TooLarge:
                return z3.unknown
            if not conflict:
                return {**values, **_others(model, self.case.variables)}
            clause = z3.Or([z3.Not(z3.Bool(atom)) if on else z3.Bool(atom) for atom, on in conflict])
            learnt.append(clause)
            self._solver.add(clause)
        return z3.unknown

    def _chosen(self, model: z3.ModelRef) -> dict[str, Choice]:
        """Which memberships z3 wants, by string."""
        chosen: dict[str, list[tuple[str, bool]]] = {}
        for atom, (name, _) in self.case.memberships.items():
            value = model[z3.Bool(atom)]
            if value is not None:
                chosen.setdefault(name, []).append((atom, z3.is_true(value)))
        return {name: tuple(sorted(atoms)) for name, atoms in chosen.items()}

    def _strings(self, chosen: Mapping[str, Choice]) -> tuple[Values, Choice]:
        """A string for each name; or the memberships that no string has together."""
        values: Values = {}
        for name, form in self.case.strings.items():
            choice = chosen.get(name, ())
            found = self._member(form, choice)
            if found is None:
                return {}, self._smallest(form, choice)
            values[name] = found
        return values, ()

    def _smallest(self, form: Language, choice: Choice) -> Choice:
        """The same conflict without what does not matter to it."""
        for each in choice:
            rest = tuple(other for other in choice if other != each)
            if self._member(form, rest) is None:
                choice = rest
        return choice

    def _member(self, form: Language, choice: Choice) -> str | None:
        """A string with these memberships; None: there is none."""
        within = tuple(self.case.memberships[atom][1] for atom, on in choice if on)
        return _common((form, *within), tuple(self.case.memberships[atom][1] for atom, on in choice if not on))


@lru_cache(maxsize=20_000)
def _common(within: tuple[Language, ...], outside: tuple[Language, ...]) -> str | None:
    return common(within, outside)


def _others(model: z3.ModelRef, variables: Mapping[str, z3.ExprRef]) -> Values:
    made: Values = {}
    for name, variable in variables.items():
        value = model.eval(variable, model_completion=True)
        made[name] = z3.is_true(value) if z3.is_bool(value) else value.as_long()
    return made
