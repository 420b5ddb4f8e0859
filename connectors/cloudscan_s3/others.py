"""What is ours beside the accounts that one AWS profile leads to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Others:
    """Accounts and organisations that are ours through other credentials."""

    accounts: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)  # of these accounts, where they are known
    organisations: frozenset[str] = frozenset()
    complete: bool = True  # False: there may be more, which could not be read


NOBODY_ELSE = Others()


def together(every: Iterable[Others], *, complete: bool) -> Others:
    """All of them as one; `complete` if none is missing."""
    found = list(every)
    return Others(
        accounts=frozenset[str]().union(*(one.accounts for one in found)),
        names={number: name for one in found for number, name in one.names.items()},
        organisations=frozenset[str]().union(*(one.organisations for one in found)),
        complete=complete and all(one.complete for one in found),
    )
