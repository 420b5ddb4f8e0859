"""A company with a sales drive, a finance drive and a group, and permission templates in words."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from cloudscan.connector import Yielded
from cloudscan.facts import Access, Affiliation, Audience, Grant, Membership, Principal, Resource, Via
from cloudscan.nightly.template_files import read_templates
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.organisation.template import Intent
from cloudscan.snapshot.snapshot import Snapshot
from tests.kit.organisation import NIGHT, joined, staff, user

ROSTER = """\
社員番号,氏名,メール,部署,兼務,役職,退職日
1,佐藤 花子,hanako@acme.example,営業部,,部長,
2,鈴木 一郎,ichiro@acme.example,営業部,,,
3,田中 次郎,jiro@acme.example,経理部,営業部,,
4,山本 桜,sakura@acme.example,経理部,,,
5,木村 透,toru@acme.example,営業部,,,2026-03-01
"""
PEOPLE = ("hanako", "ichiro", "jiro", "sakura", "toru")


def thing(uid: str, kind: str = "folder", *, inside: str = "", drive: str = "", **more: Any) -> Resource:
    """A resource, called as its uid, which is its path in its drive as well, unless told."""
    return Resource(
        uid=f"toy:{uid}",
        platform="toy",
        account="acme",
        kind=kind,
        name=uid,
        path=more.pop("path", uid),
        parent_uid=f"toy:{inside}" if inside else None,
        container_uid=f"toy:{drive}" if drive else None,
        **more,
    )


def grant(on: str, to: str | None, access: Access = Access.READ, **more: Any) -> Grant:
    """A grant; of a named person unless the audience is another one. `origin` is where it was given, if not here."""
    origin = more.pop("origin", on)
    return Grant(
        uid=f"toy:{on}#{to or more['audience']}-{access}",
        resource_uid=f"toy:{on}",
        origin_uid=f"toy:{origin}",
        inherited=origin != on,
        principal_uid=f"toy:{to}" if to else None,
        audience=more.pop("audience", Audience.NAMED),
        access=access,
        via=Via.DIRECT,
        **more,
    )


def group(name: str, *members: str | None) -> list[Yielded]:
    """A group of ours with its members; None is one that could not be read."""
    return [
        Principal(
            uid=f"toy:{name}",
            platform="toy",
            account="acme",
            kind="group",
            name=name,
            email=f"{name}@acme.example",
            affiliation=Affiliation.INTERNAL,
        ),
        *(Membership(group_uid=f"toy:{name}", member_uid=f"toy:{one}" if one else None) for one in members),
    ]


COMPANY: list[Yielded] = [
    *(user(name, f"{name}@acme.example") for name in PEOPLE),
    thing("Sales", "shared_drive"),
    thing("Offers", inside="Sales", drive="Sales"),
    thing("plan", "file", inside="Offers", drive="Sales", path="Offers/plan", size_bytes=7),
    thing("Finance", "shared_drive"),
    thing("books", "file", inside="Finance", drive="Finance", size_bytes=9),
]


def compared(
    folder: Path, templates: str, facts: Iterable[Yielded], *, now: datetime = NIGHT, **knowledge: Any
) -> Snapshot:
    """The snapshot of the company and more facts, joined with templates that are written as YAML."""
    (folder / "templates.yaml").write_text(templates, encoding="utf-8")
    read, problems = read_templates([str(folder / "templates.yaml")])
    assert problems == []
    known = Knowledge(domains=["acme.example"], intent=Intent(templates=read), **{"staff": staff(ROSTER), **knowledge})
    return joined(folder, known, [*COMPANY, *facts], now=now)
