"""The catalogues: what the formats say, key by key, in each language (`en.toml`, `ja.toml`)."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from cloudscan.errors import ConfigurationError
from cloudscan.facts import NEVER

LANGUAGES = ("en", "ja")
_FIELD = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Texts:
    """One language's catalogue. `say` fills a sentence, `count` picks its plural, `name` puts a word for an id."""

    lang: str
    table: Mapping[str, Any]

    def say(self, key: str, **values: object) -> str:
        """The sentence at `group.key`, its ``{fields}`` filled in one pass: a value is never read as a field."""
        return _FIELD.sub(lambda field: str(values[field[1]]), self._at(key))

    def count(self, key: str, n: int, **values: object) -> str:
        return self.say(f"{key}.{'one' if n == 1 else 'other'}", n=number(n), **values)

    def name(self, group: str, identifier: str, variant: str = "") -> str:
        """The word for an id, a variant's own word first. Ids that no catalogue knows are spelt out."""
        known = self.table.get(group, {})
        entry = known.get(f"{identifier}_{variant}") or known.get(identifier)
        if entry is None:
            return re.sub(r"[-_]+", " ", identifier)
        return entry if isinstance(entry, str) else str(entry["one"])

    def plural(self, group: str, identifier: str, n: int) -> str:
        entry = self.table.get(group, {}).get(identifier)
        return self.name(group, identifier) if not isinstance(entry, dict) else str(entry["one" if n == 1 else "other"])

    def day(self, moment: datetime) -> str:
        return self._when("time.day", moment)

    def moment(self, moment: datetime) -> str:
        """Date and time of day; UTC is said."""
        return self._when("time.moment", moment)

    def ago(self, moment: datetime, now: datetime) -> str:
        days = max((now - moment).days, 0)
        return self.count("time.days_ago", days) if days else self.say("time.today")

    def _when(self, key: str, moment: datetime) -> str:
        if moment >= NEVER:
            return self.say("time.never")
        moment = moment.astimezone(UTC)
        month = self.table["time"]["months"][moment.month - 1]
        return self.say(
            key, y=moment.year, m=moment.month, d=moment.day, month=month, hh=f"{moment:%H}", mm=f"{moment:%M}"
        )

    def _at(self, key: str) -> str:
        entry: Any = self.table
        for part in key.split("."):
            entry = entry[part]
        return str(entry)


def load(lang: str) -> Texts:
    """The catalogue of a language. Raises ConfigurationError where there is none."""
    if lang not in LANGUAGES:
        raise ConfigurationError(f"No report texts for the language {lang!r}. Write one of: {', '.join(LANGUAGES)}.")
    return Texts(lang, tomllib.loads(resources.files(__name__).joinpath(f"{lang}.toml").read_text("utf-8")))


def number(n: float) -> str:
    """A number as readers of both languages write it: 1,234 or 12.5."""
    return f"{n:,.1f}".removesuffix(".0")
