"""Which accounts are scanned, and what it means when the configuration names one that is not there."""

from collections.abc import Iterator

from cloudscan.connector import Scope
from cloudscan.errors import AccessDenied, ConfigurationError
from cloudscan.text import suggestion
from cloudscan_s3 import scopes
from cloudscan_s3.api.identity import ACTIVE, CallerIdentity, Member, Members
from cloudscan_s3.options import Options


def account_scopes(options: Options, caller: CallerIdentity, members: Members) -> Iterator[Scope]:
    """A scope for our own account and for each other one that is wanted.

    Raises `ConfigurationError` where `accounts` or `skip_accounts` name what is not there, or nothing is left.
    """
    known = {caller.account: Member(account=caller.account, name="", state=ACTIVE), **members.by_account}
    if not members.complete:  # what is configured is not known to be wrong
        known = {**{number: Member(account=number, name="", state=ACTIVE) for number in options.accounts}, **known}
    else:
        _check(options, known)
    wanted = [
        member
        for member in known.values()
        if member.account not in options.skip_accounts
        and (not options.accounts or member.account in options.accounts or member.account == caller.account)
    ]
    if not wanted:
        raise ConfigurationError(
            "skip_accounts in [connectors.s3] leaves no account to be scanned. Remove an account from it."
        )
    for member in sorted(wanted, key=lambda member: member.account != caller.account):
        yield scopes.account_scope(member.account, member.name, member.state)


def refused_role(refused: AccessDenied, options: Options, number: str) -> AccessDenied:
    """Why a role could not be assumed: it may be missing, not trust us, or something else denies it, as AWS says."""
    if refused.reason.code not in ("s3-denied", "s3-not-in-identity-policy", "s3-not-in-resource-policy"):
        return refused
    return AccessDenied(
        "s3-role-refused",
        needs="sts:AssumeRole",
        role=options.role_name,
        account=number,
        quote=refused.reason.quote,
    )


def _check(options: Options, known: dict[str, Member]) -> None:
    for key, numbers in (("accounts", options.accounts), ("skip_accounts", options.skip_accounts)):
        for number in numbers:
            if number not in known:
                alone = "" if options.organisation else "; without organisation = true only our own is"
                raise ConfigurationError(
                    f"{key} in [connectors.s3] names {number}, which is none of the accounts that can be scanned"
                    f"{alone}. In its place, {suggestion(number, known)}."
                )
