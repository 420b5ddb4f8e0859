"""Whom each way of sharing a file lets in, in a company that has them all."""

from collections.abc import Iterator

import pytest

from cloudscan.facts import NEVER, Access, Affiliation, Audience, Grant, Outcome, Via
from cloudscan_emulators.google import Server, company
from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.estate import connector, file, serve
from tests.connectors.reading import Read, read

DOMAIN = company.DOMAIN


@pytest.fixture(scope="module")
def built() -> company.Company:
    return company.build(250)


@pytest.fixture(scope="module")
def server(built: company.Company) -> Iterator[Server]:
    with serve(built.state) as running:
        yield running


@pytest.fixture(scope="module")
def told(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Read:
    reader = connector(server, tmp_path_factory.mktemp("key"))
    return read(reader)


def way(told: Read, built: company.Company, scenario: str) -> Grant:
    """The one way in that somebody other than the owner has."""
    (grant,) = told.grants(file(built.scenarios[scenario]))
    return grant


@pytest.mark.parametrize(
    ("scenario", "audience", "access", "via"),
    [
        ("anyone can find", Audience.ANYONE_DISCOVERABLE, Access.READ, Via.LINK),
        ("link reader", Audience.ANYONE_WITH_LINK, Access.READ, Via.LINK),
        ("link commenter", Audience.ANYONE_WITH_LINK, Access.COMMENT, Via.LINK),
        ("link writer", Audience.ANYONE_WITH_LINK, Access.WRITE, Via.LINK),
        ("domain link", Audience.ORGANISATION, Access.READ, Via.LINK),
        ("domain searchable", Audience.ORGANISATION, Access.READ, Via.LINK),
        ("secondary domain link", Audience.ORGANISATION, Access.READ, Via.LINK),
        ("alias domain link", Audience.ORGANISATION, Access.READ, Via.LINK),
        ("target audience", Audience.ORGANISATION, Access.READ, Via.LINK),
        ("foreign domain", Audience.EXTERNAL_DOMAIN, Access.WRITE, Via.LINK),
        ("partner domain", Audience.EXTERNAL_DOMAIN, Access.READ, Via.LINK),
        ("outsider reader", Audience.NAMED_EXTERNAL, Access.READ, Via.DIRECT),
        ("outsider editor", Audience.NAMED_EXTERNAL, Access.WRITE, Via.DIRECT),
        ("consumer account", Audience.NAMED_EXTERNAL, Access.WRITE, Via.DIRECT),
        ("no google account", Audience.NAMED_EXTERNAL, Access.READ, Via.DIRECT),
        ("group with outsiders", Audience.NAMED_EXTERNAL, Access.WRITE, Via.DIRECT),
        ("nested group", Audience.NAMED_EXTERNAL, Access.READ, Via.DIRECT),
        ("whole company group", Audience.ORGANISATION, Access.READ, Via.DIRECT),
        ("foreign group", Audience.NAMED_EXTERNAL, Access.READ, Via.DIRECT),
        ("colleague", Audience.NAMED, Access.WRITE, Via.DIRECT),
        ("alias address", Audience.NAMED, Access.READ, Via.DIRECT),
        ("pending owner", Audience.NAMED, Access.WRITE, Via.DIRECT),
        ("trashed public", Audience.ANYONE_WITH_LINK, Access.READ, Via.LINK),
        ("shortcut", Audience.ORGANISATION, Access.READ, Via.LINK),
    ],
)
def test_each_permission_is_what_it_is(
    told: Read, built: company.Company, scenario: str, audience: Audience, access: Access, via: Via
) -> None:
    grant = way(told, built, scenario)

    assert (grant.audience, grant.access, grant.via) == (audience, access, via)
    assert grant.effective
    assert not grant.inherited
    assert grant.detail["chain"]["en"]
    assert grant.detail["chain"]["ja"]


@pytest.mark.parametrize(
    ("scenario", "affiliation"),
    [
        ("partner domain", Affiliation.PARTNER),
        ("partner named", Affiliation.PARTNER),
        ("foreign group", Affiliation.PARTNER),
        ("foreign domain", Affiliation.EXTERNAL),
        ("consumer account", Affiliation.EXTERNAL),
        ("alias address", Affiliation.INTERNAL),
        ("target audience", Affiliation.INTERNAL),
    ],
)
def test_partner_foreign_and_ours_are_told_apart(
    told: Read, built: company.Company, scenario: str, affiliation: Affiliation
) -> None:
    assert told.principal(way(told, built, scenario).principal_uid or "").affiliation == affiliation


def test_an_alias_is_the_person_it_belongs_to(told: Read, built: company.Company) -> None:
    assert way(told, built, "alias address").principal_uid == uids.user("mori@kumo.example")


def test_what_only_the_owner_has_is_nobodys(told: Read, built: company.Company) -> None:
    assert told.grants(file(built.scenarios["private"])) == []


def test_a_folder_is_shared_once_however_much_lies_in_it(told: Read, built: company.Company) -> None:
    folder, inside = file(built.scenarios["public folder"]), file(built.scenarios["in public folder"])

    (given,) = told.grants(folder)
    (inherited,) = told.grants(inside)

    assert (given.inherited, given.origin_uid) == (False, folder)
    assert (inherited.inherited, inherited.origin_uid) == (True, folder)
    assert told.resource(inside).parent_uid == folder
    assert told.resource(inside).path.startswith("展示会資料/")


def test_a_stronger_share_below_an_open_folder_is_one_of_its_own(told: Read, built: company.Company) -> None:
    grant = way(told, built, "link writer below public folder")

    assert (grant.access, grant.inherited) == (Access.WRITE, False)


def test_an_expiry_is_kept_and_none_is_never(told: Read, built: company.Company) -> None:
    assert way(told, built, "outsider until soon").expires_on != NEVER
    assert way(told, built, "outsider reader").expires_on == NEVER


def test_a_deleted_principal_lets_nobody_in(told: Read, built: company.Company) -> None:
    grant = way(told, built, "deleted principal")

    assert (grant.effective, grant.blocked_by) == (False, "deleted account")
    assert told.principal(grant.principal_uid or "").status == "deleted"


def test_all_of_many_permissions_are_told(told: Read, built: company.Company) -> None:
    assert len(told.grants(file(built.scenarios["many permissions"]))) == 120


def test_a_groups_outsiders_are_counted_through_other_groups(told: Read) -> None:
    assert told.principal(uids.group("nested@kumo.example")).detail["outsiders"] == "3"
    assert told.principal(uids.group("sales@kumo.example")).detail["outsiders"] == "0"


def test_people_have_state_department_manager_and_last_login(told: Read) -> None:
    left = told.principal(uids.user("left@kumo.example"))
    mori = told.principal(uids.user("mori@kumo.example"))
    never = told.principal(uids.user("never@kumo.example"))

    assert left.status == "suspended"
    assert told.principal(uids.user("archived@kumo.example")).status == "archived"
    assert (mori.department, mori.sponsor_uid) == ("営業部", uids.user(company.ADMIN))
    assert never.last_seen_on is not None
    assert never.last_seen_on.year == 1970


def test_the_drive_of_a_suspended_user_cannot_be_read_and_that_is_said(told: Read, built: company.Company) -> None:
    (gap,) = [each for each in told.gaps if "suspended" in each.reason]

    assert gap.outcome is Outcome.DENIED
    assert told.refused == {}


def test_what_a_leaver_owns_is_known_through_those_who_can_open_it(told: Read, built: company.Company) -> None:
    uid = file(built.scenarios["owner suspended"])

    assert told.resource(uid).owner_uid == uids.user("left@kumo.example")
    assert Audience.ANYONE_WITH_LINK in {each.audience for each in told.grants(uid)}


def test_what_lies_in_a_shared_drive_is_open_to_its_members(told: Read, built: company.Company) -> None:
    drive = uids.shared_drive(built.scenarios["drive"])

    (grant,) = told.grants(file(built.scenarios["drive file inherited only"]))

    assert (grant.audience, grant.via, grant.inherited, grant.origin_uid) == (
        Audience.NAMED,
        Via.MEMBERSHIP,
        True,
        drive,
    )
    assert told.members(grant.principal_uid or "") == {uids.user("mori@kumo.example"), uids.group("sales@kumo.example")}


@pytest.mark.parametrize(
    ("scenario", "audience"),
    [
        ("drive file link", Audience.ANYONE_WITH_LINK),
        ("drive file outsider", Audience.NAMED_EXTERNAL),
        ("drive file domain", Audience.ORGANISATION),
        ("trashed in drive", Audience.ANYONE_WITH_LINK),
    ],
)
def test_shared_drive_items_carry_what_lists_leave_out(
    told: Read, built: company.Company, scenario: str, audience: Audience
) -> None:
    """Lists never tell the permissions of a shared drive's items."""
    direct = [each for each in told.grants(file(built.scenarios[scenario])) if not each.inherited]

    assert [each.audience for each in direct] == [audience]


def test_outsiders_in_a_shared_drive_reach_everything_in_it(told: Read, built: company.Company) -> None:
    drive = uids.shared_drive(built.scenarios["drive with outsiders"])
    outside = {uids.user("tanuki@partner.example"), uids.user("spy@rival.example")}

    inside = told.grants(file(built.scenarios["in drive with outsiders"]))

    assert {each.principal_uid for each in inside if each.audience is Audience.NAMED_EXTERNAL} == outside
    assert {each.origin_uid for each in inside} == {drive}


def test_a_folder_in_a_shared_drive_passes_its_own_shares_on(told: Read, built: company.Company) -> None:
    """And the stronger share of the file itself stands beside it."""
    grants = told.grants(file(built.scenarios["drive file inherits folder"]))
    tanuki = [each for each in grants if each.principal_uid == uids.user("tanuki@partner.example")]

    assert {(each.access, each.inherited) for each in tanuki} == {(Access.READ, True), (Access.WRITE, False)}


def test_a_limited_folder_passes_nothing_on_from_above(told: Read, built: company.Company) -> None:
    folder = told.resource(file(built.scenarios["limited folder"]))
    principals = {each.principal_uid for each in told.grants(file(built.scenarios["in limited folder"]))}

    assert folder.detail["limited_access"] == "true"
    assert uids.user("tanuki@partner.example") not in principals
    assert uids.user("hayashi@kumo.example") in principals


def test_a_shared_drives_switches_and_managers_are_settings(told: Read, built: company.Company) -> None:
    strict = uids.shared_drive(built.scenarios["drive restricted"])
    lost = uids.shared_drive(built.scenarios["drive without manager"])
    left = uids.shared_drive(built.scenarios["drive of the suspended"])

    assert told.setting(strict, "domain_users_only") == "true"
    assert told.setting(strict, "drive_members_only") == "true"
    assert told.setting(lost, "domain_users_only") == "false"
    assert (told.setting(strict, "managers"), told.setting(lost, "managers")) == ("1", "0")
    assert told.setting(left, "managers") == "0"


def test_settings_are_told_for_the_tenant_and_each_unit_that_differs(told: Read) -> None:
    """Of the administrator's and the system's policy the administrator's counts."""
    tenant = uids.tenant(DOMAIN)
    units = {each.name: each.uid for each in told.of_kind("org_unit")}
    name = "drive_and_docs.external_sharing"

    assert told.setting(tenant, f"{name}.externalSharingMode") == "ALLOWED"
    assert told.setting(tenant, f"{name}.allowPublishingFiles") == "true"
    assert told.setting(units["/Office/Finance"], f"{name}.externalSharingMode") == "ALLOWLISTED_DOMAINS"


@pytest.mark.parametrize("scenario", ["markup in name", "right-to-left name", "formula in name", "empty name"])
def test_hostile_names_arrive_as_they_are(told: Read, built: company.Company, scenario: str) -> None:
    item = built.state.item(built.scenarios[scenario])

    assert item is not None
    assert told.resource(file(item.id)).name == item.name


def test_everything_is_told_once(told: Read, built: company.Company) -> None:
    """All files of active users and of drives that can be entered, none twice."""
    told_ids = [each.uid for kind in ("file", "folder", "shortcut") for each in told.of_kind(kind)]

    assert len(told_ids) == len(set(told_ids))
    assert len(told_ids) > 230
