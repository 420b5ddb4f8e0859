"""How this cloudscan was installed, and so how to add a part of it. Its name alone is never asked of a registry.

Anybody may register a name that is not taken, and decides what runs under it. So a further part comes from where this
one came from: the checkout, or the very wheel, with its hash.

Sources: PEP 610 (`direct_url.json`), PEP 508 (a name with the address that it comes from).
"""

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any
from urllib.parse import urlsplit

from cloudscan.sentence import Sentence, say

_PACKAGE = "cloudscan"


def install_hint(*extras: str) -> Sentence:
    """What to run to add parts of cloudscan (its extras), by how the running one was installed."""
    return hint(_origin(), extras, windows=sys.platform == "win32")


def hint(origin: Mapping[str, Any], extras: Sequence[str], *, windows: bool = False) -> Sentence:
    """The same for the content of a `direct_url.json`; empty where there is none."""
    requirement = _requirement(origin, f"[{','.join(extras)}]" if extras else "")
    if not requirement:
        return say(
            "install the extra {extras} of cloudscan from the wheel or the package index that this cloudscan came from",
            extras=", ".join(extras),
        )
    words = ["pip", "install", *requirement]
    return say("run {command}", command=subprocess.list2cmdline(words) if windows else shlex.join(words))


def _requirement(origin: Mapping[str, Any], extras: str) -> list[str]:
    """What pip installs from, as words; none if the origin is not known."""
    url = str(origin.get("url") or "")
    if "dir_info" in origin:
        editable = ["--editable"] if origin["dir_info"].get("editable") else []
        from urllib.request import url2pathname  # with HTTP and TLS behind it

        return [*editable, url2pathname(urlsplit(url).path) + extras]
    if "vcs_info" in origin:
        version = origin["vcs_info"]
        return [f"{_PACKAGE}{extras} @ {version['vcs']}+{url}@{version['commit_id']}"]
    if "archive_info" in origin:
        archive = origin["archive_info"]
        digest = archive.get("hashes", {}).get("sha256") or str(archive.get("hash", "")).removeprefix("sha256=")
        return [f"{_PACKAGE}{extras} @ {url}" + (f"#sha256={digest}" if digest else "")]
    return []


def _origin() -> Mapping[str, Any]:
    try:
        text = distribution(_PACKAGE).read_text("direct_url.json")
        found = json.loads(text) if text else {}
    except (PackageNotFoundError, OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
