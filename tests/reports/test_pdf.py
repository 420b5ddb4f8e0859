"""PDF: read back with pypdf. Both languages, fonts of its own, no way out of the document."""

import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pypdf
import pytest
from pypdf.generic import DictionaryObject

from cloudscan.finding import State
from cloudscan.report import Report
from cloudscan_reports.formats import pdf
from cloudscan_reports.handout.addressees import stem
from cloudscan_reports.summary import ranking
from cloudscan_wording.texts import load, number
from tests.reports.hostile import NAMES, drenched
from tests.reports.synthetic import report, with_past
from tests.reports.test_handouts import TERMS, handed_to

replace = msgspec.structs.replace
WAYS_OUT = {"/URI", "/Launch", "/JavaScript", "/JS", "/GoToR", "/SubmitForm", "/EmbeddedFiles", "/OpenAction", "/AA"}


def read(content: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(content), strict=True)


def text_of(document: pypdf.PdfReader) -> str:
    return "".join(page.extract_text() for page in document.pages)


def objects(document: pypdf.PdfReader) -> Iterator[Any]:
    size: Any = document.trailer["/Size"]
    for object_id in range(1, size):
        yield document.get_object(object_id)


def ways_out(document: pypdf.PdfReader) -> set[str]:
    """Whatever could make a reader open, run or fetch something."""
    dictionaries = [item for item in objects(document) if isinstance(item, DictionaryObject)]
    keys = {str(key) for dictionary in dictionaries for key in dictionary}
    kinds = {str(dictionary.get("/S")) for dictionary in dictionaries}
    return (keys | kinds) & WAYS_OUT


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_director_finds_the_answers_on_page_one(lang: str) -> None:
    """Five questions, the worst cause and what was not seen; overleaf the other causes, the roadmap, where to begin."""
    given = with_past(report(60))
    texts = load(lang)

    document = read(pdf.write(given, lang))

    first = squeezed(document.pages[0].extract_text())
    second = squeezed("".join(page.extract_text() for page in document.pages[:3]))
    for key in ("hurts", "first", "costs", "better", "unseen"):
        assert squeezed(texts.say(f"answers.{key}")) in first
    worst, *others = ranking.causes(given)
    assert squeezed(texts.name("cause", worst.cause)) in first
    assert number(worst.priority) in first
    for cause in others:
        assert squeezed(texts.name("cause", cause.cause)) in second
    assert "acme-locked" in first
    assert squeezed(texts.say("roadmap.first")) in second
    assert squeezed(given.findings[0].message[lang]) in second
    assert squeezed(texts.say("changes.resolved")) in second
    assert len(document.pages) <= 6
    assert str(document.root_object["/Lang"]) == lang


def squeezed(text: str) -> str:
    """Without the spaces and line ends that setting puts in and takes out."""
    return "".join(text.split())


def test_fonts_are_in_the_file() -> None:
    """Japanese shows on a machine that has no Japanese font."""
    document = read(pdf.write(report(6), "ja"))

    fonts = [
        item
        for item in objects(document)
        if isinstance(item, DictionaryObject) and item.get("/Type") == "/FontDescriptor"
    ]

    assert fonts
    assert all({"/FontFile2", "/FontFile3"} & set(font) for font in fonts)


@pytest.mark.parametrize("complete", [True, False])
def test_an_empty_report_is_a_page(complete: bool) -> None:
    assert len(read(pdf.write(report(0, complete=complete), "en")).pages) == 1


def test_a_large_report_stays_readable() -> None:
    """The first findings are printed, the others are counted."""
    document = read(pdf.write(report(3_000), "en"))

    assert len(document.pages) < 15
    assert "more" in text_of(document)


@pytest.mark.long
@pytest.mark.parametrize("given", [report(len(NAMES), names=NAMES), drenched(report(1), "".join(NAMES))])
def test_hostile_names_lead_nowhere(given: Report) -> None:
    """A report and hand-outs full of them: documents that open, with no link, no script, no attachment."""
    handed = handed_to(given, ["".join(NAMES), ""])
    made = [pdf.write(given, "ja"), *dict(pdf.write_handouts(handed, "ja", TERMS)).values()]

    assert [ways_out(read(content)) for content in made] == [set()] * len(made)
    assert "alert(1)" in text_of(read(made[0]))


@pytest.mark.parametrize("name", NAMES)
def test_each_hostile_name_can_be_printed(name: str) -> None:
    _, page = next(pdf.write_handouts(handed_to(drenched(report(1), name), [name]), "en", TERMS))

    assert ways_out(read(page)) == set()


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("n", [1, 3, 5])
def test_a_few_findings_fit_on_one_page(lang: str, n: int) -> None:
    given = handed_to(report(n), ["mika@example.co.jp"])

    written = dict(pdf.write_handouts(given, lang, TERMS))

    assert len(read(written[f"{stem('mika@example.co.jp')}.pdf"]).pages) == 1


def test_the_same_report_is_the_same_document() -> None:
    given = replace(report(6), findings=[replace(finding, state=State.OPEN) for finding in report(6).findings])

    assert pdf.write(given, "ja") == pdf.write(given, "ja")
    assert dict(pdf.write_handouts(given, "en", TERMS)) == dict(pdf.write_handouts(given, "en", TERMS))


def test_nothing_is_fetched() -> None:
    """Even if an address came through: not from the network, not from the disk."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{server.server_port}"
    page = (
        f'<link rel=stylesheet href="{there}/a.css"><link rel=attachment href="file:///etc/passwd">'
        f'<style>@import "{there}/b.css"; @font-face {{ font-family: x; src: url("{there}/c.woff") }}'
        f' p {{ background: url("{there}/d.png"); font-family: x }}</style>'
        f'<p><img src="{there}/e.png"><img src="file:///etc/hostname">text'
    )

    document = read(pdf.printed(page))
    server.shutdown()
    server.server_close()

    assert requests == []
    assert ways_out(document) == set()
    assert document.attachments == {}


def test_a_missing_pango_is_named(tmp_path: Path) -> None:
    """WeasyPrint is there, the system's library is not: one sentence, and what to install."""
    (tmp_path / "weasyprint.py").write_text("raise OSError(\"cannot load library 'libpango-1.0-0'\")")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from cloudscan.errors import ConfigurationError\n"
        "from cloudscan_reports.formats import pdf\n"
        "try: pdf.printed('')\n"
        "except ConfigurationError as error: print(error)"
    )

    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "libpango-1.0-0" in output.stdout
    assert "apt-get install" in output.stdout
