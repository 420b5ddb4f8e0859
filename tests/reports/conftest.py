"""A real Chromium for the tests that look at the page."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from cloudscan.report import Report
from cloudscan_reports.page import html as page_html

_MISSING = "No Chromium for the tests of the HTML report. Install it: apt-get install chromium fonts-noto-cjk"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

Opener = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a module. Without one the tests fail in CI and say elsewhere what to install."""
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(_MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Writes a report as HTML and opens it. At the end the console is empty and nothing was asked of a network."""
    complaints: list[str] = []
    requests: list[str] = []

    def opener(
        report: Report,
        lang: str = "en",
        *,
        source: str = "",
        fragment: str = "",
        width: int = 1440,
        dark: bool = False,
        script: bool = True,
    ) -> Page:
        file = tmp_path / f"report-{lang}.html"
        file.write_text(source or page_html.write(report, lang), "utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"{file.as_uri()}{fragment}")
        if script:
            page.wait_for_selector("html[data-ready]", state="attached", timeout=10_000)
        return page

    yield opener
    for context in browser.contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(tmp_path.as_uri())] == []
