"""Backlog's own notation: what others wrote has no meaning in it."""

import pytest

from cloudscan_trackers.markup import BACKLOG_NOTATION


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("* heading", "＊ heading"),
        ("- item", "－ item"),
        ("|a|b|", "｜a|b|"),
        ("#image(x.png)", "＃image(x.png)"),
        ("[[SEC-1>https://a.example]]", "［［SEC\u20111>https:／／a.example］］"),
        ("&color(red) { x }", "＆color(red) { x }"),
        ("a {/code} b {quote}", "a ｛/code} b ｛quote}"),
        ("''bold'' %%gone%%", "＇＇bold＇＇ ％％gone％％"),
        ("[ ] pay, [x] paid", "［ ] pay, ［x] paid"),
        ("ask @mika", "ask ＠mika"),
        ("BLG-104 on 2026-11-30", "BLG\u2011104 on 2026-11-30"),
        ("5 * 3 - 2, it's 100% & done", "5 * 3 - 2, it's 100% & done"),
    ],
)
def test_prose_has_no_meaning_in_the_notation(text: str, shown: str) -> None:
    assert BACKLOG_NOTATION.prose(text) == shown


def test_a_name_stays_in_its_sentence() -> None:
    """``{code}`` is a block in this notation ("Text formatting rules (Backlog notation)")."""
    assert BACKLOG_NOTATION.name("https://a.example/{code}.txt") == "https:／／a.example/｛code}.txt"


def test_code_in_the_notation_cannot_be_left() -> None:
    assert BACKLOG_NOTATION.command("echo {/code} @all") == "{code}echo ｛/code} ＠all{/code}"
