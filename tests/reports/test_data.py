"""The report as JSON, and the schema that is published for it."""

import json

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.report import Report
from cloudscan_reports.formats import json as data
from cloudscan_reports.formats.streamed import Items, Outline, indented
from tests.kit.properties import examples
from tests.reports.hostile import NAMES, drenched
from tests.reports.synthetic import report, with_past
from tests.reports.written import whole


def test_the_published_schema_is_current() -> None:
    """`report.schema.json` is what the records give. After a change of the records write `schema_text()` there."""
    assert data.SCHEMA_FILE.read_text("utf-8") == data.schema_text()


@pytest.mark.parametrize(
    "given", [report(30), drenched(report(30, names=NAMES), "".join(NAMES))], ids=["plain", "hostile"]
)
def test_a_written_report_follows_the_schema(given: Report) -> None:
    """Whatever strangers wrote, the JSON is valid UTF-8, parses, and validates."""
    written = b"".join(data.write(given, "en"))

    validator = jsonschema.Draft202012Validator(data.schema())
    validator.check_schema(data.schema())
    validator.validate(json.loads(written))


def test_the_schema_refuses_what_is_not_a_report() -> None:
    """The schema says something: a report without findings, or of another version, does not pass."""
    written = json.loads(whole(data.write, report(1), "en"))
    validator = jsonschema.Draft202012Validator(data.schema())

    assert not validator.is_valid({key: value for key, value in written.items() if key != "findings"})
    assert not validator.is_valid({**written, "schema": "0.9"})
    assert not validator.is_valid({**written, "findings": [{**written["findings"][0], "severity": "awful"}]})


@pytest.mark.parametrize("one", [report(0), with_past(report(7, names=NAMES))], ids=["empty", "full"])
def test_the_pieces_are_the_whole(one: Report) -> None:
    """Written piece by piece, it is what one value of JSON would be, indented."""
    assert b"".join(data.write(one, "en")) == msgspec.json.format(msgspec.json.encode(one), indent=2) + b"\n"


@examples(60)
@given(st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
))  # fmt: skip
def test_anything_in_pieces_is_the_whole(value: object) -> None:
    """However deep the parts are that are encoded one by one."""
    assert b"".join(indented(in_parts(value))) == msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def in_parts(value: object) -> object:
    match value:
        case list():
            return Items(in_parts(one) for one in value)
        case dict():
            return Outline({name: in_parts(one) for name, one in value.items()})
        case _:
            return value


def test_json_holds_everything() -> None:
    """All findings, unknowns and gaps stand in it, with the texts of every language."""
    given = report(30)

    written = json.loads(whole(data.write, given, "ja"))

    assert [finding["fingerprint"] for finding in written["findings"]] == [
        finding.fingerprint for finding in given.findings
    ]
    assert len(written["unknowns"]) == len(given.unknowns)
    assert len(written["coverage"]) == len(given.coverage)
    assert written["rules"][0]["text"].keys() == {"en", "ja"}
    assert written["schema"] == "3.5"


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    """What UTF-8 cannot carry does not stop the report."""
    written = json.loads(whole(data.write, report(1, names=("half \ud800",)), "en"))

    assert written["findings"][0]["verdict"]["subject"]["name"] == "half \ufffd"


def test_keys_that_become_equal_stay_two_keys() -> None:
    """A rule or a platform chooses the keys of a row: replacing what UTF-8 cannot carry loses none of them."""
    given = report(1)
    (finding,) = given.findings
    row = dict(zip(("half \ud800", "half \udfff", "half \ufffd"), ("one", "two", "three"), strict=True))
    evidence = (msgspec.structs.replace(finding.verdict.evidence[0], row=row),)
    verdict = msgspec.structs.replace(finding.verdict, evidence=evidence)
    changed = msgspec.structs.replace(given, findings=[msgspec.structs.replace(finding, verdict=verdict)])

    written = json.loads(whole(data.write, changed, "en"))

    (piece,) = written["findings"][0]["verdict"]["evidence"]
    assert sorted(piece["row"].values()) == ["one", "three", "two"]
