"""One concrete request against a policy, by the plainest reading of AWS's pages.

No solver and no sets: every key has a value or is absent. A witness that the solver finds has to get in here too, and
a caller made by chance who gets in here is one whom the solver may not prove away.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from tests.connectors.s3.oracle.callers import PRINCIPAL_TYPES, Case, Identity, Network, Through
from tests.connectors.s3.oracle.formulas import Doubts, listed, moment, text_of
from tests.connectors.s3.oracle.questions import Witness

Json = Mapping[str, Any]

_SOMEBODY = {
    Identity.USER: "arn:aws:iam::909090909090:user/somebody",
    Identity.ROLE: "arn:aws:iam::909090909090:role/somebody",
    Identity.ROOT: "arn:aws:iam::909090909090:root",
    Identity.FEDERATED: "arn:aws:sts::909090909090:federated-user/somebody",
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked, and every key that comes with it, in lower case."""

    action: str
    resource: str
    signed: bool
    keys: Mapping[str, str]


def request_of(witness: Witness) -> Request:
    """The request that a witness stands for; what the solver left open is filled in."""
    case, values = witness.case, witness.values
    keys = {**_of_caller(case, values), **_of_network(case, values), **_of_call(case, values)}
    listing = case.action == "s3:ListBucket"
    bucket = f"arn:aws:s3:::{case.bucket}"
    resource = bucket if listing else str(values.get("resource", f"{bucket}/any"))
    return Request(action=case.action, resource=resource, signed=case.signed, keys=keys)


Values = Mapping[str, str | int | bool]


def _of_caller(case: Case, values: Values) -> dict[str, str]:
    keys = {"aws:principaltype": PRINCIPAL_TYPES[case.identity]}
    if case.identity is Identity.ANONYMOUS:
        return {**keys, "aws:principalaccount": "anonymous", "aws:userid": "anonymous"}
    arn = str(values.get("arn", _SOMEBODY[case.identity]))
    account, name = arn.split(":")[4], arn.rsplit("/", 1)[-1]
    keys |= {"aws:principalarn": arn, "aws:principalaccount": account, "aws:principalisawsservice": "false"}
    keys["aws:userid"] = {
        Identity.USER: str(values.get("userid", "AIDA" + 17 * "A")),
        Identity.ROLE: str(values.get("userid", "AROA" + 17 * "A" + ":session")),
        Identity.ROOT: account,
        Identity.FEDERATED: f"{account}:{name}",
    }[case.identity]
    if case.identity is Identity.USER:
        keys["aws:username"] = name
    if values.get("organisation present"):
        keys |= _organisation("aws:principal", str(values["organisation"]))
    if values.get("mfa present"):
        keys["aws:multifactorauthpresent"] = "true" if values.get("mfa") else "false"
    return keys


def _of_network(case: Case, values: Values) -> dict[str, str]:
    if case.network is Network.INTERNET:
        return {"aws:sourceip": _address(values.get("address", "203.0.113.9"), IPv4Address)}
    if case.network is Network.INTERNET_6:
        return {"aws:sourceip": _address(values.get("address", "2001:db8::9"), IPv6Address)}
    vpc = str(values.get("vpc", "arn:aws:ec2:eu-west-1:909090909090:vpc/vpc-99999999"))
    keys = {
        "aws:vpcsourceip": _address(values.get("address in a VPC", "10.9.9.9"), IPv4Address),
        "aws:sourcevpcarn": vpc,
        "aws:sourcevpc": vpc.rsplit("/", 1)[1],
        "aws:vpceaccount": vpc.split(":")[4],
        "aws:sourcevpce": str(values.get("endpoint", "vpce-99999999")),
    }
    if values.get("organisation of the endpoint present"):
        keys |= _organisation("aws:vpce", str(values["organisation of the endpoint"]))
    return keys


def _of_call(case: Case, values: Values) -> dict[str, str]:
    keys = {
        "aws:securetransport": "true" if values.get("secure", True) else "false",
        "aws:currenttime": case.now.isoformat(),
        "aws:epochtime": str(int(case.now.timestamp())),
        "aws:resourceaccount": case.account,
    }
    if case.organisation:
        keys["aws:resourceorgid"] = case.organisation
    for name, value in values.items():
        if ":" in name and values.get(f"{name} present"):
            keys[name] = str(value)
    if case.through is not Through.DIRECT:
        point = str(values.get("access point", f"arn:aws:s3:{case.region}:909090909090:accesspoint/somebody"))
        keys |= {
            "s3:dataaccesspointarn": point,
            "s3:dataaccesspointaccount": point.split(":")[4],
            "s3:accesspointnetworkorigin": "VPC" if case.through is Through.VPC_ACCESS_POINT else "Internet",
        }
    return keys


def _organisation(prefix: str, path: str) -> dict[str, str]:
    return {f"{prefix}orgpaths": path, f"{prefix}orgid": path.split("/", maxsplit=1)[0]}


def _address(value: str | int | bool, family: type[IPv4Address | IPv6Address]) -> str:
    return value if isinstance(value, str) else str(family(value))


# ---------------------------------------------------------------------------------------------------- the evaluation


def gets_in(policy: Json, request: Request, doubts: Doubts) -> bool:
    """Does some Allow match, and no Deny?"""
    matching = {
        statement["Effect"]
        for statement in listed(policy["Statement"])
        if _matches(statement, request, doubts, with_variables=policy.get("Version") == "2012-10-17")
    }
    return matching == {"Allow"}


def _matches(statement: Json, request: Request, doubts: Doubts, *, with_variables: bool) -> bool:
    if not _listed(statement, "Action", request.action.lower(), lower=True):
        return False
    if not _listed(statement, "Resource", request.resource, lower=False):
        return False
    if "NotPrincipal" in statement:
        if _excepted(statement["NotPrincipal"], request, doubts):
            return False
    elif not any(_is(value, request) for value in _arns(statement["Principal"])):
        return False
    return all(
        _meets(operator, key.lower(), [text_of(each) for each in listed(values)], request.keys, doubts, with_variables)
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def _listed(statement: Json, element: str, value: str, *, lower: bool) -> bool:
    negated = f"Not{element}" in statement
    patterns = listed(statement[f"Not{element}" if negated else element])
    return any(_like(each.lower() if lower else each, value) for each in patterns) != negated


def _arns(element: Any) -> list[str]:
    return ["*"] if element == "*" else listed(element.get("AWS", []))


def _excepted(element: Any, request: Request, doubts: Doubts) -> bool:
    accounts = [each for each in _arns(element) if re.search(r"^\d{12}$|:root$", each)]
    others = [each for each in _arns(element) if each not in accounts]
    by_account, by_name = any(_is(each, request) for each in accounts), any(_is(each, request) for each in others)
    return (by_account and by_name) if doubts.not_principal_needs_both else (by_account or by_name)


def _is(principal: str, request: Request) -> bool:
    if principal == "*":
        return True
    if not request.signed:
        return False
    arn = request.keys["aws:principalarn"]
    whole = re.fullmatch(r"(?:arn:aws:iam::)?(\d{12})(?::root)?", principal)
    if whole:
        return whole[1] == request.keys["aws:principalaccount"]
    if ":assumed-role/" in principal:
        role, session = arn.rsplit("/", 1)[-1], request.keys["aws:userid"].partition(":")[2]
        account = request.keys["aws:principalaccount"]
        return ":role/" in arn and principal == f"arn:aws:sts::{account}:assumed-role/{role}/{session}"
    return principal == arn


def _meets(
    operator: str, key: str, values: list[str], keys: Mapping[str, str], doubts: Doubts, with_variables: bool
) -> bool:
    quantifier, _, name = operator.rpartition(":")
    base = name.removesuffix("IfExists").lower()
    if base == "null":
        return any((key not in keys) == (each.lower() == "true") for each in values)
    negated = base.replace("ignorecase", "").startswith(("stringnot", "arnnot", "notip", "numericnot", "datenot"))
    if key not in keys:
        if name.endswith("IfExists") or quantifier == "ForAllValues":
            return True
        return negated and quantifier != "ForAnyValue"
    if key.endswith("orgpaths") and not quantifier and not doubts.several_values_as_one:
        return negated or name.endswith("IfExists")
    positive = base.replace("not", "", 1) if negated else base
    put_in = [_put_in(each, keys) if with_variables and positive[0] in "sab" else each for each in values]
    found = any(_equal(positive, each, keys[key], doubts) for each in put_in if each is not None)
    return found != negated


def _put_in(text: str, keys: Mapping[str, str]) -> str | None:
    """A text with its variables put in, their letters protected from being read as wildcards; None: one has none."""
    made = text
    for whole, name, default in re.findall(r"(\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)')?\s*\})", text):
        value = name if name in {"*", "?", "$"} else keys.get(name.lower(), default or None)
        if value is None:
            return None
        made = made.replace(whole, value.replace("*", "\1").replace("?", "\2"))
    return made


def _equal(operator: str, text: str, value: str, doubts: Doubts) -> bool:
    if operator == "ipaddress":
        return ip_address(value) in ip_network(text, strict=False)
    if operator.startswith("numeric"):
        return _compare(operator.removeprefix("numeric"), float(value), float(text))
    if operator.startswith("date"):
        return _compare(operator.removeprefix("date"), _moment(value), _moment(text))
    if operator == "stringlike":
        return _like(text, value)
    if operator.startswith("arn"):
        wanted, found = text.split(":", 5), value.split(":", 5)
        if len(wanted) < 6:
            return doubts.star_spans_parts and "*" in text and _like(text, value)
        return len(found) == 6 and all(_like(*pair) for pair in zip(wanted, found, strict=True))
    plain = text.replace("\1", "*").replace("\2", "?")
    return plain == value if operator == "stringequals" else plain.lower() == value.lower()


def _moment(text: str) -> datetime:
    return moment(text).astimezone(UTC)


def _compare(comparison: str, left: Any, right: Any) -> bool:
    if comparison.endswith("equals") and left == right:
        return True
    return bool(left < right if comparison.startswith("less") else left > right if comparison[0] == "g" else False)


def _like(pattern: str, value: str) -> bool:
    """Greedy matching with one star remembered, as shells do it."""
    place = star = mark = 0
    at, starred = 0, False
    while at < len(value):
        wanted = pattern[place] if place < len(pattern) else ""
        if wanted == "*":
            star, mark, starred = place, at, True
            place += 1
        elif wanted == "?" or (wanted and wanted.replace("\1", "*").replace("\2", "?") == value[at]):
            place, at = place + 1, at + 1
        elif starred:
            mark += 1
            place, at = star + 1, mark
        else:
            return False
    return pattern[place:].strip("*") == ""
