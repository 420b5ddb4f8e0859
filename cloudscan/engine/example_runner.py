"""Rule examples, run: does the rule say of each small estate what its author wrote?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloudscan.engine import examples
from cloudscan.engine.judge import bindings, fold
from cloudscan.engine.rule_file import Example, Rule
from cloudscan.finding import Judgement
from cloudscan.snapshot import in_memory

_CLAIM = {Judgement.FLAGGED: "flagged", Judgement.PASSED: "passed", Judgement.UNKNOWN: "unknown"}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one example came out; `complaints` is empty where it holds."""

    rule: Rule
    example: Example
    complaints: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.complaints

    def __str__(self) -> str:
        said = "; ".join(self.complaints) or "ok"
        return f"{self.rule.source}: {self.rule.id}: it {self.example.it}: {said}"


def run(rules: Sequence[Rule]) -> Iterator[Outcome]:
    """Run every example of every rule, one after the other on one connection."""
    with in_memory.open_empty() as db:
        for rule in rules:
            for example in rule.examples:
                db.execute("BEGIN")
                in_memory.fill(db, examples.estate_of(example))
                said = dict(fold(db, rule, bindings(rule, examples.AS_OF, example.params)))
                db.execute("ROLLBACK")
                yield Outcome(rule=rule, example=example, complaints=tuple(_differences(example, said)))


def _differences(example: Example, said: dict[tuple[str, ...], Judgement]) -> Iterator[str]:
    expected = {
        tuple(examples.identity_words(value) for value in identity): judgement
        for judgement, identities in (
            (Judgement.FLAGGED, example.flags),
            (Judgement.PASSED, example.passes),
            (Judgement.UNKNOWN, example.unknown),
        )
        for identity in identities
    }
    for identity, judgement in expected.items():
        if identity not in said:
            yield f"{_words(identity)} should be {_CLAIM[judgement]} but never came up (is it left out by WHERE?)"
        elif said[identity] is not judgement:
            yield f"{_words(identity)} should be {_CLAIM[judgement]} but is {_CLAIM[said[identity]]}"
    for identity, judgement in said.items():
        if identity not in expected and judgement is not Judgement.PASSED:
            yield f"{_words(identity)} is {_CLAIM[judgement]}, which the example does not mention"


def _words(identity: tuple[str, ...]) -> str:
    return "[" + ", ".join(identity) + "]"
