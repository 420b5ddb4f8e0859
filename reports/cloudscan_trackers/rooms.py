"""How much a notification service takes at once, and how a text is split to fit: nothing is lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apprise import NotifyBase

_MARKED_UP = 32  # characters, at most, that set a title off from the text in the markup of a service


@dataclass(frozen=True, kw_only=True)
class Room:
    """What one service takes. `written` is a text as it arrives there, escaped for its markup."""

    title: int  # characters; 0: the title is put into the text
    text: int  # characters
    lines: int  # 0: any number
    shared: bool  # whether the title counts as text
    between: int  # characters between a title and the text that it is put into
    cuts: bool  # whether the address asks for a text that is cut off
    written: Callable[[str], str]

    @property
    def longest_title(self) -> int:
        """The characters of a title that leave room for a text."""
        longest = self.text // 3
        return min(self.title, longest) if self.title else longest

    def takes(self, title: str, text: str) -> bool:
        """Whether a title and a text arrive in full."""
        length = _length(self.written(text))
        if not self.title or self.shared:
            length += _length(self.written(title)) + self.between
        lines = text.count("\n") + (1 if self.title else 2)
        return length <= self.text and not 0 < self.lines < lines


def room_of(service: "NotifyBase") -> Room:
    """What an address takes, as apprise knows of its service."""
    from apprise import NotifyFormat, OverflowMode
    from apprise.conversion import convert_between

    markup = service.resolve_format(NotifyFormat.TEXT)
    return Room(
        title=service.title_maxlen,
        text=service.body_maxlen,
        lines=service.body_max_line_count,
        shared=service.overflow_amalgamate_title,
        between=len("\r\n") if markup is NotifyFormat.TEXT else _MARKED_UP,
        cuts=service.overflow_mode is OverflowMode.TRUNCATE,
        written=lambda text: service.dialect_convert(convert_between(NotifyFormat.TEXT, markup, text), markup),
    )


def split(text: str, fits: Callable[[str], bool]) -> Sequence[str]:
    """A text in parts that fit: between entries if possible, else between lines, words or characters."""
    parts = [""]
    for piece in [small for entry in _entries(text) for small in _small(entry, fits)]:
        longer = f"{parts[-1]}\n{piece}" if parts[-1] else piece
        if parts[-1] and not fits(longer):
            parts.append(piece.lstrip("\n"))
        else:
            parts[-1] = longer
    return [part.strip("\n") for part in parts if part.strip()]


def _entries(text: str) -> Sequence[str]:
    """Lines that belong together: one, and those after it that are indented."""
    entries = list[str]()
    for line in text.split("\n"):
        if line.startswith("  ") and entries:
            entries[-1] += f"\n{line}"
        else:
            entries.append(line)
    return entries


def _small(entry: str, fits: Callable[[str], bool]) -> Sequence[str]:
    """An entry in pieces that fit."""
    if fits(entry) or len(entry) < 2:
        return [entry]
    head, tail = _halves(entry)
    return [*_small(head, fits), *_small(tail, fits)]


def _halves(text: str) -> tuple[str, str]:
    """A text cut at the line, else the blank, else the character that is nearest to its middle."""
    middle = len(text) // 2
    for sign in ("\n", " "):
        places = [at for at, letter in enumerate(text) if letter == sign and text[:at].strip() and text[at:].strip()]
        if places:
            at = min(places, key=lambda place: abs(place - middle))
            return text[:at], text[at + 1 :]
    return text[:middle], text[middle:]


def _length(text: str) -> int:
    """In UTF-16 code units, in which some services count; no service counts more."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
