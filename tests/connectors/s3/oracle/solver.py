"""Is there a request of which a formula holds?

z3 decides the formula with each membership of a string in a language taken for an atom, and then, string by string,
whether one string satisfies the memberships that it chose: a single intersection of regular expressions, which z3
answers in milliseconds, while several memberships side by side can cost it seconds. What cannot be together is added as
a clause, and z3 chooses again.
"""

from collections.abc import Mapping
from functools import lru_cache

import z3

MILLISECONDS = 5000
ROUNDS = 400

Choice = tuple[tuple[str, bool], ...]
Values = dict[str, str | int | bool]


def solve(
    formula: z3.BoolRef | bool,
    forms: Mapping[str, z3.ReRef],
    memberships: Mapping[str, tuple[str, z3.ReRef]],
    variables: Mapping[str, z3.ExprRef],
) -> Values | z3.CheckSatResult:
    """A value for everything, or z3's `unsat` or `unknown`."""
    solver = z3.Solver()
    solver.set("timeout", MILLISECONDS)
    solver.add(formula)
    for _ in range(ROUNDS):
        said = solver.check()
        if said != z3.sat:
            return said
        model = solver.model()
        chosen = _chosen(model, memberships)
        values, conflict = _strings(forms, chosen, memberships)
        if values is None:
            return z3.unknown
        if not conflict:
            return {**values, **_others(model, variables)}
        solver.add(z3.Or([z3.Not(z3.Bool(atom)) if on else z3.Bool(atom) for atom, on in conflict]))
    return z3.unknown


def _chosen(model: z3.ModelRef, memberships: Mapping[str, tuple[str, z3.ReRef]]) -> dict[str, Choice]:
    """Which memberships z3 wants, by string."""
    chosen: dict[str, list[tuple[str, bool]]] = {}
    for atom, (name, _) in memberships.items():
        value = model[z3.Bool(atom)]
        if value is not None:
            chosen.setdefault(name, []).append((atom, z3.is_true(value)))
    return {name: tuple(sorted(atoms)) for name, atoms in chosen.items()}


def _strings(
    forms: Mapping[str, z3.ReRef], chosen: Mapping[str, Choice], memberships: Mapping[str, tuple[str, z3.ReRef]]
) -> tuple[Values | None, Choice]:
    """A string for each name; or the memberships that no string has together; or neither, where z3 gives up."""
    values: Values = {}
    for name, form in forms.items():
        choice = chosen.get(name, ())
        found = _member(form, choice, memberships)
        if found is None:
            return None, ()
        if found is False:
            return {}, _smallest(form, choice, memberships)
        values[name] = found
    return values, ()


def _smallest(form: z3.ReRef, choice: Choice, memberships: Mapping[str, tuple[str, z3.ReRef]]) -> Choice:
    """The same conflict without what does not matter to it."""
    for each in choice:
        rest = tuple(other for other in choice if other != each)
        if _member(form, rest, memberships) is False:
            choice = rest
    return choice


def _member(form: z3.ReRef, choice: Choice, memberships: Mapping[str, tuple[str, z3.ReRef]]) -> str | bool | None:
    """A string with these memberships; False: there is none; None: z3 gave up."""
    return _found(form, tuple((memberships[atom][1], on) for atom, on in choice))


@lru_cache(maxsize=20_000)
def _found(form: z3.ReRef, choice: tuple[tuple[z3.ReRef, bool], ...]) -> str | bool | None:
    parts = [form, *(language if on else z3.Complement(language) for language, on in choice)]
    text = z3.String("text")
    solver = z3.Solver()
    solver.set("timeout", MILLISECONDS)
    solver.add(z3.InRe(text, z3.Intersect(*parts) if len(parts) > 1 else parts[0]))
    said = solver.check()
    if said == z3.sat:
        return _as_text(solver.model().eval(text, model_completion=True))
    return False if said == z3.unsat else None


def _as_text(value: z3.SeqRef) -> str:
    text: str = value.as_string()
    return text.encode("ascii", "backslashreplace").decode()


def _others(model: z3.ModelRef, variables: Mapping[str, z3.ExprRef]) -> Values:
    made: Values = {}
    for name, variable in variables.items():
        value = model.eval(variable, model_completion=True)
        made[name] = z3.is_true(value) if z3.is_bool(value) else value.as_long()
    return made
