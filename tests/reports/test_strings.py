"""The numbers that stand for strings in the page's data, read as the page's script reads them."""

from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from cloudscan_reports.page.string_table import Slots, Strings

SHORT = st.text(alphabet="abñ/\x00\x01 ", max_size=12)
WRITTEN = st.lists(st.tuples(SHORT | st.none(), st.tuples(SHORT, SHORT)), max_size=30)


def read(numbers: Sequence[int], slots: Sequence[Slots], tables: dict[str, list[str]]) -> list[str | None]:
    """What data.js does: resolve the next ones, then look up."""
    following = 0
    texts: list[str | None] = []
    for number, own in zip(numbers, slots, strict=True):
        if number == 0:
            texts.append(tables["pool"][following])
            following += 1
        elif number > 0:
            texts.append(tables["pool"][number - 1])
        elif number == -1:
            texts.append(None)
        else:
            parts = tables["patterns"][-2 - number]
            texts.append("".join(own[part] if isinstance(part, int) else part for part in parts))
    return texts


@given(WRITTEN)
@example([("s3:bucket/abab/ab", ("abab", "ab/a")), ("abab", ("abab", ""))])
def test_every_string_comes_back(written: list[tuple[str | None, Slots]]) -> None:
    """Whatever a name is made of, and wherever it stands in the text."""
    strings = Strings()

    numbers = [strings.around(text, slots) for text, slots in written]

    assert read(numbers, [slots for _, slots in written], strings.tables()) == [text for text, _ in written]


def test_what_repeats_a_name_is_kept_once() -> None:
    """Thousands of addresses that differ by the name of their finding are one pattern."""
    strings = Strings()
    names = [f"bucket-{n}" for n in range(1000)]

    numbers = {strings.around(f"arn:aws:s3:::{name}/*", (name, "")) for name in names}

    assert len(numbers) == 1
    assert strings.tables() == {"pool": [], "patterns": [["arn:aws:s3:::", 0, "/*"]]}
