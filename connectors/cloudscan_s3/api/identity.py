"""Whose credentials a scan has, and which accounts belong to the same organisation."""

from dataclasses import dataclass

from cloudscan.errors import ProviderError, Throttled, Unreachable
from cloudscan_s3.api.client import Account, member, require


@dataclass(frozen=True, kw_only=True)
class CallerIdentity:
    """What AWS says of who we are."""

    account: str  # 12 digits: whose credentials we were given
    partition: str  # aws, aws-cn, aws-us-gov
    organisation: str | None  # o-…; None: none, or not allowed to know
    members: dict[str, str]  # the names of the organisation's active accounts; empty unless asked for


def caller_identity(own: Account, *, with_members: bool) -> CallerIdentity:
    """Ask STS and Organizations. Raises `AccessDenied` where the members are wanted and may not be listed."""
    answer = require(own.client("sts").get_caller_identity, "sts:GetCallerIdentity")
    return CallerIdentity(
        account=str(answer["Account"]),
        partition=str(answer["Arn"]).split(":")[1],
        organisation=_organisation(own),
        members=_members(own) if with_members else {},
    )


def _organisation(own: Account) -> str | None:
    client = own.client("organizations")
    try:
        answer = require(client.describe_organization, "organizations:DescribeOrganization")
    except (Throttled, Unreachable):
        raise
    except ProviderError:
        # Optional: without it, an organisation that a policy names may be ours or not.
        return None
    return str(answer["Organization"]["Id"])


def _members(own: Account) -> dict[str, str]:
    client = own.client("organizations")
    members: dict[str, str] = {}
    token: dict[str, str] = {}
    while True:
        page = require(client.list_accounts, "organizations:ListAccounts", **token)
        members |= {
            str(account["Id"]): str(account.get("Name", ""))
            for account in member(page, "Accounts")
            if account.get("Status", "ACTIVE") == "ACTIVE"
        }
        if not page.get("NextToken"):
            return members
        token = {"NextToken": page["NextToken"]}
