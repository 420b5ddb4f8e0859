"""What `cloudscan schedule` prints can be used as it is."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import CONFIG, Desk

ALL_THREE = """
# who we are
[organisation]
name = "Kumo"

[scan]
folder = "/srv/cloudscan/state"
rules = ["our-rules"]

[ledger]
url = "postgresql+psycopg://ledger.example:6432/cloudscan"

[connectors.s3]
organisation = true

[connectors.gdrive]
admin = "admin@kumo.example"  # a super admin
key_file = "/home/mika/google.json"

[connectors.m365]
certificate_file = "cert.pem"

[trackers.desk]
kind = "jira"
url = "https://jira.kumo.example:8443"
project = "SEC"

[notify]
urls_env = "NOTIFY_URLS"
"""


@pytest.fixture
def estate(desk: Desk) -> Desk:
    """A desk whose configuration needs everything that one can need."""
    (desk.folder / "our-rules" / "links").mkdir(parents=True)
    (desk.folder / "our-rules" / "links" / "ours.yaml").write_text("id: ours\n")
    desk.configure(ALL_THREE)
    return desk


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


def test_systemd_takes_the_units(estate: Desk, tmp_path: Path) -> None:
    """As systemd's own check says, and hardened as its own measure says."""
    checker = shutil.which("systemd-analyze")
    if checker is None:
        pytest.skip("no systemd-analyze here")
    _, *files = units(estate.run("schedule", "systemd", "--at", "2:05").out, tmp_path)

    checked = subprocess.run([checker, "verify", *files], capture_output=True, text=True, check=False)
    measured = subprocess.run(
        [checker, "security", "--offline=true", "--threshold=25", str(files[0])],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert [file.name for file in files] == [
        "cloudscan.service", "cloudscan.timer", "cloudscan-health.service", "cloudscan-health.timer",
    ]  # fmt: skip
    assert (checked.returncode, checked.stderr) == (0, "")
    assert measured.returncode == 0, measured.stdout
    assert "OnCalendar=*-*-* 02:05:00" in files[1].read_text()


def test_systemd_is_told_where(odd: Desk) -> None:
    """The service works in this folder, may write into the scan's folder only, and names the configuration."""
    lines = odd.run("schedule", "systemd", "--metrics", "out/cloudscan.prom").out.splitlines()

    escaped = str(odd.folder).replace("%", "%%")
    assert f"WorkingDirectory={escaped}" in lines
    assert f'ReadWritePaths="{escaped}/.cloudscan" "{escaped}/out"' in lines
    nightly, health = [line for line in lines if line.startswith("ExecStart=")]
    doubled = escaped.replace("$", "$$")
    assert nightly.endswith(f'--config "{doubled}/cloudscan.toml" nightly --metrics "{doubled}/out/cloudscan.prom"')
    assert health.endswith(f'--config "{doubled}/cloudscan.toml" health')


def test_findings_and_gaps_are_no_failure_of_the_unit(desk: Desk) -> None:
    assert "\nSuccessExitStatus=1 3 5\n" in desk.run("schedule", "systemd").out


def test_a_machine_is_told_the_variables(estate: Desk, tmp_path: Path) -> None:
    """What must be set is a line to fill in, what may be set a remark; without the file no night starts."""
    printed = estate.run("schedule", "systemd").out
    environment, *_ = units(printed, tmp_path)

    lines = environment.read_text().splitlines()
    assert [line for line in lines if "=" in line and not line.startswith("#")] == [
        "AZURE_TENANT_ID=", "AZURE_CLIENT_ID=", "PGPASSWORD=", "CLOUDSCAN_DESK_TOKEN=", "NOTIFY_URLS=",
    ]  # fmt: skip
    assert "# AWS_ACCESS_KEY_ID=" in lines
    assert "\nEnvironmentFile=/etc/cloudscan/environment\n" in printed


def test_nothing_is_asked_for_that_is_not_needed(desk: Desk) -> None:
    for kind in ("systemd", "cron"):
        assert "--- /etc/cloudscan/environment ---" not in desk.run("schedule", kind).out
    assert "\nEnvironmentFile=-/etc/cloudscan/environment\n" in desk.run("schedule", "systemd").out


def test_cron_takes_the_lines(odd: Desk) -> None:
    """Five fields, then what a shell runs; cron's own sign for a line's end is escaped."""
    *remarks, line, health = odd.run("schedule", "cron", "--at", "23:40").out.splitlines()

    assert all(remark.startswith("#") for remark in remarks)
    assert line.startswith("40 23 * * *  cd ")
    assert health.startswith("10 * * * *  cd ")
    assert "%" not in (line + health).replace("\\%", "")
    shell = line.removeprefix("40 23 * * *  ").replace("\\%", "%")
    # In the place of cloudscan: say where we are and what is configured.
    goes, _, runs = shell.partition(" && ")
    config = runs.partition("--config ")[2].partition(" nightly")[0]
    script = f'{goes} && printf "%s\\n" "$PWD" {config}'
    result = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=True, cwd="/"
    ).stdout.splitlines()
    assert result == [str(odd.folder), str(odd.folder / "cloudscan.toml")]


def test_cron_reads_the_variables(estate: Desk) -> None:
    *remarks, line, _ = estate.run("schedule", "cron").out.splitlines()

    assert "set -a && . /etc/cloudscan/environment && set +a && " in line
    assert "#   PGPASSWORD=" in remarks


def documents(text: str) -> dict[str, dict[str, Any]]:
    """The documents of a manifest by kind and name."""
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in yaml.safe_load_all(text)}


def pod(job: Mapping[str, Any]) -> Any:
    return job["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def test_kubernetes_gets_a_cron_job(desk: Desk) -> None:
    """With the configuration in it, no permissions that a reader needs not, and no second job beside the first."""
    result = desk.run("schedule", "kubernetes", "--at", "02:05", "--image", "images.example/cloudscan:7")
    found = documents(result.out)

    assert list(found) == [
        "ServiceAccount/cloudscan", "ConfigMap/cloudscan", "ConfigMap/cloudscan-rules-0",
        "PersistentVolumeClaim/cloudscan", "NetworkPolicy/cloudscan", "CronJob/cloudscan", "CronJob/cloudscan-health",
    ]  # fmt: skip
    job = found["CronJob/cloudscan"]
    (container,) = pod(job)["containers"]
    assert (job["spec"]["schedule"], job["spec"]["timeZone"]) == ("5 2 * * *", "Etc/UTC")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert container["image"] == "images.example/cloudscan:7"
    assert container["args"] == ["--config", "/etc/cloudscan/cloudscan.toml", "nightly"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod(job)["securityContext"]["runAsNonRoot"] is True
    (health,) = pod(found["CronJob/cloudscan-health"])["containers"]
    assert health["args"][-1] == "health"


def test_the_image_is_nobody_elses(desk: Desk) -> None:
    """A name without a registry of ours would be asked of a public one, where anybody may take it."""
    (container,) = pod(documents(desk.run("schedule", "kubernetes").out)["CronJob/cloudscan"])["containers"]

    assert container["image"].startswith("registry.example/")


def test_kubernetes_mounts_what_the_configuration_names(estate: Desk) -> None:
    """Key, certificate and rules are where the mounted configuration says; its remarks are kept."""
    found = documents(estate.run("schedule", "kubernetes").out)

    text = found["ConfigMap/cloudscan"]["data"]["cloudscan.toml"]
    config = tomllib.loads(text)
    (container,) = pod(found["CronJob/cloudscan"])["containers"]
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert config["connectors"]["gdrive"]["key_file"] == "/etc/cloudscan-files/gdrive-key-file"
    assert config["connectors"]["m365"]["certificate_file"] == "/etc/cloudscan-files/m365-certificate-file"
    assert config["scan"] == {"folder": "/data/.cloudscan", "rules": ["/etc/cloudscan-rules/0"]}
    assert "# a super admin" in text
    assert {"/etc/cloudscan-files", "/etc/cloudscan-rules/0", "/data"} <= mounts
    assert found["ConfigMap/cloudscan-rules-0"]["data"] == {"links--ours.yaml": "id: ours\n"}
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod(found["CronJob/cloudscan"])["volumes"]
    }


def test_kubernetes_gets_secrets_and_ports(estate: Desk) -> None:
    result = estate.run("schedule", "kubernetes").out
    found = documents(result)

    (container,) = pod(found["CronJob/cloudscan"])["containers"]
    needed = {
        variable["name"]
        for variable in container["env"]
        if not variable.get("valueFrom", {"secretKeyRef": {"optional": True}})["secretKeyRef"]["optional"]
    }
    assert needed == {"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "PGPASSWORD", "CLOUDSCAN_DESK_TOKEN", "NOTIFY_URLS"}
    assert "--from-file=gdrive-key-file=PATH" in result
    (egress,) = found["NetworkPolicy/cloudscan"]["spec"]["egress"]
    assert [port["port"] for port in egress["ports"]] == [53, 53, 443, 6432, 8443]


def test_rule_files_of_any_name_are_mounted_under_it(estate: Desk) -> None:
    """A ConfigMap's keys are plain; the files have their own names again where they are mounted."""
    for name in ("公開.yaml", "共有.yaml"):
        (estate.folder / "our-rules" / name).write_text(f"id: {name}\n", encoding="utf-8")

    found = documents(estate.run("schedule", "kubernetes").out)

    data = found["ConfigMap/cloudscan-rules-0"]["data"]
    (items,) = [
        volume["configMap"]["items"]
        for volume in pod(found["CronJob/cloudscan"])["volumes"]
        if volume["name"] == "rules-0"
    ]
    assert all(re.fullmatch(r"[-._a-zA-Z0-9]+", key) for key in data)
    assert {item["path"]: data[item["key"]] for item in items} == {
        "links/ours.yaml": "id: ours\n", "公開.yaml": "id: 公開.yaml\n", "共有.yaml": "id: 共有.yaml\n",
    }  # fmt: skip


def test_a_folder_of_rules_that_is_not_there_is_named(desk: Desk) -> None:
    desk.configure(CONFIG.replace("rules = [", 'rules = ["nowhere", '))

    result = desk.run("schedule", "kubernetes")

    assert (result.code, result.out) == (2, "")
    assert "no rule files in nowhere" in result.err


def test_a_ledger_elsewhere_on_this_machine_is_mapped(desk: Desk) -> None:
    desk.configure(f'{CONFIG}\n[ledger]\nurl = "sqlite:////srv/cloudscan/ours.db"\n')

    found = documents(desk.run("schedule", "kubernetes").out)

    config = tomllib.loads(found["ConfigMap/cloudscan"]["data"]["cloudscan.toml"])
    assert config["ledger"]["url"] == "sqlite:////data/ours.db"


def workflow(text: str) -> Any:
    return yaml.safe_load(text)


def steps(text: str) -> list[dict[str, Any]]:
    return list(workflow(text)["jobs"]["scan"]["steps"])


@pytest.mark.parametrize("ledger", ["", '[ledger]\nurl = "postgresql+psycopg://ledger.example/x"\n'])
def test_github_takes_the_workflow(desk: Desk, tmp_path: Path, ledger: str) -> None:
    """By the schema of workflows, and zizmor finds nothing: no tag, no pasted value, no permission without a reason."""
    desk.configure(f"{CONFIG}\n[connectors.s3]\n{ledger}")
    file = tmp_path / "cloudscan.yml"
    file.write_text(desk.run("schedule", "github", "--at", "02:05").out)
    here = Path(sys.executable).parent

    schema = subprocess.run(
        [here / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", file],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    audit = subprocess.run(
        [here / "zizmor", "--offline", "--no-progress", "--persona", "pedantic", file],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert schema.returncode == 0, schema.stdout
    assert audit.returncode == 0, audit.stdout
    assert workflow(file.read_text())["on"]["schedule"] == [{"cron": "5 2 * * *"}]


def test_github_keeps_the_ledger(desk: Desk) -> None:
    """As an artifact, restored from the newest of the default branch, and not in the cache."""
    text = desk.run("schedule", "github").out

    job = workflow(text)["jobs"]["scan"]
    kept = {step["with"]["name"]: step["with"]["path"] for step in steps(text) if "upload" in step.get("uses", "")}
    assert kept == {"cloudscan-state": ".cloudscan", "report": ".cloudscan/reports"}
    assert "actions/cache" not in text
    assert job["permissions"] == {"contents": "read", "actions": "read"}
    assert "new_ledger" in workflow(text)["on"]["workflow_dispatch"]["inputs"]


def test_github_gets_what_the_configuration_needs(estate: Desk) -> None:
    """Hashes, a sign-in without keys, secrets in variables, files where they are looked for; no ledger to keep."""
    text = estate.run("schedule", "github").out

    named = {step["name"]: step for step in steps(text)}
    scan = named["Scan, update tickets, notify"]
    assert "--require-hashes" in named["Install"]["run"]
    assert "aws-actions/configure-aws-credentials@" in named["Sign in"]["uses"]
    assert scan["run"] == "cloudscan --config cloudscan.toml nightly"
    assert scan["env"]["CLOUDSCAN_DESK_TOKEN"] == "${{ secrets.CLOUDSCAN_DESK_TOKEN }}"
    assert scan["env"]["AZURE_TENANT_ID"] == "${{ vars.AZURE_TENANT_ID }}"
    assert named["Write gdrive-key-file"]["run"].rstrip().endswith("/dev/stdin /home/mika/google.json")
    assert "cloudscan-state" not in text
    assert not [step["run"] for step in steps(text) if "${{" in step.get("run", "")]


def test_actions_are_pinned_by_commit(estate: Desk) -> None:
    uses = re.findall(r"uses: (\S+)(.*)", estate.run("schedule", "github").out)

    assert len(uses) == 4
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action, _ in uses)
    assert all(re.fullmatch(r"  # v\d+\.\d+\.\d+", version) for _, version in uses)


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
