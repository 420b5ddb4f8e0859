"""Bucket policies by chance, rich in patterns: over who calls, from which network, through which access point.

Everything is drawn from a `random.Random`, so that a seed is always the same policy. Hypothesis draws the seed.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.connectors.s3.buckets import (
    KEYS,
    OBJECTS,
    OTHER_ORGANISATION,
    OUR_ORGANISATION,
    OURS,
    PARTNER,
    SISTER,
    THEIRS,
)

Json = dict[str, Any]

ACCOUNTS = (OURS, SISTER, THEIRS, THEIRS, PARTNER, "777766665555", "777766665555")
ORGANISATIONS = (OUR_ORGANISATION, OTHER_ORGANISATION, OTHER_ORGANISATION, "o-zz98yy76xx")
ROOTS_AND_UNITS = ("r-ab12", "r-ab12/ou-ab12-11111111", "r-ab12/ou-ab12-11111111/ou-ab12-22222222")
NAMES = ("backup", "nightly-backup", "ci-runner", "Admin", "app", "n1")
PATHS = ("", "", "", "service/", "team/data/", "aws-reserved/sso.amazonaws.com/")
ROLE_IDS = ("AROAQQQQWWWWEEEERRRRT", "AROAABCDEFGHIJKLMNOPQ")
USER_IDS = ("AIDAQQQQWWWWEEEERRRRT",)
ENDPOINTS = ("vpce-1a2b3c4d", "vpce-0a1b2c3d4e5f67890", "vpce-9f8e7d6c")
VPCS = ("vpc-1a2b3c4d", "vpc-0a1b2c3d4e5f67890")
FREE_TEXTS = ("https://example.com/", "secret", "https://www.example.org/page", "x")


def policy_of(seed: int) -> Json:
    """The policy of a seed."""
    return random_policy(random.Random(seed))


policies = st.integers(min_value=0, max_value=2**32 - 1).map(policy_of)


def random_policy(chance: random.Random) -> Json:
    """One Allow or two, and up to two Deny; at least one of them with a condition."""
    action, resource = chance.choice(
        (
            ("s3:GetObject", OBJECTS),
            ("s3:GetObject", OBJECTS),
            ("s3:GetObject", "arn:aws:s3:::b/open/*"),
            ("s3:GetObject", "arn:aws:s3:::*/*.jpg"),
            ("s3:PutObject", OBJECTS),
            ("s3:ListBucket", KEYS),
        )
    )
    statements = [_permission(chance, action, resource) for _ in range(chance.choice((1, 1, 1, 2)))]
    if chance.random() < 0.5:
        statements += [_denial(chance, action, resource) for _ in range(chance.choice((1, 1, 2)))]
        if chance.random() < 0.5:
            del statements[0]["Condition"]
    return {"Version": "2012-10-17", "Statement": statements}


def _permission(chance: random.Random, action: str, resource: str) -> Json:
    return {
        "Effect": "Allow",
        "Principal": _principal(chance),
        "Action": action,
        "Resource": resource,
        "Condition": _conditions(chance, chance.choice((1, 1, 2, 2, 3)), denying=False),
    }


def _denial(chance: random.Random, action: str, resource: str) -> Json:
    statement: Json = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": chance.choice((action, "s3:*")),
        "Resource": resource,
    }
    if chance.random() < 0.08:
        del statement["Principal"]
        statement["NotPrincipal"] = {"AWS": _principals(chance)}
        return statement
    statement["Condition"] = _conditions(chance, chance.choice((1, 1, 1, 2)), denying=True)
    return statement


def _principal(chance: random.Random) -> Any:
    return "*" if chance.random() < 0.8 else {"AWS": _principals(chance)}


def _principals(chance: random.Random) -> list[str]:
    made = []
    for _ in range(chance.choice((1, 1, 2))):
        account, name = chance.choice(ACCOUNTS), chance.choice(NAMES)
        made.append(
            chance.choice(
                (
                    account,
                    f"arn:aws:iam::{account}:root",
                    f"arn:aws:iam::{account}:role/{chance.choice(PATHS)}{name}",
                    f"arn:aws:iam::{account}:user/{name}",
                    f"arn:aws:sts::{account}:assumed-role/{name}/{chance.choice(NAMES)}",
                    f"arn:aws:sts::{account}:federated-user/{name}",
                    chance.choice((*ROLE_IDS, *USER_IDS)),
                )
            )
        )
    return made


def _conditions(chance: random.Random, number: int, *, denying: bool) -> Json:
    made: Json = {}
    for _ in range(number):
        operator, key, values = chance.choice(_CONDITIONS)(chance, denying)
        made.setdefault(operator, {}).setdefault(key, values)
    return made


# ------------------------------------------------------------------------------------------------ one key at a time

Condition = tuple[str, str, list[str]]


def _text(
    chance: random.Random, denying: bool, key: str, value: Callable[[random.Random], str], *, arn: bool = False
) -> Condition:
    """A condition of text on a key: one or several patterns, now and then one that is not met, or only if it exists."""
    negated = chance.random() < (0.75 if denying else 0.15)
    family = "Arn" if arn and chance.random() < 0.5 else "String"
    patterns = [_pattern(chance, value(chance)) for _ in range(chance.choice((1, 1, 1, 2)))]
    like = any(each for each in patterns if "*" in each or "?" in each) or chance.random() < 0.5
    operator = f"{family}{'Not' if negated else ''}{'Like' if like else 'Equals'}"
    if operator.startswith("String") and not like and chance.random() < 0.3:
        operator += "IgnoreCase"
        patterns = [each.swapcase() for each in patterns]
    if chance.random() < 0.12:
        operator += "IfExists"
    if chance.random() < 0.08:
        operator = f"{chance.choice(('ForAnyValue', 'ForAllValues'))}:{operator}"
    return operator, key, patterns


def _pattern(chance: random.Random, text: str) -> str:
    """A value with a piece left out, in one of the ways in which people do so."""
    if not text:
        return "*"
    start = chance.randrange(len(text))
    stop = chance.randrange(start, len(text)) + 1
    return chance.choice(
        (
            lambda: text,
            lambda: text[:stop] + "*",
            lambda: "*" + text[start:],
            lambda: "*" + text[start:stop] + "*",
            lambda: text[:start] + "*" + text[stop:],
            lambda: text[:start] + "*" + text[stop:],
            lambda: text[:start] + "?" + text[start + 1 :],
            lambda: text[:start] + "*" + text[start:stop] + "?" + text[stop:],
            lambda: text.replace(":", "", 1) if chance.random() < 0.5 else text.replace("::", ":", 1),
            lambda: text.rsplit(":", 1)[0] + chance.choice(("", "*", ":*")),
        )
    )()


def _arn(chance: random.Random) -> str:
    account, name, path = chance.choice((*ACCOUNTS, "*", "*")), chance.choice(NAMES), chance.choice(PATHS)
    return chance.choice(
        (
            f"arn:aws:iam::{account}:role/{path}{name}",
            f"arn:aws:iam::{account}:role/{path}{name}",
            f"arn:aws:iam::{account}:role*",
            f"arn:aws:iam::{account}:user/{path}{name}",
            f"arn:aws:iam::{account}:root",
            f"arn:aws:iam::{account}:*",
            f"arn:aws:iam:*:role/{name}",
            f"arn:aws:sts::{account}:federated-user/{name}",
            f"arn:aws:sts::{account}:assumed-role/{name}/{chance.choice(NAMES)}",
        )
    )


def _principal_arn(chance: random.Random, denying: bool) -> Condition:
    return _text(chance, denying, "aws:PrincipalArn", _arn, arn=True)


def _account(chance: random.Random, denying: bool) -> Condition:
    return _text(
        chance,
        denying,
        chance.choice(("aws:PrincipalAccount", "aws:PrincipalAccount", "AWS:principalaccount")),
        lambda chance: chance.choice((*ACCOUNTS, "anonymous")),
    )


def _user_id(chance: random.Random, denying: bool) -> Condition:
    def value(chance: random.Random) -> str:
        session, account = chance.choice(NAMES), chance.choice(ACCOUNTS)
        return chance.choice(
            (
                f"{chance.choice(ROLE_IDS)}:{session}",
                f"{chance.choice(ROLE_IDS)}:*",
                f"*:{session}",
                chance.choice(USER_IDS),
                f"{account}:{session}",
                account,
                "anonymous",
            )
        )

    return _text(chance, denying, "aws:userid", value)


def _username(chance: random.Random, denying: bool) -> Condition:
    return _text(chance, denying, "aws:username", lambda chance: chance.choice(NAMES))


def _principal_type(chance: random.Random, denying: bool) -> Condition:
    kinds = ("User", "AssumedRole", "Account", "FederatedUser", "Anonymous")
    return _text(chance, denying, "aws:PrincipalType", lambda chance: chance.choice(kinds))


def _organisation(chance: random.Random, denying: bool) -> Condition:
    return _text(chance, denying, "aws:PrincipalOrgID", lambda chance: chance.choice(ORGANISATIONS))


def _path(chance: random.Random) -> str:
    return f"{chance.choice(ORGANISATIONS)}/{chance.choice(ROOTS_AND_UNITS)}/"


def _organisation_path(chance: random.Random, denying: bool) -> Condition:
    operator, key, values = _text(chance, denying, "aws:PrincipalOrgPaths", _path)
    base = operator.partition(":")[2] or operator
    return f"{chance.choice(('ForAnyValue', 'ForAnyValue', 'ForAllValues'))}:{base}", key, values


def _tag(chance: random.Random, denying: bool) -> Condition:
    return _text(chance, denying, "aws:PrincipalTag/team", lambda chance: chance.choice(("data", "data-eng", "ops")))


def _address_text(chance: random.Random, denying: bool) -> Condition:
    texts = ("203.0.113.7", "198.51.100.88", "52.88.1.1", "10.1.2.3")
    operator, key, _ = _text(chance, denying, "aws:SourceIp", lambda chance: chance.choice(texts))
    values = chance.choice(
        (["203.0.113.*"], ["*.88.*"], ["52.*"], ["10.*"], ["*.113.7"], ["5?.88.*"], ["198.51.100.8?"], ["52.88.1.1"],
         ["300.*"], ["*:*"], ["52.*.1"], ["203.0.113.*", "198.51.*"])
    )  # fmt: skip
    return operator.replace("Equals", "Like"), key, values


def _range(chance: random.Random, denying: bool) -> Condition:
    negated = chance.random() < (0.75 if denying else 0.2)
    ranges = ("203.0.113.0/24", "198.51.100.0/24", "52.0.0.0/8", "0.0.0.0/0", "10.0.0.0/8", "2001:db8::/48", "::/0",
              "203.0.113.7", "192.168.0.0/16", "128.0.0.0/1", "52.88.0.0/16")  # fmt: skip
    operator = f"{'Not' if negated else ''}IpAddress{chance.choice(('', '', '', 'IfExists'))}"
    return operator, "aws:SourceIp", chance.sample(ranges, chance.choice((1, 1, 2)))


def _endpoint(chance: random.Random, denying: bool) -> Condition:
    return _text(chance, denying, "aws:SourceVpce", lambda chance: chance.choice(ENDPOINTS))


def _vpc(chance: random.Random, denying: bool) -> Condition:
    return _text(chance, denying, "aws:SourceVpc", lambda chance: chance.choice(VPCS))


def _vpc_arn(chance: random.Random, denying: bool) -> Condition:
    def value(chance: random.Random) -> str:
        return f"arn:aws:ec2:{chance.choice(('eu-west-1', '*'))}:{chance.choice(ACCOUNTS)}:vpc/{chance.choice(VPCS)}"

    return _text(chance, denying, "aws:SourceVpcArn", value, arn=True)


def _endpoint_owner(chance: random.Random, denying: bool) -> Condition:
    kind = chance.random()
    if kind < 0.5:
        return _text(chance, denying, "aws:VpceAccount", lambda chance: chance.choice(ACCOUNTS))
    if kind < 0.8:
        return _text(chance, denying, "aws:VpceOrgID", lambda chance: chance.choice(ORGANISATIONS))
    operator, key, values = _text(chance, denying, "aws:VpceOrgPaths", _path)
    return f"ForAnyValue:{operator.rpartition(':')[2]}", key, values


def _access_point(chance: random.Random, denying: bool) -> Condition:
    def value(chance: random.Random) -> str:
        name = chance.choice(("reports", "ap-*", "*"))
        return f"arn:aws:s3:{chance.choice(('eu-west-1', '*'))}:{chance.choice(ACCOUNTS)}:accesspoint/{name}"

    if chance.random() < 0.6:
        return _text(chance, denying, "s3:DataAccessPointArn", value, arn=True)
    return _text(chance, denying, "s3:DataAccessPointAccount", lambda chance: chance.choice(ACCOUNTS))


def _point_origin(chance: random.Random, denying: bool) -> Condition:
    return _text(chance, denying, "s3:AccessPointNetworkOrigin", lambda chance: chance.choice(("VPC", "Internet")))


def _of_the_call(chance: random.Random, denying: bool) -> Condition:
    return _text(
        chance, denying, chance.choice(("aws:Referer", "aws:UserAgent")), lambda chance: chance.choice(FREE_TEXTS)
    )


def _switch(chance: random.Random, denying: bool) -> Condition:
    key = chance.choice(("aws:SecureTransport", "aws:MultiFactorAuthPresent", "aws:PrincipalIsAWSService"))
    return chance.choice(("Bool", "Bool", "BoolIfExists")), key, [chance.choice(("true", "false"))]


def _is_there(chance: random.Random, denying: bool) -> Condition:
    keys = ("aws:PrincipalArn", "aws:PrincipalOrgID", "aws:username", "aws:userid", "aws:SourceIp", "aws:SourceVpce",
            "aws:Referer", "aws:PrincipalTag/team", "s3:DataAccessPointAccount", "aws:PrincipalAccount")  # fmt: skip
    return "Null", chance.choice(keys), [chance.choice(("true", "false"))]


def _moment(chance: random.Random, denying: bool) -> Condition:
    operator = chance.choice(("DateLessThan", "DateGreaterThan", "DateGreaterThanEquals", "DateLessThanEqualsIfExists"))
    return operator, "aws:CurrentTime", [chance.choice(("2019-05-01T00:00:00Z", "2030-01-01T00:00:00Z", "2026"))]


def _of_a_listing(chance: random.Random, denying: bool) -> Condition:
    if chance.random() < 0.5:
        return _text(chance, denying, "s3:prefix", lambda chance: chance.choice(("open/", "home/backup/")))
    operator = chance.choice(
        ("NumericLessThan", "NumericGreaterThanEquals", "NumericEquals", "NumericLessThanIfExists")
    )
    return operator, "s3:max-keys", [chance.choice(("0", "10", "1000"))]


def _variable(chance: random.Random, denying: bool) -> Condition:
    negated = "Not" if chance.random() < (0.75 if denying else 0.1) else ""
    return chance.choice(
        (
            (f"String{negated}Equals", "aws:PrincipalAccount", ["${aws:ResourceAccount}"]),
            (f"String{negated}Equals", "aws:PrincipalOrgID", ["${aws:ResourceOrgID}"]),
            (f"Arn{negated}Like", "aws:PrincipalArn", ["arn:aws:iam::${aws:ResourceAccount}:role/*"]),
            (f"String{negated}Like", "aws:PrincipalArn", ["*:${aws:PrincipalAccount}:role/backup"]),
            (f"String{negated}Equals", "aws:PrincipalTag/team", ["${aws:username}"]),
            (f"String{negated}Equals", "aws:VpceAccount", ["${aws:PrincipalAccount}"]),
            (f"String{negated}Like", "aws:userid", ["*:${aws:PrincipalTag/team}"]),
        )
    )


_WEIGHTED: Sequence[tuple[int, Callable[[random.Random, bool], Condition]]] = (
    (8, _principal_arn),
    (4, _user_id),
    (4, _account),
    (3, _organisation),
    (3, _organisation_path),
    (2, _username),
    (2, _principal_type),
    (2, _tag),
    (2, _address_text),
    (3, _range),
    (2, _endpoint),
    (2, _vpc),
    (2, _vpc_arn),
    (2, _endpoint_owner),
    (3, _access_point),
    (1, _point_origin),
    (2, _of_the_call),
    (1, _switch),
    (2, _is_there),
    (1, _moment),
    (1, _of_a_listing),
    (1, _variable),
)
_CONDITIONS = tuple(make for weight, make in _WEIGHTED for _ in range(weight))
