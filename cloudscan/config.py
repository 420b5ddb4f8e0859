"""`cloudscan.toml`: who we are, what to scan, where to store results. Parsed strictly; it must not contain secrets."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from functools import reduce
from pathlib import Path
from typing import Any, Literal

import msgspec

from cloudscan import config_checks, config_words
from cloudscan.connector import PARTNER_SIGNS, ConnectorPlugin, Estate, Partner
from cloudscan.days import UTC_NAME, Calendar
from cloudscan.errors import ConfigurationError
from cloudscan.facts import RANKS
from cloudscan.finding import Severity
from cloudscan.organisation.register import PartnerTable
from cloudscan.report import Terms
from cloudscan.sentence import Sentence, say
from cloudscan.snapshot.organisation import NO_DAY
from cloudscan.ticketing.policy import Grouping, Policy
from cloudscan.ticketing.routing import Route

FILE_NAME = "cloudscan.toml"
_SECRET = re.compile(r"secret|token|password|passwd|access_?key|private_?key|credential", re.IGNORECASE)


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file. An unknown key is an error that names the nearest known one."""


class OrganisationTable(_Table, frozen=True, kw_only=True):
    """``[organisation]``: who *we* are, for the report and to tell who is external."""

    name: str = ""
    domains: Sequence[str] = ()  # our mail domains
    accounts: Sequence[str] = ()  # our cloud accounts, in addition to those that are scanned
    organisation_ids: Sequence[str] = ()  # our organisations' ids on the platforms: o-a1b2c3d4e5
    language: Literal["", "en", "ja"] = ""  # of reports and of the terminal; empty: as the environment
    timezone: str = UTC_NAME  # where its days begin and end, as the IANA database names it: Asia/Tokyo
    contact: str = ""  # for owners' questions about a finding; printed on the hand-outs


class RosterTable(_Table, frozen=True, kw_only=True):
    """``[roster]``: who works here, as an HR system exports it."""

    file: str = ""  # a CSV; UTF-8 or Shift_JIS
    encoding: str = ""  # only if it is another one: euc_jp
    columns: Mapping[str, str] = {}  # what your columns are called, where `cloudscan roster check` does not know them


class RankTable(_Table, frozen=True, kw_only=True):
    """``[[ranks]]``: what matters how much. docs/ranks.md says which of several entries counts."""

    rank: Literal["news-grade", "confidential", "working"]
    places: Sequence[str] = ()  # ids, web addresses, places (`Sales/Board`), patterns of places (`**/payroll`)
    tags: Sequence[str] = ()  # of buckets: `data=payroll`, `data=pay*`, or `data` alone
    labels: Sequence[str] = ()  # the platform's own sensitivity labels, by name, with stars
    containers: Sequence[str] = ()  # names of buckets, drives and sites as people see them, with stars
    departments: Sequence[str] = ()  # of the owner, with stars


class TemplatesTable(_Table, frozen=True, kw_only=True):
    """``[templates]``: who is meant to reach what."""

    files: Sequence[str] = ()  # of permission templates; * is any text: templates/*.yaml


class ScanTable(_Table, frozen=True, kw_only=True):
    """``[scan]``: how to scan, and where to store the results."""

    folder: str = ".cloudscan"  # for snapshots, ledger and reports
    rules: Sequence[str] = ()  # folders with rules of your own
    concurrency: int = 16  # requests in flight
    max_hours: float = 20.0  # what has not been read by then is a gap
    until: str = ""  # or by this time of the machine's clock, 06:00; empty: max_hours alone counts
    fail_on: Severity = Severity.HIGH  # exit code 1 for findings of this severity or worse
    log: Literal["text", "json"] = "text"  # json: one JSON object per line on stderr


class LedgerTable(_Table, frozen=True, kw_only=True):
    """``[ledger]``: where the history of findings is stored."""

    url: str = ""  # empty: a SQLite file in the scan's folder; or postgresql+psycopg://host/database
    wait_seconds: int = 120  # how long a scan waits for the database


class WaiversTable(_Table, frozen=True, kw_only=True):
    """``[waivers]``: limits for waivers."""

    max_days: int = 180  # the longest a waiver may last, from the day it is given
    due_days: int = 14  # how many days before its end a waiver is listed as due soon
    review_days: int = 182  # after how many days an exception has to be reviewed
    tolerance_percent: int = 20  # by how much a finding may grow before its waiver ends


class RankDeadlinesTable(_Table, frozen=True, kw_only=True):
    """``[deadlines.<rank>]``: other days for findings about resources of this rank; what is left out is as for all."""

    critical: int | None = None
    high: int | None = None
    medium: int | None = None
    low: int | None = None
    info: int | None = None


class DeadlinesTable(_Table, frozen=True, kw_only=True, rename="kebab"):
    """``[deadlines]``: how many days there are to fix a finding, from the day it was first seen."""

    critical: int = 7
    high: int = 30
    medium: int = 90
    low: int = 180
    info: int = 365
    news_grade: RankDeadlinesTable = RankDeadlinesTable()  # [deadlines.news-grade]: other days for this rank
    confidential: RankDeadlinesTable = RankDeadlinesTable()  # [deadlines.confidential]
    working: RankDeadlinesTable = RankDeadlinesTable()  # [deadlines.working]

    @property
    def by_severity(self) -> Mapping[Severity, int]:
        """The days for all findings."""
        return {severity: getattr(self, severity) for severity in Severity}

    @property
    def own_by_rank(self) -> Mapping[str, Mapping[Severity, int]]:
        """The days that ranks have of their own, by the rank's name."""
        tables = {"news-grade": self.news_grade, "confidential": self.confidential, "working": self.working}
        return {
            rank: {severity: days for severity in Severity if (days := getattr(table, severity)) is not None}
            for rank, table in tables.items()
        }


class RetentionTable(_Table, frozen=True, kw_only=True):
    """``[retention]``: what is removed after a scan and by `cloudscan prune`. The ledger is never shortened."""

    snapshots_days: int = 30  # snapshots older than this are removed
    keep_snapshots: int = 7  # but keep at least this many of the newest, whatever their age
    reports_days: int = 90  # HTML reports older than this are removed
    roster_days: int = 1095  # people who left, or are on no roster any more, are forgotten after this


class NotifyTable(_Table, frozen=True, kw_only=True):
    """``[notify]``: who is notified of changes after a scan, through apprise."""

    urls_env: str = ""  # the environment variable with apprise's addresses, which are secrets
    file: str = ""  # or apprise's own configuration file
    tags: Sequence[str] = ()  # of that file: use only addresses with one of these tags
    language: Literal["", "en", "ja"] = ""  # empty: the organisation's
    min_severity: Severity = Severity.MEDIUM  # leave out less severe findings
    quiet: bool = True  # send nothing if nothing changed
    after_scan: bool = True  # notify at the end of `cloudscan scan`

    @property
    def wanted(self) -> bool:
        """Whether notifications are configured."""
        return bool(self.urls_env or self.file)


class Config(_Table, frozen=True, kw_only=True):
    """The whole file."""

    organisation: OrganisationTable = OrganisationTable()
    partners: Sequence[PartnerTable] = ()
    roster: RosterTable = RosterTable()
    ranks: Sequence[RankTable] = ()
    templates: TemplatesTable = TemplatesTable()
    scan: ScanTable = ScanTable()
    ledger: LedgerTable = LedgerTable()
    waivers: WaiversTable = WaiversTable()
    deadlines: DeadlinesTable = DeadlinesTable()
    retention: RetentionTable = RetentionTable()
    connectors: Mapping[str, Mapping[str, Any]] = {}
    reports: Mapping[str, Mapping[str, Any]] = {}
    tickets: Policy = Policy()
    trackers: Mapping[str, Mapping[str, Any]] = {}
    routes: Sequence[Route] = ()
    notify: NotifyTable = NotifyTable()
    rules: Mapping[str, Mapping[str, bool | int | float | str]] = {}

    @property
    def estate(self) -> Estate:
        """Who we are, as connectors receive it."""
        us = self.organisation
        return Estate(
            name=us.name,
            domains=frozenset(domain.lower() for domain in us.domains),
            accounts=frozenset(us.accounts),
            organisations=frozenset(us.organisation_ids),
            timezone=us.timezone,
            ranked_by_tag=any(entry.tags for entry in self.ranks),
            partners=tuple(
                Partner(
                    name=partner.name,
                    owner=partner.owner,
                    contract_ends=None if partner.contract_end == NO_DAY else partner.contract_end,
                    **{field: partner.identifiers[sign] for sign, field in PARTNER_SIGNS.items()},
                )
                for partner in self.partners
            ),
        )

    def seconds_to_read(self, now: datetime) -> float:
        """How long a scan that begins now may read. The shorter of the two limits counts."""
        most = self.scan.max_hours * 3600
        if not self.scan.until:
            return most
        local = now.astimezone()
        end = datetime.combine(local.date(), time.fromisoformat(self.scan.until), local.tzinfo)
        return min(most, ((end - local) % timedelta(days=1)).total_seconds() or most)

    @property
    def _rank_days(self) -> Mapping[int, Mapping[Severity, int]]:
        return {RANKS[rank]: days for rank, days in self.deadlines.own_by_rank.items() if days}

    @property
    def terms(self) -> Terms:
        """What hand-outs and tickets say about the contact, our domains, deadlines and waivers."""
        return Terms(
            contact=self.organisation.contact,
            days=self.deadlines.by_severity,
            rank_days=self._rank_days,
            domains=self.estate.domains,
            waiver_days=self.waivers.max_days,
        )

    @property
    def grouping(self) -> Grouping:
        """What decides which ticket a finding belongs to."""
        return Grouping(policy=self.tickets, routes=self.routes, domains=self.estate.domains)

    @property
    def calendar(self) -> Calendar:
        """The organisation's days, and its deadlines."""
        return Calendar(
            timezone=self.organisation.timezone,
            deadlines=self.deadlines.by_severity,
            rank_deadlines=self._rank_days,
        )

    @property
    def folder(self) -> Path:
        """The folder for snapshots, ledger and reports."""
        return Path(self.scan.folder)

    @property
    def ledger_url(self) -> str:
        """The URL of the ledger's database."""
        return self.ledger.url or f"sqlite:///{self.folder / 'ledger.db'}"


def load(path: Path | None) -> Config:
    """The configuration at `path`; without one, `cloudscan.toml` in the current folder if it exists, else the defaults.

    Raises `ConfigurationError` with file, line, what is wrong and what to write instead.
    """
    if path is None:
        path = Path(FILE_NAME)
        if not path.exists():
            return Config()
    text = _text_of(path)
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also numbers that are too long, and brackets that are too deep
        raise config_words.not_toml(path, text, error) from error
    _refuse_secrets(path, text, data)
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        raise config_words.explained(path, text, error, Config, data) from error
    _refuse(path, config_checks.problems(config))
    return config


def check_ids(config: Config, plugins: Iterable[ConnectorPlugin], path: Path | None = None) -> None:
    """Raises `ConfigurationError` for ids of accounts and organisations that are none on any of these platforms."""
    _refuse(path or Path(FILE_NAME), config_checks.unknown_ids(config, plugins))


def _refuse(path: Path, problems: Iterable[config_checks.Problem]) -> None:
    """Raises `ConfigurationError` with all problems, each with file, line and key, if there are any."""
    sentences = [_located(path, way, problem) for way, problem in problems]
    if sentences:
        raise ConfigurationError(reduce(lambda first, then: say("{first} {then}", first=first, then=then), sentences))


def _located(path: Path, way: Sequence[config_words.Step], problem: Sentence | ConfigurationError) -> Sentence:
    where = config_words.location(path, _text_of(path), *way)
    if isinstance(problem, ConfigurationError):
        return say("{where}: {error}", where=where, error=problem)
    key = ".".join(step for step in way if isinstance(step, str))
    return say("{where}: {key}: {problem}.", where=where, key=key, problem=problem)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(
            say(
                "{path}: cannot be read ({why}); check the path and the permissions.",
                path=path,
                why=error.strerror,
            )
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(say("{path}: is not UTF-8 text; save it as UTF-8.", path=path)) from error


def options(config: Config, name: str, record: type[msgspec.Struct], path: Path | None = None) -> msgspec.Struct:
    """The options of one connector, from ``[connectors.<name>]``. Raises `ConfigurationError`."""
    return _options(config.connectors.get(name, {}), record, path, f"connectors.{name}")


def report_options(config: Config, name: str, record: type[msgspec.Struct], path: Path | None = None) -> msgspec.Struct:
    """The options of one report format, from ``[reports.<name>]``. Raises `ConfigurationError`."""
    return _options(config.reports.get(name, {}), record, path, f"reports.{name}")


def tracker_options(
    config: Config, name: str, record: type[msgspec.Struct], path: Path | None = None
) -> msgspec.Struct:
    """The options of one tracker, from ``[trackers.<name>]``, without its kind. Raises `ConfigurationError`."""
    given = {key: value for key, value in config.trackers[name].items() if key != "kind"}
    return _options(given, record, path, f"trackers.{name}")


def _options(table: Mapping[str, Any], record: type[msgspec.Struct], path: Path | None, prefix: str) -> msgspec.Struct:
    file = path or Path(FILE_NAME)
    try:
        return msgspec.convert(table, record)
    except msgspec.ValidationError as error:
        text = _text_of(file) if file.exists() else ""
        raise config_words.explained(file, text, error, record, table, prefix) from error
    except ConfigurationError as error:  # what the record itself refuses
        text = _text_of(file) if file.exists() else ""
        where = config_words.location(file, text, *prefix.split("."), error.key)
        raise ConfigurationError(say("{where}: {problem}", where=where, problem=error), key=error.key) from error


def _refuse_secrets(path: Path, text: str, table: Mapping[str, Any], inside: str = "") -> None:
    for key, value in table.items():
        if _SECRET.search(key) and not isinstance(value, Mapping):
            raise ConfigurationError(
                say(
                    "{where}: `{key}` looks like a secret, and none belongs in this file. Remove it and let the "
                    "provider's own chain find the credentials (environment, profile, role).",
                    where=config_words.location(path, text, *inside.split(".")[:-1], key),
                    key=f"{inside}{key}",
                )
            )
        for nested in value if isinstance(value, list) else [value]:
            if isinstance(nested, Mapping):
                _refuse_secrets(path, text, nested, f"{inside}{key}.")
