"""What the shell completes: names that are installed, configured, or in the last report.

A function here is asked at every press of the key, so what is quick comes first: names of entry points and of files.
Findings, gaps and scopes are read from the ledger. Whatever cannot be read completes to nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from cloudscan.errors import CloudscanError
from cloudscan.text import plain

if TYPE_CHECKING:
    from cloudscan.config import Config
    from cloudscan.report import Report

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
Candidates = Iterable[tuple[str, str]]
"""What may be written, and what it is."""

_SHORT = 12  # characters of an id: enough to name it


def connectors(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The installed connectors."""
    from cloudscan import plugins

    return _matching(((name, "") for name in plugins.connector_names()), incomplete)


def formats(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The installed report formats."""
    from cloudscan import plugins

    return _matching(((name, "") for name in plugins.format_names()), incomplete)


def trackers(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The configured trackers."""
    return _matching(((name, "") for name in _config(ctx).trackers), incomplete)


def rules(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The shipped rules and those of the configured folders: a rule's file is named as the rule."""
    from cloudscan import plugins

    folders = [*plugins.rule_folders(), *map(Path, _config(ctx).scan.rules)]
    files = (file for folder in folders for file in sorted(folder.glob("*/*.yaml")) + sorted(folder.glob("*.yaml")))
    named = ((file.stem, file.parent.name) for file in files if file.parent.name != "frameworks")
    return _matching(((name, topic) for name, topic in named if name != "remedies"), incomplete)


def findings(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The ids of the last report's findings, shortened."""
    return _of_report(ctx, incomplete, lambda report: (
        (finding.fingerprint[:_SHORT], f"{finding.verdict.rule_id}: {finding.verdict.subject.name}")
        for finding in report.findings
    ))  # fmt: skip


def gaps(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The ids of the last report's gaps, shortened."""
    return _of_report(ctx, incomplete, lambda report: (
        (row.gap[:_SHORT], f"{row.question} {row.scope_name}") for row in report.coverage if row.gap
    ))  # fmt: skip


def scopes(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The scopes of the last report."""
    return _of_report(ctx, incomplete, lambda report: (
        (row.scope_name, row.platform) for row in report.coverage
    ))  # fmt: skip


def accounts(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The accounts in which the last report has findings."""
    return _of_report(ctx, incomplete, lambda report: (
        (finding.verdict.subject.account, finding.verdict.subject.platform) for finding in report.findings
    ))  # fmt: skip


def _of_report(
    ctx: click.Context, incomplete: str, candidates: Callable[["Report"], Candidates]
) -> list[CompletionItem]:
    from cloudscan.cli.opening import open_ledger

    try:
        report = open_ledger(_config(ctx)).latest()
    except (CloudscanError, OSError):
        return []
    return _matching(candidates(report) if report else (), incomplete)


def _matching(candidates: Candidates, incomplete: str) -> list[CompletionItem]:
    """Those that begin with what was typed, each once. Names are by strangers: none with control characters."""
    return list(_each(candidates, incomplete.lower()))


def _each(candidates: Candidates, beginning: str) -> Iterator[CompletionItem]:
    seen = set()
    for value, about in candidates:
        if value.lower().startswith(beginning) and value not in seen and value == plain(value):
            seen.add(value)
            yield CompletionItem(value, help=plain(about))


def _config(ctx: click.Context) -> "Config":
    """The configuration of the command line so far; the defaults where it cannot be read."""
    from cloudscan.cli.opening import load_config
    from cloudscan.config import Config

    try:
        return load_config(ctx.find_root().params.get("config"))
    except (CloudscanError, OSError):
        return Config()
