"""`cloudscan.toml`: who we are, what to scan, where to keep it. Read strictly; no secret belongs in it."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from cloudscan.connector import Estate, Partner
from cloudscan.errors import ConfigurationError
from cloudscan.finding import Severity
from cloudscan.report import Terms
from cloudscan.text import suggestion
from cloudscan.ticketing.plan import Policy
from cloudscan.ticketing.routing import Route

FILE_NAME = "cloudscan.toml"
_SECRET = re.compile(r"secret|token|password|passwd|access_?key|private_?key|credential", re.IGNORECASE)


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file. An unknown key is an error that names the nearest known one."""


class OrganisationTable(_Table, frozen=True, kw_only=True):
    """``[organisation]``: who *we* are, in the report and in the question who is an outsider."""

    name: str = ""
    domains: Sequence[str] = ()  # our mail domains
    accounts: Sequence[str] = ()  # cloud accounts of ours, beside those that are scanned
    organisation_ids: Sequence[str] = ()  # our organisations as the platforms call them: o-a1b2c3d4e5
    language: Literal["en", "ja"] = "en"  # of reports and of the terminal
    contact: str = ""  # whom owners ask about a finding; on the hand-outs


class PartnerTable(_Table, frozen=True, kw_only=True):
    """``[[partners]]``: an outsider we have a contract with."""

    name: str
    domains: Sequence[str] = ()
    accounts: Sequence[str] = ()  # cloud accounts, or organisation ids
    owner: str = ""  # who answers for them on our side
    contract_ends: date | None = None  # the last day, 2030-03-31; empty: not written down


class ScanTable(_Table, frozen=True, kw_only=True):
    """``[scan]``: how and where to."""

    folder: str = ".cloudscan"  # snapshots, ledger and reports are kept in it
    rules: Sequence[str] = ()  # folders of rules of our own
    concurrency: int = 16  # requests in flight
    fail_on: Severity = Severity.HIGH  # exit code 1 from this severity up
    log: Literal["text", "json"] = "text"  # json: one JSON object a line on stderr


class LedgerTable(_Table, frozen=True, kw_only=True):
    """``[ledger]``: what became of the findings."""

    url: str = ""  # empty: a SQLite file in the scan's folder; or postgresql+psycopg://host/database
    wait_seconds: int = 120  # so long a scan waits for the database before it gives up


class WaiversTable(_Table, frozen=True, kw_only=True):
    """``[waivers]``: what is accepted, and for how long."""

    max_days: int = 180  # at most, from the day on which one is given
    due_days: int = 14  # so long before its end a waiver is listed as due soon
    tolerance_percent: int = 20  # so much more may lie behind a finding before it counts as grown


class DeadlinesTable(_Table, frozen=True, kw_only=True):
    """``[deadlines]``: how many days there are to put a finding right, from when it was first seen."""

    critical: int = 7
    high: int = 30
    medium: int = 90
    low: int = 180
    info: int = 365


class RetentionTable(_Table, frozen=True, kw_only=True):
    """``[retention]``: what is removed after a scan, and by `cloudscan prune`. The ledger is never shortened."""

    snapshots_days: int = 30  # snapshots older than this are removed
    keep_snapshots: int = 7  # but so many of the newest stay, whatever their age
    reports_days: int = 90  # pages in the folder of reports


class NotifyTable(_Table, frozen=True, kw_only=True):
    """``[notify]``: who hears what changed after a scan, through apprise."""

    urls_env: str = ""  # the environment variable that holds apprise's addresses, which are secrets
    file: str = ""  # or apprise's own configuration file
    tags: Sequence[str] = ()  # of that file, only the addresses with one of these
    language: Literal["", "en", "ja"] = ""  # empty: the organisation's
    min_severity: Severity = Severity.MEDIUM  # what is less severe is not spoken of
    quiet: bool = True  # say nothing where nothing changed
    after_scan: bool = True  # `cloudscan scan` notifies by itself

    @property
    def wanted(self) -> bool:
        return bool(self.urls_env or self.file)


class Config(_Table, frozen=True, kw_only=True):
    """The whole file."""

    organisation: OrganisationTable = OrganisationTable()
    partners: Sequence[PartnerTable] = ()
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
        """Who we are, as connectors want to know it."""
        us = self.organisation
        return Estate(
            name=us.name,
            domains=frozenset(domain.lower() for domain in us.domains),
            accounts=frozenset(us.accounts),
            organisations=frozenset(us.organisation_ids),
            partners=tuple(
                Partner(
                    name=partner.name,
                    domains=frozenset(domain.lower() for domain in partner.domains),
                    accounts=frozenset(partner.accounts),
                    owner=partner.owner,
                    contract_ends=partner.contract_ends,
                )
                for partner in self.partners
            ),
        )

    @property
    def terms(self) -> Terms:
        """What hand-outs say of whom to ask and by when."""
        days = {severity: getattr(self.deadlines, severity) for severity in Severity}
        return Terms(contact=self.organisation.contact, days=days)

    @property
    def folder(self) -> Path:
        return Path(self.scan.folder)

    @property
    def ledger_url(self) -> str:
        return self.ledger.url or f"sqlite:///{self.folder / 'ledger.db'}"


def load(path: Path | None) -> Config:
    """Read the configuration; without a path, `cloudscan.toml` here if there is one, else the defaults.

    Raises `ConfigurationError` with file, line, what is wrong and what to write instead.
    """
    if path is None:
        path = Path(FILE_NAME)
        if not path.exists():
            return Config()
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read ({error.strerror}); check the path and the rights."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not UTF-8 text; save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}.") from error
    _refuse_secrets(path, text, data)
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        raise ConfigurationError(_explained(path, text, str(error), Config)) from error
    _check(path, text, config)
    return config


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
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        raise ConfigurationError(_explained(file, text, str(error), record, prefix=prefix)) from error


def _check(path: Path, text: str, config: Config) -> None:
    if config.scan.concurrency < 1:
        raise ConfigurationError(f"{_place(path, text, 'concurrency')}: concurrency must be at least 1.")
    for table, key, least in (
        (config.waivers, "max_days", 1),
        (config.waivers, "due_days", 0),
        (config.waivers, "tolerance_percent", 0),
        (config.ledger, "wait_seconds", 0),
        (config.retention, "snapshots_days", 0),
        (config.retention, "keep_snapshots", 1),
        (config.retention, "reports_days", 0),
        (config.tickets, "remind_days", 0),
        (config.tickets, "max_new", 1),
    ):
        if getattr(table, key) < least:
            raise ConfigurationError(f"{_place(path, text, key)}: {key} must be at least {least}.")
    for severity in Severity:
        if getattr(config.deadlines, severity) < 0:
            raise ConfigurationError(f"{_place(path, text, severity)}: {severity} must be at least 0 days.")
    for route in config.routes:
        if route.tracker and route.tracker not in config.trackers:
            known = suggestion(route.tracker, config.trackers) if config.trackers else "there is no [trackers.<name>]"
            raise ConfigurationError(
                f"{_place(path, text, 'routes')}: [[routes]]: there is no tracker {route.tracker!r}; {known}."
            )


def _refuse_secrets(path: Path, text: str, table: Mapping[str, Any], inside: str = "") -> None:
    for key, value in table.items():
        if _SECRET.search(key) and not isinstance(value, Mapping):
            raise ConfigurationError(
                f"{_place(path, text, key)}: `{inside}{key}` looks like a secret, and none belongs in this file. "
                "Remove it and let the provider's own chain find the credentials (environment, profile, role)."
            )
        for nested in value if isinstance(value, list) else [value]:
            if isinstance(nested, Mapping):
                _refuse_secrets(path, text, nested, f"{inside}{key}.")


def _explained(path: Path, text: str, message: str, record: type[msgspec.Struct], prefix: str = "") -> str:
    what, _, where = message.partition(" - at `$")
    steps = [step for step in re.split(r"[.\[\]]+", where.rstrip("`")) if step and not step.isdigit()]
    table = ".".join([prefix, *steps] if prefix else steps)
    last = steps[-1] if steps else prefix
    if unknown := re.search(r"unknown field `(.*)`", what):
        key = unknown[1]
        inside = f" in [{table}]" if table else ""
        known = getattr(_type_at(record, steps), "__struct_fields__", ())
        return f"{_place(path, text, key)}: the key `{key}`{inside} is not known; {suggestion(key, known)}."
    if missing := re.search(r"missing required field `(.*)`", what):
        return f"{_place(path, text, last)}: `{missing[1]}` is missing in [{table}]."
    place = _place(path, text, last)
    if wrong := re.search(r"[Ii]nvalid enum value '(.*)'", what):
        known = _words(_type_at(record, steps))
        return f"{place}: {table} cannot be {wrong[1]!r}; {suggestion(wrong[1], known)}."
    return f"{place}: {table or 'the file'}: {what[:1].lower()}{what[1:]}."


def _type_at(record: Any, steps: Sequence[str]) -> Any:
    """The type that stands at a path of keys; what a list or table holds stands for the list or table."""
    found = record
    for step in steps:
        if hasattr(found, "__struct_fields__"):
            found = {field.name: field.type for field in msgspec.structs.fields(found)}.get(step, object)
        if get_origin(found) in (Sequence, Mapping):
            found = get_args(found)[-1]
    return found


def _words(kind: Any) -> list[str]:
    """What may be written where a value is one of several words."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    return [str(word) for word in get_args(kind)]


def _place(path: Path, text: str, key: str) -> str:
    """``file:line`` where a key stands, as far as that can be seen in the text."""
    pattern = re.compile(rf"^\s*(?:\[+[^\]]*)?['\"]?{re.escape(key)}['\"]?\s*(?:=|\]|\.)")
    for number, line in enumerate(text.splitlines(), start=1):
        if pattern.match(line):
            return f"{path}:{number}"
    return str(path)
