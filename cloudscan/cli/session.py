"""What most commands share: the configuration, the rules, the connectors, the words for language and severity."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from cloudscan import config as configuration
from cloudscan.config import Config
from cloudscan.connector import Connector, ConnectorPlugin
from cloudscan.errors import ConfigurationError
from cloudscan.finding import Severity
from cloudscan.report import ReportFormat
from cloudscan.text import suggestion

if TYPE_CHECKING:
    from cloudscan.ledger.ledger import Ledger
    from cloudscan.redaction.redactor import Redactor
    from cloudscan.report import Report

Command = TypeVar("Command", bound=Callable[..., Any])
SEVERITIES = click.Choice([severity.value for severity in Severity])
LANGUAGES = click.Choice(["en", "ja"])


def lang_option(command: Command) -> Command:
    """``--lang``."""
    return click.option("--lang", type=LANGUAGES, help="Language.  [default: as configured, else en]")(command)


def rules_option(command: Command) -> Command:
    """``--rules``, any number of them."""
    return click.option(
        "--rules",
        "rule_folders",
        multiple=True,
        type=click.Path(file_okay=False),
        help="A folder of rules of your own, beside ours. Repeatable.",
    )(command)


def configured(path: str | None) -> Config:
    """The configuration. Raises `ConfigurationError`."""
    return configuration.load(Path(path) if path else None)


def ledger_of(config: Config, *, patience: float = 0.0) -> "Ledger":
    """The ledger, as configured; `patience` is how many seconds to wait for its database. Raises `LedgerError`."""
    from cloudscan.ledger.ledger import Ledger

    tolerance = config.waivers.tolerance_percent / 100
    return Ledger(config.ledger_url, tolerance=tolerance, policy=config.tickets, patience=patience)


def redact_option(command: Command) -> Command:
    """``--redact``."""
    return click.option(
        "--redact", "redacting", is_flag=True, help="Without names: keyed hashes instead, the same every time."
    )(command)


def redaction_key(config: Config) -> bytes:
    """The key of redaction, beside the ledger; made on first use. Raises `ConfigurationError`."""
    from cloudscan.redaction import redactor

    return redactor.key_at(config.folder / "redaction.key")


def redactor(config: Config) -> "Redactor":
    """Redaction under the configured folder's key, for the rules that are in force."""
    from cloudscan.engine import loader
    from cloudscan.redaction.redactor import Redactor

    return Redactor(redaction_key(config), loader.load(all_rule_folders(config, ())))


def last_report(config: Config, file: str | None) -> "Report":
    """The report in a file, or else the ledger's last one. Raises `ConfigurationError`, `LedgerError`."""
    if file is not None:
        return _read_report(Path(file))
    found = ledger_of(config).latest()
    if found is None:
        raise ConfigurationError("There is no scan yet; run `cloudscan scan` first.")
    return found


def _read_report(path: Path) -> "Report":
    import msgspec

    from cloudscan.report import SCHEMA_VERSION, Report

    try:
        found = msgspec.json.decode(path.read_bytes(), type=Report)
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read ({error.strerror}); check the path and the rights."
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path}: is no report of cloudscan ({error}); write one with `cloudscan report --format json`."
        ) from error
    if found.schema.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise ConfigurationError(f"{path}: a report of version {found.schema}; this cloudscan reads {SCHEMA_VERSION}.")
    return found


def all_rule_folders(config: Config, more: Sequence[str]) -> list[Path]:
    """Ours, the configured and the named folders."""
    from cloudscan import plugins

    return [*plugins.rule_folders(), *(Path(each) for each in (*config.scan.rules, *more))]


def chosen_plugins(config: Config, names: Sequence[str]) -> list[ConnectorPlugin]:
    """The connectors to use: the named ones, else the configured ones, else the only one installed."""
    from cloudscan import plugins

    installed = plugins.connector_names()
    for name in config.connectors:
        if name not in installed:
            raise ConfigurationError(
                f"[connectors.{name}]: no such connector is installed; {suggestion(name, installed)}."
            )
    wanted = list(names or config.connectors or (installed if len(installed) == 1 else ()))
    if not wanted:
        raise ConfigurationError(
            f"Nothing to scan: name a connector with --connector ({', '.join(installed)}), or write "
            "[connectors.<name>] into cloudscan.toml (`cloudscan init` does)."
        )
    return [plugins.connector(name) for name in dict.fromkeys(wanted)]


def format_of(config: Config, name: str, path: str | None) -> ReportFormat:
    """A report format with its configured options. Raises `ConfigurationError`."""
    from cloudscan import plugins

    installed = plugins.format_names()
    for configured_name in config.reports:
        if configured_name not in installed:
            raise ConfigurationError(
                f"[reports.{configured_name}]: no such format is installed; {suggestion(configured_name, installed)}."
            )
    format_ = plugins.report_format(name)
    given = configuration.report_options(config, name, format_.options, Path(path) if path else None)
    return format_.using(given) if format_.using else format_


def asking_for_shared(config: Config, plugins: Sequence[ConnectorPlugin]) -> Config:
    """The configuration, changed so that platforms that can be asked for shared things only are asked so.

    Raises `ConfigurationError` where none of them can.
    """
    able = [plugin.name for plugin in plugins if "only_shared" in plugin.options.__struct_fields__]
    if not able:
        raise ConfigurationError(
            f"--only-shared: {', '.join(plugin.name for plugin in plugins)} cannot be asked for shared things only; "
            "leave the option out."
        )
    changed = {name: {**config.connectors.get(name, {}), "only_shared": True} for name in able}
    return msgspec.structs.replace(config, connectors={**config.connectors, **changed})


def opened(config: Config, plugin: ConnectorPlugin, path: str | None) -> Connector:
    """A connector with its configured options."""
    from cloudscan import plugins

    given = configuration.options(config, plugin.name, plugin.options, Path(path) if path else None)
    with plugins.its_packages(plugin.name, plugin.name):
        return plugin.open(given, config.estate)
