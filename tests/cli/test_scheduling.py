"""What `cloudscan schedule` prints can be used as it is."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import CONFIG, Desk


@pytest.fixture
def odd(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk in a folder whose name has what shells, cron and systemd take for their own."""
    folder = desk.folder / "50% of $HOME"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "cloudscan.toml").write_text(CONFIG, encoding="utf-8")
    return Desk(folder, desk.site, desk.capture)


def units(text: str, folder: Path) -> list[Path]:
    """The files of which systemd's text consists, written as it says."""
    files = []
    for part in text.split("# --- ")[1:]:
        name, _, content = part.partition(" ---\n")
        files.append(folder / Path(name).name)
        files[-1].write_text(content)
    return files


def test_systemd_takes_the_units(desk: Desk, tmp_path: Path) -> None:
    """As systemd's own check says, and hardened as its own measure says."""
    checker = shutil.which("systemd-analyze")
    if checker is None:
        pytest.skip("no systemd-analyze here")
    desk_units = units(desk.run("schedule", "systemd", "--at", "2:05").out, tmp_path)

    checked = subprocess.run([checker, "verify", *desk_units], capture_output=True, text=True, check=False)
    measured = subprocess.run(
        [checker, "security", "--offline=true", "--threshold=25", str(desk_units[0])],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert [file.name for file in desk_units] == ["cloudscan.service", "cloudscan.timer"]
    assert (checked.returncode, checked.stderr) == (0, "")
    assert measured.returncode == 0, measured.stdout
    assert "OnCalendar=*-*-* 02:05:00" in desk_units[1].read_text()


def test_systemd_is_told_where(odd: Desk) -> None:
    """The service works in this folder, may write into the scan's folder only, and names the configuration."""
    lines = odd.run("schedule", "systemd", "--metrics", "out/cloudscan.prom").out.splitlines()

    escaped = str(odd.folder).replace("%", "%%")
    assert f"WorkingDirectory={escaped}" in lines
    assert f'ReadWritePaths="{escaped}/.cloudscan" "{escaped}/out"' in lines
    (start,) = [line for line in lines if line.startswith("ExecStart=")]
    doubled = escaped.replace("$", "$$")
    assert start.endswith(f'--config "{doubled}/cloudscan.toml" scan --metrics "{doubled}/out/cloudscan.prom"')


def test_cron_takes_the_line(odd: Desk) -> None:
    """Five fields, then what a shell runs; cron's own sign for a line's end is escaped."""
    *remarks, line = odd.run("schedule", "cron", "--at", "23:40").out.splitlines()

    assert all(remark.startswith("#") for remark in remarks)
    assert line.startswith("40 23 * * *  cd ")
    assert "%" not in line.replace("\\%", "")
    shell = line.removeprefix("40 23 * * *  ").replace("\\%", "%")
    # In the place of cloudscan: say where we are and what is configured.
    goes, _, runs = shell.partition(" && ")
    config = runs.partition("--config ")[2].partition(" scan")[0]
    script = f'{goes} && printf "%s\\n" "$PWD" {config}'
    result = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=True, cwd="/"
    ).stdout.splitlines()
    assert result == [str(odd.folder), str(odd.folder / "cloudscan.toml")]


def test_kubernetes_gets_a_cron_job(desk: Desk) -> None:
    """With the configuration in it, no rights that a reader needs not, and no second job beside the first."""
    result = desk.run("schedule", "kubernetes", "--at", "02:05", "--image", "images.example/cloudscan:7")
    documents: dict[str, dict[str, Any]] = {document["kind"]: document for document in yaml.safe_load_all(result.out)}

    assert list(documents) == ["ServiceAccount", "ConfigMap", "PersistentVolumeClaim", "CronJob"]
    assert documents["ConfigMap"]["data"] == {"cloudscan.toml": CONFIG}
    job = documents["CronJob"]["spec"]
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (job["schedule"], job["timeZone"], job["concurrencyPolicy"]) == ("5 2 * * *", "Etc/UTC", "Forbid")
    assert container["image"] == "images.example/cloudscan:7"
    assert container["command"] == ["cloudscan", "--config", "/etc/cloudscan/cloudscan.toml", "scan"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert {volume["name"] for volume in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_github_gets_a_workflow(desk: Desk) -> None:
    """The ledger outlives the runner also on a night with findings."""
    workflow = yaml.safe_load(desk.run("schedule", "github", "--at", "02:05").out)

    assert workflow["on"]["schedule"] == [{"cron": "5 2 * * *"}]
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    steps = workflow["jobs"]["scan"]["steps"]
    assert "cloudscan --config cloudscan.toml scan" in [step.get("run") for step in steps]
    saves = [step for step in steps if step.get("uses", "").startswith("actions/cache/save")]
    assert [(step["if"], step["with"]["path"]) for step in saves] == [("always()", ".cloudscan")]


def test_a_ledger_on_a_server_needs_no_cache(desk: Desk) -> None:
    desk.configure(f'{CONFIG}\n[ledger]\nurl = "postgresql+psycopg://ledger.example/cloudscan"\n')

    assert "actions/cache" not in desk.run("schedule", "github").out


@pytest.mark.parametrize("kind", ["systemd", "cron", "kubernetes", "github"])
def test_nothing_is_written(desk: Desk, kind: str) -> None:
    before = sorted(desk.folder.rglob("*"))

    assert desk.run("schedule", kind).code == 0
    assert sorted(desk.folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["at"], ["systemd", "cron", "kubernetes", "github"]),
        (["cron", "--at", "25:00"], ["'25:00' is not a time of day", "03:30"]),
        (["cron", "--at", "3"], ["not a time of day"]),
        (["github", "--metrics", "x.prom"], ["leave it out for github"]),
        (["systemd", "--user", "a b"], ["not a valid user name"]),
    ],
)
def test_a_mistake_says_what_to_write(desk: Desk, arguments: list[str], words: list[str]) -> None:
    result = desk.run("schedule", *arguments)

    assert (result.code, result.out) == (2, "")
    assert not [word for word in words if word not in result.err], result.err


def test_without_a_configuration_there_is_nothing_to_schedule(desk: Desk) -> None:
    (desk.folder / "cloudscan.toml").unlink()

    result = desk.run("schedule", "cron")

    assert result.code == 2
    assert "cloudscan init" in result.err
