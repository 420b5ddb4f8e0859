from datetime import UTC, datetime
from typing import Any

import pytest

from cloudscan_emulators.microsoft import Server, TenantState
from cloudscan_emulators.microsoft.records import Drive, Extra, Item
from tests.emulators.microsoft.graph_client import EVERYTHING, Graph


@pytest.fixture
def folder(state: TenantState, drive: Drive) -> Item:
    return state.folder("Offers", drive=drive)


@pytest.fixture
def offer(state: TenantState, folder: Item) -> Item:
    return state.create("offer.pdf", parent=folder)


def changes(graph: Graph, link: str, prefer: str = EVERYTHING) -> tuple[dict[str, Any], str]:
    entries, last = graph.everything(link, prefer)
    return {entry["id"]: entry for entry in entries}, last.delta


def latest(graph: Graph, drive: Drive, query: str = "") -> str:
    return graph.get(f"/drives/{drive.id}/root/delta?token=latest{query}").delta


def test_all_items_in_pages(graph: Graph, state: TenantState, drive: Drive, folder: Item) -> None:
    for index in range(7):
        state.create(f"{index}.pdf", parent=folder)

    entries, last = graph.everything(f"/drives/{drive.id}/root/delta?$top=3&$select=id,name,parentReference")

    assert [entry["name"] for entry in entries] == ["root", "Offers", *(f"{index}.pdf" for index in range(7))]
    assert all("path" not in entry["parentReference"] for entry in entries)
    assert "$select=id,name,parentReference" in last.delta


def test_the_shared_facet_with_and_without_hierarchical_sharing(
    graph: Graph, state: TenantState, drive: Drive, folder: Item, offer: Item
) -> None:
    """No facet: inherits. An empty one: a scope of its own that is not shared."""
    state.link(folder, "view")
    closed = state.create("closed.pdf", parent=folder)
    state.stop_inheriting(closed, keep=False)
    address = f"/drives/{drive.id}/root/delta"

    plain = {entry["id"]: entry.get("shared", {}).get("scope") for entry in graph.get(address).value}
    scopes = {entry["id"]: entry.get("shared") for entry in graph.get(address, "hierarchicalsharing").value}

    ids = [state.id_of(item) for item in (state.root(drive), folder, offer, closed)]
    assert [plain[identity] for identity in ids] == [None, "anonymous", "anonymous", None]
    assert [scopes[identity] for identity in ids] == [{}, {"scope": "anonymous"}, None, {}]


def test_a_quiet_night(graph: Graph, drive: Drive, offer: Item) -> None:
    reply = graph.get(latest(graph, drive))

    assert reply.value == []
    assert reply.delta


def test_a_change_comes_with_the_folders_above_unless_they_are_excluded(
    graph: Graph, state: TenantState, drive: Drive, offer: Item
) -> None:
    link = latest(graph, drive)
    state.rename(offer, "better offer.pdf")

    with_parents = graph.get(link)
    without = graph.get(link, deltaExcludeParent="true")

    assert [entry["name"] for entry in with_parents.value] == ["root", "Offers", "better offer.pdf"]
    assert [entry["name"] for entry in without.value] == ["better offer.pdf"]


def test_a_changed_permission_of_a_folder_lists_the_folder_and_not_its_children(
    graph: Graph, state: TenantState, drive: Drive, folder: Item, offer: Item
) -> None:
    link = latest(graph, drive)
    state.share(folder, "tanuki@partner.example")

    entries, _ = changes(graph, link)

    assert entries[state.id_of(folder)]["@microsoft.graph.sharedChanged"] == "True"
    assert "@microsoft.graph.sharedChanged" not in entries[state.id_of(state.root(drive))]
    assert state.id_of(offer) not in entries


def test_sharing_changes_are_marked_only_with_all_three_preferences(
    graph: Graph, state: TenantState, drive: Drive, offer: Item
) -> None:
    link = latest(graph, drive)
    state.link(offer)

    alone, _ = changes(graph, link, "deltashowsharingchanges")

    assert "@microsoft.graph.sharedChanged" not in alone[state.id_of(offer)]


def test_revoking_a_share_leaves_an_empty_facet_and_inheriting_again_none(
    graph: Graph, state: TenantState, drive: Drive, offer: Item
) -> None:
    made = state.link(offer)
    link = latest(graph, drive)

    state.unlink(made)
    back, link = changes(graph, link)
    state.inherit(offer)
    again, _ = changes(graph, link)

    assert back[state.id_of(offer)]["shared"] == {}
    assert "shared" not in again[state.id_of(offer)]


def test_a_deleted_item_has_little_more_than_its_id(
    graph: Graph, state: TenantState, drive: Drive, folder: Item, offer: Item
) -> None:
    """Only the folder is listed, not its contents; `deleted` must be selected; a restored item is listed in full."""
    link, narrow = latest(graph, drive), latest(graph, drive, "&$select=id")
    state.trash(folder)

    gone, after = changes(graph, link)
    blind, _ = changes(graph, narrow)
    state.restore(folder)
    back, _ = changes(graph, after)

    assert gone.keys() == {state.id_of(folder)}
    assert gone[state.id_of(folder)].keys() == {"@odata.type", "id", "parentReference", "deleted"}
    assert "deleted" not in blind[state.id_of(folder)]
    assert {state.id_of(folder), state.id_of(offer)} <= back.keys()


def test_a_move_within_the_drive_keeps_the_id_and_one_out_of_it_does_not(
    graph: Graph, state: TenantState, drive: Drive, folder: Item, offer: Item
) -> None:
    own = state.drives[state.person("mori@kumo.example").drive]
    link, other = latest(graph, drive), latest(graph, own)

    state.move(offer, state.root(drive))
    moved, link = changes(graph, link)
    carried = state.move(offer, state.root(own))
    left, _ = changes(graph, link)
    come, _ = changes(graph, other)

    root = state.id_of(state.root(drive))
    assert moved[state.id_of(offer)]["parentReference"]["id"] == root
    assert "deleted" in left[state.id_of(offer)]
    assert come[state.id_of(carried)]["name"] == "offer.pdf"
    assert state.id_of(carried) != state.id_of(offer)


def test_a_lost_token_is_410_with_a_link_to_start_again(
    graph: Graph, state: TenantState, drive: Drive, offer: Item
) -> None:
    link = latest(graph, drive)
    state.forget_changes(drive)

    reply = graph.get(link)
    again, last = graph.everything(reply.headers["Location"])

    assert (reply.status, reply.code) == (410, "resyncChangesApplyDifferences")
    assert len(again) == 3
    assert graph.get(last.delta).value == []


def test_a_changed_library_may_end_in_a_resync(server: Server, graph: Graph, state: TenantState, drive: Drive) -> None:
    server.quirks.resync_on_library_change = True
    server.quirks.resync = "resyncRequired"
    link = latest(graph, drive)

    state.share(state.root(drive), "tanuki@partner.example")

    assert (graph.get(link).status, graph.get(link).code) == (410, "resyncRequired")


def test_a_malformed_token_and_one_that_is_a_time(graph: Graph, state: TenantState, drive: Drive, offer: Item) -> None:
    before = datetime.fromtimestamp(state.now, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    state.rename(offer, "later.pdf")
    address = f"/drives/{drive.id}/root/delta?token="

    assert graph.get(f"{address}nonsense").json["error"]["message"] == "Provided sync token is malformed"
    assert [entry["name"] for entry in graph.get(f"{address}{before}").value][-1] == "later.pdf"


def test_the_sdks_way_of_writing_the_call(graph: Graph, drive: Drive) -> None:
    assert graph.get(f"/drives/{drive.id}/items/root/delta(token='latest')").value == []
    assert len(graph.get(f"/drives/{drive.id}/root/microsoft.graph.delta()").value) == 1


@pytest.mark.parametrize("query", ["$expand=permissions", "$expand=listItem", "$filter=name eq 'x'", "$orderby=name"])
def test_options_that_delta_refuses(graph: Graph, drive: Drive, query: str) -> None:
    reply = graph.get(f"/drives/{drive.id}/root/delta?{query}")

    assert (reply.status, reply.code) == (400, "notSupported")


def test_libraries_with_retention_may_refuse(server: Server, state: TenantState, drive: Drive) -> None:
    server.quirks.retention_needs_full_control = True
    state.create("kept.docx", drive=drive, extra=Extra(retention="10 years"))
    address = f"/drives/{drive.id}/root/delta"

    refused = Graph(server).get(address).status
    server.allow("Sites.FullControl.All")

    assert (refused, Graph(server).get(address).status) == (403, 200)


def test_empty_pages_and_items_that_come_twice(
    server: Server, graph: Graph, state: TenantState, drive: Drive, offer: Item
) -> None:
    """An empty page is not the end; the last occurrence of an item is the valid one."""
    server.quirks.empty_delta_pages = server.quirks.repeats_in_delta = True
    link = latest(graph, drive)
    state.rename(offer, "new.pdf")

    first = graph.get(link)
    entries, _ = graph.everything(link)

    assert first.value == []
    assert first.next
    assert [entry["name"] for entry in entries if entry["id"] == state.id_of(offer)] == ["~new.pdf", "new.pdf"]


def test_changes_while_pages_are_read_come_with_the_next_delta_link(
    graph: Graph, state: TenantState, drive: Drive, folder: Item, offer: Item
) -> None:
    first = graph.get(f"/drives/{drive.id}/root/delta?$top=1")
    late = state.create("late.pdf", parent=folder)
    state.trash(offer)

    entries, last = graph.everything(first.next)
    after, _ = changes(graph, last.delta)

    assert state.id_of(late) in {entry["id"] for entry in entries} | after.keys()
    assert "deleted" in after[state.id_of(offer)]
