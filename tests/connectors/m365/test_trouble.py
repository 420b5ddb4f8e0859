"""Microsoft throttles, fails, forgets and refuses: nothing is lost or reported twice, and gaps are named."""

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
from cloudscan.facts import Grant, Outcome
from cloudscan.http import Patience
from cloudscan.reason import Reason
from cloudscan.testing import conforms
from cloudscan_emulators.microsoft import Fault, Quota, Server, company, errors, outage, refusal, throttle
from cloudscan_m365.connector import M365Connector
from cloudscan_m365.doctor import checks
from cloudscan_m365.meaning import uids
from cloudscan_m365.options import Options
from cloudscan_m365.permissions import FULL_CONTROL, SITES
from cloudscan_m365.settings import SETTINGS
from tests.connectors.m365 import estate
from tests.connectors.nights import fault_id, uids_of
from tests.connectors.reading import Read, read

DELTA = "GET .*/root/delta"
PERMISSIONS = "GET .*/permissions"
BATCH = r"POST .*/\$batch"
PERMISSIONS_OF_ITEMS = "m365-item-permissions"


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
def shared() -> Iterator[Server]:
    """One server for all faults that pass; each test switches off what the one before it left on."""
    with estate.tenant(company.build(200).state) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(shared: Server, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """What the connector reads where nothing goes wrong."""
    shared.faults.clear()
    return read(estate.connector(shared, tmp_path_factory.mktemp("undisturbed")))


def grants_of(result: Read) -> dict[str, Grant]:
    return {grant.uid: grant for grant in result.facts if isinstance(grant, Grant)}


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
    ids=fault_id,
)
def test_passing_trouble_changes_nothing(shared: Server, undisturbed: Read, fault: Fault, tmp_path: Path) -> None:
    shared.faults.clear()
    shared.faults.add(fault)

    result = read(estate.connector(shared, tmp_path))

    assert result.refused == {}
    assert uids_of(result) == uids_of(undisturbed)
    assert len(result.facts) == len(undisturbed.facts)


def test_endless_throttling_fails_only_its_library(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    drive = server.state.drives[0].id
    server.faults.add(throttle(f"{drive}/root/delta", times=None))

    result = scan()

    assert list(result.refused) == [uids.library(drive)]
    assert isinstance(result.refused[uids.library(drive)], Throttled)
    assert result.of_kind("file")


def test_a_batch_with_throttled_parts_loses_nothing_silently(server: Server, scan: Callable[..., Read]) -> None:
    server.faults.add(throttle(PERMISSIONS, times=None))

    result = scan()

    assert result.refused == {}
    assert result.of_kind("file")
    asked = {grant.resource_uid for grant in grants_of(result).values() if grant.audience is None}
    assert asked
    gaps = [gap for gap in result.gaps if gap.question == PERMISSIONS_OF_ITEMS]
    assert {gap.reason.code for gap in gaps if isinstance(gap.reason, Reason)} == {"graph-throttled"}
    assert all(gap.passing for gap in gaps)


def test_retry_after_is_respected_and_nothing_is_lost(built: company.Company, tmp_path: Path) -> None:
    """A tenant with little quota, which blocks clients for good that do not wait."""
    quota = Quota(app_minute=300, minute=1.0, block_after=25)
    with estate.tenant(built.state, quota=quota) as server:
        patient = Patience(attempts=6, pause=0.01, longest=5.0)
        result = read(estate.connector(server, tmp_path, patience=patient))

        assert result.refused == {}
        assert result.of_kind("file")
        assert [request for request in server.log if request.status == 429]
        assert not [request for request in server.log if request.status == 503]


@pytest.mark.parametrize("where", [DELTA, PERMISSIONS])
def test_a_spent_daily_quota_ends_the_scan(server: Server, scan: Callable[..., Read], where: str) -> None:
    server.faults.add(throttle(where, retry_after=6 * 3600, times=None))

    result = scan()

    assert {type(error) for error in result.refused.values()} == {QuotaSpent}
    assert "6 hours" in str(next(iter(result.refused.values())))


def test_our_own_budget_keeps_below_the_quota(built: company.Company, tmp_path: Path) -> None:
    with estate.tenant(built.state) as server:
        begun = time.monotonic()
        result = read(estate.connector(server, tmp_path, resource_units_per_minute=6_000))
        seconds = time.monotonic() - begun

        assert result.refused == {}
        assert 6_000 / 6 < server.units <= 6_000 / 6 + 6_000 / 60 * seconds + 100


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(where=DELTA, repeat=True), StalePage),
        (Fault(where=DELTA, next_link="https://collector.example/v1.0/drives"), Malformed),
        (Fault(where=DELTA, garble=True), Unreachable),
        (refusal(DELTA, errors.resync("resyncRequired", "https://graph.microsoft.com/v1.0/x")), ProviderError),
    ],
)
def test_a_broken_list_fails_only_its_library(
    server: Server, scan: Callable[..., Read], fault: Fault, error: type[Exception]
) -> None:
    drive = server.state.drives[0].id
    server.faults.add(Fault(**{**{name: getattr(fault, name) for name in fault.__dataclass_fields__},
                               "where": f"{drive}/root/delta"}))  # fmt: skip

    result = scan()

    assert list(result.refused) == [uids.library(drive)]
    assert isinstance(result.refused[uids.library(drive)], error)
    assert result.of_kind("file")


def test_our_token_goes_to_no_other_host(server: Server, scan: Callable[..., Read]) -> None:
    with estate.tenant(company.build(10).state) as other:
        server.faults.add(Fault(where=DELTA, next_link=f"{other.graph}/drives/x/root/delta"))

        scan()

        assert other.log == []


def test_an_item_deleted_meanwhile_is_left_out(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    identity = built.scenarios["anyone view"]
    server.faults.add(refusal(f"items/{identity}(/permissions|\\?)", errors.no_such_item()))

    result = scan()

    assert result.refused == {}
    assert not result.has(estate.item(server, identity))
    assert result.has(estate.item(server, built.scenarios["anyone edit"]))


def test_an_item_with_unreadable_permissions_is_unknown_and_not_private(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    identity = built.scenarios["anyone view"]
    server.faults.add(refusal(f"items/{identity}/permissions", errors.denied("files", (), ())))

    result = scan()

    uid = estate.item(server, identity)
    assert {grant.audience for grant in result.grants(uid)} == {None}
    assert result.gap("graph-refused").resource_uid == uid


def test_the_contents_of_a_folder_with_unreadable_permissions_are_unknown_too(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    server.faults.add(refusal(f"items/{built.scenarios['anyone folder']}/permissions", errors.denied("files", (), ())))

    inside = scan().grants(estate.item(server, built.scenarios["in anyone folder"]))

    assert {entry.audience for entry in inside} == {None}


def test_a_list_without_the_recipients_of_a_shared_item_does_not_prove_privacy(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    """A reader is not always shown the recipients of a shared file; Microsoft still reports it as shared."""
    server.quirks.short_lists_without_full_control = True
    state = server.state
    item = state.create("Salaries.xlsx", drive=state.drives[state.person("mori@kumo.example").drive])
    state.share(item, "spy@rival.example")

    result = scan()

    uid = estate.item(server, state.id_of(item))
    assert {grant.audience for grant in result.grants(uid)} == {None}
    hidden = [hidden.below for gap in result.gaps if gap.question == PERMISSIONS_OF_ITEMS for hidden in gap.hidden]
    assert uid in hidden
    assert scan(all_unique_permissions=True).refused == {}


def test_a_locked_site_is_named_and_affects_nothing_else(server: Server, scan: Callable[..., Read]) -> None:
    result = scan()

    gap = result.gap("graph-site-locked")
    assert gap.outcome is Outcome.DENIED
    assert result.resource(gap.resource_uid or "").detail["lock"] == "NoAccess"
    assert result.refused == {}


def test_a_site_that_is_locked_during_the_scan_is_refused(server: Server, scan: Callable[..., Read]) -> None:
    drive = server.state.drives[0]
    server.faults.add(refusal(f"{drive.id}/root/delta", errors.locked()))

    (error,) = scan().refused.values()

    assert isinstance(error, AccessDenied)
    assert "locked" in str(error)


def test_a_site_deleted_during_the_scan_fails_only_itself(server: Server, scan: Callable[..., Read]) -> None:
    drive = server.state.drives[1]
    server.faults.add(refusal(f"{drive.id}/", errors.no_such_item()))

    result = scan()

    assert list(result.refused) == [uids.library(drive.id)]


@pytest.mark.parametrize("inherited_from", ["full", "empty", "never"])
@pytest.mark.parametrize("split", [True, False])
def test_quirks_do_not_change_the_facts(
    server: Server, scan: Callable[..., Read], inherited_from: str, split: bool
) -> None:
    plain = scan()
    quirks = server.quirks
    quirks.inherited_from, quirks.split_identities = inherited_from, split
    quirks.sharepoint_group, quirks.empty_delta_pages, quirks.permissions_page = False, True, 7
    quirks.delta_most, quirks.sites_page = 9, 4

    result = scan()

    assert uids_of(result) == uids_of(plain)
    assert grants_of(result) == grants_of(plain)


def test_chosen_sites_are_read_and_no_others(server: Server, scan: Callable[..., Read]) -> None:
    result = scan(sites=[f"https://{server.state.host}/sites/office"])

    assert {resource.name for resource in result.of_kind("site")} == {"事務所", "会議"}
    assert result.of_kind("onedrive") == []


def test_skipped_sites_and_onedrives_are_not_read(server: Server, scan: Callable[..., Read]) -> None:
    result = scan(skip_sites=[f"https://{server.state.host}/sites/Office/"], onedrives=False)

    assert not {"事務所", "会議"} & {resource.name for resource in result.of_kind("site")}
    assert result.of_kind("onedrive") == []


def test_permissions_are_requested_only_for_shared_items(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    server.log.clear()
    scan(sampled_items=0)

    requests = [request for request in server.log if request.path.endswith("/permissions")]
    asked = {request.path.split("/items/")[1].split("/")[0] for request in requests}
    state = server.state
    own = {state.id_of(item) for item in state.items if item is not None and item.grants is not None}
    assert built.scenarios["anyone view"] in asked
    assert asked <= own
    assert built.scenarios["private"] not in asked
    assert all(request.in_batch for request in requests)


def test_a_client_secret_reads_graph_and_names_what_is_missing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", server.client_secret)

    result = read(estate.connector(server, tmp_path, certificate_file=""))

    assert result.refused == {}
    assert result.gap("graph-wants-certificate").needs == FULL_CONTROL
    assert result.of_kind("file")
    assert not [request for request in server.log if "/_api/" in request.path]


def test_without_access_to_sites_the_permission_is_named(server: Server, scan: Callable[..., Read]) -> None:
    server.allow("User.Read.All")

    result = scan()

    assert result.refused == {}
    assert {gap.question for gap in result.gaps if gap.needs == SITES} == {"m365-sites", "m365-root-site"}


def test_the_doctor_names_each_missing_permission(server: Server, tmp_path: Path) -> None:
    reader = estate.connector(server, tmp_path)
    assert all(check.ok for check in checks(reader.options, estate.ESTATE))
    server.allow("User.Read.All", "Sites.Read.All", sharepoint=())

    amiss = [check for check in checks(reader.options, estate.ESTATE) if not check.ok]

    assert any("GroupMember.Read.All" in check.remedy for check in amiss)
    assert any(FULL_CONTROL in check.remedy for check in amiss)
    assert not any("Sites.Read.All" in check.what for check in amiss)


def test_a_wrong_secret_is_reported_with_entras_message(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """And azure-identity prints nothing of its own."""
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "another")

    (error,) = read(estate.connector(server, tmp_path, certificate_file="")).refused.values()

    assert isinstance(error, AccessDenied)
    assert error.reason.code == "graph-secret-wrong"
    assert "AADSTS7000215" in str(error)
    assert capfd.readouterr().err == ""


def test_a_batch_that_is_refused_is_asked_part_by_part(shared: Server, undisturbed: Read, tmp_path: Path) -> None:
    """Another part may be the reason: each costs itself."""
    shared.faults.clear()
    shared.faults.add(refusal(BATCH, errors.bad("Invalid batch payload format.")))

    result = read(estate.connector(shared, tmp_path))

    assert uids_of(result) == uids_of(undisturbed)
    assert result.refused == {}


def test_the_doctor_names_what_the_tenant_does_not_answer(server: Server, tmp_path: Path) -> None:
    reader = estate.connector(server, tmp_path)
    server.faults.add(refusal("sensitivityLabels", errors.no_such_item()))

    (amiss,) = [check for check in checks(reader.options, estate.ESTATE) if not check.ok]

    assert "sensitivity labels" in amiss.what
    assert "waive" in amiss.remedy


def test_no_tenant_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "secret")

    with pytest.raises(ConfigurationError, match="AZURE_TENANT_ID"):
        M365Connector.open(Options(), estate.ESTATE)


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
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

    result = read(estate.connector(server, tmp_path, certificate_file="", sign_in=kind, client_id=client))

    assert result.refused == {}
    assert result.of_kind("file")


def test_a_dead_endpoint_is_unreachable(tmp_path: Path, server: Server) -> None:
    (error,) = read(estate.connector(server, tmp_path, endpoint="http://127.0.0.1:9")).refused.values()

    assert isinstance(error, Unreachable)
    assert "127.0.0.1:9" in str(error)


def test_it_conforms(server: Server, tmp_path: Path) -> None:
    conforms(estate.connector(server, tmp_path), settings=SETTINGS)


def test_labels_of_shared_files_are_read_on_request(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    uid = estate.item(server, built.scenarios["labelled"])
    assert scan().resource(uid).label == ""
    server.log.clear()

    result = scan(file_labels=True)

    assert result.resource(uid).label
    asked = [request for request in server.log if request.path.endswith("/extractSensitivityLabels")]
    assert asked
    assert all(request.in_batch for request in asked)
    assert len(asked) < len(result.of_kind("file")) / 2


def test_addresses_of_links_are_never_reported(server: Server, scan: Callable[..., Read]) -> None:
    """Anyone who has a sharing link's address gets in; an application that may create links is shown it."""
    server.allow("Sites.FullControl.All", "User.Read.All", "GroupMember.Read.All")

    result = scan()

    assert result.of_kind("file")
    assert not [fact for fact in result.facts if "/:b:/" in str(fact) or "/:f:/" in str(fact) or "?e=" in str(fact)]


def test_an_item_that_microsoft_calls_not_shared_may_be_looked_at(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    """A sample is: where it has permissions of its own after all, who has access is unknown."""
    uid = estate.item(server, built.scenarios["anyone view"])

    def without_facet(page: Any) -> Any:
        return {**page, "value": [{name: item[name] for name in item if name != "shared"} for item in page["value"]]}

    server.faults.add(Fault(where=DELTA, change=without_facet))
    looked_at, not_looked_at = scan(), scan(sampled_items=0)

    assert None in {grant.audience for grant in looked_at.grants(uid)}
    assert uid in {hidden.below for gap in looked_at.gaps for hidden in gap.hidden}
    assert None not in {grant.audience for grant in not_looked_at.grants(uid)}
