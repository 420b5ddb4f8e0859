"""A permission template: who is meant to reach what, how strongly, and until when.

A template names folders, drives, sites or buckets, and lists in `lines` for whom they are. What stands in no line is
not intended. Owners have what is theirs without a line.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, Literal

import msgspec

from cloudscan.facts import RANKS, Access, Audience
from cloudscan.organisation.patterns import folded, parts_of, problem
from cloudscan.reason import Reason
from cloudscan.sentence import Sentence, say
from cloudscan.snapshot.organisation import ORGANISATION

_STARS: Final = "*?"

_WIDEST: Final[Mapping[str, Audience]] = {
    "department": Audience.NAMED,
    "role": Audience.NAMED,
    "group": Audience.NAMED,
    "owner": Audience.OWNER,
    "partner": Audience.EXTERNAL_DOMAIN,
    "external": Audience.NAMED_EXTERNAL,
    "everybody": Audience.ORGANISATION,
    "anyone": Audience.ANYONE_WITH_LINK,
}
"""How widely a line lets its people have access, unless it says otherwise."""

_KEYS: Final = ("department", "role", "group", "partner", "who")


class TemplateLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """For whom a template's resources are. A line names one of `_KEYS`; a role may be that of a department."""

    department: str = ""  # the people of a department, by any of their posts; * is any text
    role: str = ""  # the people with a role; beside `department`: those of the department
    group: str = ""  # a group, or a cloud account, service or application: its address, id or name
    partner: str = ""  # an organisation in [[partners]]; * is any of them
    who: Literal["", "owner", "everybody", "external", "anyone"] = ""  # everybody of ours; anyone external; anyone
    access: Access  # the strongest that is intended: list, read, comment, write, manage, own
    audience: Audience | None = None  # the widest that is intended: organisation permits links for all of ours
    until: date | None = None  # the last day on which they are meant to have it
    days: int | None = None  # or for how many days from the day on which it was given

    @property
    def kind(self) -> str:
        """What the line names: a key of `_WIDEST`."""
        return self.who or next((key for key in ("department", "role", "group", "partner") if getattr(self, key)), "")

    @property
    def widest(self) -> Audience:
        """The widest audience that is intended."""
        return self.audience or _WIDEST[self.kind]

    @property
    def label(self) -> str:
        """The line in a few words, as it is written."""
        return self.who or ", ".join(f"{key} {value}" for key in _KEYS if (value := getattr(self, key)))


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who is meant to reach some folders, drives, sites or buckets, with all that is in them."""

    name: str
    where: Sequence[str] = ()  # patterns of folders, drives, sites, buckets; empty: any, if there is a rank
    platform: str = ""  # only there
    kinds: Sequence[str] = ()  # only these: shared_drive, site, folder, bucket
    rank: Literal["news-grade", "confidential", "working"] | None = None  # only what has this rank
    lines: Sequence[TemplateLine] = ()  # for whom; empty: for its owners only

    @property
    def uid(self) -> str:
        """The permanent id of the template."""
        return f"{ORGANISATION}:template/{self.name}"

    @property
    def patterns(self) -> Sequence[str]:
        """What the template names, each with the platform if it is for one."""
        written = self.where or ("**",)
        return [f"{self.platform}:{one}" for one in written] if self.platform else written

    @property
    def rank_number(self) -> int | None:
        """The rank as resources have it."""
        return RANKS[self.rank] if self.rank else None

    def weight(self, pattern: str) -> tuple[int, int]:
        """How specific a pattern is: characters that are no stars, then what else has to be so."""
        platform, rest = parts_of(pattern)
        conditions = (platform, self.kinds, self.rank)
        return sum(letter not in _STARS for letter in rest), sum(bool(one) for one in conditions)


class TemplateFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of permission templates."""

    templates: Sequence[Template]


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What the organisation intends, and whether all of it could be read."""

    templates: Sequence[Template] = ()
    doubt: Reason | None = None  # why some are missing


Fault = tuple[str, Sentence]
"""The way to a value (`.lines[2].days`), and what is wrong with it, without a full stop."""


def faults(template: Template, platforms: Sequence[str] = ()) -> Iterator[Fault]:
    """What a template says that cannot be meant."""
    if not template.name.strip():
        yield ".name", say("a template needs a name")
    if not template.where and template.rank is None:
        yield "", say("the template says neither where nor for which rank; write where: [Sales/Contracts]")
    for number, pattern in enumerate(template.where):
        if wrong := problem(pattern, platforms):
            yield f".where[{number}]", wrong
    for number, line in enumerate(template.lines):
        for way, wrong in _line_faults(line):
            yield f".lines[{number}]{way}", wrong


def _line_faults(line: TemplateLine) -> Iterator[Fault]:
    named = [key for key in _KEYS if getattr(line, key)]
    if len(named) != 1 and named != ["department", "role"]:
        yield "", say("a line is for one of department, role, group, partner or who; write one of them")
        return
    if line.audience is not None and line.audience < _WIDEST[line.kind]:
        yield (
            ".audience",
            say(
                "{audience} admits nobody of {line}; write {widest} or a wider audience, or leave it out",
                audience=str(line.audience),
                line=line.label,
                widest=str(_WIDEST[line.kind]),
            ),
        )
    if line.days is not None and line.days < 1:
        yield ".days", say("{days} days are none; write 1 or more", days=line.days)


def named_twice(templates: Sequence[Template]) -> Collection[str]:
    """The names that several templates have: by name a template is known from night to night."""
    names = [folded(one.name).strip() for one in templates]
    return {one.name for one, name in zip(templates, names, strict=True) if names.count(name) > 1}
