"""Who *we* are, in Amazon's terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cloudscan.connector import Estate


@dataclass(frozen=True, kw_only=True)
class OwnEstate:
    """The account that owns the bucket, and what belongs to us around it. "External" is relative to this."""

    account: str
    own_accounts: frozenset[str] = frozenset()  # every account that is ours, this one included or not
    organisation: str | None = None  # our organisation's id, o-…
    estate: Estate = field(default_factory=Estate)
    account_names: Mapping[str, str] = field(default_factory=dict, hash=False)  # of our accounts, where they are known
    owner_canonical: str | None = None  # this account's canonical user id
    canonical_users: Mapping[str, str] = field(default_factory=dict, hash=False)  # our accounts by canonical user id
    knows_its_canonical_users: bool = True  # False: an account of ours did not tell; another id may be its
    knows_its_accounts: bool = True  # False: the list of our accounts could not be read; others may be ours

    @property
    def accounts(self) -> frozenset[str]:
        """Every account that is known to be ours."""
        return self.own_accounts | self.estate.accounts | {self.account}

    @property
    def organisations(self) -> frozenset[str]:
        """Every organisation that is known to be ours."""
        return self.estate.organisations | ({self.organisation} if self.organisation else frozenset())

    def account_behind(self, canonical: str) -> str | None:
        """The account of ours that has a canonical user id; None where no account of ours is known to have it."""
        return self.account if canonical == self.owner_canonical else self.canonical_users.get(canonical)

    def called(self, account: str) -> str:
        """The account's name, or its number where no name is known."""
        return self.account_names.get(account) or account

    def owns(self, account: str) -> bool:
        """Is an account (12 digits) ours?"""
        return account == self.account or account in self.own_accounts or account in self.estate.accounts

    def knows_whose(self, account: str) -> bool:
        """Do we know enough to tell whether an account is ours?"""
        return self.knows_its_accounts or self.owns(account) or self.estate.partner_of(account) is not None

    def knows_whose_organisation(self, organisation: str) -> bool:
        """Do we know enough to tell whether an organisation is ours?"""
        known = self.knows_its_organisation or self.estate.partner_of(organisation) is not None
        return known or self.is_our_organisation(organisation)

    @property
    def knows_its_organisation(self) -> bool:
        """Do we know enough to tell our organisation from others?"""
        return self.organisation is not None or bool(self.estate.organisations)

    def is_our_organisation(self, organisation: str) -> bool:
        """Is an organisation (o-…) known to be ours?"""
        return organisation == self.organisation or organisation in self.estate.organisations
