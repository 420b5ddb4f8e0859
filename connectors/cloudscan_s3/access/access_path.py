"""One access path: who can do what with a bucket, through which statement, and what stops it."""

from dataclasses import dataclass

from cloudscan.facts import Access, Audience, Via
from cloudscan_s3.access.actions import Capability
from cloudscan_s3.access.block_switch import BlockSwitch
from cloudscan_s3.access.bucket import AccessPoint, Looked
from cloudscan_s3.access.candidates import EVERYONE
from cloudscan_s3.access.policy import Condition, Statement
from cloudscan_s3.access.request_search import Witness


@dataclass(frozen=True, kw_only=True)
class Denial:
    """A Deny statement that stops a path."""

    statement: int  # its number, as people count
    of_bucket_behind: bool = False  # of the policy of the bucket behind an access point
    control_policy: str = ""  # of this resource control policy of the organisation


@dataclass(frozen=True, kw_only=True)
class AccessPath:
    """One path to the data, with everything needed to explain why it is open, or what stops it."""

    audience: Audience
    kind: str  # the caller class's kind, or network, or access_point_account
    names: tuple[str, ...]  # the callers or networks that it names; empty: everyone
    account: str = ""  # the 12 digits behind the names, where there is one account
    confused_deputy: bool = False  # an AWS service that any customer of AWS can make act for them
    affiliation_known: bool = True  # False: whether the callers are ours could not be read
    access: Access
    capability: Capability
    actions: tuple[str, ...]
    via: Via
    statement: Statement
    access_point: AccessPoint | None = None
    witness: Witness
    policy_public: bool  # AWS's own definition calls the policy (or the ACL) public
    denied_by: tuple[Denial, ...] = ()  # the Deny statements that stop it; empty: none
    not_before: str = ""  # ISO 8601: the future moment at which it opens
    unknown_conditions: tuple[Condition, ...] = ()  # that decide about it, and may be met or not
    denials_unread: bool = False  # a Deny that could not be read may stop it
    control_policies: Looked = Looked.ALL  # how far those of the organisation were looked at
    not_delegated: bool = False  # the access point allows it, the bucket's policy does not
    block_switch: BlockSwitch | None = None  # the switch that could stop it, whether it does or not
    effective: bool | None = True

    @property
    def blocked_by(self) -> str:
        """The code of what stops it; empty where nothing does (or where that could not be read).

        Where several things stop it, it is the first that would have to be changed for it to open.
        """
        if self.effective is not False:
            return ""
        if self.denied_by:
            from_above = all(denial.control_policy for denial in self.denied_by)
            return "s3-resource-control-policy" if from_above else "s3-deny"
        if self.not_before:
            return "s3-not-yet"
        if self.not_delegated:
            return "s3-not-delegated"
        return self.block_switch.code if self.block_switch and self.block_switch.on else ""

    @property
    def acts_for(self) -> str:
        """The account outside our own for which an AWS service calls; empty for everyone else's calls."""
        return self.account if self.kind == "service" and self.audience is Audience.NAMED_EXTERNAL else ""

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
