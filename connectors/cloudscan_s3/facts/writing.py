"""How parts of a policy are written in a step."""

from collections.abc import Sequence
from typing import Final

from cloudscan_s3.access.policy import Condition

NAMES_SHOWN: Final = 5
_QUANTIFIERS: Final = {"": "", "any": "ForAnyValue:", "all": "ForAllValues:"}


def shown(texts: Sequence[str]) -> str:
    """The first few of a list, with a sign that there are more."""
    return ", ".join(texts[:NAMES_SHOWN]) + (" …" if len(texts) > NAMES_SHOWN else "")


def condition_as_written(condition: Condition) -> str:
    """A condition on one line: aws:SourceVpce StringNotEqualsIfExists vpce-1a2b."""
    operator = f"{_QUANTIFIERS[condition.quantifier]}{condition.operator}{'IfExists' if condition.if_exists else ''}"
    return f"{condition.spelling} {operator} {shown(condition.values)}"
