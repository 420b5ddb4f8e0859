"""Where the history of rosters is kept: one private file beside the snapshots, for as long as retention says."""

from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from cloudscan.errors import ConfigurationError
from cloudscan.files import private_folder, write_private
from cloudscan.roster.collecting import no_collecting
from cloudscan.roster.history import History
from cloudscan.roster.people import people_of
from cloudscan.roster.presence import Presence, presences
from cloudscan.sentence import say

NAME: Final = "people.json"


@no_collecting()
def load(folder: Path) -> History:
    """The history in a folder, an empty one if there is none. Raises `ConfigurationError` if it cannot be read."""
    path = folder / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=History)
    except FileNotFoundError:
        return History()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            say(
                "{path} cannot be read ({why}). It remembers earlier rosters: restore it from a backup, or remove it "
                "and run `cloudscan roster keep` for the exports that you still have.",
                path=path,
                why=(error.strerror if isinstance(error, OSError) else None) or type(error).__name__,
            )
        ) from error


def save(folder: Path, history: History) -> None:
    """Replace the history in a folder. Raises `ConfigurationError` if it cannot be written."""
    try:
        private_folder(folder)
        write_private(folder / NAME, msgspec.json.encode(history))
    except OSError as error:
        raise ConfigurationError(
            say("{path} cannot be written ({why}); free some space, or check the permissions.",
                path=folder / NAME, why=error.strerror or type(error).__name__)
        ) from error  # fmt: skip


def without_those_long_gone(history: History, before: date) -> tuple[History, int]:
    """The history without people who left, or whom no roster lists, since before a day; and how many that are.

    Whom the newest roster still lists stays, since it is the organisation's own list that keeps them. Reorganisations
    stay too: they are about departments. So do days of reading, without the people whom they named.
    """
    mentions = [several for several in history.mentions if several[-1].until >= before]
    gone = [one for one in presences(history) if _is_long_gone(one, before)] if _may_be_due(history, before) else []
    if not gone and len(mentions) == len(history.mentions):
        return history, 0
    theirs = {(spell.key, spell.since) for one in gone for spell in one.spells}
    kept = ([one for one in spells if (one.key, one.since) not in theirs] for spells in history.persons)
    forgotten = max(before, history.forgotten_before or before)
    return (
        History(
            readings=history.readings,
            mentions=mentions,
            persons=[spells for spells in kept if spells],
            reorganisations=[one for one in people_of(history).reorganisations if one.on < forgotten],
            forgotten_before=forgotten,
        ),
        len(gone),
    )


def _may_be_due(history: History, before: date) -> bool:
    """Whether a look at everyone is worth its time: on most nights nobody is due."""
    last = (spells[-1] for spells in history.persons)
    return any(one.until != history.read_on and (one.entry.last_day or one.until) < before for one in last)


def _is_long_gone(one: Presence, before: date) -> bool:
    gone_on = one.newest.last_day or one.dropped_on
    return not one.is_listed and gone_on is not None and gone_on < before
