"""Whom each way of sharing an item lets in, in a company that has them all."""

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
def told(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Read:
    return read(estate.connector(server, tmp_path_factory.mktemp("key")))


def ways(told: Read, server: Server, built: company.Company, scenario: str) -> list[Grant]:
    """The ways in beside those that the site's own groups have."""
    grants = told.grants(estate.item(server, built.scenarios[scenario]))
    return [each for each in grants if each.via is not Via.MEMBERSHIP]


def way(told: Read, server: Server, built: company.Company, scenario: str) -> Grant:
    (grant,) = ways(told, server, built, scenario)
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
        ("people stranger", Audience.NAMED_EXTERNAL, Access.WRITE, Via.LINK),
        ("people passcode", Audience.NAMED_EXTERNAL, Access.WRITE, Via.LINK),
        ("people nobody", Audience.NAMED, Access.WRITE, Via.LINK),
        ("people ended partner", Audience.NAMED_EXTERNAL, Access.WRITE, Via.LINK),
        ("everyone", Audience.ORGANISATION, Access.READ, Via.DIRECT),
        ("everyone except external users", Audience.ORGANISATION, Access.WRITE, Via.DIRECT),
        ("all users", Audience.ORGANISATION, Access.READ, Via.DIRECT),
        ("guest direct", Audience.NAMED_EXTERNAL, Access.WRITE, Via.DIRECT),
        ("stranger direct", Audience.NAMED_EXTERNAL, Access.READ, Via.DIRECT),
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
def test_each_permission_is_what_it_is(
    told: Read, server: Server, built: company.Company, scenario: str, audience: Audience, access: Access, via: Via
) -> None:
    grant = way(told, server, built, scenario)

    assert (grant.audience, grant.access, grant.via) == (audience, access, via)
    assert grant.effective
    assert not grant.inherited
    assert grant.detail["chain"]["en"]
    assert grant.detail["chain"]["ja"]
    assert grant.url == ""


@pytest.mark.parametrize("scenario", ["anyone revoked", "existing access", "private", "own scope with nothing shared"])
def test_what_lets_nobody_new_in_is_no_grant(told: Read, server: Server, built: company.Company, scenario: str) -> None:
    assert ways(told, server, built, scenario) == []


def test_each_of_many_links_is_one_grant(told: Read, server: Server, built: company.Company) -> None:
    links = ways(told, server, built, "many links")

    assert [(each.audience, each.access) for each in links] == [
        (Audience.ANYONE_WITH_LINK, Access.READ),
        (Audience.ANYONE_WITH_LINK, Access.WRITE),
        (Audience.ORGANISATION, Access.READ),
        (Audience.NAMED, Access.WRITE),
    ]


def test_a_link_that_names_people_counts_them(told: Read, server: Server, built: company.Company) -> None:
    link = way(told, server, built, "people stranger")

    assert (link.detail["holders"], link.detail["externals"]) == ("2", "1")
    assert "spy@rival.example" in link.detail["people"]
    assert link.principal_uid is None


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("anyone expired", "the link has expired"),
        ("disabled holds", "the account is disabled"),
        ("deleted user direct", "the account is deleted"),
    ],
)
def test_what_is_written_down_and_of_no_use_is_not_effective(
    told: Read, server: Server, built: company.Company, scenario: str, words: str
) -> None:
    grant = way(told, server, built, scenario)

    assert (grant.effective, grant.blocked_by) == (False, words)


def test_an_expiry_and_a_password_are_kept_and_the_year_one_is_never(
    told: Read, server: Server, built: company.Company
) -> None:
    kept = way(told, server, built, "anyone until soon with password")

    assert (kept.expires_on < NEVER if kept.expires_on else None, kept.password) == (True, True)
    never = {way(told, server, built, name).expires_on for name in ("anyone view", "anyone edit", "anyone review")}
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
def test_partner_foreign_and_ours_are_told_apart(
    told: Read, server: Server, built: company.Company, scenario: str, affiliation: Affiliation
) -> None:
    grant = way(told, server, built, scenario)

    assert told.principal(grant.principal_uid or "").affiliation is affiliation


@pytest.mark.parametrize(("scenario", "claim"), [("everyone", "everyone"), ("all users", "everyone"),
                                                  ("everyone except external users", "insiders")])  # fmt: skip
def test_everybody_is_known_by_the_claim_and_not_by_its_localised_title(
    told: Read, server: Server, built: company.Company, scenario: str, claim: str
) -> None:
    grant = way(told, server, built, scenario)

    assert (grant.detail["claim"], grant.discoverable) == (claim, True)
    assert told.principal(grant.principal_uid or "").kind == "claim"


def test_a_folder_is_shared_once_however_much_lies_in_it(told: Read, server: Server, built: company.Company) -> None:
    folder, inside = (estate.item(server, built.scenarios[name]) for name in ("anyone folder", "in anyone folder"))

    given, inherited = way(told, server, built, "anyone folder"), way(told, server, built, "in anyone folder")

    assert (given.inherited, given.origin_uid) == (False, folder)
    assert (inherited.inherited, inherited.origin_uid) == (True, folder)
    assert told.resource(inside).parent_uid == folder
    assert told.resource(inside).path.startswith("展示会資料/")


def test_a_deep_file_has_what_a_folder_far_above_was_given(told: Read, server: Server, built: company.Company) -> None:
    grant = way(told, server, built, "inherits from shared folder")

    assert grant.audience is Audience.NAMED_EXTERNAL
    assert grant.inherited


def test_a_closed_folder_passes_nothing_on_from_above(told: Read, server: Server, built: company.Company) -> None:
    (grant,) = told.grants(estate.item(server, built.scenarios["in closed folder"]))

    assert grant.audience is Audience.NAMED
    assert grant.origin_uid == estate.item(server, built.scenarios["closed folder in shared one"])


def test_a_link_that_a_file_has_from_its_folder_stays_the_folders(
    told: Read, server: Server, built: company.Company
) -> None:
    link, colleague = ways(told, server, built, "own scope with its folder's link")

    assert (link.via, link.inherited) == (Via.LINK, True)
    assert told.resource(link.origin_uid or "").name == "Linked"
    assert (colleague.via, colleague.inherited) == (Via.DIRECT, False)


def test_the_rights_of_a_library_hold_for_what_lies_in_it(told: Read, server: Server, built: company.Company) -> None:
    grants = told.grants(estate.item(server, built.scenarios["private"]))

    assert {each.access for each in grants} == {Access.READ, Access.WRITE, Access.MANAGE}
    assert all(each.inherited and each.via is Via.MEMBERSHIP for each in grants)
    assert all(told.principal(each.principal_uid or "").kind == "site_group" for each in grants)


def test_a_sites_group_that_holds_an_outsider_lets_him_into_everything(
    told: Read, server: Server, built: company.Company
) -> None:
    """The guest among the visitors of the site; the right comes from the site and is one finding there."""
    (grant,) = [
        each
        for each in told.grants(estate.item(server, built.scenarios["private"]))
        if each.audience is not Audience.NAMED
    ]

    assert (grant.audience, grant.access, grant.inherited) == (Audience.NAMED_EXTERNAL, Access.READ, True)
    assert told.resource(grant.origin_uid or "").kind == "site"


def test_a_right_of_a_sites_group_is_found_where_microsoft_says_that_nothing_is_shared(
    told: Read, server: Server, built: company.Company
) -> None:
    uid = estate.item(server, built.scenarios["site group direct"])

    (own,) = [each for each in told.grants(uid) if not each.inherited]

    assert (own.audience, own.access, own.via) == (Audience.NAMED_EXTERNAL, Access.WRITE, Via.MEMBERSHIP)
    assert told.principal(own.principal_uid or "").name == "Contractors"


def test_a_link_where_sharing_is_off_is_latent(told: Read, server: Server, built: company.Company) -> None:
    grant = way(told, server, built, "anyone where sharing is off")

    assert (grant.effective, grant.blocked_by) == (False, "sharing is off on the site")


def test_all_of_many_permissions_are_told(told: Read, server: Server, built: company.Company) -> None:
    assert len(ways(told, server, built, "many permissions")) == 120


def test_a_onedrives_owner_needs_no_letting_in(told: Read, server: Server, built: company.Company) -> None:
    grant = way(told, server, built, "anyone in onedrive")
    drive = told.resource(told.resource(grant.resource_uid).container_uid or "")

    assert drive.kind == "onedrive"
    assert told.principal(drive.owner_uid or "").email == "mori@kumo.example"
    assert told.grants(grant.resource_uid) == [grant]


def test_a_shortcut_leads_to_its_target_and_lets_nobody_into_it(
    told: Read, server: Server, built: company.Company
) -> None:
    shortcut = told.resource(estate.item(server, built.scenarios["shortcut"]))

    assert shortcut.kind == "shortcut"
    assert told.has(shortcut.detail["target_uid"])


@pytest.mark.parametrize(
    "scenario",
    ["markup in name", "right-to-left name", "formula in name", "newline in name", "quote in name", "emoji name"],
)
def test_hostile_names_arrive_as_they_are(told: Read, server: Server, built: company.Company, scenario: str) -> None:
    item = built.state.item(built.scenarios[scenario])

    assert item is not None
    assert told.resource(estate.item(server, built.scenarios[scenario])).name == item.name


def test_a_name_that_is_no_text_is_mended(told: Read, server: Server, built: company.Company) -> None:
    assert told.resource(estate.item(server, built.scenarios["broken name"])).name == "half a pair \ufffd.txt"


def test_everything_is_told_once(told: Read, server: Server) -> None:
    """All items of all libraries that can be entered, none twice."""
    told_ids = [each.uid for kind in ("file", "folder", "shortcut") for each in told.of_kind(kind)]
    state = server.state
    there = [
        item
        for item in state.items
        if item is not None and item.parent >= 0 and not state.drives[item.drive].hidden
    ]  # fmt: skip

    assert len(told_ids) == len(set(told_ids)) == len(there)


def test_sites_and_sites_below_them_hold_their_libraries(told: Read, server: Server, built: company.Company) -> None:
    names = {each.name: each for each in told.of_kind("site")}
    below = names["会議"]

    assert told.resource(below.parent_uid or "").name == "事務所"
    assert {each.name for each in told.of_kind("library") if each.parent_uid == names["事務所"].uid} == {
        "Documents",
        "Archive",
    }
    assert "Gone" not in names


# what only differs in a detail of the answer


GROUPS = SiteGroups(
    site="a-site", contents={"5": GroupContents(externals=2), "6": GroupContents(claim=EVERYONE), "7": GroupContents()}
)


NOTHING_KNOWN = Sharing()


def grant_of(permission: Permission, *, sharing: Sharing = NOTHING_KNOWN, groups: SiteGroups = GROUPS) -> Grant:
    people = People(estate=estate.ESTATE, tenant_id="t", primary="kumo.example", domains=frozenset({"kumo.example"}))
    found = translate(permission, TenantContext(people=people, groups=groups, sharing=sharing, owner_uid=None, now=NOW))
    assert found is not None
    return found.grant


ANYONE = Permission(id="1", roles=("read",), link=SharingLink(type="view", scope="anonymous"))
STRANGER = Permission(id="2", roles=("read",), granted_to_v2=IdentitySet(user=Identity(email="x@rival.example")))


@pytest.mark.parametrize(
    ("tenant", "site", "anyone", "stranger"),
    [
        (None, None, "", ""),
        ("anyone", "anyone", "", ""),
        ("anyone", None, "", ""),
        ("anyone", "new_and_existing", "sharing is off on the site", ""),
        ("anyone", "disabled", "sharing is off on the site", "sharing is off on the site"),
        ("existing", None, "sharing is off in the tenant", ""),
        ("disabled", None, "sharing is off in the tenant", "sharing is off in the tenant"),
    ],
)
def test_what_a_setting_above_forbids_is_latent(
    tenant: str | None, site: str | None, anyone: str, stranger: str
) -> None:
    sharing = Sharing(tenant=tenant, site=site)

    assert grant_of(ANYONE, sharing=sharing).blocked_by == anyone
    assert grant_of(STRANGER, sharing=sharing).blocked_by == stranger
    assert grant_of(ANYONE, sharing=sharing).effective == (not anyone)


def test_a_link_of_old_that_has_no_scope_is_open_to_whoever_has_it() -> None:
    assert grant_of(Permission(roles=("read",), link=SharingLink(type="view"))).audience is Audience.ANYONE_WITH_LINK


def test_words_that_did_not_exist_when_this_was_written_are_unknown_and_kept() -> None:
    scope = grant_of(Permission(roles=("read",), link=SharingLink(type="hologram", scope="galaxy")))
    role = grant_of(Permission(roles=("sp.reshape",), granted_to_v2=STRANGER.granted_to_v2))

    assert (scope.audience, scope.detail["link_scope"], scope.detail["link_type"]) == (None, "galaxy", "hologram")
    assert (role.access, role.detail["role"]) == (Access.WRITE, "sp.reshape")


def test_a_claim_that_did_not_exist_when_this_was_written_may_be_anybody() -> None:
    login = IdentitySet(site_user=Identity(login_name="c:0^.z|constellation|all", display_name="全員"))

    assert grant_of(Permission(roles=("read",), granted_to_v2=login)).audience is None


def test_a_link_of_a_type_that_says_less_than_its_role_is_taken_at_its_role() -> None:
    assert grant_of(Permission(roles=("write",), link=SharingLink(type="view", scope="organization"))).access is (
        Access.WRITE
    )


def test_one_person_in_three_ways_is_one() -> None:
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
        (IdentitySet(user=Identity(id="somebody")), Audience.NAMED_EXTERNAL, "active"),
        (IdentitySet(user=Identity(id="somebody", email="new@kumo.example")), Audience.NAMED, "active"),
        (IdentitySet(group=Identity(id="a-group")), None, None),
        (IdentitySet(application=Identity(id="an-application")), Audience.NAMED, "active"),
        (IdentitySet(site_user=Identity(login_name="i:0#.f|membership|x@kumo.example")), Audience.NAMED, "deleted"),
    ],
)
def test_whom_the_directory_does_not_have_is_a_stranger_unless_only_sharepoint_remembers_him(
    named: IdentitySet, audience: Audience | None, status: str | None
) -> None:
    grant = grant_of(Permission(roles=("read",), granted_to_v2=named))

    assert (grant.audience, grant.effective) == (audience, status != "deleted")


@pytest.mark.parametrize(
    ("number", "audience"),
    [("5", Audience.NAMED_EXTERNAL), ("6", Audience.ORGANISATION), ("7", Audience.NAMED), ("9", Audience.NAMED)],
)
def test_a_sites_group_admits_whom_it_holds(number: str, audience: Audience) -> None:
    named = IdentitySet(share_point_group=Identity(id="a-guid", principal_id=number, title="Visitors"))

    grant = grant_of(Permission(roles=("read",), granted_to_v2=named))

    assert (grant.audience, grant.via) == (audience, Via.MEMBERSHIP)
    assert grant.principal_uid == uids.site_group("a-site", number)


def test_of_a_sites_group_whose_members_nobody_shows_that_is_said() -> None:
    named = IdentitySet(site_group=Identity(id="5", display_name="Visitors"))

    grant = grant_of(Permission(roles=("read",), granted_to_v2=named), groups=SiteGroups(site="a-site"))

    assert (grant.audience, grant.detail["members"]) == (Audience.NAMED, "unread")
