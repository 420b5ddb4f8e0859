"""Large files piece by piece: the JSON that `msgspec.json.format` would give for the whole, and JSON lines.

A format says of which parts there are many; those are encoded one by one, all else at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

_INDENT: Final = "  "
_PIECE: Final = 64 * 1024  # bytes


@dataclass(frozen=True)
class Outline:
    """An object whose members are encoded one after the other."""

    members: Mapping[str, object]


@dataclass(frozen=True)
class Items:
    """A list whose items are encoded one after the other."""

    items: Iterable[object]


def indented(value: object) -> Iterator[bytes]:
    """A document of indented JSON with a newline at its end, in pieces worth writing."""
    yield from in_pieces(_document(value))


def json_lines(values: Iterable[object]) -> Iterator[bytes]:
    """A line of JSON for each value, in pieces worth writing."""
    encoder = msgspec.json.Encoder()
    return in_pieces(encoder.encode(value) + b"\n" for value in values)


def in_pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that are worth writing one by one."""
    piece = bytearray()
    for part in parts:
        piece += part
        if len(piece) >= _PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _document(value: object) -> Iterator[bytes]:
    yield from _parts(value, "")
    yield b"\n"


def _parts(value: object, margin: str) -> Iterator[bytes]:
    match value:
        case Outline(members):
            named = ((_name(name), part) for name, part in members.items())
            yield from _around("{", named, "}", margin)
        case Items(items):
            yield from _around("[", ((b"", item) for item in items), "]", margin)
        case _:  # no newline is left as it is inside of a text
            whole = msgspec.json.format(msgspec.json.encode(value), indent=len(_INDENT))
            yield whole.replace(b"\n", f"\n{margin}".encode())


def _around(begin: str, parts: Iterable[tuple[bytes, object]], end: str, margin: str) -> Iterator[bytes]:
    inner = margin + _INDENT
    first, between = f"{begin}\n{inner}".encode(), f",\n{inner}".encode()
    before = first
    for name, part in parts:
        yield before + name
        yield from _parts(part, inner)
        before = between
    yield f"{begin}{end}".encode() if before is first else f"\n{margin}{end}".encode()


def _name(name: str) -> bytes:
    return msgspec.json.encode(name) + b": "
