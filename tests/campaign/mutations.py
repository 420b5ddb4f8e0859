"""One leaf of one answer changed into a value of another type, or a body that is no answer at all."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any, Final

from cloudscan_emulators.kit.local_server import Answer, Request
from tests.campaign.tampering import Spoil

Path = tuple[str | int, ...]

ODD: Final[tuple[Any, ...]] = (
    0, -1, 1e300, 12345678901234567890123, True, [], ["x"], {}, {"a": 1}, "x", "\x00<>", "2026-13-45T99:99:99Z",
)  # fmt: skip
BODIES: Final = (
    b"{}", b"[]", b"null", b'""', b"", b'{"error":{"code":"generalException","message":"in stream"}}', b"<html/>",
    b"[" * 2_000 + b"]" * 2_000, b'{"value":null}', b'{"value":{}}', b"\xff\xfe{}", b'{"value":[null]}',
)  # fmt: skip


class Mutation:
    """What happens to the `nth` answer that a scan gets: one choice of `dice`."""

    def __init__(self, nth: int, dice: Random) -> None:
        self._nth = nth
        self._dice = dice
        self._count = 0
        self.what = ""  # for the message of a test that fails; empty: nothing was changed

    def spoil(self) -> Spoil:
        """For `Proxy.spoil`, with a pattern that finds everything."""
        return self._spoilt

    def _spoilt(self, request: Request, answered: Callable[[], Answer]) -> Answer:
        answer = answered()
        self._count += 1
        if self._count != self._nth or answer.status != 200:
            return answer
        where = f"{request.verb} {request.path}"
        if self._dice.random() < 0.1:
            body = self._dice.choice(BODIES)
            self.what = f"{where}: {body[:40]!r}"
            return replace(answer, body=body)
        try:
            content = json.loads(answer.body)
        except ValueError:
            return answer
        leaves = list(leaves_of(content))
        if not leaves:
            return answer
        path, value = self._dice.choice(leaves)
        odd = self._dice.choice([odd for odd in ODD if type(odd) is not type(value)])
        self.what = f"{where}: {'/'.join(map(str, path))} {value!r:.60} → {odd!r:.40}"
        _put(content, path, odd)
        return replace(answer, body=json.dumps(content).encode())


def leaves_of(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Everything in an answer that contains nothing, with where it is."""
    match value:
        case dict() if value:
            for name, inner in value.items():
                yield from leaves_of(inner, (*path, name))
        case list() if value:
            for index, inner in enumerate(value):
                yield from leaves_of(inner, (*path, index))
        case _ if path:
            yield path, value
        case _:
            return


def _put(content: Any, path: Path, value: Any) -> None:
    *above, last = path
    for step in above:
        content = content[step]
    content[last] = value
