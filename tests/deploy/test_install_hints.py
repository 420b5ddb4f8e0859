"""How to add a part of cloudscan: from where this one came from, and never by its bare name."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cloudscan.installation import hint

ROOT = Path(__file__).parents[2]
WHEEL = "file:///opt/wheels/cloudscan-0.1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (
            {"url": "file:///home/kumo/cloud%20scan", "dir_info": {"editable": True}},
            "run pip install --editable '/home/kumo/cloud scan[s3,xlsx]'",
        ),
        ({"url": "file:///home/kumo/cloudscan", "dir_info": {}}, "run pip install '/home/kumo/cloudscan[s3,xlsx]'"),
        (
            {"url": WHEEL, "archive_info": {"hash": "sha256=aa", "hashes": {"sha256": "aa"}}},
            f"run pip install 'cloudscan[s3,xlsx] @ {WHEEL}#sha256=aa'",
        ),
        (
            {"url": WHEEL, "archive_info": {"hash": "sha256=bb"}},
            f"run pip install 'cloudscan[s3,xlsx] @ {WHEEL}#sha256=bb'",
        ),
        ({"url": WHEEL, "archive_info": {}}, f"run pip install 'cloudscan[s3,xlsx] @ {WHEEL}'"),
        (
            {"url": "https://git.example/cloudscan", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}},
            "run pip install 'cloudscan[s3,xlsx] @ git+https://git.example/cloudscan@c0ffee'",
        ),
        (
            {},
            "install the extra s3, xlsx of cloudscan from the wheel or the package index that this cloudscan came from",
        ),
    ],
)
def test_a_part_comes_from_where_cloudscan_came_from(origin: Mapping[str, Any], command: str) -> None:
    assert hint(origin, ["s3", "xlsx"]) == command


def test_windows_quotes_with_double_quotes() -> None:
    origin = {"url": "file:///opt/cloudscan", "dir_info": {"editable": True}}

    assert hint(origin, ["s3"], windows=True) == "run pip install --editable /opt/cloudscan[s3]"


COMMAND = r"\b(?:pipx?3? (?:install|run)|uv (?:pip install|tool (?:install|run))|uvx)\b[^\n|;&]*?"
BARE = re.compile(COMMAND + r"""['"\s]cloudscan(?:\[[^\]\s]*\])?(?:[=<>~!]=|(?=['"\s`,.;)]|$))(?!\s+@)""", re.MULTILINE)
FOLDERS = (".github", "cloudscan", "connectors", "deploy", "docs", "reports")
TEXTS = {".md", ".py", ".po", ".pot", ".html", ".toml", ".yaml", ".yml", ".sh", ".ps1", ".tf", ""}


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("pip install cloudscan", True),
        ("pip install 'cloudscan[s3]'", True),
        ('pip install --require-hashes "cloudscan[s3]==0.1.0"', True),
        ("uv pip install cloudscan[s3]", True),
        ("pipx install cloudscan", True),
        ("uvx --from cloudscan cloudscan scan", True),
        ("pip install './cloudscan-0.1.0-py3-none-any.whl[s3]'", False),
        ("pip install 'cloudscan[s3] @ file:///opt/x.whl#sha256=aa'", False),
        ("pip install '.[s3]'", False),
        ("pip install ./cloudscan", False),
    ],
)
def test_the_bare_name_is_recognised(text: str, bare: bool) -> None:
    assert bool(BARE.search(text)) is bare


def test_nothing_tells_to_install_the_bare_name() -> None:
    """Until the name is ours at the registries, anybody may take it and run code there."""
    patterns = ["*.md", "Makefile", *(f"{folder}/**/*" for folder in FOLDERS)]
    files = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file() and path.suffix in TEXTS}

    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in sorted(files)
        for match in BARE.finditer(path.read_text("utf-8", errors="replace"))
    ]

    assert not found
