"""A snapshot's manifest: what wrote it, and what it contains."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from cloudscan.coverage import ScanSummary
from cloudscan.snapshot.translation import Translation

FORMAT: Final = 2
"""Incremented whenever an older cloudscan could misread a snapshot."""

MEANING: Final = 1
"""Incremented whenever sealing makes other rows of the same facts: origins, exposures, members."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of ``manifest.json``; without that file a folder is not a snapshot."""

    format: int
    tool: str
    scan: ScanSummary
    connectors: Sequence[str]
    settings: Mapping[str, object]
    tables: Mapping[str, int]  # rows
    meaning: int = 1  # `MEANING` of the cloudscan that sealed it
    translations: Mapping[str, Translation] = {}  # by platform; empty where it was not recorded
