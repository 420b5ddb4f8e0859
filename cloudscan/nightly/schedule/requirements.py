"""What a night needs for the configuration at hand: extras, variables, files, folders, a sign-in. Pure functions."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cloudscan.config import Config
from cloudscan.needs import Needs, Variable, WorkflowStep
from cloudscan.tracker import variable

_HTTPS = 443
_POSTGRES = 5432


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that a night reads beside the configuration."""

    name: str  # in a secret or a folder of such files: gdrive-key-file
    meaning: str
    at: tuple[str, ...] = ()  # where the configuration names it: connectors, gdrive, key_file
    path: str = ""  # as configured
    variable: str = ""  # that contains its path, where the configuration names none

    @property
    def secret(self) -> str:
        """The name of a secret with its content, as GitHub allows them."""
        return "CLOUDSCAN_" + re.sub(r"\W", "_", self.name).upper()


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """All that a night needs beside the configuration."""

    extras: Sequence[str] = ()
    variables: Sequence[Variable] = ()
    files: Sequence[File] = ()
    steps: Sequence[WorkflowStep] = ()
    rule_folders: Sequence[str] = ()
    ports: Sequence[int] = (_HTTPS,)  # that it connects to

    @property
    def needed(self) -> Sequence[Variable]:
        """The variables without which something does not run."""
        return [variable for variable in self.variables if not variable.optional]


def requirements(
    config: Config,
    *,
    needs: Mapping[str, Needs],
    secrets: Mapping[str, Sequence[str]],
    known_extras: Sequence[str],
    telemetry: Sequence[str] = (),
) -> Requirements:
    """What this configuration needs.

    `needs` is what each connector says of its options, by name; `secrets` the last parts of the names of each
    tracker's variables, by the tracker's name; `known_extras` what the package can be installed with; `telemetry` the
    names of the variables for OpenTelemetry that are set.
    """
    postgres = config.ledger_url.startswith("postgresql")
    extras = [
        *config.connectors,
        *(["postgres"] if postgres else []),
        *(["trackers"] if config.trackers else []),
        *(["notify"] if config.notify.wanted else []),
        *(["otel"] if telemetry else []),
        *config.reports,
    ]
    return Requirements(
        extras=[extra for extra in dict.fromkeys(extras) if extra in known_extras],
        variables=tuple(_variables(config, needs, secrets, telemetry)),
        files=tuple(_files(config, needs)),
        steps=[step for need in needs.values() for step in need.steps],
        rule_folders=config.scan.rules,
        ports=sorted({_HTTPS, *([urlsplit(config.ledger_url).port or _POSTGRES] if postgres else []), *_ports(config)}),
    )


def _variables(
    config: Config, needs: Mapping[str, Needs], secrets: Mapping[str, Sequence[str]], telemetry: Sequence[str]
) -> Iterator[Variable]:
    for need in needs.values():
        yield from need.variables
    if config.ledger_url.startswith("postgresql"):
        yield Variable(name="PGPASSWORD", meaning="the password of the ledger's database")
    for tracker, parts in secrets.items():
        for part in parts:
            words = part.lower().replace("_", " ")
            yield Variable(name=variable(tracker, part), meaning=f"the {words} of the tracker {tracker}")
    if config.notify.urls_env:
        yield Variable(name=config.notify.urls_env, meaning="whom to notify: apprise's addresses")
    for name in telemetry:
        yield Variable(name=name, meaning="where metrics go, as OpenTelemetry names it", optional=True)


def _files(config: Config, needs: Mapping[str, Needs]) -> Iterator[File]:
    for connector, need in needs.items():
        for file in need.files:
            yield File(
                name=f"{connector}-{(file.key or file.variable).lower()}".replace("_", "-"),
                meaning=file.meaning,
                at=("connectors", connector, file.key) if file.key else (),
                path=file.path,
                variable=file.variable,
            )
    if config.notify.file:
        yield File(name="notify-file", meaning="apprise's file", at=("notify", "file"), path=config.notify.file)


def _ports(config: Config) -> Iterator[int]:
    """The ports that addresses in the configuration name."""
    for table in (*config.connectors.values(), *config.trackers.values()):
        for value in table.values():
            if isinstance(value, str) and value.startswith(("http://", "https://")):
                yield urlsplit(value).port or (_HTTPS if value.startswith("https") else 80)


def local_paths(config: Config, required: Requirements) -> Mapping[tuple[str, ...], Any]:
    """What to write into the configuration where it is mounted: keys whose paths are of this machine, and new paths."""
    changes: dict[tuple[str, ...], Any] = {
        file.at: f"{MOUNTED_FILES}/{file.name}" for file in required.files if file.at
    }
    if required.rule_folders:
        changes["scan", "rules"] = [mounted_rules(number) for number in range(len(required.rule_folders))]
    if config.folder.is_absolute() or ".." in config.folder.parts:
        changes["scan", "folder"] = f"{DATA}/.cloudscan"
    ledger = config.ledger.url
    if ledger.startswith("sqlite:///") and Path(ledger.removeprefix("sqlite:///")).is_absolute():
        changes["ledger", "url"] = f"sqlite:///{DATA}/{Path(ledger).name}"
    return changes


DATA = "/data"
"""The only folder of the image that may be written to, and where it works."""
MOUNTED_FILES = "/etc/cloudscan-files"


def mounted_rules(number: int) -> str:
    """Where a folder of rules is mounted."""
    return f"/etc/cloudscan-rules/{number}"


def rewritten(text: str, changes: Mapping[tuple[str, ...], Any]) -> str:
    """A TOML text with values replaced, all else (remarks, order) as it was."""
    import tomlkit

    if not changes:
        return text
    document = tomlkit.parse(text)
    for keys, value in changes.items():
        table: Any = document
        for key in keys[:-1]:
            table = table[key]
        table[keys[-1]] = value
    return tomlkit.dumps(document)
