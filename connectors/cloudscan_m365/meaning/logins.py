"""SharePoint's logins: which of them name an account, a group or an application, and which mean everyone.

A login is a claim: ``i:`` for an identity, ``c:`` for anything else, then what kind of value it has and who issued it.
Titles are in the site's language and chosen by people; claims are neither. Sources of `_TABLE`: claims encoding as
Microsoft's support answers it ("Understanding login name format of SharePoint", 2021); recordings in pnp/pnpcore and
pnp/PnP-Sites-Core; scripts that compare logins with the directory. What is guessed says so.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from urllib.parse import unquote


class Names(Enum):
    """What a login names."""

    EVERYONE = auto()  # guests too
    INSIDERS = auto()  # everyone except external users
    ANYONE = auto()  # anyone who opens a link without signing in
    GUEST = auto()  # an external person, by a mail address
    ACCOUNT = auto()  # an account, by its user principal name
    GROUP = auto()  # a group of the directory, by its id
    OWNERS = auto()  # the owners of a Microsoft 365 group, by its id
    ROLE = auto()  # a role of administrators, or an old security group: its title tells them apart
    APPLICATION = auto()  # an application, by its id
    SYSTEM = auto()  # SharePoint itself
    SOMEBODY = auto()  # one account in a form that says nothing of it
    NOTHING = auto()  # no claim at all: a title
    UNKNOWN = auto()  # a claim that did not exist when this was written: it may admit anyone


@dataclass(frozen=True, kw_only=True)
class Login:
    """What a login says."""

    names: Names
    value: str = ""  # an address, a user principal name or an id, in lower case


_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TABLE: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), names)
    for pattern, names in (
        (r"c:0\(\.s\|true", Names.EVERYONE),
        # All users of an identity provider: windows, forms:membership, a trusted one.
        (r"c:0!\.s\|.+", Names.EVERYONE),
        (r"c:0-\.f\|rolemanager\|spo-grid-all-users(?:/.*)?", Names.INSIDERS),
        # Visitors by a link for anyone: one for each link, and, later, one for the whole tenant.
        (r"(?:i:0[^|]*\|membership\|)?urn:spo:(?:tenant)?anon#.*", Names.ANYONE),
        (r"(?:i:0[^|]*\|membership\|)?urn:spo:guest#(?P<value>.+)", Names.GUEST),
        # A personal Microsoft account, whatever the address that it was opened with.
        (r"(?:i:0[^|]*\|membership\|)?live\.com#(?P<value>.+)", Names.GUEST),
        # Every account of the directory has such a number beside its name; the domain is not its own.
        (r"i:0[^|]*\|membership\|[0-9a-f]{16}@live\.com", Names.SOMEBODY),
        (r"i:0h\.f\|membership\|.+", Names.SOMEBODY),
        (r"i:0#?\.f\|membership\|(?P<value>.+)", Names.ACCOUNT),
        (rf"c:0t\.c\|tenant\|(?P<value>{_GUID})", Names.GROUP),
        (rf"c:0o\.c\|federateddirectoryclaimprovider\|(?P<value>{_GUID})_o", Names.OWNERS),
        (rf"c:0o\.c\|federateddirectoryclaimprovider\|(?P<value>{_GUID})", Names.GROUP),
        (r"c:0-\.f\|rolemanager\|s-1-5-.+", Names.ROLE),
        (r"(?:i:0i\.t\|[^|]+\|)?app@sharepoint", Names.SYSTEM),
        (rf"i:0i\.t\|[^|]+\|(?P<value>{_GUID})@.*", Names.APPLICATION),
        (r"(?:i:0#\.w\|)?(?:sharepoint\\system|nt (?:authority|service)\\.+)", Names.SYSTEM),
        # The accounts that run SharePoint's own farms (guessed from logins that owners of sites have).
        (r"i:0#\.w\|[^|\\]+\\_?spo.+", Names.SYSTEM),
    )
)


def read(login: str | None) -> Login:
    """What a login says, however it is encoded and whatever its case."""
    text = decoded(login)
    for pattern, names in _TABLE:
        if match := pattern.fullmatch(text):
            return Login(names=names, value=(match.groupdict().get("value") or "").lower())
    if re.match(r"[ic]:0", text, re.IGNORECASE) or "|" in text or "urn:spo:" in text.lower():
        return Login(names=Names.UNKNOWN)
    if "@" in text or EXTERNAL.fullmatch(text):
        return Login(names=Names.ACCOUNT, value=text.lower())
    return Login(names=Names.NOTHING)


EXTERNAL: Final = re.compile(r"(?P<mail>[^|]*)#ext#(?:@[^|]*)?", re.IGNORECASE)
"""The name of an account that signs in elsewhere: its address with an underscore in place of the @, and this mark."""

_ADDRESS: Final = re.compile(r"[^\s@<>();,:|\"]+@[^\s@<>();,:|\"]+\.[^\s@<>();,:|\".]+\.?")
_NAMED: Final = re.compile(r"[^<>@]*<(?P<address>[^<>]+)>")


def address_of(text: str | None) -> str:
    """The mail address that a text is, in lower case; empty where it is none, or more than one."""
    plain = (text or "").strip().lower()
    if named := _NAMED.fullmatch(plain):
        plain = named["address"].strip()
    for prefix in ("mailto:", "smtp:"):
        plain = plain.removeprefix(prefix)
    return plain.rstrip(".") if _ADDRESS.fullmatch(plain) else ""


def external_name(text: str | None) -> str | None:
    """The address in the name of an account that signs in elsewhere, empty if it is not known; None for others."""
    match = EXTERNAL.fullmatch(decoded(text))
    if match is None:
        return None
    mail = match["mail"]
    if "@" in mail:
        return address_of(mail)
    name, _, domain = mail.rpartition("_")
    return address_of(f"{name}@{domain}")


def decoded(text: str | None) -> str:
    """A login or name without percent signs for its special characters, which some answers write twice over."""
    plain = (text or "").strip()
    for _ in range(2):
        if "%" in plain:
            plain = unquote(plain)
    return plain
