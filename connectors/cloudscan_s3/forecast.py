"""What reading S3 costs, and how large an estate is: a few requests before a scan.

Sources: "LookupEvents" (CloudTrail), "AWS Config pricing", "Amazon S3 pricing". For the calls that read a bucket's
configuration AWS names no quota: what is said of it is guessed.
"""

from collections.abc import Iterator
from math import inf
from typing import Final

from cloudscan.connector import Estate
from cloudscan.errors import CloudscanError
from cloudscan.forecast import ONCE, Allowance, Amount, Approach, Charge, Forecasting, Quota, Role
from cloudscan.sentence import joined, say
from cloudscan_s3.options import Options

_ASKED: Final = 3  # accounts whose buckets are counted; the others are taken to have as many

FORECASTING: Final = Forecasting(
    resources="buckets",
    typical={"files": 1.0, "buckets": 1 / 20_000, "accounts": 1 / 1_000_000},
    approaches=(
        Approach(
            name="live",
            title=say("Ask S3 about every bucket"),
            role=Role.WHOLE,
            requests={ONCE: 10, "accounts": 40, "buckets": 4.1},
            microseconds={"accounts": 100_000, "buckets": 8_000},
            quotas=(
                Quota(
                    allowed=(Allowance(inf, 6_000),),
                    used={"accounts": 40, "buckets": 4.1},
                    owners="accounts",
                    certain=False,
                ),
            ),
            lacks=say("ACLs of objects, but for a sample, where no inventory lists them."),
        ),
        Approach(
            name="quiet-night",
            title=say("Ask CloudTrail what changed"),
            role=Role.CHANGES,
            requests={ONCE: 10, "accounts": 70, "buckets": 0.05},
            microseconds={"accounts": 120_000, "buckets": 500},
            quotas=(
                Quota(
                    allowed=(Allowance(inf, 120),),
                    used={"accounts": 34},
                    owners="accounts",
                    source="AWS CloudTrail, LookupEvents",
                ),
            ),
            needs=say("The permission cloudtrail:LookupEvents in every account."),
        ),
        Approach(
            name="config",
            title=say("Read what AWS Config and S3 Inventory have written"),
            role=Role.BULK,
            requests={ONCE: 10, "accounts": 10, "buckets": 0.03},
            microseconds={"accounts": 100_000, "buckets": 4_000},
            charges=(
                Charge(
                    what=say("recorded configuration items"),
                    dollars=0.003,
                    unit="buckets",
                    source="AWS Config pricing",
                    certain=False,
                ),
                Charge(
                    what=say("objects that an inventory lists"),
                    dollars=0.0025,
                    unit="files",
                    per=1_000_000,
                    source="Amazon S3 pricing",
                    certain=False,
                ),
            ),
            hours_old=24,
            lacks=say("Ownership controls and policies of access points, which are gaps."),
            needs=say("A recorder in every account and region, and an aggregator or a bucket for what it delivers."),
        ),
    ),
)


def size(options: Options, estate: Estate) -> Iterator[Amount]:
    """How many accounts and buckets there are. Nothing is raised: what is refused is an amount that is not known."""
    from cloudscan_s3.api.reader import list_buckets
    from cloudscan_s3.connector import S3Connector
    from cloudscan_s3.several import parts

    accounts, counted, buckets = 0, 0, 0
    problem: CloudscanError | None = None
    try:
        for _, own in parts(options) if options.profiles else [("", options)]:
            connector = S3Connector(own, estate)
            for scope in connector.scopes():
                if scope.kind != "account":
                    continue
                accounts += 1
                if counted == _ASKED:
                    continue
                listed = list_buckets(connector.asker(scope.account))
                if not listed.gaps:
                    counted, buckets = counted + 1, buckets + len(listed.buckets)
    except CloudscanError as error:
        problem = error
    because = joined([problem]) if problem else ""
    yield Amount(unit="accounts", count=accounts or None, certain=problem is None, because=because)
    if not counted:
        yield Amount(unit="buckets", count=None, certain=False, because=because)
    elif counted == accounts:
        yield Amount(unit="buckets", count=buckets, because=say("listed"))
    else:
        because = say("{counted} of {accounts} accounts were asked", counted=counted, accounts=accounts)
        yield Amount(unit="buckets", count=round(buckets / counted * accounts), certain=False, because=because)
