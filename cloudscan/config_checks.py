"""Values in `cloudscan.toml` that are of the right type and still wrong.

Domains, accounts and organisations decide who is external: a domain that matches nothing makes colleagues external, one
that anybody can get an address in makes everybody a colleague.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from cloudscan import partner_checks
from cloudscan.config_words import Step
from cloudscan.connector import ConnectorPlugin, IdShape
from cloudscan.days import nearest_zone, zone
from cloudscan.errors import ConfigurationError
from cloudscan.finding import Severity
from cloudscan.organisation import patterns
from cloudscan.organisation.patterns import folded
from cloudscan.organisation.rank_lines import is_single
from cloudscan.sentence import Sentence, say
from cloudscan.text import CONSUMER, suggestion

if TYPE_CHECKING:
    from cloudscan.config import Config

Problem = tuple[Sequence[Step], Sentence | ConfigurationError]
"""The way to a value, and what is wrong with it: without a full stop, or an error that says all."""

_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LONGEST_SCAN: Final = 720  # hours
_MOST_REQUESTS: Final = 512  # in flight
_RANKED_BY: Final = ("places", "tags", "labels", "containers", "departments")
_LABEL: Final = re.compile(r"(?!-)[^\W_](?:[\w-]{0,61}[^\W_])?")
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_REGISTRIES: Final = frozenset(
    {"ac", "co", "com", "ed", "edu", "go", "gov", "gr", "lg", "ne", "net", "nom", "or", "org"}
)
"""Second-level names below which countries register domains: co.jp, com.au."""


def problems(config: "Config") -> Iterator[Problem]:
    """What is wrong, and where, in the order of the file's tables."""
    yield from _whose(config)
    yield from partner_checks.problems(config)
    yield from _where(config)
    yield from _ranked(config)
    yield from _scanning(config)
    yield from _least(config)
    for number, route in enumerate(config.routes):
        if route.tracker and route.tracker not in config.trackers:
            hint = (
                suggestion(route.tracker, config.trackers) if config.trackers else say("write [trackers.<name>] first")
            )
            problem = say("there is no tracker {name}; {hint}", name=repr(route.tracker), hint=hint)
            yield ("routes", number, "tracker"), problem


def unknown_ids(config: "Config", plugins: Iterable[ConnectorPlugin]) -> Iterator[Problem]:
    """Ids of accounts and organisations that are none on any of these platforms.

    Where no platform says how its ids look, they are taken as they are.
    """
    chosen = list(plugins)
    accounts = [(one.title, one.account_ids) for one in chosen if one.account_ids]
    organisations = [(one.title, one.organisation_ids) for one in chosen if one.organisation_ids]
    us = config.organisation
    yield from _misshapen(("organisation", "accounts"), us.accounts, accounts)
    yield from _misshapen(("organisation", "organisation_ids"), us.organisation_ids, organisations)
    for number, partner in enumerate(config.partners):
        yield from _misshapen(("partners", number, "accounts"), partner.accounts, [*accounts, *organisations])
        # A tenant is named by a GUID, which no platform here calls the id of an organisation.
        ids = [one for one in partner.organisations if not _GUID.fullmatch(one)]
        yield from _misshapen(("partners", number, "organisations"), ids, organisations)


def _misshapen(way: Sequence[Step], ids: Sequence[str], shapes: Sequence[tuple[str, IdShape]]) -> Iterator[Problem]:
    for value in ids if shapes else ():
        if not any(re.fullmatch(shape.pattern, value) for _, shape in shapes):
            examples = ", ".join(f"{shape.example} ({title})" for title, shape in shapes)
            problem = say("{value} is not such an id; write one like {examples}", value=repr(value), examples=examples)
            yield way, problem


def _whose(config: "Config") -> Iterator[Problem]:
    """Domains that are none, that anybody may have, or that are said to be ours and a partner's.

    Two partners may have one domain: that is two contracts.
    """
    us = config.organisation
    ours = {*(domain.lower() for domain in us.domains), *us.accounts, *us.organisation_ids}
    for domain in us.domains:
        if problem := _domain_problem(domain):
            yield ("organisation", "domains"), problem
    if any(one != one.strip() or not one for one in (*us.accounts, *us.organisation_ids)):
        yield ("organisation", "accounts"), say("an id is empty or begins or ends with a space; remove it")
    for number, partner in enumerate(config.partners):
        for domain in partner.domains:
            if problem := _domain_problem(domain):
                yield ("partners", number, "domains"), problem
        named = {"domains": [one.lower() for one in partner.domains], "accounts": partner.accounts,
                 "organisations": partner.organisations}  # fmt: skip
        for key, values in named.items():
            for value in ours.intersection(values):
                yield (
                    ("partners", number, key),
                    say("{value} is said to be ours as well; keep one of them", value=value),
                )


def _ranked(config: "Config") -> Iterator[Problem]:
    """Entries that name nothing or everything, and what is said to have two ranks."""
    said: dict[tuple[str, str], str] = {}
    for number, entry in enumerate(config.ranks):
        way = ("ranks", number)
        if not any(getattr(entry, key) for key in _RANKED_BY):
            keys = ", ".join(_RANKED_BY)
            yield (*way, "rank"), say("the entry names nothing that has this rank; write one of {keys}", keys=keys)
        for key in _RANKED_BY:
            for value in getattr(entry, key):
                if problem := _rank_problem(key, value):
                    yield (*way, key), problem
                before = said.setdefault((key, folded(value).strip()), entry.rank)
                if before != entry.rank:
                    twice = say(
                        "{value} is said to be {rank} as well; keep one of them", value=repr(value), rank=before
                    )
                    yield (*way, key), twice


def _rank_problem(key: str, value: str) -> Sentence | None:
    if not value.strip():
        return say("a value is empty; remove it")
    if key == "tags" and not value.partition("=")[0].strip():
        return say("{value} names no tag; write one like data=payroll", value=repr(value))
    if key != "tags" and not value.strip("*?/ "):
        return say("{value} fits everything, and a rank says what matters more than the rest; narrow it",
                   value=repr(value))  # fmt: skip
    return patterns.problem(value) if key == "places" and not is_single(value) else None


def _where(config: "Config") -> Iterator[Problem]:
    """A time zone that the database of zones does not have."""
    name = config.organisation.timezone
    try:
        zone(name)
    except ConfigurationError:
        near = nearest_zone(name)
        yield ("organisation", "timezone"), say("there is no time zone {name}; {near}", name=repr(name), near=near)


def _domain_problem(domain: str) -> Sentence | None:
    """What is wrong with a mail domain; None if nothing is."""
    if not domain.strip():
        return say("a domain is empty; remove it")
    bare = unicodedata.normalize("NFKC", domain).strip().lower()
    bare = re.sub(r"^[a-z]+://", "", bare).partition("/")[0].partition(":")[0].rpartition("@")[2].strip(".")
    if bare.startswith("*."):
        return say(
            "{value} has a star; write each subdomain in full, such as mail.{domain}",
            value=repr(domain),
            domain=bare[2:],
        )
    labels = bare.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return say("{value} is not a mail domain; write one like example.com", value=repr(domain))
    if bare != domain.lower():
        return say("{value} is not a bare mail domain; write {domain}", value=repr(domain), domain=bare)
    if bare in CONSUMER:
        return say("anybody can have an address at {domain}; remove it", domain=bare)
    if len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _REGISTRIES:
        return say("{domain} is shared by all who register a domain there; write example.{domain}", domain=bare)
    return None


def _scanning(config: "Config") -> Iterator[Problem]:
    scan = config.scan
    if not 1 <= scan.concurrency <= _MOST_REQUESTS:
        yield ("scan", "concurrency"), say("it must be at least 1 and at most {most}", most=_MOST_REQUESTS)
    if not 0 < scan.max_hours <= _LONGEST_SCAN:
        yield ("scan", "max_hours"), say("it must be more than 0 and at most {most}", most=_LONGEST_SCAN)
    if scan.until and not _TIME.fullmatch(scan.until):
        yield ("scan", "until"), say("it must be a time of day, such as 06:00")


def _least(config: "Config") -> Iterator[Problem]:
    """Numbers below which nothing works."""
    for table, key, least in (
        ("waivers", "max_days", 1),
        ("waivers", "due_days", 0),
        ("waivers", "review_days", 1),
        ("waivers", "tolerance_percent", 0),
        ("ledger", "wait_seconds", 0),
        ("retention", "snapshots_days", 0),
        ("retention", "keep_snapshots", 1),
        ("retention", "reports_days", 0),
        ("retention", "roster_days", 0),
        ("tickets", "remind_days", 0),
        ("tickets", "max_new", 1),
        *(("deadlines", severity.value, 0) for severity in Severity),
    ):
        if getattr(getattr(config, table), key) < least:
            yield (table, key), say("it must be at least {least}", least=least)
    for rank, days in config.deadlines.own_by_rank.items():
        for severity, most in days.items():
            if most < 0:
                yield ("deadlines", rank, severity.value), say("it must be at least {least}", least=0)
