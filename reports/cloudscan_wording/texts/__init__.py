"""The catalogues: the texts of the formats, by key, in each language.

Gettext's own files, for translators' own tools: `messages.pot` is the English source, `ja.po` its translation, and the
context of a message is its key. Plural forms and the names of months come from the Unicode CLDR, by way of
Babel.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any

from babel import Locale
from babel.dates import get_month_names

from cloudscan.days import UTC_NAME, zone, zone_name
from cloudscan.errors import ConfigurationError
from cloudscan.facts import NEVER
from cloudscan.sentence import say
from cloudscan.text import catalogue

LANGUAGES = ("en", "ja")
_LOCALES = {"en": "en_US", "ja": "ja_JP"}


@dataclass(frozen=True)
class Texts:
    """One language's catalogue. `say` fills a sentence, `count` picks its plural, `name` gives the word for an id.

    Days and times of day are those of `timezone`, a name of the IANA database.
    """

    lang: str
    table: Mapping[str, Any]
    timezone: str = UTC_NAME

    def say(self, key: str, **values: object) -> str:
        """The sentence at `group.key`, its ``{fields}`` filled in one pass: a value is never read as a field."""
        return catalogue.fill(catalogue.at(self.table, key), **values)

    def count(self, key: str, n: int, **values: object) -> str:
        """The sentence at `key` in the plural form for `n`, by the language's CLDR rules; `n` fills ``{n}``."""
        return self.say(f"{key}.{_form(self.lang, n)}", n=number(n), **values)

    def name(self, group: str, identifier: str, variant: str = "") -> str:
        """The word for an id, that of a variant first. Ids without an entry are spelt out."""
        known = self.table.get(group, {})
        entry = known.get(f"{identifier}_{variant}") or known.get(identifier)
        if entry is None:
            return re.sub(r"[-_]+", " ", identifier)
        return entry if isinstance(entry, str) else str(entry["one"])

    def plural(self, group: str, identifier: str, n: int) -> str:
        """The word for an id in the plural form for `n`; as `name` gives it if there is one form only."""
        entry = self.table.get(group, {}).get(identifier)
        return self.name(group, identifier) if not isinstance(entry, dict) else str(entry[_form(self.lang, n)])

    def day(self, moment: datetime) -> str:
        """The date in the time zone; *never*, in this language, from 9999-12-31 on."""
        return self._when("time.day", moment)

    def date(self, day: date) -> str:
        """A date that is one already, such as the last day of a waiver."""
        return self.say(
            "time.day", y=day.year, m=day.month, d=day.day, month=self.table["time"]["months"][day.month - 1]
        )

    def moment(self, moment: datetime) -> str:
        """Date and time of day, with the zone: “UTC”, “JST”, “UTC+03”."""
        return self._when("time.moment", moment)

    def ago(self, moment: datetime, now: datetime) -> str:
        """How many whole days before `now`; *today* for less than one, and for a moment after it."""
        days = max((now - moment).days, 0)
        return self.count("time.days_ago", days) if days else self.say("time.today")

    def _when(self, key: str, moment: datetime) -> str:
        if moment >= NEVER:
            return self.say("time.never")
        moment = moment.astimezone(zone(self.timezone))
        return self.say(
            key,
            y=moment.year,
            m=moment.month,
            d=moment.day,
            month=self.table["time"]["months"][moment.month - 1],
            hh=f"{moment:%H}",
            mm=f"{moment:%M}",
            zone=zone_name(moment),
        )


@cache
def load(lang: str, timezone: str = UTC_NAME) -> Texts:
    """The catalogue of a language, for a time zone. Raises ConfigurationError if there is no such language or zone."""
    return Texts(lang, _table(lang), zone(timezone).key)


@cache
def _table(lang: str) -> Mapping[str, Any]:
    if lang not in LANGUAGES:
        raise ConfigurationError(
            say(
                "No report texts for the language {lang}. Write one of: {languages}.",
                lang=repr(lang),
                languages=", ".join(LANGUAGES),
            )
        )
    table = catalogue.table(resources.files(__name__), lang)
    months = get_month_names("abbreviated", locale=_locale(lang))
    table["time"]["months"] = [months[number] for number in range(1, 13)]
    return table


def _form(lang: str, n: float) -> str:
    return _locale(lang).plural_form(n)


@cache
def _locale(lang: str) -> Locale:
    return Locale.parse(_LOCALES[lang])


def number(n: float) -> str:
    """A number as both languages write it: 1,234 or 12.5."""
    return f"{n:,.1f}".removesuffix(".0")
