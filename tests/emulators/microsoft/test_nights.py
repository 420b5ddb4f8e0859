from random import Random
from typing import Any

import pytest

from cloudscan_emulators.microsoft import Server, TenantState
from cloudscan_emulators.microsoft.records import Drive, Item, Kind, Link
from tests.emulators.microsoft.graph_client import EVERYTHING, Graph

Known = dict[str, tuple[Any, ...]]


def night(graph: Graph, known: Known, link: str) -> str:
    """Apply a night's changes as a scanner does: the last occurrence wins, a folder takes its contents along."""
    entries, last = graph.everything(link, EVERYTHING)
    for entry in entries:
        if "deleted" in entry:
            forget(known, entry["id"])
        else:
            parent = entry.get("parentReference", {}).get("id")
            known[entry["id"]] = (entry["name"], parent, str(entry.get("shared")))
    return last.delta


def forget(known: Known, identity: str) -> None:
    known.pop(identity, None)
    for child in [name for name, facets in known.items() if facets[1] == identity]:
        forget(known, child)


def something_happens(state: TenantState, drive: Drive, dice: Random) -> None:
    living = [item for number in drive.items if (item := state.items[number]) is not None]
    item = dice.choice(living)
    folders = [item for item in living if item.is_container]
    inside = {below.number for below in (item, *state.descendants(item))}
    free = [folder for folder in folders if folder.number not in inside]
    match dice.randrange(9):
        case 0:
            state.create(f"file {dice.random()}", parent=dice.choice(folders))
        case 1:
            state.folder(f"folder {dice.random()}", parent=dice.choice(folders))
        case 2 if item.kind is not Kind.ROOT:
            state.rename(item, f"name {dice.random()}")
        case 3 if free and item.kind is not Kind.ROOT:
            state.move(item, dice.choice(free))
        case 4 if item.kind is not Kind.ROOT:
            state.trash(item)
            if dice.random() < 0.5:
                state.restore(item)
        case 5:
            state.link(item, scope=dice.choice(("anonymous", "organization", "users")))
        case 6:
            state.share(item, "tanuki@partner.example")
        case 7:
            unlink(state, item)
        case 8 if item.kind is not Kind.ROOT:
            dice.choice((state.inherit, state.stop_inheriting))(item)


def unlink(state: TenantState, item: Item) -> None:
    for grant in state.grants(item):
        if isinstance(grant, Link):
            state.unlink(grant)
            return


@pytest.mark.parametrize("seed", range(6))
def test_many_deltas_yield_the_same_as_a_full_list(
    server: Server, graph: Graph, state: TenantState, drive: Drive, seed: int
) -> None:
    dice = Random(seed)
    server.quirks.empty_delta_pages = seed % 2 == 0
    server.quirks.repeats_in_delta = seed % 3 == 0
    address = f"/drives/{drive.id}/root/delta?$top={1 + seed}"
    known: Known = {}
    link = night(graph, known, address)

    for _ in range(6):
        for _ in range(dice.randrange(8)):
            something_happens(state, drive, dice)
        link = night(graph, known, link)

    fresh: Known = {}
    night(graph, fresh, address)
    assert known == fresh
