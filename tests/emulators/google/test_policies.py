import pytest

from cloudscan_emulators.google import Server
from cloudscan_emulators.google.company import DELEGATED, Company
from tests.emulators.google.google_client import everything, policies, refusal

SHARING = "setting.type.matches('drive_and_docs.external_sharing')"


def test_policies_are_raw_per_unit(office: Server, kumo: Company) -> None:
    """Two for the root (one is the system's) and one for a unit below: who asks must resolve them."""
    listed = policies(office).policies().list(filter=SHARING).execute()["policies"]

    assert [policy["type"] for policy in listed] == ["ADMIN", "SYSTEM", "ADMIN"]
    assert {policy["setting"]["type"] for policy in listed} == {"settings/drive_and_docs.external_sharing"}
    finance = kumo.state.units["/Office/Finance"].id
    assert listed[2]["policyQuery"]["orgUnit"] == f"orgUnits/{finance}"
    assert listed[2]["setting"]["value"]["externalSharingMode"] == "ALLOWLISTED_DOMAINS"
    assert listed[2]["policyQuery"]["sortOrder"] > listed[0]["policyQuery"]["sortOrder"]


def test_pages(office: Server, kumo: Company) -> None:
    listing = policies(office).policies().list

    assert len(everything(listing, "policies", pageSize=3)) == len(kumo.state.policies)
    assert refusal(listing(pageSize=500)) == (200, "")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("setting.type.matches('^settings/drive_and_docs\\\\..*$')", 12),
        ("setting.type == 'settings/gmail.auto_forwarding'", 1),
        (f"customer == 'customers/my_customer' && ({SHARING} || setting.type.matches('gmail'))", 4),
    ],
)
def test_filters(office: Server, text: str, count: int) -> None:
    assert len(policies(office).policies().list(filter=text).execute()["policies"]) == count


@pytest.mark.parametrize("text", ["setting.value == 'x'", "setting.type.matches('(')", "setting.type ==", "???"])
def test_other_filters_are_refused(office: Server, text: str) -> None:
    assert refusal(policies(office).policies().list(filter=text))[0] == 400


def test_one_policy(office: Server) -> None:
    asked = policies(office).policies()
    first = asked.list().execute()["policies"][0]

    assert asked.get(name=first["name"]).execute() == first
    assert refusal(asked.get(name="policies/nothing"))[0] == 404


def test_only_super_administrators_may_ask(office: Server) -> None:
    assert refusal(policies(office, DELEGATED).policies().list())[0] == 403
