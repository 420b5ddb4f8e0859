"""What the page carries for its script: the list as one element, the details of its findings as another.

Nothing in either can end its element. A large page is compressed: the browser unpacks faster than it would read.
"""

import base64
import gzip
from dataclasses import dataclass

import msgspec

from cloudscan.report import Report
from cloudscan_reports import page_data, page_details
from cloudscan_reports.texts import Texts

_PACK_FROM = 1_000_000
"""Bytes of the list. Below it the page can be searched with grep."""
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


@dataclass(frozen=True, kw_only=True)
class Elements:
    """The content of the two elements, with the media type of each line in them."""

    media_type: str
    findings: str
    details: str  # a line for each parcel


def elements(report: Report, texts: Texts) -> Elements:
    """The findings of a report as the page carries them."""
    findings = msgspec.json.encode(page_data.page_data(report, texts))
    details = (msgspec.json.encode(each) for each in page_details.parcels(report, texts))
    if len(findings) < _PACK_FROM:
        return Elements(
            media_type="application/json",
            findings=_escaped(findings),
            details="\n".join(map(_escaped, details)),
        )
    return Elements(media_type="application/gzip", findings=_packed(findings), details="\n".join(map(_packed, details)))


def _escaped(json: bytes) -> str:
    return json.decode().translate(_ESCAPES)


def _packed(json: bytes) -> str:
    return base64.b64encode(gzip.compress(json, 6, mtime=0)).decode()
