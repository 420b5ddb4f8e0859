"""A row of Data Connect as the answer that Graph would have given, so that both mean the same.

A link is judged by its scope and never by the people that it lists: samples show links for anyone with nobody in the
list, and links for named people without one. Whether a link has a password or blocks downloads is not in any column.
Source: microsoftgraph/dataconnect-solutions, Datasets, data-connect-dataset-sharepointpermissions.
"""

import base64
import uuid
from collections.abc import Iterator
from typing import Final

from cloudscan_m365.api.models import Identity, IdentitySet, Permission, SharingLink
from cloudscan_m365.bulk.rows import Row, number, parts, text

NO_GUID: Final = "00000000-0000-0000-0000-000000000000"
_SCOPES: Final = {"anyone": "anonymous", "organization": "organization", "specificpeople": "users"}
_UNKNOWN_SCOPE: Final = "not-said"
_READING: Final = frozenset({"read", "view only", "restricted view", "restricted read"})
_OWNERS: Final = "_o"
_GROUP_CLAIM: Final = "c:0o.c|federateddirectoryclaimprovider|"


def permissions_of(row: Row) -> Iterator[Permission]:
    """What a row grants: one permission for a link, else one for each of those that it is shared with."""
    role = text(row, "roledefinition")
    roles = (f"sp.{role.lower()}",) if role else ()
    expires = text(row, "shareexpirationtime")
    shared = tuple(_identity(one) for one in parts(row, "sharedwith"))
    link = guid(text(row, "linkid"))
    if link:
        scope = text(row, "linkscope").replace(" ", "").lower()
        yield Permission(
            id=link,
            roles=roles,
            link=SharingLink(
                type="view" if role.lower() in _READING else "edit",
                scope=_SCOPES.get(scope, scope or _UNKNOWN_SCOPE),
                prevents_download=None,
            ),
            granted_to_identities_v2=shared if shared or number(row, "totalusercount") == 0 else None,
            expiration_date_time=expires,
            has_password=None,
        )
        return
    for one in shared:
        yield Permission(roles=roles, granted_to_v2=one, expiration_date_time=expires)
    if not shared and number(row, "totalusercount") != 0:
        yield Permission(roles=roles, expiration_date_time=expires)  # for somebody who is not named


def identity_of(member: Row) -> IdentitySet:
    """Somebody in a list of members, as Graph would name them."""
    return _identity(member)


def guid(written: str) -> str:
    """An id in lower case without braces; empty where there is none."""
    plain = written.strip("{}").lower()
    return "" if plain == NO_GUID else plain


def drive_id(site: str, web: str, library: str) -> str:
    """The id by which Graph knows a document library: the three ids of its list, in base64 after ``b!``.

    Guessed from recorded ids; Microsoft documents the id as opaque. What are no guids are put together as they are.
    """
    try:
        packed = b"".join(uuid.UUID(one).bytes_le for one in (site, web, library))
    except ValueError:
        return f"{site},{web},{library}"
    return "b!" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _identity(one: Row) -> IdentitySet:
    kind = (text(one, "typev2") or text(one, "type")).replace(" ", "").lower()
    name, email, identity = text(one, "name"), text(one, "email"), guid(text(one, "aadobjectid"))
    email = email or text(one, "emailaddress")
    login, upn = text(one, "userloginname"), text(one, "upn")
    if kind == "sharepointgroup":
        return IdentitySet(site_group=Identity(title=name, login_name=login))
    if login.lower().endswith(_OWNERS) and "|" not in login:
        login = _GROUP_CLAIM + login  # the owners of a group, not its members
    site_user = Identity(login_name=login, email=email, display_name=name)
    if login.lower().endswith(_OWNERS):
        return IdentitySet(site_user=site_user)
    form = Identity(id=identity, email=email, display_name=name, user_principal_name=upn)
    if kind in ("securitygroup", "group"):
        return IdentitySet(group=form, site_user=site_user if login else None)
    return IdentitySet(user=form, site_user=site_user if login else None)
