"""What S3 refuses, garbles or forgets costs that answer, and never makes a shared bucket look private."""

import pytest

from cloudscan.errors import ConfigurationError
from cloudscan.facts import Audience, Hidden, Outcome
from cloudscan.reason import Reason, sentence
from cloudscan_emulators.aws import moto_server
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_emulators.kit.faults import FaultNeverMet
from tests.connectors.s3.estate import ACCOUNT, ALL_OFF, allow, bucket, connector, gap, read, s3, s3control

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


def public_by_acl(server: Emulator, name: str) -> str:
    uid = bucket(server, name)
    s3(server).put_bucket_acl(Bucket=name, ACL="public-read")
    return uid


@pytest.mark.parametrize(
    ("where", "needs", "table"),
    [
        (r"^GET /locked\?policy$", "s3:GetBucketPolicy", "grants"),
        (r"^GET /locked\?acl$", "s3:GetBucketAcl", "grants"),
        (r"^GET /locked\?publicAccessBlock$", "s3:GetBucketPublicAccessBlock", "settings"),
        (r"^GET /locked\?ownershipControls$", "s3:GetBucketOwnershipControls", "settings"),
    ],
)
def test_a_denied_answer_names_the_permission(server: Emulator, where: str, needs: str, table: str) -> None:
    """One refusal costs one answer; the rest of the bucket is reported."""
    uid = bucket(server, "locked", allow("locked", {"AWS": "777788889999"}))
    server.faults.add(Fault(where=where))

    result = read(server)

    assert result.has(uid)
    assert not result.refused
    gap = next(gap for gap in result.gaps if gap.needs == needs)
    assert (gap.outcome, gap.table, gap.resource_uid) == (Outcome.DENIED, table, uid)


def test_policy_acl_and_blocks_denied_is_unknown_and_not_private(server: Emulator) -> None:
    """Where nothing could be read, every access may be granted: neither it nor the audience is known."""
    uid = bucket(server, "locked")
    server.faults.add(Fault(where=r"^GET /locked\?(policy|acl|publicAccessBlock|ownershipControls)$"))

    result = read(server, object_requests=0)

    assert {grant.audience for grant in result.grants(uid)} == {None}
    assert {grant.access for grant in result.grants(uid)} == {None}
    assert result.setting(uid, "restrict_public_buckets") is None


@pytest.mark.parametrize("body", [b"", b"<", b"<html><body>Welcome</body></html>", b"<a/>", b"\xff\xfe\x00"])
@pytest.mark.parametrize("question", ["policy", "acl"])
def test_an_answer_that_makes_no_sense_is_unknown_and_not_private(server: Emulator, question: str, body: bytes) -> None:
    """A proxy's welcome page is neither a bucket without a policy nor one without an ACL."""
    uid = public_by_acl(server, "odd") if question == "acl" else bucket(server, "odd", allow("odd"))
    server.faults.add(Fault(where=rf"^GET /odd\?{question}$", body=body))

    result = read(server, object_requests=0)

    assert not result.refused
    assert None in {grant.audience for grant in result.grants(uid)}
    assert any(gap.resource_uid == uid for gap in result.gaps)


@pytest.mark.parametrize("question", ["publicAccessBlock", "ownershipControls"])
def test_switches_that_make_no_sense_are_unreadable(server: Emulator, question: str) -> None:
    """Neither "on" nor "off" is made of an answer that says neither."""
    uid = bucket(server, "odd", block=True, enforced=True)
    server.faults.add(Fault(where=rf"^GET /odd\?{question}$", body=b"<a/>"))

    result = read(server)

    name = {"publicAccessBlock": "restrict_public_buckets", "ownershipControls": "object_ownership"}[question]
    assert result.setting(uid, name) is None


@pytest.mark.parametrize(
    ("question", "body", "setting"),
    [
        ("logging", b"<html/>", "access_logging"),
        ("website", b"<WebsiteConfiguration/>", "website"),
        ("encryption", b"<ServerSideEncryptionConfiguration/>", "default_encryption"),
        (
            "publicAccessBlock",
            b"<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>"
            b"<IgnorePublicAcls>maybe</IgnorePublicAcls></PublicAccessBlockConfiguration>",
            "ignore_public_acls",
        ),
        (
            "publicAccessBlock",
            b"<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>",
            "restrict_public_buckets",
        ),
    ],
)
def test_what_an_answer_does_not_say_is_neither_on_nor_off(
    server: Emulator, question: str, body: bytes, setting: str
) -> None:
    """A page of a proxy, a word that is no switch, a switch that is left out."""
    uid = bucket(server, "shared", allow("shared"))
    server.faults.add(Fault(where=rf"^GET /shared\?{question}$", body=body))

    assert read(server).setting(uid, setting) is None


def test_a_policy_that_is_not_json_is_unknown(server: Emulator) -> None:
    """What S3 would not have accepted may still come from a server that imitates S3."""
    uid = bucket(server, "scribble", allow("scribble"))
    server.faults.add(Fault(where=r"^GET /scribble\?policy$", body=b"Dear S3, please let everyone in"))

    result = read(server)

    assert {grant.audience for grant in result.grants(uid)} == {None}
    assert gap(result, "s3-policy-not-json").resource_uid == uid


def test_a_list_of_buckets_that_makes_no_sense_is_no_empty_account(server: Emulator) -> None:
    """An account without buckets resolves findings; a garbled list must not."""
    bucket(server, "forgotten", allow("forgotten"))
    server.faults.add(Fault(where=r"^GET /\?max-buckets", body=b"<a/>"))

    result = read(server)

    missing = gap(result, "s3-member-missing")
    assert (missing.question, missing.outcome) == ("s3-buckets", Outcome.FAILED)
    assert Hidden(table="resources", kinds=("bucket", "objects", "object", "access_point")) in missing.hidden
    assert result.setting(f"s3:account/{ACCOUNT}", "restrict_public_buckets") == "false"


def test_a_bucket_deleted_between_list_and_read_is_no_failure(server: Emulator) -> None:
    """It no longer exists, and nothing is left to judge."""
    uid = bucket(server, "shortlived", allow("shortlived"))
    server.faults.add(Fault(where=r"^(GET|HEAD) /shortlived", status="404 Not Found", code="NoSuchBucket"))

    result = read(server)

    assert not result.has(uid)
    assert gap(result, "s3-gone").outcome is Outcome.COMPLETE
    assert not result.refused


def test_one_answer_alone_does_not_delete_a_bucket(server: Emulator) -> None:
    """Asked again, it is there: the question failed."""
    uid = bucket(server, "alive", allow("alive"))
    server.faults.add(Fault(where=r"^GET /alive\?policy$", status="404 Not Found", code="NoSuchBucket"))

    result = read(server)

    assert {grant.audience for grant in result.grants(uid) if grant.via == "policy"} == {None}
    assert gap(result, "s3-gone").question == "s3-bucket-policy"


@pytest.mark.parametrize("question", ["GET .*/accesspoint/door$", "GET .*/accesspoint/door/policy$"])
def test_an_access_point_deleted_between_list_and_read_takes_nothing_with_it(server: Emulator, question: str) -> None:
    """The bucket behind it is still there, and as open as it was."""
    uid = bucket(server, "behind", allow("behind"))
    s3control(server).create_access_point(
        AccountId=ACCOUNT, Name="door", Bucket="behind", PublicAccessBlockConfiguration=ALL_OFF
    )
    server.faults.add(Fault(where=question, status="404 Not Found", code="NoSuchAccessPoint"))

    result = read(server)

    assert Audience.ANYONE_WITH_LINK in {grant.audience for grant in result.grants(uid)}


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [("503 Slow Down", "SlowDown", "s3-throttled"), ("500 Internal Server Error", "InternalError", "s3-failed")],
)
def test_what_may_be_answered_later_is_a_passing_gap(server: Emulator, status: str, code: str, reason: str) -> None:
    """The core reads the bucket once more at the end of the scan; until then the rest of it is known."""
    uid = bucket(server, "busy", allow("busy"))
    server.faults.add(Fault(where=r"^GET /busy\?acl$", status=status, code=code))

    result = read(server)

    missing = gap(result, reason)
    assert (missing.passing, missing.resource_uid) == (True, uid)
    assert Audience.ANYONE_WITH_LINK in {grant.audience for grant in result.grants(uid)}


def test_a_question_is_waited_for_once_and_not_once_a_bucket(server: Emulator) -> None:
    for name in ("one", "two", "three", "four"):
        bucket(server, f"busy-{name}")
    server.faults.add(Fault(where=r"^GET /busy-\w+\?acl$", status="503 Slow Down", code="SlowDown"))
    server.request_log.clear()

    read(server, patience=0.01)

    asked = [line for line in server.request_log if line.endswith("?acl")]
    assert len(asked) == 3 + 3  # three attempts for the first bucket, one for each of the others


def test_one_bad_answer_is_asked_for_again(server: Emulator) -> None:
    """A single failure is not worth a report."""
    uid = bucket(server, "stumbling", allow("stumbling"))
    server.faults.add(Fault(where=r"^GET /stumbling\?policy$", status="503 Slow Down", code="SlowDown", times=1))

    result = read(server, patience=0.01)

    assert Audience.ANYONE_WITH_LINK in {grant.audience for grant in result.grants(uid)}
    assert not result.gaps


@pytest.mark.parametrize(
    "where",
    [
        r"^GET /v20180820/accesspoint(\?|$)",
        r"^GET /v20180820/mrap/instances",
        r"^GET /$",
    ],
)
@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("403 Forbidden", "AccessDenied"),
        ("501 Not Implemented", "NotImplemented"),
        ("400 Bad Request", "InvalidRequest"),
    ],
)
def test_a_list_that_cannot_be_read_costs_no_bucket(server: Emulator, where: str, status: str, code: str) -> None:
    """Not every account may list access points, and not every region or server knows of them."""
    uid = bucket(server, "plain", allow("plain"))
    server.faults.add(Fault(where=where, status=status, code=code))

    result = read(server)

    assert result.has(uid)
    assert not result.refused
    assert len(result.gaps) == 1


def test_a_dead_endpoint_is_unreachable(server: Emulator) -> None:
    """Nothing listens on the discard port of this machine: no account can be named, and anything may be hidden."""
    dead = Emulator(endpoint="http://127.0.0.1:9")

    result = read(dead)

    missing = gap(result, "s3-no-answer")
    assert (missing.question, missing.passing, missing.table) == ("s3-caller", True, "all")
    assert "127.0.0.1:9" in sentence(missing.reason, "en")


def test_no_credentials_are_a_matter_of_configuration(server: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry cannot help: credentials have to be provided."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(ConfigurationError, match="AWS_PROFILE"):
        list(connector(server).scopes())


def test_an_unknown_profile_is_named(server: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="nobody"):
        list(connector(server, profile="nobody").scopes())


def test_expired_credentials_cost_every_answer_and_say_so(server: Emulator) -> None:
    """Nobody is sent after a permission."""
    bucket(server, "plain")
    server.faults.add(Fault(where=r"^GET /plain\?", status="400 Bad Request", code="ExpiredToken"))

    result = read(server)

    assert {gap.reason.code for gap in result.gaps if isinstance(gap.reason, Reason)} == {"s3-session-expired"}
    assert {gap.needs for gap in result.gaps} == {""}


def test_a_fault_that_no_request_meets_fails_the_test_that_planted_it() -> None:
    """Such a test would prove nothing."""
    with pytest.raises(FaultNeverMet, match="nowhere"), moto_server.running() as server:
        server.faults.add(Fault(where=r"^GET /nowhere$"))
