"""The settings of groups, as administrators read them with Google's own client."""

import urllib.request
from collections.abc import Iterator
from typing import Any

import google.auth.transport.requests
import pytest
from googleapiclient.errors import HttpError

from cloudscan_emulators.google import Server, TenantState, serve
from tests.emulators.google.google_client import AOKI, MORI, acting_for, client

SETTINGS = "apps.groups.settings"


@pytest.fixture
def server() -> Iterator[Server]:
    state = TenantState("kumo.example")
    state.add_user(AOKI, admin="super")
    state.add_user(MORI)
    state.add_group(
        "team@kumo.example", "Team & friends", [MORI], who_can_join="ANYONE_CAN_JOIN", externals_allowed=True
    )
    with serve(state) as running:
        yield running


def settings(server: Server, user: str = AOKI, *names: str) -> Any:
    return client(server, "groupssettings", acting_for(server, user, *(names or (SETTINGS,)))).groups()


def test_a_group_says_who_may_join(server: Server) -> None:
    """Switches are texts."""
    team = settings(server).get(groupUniqueId="team@kumo.example").execute()

    assert (team["whoCanJoin"], team["allowExternalMembers"]) == ("ANYONE_CAN_JOIN", "true")


def test_a_plain_request_is_answered_in_atom(server: Server) -> None:
    credentials = acting_for(server, AOKI, SETTINGS)
    credentials.refresh(google.auth.transport.requests.Request())
    address = f"{server.url}/groups/v1/groups/team%40kumo.example"
    plain = urllib.request.Request(address, headers={"Authorization": f"Bearer {credentials.token}"})

    with urllib.request.urlopen(plain) as answer:
        body = answer.read().decode()
        kind = answer.headers["Content-Type"]

    assert kind.startswith("application/atom+xml")
    assert "<apps:whoCanJoin>ANYONE_CAN_JOIN</apps:whoCanJoin>" in body
    assert "Team &amp; friends" in body


@pytest.mark.parametrize(
    ("user", "scope", "group", "status"),
    [
        (MORI, SETTINGS, "team@kumo.example", 403),
        (AOKI, "admin.directory.group.readonly", "team@kumo.example", 403),
        (AOKI, SETTINGS, "nobody@kumo.example", 404),
    ],
)
def test_what_is_refused(server: Server, user: str, scope: str, group: str, status: int) -> None:
    with pytest.raises(HttpError) as refused:
        settings(server, user, scope).get(groupUniqueId=group).execute()

    assert refused.value.resp.status == status
