"""Kumo Logistics: a small company's S3, with everything that ordinary working days leave behind.

Two accounts of one organisation. Every bucket is a situation that a rule is about, or the near miss beside it. Built
through the SDK, as the company's staff would have.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import boto3

from cloudscan_emulators.aws.identity_center import DirectoryUser
from cloudscan_emulators.aws.storage_metrics import DailyReport
from cloudscan_emulators.kit.staff import STAFF

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
HAULIER, CONSULTANT = "444455556666", "777788889999"
ALL_ON = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
Json = dict[str, Any]
STORED = {
    "kumo-payroll": DailyReport(objects=1_480, size_bytes={"StandardStorage": 2_100_000_000}),
    "kumo-customer-list": DailyReport(objects=36, size_bytes={"StandardStorage": 410_000_000}),
    "kumo-delivery-photos": DailyReport(
        objects=2_140_000,
        size_bytes={"StandardStorage": 1_900_000_000_000, "GlacierInstantRetrievalStorage": 5_300_000_000_000},
    ),
    "kumo-archive": DailyReport(objects=88_000, size_bytes={"GlacierStorage": 640_000_000_000}),
    "kumo-partner-exchange": DailyReport(objects=5_200, size_bytes={"StandardStorage": 31_000_000_000}),
}
"""What S3 reports of some of the buckets; the others are new or empty."""


def _provisioned(address: str, **more: Any) -> DirectoryUser:
    """A member of staff as the company's identity provider writes them into the Identity Center: one mail only."""
    staff = STAFF[address.partition("@")[0]]
    enterprise: Json = {"employeeNumber": staff.number, "department": staff.department}
    if staff.manager:
        enterprise["manager"] = {"value": f"u-{STAFF[staff.manager].number}"}
    return DirectoryUser(
        id=f"u-{staff.number}",
        user_name=address,
        display_name=staff.name,
        emails=({"Value": address, "Type": "work", "Primary": True},),
        external_ids=(("https://idp.kumo.example/", address),),
        title=staff.title,
        enterprise=enterprise,
        **more,
    )


DIRECTORY = (
    _provisioned("aoki@kumo.example"),
    _provisioned("mori@kumo.example"),
    _provisioned("hayashi@kumo.example"),
    _provisioned("away@kumo.example"),
    _provisioned("left@kumo.example", status="DISABLED"),
)
"""The users of the organisation's Identity Center."""


def build(endpoint: str) -> str:
    """Build the company; returns the id of its organisation."""
    organisations = boto3.client("organizations", endpoint_url=endpoint)
    organisation = str(organisations.create_organization(FeatureSet="ALL")["Organization"]["Id"])
    created = organisations.create_account(AccountName="Web shop", Email="shop@kumo.example")
    shop = str(created["CreateAccountStatus"]["AccountId"])
    main = str(boto3.client("sts", endpoint_url=endpoint).get_caller_identity()["Account"])
    _head_office(boto3.client("s3", endpoint_url=endpoint), endpoint, main, organisation)
    _web_shop(_client_of(endpoint, shop), shop)
    _iam_users(boto3.client("iam", endpoint_url=endpoint))
    _perimeter(organisations, shop, organisation)
    return organisation


def _iam_users(iam: Any) -> None:
    """Users from before there was an Identity Center: some tagged, some named by an address, one for a program."""
    for name, tags, console, keys in (
        ("aoki", {"Email": "aoki@kumo.example", "EmployeeId": STAFF["aoki"].number}, True, 0),
        ("mori@kumo.example", {}, True, 0),
        ("dormant", {"employee-id": STAFF["dormant"].number.lstrip("0")}, False, 1),  # a spreadsheet took the zeros
        ("left", {"Email": "left@kumo.example", "EmployeeId": STAFF["left"].number}, True, 1),
        ("nightly-upload", {"purpose": "uploads delivery photos"}, False, 2),
    ):
        iam.create_user(UserName=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
        if console:
            iam.create_login_profile(UserName=name, Password="Kumo-2026-Kumo!")  # noqa: S106 - of an invented user
        for _ in range(keys):
            iam.create_access_key(UserName=name)


def many(endpoint: str, number: int) -> None:
    """Build an estate of `number` buckets, nine of ten private, to measure what a larger estate costs."""
    client = boto3.client("s3", endpoint_url=endpoint)
    _role(endpoint, "AWSServiceRoleForSupport", "support.amazonaws.com")
    for index in range(number):
        name = f"estate-{index:05}"
        if index % 10:
            _bucket(client, name, block=index % 10 < 8, enforced=index % 10 < 8)
            continue
        kinds = (
            [_allow("*", name)],
            [_allow({"AWS": CONSULTANT}, name)],
            [_allow("*", name, when={"StringLike": {"aws:Referer": "https://kumo.example/*"}})],
            [_allow({"AWS": HAULIER}, name)],
        )
        _bucket(client, name, policy=kinds[index // 10 % len(kinds)], enforced=True)


def members(endpoint: str, accounts: int, buckets: int) -> None:
    """An organisation with so many member accounts, each with a few private buckets, to measure what one more costs."""
    organisations = boto3.client("organizations", endpoint_url=endpoint)
    organisations.create_organization(FeatureSet="ALL")
    for number in range(accounts):
        created = organisations.create_account(AccountName=f"Unit {number}", Email=f"unit{number}@kumo.example")
        client = _client_of(endpoint, str(created["CreateAccountStatus"]["AccountId"]))
        for index in range(buckets):
            _bucket(client, f"unit-{number:04}-{index:03}", block=True, enforced=True)


def _role(endpoint: str, name: str, service: str) -> None:
    """A role for a service. AWS itself creates a few with every account."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    boto3.client("iam", endpoint_url=endpoint).create_role(RoleName=name, AssumeRolePolicyDocument=document)


def _perimeter(organisations: Any, shop: str, organisation: str) -> None:
    """A resource control policy on the unit that the web shop is in: returns are for colleagues alone."""
    root = organisations.list_roots()["Roots"][0]["Id"]
    unit = organisations.create_organizational_unit(ParentId=root, Name="Shops")["OrganizationalUnit"]["Id"]
    organisations.move_account(AccountId=shop, SourceParentId=root, DestinationParentId=unit)
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::kumo-shop-returns*",
        "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": organisation}},
    }
    content = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    name = "returns-stay-inside"
    policy = organisations.create_policy(Content=content, Name=name, Description=name, Type="RESOURCE_CONTROL_POLICY")
    organisations.attach_policy(PolicyId=policy["Policy"]["PolicySummary"]["Id"], TargetId=unit)


def _head_office(s3: Any, endpoint: str, account: str, organisation: str) -> None:
    owner = {"owner": "aoki@kumo.example", "DataClassification": "confidential"}
    _bucket(s3, "kumo-payroll", block=True, enforced=True, tags=owner)
    _bucket(s3, "kumo-contracts", block=True, enforced=True, policy=[_allow({"AWS": account}, "kumo-contracts")])
    _bucket(
        s3,
        "kumo-customer-list",
        policy=[_allow("*", "kumo-customer-list", sid="ForTheNewPortal")],
        tags={**owner, "note": "<script>alert('tag')</script>"},
    )
    _bucket(
        s3,
        "kumo-delivery-photos",
        policy=[_allow("*", "kumo-delivery-photos", ["s3:GetObject", "s3:ListBucket"])],
        tags={"owner": "写真チーム"},
    )
    _bucket(
        s3,
        "kumo-price-lists",
        policy=[_allow("*", "kumo-price-lists", when={"StringLike": {"aws:Referer": "https://kumo.example/*"}})],
    )
    _bucket(s3, "kumo-archive", block=True, policy=[_allow("*", "kumo-archive")])
    _bucket(
        s3,
        "kumo-partner-exchange",
        policy=[_allow({"AWS": HAULIER}, "kumo-partner-exchange", ["s3:GetObject", "s3:PutObject"])],
    )
    _bucket(
        s3, "kumo-old-consultant", policy=[_allow({"AWS": f"arn:aws:iam::{CONSULTANT}:root"}, "kumo-old-consultant")]
    )
    _bucket(
        s3,
        "kumo-shared-templates",
        enforced=True,
        policy=[_allow("*", "kumo-shared-templates", when={"StringEquals": {"aws:PrincipalOrgID": organisation}})],
    )
    _bucket(
        s3,
        "kumo-merger-data-room",
        enforced=True,
        policy=[_allow("*", "kumo-merger-data-room", when={"StringEquals": {"aws:PrincipalOrgID": "o-otherfirm1"}})],
    )
    _bucket(
        s3,
        "kumo-office-scans",
        enforced=True,
        policy=[_allow("*", "kumo-office-scans", when={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})],
    )
    _bucket(
        s3,
        "kumo-trail",
        enforced=True,
        policy=[_allow({"Service": "cloudtrail.amazonaws.com"}, "kumo-trail", "s3:PutObject")],
    )
    _bucket(
        s3,
        "kumo-trail-guarded",
        enforced=True,
        policy=[
            _allow(
                {"Service": "cloudtrail.amazonaws.com"},
                "kumo-trail-guarded",
                "s3:PutObject",
                when={"StringEquals": {"aws:SourceAccount": account}},
            )
        ],
    )
    fence = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": organisation, "aws:ResourceTag/perimeter": "exempt"}}
    denied = {**_allow("*", "kumo-brochures", "s3:*", when=fence), "Effect": "Deny"}
    policy = [_allow("*", "kumo-brochures"), denied]
    _bucket(s3, "kumo-brochures", policy=policy, enforced=True, tags={"perimeter": "standard"})
    s3.put_bucket_abac(Bucket="kumo-brochures", AbacStatus={"Status": "Enabled"})
    _bucket(s3, "kumo-leaver", enforced=True, policy=[_allow({"AWS": "AROAEXAMPLELEFTUSLAST"}, "kumo-leaver")])
    left = f"arn:aws:iam::{account}:user/left"  # who still has a password and a key
    _bucket(s3, "kumo-handover", enforced=True, block=True, policy=[_allow({"AWS": left}, "kumo-handover")])
    _bucket(s3, "kumo-statement-object", policy=_allow("*", "kumo-statement-object"))
    _bucket(
        s3,
        "kumo-delegating",
        enforced=True,
        policy=[_allow("*", "kumo-delegating", "s3:*", when={"StringEquals": {"s3:DataAccessPointAccount": account}})],
    )
    _access_point(endpoint, account, "kumo-analytics", "kumo-delegating")
    key = f"arn:aws:kms:us-east-1:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    _bucket(s3, "kumo-locked-by-key", policy=[_allow("*", "kumo-locked-by-key")])
    s3.put_bucket_encryption(
        Bucket="kumo-locked-by-key",
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}]
        },
    )


def _web_shop(s3: Any, account: str) -> None:
    _bucket(s3, "kumo-shop-site", policy=[_allow("*", "kumo-shop-site")])
    s3.put_bucket_website(Bucket="kumo-shop-site", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    _bucket(s3, "kumo-shop-logs", block=True, enforced=True)
    _bucket(
        s3, "kumo-shop-orders", policy=[_allow("*", "kumo-shop-orders"), _deny_outside(account, "kumo-shop-orders")]
    )
    _bucket(s3, "kumo-shop-drop", acl=[(ALL_USERS, "READ"), (ALL_USERS, "WRITE")])
    _bucket(s3, "kumo-shop-colleagues", acl=[(AUTHENTICATED_USERS, "READ")])
    _bucket(s3, "kumo-shop-ignored-acl", acl=[(ALL_USERS, "READ")], block=True)
    _bucket(s3, "kumo-shop-returns", policy=[_allow("*", "kumo-shop-returns")], enforced=True)
    _bucket(s3, "kumo-shop-private")
    for key in ("backup/2024.sql", "backup/2025.sql", "orders/顧客一覧.csv", "readme.txt"):
        s3.put_object(Bucket="kumo-shop-private", Key=key, Body=b"example")
    s3.put_object_acl(Bucket="kumo-shop-private", Key="orders/顧客一覧.csv", ACL="public-read")


def _bucket(
    s3: Any,
    name: str,
    *,
    policy: Json | Sequence[Json] | None = None,
    block: bool = False,
    enforced: bool = False,
    acl: Sequence[tuple[str, str]] = (),
    tags: dict[str, str] | None = None,
) -> None:
    """Create a bucket; `policy` is its Statement element, `acl` its entries as (group, permission)."""
    s3.create_bucket(Bucket=name)
    if enforced:
        rule = {"ObjectOwnership": "BucketOwnerEnforced"}
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [rule]})
    if policy is not None:
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": policy}))
    if acl:
        current = s3.get_bucket_acl(Bucket=name)
        grants = [{"Grantee": {"Type": "Group", "URI": group}, "Permission": permission} for group, permission in acl]
        access_control = {"Owner": {"ID": current["Owner"]["ID"]}, "Grants": current["Grants"] + grants}
        s3.put_bucket_acl(Bucket=name, AccessControlPolicy=access_control)
    if block:
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=ALL_ON)
    if tags:
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_set})


def _allow(
    principal: object, bucket: str, action: object = "s3:GetObject", *, when: Json | None = None, sid: str = ""
) -> Json:
    statement: Json = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": action,
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    return {**statement, **({"Condition": when} if when else {}), **({"Sid": sid} if sid else {})}


def _deny_outside(account: str, bucket: str) -> Json:
    """A Deny for everyone outside the account."""
    when = {"StringNotEquals": {"aws:PrincipalAccount": account}}
    return {**_allow("*", bucket, "s3:*", when=when), "Effect": "Deny"}


def _access_point(endpoint: str, account: str, name: str, bucket: str) -> None:
    session = boto3.Session()
    session.events.register("before-sign.s3-control", _without_account_in_host(endpoint))
    control = session.client("s3control", endpoint_url=endpoint)
    control.create_access_point(
        AccountId=account,
        Name=name,
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": False,
            "IgnorePublicAcls": False,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        },
    )
    arn = f"arn:aws:s3:us-east-1:{account}:accesspoint/{name}"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [arn, f"{arn}/object/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    control.put_access_point_policy(AccountId=account, Name=name, Policy=policy)


def _client_of(endpoint: str, account: str) -> Any:
    """S3 in another account of the organisation, through its role."""
    role = f"arn:aws:iam::{account}:role/cloudscan"
    answer = boto3.client("sts", endpoint_url=endpoint).assume_role(RoleArn=role, RoleSessionName="company")
    credentials = answer["Credentials"]
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def _without_account_in_host(endpoint: str) -> Callable[..., None]:
    """Undo that the S3 control API puts the account before the host's name, which no local server resolves."""
    host = urlsplit(endpoint)

    def rewrite(request: Any, **_: object) -> None:
        request.url = urlsplit(request.url)._replace(scheme=host.scheme, netloc=host.netloc).geturl()

    return rewrite
