"""Two nights with another rule, parameter or domain between them, from the command line to every format."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pypdf
import pytest

from tests.cli.conftest import CONFIG, RULES, Desk
from tests.kit.own_rules import keep_rule

OWN = CONFIG.replace(str(RULES), "mine")
SENTENCES = {
    "en": r"Judged differently since \d+ \w+ \d{4}: the rule is new or was changed, the cloud was not\.",
    "ja": r"から判定が変わりました。ルールの追加または変更によるもので、クラウド側の変化ではありません。",
}


@pytest.fixture
def owned(desk: Desk) -> Desk:
    """One night by a rule of the company's own: a plan is open to everybody, a menu to colleagues."""
    desk.configure(OWN)
    keep_rule(desk.folder / "mine" / "links")
    desk.shelve(plan="everybody", menu="company", notes="me")
    desk.run("scan")
    return desk


@pytest.fixture
def rejudged(owned: Desk) -> Desk:
    """The night after it, by a rule that counts colleagues; somebody opens the notes."""
    keep_rule(owned.folder / "mine" / "links", colleagues=True)
    owned.shelve(plan="everybody", menu="company", notes="everybody")
    owned.run("scan")
    return owned


def kinds(desk: Desk) -> dict[str, tuple[str, str]]:
    """By name: the kind of the difference, and what made it."""
    differences = desk.run("diff", "--format", "json").json["differences"]
    return {one["name"]: (one["kind"], (one["rejudged"] or {}).get("changed_by", "")) for one in differences}


def test_a_changed_rule(rejudged: Desk) -> None:
    """What it finds was there before; what somebody opened on the same day is new. Then the rule is taken back."""
    opened, said = kinds(rejudged), rejudged.run("diff").out
    keep_rule(rejudged.folder / "mine" / "links")
    rejudged.run("scan")

    assert opened == {"menu": ("rejudged", "rule"), "notes": ("new", "")}
    assert "1 new, 1 judged differently" in said
    assert re.search(r"judged differently .* menu .* found since \d{4}-\d\d-\d\d, by rule", said)
    assert kinds(rejudged) == {"menu": ("rejudged", "rule")}
    assert "no longer found since" in rejudged.run("diff").out
    assert "rule changed: 1 judged differently" in rejudged.run("trend").out


def test_a_changed_parameter(owned: Desk) -> None:
    keep_rule(owned.folder / "mine" / "links", by_parameter=True)
    owned.run("scan")
    before = kinds(owned)
    owned.configure(f"{OWN}\n[rules.document-open-to-everybody]\ncolleagues = true\n")
    owned.run("scan")

    assert before == {}
    assert kinds(owned) == {"menu": ("rejudged", "configuration")}


def test_nothing_changed(owned: Desk) -> None:
    owned.run("scan")

    assert kinds(owned) == {}
    assert "judged differently" not in owned.run("trend").out
    assert owned.run("trend", "--format", "json").json[-1]["figures"]["basis_changes"] == []


def test_another_idea_of_who_we_are(owned: Desk) -> None:
    """Connectors translate by it: what appears on that night may have been there. Yesterday's facts are read anew."""
    owned.configure(OWN.replace('name = "Acme"', 'name = "Acme"\ndomains = ["acme.example"]'))
    owned.shelve(plan="everybody", menu="everybody", notes="me")
    scan = owned.run("scan", "--log", "json", "--format", "json")
    first = kinds(owned)
    owned.shelve(plan="everybody", menu="everybody", notes="everybody")
    again = owned.run("scan", "--log", "json", "--format", "json")

    assert first == {"menu": ("new", "unclear")}
    assert kinds(owned) == {"notes": ("new", "")}
    assert [incremental(one.err) for one in (scan, again)] == [[False], [True]]


def incremental(log: str) -> list[bool]:
    lines = map(json.loads, log.splitlines())
    return [line["incremental"] for line in lines if line["event"] == "scan.scope_finished"]


def test_the_name_of_the_organisation_judges_nothing(owned: Desk) -> None:
    owned.configure(OWN.replace('name = "Acme"', 'name = "Acme Corporation"'))
    owned.shelve(plan="everybody", menu="everybody", notes="me")
    owned.run("scan")

    assert kinds(owned) == {"menu": ("new", "")}


def test_a_connector_that_means_something_else(owned: Desk) -> None:
    """A newer version of it is installed: what it finds on its first night may have been there."""
    owned.install(
        "cloudscan-toy-2",
        "connectors",
        "toy = toy_2:PLUGIN",
        {"toy_2": "from dataclasses import replace\nfrom cloudscan_toy import PLUGIN as OLD\n"
                  "PLUGIN = replace(OLD, meaning=OLD.meaning + 1)\n"},
    )  # fmt: skip
    (owned.site / "cloudscan_toy-0.1.0.dist-info" / "entry_points.txt").unlink()
    owned.shelve(plan="everybody", menu="everybody", notes="me")
    owned.run("scan")

    assert kinds(owned) == {"menu": ("new", "unclear")}
    assert "version changed" in owned.run("trend").out


def html(written: bytes) -> str:
    return written.decode()


def workbook(written: bytes) -> str:
    book = openpyxl.load_workbook(io.BytesIO(written))
    return "\n".join(str(cell) for sheet in book for row in sheet.values for cell in row)


def paper(written: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(written)).pages)


def unmarked(written: bytes) -> str:
    return re.sub(r"&#(\d+);", lambda mark: chr(int(mark[1])), written.decode())


WHOLE: dict[str, Callable[[bytes], str]] = {"html": html, "csv": html, "xlsx": workbook}
COUNTED: dict[str, Callable[[bytes], str]] = {"html": html, "markdown": unmarked, "pdf": paper, "text": html}


def written(desk: Desk, format_name: str, lang: str) -> bytes:
    target = desk.folder / f"report.{format_name}.{lang}"
    desk.run("report", "--format", format_name, "--lang", lang, "--output", str(target))
    return target.read_bytes()


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_format_for_people_says_so(rejudged: Desk, lang: str) -> None:
    """Those with findings one by one give the sentence, those with a summary the count; none counts it as new."""
    counted = {
        "en": r"1 new, 0 reopened, 0 widened, 0 resolved\. 1 finding is judged differently since \d+ \w+ \d{4}",
        "ja": r"新規 1 件、再発 0 件、拡大 0 件、解消 0 件です。\d{4}年\d+月\d+日から、1 件の判定が変わりました。",
    }

    for name, read in WHOLE.items():
        assert re.search(SENTENCES[lang], read(written(rejudged, name, lang))), name
    for name, read in COUNTED.items():
        text = re.sub(r"\s+", "", read(written(rejudged, name, lang)))  # lines are broken anywhere
        assert re.search(counted[lang].replace(" ", ""), text), name


def test_no_format_for_machines_calls_it_new(rejudged: Desk) -> None:
    """The change of a finding is `rejudged`; the JSON report says by what, and counts it in the trend."""
    texts = {name: written(rejudged, name, "en").decode() for name in ("json", "ndjson", "sarif", "ocsf")}
    document = json.loads(texts["json"])
    (event,) = [one for one in document["events"] if one.get("rejudged")]

    assert [name for name, text in texts.items() if '"rejudged"' not in text] == []
    assert document["changes"]["counts"]["new"] == 1
    assert event["rejudged"]["changed_by"] == "rule"
    assert document["trend"][-1]["figures"]["rejudged"] == 1


def test_an_audit_pack_says_what_judged(rejudged: Desk, tmp_path: Path) -> None:
    target = tmp_path / "pack.zip"
    result = rejudged.run("audit", "--into", str(target))

    assert result.code == 0, result.err
    with zipfile.ZipFile(target) as pack:
        (events,) = [pack.read(name).decode() for name in pack.namelist() if name.endswith("ledger/events.csv")]
        (scans,) = [pack.read(name).decode() for name in pack.namelist() if name.endswith("ledger/scans.csv")]
    assert sorted(line.split(",")[-2].strip('"') for line in events.splitlines()[1:]) == ["", "", "rule"]
    assert '"rule"' in scans.splitlines()[-1]
