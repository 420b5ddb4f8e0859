"""Denied, and why: the reason names the cause that AWS names, and nobody is sent after a permission that they have."""

import pytest

from cloudscan.facts import Outcome
from cloudscan.reason import Reason, advice, sentence
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from tests.connectors.s3.estate import allow, bucket, gap, listed, read

WHO = (
    "User: arn:aws:sts::111122223333:assumed-role/scan/s is not authorized to perform: s3:GetBucketPolicy on resource:"
)
EXPLICIT = {
    "a service control policy": "scp",
    "a resource control policy": "rcp",
    "an identity-based policy": "identity-policy",
    "a resource-based policy": "resource-policy",
    "a permissions boundary": "boundary",
    "a session policy": "session-policy",
    "a VPC endpoint policy": "endpoint-policy",
}
IMPLICIT = {
    "service control policy": "scp",
    "permissions boundary": "boundary",
    "session policy": "session-policy",
    "VPC endpoint policy": "endpoint-policy",
    "resource-based policy": "resource-policy",
}


def refused(server: Emulator, message: str) -> Reason:
    bucket(server, "locked")
    server.faults.add(Fault(where=r"^GET /locked\?policy$", message=message))
    (found,) = [one for one in read(server, object_requests=0).gaps if one.outcome is Outcome.DENIED]
    assert found.needs == ""
    assert isinstance(found.reason, Reason)
    return found.reason


@pytest.mark.parametrize("words", EXPLICIT)
def test_an_explicit_deny_is_not_cured_by_a_permission(server: Emulator, words: str) -> None:
    reason = refused(server, f'{WHO} "arn:aws:s3:::locked" with an explicit deny in {words}')

    assert reason.code == f"s3-denied-by-{EXPLICIT[words]}"
    assert "Allow s3:GetBucketPolicy" not in advice(reason, "en")


@pytest.mark.parametrize("words", IMPLICIT)
def test_another_kind_of_policy_that_does_not_allow_it_is_named(server: Emulator, words: str) -> None:
    reason = refused(server, f"{WHO} x because no {words} allows the s3:GetBucketPolicy action")

    assert reason.code == f"s3-not-in-{IMPLICIT[words]}"


def test_a_missing_permission_is_needed(server: Emulator) -> None:
    bucket(server, "locked")
    message = f"{WHO} x because no identity-based policy allows the s3:GetBucketPolicy action"
    server.faults.add(Fault(where=r"^GET /locked\?policy$", message=message))

    missing = gap(read(server, object_requests=0), "s3-not-in-identity-policy")

    assert missing.needs == "s3:GetBucketPolicy"
    assert "Allow s3:GetBucketPolicy" in advice(missing.reason, "en")


@pytest.mark.parametrize(
    ("status", "code", "message", "reason"),
    [
        ("403 Forbidden", "RequestTimeTooSkewed", "", "s3-clock-wrong"),
        ("403 Forbidden", "SignatureDoesNotMatch", "Signature expired: 20260101T000000Z", "s3-clock-wrong"),
        ("403 Forbidden", "SignatureDoesNotMatch", "The request signature we calculated", "s3-secret-wrong"),
        ("403 Forbidden", "InvalidAccessKeyId", "", "s3-key-unknown"),
        ("400 Bad Request", "ExpiredToken", "", "s3-session-expired"),
        ("403 Forbidden", "AllAccessDisabled", "", "s3-account-disabled"),
    ],
)
def test_credentials_fail_for_different_reasons(
    server: Emulator, status: str, code: str, message: str, reason: str
) -> None:
    bucket(server, "locked")
    server.faults.add(Fault(where=r"^GET /locked\?policy$", status=status, code=code, message=message))

    assert gap(read(server, object_requests=0), reason).needs == ""


def test_a_session_that_is_not_valid_in_a_region_says_that_it_is_the_region(server: Emulator) -> None:
    bucket(server, "melbourne", allow("melbourne"), region="ap-southeast-4")
    server.faults.add(
        Fault(where="max-buckets", body=listed("melbourne", "ap-southeast-4")),
        Fault(where="", region="ap-southeast-4", status="400 Bad Request", code="InvalidToken"),
    )

    result = read(server)

    missing = [one for one in result.gaps if one.question == "s3-bucket-policy"]
    assert [sentence(one.reason, "en").partition(" (")[0] for one in missing] == [
        "these credentials are not valid in ap-southeast-4"
    ]
    assert "regional STS endpoint" in advice(missing[0].reason, "en")
