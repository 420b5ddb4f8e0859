"""A company on disk, the toy connector installed beside cloudscan, and the command line at hand."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cloudscan.cli.main import run
from tests.kit.toy_cloud import shelve

TOY = Path(__file__).parents[1] / "toy_connector"
RULES = Path(__file__).parent / "rules"
CONFIG = f"""
[organisation]
name = "Acme"

[scan]
rules = ["{RULES}"]

[connectors.toy]
folder = "company"
"""


def install(site: Path, name: str, group: str, target: str) -> None:
    """Make an entry point that Python finds, as an installed package would."""
    folder = site / f"{name.replace('-', '_')}-0.1.0.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    (folder / "entry_points.txt").write_text(f"[cloudscan.{group}]\n{target}\n")


@dataclass(frozen=True)
class Said:
    """What one run of the command line left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Desk:
    """A folder to work in, with a configuration and a company."""

    folder: Path
    site: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Said:
        self.capture.readouterr()
        code = run(list(arguments))
        captured = self.capture.readouterr()
        return Said(code, captured.out, captured.err)

    def process(self, *arguments: str, **environment: str) -> Said:
        """The same in a process of its own, for what only a process shows."""
        done = subprocess.run(
            [sys.executable, "-m", "cloudscan", *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    @property
    def environment(self) -> dict[str, str]:
        """In which another process finds the toy connector."""
        return {**os.environ, "PYTHONPATH": os.pathsep.join([str(self.site), str(TOY)])}

    def shelve(self, **documents: str) -> None:
        shelve(self.folder / "company", documents)

    def configure(self, text: str) -> None:
        (self.folder / "cloudscan.toml").write_text(text, encoding="utf-8")

    def install(self, name: str, group: str, target: str, modules: Mapping[str, str] | None = None) -> None:
        for module, text in (modules or {}).items():
            (self.site / f"{module}.py").write_text(text)
        install(self.site, name, group, target)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    site = tmp_path / "site"
    install(site, "cloudscan-toy", "connectors", "toy = cloudscan_toy:PLUGIN")
    for path in (TOY, site):
        monkeypatch.syspath_prepend(path)
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):  # what runs the tests may have a terminal
        monkeypatch.delenv(name, raising=False)
    desk = Desk(folder, site, capsys)
    desk.configure(CONFIG)
    desk.shelve(plan="everybody", notes="me")
    known = set(sys.modules)
    yield desk
    for name in set(sys.modules) - known:  # the next test may have a plugin of the same name
        if Path(str(getattr(sys.modules[name], "__file__", ""))).parent == site:
            del sys.modules[name]


@pytest.fixture
def scanned(desk: Desk) -> Callable[..., Said]:
    """Scan the company as it is now."""
    return lambda *more: desk.run("scan", *more)
