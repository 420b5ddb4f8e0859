"""What S3 itself carries out of a bucket: replicas and inventories, and whose the destination is."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import boto3
import pytest

from cloudscan.connector import Estate, Partner
from cloudscan.facts import Affiliation, Audience, Grant, Outcome
from cloudscan.reason import Reason, step
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_s3 import rotation, scopes
from cloudscan_s3.options import Options
from cloudscan_s3.plugin import PLUGIN
from tests.connectors import reading
from tests.connectors.s3.estate import ACCOUNT, bucket, connector, gap, policy, read, replicated, s3

THEIRS = "444455556666"


def delivery(grants: Sequence[Grant], principals: Sequence[Any]) -> tuple[object, ...]:
    """Whom the one delivery goes to."""
    (grant,) = grants
    affiliations = {one.uid: one.affiliation for one in principals}
    return grant.audience, affiliations.get(grant.principal_uid or ""), grant.effective


def deliveries(result: reading.Read, kind: str = "replication") -> Sequence[Grant]:
    uids = {resource.uid for resource in result.of_kind(kind)}
    return [fact for fact in result.facts if isinstance(fact, Grant) and fact.resource_uid in uids]


def principals(result: reading.Read) -> Sequence[Any]:
    return [fact for fact in result.facts if type(fact).__name__ == "Principal"]


def test_a_bucket_that_is_replicated_to_another_account(server: Emulator) -> None:
    uid = bucket(server, "a-private", enforced=True, block=True)
    replicated(server, "a-private", "dest", account=THEIRS)

    result = read(server)

    assert delivery(deliveries(result), principals(result)) == (Audience.NAMED_EXTERNAL, Affiliation.EXTERNAL, True)
    (copies,) = result.of_kind("replication")
    assert (copies.container_uid, copies.name) == (uid, "dest")


def test_the_chain_says_whose_copies_they_are(server: Emulator) -> None:
    bucket(server, "a-private")
    rule = {"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::dest", "Account": THEIRS}}
    server.faults.add(Fault(where=r"/a-private\?replication", body=replication(rule, "<Owner>Destination</Owner>")))

    (grant,) = deliveries(read(server))

    for language in ("en", "ja"):
        steps = [step(Reason(**one), language) for one in grant.detail["chain"]]
        assert len(steps) == 3
        assert "a-private" in steps[0]
        assert THEIRS in steps[1]


def replication(rule: dict[str, Any], owner: str = "") -> bytes:
    """An answer with one rule, as S3 writes it."""
    to = rule["Destination"]
    account = f"<Account>{to['Account']}</Account>" if "Account" in to else ""
    translation = f"<AccessControlTranslation>{owner}</AccessControlTranslation>" if owner else ""
    return (
        f"<ReplicationConfiguration><Role>r</Role><Rule><Status>{rule['Status']}</Status><Destination>"
        f"<Bucket>{to['Bucket']}</Bucket>{account}{translation}</Destination></Rule></ReplicationConfiguration>"
    ).encode()


def test_a_partner_is_a_partner(server: Emulator) -> None:
    bucket(server, "a-private")
    replicated(server, "a-private", "dest", account=THEIRS)
    partner = Partner(name="Haulier", accounts=frozenset({THEIRS}), contract_ends=date(2026, 3, 31))

    result = reading.read(PLUGIN.open(Options(endpoint=server.endpoint, patience=0.0), Estate(partners=(partner,))))

    assert delivery(deliveries(result), principals(result)) == (Audience.NAMED_EXTERNAL, Affiliation.PARTNER, True)
    assert [one.detail for one in principals(result) if one.affiliation is Affiliation.PARTNER] == [
        {"partner": "Haulier", "contract_ends": "2026-03-31"}
    ]


def test_our_own_account_is_ours(server: Emulator) -> None:
    bucket(server, "a-private")
    replicated(server, "a-private", "dest", account=ACCOUNT)

    result = read(server)

    assert delivery(deliveries(result), principals(result)) == (Audience.NAMED, Affiliation.INTERNAL, True)


def test_a_destination_without_account_is_ours_if_the_bucket_is(server: Emulator) -> None:
    bucket(server, "a-private")
    bucket(server, "z-copies")
    replicated(server, "a-private", "z-copies")

    result = read(server)

    assert delivery(deliveries(result), principals(result)) == (Audience.NAMED, Affiliation.INTERNAL, True)


def test_a_destination_without_account_that_nobody_knows_is_unknown(server: Emulator) -> None:
    """It need not be a bucket of ours, and no account says that it is its own."""
    bucket(server, "a-private")
    replicated(server, "a-private", "dest")

    result = read(server)

    assert delivery(deliveries(result), principals(result)) == (None, None, True)


def test_a_bucket_of_another_account_of_ours_is_ours(server: Emulator) -> None:
    """Its owner says so, and no other account: a bucket's policy may let strangers read its settings."""
    organisations = boto3.client("organizations", endpoint_url=server.endpoint)
    organisations.create_organization(FeatureSet="ALL")
    created = organisations.create_account(AccountName="Backups", Email="backups@kumo.example")
    member = str(created["CreateAccountStatus"]["AccountId"])
    role = f"arn:aws:iam::{member}:role/cloudscan"
    assumed = boto3.client("sts", endpoint_url=server.endpoint).assume_role(RoleArn=role, RoleSessionName="test")
    keys = assumed["Credentials"]
    s3(
        server,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    ).create_bucket(Bucket="backups")
    bucket(server, "a-private")
    replicated(server, "a-private", "backups")

    result = read(server, organisation=True)

    (grant,) = deliveries(result)
    assert (grant.audience, grant.principal_uid) == (Audience.NAMED, f"s3:principal/{member}")


def test_whose_an_account_is_is_unknown_where_ours_are_not_known(server: Emulator) -> None:
    """The organisation does not say which accounts it has: the destination may be one of them."""
    bucket(server, "a-private")
    replicated(server, "a-private", "dest", account=THEIRS)
    server.faults.add(Fault(where="ListAccounts"))

    result = read(server, organisation=True)

    assert delivery(deliveries(result), principals(result)) == (None, None, True)


def test_each_destination_is_told_once(server: Emulator) -> None:
    """Two rules for one destination, and one for another."""
    bucket(server, "a-private")
    rules = [
        f"<Rule><ID>{number}</ID><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::{to}</Bucket>"
        f"<Account>{account}</Account></Destination></Rule>"
        for number, (to, account) in enumerate([("dest", THEIRS), ("dest", THEIRS), ("ours", ACCOUNT)])
    ]
    body = f"<ReplicationConfiguration><Role>r</Role>{''.join(rules)}</ReplicationConfiguration>".encode()
    server.faults.add(Fault(where=r"/a-private\?replication", body=body))

    grants = deliveries(read(server))

    assert sorted(str(grant.audience) for grant in grants) == ["named", "named_external"]


def test_a_rule_that_is_switched_off_is_latent(server: Emulator) -> None:
    bucket(server, "a-private")
    replicated(server, "a-private", "dest", account=THEIRS, Status="Disabled")

    (grant,) = deliveries(read(server))

    assert (grant.effective, grant.blocked_by) == (False, "s3-delivery-off")


def test_an_inventory_that_goes_to_another_account(server: Emulator) -> None:
    """It contains the names of all objects. It may be an account's that the configuration does not name."""
    bucket(server, "a-private", enforced=True)
    to = {"Bucket": "arn:aws:s3:::dest", "AccountId": THEIRS, "Format": "CSV"}
    s3(server).put_bucket_inventory_configuration(
        Bucket="a-private",
        Id="daily",
        InventoryConfiguration={
            "Destination": {"S3BucketDestination": to},
            "IsEnabled": True,
            "Id": "daily",
            "IncludedObjectVersions": "Current",
            "Schedule": {"Frequency": "Daily"},
        },
    )

    result = read(server)

    (grant,) = deliveries(result, "report_delivery")
    assert (grant.audience, grant.principal_uid) == (Audience.NAMED_EXTERNAL, f"s3:principal/{THEIRS}")


@pytest.mark.parametrize("body", [b"<ReplicationConfiguration><Role>r</Role></ReplicationConfiguration>", b"<Odd/>"])
def test_an_answer_that_makes_no_sense_is_a_gap(server: Emulator, body: bytes) -> None:
    """There is no replication without rules: what answers so did not understand."""
    uid = bucket(server, "a-private")
    server.faults.add(Fault(where=r"/a-private\?replication", body=body))

    (missing,) = [one for one in read(server).gaps if one.question == "s3-replication"]

    assert (missing.outcome, missing.resource_uid) == (Outcome.FAILED, uid)
    assert [(hidden.table, hidden.kinds, hidden.below) for hidden in missing.hidden] == [
        ("resources", ("replication",), uid)
    ]


def test_in_a_large_account_without_a_role_for_it_only_some_buckets_are_asked(server: Emulator) -> None:
    """S3 replicates with a role of the account that it may assume."""
    role(server, "support", "support.amazonaws.com")
    for number in range(60):
        bucket(server, f"b-{number}", enforced=True)
    server.request_log.clear()

    result = read(server)

    asked = [line for line in server.request_log if line.endswith("?replication")]
    assert len(asked) == 50
    sampled = gap(result, "s3-inventories-sampled")
    assert (sampled.outcome, sampled.seen, sampled.total) == (Outcome.SKIPPED, 50, 60)
    assert [hidden.kinds for hidden in sampled.hidden] == [("report_delivery",)]


@pytest.mark.parametrize("service", ["s3.amazonaws.com", "", "refused"])
def test_in_a_large_account_all_buckets_are_asked_if_there_may_be_replication(server: Emulator, service: str) -> None:
    """With such a role, without any (AWS creates some with every account), and where they may not be listed."""
    if service == "refused":
        server.faults.add(Fault(where="ListRoles"))
    elif service:
        role(server, "copies", service)
    for number in range(60):
        bucket(server, f"b-{number}", enforced=True)
    server.request_log.clear()

    read(server)

    assert len([line for line in server.request_log if line.endswith("?replication")]) == 60


def role(server: Emulator, name: str, service: str) -> None:
    trust = policy({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})
    boto3.client("iam", endpoint_url=server.endpoint).create_role(RoleName=name, AssumeRolePolicyDocument=trust)


def test_every_bucket_has_its_turn() -> None:
    names = [f"b-{number}" for number in range(230)]
    days = [date(2026, 11, 1) + timedelta(days=number) for number in range(5)]

    asked = [rotation.tonight(names, day, scopes.REPLICATION) for day in days]

    assert {len(one) for one in asked} == {50}
    assert frozenset().union(*asked) == frozenset(names)


def test_a_connector_of_another_process_knows_what_it_is_to_ask(server: Emulator) -> None:
    """A scope carries it: a scan that was broken off is resumed by a connector that has listed nothing."""
    bucket(server, "a-private")
    bucket(server, "z-copies")
    replicated(server, "a-private", "z-copies")
    first, second = connector(server), connector(server)
    (account,) = first.scopes()
    (scope,) = [one for one in first.collect(account, None) if getattr(one, "name", "") == "a-private"]

    grants = [fact for fact in second.collect(scope, None) if isinstance(fact, Grant)]  # type: ignore[arg-type]

    assert [grant.audience for grant in grants if grant.resource_uid.startswith("s3:replication/")] == [Audience.NAMED]
