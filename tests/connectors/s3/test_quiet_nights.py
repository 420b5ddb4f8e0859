"""A night asks only about what CloudTrail says has changed, and tells what a full scan at the same time tells."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from moto.s3.models import s3_backends

from cloudscan.connector import Connector, Estate
from cloudscan.coverage import Coverage
from cloudscan.facts import Outcome
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan_emulators.aws import moto_server
from cloudscan_emulators.aws.event_history import Change
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_s3.options import Options
from cloudscan_s3.plugin import PLUGIN
from tests.connectors.nights import Nights, damage_saved_state, difference, nights_of
from tests.connectors.s3.estate import ACCOUNT, ALL_OFF, ALL_ON, allow, bucket, policy, s3, s3control
from tests.kit.properties import examples

DAY = timedelta(days=1)
EU = "eu-west-1"
TWO_DAYS_AGO = timedelta(days=2)


def connect(server: Emulator, folder: Path, partner: str = "", **options: Any) -> Connector:
    del folder
    given = Options(endpoint=server.endpoint, **{"patience": 0.0, "object_requests": 0, **options})
    return PLUGIN.open(given, Estate(accounts=frozenset([partner] if partner else ())))


@contextmanager
def nights() -> Iterator[Nights[Emulator]]:
    """Nights of an account with buckets in two Regions; what was made is long past when the first begins."""
    with moto_server.running() as server, nights_of(server, connect) as account:
        server.around.regions = ("us-east-1", EU)
        bucket(server, "open", allow("open"))
        bucket(server, "partners", allow("partners", {"AWS": "444455556666"}), block=True)
        bucket(server, "europe", region=EU)
        s3(server).create_bucket(Bucket="listed", ACL="public-read")
        s3control(server).create_access_point(AccountId=ACCOUNT, Name="entry", Bucket="partners")
        server.history.pass_time(TWO_DAYS_AGO)
        yield account


def asked_of_buckets(account: Nights[Emulator]) -> list[str]:
    """The requests about single buckets and access points since the log was cleared; those about objects left out."""
    lines = [line for line in account.server.request_log if "list-type=" not in line]
    control = "GET /v20180820/accesspoint/"
    return [line for line in lines if line.startswith(control) or ("?" in line and line[5:6].isalpha())]


def names_of(lines: list[str]) -> set[str]:
    return {line.split("/")[1].partition("?")[0] for line in lines if not line.startswith("GET /v2018")}


def night(account: Nights[Emulator], since: Path, **options: Any) -> Path:
    """The next night, a day later; the log has what it asked."""
    account.server.history.pass_time(DAY)
    account.server.request_log.clear()
    snapshot, _ = account.scan(since=since, **options)
    return snapshot


def is_as_full(account: Nights[Emulator], snapshot: Path, **options: Any) -> bool:
    full, _ = account.scan(**options)
    return difference(snapshot, full) == {}


def coverage(snapshot: Path, code: str = "", question: str = "s3-event-history") -> list[Coverage]:
    with Snapshot.open(snapshot) as opened:
        rows = [row for row in opened.coverage() if row.question == question]
    return [row for row in rows if code in str(row.reason)]


def test_quiet_nights_ask_nothing_of_a_bucket_and_tell_the_same() -> None:
    with nights() as account:
        latest, _ = account.scan()
        for _ in range(2):
            latest = night(account, latest)

            assert asked_of_buckets(account) == []
        assert is_as_full(account, latest)


def put_policy(server: Emulator) -> None:
    s3(server).put_bucket_policy(Bucket="europe", Policy=policy(allow("europe")))


def block_account(server: Emulator) -> None:
    s3control(server).put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=ALL_ON)


def move_point(server: Emulator) -> None:
    statement = allow("partners", {"AWS": "777788889999"})
    statement["Resource"] = f"arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/entry/object/*"
    s3control(server).put_access_point_policy(AccountId=ACCOUNT, Name="entry", Policy=policy(statement))


def made_again(server: Emulator) -> None:
    """Under the same name, without the policy."""
    s3(server).delete_bucket_policy(Bucket="open")
    s3(server).delete_bucket(Bucket="open")
    s3(server).create_bucket(Bucket="open")


def by_unknown_name(server: Emulator) -> None:
    """A change that no event of a known name tells: the emulator is changed behind the history's back."""
    server.history.is_losing = True
    put_policy(server)
    server.history.is_losing = False
    request = {"bucketName": "europe"}
    server.history.record(
        Change(name="PutBucketSomethingNew", source="s3.amazonaws.com", account=ACCOUNT, region=EU, request=request)
    )


def attempted(server: Emulator) -> None:
    """What failed has changed nothing, whatever it was."""
    with pytest.raises(Exception, match="NoSuchBucket"):
        s3(server).put_bucket_policy(Bucket="gone", Policy="{}")
    change = Change(name="DeleteEverything", source="s3.amazonaws.com", account=ACCOUNT, region=EU, request={})
    server.history.record(change, error="AccessDenied")


def nameless(server: Emulator) -> None:
    """An event that may concern anything."""
    change = Change(name="PutEverything", source="s3.amazonaws.com", account=ACCOUNT, region=EU, request={})
    server.history.record(change)


CHANGES: tuple[tuple[Callable[[Emulator], None], set[str]], ...] = (
    (put_policy, {"europe"}),
    (block_account, {"open", "partners", "europe", "listed"}),
    (move_point, {"partners"}),
    (made_again, {"open"}),
    (by_unknown_name, {"europe"}),
    (attempted, set()),
    (nameless, {"open", "partners", "europe", "listed"}),
)


def test_what_an_event_concerns_is_asked_again() -> None:
    with nights() as account:
        latest, _ = account.scan()
        for change, again in CHANGES:
            change(account.server)

            latest = night(account, latest)

            assert names_of(asked_of_buckets(account)) == again, change.__name__
        assert is_as_full(account, latest)


def test_what_changes_without_any_event_of_s3_is_judged_anew() -> None:
    """Whose accounts are ours is asked of nobody: the same answers mean something else."""
    with nights() as account:
        first, _ = account.scan()

        second = night(account, first, partner="444455556666")

        assert asked_of_buckets(account) == []
        assert difference(first, second)
        assert is_as_full(account, second, partner="444455556666")


def test_an_event_that_comes_late_is_acted_on_the_night_after_and_once() -> None:
    with nights() as account:
        first, _ = account.scan()
        account.server.history.pass_time(DAY)
        account.server.history.late, account.server.history.is_repeating = timedelta(minutes=15), True
        put_policy(account.server)
        second, _ = account.scan(since=first)
        account.server.history.pass_time(timedelta(minutes=20))
        third, _ = account.scan(since=second)
        account.server.request_log.clear()

        fourth, _ = account.scan(since=third)

        assert asked_of_buckets(account) == []
        assert difference(third, fourth) == {}
        assert is_as_full(account, fourth)
        assert difference(second, third)


def test_what_the_history_never_told_is_found_by_the_full_reading() -> None:
    with nights() as account:
        latest, _ = account.scan(full_every_days=2)
        account.server.history.silent.add(EU)
        put_policy(account.server)

        latest = night(account, latest, full_every_days=2)
        assert "europe" not in names_of(asked_of_buckets(account))
        latest = night(account, latest, full_every_days=2)

        assert is_as_full(account, latest)


def test_without_history_everything_is_asked_and_the_scan_is_complete() -> None:
    with nights() as account:
        latest, _ = account.scan()
        for code in ("AccessDeniedException", "ThrottlingException"):
            account.server.faults.add(Fault(where="LookupEvents", code=code, status="400 Bad Request"))

            latest = night(account, latest)

            assert names_of(asked_of_buckets(account)) == {"open", "partners", "europe", "listed"}
            assert [row.outcome for row in coverage(latest)] == [Outcome.SKIPPED]
            account.server.faults.clear()


def test_a_region_without_history_or_with_too_much_of_it_is_read_in_full_and_no_other() -> None:
    with nights() as account:
        first, _ = account.scan()
        account.server.faults.add(Fault(where="LookupEvents", region=EU, code="OptInRequired"))
        second = night(account, first)
        asked_first = names_of(asked_of_buckets(account))
        account.server.faults.clear()
        noise = Change(name="CreateLogStream", source="logs.amazonaws.com", account=ACCOUNT, region=EU, request={})
        for _ in range(201):
            account.server.history.record(noise)

        third = night(account, second)

        assert asked_first == names_of(asked_of_buckets(account)) == {"europe"}
        assert [row.outcome for row in coverage(third, "s3-history-too-long")] == [Outcome.SKIPPED]


def test_where_the_history_does_not_reach_everything_is_asked() -> None:
    """It has 90 days; and a clock that goes back has no history."""
    with nights() as account:
        latest, _ = account.scan(full_every_days=60)
        for passed in (timedelta(days=90), timedelta(hours=-3)):
            account.server.history.pass_time(passed - DAY)

            latest = night(account, latest, full_every_days=60)

            assert names_of(asked_of_buckets(account)) == {"open", "partners", "europe", "listed"}


def test_a_question_that_was_refused_is_asked_again() -> None:
    with nights() as account:
        refusal = Fault(where=r"GET /open\?policy", times=1)
        account.server.faults.add(refusal)
        first, _ = account.scan()

        second = night(account, first)

        assert asked_of_buckets(account)[0] == "GET /open?policy"
        assert names_of(asked_of_buckets(account)) == {"open"}
        assert not [row for row in coverage(second, question="s3-bucket-policy") if row.outcome.is_gap]


def test_what_was_kept_and_is_damaged_is_asked_again() -> None:
    with nights() as account:
        first, _ = account.scan()
        damage_saved_state(first, b"{}\n{}")

        night(account, first)

        assert names_of(asked_of_buckets(account)) == {"open", "partners", "europe", "listed"}


@dataclass(frozen=True)
class Step:
    """Something that happens in a day; the numbers choose the bucket and what becomes of it."""

    what: str
    which: int
    other: int

    def apply(self, server: Emulator) -> None:
        names = sorted(s3_backends[ACCOUNT]["aws"].buckets) or ["open"]
        name = names[self.which % len(names)]
        client = s3(server)
        statements = (allow(name), allow(name, {"AWS": "444455556666"}), allow(name, {"AWS": ACCOUNT}))
        match self.what:
            case "create" if f"new-{self.which % 5}" not in names:
                bucket(server, f"new-{self.which % 5}", region=(EU, "us-east-1")[self.other % 2])
            case "policy":
                client.put_bucket_policy(Bucket=name, Policy=policy(statements[self.other % 3]))
            case "no policy":
                client.delete_bucket_policy(Bucket=name)
            case "block":
                given = {**ALL_OFF, "RestrictPublicBuckets": bool(self.other % 2)}
                client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=given)
            case "own":
                rules = {"Rules": [{"ObjectOwnership": ("BucketOwnerEnforced", "ObjectWriter")[self.other % 2]}]}
                client.put_bucket_ownership_controls(Bucket=name, OwnershipControls=rules)
            case "acl":
                client.put_bucket_acl(Bucket=name, ACL=("private", "public-read")[self.other % 2])
            case "tag":
                client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "owner", "Value": f"{self.other}"}]})
            case "account":
                given = {**ALL_OFF, "IgnorePublicAcls": bool(self.other % 2)}
                s3control(server).put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=given)
            case "point" if name != "partners":
                s3control(server).create_access_point(AccountId=ACCOUNT, Name=f"point-{name}", Bucket=name)
            case "delete" if name != "partners" and len(names) > 2:
                client.delete_bucket(Bucket=name)
            case "unknown":
                server.history.record(
                    Change(
                        name="PutSomethingNew",
                        source="s3.amazonaws.com",
                        account=ACCOUNT,
                        region=EU,
                        request={"bucketName": name} if self.other % 2 else {},
                    )
                )
            case "refused":
                change = Change(
                    name="PutBucketPolicy",
                    source="s3.amazonaws.com",
                    account=ACCOUNT,
                    region="us-east-1",
                    request={"bucketName": name},
                )
                server.history.record(change, error="AccessDenied")
            case "wait":
                server.history.pass_time(timedelta(minutes=self.other % 200))
            case _:
                pass


WHAT = (
    "create", "policy", "policy", "policy", "no policy", "block", "own", "acl", "tag", "account", "point", "delete",
    "unknown", "refused", "wait",
)  # fmt: skip
NUMBER = st.integers(0, 10_000)
DAYS = st.lists(
    st.tuples(
        st.lists(st.builds(Step, st.sampled_from(WHAT), NUMBER, NUMBER), max_size=6),
        st.integers(0, 50),  # minutes that events are late
        st.booleans(),  # told twice
        st.sampled_from(("", "", EU, "us-east-1")),  # the Region whose history is refused
    ),
    min_size=1,
    max_size=2,
)


@examples(1, suppress_health_check=list(HealthCheck))
@given(DAYS)
def test_whatever_happens_changes_tell_what_a_full_scan_tells(days: list[tuple[list[Step], int, bool, str]]) -> None:
    """A night that begins before late events are told is one behind; the one after it is not."""
    with nights() as account:
        latest, _ = account.scan()
        for steps, minutes, is_repeating, silent in days:
            history = account.server.history
            history.pass_time(DAY)
            history.late, history.is_repeating = timedelta(minutes=minutes), is_repeating
            for step in steps:
                step.apply(account.server)
            latest, _ = account.scan(since=latest)
            history.pass_time(timedelta(minutes=minutes + 1))
            if silent:
                fault = Fault(where="LookupEvents", region=silent, code="AccessDeniedException")
                account.server.faults.add_optional(fault)
            latest, _ = account.scan(since=latest)
            account.server.faults.clear()

            assert is_as_full(account, latest)
