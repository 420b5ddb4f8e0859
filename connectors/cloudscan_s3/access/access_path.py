"""One access path: who can do what with a bucket, through which statement, and what stops it."""

from dataclasses import dataclass

from cloudscan.facts import Access, Audience, Via
from cloudscan_s3.access.actions import Capability
from cloudscan_s3.access.block_switch import BlockSwitch
from cloudscan_s3.access.bucket import AccessPoint
from cloudscan_s3.access.candidates import EVERYONE
from cloudscan_s3.access.policy import Statement
from cloudscan_s3.access.request_search import Witness


@dataclass(frozen=True, kw_only=True)
class AccessPath:
    """One path to the data, with everything needed to explain why it is open, or what stops it."""

    audience: Audience
    kind: str  # the caller class's kind, or network, or access_point_account
    names: tuple[str, ...]  # the callers or networks that it names; empty: everyone
    account: str = ""  # the 12 digits behind the names, where there is one account
    confused_deputy: bool = False  # an AWS service that any customer of AWS can make act for them
    access: Access
    capability: Capability
    actions: tuple[str, ...]
    via: Via
    statement: Statement
    access_point: AccessPoint | None = None
    witness: Witness
    policy_public: bool  # AWS's own definition calls the policy (or the ACL) public
    denied_by: tuple[str, ...] = ()  # the Deny statements that stop it; empty: none
    not_before: str = ""  # ISO 8601: the future moment at which it opens
    not_delegated: bool = False  # the access point allows it, the bucket's policy does not
    block_switch: BlockSwitch | None = None  # the switch that could stop it, whether it does or not
    effective: bool | None = True

    @property
    def blocked_by(self) -> str:
        """What stops it, in short; empty where nothing does (or where that could not be read)."""
        if self.effective is not False:
            return ""
        stops = [f"Deny in {statement}" for statement in self.denied_by]
        stops += [f"not before {self.not_before}"] if self.not_before else []
        stops += ["bucket policy does not delegate"] if self.not_delegated else []
        stops += [str(self.block_switch)] if self.block_switch and self.block_switch.on else []
        return "; ".join(stops)

    @property
    def for_everyone(self) -> bool:
        """Can anyone use it, with an AWS account or without?"""
        return self.audience in EVERYONE

    @property
    def crosses_accounts(self) -> bool:
        """Does the call come from outside the account that owns the target, and not from an AWS service?"""
        request = self.witness.request
        owner = request.context.get("aws:resourceaccount")
        return request.caller.kind != "service" and (request.caller.account,) != owner
