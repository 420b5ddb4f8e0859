"""What `cloudscan roster check` says after a scan: who has no account, and which accounts belong to nobody."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from cloudscan.cli.language import echo
from cloudscan.config import Config
from cloudscan.sentence import Sentence, joined, say

if TYPE_CHECKING:
    from cloudscan.organisation.unjoined import Unjoined

_MOST_LINES: Final = 50  # at the terminal


def left_over(config: Config) -> "Unjoined | None":
    """What the last scan could not join; None where there is none yet."""
    from cloudscan.organisation.unjoined import unjoined
    from cloudscan.snapshot.snapshot import Snapshot, reading
    from cloudscan.snapshot.store import latest_snapshot

    folder = latest_snapshot(config.folder / "snapshots")
    if folder is None:
        return None
    with Snapshot.open(folder) as opened, reading(opened.path):
        return unjoined(opened)


def show(found: "Unjoined") -> None:
    """Print it, with the first lines of each list."""
    whys = {"ambiguous": say("several people fit"), "unread": say("a row of the roster could not be read")}
    _list(
        say("By the last scan, people who are here without an account: {count}", count=len(found.people)),
        found.people,
    )
    _list(
        say("Active accounts that belong to nobody: {count}", count=len(found.accounts)),
        [joined([one.platform, one.address, *([whys[one.why]] if one.why in whys else [])]) for one in found.accounts],
    )
    _list(
        say("Called like somebody, to be confirmed in the roster: {count}", count=len(found.proposals)),
        [joined([one.platform, one.address, f"→ {one.number}"]) for one in found.proposals],
    )


def _list(title: Sentence, lines: Sequence[str]) -> None:
    echo(title)
    for line in lines[:_MOST_LINES]:
        echo(joined(["  ", line], ""))
    if (more := len(lines) - _MOST_LINES) > 0:
        echo(say("… and {count} more", count=more))
