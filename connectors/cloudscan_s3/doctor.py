"""What `cloudscan doctor` checks before a scan of S3: everything that the scan will ask.

The scan's own connector reads each account and the first buckets and access points of each region. What it has not
asked by then is asked about a sample in each region: `TRIES` says how. Where the account has no such thing, something
is asked for that does not exist: that it does not exist is an answer, and that we may not know is the refusal that a
scan would meet (guessed of AWS: that it checks the permission first).
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import msgspec

from cloudscan.connector import Check, Estate, Gap, Scope
from cloudscan.errors import AccessDenied, CloudscanError, ConfigurationError, NotOffered, Vanished
from cloudscan.facts import Outcome
from cloudscan.reason import Reason, Worded, advice, question, sentence
from cloudscan.sentence import Sentence, joined, say
from cloudscan_s3 import questions as ask
from cloudscan_s3 import regions
from cloudscan_s3.access.bucket import Unread
from cloudscan_s3.api.access_points import CONTROL
from cloudscan_s3.api.asking import Answer, Asker
from cloudscan_s3.api.identity import INACTIVE
from cloudscan_s3.api.storage import query
from cloudscan_s3.connector import S3Connector
from cloudscan_s3.options import Options
from cloudscan_s3.others import NOBODY_ELSE
from cloudscan_s3.questions import QUESTIONS, AwsQuestion
from cloudscan_s3.several import parts

_PATIENCE: Final = 1.0  # seconds: somebody is waiting
_MOST_SAMPLES: Final = 3  # of each kind in each region
_AT_ONCE: Final = 8  # accounts
_TOLD: Final = frozenset((Outcome.SKIPPED, Outcome.NOT_JUDGED))
_NONE_SUCH: Final = "cloudscan-doctor"
_NO_DIRECTORY_POINT: Final = f"{_NONE_SUCH}--use1-az4--xa-s3"
_NO_DIRECTORY_BUCKET: Final = f"{_NONE_SUCH}--use1-az4--x-s3"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a question can be asked about in an account."""

    account: str
    partition: str
    region: str
    bucket: str = ""  # empty: the account has none
    key: str = ""  # of an object in it; empty: none is known
    reports: tuple[str, str] = ("", "")  # bucket and prefix of its inventory reports, if it has any
    objects_matter: bool = False  # ACLs of objects are in force, and the options ask for them


Arguments = Mapping[str, object]
_Try = Callable[[Sample], tuple[str, Arguments] | None]


def _of_bucket(sample: Sample, **more: object) -> tuple[str, Arguments] | None:
    return (sample.region, {"Bucket": sample.bucket, **more}) if sample.bucket else None


def _of_objects(sample: Sample, **more: object) -> tuple[str, Arguments] | None:
    return _of_bucket(sample, **more) if sample.objects_matter else None


def _of_object(sample: Sample) -> tuple[str, Arguments] | None:
    return _of_objects(sample, Key=sample.key) if sample.key else None


def _of_reports(sample: Sample, **more: object) -> tuple[str, Arguments] | None:
    bucket, _ = sample.reports
    return (sample.region, {"Bucket": bucket, **more}) if bucket and sample.objects_matter else None


def _of_report(sample: Sample) -> tuple[str, Arguments] | None:
    return _of_reports(sample, Key=f"{sample.reports[1]}/{_NONE_SUCH}/manifest.json")


def _of_point(sample: Sample) -> tuple[str, Arguments]:
    return sample.region, {"AccountId": sample.account, "Name": _NONE_SUCH}


def _of_multi_region_point(sample: Sample) -> tuple[str, Arguments] | None:
    if not regions.has_multi_region_access_points(sample.partition):
        return None
    return CONTROL, {"AccountId": sample.account, "Name": _NONE_SUCH}


def _of_directory_bucket(sample: Sample) -> tuple[str, Arguments] | None:
    known = regions.has_directory_buckets(sample.partition)
    return ("us-east-1", {"Bucket": _NO_DIRECTORY_BUCKET}) if known else None


def _of_account(sample: Sample) -> tuple[str, Arguments]:
    return sample.region, {"AccountId": sample.account}


def _of_roles(_: Sample) -> tuple[str, Arguments]:
    return "", {"MaxItems": 1}


def _of_organisation(_: Sample) -> tuple[str, Arguments]:
    return "", {"PolicyType": "S3_POLICY"}


def _of_directory_point(sample: Sample) -> tuple[str, Arguments] | None:
    known = regions.has_directory_buckets(sample.partition)
    return ("us-east-1", {"AccountId": sample.account, "Name": _NO_DIRECTORY_POINT}) if known else None


def _of_point_tags(sample: Sample) -> tuple[str, Arguments]:
    arn = f"arn:{sample.partition}:s3:{sample.region}:{sample.account}:accesspoint/{_NONE_SUCH}"
    return sample.region, {"AccountId": sample.account, "ResourceArn": arn}


def _of_directory_bucket_tags(sample: Sample) -> tuple[str, Arguments] | None:
    if not regions.has_directory_buckets(sample.partition):
        return None
    arn = f"arn:{sample.partition}:s3express:us-east-1:{sample.account}:bucket/{_NO_DIRECTORY_BUCKET}"
    return "us-east-1", {"AccountId": sample.account, "ResourceArn": arn}


def _of_metrics(sample: Sample) -> tuple[str, Arguments]:
    return sample.region, {"Namespace": "AWS/S3", "MetricName": "BucketSizeBytes"}


def _of_metric_data(sample: Sample) -> tuple[str, Arguments] | None:
    if not sample.bucket:
        return None
    now = datetime.now(UTC)
    return sample.region, {
        "MetricDataQueries": [query("q0", sample.bucket)],
        "StartTime": now - timedelta(days=1),
        "EndTime": now,
    }


def _of_history(sample: Sample) -> tuple[str, Arguments]:
    now = datetime.now(UTC)
    return sample.region, {"StartTime": now - timedelta(minutes=1), "EndTime": now, "MaxResults": 1}


TRIES: Final[Mapping[AwsQuestion, _Try]] = {
    ask.ORGANISATION_BLOCK: _of_organisation,
    ask.BUCKET_EXISTS: _of_bucket,
    ask.BUCKET_POLICY: _of_bucket,
    ask.BUCKET_ACL: _of_bucket,
    ask.BUCKET_BLOCK: _of_bucket,
    ask.OWNERSHIP: _of_bucket,
    ask.TAGS: _of_bucket,
    ask.WEBSITE: _of_bucket,
    ask.LOGGING: _of_bucket,
    ask.ENCRYPTION: _of_bucket,
    ask.ABAC: _of_bucket,
    ask.REPLICATION: _of_bucket,
    ask.INVENTORY: _of_bucket,
    ask.OBJECTS: partial(_of_objects, MaxKeys=1),
    ask.OBJECT_ACL: _of_object,
    ask.INVENTORY_REPORTS: partial(_of_reports, Delimiter="/", MaxKeys=1),
    ask.INVENTORY_REPORT: _of_report,
    ask.ACCESS_POINT: _of_point,
    ask.ACCESS_POINT_POLICY: _of_point,
    ask.MULTI_REGION_ACCESS_POINT: _of_multi_region_point,
    ask.MULTI_REGION_ACCESS_POINT_POLICY: _of_multi_region_point,
    ask.DIRECTORY_BUCKET_POLICY: _of_directory_bucket,
    ask.DIRECTORY_ACCESS_POINT: _of_directory_point,
    ask.DIRECTORY_ACCESS_POINT_POLICY: _of_directory_point,
    ask.ACCESS_GRANTS_POLICY: _of_account,
    ask.OBJECT_LAMBDA: _of_account,
    ask.ROLES: _of_roles,
    ask.POINT_TAGS: _of_point_tags,
    ask.DIRECTORY_BUCKET_TAGS: _of_directory_bucket_tags,
    ask.STORAGE_METRICS: _of_metrics,
    ask.STORAGE: _of_metric_data,
    ask.EVENT_HISTORY: _of_history,
}
"""Where and about what a question is asked that reading the samples has not asked; None: it does not arise here."""

BY_READING: Final = frozenset(
    (
        ask.CALLER,
        ask.ORGANISATION,
        ask.ACCOUNTS,
        ask.ROLE,
        ask.ACCOUNT_BLOCK,
        ask.BUCKETS,
        ask.ACCESS_POINTS,
        ask.MULTI_REGION_ACCESS_POINTS,
        ask.DIRECTORY_BUCKETS,
        ask.CONTROL_POLICIES,
        ask.CONTROL_POLICY,
        ask.CONTROL_POLICY_TARGETS,
        ask.PARENTS,
        ask.REGIONS,
        ask.DIRECTORY_ACCESS_POINTS,
        ask.ACCESS_GRANTS,
        ask.TABLE_BUCKETS,
        ask.VECTOR_BUCKETS,
        ask.OUTPOSTS,
        ask.IAM_USERS,
        ask.CREDENTIAL_REPORT,
        ask.CREDENTIALS,
        ask.IDENTITY_CENTERS,
        ask.DIRECTORY_USERS,
        ask.ANALYZERS,
    )
)
"""What every account is asked when it is opened and read, or ours alone; the last one where there is a directory."""

NOT_TRIED: Final = frozenset(
    (
        ask.CONFIG_RESOURCES,
        ask.CONFIG_ITEMS,
        ask.CONFIG_SOURCES,
        ask.CONFIG_FOLDERS,
        ask.CONFIG_FILES,
        ask.CONFIG_FILE,
        ask.ANALYZER_FINDINGS,
    )
)
"""What is asked only where AWS Config is read in place of the buckets, or where there is an analyzer: the scan itself
says what it lacks there."""

_MAY_LACK: Final = frozenset((ask.INVENTORY, ask.OBJECT_LAMBDA, ask.ROLES, ask.STORAGE_METRICS, ask.STORAGE))
"""Where the sample does not need the answer, the scan is complete without the permission."""


def checks(options: Options, estate: Estate) -> Iterator[Check]:
    """Check the credentials, the roles in other accounts, and every question in each account that admits us."""
    if not options.profiles:
        yield from _of_profile(options, estate, "s3")
        return
    try:
        every = list(parts(options))
    except ConfigurationError as error:
        yield Check(ok=False, what=say("s3: profiles"), remedy=joined((error,)))
        return
    for name, own in every:
        yield from _of_profile(own, estate, say("s3, profile {name}", name=name))


def _of_profile(options: Options, estate: Estate, prefix: str) -> Iterator[Check]:
    connector = S3Connector(
        msgspec.structs.replace(options, patience=_PATIENCE, object_requests=0),
        estate,
        others=None if prefix == "s3" else lambda: NOBODY_ELSE,
    )
    try:
        caller = connector.identity()
        yield Check(
            ok=True, what=joined((prefix, say("credentials of account {account}", account=caller.account)), ": ")
        )
    except CloudscanError as error:
        yield Check(ok=False, what=joined((prefix, say("credentials")), ": "), remedy=joined((error,)))
        return
    try:
        first = list(connector.scopes())
    except CloudscanError as error:
        yield Check(ok=False, what=joined((prefix, say("accounts")), ": "), remedy=joined((error,)))
        return
    for scope in (scope for scope in first if scope.kind == "organisation"):
        gaps = [item for item in connector.collect(scope, None) if isinstance(item, Gap)]
        yield from (_line(joined((prefix, Worded(question, gap.question)), ": "), gap) for gap in gaps)
    accounts = [
        _Account(connector=connector, options=options, partition=caller.partition, prefix=prefix, scope=scope)
        for scope in first
        if scope.kind == "account"
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for lines in pool.map(lambda one: list(one.checks(is_own=one.scope.account == caller.account)), accounts):
            yield from lines


@dataclass(frozen=True, kw_only=True)
class _Account:
    """One account, to be read in samples."""

    connector: S3Connector
    options: Options
    partition: str
    prefix: str
    scope: Scope

    def checks(self, *, is_own: bool) -> Iterator[Check]:
        """The role, and each question with its answer; for other accounts than our own one line where all is well."""
        what = joined((self.prefix, say("account {account}", account=self.scope.account)), ": ")
        try:
            asker = self.connector.asker(self.scope.account)
            gaps = list(self._gaps(asker))
        except CloudscanError as error:
            if self.scope.params.get("state") in INACTIVE and isinstance(error, AccessDenied):
                return  # the scan leaves it out as well
            yield Check(ok=False, what=what, remedy=joined((error,)))
            return
        missing = {(gap.question, _code(gap)): gap for gap in reversed(gaps) if gap.outcome.is_gap}
        silent = {name for name, _ in missing}
        answered = [one.name for one in QUESTIONS if one.name in asker.asked and one.name not in silent]
        if is_own:
            yield from (Check(ok=True, what=joined((what, Worded(question, name)), ": ")) for name in answered)
        else:
            yield Check(ok=True, what=joined((what, say("{count} questions are answered", count=len(answered))), ": "))
        for gap in {(gap.question, _code(gap)): gap for gap in gaps if gap.outcome in _TOLD}.values():
            if _code(gap) != "s3-objects-switched-off":
                asked, reason = Worded(question, gap.question), Worded(sentence, gap.reason)
                left_out = say("{question}, left out: {reason}", question=asked, reason=reason)
                yield Check(ok=True, what=joined((what, left_out), ": "))
        for gap in reversed(missing.values()):
            about = Worded(question, gap.question) if gap.question else gap.table
            place = f" ({gap.resource_uid})" if gap.resource_uid else ""
            yield _line(joined((what, joined((about, place), "")), ": "), gap)

    def _gaps(self, asker: Asker) -> Iterator[Gap]:
        """What could not be read of the account, of its samples, and of what the samples did not ask."""
        samples: dict[tuple[str, str], list[Scope]] = {}
        objects_matter = False
        for item in self.connector.collect(self.scope, None):
            if isinstance(item, Scope):
                samples.setdefault((item.kind, item.params.get("region", "")), []).append(item)
            elif isinstance(item, Gap):
                yield item
        for scopes in samples.values():
            for scope in scopes[:_MOST_SAMPLES]:
                gaps = [item for item in self.connector.collect(scope, None) if isinstance(item, Gap)]
                objects_matter = objects_matter or any(_code(gap) == "s3-objects-switched-off" for gap in gaps)
                yield from gaps
        home, read = asker.account.region, frozenset(asker.asked)
        buckets = {region or home: scopes[0].name for (kind, region), scopes in samples.items() if kind == "bucket"}
        for region, bucket in (buckets or {home: ""}).items():
            sample = Sample(
                account=self.scope.account,
                partition=self.partition,
                region=region,
                bucket=bucket,
                objects_matter=objects_matter and bool(self.options.object_requests),
            )
            yield from _tried(asker, sample, read)


def _tried(asker: Asker, sample: Sample, read: AbstractSet[str]) -> Iterator[Gap]:
    """Ask what was not asked, in the order of the table: later tries use what earlier ones found."""
    for one, arguments_of in TRIES.items():
        about = None if one.name in read and one is not ask.INVENTORY else arguments_of(sample)
        if about is None:
            continue
        region, arguments = about
        answer = asker.ask(one, region, **arguments)
        if isinstance(answer, Unread):
            if one in _MAY_LACK:
                continue
            if isinstance(answer.error, AccessDenied) or (_NONE_SUCH not in str(arguments) and _is_odd(answer)):
                yield answer.gap(None)
        elif one is ask.OBJECTS and answer:
            sample = replace(sample, key=next((str(entry["Key"]) for entry in answer.get("Contents") or ()), ""))
        elif one is ask.INVENTORY and answer:
            sample = replace(sample, reports=_destination(answer))


def _is_odd(answer: Unread) -> bool:
    return not isinstance(answer.error, Vanished | NotOffered)


def _destination(answer: Answer) -> tuple[str, str]:
    """Where the first inventory's reports are: the bucket, and the beginning of their keys."""
    for configured in answer.get("InventoryConfigurationList") or ():
        target = (configured.get("Destination") or {}).get("S3BucketDestination") or {}
        if bucket := str(target.get("Bucket") or "").rpartition(":")[2]:
            return bucket, str(target.get("Prefix") or "")
    return "", ""


def _code(gap: Gap) -> str:
    return gap.reason.code if isinstance(gap.reason, Reason) else gap.reason


def _line(what: Sentence, gap: Gap) -> Check:
    if not gap.outcome.is_gap or not isinstance(gap.reason, Reason):
        return Check(ok=True, what=what)
    remedy = joined((say("{reason}.", reason=Worded(sentence, gap.reason)), Worded(advice, gap.reason)))
    if gap.needs:
        remedy = joined((remedy, say("`cloudscan permissions --connector s3 --format policy` prints the policy.")))
    return Check(ok=False, what=what, remedy=remedy)
