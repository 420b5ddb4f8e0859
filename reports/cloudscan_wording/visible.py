"""Text that third parties wrote, made safe to look at.

Escaping for markup is the template's work. This is about characters that deceive the eye or drive a terminal: controls,
marks that reverse the order of the text after them, halves of surrogate pairs. Each becomes a visible character.
"""

import re
from collections.abc import Iterator

import msgspec

from cloudscan.report import Diff, Report
from cloudscan.text import encodable

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# C1 controls, line separators, what Unicode Standard Annex #9 calls explicit formatting characters, the invisible
# spaces and joiners that make two names look alike, and the tag characters.
_UNSEEN = re.compile(
    "[\x80-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_OPEN, _CLOSE = "⟦", "⟧"


def carriable(report: Report) -> Report:
    """The report as UTF-8 can encode it: halves of surrogate pairs become U+FFFD. Almost always the same object."""
    encoder, buffer = msgspec.json.Encoder(), bytearray()
    try:
        for part in _parts(report):
            encoder.encode_into(part, buffer)
    except UnicodeEncodeError:
        return msgspec.convert(encodable(msgspec.to_builtins(report)), Report)
    return report


def _parts(value: object) -> Iterator[object]:
    """A record in parts, so that none is large."""
    match value:
        case Report() | Diff():
            for name in value.__struct_fields__:
                yield from _parts(getattr(value, name))
        case list() | tuple():
            yield from value
        case dict():
            yield from value
            yield from value.values()
        case _:
            yield value


def visible(text: str) -> str:
    """The text with every character that cannot be seen replaced by one that can: ␛, ⟦U+202E⟧."""
    if text.isprintable():  # almost always, and ten times faster than to look for what is not
        return text
    text = _CONTROL.sub(lambda match: chr(0x2421 if match[0] == "\x7f" else 0x2400 + ord(match[0])), encodable(text))
    return _UNSEEN.sub(lambda match: f"{_OPEN}U+{ord(match[0]):04X}{_CLOSE}", text)


def shortened(text: str, most: int) -> str:
    """The text, cut at `most` characters with an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


_NO_XML = re.compile("[\ufffe\uffff]")


def for_xml(text: str) -> str:
    """The text made visible, without the two noncharacters that XML 1.0 leaves out of its `Char` production (2.2)."""
    return _NO_XML.sub("\ufffd", visible(text))
