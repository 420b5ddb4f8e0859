"""The installed connectors, report formats, trackers and rules, found by entry points, as are the shipped ones.

A package that cannot be loaded only affects itself: the error for those who request it has its name and the reason.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeVar

from cloudscan.connector import ConnectorPlugin, DemoPlugin, SettingSpec
from cloudscan.errors import CloudscanError, ConfigurationError
from cloudscan.installation import install_hint
from cloudscan.notifier import NotifierPlugin
from cloudscan.report import HandoutFormat, ReportFormat
from cloudscan.sentence import say
from cloudscan.store import StorePlugin
from cloudscan.text import first_line, suggestion
from cloudscan.tracker import TrackerPlugin

Plugin = TypeVar("Plugin")


def connector_names() -> tuple[str, ...]:
    """The installed connectors, by name, without loading any."""
    return _names("cloudscan.connectors")


def connector(name: str) -> ConnectorPlugin:
    """One connector. Raises `ConfigurationError` if there is none of that name, or it cannot be loaded."""
    return _load("cloudscan.connectors", name, ConnectorPlugin)


def declared_settings() -> dict[str, Sequence[SettingSpec]]:
    """The settings that each connector declares, by connector; one that cannot be loaded is left out."""
    declared: dict[str, Sequence[SettingSpec]] = {}
    for name in connector_names():
        with suppress(ConfigurationError):
            declared[name] = connector(name).settings
    return declared


def demo_names() -> tuple[str, ...]:
    """The installed demos, by the connector that reads them, without loading any."""
    return _names("cloudscan.demos")


def demo(name: str) -> DemoPlugin:
    """One demo. Raises `ConfigurationError` as `connector` does."""
    return _load("cloudscan.demos", name, DemoPlugin)


def demo_tracker_names() -> tuple[str, ...]:
    """The installed emulated trackers, by the kind of tracker, without loading any."""
    return _names("cloudscan.demo_trackers")


def demo_tracker(name: str) -> DemoPlugin:
    """One emulated tracker. Raises `ConfigurationError` as `connector` does."""
    return _load("cloudscan.demo_trackers", name, DemoPlugin)


def format_names() -> tuple[str, ...]:
    """The installed report formats, by name, without loading any."""
    return _names("cloudscan.reports")


def report_format(name: str) -> ReportFormat:
    """One report format. Raises `ConfigurationError` as `connector` does."""
    return _load("cloudscan.reports", name, ReportFormat)


def handout_format(name: str) -> HandoutFormat:
    """One way to write hand-outs. Raises `ConfigurationError` as `connector` does."""
    return _load("cloudscan.handouts", name, HandoutFormat)


def tracker_names() -> tuple[str, ...]:
    """The installed kinds of trackers, by name, without loading any."""
    return _names("cloudscan.trackers")


def tracker(name: str) -> TrackerPlugin:
    """One kind of tracker. Raises `ConfigurationError` as `connector` does."""
    return _load("cloudscan.trackers", name, TrackerPlugin)


def notifier() -> NotifierPlugin:
    """The notifier: the installed one that is not apprise, else apprise. Raises `ConfigurationError`."""
    names = _names("cloudscan.notifiers")
    others = [name for name in names if name != "apprise"]
    return _load("cloudscan.notifiers", others[0] if others else "apprise", NotifierPlugin)


def store(scheme: str) -> StorePlugin:
    """A kind of shared store, by the scheme of its addresses. Raises `ConfigurationError`."""
    return _load("cloudscan.stores", scheme, StorePlugin)


def rule_folders() -> tuple[Path, ...]:
    """The folders with rules of installed packages."""
    folders: list[Path] = []
    for entry in sorted(_installed("cloudscan.rules"), key=lambda entry: entry.name):
        find: Callable[[], Path] = _imported(entry)
        folders.append(find())
    return tuple(folders)


def bundled_rules() -> Path:
    """The shipped rules: inside the package if it was installed from a wheel, beside it in a checkout."""
    here = Path(__file__).parent
    packed = here / "_rules"
    return packed if packed.is_dir() else here.parent / "rules"


def missing_packages(packages: Iterable[str]) -> Sequence[str]:
    """Those of the packages, named as they are imported, that are not installed. Nothing is imported."""
    return [package for package in packages if not _is_there(package)]


def check_packages(name: str, extra: str, packages: Iterable[str]) -> None:
    """Raises `ConfigurationError` if one of the packages is not installed."""
    with its_packages(name, extra):
        for package in missing_packages(packages):
            raise ModuleNotFoundError(name=package)


def _is_there(package: str) -> bool:
    try:
        return package in sys.modules or find_spec(package) is not None
    except (ModuleNotFoundError, ValueError):  # the package that would contain it is missing, or half loaded
        return False


@contextmanager
def its_packages(name: str, extra: str) -> Iterator[None]:
    """Around calls of a plugin that import optional packages. Raises `ConfigurationError` if one is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            say(
                "{name} needs the package {package}, which is not installed. For a part of cloudscan, {how}.",
                name=name,
                package=error.name,
                how=install_hint(extra),
            )
        ) from error


@contextmanager
def its_errors(name: str) -> Iterator[None]:
    """Around calls of a connector's plugin. Raises `ConfigurationError` for whatever is not one of our own errors."""
    try:
        yield
    except (CloudscanError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise ConfigurationError(
            say(
                "{name} cannot be opened ({kind}: {error}); check [connectors.{name}] in cloudscan.toml "
                "and the credentials.",
                name=name,
                kind=type(error).__name__,
                error=first_line(error),
            )
        ) from error


def _installed(group: str) -> EntryPoints:
    folders = [Path(folder).absolute() for folder in sys.path]
    return _selector(tuple((str(folder), _changed(folder)) for folder in folders))(group=group)


def _changed(folder: Path) -> int:
    """When the folder was last changed, in nanoseconds; 0 if there is no such folder."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=1)
def _selector(_folders: tuple[tuple[str, int], ...]) -> Callable[..., EntryPoints]:
    """Selects entry points. Cached: a scan asks several times, and each reading opens a file of every package."""
    return entry_points().select


def _names(group: str) -> tuple[str, ...]:
    return tuple(sorted({entry.name for entry in _installed(group)}))


_KINDS: Final = {
    "cloudscan.connectors": say("connector"),
    "cloudscan.demos": say("demo"),
    "cloudscan.handouts": say("format of hand-outs"),
    "cloudscan.notifiers": say("notifier"),
    "cloudscan.reports": say("report format"),
    "cloudscan.stores": say("kind of store"),
    "cloudscan.trackers": say("tracker"),
}


def _load(group: str, name: str, kind: type[Plugin]) -> Plugin:
    entries = {entry.name: entry for entry in _installed(group)}
    what = _KINDS.get(group, group)
    if name not in entries:
        raise ConfigurationError(
            say(
                "There is no {what} called {name}; {hint}.",
                what=what,
                name=repr(name),
                hint=suggestion(name, sorted(entries)),
            )
        )
    plugin = _imported(entries[name])
    if not isinstance(plugin, kind):
        raise ConfigurationError(
            say(
                "The {what} {name} ({value}) is a {kind}, not a {wanted}; its package is broken.",
                what=what,
                name=repr(name),
                value=entries[name].value,
                kind=type(plugin).__name__,
                wanted=kind.__name__,
            )
        )
    return plugin


def _imported(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:  # a third-party package may raise anything while it is imported
        raise ConfigurationError(
            say(
                "'{name}' ({target}) cannot be loaded: {error}. Install what it needs; for a part of cloudscan, {how}.",
                name=entry.name,
                target=entry.value,
                error=f"{type(error).__name__}: {error}",
                how=install_hint(entry.name),
            )
        ) from error
