from datetime import UTC, datetime, timedelta

import pytest

from cloudscan_emulators.google import Server, TenantState
from cloudscan_emulators.google.company import DELEGATED, Company
from tests.emulators.google.google_client import AOKI, HAYASHI, MORI, everything, refusal, reports

ALL = {"userKey": "all", "applicationName": "drive"}


def parameters(activity: dict[str, list[dict[str, object]]], number: int = 0) -> dict[str, object]:
    values = activity["events"][number]["parameters"]
    assert isinstance(values, list)
    return {entry["name"]: entry.get("value", entry.get("boolValue", entry.get("multiValue"))) for entry in values}


def test_a_named_share_says_who_let_in_whom(server: Server, state: TenantState) -> None:
    item = state.create("Bid", owner=MORI)
    state.share(item, HAYASHI, "writer")
    state.share(item, "spy@rival.example", "reader", by=HAYASHI)

    newest = reports(server).activities().list(**ALL, eventName="change_user_access").execute()["items"][0]

    assert newest["actor"]["email"] == HAYASHI
    values = parameters(newest)
    wanted = {"doc_id": item.id, "target_user": "spy@rival.example", "owner": MORI, "visibility": "shared_externally",
              "old_visibility": "shared_internally", "visibility_change": "external", "old_value": ["none"],
              "new_value": ["can_view"]}  # fmt: skip
    assert wanted.items() <= values.items()


def test_a_link_stands_in_one_activity_as_scope_and_as_visibility(server: Server, state: TenantState) -> None:
    state.share(state.create("Prices", owner=MORI), "anyone", "reader")

    (activity,) = reports(server).activities().list(**ALL, eventName="change_document_visibility").execute()["items"]

    assert [event["name"] for event in activity["events"]] == [
        "change_document_access_scope",
        "change_document_visibility",
    ]
    assert parameters(activity, 0)["new_value"] == ["can_view"]
    assert parameters(activity, 1)["new_value"] == ["people_with_link"]
    assert parameters(activity, 1)["target_domain"] == "all"


def test_somebody_who_is_not_signed_in_has_no_address(server: Server, state: TenantState) -> None:
    item = state.create("Prices", owner=MORI)
    state.share(item, "anyone", "reader")
    state.use(item, "")

    (view,) = reports(server).activities().list(**ALL, eventName="view").execute()["items"]

    assert view["actor"] == {"profileId": "105250506097979753968"}


def test_files_of_external_users_are_in_their_own_logs(server: Server, state: TenantState) -> None:
    state.share(state.create("Theirs", owner="spy@rival.example"), MORI, "writer")

    assert "items" not in reports(server).activities().list(**ALL).execute()


def test_pages_newest_first(office: Server, kumo: Company) -> None:
    listing = reports(office).activities().list

    entries = everything(listing, "items", **ALL, maxResults=7, eventName="change_user_access")

    times = [entry["id"]["time"] for entry in entries]
    assert times == sorted(times, reverse=True)
    assert len({entry["id"]["uniqueQualifier"] for entry in entries}) == len(entries) > 7


def test_older_than_180_days_is_gone(server: Server, state: TenantState) -> None:
    state.share(state.create("Old", owner=MORI), HAYASHI)
    state.pass_time(timedelta(days=181))
    state.share(state.create("New", owner=MORI), HAYASHI)

    (entries,) = (
        reports(server)
        .activities()
        .list(**ALL, eventName="change_user_access", startTime="2020-01-01T00:00:00Z")
        .execute()["items"]
    )

    assert parameters(entries)["doc_title"] == "New"


def test_a_window_and_what_has_not_arrived_yet(server: Server, state: TenantState) -> None:
    began = datetime.fromtimestamp(state.now, tz=UTC)
    for title in ("One", "Two", "Three"):
        state.share(state.create(title, owner=MORI), HAYASHI)
        state.pass_time(timedelta(days=1))
    server.quirks.log_delay = 30 * 3600
    window = {"startTime": (began + timedelta(hours=1)).isoformat(), "endTime": (began + timedelta(days=9)).isoformat()}

    (entries,) = reports(server).activities().list(**ALL, eventName="change_user_access", **window).execute()["items"]

    assert parameters(entries)["doc_title"] == "Two"


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        ("visibility==shared_externally", {"Outside"}),
        ("visibility<>shared_externally", {"Inside"}),
        ("visibility==shared_externally,owner_is_shared_drive==true", set()),
        ("nothing==here", set()),
    ],
)
def test_filters(server: Server, state: TenantState, filters: str, titles: set[str]) -> None:
    state.share(state.create("Inside", owner=MORI), HAYASHI)
    state.share(state.create("Outside", owner=MORI), "spy@rival.example")

    entries = reports(server).activities().list(**ALL, eventName="change_user_access", filters=filters).execute()

    assert {parameters(entry)["doc_title"] for entry in entries.get("items", [])} == titles


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"fields": "items(id/when)"}, 400),
        ({"fields": "items(events(name,parameters(name,value,multiValue)))"}, 200),
        ({"filters": "no name==x"}, 400),
        ({"eventName": "change_nothing"}, 400),
        ({"startTime": "2026-03-31T00:00:00Z", "endTime": "2026-03-01T00:00:00Z"}, 400),
        ({"startTime": "2126-01-01T00:00:00Z"}, 400),
        ({"pageToken": "made up"}, 400),
        ({"userKey": "nobody@kumo.example"}, 400),
        ({"userKey": MORI}, 200),
    ],
)
def test_what_is_no_question_is_refused(server: Server, more: dict[str, str], status: int) -> None:
    assert refusal(reports(server).activities().list(**{**ALL, **more}))[0] == status


def test_only_administrators_with_the_right_may_ask(office: Server) -> None:
    assert refusal(reports(office, DELEGATED).activities().list(**ALL))[0] == 200
    assert refusal(reports(office, MORI).activities().list(**ALL))[0] == 403
    directory_only = reports(office, AOKI, "admin.directory.user.readonly")
    assert refusal(directory_only.activities().list(**ALL)) == (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
