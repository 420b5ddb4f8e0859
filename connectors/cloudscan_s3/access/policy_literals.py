"""What a set of statements mentions: it can tell requests apart by nothing else."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from cloudscan_s3.access.conditions import variables_in
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import Condition, Principal, Statement

_PARTITION = re.compile(r"^arn:(aws[a-z-]*):")
TWELVE_DIGITS = re.compile(r"(?<!\d)\d{12}(?!\d)")


def is_pattern(value: str) -> bool:
    """Does a value contain a wildcard?"""
    return "*" in value or "?" in value


def examples(pattern: str, fillers: Sequence[str] = ("", "x")) -> Iterator[str]:
    """Texts that a wildcard pattern matches: each filler instead of every star. What is not a pattern yields itself."""
    if not is_pattern(pattern):
        yield pattern
        return
    for filler in fillers:
        yield pattern.replace("*", filler).replace("?", (filler or "x")[0])


@dataclass(frozen=True)
class PolicyLiterals:
    """The statements that are attached to one target, and who we are."""

    statements: tuple[Statement, ...]
    own_estate: OwnEstate

    @cached_property
    def conditions(self) -> dict[str, list[tuple[Statement, Condition]]]:
        """Every condition, by its key in lower case."""
        by_key: dict[str, list[tuple[Statement, Condition]]] = {}
        for statement in self.statements:
            for condition in statement.conditions:
                by_key.setdefault(condition.key, []).append((statement, condition))
        return by_key

    def values(self, *keys: str) -> tuple[str, ...]:
        """The values that the conditions on these keys name, each once."""
        return tuple(
            dict.fromkeys(
                value for key in keys for _, condition in self.conditions.get(key, ()) for value in condition.values
            )
        )

    def fixed(self, key: str) -> tuple[str, ...]:
        """The values without a wildcard."""
        return tuple(value for value in self.values(key) if not is_pattern(value))

    def patterns(self, key: str) -> tuple[str, ...]:
        """The values with a wildcard."""
        return tuple(value for value in self.values(key) if is_pattern(value))

    @cached_property
    def relevant_keys(self) -> frozenset[str]:
        """Every key of a request on which anything depends, through a condition or a policy variable."""
        texts = [text for statement in self.statements for text in statement.resources]
        texts += [value for key in self.conditions for value in self.values(key)]
        return frozenset((*self.conditions, *(name for text in texts if "${" in text for name in variables_in(text))))

    def depend_on(self, *keys: str) -> bool:
        """Does anything depend on one of these keys?"""
        return not self.relevant_keys.isdisjoint(keys)

    @cached_property
    def partition(self) -> str:
        """The partition whose names the statements use: China and GovCloud have their own."""
        texts = [text for statement in self.statements for text in statement.resources]
        texts += [principal.value for principal in self.principals]
        texts += self.values("aws:principalarn", "aws:sourcearn")
        return next((match.group(1) for text in texts if (match := _PARTITION.match(text))), "aws")

    @cached_property
    def principals(self) -> tuple[Principal, ...]:
        """Every entry of a Principal or NotPrincipal element, each once."""
        return tuple(dict.fromkeys(principal for statement in self.statements for principal in statement.principals))

    @cached_property
    def unmentioned_account(self) -> str:
        """An account that no statement mentions and that is not ours."""
        texts = [principal.value for principal in self.principals]
        texts += [value for key in self.conditions for value in self.values(key)]
        mentioned = {number for text in texts for number in TWELVE_DIGITS.findall(text)}
        candidates = (str(number) for number in range(900000000001, 900000900000, 7))
        return next(account for account in candidates if account not in mentioned and not self.own_estate.owns(account))
