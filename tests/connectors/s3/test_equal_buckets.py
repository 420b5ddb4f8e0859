"""Equal buckets are judged once, and each of them as if it were judged alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan_s3.access.access_paths import AccessPaths, access_paths
from cloudscan_s3.access.equal_buckets import JudgedOnce
from cloudscan_s3.access.policy import Policy
from tests.connectors.s3.buckets import NOW, THEIRS, US, Json, allow, bucket, deny, policy, when
from tests.connectors.s3.test_who_gets_in_properties import BLOCKS, POLICIES, quick

NAMES = ("a", "b-2", "logs", "zoo.example", "0")


def named(name: str, written: list[Json]) -> str:
    """The policy as another bucket would have it."""
    return policy(*written).replace("arn:aws:s3:::b", f"arn:aws:s3:::{name}")


def texts(found: AccessPaths) -> list[str]:
    """What equality leaves out: the statements as they are stored."""
    return [path.statement.as_stored for path in found.open]


@quick
@given(POLICIES, BLOCKS, st.lists(st.sampled_from(NAMES), min_size=2, max_size=3))
def test_each_is_judged_as_if_alone(written: list[Json], block: object, names: list[str]) -> None:
    judged = JudgedOnce()
    for name in names:
        one = bucket(name=name, policy=named(name, written), block=block)

        found = judged.access_paths(one, US, NOW)

        alone = access_paths(one, US, NOW)
        assert found == alone
        assert texts(found) == texts(alone)
        assert isinstance(found.policy, Policy)


@pytest.mark.parametrize(
    "matters",
    [
        allow(Resource=["arn:aws:s3:::lo*", "arn:aws:s3:::b/*"]),  # a pattern that fits some names
        allow(Resource=["arn:aws:s3:::b*"]),
        allow(Resource=None, NotResource="arn:aws:s3:::b/*"),
        deny(when=when("StringNotEquals", "aws:PrincipalTag/team", "b")),  # the name as something else
        allow({"AWS": THEIRS}, Sid="b"),
    ],
)
def test_where_the_name_may_matter_each_is_judged_by_itself(matters: Json) -> None:
    judged = JudgedOnce()
    for name in ("b", "logs"):
        one = bucket(name=name, policy=json.dumps({"Version": "2012-10-17", "Statement": [matters, allow()]}))

        assert judged.access_paths(one, US, NOW) == access_paths(one, US, NOW)


def test_equal_buckets_are_judged_once() -> None:
    statements = [deny(when=when("Bool", "aws:SecureTransport", "false")), allow({"AWS": THEIRS})]
    judged = JudgedOnce()

    first, second = (
        judged.access_paths(bucket(name=name, policy=named(name, statements)), US, NOW) for name in ("one", "other")
    )

    assert first.open[0].witness.network is second.open[0].witness.network
