"""Files of Graph Data Connect mean what Graph would say; what they have no column for, or leave blank, is unknown."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cloudscan.connector import Connector, Estate
from cloudscan.errors import ConfigurationError
from cloudscan.facts import OBSERVED_ON, Grant, Outcome
from cloudscan.testing import conforms
from cloudscan_m365.options import Options
from cloudscan_m365.plugin import PLUGIN
from cloudscan_m365.settings import SETTINGS
from tests.connectors import reading
from tests.connectors.reading import Read

SITE, WEB, LIST = (f"{number}0000000-0000-0000-0000-000000000001" for number in (1, 2, 3))
NO_GROUP = "00000000-0000-0000-0000-000000000000"
Row = dict[str, Any]

OFFICE: Row = {
    "ptenant": "t",
    "Id": SITE,
    "Url": "https://kumo.sharepoint.com/sites/office",
    "RootWeb": {"Id": WEB, "Title": "Office", "WebTemplate": "GROUP", "WebTemplateId": 64},
    "Owner": {"AadObjectId": "", "Email": "aoki@kumo.example", "Name": "Aoki"},
    "GroupId": NO_GROUP,
    "IsInRecycleBin": False,
    "IsExternalSharingEnabled": True,
    "ShareByLinkEnabled": True,
    "SnapshotDate": "2026-11-28T00:00:00Z",
    "Operation": "Full",
}


def permission(kind: str, url: str, unique: str = "", **more: Any) -> Row:
    return {
        "SiteId": SITE,
        "WebId": WEB,
        "ListId": LIST if kind in ("List", "Folder", "File") else NO_GROUP,
        "UniqueId": unique or NO_GROUP,
        "ScopeId": f"scope-of-{url}",
        "ItemType": kind,
        "ItemURL": url,
        "RoleDefinition": "Read",
        "LinkId": NO_GROUP,
        "SharedWith": [],
        "SnapshotDate": "2026-11-28T00:00:00Z",
        "Operation": "Full",
        **more,
    }


def link(scope: str, **more: Any) -> Row:
    given = {"LinkId": "a0000000-0000-0000-0000-00000000000a", "LinkScope": scope, **more}
    return permission(
        "File", "sites/office/Shared Documents/plan.docx", "f0000000-0000-0000-0000-000000000001", **given
    )


def person(kind: str, email: str, **more: Any) -> Row:
    return {"Type": kind, "TypeV2": kind, "Name": "", "Email": email, "AadObjectId": "", **more}


def file(name: str, scope: str, item: str) -> Row:
    return {
        "SiteId": SITE,
        "WebId": WEB,
        "ListId": LIST,
        "ItemId": item,
        "ScopeId": scope,
        "DirName": "sites/office/Shared Documents",
        "FileName": name,
        "SizeInBytes": 12,
        "SnapshotDate": "2026-11-28T00:00:00Z",
        "Operation": "Full",
    }


def exported(folder: Path, **datasets: Sequence[Mapping[str, Any]]) -> Read:
    return reading.read(opened(folder, **datasets))


def opened(folder: Path, **datasets: Sequence[Mapping[str, Any]]) -> Connector:
    for name, rows in {"sites": [OFFICE], **datasets}.items():
        lines = "\n".join(json.dumps(row) for row in rows)
        (folder / f"part-00000-{name}.json").write_text(lines, encoding="utf-8")
    options = Options(data_connect=str(folder), data_connect_directory=False, tenant="kumo.example")
    return PLUGIN.open(options, Estate(domains=frozenset({"kumo.example"})))


def on(result: Read, name: str) -> list[Grant]:
    (uid,) = {one.uid for one in result.of_kind("file") if one.name == name}
    return result.grants(uid)


def test_it_conforms(tmp_path: Path) -> None:
    conforms(opened(tmp_path, permissions=[link("Anyone")]), settings=SETTINGS)


@pytest.mark.parametrize(
    ("row", "audience"),
    [
        (link("Anyone"), "anyone_with_link"),  # samples show both: nobody in the list, and a group
        (link("Anyone", SharedWith=[person("SecurityGroup", "")]), "anyone_with_link"),
        (link("Organization"), "organisation"),
        (link("SpecificPeople", SharedWith=[person("ExternalUser", "kita@haulier.example")]), "named_external"),
        (link("SpecificPeople", TotalUserCount=""), None),  # blank is empty or unknown
        (link("SpecificPeople", TotalUserCount=0), "named"),
        (link(""), None),
        (link("SomethingNew"), None),
    ],
)
def test_the_scope_of_a_link_decides(tmp_path: Path, row: Row, audience: str | None) -> None:
    (grant,) = on(exported(tmp_path, permissions=[row]), "plan.docx")

    assert (grant.audience, grant.via) == (audience, "link")


def test_no_column_says_whether_a_link_has_a_password(tmp_path: Path) -> None:
    result = exported(tmp_path, permissions=[link("Anyone")])

    assert on(result, "plan.docx")[0].password is None
    assert result.gap("graph-export-lacks-columns").outcome is Outcome.SKIPPED


def test_files_inherit_by_their_scope(tmp_path: Path) -> None:
    """What was granted on a folder is one grant, of which the files in it have a part."""
    folder = permission(
        "Folder",
        "sites/office/Shared Documents/out",
        "d0000000-0000-0000-0000-000000000001",
        SharedWith=[person("ExternalUser", "kita@haulier.example")],
    )

    result = exported(
        tmp_path,
        permissions=[folder],
        files=[file("a.csv", folder["ScopeId"], "f1"), file("b.csv", "unheard of", "f2")],
    )

    (inherited,) = on(result, "a.csv")
    assert (inherited.audience, inherited.inherited) == ("named_external", True)
    assert inherited.origin_uid == result.of_kind("folder")[0].uid
    assert [grant.audience for grant in on(result, "b.csv")] == [None]
    assert result.gap("graph-export-scopes-missing").question == "m365-data-connect-files"


def test_names_are_read_without_case_and_older_files_may_lack_columns(tmp_path: Path) -> None:
    """The schema says AadObjectId, the samples AADObjectId; what the site allows is then unknown."""
    site = {name: value for name, value in OFFICE.items() if name not in ("IsExternalSharingEnabled", "RootWeb")}
    row = {name.upper(): value for name, value in link("Anyone").items()}

    result = exported(tmp_path, sites=[{**site, "ROOTWEB": OFFICE["RootWeb"]}], permissions=[row])

    (grant,) = on(result, "plan.docx")
    assert (grant.audience, grant.effective) == ("anyone_with_link", None)


def test_a_site_that_shares_with_nobody_outside_stops_a_link(tmp_path: Path) -> None:
    result = exported(tmp_path, sites=[{**OFFICE, "IsExternalSharingEnabled": False}], permissions=[link("Anyone")])

    (grant,) = on(result, "plan.docx")
    assert (grant.effective, grant.blocked_by) == (False, "graph-site-sharing-off")


def test_a_delta_after_the_full_snapshot_counts(tmp_path: Path) -> None:
    """What was deleted is gone, what was updated is replaced, and an older full snapshot is forgotten."""
    first, second = link("Anyone"), link("Organization", LinkId="b0000000-0000-0000-0000-00000000000b")
    older = link("Anyone", LinkId="c0000000-0000-0000-0000-00000000000c", SnapshotDate="2026-11-20T00:00:00Z")
    changes = {"SnapshotDate": "2026-11-29T00:00:00Z"}

    result = exported(
        tmp_path,
        permissions=[
            {**second, **changes, "Operation": "Updated", "LinkScope": "SpecificPeople", "TotalUserCount": 0},
            older,
            first,
            second,
            {**first, **changes, "Operation": "Deleted"},
        ],
    )

    assert [grant.audience for grant in on(result, "plan.docx")] == ["named"]


def test_changes_alone_are_not_all(tmp_path: Path) -> None:
    result = exported(tmp_path, permissions=[{**link("Anyone"), "Operation": "Created"}])

    assert on(result, "plan.docx")
    assert {hidden.table for hidden in result.gap("graph-export-without-full").hidden} >= {"resources", "grants"}


def test_a_site_group_is_known_by_its_members(tmp_path: Path) -> None:
    group = {
        "SiteId": SITE,
        "GroupId": 7,
        "GroupType": "SharePointGroup",
        "DisplayName": "Visitors",
        "Members": [person("ExternalUser", "kita@haulier.example")],
        "Operation": "Full",
        "SnapshotDate": "2026-11-28T00:00:00Z",
    }
    web = permission("Web", "", SharedWith=[person("SharePointGroup", "", Name="Visitors")])

    result = exported(tmp_path, permissions=[web], groups=[group])

    (grant,) = result.grants(f"m365:site/{SITE}")
    assert (grant.audience, grant.principal_uid) == ("named_external", f"m365:site-group/{SITE}/7")
    assert len(result.members(f"m365:site-group/{SITE}/7")) == 1


def test_a_site_is_told_as_it_was_on_the_day_of_the_export(tmp_path: Path) -> None:
    site = exported(tmp_path, permissions=[link("Anyone")]).resource(f"m365:site/{SITE}")

    assert site.detail[OBSERVED_ON] == OFFICE["SnapshotDate"]


def test_what_is_no_line_of_json_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "more.json").write_text(json.dumps(link("Anyone")) + "\n{broken\n[]\n", encoding="utf-8")

    gap = exported(tmp_path, permissions=[link("Anyone")]).gap("graph-export-lines-malformed")

    assert gap.reason.values == {"name": "Permissions", "count": 2}


def test_a_folder_without_the_datasets_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no SharePoint dataset Sites / Permissions"):
        PLUGIN.open(Options(data_connect=str(tmp_path)), Estate())
