from datetime import UTC, datetime
from typing import Any

import pytest

from cloudscan_emulators.microsoft import Server, TenantState
from cloudscan_emulators.microsoft.people import EVERYONE, INSIDERS
from cloudscan_emulators.microsoft.records import Drive, Item
from tests.emulators.microsoft.graph_client import Graph

LATER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def item(state: TenantState, drive: Drive) -> Item:
    return state.create("offer.pdf", drive=drive)


def permissions(graph: Graph, item: Item, query: str = "") -> list[Any]:
    return graph.get(f"{graph.server.state.path_of(item)}/permissions{query}").value


def links(graph: Graph, item: Item) -> list[Any]:
    return [permission for permission in permissions(graph, item) if "link" in permission]


def test_permissions_of_the_library_are_inherited(graph: Graph, state: TenantState, drive: Drive, item: Item) -> None:
    listed = permissions(graph, item)

    assert [entry["grantedToV2"]["siteGroup"]["loginName"] for entry in listed] == [
        "Sales Owners",
        "Sales Members",
        "Sales Visitors",
    ]
    assert [entry["roles"] for entry in listed] == [["owner"], ["write"], ["read"]]
    assert {entry["inheritedFrom"]["id"] for entry in listed} == {state.id_of(state.root(drive))}
    assert not any("inheritedFrom" in permission for permission in permissions(graph, state.root(drive)))


@pytest.mark.parametrize(("manner", "expected"), [("empty", [{}, {}, {}]), ("never", [None, None, None])])
def test_inherited_from_may_be_empty_or_missing(
    server: Server, graph: Graph, item: Item, manner: str, expected: list[Any]
) -> None:
    server.quirks.inherited_from = manner

    assert [permission.get("inheritedFrom") for permission in permissions(graph, item)] == expected


def test_a_scope_of_its_own_has_copies(graph: Graph, state: TenantState, item: Item) -> None:
    state.share(item, "tanuki@partner.example", "write")

    listed = permissions(graph, item)

    assert len(listed) == 4
    assert not any("inheritedFrom" in entry for entry in listed)


def test_an_anonymous_link(graph: Graph, state: TenantState, item: Item) -> None:
    """It lists nobody; the year 1 means that it never expires; only callers who may create links get its address."""
    state.link(item, "edit", password=True)

    (link,) = links(graph, item)

    assert link["grantedToIdentitiesV2"] == []
    assert (link["roles"], link["hasPassword"]) == (["write"], True)
    assert link["link"] == {"scope": "anonymous", "type": "edit", "preventsDownload": False}
    assert link["expirationDateTime"] == "0001-01-01T00:00:00Z"
    assert "shareId" not in link


def test_link_secrets_for_callers_who_may_create_links(server: Server, state: TenantState, item: Item) -> None:
    state.link(item, "embed")
    server.allow("Sites.FullControl.All")

    (link,) = links(Graph(server), item)

    assert link["link"]["webUrl"].startswith("https://kumo.sharepoint.com/:b:/s/")
    assert link["shareId"].startswith("u!")


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        ("view", "read"),
        ("edit", "write"),
        ("review", "read"),
        ("embed", "read"),
        ("createOnly", "write"),
        ("blocksDownload", "read"),
    ],
)
def test_link_types_and_their_roles(graph: Graph, state: TenantState, item: Item, kind: str, role: str) -> None:
    state.link(item, kind, expires=LATER)

    (link,) = links(graph, item)

    assert (link["link"]["type"], link["roles"]) == (kind, [role])
    assert link["expirationDateTime"] == "2027-01-01T00:00:00Z"


def test_a_link_for_people_lists_each_in_several_forms(graph: Graph, state: TenantState, item: Item) -> None:
    state.link(item, "view", "users", people=["tanuki@partner.example"])

    (link,) = links(graph, item)

    (holder,) = link["grantedToIdentitiesV2"]
    assert holder["user"]["id"] == state.person("tanuki@partner.example").id
    assert holder["siteUser"]["loginName"] == "i:0#.f|membership|tanuki_partner.example#ext#@kumo.onmicrosoft.com"
    assert link["grantedToIdentities"][0]["user"]["email"] == "tanuki@partner.example"


def test_an_anonymous_link_that_lists_a_group(graph: Graph, state: TenantState, item: Item) -> None:
    """In the legacy form the group is a user, with the group's id."""
    state.link(item, "edit", people=["Sales"])

    (link,) = links(graph, item)

    assert list(link["grantedToIdentitiesV2"][0]) == ["group", "siteUser"]
    assert link["grantedToIdentities"][0]["user"]["id"] == state.group("Sales").id


def test_one_person_as_several_entries(server: Server, graph: Graph, state: TenantState, item: Item) -> None:
    server.quirks.split_identities = True
    state.link(item, "view", "users", people=["tanuki@partner.example"])

    (link,) = links(graph, item)

    assert [list(entry) for entry in link["grantedToIdentitiesV2"]] == [["user"], ["siteUser"]]


def test_everyone_is_a_claim_with_a_title_in_the_sites_language(graph: Graph, state: TenantState, item: Item) -> None:
    state.share(item, EVERYONE)
    state.share(item, INSIDERS)

    users = [permission["grantedToV2"] for permission in permissions(graph, item)[-2:]]

    assert [user["siteUser"]["displayName"] for user in users] == ["全員", "外部ユーザー以外のすべてのユーザー"]
    assert users[0]["siteUser"]["loginName"] == "c:0(.s|true"
    assert users[1]["siteUser"]["loginName"].startswith("c:0-.f|rolemanager|spo-grid-all-users/")
    assert not any("user" in user or "group" in user for user in users)


def test_groups_applications_invitations_and_the_deleted(graph: Graph, state: TenantState, item: Item) -> None:
    state.add_application("Robot")
    state.share(item, "Sales")
    state.share(item, "app:Robot", "write")
    state.share(item, "hayashi@kumo.example", "sp.full control", expires=LATER)
    state.invite(item, "new@rival.example")
    state.delete_user("hayashi@kumo.example")

    group, robot, deleted, invitation = permissions(graph, item)[-4:]

    assert group["grantedToV2"]["siteUser"]["loginName"].startswith("c:0o.c|federateddirectoryclaimprovider|")
    assert group["grantedTo"]["user"]["id"] == state.group("Sales").id  # in the legacy form, everything is a user
    assert robot["grantedToV2"]["application"]["displayName"] == "Robot"
    assert list(deleted["grantedToV2"]) == ["siteUser"]
    assert (deleted["roles"], deleted["expirationDateTime"]) == (["sp.full control"], "2027-01-01T00:00:00Z")
    assert invitation["invitation"] == {"email": "new@rival.example", "signInRequired": True}
    assert "grantedToV2" not in invitation


def test_a_copied_link_remains_the_folders(graph: Graph, state: TenantState, drive: Drive) -> None:
    folder = state.folder("Open", drive=drive)
    link = state.link(folder, "view")
    inside = state.create("inside.pdf", parent=folder)
    state.share(inside, "tanuki@partner.example")

    (copied,) = links(graph, inside)
    state.unlink(link)

    assert copied["inheritedFrom"]["id"] == state.id_of(folder)
    assert links(graph, inside) == []


def test_short_lists_for_callers_without_full_control(server: Server, state: TenantState, item: Item) -> None:
    """A short list does not prove privacy."""
    server.quirks.short_lists_without_full_control = True
    state.share(item, "tanuki@partner.example")

    short = permissions(Graph(server), item)
    server.allow("Sites.FullControl.All")
    whole = permissions(Graph(server), item)

    assert len(whole) == len(short) + 1


@pytest.mark.parametrize(
    ("query", "count"),
    [("?$filter=link ne null", 2), ("?$filter=link/scope eq 'anonymous'", 1), ("?$select=id,roles", 5)],
)
def test_questions_about_permissions(graph: Graph, state: TenantState, item: Item, query: str, count: int) -> None:
    state.link(item)
    state.link(item, "view", "organization")

    assert len(permissions(graph, item, query)) == count


def test_questions_that_are_refused(graph: Graph, state: TenantState, item: Item) -> None:
    path = f"{state.path_of(item)}/permissions"

    assert graph.get(f"{path}?$filter=roles eq 'read'").status == 400
    assert graph.get(f"{path}?$select=audience").status == 400


def test_pages_of_permissions_and_single_ones(server: Server, graph: Graph, state: TenantState, item: Item) -> None:
    server.quirks.permissions_page = 2
    state.link(item)

    listed, _ = graph.everything(f"{state.path_of(item)}/permissions")
    one = graph.get(f"{state.path_of(item)}/permissions/{listed[-1]['id']}").json

    assert len(listed) == 4
    assert one["link"]["scope"] == "anonymous"
