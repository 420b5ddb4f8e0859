"""Policy texts that S3 may return: what can be parsed is analysed, what cannot is unknown."""

import json

import pytest

from cloudscan_s3.access.access_paths import access_paths
from tests.connectors.s3.buckets import (
    ANYONE,
    NOBODY,
    NOW,
    OURS,
    THEIRS,
    US,
    allow,
    bucket,
    paths,
    widest,
)


def test_a_statement_object_is_a_statement() -> None:
    """Statement may be an object instead of a list."""
    text = json.dumps({"Statement": allow()})

    assert widest(paths(policy=text)) is ANYONE


@pytest.mark.parametrize(
    "text", ["not json", "[]", '{"Statement": 7}', '{"Statement": [{"Effect": "allow"}]}', "{" * 9000]
)
def test_a_policy_that_cannot_be_parsed_is_unknown(text: str) -> None:
    """Neither public nor private: a flaw with a reason, and no stack trace."""
    result = access_paths(bucket(policy=text), US, NOW)

    assert result.policy_public is None
    assert result.open == ()


def test_a_broken_statement_hides_no_other() -> None:
    """What can be understood is analysed, beside what cannot."""
    opened = paths(allow(), {"Effect": "Allow"})

    assert widest(opened) is ANYONE


def test_variables_are_literal_in_the_old_version() -> None:
    """Without Version 2012-10-17 a variable is plain text, which matches no caller."""
    text = json.dumps(
        {"Statement": [allow(when={"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}})]}
    )

    assert widest(paths(policy=text)) is NOBODY


_REST = '"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"'


_TWO_CONDITIONS = '{"StringEquals": {"aws:Referer": "a"}, "StringEquals": {"aws:PrincipalOrgID": "o-ours123456"}}'


@pytest.mark.parametrize(
    "text",
    [
        f'{{"Statement": [{{"Effect": "Allow", "Principal": "*", "Principal": {{"AWS": "{OURS}"}}, {_REST}}}]}}',
        f'{{"Statement": [{{"Effect": "Allow", "Principal": "*", "principal": {{"AWS": "{OURS}"}}, {_REST}}}]}}',
        f'{{"Statement": [{{"Effect": "Allow", "effect": "Deny", "Principal": "*", {_REST}}}]}}',
        f'{{"Statement": [{{"Effect": "Allow", "Principal": "*", {_REST}, "Condition": {_TWO_CONDITIONS}}}]}}',
        f'{{"Statement": [{{"Effect": "Allow", "Principal": "*", {_REST}}}], "Statement": []}}',
    ],
)
def test_an_element_that_occurs_twice_is_unknown(text: str) -> None:
    """Which of the two counts is not documented, so the policy is neither public nor private."""
    result = access_paths(bucket(policy=text), US, NOW)

    assert result.policy_public is None
    assert result.open == ()


def test_the_same_name_in_different_objects_is_no_repetition() -> None:
    """Every statement has an Effect."""
    text = json.dumps({"Version": "2012-10-17", "Statement": [allow(), allow({"AWS": THEIRS})]})

    assert access_paths(bucket(policy=text), US, NOW).policy_public is True
