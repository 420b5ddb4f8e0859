"""Every catalogue of messages: translated, current, and nothing in it that nobody says."""

import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

import cloudscan.audit
from cloudscan.audit import wording
from cloudscan.framework import ControlStanding, Extent
from cloudscan.text import catalogue
from cloudscan_wording import texts

AUDIT = Path(cloudscan.audit.__file__).parent / "texts"
FOLDERS = (AUDIT, Path(texts.__file__).parent)
every_catalogue = pytest.mark.parametrize("folder", FOLDERS, ids=["audit", "reports"])


@every_catalogue
def test_the_translation_is_of_what_is_said_today(folder: Path) -> None:
    """A sentence that was changed in English and not in Japanese is found here and not by a reader."""
    with (folder / "messages.pot").open("rb") as source, (folder / "ja.po").open("rb") as translated:
        english, japanese = read_po(source), read_po(translated, locale="ja")

    assert [(message.context, message.id) for message in english] == [
        (message.context, message.id) for message in japanese
    ]
    assert [message.context for message in japanese if message.fuzzy or not message.string] == []


def test_a_packs_texts_name_the_same_fields_in_both_languages() -> None:
    english, japanese = (keys(lang) for lang in ("en", "ja"))

    assert {key: fields(text) for key, text in english.items()} == {key: fields(text) for key, text in japanese.items()}


def test_a_pack_says_every_message_and_no_other() -> None:
    """What the templates and `words` ask for by key is what the catalogue holds."""
    written = [(AUDIT / name).read_text("utf-8") for name in ("README.md", "controls.html")]
    used = set(
        re.findall(
            r'"((?:readme|controls)\.(?!html|css)\w+)"', "".join([*written, Path(wording.__file__).read_text("utf-8")])
        )
    )

    assert used | {f"controls.{word}" for words in (ControlStanding, Extent) for word in words} == keys("en").keys()


def keys(lang: str) -> dict[str, str]:
    return {
        f"{group}.{key}": text for group, texts in catalogue.table(AUDIT, lang).items() for key, text in texts.items()
    }


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}
