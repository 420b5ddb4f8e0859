from cloudscan_emulators.google import Server
from cloudscan_emulators.google.company import ADMIN, ALIAS, DELEGATED, DOMAIN, SECONDARY, Company
from tests.emulators.google.google_client import MORI, directory, everything, refusal


def test_users_with_what_a_scan_needs(office: Server) -> None:
    users = everything(directory(office).users().list, "users", customer="my_customer", maxResults=5)
    by_mail = {user["primaryEmail"]: user for user in users}

    assert by_mail["left@kumo.example"]["suspended"] is True
    assert by_mail["archived@kumo.example"]["archived"] is True
    assert by_mail["never@kumo.example"]["lastLoginTime"] == "1970-01-01T00:00:00.000Z"
    assert by_mail[MORI]["relations"] == [{"type": "manager", "value": ADMIN}]
    assert by_mail[MORI]["organizations"][0]["department"] == "営業部"
    assert by_mail[MORI]["nonEditableAliases"] == [f"mori@{ALIAS}"]
    assert by_mail["hayashi@kumo.example"]["aliases"] == ["keiri@kumo.example"]
    assert f"pilot@{SECONDARY}" in by_mail
    assert "gone@kumo.example" not in by_mail
    assert [by_mail[entry]["isAdmin"] for entry in (ADMIN, DELEGATED)] == [True, False]


def test_deleted_users_on_demand(office: Server) -> None:
    users = directory(office).users().list(customer="my_customer", showDeleted="true").execute()["users"]

    assert [user["primaryEmail"] for user in users] == ["gone@kumo.example"]
    assert "deletionTime" in users[0]


def test_a_user_by_any_of_his_addresses(office: Server) -> None:
    users = directory(office).users()

    assert users.get(userKey=f"mori@{ALIAS}").execute()["primaryEmail"] == MORI
    assert users.get(userKey=users.get(userKey=MORI).execute()["id"]).execute()["primaryEmail"] == MORI
    assert refusal(users.get(userKey="nobody@kumo.example")) == (404, "notFound")


def test_searching_users(office: Server) -> None:
    users = directory(office).users()

    suspended = users.list(customer="my_customer", query="isSuspended=true").execute()["users"]

    assert [user["primaryEmail"] for user in suspended] == ["left@kumo.example"]
    assert "users" not in users.list(customer="my_customer", query="email:zz*").execute()
    assert refusal(users.list(customer="my_customer", query="colour=red"))[0] == 400
    assert refusal(users.list())[0] == 400


def test_only_administrators_may_ask(office: Server) -> None:
    assert refusal(directory(office, MORI).users().list(customer="my_customer")) == (403, "forbidden")
    assert refusal(directory(office, DELEGATED).users().list(customer="my_customer")) == (200, "")


def test_groups_and_their_members(office: Server) -> None:
    groups = everything(directory(office).groups().list, "groups", customer="my_customer", maxResults=2)
    members = directory(office).members()

    def kinds(group: str, **more: object) -> dict[str, str]:
        rows = members.list(groupKey=group, **more).execute().get("members", [])
        return {row.get("email", "-"): row["type"] for row in rows}

    assert "crew@partner.example" not in {group["email"] for group in groups}
    assert kinds("everyone@kumo.example") == {"-": "CUSTOMER"}
    assert kinds("nested@kumo.example") == {"projects@kumo.example": "GROUP", "dormant@kumo.example": "USER"}
    derived = kinds("nested@kumo.example", includeDerivedMembership=True)
    assert derived["kumo.taro1985@gmail.com"] == "USER"
    assert derived["gate@nogoogle.example"] == "EXTERNAL"
    assert kinds("empty@kumo.example") == {}
    assert kinds("sales@kumo.example", roles="OWNER") == {MORI: "USER"}
    assert refusal(members.list(groupKey="nothing@kumo.example")) == (404, "notFound")


def test_domains(office: Server) -> None:
    domains = directory(office).domains().list(customer="my_customer").execute()["domains"]

    assert [(entry["domainName"], entry["isPrimary"]) for entry in domains] == [(DOMAIN, True), (SECONDARY, False)]
    assert domains[0]["domainAliases"][0]["domainAliasName"] == ALIAS


def test_units(office: Server) -> None:
    units = directory(office).orgunits()

    def paths(**more: str) -> set[str]:
        return {
            entry["orgUnitPath"]
            for entry in units.list(customerId="my_customer", **more).execute()["organizationUnits"]
        }

    assert paths() == {"/Office", "/Warehouse", "/Drivers"}
    assert paths(type="all") == paths() | {"/Office/Sales", "/Office/Finance"}
    assert paths(type="allIncludingParent") == paths(type="all") | {"/"}
    assert paths(orgUnitPath="/Office") == {"/Office/Sales", "/Office/Finance"}


def test_the_customer(office: Server, kumo: Company) -> None:
    customer = directory(office).customers().get(customerKey="my_customer").execute()

    assert (customer["id"], customer["customerDomain"]) == (kumo.state.customer, DOMAIN)
