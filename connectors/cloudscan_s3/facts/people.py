"""IAM users and users of the IAM Identity Center as principals, with what joins them to persons. Pure functions.

An IAM user is the same principal as the one that a policy names by its ARN, and an Identity Center's user the same as
the one that an access grant names by its id. IAM knows no address: companies write it into a tag, or take it as the
user's name (guessed from common practice; the names of the tags are ours).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from cloudscan.connector import Estate
from cloudscan.facts import (
    ACCESS_KEYS,
    ADDRESSES,
    DEPARTMENTS,
    EMPLOYEE_NUMBER,
    EMPLOYMENT,
    IDENTITIES,
    KEYS_LAST_USED_ON,
    PRIVATE_ADDRESSES,
    ROLE,
    SIGN_IN,
    Affiliation,
    Principal,
)
from cloudscan.text import domain_of
from cloudscan_s3.access.own_estate import OwnEstate
from cloudscan_s3.api.people import Credentials, DirectoryUser, IamUser, IdentityCenter
from cloudscan_s3.facts.recipients import directory_uid
from cloudscan_s3.facts.translate import PLATFORM, principal_uid

_ADDRESS: Final = re.compile(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+\.[^\s@<>,;:\"]+")
_NOT_IN_NAMES: Final = re.compile(r"[-_ .:/]")
_ADDRESS_TAGS: Final = ("email", "mail", "emailaddress", "mailaddress", "useremail", "employeeemail", "メールアドレス")
_NUMBER_TAGS: Final = (
    *("employeenumber", "employeeid", "employeeno", "employee", "staffnumber", "staffid"),
    *("社員番号", "従業員番号", "社員コード", "従業員コード"),
)
_DEPARTMENT_TAGS: Final = ("department", "dept", "部署", "所属", "部門")
_PRIVATE: Final = "home"
_NEVER_SEEN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STATUS: Final = {"ENABLED": "active", "DISABLED": "suspended"}


def principal_of_iam_user(user: IamUser, own_estate: OwnEstate) -> Principal:
    """An IAM user of an account of ours."""
    tags = {_plain(name): value.strip() for name, value in (user.tags or {}).items()}
    address = next((found for name in _ADDRESS_TAGS if (found := _as_address(tags.get(name, "")))), "")
    number = next((tags[name] for name in _NUMBER_TAGS if tags.get(name)), "")
    if found := _as_address(number):
        address, number = address or found, ""
    department = next((tags[name] for name in _DEPARTMENT_TAGS if tags.get(name)), "")
    return Principal(
        uid=principal_uid(user.arn),
        platform=PLATFORM,
        account=own_estate.account,
        kind="user",
        email=address or _as_address(user.name),
        name=user.arn,
        domain=own_estate.account,
        affiliation=Affiliation.INTERNAL,
        status="active",
        created_on=user.created_on,
        last_seen_on=_last_seen(user.credentials),
        department=department,
        detail={
            **({EMPLOYEE_NUMBER: number} if number else {}),
            **({DEPARTMENTS: [department]} if department else {}),
            **_sign_in(user.credentials, own_estate.estate),
        },
    )


def principal_of_directory_user(
    user: DirectoryUser, center: IdentityCenter, estate: Estate, known: Mapping[str, DirectoryUser]
) -> Principal:
    """A user of an Identity Center. `known` are all of them, by id: a manager who is not among them is nobody."""
    mails = [(found, kind) for text, kind in user.addresses if (found := _as_address(text))]
    named = _as_address(user.user_name)
    own = list(dict.fromkeys([mail for mail, kind in mails if kind != _PRIVATE] + [named] * bool(named)))
    private = [mail for mail, kind in mails if kind == _PRIVATE and mail not in own]
    address = next(iter(own), "")
    manager = user.enterprise.get("manager")
    manager_id = str(manager.get("value") or "") if isinstance(manager, Mapping) else ""
    department = _text_of(user.enterprise, "department")
    known_texts = {
        EMPLOYEE_NUMBER: _text_of(user.enterprise, "employeeNumber"),
        ROLE: user.title,
        EMPLOYMENT: user.user_type,
        SIGN_IN: {"ENABLED": "true", "DISABLED": "false"}.get(user.status, ""),
    }
    return Principal(
        uid=directory_uid(user.id),
        platform=PLATFORM,
        account=center.owner,
        kind="user",
        email=address,
        name=user.name or user.user_name or user.id,
        domain=domain_of(address),
        affiliation=_affiliation(address, estate),
        status=_STATUS.get(user.status),
        created_on=user.created_on,
        department=department,
        sponsor_uid=directory_uid(manager_id) if manager_id in known else None,
        detail={
            **{name: text for name, text in known_texts.items() if text},
            ADDRESSES: own[1:],
            PRIVATE_ADDRESSES: list(dict.fromkeys(private)),
            DEPARTMENTS: [department] if department else [],
            IDENTITIES: _identities(user.external_ids),
        },
    )


def _identities(external_ids: Sequence[tuple[str, str]]) -> Sequence[str]:
    return [f"{issuer}|{identity}" for issuer, identity in external_ids if identity]


def _affiliation(address: str, estate: Estate) -> Affiliation | None:
    """Who is in our directory may be a guest or a partner: ours is only whose address is known to be."""
    domain = domain_of(address)
    if domain in estate.domains:
        return Affiliation.INTERNAL
    return Affiliation.PARTNER if domain and estate.partner_of(domain) else None


def _sign_in(credentials: Credentials | None, estate: Estate) -> Mapping[str, str]:
    if credentials is None:
        return {}
    used = credentials.keys_used_on
    return {
        **({SIGN_IN: str(credentials.password).lower()} if credentials.password is not None else {}),
        **({ACCESS_KEYS: str(credentials.active_keys)} if credentials.active_keys is not None else {}),
        KEYS_LAST_USED_ON: estate.day_of(used).isoformat() if used else "false",
    }


def _last_seen(credentials: Credentials | None) -> datetime | None:
    if credentials is None:
        return None
    used = (moment for moment in (credentials.password_used_on, credentials.keys_used_on) if moment)
    return max(used, default=_NEVER_SEEN)


def _text_of(enterprise: Mapping[str, object], name: str) -> str:
    value = enterprise.get(name)
    return value.strip() if isinstance(value, str) else ""


def _plain(name: str) -> str:
    """A tag's name without what people separate words with."""
    return _NOT_IN_NAMES.sub("", name).lower()


def _as_address(text: str) -> str:
    address = text.strip().lower()
    return address if _ADDRESS.fullmatch(address) else ""
