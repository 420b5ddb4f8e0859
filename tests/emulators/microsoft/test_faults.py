import http.client
from itertools import pairwise

import pytest
import urllib3

from cloudscan_emulators.microsoft import Fault, Quota, Server, TenantState, errors, outage, refusal, serve, throttle
from cloudscan_emulators.microsoft.records import Drive
from tests.emulators.microsoft.graph_client import Graph


def test_resource_units(graph: Graph, server: Server, state: TenantState, drive: Drive) -> None:
    """One for an item or a delta with token, two for lists, five for permissions, none for the directory."""
    item = state.create("offer.pdf", drive=drive)
    link = graph.get(f"/drives/{drive.id}/root/delta").delta
    spent = [server.units]
    for path in (link, state.path_of(item), f"/drives/{drive.id}/root/children", "/users"):
        graph.get(path)
        spent.append(server.units)
    graph.get(f"{state.path_of(item)}/permissions")
    spent.append(server.units)

    assert [after - before for before, after in pairwise(spent)] == [1, 1, 2, 0, 5]
    assert spent[0] == 2
    assert server.log[-1].units == 5


def test_throttling(state: TenantState, drive: Drive) -> None:
    """Warnings from four fifths of the budget on, then 429 until the minute is over."""
    with serve(state, quota=Quota(app_minute=10)) as server:
        graph = Graph(server)
        replies = [graph.get(f"/drives/{drive.id}/root/children") for _ in range(6)]

    assert [reply.status for reply in replies] == [200] * 5 + [429]
    assert "RateLimit-Remaining" not in replies[2].headers
    assert [reply.headers.get("RateLimit-Remaining") for reply in replies[3:]] == ["2", "0", "0"]
    assert replies[5].code == "activityLimitReached"
    assert 0 < int(replies[5].headers["Retry-After"]) <= 60


def test_a_client_that_ignores_retry_after_is_blocked(state: TenantState, drive: Drive) -> None:
    with serve(state, quota=Quota(app_minute=2, block_after=2)) as server:
        graph = Graph(server)
        replies = [graph.get(f"/drives/{drive.id}/root").status for _ in range(7)]

    assert replies == [200, 200, 429, 429, 429, 503, 503]


def test_the_smallest_tenant() -> None:
    quota = Quota.of(300)

    assert (quota.app_minute, quota.app_day, quota.tenant_five_minutes) == (1_250, 1_200_000, 18_750)
    assert Quota.of(60_000).app_minute == 6_250


def test_each_part_of_a_batch_is_charged_and_throttled_separately(state: TenantState, drive: Drive) -> None:
    path = f"/drives/{drive.id}/root/permissions"
    parts = [{"id": str(index), "method": "GET", "url": path} for index in range(4)]
    with serve(state, quota=Quota(app_minute=12)) as server:
        reply = Graph(server).ask("POST", "/$batch", body={"requests": parts})

    answers = {part["id"]: part for part in reply.json["responses"]}
    assert reply.status == 200
    assert [answers[str(index)]["status"] for index in range(4)] == [200, 200, 429, 429]
    assert int(answers["2"]["headers"]["Retry-After"]) > 0
    assert next(iter(answers)) == "3"  # in no order


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [{"id": str(index), "method": "GET", "url": "/users"} for index in range(21)],
        [{"id": "1", "method": "GET", "url": "/users"}] * 2,
        [{"id": "1", "method": "GET", "url": "https://graph.microsoft.com/v1.0/users"}],
        [{"method": "GET", "url": "/users"}],
    ],
)
def test_batches_that_are_refused(graph: Graph, requests: list[dict[str, str]]) -> None:
    assert graph.ask("POST", "/$batch", body={"requests": requests}).status == 400


def test_parts_that_wait_for_others(graph: Graph) -> None:
    parts = [
        {"id": "a", "method": "GET", "url": "/users/nobody"},
        {"id": "b", "method": "GET", "url": "/users", "dependsOn": ["a"]},
        {"id": "c", "method": "GET", "url": "/users?$select=id"},
    ]

    answers = {part["id"]: part for part in graph.ask("POST", "/$batch", body={"requests": parts}).json["responses"]}

    assert [answers[name]["status"] for name in "abc"] == [404, 424, 200]
    assert len(answers["c"]["body"]["value"]) == 3
    assert graph.server.requests == 2


def test_a_storm_that_ends(graph: Graph, server: Server) -> None:
    server.faults.add(throttle("/users", times=2, retry_after=3), outage("/users", times=1), outage("/users", code=504))

    replies = [graph.get("/users") for _ in range(5)]

    assert [reply.status for reply in replies] == [429, 429, 503, 504, 200]
    assert replies[0].headers["Retry-After"] == "3"
    assert "Retry-After" not in replies[2].headers


def test_faults_within_a_batch(graph: Graph, server: Server) -> None:
    server.faults.add(throttle("/users/hayashi"))
    parts = [{"id": who, "method": "GET", "url": f"/users/{who}@kumo.example"} for who in ("mori", "hayashi")]

    answers = graph.ask("POST", "/$batch", body={"requests": parts}).json["responses"]

    assert {entry["id"]: entry["status"] for entry in answers} == {"mori": 200, "hayashi": 429}


def test_a_vanished_item_and_a_locked_site(graph: Graph, server: Server, state: TenantState, drive: Drive) -> None:
    item = state.create("offer.pdf", drive=drive)
    server.faults.add(
        refusal("/permissions", errors.no_such_item(), times=1), refusal("/permissions", errors.locked(), times=1)
    )

    replies = [graph.get(f"{state.path_of(item)}/permissions") for _ in range(3)]

    assert [reply.status for reply in replies] == [404, 423, 200]


def test_tokens_that_expire_between_pages(graph: Graph, server: Server) -> None:
    server.quirks.directory_page = 1
    server.faults.add(Fault(where="skiptoken", times=1, expire=True))
    first = graph.get("/users")

    late = graph.get(first.next)
    graph.token = ""

    assert late.status == 401
    assert graph.get(first.next).status == 200


def test_bodies_that_end_early_or_are_not_json(graph: Graph, server: Server) -> None:
    server.faults.add(
        Fault(where="/users", times=1, cut=True),
        Fault(where="/users", times=1, garble=True),
        Fault(where="/users", times=1, html=502),
        Fault(where="/users", times=1, reset=True),
    )
    assert graph.get("/groups").status == 200

    with pytest.raises((urllib3.exceptions.HTTPError, http.client.HTTPException)):
        graph.get("/users")
    with pytest.raises(ValueError, match="Expecting"):
        _ = graph.get("/users").json
    assert graph.get("/users").body.startswith(b"<!DOCTYPE html>")
    with pytest.raises((urllib3.exceptions.HTTPError, OSError)):
        graph.get("/users")
    assert graph.get("/users").status == 200


def test_next_links_that_repeat_or_lead_away(graph: Graph, server: Server) -> None:
    server.faults.add(
        Fault(where="/users", times=1, repeat=True),
        Fault(where="/users", times=1, next_link="https://evil.example/v1.0/users"),
    )
    asked = f"{server.graph}/users?$select=id"

    assert graph.get(asked).next == asked
    assert graph.get(asked).next == "https://evil.example/v1.0/users"
    assert graph.get(asked).next == ""


def test_the_tenant_changes_during_a_listing(graph: Graph, server: Server, state: TenantState, drive: Drive) -> None:
    item = state.create("offer.pdf", drive=drive)
    server.faults.add(Fault(where="/permissions", times=1, first=lambda changed: changed.trash(item)))

    reply = graph.get(f"{state.path_of(item)}/permissions")

    assert (reply.status, reply.code) == (404, "itemNotFound")


def test_the_log_has_headers_and_methods(graph: Graph, server: Server) -> None:
    graph.get("/users?$select=id", User_Agent="NONISV|Kumo|cloudscan/0.1")

    seen = server.log[-1]

    assert (seen.method, seen.verb, seen.path, seen.query, seen.status) == (
        "users.list",
        "GET",
        "/v1.0/users",
        "$select=id",
        200,
    )
    assert seen.headers["user-agent"].startswith("NONISV|")
