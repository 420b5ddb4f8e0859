"""The S3 connector: accounts, their buckets and access points, and the objects where they can matter."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

import msgspec

from cloudscan.connector import Cursor, Estate, Gap, Once, OncePerKey, Permission, Scope, Yielded
from cloudscan.errors import AccessDenied, NotOffered, ProviderError, Vanished
from cloudscan.facts import Outcome, Setting
from cloudscan.http import Patience
from cloudscan.reason import Reason
from cloudscan_s3 import further_lists, people, quiet_nights, regions, rotation, scopes, selection
from cloudscan_s3.access import resource_tags, second_opinion
from cloudscan_s3.access.access_paths import AccessPaths
from cloudscan_s3.access.bucket import AccessPoint, Block, Bucket, ControlPolicies, Unread
from cloudscan_s3.access.callers.canonical_users import has_unknown, named_by
from cloudscan_s3.access.equal_buckets import JudgedOnce
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.second_opinion import Analyzer
from cloudscan_s3.api import (
    access_analyzer,
    access_points,
    account,
    control_policies,
    deliveries,
    enabled_regions,
    identity,
    inventory,
    reader,
    storage,
)
from cloudscan_s3.api.access_points import ListedPoint
from cloudscan_s3.api.account import Meter
from cloudscan_s3.api.asking import Asker, Recorded, SpentPatience
from cloudscan_s3.api.control_policies import OrganisationPolicies, PoliciesInForce
from cloudscan_s3.api.identity import ACTIVE, CallerIdentity, Members, Organisation
from cloudscan_s3.api.people import begin_report
from cloudscan_s3.api.reader import ListedBucket
from cloudscan_s3.facts import translate
from cloudscan_s3.facts.deliveries import facts_of_deliveries
from cloudscan_s3.facts.objects import Budget, facts_of_objects
from cloudscan_s3.options import Options
from cloudscan_s3.others import NOBODY_ELSE, Others
from cloudscan_s3.permissions import PERMISSIONS
from cloudscan_s3.questions import (
    ACCESS_POINTS,
    ANALYZERS,
    BUCKET_ACL,
    BUCKET_POLICY,
    CALLER,
    CONTROL_POLICIES,
    DIRECTORY_ACCESS_POINTS,
    DIRECTORY_BUCKETS,
    MULTI_REGION_ACCESS_POINTS,
    OWNERSHIP,
    ROLE,
)

_NO_MEMBERS = Members(by_account={})
_MOST_ACCOUNTS = 50  # that are asked whether a bucket is theirs


class S3Connector:
    """Reads one account, or all accounts of an organisation.

    `now` is the moment at which conditions on the time are evaluated; by default the moment of opening. `others` says
    what is ours through other credentials, where there are some; what is configured may then be reached through those.
    `recorded` has what needs not be asked of an account, by its number and why it cannot be asked at all; an account
    without any is asked as ever.
    """

    name: ClassVar[str] = translate.PLATFORM
    permissions: ClassVar[Sequence[Permission]] = PERMISSIONS

    def __init__(
        self,
        options: Options,
        estate: Estate,
        now: datetime | None = None,
        others: Callable[[], Others] | None = None,
        recorded: Callable[[str, ProviderError | None], Recorded | None] | None = None,
    ) -> None:
        self._options = options
        self._estate = estate
        self._now = now or datetime.now(UTC)
        self._others = others
        self._recorded = recorded
        self._roles = selection.roles(options)
        self._meter = Meter()
        self._named: set[str] = set()  # accounts that `scopes` yielded
        self._patience = _patience(options)
        self._spent = SpentPatience()
        self._own_asker = Once[Asker]()
        self._set_up_for_members = Once[account.Account]()
        self._caller_identity = Once[CallerIdentity]()
        # Kept for the whole scan, except what may well be answered later: that is forgotten once it has been reported.
        self._own_organisation = Once[Organisation | Unread | None]()
        self._all_members = Once[Members]()
        self._units = control_policies.Units()
        self._organisation_policies = Once[OrganisationPolicies]()
        self._control_policies = OncePerKey[str, PoliciesInForce]()
        self._askers = OncePerKey[str, Asker]()
        self._canonical_ids = OncePerKey[str, str | None]()
        self._own_canonical_users = Once[Mapping[str, str]]()
        self._account_blocks = OncePerKey[str, Block | Unread]()
        self._bucket_owners: dict[str, str] = {}  # the account of each bucket that was listed so far
        self._object_budgets = OncePerKey[str, Budget]()
        self._judging = JudgedOnce()
        self._analyzers = OncePerKey[tuple[str, str], tuple[Sequence[Analyzer], Sequence[Gap]]]()
        # One look an account, also where it is read once more: what was acted on was then acted on as a whole.
        self._account_readings = OncePerKey[str, quiet_nights.AccountReading]()

    def scopes(self) -> Iterable[Scope]:
        """The accounts, and what says which ones there are.

        Raises `ConfigurationError` without credentials, and where `accounts` or `skip_accounts` name what is not there.
        """
        try:
            caller = self.identity()
        except ProviderError:
            yield scopes.ORGANISATION  # reading it says why nothing else can be
            return
        if self._options.organisation:
            yield scopes.ORGANISATION
        if self._others is None:
            selection.check(self._options, self.known_accounts())
        for scope in selection.account_scopes(self._options, caller, self._members()):
            self._named.add(scope.uid)
            yield scope

    def known_accounts(self) -> Iterable[str]:
        """The accounts that could be scanned. Raises a `ProviderError` where our own is not known."""
        return selection.known_accounts(self._options, self.identity(), self._members())

    def ours(self) -> Others:
        """What is ours through these credentials. Raises a `ProviderError`, or `ConfigurationError` without them."""
        members, organisation = self._members(), self._organisation()
        management = {organisation.management_account} - {""} if isinstance(organisation, Organisation) else set()
        return Others(
            accounts=frozenset({*self.known_accounts(), *selection.numbers(self._options), *management}),
            names={member.account: member.name for member in members.by_account.values()},
            organisations=frozenset([organisation.id] if isinstance(organisation, Organisation) else ()),
            complete=members.complete,
        )

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Yield all facts of an account, a bucket or an access point.

        `since` has answers of an earlier scan. Those that CloudTrail's event history vouches for are not asked for
        again (`cloudscan_s3.quiet_nights`); facts are made of all answers anew.
        """
        self._meter.spent()  # of a scope that was broken off
        try:
            yield from _READERS[scope.kind](self, scope, since)
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
        caller = self.identity()
        if kind == "account":
            return names[0] in self.known_accounts()
        if kind == "accesspoint" and len(names) == 3:
            number, region, name = names
            return access_points.point_exists(self.asker(number), number, region, name)
        partition, _, name = ("aws:" + names[0]).rpartition(":")
        is_here = kind == "bucket" and partition.rpartition(":")[2] == caller.partition
        return self._bucket_exists(name) if is_here else None

    def _bucket_exists(self, name: str) -> bool | None:
        """Its owner alone gets an answer; a bucket of the same name may be a stranger's by now."""
        for number in list(self.known_accounts())[:_MOST_ACCOUNTS]:
            try:
                answer = self.asker(number).ask(OWNERSHIP, Bucket=name)
            except ProviderError:
                continue  # an account that does not admit us
            if not isinstance(answer, Unread):
                return True
            if isinstance(answer.error, Vanished):
                return False
        return None

    def home(self) -> Asker:
        """To ask in the name of the credentials themselves."""
        return self._own()

    def _own(self) -> Asker:
        return self._own_asker.get(self._open_own)

    def _open_own(self) -> Asker:
        own = account.own_account(self._options, self._meter)
        own.open_own()
        return self._asking_as(own)

    def _asking_as(self, opened: account.Account) -> Asker:
        return Asker(opened, self._patience, self._spent)

    def identity(self) -> CallerIdentity:
        """Whose credentials we have. Raises `ConfigurationError` where they are no use, else a `ProviderError`."""
        return self._caller_identity.get(lambda: identity.identified(self._own()))

    def _organisation(self) -> Organisation | Unread | None:
        return self._own_organisation.get(lambda: identity.own_organisation(self._own()))

    def _members(self) -> Members:
        if not self._options.organisation:
            return _NO_MEMBERS
        return self._all_members.get(lambda: identity.members(self._own(), self.identity().account))

    def asker(self, number: str) -> Asker:
        """To ask in the name of an account. Raises a `ProviderError` where its role may not be assumed."""
        return self._askers.get(number, lambda: self._open_asker(number))

    def _open_asker(self, number: str) -> Asker:
        caller = self.identity()
        if number == caller.account and number not in self._roles:
            return self._with_recorded(self._own(), number, None)
        role = self._roles.get(number) or f"arn:{caller.partition}:iam::{number}:role/{self._options.role_name}"
        own = self._own().account
        shared = self._set_up_for_members.get(lambda: account.set_up_for_members(own))
        member = account.member_account(shared, own, role)
        try:
            member.open()
        except AccessDenied as refused:
            error = selection.refused_role(refused, self._options, number)
            asker = self._with_recorded(self._own(), number, error)
            if asker.recorded is None:
                raise error from refused
            return asker
        return self._with_recorded(self._asking_as(member), number, None)

    def _with_recorded(self, asker: Asker, number: str, refused: ProviderError | None) -> Asker:
        known = self._recorded(number, refused) if self._recorded else None
        return asker if known is None else replace(asker, asked=set(), recorded=known, refused=refused)

    def _account_block(self, number: str) -> Block | Unread:
        return self._account_blocks.get(number, lambda: self._ask_for_account_block(number))

    def _ask_for_account_block(self, number: str) -> Block | Unread:
        """The account's own answer; where there is none, what the organisation imposes on it."""
        block = reader.account_block(self.asker(number), number)
        organisation = self._organisation()
        if isinstance(block, Block) or not isinstance(organisation, Organisation):
            return block
        caller = self.identity().account
        if organisation.management_account == caller and number != caller:  # it alone may ask about others
            imposed = reader.organisation_block(self._own(), number)
        else:
            imposed = reader.organisation_block(self.asker(number), "")
        return imposed if isinstance(imposed, Block) else block

    def _analyzers_in(self, number: str, region: str) -> tuple[Sequence[Analyzer], Sequence[Gap]]:
        """The analyzers of an account in a Region, asked once in a scan: each night anew."""
        return self._analyzers.get((number, region), lambda: access_analyzer.analyzers_in(self.asker(number), region))

    def _analyzers_of(self, bucket: Bucket) -> Sequence[Analyzer]:
        """Those in whose zone of trust a bucket is: its account's, and the organisation's that our own account has."""
        caller = self.identity().account
        region = bucket.region or self.asker(bucket.account).account.region
        analyzers, _ = self._analyzers_in(bucket.account, region)
        if bucket.account == caller or bucket.account not in self._members().by_account:
            return analyzers
        above, _ = self._analyzers_in(caller, region)
        return (*analyzers, *(one for one in above if one.of_organisation))

    def _second_opinion(self, bucket: Bucket, paths: AccessPaths, own_estate: OwnEstate) -> Iterator[Setting]:
        opinion = second_opinion.compare(bucket, paths, own_estate, self._analyzers_of(bucket), self._now)
        return translate.second_opinion_of(bucket, opinion)

    def _policies_above(self, number: str) -> PoliciesInForce:
        """The resource control policies on an account's resources; the management account is not subject to any."""
        organisation = self._organisation()
        if isinstance(organisation, Unread):
            looked = control_policies.how_far_looked([organisation.gap(None)])
            return PoliciesInForce(policies=ControlPolicies(looked=looked))
        if organisation is None or organisation.management_account == number:
            return PoliciesInForce(policies=ControlPolicies())
        return self._control_policies.get(
            number,
            lambda: control_policies.in_force(self._own(), self._units, self._policies_of_organisation(), number),
        )

    def _policies_of_organisation(self) -> OrganisationPolicies:
        return self._organisation_policies.get(lambda: control_policies.of_organisation(self._own()))

    def _object_budget(self, number: str) -> Budget:
        return self._object_budgets.get(number, lambda: Budget(self._options.object_requests))

    def _own_estate(self, number: str, canonical: str = "") -> OwnEstate:
        ours, others = self.ours(), self._others() if self._others else NOBODY_ELSE
        organisation = self._organisation()
        return OwnEstate(
            account=number,
            own_accounts=ours.accounts | others.accounts,
            account_names={**others.names, **ours.names},
            organisation=organisation.id if isinstance(organisation, Organisation) else None,
            estate=replace(self._estate, organisations=self._estate.organisations | others.organisations),
            owner_canonical=canonical or None,
            knows_its_accounts=ours.complete and others.complete,
        )

    def _knowing(self, own_estate: OwnEstate, canonical_ids: Iterable[str]) -> OwnEstate:
        """The same estate, with the canonical ids of all our accounts where one is named that nobody knows yet."""
        if not has_unknown(canonical_ids, own_estate):
            return own_estate
        canonical_users = self._own_canonical_users.get(self._ask_for_canonical_users)
        states = self._scanned_accounts()
        active = {number for number, state in states.items() if state == ACTIVE and number != own_estate.account}
        return replace(
            own_estate,
            canonical_users=canonical_users,
            knows_its_canonical_users=active.issubset(canonical_users.values()),
        )

    def _ask_for_canonical_users(self) -> Mapping[str, str]:
        told = ((self._canonical_id(number), number) for number in self._scanned_accounts())
        return {canonical: number for canonical, number in told if canonical}

    def _scanned_accounts(self) -> Mapping[str, str]:
        """The state of each account of ours that may be asked, by its number."""
        ours = dict.fromkeys((self.identity().account, *self._options.accounts), ACTIVE)
        ours |= {member.account: member.state for member in self._members().by_account.values()}
        return {number: state for number, state in ours.items() if number not in self._options.skip_accounts}

    def _canonical_id(self, number: str) -> str | None:
        """An account's canonical id; None where it does not admit us or does not tell."""

        def asked() -> str | None:
            try:
                answer = reader.canonical_user(self.asker(number))
            except ProviderError:  # its own scope says so
                return None
            return None if isinstance(answer, Unread) else answer

        return self._canonical_ids.get(number, asked)

    def _collect_organisation(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Which accounts there are; without an answer those that are configured."""
        del scope, since
        try:
            caller = self.identity()
        except ProviderError as error:
            yield CALLER.gap(error)
            return
        members = self._members()
        yield from members.gaps
        if any(gap.passing for gap in members.gaps):
            self._all_members.take(lambda: members)
        accounts = selection.account_scopes(self._options, caller, members)
        yield from (one for one in accounts if one.uid not in self._named)

    def _collect_account(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        number, caller = scope.account, self.identity()
        try:
            asker = self.asker(number)
        except ProviderError as error:
            yield from self._closed_account(scope, error)
            return
        own_estate = self._own_estate(number)
        not_begun = begin_report(asker)
        block = self._account_block(number)
        yield from translate.facts_of_account(number, block, own_estate, caller.partition)
        if isinstance(block, Unread) and block.gap(None).passing:
            self._account_blocks.take(number, lambda: block)
        if number == caller.account:
            yield from self._gap_of_organisation()
        yield from self._gaps_of_control_policies(number)
        listed = reader.list_buckets(asker)
        buckets = listed.buckets
        yield from listed.gaps
        if buckets and buckets[0].owner:
            self._canonical_ids.get(number, lambda: buckets[0].owner)
        self._bucket_owners.update((bucket.name, number) for bucket in buckets)
        amounts, gaps = storage.stored(asker, buckets, self._now)
        yield from gaps
        buckets = [replace(bucket, stored=amounts.get(bucket.name)) for bucket in buckets]
        enabled, gaps = enabled_regions.enabled_regions(asker, caller.partition)
        yield from gaps
        night = self._account_readings.get(
            number,
            lambda: quiet_nights.begin(
                asker,
                since,
                listed.answered_on,
                block=block,
                enabled=enabled,
                buckets=buckets,
                full_every_days=self._options.full_every_days,
            ),
        )
        yield from night.gaps
        regions_with_buckets = sorted(_regions_of(buckets, asker))
        opinions = regions.ask_each(regions_with_buckets, lambda region: self._analyzers_in(number, region), ANALYZERS)
        yield from opinions.gaps
        asker = asker.remembering(night.memory)
        points, with_points, gaps = self._list_points(asker, number, buckets, enabled)
        yield from gaps
        asked = self._deliveries_asked(asker, buckets, night.asked_before)
        for bucket in buckets:
            kinds, behind = rotation.kinds_asked(bucket.name, asked), points.pop(bucket.name, ())
            one = scopes.bucket_scope(bucket, number, caller.partition, behind, kinds)
            yield night.marked(one, bucket.region, (point.region for point in behind))
        yield from rotation.left_out(translate.account_uid(number), len(asked[scopes.INVENTORIES]), len(buckets))
        for bucket_name, points_elsewhere in points.items():
            yield scopes.points_scope(bucket_name, number, points_elsewhere)
        for item in self._collect_directory_buckets(asker, number, buckets, enabled):
            yield night.marked(item, *scopes.regions_of(item)) if isinstance(item, Scope) else item
        whereabouts = further_lists.Whereabouts(
            enabled=enabled, with_buckets=_regions_of(buckets, asker), with_points=with_points
        )
        yield from further_lists.facts_of_access_grants_in(asker, own_estate, whereabouts)
        yield from further_lists.not_judged(asker, number, whereabouts)
        yield from people.facts_of_iam_users(asker, own_estate, not_begun)
        if number == caller.account:
            organisation = self._organisation()
            management = organisation.management_account if isinstance(organisation, Organisation) else ""
            yield from people.facts_of_identity_centers(asker, own_estate, whereabouts, management)
        yield from night.cursor(scope, block, asked)

    def _closed_account(self, scope: Scope, error: ProviderError) -> Iterator[Yielded]:
        """An account whose role cannot be assumed: it is ours, and what is in it is not known."""
        unread = Unread(question=ROLE, error=error)
        partition = self.identity().partition
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
            if not control_policies.is_refusal(gap):  # then its policies are unknown too
                yield msgspec.structs.replace(gap, hides=(*gap.hidden, *CONTROL_POLICIES.hides))
            elif not self._estate.organisations:
                yield gap

    def _deliveries_asked(
        self, asker: Asker, buckets: Sequence[ListedBucket], before: Mapping[str, Sequence[str]] | None
    ) -> Mapping[str, frozenset[str]]:
        """By kind of delivery: the buckets that are asked for it this time."""
        names = frozenset(bucket.name for bucket in buckets)
        day = self._now.date()
        replicated = names
        tonight = rotation.tonight(names, day, scopes.REPLICATION, before)
        if tonight != names and not deliveries.may_replicate(asker):
            replicated = tonight
        reporting = rotation.tonight(names, day, scopes.INVENTORIES, before)
        return {scopes.REPLICATION: replicated, scopes.INVENTORIES: reporting}

    def _gaps_of_control_policies(self, number: str) -> Iterator[Gap]:
        """What could not be read of the policies on an account's resources; a known limit is told once, in our own."""
        organisation, caller = self._organisation(), self.identity().account
        if isinstance(organisation, Unread):
            gap = organisation.gap(None)
            if number != caller and not control_policies.is_refusal(gap):
                yield msgspec.structs.replace(gap, hides=CONTROL_POLICIES.hides)
            return
        management = organisation.management_account if organisation else number
        if number == management and not (number == caller and self._members().by_account):
            return
        above, policies = self._policies_above(number), self._policies_of_organisation()
        gaps = [*above.gaps, *policies.gaps]
        if any(gap.passing for gap in policies.gaps):
            self._organisation_policies.take(lambda: policies)
        if any(gap.passing for gap in gaps):
            self._control_policies.take(number, lambda: above)
        for gap in gaps:
            is_limit = control_policies.is_refusal(gap) or not gap.outcome.is_gap
            if number == caller if is_limit else number != management:
                yield control_policies.as_reported(gap, by_management=management == caller)

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
        if regions.has_multi_region_access_points(self.identity().partition):
            more, more_gaps = access_points.list_multi_region(asker, number)
            points += more
            gaps += more_gaps
        else:
            absent = NotOffered("s3-not-in-partition", partition=self.identity().partition)
            gaps.append(MULTI_REGION_ACCESS_POINTS.gap(absent))
        by_bucket: dict[str, Sequence[ListedPoint]] = {}
        # An access point is in its bucket's region; a local server may list it in every region.
        home = asker.account.region
        there = [
            one for one in points if one.alias or (bucket_regions.get(one.bucket, one.region) or home) == one.region
        ]
        for point in {(point.bucket, point.name, point.alias): point for point in reversed(there)}.values():
            by_bucket[point.bucket] = (*by_bucket.get(point.bucket, ()), point)
        return by_bucket, frozenset(with_points), gaps

    def _collect_directory_buckets(
        self, asker: Asker, number: str, buckets: Sequence[ListedBucket], enabled: Sequence[str]
    ) -> Iterator[Yielded]:
        partition, express = self.identity().partition, regions.EXPRESS & set(enabled)
        with_buckets = sorted({bucket.region for bucket in buckets if bucket.region} or {asker.account.region})
        if not regions.has_directory_buckets(partition):
            yield DIRECTORY_BUCKETS.gap(NotOffered("s3-not-in-partition", partition=partition))
            return
        listed = regions.ask_each(
            [*with_buckets, *sorted(express - set(with_buckets))],
            lambda region: reader.list_directory_buckets(asker, region),
            DIRECTORY_BUCKETS,
            optional=express - set(with_buckets),
            may_lack=set(with_buckets) - regions.EXPRESS,
        )
        yield from listed.gaps
        directory_buckets = {bucket.name: bucket for bucket in reversed(listed.entries)}
        points = regions.ask_each(
            sorted(express | {bucket.region for bucket in directory_buckets.values()}),
            lambda region: further_lists.where_known(access_points.list_for_directory_buckets(asker, number, region)),
            DIRECTORY_ACCESS_POINTS,
            optional=express - {bucket.region for bucket in directory_buckets.values()},
        )
        yield from points.gaps
        by_bucket: dict[str, Sequence[ListedPoint]] = {}
        for point in dict.fromkeys(points.entries):
            by_bucket[point.bucket] = (*by_bucket.get(point.bucket, ()), point)
        for bucket in directory_buckets.values():
            yield scopes.directory_bucket_scope(bucket, number, partition, by_bucket.pop(bucket.name, ()))
        for bucket_name, points_elsewhere in by_bucket.items():
            yield scopes.points_scope(bucket_name, number, points_elsewhere)

    def _collect_bucket(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        number, partition, listed = scope.account, self.identity().partition, scopes.bucket_of(scope)
        memory = quiet_nights.memory_of(scope, since, listed.created_on)
        asker = self.asker(number).remembering(memory)
        bucket = reader.read_bucket(asker, listed, number, partition, self._account_block(number))
        above = self._policies_above(number).policies
        bucket = replace(bucket, control_policies=above, access_points=self._read_points(asker, scope))
        own_estate = self._knowing(self._own_estate(number, listed.owner), named_by(bucket))
        bucket, paths = self._judged(asker, bucket, own_estate)
        if translate.is_shared(bucket, paths):
            bucket = reader.with_description(asker, bucket)
        elif self._estate.ranked_by_tag:
            bucket = reader.with_tags(asker, bucket)
        yield from translate.facts_of_bucket(bucket, paths, own_estate)
        yield from self._second_opinion(bucket, paths, own_estate)
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
        yield from quiet_nights.bucket_cursor(scope, memory, listed.created_on)

    def _judged(self, asker: Asker, bucket: Bucket, own_estate: OwnEstate) -> tuple[Bucket, AccessPaths]:
        """A bucket's access paths; where external callers may tag it, whether tags control access is asked too."""
        bucket, paths = self._judged_by_tags(asker, bucket, own_estate)
        if bucket.abac is None and not bucket.directory and translate.are_tags_set_from_outside(paths):
            bucket = replace(bucket, abac=reader.abac(asker, bucket))
            paths = self._judging.access_paths(bucket, own_estate, self._now)
        return bucket, paths

    def _judged_by_tags(self, asker: Asker, bucket: Bucket, own_estate: OwnEstate) -> tuple[Bucket, AccessPaths]:
        """A bucket's access paths; its tags are read only where one of them depends on a tag.

        Where the policy cannot be read, who gets in is unknown whatever the tags are: another account's bucket, say.
        """
        paths = self._judging.access_paths(bucket, own_estate, self._now)
        by_acl = translate.objects_can_matter(bucket) and resource_tags.are_named(bucket)
        if not by_acl and not any(resource_tags.decide(path.unknown_conditions) for path in paths.open):
            return bucket, paths
        if resource_tags.are_named(bucket) and not isinstance(bucket.policy, Unread):
            bucket = reader.with_access_tags(asker, bucket)
        points = (
            access_points.with_tags(asker if point.account == bucket.account else self.asker(point.account), point)
            if resource_tags.are_named_for(point, bucket)
            else point
            for point in bucket.access_points
        )
        bucket = replace(bucket, access_points=tuple(points))
        return bucket, self._judging.access_paths(bucket, own_estate, self._now)

    def _owner_of(self, name: str) -> str:
        """The account of ours that a bucket belongs to; empty where none says that it is its own."""
        if name not in self._bucket_owners:
            numbers = dict.fromkeys((self.identity().account, *self._members().by_account))
            owner = next((one for one in list(numbers)[:_MOST_ACCOUNTS] if self._owns(one, name)), "")
            self._bucket_owners[name] = owner
        return self._bucket_owners[name]

    def _owns(self, number: str, name: str) -> bool:
        try:
            answer = self.asker(number).ask(OWNERSHIP, Bucket=name, ExpectedBucketOwner=number)
        except ProviderError:
            return False
        return not isinstance(answer, Unread)

    def _collect_directory_bucket(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        partition, listed = self.identity().partition, scopes.bucket_of(scope)
        memory = quiet_nights.memory_of(scope, since, listed.created_on)
        asker = self.asker(scope.account).remembering(memory)
        # Without resource control policies: AWS's list of services that they bind names S3, not S3 Express (guessed).
        bucket = reader.read_directory_bucket(asker, listed, scope.account, partition)
        bucket = replace(bucket, access_points=self._read_points(asker, scope))
        own_estate = self._own_estate(scope.account)
        bucket, paths = self._judged(asker, bucket, own_estate)
        if self._estate.ranked_by_tag:
            bucket = reader.with_tags(asker, bucket)
        yield from translate.facts_of_bucket(bucket, paths, own_estate)
        yield from self._second_opinion(bucket, paths, own_estate)
        yield from quiet_nights.bucket_cursor(scope, memory, listed.created_on)

    def _collect_points(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Access points of ours on a bucket of another account, whose events are not told to us: asked each time."""
        del since
        points = self._read_points(self.asker(scope.account), scope)
        bucket = replace(self._bucket_behind(scope), access_points=points)
        own_estate = self._own_estate(scope.account)
        bucket, paths = self._judged(self.asker(scope.account), bucket, own_estate)
        yield from translate.facts_of_access_points(bucket, paths, own_estate)

    def _bucket_behind(self, scope: Scope) -> Bucket:
        """The bucket behind access points: read if it belongs to the organisation, else unknown."""
        partition, name = self.identity().partition, scope.params["bucket"]
        points = scopes.points_of(scope)
        owner = next((point.bucket_account for point in points if point.bucket_account), scope.account)
        if owner != scope.account and owner in self.known_accounts():
            region = next((point.region for point in points if point.region), "")
            listed = ListedBucket(name=name, region=region, created_on=None, owner="")
            try:
                asker, block = self.asker(owner), self._account_block(owner)
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
        partition = self.identity().partition
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


_READERS: Mapping[str, Callable[[S3Connector, Scope, Cursor | None], Iterator[Yielded]]] = {
    "organisation": S3Connector._collect_organisation,
    "account": S3Connector._collect_account,
    "bucket": S3Connector._collect_bucket,
    "directory_bucket": S3Connector._collect_directory_bucket,
    "points": S3Connector._collect_points,
}
