"""What the sharing settings of a customer come to: units inherit, and a closed door leaves nothing behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cloudscan.engine.judge import judge
from cloudscan.engine.loader import load
from cloudscan.finding import Judgement
from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.recorded import scanned, small

Json = dict[str, Any]
RULES = [
    rule for rule in load([Path(__file__).parents[3] / "rules"]) if "r.kind IN ('tenant', 'org_unit')" in rule.query
]
TENANT = uids.tenant("kumo.example")
PUBLISH = "drive-publishing-allowed"
INVITE = "drive-visitors-without-account-allowed"
MOVE = "drive-external-move-out-allowed"
WARN = "drive-no-warning-before-external-sharing"
WARN_LISTED = "drive-no-warning-for-allowed-domains"
RECEIVE = "drive-inbound-sharing-unrestricted"
MODE = "drive-sharing-with-anyone-allowed"
DESKTOP = "drive-desktop-on-any-device"
LOOSE: Json = {
    "allowNonGoogleInvites": True, "allowNonGoogleInvitesInAllowlistedDomains": True, "allowPublishingFiles": True,
    "allowedPartiesForDistributingContent": "ALL_ELIGIBLE_USERS", "warnForExternalSharing": False,
    "warnForSharingOutsideAllowlistedDomains": False, "allowReceivingExternalFiles": True,
    "allowReceivingFilesOutsideAllowlistedDomains": True,
}  # fmt: skip
LICENCE = "entity.licenses.exists(license, license in ['/product/Google-Apps/sku/1010020020'])"


@dataclass(frozen=True, kw_only=True)
class Made:
    """Settings that were made for one unit."""

    value: Json
    kind: str = "external_sharing"
    app: str = "drive_and_docs"
    by: str = "ADMIN"
    query: str = ""

    def policy(self, unit: str) -> Json:
        return {
            "setting": {"type": f"settings/{self.app}.{self.kind}", "value": self.value},
            "type": self.by,
            "policyQuery": {"orgUnit": f"orgUnits/{unit}", "query": self.query},
        }


def sharing(mode: str, **value: Any) -> Made:
    return Made(value={"externalSharingMode": mode, **value})


def one(name: str, value: Any, mode: str = "ALLOWED") -> list[Made]:
    return [sharing(mode, **{name: value})]


Verdicts = Mapping[str, Judgement]
FLAGGED, UNKNOWN = Judgement.FLAGGED, Judgement.UNKNOWN


def flags(*rules: str) -> Verdicts:
    return dict.fromkeys(rules, FLAGGED)


# What was made for a unit, and what the rules say of it
UNITS: dict[str, tuple[list[Made], Verdicts]] = {
    "nothing outside": ([sharing("DISALLOWED", **LOOSE)], flags(RECEIVE)),
    "listed domains": ([sharing("ALLOWLISTED_DOMAINS", **LOOSE)], flags(RECEIVE, WARN_LISTED, INVITE, PUBLISH, MOVE)),
    "anybody": ([sharing("ALLOWED", **LOOSE)], flags(MODE, RECEIVE, WARN, INVITE, PUBLISH, MOVE)),
    "listed: invites of the other mode": (one("allowNonGoogleInvites", True, "ALLOWLISTED_DOMAINS"), {}),
    "listed: warning of the other mode": (one("warnForExternalSharing", False, "ALLOWLISTED_DOMAINS"), {}),
    "listed: receiving of the other mode": (one("allowReceivingExternalFiles", True, "ALLOWLISTED_DOMAINS"), {}),
    "anybody: invites of the other mode": (one("allowNonGoogleInvitesInAllowlistedDomains", True), flags(MODE)),
    "anybody: warning of the other mode": (one("warnForSharingOutsideAllowlistedDomains", False), flags(MODE)),
    "yes": (one("allowPublishingFiles", "true"), flags(MODE, PUBLISH)),
    "YES": (one("allowPublishingFiles", "TRUE"), flags(MODE, PUBLISH)),
    "no": (one("allowPublishingFiles", "False"), flags(MODE)),
    "null": (one("allowPublishingFiles", None), {MODE: FLAGGED, PUBLISH: UNKNOWN}),
    "perhaps": (one("allowPublishingFiles", "SOMETIMES"), {MODE: FLAGGED, PUBLISH: UNKNOWN}),
    "an object": (one("allowPublishingFiles", {"enabled": True}), {MODE: FLAGGED, PUBLISH: UNKNOWN}),
    "a mode that is not documented": (
        one("allowPublishingFiles", True, "EXTERNAL_SHARING_MODE_UNSPECIFIED"), {MODE: UNKNOWN, PUBLISH: FLAGGED}),
    "underscores": (
        [Made(value={"external_sharing_mode": "ALLOWED", "allow_publishing_files": True})], flags(MODE, PUBLISH)),
    "stricter for some licences": (
        [*one("allowPublishingFiles", True), Made(value={"allowPublishingFiles": False}, query=LICENCE)],
        flags(MODE, PUBLISH)),
    "two that disagree": (
        [*one("allowPublishingFiles", True), Made(value={"allowPublishingFiles": False})],
        {MODE: FLAGGED, PUBLISH: UNKNOWN}),
    "over Google's default": (
        [Made(value={"allowPublishingFiles": False}), Made(value={"allowPublishingFiles": True}, by="SYSTEM")], {}),
    "service off": (
        [Made(value={"serviceState": "DISABLED"}, kind="service_status"), sharing("ALLOWED", **LOOSE)], {}),
    "any device": (
        [Made(value={"allowDriveForDesktop": True, "restrictToAuthorizedDevices": False}, kind="drive_for_desktop")],
        flags(DESKTOP)),
    "some devices": (
        [Made(value={"allowDriveForDesktop": True, "restrictToAuthorizedDevices": True}, kind="drive_for_desktop")],
        {}),
    "groups": (
        [Made(value={"ownersCanAllowExternalMembers": True, "collaborationCapability": "DOMAIN_USERS_ONLY"},
              kind="groups_sharing", app="groups_for_business")], flags("drive-groups-may-take-externals")),
}  # fmt: skip


def judged(
    made: list[tuple[str, Made]], units: Mapping[str, str], folder: Path
) -> tuple[dict[str, dict[str, Judgement]], set[str]]:
    """What each rule says of a place, by uid, where it does not pass it; the places that rows of coverage are about.

    `units`: paths by id.
    """
    listed = [{"orgUnitId": f"id:{identity}", "orgUnitPath": path, "name": path} for identity, path in units.items()]
    with scanned(small(policies=[one.policy(unit) for unit, one in made], units=listed), folder) as snapshot:
        verdicts = judge(snapshot, RULES)
        rows = {
            str(row.resource_uid)
            for row in snapshot.coverage()
            if row.question == "gdrive-policies" and row.outcome.is_gap
        }
    found: dict[str, dict[str, Judgement]] = {}
    for verdict in (*verdicts.flagged, *verdicts.unknown):
        found.setdefault(str(verdict.identity[0]), {})[verdict.rule_id] = verdict.judgement
    return found, rows


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, dict[str, Judgement]], set[str]]:
    units = {f"u{number}": f"/Unit {number}" for number in range(len(UNITS))}
    made = [(f"u{number}", one) for number, (all_made, _) in enumerate(UNITS.values()) for one in all_made]
    return judged([("1", Made(value={"defaultFileAccess": "PRIVATE_TO_OWNER"}, kind="general_access_default")), *made],
                  units, tmp_path_factory.mktemp("units"))  # fmt: skip


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_judged_by_what_its_settings_come_to(
    found: tuple[dict[str, dict[str, Judgement]], set[str]], name: str
) -> None:
    verdicts, rows = found
    uid = uids.org_unit(f"u{list(UNITS).index(name)}")
    _, expected = UNITS[name]

    assert verdicts.get(uid, {}) == expected
    assert (uid in rows) is (UNKNOWN in expected.values())  # each unknown has its row


def test_a_unit_that_opens_the_door_gets_what_waits_behind_it(tmp_path: Path) -> None:
    """The switches were made for the top unit, where they have no effect; a unit below inherits the nearest door."""
    made = [
        ("1", sharing("DISALLOWED", **LOOSE)),
        ("open", sharing("ALLOWED")),
        ("below", Made(value={"allowPublishingFiles": True})),
        ("shut", sharing("DISALLOWED")),
        ("in-shut", Made(value={"allowPublishingFiles": True})),
    ]
    units = {"open": "/Open", "below": "/Open/Here", "shut": "/Open/Shut", "in-shut": "/Open/Shut/In"}

    found, _ = judged(made, units, tmp_path)

    assert set(found[TENANT]) == {RECEIVE}
    assert set(found[uids.org_unit("open")]) == {MODE, RECEIVE, WARN, INVITE, PUBLISH, MOVE}
    assert set(found[uids.org_unit("below")]) == {PUBLISH}
    assert set(found[uids.org_unit("shut")]) == {RECEIVE}
    assert uids.org_unit("in-shut") not in found


def test_a_unit_with_the_service_switched_on_gets_what_was_set_above(tmp_path: Path) -> None:
    made = [
        ("1", Made(value={"serviceState": "DISABLED"}, kind="service_status")),
        ("1", sharing("ALLOWED", **LOOSE)),
        ("on", Made(value={"serviceState": "ENABLED"}, kind="service_status")),
    ]

    found, _ = judged(made, {"on": "/On"}, tmp_path)

    assert TENANT not in found
    assert {MODE, PUBLISH, INVITE} < set(found[uids.org_unit("on")])
