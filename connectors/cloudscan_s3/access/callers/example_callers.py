"""Concrete callers with the context keys that AWS sets for them.

Source: IAM User Guide, "AWS global condition context keys" and "IAM JSON policy elements: Variables and tags"
(section "Where you can use policy variables", the table of principal types).
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.request import Caller

CALLER_ARN = re.compile(
    r"^arn:[^:*?]+:(?:iam|sts)::(\d{12}):(root|user/.+|role/.+|assumed-role/.+/.+|federated-user/.+)$", re.DOTALL
)
ROLE_ID = "AROA0STRANGERS000000X"  # of the role that an example's session has
_USER_ID = "AIDA0STRANGERS000000X"

_PRINCIPAL_TYPES: Mapping[str, str] = {
    "root": "Account",
    "user": "User",
    "role": "AssumedRole",
    "assumed-role": "AssumedRole",
    "federated-user": "FederatedUser",
}


def anonymous() -> Caller:
    """A caller who does not sign requests, and so has no keys but the few that every request has."""
    context = {
        "aws:principalaccount": ("anonymous",),
        "aws:userid": ("anonymous",),
        "aws:principaltype": ("Anonymous",),
        "aws:viaawsservice": ("false",),
    }
    return Caller(kind="anonymous", context=context)


def signed_caller(arn: str, organisation: str, path: str = "") -> Caller:
    """A caller who signs requests: a user, role, session or root of an account.

    `organisation` is the id of the account's organisation (empty: none), `path` the account's path in it.
    """
    match = CALLER_ARN.match(arn)
    account, tail = (match.group(1), match.group(2)) if match else ("", "")
    kind, _, name = tail.partition("/")
    names = {arn}
    context: dict[str, tuple[str, ...]] = {
        "aws:principalaccount": (account,),
        "aws:principalarn": (arn,),
        "aws:principalisawsservice": ("false",),
        "aws:principaltype": (_PRINCIPAL_TYPES.get(kind, "User"),),
    }
    if kind == "assumed-role":
        role, _, session = name.partition("/")
        names.add(f"arn:aws:iam::{account}:role/{role}")
        context["aws:principalarn"] = (f"arn:aws:iam::{account}:role/{role}",)
        context["aws:userid"] = (f"{ROLE_ID}:{session}",)
    elif kind == "role":
        context["aws:userid"] = (f"{ROLE_ID}:session",)
    elif kind == "root":
        context["aws:userid"] = (account,)
    else:
        context["aws:userid"] = (_USER_ID,)
        context["aws:username"] = (name.rpartition("/")[2],)
    if organisation:
        context["aws:principalorgid"] = (organisation,)
        context["aws:principalorgpaths"] = (path or example_path(organisation),)
    return Caller(kind="principal", account=account, names=frozenset(names), context=context)


def with_user_id(caller: Caller, user_id: str) -> Caller:
    """The same caller under another aws:userid: in another session, or under another unique id."""
    return replace(caller, context={**caller.context, "aws:userid": (user_id,)})


def service_caller(name: str, source: Context) -> Caller:
    """An AWS service that calls on behalf of a source."""
    context = {
        # In the context of all requests, as AWS says; it does not say which account that is for a service.
        "aws:principalaccount": ("service",),
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (name,),
        "aws:principalservicenameslist": (name,),
        **source,
    }
    return Caller(kind="service", names=frozenset({name}), context=context)


def source_keys(account: str, arn: str, organisation: str, path: str = "") -> Context:
    """The keys that say on whose behalf a service calls; `path` is the account's in its organisation."""
    context = {
        "aws:sourceaccount": (account,),
        "aws:sourceowner": (account,),
        "aws:sourcearn": (arn,),
    }
    if organisation:
        context["aws:sourceorgid"] = (organisation,)
        context["aws:sourceorgpaths"] = (path or example_path(organisation),)
    return context


def example_path(organisation: str) -> str:
    """The path of an organisational unit that no policy mentions."""
    return f"{organisation}/r-0000/ou-0000-00000000/"
