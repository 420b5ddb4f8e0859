"""What tenants elsewhere answer, each in front of an otherwise healthy company."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudscan.connector import Gap
from cloudscan.facts import Grant, Outcome, Principal
from cloudscan.reason import Reason, advice
from cloudscan_emulators.microsoft import Server, company, errors, refusal
from cloudscan_emulators.microsoft.faults import Fault
from cloudscan_m365.meaning import uids
from tests.connectors.m365 import estate
from tests.connectors.nights import uids_of
from tests.connectors.reading import Read, read

DENIED = errors.denied("files", (), ())
NO_SHAREPOINT = errors.bad("Tenant does not have a SPO license.")


@pytest.fixture(scope="module")
def built() -> company.Company:
    return company.build(1)


@pytest.fixture(scope="module")
def server(built: company.Company) -> Iterator[Server]:
    with estate.tenant(built.state) as running:
        yield running


@pytest.fixture
def scan(server: Server, tmp_path: Path) -> Iterator[Callable[..., Read]]:
    def scanned(*faults: Fault, **options: Any) -> Read:
        server.faults.add(*faults)
        return read(estate.connector(server, tmp_path, **options))

    yield scanned
    server.faults.clear()


@pytest.fixture(scope="module")
def undisturbed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Read:
    return read(estate.connector(server, tmp_path_factory.mktemp("undisturbed")))


def gap_of(result: Read, question: str, code: str = "") -> Gap:
    gaps = [gap for gap in result.gaps if gap.question == question and code in str(gap.reason)]
    assert len(gaps) == 1, result.gaps
    return gaps[0]


@pytest.mark.parametrize(
    ("where", "question"),
    [
        ("dataSecurityAndGovernance/sensitivityLabels", "m365-labels"),
        ("auditLogs/directoryAudits", "m365-invitations"),
        ("crossTenantAccessPolicy/partners", "m365-partner-tenants"),
        ("policies/authorizationPolicy", "m365-guest-settings"),
        ("admin/sharepoint/settings", "m365-sharing-settings"),
        ("_api/SPO.Tenant$", "m365-administration"),
        (r"servicePrincipals\(appId", "m365-service-roles"),
    ],
)
def test_a_side_question_that_a_tenant_does_not_answer_is_one_row(
    scan: Callable[..., Read], undisturbed: Read, where: str, question: str
) -> None:
    """Such as one without sensitivity labels: everything else is told as ever, and the rest of the night counts."""
    result = scan(refusal(where, errors.no_such_item()))

    assert result.refused == {}
    gap = gap_of(result, question)
    assert all(
        hidden.columns or hidden.kinds == ("application",) or hidden.kinds == ("service",) for hidden in gap.hidden
    )
    missing = uids_of(undisturbed) - uids_of(result)
    assert all(uid.startswith(("m365:application/", "m365:site/")) for uid in missing)


def test_a_tenant_without_sharepoint_is_judged_by_its_directory(scan: Callable[..., Read], undisturbed: Read) -> None:
    result = scan(refusal("sites/root|sites/getAllSites|sharepoint/settings", NO_SHAREPOINT))

    assert result.refused == {}
    assert gap_of(result, "m365-sites").outcome is Outcome.NOT_OFFERED
    assert {gap.outcome for gap in result.gaps if "no-sharepoint" in str(gap.reason)} == {Outcome.NOT_OFFERED}
    guests = [fact.uid for fact in undisturbed.facts if isinstance(fact, Principal) and fact.kind == "guest"]
    assert {result.principal(uid).uid for uid in guests} == set(guests)


def test_a_directory_list_whose_page_expired_begins_again(
    server: Server, scan: Callable[..., Read], undisturbed: Read
) -> None:
    """Each account is told once."""
    expired = errors.bad("The specified page token value has expired.", "Directory_ExpiredPageToken")
    more = f"{server.graph}/users?$skiptoken=expired"
    first = Fault(where=r"/users\?.*signIn", change=lambda page: {**page, "@odata.nextLink": more}, times=1)

    result = scan(refusal(r"users\?\$skiptoken", expired, times=1), first)

    people = [fact.uid for fact in result.facts if isinstance(fact, Principal) and fact.uid.startswith("m365:user/")]
    assert len(people) == len(set(people))
    assert {code(gap) for gap in result.gaps} == {code(gap) for gap in undisturbed.gaps}
    assert uids_of(result) == uids_of(undisturbed)


@pytest.mark.parametrize(
    "refused", [DENIED, errors.locked(), errors.bad("as it happens", "invalidRequest"), errors.broken(500)]
)
def test_one_site_that_refuses_its_subsites_costs_nothing_else(
    server: Server, scan: Callable[..., Read], built: company.Company, undisturbed: Read, refused: errors.Refused
) -> None:
    """And nobody is sent after a permission with which every other site was read."""
    site = built.scenarios["site"]

    result = scan(refusal(f"sites/{site}/sites", refused))

    gap = gap_of(result, "m365-subsites")
    assert (gap.resource_uid, gap.needs) == (uids.site(uids.site_identity(site)), "")
    assert {hidden.below for hidden in gap.hidden} == {gap.resource_uid}
    assert {resource.name for resource in undisturbed.of_kind("site")} - {
        resource.name for resource in result.of_kind("site")
    } <= {"会議"}


def test_a_leave_date_at_the_end_of_time_is_that_of_a_guest_like_any_other(
    scan: Callable[..., Read], undisturbed: Read
) -> None:
    odd = {
        "employeeLeaveDateTime": "9999-12-31T23:59:59.9999999Z",
        "createdDateTime": "",
        "sponsors": None,
        "signInActivity": {"lastSignInDateTime": "0000-00-00T00:00:00Z"},
    }
    result = scan(Fault(where=r"users\?", change=lambda content: each(content, odd)))

    assert {code(gap) for gap in result.gaps} == {code(gap) for gap in undisturbed.gaps}
    assert uids_of(result) == uids_of(undisturbed)
    people = [fact for fact in result.facts if isinstance(fact, Principal) and fact.uid.startswith("m365:user/")]
    assert {person.detail.get("leave_on") for person in people} == {"false"}


def test_a_guest_without_an_invitation_has_none_to_accept(server: Server, scan: Callable[..., Read]) -> None:
    """Null is an answer; a property that is left out is none."""
    told = scan(Fault(where=r"users\?", change=lambda content: each(content, {"externalUserState": None})))
    server.faults.clear()
    left_out = scan(Fault(where=r"users\?", change=lambda content: each(content, {}, without="externalUserState")))

    assert {guest.redeemed for guest in guests_of(told)} == {True}
    assert {guest.redeemed for guest in guests_of(left_out)} == {None}


def test_a_library_alone_that_refuses_is_not_a_missing_permission(server: Server, scan: Callable[..., Read]) -> None:
    drive = server.state.drives[0].id

    error = scan(refusal(f"{drive}/root/delta", DENIED)).refused[uids.library(drive)]

    assert "Sites.FullControl.All" in str(error)
    assert "Sites.Read.All" not in str(error)


def test_a_chosen_site_is_read_where_the_root_site_refuses(server: Server, scan: Callable[..., Read]) -> None:
    """An application with permissions on one site."""
    result = scan(refusal("sites/root", DENIED), sites=[f"https://{server.state.host}/sites/office"])

    assert result.refused == {}
    assert "事務所" in {resource.name for resource in result.of_kind("site")}
    gap = gap_of(result, "m365-root-site")
    assert "settings" in {hidden.table for hidden in gap.hidden}


def test_an_archived_site_is_told_and_leaves_no_gap(
    server: Server, scan: Callable[..., Read], built: company.Company
) -> None:
    site = built.scenarios["site"]
    collection = uids.site_identity(site)

    def archive(content: Any) -> Any:
        return {
            "value": [
                {**one, "ArchiveStatus": "FullyArchived"} if one["SiteId"] == collection else one
                for one in content["value"]
            ]
        }

    result = scan(
        Fault(where="getSitePropertiesFromSharePointByFilters", change=archive),
        refusal(f"sites/{site}/drives", DENIED),
    )

    uid = uids.site(collection)
    assert result.resource(uid).detail["archived"] == "true"
    assert [(grant.effective, grant.blocked_by) for grant in result.grants(uid)] == [(False, "graph-site-archived")]
    gap = gap_of(result, "m365-libraries", "archived")
    assert (gap.outcome, gap.needs) == (Outcome.SKIPPED, "")


def test_a_hidden_library_is_read_too(tmp_path: Path) -> None:
    """Pages are where a company writes to itself."""
    state = company.build(1).state
    state.add_library(state.sites[0], "Site Pages", path="SitePages", hidden=True)

    with estate.tenant(state) as own:
        result = read(estate.connector(own, tmp_path))

    assert "Site Pages" in {resource.name for resource in result.of_kind("library")}


def test_what_a_notebook_contains_inherits_from_it(server: Server, scan: Callable[..., Read]) -> None:
    """With a folder facet beside the package or without."""

    def bare(content: Any) -> Any:
        return {
            **content,
            "value": [
                {name: value for name, value in item.items() if name != "folder"} if "package" in item else item
                for item in content["value"]
            ],
        }

    result = scan(Fault(where="root/delta", change=bare))

    assert not [gap for gap in result.gaps if "folder-not-listed" in str(gap.reason)]
    assert not [
        grant for grant in result.facts if isinstance(grant, Grant) and grant.audience is None and "item/" in grant.uid
    ]


@pytest.mark.parametrize("empty", [{"value": []}, {}])
def test_a_tenant_has_a_root_site_and_somebody_in_it(scan: Callable[..., Read], empty: Any) -> None:
    result = scan(Fault(where=r"sites/getAllSites|/users\?", change=lambda _: empty))

    assert {"m365-sites", "m365-users" if empty else "m365-sign-ins"} <= {gap.question for gap in result.gaps}
    assert not [fact for fact in result.facts if isinstance(fact, Principal) and fact.status == "deleted"]


def each(content: Any, more: dict[str, Any], without: str = "") -> Any:
    """A list with more in each of its entries, or less."""
    return {
        **content,
        "value": [{**{key: one[key] for key in one if key != without}, **more} for one in content["value"]],
    }


def guests_of(result: Read) -> list[Principal]:
    return [fact for fact in result.facts if isinstance(fact, Principal) and fact.kind == "guest"]


def code(gap: Gap) -> str:
    assert isinstance(gap.reason, Reason)
    assert advice(gap.reason, "en") or gap.outcome in (Outcome.SKIPPED, Outcome.NOT_OFFERED)
    return gap.reason.code
