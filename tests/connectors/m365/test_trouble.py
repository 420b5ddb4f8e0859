"""Microsoft throttles, breaks off, forgets and refuses: nothing is lost, nothing is told twice, and gaps are said."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudscan.errors import (
    AccessDenied,
    ConfigurationError,
    Malformed,
    ProviderError,
    QuotaSpent,
    StalePage,
    Throttled,
    Unreachable,
)
from cloudscan.facts import Grant, Outcome, Resource
from cloudscan.http import Patience
from cloudscan.testing import conforms
from cloudscan_emulators.microsoft import Fault, Quota, Server, company, errors, outage, refusal, throttle
from cloudscan_m365.connector import M365Connector
from cloudscan_m365.doctor import checks
from cloudscan_m365.meaning import uids
from cloudscan_m365.options import Options
from cloudscan_m365.permissions import FULL_CONTROL, SITES
from cloudscan_m365.settings import SETTINGS
from tests.connectors.m365 import estate
from tests.connectors.reading import Read, read

DELTA = "GET .*/root/delta"
PERMISSIONS = "GET .*/permissions"
BATCH = r"POST .*/\$batch"


@pytest.fixture(scope="module")
def built() -> company.Company:
    return company.build(200)


@pytest.fixture
def server(built: company.Company) -> Iterator[Server]:
    with estate.tenant(built.state) as running:
        yield running


@pytest.fixture
def scan(server: Server, tmp_path: Path) -> Callable[..., Read]:
    def scanned(**options: Any) -> Read:
        return read(estate.connector(server, tmp_path, **options))

    return scanned


@pytest.fixture(scope="module")
def shared(built: company.Company) -> Iterator[Server]:
    """One server for all faults that pass; each test switches off what the one before it left on."""
    with estate.tenant(built.state) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(shared: Server, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """What the connector reads where nothing goes wrong."""
    shared.faults.clear()
    return read(estate.connector(shared, tmp_path_factory.mktemp("undisturbed")))


def essence(told: Read) -> set[str]:
    return {each.uid for each in told.facts if isinstance(each, Resource | Grant)}


def grants_of(told: Read) -> dict[str, Grant]:
    return {each.uid: each for each in told.facts if isinstance(each, Grant)}


@pytest.mark.parametrize(
    "fault",
    [
        throttle(DELTA, times=3),
        throttle(DELTA, code=503, times=3),
        throttle(PERMISSIONS, times=3),
        throttle(PERMISSIONS, code=503, times=3),
        throttle("GET .*/drives", times=5),
        throttle(BATCH, times=3),
        throttle("GET .*/organization", times=2),
        outage(DELTA, code=500, times=3),
        outage(DELTA, code=503, times=3),
        outage(PERMISSIONS, code=504, times=3),
        Fault(where=DELTA, html=502, times=3),
        Fault(where=PERMISSIONS, html=502, times=3),
        Fault(where=BATCH, html=502, times=3),
        Fault(where=DELTA, cut=True, times=3),
        Fault(where=BATCH, cut=True, times=3),
        Fault(where=DELTA, garble=True, times=3),
        Fault(where=BATCH, garble=True, times=3),
        Fault(where=DELTA, reset=True, times=3),
        Fault(where=BATCH, reset=True, times=3),
        Fault(where=DELTA, expire=True, after=2, times=1),
        Fault(where=PERMISSIONS, expire=True, after=2, times=1),
        Fault(where="GET .*/getAllSites", reset=True, times=1),
    ],
    ids=lambda fault: f"{fault.where[-12:]} {fault.html or fault.cut or fault.reset or fault.expire or fault.error}"[
        :60
    ],
)
def test_passing_trouble_changes_nothing(shared: Server, undisturbed: Read, fault: Fault, tmp_path: Path) -> None:
    shared.faults.clear()
    shared.faults.add(fault)

    told = read(estate.connector(shared, tmp_path))

    assert told.refused == {}
    assert essence(told) == essence(undisturbed)
    assert len(told.facts) == len(undisturbed.facts)


def test_a_pause_that_never_ends_is_passed_on_and_costs_its_library_only(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    drive = server.state.drives[0].id
    server.faults.add(throttle(f"{drive}/root/delta", times=None))

    told = scan()

    assert list(told.refused) == [uids.library(drive)]
    assert isinstance(told.refused[uids.library(drive)], Throttled)
    assert told.of_kind("file")


def test_a_batch_whose_parts_stay_throttled_loses_nothing_silently(server: Server, scan: Callable[..., Read]) -> None:
    server.faults.add(throttle(PERMISSIONS, times=None))

    told = scan()

    assert {type(error) for error in told.refused.values()} == {Throttled}
    assert told.of_kind("file") == []


def test_whoever_is_asked_to_wait_waits_and_loses_nothing(built: company.Company, tmp_path: Path) -> None:
    """A tenant with little quota, which shuts the door for good to whoever keeps asking meanwhile."""
    quota = Quota(app_minute=300, minute=1.0, block_after=25)
    with estate.tenant(built.state, quota=quota) as server:
        patient = Patience(attempts=6, pause=0.01, longest=5.0)
        told = read(estate.connector(server, tmp_path, patience=patient))

        assert told.refused == {}
        assert told.of_kind("file")
        assert [each for each in server.log if each.status == 429]
        assert not [each for each in server.log if each.status == 503]


@pytest.mark.parametrize("where", [DELTA, PERMISSIONS])
def test_a_day_whose_units_are_spent_is_not_waited_for(server: Server, scan: Callable[..., Read], where: str) -> None:
    server.faults.add(throttle(where, retry_after=6 * 3600, times=None))

    told = scan()

    assert {type(error) for error in told.refused.values()} == {QuotaSpent}
    assert "6 hours" in str(next(iter(told.refused.values())))


def test_our_own_budget_keeps_below_the_quota(built: company.Company, tmp_path: Path) -> None:
    with estate.tenant(built.state) as server:
        begun = time.monotonic()
        told = read(estate.connector(server, tmp_path, resource_units_per_minute=3_000))
        seconds = time.monotonic() - begun

        assert told.refused == {}
        assert server.units <= 3_000 / 6 + 3_000 / 60 * seconds + 100


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(where=DELTA, repeat=True), StalePage),
        (Fault(where=DELTA, next_link="https://collector.example/v1.0/drives"), Malformed),
        (Fault(where=DELTA, garble=True), Unreachable),
        (refusal(DELTA, errors.resync("resyncRequired", "https://graph.microsoft.com/v1.0/x")), ProviderError),
    ],
)
def test_a_list_that_is_no_list_costs_its_library_only(
    server: Server, scan: Callable[..., Read], fault: Fault, error: type[Exception]
) -> None:
    drive = server.state.drives[0].id
    server.faults.add(Fault(**{**{name: getattr(fault, name) for name in fault.__dataclass_fields__},
                               "where": f"{drive}/root/delta"}))  # fmt: skip

    told = scan()

    assert list(told.refused) == [uids.library(drive)]
    assert isinstance(told.refused[uids.library(drive)], error)
    assert told.of_kind("file")


def test_our_token_goes_to_no_other_host(server: Server, scan: Callable[..., Read]) -> None:
    with estate.tenant(company.build(10).state) as stranger:
        server.faults.add(Fault(where=DELTA, next_link=f"{stranger.graph}/drives/x/root/delta"))

        scan()

        assert stranger.log == []


def test_an_item_that_is_gone_meanwhile_is_left_out(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    identity = built.scenarios["anyone view"]
    server.faults.add(refusal(f"items/{identity}/permissions", errors.no_such_item()))

    told = scan()

    assert told.refused == {}
    assert not told.has(estate.item(server, identity))
    assert told.has(estate.item(server, built.scenarios["anyone edit"]))


def test_an_item_whose_permissions_may_not_be_seen_is_unknown_and_not_private(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    identity = built.scenarios["anyone view"]
    server.faults.add(refusal(f"items/{identity}/permissions", errors.denied("files", (), ())))

    told = scan()

    uid = estate.item(server, identity)
    assert {each.audience for each in told.grants(uid)} == {None}
    assert told.gap("does not show who may open it").resource_uid == uid


def test_what_lies_in_a_folder_whose_permissions_may_not_be_seen_is_unknown_too(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    server.faults.add(refusal(f"items/{built.scenarios['anyone folder']}/permissions", errors.denied("files", (), ())))

    inside = scan().grants(estate.item(server, built.scenarios["in anyone folder"]))

    assert {each.audience for each in inside} == {None}


def test_a_list_that_is_too_short_for_what_is_shared_is_no_proof_of_privacy(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    """A reader is not always shown whom a file is shared with; Microsoft still says that it is."""
    server.quirks.short_lists_without_full_control = True
    state = server.state
    item = state.create("Salaries.xlsx", drive=state.drives[state.person("mori@kumo.example").drive])
    state.share(item, "spy@rival.example")

    told = scan()

    uid = estate.item(server, state.id_of(item))
    assert {each.audience for each in told.grants(uid)} == {None}
    assert uid in {gap.resource_uid for gap in told.gaps if "does not show who may open it" in gap.reason}
    assert scan(all_unique_permissions=True).refused == {}


def test_a_site_that_is_locked_is_named_and_costs_itself_only(server: Server, scan: Callable[..., Read]) -> None:
    told = scan()

    gap = told.gap("Locked: the site is locked")
    assert gap.outcome is Outcome.DENIED
    assert told.resource(gap.resource_uid or "").detail["lock"] == "NoAccess"
    assert told.refused == {}


def test_a_site_that_is_locked_during_the_scan_is_refused(server: Server, scan: Callable[..., Read]) -> None:
    drive = server.state.drives[0]
    server.faults.add(refusal(f"{drive.id}/root/delta", errors.locked()))

    (error,) = scan().refused.values()

    assert isinstance(error, AccessDenied)
    assert "locked" in str(error)


def test_a_site_that_is_deleted_during_the_scan_costs_itself_only(server: Server, scan: Callable[..., Read]) -> None:
    drive = server.state.drives[1]
    server.faults.add(refusal(f"{drive.id}/", errors.no_such_item()))

    told = scan()

    assert list(told.refused) == [uids.library(drive.id)]


@pytest.mark.parametrize("inherited_from", ["told", "empty", "never"])
@pytest.mark.parametrize("split", [True, False])
def test_manners_that_differ_tell_the_same(
    server: Server, scan: Callable[..., Read], inherited_from: str, split: bool
) -> None:
    plain = scan()
    quirks = server.quirks
    quirks.inherited_from, quirks.split_identities = inherited_from, split
    quirks.sharepoint_group, quirks.empty_delta_pages, quirks.permissions_page = False, True, 7
    quirks.delta_most, quirks.sites_page = 9, 4

    told = scan()

    assert essence(told) == essence(plain)
    assert grants_of(told) == grants_of(plain)


def test_chosen_sites_are_read_and_no_others(server: Server, scan: Callable[..., Read]) -> None:
    told = scan(sites=[f"https://{server.state.host}/sites/office"])

    assert {each.name for each in told.of_kind("site")} == {"事務所", "会議"}
    assert told.of_kind("onedrive") == []


def test_skipped_sites_and_onedrives_are_not_read(server: Server, scan: Callable[..., Read]) -> None:
    told = scan(skip_sites=[f"https://{server.state.host}/sites/Office/"], onedrives=False)

    assert not {"事務所", "会議"} & {each.name for each in told.of_kind("site")}
    assert told.of_kind("onedrive") == []


def test_who_has_access_is_asked_for_only_where_something_is_shared(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    server.log.clear()
    scan()

    asked = {each.path.split("/items/")[1].split("/")[0] for each in server.log if each.path.endswith("/permissions")}
    state = server.state
    own = {state.id_of(item) for item in state.items if item is not None and item.grants is not None}
    assert asked <= own
    assert built.scenarios["private"] not in asked
    assert all(each.in_batch for each in server.log if each.path.endswith("/permissions"))


def test_a_client_secret_reads_what_graph_has_and_names_what_is_missing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", server.client_secret)

    told = read(estate.connector(server, tmp_path, certificate_file=""))

    assert told.refused == {}
    assert told.gap("site groups and the settings").needs == FULL_CONTROL
    assert told.of_kind("file")
    assert not [each for each in server.log if "/_api/" in each.path]


def test_without_the_right_to_sites_the_right_is_named(server: Server, scan: Callable[..., Read]) -> None:
    server.allow("User.Read.All")

    (error,) = scan().refused.values()

    assert isinstance(error, AccessDenied)
    assert error.needs == SITES


def test_the_doctor_names_each_right_that_is_missing(server: Server, tmp_path: Path) -> None:
    reader = estate.connector(server, tmp_path)
    assert all(check.ok for check in checks(reader.options, estate.ESTATE))
    server.allow("User.Read.All", "Sites.Read.All", sharepoint=())

    amiss = [check for check in checks(reader.options, estate.ESTATE) if not check.ok]

    assert any("GroupMember.Read.All" in check.remedy for check in amiss)
    assert any(FULL_CONTROL in check.remedy for check in amiss)
    assert not any("Sites.Read.All" in check.what for check in amiss)


def test_a_wrong_secret_is_told_in_entras_words(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "another")

    (error,) = read(estate.connector(server, tmp_path, certificate_file="")).refused.values()

    assert isinstance(error, AccessDenied)
    assert "AADSTS7000215" in str(error)


def test_no_tenant_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "secret")

    with pytest.raises(ConfigurationError, match="AZURE_TENANT_ID"):
        M365Connector.open(Options(), estate.ESTATE)


def test_a_certificate_that_is_not_there_says_so(tmp_path: Path) -> None:
    options = Options(tenant="t", client_id="c", certificate_file=str(tmp_path / "none.pem"))

    with pytest.raises(ConfigurationError, match="cannot be read"):
        M365Connector.open(options, estate.ESTATE)


@pytest.mark.parametrize("kind", ["managed_identity", "workload_identity"])
def test_machines_sign_in_without_a_secret(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    token = tmp_path / "token"
    token.write_text("workload-identity-token", encoding="ascii")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token))
    for name, value in server.managed_identity().items():
        monkeypatch.setenv(name, value)
    client = "" if kind == "managed_identity" else server.client_id

    told = read(estate.connector(server, tmp_path, certificate_file="", sign_in=kind, client_id=client))

    assert told.refused == {}
    assert told.of_kind("file")


def test_a_dead_endpoint_is_unreachable(tmp_path: Path, server: Server) -> None:
    (error,) = read(estate.connector(server, tmp_path, endpoint="http://127.0.0.1:9")).refused.values()

    assert isinstance(error, Unreachable)
    assert "127.0.0.1:9" in str(error)


def test_it_conforms(server: Server, tmp_path: Path) -> None:
    conforms(estate.connector(server, tmp_path), settings=SETTINGS)


def test_labels_of_shared_files_are_read_where_that_is_wanted(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    uid = estate.item(server, built.scenarios["labelled"])
    assert scan().resource(uid).label == ""
    server.log.clear()

    told = scan(file_labels=True)

    assert told.resource(uid).label
    asked = [each for each in server.log if each.path.endswith("/extractSensitivityLabels")]
    assert all(each.in_batch for each in asked)
    assert len(asked) < len(told.of_kind("file")) / 2


def test_links_are_never_told(server: Server, scan: Callable[..., Read]) -> None:
    """Who has a sharing link's address gets in; the scanner may see it where it could make links itself."""
    server.allow("Sites.FullControl.All", "User.Read.All", "GroupMember.Read.All")

    told = scan()

    assert told.of_kind("file")
    assert not [fact for fact in told.facts if "/:b:/" in str(fact) or "/:f:/" in str(fact) or "?e=" in str(fact)]
