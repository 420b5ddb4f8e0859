"""The S3 connector: accounts, their buckets and access points, and the objects where they can matter."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from cloudscan.connector import Cursor, Estate, Gap, Once, OncePerKey, Permission, Scope, Yielded
from cloudscan.errors import AccessDenied, NotOffered, ProviderError, Vanished
from cloudscan.facts import Outcome
from cloudscan.http import Patience
from cloudscan.reason import Reason
from cloudscan_s3 import further_lists, regions, rotation, scopes, selection
from cloudscan_s3.access import resource_tags
from cloudscan_s3.access.access_paths import AccessPaths, access_paths
from cloudscan_s3.access.bucket import AccessPoint, Block, Bucket, ControlPolicies, Unread
from cloudscan_s3.access.callers.canonical_users import has_unknown, named_by
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.api import (
    access_points,
    account,
    control_policies,
    deliveries,
    enabled_regions,
    identity,
    inventory,
    reader,
)
from cloudscan_s3.api.access_points import ListedPoint
from cloudscan_s3.api.account import Meter
from cloudscan_s3.api.asking import Asker, SpentPatience
from cloudscan_s3.api.control_policies import InForce, OrganisationPolicies
from cloudscan_s3.api.identity import ACTIVE, CallerIdentity, Members, Organisation
from cloudscan_s3.api.reader import ListedBucket
from cloudscan_s3.facts import translate
from cloudscan_s3.facts.deliveries import facts_of_deliveries
from cloudscan_s3.facts.objects import Budget, facts_of_objects
from cloudscan_s3.options import Options
from cloudscan_s3.permissions import PERMISSIONS
from cloudscan_s3.questions import (
    ACCESS_POINTS,
    BUCKET_ACL,
    BUCKET_POLICY,
    CALLER,
    DIRECTORY_ACCESS_POINTS,
    DIRECTORY_BUCKETS,
    INVENTORY,
    MULTI_REGION_ACCESS_POINTS,
    OWNERSHIP,
    ROLE,
)

_NO_MEMBERS = Members(by_account={})
_MOST_ACCOUNTS = 50  # that are asked whether a bucket is theirs


class S3Connector:
    """Reads one account, or all accounts of an organisation.

    `now` is the moment at which conditions on the time are evaluated; by default the moment of opening.
    """

    name: ClassVar[str] = translate.PLATFORM
    permissions: ClassVar[Sequence[Permission]] = PERMISSIONS

    def __init__(self, options: Options, estate: Estate, now: datetime | None = None) -> None:
        self._options = options
        self._estate = estate
        self._now = now or datetime.now(UTC)
        self._meter = Meter()
        self._named: set[str] = set()  # accounts that `scopes` yielded
        self._patience = _patience(options)
        self._spent = SpentPatience()
        self._own_asker = Once[Asker]()
        self._caller_identity = Once[CallerIdentity]()
        # Kept for the whole scan, except what may well be answered later: that is forgotten once it has been reported.
        self._own_organisation = Once[Organisation | Unread | None]()
        self._all_members = Once[Members]()
        self._units = control_policies.Units()
        self._organisation_policies = Once[OrganisationPolicies]()
        self._control_policies = OncePerKey[str, InForce]()
        self._askers = OncePerKey[str, Asker]()
        self._canonical_ids = OncePerKey[str, str | None]()
        self._own_canonical_users = Once[Mapping[str, str]]()
        self._account_blocks = OncePerKey[str, Block | Unread]()
        self._bucket_owners: dict[str, str] = {}  # the account of each bucket that was listed so far
        self._object_budgets = OncePerKey[str, Budget]()

    def scopes(self) -> Iterable[Scope]:
        """The accounts, and what says which ones there are.

        Raises `ConfigurationError` without credentials, and where `accounts` or `skip_accounts` name what is not there.
        """
        try:
            caller = self._identity()
        except ProviderError:
            yield scopes.ORGANISATION  # reading it says why nothing else can be
            return
        if self._options.organisation:
            yield scopes.ORGANISATION
        for scope in selection.account_scopes(self._options, caller, self._members()):
            self._named.add(scope.uid)
            yield scope

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Yield all facts of an account, a bucket or an access point.

        S3 has no feed of changes, so `since` is ignored: every scan reads the whole configuration.
        """
        del since
        self._meter.spent()  # of a scope that was broken off
        try:
            yield from _READERS[scope.kind](self, scope)
        except Vanished:
            yield Gap(table="resources", outcome=Outcome.COMPLETE, reason=Reason(code="s3-gone"))
        except ProviderError:
            yield self._meter.spent()
            raise
        yield self._meter.spent()

    def still_there(self, uids: Sequence[str]) -> Mapping[str, bool]:
        """Whether buckets, access points and accounts exist that no list named this time; others are left out."""
        try:
            found = {uid: self._exists(*uid.removeprefix(f"{self.name}:").split("/")) for uid in uids}
        except ProviderError:
            return {}
        return {uid: exists for uid, exists in found.items() if exists is not None}

    def _exists(self, kind: str, *names: str) -> bool | None:
        caller = self._identity()
        if kind == "account":
            return names[0] == caller.account or names[0] in self._members().by_account
        if kind == "accesspoint" and len(names) == 3:
            number, region, name = names
            return access_points.point_exists(self._asker(number), number, region, name)
        return self._bucket_exists("/".join(names)) if kind == "bucket" else None

    def _bucket_exists(self, name: str) -> bool | None:
        """Its owner alone gets an answer; a bucket of the same name may be a stranger's by now."""
        numbers = dict.fromkeys((self._identity().account, *self._members().by_account))
        for number in list(numbers)[:_MOST_ACCOUNTS]:
            try:
                answer = self._asker(number).ask(OWNERSHIP, Bucket=name)
            except ProviderError:
                continue  # an account that does not admit us
            if not isinstance(answer, Unread):
                return True
            if isinstance(answer.error, Vanished):
                return False
        return None

    def _own(self) -> Asker:
        return self._own_asker.get(self._open_own)

    def _open_own(self) -> Asker:
        own = account.own_account(self._options, self._meter)
        own.open_own()
        return self._asking_as(own)

    def _asking_as(self, opened: account.Account) -> Asker:
        return Asker(opened, self._patience, self._spent)

    def _identity(self) -> CallerIdentity:
        return self._caller_identity.get(lambda: identity.identified(self._own()))

    def _organisation(self) -> Organisation | Unread | None:
        return self._own_organisation.get(lambda: identity.own_organisation(self._own()))

    def _members(self) -> Members:
        if not self._options.organisation:
            return _NO_MEMBERS
        return self._all_members.get(lambda: identity.members(self._own(), self._identity().account))

    def _asker(self, number: str) -> Asker:
        """To ask in the name of an account. Raises a `ProviderError` where its role may not be assumed."""
        return self._askers.get(number, lambda: self._open_asker(number))

    def _open_asker(self, number: str) -> Asker:
        caller = self._identity()
        if number == caller.account:
            return self._own()
        member = account.member_account(self._own().account, number, caller.partition)
        try:
            member.open()
        except AccessDenied as refused:
            raise selection.refused_role(refused, self._options, number) from refused
        return self._asking_as(member)

    def _account_block(self, number: str) -> Block | Unread:
        return self._account_blocks.get(number, lambda: reader.account_block(self._asker(number), number))

    def _policies_above(self, number: str) -> InForce:
        """The resource control policies on an account's resources; the management account is not subject to any."""
        organisation = self._organisation()
        if isinstance(organisation, Unread):
            looked = control_policies.how_far_looked([organisation.gap(None)])
            return InForce(policies=ControlPolicies(looked=looked))
        if organisation is None or organisation.management_account == number:
            return InForce(policies=ControlPolicies())
        return self._control_policies.get(
            number,
            lambda: control_policies.in_force(self._own(), self._units, self._policies_of_organisation(), number),
        )

    def _policies_of_organisation(self) -> OrganisationPolicies:
        return self._organisation_policies.get(lambda: control_policies.of_organisation(self._own()))

    def _object_budget(self, number: str) -> Budget:
        return self._object_budgets.get(number, lambda: Budget(self._options.object_requests))

    def _own_estate(self, number: str, canonical: str = "") -> OwnEstate:
        caller, members, organisation = self._identity(), self._members(), self._organisation()
        ours = {*members.by_account, *self._options.accounts, caller.account}
        if isinstance(organisation, Organisation) and organisation.management_account:
            ours.add(organisation.management_account)
        return OwnEstate(
            account=number,
            own_accounts=frozenset(ours),
            account_names={member.account: member.name for member in members.by_account.values()},
            organisation=organisation.id if isinstance(organisation, Organisation) else None,
            estate=self._estate,
            owner_canonical=canonical or None,
            knows_its_accounts=members.complete,
        )

    def _knowing(self, own_estate: OwnEstate, canonical_ids: Iterable[str]) -> OwnEstate:
        """The same estate, with the canonical ids of all our accounts where one is named that nobody knows yet."""
        if not self._members().by_account or not has_unknown(canonical_ids, own_estate):
            return own_estate
        canonical_users = self._own_canonical_users.get(self._ask_for_canonical_users)
        active = {member.account for member in self._members().by_account.values() if member.state == ACTIVE}
        return replace(
            own_estate,
            canonical_users=canonical_users,
            knows_its_canonical_users=active.issubset(canonical_users.values()),
        )

    def _ask_for_canonical_users(self) -> Mapping[str, str]:
        told = ((self._canonical_id(number), number) for number in self._members().by_account)
        return {canonical: number for canonical, number in told if canonical}

    def _canonical_id(self, number: str) -> str | None:
        """An account's canonical id; None where it does not admit us or does not tell."""

        def asked() -> str | None:
            try:
                answer = reader.canonical_user(self._asker(number))
            except ProviderError:  # its own scope says so
                return None
            return None if isinstance(answer, Unread) else answer

        return self._canonical_ids.get(number, asked)

    def _collect_organisation(self, scope: Scope) -> Iterator[Yielded]:
        """Which accounts there are; without an answer those that are configured."""
        del scope
        try:
            caller = self._identity()
        except ProviderError as error:
            yield CALLER.gap(error)
            return
        members = self._members()
        yield from members.gaps
        if any(gap.passing for gap in members.gaps):
            self._all_members.take(lambda: members)
        accounts = selection.account_scopes(self._options, caller, members)
        yield from (one for one in accounts if one.uid not in self._named)

    def _collect_account(self, scope: Scope) -> Iterator[Yielded]:
        number, caller = scope.account, self._identity()
        try:
            asker = self._asker(number)
        except ProviderError as error:
            yield from self._closed_account(scope, error)
            return
        own_estate = self._own_estate(number)
        block = self._account_block(number)
        yield from translate.facts_of_account(number, block, own_estate, caller.partition)
        if isinstance(block, Unread) and block.gap(None).passing:
            self._account_blocks.take(number, lambda: block)
        if number == caller.account:
            yield from self._gap_of_organisation()
        yield from self._gaps_of_control_policies(number)
        buckets, gaps = reader.list_buckets(asker)
        yield from gaps
        if buckets and buckets[0].owner:
            self._canonical_ids.get(number, lambda: buckets[0].owner)
        self._bucket_owners.update((bucket.name, number) for bucket in buckets)
        enabled, gaps = enabled_regions.enabled_regions(asker, caller.partition)
        yield from gaps
        points, with_points, gaps = self._list_points(asker, number, buckets, enabled)
        yield from gaps
        asked = self._deliveries_asked(asker, buckets)
        for bucket in buckets:
            kinds = rotation.kinds_asked(bucket.name, asked)
            yield scopes.bucket_scope(bucket, number, points.pop(bucket.name, ()), kinds)
        if len(asked[scopes.INVENTORIES]) < len(buckets):
            seen, total = len(asked[scopes.INVENTORIES]), len(buckets)
            reason = Reason(code="s3-inventories-sampled")
            about = translate.account_uid(number)
            yield INVENTORY.lacking(reason, about, outcome=Outcome.SKIPPED, seen=seen, total=total)
        for bucket_name, points_elsewhere in points.items():
            yield scopes.points_scope(bucket_name, number, points_elsewhere)
        yield from self._collect_directory_buckets(asker, number, buckets)
        whereabouts = further_lists.Whereabouts(
            enabled=enabled, with_buckets=_regions_of(buckets, asker), with_points=with_points
        )
        yield from further_lists.facts_of_access_grants_in(asker, own_estate, whereabouts)
        yield from further_lists.not_judged(asker, number, whereabouts)

    def _closed_account(self, scope: Scope, error: ProviderError) -> Iterator[Yielded]:
        """An account whose role cannot be assumed: it is ours, and what is in it is not known."""
        unread = Unread(question=ROLE, error=error)
        partition = self._identity().partition
        facts = translate.facts_of_account(scope.account, unread, self._own_estate(scope.account), partition)
        yield from (fact for fact in facts if not isinstance(fact, Gap))
        state = scope.params.get("state", ACTIVE)
        if state in identity.INACTIVE and isinstance(error, AccessDenied):
            reason = Reason(code="s3-account-not-active", values={"state": state})
            yield ROLE.lacking(reason, outcome=Outcome.SKIPPED)
        else:
            yield ROLE.gap(error)

    def _gap_of_organisation(self) -> Iterator[Gap]:
        """Told once, in our own account: without its id an organisation that a policy names may be ours or not."""
        organisation = self._organisation()
        if isinstance(organisation, Unread):
            gap = organisation.gap(None)
            if gap.passing:
                self._own_organisation.take(lambda: organisation)
            if not self._estate.organisations:
                yield gap

    def _deliveries_asked(self, asker: Asker, buckets: Sequence[ListedBucket]) -> Mapping[str, frozenset[str]]:
        """By kind of delivery: the buckets that are asked for it this time."""
        names = frozenset(bucket.name for bucket in buckets)
        day = self._now.date()
        replicated = names
        tonight = rotation.tonight(names, day, scopes.REPLICATION)
        if tonight != names and not deliveries.may_replicate(asker):
            replicated = tonight
        return {scopes.REPLICATION: replicated, scopes.INVENTORIES: rotation.tonight(names, day, scopes.INVENTORIES)}

    def _gaps_of_control_policies(self, number: str) -> Iterator[Gap]:
        """What could not be read of all policies, told in our own account, and of those on an account's resources."""
        organisation = self._organisation()
        if not isinstance(organisation, Organisation):
            return
        caller, management = self._identity().account, organisation.management_account
        above = self._policies_above(number)
        gaps = list(above.gaps)
        if number == caller and (number != management or self._members().by_account):
            policies = self._policies_of_organisation()
            gaps += policies.gaps
            if any(gap.passing for gap in policies.gaps):
                self._organisation_policies.take(lambda: policies)
        if any(gap.passing for gap in gaps):
            self._control_policies.take(number, lambda: above)
        yield from (control_policies.as_reported(gap, by_management=management == caller) for gap in gaps)

    def _list_points(
        self, asker: Asker, number: str, buckets: Sequence[ListedBucket], enabled: Sequence[str]
    ) -> tuple[dict[str, Sequence[ListedPoint]], frozenset[str], Sequence[Gap]]:
        """The account's access points by the name of their bucket, the regions with any, and the lists without answer.

        Every region is asked that is enabled: the bucket behind an access point may be another account's.
        """
        bucket_regions = {bucket.name: bucket.region for bucket in buckets}
        with_buckets = _regions_of(buckets, asker)
        with_points = set()

        def list_in(region: str) -> tuple[Sequence[ListedPoint], Sequence[Gap]]:
            entries, missing = access_points.list_in_region(asker, number, region)
            if entries or missing:
                with_points.add(region)
            return entries, missing

        elsewhere = [region for region in enabled if region not in with_buckets]
        listed = regions.ask_each(
            [*sorted(with_buckets), *elsewhere], list_in, ACCESS_POINTS, optional=frozenset(elsewhere)
        )
        points, gaps = list(listed.entries), list(listed.gaps)
        if regions.has_multi_region_access_points(self._identity().partition):
            more, more_gaps = access_points.list_multi_region(asker, number)
            points += more
            gaps += more_gaps
        else:
            absent = NotOffered("s3-not-in-partition", partition=self._identity().partition)
            gaps.append(MULTI_REGION_ACCESS_POINTS.gap(absent))
        by_bucket: dict[str, Sequence[ListedPoint]] = {}
        for point in {(point.bucket, point.name, point.alias): point for point in reversed(points)}.values():
            # An access point is in its bucket's region; a local server may list it in every region.
            region = bucket_regions.get(point.bucket, point.region) or asker.account.region
            if point.alias or region == point.region:
                by_bucket[point.bucket] = (*by_bucket.get(point.bucket, ()), point)
        return by_bucket, frozenset(with_points), gaps

    def _collect_directory_buckets(
        self, asker: Asker, number: str, buckets: Sequence[ListedBucket]
    ) -> Iterator[Yielded]:
        partition = self._identity().partition
        with_buckets = sorted({bucket.region for bucket in buckets if bucket.region} or {asker.account.region})
        if not regions.has_directory_buckets(partition):
            yield DIRECTORY_BUCKETS.gap(NotOffered("s3-not-in-partition", partition=partition))
            return
        listed = regions.ask_each(
            [*with_buckets, *sorted(regions.EXPRESS - set(with_buckets))],
            lambda region: reader.list_directory_buckets(asker, region),
            DIRECTORY_BUCKETS,
            optional=regions.EXPRESS - set(with_buckets),
            may_lack=set(with_buckets) - regions.EXPRESS,
        )
        yield from listed.gaps
        directory_buckets = {bucket.name: bucket for bucket in reversed(listed.entries)}
        points = regions.ask_each(
            sorted(regions.EXPRESS | {bucket.region for bucket in directory_buckets.values()}),
            lambda region: access_points.list_for_directory_buckets(asker, number, region),
            DIRECTORY_ACCESS_POINTS,
            optional=regions.EXPRESS - {bucket.region for bucket in directory_buckets.values()},
        )
        yield from (further_lists.unless_unknown(gap) for gap in points.gaps)
        by_bucket: dict[str, Sequence[ListedPoint]] = {}
        for point in dict.fromkeys(points.entries):
            by_bucket[point.bucket] = (*by_bucket.get(point.bucket, ()), point)
        for bucket in directory_buckets.values():
            yield scopes.directory_bucket_scope(bucket, number, by_bucket.pop(bucket.name, ()))
        for bucket_name, points_elsewhere in by_bucket.items():
            yield scopes.points_scope(bucket_name, number, points_elsewhere)

    def _collect_bucket(self, scope: Scope) -> Iterator[Yielded]:
        number, partition = scope.account, self._identity().partition
        asker, listed = self._asker(number), scopes.bucket_of(scope)
        bucket = reader.read_bucket(asker, listed, number, partition, self._account_block(number))
        above = self._policies_above(number).policies
        bucket = replace(bucket, control_policies=above, access_points=self._read_points(asker, scope))
        own_estate = self._knowing(self._own_estate(number, listed.owner), named_by(bucket))
        bucket, paths = self._judged(asker, bucket, own_estate)
        if translate.is_shared(bucket, paths):
            bucket = reader.with_description(asker, bucket)
        yield from translate.facts_of_bucket(bucket, paths, own_estate)
        inventories: inventory.Configured | None = None
        about, asked = translate.bucket_uid(bucket), scopes.deliveries_of(scope)
        if scopes.REPLICATION in asked:
            copied, gaps = deliveries.replications(asker, bucket.region, bucket.name, about)
            yield from facts_of_deliveries(copied, bucket, own_estate, self._owner_of)
            yield from gaps
        if scopes.INVENTORIES in asked:
            inventories = inventory.configurations(asker, bucket, about)
            reported, gaps = deliveries.inventories(inventories[0], about)
            yield from facts_of_deliveries(reported, bucket, own_estate, self._owner_of)
            yield from (*inventories[1], *gaps)
        if translate.objects_can_matter(bucket):
            budget = self._object_budget(number)
            estate = partial(self._knowing, own_estate)
            yield from facts_of_objects(asker, bucket, estate, self._now, self._options, budget, inventories)

    def _judged(self, asker: Asker, bucket: Bucket, own_estate: OwnEstate) -> tuple[Bucket, AccessPaths]:
        """A bucket's access paths; its tags are read only where one of them depends on a tag.

        Where the policy cannot be read, who gets in is unknown whatever the tags are: another account's bucket, say.
        """
        paths = access_paths(bucket, own_estate, self._now)
        by_acl = translate.objects_can_matter(bucket) and resource_tags.are_named(bucket)
        if not by_acl and not any(resource_tags.decide(path.unknown_conditions) for path in paths.open):
            return bucket, paths
        if resource_tags.are_named(bucket) and not isinstance(bucket.policy, Unread):
            bucket = reader.with_access_tags(asker, bucket)
        points = (
            access_points.with_tags(self._asker(point.account), point)
            if resource_tags.are_named_for(point, bucket)
            else point
            for point in bucket.access_points
        )
        bucket = replace(bucket, access_points=tuple(points))
        return bucket, access_paths(bucket, own_estate, self._now)

    def _owner_of(self, name: str) -> str:
        """The account of ours that a bucket belongs to; empty where none says that it is its own."""
        if name not in self._bucket_owners:
            numbers = dict.fromkeys((self._identity().account, *self._members().by_account))
            owner = next((one for one in list(numbers)[:_MOST_ACCOUNTS] if self._owns(one, name)), "")
            self._bucket_owners[name] = owner
        return self._bucket_owners[name]

    def _owns(self, number: str, name: str) -> bool:
        try:
            answer = self._asker(number).ask(OWNERSHIP, Bucket=name, ExpectedBucketOwner=number)
        except ProviderError:
            return False
        return not isinstance(answer, Unread)

    def _collect_directory_bucket(self, scope: Scope) -> Iterator[Yielded]:
        asker, partition = self._asker(scope.account), self._identity().partition
        bucket = reader.read_directory_bucket(asker, scopes.bucket_of(scope), scope.account, partition)
        bucket = replace(bucket, access_points=self._read_points(asker, scope))
        own_estate = self._own_estate(scope.account)
        bucket, paths = self._judged(asker, bucket, own_estate)
        yield from translate.facts_of_bucket(bucket, paths, own_estate)

    def _collect_points(self, scope: Scope) -> Iterator[Yielded]:
        """Access points of ours on a bucket of another account."""
        points = self._read_points(self._asker(scope.account), scope)
        bucket = replace(self._bucket_behind(scope), access_points=points)
        own_estate = self._own_estate(scope.account)
        bucket, paths = self._judged(self._asker(scope.account), bucket, own_estate)
        yield from translate.facts_of_access_points(bucket, paths, own_estate)

    def _bucket_behind(self, scope: Scope) -> Bucket:
        """The bucket behind access points: read if it belongs to the organisation, else unknown."""
        partition, name = self._identity().partition, scope.params["bucket"]
        points = scopes.points_of(scope)
        owner = next((point.bucket_account for point in points if point.bucket_account), scope.account)
        if owner != scope.account and owner in self._members().by_account:
            region = next((point.region for point in points if point.region), "")
            listed = ListedBucket(name=name, region=region, created_on=None, owner="")
            try:
                asker, block = self._asker(owner), self._account_block(owner)
                if reader.is_directory_bucket(name):
                    bucket = reader.read_directory_bucket(asker, listed, owner, partition)
                else:
                    bucket = reader.read_bucket(asker, listed, owner, partition, block)
                return replace(bucket, control_policies=self._policies_above(owner).policies)
            except ProviderError:
                pass  # the account's own scope says why it cannot be read
        hidden = NotOffered("s3-bucket-of-another-account")
        return Bucket(
            name=name,
            account=owner,
            region="",
            partition=partition,
            directory=reader.is_directory_bucket(name),
            policy=Unread(question=BUCKET_POLICY, error=hidden),
            acl=None,
            block=Block(),
            account_block=self._account_block(scope.account),
            ownership=Unread(question=BUCKET_ACL, error=hidden),
        )

    def _read_points(self, asker: Asker, scope: Scope) -> tuple[AccessPoint, ...]:
        partition = self._identity().partition
        points = (
            access_points.read_access_point(asker, scope.account, partition, listed)
            for listed in scopes.points_of(scope)
        )
        above = self._policies_above(scope.account).policies
        return tuple(replace(point, control_policies=above) for point in points if point is not None)


def _regions_of(buckets: Sequence[ListedBucket], asker: Asker) -> frozenset[str]:
    """The regions of buckets, where S3 reports them, and the account's own."""
    return frozenset({bucket.region or asker.account.region for bucket in buckets} | {asker.account.region})


def _patience(options: Options) -> Patience:
    """Short attempts, and for a question that is throttled as long as the options say."""
    if not options.patience:
        return Patience(attempts=1)
    return Patience(attempts=3, span=options.patience, pause=0.5, longest=5.0)


_READERS: Mapping[str, Callable[[S3Connector, Scope], Iterator[Yielded]]] = {
    "organisation": S3Connector._collect_organisation,
    "account": S3Connector._collect_account,
    "bucket": S3Connector._collect_bucket,
    "directory_bucket": S3Connector._collect_directory_bucket,
    "points": S3Connector._collect_points,
}
