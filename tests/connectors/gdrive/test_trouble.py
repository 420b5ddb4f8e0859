"""Google throttles, breaks off, forgets and refuses: nothing is lost or yielded twice, and gaps are reported."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudscan.connector import Gap
from cloudscan.errors import CloudscanError, ConfigurationError, Throttled
from cloudscan.facts import Audience, Grant, Outcome, Via
from cloudscan.reason import Reason, advice, sentence
from cloudscan.snapshot.collect import collect
from cloudscan.testing import conforms
from cloudscan_emulators.google import Fault, Quirks, Server, company, errors, outage, refusal, throttle
from cloudscan_emulators.google.failures import failure
from cloudscan_emulators.google.questions import PATTERNS
from cloudscan_gdrive.connector import DriveConnector
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.permissions import PERMISSIONS, PREFIX
from cloudscan_gdrive.questions import QUESTIONS
from cloudscan_gdrive.settings import SETTINGS
from tests.connectors.gdrive.estate import ESTATE, HASTY, connector, serve
from tests.connectors.nights import fault_id, uids_of
from tests.connectors.reading import Read, read


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(company.build(250).state) as running:
        yield running


@pytest.fixture
def scan(server: Server, tmp_path: Path) -> Callable[..., Read]:
    def scanned(**options: Any) -> Read:
        reader = connector(server, tmp_path, **options)
        return read(reader)

    return scanned


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    """One server for all faults that pass; each test switches off what the one before it left on."""
    with serve(company.build(250).state) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(shared: Server, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """What the connector reads where nothing goes wrong."""
    shared.faults.clear()
    return read(connector(shared, tmp_path_factory.mktemp("undisturbed")))


@pytest.mark.parametrize(
    "fault",
    [
        throttle("GET /drive/v3/files", times=3),
        throttle("GET /drive/v3/files", reason="rateLimitExceeded", times=3),
        throttle("GET /drive/v3/files", reason="quotaExceeded", times=3),
        throttle("GET /drive/v3/files", code=429, reason="rateLimitExceeded", times=3),
        throttle("GET /admin/directory/v1/users", times=2),
        outage("GET /drive/v3/files", code=500, times=3),
        outage("GET /drive/v3/files", code=503, times=3),
        Fault(where="GET /drive/v3/files", html=502, times=3),
        Fault(where="GET /drive/v3/files", cut=True, times=3),
        Fault(where="GET /drive/v3/files", reset=True, times=3),
        Fault(where="GET /drive/v3/files", expire=True, after=2, times=1),
        Fault(where="GET /admin/directory/v1/groups", reset=True, times=1),
    ],
    ids=fault_id,
)
def test_passing_trouble_changes_nothing(shared: Server, undisturbed: Read, fault: Fault, tmp_path: Path) -> None:
    shared.faults.clear()
    shared.faults.add(fault)

    result = read(connector(shared, tmp_path))

    assert result.refused == {}
    assert uids_of(result) == uids_of(undisturbed)
    assert len(result.facts) == len(undisturbed.facts)


def refused_drives(result: Read) -> dict[str, CloudscanError]:
    return {uid: error for uid, error in result.refused.items() if uid.startswith(f"{uids.PLATFORM}:my-drive/")}


def gap_of(result: Read, question: str, code: str = "") -> Gap:
    """The one gap of a question; of those with a certain cause, if it is named."""
    gaps = [gap for gap in result.gaps if gap.question == question and gap.outcome.is_gap]
    (gap,) = [gap for gap in gaps if isinstance(gap.reason, Reason) and code in ("", gap.reason.code)]
    return gap


def test_a_pause_that_never_ends_is_passed_on(server: Server, scan: Callable[..., Read]) -> None:
    server.faults.add(throttle("GET /drive/v3/files", user="dormant@kumo.example"))

    result = scan()

    (error,) = refused_drives(result).values()
    assert isinstance(error, Throttled)


def test_the_daily_quota_is_named(server: Server, scan: Callable[..., Read]) -> None:
    server.faults.add(throttle("GET /drive/v3/files", reason="dailyLimitExceeded", user="dormant@kumo.example"))

    (error,) = refused_drives(scan()).values()

    assert "the daily quota of the API is used up" in str(error)


def test_a_list_that_is_no_list_costs_its_drive_only(server: Server, scan: Callable[..., Read]) -> None:
    server.faults.add(Fault(where="GET /drive/v3/files", user="dormant@kumo.example", garble=True))

    result = scan()

    assert gap_of(result, "gdrive-own-files", "drive-malformed").outcome is Outcome.FAILED
    assert result.refused == {}
    assert result.of_kind("file")


def test_a_search_that_was_not_complete_is_a_gap(server: Server, scan: Callable[..., Read]) -> None:
    server.faults.add(Fault(where="GET /drive/v3/files", user="mori@kumo.example", incomplete=True, times=1))

    assert gap_of(scan(), "gdrive-own-files", "drive-not-searched").outcome is Outcome.PARTIAL


def test_page_tokens_that_run_out_make_the_core_begin_the_list_again(tmp_path: Path) -> None:
    """Google's page tokens expire after some hours; a large drive may be interrupted for longer."""
    quirks = Quirks(parents_cap=5, permissions_cap=5)
    expired = Fault(
        where="'me' in owners.*pageToken", error=errors.invalid("pageToken"), user="mori@kumo.example", times=1
    )
    with serve(company.build(250).state, quirks=quirks) as server:
        reader = connector(server, tmp_path)
        with collect([reader], tmp_path / "undisturbed") as snapshot:
            undisturbed = snapshot.query("SELECT uid FROM grants ORDER BY uid").rows
        server.log.clear()
        server.faults.add(expired)
        with collect([reader], tmp_path / "expired") as snapshot:
            grants = snapshot.query("SELECT uid FROM grants ORDER BY uid").rows
            outcomes = {row.outcome for row in snapshot.coverage() if row.scope_uid.startswith("gdrive:my-drive/")}

    requests = [seen for seen in server.log if seen.user == "mori@kumo.example" and "q='me' in owners" in seen.query]
    assert sum("pageToken" not in request.query for request in requests) == 2
    assert grants == undisturbed
    assert Outcome.FAILED not in outcomes


def test_a_user_who_is_suspended_during_the_scan_is_refused_and_named(
    server: Server, scan: Callable[..., Read]
) -> None:
    def suspend(state: object) -> None:
        server.state.suspend("dormant@kumo.example")
        server.expire_tokens("dormant@kumo.example")

    server.faults.add(Fault(where="GET /drive/v3/files", user="dormant@kumo.example", first=suspend, times=1))

    result = scan()

    gap = gap_of(result, "gdrive-own-files", "drive-person-refused")
    assert gap.outcome is Outcome.DENIED
    assert "dormant@kumo.example" in sentence(gap.reason, "en")


@pytest.mark.parametrize(
    ("where", "question", "advice_says"),
    [
        ("/customer/my_customer/domains", "gdrive-domains", "super admin"),
        ("/directory/v1/groups", "gdrive-groups", "super admin"),
        ("/policies", "gdrive-policies", "Only a super admin may"),
        ("/orgunits", "gdrive-org-units", "super admin"),
        ("/drive/v3/drives", "gdrive-shared-drives", "super admin"),
        ("/directory/v1/users", "gdrive-users", "super admin"),
    ],
)
def test_a_denied_answer_costs_that_answer_and_asks_for_no_scope(
    server: Server, scan: Callable[..., Read], where: str, question: str, advice_says: str
) -> None:
    server.faults.add(refusal(where, "forbidden", "Not Authorized to access this resource/api"))

    result = scan()

    assert result.refused == {}
    gap = gap_of(result, question)
    assert (gap.outcome, gap.needs) == (Outcome.DENIED, "")
    assert advice_says in advice(gap.reason, "en")
    assert result.of_kind("file")


def test_unread_settings_are_unknown_and_not_fine(server: Server, scan: Callable[..., Read]) -> None:
    server.faults.add(refusal("/policies", "forbidden"))

    result = scan()

    tenant = uids.tenant(company.DOMAIN)
    assert result.setting(tenant, "drive_and_docs.external_sharing.externalSharingMode") is None


@pytest.mark.parametrize(
    ("scope", "question"),
    [
        ("cloud-identity.policies.readonly", "gdrive-policies"),
        ("apps.groups.settings", "gdrive-group-settings"),
        ("drive.readonly", "gdrive-shared-drives"),
    ],
)
def test_a_scope_that_was_not_delegated_costs_only_what_needs_it(tmp_path: Path, scope: str, question: str) -> None:
    delegated = frozenset(gap.name for gap in PERMISSIONS) - {PREFIX + scope}
    with serve(company.build(60).state, delegated=delegated) as server:
        reader = connector(server, tmp_path)
        result = read(reader)

    assert result.refused == {}
    assert {(gap.question, gap.needs) for gap in result.gaps if "drive-delegation-missing" in str(gap.reason)} == {
        (question, PREFIX + scope)
    }


def test_groups_settings_that_are_not_enabled_are_told_once(server: Server, scan: Callable[..., Read]) -> None:
    message = "Groups Settings API has not been used in project 123456789012 before or it is disabled."
    server.faults.add(refusal("/groups/v1/", "accessNotConfigured", message))

    result = scan()

    gap = gap_of(result, "gdrive-group-settings")
    assert (gap.resource_uid, gap.needs) == (None, "")
    assert "join" not in result.principal(uids.group("open-house@kumo.example")).detail
    assert result.principal(uids.group("open-house@kumo.example")).detail["externals"] == "0"


def test_only_shared_asks_for_nothing_else_and_says_so(server: Server, scan: Callable[..., Read]) -> None:
    full = scan()

    result = scan(only_shared=True)

    def in_my_drives(result: Read) -> set[str]:
        return {file.uid for file in result.of_kind("file") if "my-drive" in (file.container_uid or "")}

    def is_wide(grant: Grant) -> bool:
        wide = grant.audience is not None and grant.audience >= Audience.ORGANISATION
        return wide and grant.via is Via.LINK and not grant.detail.get("view") and not grant.inherited

    wide = {uid for uid in in_my_drives(full) if any(map(is_wide, full.grants(uid)))}
    assert in_my_drives(result) >= wide
    assert len(in_my_drives(result)) < len(in_my_drives(full)) / 2
    assert {gap.outcome for gap in result.gaps if "drive-only-shared" in str(gap.reason)} == {Outcome.SKIPPED}


def test_a_question_that_gets_no_answer_is_soon_left_alone(server: Server, tmp_path: Path) -> None:
    """Patience is spent on it once, then some single attempts, and not for each of many files again."""
    server.faults.add(failure("500", PATTERNS["gdrive-permissions"]))
    reader = connector(server, tmp_path)
    reader.google = replace(reader.google, rest=60.0)

    result = read(reader)

    asked = sum(
        "/permissions" in request.path and "useDomainAdminAccess" not in request.query for request in server.log
    )
    assert asked <= HASTY.attempts + 3
    assert {gap.outcome for gap in result.gaps if gap.question == "gdrive-permissions"} == {Outcome.FAILED}


def test_a_mistyped_user_is_named_with_the_nearest(scan: Callable[..., Read]) -> None:
    result = scan(users=["mory@kumo.example"])

    gap = gap_of(result, "gdrive-users")
    assert "mory@kumo.example" in sentence(gap.reason, "en")
    assert "mori@kumo.example" in advice(gap.reason, "en")


def test_a_user_may_be_chosen_by_any_of_their_addresses(scan: Callable[..., Read]) -> None:
    result = scan(users=["keiri@kumo.example"])

    assert [drive.path for drive in result.of_kind("my_drive")] == ["hayashi@kumo.example"]


def test_one_person_can_scan_their_own_drive(server: Server, tmp_path: Path) -> None:
    """With their own consent, and without an administrator."""
    scope = PREFIX + "drive.metadata.readonly"
    path = tmp_path / "me.json"
    path.write_text(json.dumps(server.authorized_user_info("mori@kumo.example", scope)))

    result = read(DriveConnector.open(Options(endpoint=server.url, key_file=str(path)), ESTATE, HASTY))

    assert result.refused == {}
    assert len(result.scopes) == 1
    assert {file.owner_uid for file in result.of_kind("file")} == {uids.user("mori@kumo.example")}


@pytest.mark.parametrize(("text", "words"), [(None, "cannot be read"), ("{}", "not the key of a service account")])
def test_a_key_file_that_is_none_says_so(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "key.json"
    if text is not None:
        path.write_text(text)

    with pytest.raises(ConfigurationError, match=words):
        DriveConnector.open(Options(admin="a@kumo.example", key_file=str(path)), ESTATE)


def test_no_credentials_say_how_to_get_some(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")

    with pytest.raises(ConfigurationError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        DriveConnector.open(Options(admin="a@kumo.example"), ESTATE)


def test_a_dead_endpoint_is_unreachable(tmp_path: Path, server: Server) -> None:
    reader = connector(server, tmp_path, endpoint="http://127.0.0.1:9")
    result = read(reader)

    assert {gap.question for gap in result.gaps} >= {"gdrive-users", "gdrive-domains", "gdrive-shared-drives"}
    assert {gap.passing for gap in result.gaps if gap.outcome.is_gap and gap.question == "gdrive-users"} == {True}
    assert result.of_kind("file") == []


def test_it_conforms(server: Server, tmp_path: Path) -> None:
    reader = connector(server, tmp_path)
    conforms(reader, settings=SETTINGS, questions=QUESTIONS)


def test_a_quiet_scan_asks_for_the_pages_and_little_more(server: Server, scan: Callable[..., Read]) -> None:
    """One list a page, one root a user, one list of members a drive, one list for each item with shares of its own."""
    result = scan()

    lists = [request for request in server.log if request.path == "/drive/v3/files"]
    roots = [request for request in server.log if request.path == "/drive/v3/files/root"]
    assert len(roots) <= len(result.of_kind("my_drive"))
    assert (
        len(lists) <= len(result.of_kind("my_drive")) + len(result.of_kind("shared_drive")) + len(result.facts) // 100
    )
    assert result.requests > 0


def test_pauses_and_further_attempts_are_counted(server: Server, tmp_path: Path) -> None:
    """They reach the scan's summary, and from there the metrics and the health verdict."""
    server.faults.add(throttle("GET /drive/v3/files", times=3))
    server.faults.add(outage("GET /admin/directory/v1/groups", code=500, times=1))
    with collect([connector(server, tmp_path)], tmp_path / "s") as snapshot:
        scan = snapshot.scan

    assert (scan.throttles, scan.retries) == (3, 4)
    assert scan.requests > 4
