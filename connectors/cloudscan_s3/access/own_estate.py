"""Who *we* are, in Amazon's terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cloudscan.connector import Estate


@dataclass(frozen=True, kw_only=True)
class OwnEstate:
    """The account that owns what is judged, and the circle around it. "External" is relative to this."""

    account: str
    own_accounts: frozenset[str] = frozenset()  # every account that is ours, this one included or not
    organisation: str | None = None  # our organisation's id, o-…
    estate: Estate = field(default_factory=Estate)
    account_names: Mapping[str, str] = field(default_factory=dict, hash=False)  # of our accounts, where they are told
    owner_canonical: str | None = None  # this account's canonical user id

    def called(self, account: str) -> str:
        """An account as people know it."""
        return self.account_names.get(account) or account

    def owns(self, account: str) -> bool:
        return account == self.account or account in self.own_accounts or account in self.estate.accounts

    @property
    def knows_its_organisation(self) -> bool:
        """Could an organisation be told from ours at all?"""
        return self.organisation is not None or bool(self.estate.organisations)

    def is_our_organisation(self, organisation: str) -> bool:
        return organisation == self.organisation or organisation in self.estate.organisations
