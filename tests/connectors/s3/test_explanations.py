"""The sentences and facts that explain an access path, or say that it is unknown."""

import json

import msgspec

from cloudscan.facts import MOST_ENTRY, Grant, Via
from cloudscan.finding import PolicyEntry
from cloudscan_s3.access.acl import ALL_USERS
from cloudscan_s3.access.bucket import Acl, AclGrant, Encryption, Ownership
from tests.connectors.s3.buckets import (
    DENIED,
    OUR_CANONICAL,
    THEIRS,
    allow,
    bucket,
    chain,
    deny,
    facts_of,
    paths,
    when,
)


def test_denied_answers_are_unknown_and_never_private() -> None:
    """Policy, ACL and blocks refused: a grant of which only the mechanism is known, for each of policy and ACL."""
    blind = bucket(policy=DENIED, acl=DENIED, block=DENIED, account_block=DENIED, ownership=DENIED)

    grants = [fact for fact in facts_of(blind) if isinstance(fact, Grant)]

    assert [(grant.via, grant.access, grant.audience, grant.effective) for grant in grants] == [
        (Via.POLICY, None, None, None),
        (Via.ACL, None, None, None),
    ]


def test_a_key_that_external_callers_cannot_use_is_reported() -> None:
    """Anonymous callers cannot use a KMS key; objects stored in another way stay readable, so it is still a finding."""
    locked = bucket(allow(), encryption=Encryption(algorithm="aws:kms", key="arn:aws:kms:eu-west-1:1:key/k"))

    (grant,) = [fact for fact in facts_of(locked) if isinstance(fact, Grant)]

    assert any("cannot use" in sentence for sentence in chain(grant, "en"))
    assert grant.effective


def test_the_chain_leads_from_the_claim_to_the_request() -> None:
    """A person can check every verdict, sentence by sentence."""
    open_bucket = bucket(
        allow(action="s3:GetObject"), allow(when={"StringLike": {"aws:Referer": "https://a/*"}}, Sid="Web")
    )

    grants = [fact for fact in facts_of(open_bucket) if isinstance(fact, Grant)]

    assert chain(grants[1], "en") == [
        "Anyone on the internet, without an AWS account, can read objects.",
        'Statement 2 ("Web") of the bucket policy allows s3:GetObject to everyone (Principal "*").',
        "Its condition aws:Referer StringLike https://a/*: "
        "callers choose that value themselves, so it keeps no one out.",
        "No block applies: RestrictPublicBuckets is off at account and bucket.",
        "By AWS's own definition this policy is public.",
        "For example: s3:GetObject arn:aws:s3:::b/any-object, unsigned, with aws:referer=https://a/.",
    ]


def test_a_grant_quotes_the_statement_that_it_comes_from() -> None:
    """The statement as S3 stores it, Condition and all: what has to be changed can be read without the console."""
    written = allow({"AWS": f"arn:aws:iam::{THEIRS}:root"}, Sid="Web", when=when("Bool", "aws:SecureTransport", "true"))

    (grant,) = [fact for fact in facts_of(bucket(written)) if isinstance(fact, Grant)]

    entry = msgspec.convert(grant.detail["entry"], PolicyEntry)
    assert (entry.kind, entry.number, entry.name, entry.whole) == ("policy", 1, "Web", True)
    assert json.loads(entry.text) == written


def test_a_grant_quotes_the_acl_entry_that_it_comes_from() -> None:
    """As S3's API writes a grantee."""
    listed = Acl(owner=OUR_CANONICAL, grants=(AclGrant(permission="READ", group=ALL_USERS),))

    grants = [fact for fact in facts_of(bucket(acl=listed, ownership=Ownership.WRITER)) if isinstance(fact, Grant)]

    entry = msgspec.convert(grants[0].detail["entry"], PolicyEntry)
    assert entry.kind == "acl"
    assert json.loads(entry.text) == {"Grantee": {"Type": "Group", "URI": ALL_USERS}, "Permission": "READ"}


def test_a_long_statement_is_cut_and_says_so() -> None:
    """A statement may be as long as its policy; what is kept of it is bounded."""
    (grant,) = [fact for fact in facts_of(bucket(allow(Sid="S" * 9_000))) if isinstance(fact, Grant)]

    assert len(grant.detail["entry"]["text"]) == MOST_ENTRY
    assert grant.detail["entry"]["whole"] is False


def test_the_chain_reads_the_same_in_japanese() -> None:
    """Names and values stay as they are; the sentences around them are another language's."""
    (grant,) = [fact for fact in facts_of(bucket(allow(Sid="Web"))) if isinstance(fact, Grant)]

    assert chain(grant, "ja") == [
        "インターネット上の誰でも（AWSアカウント不要）がオブジェクトを読み取れます。",
        'バケットポリシーのステートメント1 ("Web")が、全員（Principal「*」）に s3:GetObject を許可しています。',
        "条件は付いていません。",
        "RestrictPublicBuckets はアカウントでもバケットでもオフで、遮断するものはありません。",
        "AWSの定義では、このポリシーは「パブリック」です。",
        "例：s3:GetObject arn:aws:s3:::b/any-object（署名なし）。",
    ]


def test_denials_that_only_work_together_are_both_named() -> None:
    """Either could be evaded; the path is stopped by the two of them."""
    (path,) = paths(
        allow(), deny(when=when("Null", "aws:Referer", "true")), deny(when=when("Null", "aws:Referer", "false"))
    )

    assert path.effective is False
    assert path.blocked_by
