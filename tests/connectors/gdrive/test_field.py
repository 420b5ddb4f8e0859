"""What people who do this job reported, each with its right value (field inputs of Google Drive)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudscan.connector import Cursor, Gap
from cloudscan.errors import StaleCursor
from cloudscan.facts import Access, Affiliation, Audience, Outcome, Setting
from cloudscan.reason import Reason, advice, sentence
from cloudscan_emulators.google import Fault, company, errors, refusal
from cloudscan_emulators.google.failures import failure
from cloudscan_emulators.google.ids import directory_id
from cloudscan_emulators.google.questions import PATTERNS
from cloudscan_emulators.google.signin import Denied
from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.estate import connector, serve
from tests.connectors.gdrive.recorded import access_in, file, mine, scanned, small
from tests.connectors.gdrive.scenarios import ALICE, BOB, ORGANIZER, OWNER, anyone, drive, group, user
from tests.connectors.reading import Read, read

MORI, HAYASHI = "mori@kumo.example", "hayashi@kumo.example"
API_OFF = (
    "Google Drive API has not been used in project 123456789012 before or it is disabled. Enable it by visiting "
    "https://console.developers.google.com/apis/api/drive.googleapis.com/overview?project=123456789012 then retry. If "
    "you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry."
)


def gaps_of(result: Read, question: str) -> list[Gap]:
    return [gap for gap in result.gaps if gap.question == question and gap.outcome.is_gap]


# g01


def test_guests_of_the_directory_are_outsiders_and_have_no_drive_of_ours(tmp_path: Path) -> None:
    guests: list[dict[str, Any]] = [
        {"id": "2", "primaryEmail": "rui@supplier.example", "isGuestUser": True},
        {"id": "3", "primaryEmail": "guest-7f3a@kumo.example", "isGuestUser": True,
         "guestAccountInfo": {"primaryGuestEmail": "ana@shop.example"}},
    ]  # fmt: skip
    shared = mine("a", user("rui@supplier.example", "writer"), user("ana@shop.example"))
    by_the_other_name = mine("b", user("guest-7f3a@kumo.example"))
    with_group = mine("c", group("team@kumo.example"))
    payloads = small(
        users=[{"id": "1", "primaryEmail": ALICE}, *guests],
        groups=[{"id": "g", "email": "team@kumo.example"}],
        members={"g": [{"id": "2", "email": "rui@supplier.example", "type": "USER"}]},
        files={ALICE: [shared, by_the_other_name, with_group]},
    )
    with scanned(payloads, tmp_path) as snapshot:
        access = access_in(snapshot)
        guest = snapshot.query(
            "SELECT uid, affiliation, status FROM principals WHERE json_extract_string(detail, '$.guest') = 'true'"
        ).rows
        drives = snapshot.query("SELECT path FROM resources WHERE kind = 'my_drive'").rows

    assert access[uids.file("a")] == {"named_external write", "named_external read"}
    assert access[uids.file("b")] == {"named_external read"}
    assert access[uids.file("c")] == {"named_external read"}
    assert sorted(map(tuple, guest)) == [
        (uids.user("ana@shop.example"), "external", "active"),
        (uids.user("rui@supplier.example"), "external", "active"),
    ]
    assert drives == [[ALICE]]


# g02


@pytest.mark.parametrize("how", ["500", "400", "404", "403"])
def test_one_group_that_does_not_answer_costs_its_members_only(tmp_path: Path, how: str) -> None:
    with serve(company.build(60).state) as server:
        whole = read(connector(server, tmp_path))
        number = next(group.number for group in server.state.groups if group.email == "nested@kumo.example")
        server.faults.add(failure(how, rf"/groups/{directory_id(number)}/members"))
        result = read(connector(server, tmp_path))

    (gap,) = gaps_of(result, "gdrive-members")
    assert gap.resource_uid is not None
    assert gap.resource_uid.startswith("gdrive:group/")
    assert {fact.uid for fact in whole.of_kind("file")} == {fact.uid for fact in result.of_kind("file")}
    changed = [grant for grant in _grants(result) if grant not in _grants(whole)]
    assert all(grant[2] is None for grant in changed)


def _grants(result: Read) -> list[tuple[str, str | None, Audience | None]]:
    files = [resource.uid for kind in ("file", "folder") for resource in result.of_kind(kind)]
    return [(grant.uid, grant.principal_uid, grant.audience) for uid in files for grant in result.grants(uid)]


# g03

NO_DRIVE = errors.Refused(403, "domainPolicy", "The domain administrators have disabled Drive apps.")
NO_SESSION = errors.Refused(401, "authError", "Active session is invalid. Error code: 4")


@pytest.mark.parametrize("error", [NO_DRIVE, NO_SESSION], ids=["domainPolicy", "authError"])
def test_a_manager_without_drive_costs_their_own_drive_only(tmp_path: Path, error: errors.Refused) -> None:
    built = company.build(100)
    with serve(built.state) as server:
        whole = read(connector(server, tmp_path))
        server.faults.add(Fault(where="/drive/v3/", user=HAYASHI, error=error))
        result = read(connector(server, tmp_path))

    assert result.refused == {}
    assert in_shared_drives(result) == in_shared_drives(whole)
    (gap,) = [gap for gap in gaps_of(result, "gdrive-own-files") if HAYASHI in str(gap.reason)]
    assert gap.needs == ""
    if error is NO_DRIVE:
        assert "has no Drive" in sentence(gap.reason, "en")
        assert "skip_users" in advice(gap.reason, "en")


def test_nobody_who_is_skipped_is_acted_for(tmp_path: Path) -> None:
    with serve(company.build(100).state) as server:
        whole = read(connector(server, tmp_path))
        server.log.clear()
        result = read(connector(server, tmp_path, skip_users=[HAYASHI]))
        asked = [request for request in server.log if request.user == HAYASHI and "driveId=" in request.query]

    assert asked == []
    assert in_shared_drives(result) == in_shared_drives(whole)


def in_shared_drives(result: Read) -> set[str]:
    return {fact.uid for fact in result.of_kind("file") if "shared-drive" in (fact.container_uid or "")}


# g04


@pytest.mark.parametrize("style", ["drive", "new"])
def test_an_api_that_is_not_enabled_is_named_once_with_the_whole_link(tmp_path: Path, style: str) -> None:
    link = "https://console.developers.google.com/apis/api/drive.googleapis.com/overview?project=123456789012"
    fault = (
        refusal("/drive/v3/", "accessNotConfigured", API_OFF)
        if style == "drive"
        else Fault(
            where="/drive/v3/",
            error=errors.Refused(
                403, "", "Drive API is disabled.", status="PERMISSION_DENIED",
                details=[{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED",
                          "metadata": {"service": "drive.googleapis.com", "consumer": "projects/123456789012"}}],
            ),
        )
    )  # fmt: skip
    with serve(company.build(60).state) as server:
        server.faults.add(fault)
        result = read(connector(server, tmp_path))

    (gap,) = [gap for gap in result.gaps if "drive-api-off" in str(gap.reason)]
    assert (gap.question, gap.needs) == ("gdrive-about", "")
    assert sentence(gap.reason, "en").startswith("drive.googleapis.com is not enabled in the project 123456789012")
    assert isinstance(gap.reason, Reason)
    assert style != "drive" or link in advice(gap.reason, "en")
    assert "project=123456789012" in str(gap.reason.values["link"])
    assert result.refused == {}
    assert not any("suspended" in sentence(gap.reason, "en") for gap in result.gaps)


# g05


@pytest.mark.parametrize(
    ("error", "description", "code"),
    [
        ("invalid_grant", "Invalid JWT Signature.", "drive-key-refused"),
        ("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
         "Check your iat and exp values in the JWT claim.", "drive-clock-wrong"),
        ("invalid_grant", "Invalid grant: account not found", "drive-service-account-unknown"),
        ("invalid_grant", "Invalid email or User ID", "drive-person-unknown"),
        ("invalid_grant", "", "drive-person-refused"),
        ("unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, or client not "
         "authorized for any of the scopes requested.", "drive-delegation-missing"),
    ],
)  # fmt: skip
def test_a_refused_token_speaks_of_its_cause(tmp_path: Path, error: str, description: str, code: str) -> None:
    with serve(company.build(10).state) as server:
        server.sign_in.give = _denying(error, description)  # type: ignore[method-assign]
        result = read(connector(server, tmp_path))

    (gap,) = gaps_of(result, "gdrive-users")
    assert isinstance(gap.reason, Reason)
    assert gap.reason.code == code
    assert advice(gap.reason, "en")
    assert ("suspended" in advice(gap.reason, "en")) is False


def _denying(error: str, description: str) -> Callable[..., Any]:
    def give(_form: object) -> Any:
        raise Denied(code=400, error=error, description=description)

    return give


# g06


@pytest.mark.parametrize("how", ["410", "403", "404", "400", "nothing", "error-in-200", "garbled"])
def test_a_change_token_that_is_refused_in_any_form_makes_the_drive_be_read_in_full(tmp_path: Path, how: str) -> None:
    with serve(company.build(60).state) as server:
        reader = connector(server, tmp_path)
        scope = next(scope for scope in read(reader).scopes if scope.name == MORI)
        (cursor,) = (row for row in reader.collect(scope, None) if isinstance(row, Cursor))
        server.faults.add(failure(how, PATTERNS["gdrive-changes"]))

        with pytest.raises(StaleCursor) as stale:
            list(reader.collect(scope, cursor))

    assert "did not tell what changed" in str(stale.value) or "could not be understood" in str(stale.value)


# g07


def test_a_form_for_respondents_is_not_a_copy_that_is_published(tmp_path: Path) -> None:
    form = {"mimeType": "application/vnd.google-apps.form"}
    files = [mine("form", anyone(view="published"), **form), mine("open", anyone("writer"), **form)]
    with scanned(small(files={ALICE: files}), tmp_path) as snapshot:
        access = access_in(snapshot)
        views = snapshot.query("SELECT json_extract_string(detail, '$.view') FROM grants WHERE access = 'list'").rows

    assert access[uids.file("form")] == {f"{Audience.ANYONE_WITH_LINK} {Access.LIST}"}
    assert access[uids.file("open")] == {f"{Audience.ANYONE_WITH_LINK} {Access.WRITE}"}
    assert views == [["respondents"]]


# g08


@pytest.mark.parametrize(("mode", "value"), [("DISALLOWED", "false"), ("ALLOWED", "true")])
def test_a_setting_behind_a_closed_door_has_no_effect(tmp_path: Path, mode: str, value: str) -> None:
    policy = {
        "setting": {
            "type": "settings/drive_and_docs.external_sharing",
            "value": {"externalSharingMode": mode, "allowNonGoogleInvites": True, "warnForExternalSharing": False},
        },
        "type": "ADMIN",
        "policyQuery": {"orgUnit": "orgUnits/1"},
    }
    with scanned(small(policies=[policy]), tmp_path) as snapshot:
        settings = {
            str(name).rpartition(".")[2]: value
            for name, value in snapshot.query("SELECT name, value FROM settings").rows
        }

    assert settings["allowNonGoogleInvites"] == value
    assert ("warnForExternalSharing" in settings) == (mode == "ALLOWED")


# g10


@pytest.mark.parametrize("how", ["403", "404", "500", "nothing", "one-malformed"])
def test_settings_do_not_change_when_the_units_have_no_names(tmp_path: Path, how: str) -> None:
    with serve(company.build(10).state) as server:
        whole = read(connector(server, tmp_path))
        server.faults.add(failure(how, PATTERNS["gdrive-org-units"]))
        result = read(connector(server, tmp_path))

    assert settings_of(result) == settings_of(whole)
    assert len(gaps_of(result, "gdrive-org-units")) == 1


def settings_of(result: Read) -> set[tuple[str, str, str | None]]:
    return {(fact.scope_uid, fact.name, fact.value) for fact in result.facts if isinstance(fact, Setting)}


# permissions.json

TEAM = [{"id": "g", "email": "proj@kumo.example"}]


@pytest.mark.parametrize("kind", ["USER", "EXTERNAL", "", "NEW"])
def test_a_member_without_a_name_may_be_anybody(tmp_path: Path, kind: str) -> None:
    nested = [*TEAM, {"id": "h", "email": "outer@kumo.example"}]
    members = {
        "g": [{"id": "7001", "type": kind}, {"email": BOB, "type": "USER"}],
        "h": [{"id": "g", "email": "proj@kumo.example", "type": "GROUP"}],
    }
    files = [mine("a", group("proj@kumo.example", "writer")), mine("b", group("outer@kumo.example"))]
    with scanned(small(groups=nested, members=members, files={ALICE: files}), tmp_path) as snapshot:
        access = access_in(snapshot)

    assert access[uids.file("a")] == access[uids.file("b")] == {"?"}


def test_our_address_without_an_account_is_never_called_deleted(tmp_path: Path) -> None:
    with scanned(small(files={ALICE: [mine("a", user("driver@kumo.example", "writer"))]}), tmp_path) as snapshot:
        access = access_in(snapshot)
        statuses = snapshot.query("SELECT status FROM principals WHERE email = 'driver@kumo.example'").rows

    assert access[uids.file("a")] == {"named write"}
    assert statuses == [["no_account"]]


def test_the_effective_restriction_of_downloads_decides(tmp_path: Path) -> None:
    effective = {
        "effectiveDownloadRestrictionWithContext": {"restrictedForReaders": True, "restrictedForWriters": False}
    }
    files = [mine("a", downloadRestrictions=effective, copyRequiresWriterPermission=False), mine("b")]
    with scanned(small(files={ALICE: files}), tmp_path) as snapshot:
        rows = snapshot.query(
            "SELECT uid, json_extract_string(detail, '$.copy_restricted') FROM resources WHERE kind = 'file'"
        ).rows

    assert sorted(map(tuple, rows)) == [(uids.file("a"), "true"), (uids.file("b"), "false")]


def in_drive(identity: str, **members: Any) -> dict[str, Any]:
    return file(identity, {"parents": ["d1"], "driveId": "d1", "hasAugmentedPermissions": True, **members})


def test_the_ids_of_permissions_prove_a_link_where_the_list_is_refused(tmp_path: Path) -> None:
    items = [in_drive("a", permissionIds=["anyoneWithLink"]), in_drive("b", permissionIds=["anyone"])]
    payloads = small(drives=[drive("d1")], permissions={"d1": [ORGANIZER], "a": 403, "b": 403}, items={"d1": items})
    with scanned(payloads, tmp_path) as snapshot:
        access = access_in(snapshot)
        gaps = [row for row in snapshot.coverage() if row.question == "gdrive-permissions"]

    assert access[uids.file("a")] == {"named manage < d1", "?", "anyone_with_link None"}
    assert access[uids.file("b")] == {"named manage < d1", "?", "anyone_discoverable None"}
    assert [row.outcome for row in gaps] == [Outcome.DENIED]


def test_an_unknown_parent_is_not_nothing_above(tmp_path: Path) -> None:
    item = in_drive("a", parents=["nowhere"], hasAugmentedPermissions=False, permissionIds=["anyoneWithLink"])
    payloads = small(drives=[drive("d1")], permissions={"d1": [ORGANIZER]}, items={"d1": [item]})
    with scanned(payloads, tmp_path) as snapshot:
        access = access_in(snapshot)
        gaps = [row for row in snapshot.coverage() if row.question == "gdrive-permissions"]

    assert access[uids.file("a")] == {"named manage < d1", "?", "anyone_with_link None"}
    assert len(gaps) == 1


def test_a_page_token_that_comes_again_is_no_end(tmp_path: Path) -> None:
    with serve(company.build(60).state) as server:
        server.faults.add(failure("page-repeated", PATTERNS["gdrive-own-files"], user=MORI))
        result = read(connector(server, tmp_path))

    assert result.refused == {}
    assert [gap.outcome for gap in gaps_of(result, "gdrive-own-files") if "repeat" in str(gap.reason)] == [
        Outcome.FAILED
    ]


@pytest.mark.parametrize("ends", ["2027-09-10T05:30:00+05:30", "2027-09-10T00:00:00"])
def test_times_are_utc_with_an_offset_and_without_a_zone(tmp_path: Path, ends: str) -> None:
    files = [mine("a", user("eve@rival.example", expirationTime=ends))]
    with scanned(small(files={ALICE: files}), tmp_path) as snapshot:
        sql = "SELECT epoch(expires_on) FROM grants WHERE principal_uid IS NOT NULL"
        rows = snapshot.query(sql).rows

    assert rows == [[1_820_534_400]]


def test_switches_that_are_not_told_are_unknown(tmp_path: Path) -> None:
    empty = {"id": "d1", "name": "d1", "restrictions": {}}
    link = in_drive("a")
    payloads = small(drives=[empty], permissions={"d1": [ORGANIZER], "a": [anyone()]}, items={"d1": [link]})
    with scanned(payloads, tmp_path) as snapshot:
        values = snapshot.query("SELECT DISTINCT value FROM settings WHERE name LIKE '%only'").rows
        access = access_in(snapshot)

    assert values == [[None]]
    assert "anyone_with_link read?" in access[uids.file("a")]


def test_an_owner_without_an_address_is_unknown_and_told(tmp_path: Path) -> None:
    nameless = file("a", {"parents": ["root"], "owners": [{"displayName": "", "permissionId": "07"}]}, [OWNER])
    with scanned(small(files={ALICE: [nameless]}), tmp_path) as snapshot:
        owners = snapshot.query("SELECT owner_uid FROM resources WHERE kind = 'file'").rows
        codes = [row.reason.code for row in snapshot.coverage() if isinstance(row.reason, Reason)]

    assert owners == [[None]]
    assert "drive-owner-unknown" in codes


# Our domains


@pytest.mark.parametrize("how", ["403", "404", "500", "emptied", "nothing"])
def test_without_the_list_of_domains_nobody_is_called_external(tmp_path: Path, how: str) -> None:
    built = company.build(100)
    with serve(built.state) as server:
        server.faults.add(failure(how, PATTERNS["gdrive-domains"]))
        result = read(connector(server, tmp_path))

    assert result.principal(uids.user("spy@rival.example")).affiliation is None
    assert result.principal(uids.user("tanuki@partner.example")).affiliation is Affiliation.PARTNER
    assert result.principal(uids.user(MORI)).affiliation is Affiliation.INTERNAL
    assert {resource.account for resource in result.of_kind("file")} == {company.DOMAIN}
