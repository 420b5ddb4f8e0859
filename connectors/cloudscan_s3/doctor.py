"""What `cloudscan doctor` checks before a scan of S3."""

from collections.abc import Iterator

from cloudscan.connector import Check, Estate
from cloudscan.errors import CloudscanError
from cloudscan_s3.access.bucket import Unread
from cloudscan_s3.api import client, reader
from cloudscan_s3.api.client import Meter
from cloudscan_s3.options import Options


def checks(options: Options, _estate: Estate) -> Iterator[Check]:
    """Check the credentials, then try the permissions that a scan cannot do without."""
    try:
        account = client.own_account(options, Meter())
        identity = client.require(account.client("sts").get_caller_identity, "sts:GetCallerIdentity")
    except CloudscanError as error:
        yield Check(ok=False, what="s3: credentials", remedy=str(error))
        return
    number, partition = str(identity["Account"]), str(identity["Arn"]).split(":")[1]
    yield Check(ok=True, what=f"s3: credentials of account {number}")
    try:
        block = reader.account_block(account, number)
        yield _answered("s3: the account's Block Public Access", block)
        buckets = list(reader.list_buckets(account))
        yield Check(ok=True, what=f"s3: {len(buckets)} buckets can be listed")
        if buckets:
            bucket = reader.read_bucket(account, buckets[0], number, partition, block)
            first = reader.with_description(account, bucket)
            for what, answer in (
                ("policy", first.policy),
                ("ACL", first.acl),
                ("blocks", first.block),
                ("ownership", first.ownership),
                ("tags", first.tags),
                ("website", first.website),
                ("access log", first.logging),
                ("default key", first.encryption),
            ):
                yield _answered(f"s3: {what} of {buckets[0].name}", answer)
    except CloudscanError as error:
        needs = getattr(error, "needs", "")
        remedy = f"{error}. Allow {needs}; `cloudscan permissions --connector s3 --format policy` prints the policy."
        yield Check(ok=False, what="s3: permissions", remedy=remedy if needs else str(error))


def _answered(what: str, answer: object) -> Check:
    if isinstance(answer, Unread):
        return Check(ok=False, what=what, remedy=f"{answer.reason}. Allow {answer.needs}.")
    return Check(ok=True, what=what)
