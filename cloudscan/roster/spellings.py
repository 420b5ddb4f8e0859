"""What exports call things: the tables of ``spellings.toml``."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from cloudscan.roster.folding import folded

Word = TypeVar("Word", bound=StrEnum)


@cache
def spellings(table: str, words: type[Word]) -> Mapping[str, Word]:
    """The word for each folded spelling in a table; where two words share one, the first has it."""
    given = _tables()[table]
    return {folded(name): word for word in reversed(words) for name in given.get(word.value, ())}


@cache
def _tables() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(resources.files(__package__).joinpath("spellings.toml").read_text("utf-8"))
