"""Every door of a tenant is either looked at or named, through the connector and a tenant that has them all."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cloudscan.connector import Gap
from cloudscan.facts import Access, Audience, Grant, Outcome, Principal, Setting, Via
from cloudscan.reason import Reason
from cloudscan_emulators.microsoft import Server, TenantState, company, errors, refusal
from cloudscan_emulators.microsoft.faults import Fault
from cloudscan_emulators.microsoft.records import Item
from cloudscan_emulators.microsoft.server import GRAPH_ROLES, SCANNER
from cloudscan_m365.doctor import checks
from cloudscan_m365.meaning import uids
from tests.connectors.m365 import estate
from tests.connectors.m365.test_forms_of_a_principal import ANYONE, EVERYBODY, LOGIN
from tests.connectors.reading import Read, read


def row(result: Read, code: str) -> Gap:
    """The one row with a reason."""
    (gap,) = [gap for gap in result.gaps if isinstance(gap.reason, Reason) and gap.reason.code == code]
    return gap


@pytest.fixture(scope="module")
def built() -> company.Company:
    built = company.build(1)
    built.state.create("Plain.docx", drive=built.state.drives[0])
    return built


@pytest.fixture(scope="module")
def server(built: company.Company) -> Iterator[Server]:
    with estate.tenant(built.state) as running:
        yield running


@pytest.fixture(scope="module")
def result(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Read:
    return read(estate.connector(server, tmp_path_factory.mktemp("doors")))


# lists and containers


def test_how_often_the_facet_was_checked_is_told(result: Read) -> None:
    """Of the items that Microsoft calls not shared, in each library of which some were looked at."""
    rows = [gap for gap in result.gaps if "graph-sampled-here" in str(gap.reason)]

    assert rows
    assert all(gap.outcome is Outcome.SKIPPED and 0 < (gap.seen or 0) <= (gap.total or 0) for gap in rows)
    assert sum(gap.seen or 0 for gap in rows) <= 200


def test_lists_that_are_not_libraries_are_counted(result: Read) -> None:
    """Hidden ones and libraries are not among them, and the scan is whole."""
    gap = row(result, "graph-lists")

    assert (gap.outcome, gap.hides, gap.reason.values) == (Outcome.NOT_JUDGED, (), {"count": 1, "sites": 1})


def test_a_site_that_does_not_tell_its_lists_costs_nothing(server: Server, tmp_path: Path) -> None:
    server.faults.add(refusal("sites/[^/]+/lists", errors.denied("files", (), ())))

    result = read(estate.connector(server, tmp_path))

    server.faults.clear()
    gap = row(result, "graph-lists-not-told")
    assert (gap.outcome, gap.reason.values["count"]) == (Outcome.NOT_JUDGED, len(result.of_kind("site")) - 1)
    assert not any(isinstance(one.reason, Reason) and one.reason.code == "graph-lists" for one in result.gaps)


def test_containers_of_applications_are_named_whether_they_are_listed_or_not(result: Read, tmp_path: Path) -> None:
    state = company.build(1).state
    state.add_site("contentstorage/CSP_585db4c8-8043-4676-965e-c92e45f07221", "Loop", template="CSPCONTAINER#0")
    with estate.tenant(state) as own:
        listed = read(estate.connector(own, tmp_path))

    assert row(result, "graph-containers").outcome is Outcome.NOT_JUDGED
    assert row(listed, "graph-containers-listed").reason.values == {"count": 1}
    assert {site.uid for site in listed.of_kind("site")} == {site.uid for site in result.of_kind("site")}


# applications on sites


def test_an_application_on_a_site_is_not_looked_at_without_full_control(result: Read) -> None:
    gap = row(result, "graph-site-applications")

    assert (gap.outcome, gap.needs) == (Outcome.NOT_JUDGED, "Sites.FullControl.All")


def test_an_application_on_a_site_is_a_grant_where_graph_shows_it(built: company.Company, tmp_path: Path) -> None:
    with estate.tenant(company.build(1).state, graph_roles={*GRAPH_ROLES, "Sites.FullControl.All"}) as own:
        result = read(estate.connector(own, tmp_path))

    site = uids.site(uids.site_identity(built.scenarios["site"]))
    (grant,) = [grant for grant in result.grants(site) if "#application-" in grant.uid]
    assert (grant.audience, grant.access, grant.via) == (Audience.NAMED, Access.WRITE, Via.DIRECT)
    assert result.principal(grant.principal_uid or "").name == "Form filler"
    assert not [gap for gap in result.gaps if "graph-site-applications" in str(gap.reason)]


def test_sites_are_not_asked_for_applications_where_none_needs_it(tmp_path: Path) -> None:
    state = company.build(1).state
    roles = {*GRAPH_ROLES, "Sites.FullControl.All"}
    for principal in state.principals:
        if getattr(principal, "app_id", "") and principal.name == "Form filler":
            principal.graph_roles = frozenset({"Sites.Read.All"})  # type: ignore[attr-defined]
    with estate.tenant(state, graph_roles=roles) as own:
        result = read(estate.connector(own, tmp_path))
        asked = [request.path for request in own.log if "/permissions" in request.path and "/sites/" in request.path]

    assert asked == []
    assert not [gap for gap in result.gaps if "graph-site-applications" in str(gap.reason)]


# an application that is granted single sites


def selected(state: TenantState, path: str) -> Iterator[Server]:
    """The tenant for an application with Sites.Selected that was granted one site."""
    roles = {*(GRAPH_ROLES - {"Sites.Read.All", "Files.Read.All"}), "Sites.Selected"}
    with estate.tenant(state, graph_roles=roles, sharepoint_roles=()) as own:
        site = state.site_at(state.host, path)
        assert site is not None
        site.app_grants[state.named(f"app:{SCANNER}").number] = "read"
        yield own


def test_sites_selected_is_enough_for_the_sites_that_it_was_granted(tmp_path: Path) -> None:
    state = company.build(1).state
    for own in selected(state, "sites/handout"):
        reader = estate.connector(own, tmp_path, sites=[f"https://{state.host}/sites/handout"])
        result, told = read(reader), list(checks(reader.options, estate.ESTATE))

    assert {site.name for site in result.of_kind("site")} == {"配布資料"}
    assert result.of_kind("library")
    assert result.refused == {}
    assert result.of_kind("group")
    amiss = {check.what for check in told if not check.ok}
    assert not {what for what in amiss if "Sites.Read.All" in what or "sites/handout" in what}


def test_the_doctor_says_which_chosen_site_was_not_granted(tmp_path: Path) -> None:
    state = company.build(1).state
    chosen = [f"https://{state.host}/sites/handout", f"https://{state.host}/sites/office"]
    for own in selected(state, "sites/handout"):
        told = list(checks(estate.connector(own, tmp_path, sites=chosen).options, estate.ESTATE))

    answers = {check.what: check for check in told if "sites/" in check.what}
    assert {what.rpartition("/")[2]: check.ok for what, check in answers.items()} == {"handout": True, "office": False}
    assert "Sites.Selected" in answers[f"m365: {chosen[1]}"].remedy


# forms of principals on an item, over HTTP

NAMED: Mapping[str, tuple[Mapping[str, Any], set[Audience | None]]] = {
    **{name: (form, {Audience.ANYONE_WITH_LINK}) for name, form in ANYONE.items()},
    **{name: (form, {Audience.ORGANISATION}) for name, form in EVERYBODY.items() if "site group with" not in name},
    "claim of the future": ({"siteUser": {"loginName": "c:0u.c|tenant|77ab1c02d9"}}, {None}),
    "id alone": ({"user": {"id": "k9", "displayName": "Somebody"}}, {None}),
    "guest by login": ({"siteUser": {"loginName": f"{LOGIN}x_rival.example#ext#@k.com"}}, {Audience.NAMED_EXTERNAL}),
    "device": ({"device": {"id": "d1", "displayName": "Kiosk"}}, {None}),
    "future kind": ({"agent": {"id": "a1", "displayName": "Agent"}}, {None}),
    "administrators": (
        {"siteUser": {"loginName": "c:0-.f|rolemanager|s-1-5-21-1", "displayName": "Company Administrator"}},
        {Audience.NAMED},
    ),
}  # fmt: skip


def test_every_form_of_a_principal_arrives_as_it_is(server: Server, built: company.Company, tmp_path: Path) -> None:
    """And those who cannot be identified have a row that names the item."""
    identity = built.scenarios["anyone view"]
    entries = [{"id": name, "roles": ["read"], "grantedToV2": form} for name, (form, _) in NAMED.items()]
    server.faults.add(Fault(where=f"items/{identity}/permissions", change=lambda _: {"value": entries}))

    result = read(estate.connector(server, tmp_path))

    server.faults.clear()
    uid = estate.item(server, identity)
    told = {grant.uid.rpartition("#")[2]: grant.audience for grant in result.grants(uid)}
    assert {name: audience for name, (_, (audience,)) in NAMED.items()} == told
    gap = row(result, "graph-grantee-not-told")
    assert (gap.outcome, gap.resource_uid) == (Outcome.NOT_JUDGED, uid)
    assert {one.table for one in gap.hidden} == {"grants"}


def test_two_permissions_with_one_id_hide_neither(server: Server, built: company.Company, tmp_path: Path) -> None:
    identity = built.scenarios["anyone view"]
    colleague = {"user": {"email": "hayashi@kumo.example"}}
    entries = [
        {"id": "1", "roles": ["read"], "grantedToV2": colleague},
        {"id": "1", "roles": ["read"], "link": {"scope": "anonymous", "type": "view"}},
        {"id": "1", "roles": ["read"], "link": {"scope": "anonymous", "type": "view"}},
        {"id": None, "roles": ["read"], "grantedToV2": {"user": {"email": "x@rival.example"}}},
    ]
    server.faults.add(Fault(where=f"items/{identity}/permissions", change=lambda _: {"value": entries}))

    result = read(estate.connector(server, tmp_path))

    server.faults.clear()
    grants = result.grants(estate.item(server, identity))
    assert len({grant.uid for grant in grants}) == len(grants)
    assert [grant.audience for grant in grants] == [
        Audience.NAMED,
        Audience.ANYONE_WITH_LINK,
        Audience.NAMED_EXTERNAL,
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {"createdDateTime": ""},
        {"lastModifiedDateTime": "9999-12-31T23:59:59.9999999Z"},
        {"createdDateTime": "0000-00-00T00:00:00Z", "size": "large"},
        {"size": 12.5},
        {"shared": {"scope": "Anonymous"}},
    ],
)
def test_an_item_with_an_odd_time_or_size_is_an_item_like_any_other(
    server: Server, built: company.Company, tmp_path: Path, odd: Mapping[str, Any], result: Read
) -> None:
    def change(content: Any) -> Any:
        return {**content, "value": [{**one, **odd} if one["id"] == identity else one for one in content["value"]]}

    identity = built.scenarios["anyone view"]
    server.faults.add(Fault(where="root/delta", change=change))

    again = read(estate.connector(server, tmp_path))

    server.faults.clear()
    uid = estate.item(server, identity)
    assert [grant.audience for grant in again.grants(uid)] == [grant.audience for grant in result.grants(uid)]
    assert {str(gap.reason) for gap in again.gaps} == {str(gap.reason) for gap in result.gaps}


def test_words_of_graph_are_compared_without_case(server: Server, tmp_path: Path, result: Read) -> None:
    """Of settings, groups, channels and invitations: whatever Graph writes with capitals elsewhere."""
    words = {
        "sharingCapability", "sharingDomainRestrictionMode", "allowInvitesFrom", "visibility", "userType",
        "externalUserState", "membershipType", "roles", "groupTypes", "resourceProvisioningOptions", "scope", "type",
        "LockState", "ArchiveStatus", "accessType",
    }  # fmt: skip

    def shout(content: Any, *, word: bool = False) -> Any:
        match content:
            case dict():
                return {name: shout(value, word=name in words) for name, value in content.items()}
            case list():
                return [shout(value, word=word) for value in content]
            case str() if word:
                return content.upper()
            case _:
                return content

    server.faults.add(Fault(where="GET", change=shout), Fault(where="POST .*SPO", change=shout))

    loud = read(estate.connector(server, tmp_path))

    server.faults.clear()
    told, before = ({fact for fact in one.facts if isinstance(fact, Setting)} for one in (loud, result))
    assert told == before
    assert {(one.uid, one.audience, one.access) for one in loud.facts if isinstance(one, Grant)} == {
        (one.uid, one.audience, one.access) for one in result.facts if isinstance(one, Grant)
    }
    assert principals(loud) == principals(result)
    details = [{one.uid: one.detail.get("visibility") for one in scan.of_kind("team")} for scan in (loud, result)]
    assert details[0] == details[1]


def principals(result: Read) -> set[tuple[object, ...]]:
    people = [one for one in result.facts if isinstance(one, Principal)]
    return {(one.uid, one.kind, one.affiliation, one.status, one.redeemed) for one in people}


def test_a_member_of_a_site_group_who_cannot_be_told_has_a_row(server: Server, tmp_path: Path) -> None:
    def odd(content: Any) -> Any:
        odd_user = {"Id": 77, "LoginName": "c:0u.c|tenant|77ab1c02d9", "Title": "?", "PrincipalType": 4}
        first, *others = content["value"]
        return {"value": [{**first, "Users": [*first["Users"], odd_user]}, *others]}

    server.faults.add(Fault(where="sites/office(/kaigi)?/_api/web/sitegroups", change=odd))

    result = read(estate.connector(server, tmp_path))

    server.faults.clear()
    gaps = [gap for gap in result.gaps if "graph-member-not-told" in str(gap.reason)]
    (gap,) = {gap.resource_uid: gap for gap in gaps}.values()
    assert gap.outcome is Outcome.NOT_JUDGED
    of_the_group = [fact for fact in result.facts if isinstance(fact, Grant) and fact.principal_uid == gap.resource_uid]
    assert {grant.audience for grant in of_the_group} == {None}


# geographies


def elsewhere(**settings: int) -> tuple[TenantState, dict[str, Item]]:
    """A company whose first geography forbids sharing, with a site in another one, and a link for anyone on each."""
    built = company.build(1)
    state = built.state
    state.set_admin(SharingCapability=0)
    links = {}
    for name in ("site", "site with anyone as default"):
        site = next(site for site in state.sites if site.id == built.scenarios[name])
        links[name] = state.create(f"{name}.pdf", drive=state.drives[site.drives[0]])
        state.link(links[name], "view")
    state.move_to_geography(site, "eur", **settings)
    return state, links


def link_on(result: Read, own: Server, item: Item) -> Grant:
    (link,) = [one for one in result.grants(estate.item(own, own.state.id_of(item))) if one.via is Via.LINK]
    return link


def test_a_site_in_another_geography_is_judged_by_its_own_administration(tmp_path: Path) -> None:
    """The first geography forbids links for anyone, the other one allows them; neither speaks for the other."""
    state, links = elsewhere(SharingCapability=2)
    with estate.tenant(state) as own:
        result = read(estate.connector(own, tmp_path))
        here, there = (link_on(result, own, item) for item in links.values())

    assert (here.effective, here.blocked_by) == (False, "graph-tenant-sharing-off")
    assert (there.effective, there.blocked_by) == (True, "")
    site = state.sites[state.drives[links["site with anyone as default"].drive].site]
    assert result.setting(uids.site(site.collection), "tenant_wider") == "false"
    gap = row(result, "graph-geographies")
    assert (gap.outcome, gap.reason.values) == (Outcome.NOT_JUDGED, {"count": 1, "names": "kumoeur"})
    assert result.refused == {}


def test_a_geography_whose_administration_refuses_blocks_nothing(tmp_path: Path) -> None:
    state, links = elsewhere()
    with estate.tenant(state) as own:
        own.faults.add(refusal("kumoeur-admin", errors.denied("files", (), ())))
        result = read(estate.connector(own, tmp_path))
        there = link_on(result, own, links["site with anyone as default"])

    assert (there.effective, there.blocked_by) == (None, "")
    refused = {gap.question for gap in result.gaps if gap.outcome is Outcome.DENIED}
    assert refused == {"m365-sites-properties", "m365-site-properties", "m365-libraries"}  # of a locked site


# archived sites


@pytest.mark.parametrize("status", ["FullyArchived", "RecentlyArchived"])
def test_an_archived_site_is_latent_and_the_scan_is_whole(tmp_path: Path, status: str, result: Read) -> None:
    built = company.build(1)
    site = next(site for site in built.state.sites if site.id == built.scenarios["site"])
    built.state.archive_site(site, status)
    with estate.tenant(built.state) as own:
        archived = read(estate.connector(own, tmp_path))

    uid = uids.site(site.collection)
    assert archived.resource(uid).detail["archived"] == "true"
    assert [(grant.effective, grant.blocked_by) for grant in archived.grants(uid)] == [(False, "graph-site-archived")]
    known = {(gap.question, str(gap.reason)) for gap in result.gaps if gap.outcome.is_gap}
    assert {(gap.question, str(gap.reason)) for gap in archived.gaps if gap.outcome.is_gap} <= known
    assert archived.refused == {}
