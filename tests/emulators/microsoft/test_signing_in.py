import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from cloudscan_emulators.microsoft import Server, TenantState, serve
from cloudscan_emulators.microsoft.certificates import Pair
from cloudscan_emulators.microsoft.records import Drive
from tests.emulators.microsoft.graph_client import GRAPH, Graph


def by_secret(server: Server, secret: str = "") -> ClientSecretCredential:
    return ClientSecretCredential(
        server.tenant,
        server.client_id,
        secret or server.client_secret,
        authority=server.authority,
        disable_instance_discovery=True,
        connection_verify=str(server.ca_file),
    )


def by_certificate(server: Server, pair: Pair) -> CertificateCredential:
    return CertificateCredential(
        server.tenant,
        server.client_id,
        certificate_data=pair.pem,
        authority=server.authority,
        disable_instance_discovery=True,
        connection_verify=str(server.ca_file),
    )


def test_azure_identity_signs_in_with_a_secret(server: Server) -> None:
    token = by_secret(server).get_token(GRAPH)

    assert token.token.count(".") == 2


def test_azure_identity_reports_a_wrong_secret(server: Server) -> None:
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        by_secret(server, "another").get_token(GRAPH)


def test_azure_identity_signs_in_with_a_certificate(server: Server, certificate: Pair) -> None:
    """SharePoint accepts such a token, while it refuses those from a secret."""
    scope = f"https://{server.state.host}/.default"
    graph = Graph(server)
    address = f"{server.sharepoint()}/_api/web"

    graph.token = by_certificate(server, certificate).get_token(scope).token
    taken = graph.get(address, Accept="application/json")
    graph.token = by_secret(server).get_token(scope).token
    refused = graph.get(address, Accept="application/json")

    assert taken.json["Title"] == "Home"
    assert refused.status == 401
    assert refused.json == {"error_description": "Unsupported app only token."}


def test_azure_identity_signs_in_as_a_managed_identity(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.managed_identity().items():
        monkeypatch.setenv(name, value)
    graph = Graph(server)

    graph.token = ManagedIdentityCredential().get_token(GRAPH).token

    assert graph.get("/organization").status == 200


def test_azure_identity_signs_in_as_a_workload(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("workload-identity-token", encoding="ascii")
    credential = WorkloadIdentityCredential(
        tenant_id=server.tenant,
        client_id=server.client_id,
        token_file_path=str(file),
        authority=server.authority,
        disable_instance_discovery=True,
        connection_verify=str(server.ca_file),
    )

    assert credential.get_token(GRAPH).token


@pytest.fixture
def sdk(server: Server) -> Iterator[GraphServiceClient]:
    """The real client, from the secret to the model."""
    provider = AzureIdentityAuthenticationProvider(by_secret(server), scopes=[GRAPH])
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = server.graph
    yield GraphServiceClient(request_adapter=adapter)


def test_the_sdk_reads_permissions_and_errors(sdk: GraphServiceClient, state: TenantState, drive: Drive) -> None:
    item = state.create("offer.pdf", drive=drive)
    state.link(item, "edit")
    items = sdk.drives.by_drive_id(drive.id).items

    async def ask() -> tuple[object, ODataError]:
        response = await items.by_drive_item_id(state.id_of(item)).permissions.get()
        with pytest.raises(ODataError) as caught:
            await items.by_drive_item_id("nothing").get()
        return response, caught.value

    response, error = asyncio.run(ask())

    links = [entry.link for entry in getattr(response, "value", []) if entry.link]
    assert [(link.scope, link.type) for link in links] == [("anonymous", "edit")]
    assert (error.response_status_code, getattr(error.error, "code", "")) == (404, "itemNotFound")


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"client_secret": "no"}, 7000215),
        ({"client_secret": ""}, 7000218),
        ({"client_id": "no"}, 700016),
        ({"scope": "https://elsewhere.example/.default"}, 500011),
        ({"scope": "User.Read"}, 1002012),
        ({"grant_type": "password"}, 70003),
    ],
)
def test_errors_of_the_token_endpoint(graph: Graph, change: dict[str, str], number: int) -> None:
    reply = graph.sign_in(**{"scope": GRAPH, **change})

    assert reply.status in (400, 401)
    assert reply.json["error_codes"] == [number]
    assert f"AADSTS{number}" in reply.json["error_description"]


def test_a_token_is_for_one_audience(server: Server) -> None:
    graph = Graph(server)
    graph.token = graph.sign_in(f"https://{server.state.host}/.default").json["access_token"]

    reply = graph.get("/users")

    assert (reply.status, reply.code) == (401, "InvalidAuthenticationToken")


def test_without_a_token_or_with_an_old_one(graph: Graph, server: Server) -> None:
    assert graph.get("/users").status == 200

    server.expire_tokens()

    assert graph.get("/users").status == 401
    graph.token = "nonsense"
    assert graph.get("/users").code == "InvalidAuthenticationToken"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/users", "Authorization_RequestDenied"),
        ("/sites/getAllSites", "accessDenied"),
        ("/admin/sharepoint/settings", "accessDenied"),
        ("/teams", "Forbidden"),
    ],
)
def test_a_missing_permission(server: Server, path: str, code: str) -> None:
    """Each of the services behind Graph has its own format."""
    server.allow("Mail.Read")

    reply = Graph(server).get(path)

    assert (reply.status, reply.code) == (403, code)


def test_tokens_expire(state: TenantState) -> None:
    with serve(state, token_seconds=0) as server:
        assert Graph(server).get("/users").status == 401


def test_calls_of_users_writes_and_beta_are_refused(graph: Graph) -> None:
    """No signed-in user, no writing, no beta."""
    assert graph.get("/me/drive").status == 400
    assert graph.ask("DELETE", "/users/mori@kumo.example").status == 405
    assert graph.get(graph.server.url + "/beta/users").status == 400
    assert graph.get("/nothing/at/all").code == "BadRequest"
