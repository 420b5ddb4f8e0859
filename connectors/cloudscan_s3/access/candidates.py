"""Who may call and from where, as far as a set of policies can tell callers and networks apart."""

from dataclasses import dataclass
from functools import cached_property

from cloudscan.facts import Audience
from cloudscan_s3.access import callers
from cloudscan_s3.access.callers import CallerClass, MentionedCallers
from cloudscan_s3.access.networks import Networks
from cloudscan_s3.access.policy_literals import PolicyLiterals

EVERYONE = (Audience.ANYONE_WITH_LINK, Audience.ANYONE_DISCOVERABLE, Audience.ANY_ACCOUNT)


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Caller classes and networks worth trying; computed once for all statements of a target."""

    literals: PolicyLiterals
    vpc: str = ""  # the only network served; empty: all
    endpoints_only: bool = False  # nothing but VPC endpoints is served
    signed_only: bool = False  # access points serve no unsigned request

    @cached_property
    def everyone(self) -> tuple[CallerClass, ...]:
        """Classes that anyone can join, if they sign their requests or even if not; the widest first."""
        return tuple(
            caller_class
            for caller_class in self._outside
            if caller_class.audience in EVERYONE and not (self.signed_only and caller_class.kind == "anyone")
        )

    @cached_property
    def named(self) -> tuple[CallerClass, ...]:
        """Classes that the text names: external ones first, then those of our own accounts."""
        external = (caller_class for caller_class in self._outside if caller_class.audience not in EVERYONE)
        return (*external, *callers.inside(self._mentioned))

    @cached_property
    def in_named_network(self) -> CallerClass:
        """Anyone who is in a network that the text names."""
        signed = callers.any_account(self._mentioned).callers
        members = signed if self.signed_only else (callers.anonymous(), *signed)
        return CallerClass(audience=Audience.NAMED, kind="network", name="", callers=members)

    @cached_property
    def networks(self) -> Networks:
        """The networks that the text tells apart."""
        return Networks(self.literals, self.vpc, self.endpoints_only)

    @cached_property
    def _outside(self) -> tuple[CallerClass, ...]:
        return tuple(callers.outside(self._mentioned))

    @cached_property
    def _mentioned(self) -> MentionedCallers:
        return MentionedCallers(self.literals)
