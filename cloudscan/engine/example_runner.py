"""Running rule examples: does the rule decide each small estate as its author wrote?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloudscan.engine import examples
from cloudscan.engine.evidence import identity_text
from cloudscan.engine.judge import bindings, fold
from cloudscan.engine.rule_file import Example, Rule
from cloudscan.finding import Judgement
from cloudscan.sentence import in_language, say
from cloudscan.snapshot import in_memory


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one example; `problems` is empty if it is as written."""

    rule: Rule
    example: Example
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the rule decided as its author wrote."""
        return not self.problems

    def __str__(self) -> str:
        return self.in_language("en")

    def in_language(self, language: str) -> str:
        """The example with its result, in a language (`en`, `ja`)."""
        result = "; ".join(in_language(problem, language) for problem in self.problems) or "ok"
        return f"{self.rule.source}: {self.rule.id}: it {self.example.it}: {result}"


def run(rules: Sequence[Rule]) -> Iterator[Outcome]:
    """Run every example of every rule, one after the other on one connection."""
    with in_memory.open_empty() as db:
        for rule in rules:
            for example in rule.examples:
                db.execute("BEGIN")
                in_memory.fill(db, examples.estate_of(example))
                judged = dict(fold(db, rule, bindings(rule, examples.AS_OF, example.params)))
                db.execute("ROLLBACK")
                yield Outcome(rule=rule, example=example, problems=tuple(_differences(example, judged)))


def _differences(example: Example, judged: dict[tuple[str, ...], Judgement]) -> Iterator[str]:
    expected = {
        tuple(identity_text(value) for value in identity): judgement
        for judgement, identities in (
            (Judgement.FLAGGED, example.flags),
            (Judgement.PASSED, example.passes),
            (Judgement.UNKNOWN, example.unknown),
        )
        for identity in identities
    }
    for identity, judgement in expected.items():
        if identity not in judged:
            yield say(
                "{shown} should be {judgement} but is missing from the result (does WHERE exclude it?)",
                shown=_shown(identity),
                judgement=judgement,
            )
        elif judged[identity] is not judgement:
            yield say(
                "{shown} should be {judgement} but is {judged}",
                shown=_shown(identity),
                judgement=judgement,
                judged=judged[identity],
            )
    for identity, judgement in judged.items():
        if identity not in expected and judgement is not Judgement.PASSED:
            yield say(
                "{shown} is {judgement}, which the example does not mention",
                shown=_shown(identity),
                judgement=judgement,
            )


def _shown(identity: tuple[str, ...]) -> str:
    return "[" + ", ".join(identity) + "]"
