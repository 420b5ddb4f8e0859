"""The report as JSON: everything that the other formats show, for machines. Its shape is `report.schema.json`."""

from pathlib import Path
from typing import Any

import msgspec

from cloudscan.report import SCHEMA_VERSION, Report, ReportFormat
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


def write(report: Report, _lang: str) -> str:
    """The report as indented JSON. It contains the texts of every language, so the language makes no difference."""
    return msgspec.json.format(msgspec.json.encode(carriable(report)), indent=2).decode() + "\n"


JSON = ReportFormat(name="json", title="JSON", suffix=".json", write=write, schema=schema_text)
