"""What moto does not answer, answered as AWS documents it: whether a bucket's tags control access.

Sources: Amazon S3 API Reference, GetBucketAbac and PutBucketAbac.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from moto.s3.models import s3_backends

_STATUS: Final = re.compile(r"<Status>(Enabled|Disabled)</Status>")


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An answer in moto's place."""

    status: str
    body: str = ""


@dataclass
class BeyondMoto:
    """The state that moto has no place for."""

    abac: dict[str, str] = field(default_factory=dict)  # by the bucket's name

    def answer(self, method: str, path: str, query: str, body: str) -> Answered | None:
        """The answer to a request that moto does not know; None for all others."""
        bucket = path.strip("/")
        if query != "abac" or "/" in bucket:
            return None
        if not any(bucket in backend["aws"].buckets for backend in s3_backends.values()):
            return Answered(status="404 Not Found", body=_error("NoSuchBucket"))
        if method == "PUT":
            status = _STATUS.search(body)
            if status is None:
                return Answered(status="400 Bad Request", body=_error("MalformedXML"))
            self.abac[bucket] = status[1]
            return Answered(status="200 OK")
        return Answered(
            status="200 OK", body=f"<AbacStatus><Status>{self.abac.get(bucket, 'Disabled')}</Status></AbacStatus>"
        )


def _error(code: str) -> str:
    return f"<Error><Code>{code}</Code><Message>as AWS says it</Message></Error>"
