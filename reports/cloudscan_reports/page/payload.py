"""What the page carries for its script: the list as one element, the details of its findings as another.

Nothing in either can end its element. A large page is compressed: the browser unpacks faster than it would read.
"""

import base64
import gzip
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from cloudscan.report import Report
from cloudscan_reports.page import detail_data, list_data
from cloudscan_wording.texts import Texts

_PACK_FROM = 1_000_000
"""Bytes of JSON. Below it the page can be searched with grep."""
# Marks that could end the element, and letters that disturb whoever looks into the file.
_ESCAPES = str.maketrans({chr(n): f"\\u{n:04x}" for n in (*map(ord, "<>&"), *range(0x7F, 0xA0), 0x2028, 0x2029)})


_ALL = sys.maxsize
_FEWER = (1, 0)
"""Of evidence, for each finding: where all of them are too much, the findings further down keep fewer."""


@dataclass(frozen=True, kw_only=True)
class Elements:
    """The content of the two elements, and the media type of each line in them."""

    media_type: str
    findings: str
    details: str  # a line for each parcel


def elements(report: Report, texts: Texts, room: int) -> Elements:
    """The findings of a report as the page carries them, in so many bytes if evidence can be left out for it."""
    findings = msgspec.json.encode(list_data.page_data(report, texts))
    details = _details(report, texts, _ALL)
    if len(findings) + sum(map(len, details)) < _PACK_FROM:
        return Elements(
            media_type="application/json",
            findings=_escaped(findings),
            details="\n".join(map(_escaped, details)),
        )
    packed = _packed(findings)
    return Elements(
        media_type="application/gzip",
        findings=packed,
        details="\n".join(_fitting(report, texts, list(map(_packed, details)), room - len(packed))),
    )


def _details(report: Report, texts: Texts, most: int) -> Sequence[bytes]:
    return [msgspec.json.encode(each) for each in detail_data.parcels(report, texts, most)]


def _fitting(report: Report, texts: Texts, chosen: list[str], room: int) -> Sequence[str]:
    """The parcels with as much evidence as there is room for, the first findings first."""
    richer: list[list[str]] = []
    for most in _FEWER:
        if room >= sum(map(len, chosen)):
            break
        richer.append(chosen)
        chosen = list(map(_packed, _details(report, texts, most)))
    left = room - sum(map(len, chosen))
    for place, own in enumerate(chosen):
        more = next((each[place] for each in richer if len(each[place]) - len(own) <= left), own)
        left -= len(more) - len(own)
        chosen[place] = more
    return chosen


def _escaped(json: bytes) -> str:
    return json.decode().translate(_ESCAPES)


def _packed(json: bytes) -> str:
    return base64.b64encode(gzip.compress(json, 6, mtime=0)).decode()
