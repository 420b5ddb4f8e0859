"""Carries one HTTP request over libcurl and returns the answer, whatever it is.

libcurl keeps connections open, decompresses, notices truncated answers and takes a company's proxy from the
environment, at half the CPU that a client written in Python needs.
"""

import io
import os
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import certifi
import pycurl

from cloudscan.errors import Malformed, Unreachable
from cloudscan.text import first_line

_CONNECTING: Final = 30.0  # seconds until there must be a connection
_BUFFER: Final = 262_144  # bytes that are read in one go
_LONGEST: Final = 128 * 1024 * 1024  # bytes of one answer, decompressed: a page of a list is a few megabytes
_CODES: Final[Mapping[object, str]] = {
    pycurl.E_COULDNT_RESOLVE_HOST: "host-unknown",
    pycurl.E_COULDNT_RESOLVE_PROXY: "proxy-unreachable",
    pycurl.E_PEER_FAILED_VERIFICATION: "certificate-refused",
    pycurl.E_SSL_CACERT_BADFILE: "certificate-refused",
    pycurl.E_OPERATION_TIMEDOUT: "no-answer-in-time",
    pycurl.E_PARTIAL_FILE: "answer-cut",
    pycurl.E_GOT_NOTHING: "answer-cut",
    pycurl.E_RECV_ERROR: "answer-cut",
    pycurl.E_BAD_CONTENT_ENCODING: "answer-cut",
}
"""Reasons by libcurl's error numbers, where the cause is known and has advice of its own."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]  # names in lower case


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """Connections that are kept open, shared by all threads."""

    connections: int = 32  # kept for later requests; more may be open at the same time
    timeout: float = 90.0  # seconds for one whole answer
    ca_file: Path | None = None  # certificates to trust in place of the machine's
    longest: int = _LONGEST  # bytes of one answer, unpacked
    _idle: list[pycurl.Curl] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def carry(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None, *, fresh: bool = False
    ) -> Answer:
        """Send one request.

        Raises `Unreachable` if no whole answer arrives, `Malformed` if it is too long. Redirects are answers: they are
        not followed.

        `fresh` makes a new connection for it: if a connection that was kept open is cut before the answer, libcurl
        sends the request again by itself, and what is not repeatable would be done twice.
        """
        with self._lock:
            handle = self._idle.pop() if self._idle else None
        handle = handle or self._handle()
        head, content = io.BytesIO(), _Bounded(self.longest)
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.HTTPHEADER, [*(f"{name}: {value}" for name, value in headers.items()), "Expect:"])
        handle.setopt(pycurl.HEADERFUNCTION, head.write)
        handle.setopt(pycurl.WRITEFUNCTION, content.write)
        if body is not None:
            handle.setopt(pycurl.POSTFIELDS, body)
        else:
            handle.setopt(pycurl.HTTPGET, 1)
        handle.setopt(pycurl.CUSTOMREQUEST, method)
        handle.setopt(pycurl.FRESH_CONNECT, int(fresh))
        try:
            handle.perform()
        except pycurl.error as error:
            handle.close()
            if content.is_full:
                raise Malformed("answer-too-long", host=host_of(url), megabytes=self.longest // 1024**2) from error
            raise _unreachable(error, url) from error
        status = handle.getinfo(pycurl.RESPONSE_CODE)
        with self._lock:
            if len(self._idle) < self.connections:
                self._idle.append(handle)
        return Answer(status=status, body=content.bytes(), headers=_headers(head.getvalue()))

    def _handle(self) -> pycurl.Curl:
        handle = pycurl.Curl()
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.ACCEPT_ENCODING, "gzip")
        handle.setopt(pycurl.BUFFERSIZE, _BUFFER)
        handle.setopt(pycurl.NOSIGNAL, 1)  # signals belong to the main thread
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, int(min(_CONNECTING, self.timeout) * 1000))
        handle.setopt(pycurl.TIMEOUT_MS, int(self.timeout * 1000))
        for option, path in _trusted(self.ca_file).items():
            handle.setopt(option, path)
        return handle


class _Bounded:
    """Takes the body of an answer, up to a limit."""

    def __init__(self, most: int) -> None:
        self._content = io.BytesIO()
        self._left = most

    @property
    def is_full(self) -> bool:
        return self._left < 0

    def write(self, block: bytes) -> int:
        """Take a block; -1 tells libcurl to break off."""
        self._left -= len(block)
        return -1 if self.is_full else self._content.write(block)

    def bytes(self) -> bytes:
        return self._content.getvalue()


def host_of(url: str) -> str:
    """Scheme and host, for messages: paths and queries may contain names."""
    return "/".join(url.split("/", 3)[:3])


def _trusted(ca_file: Path | None) -> Mapping[int, str]:
    """Where libcurl finds the certificates that Python trusts on this machine, or else those of certifi, by option."""
    if ca_file is not None:
        return {pycurl.CAINFO: str(ca_file)}
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return {pycurl.CAINFO: paths.cafile}
    if paths.capath and any(os.scandir(paths.capath)):
        return {pycurl.CAPATH: paths.capath}
    return {pycurl.CAINFO: certifi.where()}


def _headers(text: bytes) -> Mapping[str, str]:
    """The headers of the last answer: a proxy's answer and `100 Continue` may come before it."""
    lines = text.rstrip().rpartition(b"\r\n\r\n")[2].decode("latin-1").splitlines()[1:]
    named = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in named}


def _unreachable(error: pycurl.error, url: str) -> Unreachable:
    code, *said = error.args
    words = first_line(said[0] if said else error, 120)
    return Unreachable(_CODES.get(code, "no-answer"), quote=words, host=host_of(url))
