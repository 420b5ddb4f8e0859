"""What belongs to our organisation is ours, whichever way a policy or an ACL names it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from cloudscan.facts import Affiliation, Outcome
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from tests.connectors.reading import Read
from tests.connectors.s3.buckets import chain
from tests.connectors.s3.estate import ACCOUNT, allow, bucket, read, s3

SHOP, MANAGEMENT, STRANGER = "222233334444", "999988887777", "444455556666"
SHOPS, STRANGERS = "b" * 64, "c" * 64
ACCOUNTS = json.dumps({"Accounts": [{"Id": ACCOUNT, "Name": "Main"}, {"Id": SHOP, "Name": "Shop"}]}).encode()
WHOSE = r"^GET /\?max-buckets=1$"  # asks an account for nothing but its canonical user id


def organisation(management: str) -> bytes:
    """What DescribeOrganization answers."""
    return json.dumps({"Organization": {"Id": "o-ouroursours", "MasterAccountId": management}}).encode()


def owner(canonical: str) -> bytes:
    """What ListBuckets answers in an account without buckets."""
    return f"<ListAllMyBucketsResult><Owner><ID>{canonical}</ID></Owner><Buckets/></ListAllMyBucketsResult>".encode()


def grant_by_acl(server: Emulator, name: str, canonical: str, key: str = "") -> None:
    """Add an entry for a canonical user to the ACL of a bucket, or of an object in it."""
    client, grantee = s3(server), f'id="{canonical}"'
    if key:
        client.put_object(Bucket=name, Key=key, Body=b"x")
        client.put_object_acl(Bucket=name, Key=key, GrantFullControl=grantee)
    else:
        client.put_bucket_acl(Bucket=name, GrantFullControl=grantee)


def audiences(result: Read, uid: str) -> set[tuple[str | None, str | None]]:
    return {(grant.principal_uid, grant.audience) for grant in result.grants(uid)}


def trail(name: str, account: str) -> list[dict[str, Any]]:
    """The statements of an organisation's trail that lives in an account."""
    source = {"aws:SourceArn": f"arn:aws:cloudtrail:us-east-1:{account}:trail/org-trail"}
    service = {"Service": "cloudtrail.amazonaws.com"}
    writes = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", **source}}
    return [
        allow(name, service, "s3:GetBucketAcl", Condition={"StringEquals": source}),
        allow(name, service, "s3:PutObject", Condition=writes),
    ]


@pytest.mark.parametrize(("account", "audience"), [(MANAGEMENT, "named"), (STRANGER, "named_external")])
def test_the_management_account_is_ours_to_every_member(server: Emulator, account: str, audience: str) -> None:
    """A member is not told the other accounts, but always that one: the trail of the organisation is its."""
    uid = bucket(server, "trail", *trail("trail", account), enforced=True)
    server.faults.add(Fault(where="DescribeOrganization", body=organisation(MANAGEMENT)))

    result = read(server)

    (found,) = audiences(result, uid)
    assert found[1] == audience


def test_the_management_account_is_ours_by_its_number_too(server: Emulator) -> None:
    uid = bucket(server, "shared", allow("shared", {"AWS": MANAGEMENT}), enforced=True)
    server.faults.add(Fault(where="DescribeOrganization", body=organisation(MANAGEMENT)))

    result = read(server)

    assert audiences(result, uid) == {(f"s3:principal/{MANAGEMENT}", "named")}
    assert result.principal(f"s3:principal/{MANAGEMENT}").affiliation is Affiliation.INTERNAL


def test_an_organisation_that_does_not_name_its_management_account_is_still_ours(server: Emulator) -> None:
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-ouroursours"}}
    uid = bucket(server, "shared", allow("shared", Condition=condition), enforced=True)
    server.faults.add(Fault(where="DescribeOrganization", body=b'{"Organization": {"Id": "o-ouroursours"}}'))

    assert audiences(read(server), uid) == {("s3:principal/o-ouroursours", "organisation")}


def test_a_foreign_account_behind_a_service_is_named(server: Emulator) -> None:
    """The service alone would tell nobody whose it is; for us it is another caller."""
    uid = bucket(server, "trail", *trail("trail", STRANGER), *trail("trail", ACCOUNT), enforced=True)

    result = read(server)

    ours, theirs = "s3:principal/cloudtrail.amazonaws.com", f"s3:principal/cloudtrail.amazonaws.com/{STRANGER}"
    assert audiences(result, uid) == {(ours, "named"), (theirs, "named_external")}
    assert result.principal(theirs).name == f"cloudtrail.amazonaws.com ({STRANGER})"
    told = [chain(grant, "en")[0] for grant in result.grants(uid) if grant.principal_uid == theirs]
    assert told
    assert all(f"cloudtrail.amazonaws.com ({STRANGER})" in step for step in told)


def siblings(server: Emulator, *answers: Fault) -> None:
    server.faults.add(Fault(where="ListAccounts", body=ACCOUNTS), *answers)


def test_a_siblings_canonical_id_is_ours_and_has_its_name(server: Emulator) -> None:
    uid = bucket(server, "legacy")
    grant_by_acl(server, "legacy", SHOPS)
    siblings(server, Fault(where=WHOSE, body=owner(SHOPS)))

    result = read(server, organisation=True, object_requests=0)

    assert {pair for pair in audiences(result, uid) if pair[0]} == {(f"s3:principal/{SHOP}", "named")}
    assert result.principal(f"s3:principal/{SHOP}").name == "Shop"
    assert all(SHOPS not in step for grant in result.grants(uid) for step in chain(grant, "en"))


def test_a_canonical_id_in_a_policy_is_looked_for_too(server: Emulator) -> None:
    uid = bucket(server, "legacy", allow("legacy", {"CanonicalUser": SHOPS}), enforced=True)
    siblings(server, Fault(where=WHOSE, body=owner(SHOPS)))

    assert audiences(read(server, organisation=True), uid) == {(f"s3:principal/{SHOP}", "named")}


def test_a_canonical_id_on_an_object_is_looked_for_too(server: Emulator) -> None:
    bucket(server, "legacy")
    grant_by_acl(server, "legacy", SHOPS, key="plan.xlsx")
    siblings(server, Fault(where=WHOSE, body=owner(SHOPS)))

    found = audiences(read(server, organisation=True), "s3:object/legacy/plan.xlsx")

    assert found == {(f"s3:principal/{SHOP}", "named")}


def test_a_siblings_acl_is_stopped_by_a_deny_for_that_sibling(server: Emulator) -> None:
    """The request is one of that account's: what a policy says of the account counts."""
    deny = {**allow("legacy", {"AWS": SHOP}, "s3:*"), "Effect": "Deny"}
    uid = bucket(server, "legacy", deny)
    grant_by_acl(server, "legacy", SHOPS)
    siblings(server, Fault(where=WHOSE, body=owner(SHOPS)))

    result = read(server, organisation=True, object_requests=0)

    blocked = {(grant.effective, grant.blocked_by) for grant in result.grants(uid)}
    assert blocked == {(False, "s3-deny")}


def test_a_stranger_is_still_external_and_asked_for_once(server: Emulator) -> None:
    """One question to each account, however many buckets name an id."""
    uids = [bucket(server, name) for name in ("one", "two")]
    for name in ("one", "two"):
        grant_by_acl(server, name, STRANGERS)
    siblings(server, Fault(where=WHOSE, body=owner(SHOPS)))

    result = read(server, organisation=True, object_requests=0)

    expected = {(f"s3:principal/{STRANGERS}", "named_external")}
    assert [{pair for pair in audiences(result, uid) if pair[0]} for uid in uids] == [expected, expected]
    assert sum("max-buckets=1" in line and "10000" not in line for line in server.request_log) == 1


@pytest.mark.parametrize(
    "refusal",
    [Fault(where=f"AssumeRole .*{SHOP}"), Fault(where=r"max-buckets=1$"), Fault(where=WHOSE, body=b"<html/>")],
    ids=["role", "list", "page of a proxy"],
)
def test_an_account_that_does_not_tell_leaves_an_id_unknown(server: Emulator, refusal: Fault) -> None:
    """It may be that account's. Each such refusal has its own row."""
    uid = bucket(server, "legacy")
    grant_by_acl(server, "legacy", SHOPS)
    siblings(server, refusal, *([] if "AssumeRole" in refusal.where else [Fault(where="max-buckets=10000", after=1)]))

    result = read(server, organisation=True, object_requests=0)

    assert {audience for principal, audience in audiences(result, uid) if principal} == {None}
    assert any(gap.outcome is Outcome.DENIED and gap.question in ("s3-role", "s3-buckets") for gap in result.gaps)


def test_nobody_is_asked_where_no_unknown_id_is_named(server: Emulator) -> None:
    bucket(server, "plain", allow("plain", {"AWS": SHOP}))
    siblings(server)

    read(server, organisation=True)

    assert not [line for line in server.request_log if line.endswith("max-buckets=1")]


def test_what_a_single_account_cannot_know_stays_external(server: Emulator) -> None:
    """Without the organisation's accounts there is nobody to ask."""
    uid = bucket(server, "legacy")
    grant_by_acl(server, "legacy", SHOPS)

    found: Mapping[str | None, str | None] = dict(audiences(read(server, object_requests=0), uid))

    assert found[f"s3:principal/{SHOPS}"] == "named_external"
