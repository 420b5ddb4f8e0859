"""A receiver for cloudscan's webhook: checks the signature, and does each change once."""

import base64
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode(os.environ["SECRET"].removeprefix("whsec_"))
SEEN: set[str] = set()  # keep them in a database: an id is the same for weeks if an answer was lost


class Receiver(BaseHTTPRequestHandler):
    """Takes what is signed with our key, and is not older than five minutes."""

    def do_POST(self) -> None:
        """204: done, now or earlier. 401: not signed."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        id_, moment = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        digest = hmac.digest(KEY, f"{id_}.{moment}.".encode() + body, "sha256")
        wanted = f"v1,{base64.b64encode(digest).decode()}"
        signatures = self.headers["webhook-signature"].split()
        is_signed = any(hmac.compare_digest(wanted, signature) for signature in signatures)
        if not is_signed or abs(time.time() - int(moment)) > 300:
            self.send_error(401)
            return
        if id_ not in SEEN:
            change = json.loads(body)
            self.log_message("%s %s %s", change["event"], change["marker"], change.get("title"))  # yours: the ticket
            SEEN.add(id_)
        self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Receiver).serve_forever()
