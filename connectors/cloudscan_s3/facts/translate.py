"""From S3's answers to facts: a bucket, its switches, and one grant for every access path."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from cloudscan.connector import Gap, Question
from cloudscan.facts import (
    MOST_ENTRY,
    NEVER,
    OBJECTS_INSIDE,
    OBSERVED,
    OF_A_PART,
    Affiliation,
    AnyFact,
    Audience,
    Grant,
    Principal,
    Resource,
    Setting,
    Via,
)
from cloudscan_s3.access import acl
from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.access_paths import AccessPaths, access_paths_to_object
from cloudscan_s3.access.actions import TAGGING, Capability
from cloudscan_s3.access.block_switch import BlockSwitch, ignore_public_acls, restrict_public_buckets
from cloudscan_s3.access.bucket import AccessPoint, Acl, Block, Bucket, Encryption, ObjectAcl, Ownership, Unread
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.access.policy import Flaw, parse
from cloudscan_s3.access.second_opinion import Comparison
from cloudscan_s3.access.targets import opens_all_objects
from cloudscan_s3.facts import explanations
from cloudscan_s3.questions import ABAC, ACCESS_POINT_POLICY, BUCKET_POLICY

PLATFORM = "s3"
_BLOCKS = ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")
_OWNER_TAGS = ("owner", "contact", "team", "mail", "email", "e-mail")
_CLASS_TAGS = ("dataclassification", "data-classification", "data_classification", "classification", "confidentiality")
_ALGORITHMS = {"AES256": "sse-s3", "aws:kms": "sse-kms", "aws:kms:dsse": "dsse-kms"}

Translated = AnyFact | Gap


def bucket_uid(bucket: Bucket) -> str:
    """The bucket's permanent name in the estate."""
    kind = "directory-bucket" if bucket.directory else "bucket"
    return f"{PLATFORM}:{kind}/{in_partition(bucket.name, bucket.partition)}"


def in_partition(name: str, partition: str) -> str:
    """A bucket's name as ids contain it: it is unique in its partition only."""
    return name if partition == "aws" else f"{partition}:{name}"


def account_uid(account: str) -> str:
    """The account's permanent name in the estate."""
    return f"{PLATFORM}:account/{account}"


def point_uid(point: AccessPoint) -> str:
    """The access point's permanent name in the estate."""
    return access_point_uid(point.account, point.region, point.name)


def access_point_uid(account: str, region: str, name: str) -> str:
    """The permanent name of an access point, or of a multi-region one, which has no region and goes by its alias."""
    return f"{PLATFORM}:accesspoint/{account}/{region}/{name}" if region else f"{PLATFORM}:mrap/{account}/{name}"


def object_uid(bucket: Bucket, key: str) -> str:
    """The object's permanent name in the estate."""
    return f"{PLATFORM}:object/{in_partition(bucket.name, bucket.partition)}/{key}"


def is_shared(bucket: Bucket, paths: AccessPaths) -> bool:
    """Does an external caller get in, now or once a block is lifted, or is that unknown?

    Only then are the questions worth asking that merely describe a shared bucket: tags, website, logging, encryption.
    `paths` are the bucket's own, computed once by `access_paths` and handed to `facts_of_bucket` too.
    """
    unread = isinstance(paths.policy, Unread) or isinstance(bucket.acl, Unread)
    return unread or any(path.audience >= Audience.NAMED_EXTERNAL or path.confused_deputy for path in paths.open)


def are_tags_set_from_outside(paths: AccessPaths) -> bool:
    """May an external caller tag the bucket? Only then does it matter by itself whether tags control access."""
    return any(
        path.audience >= Audience.NAMED_EXTERNAL and not TAGGING.isdisjoint(path.actions) for path in paths.direct
    )


def objects_can_matter(bucket: Bucket) -> bool:
    """Can an object's own ACL admit anyone? Ownership and blocks decide that before any object is read."""
    if bucket.directory or bucket.ownership is Ownership.ENFORCED:
        return False
    return ignore_public_acls(bucket).on is not True


def facts_of_account(
    account: str, block: Block | Unread, own_estate: OwnEstate, partition: str
) -> Iterator[Translated]:
    """An account with its own Block Public Access switches."""
    uid = account_uid(account)
    yield Resource(
        uid=uid,
        platform=PLATFORM,
        account=account,
        kind="account",
        name=own_estate.called(account),
        path=account,
        owner_uid=principal_uid(account),
        url=f"https://{_CONSOLES.get(partition, _CONSOLE)}/s3/settings",
    )
    yield _account_principal(account, own_estate)
    yield from _block_settings(uid, block)
    yield from _gaps(uid, block)


def facts_of_bucket(bucket: Bucket, paths: AccessPaths, own_estate: OwnEstate) -> Iterator[Translated]:
    """A bucket and its access points: resources, switches, principals, grants, and what could not be read.

    `paths` are those of this bucket; tags, website, logging and encryption may have been read since they were found.
    """
    uid = bucket_uid(bucket)
    tags = bucket.tags if isinstance(bucket.tags, Mapping) else {}
    owner = _tagged(tags, _OWNER_TAGS)
    owner_uid: str | None = f"{PLATFORM}:owner/{bucket.account}/{owner}" if owner else principal_uid(bucket.account)
    if isinstance(bucket.tags, Unread):
        owner_uid = None
    if owner and owner_uid:
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
        size_bytes=bucket.stored.size_bytes if bucket.stored else None,
        label=_tagged(tags, _CLASS_TAGS),
        url=_console(bucket, f"buckets/{bucket.name}", tab="permissions"),
        detail={
            **({"region": bucket.region} if bucket.region else {}),
            **({"tags": dict(tags)} if tags else {}),
            **_objects_inside(bucket),
            **({OBSERVED: digest} if (digest := _digest(bucket)) else {}),
        },
    )
    yield from _bucket_settings(bucket, paths)
    yield from _without_repeats(_grants(paths.direct, uid, bucket, own_estate))
    yield from _unreadable_grants(bucket, paths, uid)
    for point in bucket.access_points:
        yield from _facts_of_point(point, paths.through(point), bucket, own_estate)
    yield from _gaps(
        uid,
        bucket.policy,
        bucket.acl,
        bucket.block,
        bucket.ownership,
        bucket.encryption,
        bucket.website,
        bucket.logging,
        bucket.abac,
    )
    if isinstance(bucket.tags, Unread):
        yield _gap_of_tags(bucket, bucket.tags)


def second_opinion_of(bucket: Bucket, opinion: Comparison | None) -> Iterator[Setting]:
    """How an analyzer's opinion of a bucket compares with ours; nothing where there is none."""
    if opinion is not None:
        uid = bucket_uid(bucket)
        yield Setting(scope_uid=uid, name="second_opinion", value=str(opinion.outcome))
        yield Setting(scope_uid=uid, name="second_opinion_reasons", value=", ".join(opinion.reasons))


def _objects_inside(bucket: Bucket) -> Mapping[str, int]:
    return {OBJECTS_INSIDE: bucket.stored.objects} if bucket.stored else {}


def _digest(bucket: Bucket) -> str:
    """A digest of what S3 said of a bucket and of what is above it; empty where something of it could not be read."""
    answers = (bucket.policy, bucket.acl, bucket.block, bucket.account_block, bucket.ownership, bucket.abac)
    points = tuple(answer for point in bucket.access_points for answer in (point.arn, point.policy, point.block))
    if any(isinstance(answer, Unread) for answer in (*answers, *points)):
        return ""
    tags = sorted(bucket.tags.items()) if isinstance(bucket.tags, Mapping) else None
    text = repr((answers, points, tags, bucket.control_policies.policies))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def facts_of_access_points(bucket: Bucket, paths: AccessPaths, own_estate: OwnEstate) -> Iterator[Translated]:
    """The access points of a bucket that is not ours to judge."""
    for point in bucket.access_points:
        yield from _facts_of_point(point, paths.through(point), bucket, own_estate)


def facts_of_unseen_objects(bucket: Bucket) -> Iterator[Translated]:
    """One resource for all objects whose ACLs were not read: any of them may be open."""
    uid = f"{PLATFORM}:objects/{in_partition(bucket.name, bucket.partition)}"
    yield Resource(
        uid=uid,
        platform=PLATFORM,
        account=bucket.account,
        kind="objects",
        name=f"{bucket.name}/*",
        path=f"s3://{bucket.name}/",
        parent_uid=bucket_uid(bucket),
        container_uid=bucket_uid(bucket),
        owner_uid=principal_uid(bucket.account),
    )
    yield _unknown_grant(uid, Via.ACL, "s3-objects-unread")


def facts_of_object(item: ObjectAcl, bucket: Bucket, own_estate: OwnEstate, as_of: datetime) -> Iterator[Translated]:
    """An object whose own ACL admits someone, or could not be read; nothing for all the others."""
    uid = object_uid(bucket, item.key)
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
        owner_uid=principal_uid(bucket.account),
        size_bytes=item.size_bytes,
        modified_on=item.modified_on,
        url=_console(bucket, f"object/{item.bucket}", prefix=item.key),
        detail={"seen_by": item.seen_by},
    )
    yield from _without_repeats(_grants(paths, uid, bucket, own_estate))
    if isinstance(item.acl, Unread):
        yield _unknown_grant(uid, Via.ACL, "s3-object-acl-unread")
        yield from _gaps(uid, item.acl)


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
        owner_uid=principal_uid(point.account),
        size_bytes=bucket.stored.size_bytes if bucket.stored else None,
        url=_console(bucket, "ap/" + point.name),
        detail={"region": point.region, "vpc": point.vpc, **_objects_inside(bucket)},
    )
    yield from _block_settings(uid, point.block)
    yield from _without_repeats(_grants(paths, uid, bucket, own_estate))
    restrict = restrict_public_buckets(bucket, point)
    if isinstance(point.policy, Unread):
        yield _unknown_grant(uid, Via.POLICY, "s3-access-point-policy-unread", switch=restrict)
    elif point.policy is not None:
        yield from _flaws(uid, parse(point.policy).flaws, ACCESS_POINT_POLICY, restrict)
    yield from _gaps(uid, point.policy, point.block, point.tags)


def _grants(paths: Sequence[AccessPath], resource_uid: str, bucket: Bucket, own_estate: OwnEstate) -> Iterator[AnyFact]:
    for path in paths:
        principal = _principal(path, own_estate)
        if principal is not None:
            yield principal
        names = "|".join((path.kind, *path.names, "confused_deputy" if path.confused_deputy else path.acts_for))
        digest = hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        yield Grant(
            uid=f"{resource_uid}#{path.via}-{path.statement.number}/{path.capability.value}/{digest}".replace(" ", "-"),
            resource_uid=resource_uid,
            principal_uid=principal.uid if principal else None,
            audience=path.audience if _is_audience_known(path) else None,
            access=path.access,
            via=path.via,
            discoverable=path.audience is Audience.ANYONE_DISCOVERABLE,
            effective=path.effective,
            blocked_by=path.blocked_by,
            detail=_detail(path, bucket),
        )


def _detail(path: AccessPath, bucket: Bucket) -> Mapping[str, Any]:
    """What only S3 knows of a grant. What a rule reads is written also where it is off: left out means not known."""
    weak = ", ".join(condition.spelling for condition in path.statement.conditions)
    return {
        "chain": msgspec.to_builtins(explanations.chain(path, bucket)),
        "entry": _entry(path),
        "sid": path.statement.sid,
        "capability": path.capability.value,
        "actions": list(path.actions),
        "policy_public": path.policy_public,
        "witness": msgspec.to_builtins(explanations.example(path)),
        **(
            {"weak_condition": weak or "false"}
            if path.via is Via.POLICY and path.audience >= Audience.ANY_ACCOUNT
            else {}
        ),
        **({OF_A_PART: True} if _is_of_a_part(path, bucket) else {}),
        **({"confused_deputy": str(path.confused_deputy).lower()} if path.kind == "service" else {}),
        **({"network": ", ".join(path.names)} if path.kind == "network" else {}),
        **({"kms": use} if (use := explanations.key_use(path, bucket)) is not None else {}),
    }


def _is_of_a_part(path: AccessPath, bucket: Bucket) -> bool:
    is_about_objects = path.via is Via.POLICY and path.capability in (Capability.OBJECTS, Capability.WRITING)
    return is_about_objects and not opens_all_objects(path.statement, bucket, path.access_point)


def _entry(path: AccessPath) -> Mapping[str, Any]:
    """The statement or list entry that opens the path, as `cloudscan.finding.PolicyEntry` has it."""
    statement = path.statement
    text = statement.as_stored
    return {
        "kind": "acl" if path.via is Via.ACL else "policy",
        "number": statement.number,
        **({"name": statement.sid} if statement.sid and path.via is not Via.ACL else {}),
        "text": text[:MOST_ENTRY],
        **({} if len(text) <= MOST_ENTRY else {"whole": False}),
    }


def _is_audience_known(path: AccessPath) -> bool:
    """Is it known whom the path admits? Ours and others look alike where our accounts could not be read."""
    point = path.access_point
    return path.affiliation_known and (point is None or point.network_known or not path.for_everyone)


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
    elif path.kind in ("unique_id", "network") or not path.affiliation_known:
        affiliation = None
    elif path.audience <= Audience.NAMED or path.audience is Audience.ORGANISATION:
        affiliation = Affiliation.INTERNAL
    # A service is the same principal whatever it does for us, and another one for each account outside.
    account, uid = path.acts_for if kind == "service" else path.account, principal_uid(name)
    if path.acts_for:
        name, uid = f"{name} ({path.acts_for})", f"{uid}/{path.acts_for}"
    return Principal(
        uid=uid,
        platform=PLATFORM,
        account=account,
        kind=kind,
        name=f"{name} ({partner.name})" if partner else name,
        domain=account,
        affiliation=affiliation,
        status="active",
        detail=partner.detail if partner else {},
    )


def principal_uid(name: str) -> str:
    """The permanent name of a principal: an account by its number, an identity by its ARN."""
    return f"{PLATFORM}:principal/{name}"


def _account_principal(account: str, own_estate: OwnEstate) -> Principal:
    return Principal(
        uid=principal_uid(account),
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
    understood = not isinstance(paths.policy, Unread) and not paths.policy.flaws
    yield Setting(scope_uid=uid, name="policy_left_over", value=left_over if understood else left_over or None)
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
        algorithm = _ALGORITHMS.get(encryption.algorithm) if isinstance(encryption, Encryption) else None
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
    """A grant with an unknown audience for each layer that could not be read or understood."""
    restrict = restrict_public_buckets(bucket)
    if isinstance(paths.policy, Unread):
        yield _unknown_grant(uid, Via.POLICY, "s3-bucket-policy-unread", switch=restrict)
    else:
        yield from _flaws(uid, paths.policy.flaws, BUCKET_POLICY, restrict)
    if isinstance(bucket.acl, Unread):
        yield _unknown_grant(uid, Via.ACL, "s3-bucket-acl-unread", switch=ignore_public_acls(bucket))


def _flaws(uid: str, flaws: Sequence[Flaw], question: Question, switch: BlockSwitch) -> Iterator[Translated]:
    for flaw in flaws:
        if flaw.may_allow:
            code = "s3-statement-not-understood" if flaw.number else "s3-policy-not-understood"
            yield _unknown_grant(uid, Via.POLICY, code, switch=switch, flaw=flaw)
        yield question.lacking(flaw.problem, uid)


def _unknown_grant(
    uid: str, via: Via, code: str, *, switch: BlockSwitch | None = None, flaw: Flaw | None = None
) -> Grant:
    """A grant of which only the resource and the mechanism are known: there may be any, to anyone.

    `blocked_by` names a block that cuts off the public, whatever the unread text says; named external callers may
    remain.
    """
    blocked = switch is not None and switch.on is True
    return Grant(
        uid=f"{uid}#{via}-unread" + (f"-{flaw.number}" if flaw else ""),
        resource_uid=uid,
        audience=None,
        access=None,
        via=via,
        discoverable=None,
        expires_on=NEVER,
        effective=None,
        blocked_by=switch.code if switch is not None and blocked else "",
        detail={"chain": msgspec.to_builtins(explanations.unread(code, flaw, blocked=blocked))},
    )


def _gap_of_tags(bucket: Bucket, unread: Unread) -> Gap:
    """Where a policy depends on the tags, more hangs on them than the bucket's description."""
    gap = unread.gap(bucket_uid(bucket))
    effects = ABAC.lacking(gap.reason, bucket_uid(bucket)).hides or ()
    return gap if bucket.abac is None else msgspec.structs.replace(gap, hides=(*(gap.hides or ()), *effects))


def _gaps(uid: str, *answers: object) -> Iterator[Gap]:
    """A gap for each answer that we did not get."""
    return (answer.gap(uid) for answer in answers if isinstance(answer, Unread))


_CONSOLE = "console.aws.amazon.com"
_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


def _console(bucket: Bucket, path: str, **query: str) -> str:
    """A page of AWS's console; it finds the region by itself where S3 did not report it."""
    arguments = {"region": bucket.region, **query} if bucket.region else query
    parameters = f"?{urlencode(arguments)}" if query else ""
    return f"https://{_CONSOLES.get(bucket.partition, _CONSOLE)}/s3/{path}{parameters}"
