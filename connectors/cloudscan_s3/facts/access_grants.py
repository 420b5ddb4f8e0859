"""S3 Access Grants as facts: below the account one resource for each scope, and one grant for each grantee."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from cloudscan.connector import Gap
from cloudscan.facts import Access, AnyFact, Grant, Resource, Via
from cloudscan.reason import Reason
from cloudscan_s3.access.actions import Capability
from cloudscan_s3.access.bucket import Unread
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import Principal, Statement, parse
from cloudscan_s3.api.access_grants import AccessGrant
from cloudscan_s3.facts.recipients import Recipient, directory_recipient, recipient
from cloudscan_s3.facts.translate import PLATFORM, account_uid, principal_uid

_CAPABILITIES: Final[Mapping[Access, Capability]] = {Access.READ: Capability.OBJECTS, Access.WRITE: Capability.WRITING}
_ACCESSES: Final[Mapping[str, tuple[Access, ...]]] = {
    "READ": (Access.READ,),
    "WRITE": (Access.WRITE,),
    "READWRITE": (Access.READ, Access.WRITE),
}
_DIRECTORY: Final = {"DIRECTORY_USER": "user", "DIRECTORY_GROUP": "group"}
_ADMITS: Final = "s3:getdataaccess"
_STEPS: Final[Mapping[bool | None, str]] = {
    True: "s3-instance-shared",
    False: "s3-instance-not-shared",
    None: "s3-instance-perhaps-shared",
}


def facts_of_access_grants(
    grants: Iterable[AccessGrant], account: str, own_estate: OwnEstate, policy_in: Callable[[str], str | Unread | None]
) -> Iterator[AnyFact | Gap]:
    """A resource for each scope and region, and a grant for each grantee and permission.

    `policy_in` gives the policy of the instance in a region; it is asked only where a grantee is not of the account.
    """
    scopes: set[str] = set()
    unread: dict[str, Gap] = {}
    for one in grants:
        uid = f"{PLATFORM}:access-grant/{account}/{one.region}/{one.scope}"
        found = _grantee(one, own_estate)
        if uid not in scopes:
            scopes.add(uid)
            yield _resource(uid, one, account)
        if found.principal:
            yield found.principal
        admitted: bool | None = True
        crosses = one.grantee_kind not in _DIRECTORY and _account_of(one.grantee) != account
        if crosses:
            policy = policy_in(one.region)
            if isinstance(policy, Unread):
                unread[one.region] = policy.gap(account_uid(account))
                admitted = None
            else:
                admitted = admits(policy, one.grantee)
        yield from _grants(uid, one, found, admitted, crosses=crosses)
    yield from unread.values()


def admits(policy: str | None, grantee: str) -> bool | None:
    """Whether an instance's policy lets a grantee of another account fetch credentials; None: not without doubt.

    What a policy means in every case is decided for buckets alone. Here a statement without conditions that names the
    account is a yes, a policy that names everybody it admits, and not the account, is a no.
    """
    if policy is None:
        return False
    parsed = parse(policy)
    if any(flaw.may_allow for flaw in parsed.flaws):
        return None
    opinions = [_admits(statement, grantee) for statement in parsed.allows if _is_about_credentials(statement)]
    if all(opinion is False for opinion in opinions):
        return False
    denied = any(_is_about_credentials(statement) for statement in parsed.denies) or bool(parsed.flaws)
    return None if denied or True not in opinions else True


def _admits(statement: Statement, grantee: str) -> bool | None:
    if statement.not_principal:
        return None
    if not any(_names(principal, grantee) for principal in statement.principals):
        return False
    return None if statement.conditions else True


def _names(principal: Principal, grantee: str) -> bool:
    account = _account_of(grantee)
    if principal.kind != "AWS":
        return False
    return principal.value in ("*", account, grantee) or principal.value.endswith(f":{account}:root")


def _is_about_credentials(statement: Statement) -> bool:
    matches = any(fnmatchcase(_ADMITS, action.lower().replace("[", "[[]")) for action in statement.actions)
    return matches is not statement.not_action


def _grantee(one: AccessGrant, own_estate: OwnEstate) -> Recipient:
    if one.grantee_kind in _DIRECTORY:
        return directory_recipient(one.grantee, _DIRECTORY[one.grantee_kind])
    return recipient(_account_of(one.grantee), own_estate, one.grantee)


def _account_of(arn: str) -> str:
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 else ""


def _resource(uid: str, one: AccessGrant, account: str) -> Resource:
    """Below the account, whose list names it: a bucket that was read says nothing of the grants on it."""
    return Resource(
        uid=uid,
        platform=PLATFORM,
        account=account,
        kind="access_grant",
        name=one.scope,
        path=one.scope,
        parent_uid=account_uid(account),
        container_uid=account_uid(account),
        owner_uid=principal_uid(account),
        detail={"region": one.region},
    )


def _grants(uid: str, one: AccessGrant, found: Recipient, admitted: bool | None, *, crosses: bool) -> Iterator[Grant]:
    for access in _ACCESSES.get(one.permission, (Access.READ, Access.WRITE)):
        steps = [
            Reason(
                code="s3-access-grant",
                values={"permission": one.permission, "scope": one.scope, "grantee": one.grantee, "id": one.name},
            )
        ]
        if crosses:
            steps.append(Reason(code=_STEPS[admitted], values={"region": one.region}))
        yield Grant(
            uid=f"{uid}#{one.name}/{access.value}",
            resource_uid=uid,
            principal_uid=found.principal.uid if found.principal else None,
            audience=found.audience,
            access=access,
            via=Via.DIRECT,
            effective=admitted,
            blocked_by="s3-instance-not-shared" if admitted is False else "",
            detail={"chain": msgspec.to_builtins(steps), "capability": _CAPABILITIES[access].value},
        )
