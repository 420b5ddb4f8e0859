"""Published figures on leaks, for scale; `published_figures.toml` has them with their sources."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One published figure in one language."""

    year: int
    value: str
    what: str
    source: str


def figures(lang: str) -> Sequence[Figure]:
    """The published figures in one language."""
    table = tomllib.loads(resources.files(__package__).joinpath("published_figures.toml").read_text("utf-8"))
    return [
        Figure(year=entry["year"], **{name: entry[name][lang] for name in ("value", "what", "source")})
        for entry in table["figure"]
    ]
