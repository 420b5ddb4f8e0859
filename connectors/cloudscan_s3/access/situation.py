"""What is settled about a request before anything is chosen, and which keys are left to its caller.

Source: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, "Condition keys for
Amazon S3".
"""

from dataclasses import dataclass

from cloudscan_s3.access.callers.service_limits import OF_ANY_REQUEST, OF_PRINCIPALS, may_carry
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.request import Caller
from cloudscan_s3.access.targets import PolicyTarget

VPC_ADDRESS = "aws:vpcsourceip"  # in a VPC of one's own one chooses the addresses

# Keys that the caller class and the network set, or that are absent: the caller has no choice about them.
_OF_SERVICES = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths")
_OF_THE_CALLER = frozenset(
    (
        *_OF_SERVICES,
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principaltype",
        "aws:userid",
        "aws:username",
        "aws:principalisawsservice",
        "aws:principalservicename",
        "aws:principalservicenameslist",
        "aws:sourceip",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourcevpcarn",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
        "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointname",
        "s3:accesspointnetworkorigin",
    )
)
# Keys that only a signed request carries; so are those of other services, which come with their credentials.
_OF_SIGNED_REQUESTS = (*OF_PRINCIPALS, "s3:authtype", "s3:signatureage", "s3:signatureversion")
# Keys of what is asked for, not of who asks; on a bucket they are absent unless ABAC is switched on for it (User Guide,
# "Enabling ABAC in general purpose buckets").
_OF_THE_RESOURCE = ("aws:resourcetag/", "s3:buckettag/", "s3:accesspointtag/", "aws:resourceorg", "aws:resourceaccount")


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A caller in a network in front of a target. `context` is what these three settle."""

    caller: Caller
    context: Context
    target: PolicyTarget

    def may_choose(self, key: str) -> bool:
        """Is a key (in lower case) neither settled nor out of the caller's reach?"""
        if key in self.context or key in _OF_THE_CALLER or key.startswith(_OF_THE_RESOURCE):
            return False
        if key == VPC_ADDRESS and "aws:sourcevpce" not in self.context:
            return False
        if self.caller.kind == "service":
            return may_carry(key)
        if key.startswith("aws:principaltag/") and self.context.get("aws:principaltype") == ("Account",):
            return False  # a root user cannot be tagged, and has no session that could be
        if self.caller.kind == "anonymous":
            return key.startswith(OF_ANY_REQUEST) and not key.startswith(_OF_SIGNED_REQUESTS)
        return not (self.caller.kind == "federated" and key in self.caller.context)
