"""Decoders of answers, built so that any thread may use them."""

import threading
from functools import cache
from typing import Any, TypeVar

import msgspec

Record = TypeVar("Record")
_building = threading.Lock()


def decoder(record: type[Record]) -> msgspec.json.Decoder[Record]:
    """The JSON decoder of a type, the same one for all threads.

    While msgspec builds a decoder, it keeps the half-built description of each record on the record's class. A thread
    that decodes the same record meanwhile reads that half and ends the process; so decoders are built one at a time.
    """
    with _building:
        anything: Any = record  # a type is hashable, which its type does not say
        built: msgspec.json.Decoder[Record] = _built(anything)
        return built


@cache
def _built(record: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(record)
