"""What a set of statements mentions: the only things by which it can tell one request from another."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from cloudscan_s3.access.conditions import variables_in
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import Condition, Principal, Statement

STRANGERS_ORGANISATION = "o-0strangers"
_PARTITION = re.compile(r"^arn:(aws[a-z-]*):")
TWELVE_DIGITS = re.compile(r"(?<!\d)\d{12}(?!\d)")


def is_pattern(value: str) -> bool:
    """Does a value have a wildcard?"""
    return "*" in value or "?" in value


def examples(pattern: str, fillers: Sequence[str] = ("", "x")) -> Iterator[str]:
    """Texts that a wildcard pattern matches: each filler in the place of every star."""
    if not is_pattern(pattern):
        yield pattern
        return
    for filler in fillers:
        yield pattern.replace("*", filler).replace("?", (filler or "x")[0])


def filled_account(pattern: str, stranger: str) -> str:
    """Twelve digits that fit a pattern of an account id, where there are any; most of them a stranger's."""
    if not is_pattern(pattern):
        return pattern
    head, star, tail = pattern.partition("*")
    tail = tail.replace("*", "")
    room = max(12 - len(head) - len(tail), 0)
    return f"{head}{stranger[len(head) : len(head) + room] if star else ''}{tail}".replace("?", "9")


@dataclass(frozen=True)
class PolicyLiterals:
    """The statements that stand at one door, and who we are."""

    statements: tuple[Statement, ...]
    us: OwnEstate

    @cached_property
    def conditions(self) -> dict[str, list[tuple[Statement, Condition]]]:
        """Every condition, by its key in lower case."""
        found: dict[str, list[tuple[Statement, Condition]]] = {}
        for statement in self.statements:
            for condition in statement.conditions:
                found.setdefault(condition.key, []).append((statement, condition))
        return found

    def values(self, *keys: str) -> tuple[str, ...]:
        """The values that the conditions on these keys name, each once."""
        return tuple(
            dict.fromkeys(v for key in keys for _, condition in self.conditions.get(key, ()) for v in condition.values)
        )

    def literals(self, key: str) -> tuple[str, ...]:
        """The values without a wildcard."""
        return tuple(value for value in self.values(key) if not is_pattern(value))

    def patterns(self, key: str) -> tuple[str, ...]:
        """The values with a wildcard."""
        return tuple(value for value in self.values(key) if is_pattern(value))

    @cached_property
    def subjects(self) -> frozenset[str]:
        """Every key of a request on which anything depends: by a condition or by a policy variable."""
        texts = [text for each in self.statements for text in each.resources]
        texts += [value for key in self.conditions for value in self.values(key)]
        return frozenset((*self.conditions, *(name for text in texts if "${" in text for name in variables_in(text))))

    @cached_property
    def partition(self) -> str:
        """The partition whose names the statements use: China and GovCloud have their own."""
        texts = [text for each in self.statements for text in each.resources]
        texts += [each.value for each in self.principals]
        texts += self.values("aws:principalarn", "aws:sourcearn")
        return next((found.group(1) for text in texts if (found := _PARTITION.match(text))), "aws")

    @cached_property
    def principals(self) -> tuple[Principal, ...]:
        """Everybody whom a Principal or NotPrincipal element names."""
        return tuple(dict.fromkeys(each for statement in self.statements for each in statement.principals))

    @cached_property
    def stranger(self) -> str:
        """An account that no statement mentions and that is not ours."""
        texts = [each.value for each in self.principals]
        texts += [value for key in self.conditions for value in self.values(key)]
        mentioned = {number for text in texts for number in TWELVE_DIGITS.findall(text)}
        candidates = (str(number) for number in range(900000000001, 900000900000, 7))
        return next(each for each in candidates if each not in mentioned and not self.us.owns(each))
