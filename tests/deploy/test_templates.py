"""What `deploy/` grants is what cloudscan asks for, and each file is of the form that its reader takes."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import hcl2
import pytest
import tree_sitter_powershell
import yaml
from tree_sitter import Language, Parser

from cloudscan.cli.main import run
from cloudscan.nightly.schedule.github import FIND_LEDGER
from tools import deploy

DEPLOY = deploy.DEPLOY


class CloudFormation(yaml.SafeLoader):
    """Reads templates: a short form such as !Ref is its value."""


CloudFormation.add_multi_constructor(
    "!",
    lambda loader, _, node: (
        loader.construct_scalar(node)
        if isinstance(node, yaml.ScalarNode)
        else loader.construct_sequence(node, deep=True)
    ),
)


def actions(policy: Any) -> set[str]:
    """The actions that a policy allows."""
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Allow"}
    named = [statement["Action"] for statement in policy["Statement"]]
    return {action for one in named for action in ([one] if isinstance(one, str) else one)}


def asked(connector: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What `cloudscan permissions --format policy` prints."""
    capsys.readouterr()
    assert run(["permissions", "--connector", connector, "--format", "policy"]) == 0
    return capsys.readouterr().out


def test_what_is_written_is_up_to_date() -> None:
    """`tools/deploy.py` writes it."""
    assert [path.name for path, text in deploy.texts() if path.read_text("utf-8") != text] == []


def test_aws_is_asked_for_what_the_connector_needs(capsys: pytest.CaptureFixture[str]) -> None:
    """In all accounts, in the one that scans, and, where they are named, in the buckets with inventory reports."""
    everywhere = actions(json.loads((DEPLOY / "aws/policy.json").read_text()))
    central = actions(json.loads((DEPLOY / "aws/central-policy.json").read_text()))

    assert everywhere | central | {"s3:GetObject"} == actions(json.loads(asked("s3", capsys)))
    assert not everywhere & central
    assert "s3:GetObject" not in everywhere


def test_the_role_has_that_policy_and_asks_who_comes() -> None:
    template = yaml.load((DEPLOY / "aws/role.yaml").read_text(), CloudFormation)

    role = template["Resources"]["Role"]["Properties"]
    assert role["Policies"][0]["PolicyDocument"] == json.loads((DEPLOY / "aws/policy.json").read_text())
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": "ScannerArn"}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "ExternalId"}}


def test_the_stack_set_brings_the_same_role() -> None:
    template = yaml.load((DEPLOY / "aws/stack-set.yaml").read_text(), CloudFormation)

    properties = template["Resources"]["Roles"]["Properties"]
    assert properties["TemplateBody"] == (DEPLOY / "aws/role.yaml").read_text()
    assert properties["AutoDeployment"]["Enabled"] is True


def test_terraform_makes_the_same_role() -> None:
    folder = DEPLOY / "aws" / "terraform"

    texts = {file.name: file.read_text() for file in folder.glob("*.tf")}
    for text in texts.values():
        hcl2.loads(text)
    (policy,) = re.findall(r'file\("\$\{path\.module\}/(.*?)"\)', texts["main.tf"])
    assert (folder / policy).resolve() == DEPLOY / "aws" / "policy.json"
    assert "sts:ExternalId" in texts["main.tf"]


def test_microsoft_is_asked_for_what_the_connector_needs(capsys: pytest.CaptureFixture[str]) -> None:
    script = (DEPLOY / "microsoft-365/register-application.ps1").read_text()

    rows = set(re.findall(r"@\{ Api = '(\w+)'; Name = '([\w.-]+)'; Optional = \$(?:true|false) \}", script))
    graph, sharepoint = "00000003-0000-0000-c000-000000000000", "00000003-0000-0ff1-ce00-000000000000"
    ids = {"Graph": graph, "SharePoint": sharepoint}
    assert {(ids[api], name) for api, name in rows} == set(
        re.findall(r"^add (\S+) (\S+)", asked("m365", capsys), re.MULTILINE)
    )
    assert all(f"'{one}'" in script for one in ids.values())


def test_the_script_is_powershell() -> None:
    parser = Parser(Language(tree_sitter_powershell.language()))

    tree = parser.parse((DEPLOY / "microsoft-365/register-application.ps1").read_bytes())

    assert not tree.root_node.has_error


GCLOUD = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in
    *keys\\ create*) echo '{}' > "$5" ;;
    *oauth2ClientId*) echo 1234567890 ;;
    *describe*) exit 1 ;;
esac
"""


def test_google_is_asked_for_what_the_connector_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The script, with a stand-in for Google's command line: four services, no role, and the scopes to delegate."""
    gcloud, calls = tmp_path / "gcloud", tmp_path / "calls"
    gcloud.write_text(GCLOUD)
    gcloud.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PROJECT": "kumo", "CALLS": str(calls)}

    done = subprocess.run(
        ["sh", DEPLOY / "google-workspace/prepare-project.sh"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip

    (scopes,) = re.findall(r"^Scopes: +(\S+)$", done.stdout, re.MULTILINE)
    assert scopes == asked("gdrive", capsys).strip()
    assert "Client ID: 1234567890" in done.stdout
    assert "add-iam-policy-binding" not in calls.read_text()


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("check-jsonschema", ["--builtin-schema", "vendor.github-actions"]),
        ("zizmor", ["--offline", "--no-progress", "--persona", "pedantic"]),
    ],
)
def test_the_action_passes_its_linters(tool: str, arguments: list[str]) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name(tool), *arguments, DEPLOY / "github-action/action.yml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout


def shell(script: str, folder: Path, stub: str, **environment: str) -> tuple[int, str]:
    """Run a workflow's step as GitHub's runner does, with a stub in place of a command; its code and its outputs."""
    name, _, content = stub.partition(" ")
    (folder / name).write_text(f"#!/bin/sh\n{content}\n")
    (folder / name).chmod(0o755)
    outputs = folder / "outputs"
    outputs.write_text("")
    variables = {"PATH": f"{folder}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(outputs), **environment}
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script], env=variables, cwd=folder, capture_output=True, check=False
    )
    return done.returncode, outputs.read_text()


@pytest.mark.parametrize(("command", "code"), [("scan", 5), ("nightly", 0), ("rm -rf", 2)])
def test_the_action_hands_on_arguments_and_exit_code(tmp_path: Path, command: str, code: int) -> None:
    """An argument stays one, whatever is in it; another command than the two is refused."""
    action = yaml.safe_load((DEPLOY / "github-action/action.yml").read_text())
    (step,) = [step for step in action["runs"]["steps"] if step.get("id") == "run"]
    stub = f'cloudscan for word in "$@"; do echo "<$word>" >> words; done; exit {code}'
    inputs = {"CONFIG": "my config.toml", "COMMAND": command, "ARGUMENTS": "--scope\n$(id) *\n", "SARIF": ""}

    ended, outputs = shell(step["run"], tmp_path, stub, **inputs)

    assert ended == code
    if command != "rm -rf":
        words = (tmp_path / "words").read_text().splitlines()
        assert words == ["<--config>", "<my config.toml>", f"<{command}>", "<--scope>", "<$(id) *>"]
        assert outputs == f"exit-code={code}\n"


@pytest.mark.parametrize(
    ("runs", "new", "ended", "outputs"),
    [("7\\n31\\n12", "", 0, "run=31\n"), ("", "", 1, ""), ("", "true", 0, "run=\n")],
)
def test_the_workflow_never_begins_a_new_ledger_by_itself(
    tmp_path: Path, runs: str, new: str, ended: int, outputs: str
) -> None:
    stub = f"gh printf '{runs}'"

    assert shell(FIND_LEDGER, tmp_path, stub, STATE="s", NEW_LEDGER=new) == (ended, outputs)


def test_kustomize_builds_the_example() -> None:
    """The generated configuration is mounted, and its paths are those of the mounts."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl here")
    built = subprocess.run(
        [kubectl, "kustomize", DEPLOY / "kubernetes/example"], capture_output=True, text=True, check=True
    )

    documents = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(built.stdout)}
    (name,) = [name for kind, name in documents if kind == "ConfigMap"]
    pod = documents["CronJob", "cloudscan"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    config = tomllib.loads(documents["ConfigMap", name]["data"]["cloudscan.toml"])
    assert config["connectors"]["gdrive"]["key_file"].startswith(f"{mounts['files']}/")
    assert config["connectors"]["m365"]["certificate_file"].startswith(f"{mounts['files']}/")
    assert pod["containers"][0]["image"] == "registry.example/cloudscan:0.1.0"


def test_the_image_is_pinned_and_without_root() -> None:
    text = (DEPLOY / "container/Containerfile").read_text()

    words = [line.split() for line in text.splitlines()]
    assert re.search(r"^ARG BASE=\S+@sha256:[0-9a-f]{64}$", text, re.MULTILINE)
    assert {line[1] for line in words if line[:1] == ["FROM"]} == {"${BASE}"}
    assert ["USER", "10001:10001"] in words
    assert ["VOLUME", "/data"] in words
    assert "--require-hashes" in text
