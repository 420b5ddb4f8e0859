"""Rules that share a pass over the tables say what each of them says by itself."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.engine.anatomy import ALIAS, anatomy
from cloudscan.engine.folding import BoundRule
from cloudscan.engine.judge import Params, bindings, judged_by
from cloudscan.engine.loader import load, load_archived
from cloudscan.engine.local_folding import LocalFolding
from cloudscan.engine.passes import passes
from cloudscan.engine.rule_file import Rule
from cloudscan.errors import RuleError
from cloudscan.facts import (
    Access,
    Affiliation,
    AnyFact,
    Audience,
    Grant,
    Membership,
    Principal,
    Resource,
    Via,
    unread_grants,
)
from cloudscan.snapshot import in_memory
from tests.kit.facts import RULE, file, grant, write_rule
from tests.kit.properties import examples

SHIPPED: Final = load([Path(__file__).parents[2] / "rules"])
NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
MOMENTS: Final = st.sampled_from([datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC), None])
MAYBE: Final = st.sampled_from([True, False, None])
KINDS: Final = {
    "gdrive": ("file", "folder", "shared_drive", "tenant", "audit_log"),
    "m365": ("file", "folder", "library", "onedrive", "site", "team", "application"),
    "s3": ("bucket", "access_point", "object", "replication", "account"),
}


def resources(platform: str) -> st.SearchStrategy[Resource]:
    """Nine things of a platform, each in one with a lower number, or in itself."""
    number = st.integers(0, 8)
    return st.builds(
        lambda own, above, **more: Resource(
            uid=f"{platform}:r{own}", parent_uid=f"{platform}:r{min(own, above)}", platform=platform, account="acme",
            name=f"r{own % 3}", **more,
        ),
        number, number, kind=st.sampled_from(KINDS[platform]), owner_uid=st.sampled_from([None, f"{platform}:p1"]),
        size_bytes=st.sampled_from([None, 1, 700]), rank=st.sampled_from([None, 1, 3]), modified_on=MOMENTS,
        label=st.sampled_from(["", "secret", None]),
        detail=st.sampled_from([{}, {"objects": 12}, {"join": "anyone", "view": ""}]),
    )  # fmt: skip


def principals(platform: str) -> st.SearchStrategy[Principal]:
    return st.builds(
        lambda own, **more: Principal(
            uid=f"{platform}:p{own}", platform=platform, account="acme", email=f"p{own}@x.example", **more
        ),
        st.integers(0, 4), kind=st.sampled_from(["user", "guest", "group", "domain"]),
        affiliation=st.sampled_from([*Affiliation, None]), status=st.sampled_from(["active", "suspended", None]),
        last_seen_on=MOMENTS, detail=st.sampled_from([{}, {"consumer": "true", "person": ""}, {"join": "anyone"}]),
    )  # fmt: skip


def grants(platform: str) -> st.SearchStrategy[Grant]:
    number = st.integers(0, 8)
    given_out = st.builds(
        lambda own, to, origin, who, **more: Grant(
            uid=f"{platform}:g{own}", resource_uid=f"{platform}:r{to}", origin_uid=f"{platform}:r{min(to, origin)}",
            principal_uid=who and f"{platform}:{who}", inherited=origin < to, **more,
        ),
        st.integers(0, 30), number, number, st.sampled_from(["p0", "p1", "p2", "p9", None]),
        audience=st.sampled_from([*Audience, None]), access=st.sampled_from([*Access, None]),
        via=st.sampled_from([*Via, None]), effective=MAYBE, password=MAYBE, expires_on=MOMENTS, granted_on=MOMENTS,
        detail=st.sampled_from([{}, {"view": "published", "of_a_part": True}, {"pending_owner": "true"}]),
    )  # fmt: skip
    return st.one_of(given_out, given_out, given_out, number.map(lambda own: unread_grants(f"{platform}:r{own}")))


def estates() -> st.SearchStrategy[list[AnyFact]]:
    def of(platform: str) -> st.SearchStrategy[list[AnyFact]]:
        members = st.builds(
            lambda group, member: Membership(group_uid=f"{platform}:p{group}", member_uid=f"{platform}:p{member}"),
            st.integers(0, 4), st.integers(0, 4),
        )  # fmt: skip
        return st.tuples(
            st.lists(resources(platform), min_size=4, max_size=9), st.lists(principals(platform), max_size=5),
            st.lists(grants(platform), min_size=8, max_size=30), st.lists(members, max_size=4),
        ).map(lambda parts: [fact for part in parts for fact in part])  # fmt: skip

    return st.tuples(*map(of, KINDS)).map(lambda parts: [fact for part in parts for fact in part])


def judged(facts: Sequence[AnyFact], rules: Sequence[Rule], *, together: bool, params: Params | None = None) -> Any:
    """Verdicts as bytes, and tallies."""
    with in_memory.open_empty() as db:
        in_memory.fill(db, in_memory.estate_of(facts))
        verdicts = judged_by(LocalFolding(db, together=together), rules, as_of=NOON, params=params)
        return [msgspec.json.encode(verdict) for verdict in verdicts.verdicts], verdicts.tallies


@examples(3)
@given(estates(), st.sampled_from([{}, {"drive-external-dormant": {"days": 400}}]))
def test_together_as_by_itself(facts: list[AnyFact], params: Params) -> None:
    """Byte for byte, with all that is counted, in the same order, whatever is not known."""
    assert judged(facts, SHIPPED, together=True, params=params) == judged(facts, SHIPPED, together=False, params=params)


@given(
    condition=st.recursive(
        st.sampled_from(["e.a", "e.b", "NOT e.c", "e.d > 1", "e.d", "e.a = e.b", "coalesce(e.c, e.a)", "TRUE", "NULL"]),
        lambda parts: st.lists(parts, min_size=2, max_size=3).flatmap(
            lambda some: st.sampled_from([f"({' AND '.join(some)})", f"({' OR '.join(some)})", f"NOT ({some[0]})"])
        ),
        max_leaves=8,
    )
)
def test_a_row_is_caught_unless_its_condition_is_false(condition: str) -> None:
    """Whichever parts are true, false or unknown; a number is a condition, too."""
    parts = anatomy(f"SELECT e.a AS identity, {condition} AS flagged FROM things AS e", ("identity",))
    assert parts
    truth = "(VALUES (TRUE), (FALSE), (NULL))"
    numbers = "(VALUES (0), (1), (2), (NULL))"
    things = f"SELECT * FROM {truth} AS x(a), {truth} AS y(b), {truth} AS z(c), {numbers} AS w(d)"

    with duckdb.connect() as db:
        answers = db.execute(
            f"""SELECT {parts.caught}, ({parts.flagged})::BOOLEAN IS DISTINCT FROM FALSE
                FROM ({things}) AS {ALIAS}"""
        ).fetchall()

    assert {caught == right for caught, right in answers} == {True}


def test_most_rules_over_files_share_a_pass() -> None:
    """What one more rule of a known shape costs is a predicate. Were they not to share, nothing else would show it."""
    bound = [BoundRule(rule=rule, params={}, as_of=NOON, values=bindings(rule, NOON, {})) for rule in SHIPPED]
    files = [rule.id for rule in SHIPPED if ("exposures", ("gdrive",)) in map(tuple, rule.confined)]

    shared = {member.rule.rule.id for one in passes(bound) if len(one.members) > 1 for member in one.members}

    assert len(shared.intersection(files)) >= 0.8 * len(files)


def copies(folder: Path, *conditions: str) -> list[Rule]:
    """Rules that differ in the condition by which they flag."""
    for number, condition in enumerate(conditions):
        name = f"rule-{number}"
        text = RULE.format(id=name).lstrip()
        begin = text.index("e.audience >=")
        end = text.index("AS flagged", begin)
        write_rule(folder, text[:begin] + condition + " " + text[end:], name)
    return [*load_archived(folder)]


def test_the_failure_of_one_rule_is_its_own(tmp_path: Path) -> None:
    """A stranger's rule that cannot run on this estate is named, though it shares a pass with others."""
    rules = copies(
        tmp_path,
        "e.audience >= 'anyone_with_link' AND e.effective",
        "e.size_bytes * 9000000000000000000 > 1 AND e.audience >= 'anyone_with_link' AND e.effective",
    )
    facts: list[Any] = [file("open", size_bytes=3), grant("open")]

    with pytest.raises(RuleError, match=r"rule-1.yaml:\d+: the query of rule-1 cannot run"):
        judged(facts, rules, together=True)
    verdicts, tallies = judged(facts, rules[:1], together=True)
    assert (len(verdicts), tallies["rule-0"].flagged) == (1, 1)
