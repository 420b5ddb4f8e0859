"""What is written to stderr: lines for a person, or one JSON object a line, from any source."""

import json
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cloudscan.cli import log
from cloudscan.connector import Scope
from cloudscan.nightly.scan_log import ScanLog
from cloudscan.snapshot.collect import Began
from tests.cli.conftest import Desk
from tests.reports.hostile import NAMES


@contextmanager
def logging_as(*, as_json: bool = True, debug: bool = False) -> Iterator[None]:
    with warnings.catch_warnings(), log.to_stderr("en", as_json=as_json, debug=debug):
        warnings.simplefilter("always")
        yield


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_a_line_stays_a_line_whatever_a_thing_is_called(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line; nothing that a terminal obeys, that turns text round, or that UTF-8 cannot carry."""
    with logging_as():
        ScanLog()(Began(scope=Scope(uid=f"toy:{name}", platform="toy", kind="drive", name=name)))
        log.warn(name, "test")
        logging.getLogger("azure.identity").warning("%s", name)

    written = capsys.readouterr().err.rstrip("\n").split("\n")
    assert [json.loads(line)["event"] for line in written] == ["scan.scope_started", "test", "library.message"]
    assert all(character.isprintable() for line in written for character in line)


@pytest.mark.parametrize("name", NAMES)
def test_as_text_a_library_s_error_is_one_plain_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as(as_json=False):
        logging.getLogger("azure.identity").error("refused: %s\nmore", name)

    (written,) = capsys.readouterr().err.splitlines()
    assert written.startswith("cloudscan: azure.identity: refused: ")
    assert all(character.isprintable() or character == "\t" for character in written)


def test_as_text_warnings_of_libraries_are_for_those_who_look_for_bugs(capsys: pytest.CaptureFixture[str]) -> None:
    """What they warn of, cloudscan says itself, in its own words."""
    for debug in (False, True):
        with logging_as(as_json=False, debug=debug):
            logging.getLogger("botocore").warning("retrying")
            warnings.warn("old", UserWarning, stacklevel=1)
    written = capsys.readouterr().err

    assert written.startswith("cloudscan: botocore: retrying\ncloudscan: py.warnings: ")
    assert written.count("retrying") == 1


@pytest.mark.parametrize(
    "logger", ["azure.identity", "msal", "botocore", "googleapiclient.http", "urllib3.connectionpool", "py.warnings"]
)
def test_every_library_s_line_is_json(logger: str, capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as():
        if logger == "py.warnings":
            warnings.warn("old\nvery", UserWarning, stacklevel=1)
        else:
            logging.getLogger(logger).warning("old\nvery")

    (line,) = lines(capsys.readouterr().err)
    assert (line["logger"], line["level"], line["event"]) == (logger, "warning", "library.message")
    assert "old" in line["message"]


def test_the_end_of_a_thread_is_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    def fall() -> None:
        raise ValueError("so\nwhat")

    with logging_as(debug=True):
        thread = threading.Thread(target=fall)
        thread.start()
        thread.join()

    (line,) = lines(capsys.readouterr().err)
    assert (line["event"], line["level"]) == ("thread.failed", "error")
    assert "Traceback" in line["exc_info"]


def test_names_of_people_are_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """Scopes are called by id and kind; mail addresses lose what is before the @."""
    name = "OneDrive of Mika Sato"
    with logging_as():
        ScanLog()(Began(scope=Scope(uid="m365:drive/1", platform="m365", kind="onedrive", name=name)))
        logging.getLogger("msal").warning("No token for <mika.sato+x@kumo.example>, or tanaka@sub.kumo.example.")

    written = capsys.readouterr().err
    assert "Sato" not in written
    assert "mika" not in written
    assert "<***@kumo.example>, or ***@sub.kumo.example." in written


@pytest.mark.parametrize(
    ("configuration", "arguments", "error"),
    [
        ("", ["--log", "json", "--nonsense"], "NoSuchOption"),
        ("", ["--log=json", "--fail-on", "terrible"], "BadParameter"),
        ("[scan]\nlog = 'json'\n[organisation]\nnaem = 1\n", [], "ConfigurationError"),
        ("nonsense", ["--log", "json"], "ConfigurationError"),
        ("[connectors.toy]\nfolder = 'company'\n[ledger]\nurl = 'x'", ["--log", "json"], "LedgerError"),
    ],
)
def test_an_error_before_the_scan_is_a_line_of_the_log(
    desk: Desk, configuration: str, arguments: list[str], error: str
) -> None:
    desk.configure(configuration)

    result = desk.run("scan", *arguments)

    (line,) = lines(result.err)
    assert (line["event"], line["error"], line["exit_code"]) == ("scan.failed", error, 2)
    assert line["message"]


def test_what_is_logged_afterwards_is_not_ours(desk: Desk) -> None:
    """A program that runs the command line keeps its own logging."""
    before = list(logging.getLogger().handlers)
    desk.run("scan", "--log", "json")

    assert logging.getLogger().handlers == before
    assert logging.getLogger("cloudscan").level == logging.NOTSET
