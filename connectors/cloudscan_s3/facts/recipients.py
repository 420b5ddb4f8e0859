"""Who receives something that no bucket policy governs: an account, a role, a user of a directory.

The same four answers everywhere: ours, a partner's, an external account's, or not known whose.
"""

from dataclasses import dataclass

from cloudscan.connector import Partner
from cloudscan.facts import Affiliation, Audience, Principal
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.facts.translate import PLATFORM, principal_uid


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Somebody who receives, from our point of view."""

    principal: Principal | None  # None: the configuration does not say who
    audience: Audience | None  # None: whether it is ours could not be determined


UNKNOWN = Recipient(principal=None, audience=None)


def recipient(account: str, own_estate: OwnEstate, arn: str = "") -> Recipient:
    """The recipient behind an account's 12 digits, or behind an ARN of one of its identities."""
    if not (len(account) == 12 and account.isdecimal()):
        return Recipient(principal=_principal(arn, account, None, None), audience=None) if arn else UNKNOWN
    partner = own_estate.estate.partner_of(account)
    audience: Audience | None = Audience.NAMED_EXTERNAL
    affiliation: Affiliation | None = Affiliation.PARTNER if partner else Affiliation.EXTERNAL
    if own_estate.owns(account):
        audience, affiliation = Audience.NAMED, Affiliation.INTERNAL
    elif not own_estate.knows_whose(account):
        audience, affiliation = None, None
    return Recipient(principal=_principal(arn or account, account, affiliation, partner, own_estate), audience=audience)


def directory_uid(identity: str) -> str:
    """The permanent name of a user or group of an IAM Identity Center, by its id there."""
    return f"{PLATFORM}:directory/{identity}"


def directory_recipient(identity: str, kind: str) -> Recipient:
    """A user or group of the IAM Identity Center that the organisation has connected."""
    principal = Principal(
        uid=directory_uid(identity), platform=PLATFORM, account="", kind=kind, name=identity, status="active"
    )
    return Recipient(principal=principal, audience=Audience.NAMED)


def _principal(
    name: str,
    account: str,
    affiliation: Affiliation | None,
    partner: Partner | None,
    own_estate: OwnEstate | None = None,
) -> Principal:
    kind = "account" if name == account or name.endswith(":root") else "user" if ":user/" in name else "role"
    number_or_arn = account if kind == "account" and account else name
    known = own_estate.called(account) if own_estate and kind == "account" else number_or_arn
    return Principal(
        uid=principal_uid(number_or_arn),
        platform=PLATFORM,
        account=account,
        kind=kind,
        name=f"{known} ({partner.name})" if partner else known,
        domain=account,
        affiliation=affiliation,
        status="active",
        detail=partner.detail if partner else {},
    )
