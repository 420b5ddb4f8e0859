"""Judging: rules over a snapshot, rows folded into verdicts.

A rule yields one row per piece of evidence and says `flagged`: TRUE, FALSE or NULL. Rows are folded by the rule's
`identity`: any TRUE makes it *flagged*, else any NULL makes it *unknown*, else it *passed*. The engine folds, not the
rule: SQL's own aggregates drop NULL, and "unknown" would become "passed".

Columns with a meaning to the engine, if a rule yields them: `resource_uid`, `origin_uid`, `principal_uid`,
`grant_uid` (its `detail.chain` becomes the evidence's chain), `audience`, `access`, `size_bytes`, `rank`, `since` or
`granted_on`, `owner_email`. Name, kind, address and owner of the subject are looked up and need not be yielded.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from cloudscan.days import UTC_NAME, zone
from cloudscan.engine.evidence import Evaluation, Tally, find_counted, with_containers
from cloudscan.engine.rule_file import ParamValue, Rule
from cloudscan.errors import ConfigurationError
from cloudscan.facts import AnyFact
from cloudscan.finding import Judgement, Verdict
from cloudscan.report import RuleSummary
from cloudscan.sentence import say
from cloudscan.snapshot import in_memory
from cloudscan.snapshot.snapshot import Snapshot, reading
from cloudscan.snapshot.sql import CLOCK
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
    _db: duckdb.DuckDBPyConnection

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
        return {} if rule is None else _judgements_of(self._db, rule, identities, self.as_of, self.params)

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
) -> Verdicts:
    """Apply rules to a snapshot. `as_of` is "now" for the rules; by default the moment when the scan began.

    "Today" is its day in `timezone`, the organisation's.

    Raises `ConfigurationError` for a param that does not exist or is out of bounds, `RuleError` if the database
    cannot run a query.
    """
    moment = _here(as_of or snapshot.scan.started_on, timezone)
    with reading(snapshot.path):
        return _judge(snapshot.db, rules, moment, timezone, params or {})


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
        return _judgements_of(snapshot.db, rule, identities, moment, params or {})


def preview(
    facts: Iterable[AnyFact], rules: Sequence[Rule], *, as_of: datetime, params: Params | None = None
) -> list[Verdict]:
    """Flagged verdicts on a handful of facts, before the scan ends.

    Opening costs some 30 ms and each rule about 2 ms, so hand over a batch of finished scopes, not each by itself.
    What other scopes would add is not known yet: these are first findings, not final ones.
    """
    with in_memory.open_empty() as db:
        in_memory.fill(db, in_memory.estate_of(facts))
        return list(_judge(db, rules, as_of, UTC_NAME, params or {}).flagged)


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
    return Evaluation(db, rule, bound).judgements()


def _here(moment: datetime, timezone: str) -> datetime:
    """A moment on the organisation's clock."""
    return moment.astimezone(zone(timezone))


def _judgements_of(
    db: duckdb.DuckDBPyConnection, rule: Rule, identities: Iterable[Sequence[str]], as_of: datetime, params: Params
) -> dict[tuple[str, ...], Judgement]:
    fitting = [tuple(identity) for identity in identities if len(identity) == len(rule.identity)]
    if not fitting:
        return {}
    return Evaluation(db, rule, bindings(rule, as_of, params.get(rule.id, {}))).judgements_of(fitting)


def _judge(
    db: duckdb.DuckDBPyConnection, rules: Sequence[Rule], as_of: datetime, timezone: str, params: Params
) -> Verdicts:
    check_params(rules, params)
    tallies: dict[str, Tally] = {}
    verdicts: list[Verdict] = []
    platforms = _platforms(db)
    find_counted(db)
    for rule in rules:
        bound = bindings(rule, as_of, params.get(rule.id, {}))
        if _has_nothing_to_judge(rule, platforms):
            tallies[rule.id] = Tally()
            continue
        with Evaluation(db, rule, bound) as evaluation:
            tally = tallies[rule.id] = evaluation.fold()
            if tally.flagged or tally.unknown:
                verdicts += evaluation.verdicts()
    verdicts = with_containers(db, verdicts)
    return Verdicts(
        rules=tuple(rules),
        as_of=as_of,
        timezone=timezone,
        verdicts=tuple(verdicts),
        tallies=tallies,
        params=params,
        _db=db,
    )


def _platforms(db: duckdb.DuckDBPyConnection) -> Mapping[str, AbstractSet[str]]:
    """The platforms in each table that has any rows of them. An exposure's platform is its resource's."""
    platforms = {
        table: {name for (name,) in db.execute(f"SELECT DISTINCT platform FROM {table}").fetchall()}
        for table in ("resources", "principals")
    }
    return {**platforms, "exposures": platforms["resources"]}


def _has_nothing_to_judge(rule: Rule, platforms: Mapping[str, AbstractSet[str]]) -> bool:
    """Planning a query over an empty platform costs as much as running it, and most companies use one or two."""
    return any(table in platforms and platforms[table].isdisjoint(wanted) for table, wanted in rule.confined)
