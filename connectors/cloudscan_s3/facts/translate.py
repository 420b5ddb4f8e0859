"""From S3's answers to facts: a bucket, its switches, and one grant for every access path."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

from cloudscan.connector import Gap
from cloudscan.facts import Access, Affiliation, AnyFact, Audience, Grant, Outcome, Principal, Resource, Setting, Via
from cloudscan_s3.access import acl
from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.access_paths import AccessPaths, access_paths_to_object
from cloudscan_s3.access.block_switch import BlockSwitch, ignore_public_acls, restrict_public_buckets
from cloudscan_s3.access.bucket import AccessPoint, Acl, Block, Bucket, Encryption, ObjectAcl, Ownership, Unread
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import Flaw, parse
from cloudscan_s3.facts import explanations

PLATFORM = "s3"
_BLOCKS = ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")
_OWNER_TAGS = ("owner", "contact", "team", "mail", "email", "e-mail")
_CLASS_TAGS = ("dataclassification", "data-classification", "data_classification", "classification", "confidentiality")
_ALGORITHMS = {"AES256": "sse-s3", "aws:kms": "sse-kms", "aws:kms:dsse": "dsse-kms"}
_BY_POLICY = (Access.LIST, Access.READ, Access.WRITE, Access.MANAGE)
_BY_ACL = (Access.LIST, Access.WRITE, Access.MANAGE)

Translated = AnyFact | Gap


def bucket_uid(bucket: Bucket) -> str:
    """The bucket's permanent name in the estate."""
    return f"{PLATFORM}:{'directory-bucket' if bucket.directory else 'bucket'}/{bucket.name}"


def account_uid(account: str) -> str:
    """The account's permanent name in the estate."""
    return f"{PLATFORM}:account/{account}"


def point_uid(point: AccessPoint) -> str:
    """The access point's permanent name in the estate."""
    if point.multi_region:
        return f"{PLATFORM}:mrap/{point.account}/{point.name}"
    return f"{PLATFORM}:accesspoint/{point.account}/{point.region}/{point.name}"


def object_uid(bucket: str, key: str) -> str:
    """The object's permanent name in the estate."""
    return f"{PLATFORM}:object/{bucket}/{key}"


def is_shared(bucket: Bucket, paths: AccessPaths) -> bool:
    """Does an external caller get in, now or once a block is lifted, or is that unknown?

    Only then are the questions worth asking that merely describe a shared bucket: tags, website, logging, encryption.
    `paths` are the bucket's own, computed once by `access_paths` and handed to `facts_of_bucket` too.
    """
    unread = isinstance(paths.policy, Unread) or isinstance(bucket.acl, Unread)
    return unread or any(path.audience >= Audience.NAMED_EXTERNAL or path.confused_deputy for path in paths.open)


def objects_can_matter(bucket: Bucket) -> bool:
    """Can an object's own ACL admit anyone? Ownership and blocks decide that before any object is read."""
    if bucket.directory or bucket.ownership is Ownership.ENFORCED:
        return False
    return ignore_public_acls(bucket).on is not True


def facts_of_account(account: str, block: Block | Unread, own_estate: OwnEstate) -> Iterator[Translated]:
    """An account with its own Block Public Access switches."""
    uid = account_uid(account)
    yield Resource(
        uid=uid,
        platform=PLATFORM,
        account=account,
        kind="account",
        name=own_estate.called(account),
        path=account,
        owner_uid=_principal_uid(account),
        url="https://console.aws.amazon.com/s3/settings",
    )
    yield _account_principal(account, own_estate)
    yield from _block_settings(uid, block)
    yield from _gap_if_unread(block, "settings", uid)


def facts_of_bucket(bucket: Bucket, paths: AccessPaths, own_estate: OwnEstate) -> Iterator[Translated]:
    """A bucket and its access points: resources, switches, principals, grants, and what could not be read.

    `paths` are those of this bucket; tags, website, logging and encryption may have been read since they were found.
    """
    uid = bucket_uid(bucket)
    tags = bucket.tags if isinstance(bucket.tags, Mapping) else {}
    owner = _tagged(tags, _OWNER_TAGS)
    owner_uid = f"{PLATFORM}:owner/{bucket.account}/{owner}" if owner else _principal_uid(bucket.account)
    if owner:
        yield _owner(owner_uid, owner, bucket.account)
    yield Resource(
        uid=uid,
        platform=PLATFORM,
        account=bucket.account,
        kind="directory_bucket" if bucket.directory else "bucket",
        name=bucket.name,
        path=f"s3://{bucket.name}",
        parent_uid=account_uid(bucket.account),
        owner_uid=owner_uid,
        created_on=bucket.created_on,
        label=_tagged(tags, _CLASS_TAGS),
        url=_console(bucket, f"buckets/{bucket.name}", tab="permissions"),
        detail={
            **({"region": bucket.region} if bucket.region else {}),
            **({"tags": dict(tags)} if tags else {}),
        },
    )
    yield from _bucket_settings(bucket, paths)
    yield from _without_repeats(_grants(paths.direct, uid, bucket, own_estate))
    yield from _unreadable_grants(bucket, paths, uid)
    for point in bucket.access_points:
        yield from _facts_of_point(point, paths.through(point), bucket, own_estate)
    for value, table in (
        (bucket.policy, "grants"),
        (bucket.acl, "grants"),
        (bucket.block, "settings"),
        (bucket.ownership, "settings"),
        (bucket.encryption, "settings"),
        (bucket.website, "settings"),
        (bucket.logging, "settings"),
        (bucket.tags, "resources"),
    ):
        yield from _gap_if_unread(value, table, uid)


def facts_of_access_points(bucket: Bucket, paths: AccessPaths, own_estate: OwnEstate) -> Iterator[Translated]:
    """The access points of a bucket that is not ours to judge."""
    for point in bucket.access_points:
        yield from _facts_of_point(point, paths.through(point), bucket, own_estate)


def facts_of_unseen_objects(bucket: Bucket, reason: str) -> Iterator[Translated]:
    """One resource for all objects whose ACLs were not read: any of them may be open."""
    uid = f"{PLATFORM}:objects/{bucket.name}"
    yield Resource(
        uid=uid,
        platform=PLATFORM,
        account=bucket.account,
        kind="objects",
        name=f"other objects in {bucket.name}",
        path=f"s3://{bucket.name}/",
        parent_uid=bucket_uid(bucket),
        container_uid=bucket_uid(bucket),
        owner_uid=_principal_uid(bucket.account),
    )
    yield from _unknown_grants(uid, Via.ACL, (Access.READ,), reason, None)


def facts_of_object(item: ObjectAcl, bucket: Bucket, own_estate: OwnEstate, as_of: datetime) -> Iterator[Translated]:
    """An object whose own ACL admits someone, or could not be read; nothing for all the others."""
    uid = object_uid(item.bucket, item.key)
    paths = access_paths_to_object(item, bucket, own_estate, as_of)
    if not paths and not isinstance(item.acl, Unread):
        return
    yield Resource(
        uid=uid,
        platform=PLATFORM,
        account=bucket.account,
        kind="object",
        name=item.key,
        path=f"s3://{item.bucket}/{item.key}",
        parent_uid=bucket_uid(bucket),
        container_uid=bucket_uid(bucket),
        owner_uid=_principal_uid(bucket.account),
        size_bytes=item.size_bytes,
        modified_on=item.modified_on,
        url=_console(bucket, f"object/{item.bucket}", prefix=item.key),
        detail={"seen_by": item.seen_by},
    )
    yield from _without_repeats(_grants(paths, uid, bucket, own_estate))
    if isinstance(item.acl, Unread):
        yield from _unknown_grants(uid, Via.ACL, (Access.LIST, Access.READ, Access.MANAGE), item.acl.reason, None)
        yield from _gap_if_unread(item.acl, "grants", uid)


def _facts_of_point(
    point: AccessPoint, paths: Sequence[AccessPath], bucket: Bucket, own_estate: OwnEstate
) -> Iterator[Translated]:
    uid = point_uid(point)
    yield Resource(
        uid=uid,
        platform=PLATFORM,
        account=point.account,
        kind="multi_region_access_point" if point.multi_region else "access_point",
        name=point.name_for_people or point.name,
        path=point.arn,
        parent_uid=bucket_uid(bucket),
        container_uid=bucket_uid(bucket),
        owner_uid=_principal_uid(point.account),
        url=_console(bucket, "ap/" + point.name),
        detail={"region": point.region, "vpc": point.vpc},
    )
    yield from _block_settings(uid, point.block)
    yield from _without_repeats(_grants(paths, uid, bucket, own_estate))
    if isinstance(point.policy, Unread):
        restrict = restrict_public_buckets(bucket, point)
        yield from _unknown_grants(uid, Via.POLICY, _BY_POLICY, point.policy.reason, restrict)
    elif point.policy is not None:
        yield from _flaws(uid, parse(point.policy).flaws, f"the policy of access point {point.name}", None)
    yield from _gap_if_unread(point.policy, "grants", uid)
    yield from _gap_if_unread(point.block, "settings", uid)


def _grants(paths: Sequence[AccessPath], resource_uid: str, bucket: Bucket, own_estate: OwnEstate) -> Iterator[AnyFact]:
    for path in paths:
        principal = _principal(path, own_estate)
        if principal is not None:
            yield principal
        chain = explanations.chain(path, bucket)
        weak = (
            [condition.spelling for condition in path.statement.conditions]
            if path.audience >= Audience.ANY_ACCOUNT
            else []
        )
        names = "|".join((path.kind, *path.names, "confused_deputy" if path.confused_deputy else ""))
        digest = hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        notes = explanations.kms(path, bucket)
        yield Grant(
            uid=f"{resource_uid}#{path.via}-{path.statement.number}/{path.capability.value}/{digest}".replace(" ", "-"),
            resource_uid=resource_uid,
            principal_uid=principal.uid if principal else None,
            audience=path.audience,
            access=path.access,
            via=path.via,
            discoverable=path.audience is Audience.ANYONE_DISCOVERABLE,
            effective=path.effective,
            blocked_by=path.blocked_by,
            detail={
                "chain": chain,
                "statement": path.statement.number,
                "sid": path.statement.sid,
                "capability": path.capability.value,
                "actions": list(path.actions),
                "policy_public": path.policy_public,
                "witness": explanations.example(path),
                **({"weak_condition": ", ".join(weak)} if weak and path.via is Via.POLICY else {}),
                **({"confused_deputy": True} if path.confused_deputy else {}),
                **({"network": ", ".join(path.names)} if path.kind == "network" else {}),
                **({"kms": notes[0][0]} if notes else {}),
            },
        )


def _without_repeats(facts: Iterator[AnyFact]) -> Iterator[AnyFact]:
    seen: set[str] = set()
    for fact in facts:
        if isinstance(fact, Principal | Grant):
            if fact.uid in seen:
                continue
            seen.add(fact.uid)
        yield fact


def _principal(path: AccessPath, own_estate: OwnEstate) -> Principal | None:
    if path.kind in ("anyone", "any_account") or not path.names:
        return None
    name = ", ".join(path.names)
    kind = {"principal": "role", "access_point_account": "account", "canonical": "account"}.get(path.kind, path.kind)
    if path.kind == "principal" and ":user/" in name:
        kind = "user"
    if kind == "account" and own_estate.owns(name):
        return _account_principal(name, own_estate)
    partner = own_estate.estate.partner_of(path.account) if path.account else None
    if partner is None and path.kind == "organisation":
        partner = own_estate.estate.partner_of(path.names[0])
    affiliation: Affiliation | None = Affiliation.EXTERNAL
    if partner is not None:
        affiliation = Affiliation.PARTNER
    elif path.kind in ("unique_id", "network") or (
        path.kind == "organisation" and not own_estate.knows_its_organisation
    ):
        affiliation = None
    elif path.audience <= Audience.NAMED or path.audience is Audience.ORGANISATION:
        affiliation = Affiliation.INTERNAL
    # A service is the same principal, whichever account it acts for.
    account = "" if kind == "service" else path.account
    return Principal(
        uid=_principal_uid(name),
        platform=PLATFORM,
        account=account,
        kind=kind,
        name=f"{name} ({partner.name})" if partner else name,
        domain=account,
        affiliation=affiliation,
        status="active",
    )


def _principal_uid(name: str) -> str:
    return f"{PLATFORM}:principal/{name}"


def _account_principal(account: str, own_estate: OwnEstate) -> Principal:
    return Principal(
        uid=_principal_uid(account),
        platform=PLATFORM,
        account=account,
        kind="account",
        name=own_estate.called(account),
        domain=account,
        affiliation=Affiliation.INTERNAL if own_estate.owns(account) else Affiliation.EXTERNAL,
        status="active",
    )


def _owner(uid: str, value: str, account: str) -> Principal:
    return Principal(
        uid=uid,
        platform=PLATFORM,
        account=account,
        kind="user" if "@" in value else "group",
        email=value if "@" in value else "",
        name=value,
        affiliation=Affiliation.INTERNAL,
    )


def _tagged(tags: Mapping[str, str], names: Sequence[str]) -> str:
    by_name = {key.lower(): value for key, value in tags.items()}
    return next((by_name[name] for name in names if by_name.get(name)), "")


def _bucket_settings(bucket: Bucket, paths: AccessPaths) -> Iterator[Setting]:
    uid = bucket_uid(bucket)
    yield from _block_settings(uid, bucket.block)
    yield Setting(scope_uid=uid, name="object_ownership", value=_value_or_none(bucket.ownership))
    yield Setting(scope_uid=uid, name="policy_public", value=_true_or_false(paths.policy_public))
    left_over = ", ".join(name for _, name in paths.left_over)
    yield Setting(
        scope_uid=uid, name="policy_left_over", value=None if isinstance(bucket.policy, Unread) else left_over
    )
    if isinstance(bucket.acl, Unread):
        yield Setting(scope_uid=uid, name="acl_public", value=None)
    else:
        public = isinstance(bucket.acl, Acl) and acl.is_public(bucket.acl.grants)
        yield Setting(scope_uid=uid, name="acl_public", value=_true_or_false(public))
    for name, value in (("website", bucket.website), ("access_logging", bucket.logging)):
        if value is not None:
            yield Setting(scope_uid=uid, name=name, value=None if isinstance(value, Unread) else _true_or_false(value))
    if bucket.encryption is not None:
        encryption = bucket.encryption
        algorithm = _ALGORITHMS.get(encryption.algorithm, "none") if isinstance(encryption, Encryption) else None
        yield Setting(scope_uid=uid, name="default_encryption", value=algorithm)


def _block_settings(uid: str, block: Block | Unread) -> Iterator[Setting]:
    for name in _BLOCKS:
        value = None if isinstance(block, Unread) else _true_or_false(getattr(block, name))
        yield Setting(scope_uid=uid, name=name, value=value)


def _true_or_false(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()


def _value_or_none(value: Ownership | Unread) -> str | None:
    return None if isinstance(value, Unread) else value.value


def _unreadable_grants(bucket: Bucket, paths: AccessPaths, uid: str) -> Iterator[Translated]:
    """One grant with an unknown audience for each access that what could not be read may allow."""
    restrict = restrict_public_buckets(bucket)
    if isinstance(paths.policy, Unread):
        yield from _unknown_grants(uid, Via.POLICY, _BY_POLICY, paths.policy.reason, restrict)
    else:
        yield from _flaws(uid, paths.policy.flaws, "the bucket policy", restrict)
    if isinstance(bucket.acl, Unread):
        ignore = ignore_public_acls(bucket)
        yield from _unknown_grants(uid, Via.ACL, _BY_ACL, bucket.acl.reason, ignore)


def _flaws(uid: str, flaws: Sequence[Flaw], policy_name: str, switch: BlockSwitch | None) -> Iterator[Translated]:
    for flaw in flaws:
        where = f"statement {flaw.number} of {policy_name}" if flaw.number else policy_name
        reason = f"{where} cannot be understood: {flaw.problem}"
        if flaw.may_allow:
            yield from _unknown_grants(uid, Via.POLICY, _BY_POLICY, reason, switch, f"-{flaw.number}")
        yield Gap(table="grants", outcome=Outcome.PARTIAL, reason=reason, resource_uid=uid)


def _unknown_grants(
    uid: str, via: Via, accesses: Sequence[Access], reason: str, switch: BlockSwitch | None, suffix: str = ""
) -> Iterator[Grant]:
    """Grants of which only the resource is known, one for each access that they may give.

    `blocked_by` names a block that cuts off the public, whatever the unread text says; named external callers may
    remain. `suffix` keeps the ids of several unread parts of one policy apart.
    """
    for access in accesses:
        yield Grant(
            uid=f"{uid}#{via}-unread{suffix}/{access}",
            resource_uid=uid,
            principal_uid=None,
            audience=None,
            access=access,
            via=via,
            discoverable=None,
            effective=True,
            blocked_by=str(switch) if switch and switch.on else "",
            detail={
                "chain": {
                    "en": [f"Who has access could not be determined: {reason}."],
                    "ja": [f"誰に許可しているか判定できませんでした：{reason}"],
                }
            },
        )


def _gap_if_unread(value: object, table: str, uid: str) -> Iterator[Gap]:
    if isinstance(value, Unread):
        yield Gap(table=table, outcome=value.outcome, reason=value.reason, needs=value.needs, resource_uid=uid)


def _console(bucket: Bucket, path: str, **query: str) -> str:
    """A page of AWS's console; it finds the region by itself where S3 did not report it."""
    host = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
    arguments = {"region": bucket.region, **query} if bucket.region else query
    parameters = f"?{urlencode(arguments)}" if query else ""
    return f"https://{host.get(bucket.partition, 'console.aws.amazon.com')}/s3/{path}{parameters}"
