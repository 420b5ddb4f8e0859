"""Every form in which Microsoft writes who has a permission, in every place, beside forms that say less.

Whoever is external, or may be anyone, is so wherever it is written; a colleague is one in every form of a colleague.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cloudscan.connector import Estate, Partner
from cloudscan.facts import Access, Affiliation, Audience, Grant, Principal, Via
from cloudscan_m365.api.models import Permission, SharingLink
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import INSIDERS, DirectoryEntry, GroupContents, People, SiteGroups
from cloudscan_m365.meaning.translate import Sharing, TenantContext, TranslatedPermission, translate

NOW = datetime(2026, 11, 1, tzinfo=UTC)
TEAM, MIXED, HIDDEN, ELSEWHERE = (f"bbbbbbbb-0000-4000-8000-00000000000{number}" for number in range(1, 5))
ROBOT = "5f0d2a61-aaaa-4bbb-8ccc-000000000001"


def person(
    identity: str, email: str, affiliation: Affiliation, kind: str = "user", status: str = "active"
) -> Principal:
    return Principal(
        uid=uids.user(identity),
        platform=uids.PLATFORM,
        account="contoso.com",
        kind=kind,
        email=email,
        affiliation=affiliation,
        status=status,
    )


def group(identity: str, name: str, contents: GroupContents | None, owners: tuple[str, ...] = ()) -> DirectoryEntry:
    principal = Principal(
        uid=uids.group(identity),
        platform=uids.PLATFORM,
        account="contoso.com",
        kind="group",
        name=name,
        affiliation=Affiliation.INTERNAL,
        status="active",
    )
    return DirectoryEntry(principal=principal, contents=contents, owners=owners)


ENTRIES = {
    "i1": DirectoryEntry(principal=person("i1", "adelev@contoso.com", Affiliation.INTERNAL)),
    "g1": DirectoryEntry(principal=person("g1", "rui@supplier.example", Affiliation.EXTERNAL, "guest")),
    TEAM: group(TEAM, "Team", GroupContents()),
    MIXED: group(MIXED, "Mixed", GroupContents(externals=1), owners=(uids.user("i1"),)),
    HIDDEN: group(HIDDEN, "Hidden", GroupContents(known=False)),
}
NAMES = {
    "adelev@contoso.com": "i1",
    "rui@supplier.example": "g1",
    "rui_supplier.example#ext#@contoso.onmicrosoft.com": "g1",
}


def tenant(*, read: bool = True, owner: str | None = None) -> TenantContext:
    people = People(
        estate=Estate(
            domains=frozenset({"contoso.com"}), partners=(Partner(name="P", domains=frozenset({"partner.example"})),)
        ),
        tenant_id="a-tenant",
        primary="contoso.com",
        domains=frozenset({"contoso.com", "contoso.onmicrosoft.com"}),
        entries=ENTRIES if read else {},
        names=NAMES if read else {},
        complete=read,
    )
    groups = SiteGroups(
        site="a-site",
        contents={
            "3": GroupContents(),
            "9": GroupContents(claim=INSIDERS),
            "10": GroupContents(known=False),
            "11": GroupContents(externals=2),
        },
        numbers={"members": "3", "all of us": "9"},
    )
    return TenantContext(people=people, groups=groups, sharing=Sharing(), owner_uid=owner, now=NOW)


def translated(payload: Mapping[str, Any], *, read: bool = True, **more: Any) -> TranslatedPermission:
    permission = msgspec.json.decode(msgspec.json.encode({"id": "p", "roles": ["read"], **payload}), type=Permission)
    translation = translate(permission, tenant(read=read, **more))
    assert translation is not None
    return translation


def grant(payload: Mapping[str, Any], *, read: bool = True, **more: Any) -> Grant:
    return translated(payload, read=read, **more).grant


LOGIN = "i:0#.f|membership|"
OUTSIDERS: Mapping[str, Mapping[str, Any]] = {
    "guest by id": {"user": {"id": "g1", "displayName": "Rui"}},
    "guest by id, an address of ours": {"user": {"id": "g1", "displayName": "Rui", "email": "adelev@contoso.com"}},
    "guest by a number for an id": {"user": {"id": "g1", "displayName": "Rui"}, "siteUser": {"id": 12}},
    "address": {"user": {"id": "k1", "displayName": "X", "email": "x@rival.example"}},
    "address alone": {"user": {"email": "X@RIVAL.example"}},
    "address with its name": {"user": {"email": "X <x@rival.example>"}},
    "partner": {"user": {"id": "k1", "email": "x@partner.example"}},
    "address of SharePoint's user": {"siteUser": {"id": "12", "email": "x@rival.example"}},
    "mark in mail": {"user": {"id": "k2", "email": "x_rival.example#EXT#@contoso.onmicrosoft.com"}},
    "mark in mail, of ours": {"user": {"id": "k2", "email": "adelev_contoso.com#EXT#@contoso.onmicrosoft.com"}},
    "mark encoded in mail": {"user": {"id": "k2", "email": "x_rival.example%23EXT%23@contoso.onmicrosoft.com"}},
    "mark in the principal name": {"user": {"id": "k", "userPrincipalName": "x_rival.example#ext#@contoso.com"}},
    "mark in a name": {"user": {"id": "k2", "displayName": "x_rival.example#EXT#@contoso.onmicrosoft.com"}},
    "mark in an id": {"user": {"id": "x_rival.example#EXT#@contoso.onmicrosoft.com"}},
    "address for an id": {"user": {"id": "x@rival.example", "displayName": "X"}},
    "address beside an application": {"application": {"id": ROBOT}, "user": {"email": "x@rival.example"}},
    "address beside a site group": {"siteGroup": {"id": "3"}, "user": {"email": "x@rival.example"}},
    "address beside a group": {"group": {"id": TEAM}, "siteUser": {"email": "x@rival.example"}},
    "mark in login": {"siteUser": {"loginName": f"{LOGIN}x_rival.example#ext#@contoso.onmicrosoft.com"}},
    "mark in login, encoded": {"siteUser": {"loginName": f"{LOGIN}x_rival.example%23EXT%23@contoso.onmicrosoft.com"}},
    "mark in login of a user": {"user": {"loginName": f"{LOGIN}x_rival.example#ext#@contoso.onmicrosoft.com"}},
    "other tenant": {"siteUser": {"loginName": f"{LOGIN}x@rival.example#ext#@other.example"}},
    "login of another domain": {"siteUser": {"loginName": f"{LOGIN}x@rival.example"}},
    "login in capitals": {"siteUser": {"loginName": f"{LOGIN}X@RIVAL.EXAMPLE".upper()}},
    "passcode": {"siteUser": {"loginName": f"{LOGIN}urn%3aspo%3aguest#x@rival.example"}},
    "passcode in capitals": {"siteUser": {"loginName": f"{LOGIN}URN%3ASPO%3AGUEST#X@RIVAL.EXAMPLE"}},
    "passcode, an address of ours": {"siteUser": {"loginName": f"{LOGIN}urn:spo:guest#adelev@contoso.com"}},
    "personal account": {"siteUser": {"loginName": f"{LOGIN}live.com#adelev@contoso.com"}},
    "group with guests": {"group": {"id": MIXED, "displayName": "Mixed"}},
    "group with guests by claim": {"siteUser": {"loginName": f"c:0t.c|tenant|{MIXED}"}},
    "group with guests as a user": {"user": {"id": MIXED.upper(), "displayName": "Mixed"}},
    "site group with guests": {"siteGroup": {"id": "11", "displayName": "Visitors"}},
    "site group with guests, newer": {"sharePointGroup": {"id": "x", "principalId": 11, "title": "Visitors"}},
}
UNTOLD: Mapping[str, Mapping[str, Any]] = {
    "id alone": {"user": {"id": "k9", "displayName": "Somebody"}},
    "name alone": {"user": {"displayName": "Somebody"}},
    "claim of the future": {"siteUser": {"loginName": "c:0u.c|tenant|77ab1c02d9", "email": "adelev@contoso.com"}},
    "claim without an issuer": {"siteUser": {"loginName": "c:0-.f|rolemanager|s-1-5-21-1-2-3"}},
    "federated account": {"siteUser": {"loginName": "i:0e.t|adfs|adelev@contoso.com"}},
    "number for a name": {"siteUser": {"loginName": "i:0h.f|membership|10033fffabe6cf87@live.com"}},
    "two addresses": {"user": {"email": "x@rival.example;adelev@contoso.com"}},
    "address in an address": {"user": {"email": "x@rival.example@contoso.com"}},
    "device": {"device": {"id": "d1", "displayName": "Kiosk"}},
    "hidden group": {"group": {"id": HIDDEN}},
    "group of elsewhere": {"group": {"id": ELSEWHERE, "displayName": "Team"}},
    "site group that was not listed": {"siteGroup": {"id": "77", "displayName": "New"}},
    "site group without an id": {"siteGroup": {"displayName": "New"}},
    "site group with somebody unknown": {"siteGroup": {"id": "10", "displayName": "Readers"}},
    "group of a link for people": {"siteGroup": {"id": "99", "loginName": "SharingLinks.19.Flexible.84"}},
}
ANYONE: Mapping[str, Mapping[str, Any]] = {
    "visitor by a link": {"siteUser": {"loginName": f"{LOGIN}urn%3aspo%3aanon#77ab", "email": "adelev@contoso.com"}},
    "visitor by any link": {"siteUser": {"loginName": "urn:spo:tenantanon#a-tenant"}},
    "visitor, encoded twice": {"siteUser": {"loginName": f"{LOGIN}urn%253aspo%253aanon#77ab"}},
    "group of a link for anyone": {"siteGroup": {"id": "98", "loginName": "SharingLinks.19c7.AnonymousEdit.846e"}},
    "group of a link, by its title": {"sharePointGroup": {"title": "sharinglinks.19c7.anonymousview.846e"}},
}
EVERYBODY: Mapping[str, Mapping[str, Any]] = {
    "everyone": {"siteUser": {"loginName": "c:0(.s|true", "displayName": "全員"}},
    "everyone in capitals, encoded": {"siteUser": {"loginName": " C:0%28.S%7CTRUE "}},
    "all users": {"siteUser": {"loginName": "c:0!.s|forms%3amembership"}},
    "all users of a provider": {"siteUser": {"loginName": "c:0!.s|trusted%3aadfs"}},
    "everyone but guests": {"siteUser": {"loginName": "c:0-.f|rolemanager|spo-grid-all-users/a-tenant"}},
    "everyone, as a group": {"group": {"loginName": "c:0(.s|true", "id": TEAM}},
    "site group with everyone": {"siteGroup": {"id": "9"}},
    "site group with everyone, by its title": {"sharePointGroup": {"title": "All of us"}},
    "group of a link for the organisation": {"siteGroup": {"loginName": "SharingLinks.19.OrganizationView.84"}},
}
OURS: Mapping[str, Mapping[str, Any]] = {
    "by id": {"user": {"id": "i1", "displayName": "Adele"}},
    "by id, another address": {"user": {"id": "i1", "email": "adele@home.example"}},
    "by id in capitals": {"user": {"id": "I1"}},
    "by address": {"user": {"email": "AdeleV@Contoso.com"}},
    "by login": {"siteUser": {"loginName": f"{LOGIN}adelev@contoso.com", "id": 31}},
    "by id with an old login": {"user": {"id": "i1"}, "siteUser": {"loginName": f"{LOGIN}adele.old@contoso.com"}},
    "by id with a number": {"user": {"id": "i1"}, "siteUser": {"loginName": "i:0h.f|membership|10033ff@live.com"}},
    "since the directory was read": {"user": {"id": "new", "email": "new@contoso.com"}},
    "group": {"group": {"id": TEAM, "displayName": "Team"}, "siteUser": {"loginName": f"c:0t.c|tenant|{TEAM}"}},
    "owners of a group with guests": {"siteUser": {"loginName": f"c:0o.c|federateddirectoryclaimprovider|{MIXED}_o"}},
    "site group": {"siteGroup": {"id": 3, "displayName": "Members"}},
    "site group in both forms": {
        "siteGroup": {"id": "3", "displayName": "Members"},
        "sharePointGroup": {"id": "aaaa", "principalId": "3", "title": "Members"},
    },
    "administrators": {
        "siteUser": {"loginName": "c:0-.f|rolemanager|s-1-5-21-1", "displayName": "Company Administrator"}
    },
    "application": {"application": {"id": ROBOT, "displayName": "Robot"}},
    "application by login": {"siteUser": {"loginName": f"i:0i.t|ms.sp.ext|{ROBOT}@a-tenant"}},
    "SharePoint": {"siteUser": {"loginName": "i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint"}},
    "SharePoint's system": {"siteUser": {"loginName": "SHAREPOINT\\system", "displayName": "System Account"}},
}  # fmt: skip
LINK = {"link": {"scope": "users", "type": "edit"}}
SILENT: Sequence[Mapping[str, Any] | None] = (
    None,
    {},
    {"user": None},
    {"user": {}},
    {"user": {"id": None, "displayName": None}},
)
"""Members that are there and say nothing."""


def places(form: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """One form in all the places where a permission has people, beside members that say nothing."""
    for silent in SILENT:
        shown = "nothing" if silent is None else msgspec.json.encode(silent).decode()
        yield f"newer beside {shown}", {"grantedToV2": form, "grantedTo": silent}
        yield f"older beside {shown}", {"grantedToV2": silent, "grantedTo": form}
        entries = [] if silent is None else [silent]
        yield f"newer list beside {shown}", {"grantedToIdentitiesV2": [form], "grantedToIdentities": entries}
        yield f"older list beside {shown}", {"grantedToIdentitiesV2": entries, "grantedToIdentities": [form]}
        yield f"link beside {shown}", {**LINK, "grantedToIdentitiesV2": [form], "grantedToIdentities": entries}
        yield (
            f"link, older list beside {shown}",
            {
                **LINK,
                "grantedToIdentitiesV2": entries,
                "grantedToIdentities": [form],
            },
        )
        yield f"link for one beside {shown}", {**LINK, "grantedToV2": form, "grantedTo": silent}
    yield "link without a scope", {"link": {"webUrl": "https://x"}, "grantedToIdentitiesV2": [form]}


def cases(forms: Mapping[str, Mapping[str, Any]]) -> Iterator[Any]:
    for name, form in forms.items():
        yield pytest.param(form, id=name)


def audiences(form: Mapping[str, Any], *, read: bool) -> dict[str, Audience | None]:
    return {place: grant(payload, read=read).audience for place, payload in places(form)}


@pytest.mark.parametrize("form", list(cases(OUTSIDERS)))
def test_an_external_principal_is_external_wherever_it_is_named(form: Mapping[str, Any]) -> None:
    assert set(audiences(form, read=True).values()) == {Audience.NAMED_EXTERNAL}
    assert set(audiences(form, read=False).values()) <= {Audience.NAMED_EXTERNAL, None}


@pytest.mark.parametrize("form", list(cases(UNTOLD)))
def test_who_cannot_be_told_is_unknown_wherever_it_is_named(form: Mapping[str, Any]) -> None:
    for read in (True, False):
        assert set(audiences(form, read=read).values()) == {None}


@pytest.mark.parametrize("form", list(cases(ANYONE)))
def test_a_visitor_without_an_account_is_anyone_with_the_link(form: Mapping[str, Any]) -> None:
    for read in (True, False):
        assert set(audiences(form, read=read).values()) == {Audience.ANYONE_WITH_LINK}
    assert grant({"grantedToV2": form}).via is Via.LINK


@pytest.mark.parametrize("form", list(cases(EVERYBODY)))
def test_everyone_is_the_organisation_wherever_it_is_named(form: Mapping[str, Any]) -> None:
    for read in (True, False):
        assert set(audiences(form, read=read).values()) == {Audience.ORGANISATION}


@pytest.mark.parametrize("form", list(cases(OURS)))
def test_a_colleague_is_one_in_every_form_of_a_colleague(form: Mapping[str, Any]) -> None:
    """Where the directory was not read, an address that is not ours is all there is."""
    elsewhere = {Audience.NAMED_EXTERNAL} if form == OURS["by id, another address"] else set()

    assert set(audiences(form, read=True).values()) == {Audience.NAMED}
    assert set(audiences(form, read=False).values()) <= {Audience.NAMED, None} | elsewhere


WIDE = {**OUTSIDERS, **ANYONE, **EVERYBODY}
WEAKER = [
    OUTSIDERS[name]
    for name in (
        "address",
        "address alone",
        "address with its name",
        "partner",
        "address of SharePoint's user",
        "address for an id",
        "address beside an application",
        "address beside a site group",
        "address beside a group",
        "mark in a name",
    )
]


@pytest.mark.parametrize(
    "ours", [OURS["by id"], OURS["by address"], OURS["by login"], OURS["group"], OURS["site group"]]
)
@pytest.mark.parametrize("form", list(cases({**WIDE, **UNTOLD})))
def test_a_colleague_beside_others_hides_nobody(ours: Mapping[str, Any], form: Mapping[str, Any]) -> None:
    """In one list, in two, in either order, as a link or given directly."""
    both: list[Mapping[str, Any]] = [ours, form]
    lists: list[Mapping[str, Any]] = [
        {"grantedToIdentitiesV2": both},
        {"grantedToIdentities": both[::-1]},
        {"grantedToIdentitiesV2": both, "grantedToIdentities": [ours]},
        {"grantedToV2": ours, "grantedToIdentitiesV2": [form]},
        {"grantedTo": ours, "grantedToIdentities": [form]},
    ]
    if form not in UNTOLD.values():
        lists += [{"grantedToIdentitiesV2": [ours], "grantedToIdentities": [form]}]
        lists += [{"grantedToIdentitiesV2": [form], "grantedToIdentities": [ours]}]

    told = {
        grant({**link, **people}, read=read).audience
        for people in lists
        for link in (LINK, {})
        for read in (True, False)
    }

    assert Audience.NAMED not in told


@pytest.mark.parametrize("form", list(cases(WIDE)))
def test_two_forms_of_one_principal_that_contradict_each_other_are_the_wider_one(form: Mapping[str, Any]) -> None:
    ours = {"user": {"id": "i1", "displayName": "Adele", "email": "adelev@contoso.com"}}
    if form in WEAKER:
        pytest.skip("an id of the directory is stronger than an address or a name")

    told = {
        grant(payload).audience
        for payload in (
            {"grantedToV2": ours, "grantedTo": form},
            {"grantedToV2": form, "grantedTo": ours},
            {"grantedToV2": {**form, **{kind: ours[kind] for kind in ours if kind not in form}}},
        )
    }

    assert Audience.NAMED not in told


# invitations


@pytest.mark.parametrize(
    ("payload", "audience"),
    [
        ({"invitation": {"email": "x@rival.example"}}, Audience.NAMED_EXTERNAL),
        ({"invitation": {"email": " X@Rival.Example "}}, Audience.NAMED_EXTERNAL),
        ({"invitation": {"email": "x_rival.example#EXT#@contoso.com"}}, Audience.NAMED_EXTERNAL),
        ({"invitation": {"email": "adelev@contoso.com"}}, Audience.NAMED),
        ({"invitation": {"email": "adelev@contoso.com", "redeemedBy": "x@rival.example"}}, Audience.NAMED_EXTERNAL),
        ({"invitation": {"email": "x@rival.example", "redeemedBy": "adelev@contoso.com"}}, Audience.NAMED_EXTERNAL),
        ({"invitation": {"redeemedBy": "x@rival.example"}}, Audience.NAMED_EXTERNAL),
        ({"invitation": {"email": None, "redeemedBy": None}}, None),
        ({"invitation": {"email": "somebody"}}, None),
        ({"invitation": {"email": "x@rival.example, adelev@contoso.com"}}, None),
        ({"invitation": {}}, None),
        ({}, None),
        ({"grantedToV2": {}, "grantedTo": {}, "invitation": {"email": "x@rival.example"}}, Audience.NAMED_EXTERNAL),
        ({"grantedToV2": {"user": {"id": "k"}}, "invitation": {"email": "x@rival.example"}}, Audience.NAMED_EXTERNAL),
        ({"grantedTo": {"user": {"id": "k"}}, "invitation": {"redeemedBy": "x@rival.com"}}, Audience.NAMED_EXTERNAL),
        ({"grantedToV2": {"user": {"id": "i1"}}, "invitation": {"email": "x@rival.example"}}, None),
        ({"grantedToV2": {"user": {"id": "i1"}}, "invitation": {"email": "adelev@contoso.com"}}, Audience.NAMED),
        ({"grantedTo": {"user": {"id": "g1"}}, "invitation": {"email": "adelev@contoso.com"}}, Audience.NAMED_EXTERNAL),
        ({"invitation": {"email": "x@rival.example", "signInRequired": False}}, Audience.ANYONE_WITH_LINK),
        ({"grantedToV2": {"user": {"id": "i1"}}, "invitation": {"signInRequired": False}}, Audience.ANYONE_WITH_LINK),
        ({**LINK, "invitation": {"email": "x@rival.example"}}, Audience.NAMED_EXTERNAL),
        ({**LINK, "grantedToIdentitiesV2": [], "invitation": {"email": "x@rival.example"}}, Audience.NAMED_EXTERNAL),
        ({**LINK, "invitation": {"email": "x@rival.example", "signInRequired": False}}, Audience.ANYONE_WITH_LINK),
    ],
)  # fmt: skip
def test_an_invitation_is_looked_at_wherever_it_stands(payload: Mapping[str, Any], audience: Audience | None) -> None:
    assert grant(payload).audience is audience


# links


@pytest.mark.parametrize(
    ("link", "audience"),
    [
        ({"scope": "anonymous"}, Audience.ANYONE_WITH_LINK),
        ({"scope": "Anonymous"}, Audience.ANYONE_WITH_LINK),
        ({"scope": " ANONYMOUS "}, Audience.ANYONE_WITH_LINK),
        ({"scope": None}, Audience.ANYONE_WITH_LINK),
        ({"scope": ""}, Audience.ANYONE_WITH_LINK),
        ({}, Audience.ANYONE_WITH_LINK),
        ({"type": "embed"}, Audience.ANYONE_WITH_LINK),
        ({"scope": "Organization"}, Audience.ORGANISATION),
        ({"scope": "organisation"}, None),
        ({"scope": "everyone"}, None),
        ({"scope": "unknownFutureValue"}, None),
        ({"scope": "users"}, None),  # whom it names, was not told
    ],
)
def test_a_link_admits_whom_its_scope_says(link: Mapping[str, Any], audience: Audience | None) -> None:
    assert grant({"link": link}).audience is audience


def test_a_link_for_people_that_names_nobody_admits_nobody_yet() -> None:
    assert grant({**LINK, "grantedToIdentitiesV2": []}).audience is Audience.NAMED
    assert grant({"link": {"scope": "USERS"}, "grantedToIdentities": []}).audience is Audience.NAMED


def test_a_link_for_those_who_have_access_admits_whom_it_names() -> None:
    named = {"link": {"scope": "existingAccess"}, "grantedToIdentitiesV2": [OUTSIDERS["address"]]}
    plain = Permission(id="1", roles=("read",), link=SharingLink(scope="EXISTINGaccess"))

    assert grant(named).audience is Audience.NAMED_EXTERNAL
    assert translate(plain, tenant()) is None


def test_the_application_that_made_a_link_is_not_whom_it_is_for() -> None:
    made = {"link": {"scope": "users", "application": {"id": ROBOT}}, "grantedToIdentitiesV2": [OUTSIDERS["address"]]}

    assert grant(made).audience is Audience.NAMED_EXTERNAL


# roles, times and passwords


@pytest.mark.parametrize(
    ("roles", "access"),
    [
        (["read"], Access.READ),
        (["Read"], Access.READ),
        ([" WRITE "], Access.WRITE),
        (["read", "write"], Access.WRITE),
        (["sp.Full Control"], Access.MANAGE),
        (["owner"], Access.MANAGE),
        (["sp.limited access"], Access.LIST),
        (["sp.something of the future"], Access.WRITE),
        (["read", None], Access.READ),
        ([], None),
        (None, None),
    ],
)
def test_roles_are_compared_without_case(roles: Any, access: Access | None) -> None:
    assert grant({"roles": roles, "grantedToV2": OURS["by id"]}).access is access


@pytest.mark.parametrize("kind", ["createonly", "CREATEONLY", "CreateOnly", " createOnly "])
def test_types_of_links_are_compared_without_case(kind: str) -> None:
    link = grant({"link": {"scope": "anonymous", "type": kind}})

    assert (link.access, link.detail["upload_only"]) == (Access.WRITE, "true")


@pytest.mark.parametrize(
    ("written", "effective"),
    [
        (None, True),
        ("", True),
        ("0001-01-01T00:00:00Z", True),
        ("0000-00-00T00:00:00Z", True),
        ("9999-12-31T23:59:59.9999999Z", True),
        ("2026-12-01T00:00:00+09:00", True),
        ("2026-10-31T23:59:59Z", False),
        ("2026-11-01T08:59:59+09:00", False),
        ("1601-01-01T00:00:00Z", None),
        ("1899-12-30T00:00:00Z", None),
        ("soon", None),
    ],
)
def test_only_an_end_that_has_passed_ends_a_link(written: str | None, effective: bool | None) -> None:
    assert grant({"link": {"scope": "anonymous"}, "expirationDateTime": written}).effective is effective


@pytest.mark.parametrize(("written", "password"), [(True, True), (False, False), (None, None)])
def test_a_password_is_told_on_links_and_on_direct_grants(written: bool | None, password: bool | None) -> None:
    for payload in ({"link": {"scope": "anonymous"}}, {"grantedToV2": OUTSIDERS["address"]}):
        assert grant({**payload, "hasPassword": written}).password is password
    assert grant({"link": {"scope": "anonymous"}}).password is False


# several people, given directly


def test_a_permission_for_several_people_tells_of_each_external_one() -> None:
    people = [OURS["by id"], OUTSIDERS["address"], OUTSIDERS["partner"]]

    one = grant({"roles": ["write"], "grantedToIdentitiesV2": people})

    assert (one.audience, one.principal_uid, one.via) == (Audience.NAMED_EXTERNAL, None, Via.DIRECT)
    assert (one.detail["holders"], one.detail["externals"], one.detail["unlisted"]) == ("3", "2", "1")
    assert one.detail["external_people"] == "x@rival.example, x@partner.example"


def test_the_owner_is_left_out_only_where_nobody_else_is_named() -> None:
    owner = uids.user("i1")
    permission = {"id": "1", "roles": ["owner"], "grantedToV2": OURS["by id"]}

    assert translate(msgspec.convert(permission, Permission), tenant(owner=owner)) is None
    assert grant({**permission, "grantedTo": {"siteUser": {"loginName": "c:0(.s|true"}}}, owner=owner).audience is (
        Audience.ORGANISATION
    )
    assert grant({**permission, "grantedToIdentitiesV2": [OUTSIDERS["address"]]}, owner=owner).audience is (
        Audience.NAMED_EXTERNAL
    )


def test_who_cannot_be_told_is_said_to_be_so() -> None:
    """Unless a question that was not answered says it already."""
    said = {name: translated({"grantedToV2": form}).unresolved for name, form in UNTOLD.items()}

    assert {name for name in said if not said[name]} == {"hidden group", "site group with somebody unknown"}
    assert not translated({"grantedToV2": UNTOLD["id alone"]}, read=False).unresolved
    assert not any(translated({"grantedToV2": form}).unresolved for form in (*OURS.values(), *WIDE.values()))
    assert translated({"link": {"scope": "of the future"}}).unresolved


def test_every_pair_of_forms_is_as_wide_as_the_wider_one() -> None:
    """Exhaustively, for two people in one list."""
    forms = {**OURS, **UNTOLD, **WIDE}
    told = {name: grant({"grantedToV2": form}).audience for name, form in forms.items()}

    for one, other in itertools.combinations(forms, 2):
        both = grant({**LINK, "grantedToIdentitiesV2": [forms[one], forms[other]]}).audience
        known = [audience for audience in (told[one], told[other]) if audience is not None]
        widest = max(known, default=None)
        if len(known) < 2 and (widest is None or widest < Audience.ORGANISATION):
            widest = None
        assert both is widest, (one, other)
