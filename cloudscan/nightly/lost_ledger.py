"""A ledger that is empty or gone although there were scans: no scan may begin a new history without a word."""

from pathlib import Path

from cloudscan.errors import LedgerError
from cloudscan.sentence import Sentence, say
from cloudscan.snapshot import store


def refuse_emptied(file: Path | None, home: Path) -> None:
    """Raises `LedgerError` for a file of 0 bytes if the folder of scans has what an earlier scan left.

    Without that, it is what a first scan leaves that is killed, or finds the disk full, as it creates the file.
    """
    try:
        emptied = file is not None and file.stat().st_size == 0
    except OSError:
        return
    if emptied and _had_scans(home):
        raise LedgerError(
            say(
                "The ledger {file} is an empty file, but {home} has reports or snapshots of earlier scans. Put back "
                "its last backup; or remove the file, and the next scan begins a new history without waivers.",
                file=file,
                home=home,
            )
        )


def begins_anew(file: Path | None, home: Path) -> Sentence | None:
    """What to say before a scan that creates a ledger although the folder has earlier scans; None if it does not."""
    if file is None or file.exists() or not _had_scans(home):
        return None
    return say(
        "there is no ledger {file}, but {home} has reports or snapshots of earlier scans: a new history begins, "
        "without waivers.",
        file=file,
        home=home,
    )


def _had_scans(home: Path) -> bool:
    """Whether there are reports, or snapshots that do not wait to be recorded."""
    from cloudscan.nightly.retention import PAGE  # costs the import of all that seals a snapshot

    reports, snapshots = home / "reports", home / "snapshots"
    if any(PAGE.fullmatch(path.name) for path in reports.glob("*.html")):
        return True
    waiting = store.due(snapshots)
    return any(folder not in waiting for folder in store.finished(snapshots))
