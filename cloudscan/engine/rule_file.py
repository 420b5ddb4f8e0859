"""Rules as records: what an author writes, and a rule that passed every check."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from cloudscan.finding import Confidence, RuleText, Severity
from cloudscan.sentence import Sentence, say
from cloudscan.snapshot.tables import Dependency

if TYPE_CHECKING:
    from cloudscan.snapshot.lineage import Lineage

ParamValue = bool | int | float | str


class Param(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number or word that users may want to change; bound in the query as ``$name``.

    Its type is that of `default`. `min` and `max` bound a number.
    """

    default: ParamValue
    meaning: str
    min: int | float | None = None
    max: int | float | None = None

    def fault(self, value: object) -> Sentence | None:
        """Why `value` cannot be used in place of the default; None if it can."""
        same_type = type(value) is type(self.default) or (isinstance(self.default, float) and type(value) is int)
        if not same_type:
            default = repr(self.default)
            return say("{value} is not of the same type as the default, {default}", value=repr(value), default=default)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if self.min is not None and value < self.min:
                return say("{value} is below the smallest allowed value, {least}", value=value, least=self.min)
            if self.max is not None and value > self.max:
                return say("{value} is above the largest allowed value, {most}", value=value, most=self.max)
        return None


Row = Mapping[str, Any]


Identities = Sequence[Sequence[str | int | float | bool | None]]


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A small estate and what the rule must decide. Identities that are not named must pass, if they come up.

    The rows in `given` name only what differs from a plain row; see `cloudscan.engine.examples`.
    """

    it: str
    given: Mapping[str, Sequence[Row]] = {}
    flags: Identities = ()
    passes: Identities = ()
    unknown: Identities = ()
    params: Mapping[str, ParamValue] = {}


class WrittenText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule says to people in one language, as its author writes it."""

    title: str
    message: str
    why: str
    fix: str = ""  # steps, one per line; empty where the rule lists its steps under `fix`


Texts = Mapping[str, str]
"""One text, by language."""


class RemediesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts that several rules share, by id; what ``remedies.yaml`` contains."""

    fix: Mapping[str, str | Texts] = {}  # a text alone is a `command`, the same in every language


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """A shared text and where it is written."""

    texts: Texts
    file: str
    line: int


class _Declared(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a loaded rule takes over from its file as it is."""

    id: str  # reads after "waive …"; never renamed
    severity: Severity
    confidence: Confidence
    cause: str  # for the ranking of leak causes: shared-link, public-bucket, …
    likelihood: int  # 1..5
    effort: Literal["low", "medium", "high"]  # cost of the fix
    identity: Sequence[str]  # the columns that make one finding: what one person fixes once
    query: str
    examples: Sequence[Example]
    params: Mapping[str, Param] = {}
    frameworks: Sequence[str] = ()


DECLARED = _Declared.__struct_fields__


class RuleFile(_Declared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an author writes."""

    text: Mapping[str, WrittenText]
    fix: Sequence[str | Texts] = ()  # each step: a shared one's id, a `command`, or its text by language


class Rule(_Declared, frozen=True, kw_only=True):
    """A rule that passed every check, ready to be applied."""

    text: Mapping[str, RuleText]  # with the shared steps written out
    source: str  # the file
    remedies: Sequence[Remedy]  # the shared texts in it
    version: str  # hash of the file and of the shared texts in it
    query_line: int  # where the query begins
    sql: str  # the query as DuckDB has to be asked, ladders compared by rung
    columns: Sequence[str]  # what the query yields, in order
    tables: Sequence[str]  # what it reads
    bound: Sequence[str]  # the $names that the query uses, `CLOCK` among them
    confined: Sequence[tuple[str, Sequence[str]]] = ()  # without a row of these platforms in the table it yields none

    @property
    def rests_on(self) -> tuple[Dependency, ...]:
        """The columns that its verdicts are made from, in order."""
        return self._lineage.rests_on

    @property
    def subjects(self) -> tuple[Dependency | None, ...]:
        """The base column that each identity column shows; None where it is computed."""
        return self._lineage.subjects

    @property
    def compared(self) -> Mapping[str, Sequence[str]]:
        """The texts and numbers that the query compares each column with, by the column's name in the query."""
        return self._lineage.compared

    @property
    def _lineage(self) -> "Lineage":
        from cloudscan.snapshot.lineage import lineage  # sqlglot takes 0.2 s to import

        return lineage(self.query, tuple(self.identity))
