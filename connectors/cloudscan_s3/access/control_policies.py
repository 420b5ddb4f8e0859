"""Resource control policies: what an organisation denies on the resources of its accounts, for all callers.

Sources: AWS Organizations User Guide, "Resource control policies (RCPs)", "RCP evaluation" and "RCP syntax": a Deny in
any of them, from the root down to the account, is final; they allow nothing (RCPFullAWSAccess lets everything pass);
resources of the management account are not affected. Calls by service-linked roles, which they do not affect either,
are made in our own account and are no access path.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.bucket import ControlPolicies, ControlPolicy, Looked
from cloudscan_s3.access.policy import Policy, Statement, parse


def stored(policies: ControlPolicies) -> tuple[Policy, ...]:
    """The policies, parsed; each statement knows which one it is of."""
    return tuple(_parsed(policy) for policy in policies.policies)


def denials(policies: ControlPolicies) -> tuple[Statement, ...]:
    """The Deny statements of all of them: one more layer in front of each resource of the account."""
    return tuple(statement for policy in stored(policies) for statement in policy.denies)


def as_far_as_looked(paths: Iterable[AccessPath], *policies: ControlPolicies) -> Iterator[AccessPath]:
    """The same paths, with what is known of the control policies in front of them.

    Where we may not look, an open path is told as open and the limit is named; where an answer is missing, whether it
    is open is unknown.
    """
    looked = [one.looked for one in policies]
    for path in paths:
        if Looked.FAILED in looked:
            yield replace(path, control_policies=Looked.FAILED, effective=None if path.effective else path.effective)
        elif Looked.REFUSED in looked:
            yield replace(path, control_policies=Looked.REFUSED)
        else:
            yield path


@lru_cache(maxsize=256)
def _parsed(policy: ControlPolicy) -> Policy:
    parsed = parse(policy.text)
    return replace(
        parsed, statements=tuple(replace(statement, control_policy=policy.name) for statement in parsed.statements)
    )
