"""Answers that are remembered from one scan to the next, so that what has not changed is not asked again.

Only answers of which every change is logged are remembered (`AwsQuestion.is_logged`), and only answers: a question that
was refused is asked again. They are kept as AWS gave them, before anything is concluded, so that each scan judges them
anew by what it knows of the account, the organisation and us.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from cloudscan_s3.questions import AwsQuestion

_MOMENT: Final = "$moment"  # the key of a packed time; no service has a member of that name
_METADATA: Final = "ResponseMetadata"

Packed = Mapping[str, Any]
"""Answers as JSON has them, by question, Region and arguments. None: nothing was configured."""


class Known(msgspec.Struct, frozen=True):
    """A remembered answer."""

    answer: Mapping[str, Any] | None


@dataclass
class Memory:
    """The answers of an earlier scan that still stand, and those of this one. For one scope, and so for one thread."""

    earlier: Packed = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)

    def recall(self, question: AwsQuestion, region: str, arguments: Mapping[str, object]) -> Known | None:
        """The answer, which is then kept for the next scan too; None if it has to be asked for."""
        key = key_of(question, region, arguments)
        if not question.is_logged or key not in self.earlier:
            return None
        packed = self.kept[key] = self.earlier[key]
        return Known(_unpacked(packed))

    def keep(
        self, question: AwsQuestion, region: str, arguments: Mapping[str, object], answer: Mapping[str, Any] | None
    ) -> None:
        """Remember an answer, unless it would not come back as it is."""
        if not question.is_logged:
            return
        plain = answer if answer is None else {name: value for name, value in answer.items() if name != _METADATA}
        try:
            packed = msgspec.json.decode(msgspec.json.encode(_packed(plain)))
        except (TypeError, ValueError, RecursionError):
            return
        if _unpacked(packed) == plain:
            self.kept[key_of(question, region, arguments)] = packed


def key_of(question: AwsQuestion, region: str, arguments: Mapping[str, object]) -> str:
    """What an answer is remembered by."""
    return f"{question.name} {region} {msgspec.json.encode(arguments, order='sorted').decode()}"


def region_of(key: str) -> str:
    """The Region in which a remembered question was asked."""
    return key.split(" ", 2)[1]


def _packed(value: Any) -> Any:
    if isinstance(value, datetime):
        return {_MOMENT: value.isoformat()}
    if isinstance(value, Mapping):
        return {str(name): _packed(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_packed(one) for one in value]
    return value


def _unpacked(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.keys() == {_MOMENT}:
            return datetime.fromisoformat(value[_MOMENT])
        return {name: _unpacked(one) for name, one in value.items()}
    return [_unpacked(one) for one in value] if isinstance(value, list) else value
