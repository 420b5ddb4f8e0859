"""Address ranges: what cannot be distinguished is tried once, what overlaps is opened."""

from cloudscan_s3.access.networks import Networks
from cloudscan_s3.access.policy import parse
from cloudscan_s3.access.policy_literals import PolicyLiterals
from tests.connectors.s3.buckets import (
    OBJECTS,
    US,
    allow,
    deny,
    paths,
    policy,
    when,
)


def test_ranges_listed_together_are_tried_once() -> None:
    """Hundreds of ranges in one condition cannot be distinguished, and cost no more than one."""
    office = [f"203.{high}.{low}.0/24" for high in range(10) for low in range(70)]
    text = policy(
        allow(),
        deny(when=when("NotIpAddress", "aws:SourceIp", *office)),
        deny(Resource=OBJECTS, when=when("IpAddress", "aws:SourceIp", office[0])),
    )

    networks = Networks(PolicyLiterals(parse(text).statements, US)).named

    assert sorted(len(network.alike) for network in networks) == [1, 699]
    (listing,) = (path for path in paths(policy=text) if path.effective and "s3:GetObject" in path.actions)
    assert len(listing.names) == 699
