"""Gaps that a refused or failed question leaves, with the reason for the report."""

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, ProviderError
from cloudscan.facts import Outcome


def gap(table: str, refused: ProviderError, what: str) -> Gap:
    """The gap in `table` after an error of Microsoft's; `what` says what is unknown for it."""
    denied = isinstance(refused, AccessDenied)
    return Gap(
        table=table,
        outcome=Outcome.DENIED if denied else Outcome.FAILED,
        reason=f"{refused}; {what}",
        needs=getattr(refused, "needs", ""),
    )
