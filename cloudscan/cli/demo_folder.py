"""The folder of a demo: what is written there, and that nothing of anybody else is touched."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from cloudscan.connector import Estate, Partner
from cloudscan.errors import ConfigurationError
from cloudscan.files import write_private
from cloudscan.sentence import say

CONFIGURATION: Final = "cloudscan.toml"
_MARKER: Final = ".cloudscan-demo"
_OURS: Final = (
    "ledger.db", "ledger.db-journal", "report.html", "snapshots", "reports", "people.json", "roster*.csv", "*.yaml",
)  # fmt: skip
"""What an earlier demo left, and the next one replaces."""


def prepare(folder: Path) -> None:
    """An empty folder for a demo, made where there is none; what an earlier demo left in it is removed.

    Raises `ConfigurationError` for a folder with something in it that is not a demo's, and for a configuration that
    was changed since.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(say("{folder} is a file; name another folder with --into.", folder=folder))
    marker = folder / _MARKER
    if not marker.is_file() and folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(
            say("{folder} has files that are not a demo's; name a new folder with --into.", folder=folder)
        )
    written = folder / CONFIGURATION
    if written.exists() and _digest(written.read_bytes()) != marker.read_text(encoding="ascii").strip():
        raise ConfigurationError(
            say("{file} was changed; move it away, or name a new folder with --into.", file=written)
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in [left for name in _OURS for left in folder.glob(name)] if marker.is_file() else ():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)
    write_private(marker, b"")
    written.unlink(missing_ok=True)


def write_configuration(folder: Path, text: str) -> Path:
    """Write the configuration, and remember that it is ours. Returns its path."""
    content = text.encode()
    write_private(folder / _MARKER, _digest(content).encode())
    write_private(folder / CONFIGURATION, content)
    return folder / CONFIGURATION


def configuration_text(
    folder: Path,
    estate: Estate,
    language: str,
    connectors: Mapping[str, Mapping[str, object]],
    trackers: Mapping[str, Mapping[str, object]],
    papers: Mapping[str, object],
    comment: str,
) -> str:
    """A `cloudscan.toml` for the company. The folder is written in full, so that it is found from anywhere."""
    organisation = {
        "name": estate.name,
        "domains": sorted(estate.domains),
        "accounts": sorted(estate.accounts),
        "organisation_ids": sorted(estate.organisations),
        "language": language,
    }
    lines = [f"# {comment}", "", *_table("[organisation]", organisation)]
    papers = dict(papers)
    register = msgspec.convert(papers.pop("partners", {}), Mapping[str, Mapping[str, Any]])
    for partner in estate.partners:
        lines += _table(
            "[[partners]]",
            {
                "name": partner.name,
                "domains": sorted(partner.domains),
                "accounts": sorted(partner.accounts),
                "owner": partner.owner,
                **({"contract_ends": partner.contract_ends} if partner.contract_ends else {}),
                **register.get(partner.name, {}),
            },
        )
    for name, table in papers.items():
        if isinstance(table, Mapping):
            lines += _table(f"[{name}]", table)
        for entry in table if isinstance(table, list | tuple) else ():
            lines += _table(f"[[{name}]]", entry)
    lines += _table("[scan]", {"folder": str(folder.absolute())})
    for kind, tables in (("connectors", connectors), ("trackers", trackers)):
        for name, options in tables.items():
            lines += _table(f"[{kind}.{name}]", options)
    return "\n".join(lines)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write what the company's administration hands over."""
    for name, content in files.items():
        write_private(folder / name, content)


def with_paths(tables: Mapping[str, object], files: Mapping[str, bytes], folder: Path) -> dict[str, object]:
    """Tables of a configuration in which files are named by their paths, so that they are found from anywhere."""

    def located(value: object) -> object:
        if isinstance(value, Mapping):
            return {name: located(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [located(one) for one in value]
        return str(folder.absolute() / value) if isinstance(value, str) and value in files else value

    return {name: located(table) for name, table in tables.items()}


def merged(estates: Iterable[Estate]) -> Estate:
    """One company of what each platform knows of it. What the first says of a partner counts."""
    known: Sequence[Estate] = list(estates)
    partners: dict[str, Partner] = {}
    for partner in (partner for estate in known for partner in estate.partners):
        there = partners.get(partner.name, partner)
        partners[partner.name] = Partner(
            name=there.name,
            domains=there.domains | partner.domains,
            accounts=there.accounts | partner.accounts,
            owner=there.owner or partner.owner,
            contract_ends=there.contract_ends or partner.contract_ends,
        )
    return Estate(
        name=next((estate.name for estate in known if estate.name), ""),
        domains=frozenset().union(*(estate.domains for estate in known)),
        accounts=frozenset().union(*(estate.accounts for estate in known)),
        organisations=frozenset().union(*(estate.organisations for estate in known)),
        partners=tuple(partners.values()),
    )


def _table(heading: str, values: Mapping[str, Any]) -> list[str]:
    return [heading, *(f"{key} = {_toml(value)}" for key, value in values.items()), ""]


def _toml(value: object) -> str:
    """A text, number, switch, list or table as JSON writes it, which TOML reads; a date without quotes."""
    plain = msgspec.to_builtins(value)
    if isinstance(plain, Mapping):
        return f"{{ {', '.join(f'{json.dumps(key)} = {_toml(one)}' for key, one in plain.items())} }}"
    return plain if isinstance(plain, str) and not isinstance(value, str) else json.dumps(plain, ensure_ascii=False)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
