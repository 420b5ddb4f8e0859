"""Fixtures of the engine's tests; what they are made of stands in `toys`."""

from pathlib import Path

import pytest
from toys import RULE, load_text

from cloudscan.engine.rule_file import Rule


@pytest.fixture
def rule_text() -> str:
    """A rule as an author writes it."""
    return RULE.format(id="link-open-to-anyone").lstrip()


@pytest.fixture
def rules(tmp_path: Path, rule_text: str) -> tuple[Rule, ...]:
    return load_text(tmp_path / "rules", rule_text)
