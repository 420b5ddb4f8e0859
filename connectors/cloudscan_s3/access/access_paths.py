"""Every way into a bucket, through all layers: policy, ACL, ownership, blocks, access points, denials.

The order of the layers follows the User Guide ("How Amazon S3 authorizes a request", "Blocking public access to your
Amazon S3 storage", "Configuring IAM policies for using access points"): a way that some statement or ACL opens is
followed until something stops it. What stops it stays on the record, because it may be switched off.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby, product

from cloudscan.facts import Access, Audience, Via
from cloudscan_s3.access import acl, actions, conditions, networks
from cloudscan_s3.access.actions import ACTIONS, EXPRESS_ACTIONS, Action, Capability
from cloudscan_s3.access.bucket import AccessPoint, Acl, Block, Bucket, ObjectAcl, Ownership, Unread
from cloudscan_s3.access.callers import CallerClass, CallerClasses, anonymous, is_left_over, named_in_full
from cloudscan_s3.access.networks import Network
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import Policy, Statement, parse
from cloudscan_s3.access.policy_literals import TWELVE_DIGITS, PolicyLiterals, examples, filled_account, is_pattern
from cloudscan_s3.access.policy_status import policy_status
from cloudscan_s3.access.request import applies_to
from cloudscan_s3.access.request_search import PolicyLayer, PolicyTarget, Witness, could_stop, seen_from, witness

_WHOLE = ("account", "organisation", "unique_id")
_NOWHERE = (Network(name="", context={}),)
_CLOCK = ("aws:currenttime", "aws:epochtime")
_OF_POINTS = frozenset(("s3:dataaccesspointaccount", "s3:dataaccesspointarn", "s3:accesspointnetworkorigin"))
_EVERYBODY = (Audience.ANYONE_WITH_LINK, Audience.ANYONE_DISCOVERABLE, Audience.ANY_ACCOUNT)


@dataclass(frozen=True, kw_only=True)
class BlockSwitch:
    """A Block Public Access switch, over all levels: on at `levels`, or unreadable at `unread`."""

    name: str
    levels: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def on(self) -> bool | None:
        """None: off wherever we could look, but not every level could be read."""
        return True if self.levels else None if self.unread else False

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.levels or self.unread)})"


@dataclass(frozen=True, kw_only=True)
class AccessPath:
    """One way in, with everything needed to say why it stands open, or what stops it."""

    audience: Audience
    kind: str  # the crowd's kind, or network, or access_point_account
    names: tuple[str, ...]  # whom or what it names; empty: everybody
    account: str = ""
    stray: bool = False
    access: Access
    capability: Capability
    actions: tuple[str, ...]
    via: Via
    statement: Statement
    access_point: AccessPoint | None = None
    witness: Witness
    policy_status: bool
    denied_by: tuple[str, ...] = ()  # the Deny statements that stop it; empty: none
    not_before: str = ""  # the moment, yet to come, from which on it is open
    not_delegated: bool = False  # an access point lets in, the bucket's policy does not
    guard: BlockSwitch | None = None  # the block that could stop it, whether it does or not
    effective: bool | None = True

    @property
    def blocked_by(self) -> str:
        """What stops it, in short; empty where nothing does (or where that could not be read)."""
        if self.effective is not False:
            return ""
        stops = [f"Deny in {each}" for each in self.denied_by]
        stops += [f"not before {self.not_before}"] if self.not_before else []
        stops += ["bucket policy does not delegate"] if self.not_delegated else []
        stops += [str(self.guard)] if self.guard and self.guard.on else []
        return "; ".join(stops)


@dataclass(frozen=True, kw_only=True)
class AccessPaths:
    """All ways into one bucket, and what could not be told."""

    open: tuple[AccessPath, ...]
    policy: Policy | Unread
    letter: bool | None  # AWS's verdict on the policy; None: could not be read
    left_over: tuple[tuple[int, str], ...] = ()  # ids of deleted principals, by statement


def access_paths(bucket: Bucket, us: OwnEstate, as_of: datetime) -> AccessPaths:
    """Find every way into a bucket for somebody whom the bucket's owner did not get from his own account's IAM."""
    policy = _policy(bucket.policy)
    known = policy if isinstance(policy, Policy) else Policy()
    letter = policy_status(known).public
    place = _place(bucket, us, as_of)
    lists = tuple(acl.statements(bucket.acl, us)) if _acl_counts(bucket) else ()
    restrict = guard("RestrictPublicBuckets", "restrict_public_buckets", bucket)
    ignore = guard("IgnorePublicAcls", "ignore_public_acls", bucket)
    mentions = PolicyLiterals((*known.statements, *lists), us)
    door = _EvaluationContext(
        mentions=mentions, gates=(PolicyLayer(place=place, statements=known.denies, must_allow=False),)
    )
    catalogue = EXPRESS_ACTIONS if bucket.directory else ACTIONS
    found = [
        _through_policy(way, letter, restrict)
        for statement in known.allows
        for way in _by_statement(door, statement, catalogue)
    ]
    found += [_through_acl(way, ignore) for each in lists for way in _ways(door, each, Via.ACL, catalogue)]
    for point in bucket.access_points:
        found += _through_access_point(point, bucket, policy, us, as_of)
    left_over = tuple(
        (each.number, principal.value)
        for each in known.allows
        for principal in each.principals
        if is_left_over(principal)
    )
    complete = None if isinstance(policy, Unread) or any(flaw.may_allow for flaw in policy.flaws) else False
    return AccessPaths(open=tuple(_findable(found)), policy=policy, letter=letter or complete, left_over=left_over)


def access_paths_to_object(item: ObjectAcl, bucket: Bucket, us: OwnEstate, as_of: datetime) -> tuple[AccessPath, ...]:
    """Find every way that an object's own ACL opens, after ownership, blocks and the bucket policy's denials."""
    if isinstance(item.acl, Unread) or bucket.ownership is Ownership.ENFORCED:
        return ()
    policy = _policy(bucket.policy)
    denies = policy.denies if isinstance(policy, Policy) else ()
    place = replace(_place(bucket, us, as_of), key=item.key)
    lists = tuple(acl.statements_on_object(item.acl, us))
    door = _EvaluationContext(
        mentions=PolicyLiterals((*denies, *lists), us),
        gates=(PolicyLayer(place=place, statements=denies, must_allow=False),),
    )
    ignore = guard("IgnorePublicAcls", "ignore_public_acls", bucket)
    return tuple(_through_acl(way, ignore) for each in lists for way in _ways(door, each, Via.ACL, ACTIONS))


def guard(name: str, field: str, bucket: Bucket, point: AccessPoint | None = None) -> BlockSwitch:
    """One block switch over all levels. The most restrictive combination wins."""
    levels: list[tuple[str, Block | Unread]] = [("account", bucket.account_block), ("bucket", bucket.block)]
    if point is not None:
        levels.append(("access point", point.block))
    return BlockSwitch(
        name=name,
        levels=tuple(level for level, block in levels if isinstance(block, Block) and getattr(block, field)),
        unread=tuple(level for level, block in levels if isinstance(block, Unread)),
    )


@dataclass(frozen=True, kw_only=True)
class _EvaluationContext:
    """Where a request comes to, and what it has to pass."""

    mentions: PolicyLiterals
    gates: tuple[PolicyLayer, ...]
    vpc: str = ""
    signed_only: bool = False

    @cached_property
    def crowds(self) -> CallerClasses:
        return CallerClasses(self.mentions)

    @cached_property
    def everybody(self) -> tuple[CallerClass, ...]:
        """Crowds that anybody can join, if he signs his requests or even if not."""
        crowds = (each for each in self.crowds.outside() if each.audience in _EVERYBODY)
        return tuple(each for each in crowds if not (self.signed_only and each.kind == "anyone"))

    @cached_property
    def somebody(self) -> tuple[CallerClass, ...]:
        """Crowds that are named, outsiders first."""
        outside = (each for each in self.crowds.outside() if each.audience not in _EVERYBODY)
        return (*outside, *self.crowds.inside())

    @cached_property
    def anywhere(self) -> tuple[Network, ...]:
        return networks.anywhere(self.mentions, self.vpc)

    @cached_property
    def named(self) -> tuple[Network, ...]:
        return networks.singled_out(self.mentions, self.vpc)


def _policy(text: str | Unread | None) -> Policy | Unread:
    if isinstance(text, Unread):
        return text
    return parse(text) if text is not None else Policy()


def _acl_counts(bucket: Bucket) -> bool:
    return isinstance(bucket.acl, Acl) and bucket.ownership is not Ownership.ENFORCED


def _place(bucket: Bucket, us: OwnEstate, as_of: datetime) -> PolicyTarget:
    root = f"arn:{bucket.partition}:s3:::{bucket.name}"
    if bucket.directory:
        root = f"arn:{bucket.partition}:s3express:{bucket.region}:{bucket.account}:bucket/{bucket.name}"
    return PolicyTarget(root=root, objects=f"{root}/", context=_surroundings(bucket.account, bucket.region, us, as_of))


def _surroundings(account: str, region: str, us: OwnEstate, as_of: datetime) -> dict[str, tuple[str, ...]]:
    context: dict[str, tuple[str, ...]] = {
        **_clock(as_of),
        "aws:resourceaccount": (account,),
        "s3:resourceaccount": (account,),
    }
    if region:
        context["aws:requestedregion"] = (region,)
    if us.organisation:
        context["aws:resourceorgid"] = (us.organisation,)
    return context


def _clock(now: datetime) -> dict[str, tuple[str, ...]]:
    return dict(zip(_CLOCK, ((now.isoformat(),), (str(int(now.timestamp())),)), strict=True))


def _by_statement(door: _EvaluationContext, statement: Statement, catalogue: Sequence[Action]) -> Iterator[AccessPath]:
    """Whom a statement of the bucket's policy lets in, directly and through access points."""
    direct = tuple(_ways(door, statement, Via.POLICY, catalogue))
    yield from direct
    known = {(way.capability, way.kind, way.names) for way in direct if way.effective}
    for way in _delegated(door, statement, catalogue):
        wider = ((way.capability, each, ()) for each in ("anyone", "any_account"))
        if known.isdisjoint((*wider, (way.capability, way.kind, way.names))):
            yield way


def _ways(
    door: _EvaluationContext, statement: Statement, via: Via, catalogue: Sequence[Action]
) -> Iterator[AccessPath]:
    """Whom one statement lets in, now or from some moment on."""
    yield from _now(door, statement, via, catalogue)
    begins = _begins(statement, door.gates[0].place)
    if begins is not None:
        later = _clock(begins + timedelta(seconds=1))
        places = [replace(gate.place, context={**gate.place.context, **later}) for gate in door.gates]
        gates = tuple(replace(gate, place=place) for gate, place in zip(door.gates, places, strict=True))
        for way in _now(replace(door, gates=gates), statement, via, catalogue):
            yield replace(way, effective=False, not_before=begins.isoformat())


def _begins(statement: Statement, place: PolicyTarget) -> datetime | None:
    """The moment, yet to come, before which a statement allows nothing; None where there is none."""
    starts = [
        min((moment for value in each.values if (moment := conditions.moment(value)) is not None), default=None)
        for each in statement.conditions
        if each.key in _CLOCK and "GreaterThan" in each.operator and not conditions.holds(each, place.context)
    ]
    return max((each for each in starts if each is not None), default=None)


def _now(door: _EvaluationContext, statement: Statement, via: Via, catalogue: Sequence[Action]) -> Iterator[AccessPath]:
    """Whom one statement lets in, capability by capability, from the widest crowd to the narrowest."""
    matching = [each for each in catalogue if actions.named(statement.actions, statement.not_action, each)]
    matching.sort(key=lambda each: (each.capability, each.access))
    for (capability, access), group in groupby(matching, key=lambda each: (each.capability, each.access)):
        yield from _by_crowd(door, statement, via, capability, access, tuple(group))


def _by_crowd(
    door: _EvaluationContext,
    statement: Statement,
    via: Via,
    capability: Capability,
    access: Access,
    group: tuple[Action, ...],
) -> Iterator[AccessPath]:
    def way(crowd: CallerClass, places: Sequence[Network]) -> AccessPath | None:
        found = witness(statement, crowd.callers, places, group, door.gates)
        denied_by: tuple[str, ...] = ()
        open_now = found is not None
        if found is None:
            bare = tuple(replace(gate, statements=tuple(s for s in gate.statements if s.allows)) for gate in door.gates)
            found = witness(statement, crowd.callers, places, group, bare)
            if found is None:
                return None
            denied_by = _denying(door.gates, found)
        return AccessPath(
            audience=crowd.audience,
            kind=crowd.kind,
            names=(crowd.name,) if crowd.name else (),
            account=crowd.account,
            stray=crowd.stray,
            access=access,
            capability=capability,
            actions=tuple(each.name for each in group),
            via=via,
            statement=statement,
            witness=found,
            policy_status=False,
            denied_by=denied_by,
            effective=open_now,
        )

    shut = False
    for crowd in door.everybody:
        found = way(crowd, door.anywhere)
        if found is None:
            continue
        if found.effective:
            yield found
            return
        if not shut:
            yield found
        shut = True
    admitted = [(each, found) for each in door.named if (found := way(_neighbours(door), (each,))) is not None]
    yield from _from_networks(admitted)
    # Where a network lets anybody in, those who are named elsewhere are no wider an audience for sitting in it.
    open_networks = {network.name for network, found in admitted if found.effective}
    places = (*door.anywhere, *(each for each in door.named if each.name not in open_networks))
    whole: set[str] = set()  # accounts, organisations and services already let in altogether: members are no news
    for crowd in door.somebody:
        if not whole.isdisjoint((crowd.account, crowd.name, crowd.within)):
            continue
        found = way(crowd, _NOWHERE if crowd.callers[0].kind == "service" else places)
        if found is None or (crowd.within and not found.effective):
            continue
        yield found
        if found.effective and (crowd.kind in _WHOLE or crowd.stray):
            whole.add(crowd.name)
        elif found.effective and crowd.kind == "service" and not crowd.account:
            whole.add(named_in_full(crowd.name))


def _neighbours(door: _EvaluationContext) -> CallerClass:
    """Whoever sits in a network that is singled out."""
    signed = door.crowds.strangers
    callers = signed if door.signed_only else (anonymous(), *signed)
    return CallerClass(audience=Audience.NAMED, kind="network", name="", callers=callers)


def _denying(gates: Sequence[PolicyLayer], found: Witness) -> tuple[str, ...]:
    """The statements that stop a request which would get in without them."""
    own = gates[0]
    stops: dict[bool, list[str]] = {True: [], False: []}
    for gate in gates:
        moved = found.request if gate is own else seen_from(found.request, gate.place, own.place)
        where = "" if gate is own else " of the bucket policy"
        for each in gate.statements:
            if could_stop(each, moved):
                stops[applies_to(each, moved)].append(f"statement {each.number}{where}")
    # Where each of them could be evaded, it is all of them together that cannot.
    return tuple(stops[True] or stops[False])


def _from_networks(found: Sequence[tuple[Network, AccessPath]]) -> Iterator[AccessPath]:
    """Join what is admitted from several networks; together they may be everybody after all."""
    for effective in (True, False):
        group = [(network, way) for network, way in found if (way.effective is True) == effective]
        if not group:
            continue
        names = tuple(dict.fromkeys(name for network, _ in group for name in network.alike))
        first = group[0][1]
        # Ranges that each pass as fixed, and together cover more than the broadest one that would.
        audience = Audience.ANYONE_WITH_LINK if networks.share(names) > 1 else first.audience
        if audience in _EVERYBODY and first.witness.request.caller.kind != "anonymous":
            audience = Audience.ANY_ACCOUNT
        yield replace(first, names=names, audience=audience)


def _delegated(door: _EvaluationContext, statement: Statement, catalogue: Sequence[Action]) -> Iterator[AccessPath]:
    """A bucket policy that leaves the decision to access points: of which accounts, if they are not ours."""
    own = any(condition.key in _OF_POINTS for condition in statement.conditions)
    denies = (each for gate in door.gates for each in gate.statements if not each.allows)
    if not own and not any(condition.key in _OF_POINTS for each in denies for condition in each.conditions):
        return
    us, stranger = door.mentions.us, door.mentions.stranger
    outer = door.gates[0].place
    region = next(iter(outer.context.get("aws:requestedregion", ())), "us-east-1")
    written = door.mentions.values("s3:dataaccesspointarn")
    arns = [example for value in written for example in _point_arns(value, stranger, region)]
    accounts = [e for e in door.mentions.values("s3:dataaccesspointaccount") if TWELVE_DIGITS.fullmatch(e)]
    head = f"arn:{door.mentions.partition}:s3:{region}"
    arns += [f"{head}:{account}:accesspoint/x" for account in (*accounts, stranger)]
    seen: set[tuple[str, tuple[str, ...], Capability]] = set()
    for arn, origin in product(dict.fromkeys(arns), ("Internet", "VPC")):
        account = arn.split(":")[4]
        if us.owns(account):
            continue
        context = dict(zip(sorted(_OF_POINTS), ((origin,), (account,), (arn,)), strict=True))
        place = replace(outer, context={**outer.context, **context})
        inner = replace(door, gates=(replace(door.gates[0], place=place),), signed_only=True)
        for way in _ways(inner, statement, Via.POLICY, catalogue):
            found = way
            if way.audience is Audience.ANY_ACCOUNT and account != stranger:
                found = replace(
                    way,
                    audience=Audience.NAMED_EXTERNAL,
                    kind="access_point_account",
                    names=(account,),
                    account=account,
                )
            elif way.audience is Audience.ANY_ACCOUNT:
                found = replace(way, kind="any_account", names=(), account="")
            told = (found.kind, found.names, found.capability)
            if told not in seen and found.audience >= Audience.NAMED_EXTERNAL and (own or found.effective):
                seen.add(told)
                yield found


def _point_arns(written: str, stranger: str, region: str) -> Iterator[str]:
    pattern = conditions.opened(written)
    parts = pattern.split(":", 5)
    if len(parts) == 6:
        parts[3] = region if conditions.like(parts[3], region) else parts[3].replace("*", "x").replace("?", "x")
        parts[4] = filled_account(parts[4], stranger)
        yield from examples(":".join(parts), ("x", ""))
    elif is_pattern(pattern):
        yield f"arn:aws:s3:{region}:{stranger}:accesspoint/x"


def _through_policy(way: AccessPath, letter: bool, restrict: BlockSwitch) -> AccessPath:
    """Under RestrictPublicBuckets a public policy admits only AWS services and the owner's own account."""
    return _guarded(replace(way, policy_status=letter), restrict, cut=letter and _from_outside(way))


def _from_outside(way: AccessPath) -> bool:
    request = way.witness.request
    return request.caller.kind != "service" and (request.caller.account,) != request.context.get("aws:resourceaccount")


def _through_acl(way: AccessPath, ignore: BlockSwitch) -> AccessPath:
    public = way.audience in _EVERYBODY
    return _guarded(replace(way, policy_status=public), ignore, cut=public)


def _guarded(way: AccessPath, switch: BlockSwitch, *, cut: bool) -> AccessPath:
    if not cut:
        return way
    effective: bool | None = False if switch.on else way.effective
    if switch.on is None and way.effective:
        effective = None
    return replace(way, guard=switch, effective=effective)


def _through_access_point(
    point: AccessPoint, bucket: Bucket, bucket_policy: Policy | Unread, us: OwnEstate, as_of: datetime
) -> Iterable[AccessPath]:
    """An access point's own policy. For anybody from outside, the point *and* the bucket must allow."""
    own = _policy(point.policy)
    if isinstance(own, Unread):
        return
    behind = bucket_policy if isinstance(bucket_policy, Policy) else Policy()
    origin = "VPC" if point.vpc else "Internet"
    context = {
        **_surroundings(point.account, point.region, us, as_of),
        "s3:dataaccesspointarn": (point.arn,),
        "s3:dataaccesspointaccount": (point.account,),
        "s3:accesspointnetworkorigin": (origin,),
    }
    place = PolicyTarget(root=point.arn, objects=f"{point.arn}/object/", context=context)
    bucket_place = _place(bucket, us, as_of)
    mentions = PolicyLiterals((*own.statements, *behind.statements), us)
    mine = PolicyLayer(place=place, statements=own.denies, must_allow=False)
    both = (mine, PolicyLayer(place=bucket_place, statements=behind.statements, must_allow=True))
    letter = policy_status(own, access_point=True).public and not point.vpc  # a VPC's is never public
    behind_letter = policy_status(behind).public
    restrict = guard("RestrictPublicBuckets", "restrict_public_buckets", bucket, point)
    through = _EvaluationContext(mentions=mentions, gates=both, vpc=point.vpc, signed_only=True)
    alone = replace(through, gates=(mine,))
    for statement in own.allows:
        opened = {(w.kind, w.names, w.capability): w for w in _ways(through, statement, Via.POLICY, ACTIONS)}
        for way in _ways(alone, statement, Via.POLICY, ACTIONS):
            there = opened.get((way.kind, way.names, way.capability))
            if there is None and way.effective and not isinstance(bucket_policy, Unread):
                there = replace(way, effective=False, not_delegated=True)
            elif there is None:
                there = replace(way, effective=None if way.effective else False)
            opened[way.kind, way.names, way.capability] = there
        for way in opened.values():
            cut = (letter or behind_letter) and _from_outside(way)
            yield replace(_guarded(replace(way, policy_status=letter), restrict, cut=cut), access_point=point)


def _findable(ways: Sequence[AccessPath]) -> Iterator[AccessPath]:
    """What anybody may list, anybody can find without being told its name."""
    listed = any(
        way.capability is Capability.KEYS and way.audience is Audience.ANYONE_WITH_LINK and way.effective
        for way in ways
    )
    for way in ways:
        found = way.audience is Audience.ANYONE_WITH_LINK and way.capability in (Capability.KEYS, Capability.OBJECTS)
        yield replace(way, audience=Audience.ANYONE_DISCOVERABLE) if listed and found and way.effective else way
