"""What templates say of grants, against the same said grant by grant and line by line, without SQL."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from cloudscan.connector import Yielded
from cloudscan.facts import Access, Affiliation, Audience, Grant
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.organisation.template import Intent, Template, TemplateLine
from tests.kit.organisation import NIGHT, joined, staff, user
from tests.kit.properties import examples
from tests.kit.templates import COMPANY, ROSTER, grant, group

TODAY = NIGHT.date()
DEPARTMENTS = {"hanako": {"営業部"}, "ichiro": {"営業部"}, "jiro": {"経理部", "営業部"}, "sakura": {"経理部"}}
ROLES = {"hanako": "部長"}
MEMBERS: dict[str, tuple[str | None, ...]] = {
    "g-sales": ("hanako", "ichiro"),
    "g-mixed": ("jiro", "sakura", "toru"),
    "g-open": ("hanako", None),
    "g-empty": (),
}
OUTSIDE = ("guest",)
WIDE = (Audience.ORGANISATION, Audience.ANYONE_WITH_LINK)

lines = st.builds(
    lambda who, access, more: TemplateLine(**{**who, "access": access, **more}),
    st.sampled_from(
        [
            {"department": "営業部"},
            {"department": "経理*"},
            {"role": "部長"},
            {"department": "営業部", "role": "部長"},
            {"group": "g-mixed@acme.example"},
            {"who": "everybody"},
            {"who": "external"},
            {"who": "anyone"},
        ]
    ),
    st.sampled_from([Access.READ, Access.WRITE]),
    st.sampled_from([{}, {"until": TODAY}, {"until": TODAY - timedelta(days=1)}, {"days": 30}]),
)
ages = st.sampled_from([None, 3, 300])
grants = st.builds(
    lambda to, access, age: (to, access, age),
    st.sampled_from([*DEPARTMENTS, "toru", "robot", *MEMBERS, *OUTSIDE, *WIDE]),
    st.sampled_from([Access.READ, Access.WRITE]),
    ages,
)


def fits(line: TemplateLine, name: str, audience: Audience) -> bool:
    """Whether a line is for somebody who is known."""
    if line.who == "anyone":
        return audience <= line.widest
    if line.group:
        return name in ("g-mixed", *MEMBERS["g-mixed"])
    if line.who:
        return (name in OUTSIDE) == (line.who == "external") and name != "toru"
    department = line.department.rstrip("*")
    if line.department and not any(one.startswith(department) for one in DEPARTMENTS.get(name, ())):
        return False
    return name in DEPARTMENTS and (not line.role or ROLES.get(name) == line.role)


def in_force(line: TemplateLine, age: int | None) -> bool | None:
    if line.until is not None and line.until < TODAY:
        return False
    if line.days is None:
        return True
    return None if age is None else age <= line.days


def said_of_one(
    template: Sequence[TemplateLine], name: str | None, audience: Audience, access: Access, age: int | None
) -> str:
    """The best that any line says of somebody; `?` where that is not known."""
    verdicts = []
    for line in template:
        force, enough = in_force(line, age), access <= line.access
        certain = name is not None and (audience <= line.widest if name == "" else fits(line, name, audience))
        if name is not None and not certain:
            continue
        if name is None and audience > line.widest and line.kind in ("external", "anyone", "partner"):
            continue
        if force is not False and enough:
            verdicts.append((5, "as-intended") if certain and force else (4, "?"))
        elif name is None or force is None:
            verdicts.append((1, "?"))
        else:
            verdicts.append((3, "stronger") if force else (2, "expired"))
    if name is None:
        verdicts.append((1, "?"))
    return max(verdicts, default=(0, "unlisted"))[1]


def expected(template: Sequence[TemplateLine], to: str, access: Access, age: int | None) -> str:
    if to in WIDE:
        audience = Audience(to)
        said = said_of_one(template, "", audience, access, age)
        widest = max((line.widest for line in template), default=Audience.NAMED)
        return "wider" if said == "unlisted" and audience > widest else said
    audience = Audience.NAMED_EXTERNAL if to in OUTSIDE else Audience.NAMED
    is_named = to == "g-mixed" and any(line.group for line in template)
    people = [to] if is_named or to not in MEMBERS else MEMBERS[to]
    all_said = [said_of_one(template, one, audience, access, age) for one in people]
    said = next((one for one in ("unlisted", "stronger", "expired", "?") if one in all_said), "as-intended")
    outside = any(line.kind in ("external", "anyone") for line in template)
    return "wider" if said == "unlisted" and to in OUTSIDE and not outside else said


def facts_of(given_to: Sequence[tuple[str, Access, int | None]]) -> list[Yielded]:
    facts: list[Yielded] = [user("robot", "robot@acme.example")]
    facts.append(user("guest", "g@client.example", kind="guest", affiliation=Affiliation.EXTERNAL))
    for name, members in MEMBERS.items():
        facts += group(name, *members)
    for number, (to, access, age) in enumerate(given_to):
        audience = Audience(to) if to in WIDE else Audience.NAMED_EXTERNAL if to in OUTSIDE else Audience.NAMED
        one: Grant = grant(
            "Sales",
            None if to in WIDE else to,
            access,
            audience=audience,
            granted_on=None if age is None else NIGHT - timedelta(days=age),
        )
        facts.append(Grant(**{name: getattr(one, name) for name in one.__struct_fields__} | {"uid": f"toy:#{number}"}))
    return facts


@examples(5, deadline=None)
@given(st.lists(lines, max_size=4), st.lists(grants, min_size=1, max_size=25))
def test_sql_says_what_line_by_line_is_said(
    template: list[TemplateLine], given_to: list[tuple[str, Access, int | None]]
) -> None:
    known = Knowledge(
        domains=["acme.example"],
        staff=staff(ROSTER),
        intent=Intent(templates=[Template(name="Sales", where=["Sales"], lines=template)]),
    )
    with TemporaryDirectory() as name, joined(Path(name), known, [*COMPANY, *facts_of(given_to)]) as snapshot:
        rows = snapshot.query("SELECT grant_uid, coalesce(kind, '?') FROM drift WHERE grant_uid IS NOT NULL").rows

    drift = {str(uid): kind for uid, kind in rows}
    assert [drift.get(f"toy:#{n}", "as-intended") for n in range(len(given_to))] == [
        expected(template, to, access, age) for to, access, age in given_to
    ]
