"""Files that belong to people outside: who of ours can change them, and what it costs to know."""

from pathlib import Path

from cloudscan.facts import Access, Affiliation, Audience, Outcome
from cloudscan_emulators.google import company
from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.estate import connector, file, serve
from tests.connectors.reading import read

MORI, HAYASHI = "mori@kumo.example", "hayashi@kumo.example"


def test_an_external_users_file_is_one_resource_with_a_grant_for_each_of_ours(tmp_path: Path) -> None:
    built = company.build(250)
    shared = file(built.scenarios["owner external, we edit"])
    with serve(built.state) as server:
        reader = connector(server, tmp_path, external_files=True)
        result = read(reader)

    assert result.resource(shared).owner_uid == uids.user("spy@rival.example")
    assert result.principal(uids.user("spy@rival.example")).affiliation is Affiliation.EXTERNAL
    assert {(grant.principal_uid, grant.access) for grant in result.grants(shared)} == {
        (uids.user(MORI), Access.WRITE),
        (uids.user(HAYASHI), Access.READ),
    }
    assert {grant.audience for grant in result.grants(shared)} == {Audience.NAMED}
    reading = result.grants(file(built.scenarios["owner external"]))
    assert [(grant.principal_uid, grant.access) for grant in reading] == [(uids.user(MORI), Access.READ)]


def test_files_of_colleagues_are_not_external(tmp_path: Path) -> None:
    built = company.build(250)
    with serve(built.state) as server:
        reader = connector(server, tmp_path, external_files=True)
        result = read(reader)

    owners = {resource.owner_uid for resource in result.of_kind("external_file")}
    assert owners == {uids.user("spy@rival.example"), uids.user("tanuki@partner.example")}


def test_a_list_for_each_user_and_no_more(tmp_path: Path) -> None:
    built = company.build(250)
    with serve(built.state) as server:
        reader = connector(server, tmp_path, external_files=True)
        result = read(reader)

        users = sum(scope.kind == "external_files" for scope in result.scopes)
        lists = sum("sharedWithMe" in request.query for request in server.log)
    assert lists == users > 0


def test_switched_off_nothing_is_asked_and_that_is_said(tmp_path: Path) -> None:
    with serve(company.build(10).state) as server:
        reader = connector(server, tmp_path)
        result = read(reader)

        assert not any("sharedWithMe" in request.query for request in server.log)
    assert result.gap("drive-external-files-switched-off").outcome is Outcome.SKIPPED
    assert result.of_kind("external_file") == []
