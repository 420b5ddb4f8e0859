"""Fixtures of the engine's tests; what they consist of is in `tests.kit.facts`."""

from pathlib import Path

import pytest

from cloudscan.engine.rule_file import Rule
from tests.kit.facts import RULE, load_text


@pytest.fixture
def rule_text() -> str:
    """A rule as an author writes it."""
    return RULE.format(id="link-open-to-anyone").lstrip()


@pytest.fixture
def rules(tmp_path: Path, rule_text: str) -> tuple[Rule, ...]:
    return load_text(tmp_path / "rules", rule_text)
