"""Google Drive at the command line."""

from collections.abc import Iterator

import pytest

from cloudscan_emulators.google import Server, company
from tests.cli.conftest import Desk
from tests.connectors.gdrive.estate import serve


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(company.build(150).state) as running:
        yield running


@pytest.fixture
def at_google(desk: Desk, server: Server) -> Desk:
    key = server.write_key(desk.folder / "key.json")
    where = f'endpoint = "{server.url}"\nkey_file = "{key}"\nadmin = "{company.ADMIN}"'
    desk.configure(f"[connectors.gdrive]\n{where}\naudit_days = 0\n")
    return desk


def files_asked_for(server: Server) -> list[str]:
    return [seen.query for seen in server.log if seen.method == "drive.files.list" and "'me' in owners" in seen.query]


def test_only_shared_asks_google_for_what_is_open_and_says_what_it_cannot_see(at_google: Desk, server: Server) -> None:
    result = at_google.run("scan", "--only-shared")

    assert files_asked_for(server)
    assert all("visibility = 'anyoneWithLink'" in query for query in files_asked_for(server))
    assert result.code in (1, 3, 5)
    sql = "SELECT DISTINCT reason FROM coverage WHERE question = 'gdrive-own-files' AND outcome = 'skipped'"
    assert "drive-only-shared" in at_google.run("query", sql).out


def test_without_it_everything_is_asked_for(at_google: Desk, server: Server) -> None:
    at_google.run("scan")

    assert not any("visibility" in query for query in files_asked_for(server))


def test_a_platform_that_cannot_be_asked_so_says_it(at_google: Desk) -> None:
    at_google.configure("[connectors.s3]\n")

    result = at_google.run("scan", "--only-shared")

    assert (result.code, result.out) == (2, "")
    assert "s3 cannot list only what is shared" in result.err
