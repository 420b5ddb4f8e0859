"""What goes over the wire, without the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field

JSON_TYPE = "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What came in. Header names are in lower case; `base` is scheme and host as the client wrote them."""

    verb: str
    path: str
    query: str = ""
    base: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes out."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    reset: bool = False
