"""Permissions as tenants elsewhere have them: who cannot be identified is never a colleague."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloudscan.connector import Estate
from cloudscan.facts import Affiliation, Audience, Principal
from cloudscan_m365.api.models import Permission
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import INSIDERS, DirectoryEntry, GroupContents, People, SiteGroups
from cloudscan_m365.meaning.translate import Sharing, TenantContext, translate

CASES = json.loads((Path(__file__).parent / "permissions.json").read_text(encoding="utf-8"))["cases"]
MEANS: dict[str, set[Audience | None]] = {
    "anyone": {Audience.ANYONE_WITH_LINK},
    "organization": {Audience.ORGANISATION},
    "guest": {Audience.NAMED_EXTERNAL},
    "external_user": {Audience.NAMED_EXTERNAL},
    "internal_user": {Audience.NAMED},
    "application": {Audience.NAMED},
    "unknown": {None},
}
COLLEAGUES = GroupContents()
GROUPS = SiteGroups(
    site="a-site",
    contents={
        "3": COLLEAGUES,
        "5": COLLEAGUES,
        "6": COLLEAGUES,
        "9": GroupContents(claim=INSIDERS),
        "10": GroupContents(known=False),
    },
)
ADELE = Principal(
    uid=uids.user("i1"),
    platform=uids.PLATFORM,
    account="contoso.com",
    kind="user",
    email="adelev@contoso.com",
    affiliation=Affiliation.INTERNAL,
    status="active",
)


def tenant(mode: str) -> TenantContext:
    """A tenant whose directory was read, or refused."""
    known = mode != "denied"
    people = People(
        estate=Estate(),
        tenant_id="a-tenant",
        primary="contoso.com",
        domains=frozenset({"contoso.com", "contoso.onmicrosoft.com"}),
        entries={"i1": DirectoryEntry(principal=ADELE)} if known else {},
        names={"adelev@contoso.com": "i1"} if known else {},
        complete=known,
    )
    return TenantContext(
        people=people, groups=GROUPS, sharing=Sharing(), owner_uid=None, now=datetime(2026, 11, 1, tzinfo=UTC)
    )


def cases() -> Iterator[Any]:
    for case in CASES:
        if "shared" not in case:  # what depends on the facet of the item is another test's
            yield from (pytest.param(case, mode, id=f"{case['id']} {mode}") for mode in case["modes"])


@pytest.mark.parametrize(("case", "mode"), list(cases()))
def test_a_permission_has_the_audience_that_it_has(case: dict[str, Any], mode: str) -> None:
    permission = msgspec.convert(case["permission"], Permission)

    translated = translate(permission, tenant(mode))

    assert translated is not None
    assert any(translated.grant.audience in MEANS[name] for name in case["wanted"])


HIDDEN = DirectoryEntry(
    principal=Principal(
        uid=uids.group("g1"), platform=uids.PLATFORM, account="contoso.com", kind="group", name="Project"
    ),
    contents=GroupContents(known=False),
)


@pytest.mark.parametrize(
    "named",
    [
        {"group": {"id": "g1", "displayName": "Project"}},
        {"group": {"id": "g-not-in-the-directory", "displayName": "Not in the directory"}},
        {"siteUser": {"loginName": "c:0-.f|someclaim|of-the-future", "displayName": "?"}},
    ],
)
def test_a_link_for_people_who_cannot_be_told_is_of_unknown_reach(named: dict[str, Any]) -> None:
    """As where the same principal was given the permission directly."""
    people = People(estate=Estate(), primary="contoso.com", entries={"g1": HIDDEN})
    context = TenantContext(
        people=people, groups=GROUPS, sharing=Sharing(), owner_uid=None, now=datetime(2026, 11, 1, tzinfo=UTC)
    )
    link = {"roles": ["read"], "link": {"type": "view", "scope": "users"}, "grantedToIdentitiesV2": [named]}
    direct = {"roles": ["read"], "grantedToV2": named}

    translated = [translate(msgspec.convert(form, Permission), context) for form in (link, direct)]

    assert [one and one.grant.audience for one in translated] == [None, None]
