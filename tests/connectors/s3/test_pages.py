"""Lists whose pages repeat or never end: what was named is kept, and the rest is a gap."""

import json

import pytest

from cloudscan_emulators.aws.moto_server import Emulator, Fault
from tests.connectors.s3.estate import ACCOUNT, gap, listed, read

NAMES = ("first", "second", "third")


@pytest.mark.parametrize("tokens", [("A", "A"), ("A", "B", "A")])
def test_a_token_that_comes_again_is_a_gap(server: Emulator, tokens: tuple[str, ...]) -> None:
    server.faults.add(
        *(
            Fault(where="max-buckets", times=1, body=listed(NAMES[number], token=token))
            for number, token in enumerate(tokens)
        )
    )

    result = read(server)

    assert gap(result, "s3-pages-in-a-circle").question == "s3-buckets"
    assert {scope.name for scope in result.scopes if scope.kind == "bucket"} == set(NAMES[: len(tokens)])


def test_pages_that_repeat_under_new_tokens_are_a_gap(server: Emulator) -> None:
    server.faults.add(
        Fault(where="max-buckets", times=1, body=listed("first", token="A")),
        Fault(where="continuation-token=A", times=1, body=listed("first", token="B")),
    )

    assert gap(read(server), "s3-pages-in-a-circle").question == "s3-buckets"


def test_a_page_that_is_refused_begins_the_list_again(server: Emulator) -> None:
    server.faults.add(
        Fault(where="continuation-token=A", times=1, status="400 Bad Request", code="InvalidArgument"),
        Fault(where="continuation-token=A", after=0, body=listed("second")),
        Fault(where="max-buckets", body=listed("first", token="A")),
    )

    result = read(server)

    assert {scope.name for scope in result.scopes if scope.kind == "bucket"} == {"first", "second"}
    assert not [one for one in result.gaps if one.question == "s3-buckets"]


def test_a_bucket_without_its_name_is_counted(server: Emulator) -> None:
    body = listed("first").replace(b"<Buckets>", b"<Buckets><Bucket><CreationDate>2026-01-01</CreationDate></Bucket>")
    server.faults.add(Fault(where="max-buckets", body=body))

    result = read(server)

    assert gap(result, "s3-entries-malformed").question == "s3-buckets"
    assert {scope.name for scope in result.scopes if scope.kind == "bucket"} == {"first"}


def test_an_empty_page_of_accounts_is_not_the_end(server: Emulator) -> None:
    """Organizations may answer with a page that is empty and names a next one."""
    pages = [
        {"Accounts": [], "NextToken": "A"},
        {"Accounts": [], "NextToken": "B"},
        {"Accounts": [{"Id": ACCOUNT, "State": "ACTIVE"}, {"Id": "222233334444", "State": "ACTIVE"}]},
    ]
    server.faults.add(*(Fault(where="ListAccounts", times=1, body=json.dumps(one).encode()) for one in pages))

    result = read(server, organisation=True)

    assert {scope.account for scope in result.scopes if scope.kind == "account"} == {ACCOUNT, "222233334444"}
