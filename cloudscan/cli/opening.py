"""Opening what commands work on: the configuration, the ledger, the rules, the connectors, the report formats."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.request import url2pathname

import msgspec

from cloudscan import config as configuration
from cloudscan.cli.language import current
from cloudscan.config import Config
from cloudscan.connector import Connector, ConnectorPlugin, Cursor, Permission, Scope, Yielded
from cloudscan.errors import CloudscanError, ConfigurationError, SnapshotError
from cloudscan.report import ReportFormat
from cloudscan.sentence import say
from cloudscan.text import suggestion

if TYPE_CHECKING:
    from cloudscan.engine.rule_file import Rule
    from cloudscan.ledger.ledger import Ledger
    from cloudscan.nightly.selection import ScopeSelection
    from cloudscan.redaction.redactor import Redactor
    from cloudscan.report import Report
    from cloudscan.snapshot.translation import Translation
    from cloudscan.store import Store


def load_config(path: str | None) -> Config:
    """The configuration in the file at `path`, else in `cloudscan.toml` here, else the defaults.

    Where it does not say the organisation's language, it is the terminal's. Raises `ConfigurationError`.
    """
    config = configuration.load(Path(path) if path else None)
    if config.organisation.language:
        return config
    organisation = msgspec.structs.replace(config.organisation, language=current())
    return msgspec.structs.replace(config, organisation=organisation)


def open_ledger(config: Config, *, wait_seconds: float = 0.0) -> "Ledger":
    """The configured ledger; `wait_seconds` is how long to wait for its database. Raises `LedgerError`."""
    from cloudscan.ledger.ledger import Ledger
    from cloudscan.nightly.lost_ledger import refuse_emptied

    tolerance = config.waivers.tolerance_percent / 100
    ledger = Ledger(
        config.ledger_url,
        tolerance=tolerance,
        grouping=config.grouping,
        wait_seconds=wait_seconds,
        calendar=config.calendar,
    )
    refuse_emptied(ledger.file, config.folder)
    return ledger


def snapshot_folder(config: Config, named: str | None) -> Path:
    """The folder of the named snapshot, else of the last one. Raises `SnapshotError` where there is none."""
    from cloudscan.snapshot.store import latest_snapshot

    folder = Path(named) if named else latest_snapshot(config.folder / "snapshots")
    if folder is None:
        raise SnapshotError(say("No snapshot exists yet; run `cloudscan scan` first, or name one with --snapshot."))
    return folder


def redaction_key(config: Config) -> bytes:
    """The key of redaction, stored beside the ledger; created on first use. Raises `ConfigurationError`."""
    from cloudscan.redaction import redactor

    return redactor.key_at(config.folder / "redaction.key")


def redactor(config: Config) -> "Redactor":
    """Redaction with the configured folder's key, for the rules in force."""
    from cloudscan.redaction.redactor import Redactor

    return Redactor(redaction_key(config), load_rules(config))


def load_rules(config: Config, more: Sequence[str] = (), *, for_judging: bool = False) -> "tuple[Rule, ...]":
    """All rules, proven where they never were before, which is noted in the configured folder. Raises `RuleError`.

    `for_judging`: what they say of settings is checked, too, for which all connectors have to be imported, and so are
    the parameters that the configuration has for them. Raises `ConfigurationError` for these.
    """
    from cloudscan import plugins
    from cloudscan.engine import loader
    from cloudscan.engine.judge import check_params

    settings = plugins.declared_settings() if for_judging else None
    rules = loader.load(all_rule_folders(config, more), settings, proven_in=proven_file(config))
    if for_judging:
        check_params(rules, config.rules)
    return rules


def proven_file(config: Config) -> Path:
    """The file that lists the rules which were proven before."""
    return config.folder / "proven-rules.json"


def last_report(config: Config, file: str | None) -> "Report":
    """The report in a file, or else the ledger's last one. Raises `ConfigurationError`, `LedgerError`."""
    if file is not None:
        return _read_report(Path(file))
    report = open_ledger(config).latest()
    if report is None:
        raise ConfigurationError(say("There is no scan yet; run `cloudscan scan` first."))
    return report


def _read_report(path: Path) -> "Report":
    from cloudscan.days import zone
    from cloudscan.report import SCHEMA_VERSION, Report

    try:
        report = msgspec.json.decode(path.read_bytes(), type=Report)
    except OSError as error:
        raise ConfigurationError(
            say("{path}: cannot be read ({why}); check the path and the permissions.", path=path, why=error.strerror)
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            say(
                "{path}: is not a cloudscan report ({error}); write one with `cloudscan report --format json`.",
                path=path,
                error=error,
            )
        ) from error
    if report.schema.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise ConfigurationError(
            say(
                "{path}: a report of version {schema}; this cloudscan reads {schema_version}.",
                path=path,
                schema=report.schema,
                schema_version=SCHEMA_VERSION,
            )
        )
    zone(report.timezone)
    return report


def all_rule_folders(config: Config, more: Sequence[str]) -> list[Path]:
    """The shipped rules' folders, then the configured ones, then `more`.

    Raises `ConfigurationError` for a folder in which there is no rule: it is not the one that was meant.
    """
    from cloudscan import plugins

    own = [Path(folder) for folder in (*config.scan.rules, *more)]
    for folder in own:
        if folder.is_dir() and not any(folder.rglob("*.y*ml")):
            near = [one.name for one in sorted(folder.absolute().parent.iterdir()) if _has_rules(one) and one != folder]
            hint = suggestion(folder.name, near) if near else say("name another folder")
            raise ConfigurationError(
                say("{folder}: there is no rule in this folder; {hint}, or leave it out.", folder=folder, hint=hint)
            )
    return [*plugins.rule_folders(), *own]


def _has_rules(folder: Path) -> bool:
    return folder.is_dir() and any(folder.glob("*.y*ml"))


def chosen_plugins(config: Config, names: Sequence[str]) -> list[ConnectorPlugin]:
    """The connectors to use: the named ones, else the configured ones, else the only installed one.

    Raises `ConfigurationError` for one that is not installed, and where there is none to choose.
    """
    from cloudscan import plugins

    installed = plugins.connector_names()
    for name in config.connectors:
        if name not in installed:
            raise ConfigurationError(
                say(
                    "[connectors.{name}]: no such connector is installed; {hint}.",
                    name=name,
                    hint=suggestion(name, installed),
                )
            )
    return [plugins.connector(name) for name in chosen_connectors(config, names)]


def chosen_connectors(config: Config, names: Sequence[str]) -> list[str]:
    """The names of the connectors to use, as `chosen_plugins` chooses them; not all of them may be installed.

    Raises `ConfigurationError` where there is none to choose.
    """
    from cloudscan import plugins

    installed = plugins.connector_names()
    wanted = list(names or config.connectors or (installed if len(installed) == 1 else ()))
    if not wanted:
        raise ConfigurationError(
            say(
                "Nothing to scan: name a connector with --connector ({installed}), or write "
                "[connectors.<name>] into cloudscan.toml (`cloudscan init` does).",
                installed=", ".join(installed),
            )
        )
    return list(dict.fromkeys(wanted))


def open_format(config: Config, name: str, path: str | None) -> ReportFormat:
    """The report format `name` with its configured options. Raises `ConfigurationError`."""
    from cloudscan import plugins

    installed = plugins.format_names()
    for configured_name in config.reports:
        if configured_name not in installed:
            raise ConfigurationError(
                say(
                    "[reports.{configured_name}]: no such format is installed; {hint}.",
                    configured_name=configured_name,
                    hint=suggestion(configured_name, installed),
                )
            )
    format_ = plugins.report_format(name)
    given = configuration.report_options(config, name, format_.options, Path(path) if path else None)
    return format_.using(given) if format_.using else format_


def with_only_shared(config: Config, plugins: Sequence[ConnectorPlugin]) -> Config:
    """The configuration with `only_shared` set for every connector that has such an option.

    Raises `ConfigurationError` if none of them has.
    """
    able = [plugin.name for plugin in plugins if "only_shared" in plugin.options.__struct_fields__]
    if not able:
        raise ConfigurationError(
            say(
                "--only-shared: {plugins} cannot list only what is shared; leave the option out.",
                plugins=", ".join(plugin.name for plugin in plugins),
            )
        )
    changed = {name: {**config.connectors.get(name, {}), "only_shared": True} for name in able}
    return msgspec.structs.replace(config, connectors={**config.connectors, **changed})


def open_connectors(config: Config, plugins: Sequence[ConnectorPlugin], path: str | None) -> list[Connector]:
    """The connectors with their configured options.

    A platform that cannot be opened beside others is read as one that refuses: its row says why, and the others are
    scanned. Raises `ConfigurationError` for options that are not known, for ids of accounts that are none on any of
    them, and where no platform can be opened.
    """
    configuration.check_ids(config, plugins, _path(path))
    given = [(plugin, configuration.options(config, plugin.name, plugin.options, _path(path))) for plugin in plugins]
    connectors: list[Connector] = []
    errors: list[CloudscanError] = []
    for plugin, options in given:
        try:
            connectors.append(_opened(config, plugin, options))
        except CloudscanError as error:
            errors.append(error)
            connectors.append(_unopened(plugin, error))
    if errors and len(errors) == len(connectors):
        raise ConfigurationError(" ".join(map(str, errors))) from errors[0]
    return connectors


def open_on_any_machine(
    config: Config, path: str | None, chosen: "ScopeSelection", only_shared: bool, name: str
) -> Connector:
    """One connector as a scan opens it, restricted to what is chosen. Raises `CloudscanError`."""
    from cloudscan import plugins
    from cloudscan.nightly.selection import restricted

    plugin = plugins.connector(name)
    if only_shared and "only_shared" in plugin.options.__struct_fields__:
        config = with_only_shared(config, [plugin])
    options = configuration.options(config, name, plugin.options, _path(path))
    connector = _opened(config, plugin, options)
    if chosen:
        connector = restricted(connector, chosen)
        list(connector.scopes())  # from these it knows what is left out
    return connector


def open_store(address: str) -> "Store":
    """A shared store: a folder, or what a package has for other schemes. Raises `ConfigurationError`."""
    from cloudscan import plugins
    from cloudscan.spark.store import FolderStore

    scheme, is_url, rest = address.partition("://")
    if not is_url or scheme == "file":
        return FolderStore(Path(url2pathname(rest) if is_url else address).absolute())
    plugin = plugins.store(scheme)
    plugins.check_packages(address, scheme, plugin.packages)
    return plugin.open(address)


def translations_of(config: Config, plugins: Sequence[ConnectorPlugin], path: str | None) -> "dict[str, Translation]":
    """What each platform's answers are translated by. Raises `ConfigurationError` for options that are not known."""
    from cloudscan.snapshot.translation import translation_of

    options = {
        plugin.name: configuration.options(config, plugin.name, plugin.options, _path(path)) for plugin in plugins
    }
    return {plugin.name: translation_of(plugin, options[plugin.name], config.estate) for plugin in plugins}


def _opened(config: Config, plugin: ConnectorPlugin, options: msgspec.Struct) -> Connector:
    """An open connector. Raises `CloudscanError`, whatever goes wrong: a plugin's code may be anybody's."""
    from cloudscan import plugins

    with plugins.its_errors(plugin.name), plugins.its_packages(plugin.name, plugin.name):
        return plugin.open(options, config.estate)


def _unopened(plugin: ConnectorPlugin, error: CloudscanError) -> Connector:
    """Stands for a platform that cannot be opened."""

    class Unopened:
        name: ClassVar[str] = plugin.name
        permissions: ClassVar[Sequence[Permission]] = plugin.permissions

        def scopes(self) -> Iterable[Scope]:
            raise error

        def collect(self, _scope: Scope, _since: Cursor | None) -> Iterator[Yielded]:
            raise error

    return Unopened()


def _path(path: str | None) -> Path | None:
    return Path(path) if path else None
