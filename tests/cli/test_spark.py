"""What is wrong with a Spark is said at once, in words."""

import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Desk


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--master", "local[2]"], "--master, --remote and --store belong to --engine spark"),
        (["--engine", "spark", "--master", "local[2]", "--remote", "sc://spark"], "leave one of them out"),
        (["--engine", "spark", "--master", "yarn"], "--store is missing: name a folder that all machines"),
        (["--engine", "spark", "--master", "local[2]", "--store", "gs://scans"], "no kind of store called 'gs'"),
    ],
)
def test_options_that_do_not_go_together(desk: Desk, options: list[str], words: str) -> None:
    result = desk.run("scan", *options)

    assert (result.code, result.out) == (2, "")
    assert words in result.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--remote", "sc://spark"], "--master and --remote belong to --engine spark"),
        (["--engine", "spark", "--master", "yarn", "--remote", "sc://spark"], "leave one of them out"),
    ],
)
def test_options_that_do_not_go_together_in_judging(desk: Desk, options: list[str], words: str) -> None:
    result = desk.run("judge", "snapshot", *options)

    assert (result.code, result.out) == (2, "")
    assert words in result.err


@pytest.mark.parametrize("option", ["--master=spark://127.0.0.1:{port}", "--remote=sc://127.0.0.1:{port}"])
def test_a_spark_that_does_not_answer(desk: Desk, option: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = option.format(port=taken.getsockname()[1])
        result = desk.run("scan", "--engine", "spark", address, "--store", str(tmp_path / "store"))

    assert (result.code, result.out) == (2, "")
    assert f"Spark at {address.partition('=')[2]} cannot be used (Connection refused); check the address" in result.err


def test_no_java_says_what_to_install(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(desk.folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    result = desk.run("scan", "--engine", "spark")

    assert (result.code, result.out) == (2, "")
    assert "Spark needs Java 17 or newer, which is not installed" in result.err
