"""People, groups, channels, applications, settings and sites of a company that has them all, with and without the
permissions and the licence that they need.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudscan.facts import Access, Affiliation, Audience, Grant, Outcome, Principal, Resource, Setting, Via
from cloudscan_emulators.microsoft import Server, company
from cloudscan_emulators.microsoft.scenarios import UNLISTED_TENANT
from cloudscan_emulators.microsoft.server import GRAPH_ROLES
from cloudscan_m365.meaning import uids
from cloudscan_m365.permissions import (
    APPLICATIONS,
    CHANNEL_MEMBERS,
    CHANNELS,
    FULL_CONTROL,
    GROUPS,
    HIDDEN_MEMBERS,
    LABELS,
    LEAVE_DATES,
    POLICIES,
    SIGN_INS,
    TENANT_NAMES,
    TENANT_SETTINGS,
    USERS,
)
from cloudscan_m365.questions import FROM_GRAPH
from cloudscan_m365.scopes.tenant import FROM_ADMINISTRATION
from tests.connectors.m365 import estate
from tests.connectors.reading import Read, read

NEVER_SEEN = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def built() -> company.Company:
    return company.build(1)


@pytest.fixture(scope="module")
def server(built: company.Company) -> Iterator[Server]:
    with estate.tenant(built.state) as running:
        yield running


@pytest.fixture(scope="module")
def result(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("key")
    return read(estate.connector(server, folder, private_labels=(company.CONFIDENTIAL,)))


@pytest.fixture
def scanned(built: company.Company, server: Server, tmp_path: Path) -> Iterator[Callable[..., Read]]:
    """Scans without some of the permissions, which are restored afterwards."""

    def scan(*without: str, **options: Any) -> Read:
        sharepoint = () if FULL_CONTROL in without else ("Sites.FullControl.All",)
        server.allow(*(GRAPH_ROLES - set(without)), sharepoint=sharepoint)
        return read(estate.connector(server, tmp_path, **options))

    yield scan
    server.allow(*GRAPH_ROLES, sharepoint=("Sites.FullControl.All",))
    built.state.premium = True


def principal_of(result: Read, built: company.Company, scenario: str) -> Principal:
    return result.principal(uids.user(built.scenarios[scenario]))


def resource_of(result: Read, built: company.Company, scenario: str) -> Resource:
    """A site, team or group."""
    identity = built.scenarios[scenario]
    ids = {uids.site(uids.site_identity(identity)), uids.team(identity), uids.group(identity)}
    return next(resource for resource in result.facts if isinstance(resource, Resource) and resource.uid in ids)


def site(built: company.Company, scenario: str) -> str:
    return uids.site(uids.site_identity(built.scenarios[scenario]))


def tenant(built: company.Company) -> str:
    return uids.tenant(built.state.tenant_id)


def ago(built: company.Company, days: int) -> datetime:
    """This many days before now, to the hour: building the company advances its clock by seconds."""
    moment = datetime.fromtimestamp(built.state.now, tz=UTC) - timedelta(days=days)
    return moment.replace(minute=0, second=0, microsecond=0)


def hour(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(minute=0, second=0, microsecond=0)


@pytest.mark.parametrize(
    ("scenario", "kind", "affiliation", "status", "redeemed"),
    [
        ("user disabled", "user", Affiliation.INTERNAL, "suspended", None),
        ("user dormant", "user", Affiliation.INTERNAL, "active", None),
        ("guest", "guest", Affiliation.PARTNER, "active", True),
        ("guest of no partner", "guest", Affiliation.EXTERNAL, "active", True),
        ("guest never accepted", "guest", Affiliation.EXTERNAL, "active", False),
        ("guest just invited", "guest", Affiliation.PARTNER, "active", False),
        ("guest disabled", "guest", Affiliation.EXTERNAL, "suspended", True),
        ("guest of ended partner", "guest", Affiliation.PARTNER, "active", True),
        ("external member", "user", Affiliation.EXTERNAL, "active", True),
    ],
)
def test_each_account_has_its_kind_affiliation_and_status(
    result: Read,
    built: company.Company,
    scenario: str,
    kind: str,
    affiliation: Affiliation,
    status: str,
    redeemed: bool | None,
) -> None:
    principal = principal_of(result, built, scenario)

    assert (principal.kind, principal.affiliation, principal.status, principal.redeemed) == (
        kind,
        affiliation,
        status,
        redeemed,
    )
    assert principal.account == company.DOMAIN


@pytest.mark.parametrize(("scenario", "days"), [("guest", 1), ("guest stale", 400), ("user dormant", 400)])
def test_the_last_sign_in_is_reported(result: Read, built: company.Company, scenario: str, days: int) -> None:
    assert hour(principal_of(result, built, scenario).last_seen_on) == ago(built, days)


@pytest.mark.parametrize("scenario", ["guest never signed in", "user never signed in", "guest never accepted"])
def test_never_signed_in_differs_from_unknown(result: Read, built: company.Company, scenario: str) -> None:
    """Graph leaves the property out; NULL would say that it could not be read."""
    assert principal_of(result, built, scenario).last_seen_on == NEVER_SEEN


@pytest.mark.parametrize(
    ("scenario", "count"),
    [("guest", "1"), ("guest without sponsor", "0"), ("guest whose sponsor is disabled", "0")],
)
def test_only_active_sponsors_count(result: Read, built: company.Company, scenario: str, count: str) -> None:
    assert principal_of(result, built, scenario).detail["sponsors"] == count


def test_a_guest_names_sponsor_and_inviter(result: Read, built: company.Company) -> None:
    """The inviter is in the audit log only, and only for the last thirty days."""
    mori, hayashi = (built.state.person(f"{name}@kumo.example").id for name in ("mori", "hayashi"))
    fresh, old = (principal_of(result, built, name) for name in ("guest just invited", "guest"))

    assert fresh.sponsor_uid == uids.user(mori)
    assert fresh.detail["invited_by"] == uids.user(hayashi)
    assert "invited_by" not in old.detail


@pytest.mark.parametrize(
    ("scenario", "detail"),
    [
        ("guest of ended partner", {"contract_ends": "2025-09-30"}),
        ("guest with consumer mail", {"consumer": "true"}),
        ("external member", {"external_member": "true"}),
        ("guest of no partner", {"guest": "true"}),
    ],
)
def test_details_of_external_accounts(
    result: Read, built: company.Company, scenario: str, detail: dict[str, str]
) -> None:
    assert detail.items() <= principal_of(result, built, scenario).detail.items()


def test_an_external_account_does_not_choose_its_name(result: Read, built: company.Company) -> None:
    assert principal_of(result, built, "guest with markup in name").name == "markup@rival.example"


@pytest.mark.parametrize(
    ("scenario", "leaves"), [("user left", -60), ("user leaves soon", 20), ("user left and enabled", -10)]
)
def test_the_last_day_of_work(result: Read, built: company.Company, scenario: str, leaves: int) -> None:
    assert principal_of(result, built, scenario).detail["leave_on"] == ago(built, -leaves).date().isoformat()


@pytest.mark.parametrize(
    ("scenario", "kind", "detail"),
    [
        ("group public", "group", {"visibility": "public", "owners": "1", "owners_guest": "0"}),
        ("group private", "group", {"visibility": "private", "owners": "2"}),
        ("group hidden", "group", {"visibility": "hidden", "owners": "1"}),
        ("group with disabled owner", "group", {"owners": "0", "owners_guest": "0"}),
        ("group with guest as owner", "group", {"owners": "1", "owners_guest": "1", "guests": "2"}),
        ("team", "team", {"visibility": "private", "members": "3", "guests": "1"}),
        ("team public", "team", {"visibility": "public", "owners": "1"}),
        ("team without owner", "team", {"owners": "0"}),
    ],
)
def test_groups_and_teams_are_resources(
    result: Read, built: company.Company, scenario: str, kind: str, detail: dict[str, str]
) -> None:
    resource = resource_of(result, built, scenario)

    assert resource.kind == kind
    assert detail.items() <= resource.detail.items()


def test_a_nested_group_brings_its_external_members(result: Read, built: company.Company) -> None:
    nested, plain = (built.scenarios[name] for name in ("group nested", "group"))

    assert uids.group(plain) in result.members(uids.group(nested))
    assert result.principal(uids.group(nested)).detail["externals"] == "1"
    assert result.principal(uids.group(plain)).detail["externals"] == "0"


def test_a_dynamic_group_of_all_employees_is_the_organisation(
    built: company.Company, server: Server, scanned: Callable[..., Read]
) -> None:
    """Sharing with it is sharing with the organisation, whatever its members are today."""
    state = built.state
    home = state.site_at(state.host, "sites/office")
    assert home is not None
    file = state.create("for all.docx", drive=state.drives[home.drives[0]])
    state.share(file, "全社員")

    grants = scanned().grants(estate.item(server, state.id_of(file)))

    assert Audience.ORGANISATION in {grant.audience for grant in grants if grant.via is Via.DIRECT}


def test_private_and_shared_channels(result: Read, built: company.Company) -> None:
    """A channel shared with a partner names no tenant; an unlisted tenant is named, and its people are members."""
    channels = {resource.name.rpartition(": ")[2]: resource for resource in result.of_kind("channel")}
    fox = uids.external_user("fox@strange.example")

    assert channels.keys() == {"人事相談", "Tanuki", "Joint bid"}
    assert channels["人事相談"].detail == {"type": "private", "unlisted_tenants": "", "owners": "1"}
    assert channels["Tanuki"].detail["unlisted_tenants"] == ""
    assert channels["Joint bid"].detail["unlisted_tenants"] == UNLISTED_TENANT
    assert fox in result.members(channels["Joint bid"].uid)
    assert result.principal(fox).affiliation is Affiliation.EXTERNAL
    (grant_,) = result.grants(channels["Joint bid"].uid)
    assert grant_.audience is Audience.NAMED_EXTERNAL


@pytest.mark.parametrize(
    ("scenario", "detail"),
    [
        ("application", {"permissions": "Sites.Read.All"}),
        (
            "application with write to all sites",
            {"permissions": "Files.ReadWrite.All, Sites.ReadWrite.All", "writes_all_sites": "true"},
        ),
        (
            "application of others with full control",
            {
                "permissions": "Sites.FullControl.All",
                "writes_all_sites": "true",
                "full_control": "true",
                "external_publisher": "true",
            },
        ),
        ("application for one site", {"permissions": "Sites.Selected"}),
    ],
)
def test_applications(result: Read, built: company.Company, scenario: str, detail: dict[str, str]) -> None:
    off = dict.fromkeys(("writes_all_sites", "full_control", "external_publisher"), "false")

    assert result.resource(uids.application(built.scenarios[scenario])).detail == {**off, **detail}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sharing_capability", "anyone"),
        ("onedrive_sharing_capability", "anyone"),
        ("resharing_by_external", "true"),
        ("domain_restriction", "allow"),
        ("require_same_account", "false"),
        ("legacy_auth", "true"),
        ("sync_only_from_domains", "false"),
        ("idle_signout", "false"),
        ("default_link_type", "anonymous"),
        ("default_link_permission", "edit"),
        ("anonymous_link_expires_days", "0"),
        ("anonymous_file_link", "edit"),
        ("anonymous_folder_link", "edit"),
        ("guest_access_expires_days", "0"),
        ("email_attestation_days", "0"),
        ("infected_download_blocked", "false"),
        ("external_groups_only", "false"),
        ("b2b_integration", "false"),
        ("everyone_claim_shown", "true"),
        ("everyone_except_external_shown", "true"),
        ("guest_invites", "everyone"),
        ("guest_role", "guest"),
    ],
)
def test_settings_of_the_tenant(result: Read, built: company.Company, name: str, value: str) -> None:
    assert result.setting(tenant(built), name) == value


@pytest.mark.parametrize(
    ("scenario", "name", "value"),
    [
        ("site", "sharing_capability", "anyone"),
        ("site", "tenant_wider", "false"),
        ("site with sharing off", "sharing_capability", "disabled"),
        ("site for existing guests", "sharing_capability", "existing"),
        ("site wider than tenant", "tenant_wider", "true"),
        ("site wider than tenant", "allowed_domains", "partner.example rival.example"),
        ("site with anyone as default", "default_link_type", "anonymous"),
        ("site with anyone as default", "anonymous_link_expires_days", "0"),
        ("site", "owners", "1"),
        ("site without owner", "owners", "0"),
        ("site locked", "owners", None),
    ],
)
def test_settings_of_sites(result: Read, built: company.Company, scenario: str, name: str, value: str | None) -> None:
    assert result.setting(site(built, scenario), name) == value


def test_a_site_reports_the_privacy_of_its_label(result: Read, built: company.Company) -> None:
    """Graph does not say what a label bars; the configuration names the labels that bar external users."""
    wide, plain = (resource_of(result, built, name) for name in ("site wider than label", "site"))

    assert (wide.label, wide.detail["label_privacy"]) == (company.CONFIDENTIAL, "private")
    assert (plain.label, plain.detail.get("label_privacy")) == ("", None)
    assert wide.owner_uid == uids.user(built.state.person(company.ADMIN).id)


@pytest.mark.parametrize(
    ("scenario", "audience", "access"),
    [
        ("site", Audience.NAMED, Access.MANAGE),
        ("site with everyone among its visitors", Audience.ORGANISATION, Access.READ),
        ("site with everyone among its visitors", Audience.ORGANISATION, Access.WRITE),
        ("site with guest as owner", Audience.NAMED_EXTERNAL, Access.MANAGE),
        ("site public", Audience.ORGANISATION, Access.WRITE),
        ("site without owner", Audience.NAMED_EXTERNAL, Access.READ),
    ],
)
def test_grants_of_a_site(
    result: Read, built: company.Company, scenario: str, audience: Audience, access: Access
) -> None:
    grants = result.grants(site(built, scenario))

    assert (audience, access) in {(grant.audience, grant.access) for grant in grants}
    assert all(grant.via is Via.MEMBERSHIP and grant.effective for grant in grants)


def test_a_subsite_inherits_grants(result: Read, built: company.Company) -> None:
    below = uids.site(uids.subsite_identity(built.scenarios["subsite"]))

    grants = result.grants(below)

    assert {grant.access for grant in grants} == {Access.MANAGE, Access.WRITE, Access.READ}
    assert {grant.origin_uid for grant in grants} == {site(built, "site")}
    assert all(grant.inherited for grant in grants)


def test_grants_of_a_locked_site_are_latent(result: Read, built: company.Company) -> None:
    (grant_,) = result.grants(site(built, "site locked"))

    assert (grant_.audience, grant_.effective, grant_.blocked_by) == (None, False, "graph-site-locked")


def test_members_of_a_site_group(result: Read, built: company.Company) -> None:
    """Nested groups and guests are members; a group that shows its members to members only is still read."""
    collection = uids.site_identity(built.scenarios["site"])
    groups = {
        principal.name: result.members(principal.uid)
        for principal in result.facts
        if isinstance(principal, Principal) and principal.uid.startswith(uids.site_group(collection, ""))
    }

    assert groups["Contractors"] == {
        uids.group(built.scenarios["group nested"]),
        uids.user(built.scenarios["guest of no partner"]),
    }
    assert groups["Hidden circle"] == {uids.user(built.state.person("hayashi@kumo.example").id)}


def test_owners_of_a_group_own_its_site(result: Read, built: company.Company) -> None:
    """The claim that ends in _o means its owners and not its members."""
    team = built.state.group("haiso@kumo.example")
    home = built.state.sites[team.site]
    named = [
        principal
        for principal in result.facts
        if isinstance(principal, Principal) and principal.name == "配送チーム Owners"
    ]
    (owners,) = {principal.uid for principal in named if principal.uid.startswith(uids.site_group(home.collection, ""))}

    assert result.members(owners) == {uids.user(built.state.person("mori@kumo.example").id)}


# missing permissions


@pytest.mark.parametrize(
    ("permission", "questions"),
    [
        (SIGN_INS, {"m365-sign-ins", "m365-invitations"}),
        (GROUPS, {"m365-groups"}),
        (CHANNELS, {"m365-channels"}),
        (CHANNEL_MEMBERS, {"m365-private-channel-members", "m365-shared-channel-members"}),
        (APPLICATIONS, {"m365-service-roles"}),
        (TENANT_SETTINGS, {"m365-sharing-settings"}),
        (LABELS, {"m365-labels"}),
        (TENANT_NAMES, {"m365-tenant-names"}),
    ],
)
def test_a_missing_permission_is_named_once_for_each_question(
    scanned: Callable[..., Read], permission: str, questions: set[str]
) -> None:
    result = scanned(permission, *({"Group.Read.All", "Directory.Read.All"}))

    gaps = {gap.question: gap for gap in result.gaps if gap.needs == permission}
    assert gaps.keys() == questions
    assert {gap.outcome for gap in gaps.values()} == {Outcome.DENIED}
    assert result.refused == {}


def test_without_a_licence_sign_ins_are_unknown(built: company.Company, scanned: Callable[..., Read]) -> None:
    """The gap names the licence; nobody is reported as never having signed in."""
    built.state.premium = False

    result = scanned()

    assert result.gap("graph-no-premium").needs == "Microsoft Entra ID P1"
    assert principal_of(result, built, "guest never signed in").last_seen_on is None


def test_without_the_permission_sign_ins_and_inviters_are_unknown(
    built: company.Company, scanned: Callable[..., Read]
) -> None:
    result = scanned(SIGN_INS)

    assert principal_of(result, built, "guest stale").last_seen_on is None
    assert "invited_by" not in principal_of(result, built, "guest just invited").detail


def test_without_sharepoint_facts_from_graph_remain(built: company.Company, scanned: Callable[..., Read]) -> None:
    """Settings of the administration are unknown, not off; the audience of sites is unknown, not nobody."""
    result = scanned(FULL_CONTROL)

    assert result.setting(tenant(built), "sharing_capability") == "anyone"
    assert {result.setting(tenant(built), name) for name in FROM_ADMINISTRATION} == {None}
    assert result.setting(site(built, "site"), "tenant_wider") is None
    assert result.setting(site(built, "site"), "owners") is None
    assert [grant.audience for grant in result.grants(site(built, "site"))] == [None]
    assert FULL_CONTROL in {gap.needs for gap in result.gaps}


def test_groups_that_hide_their_members_are_a_gap(
    built: company.Company, server: Server, scanned: Callable[..., Read], tmp_path: Path
) -> None:
    """With SharePoint's Sites.Read.All alone, the site's other groups are still reported."""
    server.allow(*GRAPH_ROLES, sharepoint=("Sites.Read.All",))

    result = read(estate.connector(server, tmp_path))

    hidden = {gap.resource_uid: gap for gap in result.gaps if "for-members" in str(gap.reason)}[site(built, "site")]
    assert (hidden.needs, hidden.outcome) == (FULL_CONTROL, Outcome.PARTIAL)
    assert result.setting(site(built, "site"), "owners") == "1"
    assert result.setting(site(built, "site"), "sharing_capability") is None


def test_without_the_permission_leave_dates_are_a_gap(built: company.Company, scanned: Callable[..., Read]) -> None:
    """Graph then returns nothing, and does not refuse either."""
    result = scanned(LEAVE_DATES)

    assert result.gap("graph-no-leave-dates").outcome is Outcome.SKIPPED
    assert "leave_on" not in principal_of(result, built, "user left").detail


def test_sharepoint_refuses_a_client_secret(
    built: company.Company, server: Server, scanned: Callable[..., Read], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", server.client_secret)

    result = scanned(sign_in="secret", certificate_file="")

    assert result.setting(site(built, "site"), "sharing_capability") is None
    assert [grant.audience for grant in result.grants(site(built, "site"))] == [None]
    assert result.gap("graph-wants-certificate").needs == FULL_CONTROL


def test_without_graph_settings_come_from_the_administration(
    built: company.Company, scanned: Callable[..., Read]
) -> None:
    result = scanned(TENANT_SETTINGS)

    values = {name: result.setting(tenant(built), name) for name in FROM_GRAPH}
    assert values == {
        "sharing_capability": "anyone",
        "resharing_by_external": "true",
        "domain_restriction": "allow",
        "require_same_account": "false",
        "legacy_auth": "true",
        "sync_only_from_domains": "false",
        "idle_signout": None,
    }


def test_without_policies_guest_permissions_are_unknown(built: company.Company, scanned: Callable[..., Read]) -> None:
    result = scanned(POLICIES)

    assert result.setting(tenant(built), "guest_invites") is None
    assert result.setting(tenant(built), "guest_role") is None


def test_hidden_members_are_a_gap_and_not_an_empty_group(built: company.Company, scanned: Callable[..., Read]) -> None:
    built.state.join("Secret project", "hayashi@kumo.example")

    result = scanned(HIDDEN_MEMBERS)

    assert result.gap("graph-members-hidden").needs == HIDDEN_MEMBERS
    assert "guests" not in resource_of(result, built, "group hidden").detail


def test_without_users_no_account_counts_as_deleted(built: company.Company, scanned: Callable[..., Read]) -> None:
    result = scanned(USERS, "Directory.Read.All")

    assert USERS in {gap.needs for gap in result.gaps}
    assert not [
        principal for principal in result.facts if isinstance(principal, Principal) and principal.status == "deleted"
    ]


def test_every_setting_is_reported_once(result: Read) -> None:
    names = [(setting.scope_uid, setting.name) for setting in result.facts if isinstance(setting, Setting)]

    assert len(names) == len(set(names))
    assert not [grant for grant in result.facts if isinstance(grant, Grant) and "http" in grant.url]
