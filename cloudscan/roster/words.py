"""What an export's words say about how somebody is employed, and whether they are there."""

from cloudscan.roster.entry import Employment, Status
from cloudscan.roster.folding import folded
from cloudscan.roster.spellings import spellings


def employment_in(text: str) -> Employment | None:
    """How somebody is employed; None for a word that is not known. An empty cell says nothing."""
    return spellings("employment", Employment).get(folded(text)) if text.strip() else Employment.UNKNOWN


def status_in(text: str) -> Status | None:
    """What a roster says that somebody is; None for a word that is not known.

    "Inactive" is not known: some systems say so of people on leave, others of those who left.
    """
    return spellings("status", Status).get(folded(text)) if text.strip() else Status.UNKNOWN
