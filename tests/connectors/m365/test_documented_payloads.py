"""Permissions from Microsoft's documentation and from public recordings, decoded verbatim."""

from datetime import UTC, datetime

import msgspec
import pytest

from cloudscan.connector import Estate, Partner
from cloudscan.errors import Malformed
from cloudscan.facts import NEVER, Access, Audience, Grant
from cloudscan_m365.api.models import Item, Permission
from cloudscan_m365.api.wire import decode, decode_page
from cloudscan_m365.meaning.people import GroupContents, People, SiteGroups
from cloudscan_m365.meaning.translate import Sharing, TenantContext, translate
from cloudscan_m365.questions import ITEM, PERMISSIONS

PEOPLE = People(
    estate=Estate(partners=(Partner(name="Fabrikam", domains=frozenset({"fabrikam.com"})),)),
    tenant_id="5d33dd65-0000-0000-0000-000000000000",
    primary="contoso.com",
    domains=frozenset({"contoso.com", "contoso.onmicrosoft.com"}),
)
TENANT = TenantContext(
    people=PEOPLE,
    groups=SiteGroups(site="a", contents={"3": GroupContents()}),
    sharing=Sharing(),
    owner_uid=None,
    now=datetime(2026, 1, 1, tzinfo=UTC),
)


def grant(text: str) -> Grant:
    translated = translate(decode(Permission, text.encode(), PERMISSIONS), TENANT)
    assert translated is not None
    return translated.grant


@pytest.mark.parametrize(
    ("text", "audience", "access"),
    [
        # permission resource: a link, with fields that were not requested
        (
            """{"id": "1", "roles": ["write"], "shareId": "!LKj1lkdlals90j1nlkascl", "expirationDateTime":
            "0001-01-01T00:00:00Z", "hasPassword": true, "link": {"type": "edit", "scope": "anonymous", "webUrl":
            "https://1drv.ms/xxx", "application": {"id": "1234", "displayName": "Sample Application"}}}""",
            Audience.ANYONE_WITH_LINK,
            Access.WRITE,
        ),
        # the same without a scope, as OneDrive had them
        ("""{"id": "1", "roles": ["write"], "link": {"webUrl": "https://onedrive.live.com/redir?resid=5",
            "type": "edit"}}""", Audience.ANYONE_WITH_LINK, Access.WRITE),
        # an embedded link of the organisation; `grantedToIdentitiesV2` is empty in recordings
        ("""{"id": "a7", "roles": ["read"], "grantedToIdentitiesV2": [], "grantedToIdentities": [],
            "hasPassword": false, "link": {"type": "view", "scope": "organization", "preventsDownload": false}}""",
            Audience.ORGANISATION, Access.READ),
        # people, in the old and the new form
        (
            """{"id": "r", "roles": ["write"], "link": {"scope": "users", "type": "edit", "webUrl": "x"},
            "grantedToIdentitiesV2": [{"user": {"@odata.type": "#microsoft.graph.sharePointIdentity", "id": "8f",
            "displayName": "Robin", "email": "robin@fabrikam.com"}, "siteUser": {"id": "12", "displayName": "Robin",
            "email": "robin@fabrikam.com",
            "loginName": "i:0#.f|membership|robin_fabrikam.com#ext#@contoso.onmicrosoft.com"}}],
            "grantedToIdentities": [{"user": {"displayName": "Robin", "email": "robin@fabrikam.com", "id": "8f"}}]}""",
            Audience.NAMED_EXTERNAL,
            Access.WRITE,
        ),
        # an invitation that was not redeemed
        ("""{"id": "2", "roles": ["write"], "invitation": {"email": "jd@gmail.com", "signInRequired": true}}""",
            Audience.NAMED_EXTERNAL, Access.WRITE),
        # a colleague, by the old identity only
        ("""{"id": "3", "roles": ["owner"], "grantedTo": {"user": {"id": "42F177F1-22C0-4BE3-900D-4507125C5C20",
            "displayName": "Daron Spektor", "email": "daron@contoso.com"}}}""", Audience.NAMED, Access.MANAGE),
        # a site's group, by both identities, with what is inherited from where
        ("""{"id": "T3duZXJz", "roles": ["sp.full control"], "grantedToV2": {"siteGroup": {"displayName": "Site Owners",
            "id": "3", "loginName": "Site Owners"}}, "inheritedFrom": {"driveId": "b!1", "id": "01A",
            "path": "/drives/b!1/root:/Documents"}}""", Audience.NAMED, Access.MANAGE),
        # everyone but guests, in a site in German
        ("""{"id": "c", "roles": ["read"], "grantedToV2": {"siteUser": {"displayName":
            "Jeder, au\\u00dfer externen Benutzern", "id": "8", "loginName":
            "c:0-.f|rolemanager|spo-grid-all-users/5d33dd65-0000-0000-0000-000000000000"}}}""",
            Audience.ORGANISATION, Access.READ),
        # an enumeration value that was added later
        ("""{"id": "d", "roles": ["read"], "grantedToV2": {"device": {"id": "13", "displayName": "Kiosk"}}}""",
            None, Access.READ),
        ("""{"id": "e", "roles": ["read"], "link": {"scope": "unknownFutureValue", "type": "unknownFutureValue"}}""",
            None, Access.READ),
    ],
)  # fmt: skip
def test_a_permission_is_what_it_says(text: str, audience: Audience | None, access: Access) -> None:
    grant_ = grant(text)

    assert (grant_.audience, grant_.access) == (audience, access)
    assert grant_.expires_on == NEVER


def test_a_list_keeps_its_valid_entries_and_counts_malformed_ones() -> None:
    body = (
        b'{"@odata.context": "x", "value": [{"id": "1", "roles": ["read"]}, {"id": 2, "roles": "read"}, {"id": "3"}]}'
    )

    page = decode_page(Permission, body)

    assert ([entry.id for entry in page.value], page.broken) == (["1", "3"], 1)


def test_an_item_of_delta_is_read_with_all_its_annotations() -> None:
    body = b"""{"@odata.type": "#microsoft.graph.driveItem", "@microsoft.graph.sharedChanged": "True", "id": "01A",
        "name": "folder2", "size": null, "folder": {"childCount": 3, "view": {"viewType": "thumbnails"}},
        "deleted": null, "shared": {}, "parentReference": {"driveType": "business", "driveId": "b!1", "id": "01B",
        "siteId": "x"}, "lastModifiedDateTime": "2016-03-21T20:01:37.1234567Z", "webUrl": "https://x/y?web=1"}"""

    item = decode(Item, body, ITEM)

    assert (item.parent, item.shared is not None, item.shared and item.shared.scope) == ("01B", True, "")
    assert item.last_modified_date_time is not None


@pytest.mark.parametrize("body", [b"", b"[]", b"<html></html>", b'{"value": 7}', b'{"value": [', b"\xff\xfe"])
def test_an_answer_that_is_not_a_list_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(Malformed, match="does not match Microsoft's documentation"):
        decode_page(Permission, body)


def test_unknown_members_of_a_record_are_ignored() -> None:
    assert msgspec.json.decode(b'{"id": "1", "another": {"thing": []}}', type=Permission).id == "1"
