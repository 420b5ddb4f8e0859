"""One hostile text in any one field of a report: every format stays what it is, in both languages."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from html.parser import HTMLParser
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.config import Config, OrganisationTable
from cloudscan.report import Report
from cloudscan_reports.formats import json as data
from cloudscan_reports.formats import text
from cloudscan_reports.handout import html as handout_pages
from cloudscan_reports.handout import markdown as handout_markdown
from cloudscan_reports.page import html as page_html
from tests.kit.properties import examples
from tests.reports.hostile import NAMES
from tests.reports.synthetic import report, with_past
from tests.reports.test_formats import CELLS, FORMATS
from tests.reports.validators import VALIDATORS, markdown, text_of
from tests.reports.written import whole

TEXTS = (
    *NAMES,
    *(text for text, cell in CELLS if cell != text and len(text) < 100),
    "CON",
    "..\\..\\x",
    "a`b``c|d\n# e",
    "{%x%}{{x}}",
    "%%",
    "\0",
    "🏳️‍🌈" * 300,
    "＝1",
    "＋1",
    "]]>",
)
OURS = {"id", "scan_id", "fingerprint", "rule_id", "version", "schema", "kind", "timezone"}
"""Fields that no third party writes."""

Put = Callable[[str], Report]


def fields(whole: Report) -> Mapping[str, Put]:
    """The report's fields with text of third parties: by path, a function that puts another text there."""
    puts: dict[str, Put] = {}
    for path, put in _fields(whole, "report"):
        puts.setdefault(re.sub(r"\d+", "N", path), put)
    return puts


def _fields(value: Any, path: str) -> Iterator[tuple[str, Callable[[str], Any]]]:
    if type(value) is str:
        yield path, str
    elif isinstance(value, msgspec.Struct):
        for name in set(value.__struct_fields__) - OURS:
            for inner, put in _fields(getattr(value, name), f"{path}.{name}"):
                yield inner, partial(_in_field, value, name, put)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            for inner, put in _fields(item, f"{path}.{key if key in ('en', 'ja') else '*'}"):
                yield inner, partial(_in_mapping, value, key, put)
        if re.search(r"\.(row|detail)\b", path):  # whose keys a rule or a platform chooses
            yield f"{path}.key", lambda text: {**value, text: text}
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            for inner, put in _fields(item, f"{path}[{index}]"):
                yield inner, partial(_in_list, value, index, put)


def _in_field(value: msgspec.Struct, name: str, put: Callable[[str], Any], text: str) -> Any:
    return msgspec.structs.replace(value, **{name: put(text)})


def _in_mapping(value: Mapping[str, Any], key: str, put: Callable[[str], Any], text: str) -> Any:
    return {**value, key: put(text)}


def _in_list(value: Sequence[Any], index: int, put: Callable[[str], Any], text: str) -> Any:
    return [*value[:index], put(text), *value[index + 1 :]]


def json_(content: str | bytes) -> None:
    jsonschema.Draft202012Validator(data.schema()).validate(msgspec.json.decode(text_of(content)))


def text_(content: str | bytes) -> None:
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]", text_of(content))


class _Marks(HTMLParser):
    """Which elements a page has with which attributes, and where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[tuple[str, str]] = set()
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements |= {(tag, "")} | {(tag, name) for name, _ in attributes}
        self.links |= {value or "" for name, value in attributes if name in ("href", "src", "action")}


def html_(elements: set[tuple[str, str]]) -> Callable[[str | bytes], None]:
    def checked(content: str | bytes) -> None:
        """No element and no attribute that the page does not have of itself; no link but to the web."""
        marks = _Marks(text_of(content))
        assert marks.elements - elements == set()
        assert not [link for link in marks.links if not re.match(r"https://|#|data:,|[a-z0-9-]+\.html$", link)]
        shown = re.sub(
            r"<script.*?</script>", "", text_of(content), flags=re.DOTALL
        )  # data is made visible in the page
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)

    return checked


def handouts_in(write: Any, check: Callable[[str | bytes], None], names: str) -> Callable[[Report, str], None]:
    def checked(given_report: Report, lang: str) -> None:
        for name, content in write(given_report, lang, TERMS):
            assert re.fullmatch(names, name)
            check(content)

    return checked


def _valid(name: str, given: Report, lang: str) -> None:
    VALIDATORS[name](whole(FORMATS[name].write, given, lang))


def elements_of(pages: Iterable[str]) -> set[tuple[str, str]]:
    return set().union(*(_Marks(page).elements for page in pages))


WHOLE = with_past(report(8))
FIELDS = fields(WHOLE)
TERMS = Config(organisation=OrganisationTable(contact="security@example.co.jp")).terms
PAGE = html_(elements_of(page_html.write(WHOLE, lang) for lang in ("en", "ja")))
HANDOUT = html_(elements_of(page for lang in ("en", "ja") for _, page in handout_pages.write(WHOLE, lang, TERMS)))
CHECKS: Mapping[str, Callable[[Report, str], None]] = {
    **{name: partial(_valid, name) for name in VALIDATORS},
    "json": lambda given_report, lang: json_(whole(data.write, given_report, lang)),
    "text": lambda given_report, lang: text_(text.write(given_report, lang)),
    "html": lambda given_report, lang: PAGE(page_html.write(given_report, lang)),
    "hand-outs in HTML": handouts_in(handout_pages.write, HANDOUT, r"[a-z0-9-]+\.html"),
    "hand-outs in Markdown": handouts_in(handout_markdown.write, markdown, r"[a-z0-9-]+\.md"),
}


def test_the_fields_include_all_that_third_parties_write() -> None:
    wanted = {"message.en", "waiver.reason", "waiver.owner", "subject.path", "subject.owner", "subject.account",
              "chain.en", "coverage[N].reason", "row.*", "report.organisation", "subject.url"}  # fmt: skip
    assert [suffix for suffix in wanted if not any(suffix in field for field in FIELDS)] == []


@pytest.mark.parametrize("name", CHECKS)
@examples(25)
@given(
    field=st.sampled_from(sorted(FIELDS)),
    text=st.sampled_from(TEXTS) | st.text(st.characters(exclude_categories=()), max_size=40),
    lang=st.sampled_from(("en", "ja")),
)
def test_a_hostile_text_in_any_field_changes_nothing(name: str, field: str, text: str, lang: str) -> None:
    CHECKS[name](FIELDS[field](text), lang)
