import pytest

from cloudscan_emulators.google import Server, TenantState
from cloudscan_emulators.google.company import Company
from cloudscan_emulators.google.records import FOLDER, Extra
from cloudscan_emulators.google.world import folder
from tests.connectors.gdrive.emulator.google import AOKI, HAYASHI, MORI, drive, everything, refusal

ALL = {"corpora": "allDrives", "includeItemsFromAllDrives": True, "supportsAllDrives": True}


def names(files: list[dict[str, str]]) -> set[str]:
    return {file["name"] for file in files}


def test_a_file_has_four_fields_unless_more_are_asked_for(server: Server, world: TenantState) -> None:
    item = world.create("計画", owner=MORI)

    page = drive(server).files().list().execute()

    assert page == {
        "kind": "drive#fileList",
        "incompleteSearch": False,
        "files": [{"kind": "drive#file", "id": item.id, "name": "計画", "mimeType": "application/pdf"}],
    }


def test_fields_pick_at_any_depth(server: Server, world: TenantState) -> None:
    item = world.create("plan", owner=MORI)
    world.share(item, "anyone", "reader")

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


def test_pages_follow_each_other(server: Server, world: TenantState) -> None:
    for index in range(25):
        world.create(f"file {index}", owner=MORI)

    found = everything(drive(server).files().list, "files", pageSize=10, fields="nextPageToken,files(id,name)")

    assert len(found) == 25
    assert len({file["id"] for file in found}) == 25


def test_asking_for_parents_or_permissions_makes_pages_smaller(server: Server, world: TenantState) -> None:
    """460 and 100, whatever pageSize says; both can be switched off."""
    for index in range(500):
        world.create(f"file {index}", owner=MORI)
    files = drive(server).files()

    def size(fields: str) -> int:
        return len(files.list(pageSize=1000, fields=fields).execute()["files"])

    assert size("files(id)") == 500
    assert size("files(id,parents)") == 460
    assert size("files(id,permissions/id)") == 100
    server.manners.permissions_cap = None
    assert size("files(id,permissions/id)") == 500


def test_page_sizes_beyond_a_thousand_are_cut(server: Server) -> None:
    assert refusal(drive(server).files().list(pageSize=5000)) == (200, "")


def test_a_rare_match_gives_empty_pages_with_a_token(server: Server, world: TenantState) -> None:
    """Only a missing token says that it was the last page."""
    for index in range(30):
        world.create(f"file {index}", owner=MORI)
    world.share(world.create("open", owner=MORI), "anyone")
    server.manners.search_budget = 10

    first = drive(server).files().list(q="visibility = 'anyoneWithLink'").execute()
    found = everything(drive(server).files().list, "files", q="visibility = 'anyoneWithLink'")

    assert first["files"] == []
    assert "nextPageToken" in first
    assert names(found) == {"open"}


def test_page_tokens_belong_to_their_search_and_grow_old(server: Server, world: TenantState) -> None:
    for index in range(3):
        world.create(f"file {index}", owner=MORI)
    files = drive(server).files()
    token = files.list(pageSize=1).execute()["nextPageToken"]

    assert refusal(files.list(pageSize=1, pageToken=token)) == (200, "")
    assert refusal(files.list(pageSize=1, pageToken=token, q="trashed = true")) == (400, "invalid")
    assert refusal(files.list(pageToken="nonsense")) == (400, "invalid")
    server.expire_pages()
    assert refusal(files.list(pageSize=1, pageToken=token)) == (400, "invalid")


def test_a_long_question_may_come_as_a_post(server: Server, world: TenantState) -> None:
    """The client library folds a GET beyond 2048 characters into a POST."""
    world.create("plan", owner=MORI)
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
def test_searching(server: Server, world: TenantState, question: str, expected: set[str]) -> None:
    """`limited` hides outsiders that are named: the folder is shared with a rival."""
    world.share(world.create("Plan A", owner=MORI), "anyone", "reader")
    second = world.create("Plan B", owner=MORI, extra=Extra(properties={"team": "sales"}))
    world.share(second, "kumo.example", "reader")
    budget = world.create("Budget", owner=MORI)
    world.share(budget, "anyone", "reader", discoverable=True)
    world.trash(budget)
    world.share(folder(world, "Folder", owner=MORI), "spy@rival.example", "reader")
    world.share(world.create("it's", owner=MORI), HAYASHI, "writer")

    page = drive(server).files().list(q=question, pageSize=100).execute()

    assert names(page["files"]) == expected


@pytest.mark.parametrize(
    "question",
    ["colour = 'red'", "name < 'x'", "name", "name = ", "visibility = 'open'", "(name = 'x'", "name = 'x' name = 'y'"],
)
def test_a_question_that_makes_no_sense_is_refused(server: Server, question: str) -> None:
    assert refusal(drive(server).files().list(q=question)) == (400, "invalid")


def test_order(server: Server, world: TenantState) -> None:
    """Pages keep the order that was asked for."""
    for name in ("b", "c", "a"):
        world.create(name, owner=MORI)
    folder(world, "z", owner=MORI)

    found = everything(drive(server).files().list, "files", orderBy="folder,name desc", pageSize=2)

    assert [file["name"] for file in found] == ["z", "c", "b", "a"]


def test_what_a_user_finds_without_asking_further(server: Server, world: TenantState) -> None:
    """Own files, files shared with him or his groups, and those he opened by a link: not every open file."""
    world.add_group("team@kumo.example", "Team", [MORI])
    mine = world.create("mine", owner=MORI)
    shared = folder(world, "shared folder", owner=HAYASHI)
    world.share(shared, MORI, "reader")
    world.create("inside", parent=shared)
    world.share(world.create("by group", owner=HAYASHI), "team@kumo.example")
    world.share(world.create("by link", owner=HAYASHI), "anyone")
    opened = world.create("opened", owner=HAYASHI)
    world.share(opened, "anyone")
    world.open(opened, MORI)
    shared_drive = world.add_drive("Sales", {MORI: "reader"})
    world.create("in the drive", drive=shared_drive)

    found = drive(server).files().list(fields="files(name,parents)").execute()["files"]
    everywhere = drive(server).files().list(**ALL).execute()["files"]

    assert names(found) == {mine.name, "shared folder", "inside", "by group", "opened"}
    assert names(everywhere) == names(found) | {"in the drive"}


def test_a_parent_that_the_user_cannot_see_is_not_told(server: Server, world: TenantState) -> None:
    hidden = folder(world, "hidden", owner=HAYASHI)
    world.share(world.create("shared", parent=hidden), MORI)

    file = drive(server).files().list(fields="files(name,parents,sharedWithMeTime,sharingUser)").execute()["files"][0]

    assert "parents" not in file
    assert file["sharingUser"]["emailAddress"] == HAYASHI
    assert drive(server, HAYASHI).files().list(q="name = 'shared'", fields="files/parents").execute()["files"][0] == {
        "parents": [hidden.id]
    }


def test_a_shared_drive_wants_all_its_parameters(server: Server, world: TenantState) -> None:
    sales = world.add_drive("Sales", {MORI: "organizer"})
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


def test_what_is_missing_on_shared_drive_items(server: Server, world: TenantState) -> None:
    """No permissions, owners, shared, ownedByMe; but their ids, and whether there are any of its own."""
    sales = world.add_drive("Sales", {MORI: "organizer"})
    plain = world.create("plain", drive=sales)
    linked = world.create("linked", drive=sales)
    world.share(linked, "anyone", "reader")

    files = {file["name"]: file for file in drive(server).files().list(fields="files", **ALL).execute()["files"]}

    for name in ("permissions", "owners", "shared", "ownedByMe", "writersCanShare"):
        assert name not in files["linked"]
    assert files["plain"]["hasAugmentedPermissions"] is False
    assert files["linked"]["hasAugmentedPermissions"] is True
    assert "anyoneWithLink" in files["linked"]["permissionIds"]
    assert files["plain"]["driveId"] == sales.id
    assert files["plain"]["parents"] == [sales.id]
    assert plain.id == files["plain"]["id"]


def test_a_shared_drive_item_needs_a_caller_who_knows_of_them(server: Server, world: TenantState) -> None:
    item = world.create("plan", drive=world.add_drive("Sales", {MORI: "organizer"}))
    files = drive(server).files()

    assert refusal(files.get(fileId=item.id)) == (404, "notFound")
    assert files.get(fileId=item.id, supportsAllDrives=True, fields="name").execute() == {"name": "plan"}


def test_a_domain_search_finds_what_the_domain_can_find(server: Server, world: TenantState) -> None:
    world.share(world.create("found", owner=HAYASHI), "kumo.example", discoverable=True)
    world.share(world.create("by link only", owner=HAYASHI), "kumo.example")

    assert names(drive(server).files().list(corpora="domain").execute()["files"]) == {"found"}


def test_a_search_over_too_much_is_incomplete(server: Server, world: TenantState) -> None:
    for index in range(3):
        world.create(f"file {index}", owner=MORI)
    server.manners.incomplete_beyond = 2

    assert drive(server).files().list(**ALL).execute()["incompleteSearch"] is True
    assert drive(server).files().list().execute()["incompleteSearch"] is False


def test_trash_reaches_below_a_folder(server: Server, world: TenantState) -> None:
    waste = folder(world, "waste", owner=MORI)
    world.create("below", parent=waste)
    world.trash(waste)

    files = drive(server).files().list(q="trashed = true", fields="files(name,explicitlyTrashed)").execute()["files"]

    assert {file["name"]: file["explicitlyTrashed"] for file in files} == {"waste": True, "below": False}


def test_labels_only_by_their_ids(office: Server, kumo: Company) -> None:
    files = drive(office).files()
    wanted = {"fileId": kumo.situations["labelled"], "fields": "labelInfo"}

    labels = files.get(**wanted, includeLabels="tQxYhVnM4r0GZVsC9RZbUw").execute()["labelInfo"]["labels"]

    assert files.get(**wanted).execute() == {}
    assert labels[0]["fields"]["level"]["selection"] == ["confidential"]


def test_a_shortcut_is_a_file_of_its_own(office: Server, kumo: Company) -> None:
    file = drive(office, HAYASHI).files().get(fileId=kumo.situations["shortcut"], fields="*").execute()

    assert file["shortcutDetails"]["targetId"] == kumo.situations["labelled"]
    assert {one["type"] for one in file["permissions"]} == {"user", "domain"}
    assert "size" not in file


def test_somebody_elses_file_is_not_found(server: Server, world: TenantState) -> None:
    item = world.create("private", owner=HAYASHI)

    assert refusal(drive(server).files().get(fileId=item.id)) == (404, "notFound")
    assert refusal(drive(server, AOKI).files().get(fileId=item.id)) == (404, "notFound")


def test_the_root_folder(server: Server, world: TenantState) -> None:
    item = world.create("plan", owner=MORI)
    files = drive(server).files()

    root = files.get(fileId="root", fields="id,mimeType").execute()

    assert root["mimeType"] == FOLDER
    assert files.get(fileId=item.id, fields="parents").execute()["parents"] == [root["id"]]


def test_about_wants_to_know_which_fields(server: Server) -> None:
    assert refusal(drive(server).about().get()) == (400, "required")


def test_nothing_can_be_written(server: Server, world: TenantState) -> None:
    item = world.create("plan", owner=MORI)

    assert refusal(drive(server, MORI, "drive").files().delete(fileId=item.id)) == (501, "notImplemented")
    assert world.item(item.id) is item
