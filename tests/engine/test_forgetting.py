"""Forgetting never acquits: rules that decide about what they do not know are refused, with what to write instead."""

import json
import textwrap
from pathlib import Path

import pytest

from cloudscan.engine import examples, forgetting, proven, worlds
from cloudscan.engine.judge import bindings, fold
from cloudscan.engine.loader import lint, load, read
from cloudscan.engine.rule_file import Rule
from cloudscan.snapshot import in_memory
from tests.kit.facts import RULE, load_text, write_rule

SHIPPED = Path(__file__).parents[2] / "rules"

OPEN = "e.audience >= 'anyone_with_link' AND e.effective"
FILES = "FROM exposures AS e\nWHERE e.resource_kind = 'file'"
PLAIN_EXAMPLES = """
  - {it: flags, given: {grants: [{audience: anyone_with_link}]}, flags: [[res]]}
  - {it: passes, given: {grants: [{audience: named}]}, passes: [[res]]}
  - {it: cannot tell, given: {grants: [{audience: null}]}, unknown: [[res]]}
"""
SYNCED = """
  - it: flags
    given: {resources: [{detail: {synced: 'true'}}], grants: [{audience: anyone_with_link}]}
    flags: [[res]]
  - {it: passes, given: {resources: [{detail: {synced: 'false'}}], grants: [{audience: named}]}, passes: [[res]]}
  - {it: cannot tell, given: {resources: [{detail: {synced: 'true'}}], grants: [{audience: null}]}, unknown: [[res]]}
"""
GROUPS = """
  - it: flags a group without guests
    given: {principals: [{uid: team, kind: group}, {uid: a}], memberships: [{group_uid: team, member_uid: a}]}
    flags: [[team]]
  - it: passes a group with one
    given:
      principals: [{uid: team, kind: group}, {uid: g, kind: guest}]
      memberships: [{group_uid: team, member_uid: g}]
    passes: [[team]]
  - it: cannot tell
    given: {principals: [{uid: team, kind: group, status: null}]}
    unknown: [[team]]
"""
GUESTS_IN = "SELECT 1 FROM members AS m JOIN principals AS p ON p.uid = m.member_uid"


def rule_text(query: str, identity: str, given: str) -> str:
    head, _, rest = RULE.format(id="link-open-to-anyone").lstrip().partition("query: |\n")
    texts = rest[rest.index("text:") : rest.index("examples:")].replace("{resource_name}", "It")
    head = head.replace("[origin_uid]", f"[{identity}]")
    return f"{head}query: |\n{textwrap.indent(query, '  ')}\n{texts}examples:{given}"


def faults(folder: Path, query: str, identity: str = "resource_uid", given: str = PLAIN_EXAMPLES) -> list[str]:
    write_rule(folder, rule_text(query, identity, given))
    return [str(problem).replace(f"{folder}/links/link-open-to-anyone.yaml:", "") for problem in lint([folder])]


@pytest.mark.parametrize(
    ("condition", "line", "what", "instead"),
    [
        (
            f"COALESCE({OPEN}, FALSE)",
            10,
            "what is flagged is passed once `grants.audience` is not known",
            "e.audience >= 'anyone_with_link'",
        ),
        (
            "e.audience >= 'anyone_with_link' AND COALESCE(e.effective, TRUE)",
            10,
            "with `grants.effective` = False is flagged where `grants.effective` is not known",
            "write e.effective",
        ),
        (f"({OPEN}) IS TRUE", 10, "once `grants.audience` is not known", "is never unknown; write"),
        (
            "e.audience >= 'anyone_with_link' AND e.effective IS DISTINCT FROM FALSE",
            10,
            "`grants.effective`",
            "write e.effective <> FALSE",
        ),
        (
            "CASE WHEN e.audience < 'anyone_with_link' THEN FALSE ELSE e.effective END",
            10,
            "`grants.audience`",
            "begin with WHEN e.audience IS NULL THEN NULL",
        ),
    ],
)
def test_a_default_is_refused(tmp_path: Path, condition: str, line: int, what: str, instead: str) -> None:
    """It says which example, what was forgotten, what became of the verdict, and what to write."""
    problems = faults(tmp_path, f"SELECT e.resource_uid,\n       {condition} AS flagged\n{FILES}")

    assert any(problem.startswith(f"{line}: in the example '") for problem in problems), problems
    assert any(what in problem and instead in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("query", "what", "instead"),
    [
        (
            f"SELECT e.resource_uid, {OPEN} AS flagged\n{FILES}\n  AND e.resource_detail ->> 'synced' = 'true'",
            "no longer in the result, which counts as passed, once `resources.detail.synced` is not known",
            "write it into `flagged`, or keep such rows",
        ),
        (
            f"SELECT e.resource_uid, {OPEN} AND NULLIF(e.resource_detail ->> '$.synced', 'false') IS NOT NULL "
            f"AS flagged\n{FILES}",
            "is passed once `resources.detail.synced` is not known",
            "",
        ),
        (
            f"SELECT e.resource_uid, {OPEN} AND COALESCE(e.resource_detail ->> '$.synced', '') <> 'false' "
            f"AS flagged\n{FILES}",
            "with `resources.detail.synced` = 'false' is flagged where `resources.detail.synced` is not known",
            "write e.resource_detail ->> '$.synced' <> 'false'",
        ),
    ],
)
def test_a_key_that_was_left_out_is_not_known(tmp_path: Path, query: str, what: str, instead: str) -> None:
    """Also where no example has the value that it hides: every value that the query compares with is tried."""
    problems = faults(tmp_path, query, given=SYNCED)

    assert any(what in problem and instead in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("condition", "what"),
    [
        ("COALESCE(e.principal_affiliation, 'internal') <> 'external'", "`principals.affiliation`"),
        ("COALESCE(e.owner_status, 'active') = 'active'", "`principals.status`"),
        ("e.owner_uid IS NULL", "`resources.owner_uid`"),
        (
            "(SELECT SUM(a.count) FROM activity AS a WHERE a.resource_uid = e.resource_uid) IS NULL",
            "the uses of res",
        ),
    ],
)
def test_somebody_whom_no_example_mentions_is_tried(tmp_path: Path, condition: str, what: str) -> None:
    """A default for principals, owners or uses is found, although no example has any."""
    problems = faults(tmp_path, f"SELECT e.resource_uid, {OPEN} AND {condition} AS flagged\n{FILES}")

    assert any(what in problem for problem in problems), problems


def test_a_setting_that_no_example_gives_is_not_known_either(tmp_path: Path) -> None:
    """A default for it is found, although every example would come out the same."""
    query = (
        f"SELECT e.resource_uid, {OPEN} AND COALESCE(s.value, 'off') = 'off' AS flagged FROM exposures AS e "
        "LEFT JOIN settings AS s ON s.scope_uid = e.resource_uid AND s.name = 'lock' WHERE e.resource_kind = 'file'"
    )

    problems = faults(tmp_path, query)

    assert any("is flagged where `settings.value.lock` is not known" in problem for problem in problems), problems
    assert any("write s.value = 'off'" in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("flagged", "instead"),
    [
        (f"NOT EXISTS ({GUESTS_IN} AND p.kind = 'guest' WHERE m.group_uid = g.uid)", "EXISTS is never unknown"),
        (
            "(SELECT COUNT(p.uid) FROM members AS m LEFT JOIN principals AS p ON p.uid = m.member_uid "
            "AND p.kind = 'guest' WHERE m.group_uid = g.uid) = 0",
            "count that as well",
        ),
        (
            f"g.uid NOT IN ({GUESTS_IN.replace('1', 'm.group_uid')} WHERE p.kind = 'guest')",
            "JOIN drops the row",
        ),
    ],
)
def test_a_list_that_was_not_read_is_not_empty(tmp_path: Path, flagged: str, instead: str) -> None:
    """What is said to have no members passes, or is flagged, only if the list was read."""
    query = f"SELECT g.uid, g.status = 'active' AND {flagged} AS flagged FROM principals AS g WHERE g.kind = 'group'"

    problems = faults(tmp_path, query, "uid", GROUPS)

    assert any("once the members of team are not known" in problem for problem in problems), problems
    assert any(instead in problem for problem in problems), problems


def test_what_stays_unknown_is_accepted(tmp_path: Path) -> None:
    """`IN` over a list with an unknown entry is unknown, as are comparisons and rows that LEFT JOIN keeps."""
    query = (
        "SELECT g.uid, g.status = 'active' AND NOT 'guest' IN (SELECT p.kind FROM members AS m "
        "LEFT JOIN principals AS p ON p.uid = m.member_uid WHERE m.group_uid = g.uid) AS flagged "
        "FROM principals AS g WHERE g.kind = 'group'"
    )

    assert faults(tmp_path, query, "uid", GROUPS) == []


def test_an_unread_list_takes_the_place_of_what_was_in_it(tmp_path: Path) -> None:
    """A finding for each person cannot name anybody when the list was not read: one unknown row is enough."""
    query = (
        "SELECT e.resource_uid, e.principal_uid, e.audience = 'named_external' AND e.effective AS flagged "
        "FROM exposures AS e WHERE e.resource_kind = 'file'"
    )
    filtered = f"{query} AND e.principal_uid IS NOT NULL"
    given = """
  - {it: flags, given: {grants: [{audience: named_external, principal_uid: x}]}, flags: [[res, x]]}
  - {it: passes, given: {grants: [{audience: named, principal_uid: x}]}, passes: [[res, x]]}
  - {it: cannot tell, given: {grants: [{audience: null, principal_uid: x}]}, unknown: [[res, x]]}
"""

    assert faults(tmp_path, query, "resource_uid, principal_uid", given) == []
    (problem, *_) = faults(tmp_path, filtered, "resource_uid, principal_uid", given)
    assert "no longer in the result, which counts as passed, once the grants of res are not known" in problem
    assert "e.principal_uid IS NULL" in problem


def test_two_parts_together_are_forgotten_as_well(tmp_path: Path) -> None:
    """A default that only shows when two things are unknown is one all the same."""
    condition = "CASE WHEN e.effective IS NULL AND e.password IS NULL THEN FALSE ELSE " + OPEN + " END"

    problems = faults(tmp_path, f"SELECT e.resource_uid, {condition} AS flagged\n{FILES}")

    assert any("once `grants.effective` and `grants.password` are not known" in problem for problem in problems)


def test_a_refused_rule_does_not_load_and_a_proven_one_is_remembered(tmp_path: Path) -> None:
    """The proof is made once, whatever the rule's texts become; a cache that is damaged is no obstacle."""
    cache = tmp_path / "state" / "proven.json"
    write_rule(tmp_path / "rules", RULE.format(id="link-open-to-anyone"))

    (rule,) = load([tmp_path / "rules"], proven_in=cache)
    assert json.loads(cache.read_text("utf-8")) == [proven.name_of(rule)]
    assert proven.unproven([rule], [], cache) == []

    cache.write_text("[", "utf-8")
    assert load([tmp_path / "rules"], proven_in=cache) == (rule,)
    assert json.loads(cache.read_text("utf-8")) == [proven.name_of(rule)]
    write_rule(
        tmp_path / "rules", RULE.format(id="link-open-to-anyone").replace("e.effective", "COALESCE(e.effective, TRUE)")
    )
    assert read([tmp_path / "rules"], proven_in=cache).rules == ()


def test_the_shipped_rules_are_listed_as_proven() -> None:
    """After a change of a query or an example: `cloudscan rules prove rules`."""
    shelf = read([SHIPPED])

    assert proven.unproven(shelf.rules, [SHIPPED], None) == []


@pytest.mark.parametrize("number", range(0, 134, 19))
def test_the_list_of_proven_rules_is_right(number: int) -> None:
    """A sample is proven anew."""
    rule = load([SHIPPED])[number]

    assert proven.prove([rule]) == {rule.id: []}


@pytest.mark.parametrize(
    "rule_id", ["m365-guest-in-many-sites", "drive-open-folder-with-many-files", "s3-website-open"]
)
def test_estates_that_are_judged_together_do_not_see_each_other(rule_id: str) -> None:
    """Each is decided as it is alone, also where a rule counts over a whole account."""
    rule = next(rule for rule in load([SHIPPED]) if rule.id == rule_id)
    given = [one for one in rule.examples if one.params == rule.examples[0].params]
    bound = bindings(rule, examples.AS_OF, given[0].params)

    with in_memory.open_empty() as db:
        together = worlds.judge(db, rule, [examples.estate_of(one) for one in given], bound)
        for example, judged in zip(given, together, strict=True):
            db.execute("BEGIN")
            in_memory.fill(db, examples.estate_of(example))
            alone = dict(fold(db, rule, bound))
            db.execute("ROLLBACK")
            assert worlds.judge(db, rule, [examples.estate_of(example)], bound) == [judged]
            assert {tuple(str(value or "") for value in one): what for one, what in judged.items()} == alone


def test_an_example_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """All pairs of its parts would take too long."""
    many = ", ".join("{audience: anyone_with_link}" for _ in range(forgetting.MOST))
    text = RULE.format(id="link-open-to-anyone").replace("[{audience: anyone_with_link}]", f"[{many}]")

    write_rule(tmp_path, text)

    assert "write smaller examples" in str(lint([tmp_path])[0])


def test_a_rule_is_proven_in_a_moment(tmp_path: Path) -> None:
    """The rule of the other tests, with everything that is tried."""
    rule: Rule = load_text(tmp_path, RULE.format(id="link-open-to-anyone"))[0]

    with in_memory.open_empty() as db:
        assert list(forgetting.slips(db, rule)) == []
