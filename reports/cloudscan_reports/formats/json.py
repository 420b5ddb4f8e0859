"""The report as JSON: everything that the other formats show, for machines. Its shape is `report.schema.json`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cloudscan.report import SCHEMA_VERSION, Diff, Report, ReportFormat
from cloudscan_reports.formats.streamed import Items, Outline, indented
from cloudscan_wording.visible import carriable

SCHEMA_FILE = Path(__file__).with_name("report.schema.json")


def schema() -> dict[str, Any]:
    """The JSON Schema of the report, from the records themselves."""
    made = msgspec.json.schema(Report)
    made["$defs"]["Report"]["properties"]["schema"]["const"] = SCHEMA_VERSION
    made["$defs"]["Report"]["required"].append("schema")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:cloudscan:report:{SCHEMA_VERSION}",
        "title": "cloudscan report",
        **made,
    }


def schema_text() -> str:
    """The content of the published file, `report.schema.json`."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def write(report: Report, _lang: str) -> Iterator[bytes]:
    """The report as indented JSON. It contains the texts of every language, so the language makes no difference."""
    return indented(_outline(carriable(report)))


def _outline(record: msgspec.Struct) -> Outline:
    fields = msgspec.structs.fields(record)
    return Outline({field.encode_name: _parted(getattr(record, field.name)) for field in fields})


def _parted(value: object) -> object:
    """What may be large, in parts. A mapping by anything but texts is small."""
    match value:
        case list() | tuple():
            return Items(value)
        case dict() if all(type(name) is str for name in value):
            return Outline(value)
        case Diff():
            return _outline(value)
        case _:
            return value


JSON = ReportFormat(name="json", title="JSON", suffix=".json", write=write, schema=schema_text)
