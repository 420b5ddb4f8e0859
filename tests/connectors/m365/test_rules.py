"""The rules for Microsoft 365 on a company that contains the fault of each rule and a near miss beside it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cloudscan.engine.judge import Verdicts, judge
from cloudscan.engine.loader import load
from cloudscan.snapshot.collect import collect
from cloudscan_emulators.microsoft import Server, company
from cloudscan_emulators.microsoft.server import GRAPH_ROLES
from cloudscan_m365.meaning import uids
from tests.connectors.m365 import estate

RULES = [rule for rule in load([Path(__file__).parents[3] / "rules"]) if rule.id.startswith("m365-")]

STRICT = {
    "SharingCapability": 1,
    "OneDriveSharingCapability": 3,
    "SharingDomainRestrictionMode": 1,
    "SharingAllowedDomainList": "partner.example",
    "PreventExternalUsersFromResharing": True,
    "RequireAcceptingAccountMatchInvitedAccount": True,
    "DefaultSharingLinkType": 1,
    "DefaultLinkPermission": 1,
    "RequireAnonymousLinksExpireInDays": 14,
    "FileAnonymousLinkType": 1,
    "FolderAnonymousLinkType": 1,
    "ExternalUserExpirationRequired": True,
    "ExternalUserExpireInDays": 30,
    "EmailAttestationRequired": True,
    "EmailAttestationReAuthDays": 15,
    "LegacyAuthProtocolsEnabled": False,
    "DisallowInfectedFileDownload": True,
    "IsUnmanagedSyncClientForTenantRestricted": True,
    "EnableAzureADB2BIntegration": True,
    "GuestSharingGroupAllowListInTenantByPrincipalIdentity": ["sharers"],
    "ShowAllUsersClaim": False,
    "ShowEveryoneClaim": False,
    "ShowEveryoneExceptExternalUsersClaim": False,
}
OF_THE_TENANT = {rule.id for rule in RULES if "r.kind = 'tenant'" in rule.query}


@pytest.fixture(scope="module")
def built() -> company.Company:
    return company.build(250)


@pytest.fixture(scope="module")
def server(built: company.Company) -> Iterator[Server]:
    with estate.tenant(built.state) as running:
        yield running


def scan_and_judge(server: Server, folder: Path, **options: Any) -> Verdicts:
    """The verdicts on the company, as of its own day."""
    reader = estate.connector(server, folder, private_labels=(company.CONFIDENTIAL,), **options)
    now = datetime.fromtimestamp(server.state.now, tz=UTC)
    params = {"m365-open-folder-with-many-files": {"files": 1}, "m365-open-and-forgotten": {"days": 300}}
    with collect([reader], folder / "snapshot") as snapshot:
        return judge(snapshot, RULES, as_of=now, params=params)


@pytest.fixture(scope="module")
def verdicts(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    return scan_and_judge(server, tmp_path_factory.mktemp("scan"))


def uid_of(server: Server, built: company.Company, scenario: str) -> set[str]:
    """The identities that a scenario can have: of an item, site, team, group, application, user or drive, or itself."""
    identity = built.scenarios.get(scenario)
    if identity is None:
        return {scenario}
    drive = server.state.drive_with(identity)
    known = {make(identity) for make in (uids.team, uids.group, uids.application, uids.user, uids.onedrive)}
    known.add(uids.site(uids.site_identity(identity)))
    if drive is None and server.state.item(identity) is not None:
        known.add(estate.item(server, identity))
    return known


def flagged(verdicts: Verdicts, rule_id: str) -> set[str]:
    return {verdict.identity[0] for verdict in verdicts.flagged if verdict.rule_id == rule_id}


@pytest.mark.parametrize(
    ("rule_id", "fault", "near_miss"),
    [
        ("m365-anyone-can-view", "anyone view", "anyone edit"),
        ("m365-anyone-can-view", "anyone blocksDownload", "people guest"),
        ("m365-anyone-can-view", "invitation without sign-in", "invitation not redeemed"),
        ("m365-anyone-can-edit", "anyone edit", "anyone createOnly"),
        ("m365-anyone-can-edit", "anyone folder", "in anyone folder"),
        ("m365-anyone-can-upload", "anyone createOnly", "anyone edit"),
        ("m365-anyone-link-without-expiry", "anyone view", "anyone until soon with password"),
        ("m365-anyone-link-without-password", "anyone view", "anyone until soon with password"),
        ("m365-anyone-link-blocked", "anyone where sharing is off", "anyone expired"),
        ("m365-open-folder-with-many-files", "anyone folder", "inherits from shared folder"),
        ("m365-labelled-and-open-to-anyone", "anyone where label is narrow", "anyone in handouts"),
        ("m365-organisation-link", "organisation view", "organisation edit"),
        ("m365-organisation-link-can-edit", "organisation edit", "organisation view"),
        ("m365-everyone-has-access", "everyone", "everyone except external users"),
        ("m365-everyone-has-access", "all users", "group direct"),
        ("m365-everyone-has-access", "site with everyone among its visitors", "site public"),
        ("m365-everyone-except-guests-has-access", "everyone except external users", "everyone"),
        ("m365-everyone-except-guests-has-access", "site public", "site"),
        ("m365-public-team-or-group", "group public", "group private"),
        ("m365-public-team-or-group", "team public", "team"),
        ("m365-site-wider-than-its-label", "site wider than label", "site as wide as label"),
        ("m365-site-wider-than-the-tenant", "site wider than tenant", "site"),
        ("m365-application-writes-all-sites", "application with write to all sites", "application"),
        ("m365-application-with-full-control", "application of others with full control", "application for one site"),
        ("m365-application-granted-directly", "application direct", "colleague direct"),
        ("m365-third-party-application", "application of others with full control", "application"),
        ("m365-external-can-edit", "people of no partner", "people guest"),
        ("m365-external-can-edit", "people passcode", "external direct"),
        ("m365-external-can-edit", "external member direct", "colleague direct"),
        ("m365-external-can-read", "external direct", "guest direct"),
        ("m365-external-without-expiry", "external direct", "external until soon"),
        ("m365-consumer-account", "consumer direct", "external direct"),
        ("m365-group-contains-externals", "group nested", "group"),
        ("m365-guest-unseen-for-long", "guest stale", "guest"),
        ("m365-guest-unseen-for-long", "guest never signed in", "guest just invited"),
        ("m365-guest-unseen-for-long", "guest never signed in", "guest never accepted"),
        ("m365-invitation-never-accepted", "guest never accepted", "guest just invited"),
        ("m365-guest-without-sponsor", "guest without sponsor", "guest"),
        ("m365-guest-without-sponsor", "guest whose sponsor is disabled", "guest of no partner"),
        ("m365-guest-in-many-sites", "guest in many sites", "guest of no partner"),
        ("m365-partner-contract-ended", "ferry.example", "partner.example"),
        ("m365-guest-owns-team-or-group", "group with guest as owner", "team with guest"),
        ("m365-guest-manages-site", "site with guest as owner", "site without owner"),
        ("m365-external-as-member", "external member", "guest"),
        ("m365-former-employee-onedrive-still-shared", "onedrive of former employee", "onedrive"),
        ("m365-former-employee-onedrive-still-shared", "onedrive of disabled user", "onedrive"),
        ("m365-grant-to-disabled-account", "user disabled", "guest"),
        ("m365-grant-to-deleted-account", "deleted user direct", "disabled direct"),
        ("m365-former-employee-can-still-sign-in", "user left and enabled", "user left"),
        ("m365-former-employee-can-still-sign-in", "user left and enabled", "user leaves soon"),
        ("m365-team-without-owner", "team without owner", "team"),
        ("m365-group-without-owner", "group with disabled owner", "group public"),
        ("m365-site-without-owner", "site without owner", "site"),
        ("m365-site-offers-links-for-anyone", "site with anyone as default", "site"),
        ("m365-site-links-without-expiry-allowed", "site with anyone as default", "site"),
    ],
)
def test_the_fault_is_flagged_and_the_near_miss_is_not(
    verdicts: Verdicts, server: Server, built: company.Company, rule_id: str, fault: str, near_miss: str
) -> None:
    named = {verdict.identity[0] for verdict in verdicts.verdicts if verdict.rule_id == rule_id}

    assert flagged(verdicts, rule_id) & uid_of(server, built, fault)
    assert not named & uid_of(server, built, near_miss)


def test_a_link_to_several_people_names_only_external_users(
    verdicts: Verdicts, server: Server, built: company.Company
) -> None:
    """A colleague who has the same link is not called external."""
    (link,) = (
        verdict
        for verdict in verdicts.flagged
        if verdict.rule_id == "m365-external-can-edit"
        and verdict.identity[0] in uid_of(server, built, "people of no partner")
    )

    assert [evidence.row["people"] for evidence in link.evidence] == ["spy@rival.example"]


def test_a_channel_shared_with_an_unlisted_tenant_is_flagged_and_a_partners_is_not(verdicts: Verdicts) -> None:
    named = {
        verdict.subject.name
        for verdict in verdicts.verdicts
        if verdict.rule_id == "m365-channel-shared-with-unlisted-tenant"
    }

    assert named == {"配送チーム: Joint bid"}


def test_a_file_that_is_open_for_a_long_time_is_flagged(verdicts: Verdicts, server: Server) -> None:
    """A file created today is not, however open it is."""
    old = {rule.id for rule in RULES} and flagged(verdicts, "m365-open-and-forgotten")
    fresh = {estate.item(server, server.state.id_of(item)) for item in server.state.items if item and item.grants}

    assert old.isdisjoint(fresh - old)


def test_nothing_is_unknown_where_everything_can_be_read(verdicts: Verdicts) -> None:
    """Except the one site that an administrator has locked."""
    unknown = {verdict.subject.name for verdict in verdicts.unknown}

    assert unknown <= {"Locked"}
    assert {rule.id for rule in RULES} == verdicts.tallies.keys()


def test_a_loose_tenant_is_flagged_by_each_rule_for_tenants(verdicts: Verdicts) -> None:
    """Except where the company is strict: its domains are listed, guests see little, and links add no new guests."""
    passed = {rule_id for rule_id in OF_THE_TENANT if not flagged(verdicts, rule_id)}

    assert len(OF_THE_TENANT) >= 20
    assert passed == {
        "m365-sharing-with-any-domain",
        "m365-guests-see-the-directory",
        "m365-sharing-admits-new-guests",
    }


def test_a_strict_tenant_passes_each_rule_for_tenants(tmp_path: Path) -> None:
    built = company.build(1)
    built.state.set_admin(**STRICT)
    built.state.set(idleSessionSignOut={"isEnabled": True, "warnAfterInSeconds": 900, "signOutAfterInSeconds": 1200})
    built.state.set_authorization(allowInvitesFrom="adminsAndGuestInviters")
    with estate.tenant(built.state) as server:
        verdicts = scan_and_judge(server, tmp_path)

    wrong = {verdict.rule_id for verdict in verdicts.verdicts if verdict.rule_id in OF_THE_TENANT}
    assert wrong == {"m365-sharing-admits-new-guests"}


def test_what_could_not_be_read_is_unknown_and_never_passed(tmp_path: Path) -> None:
    """Without permissions on settings, directory, applications and site groups, no rule about them passes anything."""
    built = company.build(1)
    answered = GRAPH_ROLES & {"Sites.Read.All", "User.Read.All"}
    with estate.tenant(built.state, graph_roles=answered, sharepoint_roles=()) as server:
        verdicts = scan_and_judge(server, tmp_path)

    asked = OF_THE_TENANT | {
        "m365-guest-unseen-for-long",
        "m365-guest-in-many-sites",
        "m365-guest-manages-site",
        "m365-site-without-owner",
        "m365-site-wider-than-the-tenant",
        "m365-site-offers-links-for-anyone",
    }
    passed = {rule_id: verdicts.tallies[rule_id].passed for rule_id in asked}
    assert all(verdicts.tallies[rule_id].unknown and not verdicts.tallies[rule_id].flagged for rule_id in asked)
    assert passed.pop("m365-guest-unseen-for-long") == 3  # disabled, never accepted, just invited
    assert passed.pop("m365-guest-manages-site") == 1  # the site that is locked
    assert passed.pop("m365-guest-in-many-sites") == 1  # disabled
    assert {rule_id: count for rule_id, count in passed.items() if count} == {}
