"""Who may be told of a finding: an active person of ours, and nobody else.

A hand-out, a ticket or a notice names what is exposed and how. So it goes to the owner only if the snapshot proves that
the owner is a user of ours whose account is active; for somebody who left it goes to their manager under the same
condition; in all other cases it goes to the fallback, with the reason why. What is not known is not a proof.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

import msgspec

from cloudscan.facts import Affiliation
from cloudscan.finding import Person, Subject
from cloudscan.text import domain_of


class Via(StrEnum):
    """In which part somebody receives something."""

    OWNER = "owner"
    MANAGER = "manager"  # of an owner who left, or whose account is suspended
    FALLBACK = "fallback"  # who is configured for findings without a recipient


class Withheld(StrEnum):
    """Why something is not given to the owner."""

    UNKNOWN = "unknown"  # there is no owner, or who it is could not be read
    EXTERNAL = "external"
    ACCOUNT = "account"  # a cloud account, an application or another thing that reads no mail
    GROUP = "group"
    LEFT = "left"
    SUSPENDED = "suspended"
    ADDRESS = "address"  # one of ours, whose address is in a domain that is not known to be ours
    UNVERIFIED = "unverified"  # it is not known whether they are ours, or whether their account is active


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to tell of a finding."""

    via: Via
    person: Person | None = None  # the owner or the manager; None: the fallback
    withheld: Withheld | None = None  # why not the owner; None: it is the owner

    @property
    def address(self) -> str:
        """The person's address, or else the name; empty for the fallback."""
        return (self.person.address or self.person.name) if self.person else ""


_ACTIVE: Final = "active"
_PEOPLE: Final = ("user",)
_EXTERNAL: Final = ("guest",)
_GROUPS: Final = ("group", "site_group", "domain", "audience", "organisation", "role", "claim")
_LEFT: Final = ("deleted", "no_account", "left")
PASSED_ON: Final = (Withheld.LEFT, Withheld.SUSPENDED)
"""Where the manager is told instead of the owner."""


def recipient_of(subject: Subject, domains: Collection[str] = ()) -> Recipient:
    """Whom to tell of a finding about a subject. `domains` are ours, in lower case, as configured."""
    owner = subject.responsible
    if owner is None:
        return Recipient(via=Via.FALLBACK, withheld=Withheld.UNVERIFIED if subject.owner.strip() else Withheld.UNKNOWN)
    why = withheld(owner, domains)
    if why is None:
        return Recipient(via=Via.OWNER, person=owner)
    if why in PASSED_ON and owner.manager and withheld(owner.manager, domains) is None:
        return Recipient(via=Via.MANAGER, person=owner.manager, withheld=why)
    return Recipient(via=Via.FALLBACK, withheld=why)


def withheld(person: Person, domains: Collection[str] = ()) -> Withheld | None:
    """Why somebody may not be told of what they own; None: they may, as an active person of ours.

    The directory's own domain is known to be ours, and the configured `domains` are. A directory may also contain
    another address, which somebody entered.
    """
    if person.kind in _EXTERNAL or person.affiliation in (Affiliation.EXTERNAL, Affiliation.PARTNER):
        return Withheld.EXTERNAL
    if person.kind in _GROUPS:
        return Withheld.GROUP
    if person.kind and person.kind not in _PEOPLE:
        return Withheld.ACCOUNT
    if person.status in _LEFT:
        return Withheld.LEFT
    if person.status not in (_ACTIVE, None):
        return Withheld.SUSPENDED
    if not person.kind or person.affiliation is None or person.status is None:
        return Withheld.UNVERIFIED
    if not (person.address or person.name):
        return Withheld.UNKNOWN
    if person.address and domain_of(person.address) not in {person.account.lower(), *domains}:
        return Withheld.ADDRESS
    return None
