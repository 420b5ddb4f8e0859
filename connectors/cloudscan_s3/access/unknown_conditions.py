"""Conditions of which nobody can say from outside whether they are met.

Some are on keys that the target sets and that could not be read: a bucket's tags, its organisation. Others are patterns
of ARNs with fewer than six parts, of which AWS does not say what they match (IAM User Guide, "IAM JSON policy elements:
Condition operators": "each of the six colon-delimited components of the ARN is checked separately"). The caller has no
say in either. So a statement is judged twice: as if every such condition suited the caller, and as if none did.
"""

from dataclasses import replace

from cloudscan_s3.access import conditions
from cloudscan_s3.access.policy import Condition, Statement
from cloudscan_s3.access.targets import PolicyLayer, PolicyTarget


def unknown_conditions(statement: Statement, target: PolicyTarget) -> tuple[Condition, ...]:
    """The conditions of a statement of which it is not known whether they are met."""
    return tuple(condition for condition in statement.conditions if _is_unknown(condition, target))


def without_unknown(statement: Statement, target: PolicyTarget) -> Statement:
    """The statement as if all conditions of which that is not known were met."""
    unknown = unknown_conditions(statement, target)
    if not unknown:
        return statement
    kept = (met for one in statement.conditions for met in (_as_if_met(one) if one in unknown else (one,)))
    return replace(statement, conditions=tuple(kept))


def _as_if_met(condition: Condition) -> tuple[Condition, ...]:
    """What is known all the same: a pattern matches nothing where the request lacks the key."""
    return conditions.key_presence(condition) if is_short_pattern(condition) else ()


def suiting(layer: PolicyLayer) -> PolicyLayer:
    """The layer as if all that is not known suited the caller."""
    return _resolved(layer, applying=True)


def opposing(layer: PolicyLayer) -> PolicyLayer:
    """The layer as if nothing that is not known suited the caller."""
    return _resolved(layer, applying=False)


def _resolved(layer: PolicyLayer, *, applying: bool) -> PolicyLayer:
    """`applying`: whether an Allow with such a condition applies; a Deny does the opposite."""
    if not any(unknown_conditions(statement, layer.target) for statement in layer.statements):
        return layer
    statements = tuple(
        without_unknown(statement, layer.target)
        for statement in layer.statements
        if statement.allows == applying or not unknown_conditions(statement, layer.target)
    )
    return replace(layer, statements=statements)


def is_short_pattern(condition: Condition) -> bool:
    """Does a condition compare ARNs with a pattern that has fewer than six parts?"""
    return condition.operator.startswith("Arn") and any(
        conditions.is_wild(value) and value.strip("*") and value.count(":") < 5 for value in condition.values
    )


def _is_unknown(condition: Condition, target: PolicyTarget) -> bool:
    if is_short_pattern(condition):
        return True
    if not target.unread_keys:
        return False
    compared = (name for name in conditions.variables_of(condition) if name not in target.context)
    return any(map(target.is_unread, (condition.key, *compared)))
