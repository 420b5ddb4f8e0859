"""Whose credentials a scan has, and which accounts belong to the same organisation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from cloudscan.connector import Gap
from cloudscan.errors import ConfigurationError, Malformed, NotOffered, ProviderError
from cloudscan.reason import Reason
from cloudscan.sentence import say
from cloudscan_s3.access.bucket import Unread
from cloudscan_s3.api import setups
from cloudscan_s3.api.asking import Answer, Asker, name_of
from cloudscan_s3.api.failures import Silent, code_of
from cloudscan_s3.questions import ACCOUNTS, CALLER, ORGANISATION

_NUMBER: Final = re.compile(r"\d{12}")
ACTIVE: Final = "ACTIVE"
INACTIVE: Final = frozenset(("SUSPENDED", "PENDING_CLOSURE", "CLOSED", "PENDING_ACTIVATION"))
"""States of an account that does not admit us (Organizations API Reference, "Account"); any other may be new."""

_OF_S3: Final = frozenset(
    (
        "405",
        "AuthorizationHeaderMalformed",
        "InvalidAccessKeyId",
        "InvalidArgument",
        "InvalidBucketName",
        "InvalidParameterValue",  # MinIO, of an action that it does not have
        "InvalidURI",
        "MalformedPOSTRequest",
        "MalformedXML",
        "MissingParameter",
        "MissingSecurityHeader",
        "NoSuchBucket",
        "NoSuchKey",
        "XAmzContentSHA256Mismatch",
    )
)
"""Errors that STS never answers GetCallerIdentity with, and other stores do (seen of MinIO, the others guessed)."""


@dataclass(frozen=True, kw_only=True)
class CallerIdentity:
    """What AWS says of who we are."""

    account: str  # 12 digits: whose credentials we were given
    partition: str  # aws, aws-cn, aws-us-gov


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """The organisation of our account."""

    id: str  # o-…
    management_account: str  # 12 digits; it is ours too, whichever account asks. Empty: AWS did not say


@dataclass(frozen=True, kw_only=True)
class Member:
    """An account of the organisation."""

    account: str
    name: str
    state: str  # ACTIVE, SUSPENDED, PENDING_CLOSURE, CLOSED, PENDING_ACTIVATION, or what AWS invents next


@dataclass(frozen=True, kw_only=True)
class Members:
    """The organisation's accounts by their number, and what could not be read of the list."""

    by_account: Mapping[str, Member]
    gaps: tuple[Gap, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all accounts are known."""
        return not any(gap.outcome.is_gap for gap in self.gaps)


def caller_identity(own: Asker) -> CallerIdentity:
    """Ask STS. Raises a `ProviderError`: without an answer no account can be named."""
    answer = own.require(CALLER) or {}
    arn = str(answer.get("Arn", "")).split(":")
    account = str(answer.get("Account", "")) or (arn[4] if len(arn) > 4 else "")
    if not _NUMBER.fullmatch(account):
        raise Malformed("s3-member-missing", member="Account")
    has_partition = len(arn) > 4 and arn[1].startswith("aws")
    return CallerIdentity(account=account, partition=arn[1] if has_partition else _partition_of(own.account.region))


def identified(own: Asker) -> CallerIdentity:
    """Who we are, asked for the first time.

    Raises `ConfigurationError` where the credentials are not accepted or the server is not AWS, and a `ProviderError`
    where the answer may come another time.
    """
    try:
        return caller_identity(own)
    except ProviderError as error:
        if own.account.options.endpoint and _is_of_another_store(error):
            raise ConfigurationError(
                say(
                    "{endpoint} does not answer as AWS does (sts:GetCallerIdentity). Only AWS itself can be "
                    "scanned, no other store that speaks the S3 protocol. Remove connectors.s3.endpoint (and "
                    "AWS_ENDPOINT_URL).",
                    endpoint=own.account.options.endpoint,
                )
            ) from error
        if isinstance(error, Silent) and error.unknown_host and not _is_known(own.account.region):
            raise ConfigurationError(
                say(
                    "There is no AWS region {region}. Correct region in [connectors.s3], AWS_REGION or "
                    "region in the AWS profile.",
                    region=repr(own.account.region),
                )
            ) from error
        raise setups.credentials_refused(error) or error from error


def own_organisation(own: Asker) -> Organisation | Unread | None:
    """Our organisation; None if there is none. Every member may ask, and is told the management account."""
    answer = own.ask(ORGANISATION)
    if answer is None or isinstance(answer, Unread):
        return answer
    try:
        named = answer["Organization"]
        management = str(named.get("MasterAccountId") or "")
        return Organisation(
            id=name_of(named, "Id"), management_account=management if _NUMBER.fullmatch(management) else ""
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return Unread(question=ORGANISATION, error=Malformed("s3-member-missing", member="Id"))


def members(own: Asker, caller: str) -> Members:
    """The organisation's accounts. Those that AWS did not name leave a gap; the account that asks is one of them."""
    pages: list[Answer] = []
    listed, gaps = own.list(ACCOUNTS, _member, "NextToken", on_page=pages.append)
    if not pages and not gaps:
        gaps = [ACCOUNTS.gap(NotOffered("s3-no-organisation"))]
    elif not gaps and caller not in {member.account for member in listed}:
        gaps = [ACCOUNTS.lacking(Reason(code="s3-list-without-us", values={"account": caller}))]
    return Members(by_account={member.account: member for member in listed}, gaps=tuple(gaps))


def _member(entry: Mapping[str, Any]) -> Member:
    account = name_of(entry, "Id")
    if not _NUMBER.fullmatch(account):
        raise ValueError(account)
    # `State` replaces `Status`, which AWS announced to end in September 2026 (Organizations API Reference, "Account").
    state = str(entry.get("State") or entry.get("Status") or ACTIVE)
    return Member(account=account, name=str(entry.get("Name") or ""), state=state)


def _is_of_another_store(error: ProviderError) -> bool:
    """Whether an answer is one that STS does not give: an error of the S3 protocol, or no such operation."""
    cause = error.__cause__
    code = code_of(cause) if isinstance(cause, ClientError) else ""
    return error.reason.code in ("s3-not-aws", "s3-operation-unknown") or code in _OF_S3 or code.startswith("XMinio")


def _is_known(region: str) -> bool:
    sdk = botocore.session.Session()
    return any(region in sdk.get_available_regions("s3", partition) for partition in sdk.get_available_partitions())


def _partition_of(region: str) -> str:
    try:
        return str(botocore.session.Session().get_partition_for_region(region))
    except BotoCoreError:  # a region that the SDK does not know yet
        return "aws"
