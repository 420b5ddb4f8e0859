"""What is missing from the directory, in words for the report."""

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied, ProviderError
from cloudscan.facts import Outcome


def gap(table: str, refused: ProviderError, what: str) -> Gap:
    """An answer that Microsoft refused or failed to give; `what` says what is not known for it."""
    denied = isinstance(refused, AccessDenied)
    return Gap(
        table=table,
        outcome=Outcome.DENIED if denied else Outcome.FAILED,
        reason=f"{refused}; {what}",
        needs=getattr(refused, "needs", ""),
    )
