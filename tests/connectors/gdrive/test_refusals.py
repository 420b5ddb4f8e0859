"""What a refusal means is decided by its reasons, whatever its message says."""

import json
from typing import Any

import pytest

from cloudscan.http import Answer
from cloudscan_gdrive.api.refusals import refused, too_fast
from cloudscan_gdrive.permissions import AUDIT, DIRECTORY, DRIVE, GROUP_SETTINGS, POLICIES, PREFIX

FILES, USERS = PREFIX + DRIVE[0], PREFIX + DIRECTORY[0]


def old(reason: str, message: str = "Ça ne va pas", status: int = 403, **more: Any) -> Answer:
    """As Drive and the Directory answer."""
    error = {"code": status, "message": message, "errors": [{"domain": "global", "reason": reason, "message": message}]}
    return Answer(status=status, body=json.dumps({"error": error | more}).encode(), headers={})


def new(reason: str, message: str = "Ça ne va pas", **metadata: str) -> Answer:
    """As Cloud Identity answers (AIP-193)."""
    details = [
        {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": "x", "url": "https://x.example"}]},
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "metadata": metadata},
    ]
    error = {"code": 403, "message": message, "status": "PERMISSION_DENIED", "details": details}
    return Answer(status=403, body=json.dumps({"error": error}).encode(), headers={})


WITHOUT_REASON = Answer(
    status=403, body=b'{"error": {"code": 403, "message": "No", "status": "PERMISSION_DENIED"}}', headers={}
)
BY_HEADER = Answer(
    status=403, body=WITHOUT_REASON.body, headers={"www-authenticate": 'Bearer realm="x", error="insufficient_scope"'}
)


@pytest.mark.parametrize(
    ("answer", "needs", "code"),
    [
        (old("accessNotConfigured"), FILES, "drive-api-off"),
        (new("SERVICE_DISABLED", service="drive.googleapis.com", consumer="projects/1234567"), FILES, "drive-api-off"),
        (old("insufficientPermissions"), USERS, "drive-scope-missing"),
        (new("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), FILES, "drive-scope-missing"),
        (BY_HEADER, PREFIX + GROUP_SETTINGS[0], "drive-scope-missing"),
        (old("forbidden", "Request had insufficient authentication scopes."), FILES, "drive-refused"),
        (old("domainPolicy"), FILES, "drive-person-without-drive"),
        (old("domainPolicy", "Domain cannot use apis."), USERS, "drive-refused"),
        (old("forbidden"), USERS, "drive-not-an-administrator"),
        (old("forbidden"), PREFIX + GROUP_SETTINGS[0], "drive-not-an-administrator"),
        (WITHOUT_REASON, PREFIX + AUDIT[0], "drive-not-an-administrator"),
        (old("domainCannotUseApis", "Not Authorized to access this resource/api"), USERS, "drive-refused"),
        (old("forbidden", "Not Authorized to access this resource/api"), FILES, "drive-refused"),
        (WITHOUT_REASON, PREFIX + POLICIES[0], "drive-not-a-super-admin"),
        (old("teamDriveMembershipRequired"), FILES, "drive-not-a-member"),
        (old("insufficientFilePermissions"), FILES, "drive-permissions-not-shown"),
        (old("dailyLimitExceeded"), FILES, "drive-quota-spent"),
        (old("notFound", status=404), FILES, "drive-not-found"),
        (old("authError", status=401), FILES, "drive-not-signed-in"),
        (old("forbidden", code="403"), USERS, "drive-not-an-administrator"),
        (old("forbidden", details=[{"metadata": {"n": 1}}]), USERS, "drive-not-an-administrator"),
        (Answer(status=403, body=b"<html>", headers={}), FILES, "drive-not-google"),
    ],
)
def test_the_reason_decides(answer: Answer, needs: str, code: str) -> None:
    assert refused(answer, needs, "hana@kumo.example").reason.code == code


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (old("userRateLimitExceeded"), True),
        (old("sharingRateLimitExceeded"), True),
        (old("quotaExceeded"), True),
        (new("RATE_LIMIT_EXCEEDED"), True),
        (old("forbidden", "Not because of rateLimitExceeded or quotaExceeded"), False),
        (old("storageQuotaExceeded"), False),
        (old("dailyLimitExceeded"), False),
        (Answer(status=403, body=b"<html>rateLimitExceeded</html>", headers={}), False),
    ],
)
def test_haste_is_known_by_the_reason(answer: Answer, expected: bool) -> None:
    assert too_fast(answer) is expected
