"""Whole outputs as a reader gets them, one a format and language, beside this file for review by eye.

After an intended change: `pytest tests/reports/test_whole_outputs.py --snapshot-update`, then read the diff.
"""

from collections.abc import Callable, Mapping

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension

from cloudscan.config import Config, OrganisationTable
from cloudscan.report import Report, Written
from cloudscan_reports.formats import csv, junit, markdown, ndjson, sarif, terminal
from cloudscan_reports.handout import html as handout_html
from cloudscan_reports.handout import markdown as handout_markdown
from tests.reports.synthetic import report, with_past
from tests.reports.written import whole

GIVEN = with_past(report(6))
TERMS = Config(organisation=OrganisationTable(contact="security@example.co.jp")).terms
Writer = Callable[[Report, str], Written]


def _text(given: Report, lang: str) -> str:
    return terminal.summary(given, lang, colour=False, width=80)


OUTPUTS: Mapping[str, tuple[Writer, str]] = {
    "text": (_text, "txt"),
    "markdown": (markdown.write, "md"),
    "csv": (csv.write, "csv"),
    "ndjson": (ndjson.write, "ndjson"),
    "junit": (junit.write, "xml"),
    "sarif": (sarif.write, "json"),
}
HANDOUTS = {"html": handout_html.write, "md": handout_markdown.write}


def file_of(snapshot: SnapshotAssertion, suffix: str) -> SnapshotAssertion:
    """A snapshot in a file of its own with this suffix, compared byte by byte."""

    class OneFile(SingleFileSnapshotExtension):
        file_extension = suffix

    return snapshot.use_extension(OneFile)


def bytes_of(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("name", OUTPUTS)
def test_report(name: str, lang: str, snapshot: SnapshotAssertion) -> None:
    write, suffix = OUTPUTS[name]

    assert bytes_of(whole(write, GIVEN, lang)) == file_of(snapshot, suffix)


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("part", ["owner", "index"])
@pytest.mark.parametrize("suffix", HANDOUTS)
def test_handout(suffix: str, part: str, lang: str, snapshot: SnapshotAssertion) -> None:
    """The first owner's page and the index."""
    written = dict(HANDOUTS[suffix](GIVEN, lang, TERMS))
    index = written.pop(f"index.{suffix}")
    page = next(iter(written.values())) if part == "owner" else index

    assert bytes_of(page) == file_of(snapshot, suffix)
