"""What is wrong in the register of partners, ``[[partners]]``, although every value is of the right type."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from cloudscan.config_words import Step
from cloudscan.organisation import patterns
from cloudscan.organisation.register import PartnerTable
from cloudscan.sentence import Sentence, say
from cloudscan.text import domain_of, suggestion

if TYPE_CHECKING:
    from cloudscan.config import Config

_DUE: Final = (("training_shown", "training_due"), ("logs_shown", "logs_due"), ("reviewed", "review_due"))
_TEXTS: Final = ("accounts", "organisations", "applications")


def problems(config: "Config") -> Iterator[tuple[Sequence[Step], Sentence]]:
    """The way to each value, and what is wrong with it, without a full stop."""
    names = [one.name for one in config.partners]
    ours = {domain.lower() for domain in config.organisation.domains}
    seen: set[str] = set()
    for number, entry in enumerate(config.partners):
        for key, problem in _problems(entry, names, ours, config.connectors):
            yield ("partners", number, key), problem
        if entry.key in seen:
            key = "id" if entry.id else "name"
            yield (
                ("partners", number, key),
                say("another contract is called {name} as well; give each an id of its own", name=repr(entry.key)),
            )
        seen.add(entry.key)


def _problems(
    entry: PartnerTable, names: Sequence[str], ours: Collection[str], platforms: Collection[str]
) -> Iterator[tuple[str, Sentence]]:
    if not entry.name.strip():
        yield "name", say("a partner needs a name")
    for key in _TEXTS:
        if any(one != one.strip() or not one for one in getattr(entry, key)):
            yield key, say("an id is empty or begins or ends with a space; remove it")
    for key in ("addresses", "groups"):
        for address in getattr(entry, key):
            if not _is_address(address):
                yield key, say("{value} is not a mail address", value=repr(address))
            elif domain_of(address) in ours:
                yield key, say("{value} is an address of ours; remove it", value=address)
    yield from _days(entry)
    for pattern in entry.places:
        if problem := patterns.problem(pattern, sorted(platforms)):
            yield "places", problem
    for name in entry.sub_contractors:
        is_domain = "." in name and not set(name) & set(" @/")
        if not is_domain and name not in names:
            hint = suggestion(name, names)
            yield (
                "sub_contractors",
                say("{name} is neither a mail domain nor a partner; {hint}", name=repr(name), hint=hint),
            )
    if entry.incident_hours is not None and entry.incident_hours < 1:
        yield "incident_hours", say("it must be at least {least}", least=1)


def _days(entry: PartnerTable) -> Iterator[tuple[str, Sentence]]:
    """Days that contradict each other."""
    if entry.ends and entry.contract_ends and entry.ends != entry.contract_ends:
        yield "contract_ends", say("it is the older name of ends, which says another day; remove it")
    if entry.starts and entry.last_day and entry.last_day < entry.starts:
        yield "ends", say("the contract ends before it starts")
    if entry.renews and not entry.last_day:
        yield "renews", say("write with ends until when the contract runs before it renews itself")
    for shown, due in _DUE:
        if getattr(entry, shown) and getattr(entry, due) and getattr(entry, due) < getattr(entry, shown):
            yield due, say("it is before {key}", key=shown)


def _is_address(text: str) -> bool:
    mailbox, _, domain = text.rpartition("@")
    return bool(mailbox) and "." in domain and not set(text) & set(" ,;<>")
