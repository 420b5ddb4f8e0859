#!/usr/bin/env python3
"""Take the README's pictures: the first page of a report, as a browser shows it.

    tools/picture.py cloudscan-demo/report.html docs/images/report.png

The picture has at most 256 colours, so that it stays small.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

_WIDTH, _HEIGHT = 1200, 860


def main() -> None:
    """Open the first argument, write the second."""
    page_file, picture = Path(sys.argv[1]).absolute(), Path(sys.argv[2])
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT}, color_scheme="light")
        page.goto(page_file.as_uri())
        taken = page.screenshot()
        browser.close()
    picture.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(taken)).convert("RGB").quantize(256).save(picture, optimize=True)


main()
