"""Whom each way of sharing a file lets in, in a company that has them all."""

from collections.abc import Iterator

import msgspec
import pytest

from cloudscan.facts import NEVER, Access, Affiliation, Audience, Grant, Outcome, Via
from cloudscan.reason import Reason, has_words, sentence, step
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
def result(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Read:
    reader = connector(server, tmp_path_factory.mktemp("key"))
    return read(reader)


def grant_on(result: Read, built: company.Company, scenario: str) -> Grant:
    """The one grant of a principal other than the owner."""
    (grant,) = result.grants(file(built.scenarios[scenario]))
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
        ("external domain", Audience.EXTERNAL_DOMAIN, Access.WRITE, Via.LINK),
        ("partner domain", Audience.EXTERNAL_DOMAIN, Access.READ, Via.LINK),
        ("external reader", Audience.NAMED_EXTERNAL, Access.READ, Via.DIRECT),
        ("external editor", Audience.NAMED_EXTERNAL, Access.WRITE, Via.DIRECT),
        ("consumer account", Audience.NAMED_EXTERNAL, Access.WRITE, Via.DIRECT),
        ("no google account", Audience.NAMED_EXTERNAL, Access.READ, Via.DIRECT),
        ("group with external members", Audience.NAMED_EXTERNAL, Access.WRITE, Via.DIRECT),
        ("nested group", Audience.NAMED_EXTERNAL, Access.READ, Via.DIRECT),
        ("whole company group", Audience.ORGANISATION, Access.READ, Via.DIRECT),
        ("external group", Audience.NAMED_EXTERNAL, Access.READ, Via.DIRECT),
        ("colleague", Audience.NAMED, Access.WRITE, Via.DIRECT),
        ("alias address", Audience.NAMED, Access.READ, Via.DIRECT),
        ("pending owner", Audience.NAMED, Access.WRITE, Via.DIRECT),
        ("trashed public", Audience.ANYONE_WITH_LINK, Access.READ, Via.LINK),
        ("shortcut", Audience.ORGANISATION, Access.READ, Via.LINK),
    ],
)
def test_each_permission_is_what_it_is(
    result: Read, built: company.Company, scenario: str, audience: Audience, access: Access, via: Via
) -> None:
    grant = grant_on(result, built, scenario)

    assert (grant.audience, grant.access, grant.via) == (audience, access, via)
    assert grant.effective
    assert not grant.inherited
    steps = [msgspec.convert(one, Reason) for one in grant.detail["chain"]]
    assert [one.code for one in steps for language in ("en", "ja") if not has_words("step", one.code, language)] == []
    assert not any("?" in step(one, "ja") for one in steps)


@pytest.mark.parametrize(
    ("scenario", "affiliation"),
    [
        ("partner domain", Affiliation.PARTNER),
        ("partner named", Affiliation.PARTNER),
        ("external group", Affiliation.PARTNER),
        ("external domain", Affiliation.EXTERNAL),
        ("consumer account", Affiliation.EXTERNAL),
        ("alias address", Affiliation.INTERNAL),
        ("target audience", Affiliation.INTERNAL),
    ],
)
def test_partner_external_and_ours_are_told_apart(
    result: Read, built: company.Company, scenario: str, affiliation: Affiliation
) -> None:
    assert result.principal(grant_on(result, built, scenario).principal_uid or "").affiliation == affiliation


def test_an_alias_is_the_person_it_belongs_to(result: Read, built: company.Company) -> None:
    assert grant_on(result, built, "alias address").principal_uid == uids.user("mori@kumo.example")


def test_what_only_the_owner_has_is_nobodys(result: Read, built: company.Company) -> None:
    assert result.grants(file(built.scenarios["private"])) == []


def test_a_folder_is_shared_once_however_much_lies_in_it(result: Read, built: company.Company) -> None:
    folder, inside = file(built.scenarios["public folder"]), file(built.scenarios["in public folder"])

    (given,) = result.grants(folder)
    (inherited,) = result.grants(inside)

    assert (given.inherited, given.origin_uid) == (False, folder)
    assert (inherited.inherited, inherited.origin_uid) == (True, folder)
    assert result.resource(inside).parent_uid == folder
    assert result.resource(inside).path.startswith("展示会資料/")


def test_a_stronger_share_below_an_open_folder_is_one_of_its_own(result: Read, built: company.Company) -> None:
    grant = grant_on(result, built, "link writer below public folder")

    assert (grant.access, grant.inherited) == (Access.WRITE, False)


def test_an_expiry_is_kept_and_none_is_never(result: Read, built: company.Company) -> None:
    assert grant_on(result, built, "external until soon").expires_on != NEVER
    assert grant_on(result, built, "external reader").expires_on == NEVER


def test_a_deleted_principal_lets_nobody_in(result: Read, built: company.Company) -> None:
    grant = grant_on(result, built, "deleted principal")

    assert (grant.effective, grant.blocked_by) == (False, "drive-account-deleted")
    assert has_words("block", grant.blocked_by, "ja")
    assert result.principal(grant.principal_uid or "").status == "deleted"


def test_all_of_many_permissions_are_told(result: Read, built: company.Company) -> None:
    assert len(result.grants(file(built.scenarios["many permissions"]))) == 120


def test_external_members_of_a_group_are_counted_through_other_groups(result: Read) -> None:
    assert result.principal(uids.group("nested@kumo.example")).detail["externals"] == "3"
    assert result.principal(uids.group("sales@kumo.example")).detail["externals"] == "0"


def test_who_may_join_a_group_is_told_beside_who_is_in_it(result: Read) -> None:
    joining = {
        name: result.principal(uids.group(f"{name}@kumo.example")).detail["join"]
        for name in ("open-house", "cycling", "sales", "nested")
    }

    assert joining == {"open-house": "anyone", "cycling": "organisation", "sales": "invited", "nested": "invited"}


def test_people_have_state_department_manager_and_last_login(result: Read) -> None:
    left = result.principal(uids.user("left@kumo.example"))
    mori = result.principal(uids.user("mori@kumo.example"))
    never = result.principal(uids.user("never@kumo.example"))

    assert left.status == "suspended"
    assert result.principal(uids.user("archived@kumo.example")).status == "archived"
    assert (mori.department, mori.sponsor_uid) == ("営業部", uids.user(company.ADMIN))
    assert never.last_seen_on is not None
    assert never.last_seen_on.year == 1970


def test_the_drive_of_a_suspended_user_cannot_be_read_and_that_is_said(result: Read, built: company.Company) -> None:
    (gap,) = [gap for gap in result.gaps if gap.question == "gdrive-own-files"]

    assert gap.outcome is Outcome.DENIED
    assert "suspended" in sentence(gap.reason, "en")
    assert result.refused == {}


def test_what_a_leaver_owns_is_known_through_those_who_can_open_it(result: Read, built: company.Company) -> None:
    uid = file(built.scenarios["owner suspended"])

    assert result.resource(uid).owner_uid == uids.user("left@kumo.example")
    assert Audience.ANYONE_WITH_LINK in {grant.audience for grant in result.grants(uid)}


def test_what_lies_in_a_shared_drive_is_open_to_its_members(result: Read, built: company.Company) -> None:
    drive = uids.shared_drive(built.scenarios["drive"])

    (grant,) = result.grants(file(built.scenarios["drive file inherited only"]))

    assert (grant.audience, grant.via, grant.inherited, grant.origin_uid) == (
        Audience.NAMED,
        Via.MEMBERSHIP,
        True,
        drive,
    )
    assert result.members(grant.principal_uid or "") == {
        uids.user("mori@kumo.example"),
        uids.group("sales@kumo.example"),
    }


@pytest.mark.parametrize(
    ("scenario", "audience"),
    [
        ("drive file link", Audience.ANYONE_WITH_LINK),
        ("drive file external", Audience.NAMED_EXTERNAL),
        ("drive file domain", Audience.ORGANISATION),
        ("trashed in drive", Audience.ANYONE_WITH_LINK),
    ],
)
def test_shared_drive_items_carry_what_lists_leave_out(
    result: Read, built: company.Company, scenario: str, audience: Audience
) -> None:
    """Lists never contain the permissions of a shared drive's items."""
    direct = [grant for grant in result.grants(file(built.scenarios[scenario])) if not grant.inherited]

    assert [grant.audience for grant in direct] == [audience]


def test_external_members_of_a_shared_drive_reach_everything_in_it(result: Read, built: company.Company) -> None:
    drive = uids.shared_drive(built.scenarios["drive with external members"])
    outside = {uids.user("tanuki@partner.example"), uids.user("spy@rival.example")}

    inside = result.grants(file(built.scenarios["in drive with external members"]))

    assert {grant.principal_uid for grant in inside if grant.audience is Audience.NAMED_EXTERNAL} == outside
    assert {grant.origin_uid for grant in inside} == {drive}


def test_a_folder_in_a_shared_drive_passes_its_own_shares_on(result: Read, built: company.Company) -> None:
    """And the stronger share of the file itself is listed as well."""
    grants = result.grants(file(built.scenarios["drive file inherits folder"]))
    tanuki = [grant for grant in grants if grant.principal_uid == uids.user("tanuki@partner.example")]

    assert {(grant.access, grant.inherited) for grant in tanuki} == {(Access.READ, True), (Access.WRITE, False)}


def test_a_limited_folder_passes_nothing_on_from_above(result: Read, built: company.Company) -> None:
    folder = result.resource(file(built.scenarios["limited folder"]))
    principals = {grant.principal_uid for grant in result.grants(file(built.scenarios["in limited folder"]))}

    assert folder.detail["limited_access"] == "true"
    assert uids.user("tanuki@partner.example") not in principals
    assert uids.user("hayashi@kumo.example") in principals


def test_a_shared_drives_switches_and_managers_are_settings(result: Read, built: company.Company) -> None:
    strict = uids.shared_drive(built.scenarios["drive restricted"])
    lost = uids.shared_drive(built.scenarios["drive without manager"])
    left = uids.shared_drive(built.scenarios["drive of the suspended"])

    assert result.setting(strict, "domain_users_only") == "true"
    assert result.setting(strict, "drive_members_only") == "true"
    assert result.setting(lost, "domain_users_only") == "false"
    assert (result.setting(strict, "managers"), result.setting(lost, "managers")) == ("1", "0")
    assert result.setting(left, "managers") == "0"


def test_settings_are_told_for_the_tenant_and_each_unit_that_differs(result: Read) -> None:
    """Of the administrator's and the system's policy the administrator's counts."""
    tenant = uids.tenant(DOMAIN)
    units = {grant.name: grant.uid for grant in result.of_kind("org_unit")}
    name = "drive_and_docs.external_sharing"

    assert result.setting(tenant, f"{name}.externalSharingMode") == "ALLOWED"
    assert result.setting(tenant, f"{name}.allowPublishingFiles") == "true"
    assert result.setting(units["/Office/Finance"], f"{name}.externalSharingMode") == "ALLOWLISTED_DOMAINS"


@pytest.mark.parametrize("scenario", ["markup in name", "right-to-left name", "formula in name", "empty name"])
def test_hostile_names_arrive_as_they_are(result: Read, built: company.Company, scenario: str) -> None:
    item = built.state.item(built.scenarios[scenario])

    assert item is not None
    assert result.resource(file(item.id)).name == item.name


def test_everything_is_told_once(result: Read, built: company.Company) -> None:
    """All files of active users and of drives that can be entered, none twice."""
    uids_yielded = [grant.uid for kind in ("file", "folder", "shortcut") for grant in result.of_kind(kind)]

    assert len(uids_yielded) == len(set(uids_yielded))
    assert len(uids_yielded) > 230
