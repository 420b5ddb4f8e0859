"""Reads the resource control policies of the organisation, once for all accounts, and which of them are in force where.

Only the management account, and accounts that it delegates to, may ask. A policy is attached to the root, to
organisational units or to accounts, and is in force on all that is below (AWS Organizations User Guide, "RCP
evaluation"). So the policies are listed with what they are attached to, and the units above an account are asked for
only where a policy is attached to one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import msgspec

from cloudscan.connector import Gap, OncePerKey
from cloudscan.errors import Malformed, Vanished
from cloudscan.facts import Outcome
from cloudscan.reason import Reason
from cloudscan_s3.access.bucket import ControlPolicies, ControlPolicy, Looked, Unread
from cloudscan_s3.access.policy import parse
from cloudscan_s3.api.asking import Asker, name_of
from cloudscan_s3.api.reader import garbled
from cloudscan_s3.questions import (
    CONTROL_POLICIES,
    CONTROL_POLICY,
    CONTROL_POLICY_TARGETS,
    ORGANISATION,
    PARENTS,
)

_RESTRICTS_NOTHING: Final = "p-RCPFullAWSAccess"  # attached everywhere by AWS; it restricts nothing
_MOST_UNITS: Final = 10  # above one another; AWS allows five
_REFUSALS: Final = ("s3-denied", "s3-not-in-")
_UNKNOWN_HERE: Final = frozenset(("UnsupportedAPIEndpointException", "InvalidInputException"))


@dataclass(frozen=True, kw_only=True)
class Attached:
    """A policy and what it is attached to."""

    policy: ControlPolicy
    to_root: bool
    units: frozenset[str]
    accounts: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class OrganisationPolicies:
    """All policies of the organisation that restrict something, and what could not be read of them."""

    attached: tuple[Attached, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, kw_only=True)
class InForce:
    """The policies on an account's resources, and what could not be read for this account alone."""

    policies: ControlPolicies
    gaps: tuple[Gap, ...] = ()


class Units:
    """What is directly above an account or a unit; each is asked for once in a scan, for all that is below."""

    def __init__(self) -> None:
        self._above = OncePerKey[str, "str | Unread | None"]()

    def above(self, own: Asker, account: str) -> Sequence[str] | Unread:
        """The organisational units above an account, from the nearest on."""
        units: list[str] = []
        child = account
        while len(units) < _MOST_UNITS:
            parent = self._above.get(child, partial(_parent, own, child))
            if isinstance(parent, Unread):
                return parent
            if parent is None:
                return units
            units.append(parent)
            child = parent
        return Unread(question=PARENTS, error=Malformed("s3-pages-in-a-circle"))


def of_organisation(own: Asker) -> OrganisationPolicies:
    """The policies of our organisation."""
    listed, gaps = own.list(CONTROL_POLICIES, _named, "NextToken", Filter="RESOURCE_CONTROL_POLICY")
    attached: list[Attached] = []
    found = [_not_offered(gap) for gap in gaps]
    for identifier, name in listed:
        text = _text(own, identifier)
        if isinstance(text, Unread):
            if not _is_deleted(text):
                found.append(text.gap(None))
            continue
        targets, gaps = own.list(CONTROL_POLICY_TARGETS, _target, "NextToken", PolicyId=identifier)
        found += gaps
        found += [
            CONTROL_POLICY.lacking(msgspec.structs.replace(flaw.problem, quote=name))
            for flaw in parse(text).flaws
            if flaw.may_deny
        ]
        attached.append(
            Attached(
                policy=ControlPolicy(name=name, text=text),
                to_root=bool(_of_kind(targets, "ROOT")),
                units=_of_kind(targets, "ORGANIZATIONAL_UNIT"),
                accounts=_of_kind(targets, "ACCOUNT"),
            )
        )
    return OrganisationPolicies(attached=tuple(attached), gaps=tuple(_each_once(found)))


def in_force(own: Asker, units: Units, organisation: OrganisationPolicies, account: str) -> InForce:
    """Those of the organisation's policies that are in force on the resources of a member account."""
    above: Sequence[str] | Unread = ()
    if any(one.units and not one.to_root and account not in one.accounts for one in organisation.attached):
        above = units.above(own, account)
    gaps = [above.gap(None)] if isinstance(above, Unread) else []
    chain = frozenset() if isinstance(above, Unread) else frozenset(above)
    policies = tuple(
        one.policy
        for one in organisation.attached
        if one.to_root or account in one.accounts or not chain.isdisjoint(one.units)
    )
    looked = how_far_looked([*organisation.gaps, *gaps])
    return InForce(policies=ControlPolicies(policies=policies, looked=looked), gaps=tuple(gaps))


def how_far_looked(gaps: Sequence[Gap]) -> Looked:
    """What gaps of these questions mean for a bucket: a refusal is a known limit, any other failure is not."""
    missing = [gap for gap in gaps if gap.outcome.is_gap]
    if not missing:
        return Looked.ALL
    return Looked.REFUSED if all(is_refusal(gap) for gap in missing) else Looked.FAILED


def is_refusal(gap: Gap) -> bool:
    """May we not look at all? To see that there are policies, but not what they deny, is no known limit but a gap."""
    asks_for_all = gap.question in (CONTROL_POLICIES.name, ORGANISATION.name)
    return asks_for_all and gap.outcome is Outcome.DENIED and gap.reason.code.startswith(_REFUSALS)


def as_reported(gap: Gap, *, by_management: bool) -> Gap:
    """A gap as it is reported: what only another account may look at is named as not looked at, and hides nothing.

    Nothing is ever judged too leniently for want of these policies.
    """
    if not is_refusal(gap):
        return gap
    reason = gap.reason if by_management else Reason(code="s3-management-account-only", quote=gap.reason.quote)
    return msgspec.structs.replace(gap, outcome=Outcome.NOT_JUDGED, reason=reason, hides=())


def _named(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    identifier = name_of(entry, "Id")
    return None if identifier == _RESTRICTS_NOTHING else (identifier, str(entry.get("Name") or identifier))


def _target(entry: Mapping[str, Any]) -> tuple[str, str]:
    return name_of(entry, "Type"), name_of(entry, "TargetId")


def _of_kind(targets: Sequence[tuple[str, str]], wanted: str) -> frozenset[str]:
    return frozenset(target for kind, target in targets if kind == wanted)


def _text(own: Asker, identifier: str) -> str | Unread:
    answer = own.ask(CONTROL_POLICY, PolicyId=identifier)
    if isinstance(answer, Unread):
        return answer
    policy = (answer or {}).get("Policy")
    text = policy.get("Content") if isinstance(policy, Mapping) else None
    return text if isinstance(text, str) and text else garbled(CONTROL_POLICY)


def _is_deleted(answer: Unread) -> bool:
    """Has the policy been deleted since it was listed? Another "not found" may be anybody's."""
    return isinstance(answer.error, Vanished) and answer.error.reason.quote == "PolicyNotFoundException"


def _parent(own: Asker, child: str) -> str | Unread | None:
    """The unit that is directly above an account or a unit; None where that is the root."""
    answer = own.ask(PARENTS, ChildId=child)
    if answer is None or isinstance(answer, Unread):
        return answer
    try:
        (parent,) = answer["Parents"]  # "a child can have only a single parent"
        return None if parent["Type"] == "ROOT" else name_of(parent, "Id")
    except (KeyError, TypeError, ValueError):
        return garbled(PARENTS)


def _not_offered(gap: Gap) -> Gap:
    """A partition that does not know such policies has none."""
    answer = str(gap.reason.values.get("answer", ""))
    if gap.reason.code == "s3-answered" and answer in _UNKNOWN_HERE:
        return CONTROL_POLICIES.lacking(
            Reason(code="s3-policy-type-unknown", quote=answer), outcome=Outcome.NOT_OFFERED
        )
    return gap


def _each_once(gaps: Sequence[Gap]) -> Iterator[Gap]:
    """One gap for each question and cause, however many policies it concerns."""
    yield from {(gap.question, gap.reason.code): gap for gap in reversed(gaps)}.values()
