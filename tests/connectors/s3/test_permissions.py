"""The permissions that the connector asks for are those that its questions need: no more, no less, none that writes."""

import json

from cloudscan_s3.permissions import PERMISSIONS, policy_document
from cloudscan_s3.questions import QUESTIONS


def test_every_permission_that_a_question_needs_is_asked_for_and_vice_versa() -> None:
    assert {question.needs for question in QUESTIONS if question.needs} == {
        permission.name for permission in PERMISSIONS
    }


def test_no_permission_changes_anything() -> None:
    harmless = {"AssumeRole", "GenerateCredentialReport"}  # the report is of what is there
    verbs = {permission.name.partition(":")[2] for permission in PERMISSIONS} - harmless

    assert not [
        verb for verb in verbs if not verb.startswith(("Get", "List", "Describe", "BatchGet", "Select", "Lookup"))
    ]


def test_the_policy_document_names_exactly_these() -> None:
    document = json.loads(policy_document())

    listed = [action for statement in document["Statement"] for action in statement["Action"]]
    assert sorted(listed) == sorted(permission.name for permission in PERMISSIONS)
