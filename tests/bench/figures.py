"""What a bench found, kept beside it: `tools/performance.py` makes the page of performance out of these files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

FOLDER: Final = Path(__file__).parent / "figures"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was measured, and what it is held against in the same run."""

    work: str  # what was done, with its size
    ours: float
    unit: str  # of `ours` and `reference`
    reference: float | None = None
    against: str = ""  # what the reference is: a bare loop, a Parquet scan, the first night
    wanted: str = ""  # the aim, in words: "≤ 0.25"
    limit: str = ""  # the physical limit, and how far it is


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a bench."""

    bench: str  # the name of its file, without suffix
    command: str
    measured_on: str  # a day
    figures: Sequence[Figure]
    tried: Sequence[str] = ()  # what did not help, a sentence each


def save(bench: Bench) -> Path:
    """Keep a run in place of the one before; gives the file."""
    path = FOLDER / f"{bench.bench}.json"
    FOLDER.mkdir(exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(bench), indent=1) + b"\n")
    return path


def saved() -> list[Bench]:
    """All runs that are kept, by name."""
    return [msgspec.json.decode(path.read_bytes(), type=Bench) for path in sorted(FOLDER.glob("*.json"))]
