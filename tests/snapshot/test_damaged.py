"""A snapshot of which a part is damaged: a bad disk, a copy that was cut off."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cloudscan.engine.judge import judge
from cloudscan.errors import ConfigurationError, SnapshotError
from cloudscan.snapshot.collect import collect
from cloudscan.snapshot.snapshot import Snapshot
from tests.kit.facts import RULE, Listed, file, load_text, yielding


def spoil(table: Path, spoilt: Callable[[bytes], bytes]) -> None:
    """Change the pages of a Parquet file. Its footer, which is read when the snapshot is opened, stays whole."""
    content = table.read_bytes()
    footer = 8 + int.from_bytes(content[-8:-4], "little")
    table.write_bytes(content[:4] + spoilt(content[4:-footer]) + content[-footer:])


@pytest.mark.parametrize(
    "spoilt",
    [lambda pages: bytes(len(pages)), lambda pages: b"\xff" * len(pages), lambda pages: pages[::-1]],
    ids=["zeros", "ones", "backwards"],
)
def test_a_damaged_table_is_told(tmp_path: Path, spoilt: Callable[[bytes], bytes]) -> None:
    """It shows only when the damaged part is read; the words are the same for all who read it."""
    toy = Listed({"a": yielding(*(file(str(number)) for number in range(2000)))})
    collect([toy], tmp_path / "s").close()
    rules = load_text(tmp_path, RULE.format(id="link-open-to-anyone").lstrip())
    for table in ("resources", "exposures", "coverage"):
        spoil(tmp_path / "s" / "tables" / f"{table}.parquet", spoilt)

    with Snapshot.open(tmp_path / "s") as snapshot:
        with pytest.raises(SnapshotError, match=r"/s is damaged .*; scan again"):
            snapshot.coverage()
        with pytest.raises(SnapshotError, match=r"/s is damaged .*; scan again"):
            judge(snapshot, rules)
        with pytest.raises(ConfigurationError, match="The query cannot run"):
            snapshot.query("SELECT * FROM resources")
