"""Access control lists, as the policy statements that they amount to.

Source: Amazon S3 User Guide, "Access control list (ACL) overview" ("Mapping of ACL permissions and access policy
permissions"). Written this way, one evaluator serves both, and a Deny in the bucket policy stops what an ACL allows.
"""

from collections.abc import Iterator, Mapping

from cloudscan_s3.access.bucket import Acl, AclGrant, Unread
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import Condition, Principal, Statement

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
# Unsigned requests are made as this user: what they upload belongs to it, and so to everyone.
ANONYMOUS = "65a011a29cdf8ec533ec3d1ccaae921c"

_SIGNED = Condition(
    operator="StringNotEquals", key="aws:principaltype", spelling="aws:PrincipalType", values=("Anonymous",)
)
_ON_BUCKET: Mapping[str, tuple[str, ...]] = {
    "READ": ("s3:listbucket", "s3:listbucketversions", "s3:listbucketmultipartuploads"),
    "WRITE": ("s3:putobject",),
    "READ_ACP": ("s3:getbucketacl",),
    "WRITE_ACP": ("s3:putbucketacl",),
}
_ON_OBJECT: Mapping[str, tuple[str, ...]] = {
    "READ": ("s3:getobject", "s3:getobjectversion"),
    "WRITE": (),  # "Not applicable" on objects
    "READ_ACP": ("s3:getobjectacl", "s3:getobjectversionacl"),
    "WRITE_ACP": ("s3:putobjectacl", "s3:putobjectversionacl"),
}


def is_public(grants: tuple[AclGrant, ...]) -> bool:
    """AWS calls an ACL public when it grants anything to all users or to all AWS accounts."""
    return any(grant.group in (ALL_USERS, AUTHENTICATED_USERS) for grant in grants)


def statements(acl: Acl | Unread | None, own_estate: OwnEstate) -> Iterator[Statement]:
    """What a bucket's ACL grants to anyone but the owner."""
    if isinstance(acl, Acl):
        yield from _statements(acl, own_estate, _ON_BUCKET)


def statements_on_object(acl: Acl, own_estate: OwnEstate) -> Iterator[Statement]:
    """What an object's ACL grants to anyone but the bucket's and the object's owner."""
    return _statements(acl, own_estate, _ON_OBJECT)


def _statements(acl: Acl, own_estate: OwnEstate, table: Mapping[str, tuple[str, ...]]) -> Iterator[Statement]:
    owners = {acl.owner, own_estate.owner_canonical or acl.owner}
    for number, grant in enumerate(acl.grants, start=1):
        if grant.canonical_id and grant.canonical_id in owners - {ANONYMOUS}:
            continue
        full = grant.permission == "FULL_CONTROL"
        allowed = [
            action for permission, names in table.items() if full or permission == grant.permission for action in names
        ]
        yield Statement(
            number=number,
            sid=grant.permission,
            allows=True,
            principals=(_principal(grant),),
            actions=tuple(allowed),
            resources=("*",),
            conditions=(_SIGNED,) if grant.group == AUTHENTICATED_USERS else (),
            stored={"Grantee": _grantee(grant), "Permission": grant.permission},
        )


def _grantee(grant: AclGrant) -> Mapping[str, str]:
    """The grantee as S3's API writes it (API Reference, Grantee), without what is empty."""
    kind = "Group" if grant.group else "CanonicalUser" if grant.canonical_id else "AmazonCustomerByEmail"
    parts = {
        "DisplayName": grant.display_name,
        "ID": grant.canonical_id,
        "EmailAddress": grant.email,
        "URI": grant.group,
    }
    return {"Type": kind, **{name: value for name, value in parts.items() if value}}


def _principal(grant: AclGrant) -> Principal:
    if grant.group in (ALL_USERS, AUTHENTICATED_USERS) or grant.canonical_id == ANONYMOUS:
        return Principal("AWS", "*")
    if grant.group == LOG_DELIVERY:
        return Principal("Service", "logging.s3.amazonaws.com")
    return Principal("CanonicalUser", grant.canonical_id or grant.email or grant.group)
