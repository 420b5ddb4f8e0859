"""A value that many threads need is read once; a failure reaches all that wait, and is not kept."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from cloudscan.connector import Once, OncePerKey
from cloudscan.errors import Unreachable

THREADS = 4


class Source:
    """Counts how often it is read; the first `failures` readings fail. A reading lasts until `release` is set."""

    def __init__(self, failures: int = 0) -> None:
        self.readings = 0
        self.failures = failures
        self.begun = threading.Event()
        self.release = threading.Event()

    def read(self) -> int:
        self.readings += 1
        self.begun.set()
        assert self.release.wait(10)
        if self.readings <= self.failures:
            raise Unreachable("the directory failed on its side")
        return self.readings


def test_threads_that_ask_together_read_once() -> None:
    source, once = Source(), Once[int]()

    values = together(source, lambda: once.get(source.read))

    assert values == [1] * THREADS
    assert source.readings == 1


def test_a_failure_reaches_all_that_wait_and_the_next_call_reads_again() -> None:
    source, once = Source(failures=1), Once[int]()

    errors = together(source, lambda: error_of(lambda: once.get(source.read)))

    assert all(isinstance(error, Unreachable) for error in errors)
    assert source.readings == 1
    assert once.get(source.read) == 2


def test_none_is_a_value() -> None:
    once = Once[None]()
    once.get(lambda: None)

    assert once.get(lambda: pytest.fail("read again")) is None


def test_what_is_taken_is_forgotten() -> None:
    values = OncePerKey[str, str]()

    assert values.get("site", lambda: "first") == "first"
    assert values.take("site", lambda: "second") == "first"
    assert values.get("site", lambda: "third") == "third"


def test_keys_do_not_wait_for_each_other() -> None:
    source, values = Source(), OncePerKey[str, int]()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(values.get, "slow", source.read)
        assert source.begun.wait(10)

        assert values.get("quick", lambda: 7) == 7

        source.release.set()
        assert slow.result() == 1


def together(source: Source, ask: Callable[[], object]) -> list[object]:
    """What each thread gets that asks while the first of them is still reading."""
    results: list[object] = []
    threads = [threading.Thread(target=lambda: results.append(ask())) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    while not all(waits(thread) for thread in threads):
        pass
    source.release.set()
    for thread in threads:
        thread.join()
    return results


def waits(thread: threading.Thread) -> bool:
    """Whether it has come as far as it can: to the end of the reading, its own or another thread's."""
    frame = sys._current_frames().get(thread.ident or 0)
    codes = []
    while frame:
        codes.append(frame.f_code)
        frame = frame.f_back
    return codes[:1] == [threading.Condition.wait.__code__] and Once.get.__code__ in codes


def error_of(ask: Callable[[], object]) -> BaseException | None:
    try:
        ask()
    except Unreachable as error:
        return error
    return None
