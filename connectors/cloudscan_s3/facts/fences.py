"""Deny statements that look as if they stopped an access path, and what lets its witness by.

The first objection of a policy's author is the Deny in it. So each Deny is held against the request that gets
through, element by element (IAM User Guide, "IAM JSON policy elements reference"), and the first that does not match is
named; of the conditions, all that are not met. A Deny that is about other callers is none that anybody would expect
to help.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Final

from cloudscan.reason import Reason
from cloudscan_s3.access import actions, conditions
from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.bucket import AccessPoint, Bucket, Unread
from cloudscan_s3.access.policy import Condition, Statement, parse
from cloudscan_s3.access.request import Request, admits, covers
from cloudscan_s3.facts.writing import condition_as_written, shown

_MOST_SHOWN: Final = 6
# Callers decide these by how they call. All others are set by who they are, where they are, or by what they ask for.
_CHOSEN: Final = ("aws:referer", "aws:useragent", "aws:securetransport", "s3:x-amz-", "s3:tlsversion", "s3:prefix")


def fences(path: AccessPath, bucket: Bucket) -> Sequence[Reason]:
    """Why each Deny does not stop a path; nothing for a path that one does stop."""
    if path.denied_by or not path.witness.certain:
        return ()
    return tuple(islice(_fences(path, bucket), _MOST_SHOWN))


def _fences(path: AccessPath, bucket: Bucket) -> Iterator[Reason]:
    request = path.witness.request
    point = path.access_point
    if point is not None:
        for statement in _denials(point.policy):
            yield from _why_not(statement, request, path, "s3-fence")
        request = _behind(request, point, bucket)
    for statement in _denials(bucket.policy):
        yield from _why_not(statement, request, path, "s3-fence" if point is None else "s3-bucket-fence")


def _denials(policy: str | Unread | None) -> Sequence[Statement]:
    return _parsed(policy) if isinstance(policy, str) else ()


@lru_cache(maxsize=64)
def _parsed(policy: str) -> Sequence[Statement]:
    return parse(policy).denies


def _behind(request: Request, point: AccessPoint, bucket: Bucket) -> Request:
    """The request to an access point, as the policy of the bucket behind it sees it."""
    root = f"arn:{bucket.partition}:s3:::{bucket.name}"
    objects = f"{point.arn}/object/"
    on_object = request.resource.startswith(objects)
    context = {
        **request.context,
        "aws:resourceaccount": (bucket.account,),
        "s3:resourceaccount": (bucket.account,),
    }
    resource = f"{root}/{request.resource.removeprefix(objects)}" if on_object else root
    return replace(request, resource=resource, context=context)


def _why_not(statement: Statement, request: Request, path: AccessPath, code: str) -> Iterator[Reason]:
    """What of a Deny the witness does not match."""
    values = {"statement": str(statement.number)}
    if not admits(statement, request.caller):
        if statement.not_principal:
            names = shown([principal.value for principal in statement.principals])
            yield Reason(code=f"{code}-exempts-callers", values={**values, "principals": names})
        return
    if not actions.names_action(statement, request.action):
        if _is_about(statement, path):
            denied = {"actions": shown(statement.actions), "action": request.action.name}
            element = "spares-actions" if statement.not_action else "other-actions"
            yield Reason(code=f"{code}-{element}", values={**values, **denied})
        return
    if not covers(statement, request.resource, request.context):
        element = "spares-resources" if statement.not_resource else "other-resources"
        yield Reason(code=f"{code}-{element}", values={**values, "resources": shown(statement.resources)})
        return
    for condition in statement.conditions:
        if not conditions.is_met(condition, request.context, statement.variables):
            element, given = _why_not_met(condition, request)
            written = {"condition": condition_as_written(condition), "key": condition.spelling}
            yield Reason(code=f"{code}-{element}", values={**values, **written, **given})


def _is_about(statement: Statement, path: AccessPath) -> bool:
    """Does a Deny name another of the actions that the path is about?"""
    capability = path.witness.request.action.capability
    return any(
        action.capability is capability and actions.names_action(statement, action)
        for action in actions.ACTIONS
        if actions.names_action(path.statement, action)
    )


def _why_not_met(condition: Condition, request: Request) -> tuple[str, Mapping[str, str]]:
    """Why the witness does not meet a condition of a Deny, and what it carries."""
    given = request.context.get(condition.key)
    if given is None:
        return ("any-value-of-absent-key" if condition.quantifier == "any" else "absent-key"), {}
    if condition.operator == "Null":
        return "present-key", {}
    chosen = condition.key.startswith(_CHOSEN)
    return ("chosen-value" if chosen else "other-value"), {"given": shown(given)}
