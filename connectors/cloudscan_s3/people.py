"""The people of an account, and of the organisation's directory: who has an account in AWS at all.

All of it is optional: without a permission the scan is complete, and a gap says what is not known. An account costs
three requests, however many buckets it has. The Identity Center is asked for once in a scan, in our
own account, region by region until the organisation's is found: every account of an organisation sees it.
"""

from collections.abc import Iterator, Sequence

import msgspec

from cloudscan.connector import Gap, Yielded
from cloudscan.facts import Outcome
from cloudscan_s3 import regions
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.api import people
from cloudscan_s3.api.asking import Asker
from cloudscan_s3.api.people import IdentityCenter
from cloudscan_s3.facts.people import principal_of_directory_user, principal_of_iam_user
from cloudscan_s3.further_lists import Whereabouts, unless_unknown
from cloudscan_s3.questions import IDENTITY_CENTERS


def facts_of_iam_users(asker: Asker, own_estate: OwnEstate, not_begun: Gap | None) -> Iterator[Yielded]:
    """The IAM users of an account. `not_begun` is what `api.people.begin_report` gave at its beginning."""
    users, gaps = people.iam_users(asker, not_begun)
    for user in users:
        yield principal_of_iam_user(user, own_estate)
    listed_otherwise = any(user.credentials for user in users)
    yield from (_left_out(_of_those_known(gap) if listed_otherwise else gap) for gap in gaps)


def facts_of_identity_centers(
    asker: Asker, own_estate: OwnEstate, whereabouts: Whereabouts, management: str
) -> Iterator[Yielded]:
    """The users of the Identity Centers that our account sees. `management` is the organisation's first account."""
    found: list[IdentityCenter] = []
    here = [asker.account.region, *sorted(whereabouts.with_buckets)]
    everywhere = list(dict.fromkeys((*here, *whereabouts.enabled)))

    def still_to_ask() -> Iterator[str]:
        for region in everywhere:
            if any(center.owner == management for center in found):
                return
            yield region

    def ask(region: str) -> tuple[Sequence[IdentityCenter], Sequence[Gap]]:
        centers, gaps = people.identity_centers(asker, region)
        found.extend(centers)
        return centers, [unless_unknown(gap) for gap in gaps]

    elsewhere = frozenset(everywhere) - {asker.account.region}
    listed = regions.ask_each(still_to_ask(), ask, IDENTITY_CENTERS, optional=elsewhere, may_lack=frozenset(everywhere))
    yield from map(_left_out, listed.gaps)
    for center in {one.store: one for one in reversed(found)}.values():
        users, gaps = people.directory_users(asker, center)
        known = {user.id: user for user in users}
        for user in users:
            yield principal_of_directory_user(user, center, own_estate.estate, known)
        yield from map(_left_out, gaps)


def _of_those_known(gap: Gap) -> Gap:
    """Where the report names all users, the list of users hides what it says of them, and nobody."""
    return msgspec.structs.replace(gap, hides=tuple(one for one in gap.hidden if one.columns))


def _left_out(gap: Gap) -> Gap:
    """A permission that was not given is not a failure; what it hides is hidden all the same."""
    return msgspec.structs.replace(gap, outcome=Outcome.SKIPPED) if gap.outcome is Outcome.DENIED else gap
