"""People, groups, channels, applications, settings and sites of a company that has them all, and what is missing where
a right or a licence is."""

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
    LEAVERS,
    POLICIES,
    SIGN_INS,
    TENANT_NAMES,
    TENANT_SETTINGS,
    USERS,
)
from cloudscan_m365.scopes.tenant import FROM_ADMINISTRATION, FROM_GRAPH
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
def told(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("key")
    return read(estate.connector(server, folder, private_labels=(company.CONFIDENTIAL,)))


@pytest.fixture
def scanned(built: company.Company, server: Server, tmp_path: Path) -> Iterator[Callable[..., Read]]:
    """Scans without some of the rights; afterwards they are given back."""

    def scan(*without: str, **options: Any) -> Read:
        sharepoint = () if FULL_CONTROL in without else ("Sites.FullControl.All",)
        server.allow(*(GRAPH_ROLES - set(without)), sharepoint=sharepoint)
        return read(estate.connector(server, tmp_path, **options))

    yield scan
    server.allow(*GRAPH_ROLES, sharepoint=("Sites.FullControl.All",))
    built.state.premium = True


def somebody(told: Read, built: company.Company, scenario: str) -> Principal:
    return told.principal(uids.user(built.scenarios[scenario]))


def place(told: Read, built: company.Company, scenario: str) -> Resource:
    """A site, team or group."""
    identity = built.scenarios[scenario]
    ids = {uids.site(uids.site_identity(identity)), uids.team(identity), uids.group(identity)}
    return next(each for each in told.facts if isinstance(each, Resource) and each.uid in ids)


def site(built: company.Company, scenario: str) -> str:
    return uids.site(uids.site_identity(built.scenarios[scenario]))


def tenant(built: company.Company) -> str:
    return uids.tenant(built.state.tenant_id)


def ago(built: company.Company, days: int) -> datetime:
    """That many days before now, to the hour: building the company takes seconds of its own time."""
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
        ("guest stranger", "guest", Affiliation.EXTERNAL, "active", True),
        ("guest never accepted", "guest", Affiliation.EXTERNAL, "active", False),
        ("guest just invited", "guest", Affiliation.PARTNER, "active", False),
        ("guest disabled", "guest", Affiliation.EXTERNAL, "suspended", True),
        ("guest of ended partner", "guest", Affiliation.PARTNER, "active", True),
        ("external member", "user", Affiliation.EXTERNAL, "active", True),
    ],
)
def test_everybody_is_what_he_is(
    told: Read,
    built: company.Company,
    scenario: str,
    kind: str,
    affiliation: Affiliation,
    status: str,
    redeemed: bool | None,
) -> None:
    found = somebody(told, built, scenario)

    assert (found.kind, found.affiliation, found.status, found.redeemed) == (kind, affiliation, status, redeemed)
    assert found.account == company.DOMAIN


@pytest.mark.parametrize(("scenario", "days"), [("guest", 1), ("guest stale", 400), ("user dormant", 400)])
def test_the_last_sign_in_is_told(told: Read, built: company.Company, scenario: str, days: int) -> None:
    assert hour(somebody(told, built, scenario).last_seen_on) == ago(built, days)


@pytest.mark.parametrize("scenario", ["guest never signed in", "user never signed in", "guest never accepted"])
def test_who_never_signed_in_is_told_from_who_is_not_known(told: Read, built: company.Company, scenario: str) -> None:
    """Graph leaves the property out; NULL would say that it could not be read."""
    assert somebody(told, built, scenario).last_seen_on == NEVER_SEEN


@pytest.mark.parametrize(
    ("scenario", "count"),
    [("guest", "1"), ("guest without sponsor", "0"), ("guest whose sponsor is disabled", "0")],
)
def test_only_sponsors_who_are_still_there_count(told: Read, built: company.Company, scenario: str, count: str) -> None:
    assert somebody(told, built, scenario).detail["sponsors"] == count


def test_a_guest_names_sponsor_and_inviter(told: Read, built: company.Company) -> None:
    """The inviter stands in the audit log only, and only of the last thirty days."""
    mori, hayashi = (built.state.person(f"{name}@kumo.example").id for name in ("mori", "hayashi"))
    fresh, old = (somebody(told, built, name) for name in ("guest just invited", "guest"))

    assert fresh.sponsor_uid == uids.user(mori)
    assert fresh.detail["invited_by"] == uids.user(hayashi)
    assert "invited_by" not in old.detail


@pytest.mark.parametrize(
    ("scenario", "detail"),
    [
        ("guest of ended partner", {"contract_ends": "2025-09-30"}),
        ("guest with consumer mail", {"consumer": "true"}),
        ("external member", {"external_member": "true"}),
        ("guest stranger", {"guest": "true"}),
    ],
)
def test_what_else_there_is_to_an_outsider(
    told: Read, built: company.Company, scenario: str, detail: dict[str, str]
) -> None:
    assert detail.items() <= somebody(told, built, scenario).detail.items()


def test_a_stranger_does_not_choose_what_we_call_him(told: Read, built: company.Company) -> None:
    assert somebody(told, built, "guest with markup in name").name == "markup@rival.example"


@pytest.mark.parametrize(
    ("scenario", "leaves"), [("user left", -60), ("user leaves soon", 20), ("user left and enabled", -10)]
)
def test_the_last_day_of_work(told: Read, built: company.Company, scenario: str, leaves: int) -> None:
    assert somebody(told, built, scenario).detail["leave_on"] == ago(built, -leaves).date().isoformat()


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
def test_groups_and_teams_as_places(
    told: Read, built: company.Company, scenario: str, kind: str, detail: dict[str, str]
) -> None:
    found = place(told, built, scenario)

    assert found.kind == kind
    assert detail.items() <= found.detail.items()


def test_a_group_in_a_group_brings_its_outsiders(told: Read, built: company.Company) -> None:
    nested, plain = (built.scenarios[name] for name in ("group nested", "group"))

    assert uids.group(plain) in told.members(uids.group(nested))
    assert told.principal(uids.group(nested)).detail["externals"] == "1"
    assert told.principal(uids.group(plain)).detail["externals"] == "0"


def test_a_dynamic_group_of_all_lets_everybody_in(
    built: company.Company, server: Server, scanned: Callable[..., Read]
) -> None:
    """Sharing with it is sharing with the organisation, whoever is in it today."""
    state = built.state
    home = state.site_at(state.host, "sites/office")
    assert home is not None
    file = state.create("for all.docx", drive=state.drives[home.drives[0]])
    state.share(file, "全社員")

    grants = scanned().grants(estate.item(server, state.id_of(file)))

    assert Audience.ORGANISATION in {each.audience for each in grants if each.via is Via.DIRECT}


def test_private_and_shared_channels(told: Read, built: company.Company) -> None:
    """A channel that is shared with a partner has no tenant to name; a stranger's is named, his people are members."""
    channels = {each.name.rpartition(": ")[2]: each for each in told.of_kind("channel")}
    fox = uids.external_user("fox@strange.example")

    assert channels.keys() == {"人事相談", "Tanuki", "Joint bid"}
    assert channels["人事相談"].detail == {"type": "private", "unlisted_tenants": "", "owners": "1"}
    assert channels["Tanuki"].detail["unlisted_tenants"] == ""
    assert channels["Joint bid"].detail["unlisted_tenants"] == UNLISTED_TENANT
    assert fox in told.members(channels["Joint bid"].uid)
    assert told.principal(fox).affiliation is Affiliation.EXTERNAL
    (way,) = told.grants(channels["Joint bid"].uid)
    assert way.audience is Audience.NAMED_EXTERNAL


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
def test_applications(told: Read, built: company.Company, scenario: str, detail: dict[str, str]) -> None:
    assert told.resource(uids.application(built.scenarios[scenario])).detail == detail


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
def test_settings_of_the_tenant(told: Read, built: company.Company, name: str, value: str) -> None:
    assert told.setting(tenant(built), name) == value


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
def test_settings_of_sites(told: Read, built: company.Company, scenario: str, name: str, value: str | None) -> None:
    assert told.setting(site(built, scenario), name) == value


def test_a_site_says_what_its_label_means(told: Read, built: company.Company) -> None:
    """Graph does not say what a label keeps out; the configuration names those that keep outsiders out."""
    wide, plain = (place(told, built, name) for name in ("site wider than label", "site"))

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
def test_who_gets_into_a_site(
    told: Read, built: company.Company, scenario: str, audience: Audience, access: Access
) -> None:
    grants = told.grants(site(built, scenario))

    assert (audience, access) in {(each.audience, each.access) for each in grants}
    assert all(each.via is Via.MEMBERSHIP and each.effective for each in grants)


def test_a_site_below_another_inherits_its_people(told: Read, built: company.Company) -> None:
    below = uids.site(uids.subsite_identity(built.scenarios["subsite"]))

    grants = told.grants(below)

    assert {each.access for each in grants} == {Access.MANAGE, Access.WRITE, Access.READ}
    assert {each.origin_uid for each in grants} == {site(built, "site")}
    assert all(each.inherited for each in grants)


def test_nobody_gets_into_a_locked_site(told: Read, built: company.Company) -> None:
    (way,) = told.grants(site(built, "site locked"))

    assert (way.audience, way.effective, way.blocked_by) == (None, False, "the site is locked")


def test_members_of_a_site_group(told: Read, built: company.Company) -> None:
    """Nested groups and guests are members; a group that shows its members to members only is read all the same."""
    collection = uids.site_identity(built.scenarios["site"])
    groups = {
        each.name: told.members(each.uid)
        for each in told.facts
        if isinstance(each, Principal) and each.uid.startswith(uids.site_group(collection, ""))
    }

    assert groups["Contractors"] == {
        uids.group(built.scenarios["group nested"]),
        uids.user(built.scenarios["guest stranger"]),
    }
    assert groups["Hidden circle"] == {uids.user(built.state.person("hayashi@kumo.example").id)}


def test_owners_of_a_group_own_its_site(told: Read, built: company.Company) -> None:
    """The claim that ends in _o means its owners and not its members."""
    team = built.state.group("haiso@kumo.example")
    home = built.state.sites[team.site]
    named = [each for each in told.facts if isinstance(each, Principal) and each.name == "配送チーム Owners"]
    (owners,) = {each.uid for each in named if each.uid.startswith(uids.site_group(home.collection, ""))}

    assert told.members(owners) == {uids.user(built.state.person("mori@kumo.example").id)}


# what is missing


@pytest.mark.parametrize(
    ("right", "table"),
    [
        (SIGN_INS, "principals"),
        (GROUPS, "memberships"),
        (CHANNELS, "resources"),
        (CHANNEL_MEMBERS, "resources"),
        (APPLICATIONS, "resources"),
        (TENANT_SETTINGS, "settings"),
        (LABELS, "resources"),
        (TENANT_NAMES, "principals"),
    ],
)
def test_a_right_that_is_missing_is_named_once(scanned: Callable[..., Read], right: str, table: str) -> None:
    found = scanned(right, *({"Group.Read.All", "Directory.Read.All"}))

    gaps = [each for each in found.gaps if each.needs == right]
    assert [(each.table, each.outcome) for each in gaps] == [(table, Outcome.DENIED)]


def test_without_a_licence_sign_ins_are_unknown(built: company.Company, scanned: Callable[..., Read]) -> None:
    """The gap names the licence; nobody is said never to have signed in."""
    built.state.premium = False

    found = scanned()

    assert found.gap("last signed in").needs == "Microsoft Entra ID P1"
    assert somebody(found, built, "guest never signed in").last_seen_on is None


def test_without_the_right_sign_ins_and_inviters_are_unknown(
    built: company.Company, scanned: Callable[..., Read]
) -> None:
    found = scanned(SIGN_INS)

    assert somebody(found, built, "guest stale").last_seen_on is None
    assert "invited_by" not in somebody(found, built, "guest just invited").detail


def test_without_sharepoint_what_graph_tells_is_kept(built: company.Company, scanned: Callable[..., Read]) -> None:
    """What only the administration tells is unknown, not off; who gets into sites is unknown, not nobody."""
    found = scanned(FULL_CONTROL)

    assert found.setting(tenant(built), "sharing_capability") == "anyone"
    assert {found.setting(tenant(built), name) for name in FROM_ADMINISTRATION} == {None}
    assert found.setting(site(built, "site"), "tenant_wider") is None
    assert found.setting(site(built, "site"), "owners") is None
    assert [each.audience for each in found.grants(site(built, "site"))] == [None]
    assert FULL_CONTROL in {each.needs for each in found.gaps}


def test_groups_that_hide_their_members_are_a_gap(
    built: company.Company, server: Server, scanned: Callable[..., Read], tmp_path: Path
) -> None:
    """With SharePoint's Sites.Read.All alone, the rest of the site's groups is told all the same."""
    server.allow(*GRAPH_ROLES, sharepoint=("Sites.Read.All",))

    found = read(estate.connector(server, tmp_path))

    hidden = {each.resource_uid: each for each in found.gaps if "members only" in each.reason}[site(built, "site")]
    assert (hidden.needs, hidden.outcome) == (FULL_CONTROL, Outcome.PARTIAL)
    assert found.setting(site(built, "site"), "owners") == "1"
    assert found.setting(site(built, "site"), "sharing_capability") is None


def test_without_the_right_leave_dates_are_a_gap(built: company.Company, scanned: Callable[..., Read]) -> None:
    """Graph tells nothing then, and does not refuse either."""
    found = scanned(LEAVERS)

    assert found.gap("leave date").outcome is Outcome.SKIPPED
    assert "leave_on" not in somebody(found, built, "user left").detail


def test_a_client_secret_is_not_let_into_sharepoint(
    built: company.Company, server: Server, scanned: Callable[..., Read], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", server.client_secret)

    found = scanned(sign_in="secret", certificate_file="")

    assert found.setting(site(built, "site"), "sharing_capability") is None
    assert [each.audience for each in found.grants(site(built, "site"))] == [None]
    assert "certificate" in found.gap("site groups and the settings").reason


def test_without_graphs_settings_the_administration_tells_them(
    built: company.Company, scanned: Callable[..., Read]
) -> None:
    found = scanned(TENANT_SETTINGS)

    told = {name: found.setting(tenant(built), name) for name in FROM_GRAPH}
    assert told == {
        "sharing_capability": "anyone",
        "resharing_by_external": "true",
        "domain_restriction": "allow",
        "require_same_account": "false",
        "legacy_auth": "true",
        "sync_only_from_domains": "false",
        "idle_signout": None,
    }


def test_without_policies_guests_rights_are_unknown(built: company.Company, scanned: Callable[..., Read]) -> None:
    found = scanned(POLICIES)

    assert found.setting(tenant(built), "guest_invites") is None
    assert found.setting(tenant(built), "guest_role") is None


def test_hidden_members_are_a_gap_and_not_an_empty_group(built: company.Company, scanned: Callable[..., Read]) -> None:
    built.state.join("Secret project", "hayashi@kumo.example")

    found = scanned(HIDDEN_MEMBERS)

    assert found.gap("hide them").needs == HIDDEN_MEMBERS
    assert "guests" not in place(found, built, "group hidden").detail


def test_without_users_nobody_is_taken_for_deleted(built: company.Company, scanned: Callable[..., Read]) -> None:
    found = scanned(USERS, "Directory.Read.All")

    assert USERS in {each.needs for each in found.gaps}
    assert not [each for each in found.facts if isinstance(each, Principal) and each.status == "deleted"]


def test_every_setting_is_told_once(told: Read) -> None:
    names = [(each.scope_uid, each.name) for each in told.facts if isinstance(each, Setting)]

    assert len(names) == len(set(names))
    assert not [each for each in told.facts if isinstance(each, Grant) and "http" in each.url]
