"""Who callers are taken to be: partitions, Amazon's own accounts, services, organisations, patterns."""

import pytest

from cloudscan.facts import Audience, Principal
from cloudscan_s3.access.access_paths import access_paths
from cloudscan_s3.access.own_estate import OwnEstate
from tests.connectors.s3.buckets import (
    ACCOUNT,
    EXTERNAL,
    NAMED,
    NOBODY,
    NOW,
    OURS,
    PARTNER,
    SISTER,
    THEIRS,
    allow,
    bucket,
    deny,
    facts_of,
    paths,
    put,
    when,
    widest,
)

CHINA = "arn:aws-cn:s3:::b/*"


@pytest.mark.parametrize(
    ("pattern", "audience"),
    [("arn:aws-cn:iam::*:role/Admin", ACCOUNT), (f"arn:aws-cn:iam::{THEIRS}:role/*", EXTERNAL)],
)
def test_callers_of_another_partition(pattern: str, audience: Audience) -> None:
    """In China and GovCloud every name begins with another partition."""
    opened = paths(allow(Resource=CHINA, when=when("ArnLike", "aws:PrincipalArn", pattern)), partition="aws-cn")

    assert widest(opened) is audience


# Load balancers of GovCloud and China; Redshift; trails; billing.
AMAZONS_OWN = [
    "arn:aws:iam::127311923021:root",
    "arn:aws-us-gov:iam::048591011584:root",
    "190560391635",
    "638102146993",
    "arn:aws-cn:iam::037604701340:root",
    "arn:aws:iam::193672423079:user/logs",
    "arn:aws:iam::902366379725:user/logs",
    "arn:aws:iam::729911121831:user/logs",
    "arn:aws-cn:iam::111890595117:user/logs",
    "arn:aws:iam::086441151436:root",
    "arn:aws:iam::859597730677:root",
    "arn:aws-us-gov:iam::608710470296:root",
    "arn:aws:iam::386209384616:root",
]


@pytest.mark.parametrize("principal", AMAZONS_OWN)
def test_accounts_from_which_services_delivered_belong_to_amazon(principal: str) -> None:
    """An account that delivered logs is no customer, in every partition."""
    partition = principal.split(":")[1] if ":" in principal else "aws"
    where = {"Resource": [f"arn:{partition}:s3:::b", f"arn:{partition}:s3:::b/*"]}

    opened = paths(
        allow({"AWS": principal}, "s3:PutObject", **where),
        allow({"AWS": principal}, "s3:GetBucketAcl", **where),
        partition=partition,
    )

    assert widest(opened) is NAMED


def test_an_external_caller_is_not_in_our_organisation_even_if_we_do_not_know_ours() -> None:
    """The bucket's organisation is unknown, and still not the caller's."""
    own_estate = OwnEstate(account=OURS, own_accounts=frozenset({OURS, SISTER}))
    restricted = bucket(allow(), deny(when=when("StringNotEquals", "aws:ResourceOrgID", "${aws:PrincipalOrgID}")))

    assert widest(access_paths(restricted, own_estate, NOW).open) is NOBODY


def test_a_service_that_acts_for_one_source_is_not_external() -> None:
    """A bucket that one statement names as the source does not belong to the account that another names."""
    source = when("ArnEquals", "aws:SourceArn", "arn:aws:s3:::src")
    opened = paths(
        put("s3.amazonaws.com", when=source, Sid="One"),
        put("config.amazonaws.com", when=when("StringEquals", "aws:SourceAccount", THEIRS)),
    )

    assert {path.audience for path in opened if path.statement.number == 1} == {NAMED}


def test_a_pattern_of_roles_is_named_as_it_is_written() -> None:
    """Not by an example that fits it."""
    roles = f"arn:aws:iam::{THEIRS}:role/app-*"

    assert {path.names for path in paths(allow(when=when("ArnLike", "aws:PrincipalArn", roles)))} == {(roles,)}


def test_a_partner_is_a_partner_by_configuration() -> None:
    """An account that no partner lists is external."""
    facts = list(facts_of(bucket(allow({"AWS": [PARTNER, THEIRS]}))))

    assert {fact.domain: fact.affiliation for fact in facts if isinstance(fact, Principal)} == {
        PARTNER: "partner",
        THEIRS: "external",
    }
    assert {fact.domain: fact.detail for fact in facts if isinstance(fact, Principal)} == {
        PARTNER: {"partner": "Haulier", "contract_ends": "false"},
        THEIRS: {},
    }
