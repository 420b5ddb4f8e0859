"""How large the HTML report is, how long it takes to write, to open and to filter, with 1,000 to 100,000 findings.

    PYTHONPATH=.:connectors:reports python tests/bench/report_page.py [--drive] [findings …]

Opens the page in Chromium from a file. "open" ends when the list stands and answers; "filter" is the slowest of a few
filters, from the event to the finished list, the first text search (which prepares the words) told apart.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from cloudscan.report import Report
from cloudscan_reports.page import html as page_html
from tests.reports import synthetic_drive
from tests.reports.synthetic import report, with_past

_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_OPENED = """() => performance.getEntriesByName("ready")[0].startTime"""
_FILTERED = """(hash) => {
    const begin = performance.now();
    location.hash = hash;
    dispatchEvent(new HashChangeEvent("hashchange"));
    return performance.now() - begin;
}"""


def filtered(page: Page, fragment: str) -> float:
    return float(page.evaluate(_FILTERED, fragment))


def measure(made: Report, folder: Path) -> None:
    findings = len(made.findings)
    begin = time.perf_counter()
    text = page_html.write(made, "ja")
    written = time.perf_counter() - begin
    file = folder / f"{findings}.html"
    file.write_text(text, "utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium-headless-shell") or shutil.which("chromium"), args=_ARGUMENTS
        )
        page = browser.new_page()
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
        opened = float(page.evaluate(_OPENED))
        first = filtered(page, "#q=finance")
        others = (
            "#severity=critical",
            "#cause=partner&state=any",
            "#q=prod+mika",
            "#account=000000000002&q=jp",
        )
        slowest = max(filtered(page, fragment) for fragment in others)
        browser.close()
    megabytes = file.stat().st_size / 1e6
    print(
        f"{findings:>8,} findings: {megabytes:6.2f} MB, written in {written:5.2f} s, open in {opened / 1000:5.2f} s, "
        f"first search {first:5.0f} ms, slowest filter {slowest:5.0f} ms"
    )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("findings", nargs="*", type=int, default=[1_000, 20_000, 100_000])
    parser.add_argument("--drive", action="store_true", help="findings as Drive has them, whose names hardly repeat")
    chosen = parser.parse_args(arguments)
    make = synthetic_drive.report if chosen.drive else lambda n: with_past(report(n))
    with tempfile.TemporaryDirectory() as folder:
        for findings in chosen.findings:
            measure(make(findings), Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
