"""Every access path to a bucket, through all layers: policy, ACL, ownership, blocks, access points, denials.

The order of the layers follows the User Guide ("How Amazon S3 authorizes a request", "Blocking public access to your
Amazon S3 storage", "Configuring IAM policies for using access points"): a path that some statement or ACL opens is
followed until something stops it. What stops it stays on the record, because it may be switched off.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cloudscan.facts import Audience, Via
from cloudscan_s3.access import acl, control_policies
from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.actions import ACTIONS, Action, Capability, actions_on
from cloudscan_s3.access.block_switch import BlockSwitch, ignore_public_acls, restrict_public_buckets
from cloudscan_s3.access.bucket import AccessPoint, Acl, Bucket, ObjectAcl, Ownership, Unread
from cloudscan_s3.access.callers import is_left_over
from cloudscan_s3.access.candidates import Candidates
from cloudscan_s3.access.delegation import delegated_paths
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.path_finder import AccessPathFinder
from cloudscan_s3.access.policy import Policy, Statement, parse
from cloudscan_s3.access.policy_literals import PolicyLiterals
from cloudscan_s3.access.policy_status import is_public
from cloudscan_s3.access.targets import PolicyLayer, access_point_target, bucket_target, through


@dataclass(frozen=True, kw_only=True)
class AccessPaths:
    """All access paths to one bucket, and what could not be read."""

    open: tuple[AccessPath, ...]  # latent ones included: see AccessPath.effective
    policy: Policy | Unread
    policy_public: bool | None  # AWS's verdict on the policy; None: could not be read
    left_over: tuple[tuple[int, str], ...] = ()  # ids of deleted principals, with the number of their statement

    @property
    def direct(self) -> Sequence[AccessPath]:
        """The paths through the bucket's own policy and ACL."""
        return tuple(path for path in self.open if path.access_point is None)

    def through(self, point: AccessPoint) -> Sequence[AccessPath]:
        """The paths through one access point."""
        return tuple(path for path in self.open if path.access_point == point)


def access_paths(bucket: Bucket, own_estate: OwnEstate, as_of: datetime) -> AccessPaths:
    """Find every access path to a bucket that its owner's own IAM policies do not control.

    The paths of the bucket's policy come first, then those of its ACL, then those of its access points.
    """
    stored = stored_policy(bucket.policy)
    policy = stored if isinstance(stored, Policy) else Policy()
    acl_statements = tuple(acl.statements(bucket.acl, own_estate)) if _acl_counts(bucket) else ()
    from_above = control_policies.denials(bucket.control_policies)
    literals = PolicyLiterals((*policy.statements, *acl_statements, *from_above), own_estate)
    finder = AccessPathFinder(
        layers=(_denials(policy, bucket, own_estate, as_of),), candidates=Candidates(literals=literals)
    )
    paths = [
        *_policy_paths(finder, policy, bucket),
        *_acl_paths(finder, acl_statements, bucket, _catalogue(bucket)),
    ]
    paths = list(_as_far_as_known(paths, bucket, stored))
    for point in bucket.access_points:
        paths += _access_point_paths(point, bucket, stored, own_estate, as_of)
    public = is_public(policy)
    return AccessPaths(
        open=tuple(_discoverable(paths)),
        policy=stored,
        policy_public=public or (False if _is_understood(stored) else None),
        left_over=tuple(
            (statement.number, principal.value)
            for statement in policy.allows
            for principal in statement.principals
            if is_left_over(principal)
        ),
    )


def access_paths_to_object(
    item: ObjectAcl, bucket: Bucket, own_estate: OwnEstate, as_of: datetime
) -> tuple[AccessPath, ...]:
    """Find every path that an object's own ACL opens, after ownership, blocks and the bucket policy's denials."""
    if isinstance(item.acl, Unread) or bucket.ownership is Ownership.ENFORCED:
        return ()
    stored = stored_policy(bucket.policy)
    denials = _denials(stored if isinstance(stored, Policy) else Policy(), bucket, own_estate, as_of, item.key)
    statements = tuple(acl.statements_on_object(item.acl, own_estate))
    finder = AccessPathFinder(
        layers=(denials,),
        candidates=Candidates(literals=PolicyLiterals((*denials.statements, *statements), own_estate)),
    )
    return tuple(_as_far_as_known(_acl_paths(finder, statements, bucket, ACTIONS), bucket, stored))


def _as_far_as_known(paths: Iterable[AccessPath], bucket: Bucket, stored: Policy | Unread) -> Iterator[AccessPath]:
    """The same paths, as far as the denials in front of a bucket are known: its own and the organisation's."""
    above = bucket.control_policies
    read = _as_far_as_read(paths, stored, *control_policies.stored(above))
    return control_policies.as_far_as_looked(read, above)


def _as_far_as_read(paths: Iterable[AccessPath], *policies: Policy | Unread) -> Iterator[AccessPath]:
    """The same paths; whether one is open is unknown where a Deny may stop it that could not be read."""
    unread = any(isinstance(policy, Unread) or any(flaw.may_deny for flaw in policy.flaws) for policy in policies)
    for path in paths:
        yield replace(path, effective=None, denials_unread=True) if unread and path.effective else path


def _is_understood(policy: Policy | Unread) -> bool:
    """Whether everything is known that a policy may allow."""
    return isinstance(policy, Policy) and not any(flaw.may_allow for flaw in policy.flaws)


def stored_policy(text: str | Unread | None) -> Policy | Unread:
    """A policy as it is stored, parsed; without one an empty policy."""
    if isinstance(text, Unread):
        return text
    return parse(text) if text is not None else Policy()


def _acl_counts(bucket: Bucket) -> bool:
    return isinstance(bucket.acl, Acl) and bucket.ownership is not Ownership.ENFORCED


def _denials(
    policy: Policy, bucket: Bucket, own_estate: OwnEstate, as_of: datetime, key: str | None = None
) -> PolicyLayer:
    """The Deny statements that stop what a bucket's policy or an ACL allows: its own and the organisation's."""
    target = bucket_target(bucket, own_estate, as_of, key)
    statements = (*policy.denies, *control_policies.denials(bucket.control_policies))
    return PolicyLayer(target=target, statements=statements, must_allow=False)


def _policy_paths(finder: AccessPathFinder, policy: Policy, bucket: Bucket) -> Iterator[AccessPath]:
    """The paths of a bucket policy: statement by statement, direct ones before those through others' access points.

    Under RestrictPublicBuckets a policy that AWS calls public admits only AWS services and the owner's own account.
    """
    public = is_public(policy)
    switch = restrict_public_buckets(bucket)
    catalogue = _catalogue(bucket)
    for statement in policy.allows:
        for path in _statement_paths(finder, statement, catalogue):
            blockable = public and path.crosses_accounts
            yield _behind_switch(replace(path, policy_public=public), switch, blockable=blockable)


def _catalogue(bucket: Bucket) -> Sequence[Action]:
    return actions_on(directory=bucket.directory, abac=bucket.abac if isinstance(bucket.abac, bool) else None)


def _statement_paths(
    finder: AccessPathFinder, statement: Statement, catalogue: Sequence[Action]
) -> Iterator[AccessPath]:
    """The direct paths, then the delegated ones that are wider than what is open directly."""
    direct = tuple(finder.paths(statement, Via.POLICY, catalogue))
    yield from direct
    open_directly = {(path.capability, path.kind, path.names) for path in direct if path.effective}
    for path in delegated_paths(finder, statement, catalogue):
        wider = ((path.capability, kind, ()) for kind in ("anyone", "any_account"))
        if open_directly.isdisjoint((*wider, (path.capability, path.kind, path.names))):
            yield path


def _acl_paths(
    finder: AccessPathFinder, statements: Sequence[Statement], bucket: Bucket, catalogue: Sequence[Action]
) -> Iterator[AccessPath]:
    """The paths of an ACL, entry by entry. IgnorePublicAcls makes the entries for everyone void."""
    switch = ignore_public_acls(bucket)
    for statement in statements:
        for path in finder.paths(statement, Via.ACL, catalogue):
            yield _behind_switch(replace(path, policy_public=path.for_everyone), switch, blockable=path.for_everyone)


def _access_point_paths(
    point: AccessPoint, bucket: Bucket, bucket_policy: Policy | Unread, own_estate: OwnEstate, as_of: datetime
) -> Iterator[AccessPath]:
    """The paths of an access point's own policy. Callers from outside the account need the bucket policy's Allow too.

    Either policy's being public brings RestrictPublicBuckets into play. A VPC's access point is never public.
    """
    policy = stored_policy(point.policy)
    if isinstance(policy, Unread):
        return
    behind = bucket_policy if isinstance(bucket_policy, Policy) else Policy()
    own_denials = (*policy.denies, *control_policies.denials(point.control_policies))
    own_target, behind_target = through(
        access_point_target(point, own_estate, as_of), bucket_target(bucket, own_estate, as_of)
    )
    own_layer = PolicyLayer(target=own_target, statements=own_denials, must_allow=False)
    behind_it = (*behind.statements, *control_policies.denials(bucket.control_policies))
    bucket_layer = PolicyLayer(target=behind_target, statements=behind_it, must_allow=True)
    literals = PolicyLiterals((*policy.statements, *behind_it, *own_denials), own_estate)
    candidates = Candidates(literals=literals, vpc=point.vpc, signed_only=True)
    through_both = AccessPathFinder(layers=(own_layer, bucket_layer), candidates=candidates)
    through_point = AccessPathFinder(layers=(own_layer,), candidates=candidates)
    public = is_public(policy, access_point=True) and not point.vpc
    either_public = public or is_public(behind)
    switch = restrict_public_buckets(bucket, point)
    catalogue = actions_on(directory=bucket.directory, abac=True)
    for statement in policy.allows:
        passing = through_both.paths(statement, Via.POLICY, catalogue)
        allowed = through_point.paths(statement, Via.POLICY, catalogue)
        known = _with_undelegated(passing, allowed, policy_read=_is_understood(bucket_policy))
        above = (point.control_policies, bucket.control_policies)
        flawed = (one for policies in above for one in control_policies.stored(policies))
        read = _as_far_as_read(known, policy, bucket_policy, *flawed)
        for path in control_policies.as_far_as_looked(read, *above):
            blockable = either_public and path.crosses_accounts
            seen = _behind_switch(replace(path, policy_public=public), switch, blockable=blockable)
            yield replace(seen, access_point=point)


def _with_undelegated(
    passing: Iterator[AccessPath], allowed: Iterator[AccessPath], *, policy_read: bool
) -> Iterator[AccessPath]:
    """The paths that pass the access point and the bucket, then those that only the access point allows.

    An access point that allows "*" behind a bucket without a policy yields a latent path: "bucket policy does not
    delegate". Where the bucket's policy could not be read, whether the path is open is unknown.
    """
    paths = {(path.kind, path.names, path.capability): path for path in passing}
    for path in allowed:
        identity = (path.kind, path.names, path.capability)
        if identity in paths:
            continue
        if path.effective and policy_read:
            paths[identity] = replace(path, effective=False, not_delegated=True)
        else:
            paths[identity] = replace(path, effective=None if path.effective else False)
    yield from paths.values()


def _behind_switch(path: AccessPath, switch: BlockSwitch, *, blockable: bool) -> AccessPath:
    """A path after Block Public Access; `blockable` says whether the switch acts on this path at all."""
    if not blockable:
        return path
    effective: bool | None = False if switch.on else path.effective
    if switch.on is None and path.effective:
        effective = None
    return replace(path, block_switch=switch, effective=effective)


def _discoverable(paths: Sequence[AccessPath]) -> Iterator[AccessPath]:
    """Where anyone may list the names, anyone can find the objects without being given a link."""
    listed = any(
        path.capability is Capability.KEYS and path.audience is Audience.ANYONE_WITH_LINK and path.effective
        for path in paths
    )
    for path in paths:
        findable = path.audience is Audience.ANYONE_WITH_LINK and path.capability in (
            Capability.KEYS,
            Capability.OBJECTS,
        )
        if listed and findable and path.effective:
            yield replace(path, audience=Audience.ANYONE_DISCOVERABLE)
        else:
            yield path
