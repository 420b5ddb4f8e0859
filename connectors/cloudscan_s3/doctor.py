"""What `cloudscan doctor` checks before a scan of S3."""

from collections.abc import Iterator, Mapping, Sequence

from cloudscan.connector import Check, Estate, Gap
from cloudscan.errors import AccessDenied, CloudscanError
from cloudscan.facts import Outcome
from cloudscan.http import Patience
from cloudscan.reason import advice, sentence
from cloudscan_s3 import further_lists, regions, selection
from cloudscan_s3.access.bucket import Unread
from cloudscan_s3.api import account, control_policies, identity, reader
from cloudscan_s3.api.account import Meter
from cloudscan_s3.api.asking import Asker
from cloudscan_s3.api.identity import INACTIVE, CallerIdentity, Members
from cloudscan_s3.api.reader import ListedBucket
from cloudscan_s3.options import Options
from cloudscan_s3.permissions import PERMISSIONS
from cloudscan_s3.questions import (
    ACCESS_GRANTS,
    ACCESS_GRANTS_POLICY,
    ACCESS_POINTS,
    DIRECTORY_ACCESS_POINTS,
    DIRECTORY_BUCKETS,
    INVENTORY,
    OBJECT_LAMBDA,
    OUTPOSTS,
    REGIONS,
    REPLICATION,
    ROLES,
    TABLE_BUCKETS,
    VECTOR_BUCKETS,
    AwsQuestion,
)

_PATIENCE = Patience(attempts=2, pause=0.5)  # somebody is waiting


def checks(options: Options, _estate: Estate) -> Iterator[Check]:
    """Check the credentials, the roles in other accounts, then the permissions that a scan cannot do without."""
    try:
        own = account.own_account(options, Meter())
        own.open_own()
        asker = Asker(own, _PATIENCE)
        caller = identity.identified(asker)
    except CloudscanError as error:
        yield Check(ok=False, what="s3: credentials", remedy=str(error))
        return
    yield Check(ok=True, what=f"s3: credentials of account {caller.account}")
    try:
        yield from _accounts(options, asker, caller)
        yield from _permissions(asker, caller)
        yield from _organisation(asker, caller)
    except CloudscanError as error:
        yield Check(ok=False, what="s3: permissions", remedy=str(error))


def _accounts(options: Options, own: Asker, caller: CallerIdentity) -> Iterator[Check]:
    """Whether the accounts are known, and which of them admit us."""
    members = identity.members(own, caller.account) if options.organisation else Members(by_account={})
    yield from (_gap("s3: accounts of the organisation", gap) for gap in members.gaps)
    for scope in selection.account_scopes(options, caller, members):
        if scope.account == caller.account or scope.params.get("state") in INACTIVE:
            continue
        what = f"s3: role {options.role_name} in account {scope.account}"
        try:
            account.member_account(own.account, scope.account, caller.partition).open()
        except AccessDenied as refused:
            yield Check(ok=False, what=what, remedy=str(selection.refused_role(refused, options, scope.account)))
        except CloudscanError as error:
            yield Check(ok=False, what=what, remedy=str(error))
        else:
            yield Check(ok=True, what=what)


def _organisation(own: Asker, caller: CallerIdentity) -> Iterator[Check]:
    """The organisation, and its resource control policies."""
    organisation = identity.own_organisation(own)
    if organisation is None:
        return
    yield _answered("s3: the organisation", organisation)
    if isinstance(organisation, Unread):
        return
    policies = control_policies.of_organisation(own)
    above = control_policies.in_force(own, control_policies.Units(), policies, caller.account)
    by_management = organisation.management_account == caller.account
    gaps = [control_policies.as_reported(gap, by_management=by_management) for gap in (*policies.gaps, *above.gaps)]
    yield from (_gap("s3: resource control policies", gap) for gap in gaps)
    if not gaps:
        yield Check(ok=True, what=f"s3: {len(policies.attached)} resource control policies can be read")


def _permissions(asker: Asker, caller: CallerIdentity) -> Iterator[Check]:
    """The questions about an account, and those about its first bucket."""
    block = reader.account_block(asker, caller.account)
    yield _answered("s3: the account's Block Public Access", block)
    buckets, gaps = reader.list_buckets(asker)
    yield from (_gap("s3: buckets", gap) for gap in gaps)
    if not gaps:
        yield Check(ok=True, what=f"s3: {len(buckets)} buckets can be listed")
    if buckets:
        bucket = reader.read_bucket(asker, buckets[0], caller.account, caller.partition, block)
        first = reader.with_description(asker, bucket)
        for what, answer in (
            ("policy", first.policy),
            ("ACL", first.acl),
            ("blocks", first.block),
            ("ownership", first.ownership),
            ("tags", first.tags),
            ("use of tags for access", reader.abac(asker, first)),
            ("website", first.website),
            ("access log", first.logging),
            ("default key", first.encryption),
        ):
            yield _answered(f"s3: {what} of {buckets[0].name}", answer)
    yield from _further(asker, caller, buckets)


def _further(asker: Asker, caller: CallerIdentity, buckets: Sequence[ListedBucket]) -> Iterator[Check]:
    """The lists that an account has beside its buckets, each in one region, and what S3 carries out of a bucket.

    What lacks only an optional permission is told and passes: the scan is complete without it.
    """
    own_region, number = asker.account.region, {"AccountId": caller.account}
    express = own_region if own_region in regions.EXPRESS else min(regions.EXPRESS)
    asked: list[tuple[str, AwsQuestion, str, Mapping[str, object]]] = [
        ("enabled Regions", REGIONS, "", {}),
        ("roles that S3 may assume", ROLES, "", {"MaxItems": 1}),
        ("access grants", ACCESS_GRANTS, own_region, number),
        ("the policy of the access grants' instance", ACCESS_GRANTS_POLICY, own_region, number),
        ("access points", ACCESS_POINTS, own_region, number),
        ("Object Lambda access points", OBJECT_LAMBDA, own_region, number),
        ("table buckets", TABLE_BUCKETS, own_region, {}),
        ("vector buckets", VECTOR_BUCKETS, own_region, {}),
        ("Outposts with S3", OUTPOSTS, own_region, {}),
    ]
    if regions.has_directory_buckets(caller.partition):
        asked.append(("directory buckets", DIRECTORY_BUCKETS, express, {}))
        asked.append(("access points of directory buckets", DIRECTORY_ACCESS_POINTS, express, number))
    if buckets:
        of_bucket = {"Bucket": buckets[0].name}
        asked.append((f"replication of {buckets[0].name}", REPLICATION, buckets[0].region, of_bucket))
        asked.append((f"inventories of {buckets[0].name}", INVENTORY, buckets[0].region, of_bucket))
    optional = {permission.name for permission in PERMISSIONS if permission.optional}
    for what, question, region, arguments in asked:
        answer = asker.ask(question, region, **arguments)
        left_out = isinstance(answer, Unread) and (
            question.needs in optional or further_lists.unless_unknown(answer.gap(None)).outcome is Outcome.SKIPPED
        )
        if left_out and isinstance(answer, Unread):
            yield Check(ok=True, what=f"s3: {what}, left out: {sentence(answer.gap(None).reason, 'en')}")
        else:
            yield _answered(f"s3: {what}", answer)


def _answered(what: str, answer: object) -> Check:
    return _gap(what, answer.gap(None)) if isinstance(answer, Unread) else Check(ok=True, what=what)


def _gap(what: str, gap: Gap) -> Check:
    if gap.outcome is Outcome.NOT_OFFERED:
        return Check(ok=True, what=what)
    if gap.outcome is Outcome.NOT_JUDGED:  # a known limit, of which the scan is no less complete
        return Check(ok=True, what=f"{what}: {sentence(gap.reason, 'en')}")
    policy = " `cloudscan permissions --connector s3 --format policy` prints the policy." if gap.needs else ""
    next_step = advice(gap.reason, "en")
    remedy = f"{sentence(gap.reason, 'en')}. {next_step}".strip()
    return Check(ok=False, what=what, remedy=f"{remedy}{policy}")
