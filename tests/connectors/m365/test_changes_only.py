"""Reading only changes yields what a full scan at the same moment yields, with few requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from cloudscan.facts import Audience
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan_emulators.microsoft import Quirks, Server, TenantState, company, errors, refusal
from cloudscan_emulators.microsoft.people import EVERYONE, INSIDERS
from cloudscan_emulators.microsoft.records import Drive, Item, Kind, Link
from tests.connectors.m365 import estate
from tests.connectors.nights import Nights, damage_saved_state, difference, nights_of, reports_with
from tests.kit.properties import examples

PEOPLE = (
    "mori@kumo.example", "hayashi@kumo.example", "disabled@kumo.example", "tanuki@partner.example", "spy@rival.example",
    "Nested", "営業部", "app:Backup robot", "external:gate@nomail.example", EVERYONE, INSIDERS,
)  # fmt: skip


@contextmanager
def nights(items: int = 120, quirks: Quirks | None = None) -> Iterator[Nights[Server]]:
    """Nights of the invented company with about this many items."""
    built = company.build(items)
    # The emulator reports where a shortcut's target is today; a move of that is not a change of the shortcut's library.
    for item in [item for item in built.state.items if item is not None and item.kind is Kind.SHORTCUT]:
        built.state.trash(item)
    with (
        estate.tenant(built.state, quirks=quirks) as server,
        nights_of(server, estate.connector) as company_nights,
    ):
        yield company_nights


def library(server: Server, path: str = "sites/office") -> Drive:
    """The first library of a site."""
    site = server.state.site_at(server.state.host, path)
    assert site is not None
    return server.state.drives[site.drives[0]]


@dataclass(frozen=True)
class Step:
    """A change that people make in a day; the numbers choose the item and the person."""

    what: str
    item: int
    other: int
    who: int
    role: int

    def apply(self, state: TenantState) -> None:
        items = [item for item in state.items if item is not None]
        item = items[self.item % len(items)]
        folders = [item for item in items if item.is_container]
        parent = folders[self.other % len(folders)]
        is_root = item.kind is Kind.ROOT
        whom = PEOPLE[self.who % len(PEOPLE)]
        match self.what:
            case "create":
                state.create(f"file {len(items)}", parent=parent)
            case "folder":
                state.folder(f"folder {len(items)}", parent=parent)
            case "move" if not is_root and parent.number not in {item.number, *_numbers_below(state, item)}:
                state.move(item, parent)
            case "rename" if not is_root:
                state.rename(item, f"renamed {self.other}")
            case "edit" if not is_root:
                state.edit(item, size=self.other)
            case "share":
                state.share(item, whom, ("read", "write", "sp.full control")[self.role % 3])
            case "unshare":
                state.unshare(item, whom)
            case "link":
                scope = ("anonymous", "organization", "users", "existingAccess")[self.role % 4]
                people = (whom,) if scope == "users" and whom not in (EVERYONE, INSIDERS) else ()
                ends = datetime.fromtimestamp(state.now, tz=UTC) + timedelta(days=5) if self.other % 3 == 0 else None
                state.link(item, ("view", "edit")[self.other % 2], scope, people=people, expires=ends)
            case "wait":
                state.now += self.role % 12 * 86_400
            case "unlink":
                _unlink(state, item)
            case "invite":
                state.invite(item, f"someone{self.other % 3}@rival.example")
            case "stop":
                state.stop_inheriting(item, keep=self.role % 2 == 0)
            case "inherit" if not is_root:
                state.inherit(item)
            case "trash" if not is_root:
                state.trash(item)
                if self.role % 3 == 0:
                    state.restore(item)
            case "disable":
                person = state.person(("hayashi@kumo.example", "tanuki@partner.example")[self.role % 2])
                person.enabled = not person.enabled
            case _:
                pass


def _numbers_below(state: TenantState, item: Item) -> set[int]:
    return {item.number for item in state.descendants(item)}


def _unlink(state: TenantState, item: Item) -> None:
    for grant in state.grants(item):
        if isinstance(grant, Link):
            state.unlink(grant)
            return


WHAT = (
    "create", "create", "folder", "folder", "move", "move", "move", "rename", "edit", "share", "share", "unshare",
    "link", "link", "unlink", "invite", "stop", "inherit", "trash", "trash", "disable", "wait",
)  # fmt: skip
NUMBER = st.integers(0, 10_000)
STEPS = st.lists(st.builds(Step, st.sampled_from(WHAT), NUMBER, NUMBER, NUMBER, NUMBER), min_size=1, max_size=10)
QUIRKS = st.builds(
    Quirks,
    delta_most=st.sampled_from((7, 1000)),
    children_page=st.sampled_from((2, 200)),
    empty_delta_pages=st.booleans(),
    repeats_in_delta=st.booleans(),
    empty_deleted=st.booleans(),
    deleted_children=st.booleans(),
    resync_on_library_change=st.booleans(),
    inherited_from=st.sampled_from(("full", "empty", "never")),
    sharepoint_group=st.booleans(),
    split_identities=st.booleans(),
    claims_raise_shared=st.booleans(),
)


@examples(2, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, min_size=1, max_size=3), QUIRKS)
def test_reading_changes_yields_what_a_full_scan_yields(history: list[list[Step]], quirks: Quirks) -> None:
    with nights(quirks=quirks) as kumo:
        latest, _ = kumo.scan()
        for day in history:
            for step in day:
                step.apply(kumo.server.state)
            latest, _ = kumo.scan(since=latest)
            full, _ = kumo.scan()
            assert difference(latest, full) == {}


def library_requests(server: Server) -> list[str]:
    return [
        request.path
        for request in server.log
        if "/drives/" in request.path and request.path.startswith("/v1.0/drives/")
    ]


def test_a_quiet_night_costs_one_request_per_library() -> None:
    """Beside the directory and the list of sites, which are read each night."""
    with nights() as kumo:
        first, _ = kumo.scan()
        kumo.server.log.clear()

        second, _ = kumo.scan(since=first)

        asked = library_requests(kumo.server)
        with Snapshot.open(second) as snapshot:
            sql = "SELECT count(*) FROM resources WHERE kind IN ('library', 'onedrive')"
            assert len(asked) == snapshot.query(sql).rows[0][0]
        assert asked
        assert all("root/delta" in path for path in asked)
        assert difference(first, second) == {}


def test_sharing_a_folder_opens_its_contents_though_microsoft_reports_no_change_of_them() -> None:
    with nights() as kumo:
        state = kumo.server.state
        above = state.folder("Plans", drive=library(kumo.server))
        state.create("plan.pdf", parent=state.folder("2026", parent=above))
        first, _ = kumo.scan()
        state.link(above, "view")

        second, _ = kumo.scan(since=first)

        with Snapshot.open(second) as snapshot:
            sql = "SELECT audience, origin_uid FROM exposures WHERE resource_name = 'plan.pdf' AND via = 'link'"
            origin = estate.item(kumo.server, state.id_of(above))
            assert snapshot.query(sql).rows == [[Audience.ANYONE_WITH_LINK, origin]]


def test_the_contents_of_a_deleted_folder_are_gone_too() -> None:
    with nights() as kumo:
        state = kumo.server.state
        above = state.folder("Old", drive=library(kumo.server))
        state.link(state.create("old.pdf", parent=state.folder("2019", parent=above)))
        first, _ = kumo.scan()
        state.trash(above)

        second, _ = kumo.scan(since=first)

        full, _ = kumo.scan()

        with Snapshot.open(second) as snapshot:
            assert snapshot.query("SELECT name FROM resources WHERE name IN ('Old', '2019', 'old.pdf')").rows == []
        assert difference(second, full) == {}


def test_after_an_expired_token_the_library_is_read_in_full_with_the_reason() -> None:
    with nights() as kumo:
        first, _ = kumo.scan()
        kumo.server.state.link(kumo.server.state.create("new", drive=library(kumo.server)))
        kumo.server.state.forget_changes(library(kumo.server))

        second, events = kumo.scan(since=first)
        full, _ = kumo.scan()

        assert reports_with(events, "graph-token-too-old")
        assert difference(second, full) == {}


@pytest.mark.parametrize(
    "refused", [errors.bad("Provided sync token is malformed", "invalidRequest"), errors.no_such_item()]
)
def test_after_a_rejected_token_the_library_is_read_in_full_with_the_reason(refused: errors.Refused) -> None:
    """However it is refused: the library itself answers."""
    with nights() as kumo:
        first, _ = kumo.scan()
        kumo.server.state.link(kumo.server.state.create("new", drive=library(kumo.server)))
        kumo.server.faults.add(refusal(f"{library(kumo.server).id}/root/delta\\(token", refused))

        second, events = kumo.scan(since=first)
        kumo.server.faults.clear()
        full, _ = kumo.scan()

        assert reports_with(events, "graph-changes-refused")
        assert difference(second, full) == {}


def read_from_the_start(server: Server) -> list[str]:
    """Libraries that were read from the start."""
    return [request.path for request in server.log if request.path.endswith("/root/delta")]


def test_a_disabled_account_is_noticed_though_no_item_changed() -> None:
    """Only the items that the account has access to are read again, with the contents of its folders."""
    with nights() as kumo:
        state = kumo.server.state
        state.share(state.create("Handover", drive=library(kumo.server)), "hayashi@kumo.example")
        above = state.folder("Desk", drive=library(kumo.server))
        state.share(above, "hayashi@kumo.example")
        state.create("Drawer", parent=above)
        first, _ = kumo.scan()
        state.person("hayashi@kumo.example").enabled = False
        kumo.server.log.clear()

        second, _ = kumo.scan(since=first)
        anew = read_from_the_start(kumo.server)
        full, _ = kumo.scan()

        with Snapshot.open(second) as snapshot:
            sql = (
                "SELECT resource_name, effective, blocked_by FROM exposures WHERE via = 'direct' "
                "AND resource_name IN ('Handover', 'Drawer') ORDER BY 1"
            )
            blocked = "graph-account-disabled"
            assert snapshot.query(sql).rows == [["Drawer", False, blocked], ["Handover", False, blocked]]
        assert anew == []
        assert difference(second, full) == {}


def test_a_link_that_expires_overnight_is_noticed_though_no_item_changed() -> None:
    with nights() as kumo:
        state = kumo.server.state
        ends = datetime.fromtimestamp(state.now, tz=UTC) + timedelta(days=2)
        state.link(state.create("Offer", drive=library(kumo.server)), expires=ends)
        first, _ = kumo.scan()
        state.now += 3 * 86_400
        kumo.server.log.clear()

        second, _ = kumo.scan(since=first)

        with Snapshot.open(second) as snapshot:
            sql = "SELECT effective, blocked_by FROM exposures WHERE resource_name = 'Offer' AND via = 'link'"
            assert snapshot.query(sql).rows == [[False, "graph-link-expired"]]
        assert read_from_the_start(kumo.server) == []


def test_a_locked_library_is_not_reported_from_the_last_scan() -> None:
    with nights() as kumo:
        first, _ = kumo.scan()
        site = kumo.server.state.sites[library(kumo.server).site]
        kumo.server.state.lock_site(site)

        second, _ = kumo.scan(since=first)
        full, _ = kumo.scan()

        assert difference(second, full) == {}


def test_changed_options_lead_to_a_full_scan() -> None:
    with nights() as kumo:
        first, _ = kumo.scan()

        second, _ = kumo.scan(since=first, all_unique_permissions=True)
        full, _ = kumo.scan(all_unique_permissions=True)

        assert difference(second, full) == {}


@pytest.mark.parametrize("damage", [b"", b"no gzip", b"\x1f\x8b\x08\x00"])
def test_a_damaged_cursor_leads_to_a_full_scan(damage: bytes) -> None:
    with nights() as kumo:
        first, _ = kumo.scan()
        damage_saved_state(first, damage)

        second, _ = kumo.scan(since=first)

        assert difference(first, second) == {}
