"""What a newcomer tries: help, an example configuration, doctor, queries, tickets without a tracker, completion."""

import json
import shlex
from datetime import date
from pathlib import Path

import click
import jsonschema
import pytest
from click.shell_completion import ShellComplete

from cloudscan.cli import demo_folder
from cloudscan.cli.main import cli
from cloudscan.config import load
from cloudscan.connector import Estate, Partner
from cloudscan.errors import ConfigurationError
from cloudscan.snapshot import lock
from cloudscan.text import suggestion
from tests.cli.conftest import CONFIG, Desk


@pytest.mark.parametrize(
    ("arguments", "begins"),
    [
        (["help"], "Usage: cloudscan [OPTIONS] COMMAND"),
        (["help", "waive", "add"], "Usage: cloudscan waive add"),
        (["version"], "cloudscan 0."),
        (["-V"], "cloudscan 0."),
        (["docs", "tickets"], "# "),
        (["docs", "docs/tickets.md"], "# "),
    ],
)
def test_what_people_try_first(desk: Desk, arguments: list[str], begins: str) -> None:
    result = desk.run(*arguments)

    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(begins)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["help", "waive", "ad"], "write add"),
        (["docs", "ticket"], "write tickets"),
        (["dif"], "write diff"),
        (["trned"], "write trend"),
    ],
)
def test_a_near_miss(desk: Desk, arguments: list[str], words: str) -> None:
    result = desk.run(*arguments)

    assert result.code == 2
    assert words in result.err


def test_what_else_may_have_been_meant() -> None:
    assert str(suggestion("s_days", ["due_days", "max_days", "urls"])) == "write max_days or due_days"
    assert str(suggestion("dayz", ["days", "bay", "hours"])) == "write days"


def test_messages_point_to_pages_that_exist(desk: Desk) -> None:
    listed = {line.split()[0] for line in desk.run("docs").out.splitlines()}

    assert {"configuration", "tickets", "editors", "s3"} <= listed


def test_init_writes_a_schema_that_its_own_file_fits(desk: Desk) -> None:
    (desk.folder / "cloudscan.toml").unlink()

    written = desk.run("init", "--name", "Acme", "--connector", "toy")

    text = (desk.folder / "cloudscan.toml").read_text()
    schema = json.loads((desk.folder / "cloudscan.schema.json").read_text())
    assert written.code == 0
    assert text.startswith("#:schema ./cloudscan.schema.json\n")
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate({"connectors": {"toy": {"folder": "x"}}, "scan": {"fail_on": "low"}})
    assert not validator.is_valid({"connectors": {"toy": {"foldr": "x"}}})
    assert not validator.is_valid({"trackers": {"jira": {"kind": "github"}}})
    assert validator.is_valid({"trackers": {"ours": {"kind": "webhook"}}})


def test_a_connector_whose_package_is_missing_is_left_out_of_init(desk: Desk) -> None:
    bare = "import dataclasses\nfrom cloudscan_toy import PLUGIN as TOY\n"
    bare += 'PLUGIN = dataclasses.replace(TOY, name="bare", packages=("sdk_of_bare",))\n'
    desk.install("bare", "connectors", "bare = bare_module:PLUGIN", {"bare_module": bare})

    written, doctor = desk.run("init", "--force"), desk.run("doctor", "--connector", "bare", "--connector", "toy")

    assert written.code == 0
    assert "left out: bare needs the package sdk_of_bare" in written.err
    assert "[connectors.bare]" not in (desk.folder / "cloudscan.toml").read_text()
    assert doctor.out.count("connector bare") == 1
    assert "BAD  connector bare" in doctor.out


def test_the_schemas_of_rules_and_reports(desk: Desk) -> None:
    rule, report = desk.run("schema", "rule").json, desk.run("schema", "report").json

    assert {"id", "severity", "query"} <= set(rule["$defs"]["RuleFile"]["properties"])
    assert report["title"] == "cloudscan report"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[reports.xslx]\n", "no such format is installed; write xlsx"),
        ("[rules.document-open-to-everybody]\ndayz = 3\n", "no parameter 'dayz'"),
        ("[trackers.jira]\nurl = 'https://acme.example'\nproject = 'SEC'\n", "CLOUDSCAN_JIRA_TOKEN"),
        ("[trackers.ours]\nkind = 'jria'\n", "write jira"),
        ("[notify]\nurls_env = 'NOTIFY_OF_NOBODY'\n", "NOTIFY_OF_NOBODY is not set"),
        ("[connectors.tyo]\n", "write toy"),
    ],
)
def test_doctor_loads_all_that_a_scan_will(desk: Desk, text: str, words: str) -> None:
    desk.configure(CONFIG + text)

    result = desk.run("doctor")

    assert result.code == 2
    assert result.out.count("BAD") == 1
    assert words in result.out
    assert "ok   connector toy" in result.out


def test_doctor_finds_a_folder_that_cannot_be_made(desk: Desk) -> None:
    (desk.folder / "taken").write_text("a file")
    desk.configure(CONFIG.replace("[scan]", "[scan]\nfolder = 'taken'"))

    assert "taken is a file; choose another" in desk.run("doctor").out


def test_a_query_from_a_file_and_from_stdin(desk: Desk) -> None:
    desk.run("scan")
    (desk.folder / "names.sql").write_text("SELECT name FROM resources WHERE name = 'plan'\n")

    from_file = desk.run("query", "--format", "json", "-f", "names.sql")
    twice = desk.run("query", "SELECT 1", "-f", "names.sql")
    misspelt = desk.run("query", "SELECT nme FROM resources")

    assert from_file.json == [{"name": "plan"}]
    assert (twice.code, "There are two queries" in twice.err) == (2, True)
    assert 'Candidate bindings: "name"' in misspelt.err


def test_tickets_can_be_seen_without_a_tracker(desk: Desk) -> None:
    desk.run("scan")

    with lock.exclusive(desk.folder / ".cloudscan"):  # as while a scan runs
        shown = desk.run("tickets", "--dry-run")
    sent = desk.run("tickets")

    assert shown.code == 0
    assert "title: [" in shown.out
    assert "No tracker is configured" in shown.err
    assert (sent.code, "There is no tracker" in sent.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("rules show document-open", "document-open-to-everybody"),
        ("findings --rule drive-anyone-c", "drive-anyone-can-find"),
        ("scan --connector t", "toy"),
        ("scan --format mark", "markdown"),
        ("docs confi", "configuration"),
        ("tickets --tracker o", "ours"),
    ],
)
def test_the_shell_completes_names(desk: Desk, words: str, completed: str) -> None:
    desk.configure(CONFIG + "[trackers.ours]\nkind = 'webhook'\n")

    assert completed in _completed(words)


def test_the_shell_completes_what_was_found(desk: Desk) -> None:
    desk.run("scan")

    found = desk.run("findings", "--format", "json").json

    assert found[0]["fingerprint"][:12] in _completed("waive add --finding ")


def _completed(words: str) -> list[str]:
    *typed, incomplete = words.split(" ")
    return [str(item.value) for item in ShellComplete(cli, {}, "cloudscan", "").get_completions(typed, incomplete)]


COMPANY = Estate(
    name='Kumo "Logistics" 株式会社',
    domains=frozenset({"kumo.example"}),
    partners=(Partner(name="Tanuki", domains=frozenset({"tanuki.example"}), contract_ends=date(2026, 3, 31)),),
)


def test_a_demos_configuration_says_who_we_are(tmp_path: Path) -> None:
    options = {"toy": {"folder": "x", "labels": {"a": "b"}, "on": True, "names": ["é"]}}

    demo_folder.prepare(tmp_path / "demo")
    text = demo_folder.configuration_text(tmp_path / "demo", COMPANY, "ja", options, {}, {}, "a comment")
    config = load(demo_folder.write_configuration(tmp_path / "demo", text))

    assert config.estate == COMPANY
    assert config.connectors == options
    assert config.folder == tmp_path / "demo"


def test_a_demo_replaces_only_what_a_demo_left(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    demo_folder.prepare(folder)
    demo_folder.write_configuration(folder, "")
    for name in ("ledger.db", "report.html", "mine.txt"):
        (folder / name).write_text("x")

    demo_folder.prepare(folder)

    assert sorted(path.name for path in folder.iterdir()) == [".cloudscan-demo", "mine.txt"]


@pytest.mark.parametrize("name", ["ledger.db", "report.html", "cloudscan.toml", "mine.txt"])
def test_a_demo_touches_nobodys_files(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")

    with pytest.raises(ConfigurationError, match="files that are not a demo's; name a new folder with --into"):
        demo_folder.prepare(tmp_path)

    assert (tmp_path / name).read_text() == "mine"


def test_a_demos_configuration_that_was_changed_is_kept(tmp_path: Path) -> None:
    demo_folder.prepare(tmp_path)
    written = demo_folder.write_configuration(tmp_path, "")
    written.write_text("# mine\n")

    with pytest.raises(ConfigurationError, match="was changed; move it away"):
        demo_folder.prepare(tmp_path)

    assert written.read_text() == "# mine\n"


def test_one_company_of_what_each_platform_knows() -> None:
    drive = Estate(name="Kumo", partners=(Partner(name="Tanuki", domains=frozenset({"tanuki.example"})),))
    s3 = Estate(partners=(Partner(name="Tanuki", accounts=frozenset({"1"}), owner="mori"),))

    assert demo_folder.merged([drive, s3]) == Estate(
        name="Kumo",
        partners=(
            Partner(name="Tanuki", domains=frozenset({"tanuki.example"}), accounts=frozenset({"1"}), owner="mori"),
        ),
    )


@pytest.mark.parametrize("page", ["README.md", "README.ja.md"])
def test_what_the_readme_says_can_be_typed(page: str) -> None:
    """Each command and option in it exists."""
    lines = (Path(__file__).parents[2] / page).read_text("utf-8").splitlines()
    typed = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("    cloudscan ")]

    for words in typed:
        until_redirection = words[: words.index(">")] if ">" in words else words
        name, command, arguments = cli.resolve_command(click.Context(cli), until_redirection)
        while isinstance(command, click.Group) and not arguments[0].startswith("-"):
            name, command, arguments = command.resolve_command(click.Context(command), arguments)
        assert command is not None
        command.make_context(name, arguments)
    assert len(typed) > 10
