"""A class of callers."""

from dataclasses import dataclass

from cloudscan.facts import Audience
from cloudscan_s3.access.caller_set import CallerSet


@dataclass(frozen=True, kw_only=True)
class CallerClass:
    """Callers who are one audience."""

    audience: Audience
    kind: str  # anyone, any_account, organisation, account, principal, canonical, unique_id, federated, service
    name: str  # an account id, an ARN, an organisation id, a service; empty for the first two kinds
    callers: tuple[CallerSet, ...]
    account: str = ""  # the 12 digits behind it, where there is one account
    confused_deputy: bool = False  # a service that any customer of AWS can make act for them
    affiliation_known: bool = (
        True  # False: whether they are ours could not be read; `audience` assumes that they are not
    )
    within: str = ""  # a wider class to which this belongs; if that gets in, this one is not reported
