"""Phrases that a native engineer would not write, and what to write instead. The list grows with what reviews find."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXTS = (
    *("*.md", "docs/**/*.md", "rules/**/*.yaml", "cloudscan/**/*.pot", "reports/**/*.pot"),
    *("cloudscan/**/*.py", "connectors/**/*.py", "reports/**/*.py", "tools/*.py", "tests/**/*.py"),
    *("reports/**/*.html", "reports/**/*.js", "cloudscan/**/*.html"),
)
EXEMPT = {Path(__file__), ROOT / "CHANGELOG.md", ROOT / "docs" / "architecture.md"}  # they name what is retired
OLD_SCHEMAS = "migrations/versions"

PHRASES = {
    r"\b(he|him|his|himself)\b": "they, them, their",
    r"\b(goes|go|went|gone) on (with|from)\b": "resume, continue",
    r"\btrouble of its own\b": "failed on its side",
    r"\basks? for a pause\b": "is throttling requests",
    r"\b(does|did) not let us in\b": "refused access",
    r"\bnobody can look (inside|into)\b": "its contents cannot be read",
    r"\bto the letter\b": "exactly, verbatim",
    r"\bso (many|much) (of|per|at|more|days|seconds|lines)\b": "name the number: at most N",
    r"\bby hand\b": "manually",
    r"\bfrom on\b": "from",
    r"\bwhoever|whomever\b": "a noun: the person who, anyone who",
    r"\bfor ever\b": "permanently, forever",
    r"\bbears? (the|its|a|this|no)\b": "has",
    r"\bstands? open\b": "is open",
    r"\b(is|are) no (file|folder|report|fact|day|date|user|resource|snapshot|text|failure)\b": "is not a …",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bmake room\b": "free some space",
    r"\boutsiders?\b(?![\"/])": "external user",
    r"\bstrangers? to us\b": "external",
    r"\bheld back\b": "blocked",
    r"\bof whom\b": "whose",
    r"\bhow the nights go\b": "the health of the nightly scans",
    r"\balso later\b": "in the future",
    r"\bleave the house\b": "leave the company",
    r"\b(cannot|could not|can) be told\b": "determined, identified, distinguished",
    r"\blived? with\b": "accept, waive",
    r"\bnights can go on\b": "nightly scans can continue",
    r"\b(puts?|putting) (it |them )?right\b": "fix",
    r"\bof theirs\b": "their",
    r"\bfirst saw\b": "first found",
    r"\b(won|gained) for the effort\b": "risk reduced per effort",
    r"\bwhat lies behind\b": "what is affected",
    r"\bno \w+ at hand\b": "no access to",
}  # fmt: skip


def texts() -> list[Path]:
    return sorted(
        {file for pattern in TEXTS for file in ROOT.glob(pattern) if OLD_SCHEMAS not in file.as_posix()} - EXEMPT
    )


@pytest.mark.parametrize("phrase", PHRASES)
def test_the_english_is_plain(phrase: str) -> None:
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for file in texts()
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if re.search(phrase, line)
    ]

    assert not found, f"write {PHRASES[phrase]!r}:\n" + "\n".join(found)
