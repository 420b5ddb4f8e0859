#!/usr/bin/env python3
"""Write what the files of `deploy/` say about permissions, images and jobs from where it is decided.

python tools/deploy.py           write the parts between the lines that say so, and the whole files
python tools/deploy.py --check   only say which ones are out of date; gives 1 if there are any
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import yaml

from cloudscan.needs import Variable
from cloudscan.nightly.schedule.kubernetes import documents
from cloudscan.nightly.schedule.plan import Plan, yaml_text
from cloudscan.nightly.schedule.requirements import File, Requirements
from cloudscan_gdrive.permissions import PERMISSIONS as GOOGLE
from cloudscan_m365.permissions import PERMISSIONS as MICROSOFT
from cloudscan_m365.permissions import SHAREPOINT
from cloudscan_s3.permissions import PERMISSIONS as AMAZON
from cloudscan_s3.permissions import policy_document

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
ONLY_CENTRAL = ("organizations:", "sts:")
"""Permissions that a role in a single account has no use for: only the account that scans asks for these."""
CONTENTS = "s3:GetObject"
"""Reads what is in objects. Granted for the buckets with inventory reports alone, and only where they are named."""


def policy() -> str:
    """The policy of the role in each account: all that is read there."""
    document = json.loads(policy_document())
    for statement in document["Statement"]:
        actions = [action for action in statement["Action"] if not action.startswith(ONLY_CENTRAL)]
        statement["Action"] = [action for action in actions if action != CONTENTS]
    return json.dumps(document, indent=2) + "\n"


def central_policy() -> str:
    """The policy of the account that scans, beside the one that all accounts have: its organisation and their roles."""
    actions = sorted(one.name for one in AMAZON if one.name.startswith("organizations:"))
    statements = [
        {"Sid": "CloudscanReadsTheOrganisation", "Effect": "Allow", "Action": actions, "Resource": "*"},
        {
            "Sid": "CloudscanEntersTheAccounts",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": "arn:aws:iam::*:role/cloudscan",
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2) + "\n"


def cloudformation_actions(indent: str) -> str:
    """The statements of the role's policy, as YAML in the template."""
    lines = yaml.dump(json.loads(policy())["Statement"], sort_keys=False, indent=2).splitlines()
    return "".join(f"{indent}{line}\n" for line in lines)


def powershell_permissions(indent: str) -> str:
    """The application permissions, as an array of PowerShell: API, permission, whether it is optional."""
    rows = []
    for one in MICROSOFT:
        api = "SharePoint" if one.name.startswith(SHAREPOINT) else "Graph"
        optional = "$true" if one.optional else "$false"
        name = one.name.removeprefix(SHAREPOINT)
        rows.append(f"{indent}@{{ Api = '{api}'; Name = '{name}'; Optional = {optional} }} # {one.reason}\n")
    return "".join(rows)


def google_scopes(indent: str) -> str:
    """The OAuth scopes to delegate, one a line."""
    return "".join(f"{indent}{one.name}\n" for one in GOOGLE)


def stack_set() -> str:
    """The StackSet with the role's template in it."""
    body = "".join(
        f"        {line}\n" if line else "\n" for line in (DEPLOY / "aws/role.yaml").read_text("utf-8").splitlines()
    )
    return STACK_SET + body


STACK_SET = """\
# Written by tools/deploy.py; the template below is role.yaml.
AWSTemplateFormatVersion: "2010-09-09"
Description: The role that cloudscan assumes, in every account of the organisation, those to come included

Parameters:
  ScannerArn:
    Type: String
    Description: ARN of the role or user that scans
    AllowedPattern: ^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$
  ExternalId:
    Type: String
    Description: As external_id in cloudscan.toml
    NoEcho: true
    MinLength: 8
  OrganisationalUnits:
    Type: CommaDelimitedList
    Description: Ids of the root (r-...) or of the units (ou-...) whose accounts get the role

Resources:
  Roles:
    Type: AWS::CloudFormation::StackSet
    Properties:
      StackSetName: cloudscan
      Description: Lets cloudscan read how buckets are shared
      PermissionModel: SERVICE_MANAGED
      CallAs: SELF
      Capabilities:
        - CAPABILITY_NAMED_IAM
      AutoDeployment:
        Enabled: true
        RetainStacksOnAccountRemoval: false
      ManagedExecution:
        Active: true
      OperationPreferences:
        FailureTolerancePercentage: 10
        MaxConcurrentPercentage: 25
        RegionConcurrencyType: PARALLEL
      Parameters:
        - ParameterKey: ScannerArn
          ParameterValue: !Ref ScannerArn
        - ParameterKey: ExternalId
          ParameterValue: !Ref ExternalId
      StackInstancesGroup:
        - DeploymentTargets:
            OrganizationalUnitIds: !Ref OrganisationalUnits
          Regions:
            - !Ref AWS::Region
      TemplateBody: |
"""


def kubernetes() -> str:
    """The base: what `cloudscan schedule kubernetes` prints for all platforms, without the configuration."""
    optional = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET", "PGPASSWORD")
    needs = Requirements(
        variables=[Variable(name=name, meaning=name, optional=True) for name in optional],
        files=[File(name=name, meaning=name) for name in ("gdrive-key-file", "m365-certificate-file")],
        ports=(443, 5432),
    )
    plan = Plan(
        program=Path("cloudscan"),
        config=Path("cloudscan.toml"),
        config_text="",
        here=Path("/"),
        folder=Path(".cloudscan"),
        hour=3,
        minute=0,
        keeps_ledger=True,
        needs=needs,
        image="cloudscan",
    )
    head = "# Written by tools/deploy.py: what `cloudscan schedule kubernetes` prints, without the configuration.\n"
    base = [one for one in documents(plan) if one["kind"] != "ConfigMap"]
    for job in (one for one in base if one["kind"] == "CronJob"):
        for volume in job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]:
            if "secret" in volume:
                volume["secret"]["optional"] = True  # not every estate has a platform with a key file
    return head + "---\n".join(map(yaml_text, base))


WHOLE: Mapping[str, Callable[[], str]] = {
    "aws/policy.json": policy,
    "aws/central-policy.json": central_policy,
    "aws/stack-set.yaml": stack_set,
    "kubernetes/base/cloudscan.yaml": kubernetes,
}
PARTS: Mapping[str, Callable[[str], str]] = {
    "aws/role.yaml": cloudformation_actions,
    "microsoft-365/register-application.ps1": powershell_permissions,
    "google-workspace/prepare-project.sh": google_scopes,
}
PART = re.compile(
    r"^(?P<indent> *)# written by tools/deploy\.py\n(?P<body>.*?)^ *# until here\n", re.MULTILINE | re.DOTALL
)


def texts() -> Iterator[tuple[Path, str]]:
    """Each file with what it should contain."""
    for name, part in PARTS.items():
        path = DEPLOY / name
        yield path, PART.sub(partial(_part, part), path.read_text("utf-8"))
    for name, whole in WHOLE.items():
        yield DEPLOY / name, whole()


def _part(part: Callable[[str], str], found: re.Match[str]) -> str:
    indent = found["indent"]
    return f"{indent}# written by tools/deploy.py\n{part(indent)}{indent}# until here\n"


def main() -> int:
    """Write or check; gives the exit code."""
    check, old = "--check" in sys.argv, False
    for path, text in texts():
        if path.exists() and path.read_text("utf-8") == text:
            continue
        old = True
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 1 if old and check else 0


if __name__ == "__main__":
    sys.exit(main())
