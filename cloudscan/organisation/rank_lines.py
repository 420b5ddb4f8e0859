"""What the configuration says about ranks, line by line, and what a line means.

Places are patterns as `cloudscan.organisation.patterns` reads them; one without stars names a single resource, as an
id or a web address does. Everywhere upper and lower case, full and half width are the same.
"""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from fnmatch import translate
from functools import cache
from typing import Final
from urllib.parse import unquote

import msgspec

from cloudscan.organisation.patterns import folded


class Source(StrEnum):
    """What may say a rank, the one that counts first."""

    EXPLICIT = "explicit"
    TAG = "tag"
    LABEL = "label"
    PATTERN = "pattern"
    DEPARTMENT = "department"


INHERITED: Final = "inherited"
"""In the place of a `Source`: what the resource is in has a higher rank, and no line names the resource itself."""


class RankLine(msgspec.Struct, frozen=True, kw_only=True):
    """One value of an entry of ``[[ranks]]``."""

    rank: int
    source: Source
    value: str
    is_container: bool = False  # of a pattern: for names of containers, not for places


_HIGHEST: Final = 5
_RANK: Final = 1_000_000  # more than there are lines
_SOURCE: Final = 10 * _RANK
_ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
_LONG_ID: Final = re.compile(r"(?<![\w-])[\w-]{19,}(?![\w-])", re.ASCII)

ADDRESS: Final = "lower(rtrim(try(url_decode(split_part(split_part(url, '#', 1), '?', 1))), '/'))"
"""The SQL that makes the column `url` comparable with what `address_of` gives; NULL where it is not UTF-8."""


def is_address(value: str) -> bool:
    """Whether somebody named a resource by its web address."""
    return bool(_ADDRESS.match(value.strip()))


def is_single(value: str) -> bool:
    """Whether a place is one resource, named by its address, its id, or a place without stars."""
    return is_address(value) or not re.search(r"[*?]", value)


def address_of(value: str) -> str:
    """A web address without what follows its path."""
    return unquote(value.strip().partition("#")[0].partition("?")[0]).rstrip("/").lower()


def id_in(address: str) -> str:
    """The long id in an address that was copied from a browser; empty if there is none."""
    found = _LONG_ID.findall(address.partition("//")[2])
    return max(found, key=len, default="")


def name_matches(pattern: str, name: str) -> bool:
    """Whether the name of a container, a department or a label is what somebody means: a star is any text."""
    return _compiled(pattern).fullmatch(folded(name).strip()) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(folded(pattern).strip().replace("[", "[[]")))


def tag_matches(value: str, tags: Iterable[tuple[str, str]]) -> bool:
    """Whether a resource has a tag: ``key``, or ``key=pattern``."""
    name, has_value, wanted = value.partition("=")
    return any(
        folded(key) == folded(name.strip()) and (not has_value or name_matches(wanted, given)) for key, given in tags
    )


def label_matches(value: str, label: str) -> bool:
    """Whether a resource's label, or one of several that are joined by commas, is the one that is meant."""
    return any(name_matches(value, part) for part in (label, *label.split(",")) if part.strip())


def by_source(lines: Sequence[RankLine], source: Source) -> list[tuple[int, RankLine]]:
    """The lines of one source, each with its precedence, those first that count first."""
    chosen = ((precedence(number, line), line) for number, line in enumerate(lines) if line.source is source)
    return sorted(chosen, key=lambda one: one[0])


def precedence(number: int, line: RankLine) -> int:
    """A number that is the lower the sooner a line counts: by its source, its rank, and where it stands."""
    return list(Source).index(line.source) * _SOURCE + (_HIGHEST - line.rank) * _RANK + number


def number_in(precedence_: str) -> str:
    """The SQL that gives the number of a line, from its precedence."""
    return f"({precedence_} % {_RANK})"
