"""Judging: rules over a snapshot, rows folded into verdicts.

A rule yields one row per piece of evidence and says `flagged`: TRUE, FALSE or NULL. Rows are folded by the rule's
`identity`: any TRUE makes it *flagged*, else any NULL makes it *unknown*, else it *passed*. The engine folds, not the
rule: SQL's own aggregates drop NULL, and "unknown" would become "passed".

Columns with a meaning to the engine, if a rule yields them: `resource_uid`, `origin_uid`, `principal_uid`,
`grant_uid` (its `detail.chain` becomes the evidence's chain), `audience`, `access`, `size_bytes`, `rank`, `since` or
`granted_on`, `owner_email`. Name, kind, address and owner of the subject are looked up and need not be yielded.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from cloudscan.days import UTC_NAME, zone
from cloudscan.engine import evidence, local_folding
from cloudscan.engine.folding import BoundRule, Folding, Tally
from cloudscan.engine.local_folding import LocalFolding
from cloudscan.engine.lookup import Lookup
from cloudscan.engine.rule_file import ParamValue, Rule
from cloudscan.errors import ConfigurationError
from cloudscan.facts import AnyFact
from cloudscan.finding import Judgement, Verdict
from cloudscan.report import RuleSummary
from cloudscan.sentence import say
from cloudscan.snapshot import in_memory
from cloudscan.snapshot.snapshot import Snapshot, reading
from cloudscan.snapshot.sql import CLOCK
from cloudscan.snapshot.tables import is_uid
from cloudscan.text import suggestion

Params = Mapping[str, Mapping[str, ParamValue]]
"""Values that replace defaults, by rule id and parameter name."""


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What the rules decided about a snapshot. Flagged and unknown are kept, passed is counted."""

    rules: tuple[Rule, ...]
    as_of: datetime  # on the organisation's clock
    timezone: str
    verdicts: tuple[Verdict, ...]
    tallies: Mapping[str, Tally]
    params: Params = field(default_factory=dict)
    _folding: Folding

    @property
    def flagged(self) -> tuple[Verdict, ...]:
        """The flagged verdicts."""
        return tuple(verdict for verdict in self.verdicts if verdict.judgement is Judgement.FLAGGED)

    @property
    def unknown(self) -> tuple[Verdict, ...]:
        """The verdicts that could not be decided."""
        return tuple(verdict for verdict in self.verdicts if verdict.judgement is Judgement.UNKNOWN)

    def rule(self, rule_id: str) -> Rule:
        """The rule with this id. Raises `KeyError`."""
        return {rule.id: rule for rule in self.rules}[rule_id]

    def judgements_of(self, rule_id: str, identities: Iterable[Sequence[str]]) -> dict[tuple[str, ...], Judgement]:
        """What became of given identities; one that is not, or no longer, in the snapshot is left out.

        The result is empty for a rule that was not applied. The snapshot must still be open.
        """
        rule = next((rule for rule in self.rules if rule.id == rule_id), None)
        return {} if rule is None else _judgements_of(self._folding, rule, identities, self.as_of, self.params)

    def summaries(self) -> list[RuleSummary]:
        """The rules with their results, for the report."""
        return [
            RuleSummary(
                id=rule.id,
                version=rule.version,
                severity=rule.severity,
                confidence=rule.confidence,
                cause=rule.cause,
                likelihood=rule.likelihood,
                effort=rule.effort,
                text=rule.text,
                frameworks=rule.frameworks,
                flagged=self.tallies[rule.id].flagged,
                unknown=self.tallies[rule.id].unknown,
                passed=self.tallies[rule.id].passed,
            )
            for rule in self.rules
        ]


def judge(
    snapshot: Snapshot,
    rules: Sequence[Rule],
    *,
    as_of: datetime | None = None,
    timezone: str = UTC_NAME,
    params: Params | None = None,
    folding: Folding | None = None,
) -> Verdicts:
    """Apply rules to a snapshot. `as_of` is "now" for the rules; by default the moment when the scan began.

    "Today" is its day in `timezone`, the organisation's. `folding` reads the snapshot's tables; None: DuckDB, here.

    Raises `ConfigurationError` for a param that does not exist or is out of bounds, `RuleError` if the database
    cannot run a query.
    """
    moment = _here(as_of or snapshot.scan.started_on, timezone)
    with reading(snapshot.path):
        return judged_by(folding or LocalFolding(snapshot.db), rules, as_of=moment, timezone=timezone, params=params)


def judged_by(
    folding: Folding, rules: Sequence[Rule], *, as_of: datetime, timezone: str = UTC_NAME, params: Params | None = None
) -> Verdicts:
    """Apply rules to what an engine has, as `judge` does to a snapshot; `as_of` is on the organisation's clock."""
    given = params or {}
    tallies, found = _folded(folding, rules, as_of, given)
    verdicts = evidence.with_containers(folding, list(evidence.verdicts(folding, found)))
    return Verdicts(
        rules=tuple(rules),
        as_of=as_of,
        timezone=timezone,
        verdicts=tuple(verdicts),
        tallies=tallies,
        params=given,
        _folding=folding,
    )


def streamed(
    snapshot: Snapshot, rules: Sequence[Rule], *, timezone: str = UTC_NAME, params: Params | None = None
) -> Iterator[Verdict]:
    """The verdicts of `judge` one by one, for whom they need not be in memory together; without their containers.

    Raises as `judge` does.
    """
    with reading(snapshot.path):
        folding = LocalFolding(snapshot.db)
        _, found = _folded(folding, rules, _here(snapshot.scan.started_on, timezone), params or {})
        yield from evidence.verdicts(folding, found)


def judgements_of(
    snapshot: Snapshot,
    rule: Rule,
    identities: Iterable[Sequence[str]],
    *,
    timezone: str = UTC_NAME,
    params: Params | None = None,
) -> dict[tuple[str, ...], Judgement]:
    """What one rule says of given identities in a snapshot, as of when its scan began, without judging all others.

    An identity that is not in the snapshot is left out. Raises as `judge` does.
    """
    with reading(snapshot.path):
        moment = _here(snapshot.scan.started_on, timezone)
        return _judgements_of(LocalFolding(snapshot.db), rule, identities, moment, params or {})


def preview(
    facts: Iterable[AnyFact], rules: Sequence[Rule], *, as_of: datetime, params: Params | None = None
) -> list[Verdict]:
    """Flagged verdicts on a handful of facts, before the scan ends.

    Opening costs some 30 ms and each rule about 2 ms, so hand over a batch of finished scopes, not each by itself.
    What other scopes would add is not known yet: these are first findings, not final ones.
    """
    with in_memory.open_empty() as db:
        in_memory.fill(db, in_memory.estate_of(facts))
        return list(judged_by(LocalFolding(db), rules, as_of=as_of, params=params).flagged)


def bindings(rule: Rule, as_of: datetime, given: Mapping[str, ParamValue]) -> dict[str, object]:
    """The values for a rule's ``$names``; "today" is the day of `as_of` in the zone that it is given in.

    Raises `ConfigurationError` for a value that the rule does not allow.
    """
    for name, value in given.items():
        if name not in rule.params:
            raise ConfigurationError(
                say(
                    "The rule {id} has no parameter {name}; {hint}.",
                    id=rule.id,
                    name=repr(name),
                    hint=suggestion(name, rule.params),
                )
            )
        if fault := rule.params[name].fault(value):
            raise ConfigurationError(
                say("Parameter {name} of the rule {id}: {fault}.", name=name, id=rule.id, fault=fault)
            )
    values: dict[str, object] = {name: given.get(name, param.default) for name, param in rule.params.items()}
    moment = as_of if as_of.tzinfo is None else as_of.astimezone(UTC).replace(tzinfo=None)
    values |= dict(zip(CLOCK, (moment, as_of.date()), strict=True))
    return {name: values[name] for name in rule.bound}


def check_params(rules: Sequence[Rule], params: Params) -> None:
    """Raises `ConfigurationError` for parameters of a rule that does not exist, or that a rule does not allow."""
    known = {rule.id: rule for rule in rules}
    for rule_id, given in params.items():
        if rule_id not in known:
            raise ConfigurationError(
                say(
                    "There are parameters for the rule {rule_id}, which does not exist; {hint}.",
                    rule_id=repr(rule_id),
                    hint=suggestion(rule_id, known),
                )
            )
        bindings(known[rule_id], datetime.now(UTC), given)


def fold(
    db: duckdb.DuckDBPyConnection, rule: Rule, bound: Mapping[str, object]
) -> list[tuple[tuple[str, ...], Judgement]]:
    """Every identity of a small estate with its judgement, passed ones too: what examples are compared with."""
    judged = local_folding.judgements(db, rule, bound)
    ids = Lookup(db, {value for identity, _ in judged for value in identity if isinstance(value, int)}).ids()
    return [
        (
            tuple(
                evidence.identity_text(ids.get(value, value) if is_uid(column) else value)
                for column, value in zip(rule.identity, identity, strict=True)
            ),
            judgement,
        )
        for identity, judgement in judged
    ]


def _here(moment: datetime, timezone: str) -> datetime:
    """A moment on the organisation's clock."""
    return moment.astimezone(zone(timezone))


def _folded(
    folding: Folding, rules: Sequence[Rule], as_of: datetime, params: Params
) -> tuple[Mapping[str, Tally], Sequence[BoundRule]]:
    """The tallies of all rules, and the rules that flagged something or could not decide."""
    check_params(rules, params)
    bound = [_bound(rule, as_of, params) for rule in rules]
    tallies = folding.tallies(bound)
    return tallies, [rule for rule in bound if tallies[rule.rule.id].flagged or tallies[rule.rule.id].unknown]


def _bound(rule: Rule, as_of: datetime, params: Params) -> BoundRule:
    given = params.get(rule.id, {})
    return BoundRule(rule=rule, params=given, as_of=as_of, values=bindings(rule, as_of, given))


def _judgements_of(
    folding: Folding, rule: Rule, identities: Iterable[Sequence[str]], as_of: datetime, params: Params
) -> dict[tuple[str, ...], Judgement]:
    fitting = [tuple(identity) for identity in identities if len(identity) == len(rule.identity)]
    return folding.judgements_of(_bound(rule, as_of, params), fitting) if fitting else {}
