"""Every code that the connector can give has words in every language."""

import re
from pathlib import Path

import pytest

import cloudscan_gdrive
from cloudscan.reason import has_words
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning import drive_restrictions, translate
from cloudscan_gdrive.questions import QUESTIONS

SOURCES = [file.read_text("utf-8") for file in Path(cloudscan_gdrive.__file__).parent.rglob("*.py")]
STEPS = {code for text in SOURCES for code in re.findall(r'step\(\s*"(drive-[a-z-]+)"', text)}
STEPS |= {code for text in SOURCES for code in re.findall(r'"(drive-may-[a-z-]+)"', text)}
BLOCKS = (translate.DELETED, translate.EXPIRED, drive_restrictions.DOMAIN_USERS_ONLY, drive_restrictions.MEMBERS_ONLY)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_code_has_words(language: str) -> None:
    wanted = [
        *(("reason", str(code)) for code in Code),
        *(("question", question.name) for question in QUESTIONS),
        *(("step", code) for code in STEPS),
        *(("block", code) for code in BLOCKS),
    ]

    assert len(STEPS) > 25
    assert [pair for pair in wanted if not has_words(*pair, language)] == []
