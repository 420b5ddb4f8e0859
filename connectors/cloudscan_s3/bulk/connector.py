"""Amazon S3 with AWS Config in place of a request for each bucket.

Everything that is not about one bucket is asked as ever, where an account admits us: its lists, its block, its users.
What Config has recorded of a bucket is put in place of S3's answers, so that they mean the same. A bucket that Config
does not know is asked about, and where that is refused, the refusal is the gap.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Final

import msgspec

from cloudscan.connector import Cursor, Estate, Gap, Once, OncePerKey, Permission, Scope, Yielded
from cloudscan.errors import ProviderError
from cloudscan.facts import OBSERVED_ON, Outcome, Resource
from cloudscan.reason import Reason
from cloudscan_s3 import scopes, selection
from cloudscan_s3.bulk import snapshots
from cloudscan_s3.bulk.aggregator import Aggregator, gaps_of_stale
from cloudscan_s3.bulk.items import Item
from cloudscan_s3.bulk.recorded import NOT_IN_CONFIG, Recorded, recorded
from cloudscan_s3.bulk.snapshots import Snapshots
from cloudscan_s3.connector import S3Connector
from cloudscan_s3.facts import translate
from cloudscan_s3.options import Options
from cloudscan_s3.others import Others
from cloudscan_s3.permissions import PERMISSIONS
from cloudscan_s3.questions import ACCESS_POINTS, BUCKETS, MULTI_REGION_ACCESS_POINTS, OWNERSHIP, ROLE

_IN_A_BUCKET: Final = "s3://"


class ConfigConnector:
    """Reads what AWS Config recorded of one account, or of all accounts of an aggregator.

    `now` is the moment of which conditions on the time are evaluated, and by which items are old.
    """

    name: ClassVar[str] = translate.PLATFORM
    permissions: ClassVar[Sequence[Permission]] = PERMISSIONS

    def __init__(self, options: Options, estate: Estate, now: datetime | None = None) -> None:
        self._options = options
        self._now = now or datetime.now(UTC)
        self._source = Once[tuple[Aggregator | Snapshots, Sequence[Gap]]]()
        self._accounts = Once[tuple[Sequence[str], Sequence[Gap]]]()
        self._stale = Once[tuple[Mapping[str, Mapping[str, datetime | None]], Sequence[Gap]]]()
        self._recorded = OncePerKey[str, tuple[Recorded | None, Sequence[Gap]]]()
        self._refused: dict[str, ProviderError] = {}  # by account: why it cannot be asked
        # What is recorded is new each time, so that nothing is kept from one scan to the next.
        live = msgspec.structs.replace(options, full_every_days=1)
        self._live = S3Connector(live, estate, self._now, self._others, self._recorded_of)

    def scopes(self) -> Iterable[Scope]:
        """The accounts that can be asked, and those that Config knows. Raises as `S3Connector.scopes` does."""
        named = set()
        for scope in self._live.scopes():
            named.add(scope.account)
            yield scope
        if scopes.ORGANISATION.account in named and len(named) == 1:
            return  # whose credentials these are is not known
        known, _ = self._known_accounts()
        selection.check(self._options, {*self._live.known_accounts(), *known})
        only = selection.numbers(self._options)
        for number in known:
            if number not in named and number not in self._options.skip_accounts and (not only or number in only):
                yield scopes.account_scope(number, "")

    def still_there(self, uids: Sequence[str]) -> Mapping[str, bool]:
        """Whether things exist that no list named this time, as `S3Connector.still_there` finds."""
        return self._live.still_there(uids)

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Yield all facts of an account with the buckets that Config knows; of anything else, as ever."""
        del since
        if scope.kind != "account":
            yield from self._read(scope)
            return
        if scope.account == self._live.identity().account:
            for _, gaps in (self._opened(), self._known_accounts(), self._stale_regions()):
                yield from gaps
        unmerged = _Merged()
        buckets: list[Scope] = []
        for one in self._read(scope):
            if isinstance(one, Scope) and one.kind == "bucket":
                buckets.append(one)
            else:
                yield from unmerged.kept(one, self._refused.get(scope.account))
        known, gaps = self._items_of(scope.account)
        yield from gaps
        refused = self._refused.get(scope.account)
        for bucket in buckets:
            item = known.buckets.get(bucket.name) if known is not None and known.knows_bucket(bucket.name) else None
            if item is None:
                yield bucket
                continue
            for one in self._read(bucket):
                yield from unmerged.kept(_observed(one, item), refused)
        about = translate.account_uid(scope.account)
        if known is not None and refused is not None:
            yield from gaps_of_stale(known.stale, about)
        yield from unmerged.gaps(about, refused)

    def _read(self, scope: Scope) -> Iterator[Yielded]:
        """A scope as ever, without what the next scan would begin with."""
        return (one for one in self._live.collect(scope, None) if not isinstance(one, Cursor))

    def _others(self) -> Others:
        known, gaps = self._known_accounts()
        return Others(accounts=frozenset(known), complete=not gaps)

    def _recorded_of(self, number: str, refused: ProviderError | None) -> Recorded | None:
        """What is known of an account before it is asked, and why it cannot be asked at all."""
        if refused is not None:
            self._refused[number] = refused
        known, _ = self._items_of(number)
        return known

    def _items_of(self, number: str) -> tuple[Recorded | None, Sequence[Gap]]:
        return self._recorded.get(number, lambda: self._read_items(number))

    def _read_items(self, number: str) -> tuple[Recorded | None, Sequence[Gap]]:
        source, _ = self._opened()
        items, gaps = source.items(number)
        stale, _ = self._stale_regions()
        known = recorded(number, items, stale.get(number, {}), closed=number in self._refused)
        return known if items else None, gaps

    def _opened(self) -> tuple[Aggregator | Snapshots, Sequence[Gap]]:
        return self._source.get(self._open)

    def _open(self) -> tuple[Aggregator | Snapshots, Sequence[Gap]]:
        """The source, and gaps where not all of it could be found. Raises `ConfigurationError` for an empty folder."""
        options = self._options
        if options.config_aggregator:
            asker = self._live.home()
            region = options.config_region or asker.account.region
            return Aggregator(asker=asker, name=options.config_aggregator, region=region, now=self._now), ()
        where = options.config_snapshots
        if where.startswith(_IN_A_BUCKET):
            bucket, _, prefix = where.removeprefix(_IN_A_BUCKET).partition("/")
            return snapshots.in_bucket(self._live.home(), bucket, prefix, self._now)
        return snapshots.in_folder(where, self._now), ()

    def _known_accounts(self) -> tuple[Sequence[str], Sequence[Gap]]:
        return self._accounts.get(self._opened()[0].accounts)

    def _stale_regions(self) -> tuple[Mapping[str, Mapping[str, datetime | None]], Sequence[Gap]]:
        return self._stale.get(self._opened()[0].stale)


class _Merged:
    """Gaps that would be the same for every bucket, or every question, as one."""

    def __init__(self) -> None:
        self._ownership = 0
        self._of_account: list[Gap] = []

    def kept(self, one: Yielded, refused: ProviderError | None) -> Iterator[Yielded]:
        """What is to be yielded as it is; `refused` is why the account cannot be asked."""
        if isinstance(one, Gap) and one.reason.code == NOT_IN_CONFIG and one.question == OWNERSHIP.name:
            self._ownership += 1
        elif isinstance(one, Gap) and refused and one.reason == refused.reason and one.resource_uid is None:
            self._of_account.append(one)
        else:
            yield one

    def gaps(self, about: str, refused: ProviderError | None) -> Iterator[Gap]:
        """The gaps of an account: that it does not admit us, with all that hangs on it, and what Config lacks."""
        if self._ownership:
            reason = Reason(code=NOT_IN_CONFIG, values={"count": self._ownership})
            yield OWNERSHIP.lacking(reason, about, outcome=Outcome.SKIPPED)
        if refused is not None:
            # Config answers for the lists, but what it does not know may be there all the same.
            lists = (BUCKETS, ACCESS_POINTS, MULTI_REGION_ACCESS_POINTS)
            unlisted = (hidden for question in lists for hidden in question.hides)
            hides = dict.fromkeys((*unlisted, *(hidden for gap in self._of_account for hidden in gap.hidden)))
            yield msgspec.structs.replace(ROLE.gap(refused), hides=tuple(hides))


def _observed(one: Yielded, item: Item) -> Yielded:
    """The bucket with the moment of which Config's answers are."""
    if not isinstance(one, Resource) or one.kind != "bucket" or item.captured_on is None:
        return one
    return msgspec.structs.replace(one, detail={**one.detail, OBSERVED_ON: item.captured_on.isoformat()})
