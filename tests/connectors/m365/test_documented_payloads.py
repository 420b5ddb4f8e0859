"""What Microsoft's documentation and public recordings show of permissions, read as it stands there."""

from datetime import UTC, datetime

import msgspec
import pytest

from cloudscan.connector import Estate, Partner
from cloudscan.errors import Malformed
from cloudscan.facts import NEVER, Access, Audience, Grant
from cloudscan_m365.api.models import Item, Permission
from cloudscan_m365.api.wire import decode, decode_page
from cloudscan_m365.meaning.people import People, SiteGroups
from cloudscan_m365.meaning.translate import Sharing, TenantContext, translate

PEOPLE = People(
    estate=Estate(partners=(Partner(name="Fabrikam", domains=frozenset({"fabrikam.com"})),)),
    tenant_id="5d33dd65-0000-0000-0000-000000000000",
    primary="contoso.com",
    domains=frozenset({"contoso.com", "contoso.onmicrosoft.com"}),
    complete=False,
)
TENANT = TenantContext(
    people=PEOPLE, groups=SiteGroups(site="a"), sharing=Sharing(), owner_uid=None, now=datetime(2026, 1, 1, tzinfo=UTC)
)


def grant(text: str) -> Grant:
    found = translate(decode(Permission, text.encode()), TENANT)
    assert found is not None
    return found.grant


@pytest.mark.parametrize(
    ("text", "audience", "access"),
    [
        # permission resource: a link, with fields that nobody asked for
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
        # people, told in the old and the new way at once
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
        # an invitation that nobody has taken up
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
        # a member of a family that has grown since
        ("""{"id": "d", "roles": ["read"], "grantedToV2": {"device": {"id": "13", "displayName": "Kiosk"}}}""",
            None, Access.READ),
        ("""{"id": "e", "roles": ["read"], "link": {"scope": "unknownFutureValue", "type": "unknownFutureValue"}}""",
            None, Access.READ),
    ],
)  # fmt: skip
def test_a_permission_is_what_it_says(text: str, audience: Audience | None, access: Access) -> None:
    found = grant(text)

    assert (found.audience, found.access) == (audience, access)
    assert found.expires_on == NEVER


def test_a_list_with_one_thing_that_makes_no_sense_keeps_the_others_and_counts_it() -> None:
    body = (
        b'{"@odata.context": "x", "value": [{"id": "1", "roles": ["read"]}, {"id": 2, "roles": "read"}, {"id": "3"}]}'
    )

    page = decode_page(Permission, body)

    assert ([each.id for each in page.value], page.broken) == (["1", "3"], 1)


def test_an_item_of_delta_is_read_with_all_its_annotations() -> None:
    body = b"""{"@odata.type": "#microsoft.graph.driveItem", "@microsoft.graph.sharedChanged": "True", "id": "01A",
        "name": "folder2", "size": null, "folder": {"childCount": 3, "view": {"viewType": "thumbnails"}},
        "deleted": null, "shared": {}, "parentReference": {"driveType": "business", "driveId": "b!1", "id": "01B",
        "siteId": "x"}, "lastModifiedDateTime": "2016-03-21T20:01:37.1234567Z", "webUrl": "https://x/y?web=1"}"""

    item = decode(Item, body)

    assert (item.parent, item.shared is not None, item.shared and item.shared.scope) == ("01B", True, "")
    assert item.last_modified_date_time is not None


@pytest.mark.parametrize("body", [b"", b"[]", b"<html></html>", b'{"value": 7}', b'{"value": [', b"\xff\xfe"])
def test_what_is_no_list_is_refused_with_words(body: bytes) -> None:
    with pytest.raises(Malformed, match="does not match its documented format"):
        decode_page(Permission, body)


def test_records_are_read_without_knowing_all_there_is() -> None:
    assert msgspec.json.decode(b'{"id": "1", "another": {"thing": []}}', type=Permission).id == "1"
