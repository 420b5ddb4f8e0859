"""A snapshot's manifest: what wrote it, and what it contains."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from cloudscan.coverage import ScanSummary

FORMAT: Final = 2
"""Incremented whenever an older cloudscan could misread a snapshot."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of ``manifest.json``; without that file a folder is not a snapshot."""

    format: int
    tool: str
    scan: ScanSummary
    connectors: Sequence[str]
    settings: Mapping[str, object]
    tables: Mapping[str, int]  # rows
