"""Carries one HTTP request over libcurl, and brings back what was answered, whatever it is.

libcurl keeps connections, undoes compression, notices cut answers and takes a company's proxy from the environment, at
half the CPU that a client written in Python takes for it.
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

from cloudscan.errors import Unreachable
from cloudscan.text import first_line

_CONNECTING: Final = 30.0  # seconds until there must be a connection
_BUFFER: Final = 262_144  # bytes that are read at once


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server said."""

    status: int
    body: bytes
    headers: Mapping[str, str]  # names in lower case


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """Connections that are kept open. May be used from any thread."""

    connections: int = 32  # kept for the next request; more may be open at the same time
    timeout: float = 90.0  # seconds for one whole answer
    ca_file: Path | None = None  # certificates to trust in place of the machine's
    _idle: list[pycurl.Curl] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def carry(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None, *, fresh: bool = False
    ) -> Answer:
        """Raises `Unreachable` where no whole answer comes. Redirects are answers: they are not followed.

        With `fresh` it goes over a connection of its own: libcurl sends a request again by itself where a connection
        that was kept open is cut before the answer, and what is not repeatable would be done twice.
        """
        with self._lock:
            handle = self._idle.pop() if self._idle else None
        handle = handle or self._handle()
        told, content = io.BytesIO(), io.BytesIO()
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.HTTPHEADER, [*(f"{name}: {value}" for name, value in headers.items()), "Expect:"])
        handle.setopt(pycurl.HEADERFUNCTION, told.write)
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
            raise Unreachable(f"no answer from {host_of(url)} ({_reason(error)}); check the network") from error
        status = handle.getinfo(pycurl.RESPONSE_CODE)
        with self._lock:
            if len(self._idle) < self.connections:
                self._idle.append(handle)
        return Answer(status=status, body=content.getvalue(), headers=_headers(told.getvalue()))

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


def host_of(url: str) -> str:
    """Scheme and host: paths and queries may hold names."""
    return "/".join(url.split("/", 3)[:3])


def _trusted(ca_file: Path | None) -> Mapping[int, str]:
    """Where libcurl finds the certificates that Python trusts on this machine; else the ones that come with certifi."""
    if ca_file is not None:
        return {pycurl.CAINFO: str(ca_file)}
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return {pycurl.CAINFO: paths.cafile}
    if paths.capath and any(os.scandir(paths.capath)):
        return {pycurl.CAPATH: paths.capath}
    return {pycurl.CAINFO: certifi.where()}


def _headers(text: bytes) -> Mapping[str, str]:
    """Of the last answer: a proxy's and a server's `100 Continue` come before it."""
    lines = text.rstrip().rpartition(b"\r\n\r\n")[2].decode("latin-1").splitlines()[1:]
    named = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in named}


def _reason(error: pycurl.error) -> str:
    return first_line(error.args[1] if len(error.args) > 1 else error, 120)
