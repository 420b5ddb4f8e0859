"""Text written by users of a platform, made safe for where it lands.

===========================  ===============================================================================
lands in                     function
===========================  ===============================================================================
a terminal, a log, a prompt  `plain`: nothing moves the cursor, changes colours or reverses the reading order
UTF-8 (JSON, a file)         `encodable`: nothing that no encoding can carry
a link to click              `openable`: only addresses of the web
a spreadsheet's cell         `cloudscan.text.csv`: nothing runs as a formula
a page, document or ticket   `cloudscan_wording.visible.visible`: what cannot be seen becomes a symbol
XML                          `cloudscan_wording.visible.for_xml`
a shell command to paste     `cloudscan.text.shell`: one word, quoted for the shell that the command is for
===========================  ===============================================================================

Markup (HTML, Markdown, a tracker's own) is escaped by whatever writes it, after this.
"""

import unicodedata
from typing import Any
from urllib.parse import urlsplit

_ALLOWED = "\n\t"
_WRITTEN_OUT = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # Unicode's general categories of what is not seen


def plain(text: str) -> str:
    r"""The text with control, format and lone surrogate characters written out: ``\x1b``, ``\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character in _ALLOWED or unicodedata.category(character) not in _WRITTEN_OUT
        else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )


def openable(url: str) -> str:
    """The address if it is an https one, else an empty text: a click must not run what a stranger wrote."""
    try:
        return url if urlsplit(url).scheme == "https" and url.isprintable() else ""
    except ValueError:
        return ""


def width(text: str) -> int:
    """How many columns of a terminal a text takes: ideographs and emoji two, marks above a letter none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def encodable(value: Any) -> Any:
    """The same text, list or dictionary, with U+FFFD for each half of a surrogate pair; whole pairs are joined.

    Some file systems and APIs let halves into names. No encoding can carry them.
    """
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            return value
        case dict():
            encoded: dict[Any, Any] = {}
            for key, item in value.items():
                name = encodable(key)
                while name in encoded:  # two different halves become the same character
                    name += "\ufffd"
                encoded[name] = encodable(item)
            return encoded
        case list() | tuple():
            return [encodable(item) for item in value]
        case _:
            return value
