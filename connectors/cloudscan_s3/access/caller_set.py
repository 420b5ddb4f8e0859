"""A set of callers, described by the shapes of their keys."""

from dataclasses import dataclass, field

from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.request import Caller, CallerKind
from cloudscan_s3.access.shapes import Shape


@dataclass(frozen=True, kw_only=True)
class CallerSet:
    """All callers of one kind whose keys have one of the shapes of each facet.

    A facet is a group of keys that are decided together and apart from all others: who somebody is, which organisation
    the account is in, on whose behalf a service calls. Within a facet one of the shapes is taken.
    """

    kind: CallerKind
    facets: tuple[tuple[Shape, ...], ...] = ()
    names: frozenset[str] = frozenset()  # that all of them have, beside those of their shapes
    context: Context = field(default_factory=dict)  # keys that all of them have, beside those of their shapes
    not_of: frozenset[str] = frozenset()  # accounts that none of them belongs to or acts for

    def example(self) -> Caller:
        """One that may or may not be among them, to have something to show."""
        shapes = [shapes[0] for shapes in self.facets if shapes]
        return self.member(*((shape, tuple(part.example for part in shape.form.segments)) for shape in shapes))

    def member(self, *drawn: tuple[Shape, tuple[str, ...]]) -> Caller:
        """One of them: a spelling for each facet, with the shape that it is of."""
        context = dict(self.context)
        names = set(self.names)
        for shape, spelling in drawn:
            context |= shape.context(spelling)
            names |= shape.names_of(spelling)
        account = context.get("aws:principalaccount", ("",))[0] if self.kind == "principal" else ""
        return Caller(kind=self.kind, account=account, names=frozenset(names), context=context)
