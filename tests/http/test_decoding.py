"""One decoder of a record serves all threads, and none sees it half-built."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import msgspec

from cloudscan.http import decoder


def nested(depth: int) -> type[Any]:
    """A record of records, new each time: nothing of it is built yet."""
    inner: type[Any] = msgspec.defstruct(f"Level{depth}", [("name", str), ("number", int | None, None)])
    for level in range(depth):
        inner = msgspec.defstruct(f"Outer{level}", [("inner", inner), ("others", list[inner], [])])  # type: ignore[valid-type]
    return inner


def test_threads_that_meet_at_a_new_record_all_decode_it() -> None:
    for _ in range(20):
        record, together = nested(3), Barrier(8)
        body = b'{"inner": {"inner": {"inner": {"name": "plan"}, "others": [{"name": "menu"}]}}}'

        def decode(_: int, record: type[Any] = record, together: Barrier = together, body: bytes = body) -> str:
            together.wait()
            return str(decoder(record).decode(body).inner.inner.inner.name)

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(decode, range(8))) == ["plan"] * 8


def test_a_record_has_one_decoder() -> None:
    record = nested(1)

    assert decoder(record) is decoder(record)
