"""What every shared store promises: a folder, and a bucket over HTTP."""

import pickle
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from cloudscan.cli.opening import open_store
from cloudscan.errors import ConfigurationError, SnapshotError
from cloudscan.store import Store
from cloudscan_emulators.aws import moto_server
from cloudscan_emulators.aws.moto_server import CREDENTIALS, Emulator, Fault


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with moto_server.running() as server:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": server.endpoint}.items():
            monkeypatch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="scans")
        yield server


@pytest.fixture(params=["folder", "url of a folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    match request.param:
        case "folder":
            return open_store(str(tmp_path / "store"))
        case "url of a folder":
            return open_store((tmp_path / "store").as_uri())
    request.getfixturevalue("server")
    return open_store("s3://scans/nightly/estate/")


def test_what_is_written_is_read(store: Store) -> None:
    store.write("runs/1/plan.json", b"old")
    store.write("runs/1/plan.json", b"new")

    assert store.read("runs/1/plan.json") == b"new"
    assert store.read("runs/1/other.json") is None


def test_of_many_that_create_one_does(store: Store) -> None:
    created: list[bytes] = []

    def create(content: bytes) -> None:
        if store.create("claims/1.json", content):
            created.append(content)

    threads = [threading.Thread(target=create, args=(b"%d" % number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(created) == 1
    assert store.read("claims/1.json") == created[0]


def test_files_go_up_and_come_down(store: Store, tmp_path: Path) -> None:
    (tmp_path / "here").write_bytes(b"facts" * 100_000)
    store.upload(tmp_path / "here", "runs/1/read/facts.parquet")

    assert store.download("runs/1/read/facts.parquet", tmp_path / "there")
    assert not store.download("runs/1/read/none.parquet", tmp_path / "none")

    assert (tmp_path / "there").read_bytes() == b"facts" * 100_000
    assert (tmp_path / "there").stat().st_mode & 0o077 == 0
    assert not (tmp_path / "none").exists()


def test_keys_are_those_of_one_folder(store: Store) -> None:
    for key in ("claims/2.json", "claims/1.json", "claims-of-others/3.json", "runs/1/done/x.json"):
        store.write(key, b"{}")

    assert list(store.keys("claims")) == ["claims/1.json", "claims/2.json"]
    assert list(store.keys("runs/1")) == ["runs/1/done/x.json"]
    assert list(store.keys("manifests")) == []


def test_a_store_goes_to_another_machine(store: Store) -> None:
    store.write("claims/1.json", b"{}")

    there = pickle.loads(pickle.dumps(store))

    assert (there.url, there.read("claims/1.json")) == (store.url, b"{}")


def test_a_bucket_that_refuses_says_what_is_needed(server: Emulator) -> None:
    server.faults.add(Fault(where="PUT /scans/"))

    with pytest.raises(SnapshotError, match=r"s3://scans/x cannot be used \(.*AccessDenied.*credentials of its own"):
        open_store("s3://scans/x").create("claims/1.json", b"{}")


def test_a_write_whose_answer_was_lost_is_our_own(server: Emulator) -> None:
    store = open_store("s3://scans")
    assert store.create("claims/1.json", b"mine")

    assert store.create("claims/1.json", b"mine")
    assert not store.create("claims/1.json", b"another's")


def test_a_conflict_is_tried_again(server: Emulator) -> None:
    server.faults.add(
        Fault(where="PUT /scans/claims", times=2, status="409 Conflict", code="ConditionalRequestConflict")
    )

    assert open_store("s3://scans").create("claims/1.json", b"{}")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3:///prefix", "write s3://bucket/prefix"),
        ("s3://key:secret@bucket", "write s3://bucket/prefix"),
        ("gs://bucket/scans", "There is no kind of store called 'gs'"),
    ],
)
def test_an_address_that_is_none_says_what_to_write(address: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        open_store(address)

    assert "secret" not in str(refused.value)
