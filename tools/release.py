#!/usr/bin/env python3
"""Make a release: date the changelog, write the version, build, commit and tag. Uploads nothing.

python tools/release.py 0.2.0 [--dry-run]
"""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UNRELEASED = "## Unreleased"


class ReleaseError(Exception):
    """Why no release can be made, and what to do about it."""


def main() -> int:
    """Parse the command line and release; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", help="the new version, such as 0.2.0")
    parser.add_argument("--dry-run", action="store_true", help="check everything, change nothing")
    asked = parser.parse_args()
    try:
        texts = edited(asked.version, datetime.now(UTC).strftime("%Y-%m-%d"))
        clean()
        if not asked.dry_run:
            release(asked.version, texts)
    except ReleaseError as error:
        sys.stderr.write(f"release: {error}\n")
        return 2
    return 0


def edited(version: str, day: str) -> dict[Path, str]:
    """The files of a release with the new version and day in them, by path. Raises `ReleaseError`."""
    if not re.fullmatch(r"\d+\.\d+\.\d+(rc\d+)?", version):
        raise ReleaseError(f"{version!r} is not a version; write it as 1.2.3 or 1.2.3rc1.")
    project, package, changelog = ROOT / "pyproject.toml", ROOT / "cloudscan/__init__.py", ROOT / "CHANGELOG.md"
    notes = changelog.read_text("utf-8")
    section = notes.partition(UNRELEASED)[2].partition("\n## ")[0].strip()
    if not section:
        raise ReleaseError(f"CHANGELOG.md has nothing under {UNRELEASED!r}; a release needs a word for its users.")
    return {
        project: _replaced(project, r'^version = ".*"$', f'version = "{version}"'),
        package: _replaced(package, r'^__version__ = ".*"$', f'__version__ = "{version}"'),
        changelog: notes.replace(UNRELEASED, f"{UNRELEASED}\n\n## {version} ({day})", 1),
    }


def clean() -> None:
    """Raises `ReleaseError` where something is not committed."""
    if _git("status", "--porcelain"):
        raise ReleaseError("there are uncommitted changes; commit or stash them first.")


def release(version: str, texts: dict[Path, str]) -> None:
    """Write, check, build, commit and tag."""
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    for step in (["make", "test"], ["make", "wheel"]):
        subprocess.run(step, check=True, cwd=ROOT)
    built = sorted((ROOT / "dist").iterdir())
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in built)
    (ROOT / "dist" / "SHA256SUMS").write_text(sums, encoding="ascii")
    _git("commit", "--quiet", "--all", "--message", f"Release {version}")
    _git("tag", "--annotate", f"v{version}", "--message", f"cloudscan {version}\n\n{sums}")
    sys.stdout.write(f"{sums}\nTagged v{version}. Push the tag, and upload what is in dist/.\n")


def _replaced(path: Path, pattern: str, line: str) -> str:
    text, count = re.subn(pattern, line, path.read_text("utf-8"), count=1, flags=re.MULTILINE)
    if not count:
        raise ReleaseError(f"{path.name} has no line like {pattern}; was it moved?")
    return text


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], check=True, cwd=ROOT, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main())
