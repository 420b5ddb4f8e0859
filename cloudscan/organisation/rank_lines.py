"""What the configuration says about ranks, as patterns that a database can compare with millions of resources.

Names are compared as NFKC and without case: full-width forms, half-width katakana and decomposed accents are the same.
In a pattern ``*`` is any text, with slashes in it, ``?`` one character. A pattern for paths is compared with the
container and the path between slashes, ``/hr/payroll/2026.xlsx/``, so that ``HR/*`` is HR itself and all that is in it.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import StrEnum
from fnmatch import translate
from functools import cache
from typing import Final
from urllib.parse import unquote

import msgspec


class Source(StrEnum):
    """What may say a rank, the one that counts first."""

    EXPLICIT = "explicit"
    TAG = "tag"
    LABEL = "label"
    PATTERN = "pattern"
    DEPARTMENT = "department"


INHERITED: Final = "inherited"
"""In the place of a `Source`: what the resource is in has a higher rank, and no entry names the resource itself."""


class RankLine(msgspec.Struct, frozen=True, kw_only=True):
    """One value of an entry of ``[[ranks]]``."""

    rank: int
    source: Source
    value: str
    platform: str = ""  # only there; empty: anywhere
    of_container: bool = False  # of a pattern: for names of containers, not for paths


_HIGHEST: Final = 5
_RANK: Final = 1_000_000  # more than there are lines
_SOURCE: Final = 10 * _RANK
_WILD: Final = re.compile(r"[*?]")
_ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
_LONG_ID: Final = re.compile(r"(?<![\w-])[\w-]{19,}(?![\w-])", re.ASCII)
PLAIN: Final = r"[\x{00}-\x{7f}\x{3041}-\x{3096}\x{30a1}-\x{30fe}\x{4e00}-\x{9fff}]*"
"""The texts that `lower` folds just as `folded_text` does, for RE2: most names, in European and Japanese companies."""


def folded_text(text: str) -> str:
    """A name or path, for comparison."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def is_address(value: str) -> bool:
    """Whether somebody named a resource by its web address."""
    return bool(_ADDRESS.match(value))


def address_of(value: str) -> str:
    """A web address without what follows its path, as `ADDRESS` makes it of a resource's."""
    return unquote(value.partition("#")[0].partition("?")[0]).rstrip("/").lower()


ADDRESS: Final = "lower(rtrim(url_decode(split_part(split_part(url, '#', 1), '?', 1)), '/'))"
"""The SQL that makes a resource's address comparable."""


def id_in(address: str) -> str:
    """The long id in an address that was copied from a browser; empty if there is none."""
    found = _LONG_ID.findall(address.partition("//")[2])
    return max(found, key=len, default="")


def path_of(value: str) -> str:
    """A container and a path, as texts of resources are compared with it."""
    return f"/{folded_text(value).strip('/')}/"


def matcher(pattern: str) -> re.Pattern[str]:
    """A pattern for names that are compared here, not in the database."""
    return _compiled(folded_text(pattern))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern.replace("[", "[[]")))


def path_condition(pattern: str, text: str) -> str:
    """The SQL that compares an expression, a folded text between slashes, with a pattern for paths.

    It is the cheapest comparison that does it: DuckDB has fast ones for a beginning, an end and a part.
    """
    glob = re.sub(r"\*+", "*", folded_text(pattern))
    glob = glob if glob.startswith(("*", "/")) else f"/{glob}"
    glob = glob if glob.endswith(("*", "/")) else f"{glob}/"
    inner = glob.strip("*")
    if inner and not _WILD.search(inner):
        begins, ends = not glob.startswith("*"), not glob.endswith("*")
        if begins and ends:
            return f"{text} = {quoted(inner)}"
        return f"{'starts_with' if begins else 'suffix' if ends else 'contains'}({text}, {quoted(inner)})"
    like = re.sub(r"([\\%_])", r"\\\1", glob).replace("*", "%").replace("?", "_")
    return f"{text} LIKE {quoted(like)} ESCAPE '\\'"


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''").replace("\0", "") + "'"


def on_platform(line: RankLine, condition: str, column: str) -> str:
    """A condition that holds on the line's platform alone."""
    return f"({column} = {quoted(line.platform)} AND ({condition}))" if line.platform else f"({condition})"


def tag_matches(value: str, tags: Iterable[tuple[str, str]]) -> bool:
    """Whether a resource has a tag: ``key``, or ``key=pattern``."""
    name, has_value, wanted = value.partition("=")
    return any(
        folded_text(key) == folded_text(name.strip())
        and (not has_value or matcher(wanted.strip()).fullmatch(folded_text(given)) is not None)
        for key, given in tags
    )


def label_matches(value: str, label: str) -> bool:
    """Whether a resource's label, or one of several that are joined by commas, is the one that is meant."""
    parts = (label, *label.split(","))
    return any(matcher(value).fullmatch(folded_text(part).strip()) for part in parts if part.strip())


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
