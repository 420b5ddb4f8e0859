"""A snapshot's first page: what it was written by, and what it holds."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from cloudscan.coverage import ScanSummary

FORMAT: Final = 1
"""Raised whenever an older cloudscan could misread a snapshot."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The snapshot's first page; where it is missing, there is no snapshot."""

    format: int
    tool: str
    scan: ScanSummary
    connectors: Sequence[str]
    settings: Mapping[str, object]
    tables: Mapping[str, int]  # rows
