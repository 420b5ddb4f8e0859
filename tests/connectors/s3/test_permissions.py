"""The permissions that the connector asks for are those that it uses: no more, no less, and none that writes."""

import ast
import json
import re
from pathlib import Path

import cloudscan_s3
from cloudscan_s3.permissions import PERMISSIONS, policy_document

PERMISSION = re.compile(r"(s3|s3express|sts|organizations):[A-Z][A-Za-z]+")
ALWAYS_ALLOWED = {"sts:GetCallerIdentity"}  # needs no permission (STS API Reference, GetCallerIdentity)
BY_THE_SDK = {"sts:AssumeRole"}  # of the credential provider that a role is read with
PACKAGE = Path(cloudscan_s3.__file__).parent
CODE = [PACKAGE / "connector.py", PACKAGE / "facts/objects.py", *(PACKAGE / "api").glob("*.py")]


def used() -> set[str]:
    """What the code names where it asks AWS: `require(client.get_…, "s3:Get…")`."""
    constants = {
        node.value
        for file in CODE
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {text for text in constants if PERMISSION.fullmatch(text)}


def test_every_permission_that_is_used_is_asked_for_and_vice_versa() -> None:
    assert used() - ALWAYS_ALLOWED == {permission.name for permission in PERMISSIONS} - BY_THE_SDK


def test_no_permission_changes_anything() -> None:
    verbs = {permission.name.partition(":")[2] for permission in PERMISSIONS} - {"AssumeRole"}

    assert not [verb for verb in verbs if not verb.startswith(("Get", "List", "Describe"))]


def test_the_policy_document_names_exactly_these() -> None:
    document = json.loads(policy_document())

    listed = [action for statement in document["Statement"] for action in statement["Action"]]
    assert sorted(listed) == sorted(permission.name for permission in PERMISSIONS)
