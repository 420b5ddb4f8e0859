"""From S3's answers to facts: a bucket, its switches, and one grant for every way in."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

from cloudscan.connector import Gap
from cloudscan.facts import Access, Affiliation, AnyFact, Audience, Grant, Outcome, Principal, Resource, Setting, Via
from cloudscan_s3.access import acl
from cloudscan_s3.access.access_paths import (
    AccessPath,
    AccessPaths,
    BlockSwitch,
    access_paths_to_object,
    guard,
)
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

Told = AnyFact | Gap


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


def is_shared(bucket: Bucket, ways: AccessPaths) -> bool:
    """Does anybody outside get in, now or once a block falls, or could that not be told?

    Only then are the questions worth asking that merely describe a shared bucket: tags, website, logging, encryption.
    """
    unread = isinstance(ways.policy, Unread) or isinstance(bucket.acl, Unread)
    return unread or any(way.audience >= Audience.NAMED_EXTERNAL or way.stray for way in ways.open)


def objects_can_matter(bucket: Bucket) -> bool:
    """Can an object's own ACL let anybody in? Ownership and blocks decide that before any object is looked at."""
    if bucket.directory or bucket.ownership is Ownership.ENFORCED:
        return False
    return guard("IgnorePublicAcls", "ignore_public_acls", bucket).on is not True


def facts_of_account(account: str, block: Block | Unread, us: OwnEstate) -> Iterator[Told]:
    """An account with its own Block Public Access switches."""
    uid = account_uid(account)
    yield Resource(
        uid=uid,
        platform=PLATFORM,
        account=account,
        kind="account",
        name=us.called(account),
        path=account,
        owner_uid=_principal_uid(account),
        url="https://console.aws.amazon.com/s3/settings",
    )
    yield _account_principal(account, us)
    yield from _block_settings(uid, block)
    yield from _unread(block, "settings", uid)


def facts_of_bucket(bucket: Bucket, ways: AccessPaths, us: OwnEstate) -> Iterator[Told]:
    """A bucket and its access points: resources, switches, principals, grants, and what could not be read."""
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
    yield from _bucket_settings(bucket, ways)
    yield from _told_once(_grants([way for way in ways.open if way.access_point is None], uid, bucket, us))
    yield from _unreadable_grants(bucket, ways, uid)
    for point in bucket.access_points:
        yield from _facts_of_point(point, [way for way in ways.open if way.access_point == point], bucket, us)
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
        yield from _unread(value, table, uid)


def facts_of_access_points(bucket: Bucket, ways: AccessPaths, us: OwnEstate) -> Iterator[Told]:
    """The access points of a bucket that is not ours to judge."""
    for point in bucket.access_points:
        yield from _facts_of_point(point, [way for way in ways.open if way.access_point == point], bucket, us)


def facts_of_unseen_objects(bucket: Bucket, reason: str) -> Iterator[Told]:
    """Stands for the objects whose ACLs were not looked at: there may be a way in, for all we know."""
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
    yield from _unknown(uid, Via.ACL, (Access.READ,), reason, None)


def facts_of_object(item: ObjectAcl, bucket: Bucket, us: OwnEstate, as_of: datetime) -> Iterator[Told]:
    """An object whose own ACL lets somebody in; nothing for all the others."""
    uid = object_uid(item.bucket, item.key)
    ways = access_paths_to_object(item, bucket, us, as_of)
    if not ways and not isinstance(item.acl, Unread):
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
    yield from _told_once(_grants(ways, uid, bucket, us))
    if isinstance(item.acl, Unread):
        yield from _unknown(uid, Via.ACL, (Access.LIST, Access.READ, Access.MANAGE), item.acl.reason, None)
        yield from _unread(item.acl, "grants", uid)


def _facts_of_point(point: AccessPoint, ways: Sequence[AccessPath], bucket: Bucket, us: OwnEstate) -> Iterator[Told]:
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
    yield from _told_once(_grants(ways, uid, bucket, us))
    if isinstance(point.policy, Unread):
        shut = guard("RestrictPublicBuckets", "restrict_public_buckets", bucket, point)
        yield from _unknown(uid, Via.POLICY, _BY_POLICY, point.policy.reason, shut)
    elif point.policy is not None:
        yield from _flaws(uid, parse(point.policy).flaws, f"the policy of access point {point.name}", None)
    yield from _unread(point.policy, "grants", uid)
    yield from _unread(point.block, "settings", uid)


def _grants(ways: Sequence[AccessPath], resource_uid: str, bucket: Bucket, us: OwnEstate) -> Iterator[AnyFact]:
    for way in ways:
        principal = _principal(way, us)
        if principal is not None:
            yield principal
        chain = explanations.chain(way, bucket)
        weak = [each.spelling for each in way.statement.conditions] if way.audience >= Audience.ANY_ACCOUNT else []
        names = "|".join((way.kind, *way.names, "stray" if way.stray else ""))
        digest = hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        notes = explanations.kms(way, bucket)
        yield Grant(
            uid=f"{resource_uid}#{way.via}-{way.statement.number}/{way.capability.value}/{digest}".replace(" ", "-"),
            resource_uid=resource_uid,
            principal_uid=principal.uid if principal else None,
            audience=way.audience,
            access=way.access,
            via=way.via,
            discoverable=way.audience is Audience.ANYONE_DISCOVERABLE,
            effective=way.effective,
            blocked_by=way.blocked_by,
            detail={
                "chain": chain,
                "statement": way.statement.number,
                "sid": way.statement.sid,
                "capability": way.capability.value,
                "actions": list(way.actions),
                "by_the_letter": way.policy_status,
                "witness": explanations.example(way),
                **({"weak_condition": ", ".join(weak)} if weak and way.via is Via.POLICY else {}),
                **({"confused_deputy": True} if way.stray else {}),
                **({"network": ", ".join(way.names)} if way.kind == "network" else {}),
                **({"kms": notes[0][0]} if notes else {}),
            },
        )


def _told_once(facts: Iterator[AnyFact]) -> Iterator[AnyFact]:
    seen: set[str] = set()
    for fact in facts:
        if isinstance(fact, Principal | Grant):
            if fact.uid in seen:
                continue
            seen.add(fact.uid)
        yield fact


def _principal(way: AccessPath, us: OwnEstate) -> Principal | None:
    if way.kind in ("anyone", "any_account") or not way.names:
        return None
    name = ", ".join(way.names)
    kind = {"principal": "role", "access_point_account": "account", "canonical": "account"}.get(way.kind, way.kind)
    if way.kind == "principal" and ":user/" in name:
        kind = "user"
    if kind == "account" and us.owns(name):
        return _account_principal(name, us)
    partner = us.estate.partner_of(way.account) if way.account else None
    if partner is None and way.kind == "organisation":
        partner = us.estate.partner_of(way.names[0])
    affiliation: Affiliation | None = Affiliation.EXTERNAL
    if partner is not None:
        affiliation = Affiliation.PARTNER
    elif way.kind in ("unique_id", "network") or (way.kind == "organisation" and not us.knows_its_organisation):
        affiliation = None
    elif way.audience <= Audience.NAMED or way.audience is Audience.ORGANISATION:
        affiliation = Affiliation.INTERNAL
    account = "" if kind == "service" else way.account  # a service is one, on whosesoever behalf it comes
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


def _account_principal(account: str, us: OwnEstate) -> Principal:
    return Principal(
        uid=_principal_uid(account),
        platform=PLATFORM,
        account=account,
        kind="account",
        name=us.called(account),
        domain=account,
        affiliation=Affiliation.INTERNAL if us.owns(account) else Affiliation.EXTERNAL,
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
    return next((by_name[each] for each in names if by_name.get(each)), "")


def _bucket_settings(bucket: Bucket, ways: AccessPaths) -> Iterator[Setting]:
    uid = bucket_uid(bucket)
    yield from _block_settings(uid, bucket.block)
    yield Setting(scope_uid=uid, name="object_ownership", value=_text(bucket.ownership))
    yield Setting(scope_uid=uid, name="policy_public_by_the_letter", value=_flag(ways.letter))
    left = ", ".join(name for _, name in ways.left_over)
    yield Setting(scope_uid=uid, name="policy_left_over", value=None if isinstance(bucket.policy, Unread) else left)
    if isinstance(bucket.acl, Unread):
        yield Setting(scope_uid=uid, name="acl_public", value=None)
    else:
        public = isinstance(bucket.acl, Acl) and acl.is_public(bucket.acl.grants)
        yield Setting(scope_uid=uid, name="acl_public", value=_flag(public))
    for name, value in (("website", bucket.website), ("access_logging", bucket.logging)):
        if value is not None:
            yield Setting(scope_uid=uid, name=name, value=None if isinstance(value, Unread) else _switch(value))
    if bucket.encryption is not None:
        encryption = bucket.encryption
        value_ = _ALGORITHMS.get(encryption.algorithm, "none") if isinstance(encryption, Encryption) else None
        yield Setting(scope_uid=uid, name="default_encryption", value=value_)


def _block_settings(uid: str, block: Block | Unread) -> Iterator[Setting]:
    for name in _BLOCKS:
        value = None if isinstance(block, Unread) else _switch(getattr(block, name))
        yield Setting(scope_uid=uid, name=name, value=value)


def _switch(value: bool) -> str:
    return "on" if value else "off"


def _flag(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()


def _text(value: Ownership | Unread) -> str | None:
    return None if isinstance(value, Unread) else value.value


def _unreadable_grants(bucket: Bucket, ways: AccessPaths, uid: str) -> Iterator[Told]:
    """What may be there for all we know: one grant with an unknown audience for each thing that it could allow."""
    restrict = guard("RestrictPublicBuckets", "restrict_public_buckets", bucket)
    if isinstance(ways.policy, Unread):
        yield from _unknown(uid, Via.POLICY, _BY_POLICY, ways.policy.reason, restrict)
    else:
        yield from _flaws(uid, ways.policy.flaws, "the bucket policy", restrict)
    if isinstance(bucket.acl, Unread):
        ignore = guard("IgnorePublicAcls", "ignore_public_acls", bucket)
        yield from _unknown(uid, Via.ACL, _BY_ACL, bucket.acl.reason, ignore)


def _flaws(uid: str, flaws: Sequence[Flaw], place: str, switch: BlockSwitch | None) -> Iterator[Told]:
    for flaw in flaws:
        where = f"statement {flaw.number} of {place}" if flaw.number else place
        reason = f"{where} cannot be understood: {flaw.problem}"
        if flaw.may_allow:
            yield from _unknown(uid, Via.POLICY, _BY_POLICY, reason, switch, f"-{flaw.number}")
        yield Gap(table="grants", outcome=Outcome.PARTIAL, reason=reason, resource_uid=uid)


def _unknown(
    uid: str, via: Via, accesses: Sequence[Access], reason: str, switch: BlockSwitch | None, mark: str = ""
) -> Iterator[Grant]:
    """Grants of which only the place is known.

    `blocked_by` then says that a block cuts off the public, whatever the unread text says; named outsiders may remain.
    """
    for access in accesses:
        yield Grant(
            uid=f"{uid}#{via}-unread{mark}/{access}",
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
                    "en": [f"Whom it lets in could not be told: {reason}."],
                    "ja": [f"誰に許可しているか判定できませんでした：{reason}"],
                }
            },
        )


def _unread(value: object, table: str, uid: str) -> Iterator[Gap]:
    if isinstance(value, Unread):
        yield Gap(table=table, outcome=value.outcome, reason=value.reason, needs=value.needs, resource_uid=uid)


def _console(bucket: Bucket, path: str, **query: str) -> str:
    """The page of AWS's console; it finds the region by itself where S3 did not tell it."""
    host = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
    told = {"region": bucket.region, **query} if bucket.region else query
    parameters = f"?{urlencode(told)}" if query else ""
    return f"https://{host.get(bucket.partition, 'console.aws.amazon.com')}/s3/{path}{parameters}"
