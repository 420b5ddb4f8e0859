import pytest

from cloudscan_emulators.microsoft import Server, TenantState
from cloudscan_emulators.microsoft.certificates import Pair
from cloudscan_emulators.microsoft.people import INSIDERS
from cloudscan_emulators.microsoft.records import Drive, Site
from tests.emulators.microsoft.graph_client import Graph
from tests.emulators.microsoft.test_signing_in import by_certificate

JSON = "application/json;odata=nometadata"


class Rest(Graph):
    """SharePoint's own REST, signed in with a certificate."""

    def __init__(self, server: Server, certificate: Pair, host: str) -> None:
        super().__init__(server)
        self.host = host
        self.token = by_certificate(server, certificate).get_token(f"https://{host}/.default").token

    def at(self, path: str) -> str:
        return f"{self.server.sharepoint(self.host)}{path}"


@pytest.fixture
def rest(server: Server, certificate: Pair) -> Rest:
    return Rest(server, certificate, server.state.host)


@pytest.fixture
def admin(server: Server, certificate: Pair) -> Rest:
    return Rest(server, certificate, server.state.admin_host)


def test_members_of_site_groups(rest: Rest, state: TenantState, site: Site) -> None:
    state.seat(site, "Members", INSIDERS)
    state.seat(site, "Visitors", "tanuki@partner.example")

    groups = rest.get(rest.at("/sites/sales/_api/web/sitegroups?$expand=Users"), Accept=JSON).value
    owners, members, visitors = ([entry["LoginName"] for entry in group["Users"]] for group in groups)
    group = state.group("Sales").id

    assert owners == [f"c:0o.c|federateddirectoryclaimprovider|{group}_o"]
    assert members[0] == f"c:0o.c|federateddirectoryclaimprovider|{group}"
    assert members[1].startswith("c:0-.f|rolemanager|spo-grid-all-users/")
    assert visitors == ["i:0#.f|membership|tanuki_partner.example#ext#@kumo.onmicrosoft.com"]


@pytest.mark.parametrize(
    "call",
    [
        "web/sitegroups(3)/users",
        "web/sitegroups/getbyid(3)/users",
        "web/sitegroups/getbyname('Sales Owners')/users",
        "web/AssociatedOwnerGroup/Users",
    ],
)
def test_addresses_of_one_group(rest: Rest, call: str) -> None:
    (owner,) = rest.get(rest.at(f"/sites/sales/_api/{call}"), Accept=JSON).value

    assert (owner["Title"], owner["PrincipalType"]) == ("Sales Owners", 4)


def test_links_are_hidden_groups(rest: Rest, state: TenantState, drive: Drive) -> None:
    item = state.create("offer.pdf", drive=drive)
    state.link(item, "view", "users", people=["tanuki@partner.example"])
    state.link(item, "edit")

    names = [entry["Title"] for entry in rest.get(rest.at("/sites/sales/_api/web/sitegroups"), Accept=JSON).value]

    assert [name.split(".")[2] for name in names if name.startswith("SharingLinks.")] == ["Flexible", "AnonymousEdit"]


def test_a_group_that_shows_its_members_to_members_only(
    server: Server, certificate: Pair, rest: Rest, state: TenantState, site: Site
) -> None:
    state.add_site_group(site, "Circle", "hayashi@kumo.example", members_only=True)
    address = rest.at("/sites/sales/_api/web/sitegroups/getbyname('Circle')/users")

    seen = rest.get(address, Accept=JSON)
    server.allow(sharepoint=["Sites.Read.All"])
    unseen = Rest(server, certificate, server.state.host).get(address, Accept=JSON)

    assert len(seen.value) == 1
    assert unseen.status == 403


def test_settings_of_a_site_and_of_the_tenant(admin: Rest, state: TenantState, site: Site) -> None:
    site.sharing, site.link_days, site.overrides_days = 2, 30, True
    state.set_admin(RequireAnonymousLinksExpireInDays=7, DefaultSharingLinkType=1)

    result = admin.get(admin.at(f"/_api/SPO.Tenant/sites('{site.collection}')"), Accept=JSON).json
    narrow = admin.get(
        admin.at(f"/_api/SPO.Tenant/sites('{site.collection}')?$select=SharingCapability"), Accept=JSON
    ).json
    tenant = admin.get(admin.at("/_api/SPO.Tenant"), Accept=JSON).json

    assert (result["SharingCapability"], result["AnonymousLinkExpirationInDays"]) == (2, 30)
    assert result["OwnerLoginName"].endswith("_o")
    assert narrow == {"SharingCapability": 2}
    assert (tenant["RequireAnonymousLinksExpireInDays"], tenant["DefaultSharingLinkType"]) == (7, 1)


def test_forms_of_answers(rest: Rest) -> None:
    """Verbose ones are wrapped; without an Accept header the answer is not JSON."""
    address = rest.at("/sites/sales/_api/web/sitegroups")

    verbose = rest.get(address, Accept="application/json;odata=verbose").json
    atom = rest.get(address)

    assert len(verbose["d"]["results"]) == 3
    assert atom.body.startswith(b"<?xml")


def test_the_host_header_selects_sharepoint(rest: Rest, state: TenantState) -> None:
    reply = rest.get(f"{rest.server.url}/sites/sales/_api/web?$select=Title", Accept=JSON, Host=state.host)

    assert reply.json == {"Title": "Sales"}


def test_refusals(server: Server, certificate: Pair, rest: Rest, admin: Rest, state: TenantState, site: Site) -> None:
    missing = rest.get(rest.at("/sites/nothing/_api/web"), Accept=JSON)
    unknown = rest.get(rest.at("/sites/sales/_api/web/nonsense"), Accept=JSON)
    field = rest.get(rest.at("/sites/sales/_api/web?$select=Nonsense"), Accept=JSON)
    state.lock_site(site)
    locked = rest.get(rest.at("/sites/sales/_api/web"), Accept=JSON)
    elsewhere = rest.get(admin.at("/_api/SPO.Tenant"), Accept=JSON)
    server.allow(sharepoint=["Sites.Read.All"])
    denied = Rest(server, certificate, server.state.admin_host).get(admin.at("/_api/SPO.Tenant"), Accept=JSON)

    assert [entry.status for entry in (missing, unknown, field, locked, elsewhere, denied)] == [
        404,
        404,
        400,
        423,
        401,
        403,
    ]
    assert "AudienceUriValidationFailed" in elsewhere.json["error_description"]
    assert denied.json["odata.error"]["code"].startswith("-2147024891")
