"""A bucket as the shared store of a scan over several machines (`cloudscan.store`).

Credentials, Region and endpoint come from boto3's own chain (environment, profile, the machine's role), on each machine
by itself. `create` is a conditional write, which Amazon S3 and the stores that speak its newer protocol have.

Source: "How to prevent object overwrites with conditional writes", Amazon S3 User Guide: 412 where there is an object,
409 where another request for the key came in between and the write is to be tried again.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from cloudscan.errors import ConfigurationError, SnapshotError
from cloudscan.files import open_private
from cloudscan.sentence import say
from cloudscan.store import StorePlugin
from cloudscan.text import first_line

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ATTEMPTS: Final = 5
_ABSENT: Final = ("NoSuchKey", "404")
_CONFLICT: Final = ("ConditionalRequestConflict", "409")
_THERE: Final = ("PreconditionFailed", "412")


class BucketStore:
    """See `cloudscan.store.Store`."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix  # empty, or with a slash at its end

    def __reduce__(self) -> tuple[type["BucketStore"], tuple[str, str]]:
        return BucketStore, (self._bucket, self._prefix)  # a client stays on its machine

    @property
    def url(self) -> str:
        """The address."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def read(self, key: str) -> bytes | None:
        """The content; None if there is none."""
        with self._errors():
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._key(key))
            except Exception as error:
                if _code(error) in _ABSENT:
                    return None
                raise
            return answer["Body"].read()

    def write(self, key: str, content: bytes) -> None:
        """Put content in place of what there is."""
        with self._errors():
            self._client.put_object(Bucket=self._bucket, Key=self._key(key), Body=content)

    def create(self, key: str, content: bytes) -> bool:
        """Put content if there is none."""
        with self._errors():
            for attempt in range(_ATTEMPTS):
                try:
                    self._client.put_object(Bucket=self._bucket, Key=self._key(key), Body=content, IfNoneMatch="*")
                except Exception as error:
                    if _code(error) in _CONFLICT and attempt < _ATTEMPTS - 1:
                        continue
                    if _code(error) in _THERE:
                        # The answer to a write of ours may have been lost and the SDK have written once more.
                        return self.read(key) == content
                    raise
                return True
        raise AssertionError("the last attempt returns or raises")

    def upload(self, file: Path, key: str) -> None:
        """Put the content of a file."""
        with self._errors():
            self._client.upload_file(str(file), self._bucket, self._key(key))

    def download(self, key: str, file: Path) -> bool:
        """Write the content into a new private file; False if there is none."""
        with self._errors():
            try:
                with open_private(file) as target:
                    self._client.download_fileobj(self._bucket, self._key(key), target)
            except Exception as error:
                file.unlink(missing_ok=True)
                if _code(error) in _ABSENT:
                    return False
                raise
            return True

    def keys(self, folder: str) -> Iterator[str]:
        """All keys below a folder, in S3's order, which is that of their bytes."""
        with self._errors():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._key(folder) + "/"
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield entry["Key"].removeprefix(self._prefix)

    def _key(self, key: str) -> str:
        return self._prefix + key

    @cached_property
    def _client(self) -> "S3Client":
        import boto3

        return boto3.session.Session().client("s3")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (Boto3Error, BotoCoreError, ClientError, OSError) as error:
            raise SnapshotError(
                say(
                    "The store {url} cannot be used ({why}). Every machine of the scan needs credentials of its own "
                    "that may list the bucket and read and write objects there.",
                    url=self.url,
                    why=first_line(error),
                )
            ) from error


def _code(error: Exception) -> str:
    answer: Any = getattr(error, "response", {})
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""


def _open(url: str) -> BucketStore:
    parts = urlsplit(url)
    if not parts.netloc or parts.username or parts.query or parts.fragment:
        shown = repr(re.sub(r"//[^/]*@", "//", url))  # no password
        raise ConfigurationError(
            say("{url} is no address of a store; write s3://bucket/prefix, and nothing of credentials.", url=shown)
        )
    prefix = parts.path.strip("/")
    return BucketStore(parts.netloc, f"{prefix}/" if prefix else "")


PLUGIN = StorePlugin(scheme="s3", packages=("boto3",), open=_open)
