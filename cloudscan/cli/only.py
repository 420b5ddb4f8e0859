"""``--only KEY=VALUE``: a part of the estate, for every command that shows or does something about findings."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cloudscan.cli.log import warn
from cloudscan.config import Config
from cloudscan.errors import ConfigurationError
from cloudscan.sentence import say

if TYPE_CHECKING:
    from cloudscan.report import Report
    from cloudscan.snapshot.snapshot import Snapshot

Command = TypeVar("Command", bound=Callable[..., Any])


def only_option(command: Command) -> Command:
    """``--only``, repeatable; `only` are its texts."""
    return click.option(
        "--only",
        multiple=True,
        metavar="KEY=VALUE",
        help="Only a department, site, account, unit or person: department=Sales. Repeatable: the same key is or, "
        "another one is and.",
    )(command)


def narrowed_report(config: Config, report: "Report", only: Sequence[str]) -> "Report":
    """The part of a report that is chosen; the report itself without ``--only``. Raises `ConfigurationError`."""
    if not only:
        return report
    from cloudscan.organisation.narrowing import narrowed
    from cloudscan.organisation.only import parsed

    chosen = parsed(only)
    with snapshot_of(config, report.scan.id) as snapshot:
        narrow, undetermined = narrowed(report, chosen, snapshot)
    if undetermined:
        warn(
            say(
                "{count} findings are about what the last scan did not see: whether they belong there is not known, "
                "and they are not shown.",
                count=undetermined,
            ),
            "only.undetermined",
        )
    return narrow


@contextmanager
def snapshot_of(config: Config, scan_id: str) -> "Iterator[Snapshot]":
    """The snapshot of a scan, which says what belongs to whom. Raises `ConfigurationError`, `SnapshotError`."""
    from cloudscan.snapshot import store
    from cloudscan.snapshot.snapshot import Snapshot

    folder = store.snapshot_of(config.folder / "snapshots", scan_id)
    if folder is None:
        raise ConfigurationError(
            say(
                "--only needs the snapshot of the scan, which says what belongs to whom, and it is not in {folder}; "
                "run `cloudscan scan` again.",
                folder=config.folder / "snapshots",
            )
        )
    with Snapshot.open(folder) as snapshot:
        yield snapshot
