"""What the owners of the formats say is valid, one function a format. Each raises where a report is not."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import botocore.session
import jsonschema
import openpyxl
import xmlschema
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator
from markdown_it import MarkdownIt
from markdown_it.token import Token
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from openpyxl.utils.escape import unescape
from pptx import Presentation

from cloudscan_reports.formats import json as data

SCHEMAS = Path(__file__).with_name("schemas")
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
# "AwsSecurityFinding" in the API reference of Security Hub: characters, entries.
LENGTHS = {"Id": 512, "GeneratorId": 512, "Title": 256, "Description": 1024, "ProductArn": 2048}
MARKDOWN = {
    *("heading_open", "inline", "heading_close", "paragraph_open", "paragraph_close"),
    *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
    *("ordered_list_open", "ordered_list_close"),
    *(f"{part}_{end}" for part in ("table", "thead", "tbody", "tr", "th", "td") for end in ("open", "close")),
    *("text", "code_inline", "text_special"),
}


def text_of(content: str | bytes) -> str:
    """The content as text that UTF-8 carries."""
    assert isinstance(content, str)
    assert content.encode().decode() == content
    return content


def lines_of(content: str | bytes) -> list[dict[str, Any]]:
    text = text_of(content)
    assert not text or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def ndjson(content: str | bytes) -> None:
    """Every line is a finding by the schema that is published for the JSON report."""
    schema = data.schema()
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/Finding", "$defs": schema["$defs"]})
    for line in lines_of(content):
        validator.validate(line)


def csv_rows(content: str | bytes) -> list[dict[str, str]]:
    text = text_of(content)
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), strict=True))


def csv_(content: str | bytes) -> None:
    """RFC 4180, and no cell begins a formula, wherever a spreadsheet sees cells begin."""
    for row in csv_rows(content):
        assert None not in row
        assert None not in row.values()
        for cell in row.values():
            assert not UNSEEN.search(cell)
            assert not any(part.strip(" \"'")[:1] in set("=+-@＝＋－＠") for part in cell_parts(cell))
    assert text_of(content).endswith("\r\n")


def cell_parts(cell: str) -> Iterator[str]:
    """What a spreadsheet with another separator takes for cells. Those that an apostrophe guards are left out."""
    for part in re.split("[,;|]", cell):
        if part and not part.startswith("'"):
            yield part


def sheets(content: str | bytes) -> Mapping[str, list[tuple[Any, ...]]]:
    assert isinstance(content, bytes)
    book = openpyxl.load_workbook(io.BytesIO(content))
    # openpyxl leaves escapes in strings that stand in their cells; Excel reads them (ECMA-376 part 1, 22.9.2.19).
    return {
        sheet.title: [
            tuple(unescape(value) if isinstance(value, str) else value for value in row)
            for row in sheet.iter_rows(values_only=True)
        ]
        for sheet in book.worksheets
    }


def xlsx(content: str | bytes) -> None:
    """A reader of another make opens it; its parts are XML; there is no formula and no link; cells are not too long."""
    assert isinstance(content, bytes)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            ET.fromstring(archive.read(name))
    for sheet in openpyxl.load_workbook(io.BytesIO(content)).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "n", "d")
                assert cell.hyperlink is None
                if isinstance(cell.value, str):
                    assert len(cell.value.encode("utf-16-le")) // 2 <= 32_767
                    assert not UNSEEN.search(cell.value)


def pptx(content: str | bytes) -> None:
    """A reader opens three slides whose parts are XML; no link leads out of the file, no letter is invisible."""
    assert isinstance(content, bytes)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                ET.fromstring(archive.read(name))
            if name.endswith(".rels"):
                assert b'TargetMode="External"' not in archive.read(name), name
    slides = read_slides(content)
    assert len(slides) == 3
    assert not [text for texts in slides for text in texts if UNSEEN.search(text)]


def read_slides(content: bytes) -> list[list[str]]:
    """The texts of each slide: title, boxes, tables by cell, titles and categories of charts."""
    return [list(_texts(slide.shapes)) for slide in Presentation(io.BytesIO(content)).slides]


def _texts(shapes: Iterable[Any]) -> Iterator[str]:
    for shape in shapes:
        if shape.has_text_frame:
            yield shape.text_frame.text
        elif shape.has_table:
            yield from (cell.text for row in shape.table.rows for cell in row.cells)
        elif shape.has_chart:
            yield shape.chart.chart_title.text_frame.text
            yield from map(str, shape.chart.plots[0].categories)


def sarif(content: str | bytes) -> None:
    """OASIS's schema, and what it cannot say: rules are where results look for them."""
    log = json.loads(text_of(content))
    schema = json.loads((SCHEMAS / "sarif-schema-2.1.0.json").read_text("utf-8"))
    jsonschema.Draft4Validator(schema).validate(log)
    (run,) = log["runs"]
    for result in run["results"]:
        if "ruleIndex" in result:
            assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert not UNSEEN.search(result["message"]["text"])
        assert (result["kind"] == "fail") == (result["level"] != "none")


@cache
def ocsf_class(name: str, profiles: tuple[str, ...]) -> jsonschema.Draft202012Validator:
    made = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0")).get_class_schema(name, profiles=list(profiles))
    return jsonschema.Draft202012Validator(made)


def ocsf(content: str | bytes) -> None:
    """The class's own attributes with the profiles that it names, nothing beside them."""
    for event in lines_of(content):
        name = {2003: "compliance_finding", 2004: "detection_finding"}[event["class_uid"]]
        ocsf_class(name, tuple(event["metadata"]["profiles"])).validate(event)
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]


@cache
def import_shape() -> StructureShape:
    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    assert shape is not None
    return shape


def asff(content: str | bytes) -> None:
    """AWS's own model of the call, with the enumerations, lengths and sizes that its validator does not look at."""
    findings = json.loads(text_of(content))["Findings"]
    for begin in range(0, len(findings), 100):
        batch = {"Findings": findings[begin : begin + 100]}
        errors = ParamValidator().validate(batch, import_shape())
        assert not errors.has_errors(), errors.generate_report()
        _obeys(batch, import_shape())
    for finding in findings:
        assert len(json.dumps(finding).encode()) <= 240_000
        assert all(len(finding[name]) <= most for name, most in LENGTHS.items())
        assert len(finding.get("Remediation", {}).get("Recommendation", {}).get("Text", "")) <= 512
        assert len(finding["ProductFields"]) <= 50
        assert all(len(name) <= 128 and len(value) <= 2048 for name, value in finding["ProductFields"].items())
        assert not UNSEEN.search(json.dumps(finding, ensure_ascii=False))


def _obeys(value: Any, shape: Shape) -> None:
    if isinstance(shape, StructureShape):
        for name, item in value.items():
            _obeys(item, shape.members[name])
    elif isinstance(shape, ListShape):
        for item in value:
            _obeys(item, shape.member)
    elif isinstance(shape, MapShape):
        for name, item in value.items():
            _obeys(name, shape.key)
            _obeys(item, shape.value)
    else:
        assert value in shape.metadata.get("enum", [value])
        assert not isinstance(value, str) or re.search(shape.metadata.get("pattern", ""), value)


@cache
def junit_schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd")


def junit(content: str | bytes) -> None:
    """Jenkins' schema, and counts that add up."""
    text = text_of(content)
    junit_schema().validate(text.partition("?>")[2])
    root = ET.fromstring(text.encode())
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
    assert not UNSEEN.search(text)


def tokens(content: str | bytes) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(text_of(content)):
        yield token
        yield from token.children or ()


def markdown(content: str | bytes) -> None:
    """CommonMark sees headings, lists, tables and code; no markup, link or picture, and no row has a cell too many."""
    cells: list[str] = []
    for token in tokens(content):
        assert token.type in MARKDOWN, token
        assert not UNSEEN.search(token.content)
        cells += [token.type] if token.type in ("th_open", "td_open", "tr_open") else []
    assert "".join(cells).replace("_open", "").count("trtr") == 0
    for line in text_of(content).splitlines():
        if line.startswith("|") and "`" not in line:
            assert line.endswith("|")


VALIDATORS: Mapping[str, Callable[[str | bytes], None]] = {
    "asff": asff,
    "csv": csv_,
    "junit": junit,
    "markdown": markdown,
    "ndjson": ndjson,
    "ocsf": ocsf,
    "pptx": pptx,
    "sarif": sarif,
    "xlsx": xlsx,
}
