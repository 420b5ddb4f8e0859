"""A scan packed for an auditor, checked with standard tools, tampered with, replayed, redacted."""

import csv
import io
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.audit.archive import opened
from cloudscan.audit.pack import effective
from cloudscan.audit.verification import verify
from cloudscan.cli.main import run
from cloudscan.config import Config, LedgerTable
from cloudscan.errors import AuditError
from tests.cli.conftest import CONFIG, TOY, Desk, Said, install
from tests.kit.properties import examples
from tests.kit.toy_cloud import shelve
from tests.reports.hostile import NAMES

Scanned = Callable[..., Said]
FORMULA = "=cmd|'/c calc'!A1"
FILES = {
    "README.md",
    "README.ja.md",
    "report/report.en.html",
    "report/report.ja.html",
    "report/report.json",
    "report/findings.ndjson",
    "coverage/coverage.csv",
    "frameworks/controls.csv",
    "frameworks/controls.ja.html",
    "rules/rules.csv",
    "configuration/cloudscan.json",
    "ledger/events.csv",
    "ledger/waivers.csv",
    "snapshot/manifest.json",
    "snapshot/tables/exposures.parquet",
    "versions.json",
    "manifest.json",
    "MANIFEST.sha256",
}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a company was scanned once, with packs of that scan, and the key that one is signed with."""
    folder = tmp_path_factory.mktemp("office")
    install(folder / "site", "cloudscan-toy", "connectors", "toy = cloudscan_toy:PLUGIN")
    shelve(folder / "company", {"plan": "everybody", "notes": "me"})
    (folder / "cloudscan.toml").write_text(CONFIG, encoding="utf-8")
    new_key(folder / "key")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for path in (TOY, folder / "site"):
            patch.syspath_prepend(path)
        run(["scan"])
        run(["audit", "--into", "pack"])
        run(["audit", "--into", "pack.zip"])
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder / "site"), str(TOY)])}
        command = [sys.executable, "-m", "cloudscan", "audit", "--into", "signed.zip", "--sign-with", "key"]
        subprocess.run(command, env=environment, check=False)
    return folder


@pytest.fixture
def pack(desk: Desk, office: Path) -> Path:
    """A pack as a folder, to be tampered with."""
    return Path(shutil.copytree(office / "pack", desk.folder / "pack"))


@pytest.fixture
def zipped(desk: Desk, office: Path) -> Path:
    """A pack as a zip."""
    return Path(shutil.copy(office / "pack.zip", desk.folder / "pack.zip"))


@pytest.fixture
def signed(desk: Desk, office: Path) -> Path:
    """A signed pack as a zip; the key lies beside it."""
    for name in ("key", "key.pub"):
        shutil.copy(office / name, desk.folder / name)
    return Path(shutil.copy(office / "signed.zip", desk.folder / "signed.zip"))


def unpacked(path: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(path.parent / "unpacked")
    return path.parent / "unpacked" / "cloudscan-audit"


def new_key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "audit", "-f", path], check=True)
    return path


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def contents(folder: Path) -> dict[str, Path]:
    return {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}


def test_a_pack_holds_what_an_auditor_asks_for(pack: Path) -> None:
    """Nobody else on the machine may read it."""
    files = contents(pack)

    assert files.keys() >= FILES
    assert {file.stat().st_mode & 0o077 for file in files.values()} == {0}
    assert "plan can be opened" in files["report/report.en.html"].read_text()
    assert [row["event"] for row in rows(files["ledger/events.csv"].read_text())] == ["opened"]
    assert json.loads(files["versions.json"].read_text())["packages"]["duckdb"]
    assert "document-open-to-everybody" in files["rules/rules.csv"].read_text()


def test_waivers_are_packed_with_owner_reason_and_end(scanned: Scanned, desk: Desk) -> None:
    scanned()
    desk.run("waive", "add", "--target", "toy", "--owner", "Mika Sato", "--reason", FORMULA, "--days", "9")

    desk.run("audit", "--into", "pack")

    (waiver,) = rows((desk.folder / "pack/ledger/waivers.csv").read_text())
    assert (waiver["owner"], waiver["place"], waiver["reason"][0]) == ("Mika Sato", "toy", "'")
    assert waiver["until"]
    assert waiver["covers"]
    (finding,) = json.loads((desk.folder / "pack/report/report.json").read_text())["findings"]
    assert finding["state"] == "waived"


def test_every_control_says_how_it_came_out(pack: Path) -> None:
    """A control that no rule looks at is not covered; one whose rules had nothing to judge did not pass."""
    controls = rows((pack / "frameworks/controls.csv").read_text())

    assert {row["status"] for row in controls} <= {"flagged", "unknown", "passed", "nothing", "not_covered"}
    assert {row["status"] for row in controls if row["rules"]} == {"nothing"}
    assert "S3.1" in {row["control"] for row in controls}


def test_every_control_says_how_far_it_can_be_checked(pack: Path) -> None:
    """In the table and on the page: checked, partly, or not at all, and then what cannot be seen, in both languages."""
    controls = rows((pack / "frameworks/controls.csv").read_text())
    page = (pack / "frameworks/controls.ja.html").read_text()

    assert {row["extent"] for row in controls} == {"checked", "partly", "unseen"}
    assert all(bool(row["rules"]) == (row["extent"] != "unseen") for row in controls)
    assert all(bool(row["unseen_en"]) == bool(row["unseen_ja"]) == (row["extent"] != "checked") for row in controls)
    training = next(row for row in controls if row["framework"] == "appi-safety-measures" and row["control"] == "10-4")
    assert training["extent"] == "unseen"
    assert "人的安全管理措置：従業者の教育" in page
    assert training["unseen_ja"] in page


def test_the_same_scan_gives_the_same_bytes(office: Path) -> None:
    """From one process to the next, as a folder and as a zip; a signature is the only thing that it adds."""
    with zipfile.ZipFile(office / "pack.zip") as plain, zipfile.ZipFile(office / "signed.zip") as signed:
        one, two = ({info.filename: archive.read(info) for info in archive.infolist()} for archive in (plain, signed))
    folder = {f"cloudscan-audit/{name}": (office / "pack" / name).read_bytes() for name in contents(office / "pack")}

    assert two.pop("cloudscan-audit/MANIFEST.sha256.sig")
    assert {name for name in one if one[name] != two[name]} == {
        f"cloudscan-audit/{name}" for name in ("MANIFEST.sha256", "README.ja.md", "README.md", "manifest.json")
    }
    assert folder == one


def test_an_untouched_pack_is_as_it_was(pack: Path, desk: Desk) -> None:
    result = desk.run("audit", "verify", "pack", "--replay")

    assert result.code == 0
    assert "Unchanged: all" in result.out
    assert result.out.endswith("Replay matches.\n")


def test_standard_tools_check_a_pack(signed: Path, desk: Desk) -> None:
    """`sha256sum` reads the manifest and `ssh-keygen` its signature, as the README in the pack says."""
    folder = unpacked(signed)
    (desk.folder / "signers").write_text(f"audit {(desk.folder / 'key.pub').read_text()}")

    sums = subprocess.run(["sha256sum", "-c", "--strict", "--quiet", "MANIFEST.sha256"], cwd=folder, check=False)
    with (folder / "MANIFEST.sha256").open("rb") as manifest:
        checked = subprocess.run(
            ["ssh-keygen", "-Y", "verify", "-f", desk.folder / "signers", "-I", "audit", "-n", "cloudscan-audit",
             "-s", folder / "MANIFEST.sha256.sig"],
            stdin=manifest, check=False,
        )  # fmt: skip

    assert (sums.returncode, checked.returncode) == (0, 0)
    assert "ssh-keygen -Y verify" in (folder / "README.md").read_text()


def test_a_signature_of_ssh_keygen_counts(pack: Path, desk: Desk) -> None:
    """A signer whose key is in an agent signs the manifest without cloudscan."""
    key = new_key(desk.folder / "key")
    subprocess.run(["ssh-keygen", "-Y", "sign", "-q", "-n", "cloudscan-audit", "-f", key, pack / "MANIFEST.sha256"],
                   check=True)  # fmt: skip

    result = desk.run("audit", "verify", "pack", "--key", "key.pub", "--format", "json")

    assert result.code == 0
    assert result.json["verification"]["signed_by"].startswith("SHA256:")


@pytest.mark.parametrize(
    ("tamper", "word"),
    [
        (lambda pack: (pack / "ledger/waivers.csv").unlink(), "missing    ledger/waivers.csv"),
        (lambda pack: (pack / "report/second.html").write_text("x"), "added      report/second.html"),
        (lambda pack: (pack / "versions.json").write_text("{}"), "altered    versions.json"),
    ],
)
def test_each_change_has_its_word(pack: Path, desk: Desk, tamper: Callable[[Path], None], word: str) -> None:
    tamper(pack)

    result = desk.run("audit", "verify", "pack")

    assert result.code == 1
    assert word in result.out
    assert "Altered:" in result.out


def test_a_changed_manifest_breaks_the_signature(signed: Path, desk: Desk) -> None:
    """Who alters a file and its sum is found out by the signature; by whom a pack is signed matters, too."""
    new_key(desk.folder / "other")
    fine = desk.run("audit", "verify", "signed.zip", "--key", "key.pub")
    by_another = desk.run("audit", "verify", "signed.zip", "--key", "other.pub")
    folder = unpacked(signed)
    manifest = folder / "MANIFEST.sha256"
    manifest.write_text(manifest.read_text().replace("0", "1"))

    broken = desk.run("audit", "verify", str(folder))
    (folder / "MANIFEST.sha256.sig").unlink()
    unsigned = desk.run("audit", "verify", str(folder), "--key", "key.pub")

    assert fine.code == 0

    assert (by_another.code, broken.code, unsigned.code) == (1, 1, 1)
    assert "is by another key" in by_another.out
    assert "signature  MANIFEST.sha256.sig is not valid" in broken.out
    assert "signature  MANIFEST.sha256.sig is missing" in unsigned.out


@examples(40)
@given(chance=st.data())
def test_no_flipped_bit_goes_unnoticed(pack: Path, chance: st.DataObject) -> None:
    """In whichever file, at whichever place."""
    file = chance.draw(st.sampled_from(sorted(file for file in pack.rglob("*") if file.is_file())))
    content = file.read_bytes()
    offset = chance.draw(st.integers(0, len(content) - 1))
    bit = chance.draw(st.integers(0, 7))
    file.write_bytes(content[:offset] + bytes([content[offset] ^ (1 << bit)]) + content[offset + 1 :])
    try:
        with opened(pack) as archive:
            noticed = bool(verify(archive).faults)
    except AuditError:
        noticed = True
    finally:
        file.write_bytes(content)

    assert noticed


def climbing(archive: zipfile.ZipFile) -> None:
    archive.writestr("cloudscan-audit/../../../owned", "x")


def absolute(archive: zipfile.ZipFile) -> None:
    archive.writestr("/tmp/owned", "x")


def backslashes(archive: zipfile.ZipFile) -> None:
    archive.writestr("..\\..\\owned", "x")


def linking(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("cloudscan-audit/link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


def twice(archive: zipfile.ZipFile) -> None:
    archive.writestr("cloudscan-audit/README.MD", "x")


def exploding(archive: zipfile.ZipFile) -> None:
    archive.writestr("cloudscan-audit/zeros", b"\0" * (40 << 20), zipfile.ZIP_DEFLATED, 9)


def flooding(archive: zipfile.ZipFile) -> None:
    for n in range(50_001):
        archive.writestr(f"cloudscan-audit/{n}", "")


@pytest.mark.parametrize(
    ("trap", "words"),
    [
        (climbing, "leads out of the pack"),
        (absolute, "leads out of the pack"),
        (backslashes, "leads out of the pack"),
        (linking, "is a link or a device"),
        (twice, "two files of one name"),
        (exploding, "that is a zip bomb"),
        (flooding, "more than 50,000 files"),
    ],
)
def test_a_trap_is_refused(zipped: Path, desk: Desk, trap: Callable[[zipfile.ZipFile], None], words: str) -> None:
    """Before anything is read: exit code 2, one sentence, nothing written."""
    with zipfile.ZipFile(zipped, "a") as archive:
        trap(archive)
    before = sorted(desk.folder.rglob("*"))

    checked, replayed = desk.run("audit", "verify", "pack.zip"), desk.run("audit", "replay", "pack.zip")

    assert (checked.code, replayed.code) == (2, 2)
    assert words in checked.err
    assert "Traceback" not in checked.err + replayed.err
    assert sorted(desk.folder.rglob("*")) == before
    assert not (desk.folder.parent / "owned").exists()


def test_an_entry_that_is_larger_than_it_says_is_refused(zipped: Path, desk: Desk) -> None:
    """Sizes in a zip are the sender's word; here they lie."""
    with zipfile.ZipFile(zipped) as archive:
        size = archive.getinfo("cloudscan-audit/report/report.json").file_size
    zipped.write_bytes(zipped.read_bytes().replace(struct.pack("<L", size), struct.pack("<L", size // 2)))

    result = desk.run("audit", "verify", "pack.zip")

    assert result.code == 2
    assert "damaged" in result.err


def test_links_and_devices_in_a_folder_are_refused(pack: Path, desk: Desk) -> None:
    (pack / "report/link").symlink_to("/etc/passwd")
    linked = desk.run("audit", "verify", "pack")
    (pack / "report/link").unlink()
    os.mkfifo(pack / "report/pipe")
    piped = desk.run("audit", "verify", "pack")

    assert (linked.code, piped.code) == (2, 2)
    assert "is a link or a device" in linked.err


@pytest.mark.parametrize("name", ["MANIFEST.sha256", "manifest.json"])
def test_a_manifest_without_end_is_refused(pack: Path, desk: Desk, name: str) -> None:
    with (pack / name).open("wb") as file:
        file.truncate(1 << 30)

    result = desk.run("audit", "verify", "pack")

    assert result.code == 2
    assert "more than any pack has" in result.err


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"a" * 100, b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_pack_is_named_so(desk: Desk, content: bytes) -> None:
    (desk.folder / "pack.zip").write_bytes(content)

    result = desk.run("audit", "verify", "pack.zip")

    assert result.code == 2
    assert "not an audit pack" in result.err


def test_a_replay_lists_what_differs(pack: Path, desk: Desk) -> None:
    """With one rule taken out and another's severity changed, by fingerprint."""
    file = pack / "rules/files/links/document-open-to-everybody.yaml"
    file.write_text(file.read_text().replace("severity: high", "severity: low"))

    result = desk.run("audit", "replay", "pack", "--format", "json")

    assert result.code == 1
    assert [row["says"] for row in result.json["only_packed"]] == ["high"]
    assert [row["says"] for row in result.json["only_replayed"]] == ["low"]
    assert result.json["only_packed"][0]["fingerprint"] == result.json["only_replayed"][0]["fingerprint"]


def test_what_could_not_be_told_is_replayed_too(desk: Desk, scanned: Scanned) -> None:
    desk.shelve(plan="everybody", riddle="?")
    scanned()
    desk.run("audit", "--into", "pack.zip")

    result = desk.run("audit", "replay", "pack.zip", "--format", "json")

    assert (result.code, result.json["findings"], result.json["unknowns"]) == (0, 1, 2)


def test_a_scan_of_the_past_is_packed_as_it_was(desk: Desk, scanned: Scanned) -> None:
    """With its findings, its rules and only what was known then."""
    first = scanned("--format", "json").json["scan"]["id"]
    desk.shelve(plan="company", budget="everybody")
    scanned()

    result = desk.run("audit", "--scan", first[:8], "--into", "pack")

    assert result.code == 0
    report = json.loads((desk.folder / "pack/report/report.json").read_text())
    assert [finding["verdict"]["subject"]["name"] for finding in report["findings"]] == ["plan"]
    assert [row["event"] for row in rows((desk.folder / "pack/ledger/events.csv").read_text())] == ["opened"]
    assert desk.run("audit", "verify", "pack", "--replay").code == 0


def test_a_pack_does_not_need_todays_rules(desk: Desk, scanned: Scanned) -> None:
    """What a scan was judged by is kept with it."""
    scanned()
    desk.configure(CONFIG.replace("rules = ", "# rules = "))

    assert desk.run("audit", "--into", "pack").code == 0
    assert desk.run("audit", "replay", "pack").code == 0


def test_a_redacted_pack_names_nobody(desk: Desk, scanned: Scanned) -> None:
    """Not in texts, not in ids, not in the snapshot; and yet a replay comes to the same findings."""
    desk.shelve(**{"plan-of-mergers": "everybody", "riddle-of-owners": "?"})
    (desk.folder / "company" / "zirconium.json").write_text("no JSON")
    scanned()
    desk.run("waive", "add", "--target", "toy", "--owner", "Mika Sato", "--reason", "for the mergers", "--days", "9")

    result = desk.run("audit", "--redact", "--into", "pack")

    assert (result.code, result.err) == (0, "")
    folder = desk.folder / "pack"
    content = "".join(
        file.read_text()
        for name, file in contents(folder).items()
        if file.suffix != ".parquet" and not name.startswith("rules/files")
    )
    with duckdb.connect() as db:
        for table in (folder / "snapshot/tables").glob("*.parquet"):
            content += str(db.execute("SELECT * FROM read_parquet(?)", [str(table)]).fetchall())
    assert [name for name in ("mergers", "riddle", "Mika", "Acme", "zirconium", "sales") if name in content] == []
    assert desk.run("audit", "verify", "pack", "--replay").code == 0
    (finding,) = json.loads((folder / "report/report.json").read_text())["findings"]
    (event, _) = rows((folder / "ledger/events.csv").read_text())
    assert event["fingerprint"] == finding["fingerprint"]


def test_a_redacted_pack_has_gaps_without_names(desk: Desk, scanned: Scanned) -> None:
    """A gap's identity is a hash of names without a key: it is hashed again, alike in report, table and snapshot."""
    (desk.folder / "company" / "zirconium.json").write_text("no JSON")
    scanned()
    plain = desk.run("report", "--format", "json", "-o", "-").json

    desk.run("audit", "--redact", "--into", "pack")

    folder = desk.folder / "pack"
    report = json.loads((folder / "report/report.json").read_text())
    gaps = {row["gap"] for row in report["coverage"] if row.get("gap")}
    with duckdb.connect() as db:
        table = str(folder / "snapshot/tables/coverage.parquet")
        sealed = {gap for (gap,) in db.execute("SELECT gap FROM read_parquet(?)", [table]).fetchall() if gap}
    listed = rows((folder / "coverage/coverage.csv").read_text())
    assert gaps == sealed == {row["gap"] for row in listed if row["gap"]} == report["gaps"].keys()
    assert gaps.isdisjoint(row.get("gap") for row in plain["coverage"])
    (unread,) = [row for row in listed if row["gap"]]
    assert unread["reason"] == "toy-not-json"
    assert unread["first_seen_on"]


@pytest.mark.parametrize("redacting", [(), ("--redact",)])
def test_a_company_full_of_hostile_names_is_packed(desk: Desk, scanned: Scanned, redacting: tuple[str, ...]) -> None:
    """It verifies and replays; no table holds a formula, a control character or a line too many."""
    desk.shelve(**dict.fromkeys((name for name in NAMES if name), "everybody"))
    scanned()
    desk.run("waive", "add", "--target", "toy", "--owner", NAMES[0], "--reason", FORMULA, "--days", "9")

    packed = desk.run("audit", *redacting, "--into", "pack")

    assert packed.code == 0
    assert desk.run("audit", "verify", "pack", "--replay").code == 0
    for name, file in contents(desk.folder / "pack").items():
        if name.endswith(".csv"):
            for row in csv.reader(io.StringIO(file.read_text("utf-8-sig"))):
                assert not [cell for cell in row if re.match(r"[=+@-]|.*[\x00-\x1f\x7f\u202a-\u202e]", cell)]
        if name.startswith("README"):
            assert "<script" not in file.read_text()


def test_redaction_is_stable_and_keyed(desk: Desk, scanned: Scanned) -> None:
    """The same key says the same of everything, in a pack and in a report; another key says something else."""
    scanned()
    desk.run("audit", "--redact", "--into", "one.zip")
    desk.run("audit", "--redact", "--into", "two.zip")
    report = desk.run("report", "--redact", "--format", "json", "-o", "-").json
    key = desk.folder / ".cloudscan/redaction.key"
    mode = key.stat().st_mode & 0o777
    key.unlink()

    another = desk.run("report", "--redact", "--format", "json", "-o", "-").json

    assert (desk.folder / "one.zip").read_bytes() == (desk.folder / "two.zip").read_bytes()
    with zipfile.ZipFile("one.zip") as archive:
        packed = json.loads(archive.read("cloudscan-audit/report/report.json"))
    assert packed["findings"] == report["findings"]
    assert another["findings"][0]["fingerprint"] != report["findings"][0]["fingerprint"]
    assert mode == 0o600


def test_a_rule_that_reads_names_is_named(desk: Desk, scanned: Scanned) -> None:
    """It cannot come to the same on a redacted snapshot, and the pack says so instead of hiding it."""
    rules = desk.folder / "rules/mine"
    rules.mkdir(parents=True)
    text = (Path(__file__).parent / "rules/links/document-open-to-everybody.yaml").read_text()
    text = text.replace("id: document-open-to-everybody", "id: plan-open", 1)
    text = text.replace(" AS flagged", " AND length(e.resource_name) < 6 AS flagged", 1)
    (rules / "plan-open.yaml").write_text(text.replace("{grants:", "{resources: [{name: plan}], grants:"))
    scanned("--rules", "rules")

    result = desk.run("audit", "--redact", "--into", "pack")

    assert result.code == 0
    assert "a replay will differ for plan-open" in result.err
    assert "plan-open" in (desk.folder / "pack/README.md").read_text()


def test_a_redacted_collection_can_be_judged(desk: Desk) -> None:
    collected = desk.run("collect", "--redact", "--into", "snapshot")

    judged = desk.run("judge", "snapshot", "--format", "json")

    assert (collected.code, judged.code) == (0, 1)
    assert [verdict["subject"]["name"][:2] for verdict in judged.json] == ["x-"]


def test_evidence_is_not_overwritten(desk: Desk, scanned: Scanned) -> None:
    scanned()
    (desk.folder / "pack").mkdir()
    (desk.folder / "pack" / "notes.txt").write_text("mine")

    result = desk.run("audit", "--into", "pack")

    assert result.code == 2
    assert "evidence is not overwritten" in result.err


def test_mistakes_are_told_with_a_remedy(desk: Desk, scanned: Scanned) -> None:
    """No scan yet, no such scan, a snapshot that is gone, a key of another kind."""
    new_key(desk.folder / "key")
    none = desk.run("audit")
    scanned()
    unknown = desk.run("audit", "--scan", "2001-01-01")
    public = desk.run("audit", "--sign-with", "key.pub")
    private = desk.run("audit", "verify", ".cloudscan", "--key", "key")
    shutil.rmtree(desk.folder / ".cloudscan/snapshots")
    gone = desk.run("audit")

    assert {result.code for result in (none, unknown, public, private, gone)} == {2}
    assert "cloudscan scan" in none.err
    assert "cloudscan trend" in unknown.err
    assert "ssh-keygen -t ed25519" in public.err
    assert "ssh-ed25519 AAAA" in private.err
    assert "no longer in" in gone.err


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://scanner:hunter2/hunter3@ledger.example/cloudscan?sslmode=require",
        "postgresql+psycopg://scanner:hunter2@hunter3@ledger.example/cloudscan?sslmode=require",
        "postgresql+psycopg://ledger.example/cloudscan?user=scanner&Passwd=hunter2&sslmode=require&pwd=hunter3",
        "postgresql+psycopg://:hunter2@ledger.example/cloudscan?sslmode=require;sig=hunter3",
    ],
)
def test_a_secret_that_is_written_oddly_is_not_packed(url: str) -> None:
    text = json.dumps(effective(Config(ledger=LedgerTable(url=url))))

    assert "hunter" not in text
    assert "ledger.example/cloudscan" in text
    assert "sslmode=require" in text


def test_no_secret_of_a_url_is_packed() -> None:
    url = "postgresql+psycopg://scanner:hunter2@ledger.example/cloudscan?sslpassword=hunter3&sslmode=require"

    text = json.dumps(effective(Config(ledger=LedgerTable(url=url))))

    assert "hunter" not in text
    assert "ledger.example/cloudscan" in text
    assert "sslmode=require" in text


def zipped_with(name: str, content: str = "x", kind: int = zipfile.ZIP_STORED) -> Callable[[zipfile.ZipFile], None]:
    return lambda archive: archive.writestr(f"cloudscan-audit/{name}", content, kind)


@pytest.mark.parametrize(
    ("trap", "words"),
    [
        (zipped_with("rules/files/links"), "cannot be unpacked"),
        (zipped_with("snapshot/manifest.json/x"), "cannot be unpacked"),
        (zipped_with(f"rules/files/{'a' * 300}.yaml"), "cannot be unpacked"),
        (zipped_with("snapshot/tables/é.parquet"), "is not a name that a pack uses"),
        (zipped_with("rules/files/links/deep.yaml", "[" * 100_000), "deep.yaml:1: parts are nested"),
        (zipped_with("rules/files/links/deep.yaml", "a: " + "- " * 100_000), "deep.yaml:1: "),
        (zipped_with("notes.txt", "x" * 999, zipfile.ZIP_LZMA), "compressed in a way that no pack is"),
    ],
)
def test_a_replay_of_a_trap_ends_in_one_sentence(
    zipped: Path, desk: Desk, trap: Callable[[zipfile.ZipFile], None], words: str
) -> None:
    with zipfile.ZipFile(zipped, "a") as archive:
        trap(archive)

    result = desk.run("audit", "replay", "pack.zip")

    assert result.code == 2
    assert words in result.err
    assert "/tmp" not in result.err


def with_condition(pack: Path, condition: str) -> None:
    """The pack with one more condition in its rule."""
    file = pack / "rules/files/links/document-open-to-everybody.yaml"
    file.write_text(file.read_text().replace("e.resource_kind = 'file'", f"e.resource_kind = 'file' AND {condition}"))


def endless(pack: Path) -> None:
    """Rows times rows times rows."""
    with_condition(pack, "1 < (SELECT COUNT(*) FROM " + ", ".join(f"coverage AS c{n}" for n in range(40)) + ")")


def growing(pack: Path) -> None:
    """A text that each step makes ten times longer."""
    longer = ", 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')" * 8
    with_condition(pack, f"LENGTH({'REPLACE(' * 8}e.resource_name{longer}) > 0")


def nested(pack: Path) -> None:
    with_condition(pack, "(" * 5_000 + "TRUE" + ")" * 5_000)


@pytest.mark.parametrize(
    ("trap", "words"),
    [
        (nested, "document-open-to-everybody.yaml:9: brackets or conditions are nested too deeply"),
        (lambda pack: (pack / "report/report.json").write_text('{"x":' + "[" * 100_000), "was stopped"),
        (lambda pack: (pack / "snapshot/tables/exposures.parquet").write_bytes(b"PAR1 PAR1"), "is damaged"),
        (lambda pack: (pack / "manifest.json").write_text('{"x":' + "[" * 100_000), "manifest.json is damaged"),
        (lambda pack: (pack / "manifest.json").unlink(), "There is no manifest.json"),
    ],
)
def test_a_replay_of_a_broken_pack_ends_in_one_sentence(
    pack: Path, desk: Desk, trap: Callable[[Path], None], words: str
) -> None:
    trap(pack)

    result = desk.run("audit", "replay", "pack")

    assert result.code == 2
    assert words in result.err


@pytest.mark.parametrize("trap", [endless, growing])
def test_a_packed_rule_cannot_run_for_ever(pack: Path, desk: Desk, trap: Callable[[Path], None]) -> None:
    trap(pack)

    result = desk.run("audit", "replay", "pack", "--within", "2")

    assert result.code == 2
    assert re.search("took longer than 2 seconds|was stopped", result.err)


def test_a_packed_rule_reads_no_file(pack: Path, desk: Desk) -> None:
    with_condition(pack, "EXISTS (SELECT 1 FROM read_text('/etc/passwd') AS t)")

    result = desk.run("audit", "replay", "pack")

    assert result.code == 2
    assert "a rule reads tables, not functions or files" in result.err


def test_a_pack_of_another_version_is_refused(pack: Path, desk: Desk) -> None:
    manifest = json.loads((pack / "manifest.json").read_text())
    (pack / "manifest.json").write_text(json.dumps({**manifest, "format": 2}))

    checked, replayed = desk.run("audit", "verify", "pack"), desk.run("audit", "replay", "pack")

    assert (checked.code, replayed.code) == (2, 2)
    assert "The pack has format 2" in checked.err
    assert "The pack has format 2" in replayed.err


def test_a_file_whose_name_is_no_text_is_told(pack: Path, desk: Desk) -> None:
    """Bytes that are no UTF-8, as a name: listed, in words and in JSON."""
    Path(os.fsdecode(os.fsencode(pack) + b"/report/\xff\x1b[31m.html")).write_text("x")

    result, as_json = desk.run("audit", "verify", "pack"), desk.run("audit", "verify", "pack", "--format", "json")

    assert (result.code, as_json.code) == (1, 1)
    assert "added      report/\\xff\\x1b[31m.html" in result.out
    assert [fault["kind"] for fault in as_json.json["verification"]["faults"]] == ["added"]


def test_a_replay_works_in_a_process_of_its_own(pack: Path, desk: Desk) -> None:
    result = desk.process("audit", "replay", "pack")

    assert (result.code, result.out[-16:]) == (0, "Replay matches.\n")


@examples(100)
@given(chance=st.data())
def test_a_zip_that_is_cut_off_anywhere_is_refused(zipped: Path, chance: st.DataObject) -> None:
    content = zipped.read_bytes()
    cut = zipped.with_name("cut.zip")
    cut.write_bytes(content[: chance.draw(st.integers(0, len(content) - 1))])

    with pytest.raises(AuditError), opened(cut) as archive:
        verify(archive)
