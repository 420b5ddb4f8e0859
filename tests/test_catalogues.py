"""Every catalogue of messages: translated, current, and nothing in it that nobody says."""

import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

import cloudscan.audit
from cloudscan.audit import wording
from cloudscan.engine.framework_coverage import Standing
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

    assert [(each.context, each.id) for each in english] == [(each.context, each.id) for each in japanese]
    assert [each.context for each in japanese if each.fuzzy or not each.string] == []


def test_a_packs_texts_name_the_same_fields_in_both_languages() -> None:
    english, japanese = (keys(lang) for lang in ("en", "ja"))

    assert {key: fields(text) for key, text in english.items()} == {key: fields(text) for key, text in japanese.items()}


def test_a_pack_says_every_message_and_no_other() -> None:
    """What the templates and `words` ask for by key is what the catalogue holds."""
    written = [(AUDIT / name).read_text("utf-8") for name in ("README.md", "controls.html")]
    asked = set(
        re.findall(
            r'"((?:readme|controls)\.(?!html|css)\w+)"', "".join([*written, Path(wording.__file__).read_text("utf-8")])
        )
    )

    assert asked | {f"controls.{standing}" for standing in Standing} == keys("en").keys()


def keys(lang: str) -> dict[str, str]:
    return {
        f"{group}.{key}": text for group, told in catalogue.table(AUDIT, lang).items() for key, text in told.items()
    }


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}
