"""The audience of each way of sharing an item, in a company that has them all."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from cloudscan.facts import NEVER, Access, Affiliation, Audience, Grant, Via
from cloudscan_emulators.microsoft import Server, company
from cloudscan_m365.api.models import Identity, IdentitySet, Permission, SharingLink
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import EVERYONE, GroupContents, People, SiteGroups
from cloudscan_m365.meaning.translate import Sharing, TenantContext, translate
from tests.connectors.m365 import estate
from tests.connectors.reading import Read, read

NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def built() -> company.Company:
    return company.build(250)


@pytest.fixture(scope="module")
def server(built: company.Company) -> Iterator[Server]:
    with estate.tenant(built.state) as running:
        yield running


@pytest.fixture(scope="module")
def result(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Read:
    return read(estate.connector(server, tmp_path_factory.mktemp("key")))


def grants_of(result: Read, server: Server, built: company.Company, scenario: str) -> list[Grant]:
    """The grants of an item, except those of the site's own groups."""
    grants = result.grants(estate.item(server, built.scenarios[scenario]))
    return [grant for grant in grants if grant.via is not Via.MEMBERSHIP]


def grant_in(result: Read, server: Server, built: company.Company, scenario: str) -> Grant:
    (grant,) = grants_of(result, server, built, scenario)
    return grant


@pytest.mark.parametrize(
    ("scenario", "audience", "access", "via"),
    [
        ("anyone view", Audience.ANYONE_WITH_LINK, Access.READ, Via.LINK),
        ("anyone edit", Audience.ANYONE_WITH_LINK, Access.WRITE, Via.LINK),
        ("anyone review", Audience.ANYONE_WITH_LINK, Access.READ, Via.LINK),
        ("anyone embed", Audience.ANYONE_WITH_LINK, Access.READ, Via.LINK),
        ("anyone createOnly", Audience.ANYONE_WITH_LINK, Access.WRITE, Via.LINK),
        ("anyone blocksDownload", Audience.ANYONE_WITH_LINK, Access.READ, Via.LINK),
        ("anyone by application", Audience.ANYONE_WITH_LINK, Access.READ, Via.LINK),
        ("anyone listing a group", Audience.ANYONE_WITH_LINK, Access.READ, Via.LINK),
        ("anyone folder", Audience.ANYONE_WITH_LINK, Access.WRITE, Via.LINK),
        ("organisation view", Audience.ORGANISATION, Access.READ, Via.LINK),
        ("organisation edit", Audience.ORGANISATION, Access.WRITE, Via.LINK),
        ("people colleague", Audience.NAMED, Access.WRITE, Via.LINK),
        ("people guest", Audience.NAMED_EXTERNAL, Access.WRITE, Via.LINK),
        ("people of no partner", Audience.NAMED_EXTERNAL, Access.WRITE, Via.LINK),
        ("people passcode", Audience.NAMED_EXTERNAL, Access.WRITE, Via.LINK),
        ("people nobody", Audience.NAMED, Access.WRITE, Via.LINK),
        ("people ended partner", Audience.NAMED_EXTERNAL, Access.WRITE, Via.LINK),
        ("everyone", Audience.ORGANISATION, Access.READ, Via.DIRECT),
        ("everyone except external users", Audience.ORGANISATION, Access.WRITE, Via.DIRECT),
        ("all users", Audience.ORGANISATION, Access.READ, Via.DIRECT),
        ("guest direct", Audience.NAMED_EXTERNAL, Access.WRITE, Via.DIRECT),
        ("external direct", Audience.NAMED_EXTERNAL, Access.READ, Via.DIRECT),
        ("guest never accepted direct", Audience.NAMED_EXTERNAL, Access.READ, Via.DIRECT),
        ("colleague direct", Audience.NAMED, Access.WRITE, Via.DIRECT),
        ("colleague full control", Audience.NAMED, Access.MANAGE, Via.DIRECT),
        ("external member direct", Audience.NAMED_EXTERNAL, Access.WRITE, Via.DIRECT),
        ("application direct", Audience.NAMED, Access.WRITE, Via.DIRECT),
        ("group direct", Audience.NAMED, Access.READ, Via.DIRECT),
        ("group with guests direct", Audience.NAMED_EXTERNAL, Access.WRITE, Via.DIRECT),
        ("unified group direct", Audience.NAMED_EXTERNAL, Access.WRITE, Via.DIRECT),
        ("people group", Audience.NAMED_EXTERNAL, Access.WRITE, Via.LINK),
        ("invitation not redeemed", Audience.NAMED_EXTERNAL, Access.WRITE, Via.DIRECT),
        ("invitation without sign-in", Audience.ANYONE_WITH_LINK, Access.READ, Via.LINK),
    ],
)
def test_each_permission_has_its_audience_and_access(
    result: Read, server: Server, built: company.Company, scenario: str, audience: Audience, access: Access, via: Via
) -> None:
    grant = grant_in(result, server, built, scenario)

    assert (grant.audience, grant.access, grant.via) == (audience, access, via)
    assert grant.effective
    assert not grant.inherited
    assert grant.detail["chain"]
    assert grant.url == ""


@pytest.mark.parametrize("scenario", ["anyone revoked", "existing access", "private", "own scope with nothing shared"])
def test_a_permission_that_lets_in_nobody_new_is_not_a_grant(
    result: Read, server: Server, built: company.Company, scenario: str
) -> None:
    assert grants_of(result, server, built, scenario) == []


def test_each_of_many_links_is_one_grant(result: Read, server: Server, built: company.Company) -> None:
    links = grants_of(result, server, built, "many links")

    assert [(grant.audience, grant.access) for grant in links] == [
        (Audience.ANYONE_WITH_LINK, Access.READ),
        (Audience.ANYONE_WITH_LINK, Access.WRITE),
        (Audience.ORGANISATION, Access.READ),
        (Audience.NAMED, Access.WRITE),
    ]


def test_a_link_for_people_counts_them(result: Read, server: Server, built: company.Company) -> None:
    link = grant_in(result, server, built, "people of no partner")

    assert (link.detail["holders"], link.detail["externals"]) == ("2", "1")
    assert "spy@rival.example" in link.detail["people"]
    assert link.principal_uid is None


@pytest.mark.parametrize(
    ("scenario", "blocked_by"),
    [
        ("anyone expired", "graph-link-expired"),
        ("disabled direct", "graph-account-disabled"),
        ("deleted user direct", "graph-account-deleted"),
    ],
)
def test_a_grant_that_cannot_be_used_is_not_effective(
    result: Read, server: Server, built: company.Company, scenario: str, blocked_by: str
) -> None:
    grant = grant_in(result, server, built, scenario)

    assert (grant.effective, grant.blocked_by) == (False, blocked_by)


def test_an_expiry_and_a_password_are_kept_and_the_year_one_is_never(
    result: Read, server: Server, built: company.Company
) -> None:
    limited = grant_in(result, server, built, "anyone until soon with password")

    assert (limited.expires_on < NEVER if limited.expires_on else None, limited.password) == (True, True)
    never = {
        grant_in(result, server, built, name).expires_on for name in ("anyone view", "anyone edit", "anyone review")
    }
    assert never == {NEVER}


@pytest.mark.parametrize(
    ("scenario", "affiliation"),
    [
        ("people passcode", Affiliation.EXTERNAL),
        ("invitation not redeemed", Affiliation.EXTERNAL),
        ("people guest", Affiliation.PARTNER),
        ("people ended partner", Affiliation.PARTNER),
        ("colleague direct", Affiliation.INTERNAL),
        ("everyone", Affiliation.INTERNAL),
    ],
)
def test_partners_external_people_and_employees_are_distinguished(
    result: Read, server: Server, built: company.Company, scenario: str, affiliation: Affiliation
) -> None:
    grant = grant_in(result, server, built, scenario)

    assert result.principal(grant.principal_uid or "").affiliation is affiliation


@pytest.mark.parametrize(("scenario", "claim"), [("everyone", "everyone"), ("all users", "everyone"),
                                                  ("everyone except external users", "insiders")])  # fmt: skip
def test_everyone_is_recognised_by_claim_not_by_localised_title(
    result: Read, server: Server, built: company.Company, scenario: str, claim: str
) -> None:
    grant = grant_in(result, server, built, scenario)

    assert (grant.detail["claim"], grant.discoverable) == (claim, True)
    assert result.principal(grant.principal_uid or "").kind == "claim"


def test_a_shared_folder_is_the_origin_of_its_contents(result: Read, server: Server, built: company.Company) -> None:
    folder, inside = (estate.item(server, built.scenarios[name]) for name in ("anyone folder", "in anyone folder"))

    given, inherited = (
        grant_in(result, server, built, "anyone folder"),
        grant_in(result, server, built, "in anyone folder"),
    )

    assert (given.inherited, given.origin_uid) == (False, folder)
    assert (inherited.inherited, inherited.origin_uid) == (True, folder)
    assert result.resource(inside).parent_uid == folder
    assert result.resource(inside).path.startswith("展示会資料/")


def test_a_deep_file_inherits_from_a_folder_far_above(result: Read, server: Server, built: company.Company) -> None:
    grant = grant_in(result, server, built, "inherits from shared folder")

    assert grant.audience is Audience.NAMED_EXTERNAL
    assert grant.inherited


def test_a_closed_folder_passes_on_nothing_from_above(result: Read, server: Server, built: company.Company) -> None:
    (grant,) = result.grants(estate.item(server, built.scenarios["in closed folder"]))

    assert grant.audience is Audience.NAMED
    assert grant.origin_uid == estate.item(server, built.scenarios["closed folder in shared one"])


def test_a_link_copied_from_a_folder_keeps_the_folder_as_origin(
    result: Read, server: Server, built: company.Company
) -> None:
    link, colleague = grants_of(result, server, built, "own scope with its folder's link")

    assert (link.via, link.inherited) == (Via.LINK, True)
    assert result.resource(link.origin_uid or "").name == "Linked"
    assert (colleague.via, colleague.inherited) == (Via.DIRECT, False)


def test_permissions_of_a_library_apply_to_its_contents(result: Read, server: Server, built: company.Company) -> None:
    grants = result.grants(estate.item(server, built.scenarios["private"]))

    assert {grant.access for grant in grants} == {Access.READ, Access.WRITE, Access.MANAGE}
    assert all(grant.inherited and grant.via is Via.MEMBERSHIP for grant in grants)
    assert all(result.principal(grant.principal_uid or "").kind == "site_group" for grant in grants)


def test_an_external_member_of_a_site_group_reaches_everything(
    result: Read, server: Server, built: company.Company
) -> None:
    """The guest is among the visitors of the site; the permission comes from there and is one finding."""
    (grant,) = [
        grant
        for grant in result.grants(estate.item(server, built.scenarios["private"]))
        if grant.audience is not Audience.NAMED
    ]

    assert (grant.audience, grant.access, grant.inherited) == (Audience.NAMED_EXTERNAL, Access.READ, True)
    assert result.resource(grant.origin_uid or "").kind == "site"


def test_a_site_groups_permission_is_found_on_an_item_that_microsoft_reports_as_not_shared(
    result: Read, server: Server, built: company.Company
) -> None:
    uid = estate.item(server, built.scenarios["site group direct"])

    (own,) = [grant for grant in result.grants(uid) if not grant.inherited]

    assert (own.audience, own.access, own.via) == (Audience.NAMED_EXTERNAL, Access.WRITE, Via.MEMBERSHIP)
    assert result.principal(own.principal_uid or "").name == "Contractors"


def test_a_link_where_sharing_is_off_is_latent(result: Read, server: Server, built: company.Company) -> None:
    grant = grant_in(result, server, built, "anyone where sharing is off")

    assert (grant.effective, grant.blocked_by) == (False, "graph-site-sharing-off")


def test_all_of_many_permissions_are_reported(result: Read, server: Server, built: company.Company) -> None:
    assert len(grants_of(result, server, built, "many permissions")) == 120


def test_the_owner_of_a_onedrive_has_no_grant(result: Read, server: Server, built: company.Company) -> None:
    grant = grant_in(result, server, built, "anyone in onedrive")
    drive = result.resource(result.resource(grant.resource_uid).container_uid or "")

    assert drive.kind == "onedrive"
    assert result.principal(drive.owner_uid or "").email == "mori@kumo.example"
    assert result.grants(grant.resource_uid) == [grant]


def test_a_shortcut_names_its_target_and_grants_nothing(result: Read, server: Server, built: company.Company) -> None:
    shortcut = result.resource(estate.item(server, built.scenarios["shortcut"]))

    assert shortcut.kind == "shortcut"
    assert result.has(shortcut.detail["target_uid"])


@pytest.mark.parametrize(
    "scenario",
    ["markup in name", "right-to-left name", "formula in name", "newline in name", "quote in name", "emoji name"],
)
def test_hostile_names_arrive_as_they_are(result: Read, server: Server, built: company.Company, scenario: str) -> None:
    item = built.state.item(built.scenarios[scenario])

    assert item is not None
    assert result.resource(estate.item(server, built.scenarios[scenario])).name == item.name


def test_a_name_that_is_not_valid_text_is_repaired(result: Read, server: Server, built: company.Company) -> None:
    assert result.resource(estate.item(server, built.scenarios["broken name"])).name == "half a pair \ufffd.txt"


def test_every_fact_is_reported_once(result: Read, server: Server) -> None:
    """All items of all readable libraries, none twice."""
    reported_ids = [resource.uid for kind in ("file", "folder", "shortcut") for resource in result.of_kind(kind)]
    state = server.state
    there = [
        item
        for item in state.items
        if item is not None and item.parent >= 0 and not state.drives[item.drive].hidden
    ]  # fmt: skip

    assert len(reported_ids) == len(set(reported_ids)) == len(there)


def test_sites_and_subsites_contain_their_libraries(result: Read, server: Server, built: company.Company) -> None:
    names = {resource.name: resource for resource in result.of_kind("site")}
    below = names["会議"]

    assert result.resource(below.parent_uid or "").name == "事務所"
    assert {resource.name for resource in result.of_kind("library") if resource.parent_uid == names["事務所"].uid} == {
        "Documents",
        "Archive",
    }
    assert "Gone" not in names


# differences in details of Graph's answer


GROUPS = SiteGroups(
    site="a-site", contents={"5": GroupContents(externals=2), "6": GroupContents(claim=EVERYONE), "7": GroupContents()}
)


NOTHING_KNOWN = Sharing()


def grant_of(permission: Permission, *, sharing: Sharing = NOTHING_KNOWN, groups: SiteGroups = GROUPS) -> Grant:
    people = People(estate=estate.ESTATE, tenant_id="t", primary="kumo.example", domains=frozenset({"kumo.example"}))
    translated = translate(
        permission, TenantContext(people=people, groups=groups, sharing=sharing, owner_uid=None, now=NOW)
    )
    assert translated is not None
    return translated.grant


ANYONE = Permission(id="1", roles=("read",), link=SharingLink(type="view", scope="anonymous"))
EXTERNAL = Permission(id="2", roles=("read",), granted_to_v2=IdentitySet(user=Identity(email="x@rival.example")))


@pytest.mark.parametrize(
    ("tenant", "site", "anyone", "external"),
    [
        (None, None, "", ""),
        ("anyone", "anyone", "", ""),
        ("anyone", None, "", ""),
        ("anyone", "new_and_existing", "graph-site-sharing-off", ""),
        ("anyone", "disabled", "graph-site-sharing-off", "graph-site-sharing-off"),
        ("existing", None, "graph-tenant-sharing-off", ""),
        ("disabled", None, "graph-tenant-sharing-off", "graph-tenant-sharing-off"),
    ],
)
def test_a_grant_that_a_setting_forbids_is_latent(
    tenant: str | None, site: str | None, anyone: str, external: str
) -> None:
    sharing = Sharing(tenant=tenant, site=site)

    assert grant_of(ANYONE, sharing=sharing).blocked_by == anyone
    assert grant_of(EXTERNAL, sharing=sharing).blocked_by == external
    assert grant_of(ANYONE, sharing=sharing).effective == (not anyone)


def test_a_legacy_link_without_a_scope_is_open_to_anyone_with_it() -> None:
    assert grant_of(Permission(roles=("read",), link=SharingLink(type="view"))).audience is Audience.ANYONE_WITH_LINK


def test_unknown_enumeration_values_are_unknown_and_kept() -> None:
    scope = grant_of(Permission(roles=("read",), link=SharingLink(type="hologram", scope="galaxy")))
    role = grant_of(Permission(roles=("sp.reshape",), granted_to_v2=EXTERNAL.granted_to_v2))

    assert (scope.audience, scope.detail["link_scope"], scope.detail["link_type"]) == (None, "galaxy", "hologram")
    assert (role.access, role.detail["role"]) == (Access.WRITE, "sp.reshape")


def test_an_unknown_claim_may_be_anyone() -> None:
    login = IdentitySet(site_user=Identity(login_name="c:0^.z|constellation|all", display_name="全員"))

    assert grant_of(Permission(roles=("read",), granted_to_v2=login)).audience is None


def test_a_links_role_counts_where_its_type_allows_less() -> None:
    assert grant_of(Permission(roles=("write",), link=SharingLink(type="view", scope="organization"))).access is (
        Access.WRITE
    )


def test_one_person_in_three_forms_is_one_principal() -> None:
    login = Identity(login_name="i:0#.f|membership|x_rival.example#ext#@kumo.example", email="x@rival.example")
    link = Permission(
        roles=("read",),
        link=SharingLink(type="view", scope="users"),
        granted_to_identities_v2=(
            IdentitySet(user=Identity(email="X@rival.example")),
            IdentitySet(site_user=login),
            IdentitySet(user=Identity(email="x@rival.example"), site_user=login),
        ),
    )

    assert grant_of(link).detail["holders"] == "1"


@pytest.mark.parametrize(
    ("named", "audience", "status"),
    [
        (IdentitySet(user=Identity(id="somebody")), None, None),
        (IdentitySet(user=Identity(id="somebody", email="new@kumo.example")), Audience.NAMED, "active"),
        (IdentitySet(group=Identity(id="a-group")), None, None),
        (IdentitySet(application=Identity(id="an-application")), Audience.NAMED, "active"),
        (IdentitySet(site_user=Identity(login_name="i:0#.f|membership|x@kumo.example")), Audience.NAMED, "deleted"),
    ],
)
def test_an_account_that_the_directory_lacks_is_nobody_in_particular_unless_only_sharepoint_has_it(
    named: IdentitySet, audience: Audience | None, status: str | None
) -> None:
    grant = grant_of(Permission(roles=("read",), granted_to_v2=named))

    assert (grant.audience, grant.effective) == (audience, status != "deleted")


@pytest.mark.parametrize(
    ("number", "audience"),
    [("5", Audience.NAMED_EXTERNAL), ("6", Audience.ORGANISATION), ("7", Audience.NAMED), ("9", None)],
)
def test_a_site_group_admits_its_members(number: str, audience: Audience) -> None:
    named = IdentitySet(share_point_group=Identity(id="a-guid", principal_id=number, title="Visitors"))

    grant = grant_of(Permission(roles=("read",), granted_to_v2=named))

    assert (grant.audience, grant.via) == (audience, Via.MEMBERSHIP)
    assert grant.principal_uid == uids.site_group("a-site", number)


def test_a_site_group_with_unreadable_members_says_so() -> None:
    named = IdentitySet(site_group=Identity(id="5", display_name="Visitors"))

    grant = grant_of(Permission(roles=("read",), granted_to_v2=named), groups=SiteGroups(site="a-site"))

    assert (grant.audience, grant.detail["members"]) == (None, "unread")
