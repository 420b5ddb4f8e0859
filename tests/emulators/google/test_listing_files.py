import pytest

from cloudscan_emulators.google import Server, TenantState
from cloudscan_emulators.google.company import Company
from cloudscan_emulators.google.records import FOLDER, Extra
from cloudscan_emulators.google.tenant_state import folder
from tests.emulators.google.google_client import AOKI, HAYASHI, MORI, drive, everything, refusal

ALL = {"corpora": "allDrives", "includeItemsFromAllDrives": True, "supportsAllDrives": True}


def names(files: list[dict[str, str]]) -> set[str]:
    return {file["name"] for file in files}


def test_a_file_has_four_fields_unless_more_are_asked_for(server: Server, state: TenantState) -> None:
    item = state.create("計画", owner=MORI)

    page = drive(server).files().list().execute()

    assert page == {
        "kind": "drive#fileList",
        "incompleteSearch": False,
        "files": [{"kind": "drive#file", "id": item.id, "name": "計画", "mimeType": "application/pdf"}],
    }


def test_fields_pick_at_any_depth(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=MORI)
    state.share(item, "anyone", "reader")

    page = drive(server).files().list(fields="files(id,owners/emailAddress,permissions(role,type))").execute()

    assert page == {
        "files": [
            {
                "id": item.id,
                "owners": [{"emailAddress": MORI}],
                "permissions": [{"role": "owner", "type": "user"}, {"role": "reader", "type": "anyone"}],
            }
        ]
    }


@pytest.mark.parametrize("fields", ["files(id,nonsense)", "items", "files(etag)", "files(id", "files/owners/nick", ""])
def test_unknown_fields_are_refused(server: Server, fields: str) -> None:
    assert refusal(drive(server).files().list(fields=fields or ",")) == (400, "invalidParameter")


def test_unknown_parameters_and_bad_values_are_refused(server: Server) -> None:
    """By the discovery document, which the client would not check here."""
    files = drive(server).files()
    for query in (
        "nonsense=1",
        "pageSize=0",
        "pageSize=many",
        "supportsAllDrives=maybe",
        "corpora=nowhere",
        "orderBy=x",
    ):
        request = files.list()
        request.uri += f"&{query}"

        assert refusal(request)[0] == 400, query


def test_pages_follow_each_other(server: Server, state: TenantState) -> None:
    for index in range(25):
        state.create(f"file {index}", owner=MORI)

    files = everything(drive(server).files().list, "files", pageSize=10, fields="nextPageToken,files(id,name)")

    assert len(files) == 25
    assert len({file["id"] for file in files}) == 25


def test_asking_for_parents_or_permissions_makes_pages_smaller(server: Server, state: TenantState) -> None:
    """460 and 100, whatever pageSize says; both can be switched off."""
    for index in range(500):
        state.create(f"file {index}", owner=MORI)
    files = drive(server).files()

    def size(fields: str) -> int:
        return len(files.list(pageSize=1000, fields=fields).execute()["files"])

    assert size("files(id)") == 500
    assert size("files(id,parents)") == 460
    assert size("files(id,permissions/id)") == 100
    server.quirks.permissions_cap = None
    assert size("files(id,permissions/id)") == 500


def test_page_sizes_beyond_a_thousand_are_cut(server: Server) -> None:
    assert refusal(drive(server).files().list(pageSize=5000)) == (200, "")


def test_a_rare_match_gives_empty_pages_with_a_token(server: Server, state: TenantState) -> None:
    """Only a missing token says that it was the last page."""
    for index in range(30):
        state.create(f"file {index}", owner=MORI)
    state.share(state.create("open", owner=MORI), "anyone")
    server.quirks.search_budget = 10

    first = drive(server).files().list(q="visibility = 'anyoneWithLink'").execute()
    files = everything(drive(server).files().list, "files", q="visibility = 'anyoneWithLink'")

    assert first["files"] == []
    assert "nextPageToken" in first
    assert names(files) == {"open"}


def test_page_tokens_belong_to_their_search_and_grow_old(server: Server, state: TenantState) -> None:
    for index in range(3):
        state.create(f"file {index}", owner=MORI)
    files = drive(server).files()
    token = files.list(pageSize=1).execute()["nextPageToken"]

    assert refusal(files.list(pageSize=1, pageToken=token)) == (200, "")
    assert refusal(files.list(pageSize=1, pageToken=token, q="trashed = true")) == (400, "invalid")
    assert refusal(files.list(pageToken="nonsense")) == (400, "invalid")
    server.expire_pages()
    assert refusal(files.list(pageSize=1, pageToken=token)) == (400, "invalid")


def test_a_long_question_may_come_as_a_post(server: Server, state: TenantState) -> None:
    """The client library folds a GET beyond 2048 characters into a POST."""
    state.create("plan", owner=MORI)
    question = " or ".join(f"name = 'file {index}'" for index in range(300)) + " or name = 'plan'"

    page = drive(server).files().list(q=question).execute()

    assert names(page["files"]) == {"plan"}
    assert server.log[-1].verb == "GET"
    assert len(server.log[-1].query) > 2048


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("name contains 'plan'", {"Plan A", "Plan B"}),
        ("name = 'Plan A'", {"Plan A"}),
        ("name != 'Plan A' and not name contains 'plan'", {"Budget", "Folder", "it's"}),
        ("(name = 'Plan A' or name = 'Budget') and trashed = false", {"Plan A"}),
        ("trashed = true", {"Budget"}),
        (f"mimeType = '{FOLDER}'", {"Folder"}),
        ("visibility = 'anyoneWithLink'", {"Plan A"}),
        ("visibility = 'anyoneCanFind'", {"Budget"}),
        ("visibility = 'domainWithLink'", {"Plan B"}),
        ("visibility = 'limited'", {"Folder", "it's"}),
        ("visibility != 'limited'", {"Plan A", "Plan B", "Budget"}),
        ("'me' in owners", {"Plan A", "Plan B", "Budget", "Folder", "it's"}),
        ("'hayashi@kumo.example' in writers", {"it's"}),
        ("'spy@rival.example' in readers", {"Folder"}),
        ("'root' in parents", {"Plan A", "Plan B", "Budget", "Folder", "it's"}),
        (r"name = 'it\'s'", {"it's"}),
        ("modifiedTime > '2026-01-01T00:00:00'", {"Plan A", "Plan B", "Budget", "Folder", "it's"}),
        ("modifiedTime < '2026-01-01T00:00:00+09:00'", set()),
        ("properties has { key='team' and value='sales' }", {"Plan B"}),
        ("sharedWithMe = true", set()),
    ],
)
def test_searching(server: Server, state: TenantState, question: str, expected: set[str]) -> None:
    """`limited` hides external people who are named: the folder is shared with a rival."""
    state.share(state.create("Plan A", owner=MORI), "anyone", "reader")
    second = state.create("Plan B", owner=MORI, extra=Extra(properties={"team": "sales"}))
    state.share(second, "kumo.example", "reader")
    budget = state.create("Budget", owner=MORI)
    state.share(budget, "anyone", "reader", discoverable=True)
    state.trash(budget)
    state.share(folder(state, "Folder", owner=MORI), "spy@rival.example", "reader")
    state.share(state.create("it's", owner=MORI), HAYASHI, "writer")

    page = drive(server).files().list(q=question, pageSize=100).execute()

    assert names(page["files"]) == expected


@pytest.mark.parametrize(
    "question",
    ["colour = 'red'", "name < 'x'", "name", "name = ", "visibility = 'open'", "(name = 'x'", "name = 'x' name = 'y'"],
)
def test_a_question_that_makes_no_sense_is_refused(server: Server, question: str) -> None:
    assert refusal(drive(server).files().list(q=question)) == (400, "invalid")


def test_order(server: Server, state: TenantState) -> None:
    """Pages keep the order that was asked for."""
    for name in ("b", "c", "a"):
        state.create(name, owner=MORI)
    folder(state, "z", owner=MORI)

    files = everything(drive(server).files().list, "files", orderBy="folder,name desc", pageSize=2)

    assert [file["name"] for file in files] == ["z", "c", "b", "a"]


def test_what_a_user_finds_without_asking_further(server: Server, state: TenantState) -> None:
    """A user's own files, those shared with them or their groups, and those opened by a link: not every open file."""
    state.add_group("team@kumo.example", "Team", [MORI])
    mine = state.create("mine", owner=MORI)
    shared = folder(state, "shared folder", owner=HAYASHI)
    state.share(shared, MORI, "reader")
    state.create("inside", parent=shared)
    state.share(state.create("by group", owner=HAYASHI), "team@kumo.example")
    state.share(state.create("by link", owner=HAYASHI), "anyone")
    opened = state.create("opened", owner=HAYASHI)
    state.share(opened, "anyone")
    state.open(opened, MORI)
    shared_drive = state.add_drive("Sales", {MORI: "reader"})
    state.create("in the drive", drive=shared_drive)

    files = drive(server).files().list(fields="files(name,parents)").execute()["files"]
    everywhere = drive(server).files().list(**ALL).execute()["files"]

    assert names(files) == {mine.name, "shared folder", "inside", "by group", "opened"}
    assert names(everywhere) == names(files) | {"in the drive"}


def test_a_parent_that_the_user_cannot_see_is_not_told(server: Server, state: TenantState) -> None:
    hidden = folder(state, "hidden", owner=HAYASHI)
    state.share(state.create("shared", parent=hidden), MORI)

    file = drive(server).files().list(fields="files(name,parents,sharedWithMeTime,sharingUser)").execute()["files"][0]

    assert "parents" not in file
    assert file["sharingUser"]["emailAddress"] == HAYASHI
    assert drive(server, HAYASHI).files().list(q="name = 'shared'", fields="files/parents").execute()["files"][0] == {
        "parents": [hidden.id]
    }


def test_a_shared_drive_wants_all_its_parameters(server: Server, state: TenantState) -> None:
    sales = state.add_drive("Sales", {MORI: "organizer"})
    files = drive(server).files()
    right = {"corpora": "drive", "driveId": sales.id, "includeItemsFromAllDrives": True, "supportsAllDrives": True}

    def without(name: str) -> int:
        return refusal(files.list(**{key: value for key, value in right.items() if key != name}))[0]

    assert refusal(files.list(**right)) == (200, "")
    assert without("driveId") == 400
    assert without("corpora") == 400
    assert without("supportsAllDrives") == 403
    assert without("includeItemsFromAllDrives") == 403
    assert refusal(drive(server, HAYASHI).files().list(**right)) == (403, "teamDriveMembershipRequired")
    assert refusal(files.list(**{**right, "driveId": "0AKnothing"})) == (404, "notFound")


def test_what_is_missing_on_shared_drive_items(server: Server, state: TenantState) -> None:
    """No permissions, owners, shared, ownedByMe; but their ids, and whether there are any of its own."""
    sales = state.add_drive("Sales", {MORI: "organizer"})
    plain = state.create("plain", drive=sales)
    linked = state.create("linked", drive=sales)
    state.share(linked, "anyone", "reader")

    files = {file["name"]: file for file in drive(server).files().list(fields="files", **ALL).execute()["files"]}

    for name in ("permissions", "owners", "shared", "ownedByMe", "writersCanShare"):
        assert name not in files["linked"]
    assert files["plain"]["hasAugmentedPermissions"] is False
    assert files["linked"]["hasAugmentedPermissions"] is True
    assert "anyoneWithLink" in files["linked"]["permissionIds"]
    assert files["plain"]["driveId"] == sales.id
    assert files["plain"]["parents"] == [sales.id]
    assert plain.id == files["plain"]["id"]


def test_a_shared_drive_item_needs_a_caller_who_knows_of_them(server: Server, state: TenantState) -> None:
    item = state.create("plan", drive=state.add_drive("Sales", {MORI: "organizer"}))
    files = drive(server).files()

    assert refusal(files.get(fileId=item.id)) == (404, "notFound")
    assert files.get(fileId=item.id, supportsAllDrives=True, fields="name").execute() == {"name": "plan"}


def test_a_domain_search_finds_what_the_domain_can_find(server: Server, state: TenantState) -> None:
    state.share(state.create("found", owner=HAYASHI), "kumo.example", discoverable=True)
    state.share(state.create("by link only", owner=HAYASHI), "kumo.example")

    assert names(drive(server).files().list(corpora="domain").execute()["files"]) == {"found"}


def test_a_search_over_too_much_is_incomplete(server: Server, state: TenantState) -> None:
    for index in range(3):
        state.create(f"file {index}", owner=MORI)
    server.quirks.incomplete_beyond = 2

    assert drive(server).files().list(**ALL).execute()["incompleteSearch"] is True
    assert drive(server).files().list().execute()["incompleteSearch"] is False


def test_trash_reaches_below_a_folder(server: Server, state: TenantState) -> None:
    waste = folder(state, "waste", owner=MORI)
    state.create("below", parent=waste)
    state.trash(waste)

    files = drive(server).files().list(q="trashed = true", fields="files(name,explicitlyTrashed)").execute()["files"]

    assert {file["name"]: file["explicitlyTrashed"] for file in files} == {"waste": True, "below": False}


def test_labels_only_by_their_ids(office: Server, kumo: Company) -> None:
    files = drive(office).files()
    wanted = {"fileId": kumo.scenarios["labelled"], "fields": "labelInfo"}

    labels = files.get(**wanted, includeLabels="tQxYhVnM4r0GZVsC9RZbUw").execute()["labelInfo"]["labels"]

    assert files.get(**wanted).execute() == {}
    assert labels[0]["fields"]["level"]["selection"] == ["confidential"]


def test_a_shortcut_is_a_file_of_its_own(office: Server, kumo: Company) -> None:
    file = drive(office, HAYASHI).files().get(fileId=kumo.scenarios["shortcut"], fields="*").execute()

    assert file["shortcutDetails"]["targetId"] == kumo.scenarios["labelled"]
    assert {permission["type"] for permission in file["permissions"]} == {"user", "domain"}
    assert "size" not in file


def test_somebody_elses_file_is_not_found(server: Server, state: TenantState) -> None:
    item = state.create("private", owner=HAYASHI)

    assert refusal(drive(server).files().get(fileId=item.id)) == (404, "notFound")
    assert refusal(drive(server, AOKI).files().get(fileId=item.id)) == (404, "notFound")


def test_the_root_folder(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=MORI)
    files = drive(server).files()

    root = files.get(fileId="root", fields="id,mimeType").execute()

    assert root["mimeType"] == FOLDER
    assert files.get(fileId=item.id, fields="parents").execute()["parents"] == [root["id"]]


def test_about_wants_to_know_which_fields(server: Server) -> None:
    assert refusal(drive(server).about().get()) == (400, "required")


def test_nothing_can_be_written(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=MORI)

    assert refusal(drive(server, MORI, "drive").files().delete(fileId=item.id)) == (501, "notImplemented")
    assert state.item(item.id) is item
