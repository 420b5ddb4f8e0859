"""Buckets as AWS Config recorded them mean what S3 itself would say of them; what Config lacks stays unknown."""

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from cloudscan.errors import ConfigurationError
from cloudscan.facts import OBSERVED, OBSERVED_ON, Fact, Outcome, Resource, Setting
from cloudscan.testing import conforms
from cloudscan_emulators.aws import company
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_s3.options import Options
from cloudscan_s3.settings import SETTINGS
from tests.connectors.reading import Read
from tests.connectors.s3.estate import ACCOUNT, ALL_ON, bucket, connector, read, s3, s3control

SHOP = "222233334444"
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::open/*"}
OF_A_BUCKET = ("?policy", "?acl", "?publicAccessBlock", "?tagging", "?website", "?logging", "?encryption")


def comparable(result: Read) -> list[str]:
    """The facts, but for what Config does not record and when it recorded the rest."""
    return sorted(str(_plain(fact)) for fact in result.facts if not _is_ownership(fact))


def _is_ownership(fact: Fact) -> bool:
    return isinstance(fact, Setting) and fact.name == "object_ownership"


def _plain(fact: Fact) -> Any:
    if not isinstance(fact, Resource):
        return fact
    detail = {name: value for name, value in fact.detail.items() if name not in (OBSERVED, OBSERVED_ON)}
    return (fact.uid, fact.name, fact.path, fact.owner_uid, fact.label, fact.created_on, detail)


def per_bucket(server: Emulator) -> list[str]:
    return [line for line in server.request_log if line.endswith(OF_A_BUCKET) and line.count("/") == 1]


def test_the_company_is_the_same_both_ways(server: Emulator) -> None:
    """No bucket is asked for what Config has recorded."""
    company.build(server.endpoint)
    asked = read(server, organisation=True)
    server.config.aggregator = "all"
    server.request_log.clear()

    known = read(server, organisation=True, config_aggregator="all")

    assert comparable(known) == comparable(asked)
    assert not known.refused
    assert not per_bucket(server)


def test_it_conforms(server: Emulator) -> None:
    bucket(server, "open", ALLOW)
    server.config.aggregator = "all"

    conforms(connector(server, config_aggregator="all"), settings=SETTINGS)


def test_a_folder_of_delivered_snapshots_says_the_same(server: Emulator, tmp_path: Path) -> None:
    """Delivered items have another form; of several snapshots the newest counts, as numbers: day 10 is after day 9."""
    bucket(server, "open", ALLOW)
    s3(server).put_bucket_acl(Bucket="open", ACL="public-read")
    asked = read(server)
    for day, content in (("9", b"{}"), ("10", server.config.delivered(ACCOUNT, "us-east-1"))):
        folder = tmp_path / f"AWSLogs/{ACCOUNT}/Config/us-east-1/2026/11/{day}/ConfigSnapshot"
        folder.mkdir(parents=True)
        name = f"{ACCOUNT}_Config_us-east-1_ConfigSnapshot_202611{day:0>2}T010203Z_0000.json.gz"
        (folder / name).write_bytes(content)

    known = read(server, config_snapshots=str(tmp_path))

    assert comparable(known) == comparable(asked)


def test_snapshots_are_found_in_a_bucket(server: Emulator) -> None:
    bucket(server, "open", ALLOW)
    s3(server).create_bucket(Bucket="config-delivery")
    now = server.config.captured
    day = f"{now.year}/{now.month}/{now.day}"
    name = f"{ACCOUNT}_Config_us-east-1_ConfigSnapshot_{now:%Y%m%dT%H%M%SZ}_0000.json.gz"
    key = f"org/AWSLogs/{ACCOUNT}/Config/us-east-1/{day}/ConfigSnapshot/{name}"
    s3(server).put_object(Bucket="config-delivery", Key=key, Body=server.config.delivered(ACCOUNT, "us-east-1"))
    server.request_log.clear()

    known = read(server, config_snapshots="s3://config-delivery/org")

    assert known.grants("s3:bucket/open")
    assert not per_bucket(server)


def test_when_config_recorded_a_bucket_is_told(server: Emulator) -> None:
    uid = bucket(server, "open", ALLOW)
    server.config.aggregator = "all"

    known = read(server, config_aggregator="all")

    assert known.resource(uid).detail[OBSERVED_ON] == server.config.captured.isoformat()


def test_a_bucket_that_config_does_not_know_is_asked(server: Emulator) -> None:
    uid = bucket(server, "open", ALLOW)
    server.config.aggregator, server.config.left_out = "all", {"open"}

    known = read(server, config_aggregator="all")

    assert known.grants(uid)
    assert "GET /open?policy" in server.request_log


def test_a_bucket_that_is_gone_is_not_told(server: Emulator) -> None:
    """Its item stays for a while."""
    uid = bucket(server, "open", ALLOW)
    server.config.aggregator = "all"
    server.config.more = [server.config.items()[0] | {"resourceId": "past", "resourceName": "past"}]

    known = read(server, config_aggregator="all")

    assert known.has(uid)
    assert not known.has("s3:bucket/past")


def test_old_copies_are_not_believed_where_the_account_can_be_asked(server: Emulator) -> None:
    bucket(server, "open", ALLOW)
    server.config.aggregator = "all"
    server.config.captured -= timedelta(days=9)

    read(server, config_aggregator="all")

    assert "GET /open?policy" in server.request_log


def test_an_account_that_does_not_admit_us_is_known_by_config_alone(server: Emulator) -> None:
    """What Config says is judged; what it lacks is unknown, never not shared."""
    shop = in_shop(server)
    shop.create_bucket(Bucket="open")
    shop.put_bucket_policy(Bucket="open", Policy=json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]}))
    server.config.aggregator = "all"
    server.faults.add(Fault(where=f"AssumeRole .*{SHOP}"))

    known = read(server, config_aggregator="all")

    assert {grant.audience for grant in known.grants("s3:bucket/open")} == {"anyone_with_link"}
    assert known.setting("s3:bucket/open", "object_ownership") is None
    refused = [gap for gap in known.gaps if gap.question == "s3-role"]
    assert [gap.outcome for gap in refused] == [Outcome.DENIED]
    assert {kind for hidden in refused[0].hidden for kind in hidden.kinds} >= {"bucket", "access_point", "user"}


def test_where_config_fails_everything_is_asked(server: Emulator) -> None:
    uid = bucket(server, "open", ALLOW)
    server.config.aggregator = "all"
    server.faults.add(Fault(where="SelectAggregateResourceConfig", code="AccessDeniedException"))

    known = read(server, config_aggregator="all")

    assert known.grants(uid)
    assert "s3-config-resources" in {gap.question for gap in known.gaps}


def test_ownership_is_asked_only_where_an_access_control_list_could_admit_anyone(server: Emulator) -> None:
    bucket(server, "closed", block=True)
    bucket(server, "listed", block=True)
    s3(server).put_bucket_acl(Bucket="listed", ACL="authenticated-read")
    server.config.aggregator = "all"
    server.request_log.clear()

    known = read(server, config_aggregator="all")

    assert [line for line in server.request_log if line.endswith("?ownershipControls")] == [
        "GET /listed?ownershipControls"
    ]
    (gap,) = [gap for gap in known.gaps if gap.reason.code == "s3-not-in-config"]
    assert (gap.question, gap.outcome, gap.reason.values["count"]) == ("s3-ownership", Outcome.SKIPPED, 1)


def test_an_accounts_block_is_known_where_it_cannot_be_asked(server: Emulator) -> None:
    block = {"PublicAccessBlockConfiguration": ALL_ON, "AccountId": ACCOUNT}
    s3control(server).put_public_access_block(**block)
    bucket(server, "closed")
    server.config.aggregator = "all"

    known = read(server, config_aggregator="all")

    assert known.setting(f"s3:account/{ACCOUNT}", "ignore_public_acls") == "true"


def test_a_file_that_is_no_snapshot_costs_that_file(server: Emulator, tmp_path: Path) -> None:
    bucket(server, "open", ALLOW)
    name = f"{ACCOUNT}_Config_us-east-1_ConfigSnapshot_20990101T000000Z_0000.json.gz"
    (tmp_path / name).write_bytes(gzip.compress(b'{"configurationItems": 1}'))

    known = read(server, config_snapshots=str(tmp_path))

    assert known.gap("s3-config-file-malformed").question == "s3-config-file"
    assert known.grants("s3:bucket/open")


def test_a_folder_without_snapshots_is_an_error(server: Emulator, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="contains no snapshot"):
        read(server, config_snapshots=str(tmp_path))


def test_one_source_at_a_time() -> None:
    with pytest.raises(ConfigurationError, match="Keep the one"):
        Options(config_aggregator="all", config_snapshots="folder")


def in_shop(server: Emulator) -> Any:
    """Another account's S3: moto keeps accounts apart by the keys of their roles."""
    role = f"arn:aws:iam::{SHOP}:role/cloudscan"
    answer = boto3.client("sts", endpoint_url=server.endpoint).assume_role(RoleArn=role, RoleSessionName="test")
    keys = answer["Credentials"]
    return s3(
        server,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
