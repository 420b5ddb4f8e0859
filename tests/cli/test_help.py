"""What a newcomer meets first."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from cloudscan.cli.main import COMMANDS, cli
from tests.cli.conftest import Desk

HEAVY = ("boto3", "botocore", "duckdb", "sqlalchemy", "sqlglot", "jinja2", "alembic", "rich", "logging", "tomllib")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(desk: Desk, name: str) -> None:
    result = desk.run(name, "--help")

    assert result.code == 0
    assert result.out.startswith(f"Usage: cloudscan {name}")


def test_every_option_is_explained() -> None:
    bare = [
        f"{command.name} {parameter.opts[0]}"
        for command in _all_commands(cli)
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]

    assert bare == []


def test_help_imports_nothing_heavy() -> None:
    """What makes it quick; `tests/bench/growth.py` measures how quick."""
    code = (
        "import sys\nfrom cloudscan.cli.main import run\nrun(['--help'])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"


def test_the_shell_completes_commands(desk: Desk) -> None:
    script = desk.run("completion", "bash").out
    result = desk.process(_CLOUDSCAN_COMPLETE="bash_complete", COMP_WORDS="cloudscan sca", COMP_CWORD="1")

    assert "_CLOUDSCAN_COMPLETE=bash_complete" in script
    assert result.out.split() == ["plain,scan"]


def test_init_writes_a_configuration_that_works(desk: Desk) -> None:
    """Every key that it shows is known; what has to be filled in is said."""
    (desk.folder / "cloudscan.toml").unlink()

    written = desk.run("init", "--name", 'Acme "Rockets" 株式会社', "--connector", "toy")
    text = (desk.folder / "cloudscan.toml").read_text()
    desk.configure(text.replace('folder = ""', 'folder = "company"'))

    assert written.code == 0
    assert desk.run("scan", "--format", "json").json["organisation"] == 'Acme "Rockets" 株式会社'


def test_permissions_are_listed_with_their_reasons(desk: Desk) -> None:
    result = desk.run("permissions", "--connector", "toy")

    assert "read the folder" in result.out
    assert "the shelves are its files" in result.out


def _all_commands(group: click.Group) -> list[click.Command]:
    context = click.Context(group)
    commands: list[click.Command] = [group]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            commands += _all_commands(command)
        elif command is not None:
            commands.append(command)
    return commands


def test_the_pages_of_reference_are_current(tmp_path: Path) -> None:
    """`tools/reference.py` writes them; run it after a change of commands, tables, rules or options."""
    root = Path(__file__).parents[2]

    subprocess.run([sys.executable, root / "tools" / "reference.py", tmp_path], check=True, cwd=root)

    for page in (page for page in sorted(tmp_path.rglob("*")) if page.is_file()):
        assert (root / "docs" / page.relative_to(tmp_path)).read_text("utf-8") == page.read_text("utf-8"), page.name


def test_the_page_of_performance_says_what_the_benches_kept(tmp_path: Path) -> None:
    """`tools/performance.py` writes it; run it after a bench with `--save`."""
    root, page = Path(__file__).parents[2], tmp_path / "performance.md"

    subprocess.run([sys.executable, root / "tools" / "performance.py", page], check=True, cwd=root)

    assert (root / "docs" / "performance.md").read_text("utf-8") == page.read_text("utf-8")
