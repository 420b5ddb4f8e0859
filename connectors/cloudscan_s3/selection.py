"""Which accounts are scanned, and what it means when the configuration names one that is not there."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cloudscan.connector import Scope
from cloudscan.errors import AccessDenied, ConfigurationError
from cloudscan.sentence import say
from cloudscan.text import suggestion
from cloudscan_s3 import scopes
from cloudscan_s3.api.identity import ACTIVE, CallerIdentity, Member, Members
from cloudscan_s3.options import Options

_NUMBER: Final = re.compile(r"\d{12}")
_ROLE: Final = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):role/\S+")


def roles(options: Options) -> Mapping[str, str]:
    """The roles that `accounts` names, by the number of their account."""
    return {match[2]: entry for entry in options.accounts if (match := _ROLE.fullmatch(entry))}


def numbers(options: Options) -> frozenset[str]:
    """The accounts that `accounts` names, by number or by a role in them."""
    return frozenset(entry for entry in options.accounts if _NUMBER.fullmatch(entry)) | frozenset(roles(options))


def known_accounts(options: Options, caller: CallerIdentity, members: Members) -> Mapping[str, Member]:
    """Every account that could be scanned, our own first."""
    # Where the organisation's may not be listed, what is configured is not known to be wrong.
    configured = roles(options) if members.complete else numbers(options)
    return {
        caller.account: _active(caller.account),
        **{number: _active(number) for number in configured if number != caller.account},
        **members.by_account,
    }


def account_scopes(options: Options, caller: CallerIdentity, members: Members) -> Iterator[Scope]:
    """A scope for our own account and for each other one that is wanted.

    Raises `ConfigurationError` where nothing is left, and where a role is of another partition than we are.
    """
    for arn in roles(options).values():
        if not arn.startswith(f"arn:{caller.partition}:"):
            raise ConfigurationError(
                say(
                    "accounts in [connectors.s3] names {arn}, which cannot be assumed from the partition "
                    "{partition}. Name an AWS profile of its partition in profiles, with this role in its "
                    "accounts.",
                    arn=arn,
                    partition=caller.partition,
                )
            )
    only = numbers(options)
    wanted = [
        member
        for member in known_accounts(options, caller, members).values()
        if member.account not in options.skip_accounts
        and (not only or member.account in only or member.account == caller.account)
    ]
    if not wanted:
        raise ConfigurationError(
            say("skip_accounts in [connectors.s3] leaves no account to be scanned. Remove an account from it.")
        )
    for member in sorted(wanted, key=lambda member: member.account != caller.account):
        yield scopes.account_scope(member.account, member.name, member.state)


def check(options: Options, known: Iterable[str]) -> None:
    """Raise `ConfigurationError` where `accounts` or `skip_accounts` name what is not there."""
    every = list(known)
    for key, entries in (("accounts", options.accounts), ("skip_accounts", options.skip_accounts)):
        for entry in entries:
            if key == "accounts" and _ROLE.fullmatch(entry):
                continue
            if not _NUMBER.fullmatch(entry):
                arn = say(", or the ARN of a role (arn:aws:iam::111122223333:role/cloudscan)")
                raise ConfigurationError(
                    say(
                        "{key} in [connectors.s3] contains {entry}; write an account's number of 12 digits{role}.",
                        key=key,
                        entry=repr(entry),
                        role=arn if key == "accounts" else "",
                    )
                )
            if entry not in every:
                alone = "" if options.organisation else say("; without organisation = true only our own is")
                role = say(" Or name the role to assume in it by its ARN.") if key == "accounts" else ""
                raise ConfigurationError(
                    say(
                        "{key} in [connectors.s3] names {entry}, which is none of the accounts that can be "
                        "scanned{alone}. In its place, {hint}.{role}",
                        key=key,
                        entry=entry,
                        alone=alone,
                        hint=suggestion(entry, every),
                        role=role,
                    )
                )


def refused_role(refused: AccessDenied, options: Options, number: str) -> AccessDenied:
    """Why a role could not be assumed: it may be missing, not trust us, or something else denies it, as AWS says."""
    if refused.reason.code not in ("s3-denied", "s3-not-in-identity-policy", "s3-not-in-resource-policy"):
        return refused
    return AccessDenied(
        "s3-role-refused",
        needs="sts:AssumeRole",
        role=roles(options).get(number, options.role_name),
        account=number,
        quote=refused.reason.quote,
    )


def _active(number: str) -> Member:
    return Member(account=number, name="", state=ACTIVE)
