from typing import Any

from googleapiclient.http import BatchHttpRequest

from cloudscan_emulators.google import Server, TenantState
from tests.emulators.google.google_client import MORI, drive, reason


def test_many_questions_at_once(server: Server, state: TenantState) -> None:
    """Each with its own answer; in the log each counts, over the network it is one."""
    items = [state.create(f"file {index}", owner=MORI) for index in range(20)]
    client = drive(server)
    client.about().get(fields="user").execute()
    before = server.requests
    answers: dict[str, Any] = {}

    def keep(identity: str, answer: Any, error: Any) -> None:
        answers[identity] = reason(error) if error else answer["name"]

    batch = BatchHttpRequest(callback=keep, batch_uri=f"{server.url}/batch/drive/v3")
    for item in items:
        batch.add(client.files().get(fileId=item.id), request_id=item.name)
    batch.add(client.files().get(fileId="nothing"), request_id="missing")
    batch.execute(http=client._http)

    assert answers == {**{item.name: item.name for item in items}, "missing": "notFound"}
    assert server.requests == before + 1
    assert sum(seen.in_batch for seen in server.log) == 21


def test_a_hundred_at_most(server: Server) -> None:
    client = drive(server)
    client.about().get(fields="user").execute()  # or the batch fetches a token over a connection that it leaves open
    batch = BatchHttpRequest(batch_uri=f"{server.url}/batch/drive/v3")
    for _ in range(101):
        batch.add(client.files().list())

    try:
        batch.execute(http=client._http)
    except Exception as error:  # noqa: BLE001 - the library's own kinds are many
        assert "100" in str(error)
    else:
        raise AssertionError("it was taken")
