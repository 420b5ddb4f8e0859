import pytest

from cloudscan_emulators.microsoft import Server, TenantState
from cloudscan_emulators.microsoft.records import Drive, Kind, Site
from tests.emulators.microsoft.graph_client import Graph


def test_all_sites_with_personal_ones_and_a_next_link_with_another_path(graph: Graph, server: Server) -> None:
    server.quirks.sites_page = 2

    first = graph.get("/sites/getAllSites?$select=displayName,isPersonalSite")
    sites, _ = graph.everything("/sites/getAllSites?$select=displayName,isPersonalSite")

    assert "/sites/oneDrive.getAllSites?" in first.next
    assert [site["isPersonalSite"] for site in sites] == [False, False, True]


def test_a_site_by_id_and_by_address(graph: Graph, site: Site) -> None:
    by_id = graph.get(f"/sites/{site.id}").json
    by_address = graph.get("/sites/kumo.sharepoint.com:/sites/sales").json

    assert by_id["webUrl"] == by_address["webUrl"] == "https://kumo.sharepoint.com/sites/sales"
    assert graph.get("/sites/root").json["displayName"] == "Home"
    assert graph.get("/sites/kumo.sharepoint.com:/sites/nothing").status == 404
    assert graph.get("/sites/nonsense").code == "invalidRequest"


def test_search_leaves_personal_sites_out(graph: Graph) -> None:
    assert [site["displayName"] for site in graph.get("/sites?search=*").value] == ["Home", "Sales"]


def test_libraries(graph: Graph, state: TenantState, site: Site) -> None:
    """Hidden ones are listed only where `system` is selected."""
    state.add_library(site, "Archive")
    state.add_library(site, "Preservation Hold Library", hidden=True)

    shown = graph.get(f"/sites/{site.id}/drives?$select=name,driveType").value
    everything = graph.get(f"/sites/{site.id}/drives?$select=name,system").value

    assert [entry["name"] for entry in shown] == ["Documents", "Archive"]
    assert [entry["name"] for entry in everything if "system" in entry] == ["Preservation Hold Library"]
    assert {entry["driveType"] for entry in shown} == {"documentLibrary"}


def test_onedrives(graph: Graph) -> None:
    """A person without one is a 404."""
    drives = graph.get("/users/mori@kumo.example/drive").json

    assert drives["driveType"] == "business"
    assert drives["owner"]["user"]["email"] == "mori@kumo.example"
    assert graph.get("/users/hayashi@kumo.example/drive").code == "ResourceNotFound"


def test_a_blocked_site_and_a_deleted_one(graph: Graph, state: TenantState, site: Site, drive: Drive) -> None:
    state.lock_site(site)
    blocked = graph.get(f"/drives/{drive.id}/root/delta")
    state.lock_site(site, "ReadOnly")
    readable = graph.get(f"/drives/{drive.id}/root/delta")
    state.delete_site(site)
    gone = graph.get(f"/drives/{drive.id}/root/delta")

    assert (blocked.status, blocked.code) == (423, "notAllowed")
    assert readable.status == 200
    assert (gone.status, gone.code) == (404, "itemNotFound")


def test_a_malformed_drive_id(graph: Graph) -> None:
    reply = graph.get("/drives/nonsense/root")

    assert (reply.status, reply.code) == (400, "invalidRequest")


def test_children_page_by_page_and_by_path(graph: Graph, state: TenantState, drive: Drive) -> None:
    folder = state.folder("提案", drive=drive)
    for index in range(5):
        state.create(f"{index}.pdf", parent=folder)

    children, _ = graph.everything(f"/drives/{drive.id}/root:/提案:/children?$top=2&$select=name")
    one = graph.get(f"/drives/{drive.id}/root:/提案/3.pdf").json

    assert children == [{"name": f"{index}.pdf"} for index in range(5)]
    assert one["parentReference"]["path"] == f"/drives/{drive.id}/root:/提案"
    assert "tempauth" in one["@microsoft.graph.downloadUrl"]


def test_drives_by_their_owners(graph: Graph, state: TenantState, drive: Drive, site: Site) -> None:
    """The forms that documentation lists for delta lead to the same drive."""
    state.create("plan.docx", drive=drive)
    group = state.group("Sales").id

    for address in (f"/sites/{site.id}/drive", f"/groups/{group}/drive", f"/sites/{site.id}/drives/{drive.id}"):
        assert len(graph.get(f"{address}/root/delta").value) == 2
    assert len(graph.get("/users/mori@kumo.example/drive/root/delta").value) == 1
    assert graph.get("/users/hayashi@kumo.example/drive/root/delta").code == "ResourceNotFound"


def test_permissions_of_applications_on_a_site(server: Server, state: TenantState, site: Site) -> None:
    """The list has no roles; reading it takes full control."""
    robot = state.add_application("Robot")
    site.app_grants[robot.number] = "write"
    path = f"/sites/{site.id}/permissions"

    denied = Graph(server).get(path)
    server.allow("Sites.FullControl.All")
    graph = Graph(server)
    (listed,) = graph.get(path).value

    assert denied.status == 403
    assert "roles" not in listed
    assert listed["grantedToIdentitiesV2"][0]["application"]["id"] == robot.app_id
    assert graph.get(f"{path}/{listed['id']}").json["roles"] == ["write"]


def test_an_application_for_selected_sites_sees_no_others(server: Server, site: Site, drive: Drive) -> None:
    site.app_grants[server.scanner.number] = "read"
    server.allow("Sites.Selected")
    graph = Graph(server)

    assert graph.get(f"/drives/{drive.id}/root/delta").status == 200
    assert graph.get("/sites/root").status == 403
    assert graph.get("/sites/getAllSites").status == 403


def test_kinds_of_items(graph: Graph, state: TenantState, drive: Drive) -> None:
    """A notebook is neither file nor folder; a shortcut points to another drive."""
    target = state.create("plan.docx", drive=drive)
    state.create("Notebook", drive=drive, kind=Kind.PACKAGE)
    own = state.drives[state.person("mori@kumo.example").drive]
    state.shortcut(target, drive=own)

    children = {entry["name"]: entry for entry in graph.get(f"/drives/{drive.id}/root/children").value}
    there = graph.get(f"/drives/{own.id}/root/children").value[0]

    assert not {"file", "folder"} & children["Notebook"].keys()
    assert there["remoteItem"]["parentReference"]["driveId"] == drive.id


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("$select=nonsense", 400, "BadRequest"),
        ("$select=sensitivityLabel", 400, "BadRequest"),  # beta only
        ("$expand=permissions", 400, "notSupported"),
        ("$expand=openWith", 400, "generalException"),
        ("$expand=listItem", 200, ""),
        ("$skip=5", 400, "invalidRequest"),
        ("$filter=size gt 5", 400, "Request_UnsupportedQuery"),
        ("$filter=folder ne null", 200, ""),
        ("$orderby=nonsense", 400, "invalidRequest"),
        ("$nonsense=1", 400, "BadRequest"),
        ("$skiptoken=bm9uZQ", 400, "invalidRequest"),
        ("select=name", 200, ""),
    ],
)
def test_query_options_of_children(graph: Graph, drive: Drive, query: str, status: int, code: str) -> None:
    reply = graph.get(f"/drives/{drive.id}/root/children?{query}")

    assert reply.status == status
    assert not code or reply.code == code


def test_sensitivity_labels_of_a_file(graph: Graph, state: TenantState, drive: Drive) -> None:
    label = state.add_label("社外秘")
    item = state.create("contract.docx", drive=drive)
    state.label(item, label.id)

    reply = graph.ask("POST", f"{state.path_of(item)}/extractSensitivityLabels")

    assert [entry["sensitivityLabelId"] for entry in reply.json["labels"]] == [label.id]


def test_hostile_names(graph: Graph, state: TenantState, drive: Drive) -> None:
    names = ["<script>", "a\u202eb", "two\nlines", "half \ud83d", 'quote"', "back\\slash", "長" * 200, "100% #1&2"]
    for name in names:
        state.create(name, drive=drive)

    entries = graph.get(f"/drives/{drive.id}/root/delta?$select=name").value

    assert [entry["name"] for entry in entries[1:]] == names
