"""What a person gets wrong: one clear message that says what to write instead, the right exit code, no stack trace."""

import pytest

from tests.cli.conftest import CONFIG, Desk

HEAD = '[connectors.toy]\nfolder = "company"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEAD}[scan]\nfoldr = 'x'\n", ["cloudscan.toml:4", "`foldr`", "[scan]", "write folder"]),
        (f"{HEAD}[scann]\nfolder = 'x'\n", ["cloudscan.toml:3", "`scann`", "write scan"]),
        (f"{HEAD}foldr = 'x'\n", ["cloudscan.toml:3", "`foldr`", "[connectors.toy]", "write folder"]),
        (f"{HEAD}[[partners]]\nname = 'P'\ndomain = 'p.example'\n", ["cloudscan.toml:5", "`domain`", "write domains"]),
        (f"{HEAD}[[partners]]\ndomains = []\n", ["`name` is missing", "[partners]"]),
        (f"{HEAD}[scan]\nconcurrency = 'many'\n", ["cloudscan.toml:4", "scan.concurrency is a whole number"]),
        (f"{HEAD}[scan]\nconcurrency = 0\n", ["cloudscan.toml:4", "at least 1"]),
        (f"{HEAD}[scan]\nmax_hours = 0\n", ["cloudscan.toml:4", "scan.max_hours: it must be more than 0"]),
        (
            f"{HEAD}[scan]\nuntil = '25:00'\n",
            ["cloudscan.toml:4", "until: it must be a time of day, such as 06:00"],
        ),
        (f"{HEAD}[scan]\nrules = {'[' * 20_000}\n", ["is not TOML"]),
        (f"{HEAD}[scan]\nconcurrency = {'9' * 6_000}\n", ["is not TOML"]),
        (f"{HEAD}[scan]\nfail_on = 'hihg'\n", ["cloudscan.toml:4", "hihg", "write high"]),
        (
            f"{HEAD}[organisation]\naccounts = [1]\n",
            ["cloudscan.toml:4", 'organisation.accounts is a text; write "1" in quotes'],
        ),
        (f"{HEAD}secret_key = 'hunter2'\n", ["cloudscan.toml:3", "looks like a secret", "profile"]),
        (f"{HEAD}[[partners]]\nname = 'P'\napi_token = 'hunter2'\n", ["cloudscan.toml:5", "looks like a secret"]),
        ("[scan\n", ["cloudscan.toml", "not TOML"]),
        ("[connectors.tyo]\n", ["connectors.tyo", "write toy"]),
        ("[connectors.toy]\n", ["`folder` is missing", "[connectors.toy]"]),
        (f"{HEAD}[rules.document-open]\ndays = 3\n", ["document-open", "does not exist"]),
        (f"{HEAD}[scan]\nrules = ['nowhere']\n", ["nowhere", "no such folder"]),
        (f"{HEAD}[ledger]\nurl = 'mystery://x'\n", ["ledger", "write sqlite:///"]),
        (f"{HEAD}[ledger]\npatience_seconds = 9\n", ["`patience_seconds`", "write wait_seconds"]),
        (f"{HEAD}[retention]\nsnapshots_keep = 9\n", ["`snapshots_keep`", "keep_snapshots"]),
        (f"{HEAD}[organisation]\nids = ['o-1']\n", ["`ids`", "organisation_ids"]),
        (f"{HEAD}[notify]\nurls_from = 'X'\n", ["`urls_from`", "urls_env"]),
        (f"{HEAD}[partners]\nname = 'P'\n", ["cloudscan.toml:3", "write [[partners]]"]),
        (f"{HEAD}[[scan]]\nfolder = 'x'\n", ["cloudscan.toml:3", "write [scan] once"]),
        (f"{HEAD}[scan]\nrules = 'ours'\n", ["cloudscan.toml:4", 'write ["ours"]']),
        (f"{HEAD}[scan]\nlog = 3\n", ["cloudscan.toml:4", "scan.log cannot be 3; write one of text, json"]),
        (f"{HEAD}[notify]\nquiet = 'no'\n", ["cloudscan.toml:4", "write true or false, without quotes"]),
        (f"{HEAD}[rules.x]\ndays = [3]\n", ["cloudscan.toml:4", "rules.x.days", "without the brackets"]),
        (f"{HEAD}[[partners]]\nname = 'P'\ncontract_ends = 'soon'\n", ["cloudscan.toml:5", "as 2030-03-31"]),
        (f"{HEAD}[[ranks]]\nrank = 'confidental'\n", ["cloudscan.toml:4", "write confidential"]),
        (f"{HEAD}[[ranks]]\nrank = 'working'\n", ["names nothing that has this rank", "write one of places, tags"]),
        (f"{HEAD}[[ranks]]\nrank = 'working'\nplaces = ['**']\n", ["cloudscan.toml:5", "fits everything"]),
        (f"{HEAD}[[ranks]]\nrank = 'working'\nplaces = ['A//B*']\n", ["an empty name between two slashes"]),
        (f"{HEAD}[[ranks]]\nrank = 'working'\ntags = ['=pay']\n", ["names no tag", "data=payroll"]),
        (
            f"{HEAD}[[ranks]]\nrank = 'working'\nlabels = ['X']\n[[ranks]]\nrank = 'news-grade'\nlabels = ['ｘ']\n",
            ["cloudscan.toml:8", "is said to be working as well"],
        ),
        (f"{HEAD}[deadlines.news-grade]\nhigh = -1\n", ["cloudscan.toml:4", "deadlines.news-grade.high", "at least 0"]),
        (f"{HEAD}[scan]\nuntil = '06:00'\nuntil = '07:00'", ["cloudscan.toml:5", "`until` appears twice"]),
        (f"{HEAD}[scan]\n[ledger]\n[scan]\n", ["cloudscan.toml:5", "[scan] appears twice"]),
        (f"{HEAD}[scan]\nfolder = here\n", ["cloudscan.toml:4", "in quotes"]),
    ],
)
def test_a_mistake_in_the_configuration(desk: Desk, text: str, words: list[str]) -> None:
    desk.configure(text)

    result = desk.run("scan")

    assert result.code == 2
    assert result.out == ""
    assert result.err.count("\n") == 1
    assert not [word for word in words if word not in result.err], result.err
    assert "hunter2" not in result.err


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        ("", "a domain is empty; remove it"),
        ("@acme.example", "write acme.example"),
        ("https://acme.example/", "write acme.example"),
        ("ceo@acme.example", "write acme.example"),
        ("ａｃｍｅ.example", "write acme.example"),
        ("acme.example.", "write acme.example"),
        ("*.acme.example", "write each subdomain in full"),
        ("acme", "is not a mail domain"),
        ("gmail.com", "anybody can have an address at gmail.com"),
        ("co.jp", "write example.co.jp"),
    ],
)
@pytest.mark.parametrize("table", ["[organisation]", "[[partners]]\nname = 'P'"])
def test_a_domain_that_would_make_the_wrong_people_external(desk: Desk, table: str, domain: str, words: str) -> None:
    desk.configure(f"{HEAD}{table}\ndomains = ['{domain}']\n")

    result = desk.run("scan")

    assert result.code == 2
    assert ".domains: " in result.err
    assert words in result.err


@pytest.mark.parametrize("domain", ["acme.example", "ACME.example", "例え.jp", "mail.acme.co.jp"])
def test_a_domain_as_it_should_be(desk: Desk, domain: str) -> None:
    desk.configure(f"{CONFIG}\n[[partners]]\nname = 'P'\ndomains = ['{domain}']\n")

    assert "cloudscan.toml" not in desk.run("findings").err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[organisation]\naccounts = ['12345']", ["cloudscan.toml:2", "'12345'", "111122223333 (Amazon S3)"]),
        ("[organisation]\naccounts = ['１１１１２２２２３３３３']", ["cloudscan.toml:2", "write one like"]),
        ("[organisation]\norganisation_ids = ['acme']", ["cloudscan.toml:2", "o-a1b2c3d4e5 (Amazon S3)"]),
        ("[[partners]]\nname = 'P'\naccounts = ['haulier']", ["cloudscan.toml:3", "partners.accounts"]),
        ("[organisation]\naccounts = [' ']", ["cloudscan.toml:2", "is empty or begins or ends with a space"]),
        ("[organisation]\ndomains = ['p.example']\n[[partners]]\nname = 'P'\ndomains = ['P.example']",
         ["cloudscan.toml:5", "p.example is said to be ours as well"]),
    ],
)  # fmt: skip
def test_an_account_that_is_none(desk: Desk, text: str, words: list[str]) -> None:
    desk.configure(f"{text}\n[connectors.s3]\n")

    scan, doctor = desk.run("scan"), desk.run("doctor")

    assert (scan.code, doctor.code) == (2, 2)
    assert not [word for word in words if word not in scan.err or word not in doctor.out], scan.err + doctor.out


@pytest.mark.parametrize(
    ("connector", "option", "words"),
    [
        ("s3", "endpoint = '127.0.0.1:5000'", "write http://127.0.0.1:5000"),
        ("s3", "endpoint = 'http://127.0.0.1:99999'", "is not a URL"),
        ("gdrive", "endpoint = 'http://proxy.example'", "unencrypted; write https://"),
        ("m365", "authority = 'login.example'", "write https://login.example"),
        ("s3", "connections = 0", "connections must be at least 1"),
        ("gdrive", "audit_days = -1", "audit_days must be at least 0"),
        ("m365", "patience = -0.5", "patience must be at least 0"),
    ],
)
def test_an_option_that_cannot_be_meant(desk: Desk, connector: str, option: str, words: str) -> None:
    desk.configure(f"[connectors.{connector}]\n\n{option}\n")

    result = desk.run("scan")

    assert result.code == 2
    assert "cloudscan.toml:3" in result.err
    assert words in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scna"], ["scna", "write scan"]),
        (["scan", "--fial-on", "high"], ["--fail-on"]),
        (["scan", "--fail-on", "dreadful"], ["dreadful", "critical"]),
        (["scan", "--connector", "tyo"], ["tyo", "write toy"]),
        (["scan", "--format", "htlm"], ["htlm", "write html"]),
        (["scan", "--config", "nowhere.toml"], ["nowhere.toml", "cannot be read"]),
        (["judge", "nowhere"], ["nowhere", "no finished snapshot"]),
        (["findings"], ["cloudscan scan"]),
        (["report"], ["cloudscan scan"]),
        (["query", "SELECT 1"], ["cloudscan scan"]),
        (["rules", "show", "document-open"], ["document-open", "document-open-to-everybody"]),
        (["rules", "lint", "nowhere"], ["nowhere", "no such folder"]),
        (["init"], ["already exists", "--force"]),
        (["permissions", "--connector", "toy", "--format", "policy"], ["no policy document"]),
    ],
)
def test_a_mistake_on_the_command_line(desk: Desk, arguments: list[str], words: list[str]) -> None:
    result = desk.run(*arguments)

    assert result.code == 2
    assert result.out == ""
    assert not [word for word in words if word not in result.err], result.err
    assert "Traceback" not in result.err


def test_a_place_that_cannot_be_written(desk: Desk) -> None:
    """Here a file is where a folder should be; a folder of somebody else is the same to the system."""
    desk.run("scan")
    (desk.folder / "taken").write_text("mine")

    results = [
        desk.run(*arguments.split())
        for arguments in (
            "collect --into taken/snapshot",
            "report --output taken/report.html",
            "report --by owner --into taken/handouts",
            "audit --into taken/pack.zip",
            "init --config taken/cloudscan.toml --connector toy",
            "demo --into taken",
        )
    ]

    assert [result.code for result in results] == [2] * len(results)
    assert not [result.err for result in results if "taken" not in result.err or "bug" in result.err]
    assert (desk.folder / "taken").read_text() == "mine"


def test_a_state_folder_that_cannot_be_used(desk: Desk) -> None:
    (desk.folder / "taken").write_text("mine")
    desk.configure(CONFIG.replace("[scan]", "[scan]\nfolder = 'taken/state'"))

    commands = ("scan", "collect", "findings", "report", "health", "prune", "tickets", "gaps")
    results = {command: desk.run(command) for command in commands}

    assert not {command: result for command, result in results.items() if result.code not in (2, 3)}
    assert not [result for result in results.values() if "bug" in result.out + result.err]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT nme FROM resources", "nme"),
        ("DROP TABLE resources", "exactly one SELECT"),
        ("SELECT 1; SELECT 2", "exactly one SELECT"),
        ("SELECT * FROM read_csv('/etc/passwd')", "cannot run"),
    ],
)
def test_a_query_that_cannot_be_answered(desk: Desk, sql: str, words: str) -> None:
    desk.run("scan")

    result = desk.run("query", sql)

    assert result.code == 2
    assert words in result.err
    assert "Traceback" not in result.err


def test_nothing_to_scan_says_how_to_begin(desk: Desk) -> None:
    desk.configure("")

    result = desk.run("scan")

    assert result.code == 2
    assert "--connector" in result.err
    assert "cloudscan init" in result.err


def test_a_broken_rule_is_refused_with_file_and_line(desk: Desk) -> None:
    rules = desk.folder / "mine"
    rules.mkdir()
    (rules / "broken.yaml").write_text("id: broken\nseverty: high\n")

    result = desk.run("scan", "--rules", "mine")

    assert result.code == 2
    assert "mine/broken.yaml:2" in result.err
    assert "severity" in result.err


def test_a_broken_package_costs_itself_only(desk: Desk) -> None:
    """A stranger's connector that cannot be imported is named where it is wanted, and bothers nobody else."""
    desk.install(
        "stray", "connectors", "stray = stray_module:PLUGIN", {"stray_module": "raise RuntimeError('no luck')"}
    )

    wanted = desk.run("scan", "--connector", "stray")
    other = desk.run("scan", "--connector", "toy")

    assert wanted.code == 2
    assert "'stray' (stray_module:PLUGIN) cannot be loaded: RuntimeError: no luck" in wanted.err
    assert other.code == 1


def test_a_package_that_is_installed_meanwhile_is_known(desk: Desk) -> None:
    """What is installed is kept in mind only as long as nothing is installed."""
    before = desk.run("scan", "--connector", "late")
    desk.install("late", "connectors", "late = late_module:PLUGIN", {"late_module": "PLUGIN = 7"})

    after = desk.run("scan", "--connector", "late")

    assert "There is no connector called 'late'" in before.err
    assert "is a int, not a ConnectorPlugin" in after.err


def test_something_that_is_no_connector_is_named(desk: Desk) -> None:
    desk.install("odd", "connectors", "odd = odd_module:PLUGIN", {"odd_module": "PLUGIN = 7"})

    result = desk.run("scan", "--connector", "odd")

    assert result.code == 2
    assert "is a int, not a ConnectorPlugin" in result.err


BARE = """
import dataclasses
from cloudscan_toy import PLUGIN as TOY

def open_connector(options, estate):
    import sdk_of_bare

PLUGIN = dataclasses.replace(TOY, name="bare", open=open_connector)
"""


def test_a_missing_sdk_says_what_to_install(desk: Desk) -> None:
    desk.install("bare", "connectors", "bare = bare_module:PLUGIN", {"bare_module": BARE})
    desk.configure('[connectors.bare]\nfolder = "company"\n')

    result = desk.run("scan")

    assert result.code == 2
    assert "bare needs the package sdk_of_bare" in result.err
    assert "pip install" in result.err


BUGGY = """
import dataclasses
from cloudscan_toy import PLUGIN as TOY

def open_connector(options, estate):
    raise KeyError("oops \\x1b[2J")

PLUGIN = dataclasses.replace(TOY, name="buggy", open=open_connector, doctor=open_connector)
"""


def test_whatever_a_plugin_raises_while_it_is_opened_becomes_words(desk: Desk) -> None:
    desk.install("buggy", "connectors", "buggy = buggy_module:PLUGIN", {"buggy_module": BUGGY})
    desk.configure(CONFIG + '\n[connectors.buggy]\nfolder = "company"\n')

    scan = desk.run("scan", "--connector", "buggy")
    traced = desk.run("scan", "--connector", "buggy", "--debug")
    doctor = desk.run("doctor")

    assert (scan.code, traced.code, doctor.code) == (2, 2, 2)
    assert "buggy cannot be opened (KeyError: 'oops" in scan.err
    assert "check [connectors.buggy]" in scan.err
    assert "Traceback" not in scan.err + doctor.err
    assert "\x1b" not in scan.err
    assert "open_connector" in traced.err
    assert "BAD  connector buggy" in doctor.out
    assert "ok   connector toy" in doctor.out


def test_a_platform_that_cannot_be_opened_costs_no_other(desk: Desk) -> None:
    """Its row says why; the others are scanned and judged; what is open on it stays open."""
    desk.install("buggy", "connectors", "buggy = buggy_module:PLUGIN", {"buggy_module": BUGGY})
    desk.configure(CONFIG + '\n[connectors.buggy]\nfolder = "company"\n')

    result = desk.run("scan", "--format", "json")

    assert result.code == 5
    assert [finding["verdict"]["subject"]["name"] for finding in result.json["findings"]] == ["plan"]
    (gap,) = [row for row in result.json["coverage"] if row["outcome"] != "complete"]
    assert (gap["platform"], gap["reason"]["code"]) == ("buggy", "cannot-open")
    assert "buggy cannot be opened" in gap["reason"]["quote"]


def test_an_option_that_is_not_known_stops_the_scan_of_all(desk: Desk) -> None:
    desk.install("bare", "connectors", "bare = bare_module:PLUGIN", {"bare_module": BARE})
    desk.configure(CONFIG + '\n[connectors.bare]\nfolderr = "company"\n')

    result = desk.run("scan")

    assert result.code == 2
    assert "write folder" in result.err


BUG = """
from cloudscan.report import ReportFormat

def write(report, language):
    raise KeyError("oops \\x1b[2J")

FORMAT = ReportFormat(name="buggy", title="Buggy", suffix=".txt", write=write)
"""


def test_a_bug_is_called_a_bug(desk: Desk) -> None:
    """Short without --debug, with the stack trace with it; an exit code that no finding has."""
    desk.install("buggy", "reports", "buggy = buggy_format:FORMAT", {"buggy_format": BUG})

    short = desk.run("scan", "--format", "buggy")
    long = desk.run("scan", "--format", "buggy", "--debug")

    assert (short.code, long.code) == (70, 70)
    assert "this is a bug" in short.err
    assert "Traceback" not in short.err
    assert "\x1b" not in short.err
    assert "in write" in long.err
