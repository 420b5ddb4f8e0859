"""Why an access path is open: steps from the verdict to what it rests on, each a code with its words in a catalogue.

Every step is either about something in the configuration (and says where it is) or about what that means. Names and
values that others wrote fill the words as they are; whatever prints them escapes them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cloudscan.facts import Via
from cloudscan.reason import Reason
from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.actions import Capability
from cloudscan_s3.access.bucket import Bucket, Encryption, Looked
from cloudscan_s3.access.policy import Condition, Flaw, Statement
from cloudscan_s3.access.policy_status import pins
from cloudscan_s3.access.resource_tags import is_tag
from cloudscan_s3.facts.fences import fences
from cloudscan_s3.facts.writing import NAMES_SHOWN, condition_as_written, shown

CALLERS: Final[Mapping[str, str]] = {
    "anyone": "anyone",
    "any_account": "any-account",
    "organisation": "organisation",
    "account": "account",
    "principal": "principal",
    "canonical": "canonical",
    "unique_id": "unique-id",
    "federated": "federated",
    "service": "service",
    "network": "network",
    "access_point_account": "access-point-account",
}
"""The part of a claim's code that says who, by the kind of caller."""
ANY_CUSTOMER: Final = "any-customer"
"""The same for an AWS service that any customer of AWS can make act for them."""
CAPABILITIES: Final[Mapping[Capability, str]] = {
    Capability.OBJECTS: "reads-objects",
    Capability.KEYS: "lists-names",
    Capability.WRITING: "writes-objects",
    Capability.ACCESS_RULES: "changes-access",
    Capability.CONFIGURATION: "changes-configuration",
    Capability.UPKEEP: "changes-upkeep",
    Capability.SETTINGS: "reads-settings",
    Capability.ACL: "reads-acl",
    Capability.LABELS: "reads-tags",
}
"""The part of a claim's code that says what."""
EFFECTS: Final[Mapping[bool | None, str]] = {True: "now", False: "if-unblocked", None: "perhaps"}
"""The part of a claim's code that says whether."""
KEY_STEPS: Final[Mapping[str | None, str]] = {"unusable": "s3-key-unusable", "unchecked": "s3-key-policy-unchecked"}
"""The step that says how the bucket's default key is used."""
AWS_MANAGED_KEY: Final = "aws/s3"
_CONTROL_POLICIES: Final[Mapping[Looked, str]] = {
    Looked.REFUSED: "s3-control-policies-not-looked-at",
    Looked.FAILED: "s3-control-policies-unread",
}
_LEVELS: Final[Mapping[str, str]] = {"account": "account", "bucket": "bucket", "access point": "access-point"}


def chain(path: AccessPath, bucket: Bucket) -> Sequence[Reason]:
    """The reasons for one path, from what is true to what it rests on."""
    return (
        _claim(path),
        _acl_entry(path) if path.via is Via.ACL else _statement(path),
        *_conditions(path),
        *kms(path, bucket),
        *_denials(path),
        *fences(path, bucket),
        *_delegation(path),
        *_block(path),
        *_aws_definition(path),
        _example(path),
    )


def kms(path: AccessPath, bucket: Bucket) -> Sequence[Reason]:
    """What the bucket's default key means for the callers of a path that reads objects."""
    use = key_use(path, bucket)
    if use not in KEY_STEPS or not isinstance(bucket.encryption, Encryption):
        return ()
    return (_step(KEY_STEPS[use], {"key": bucket.encryption.key or AWS_MANAGED_KEY}),)


def key_use(path: AccessPath, bucket: Bucket) -> str | None:
    """Can callers use the key under which new objects are encrypted by default? None: not known, or no matter.

    "unusable": unsigned requests can use no KMS key, and the AWS managed one serves its own account only. "unchecked":
    the key's policy decides. "false": no key stops them. Objects from before the default and those whose writer chose
    otherwise are not under it. Source: User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)".
    """
    encryption = bucket.encryption
    if not isinstance(encryption, Encryption) or path.capability is not Capability.OBJECTS or path.kind == "service":
        return None
    if not encryption.algorithm.startswith("aws:kms"):
        return "false"
    managed = (encryption.key or AWS_MANAGED_KEY).endswith(AWS_MANAGED_KEY)
    if path.witness.request.caller.kind == "anonymous" or (managed and path.crosses_accounts):
        return "unusable"
    return "false" if managed else "unchecked"


def example(path: AccessPath) -> Reason:
    """One concrete request that gets through."""
    request = path.witness.request
    compared = {condition.key for condition in path.statement.conditions}
    keys = "; ".join(
        f"{key}={', '.join(values)}"
        for key, values in request.context.items()
        if key in compared and not key.startswith("aws:principal")
    )
    values = {"request": f"{request.action.name} {request.resource}"}
    if keys:
        values["keys"] = keys
    if request.caller.kind == "anonymous":
        return _step("s3-example-unsigned-with" if keys else "s3-example-unsigned", values)
    values["signer"] = _signer(path)
    return _step("s3-example-signed-with" if keys else "s3-example-signed", values)


def unread(code: str, flaw: Flaw | None = None, *, blocked: bool = False) -> Sequence[Reason]:
    """The chain of a grant that stands for what could not be read or understood."""
    values = {"statement": str(flaw.number)} if flaw and flaw.number else {}
    return (_step(code, values), *((_step("s3-public-cut-off"),) if blocked else ()))


def _claim(path: AccessPath) -> Reason:
    who = ANY_CUSTOMER if path.kind == "service" and path.confused_deputy else CALLERS[path.kind]
    code = f"s3-{who}-{CAPABILITIES[path.capability]}-{EFFECTS[path.effective]}"
    more = len(path.names) - NAMES_SHOWN
    names = ", ".join(path.names[:NAMES_SHOWN]) + (f" (+{more})" if more > 0 else "")
    if path.acts_for:
        names = f"{names} ({path.acts_for})"
    return _step(code, {"names": names} if names else {})


def _acl_entry(path: AccessPath) -> Reason:
    statement = path.statement
    values = {"number": str(statement.number), "permission": statement.sid}
    grantee = next((principal.value for principal in statement.principals), "")
    if statement.conditions:
        return _step("s3-acl-grants-all-accounts", values)
    if grantee == "*":
        return _step("s3-acl-grants-everyone", values)
    # An account of ours is told by its number, not by the id that the ACL contains.
    account = path.names[0] if path.kind == "account" and path.names else ""
    return _step("s3-acl-grants", {**values, "grantee": account or grantee})


def _statement(path: AccessPath) -> Reason:
    statement = path.statement
    label = f' ("{statement.sid}")' if statement.sid else ""
    values = {"statement": f"{statement.number}{label}", "actions": shown(statement.actions)}
    layer = "bucket"
    if path.access_point is not None:
        layer = "access-point"
        values["point"] = path.access_point.name_for_people or path.access_point.name
    verb = "allows-all-but" if statement.not_action else "allows"
    whom = "everyone"
    if statement.not_principal or not _is_for_everyone(statement):
        whom = "all-but" if statement.not_principal else "named"
        values["principals"] = ", ".join(
            principal.value if principal.kind == "AWS" else f"{principal.kind} {principal.value}"
            for principal in statement.principals
        )
    return _step(f"s3-{layer}-policy-{verb}-{whom}", values)


def _is_for_everyone(statement: Statement) -> bool:
    return any(principal.value == "*" and principal.kind == "AWS" for principal in statement.principals)


def _conditions(path: AccessPath) -> Sequence[Reason]:
    if path.via is Via.ACL:
        return ()
    if not path.statement.conditions:
        return (_step("s3-no-condition"),)
    return tuple(_condition(condition, path) for condition in path.statement.conditions)


def _condition(condition: Condition, path: AccessPath) -> Reason:
    code = _why_met(condition, path)
    opens = {"moment": path.not_before} if code == "s3-condition-opens-later" else {}
    return _step(code, {"condition": condition_as_written(condition), **opens})


def _why_met(condition: Condition, path: AccessPath) -> str:
    """Why the witness meets a condition."""
    key = condition.key
    if condition in path.unknown_conditions:
        return "s3-condition-unknown"
    if is_tag(key) and key in path.witness.request.context:
        return "s3-condition-resource-tag"
    if key not in path.witness.request.context:
        if condition.quantifier == "all":
            return "s3-condition-absent-all-values"
        if condition.if_exists:
            return "s3-condition-absent-if-exists"
        if condition.negated:
            return "s3-condition-absent-negated"
    if pins(condition, path.statement):
        return "s3-condition-fixed"
    if key == "aws:sourceip":
        return "s3-condition-network"
    if key.startswith(("aws:principal", "aws:user", "aws:source", "s3:dataaccesspoint")):
        return "s3-condition-caller"
    if key in ("aws:currenttime", "aws:epochtime"):
        return "s3-condition-opens-later" if path.not_before else "s3-condition-open-now"
    return "s3-condition-free-choice"


def _denials(path: AccessPath) -> Iterator[Reason]:
    for denial in path.denied_by:
        values = {"statement": str(denial.statement)}
        if denial.control_policy:
            yield _step("s3-control-policy-stops", {**values, "policy": denial.control_policy})
        else:
            yield _step("s3-deny-of-bucket-stops" if denial.of_bucket_behind else "s3-deny-stops", values)
    for condition in path.unknown_conditions:
        if condition not in path.statement.conditions:
            yield _step("s3-deny-unknown", {"condition": condition_as_written(condition)})
    if path.denials_unread:
        yield _step("s3-denials-unread")
    if path.effective is not False and path.control_policies is not Looked.ALL:
        yield _step(_CONTROL_POLICIES[path.control_policies])


def _delegation(path: AccessPath) -> Sequence[Reason]:
    if path.access_point is None:
        return ()
    if path.not_delegated:
        return (_step("s3-bucket-does-not-delegate"),)
    return (_step("s3-bucket-delegates"),) if path.effective else ()


def _block(path: AccessPath) -> Iterator[Reason]:
    switch = path.block_switch
    if switch is None:
        yield _step("s3-block-does-not-matter")
        return
    values = {"switch": switch.name}
    if switch.levels:
        yield from (_step(f"s3-block-on-{_LEVELS[level]}", values) for level in switch.levels)
    elif switch.unread:
        yield from (_step(f"s3-block-unread-{_LEVELS[level]}", values) for level in switch.unread)
    else:
        yield _step("s3-block-off-with-access-point" if path.access_point else "s3-block-off", values)


def _aws_definition(path: AccessPath) -> Sequence[Reason]:
    if path.via is Via.ACL:
        return ()
    return (_step("s3-policy-is-public" if path.policy_public else "s3-policy-is-not-public"),)


def _step(code: str, values: Mapping[str, str] | None = None) -> Reason:
    """A step by its code; `values` fill its words."""
    return Reason(code=code, values=values or {})


def _signer(path: AccessPath) -> str:
    caller = path.witness.request.caller
    arn = caller.context.get("aws:principalarn")
    return arn[0] if arn else ", ".join(sorted(caller.names))


def _example(path: AccessPath) -> Reason:
    return example(path) if path.witness.certain else _step("s3-too-many-conditions")
