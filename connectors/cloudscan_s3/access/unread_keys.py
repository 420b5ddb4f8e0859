"""Conditions on keys that the target sets and that could not be read: a bucket's tags, its organisation.

Such a condition may be met or not; the caller has no say in it. So a statement is judged twice: as if every such
condition suited the caller, and as if none did.
"""

from dataclasses import replace

from cloudscan_s3.access import conditions
from cloudscan_s3.access.policy import Condition, Statement
from cloudscan_s3.access.targets import PolicyLayer, PolicyTarget


def unread_keys(statement: Statement, target: PolicyTarget) -> tuple[str, ...]:
    """The keys, as written, that decide about a statement and that could not be read."""
    return tuple(
        dict.fromkeys(condition.spelling for condition in statement.conditions if _is_unread(condition, target))
    )


def without_unread(statement: Statement, target: PolicyTarget) -> Statement:
    """The statement as if all conditions on unread keys were met."""
    if not target.unread_keys:
        return statement
    known = tuple(condition for condition in statement.conditions if not _is_unread(condition, target))
    return replace(statement, conditions=known)


def suiting(layer: PolicyLayer) -> PolicyLayer:
    """The layer as if all that could not be read suited the caller."""
    return _resolved(layer, applying=True)


def opposing(layer: PolicyLayer) -> PolicyLayer:
    """The layer as if nothing that could not be read suited the caller."""
    return _resolved(layer, applying=False)


def _resolved(layer: PolicyLayer, *, applying: bool) -> PolicyLayer:
    """`applying`: whether an Allow on an unread key applies; a Deny does the opposite."""
    if not layer.target.unread_keys:
        return layer
    statements = tuple(
        without_unread(statement, layer.target)
        for statement in layer.statements
        if statement.allows == applying or not unread_keys(statement, layer.target)
    )
    return replace(layer, statements=statements)


def _is_unread(condition: Condition, target: PolicyTarget) -> bool:
    compared = (name for name in conditions.variables_of(condition) if name not in target.context)
    return any(map(target.is_unread, (condition.key, *compared)))
