"""The tests' client: plain HTTP with a token of the scanner."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import urllib3

from cloudscan_emulators.microsoft import Server

EVERYTHING = "hierarchicalsharing, deltashowremovedasdeleted, deltatraversepermissiongaps, deltashowsharingchanges"
_SAFE = "/?$=&,():!%'*+;-_.~"
GRAPH = "https://graph.microsoft.com/.default"
warnings.filterwarnings("ignore", category=urllib3.exceptions.InsecureRequestWarning)


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def value(self) -> list[Any]:
        entries = self.json["value"]
        assert isinstance(entries, list)
        return entries

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])

    @property
    def next(self) -> str:
        return str(self.json.get("@odata.nextLink", ""))

    @property
    def delta(self) -> str:
        return str(self.json.get("@odata.deltaLink", ""))


class Graph:
    """A client that signs in with the secret, once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = urllib3.PoolManager(retries=False, cert_reqs="CERT_NONE")
        self.token = ""

    def sign_in(self, scope: str = GRAPH, **form: str) -> Reply:
        fields = {
            "client_id": self.server.client_id,
            "client_secret": self.server.client_secret,
            "grant_type": "client_credentials",
            "scope": scope,
            **form,
        }
        address = f"{self.server.url}/{self.server.tenant}/oauth2/v2.0/token"
        return self._reply(
            self.http.request("POST", address, fields={k: v for k, v in fields.items() if v}, encode_multipart=False)
        )

    def get(self, path: str, prefer: str = "", **headers: str) -> Reply:
        return self.ask("GET", path, prefer, **headers)

    def ask(self, verb: str, path: str, prefer: str = "", body: Any = None, **headers: str) -> Reply:
        self.token = self.token or str(self.sign_in().json["access_token"])
        address = path if "://" in path else f"{self.server.graph}{quote(path, safe=_SAFE)}"
        sent = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if prefer:
            sent["Prefer"] = prefer
        return self._reply(self.http.request(verb, address, headers=sent, json=body))

    def everything(self, path: str, prefer: str = "") -> tuple[list[Any], Reply]:
        """The entries of all pages, and the last page."""
        reply = self.get(path, prefer)
        entries = list(reply.value)
        while reply.next:
            reply = self.get(reply.next, prefer)
            entries += reply.value
        return entries, reply

    def _reply(self, response: urllib3.BaseHTTPResponse) -> Reply:
        return Reply(response.status, response.headers, response.data)
