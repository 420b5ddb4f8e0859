"""What the page carries for its script: the list as one element, the details of its findings as another.

Nothing in either can end its element. A large page is compressed: a browser unpacks it faster than it would parse it
uncompressed. `docs/page-format.md` specifies both elements.
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
"""Bytes of JSON from which on it is compressed. Smaller pages can be searched with grep."""
# Characters that could end the element, and characters that confuse editors and terminals.
_ESCAPES = str.maketrans({chr(n): f"\\u{n:04x}" for n in (*map(ord, "<>&"), *range(0x7F, 0xA0), 0x2028, 0x2029)})
_ALL = sys.maxsize
_FEWER = (1, 0)
"""Pieces of evidence per finding, tried in turn if all of them are too large; the last findings lose theirs first."""


@dataclass(frozen=True, kw_only=True)
class Elements:
    """The content of the two elements, and the media type of each line in them."""

    media_type: str
    findings: str
    details: str  # a line for each parcel


def elements(report: Report, texts: Texts, room: int) -> Elements:
    """The findings of a report as the page carries them, in `room` bytes if omitting evidence makes that possible."""
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
    return [msgspec.json.encode(parcel) for parcel in detail_data.parcels(report, texts, most)]


def _fitting(report: Report, texts: Texts, chosen: list[str], room: int) -> Sequence[str]:
    """The parcels with as much evidence as fits into `room`; the first findings keep theirs longest."""
    richer: list[list[str]] = []
    for most in _FEWER:
        if room >= sum(map(len, chosen)):
            break
        richer.append(chosen)
        chosen = list(map(_packed, _details(report, texts, most)))
    left = room - sum(map(len, chosen))
    for index, smallest in enumerate(chosen):
        best = next((parcels[index] for parcels in richer if len(parcels[index]) - len(smallest) <= left), smallest)
        left -= len(best) - len(smallest)
        chosen[index] = best
    return chosen


def _escaped(json: bytes) -> str:
    return json.decode().translate(_ESCAPES)


def _packed(json: bytes) -> str:
    return base64.b64encode(gzip.compress(json, 6, mtime=0)).decode()
