"""A small Drive server that knows nothing of ours: it hands out payloads as they were written down, word for word.

Which fields are asked for, in which order and at which size of page does not matter to it; pages it makes on its own.
"""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

Json = Any


class Verbatim(str):
    """Text that is sent unchanged, JSON or not."""


@dataclass(kw_only=True)
class Payloads:
    """What is answered. A list is one page, a `Verbatim` a whole body, a number an error with that status."""

    users: list[Json]
    groups: list[Json]
    members: Mapping[str, Json]  # by the group's id
    domains: list[Json]
    files: Mapping[str, list[Json]]  # by owner's address
    roots: Mapping[str, str] = field(default_factory=dict)
    drives: list[Json] = field(default_factory=list)
    items: Mapping[str, Json] = field(default_factory=dict)  # by drive
    permissions: Mapping[str, Json] = field(default_factory=dict)  # by drive or item
    policies: list[Json] = field(default_factory=list)
    units: list[Json] = field(default_factory=list)  # beside the top one, whose id is 1
    changes: Mapping[str, list[Json]] = field(default_factory=dict)  # by owner's address or drive
    joining: Mapping[str, Json] = field(default_factory=dict)  # settings by the group's address
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, query: Mapping[str, str], who: str) -> Json:
        parts = [unquote(part) for part in path.strip("/").split("/")]
        match parts:
            case ["drive", "v3", "about"]:
                return {"user": {"emailAddress": who, "permissionId": "1"}}
            case ["drive", "v3", "changes", "startPageToken"]:
                return {"kind": "drive#startPageToken", "startPageToken": "7"}
            case ["drive", "v3", "changes"]:
                return {"newStartPageToken": "8", "changes": self.changes.get(query.get("driveId", who), [])}
            case ["drive", "v3", "drives"]:
                return {"kind": "drive#driveList", "drives": self.drives}
            case ["drive", "v3", "files", "root"]:
                return {"id": self.roots.get(who, f"root-of-{who}")}
            case ["drive", "v3", "files"] if "driveId" in query:
                answer = self.items.get(query["driveId"], [])
                return answer if isinstance(answer, int) else {"kind": "drive#fileList", "files": answer}
            case ["drive", "v3", "files"]:
                mine = "'me' in owners" in query.get("q", "")
                return {"kind": "drive#fileList", "files": self.files.get(who, []) if mine else []}
            case ["drive", "v3", "files", identity, "permissions"]:
                answer = self.permissions.get(identity, 404)
                return {"kind": "drive#permissionList", "permissions": answer} if isinstance(answer, list) else answer
            case ["admin", "directory", "v1", "users"]:
                return {"kind": "admin#directory#users", "users": self.users}
            case ["admin", "directory", "v1", "groups"]:
                return {"kind": "admin#directory#groups", "groups": self.groups}
            case ["admin", "directory", "v1", "groups", group, "members"]:
                answer = self.members.get(group, {"kind": "admin#directory#members"})
                return {"members": answer} if isinstance(answer, list) else answer
            case ["groups", "v1", "groups", group]:
                by_invitation = {"email": group, "whoCanJoin": "INVITED_CAN_JOIN", "allowExternalMembers": "false"}
                return self.joining.get(group, by_invitation)
            case ["admin", "directory", "v1", "customer", _, "domains"]:
                return {"kind": "admin#directory#domains", "domains": self.domains}
            case ["admin", "directory", "v1", "customer", _, "orgunits"]:
                top = {"orgUnitId": "id:1", "orgUnitPath": "/", "name": "Kumo"}
                return {"organizationUnits": [top, *self.units]}
            case ["v1", "policies"]:
                return {"policies": self.policies}
        return 404


@dataclass(frozen=True)
class Running:
    url: str
    key: Path  # of the service account

    def consent(self, address: str) -> Path:
        """What one person's consent leaves behind."""
        path = self.key.with_name(f"{address}.json")
        credentials = {"type": "authorized_user", "client_id": "x", "client_secret": "x", "refresh_token": address}
        path.write_text(json.dumps(credentials | {"token_uri": f"{self.url}/token"}))
        return path


@contextmanager
def serve(payloads: Payloads, folder: Path) -> Iterator[Running]:
    """Serve until the block ends; the service account's key is written to `folder`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            who = sent["refresh_token"][0] if "refresh_token" in sent else _subject(sent["assertion"][0])
            self._send({"access_token": who, "expires_in": 3600, "token_type": "Bearer"})

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            who = self.headers["Authorization"].removeprefix("Bearer ")
            payloads.asked.append(address.path)
            self._send(payloads.answer(address.path, query, who))

        def _send(self, answer: Json) -> None:
            status = 200
            if isinstance(answer, int):
                reason = {403: "insufficientFilePermissions", 404: "notFound"}[answer]
                status, answer = answer, {"error": {"code": answer, "message": reason, "errors": [{"reason": reason}]}}
            body = (answer if isinstance(answer, Verbatim) else _pretty(answer)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield Running(url=url, key=_key(folder, url))
        server.shutdown()
        thread.join()


def _subject(assertion: str) -> str:
    claims = assertion.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))).get("sub", ""))


def _pretty(answer: Json) -> str:
    return json.dumps(answer, indent=1, ensure_ascii=False)


@cache
def _made() -> rsa.RSAPrivateKey:
    """One key for all servers, and a short one: nobody checks what is signed with it."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


def _key(folder: Path, url: str) -> Path:
    text = _made().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "key.json"
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "client_email": "scanner@project.iam.gserviceaccount.example",
                "token_uri": f"{url}/token",
                "private_key": text.decode(),
            }
        )
    )
    return path
