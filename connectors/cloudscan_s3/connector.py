"""The S3 connector: accounts, their buckets and access points, and the objects where they can matter."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import ClassVar, Generic, TypeVar

import msgspec

from cloudscan.connector import Cursor, Estate, Gap, Permission, Scope, Yielded
from cloudscan.errors import AccessDenied, Malformed, ProviderError, Throttled, Unreachable
from cloudscan.facts import Outcome
from cloudscan_s3.access.access_paths import access_paths
from cloudscan_s3.access.bucket import AccessPoint, Block, Bucket, Unread
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.api import access_points, client, reader
from cloudscan_s3.api.access_points import Point
from cloudscan_s3.api.client import Account, Meter, Vanished
from cloudscan_s3.api.reader import Listed
from cloudscan_s3.facts import translate
from cloudscan_s3.facts.objects import Budget, facts_of_objects
from cloudscan_s3.options import Options
from cloudscan_s3.permissions import PERMISSIONS

Value = TypeVar("Value")
PLATFORM = translate.PLATFORM


class Once(Generic[Value]):
    """Values that are found out once for each key, however many threads ask."""

    def __init__(self, find: Callable[[str], Value]) -> None:
        self._find = find
        self._values: dict[str, Value] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def __getitem__(self, key: str) -> Value:
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._values:
                self._values[key] = self._find(key)
            return self._values[key]


@dataclass(frozen=True, kw_only=True)
class CallerIdentity:
    """What AWS says of who we are."""

    account: str  # whose credentials we were given
    partition: str
    organisation: str | None
    members: dict[str, str]  # the organisation's active accounts with their names, where we may list them


@dataclass(frozen=True)
class S3Connector:
    """Reads one account, or all accounts of an organisation."""

    options: Options
    estate: Estate
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    name: ClassVar[str] = PLATFORM
    permissions: ClassVar[Sequence[Permission]] = PERMISSIONS

    def __post_init__(self) -> None:
        meter = Meter()
        object.__setattr__(self, "_meter", meter)
        object.__setattr__(self, "_own", Once(lambda _: client.own_account(self.options, meter)))
        object.__setattr__(self, "_circle", Once(lambda _: self._look_around()))
        object.__setattr__(self, "_accounts", Once(self._account))
        object.__setattr__(self, "_blocks", Once(lambda number: reader.account_block(self._accounts[number], number)))
        object.__setattr__(self, "_budgets", Once(lambda _: Budget(self.options.object_requests)))

    _meter: Meter = field(init=False, repr=False, compare=False)
    _own: Once[Account] = field(init=False, repr=False, compare=False)
    _circle: Once[CallerIdentity] = field(init=False, repr=False, compare=False)
    _accounts: Once[Account] = field(init=False, repr=False, compare=False)
    _blocks: Once[Block | Unread] = field(init=False, repr=False, compare=False)
    _budgets: Once[Budget] = field(init=False, repr=False, compare=False)

    def scopes(self) -> Iterable[Scope]:
        """One scope for each account. Raises `ConfigurationError` without credentials."""
        circle = self._circle[""]
        chosen = {circle.account: circle.members.get(circle.account, "")}
        if self.options.organisation:
            chosen = {**chosen, **circle.members}
        for number, name in chosen.items():
            if self.options.accounts and number not in self.options.accounts:
                continue
            if number not in self.options.skip_accounts:
                yield Scope(
                    uid=translate.account_uid(number),
                    platform=PLATFORM,
                    kind="account",
                    name=name or number,
                    account=number,
                )

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Tell all facts of an account, a bucket or an access point."""
        del since  # S3 has no feed of changes: every scan reads the configuration whole
        self._meter.spent()  # of a scope that was broken off
        try:
            yield from _READERS[scope.kind](self, scope)
        except Vanished:
            yield Gap(table="resources", outcome=Outcome.COMPLETE, reason="deleted between list and read")
        except ProviderError:
            yield self._meter.spent()
            raise
        yield self._meter.spent()

    def _look_around(self) -> CallerIdentity:
        own = self._own[""]
        identity = client.require(own.client("sts").get_caller_identity, "sts:GetCallerIdentity")
        account, partition = str(identity["Account"]), str(identity["Arn"]).split(":")[1]
        organizations = own.client("organizations")
        members: dict[str, str] = {}
        organisation: str | None = None
        try:
            answer = client.require(organizations.describe_organization, "organizations:DescribeOrganization")
            organisation = str(answer["Organization"]["Id"])
        except (Throttled, Unreachable):
            raise
        except ProviderError:
            # Optional: without it, a policy for "an organisation" is one that we cannot tell from ours.
            organisation = None
        if self.options.organisation:
            token: dict[str, str] = {}
            while True:
                page = client.require(organizations.list_accounts, "organizations:ListAccounts", **token)
                members |= {
                    str(each["Id"]): str(each.get("Name", ""))
                    for each in client.member(page, "Accounts")
                    if each.get("Status", "ACTIVE") == "ACTIVE"
                }
                if not page.get("NextToken"):
                    break
                token = {"NextToken": page["NextToken"]}
        return CallerIdentity(account=account, partition=partition, organisation=organisation, members=members)

    def _account(self, number: str) -> Account:
        circle = self._circle[""]
        own = self._own[""]
        return own if number == circle.account else client.member_account(own, number, circle.partition)

    def _own_estate(self, account: str, canonical: str = "") -> OwnEstate:
        circle = self._circle[""]
        return OwnEstate(
            account=account,
            own_accounts=frozenset({*circle.members, circle.account}),
            account_names=circle.members,
            organisation=circle.organisation,
            estate=self.estate,
            owner_canonical=canonical or None,
        )

    def _tell_account(self, scope: Scope) -> Iterator[Yielded]:
        number = scope.account
        account = self._accounts[number]
        listed = self._listed(account, number)
        block = self._blocks[number]
        yield from translate.facts_of_account(number, block, self._own_estate(number))
        found, gaps = self._points(account, number, listed)
        yield from gaps
        for each in listed:
            params = _params(each) | {"points": _packed(found.pop(each.name, ()))}
            yield _scope("bucket", translate.PLATFORM + ":bucket/" + each.name, each.name, number, params)
        for bucket, behind in found.items():
            params = {"bucket": bucket, "points": _packed(behind)}
            yield _scope("points", f"{PLATFORM}:points/{number}/{bucket}", f"access points of {bucket}", number, params)
        yield from self._directories(account, number, {each.region for each in listed if each.region})

    def _listed(self, account: Account, number: str) -> list[Listed]:
        try:
            return list(reader.buckets(account))
        except AccessDenied as refused:
            if number == self._circle[""].account:
                raise
            role = self.options.role_name
            raise AccessDenied(
                f"account {number}: {refused}. Is the role {role} there, may we assume it, and does it allow this?",
                needs=f"sts:AssumeRole on role/{role}" if "AssumeRole" in str(refused.__cause__) else refused.needs,
            ) from refused

    def _points(
        self, account: Account, number: str, listed: Sequence[Listed]
    ) -> tuple[dict[str, list[Point]], list[Gap]]:
        """The access points by bucket, and the lists that we could not get."""
        regions = {each.name: each.region for each in listed}
        wanted = sorted({each or self.options.region for each in regions.values()} | {self.options.region})
        known, gaps = access_points.listed(account, number, wanted)
        found: dict[str, list[Point]] = {}
        for each in known:
            # An access point lives where its bucket does; a local server may list it everywhere.
            if each.alias or (regions.get(each.bucket) or each.region) == each.region:
                found.setdefault(each.bucket, []).append(each)
        return found, gaps

    def _directories(self, account: Account, number: str, regions: set[str]) -> Iterator[Yielded]:
        for region in sorted(regions) or [self.options.region]:
            try:
                for each in reader.directory_buckets(account, region):
                    uid = f"{PLATFORM}:directory-bucket/{each.name}"
                    yield _scope("directory_bucket", uid, each.name, number, _params(each))
            except AccessDenied as refused:
                reason = f"directory buckets in {region}: {refused}"
                yield Gap(table="resources", outcome=Outcome.DENIED, reason=reason, needs=refused.needs)
            except (Malformed, Unreachable) as trouble:
                reason = f"directory buckets in {region}: {trouble}"
                yield Gap(table="resources", outcome=Outcome.FAILED, reason=reason)

    def _tell_bucket(self, scope: Scope) -> Iterator[Yielded]:
        number, partition = scope.account, self._circle[""].partition
        account, listed = self._accounts[number], _listed(scope)
        bucket = reader.bucket(account, listed, number, partition, self._blocks[number])
        bucket = replace(bucket, access_points=self._read_points(account, scope, partition))
        own_estate = self._own_estate(number, listed.owner)
        paths = access_paths(bucket, own_estate, self.now)
        if translate.is_shared(bucket, paths):
            bucket = reader.described(account, bucket)
        yield from translate.facts_of_bucket(bucket, paths, own_estate)
        if translate.objects_can_matter(bucket):
            yield from facts_of_objects(account, bucket, own_estate, self.now, self.options, self._budgets[number])

    def _tell_directory_bucket(self, scope: Scope) -> Iterator[Yielded]:
        account = self._accounts[scope.account]
        bucket = reader.directory_bucket(account, _listed(scope), scope.account, self._circle[""].partition)
        own_estate = self._own_estate(scope.account)
        yield from translate.facts_of_bucket(bucket, access_paths(bucket, own_estate, self.now), own_estate)

    def _tell_points(self, scope: Scope) -> Iterator[Yielded]:
        """Access points of ours on a bucket of another account."""
        account, partition = self._accounts[scope.account], self._circle[""].partition
        behind = replace(self._behind(scope), access_points=self._read_points(account, scope, partition))
        own_estate = self._own_estate(scope.account)
        yield from translate.facts_of_access_points(behind, access_paths(behind, own_estate, self.now), own_estate)

    def _behind(self, scope: Scope) -> Bucket:
        """The bucket behind access points: read if it is of the organisation, else unknown."""
        circle, name = self._circle[""], scope.params["bucket"]
        packed = _unpacked(scope)
        owner = next((each.bucket_account for each in packed if each.bucket_account), scope.account)
        if owner != scope.account and owner in circle.members:
            region = next((each.region for each in packed if each.region), "")
            listed = Listed(name=name, region=region, created_on=None, owner="")
            return reader.bucket(self._accounts[owner], listed, owner, circle.partition, self._blocks[owner])
        hidden = Unread(outcome=Outcome.SKIPPED, reason="the bucket belongs to another account")
        return Bucket(
            name=name,
            account=owner,
            region="",
            partition=circle.partition,
            policy=hidden,
            acl=None,
            block=Block(),
            account_block=self._blocks[scope.account],
            ownership=hidden,
        )

    def _read_points(self, account: Account, scope: Scope, partition: str) -> tuple[AccessPoint, ...]:
        found = (access_points.read(account, scope.account, partition, each) for each in _unpacked(scope))
        return tuple(each for each in found if each is not None)


_READERS: dict[str, Callable[[S3Connector, Scope], Iterator[Yielded]]] = {
    "account": S3Connector._tell_account,
    "bucket": S3Connector._tell_bucket,
    "directory_bucket": S3Connector._tell_directory_bucket,
    "points": S3Connector._tell_points,
}


def _scope(kind: str, uid: str, name: str, account: str, params: dict[str, str]) -> Scope:
    return Scope(
        uid=uid,
        platform=PLATFORM,
        kind=kind,
        name=name,
        account=account,
        parent_uid=translate.account_uid(account),
        params=params,
    )


def _params(listed: Listed) -> dict[str, str]:
    created = listed.created_on.isoformat() if listed.created_on else ""
    return {"region": listed.region, "created_on": created, "owner": listed.owner}


def _packed(found: Sequence[Point]) -> str:
    return msgspec.json.encode(found).decode()


def _unpacked(scope: Scope) -> list[Point]:
    return msgspec.json.decode(scope.params.get("points", "[]"), type=list[Point])


def _listed(scope: Scope) -> Listed:
    created = scope.params.get("created_on", "")
    return Listed(
        name=scope.name,
        region=scope.params.get("region", ""),
        created_on=datetime.fromisoformat(created) if created else None,
        owner=scope.params.get("owner", ""),
    )
