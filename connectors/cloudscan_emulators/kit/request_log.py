"""What an emulator was asked: one line per request, for tests to count and to look into."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_plus

from cloudscan_emulators.kit.local_server import Answer, Request


@dataclass(frozen=True, kw_only=True)
class LoggedRequest:
    """A request with what became of it. Path and query are decoded."""

    method: str  # the id of the API's method; empty if there is none
    verb: str
    path: str
    query: str
    status: int  # 0: the connection was torn down without an answer
    seconds: float
    user: str = ""  # the address of who asked, where users ask
    units: int = 0  # of the quota
    headers: Mapping[str, str] = field(default_factory=dict)
    in_batch: bool = False


@dataclass
class RequestNote:
    """What is found out about a request while it is answered."""

    method: str = ""
    user: str = ""
    units: int = 0
    headers: dict[str, str] = field(default_factory=dict)  # to send with the answer
    began: float = field(default_factory=time.perf_counter)

    def logged(self, request: Request, answer: Answer, *, in_batch: bool) -> LoggedRequest:
        """The line of the log, once the answer is known."""
        return LoggedRequest(
            method=self.method,
            verb=request.verb,
            path=unquote(request.path),
            query=unquote_plus(request.query),
            status=0 if answer.reset else answer.status,
            seconds=time.perf_counter() - self.began,
            user=self.user,
            units=self.units,
            headers=request.headers,
            in_batch=in_batch,
        )


def request_line(request: Request) -> str:
    """A request as faults match it: ``METHOD path?query``, decoded."""
    line = f"{request.verb} {unquote(request.path)}"
    return f"{line}?{unquote_plus(request.query)}" if request.query else line


def over_network(log: list[LoggedRequest]) -> int:
    """How many requests came over the network; those within a batch came as one."""
    return sum(not request.in_batch for request in log)
