"""A concrete request, and what a set of policies decides about it.

This is the reference that every claim about an audience is checked against: `allowed` knows nothing of audiences, it
evaluates one caller with one set of context keys, as AWS would. Source: IAM User Guide, "Policy
evaluation logic" and "AWS JSON policy elements: Principal".
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from cloudscan_s3.access import actions, conditions
from cloudscan_s3.access.actions import Action
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.policy import Principal, Statement

CallerKind = Literal["anonymous", "principal", "service", "federated"]

_KINDS: Mapping[str, CallerKind] = {"Service": "service", "Federated": "federated", "CanonicalUser": "principal"}
_ACCOUNT = re.compile(r"^\d{12}$")
_ARN_ACCOUNT = re.compile(r"^arn:[^:]*:(?:iam|sts):[^:]*:(\d{12}):(.*)$", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The caller. `names` are all the ways in which a Principal element may name exactly this caller."""

    kind: CallerKind
    account: str = ""  # 12 digits; empty for anonymous callers and services
    names: frozenset[str] = frozenset()  # ARNs, unique ids, canonical ids, service or provider names
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call. `context` contains the caller's keys and the request's own."""

    caller: Caller
    action: Action
    resource: str
    context: Mapping[str, tuple[str, ...]]


@lru_cache(maxsize=4096)
def account_of(principal: str) -> str:
    """The account that a principal's ARN or bare id belongs to; empty for text that names no account."""
    if _ACCOUNT.match(principal):
        return principal
    match = _ARN_ACCOUNT.match(principal)
    return match.group(1) if match else ""


@lru_cache(maxsize=4096)
def is_account(principal: str) -> bool:
    """Does this mean the whole account: its bare id or its root?"""
    match = _ARN_ACCOUNT.match(principal)
    return bool(_ACCOUNT.match(principal)) or (match is not None and match.group(2) == "root")


def means(principal: Principal, caller: Caller) -> bool:
    """Does a Principal entry admit this caller?"""
    value = principal.value
    if principal.kind == "AWS":
        if value == "*":
            return True
        if caller.kind != "principal":
            return False
        if value in caller.names:
            return True
        if is_account(value):
            return account_of(value) == caller.account
        # AWS refuses partial wildcards in a principal; if one is stored, it is evaluated as a pattern.
        return ("*" in value or "?" in value) and any(conditions.arn_like(value, name) for name in caller.names)
    return caller.kind == _KINDS[principal.kind] and (value == "*" or value in caller.names)


def admits(statement: Statement, caller: Caller) -> bool:
    """Does the Principal (or NotPrincipal) element admit this caller?"""
    return any(means(principal, caller) for principal in statement.principals) != statement.not_principal


def applies_to(statement: Statement, request: Request) -> bool:
    """Does every element of the statement match the request?"""
    return (
        admits(statement, request.caller)
        and actions.names_action(statement, request.action)
        and covers(statement, request.resource, request.context)
        and all(
            conditions.is_met(condition, request.context, statement.variables) for condition in statement.conditions
        )
    )


def covers(statement: Statement, resource: str, context: Context) -> bool:
    """Does the Resource (or NotResource) element cover an ARN?"""
    for raw in statement.resources:
        pattern = conditions.substitute(raw, context, statement.variables)
        if pattern is not None and conditions.like(pattern, resource):
            return not statement.not_resource
    return statement.not_resource


def allowed(statements: Iterable[Statement], request: Request) -> bool:
    """One policy's decision: something allows, nothing denies."""
    allowing = False
    for statement in statements:
        if statement.allows and allowing:
            continue
        if applies_to(statement, request):
            if not statement.allows:
                return False
            allowing = True
    return allowing
