"""The S3 connector: accounts, their buckets and access points, and the objects where they can matter."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

from cloudscan.connector import Cursor, Estate, Gap, Once, OncePerKey, Permission, Scope, Yielded
from cloudscan.errors import AccessDenied, Malformed, ProviderError, Unreachable
from cloudscan.facts import Outcome
from cloudscan_s3 import scopes
from cloudscan_s3.access.access_paths import access_paths
from cloudscan_s3.access.bucket import AccessPoint, Block, Bucket, Unread
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.api import access_points, client, reader
from cloudscan_s3.api.access_points import ListedPoint
from cloudscan_s3.api.client import Account, Meter, Vanished
from cloudscan_s3.api.identity import CallerIdentity, caller_identity
from cloudscan_s3.api.reader import ListedBucket
from cloudscan_s3.facts import translate
from cloudscan_s3.facts.objects import Budget, facts_of_objects
from cloudscan_s3.options import Options
from cloudscan_s3.permissions import PERMISSIONS


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
        self._own_account = Once[Account]()
        self._caller_identity = Once[CallerIdentity]()
        self._accounts = OncePerKey[str, Account]()
        self._account_blocks = OncePerKey[str, Block | Unread]()
        self._object_budgets = OncePerKey[str, Budget]()

    def scopes(self) -> Iterable[Scope]:
        """One scope for each account. Raises `ConfigurationError` without credentials."""
        identity = self._identity()
        accounts = {identity.account: identity.members.get(identity.account, "")}
        if self._options.organisation:
            accounts = {**accounts, **identity.members}
        for number, name in accounts.items():
            if self._options.accounts and number not in self._options.accounts:
                continue
            if number not in self._options.skip_accounts:
                yield scopes.account_scope(number, name)

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Yield all facts of an account, a bucket or an access point.

        S3 has no feed of changes, so `since` is ignored: every scan reads the whole configuration.
        """
        del since
        self._meter.spent()  # of a scope that was broken off
        try:
            yield from _READERS[scope.kind](self, scope)
        except Vanished:
            yield Gap(table="resources", outcome=Outcome.COMPLETE, reason="deleted between list and read")
        except ProviderError:
            yield self._meter.spent()
            raise
        yield self._meter.spent()

    def _own(self) -> Account:
        return self._own_account.get(lambda: client.own_account(self._options, self._meter))

    def _identity(self) -> CallerIdentity:
        return self._caller_identity.get(lambda: caller_identity(self._own(), with_members=self._options.organisation))

    def _account(self, number: str) -> Account:
        return self._accounts.get(number, lambda: self._open_account(number))

    def _open_account(self, number: str) -> Account:
        identity = self._identity()
        if number == identity.account:
            return self._own()
        return client.member_account(self._own(), number, identity.partition)

    def _account_block(self, number: str) -> Block | Unread:
        return self._account_blocks.get(number, lambda: reader.account_block(self._account(number), number))

    def _object_budget(self, number: str) -> Budget:
        return self._object_budgets.get(number, lambda: Budget(self._options.object_requests))

    def _own_estate(self, account: str, canonical: str = "") -> OwnEstate:
        identity = self._identity()
        return OwnEstate(
            account=account,
            own_accounts=frozenset({*identity.members, identity.account}),
            account_names=identity.members,
            organisation=identity.organisation,
            estate=self._estate,
            owner_canonical=canonical or None,
        )

    def _collect_account(self, scope: Scope) -> Iterator[Yielded]:
        number = scope.account
        account = self._account(number)
        buckets = self._list_buckets(account, number)
        yield from translate.facts_of_account(number, self._account_block(number), self._own_estate(number))
        points, gaps = self._list_points(account, number, buckets)
        yield from gaps
        for bucket in buckets:
            yield scopes.bucket_scope(bucket, number, points.pop(bucket.name, ()))
        for bucket_name, points_elsewhere in points.items():
            yield scopes.points_scope(bucket_name, number, points_elsewhere)
        yield from self._collect_directory_buckets(account, number, {bucket.region for bucket in buckets})

    def _list_buckets(self, account: Account, number: str) -> Sequence[ListedBucket]:
        try:
            return list(reader.list_buckets(account))
        except AccessDenied as refused:
            if number == self._identity().account:
                raise
            role = self._options.role_name
            raise AccessDenied(
                f"account {number}: {refused}. Check that the role {role} exists, may be assumed and allows this",
                needs=f"sts:AssumeRole on role/{role}" if "AssumeRole" in str(refused.__cause__) else refused.needs,
            ) from refused

    def _list_points(
        self, account: Account, number: str, buckets: Sequence[ListedBucket]
    ) -> tuple[dict[str, Sequence[ListedPoint]], Sequence[Gap]]:
        """The account's access points by the name of their bucket, and the lists that could not be read."""
        bucket_regions = {bucket.name: bucket.region for bucket in buckets}
        own_region = self._options.region
        regions = sorted({region or own_region for region in bucket_regions.values()} | {own_region})
        listed, gaps = access_points.list_access_points(account, number, regions)
        by_bucket: dict[str, Sequence[ListedPoint]] = {}
        for point in listed:
            # An access point is in its bucket's region; a local server may list it in every region.
            if point.alias or (bucket_regions.get(point.bucket) or point.region) == point.region:
                by_bucket[point.bucket] = (*by_bucket.get(point.bucket, ()), point)
        return by_bucket, gaps

    def _collect_directory_buckets(self, account: Account, number: str, regions: set[str]) -> Iterator[Yielded]:
        for region in sorted(regions - {""}) or [self._options.region]:
            try:
                for bucket in reader.list_directory_buckets(account, region):
                    yield scopes.directory_bucket_scope(bucket, number)
            except AccessDenied as refused:
                reason = f"directory buckets in {region}: {refused}"
                yield Gap(table="resources", outcome=Outcome.DENIED, reason=reason, needs=refused.needs)
            except (Malformed, Unreachable) as trouble:
                reason = f"directory buckets in {region}: {trouble}"
                yield Gap(table="resources", outcome=Outcome.FAILED, reason=reason)

    def _collect_bucket(self, scope: Scope) -> Iterator[Yielded]:
        number, partition = scope.account, self._identity().partition
        account, listed = self._account(number), scopes.bucket_of(scope)
        bucket = reader.read_bucket(account, listed, number, partition, self._account_block(number))
        bucket = replace(bucket, access_points=self._read_points(account, scope))
        own_estate = self._own_estate(number, listed.owner)
        paths = access_paths(bucket, own_estate, self._now)
        if translate.is_shared(bucket, paths):
            bucket = reader.with_description(account, bucket)
        yield from translate.facts_of_bucket(bucket, paths, own_estate)
        if translate.objects_can_matter(bucket):
            budget = self._object_budget(number)
            yield from facts_of_objects(account, bucket, own_estate, self._now, self._options, budget)

    def _collect_directory_bucket(self, scope: Scope) -> Iterator[Yielded]:
        account, partition = self._account(scope.account), self._identity().partition
        bucket = reader.read_directory_bucket(account, scopes.bucket_of(scope), scope.account, partition)
        own_estate = self._own_estate(scope.account)
        yield from translate.facts_of_bucket(bucket, access_paths(bucket, own_estate, self._now), own_estate)

    def _collect_points(self, scope: Scope) -> Iterator[Yielded]:
        """Access points of ours on a bucket of another account."""
        points = self._read_points(self._account(scope.account), scope)
        bucket = replace(self._bucket_behind(scope), access_points=points)
        own_estate = self._own_estate(scope.account)
        paths = access_paths(bucket, own_estate, self._now)
        yield from translate.facts_of_access_points(bucket, paths, own_estate)

    def _bucket_behind(self, scope: Scope) -> Bucket:
        """The bucket behind access points: read if it belongs to the organisation, else unknown."""
        identity, name = self._identity(), scope.params["bucket"]
        points = scopes.points_of(scope)
        owner = next((point.bucket_account for point in points if point.bucket_account), scope.account)
        if owner != scope.account and owner in identity.members:
            region = next((point.region for point in points if point.region), "")
            listed = ListedBucket(name=name, region=region, created_on=None, owner="")
            block = self._account_block(owner)
            return reader.read_bucket(self._account(owner), listed, owner, identity.partition, block)
        hidden = Unread(outcome=Outcome.SKIPPED, reason="the bucket belongs to another account")
        return Bucket(
            name=name,
            account=owner,
            region="",
            partition=identity.partition,
            policy=hidden,
            acl=None,
            block=Block(),
            account_block=self._account_block(scope.account),
            ownership=hidden,
        )

    def _read_points(self, account: Account, scope: Scope) -> tuple[AccessPoint, ...]:
        partition = self._identity().partition
        points = (
            access_points.read_access_point(account, scope.account, partition, listed)
            for listed in scopes.points_of(scope)
        )
        return tuple(point for point in points if point is not None)


_READERS: Mapping[str, Callable[[S3Connector, Scope], Iterator[Yielded]]] = {
    "account": S3Connector._collect_account,
    "bucket": S3Connector._collect_bucket,
    "directory_bucket": S3Connector._collect_directory_bucket,
    "points": S3Connector._collect_points,
}
