"""Rule files are refused with file, line, reason and what to write instead."""

from pathlib import Path

import pytest

from cloudscan.connector import SettingSpec, SettingType
from cloudscan.engine.example_runner import run
from cloudscan.engine.judging_record import files_of
from cloudscan.engine.loader import lint, load, load_archived, read
from cloudscan.engine.rule_file import Rule
from cloudscan.errors import RuleError
from tests.kit.facts import RULE, load_text, write_rule


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(RuleError) as refused:
        load_text(folder, text)
    return str(refused.value).replace(f"{folder}/links/", "")


@pytest.mark.parametrize(
    ("written", "instead", "line", "message"),
    [
        ("severity: high", "severity: hihg", 2, "write high"),
        ("effort: low", "efort: low", 6, "the key `efort` is not known; write effort"),
        ("effort: low", "effort: tiny", 6, "write one of"),
        ("likelihood: 4", "likelihood: 9", 5, "write 1 (rare) to 5 (expected)"),
        ("id: link-open-to-anyone", "id: other-name", 1, "differs from the file's name"),
        ("identity: [origin_uid]", "identity: [orgin_uid]", 7, "write origin_uid"),
        ("cause: shared-link", "cause: shared-link\ncause: again", 5, "`cause` is written twice"),
        ("e.origin_uid,", "e.orign_uid,", 9, "`exposures` has no column `orign_uid`; write origin_uid"),
        ("FROM exposures AS e", "FROM exposure AS e", 11, "there is no table `exposure`; write exposures"),
        ("FROM exposures AS e", "FROM read_csv('/etc/passwd') AS e", 11, "a rule reads tables"),
        ("FROM exposures AS e", "FROM 'x.parquet' AS e", 11, "there is no table `x.parquet`"),
        ("<> 'account'", "<> getenv('HOME')", 12, "the function getenv is not allowed"),
        ("<> 'account'", "<> 'a' AND e.granted_on < now()", 12, "now() reads the clock"),
        ("<> 'account'", "<> 'a' AND e.granted_on < current_date", 12, "reads the clock"),
        ("<> 'account'", "<> 'a' AND random() < 0.5", 12, "is random"),
        ("<> 'account'", "<> 'a'; DROP TABLE grants", 9, "a rule is exactly one SELECT"),
        ("<> 'account'", "<> 'a' ORDER BY 1", 12, "drop ORDER BY"),
        ("<> 'account'", "<> 'a' LIMIT 1", 12, "drop LIMIT"),
        ("<> 'account'", "<> 'a' AND e.granted_on < $as_off", 8, "write as_of"),
        ("<> 'account'", "<> 'a' AND (e.audience) > 'owner'", 12, "is a ladder"),
        ("<> 'account'", "<> 'a' AND e.audience = 'anyone'", 12, "`audience` is never 'anyone'"),
        ("<> 'account'", "<> 'a' AND e.size_bytes / 2 > 1", 12, "a * 100 > b * 20"),
        ("<> 'account'", "<> 'a' AND AND", 12, "this SQL cannot be parsed"),
        ("AS flagged", "AS flaged", 8, "no column `flagged`"),
        ("SELECT e.origin_uid", "SELECT e.grant_uid, e.origin_uid", 8, "two columns are called `grant_uid`"),
        ("{resource_name} is open", "{resource_nam} is open", 14, "write resource_name"),
        ("{resource_name} is open", "{resource_name.__class__} is open", 14, "write {column}"),
        ("why: It leaks.", "why: ''", 14, "empty"),
        ("  ja: {", "  fr: {", 15, "the language 'fr' is not known"),
        ("audience: null", "audience: null, colour: red", 23, "`grants` has no column `colour`"),
        ("unknown: [[res]]", "flags: [[res]]", 16, "no example unknown anything"),
        ("passes: [[res]]", "passes: [[res, way]]", 20, "does not fit the identity"),
        ("likelihood: 4", "likelihood: 4\nframeworks: [cis#1.1]", 6, "the framework 'cis' is not known"),
        ("likelihood: 4", "likelihood: [", 7, "this is not YAML"),
        ("likelihood: 4", "likelihood: &a 4\nneeds: {en: *a , ja: *a }", 5, "aliases"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused(
    tmp_path: Path, rule_text: str, written: str, instead: str, line: int, message: str
) -> None:
    """The message names the line to go to and what to write there."""
    assert written in rule_text

    refused = refusal(tmp_path, rule_text.replace(written, instead, 1))

    assert any(
        part.startswith(f"link-open-to-anyone.yaml:{line}: ") and message in part for part in refused.splitlines()
    )


def test_an_unnamed_ladder_cannot_hide(tmp_path: Path, rule_text: str) -> None:
    """Under another name a ladder would be compared as text; so it keeps its name."""
    hidden = rule_text.replace("e.audience, e.access", "e.audience AS reach, e.access", 1)

    assert "a ladder keeps its name" in refusal(tmp_path, hidden)


def test_all_problems_of_all_files_come_together(tmp_path: Path, rule_text: str) -> None:
    """An author fixes a folder in one go."""
    for name in ("first", "second"):
        path = tmp_path / "links" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(rule_text.replace("link-open-to-anyone", name).replace("likelihood: 4", "likelihood: 0"))

    problems = lint([tmp_path])

    assert [Path(problem.file).name for problem in problems] == ["first.yaml", "second.yaml"]


def test_an_id_is_taken_once(tmp_path: Path, rule_text: str) -> None:
    """Findings are named after rules, so two rules cannot share a name."""
    load_text(tmp_path / "a", rule_text)
    load_text(tmp_path / "b", rule_text)

    with pytest.raises(RuleError, match="is taken by"):
        load([tmp_path / "a", tmp_path / "b"])


def test_controls_are_resolved(tmp_path: Path, rule_text: str) -> None:
    """A rule may name a control that its frameworks know."""
    (tmp_path / "frameworks").mkdir()
    (tmp_path / "frameworks" / "cis.yaml").write_text("{id: cis, title: CIS, controls: {'1.1': Share less}}")

    rules = load_text(tmp_path, rule_text.replace("effort: low", "effort: low\nframeworks: ['cis#1.1']"))

    assert rules[0].frameworks == ["cis#1.1"]
    assert "has no control '1.2'" in refusal(
        tmp_path, rule_text.replace("effort: low", "effort: low\nframeworks: ['cis#1.2']")
    )


def test_words_that_yaml_once_took_for_booleans_are_words(tmp_path: Path, rule_text: str) -> None:
    """`value: off` is the word off."""
    given = "{settings: [{name: website, value: off}], grants: [{audience: null}]}"

    rule = load_text(tmp_path, rule_text.replace("given: {grants: [{audience: null}]}", f"given: {given}"))[0]

    assert rule.examples[2].given["settings"][0]["value"] == "off"


def test_examples_hold(rules: tuple[Rule, ...]) -> None:
    """Each example of a rule comes out as its author wrote."""
    assert [outcome.problems for outcome in run(rules)] == [(), (), ()]


def test_an_example_that_does_not_hold_says_why(tmp_path: Path) -> None:
    """The author reads which identity came out how."""
    text = RULE.format(id="link-open-to-anyone").lstrip()
    wrong = text.replace("flags: [[res]]", "flags: [[other]]").replace(
        "passes: [[res]]", "flags: [[res]]\n    passes: []"
    )
    wrong = wrong.replace("given: {grants: [{audience: null}]}", "given: {grants: [{audience: named}]}")
    wrong += "  - {it: passes a named one, given: {grants: [{}]}, passes: [[res]]}\n"

    problems = [" ".join(outcome.problems) for outcome in run(load_text(tmp_path, wrong))]

    assert "[other] should be flagged but is missing from the result" in problems[0]
    assert "[res] is flagged, which the example does not mention" in problems[0]
    assert problems[1] == "[res] should be flagged but is passed"
    assert problems[2] == "[res] should be unknown but is passed"
    assert problems[3] == ""


def test_hundreds_of_rules_are_loaded(tmp_path: Path, rule_text: str) -> None:
    """`tests/bench/growth.py` measures how long that takes."""
    for number in range(200):
        name = f"rule-{number}"
        path = tmp_path / "many" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(rule_text.replace("id: link-open-to-anyone", f"id: {name}"), encoding="utf-8")

    assert len(load([tmp_path])) == 200


SETTINGS = {
    "s3": [
        SettingSpec(name="website", type=SettingType.SWITCH, meaning="the bucket serves a website"),
        SettingSpec(name="ownership", type=SettingType.CHOICE, choices=("enforced", "writer"), meaning="of objects"),
    ],
    "m365": [
        SettingSpec(name="link_days", type=SettingType.NUMBER, meaning="days until links for anyone expire"),
        SettingSpec(name="policy.*", type=SettingType.TEXT, meaning="whatever the policy API has"),
    ],
}


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        ("s.name = 'website' AND s.value = 'true'", ""),
        ("s.name = 'websit' AND s.value = 'true'", "there is no setting 'websit'; write website"),
        ("s.name = 'website' AND s.value = 'on'", "the setting 'website' is never 'on'; write one of true, false"),
        ("s.name = 'ownership' AND s.value <> 'enforcd'", "is never 'enforcd'; write enforced"),
        ("s.name IN ('website', 'sites')", "there is no setting 'sites'"),
        ("s.name IN ('website', 'ownership') AND s.value IN ('true', 'writer')", ""),
        ("s.name = 'link_days' AND s.value = '0'", ""),
        ("s.name = 'link_days' AND s.value = 'none'", "is a number, never 'none'"),
        ("s.name = 'policy.new' AND s.value = 'x'", ""),
        ("s.name = 'link_days' AND e.platform = 's3'", "there is no setting 'link_days'"),
        ("s.name = 'anything' AND e.platform = 'gdrive'", ""),
    ],
)
def test_settings_are_those_that_connectors_declare(tmp_path: Path, rule_text: str, condition: str, fault: str) -> None:
    """Of the platforms that the rule is about; of one that is not installed the vocabulary is not known."""
    query = f"JOIN settings AS s ON s.scope_uid = e.resource_uid\n  WHERE {condition} AND"
    write_rule(tmp_path, rule_text.replace("WHERE", query))

    problems = read([tmp_path], SETTINGS, archived=True).problems

    assert [(problem.line, fault in problem.message) for problem in problems] == ([(13, True)] if fault else [])


def test_examples_give_settings_that_connectors_declare(tmp_path: Path, rule_text: str) -> None:
    given = "{settings: [{name: website, value: off}], grants: [{audience: null}]}"
    write_rule(tmp_path, rule_text.replace("given: {grants: [{audience: null}]}", f"given: {given}"))

    (problem,) = lint([tmp_path], SETTINGS)

    assert (problem.line, "the setting 'website' is never 'off'" in problem.message) == (23, True)


REMEDIES = """
fix:
  close-link: {en: Open the file and remove the link., ja: ファイルを開き、リンクを削除します。}
  ask-owner: {en: Ask the owner., ja: 管理者に確認します。}
  unshare: '`aws unshare {name}`'
"""

OWN_AND_SHARED = "[close-link, unshare, '`aws log`', {en: Tell them., ja: 伝えます。}]"


def share_remedies(folder: Path, text: str = REMEDIES) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "remedies.yaml").write_text(text, encoding="utf-8")


def with_shared(rule_text: str, fix: str = OWN_AND_SHARED) -> str:
    """The rule with a list of steps instead of the text's own."""
    own = rule_text.replace(", fix: Close it.", "").replace(", fix: 閉じます。", "")
    return own.replace("examples:", f"fix: {fix}\nexamples:", 1)


def test_shared_steps_are_written_out(tmp_path: Path, rule_text: str) -> None:
    """A reader sees one text, whether its steps were shared, commands or written in the rule."""
    share_remedies(tmp_path)

    rule = load_text(tmp_path, with_shared(rule_text))[0]

    assert rule.text["en"].fix == "Open the file and remove the link.\n`aws unshare {name}`\n`aws log`\nTell them.\n"
    assert rule.text["ja"].fix == "ファイルを開き、リンクを削除します。\n`aws unshare {name}`\n`aws log`\n伝えます。\n"


def test_a_shared_text_belongs_to_the_version_of_the_rules_that_use_it(tmp_path: Path, rule_text: str) -> None:
    """Another step is another rule, also where its own file stays as it is; a step of other rules is not."""
    share_remedies(tmp_path)
    before = load_text(tmp_path, with_shared(rule_text))[0]

    share_remedies(tmp_path, REMEDIES.replace("Ask the owner.", "Ask the owner first."))
    other_changed = load_text(tmp_path, with_shared(rule_text))[0]
    share_remedies(tmp_path, REMEDIES.replace("remove the link.", "delete the link."))
    own_changed = load_text(tmp_path, with_shared(rule_text))[0]

    assert other_changed.version == before.version
    assert own_changed.version != before.version


@pytest.mark.parametrize(
    ("fix", "line", "message"),
    [
        ("[clos-link]", 16, "there is no step 'clos-link' in remedies.yaml; write close-link"),
        ("[{en: Tell them.}]", 16, "a step needs a text in each language"),
        ("[close-link]\ntext.en.fix: Close it.", 17, "`text.en.fix` is not known"),
    ],
)
def test_steps_that_cannot_be_written_out_are_refused(
    tmp_path: Path, rule_text: str, fix: str, line: int, message: str
) -> None:
    """The message names the line and the nearest shared step."""
    share_remedies(tmp_path)

    refused = refusal(tmp_path, with_shared(rule_text, fix))

    assert f"link-open-to-anyone.yaml:{line}: " in refused
    assert message in refused


def test_steps_are_written_in_one_place(tmp_path: Path, rule_text: str) -> None:
    """A rule with both, or with neither, says nothing reliable about the order of work."""
    share_remedies(tmp_path)
    both = rule_text.replace("examples:", "fix: [close-link]\nexamples:", 1)
    neither = rule_text.replace(", fix: Close it.", "")

    assert "the steps are listed under the rule's `fix` too" in refusal(tmp_path, both)
    assert "or list the steps under the rule's `fix`" in refusal(tmp_path, neither)


def test_a_shared_text_that_no_rule_names_is_a_complaint_but_no_obstacle(tmp_path: Path, rule_text: str) -> None:
    """`lint` names it; a scan with these rules runs."""
    share_remedies(tmp_path)
    load_text(tmp_path, with_shared(rule_text))

    assert [str(problem) for problem in lint([tmp_path])] == [
        f"{tmp_path}/remedies.yaml:4: no rule uses 'ask-owner'; name it in a rule, or drop it"
    ]


def test_shared_texts_have_one_id_and_all_languages(tmp_path: Path, rule_text: str) -> None:
    """Two texts under one id, or half a text, would show some readers the wrong step."""
    share_remedies(tmp_path / "a")
    share_remedies(tmp_path / "b", "fix: {close-link: {en: x, ja: y}, other: {en: x}, third: no command}")
    load_text(tmp_path / "c", rule_text)

    messages = [str(problem) for problem in lint([tmp_path / "a", tmp_path / "b", tmp_path / "c"])]

    assert any("b/remedies.yaml:1: the id 'close-link' is taken by" in message for message in messages)
    assert any("'other' needs a text in each language" in message for message in messages)
    assert any("'third' needs a text in each language" in message for message in messages)


def test_what_a_scan_was_judged_by_loads_again(tmp_path: Path, rule_text: str) -> None:
    """The kept files contain the shared texts, so a replay has the same rules, from as many folders as there were."""
    share_remedies(tmp_path / "a")
    share_remedies(tmp_path / "b", "fix: {lock-it: {en: Lock it., ja: 鍵を掛けます。}}")
    load_text(tmp_path / "a", with_shared(rule_text))
    path = tmp_path / "b" / "links" / "second.yaml"
    path.parent.mkdir()
    path.write_text(with_shared(rule_text, "[lock-it]").replace("link-open-to-anyone", "second"), encoding="utf-8")
    rules = load([tmp_path / "a", tmp_path / "b"])

    for name, content in files_of(rules).items():
        kept = tmp_path / "kept" / name
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(content, encoding="utf-8")

    again = load_archived(tmp_path / "kept")
    assert [(rule.id, rule.version, rule.text) for rule in again] == [
        (rule.id, rule.version, rule.text) for rule in rules
    ]


def test_rules_of_an_earlier_version_load_again_as_they_were(tmp_path: Path, rule_text: str) -> None:
    """What an audit pack was judged by is judged by again, whatever is asked of rules today."""
    share_remedies(tmp_path, REMEDIES + "needs: {read-links: {en: reading links, ja: リンクの読み取り}}\n")
    older = with_shared(rule_text).replace("examples:", "needs: read-links\nexamples:", 1)
    write_rule(tmp_path, older.replace("AND e.effective", "AND COALESCE(e.effective, FALSE)"))

    assert [rule.id for rule in load_archived(tmp_path)] == ["link-open-to-anyone"]
    assert "the key `needs` is not known" in str(lint([tmp_path])[0])


def test_a_command_that_cannot_be_copied_is_a_complaint_but_no_obstacle(tmp_path: Path, rule_text: str) -> None:
    """An author learns in which line a command needs a shell that is known, or a placeholder that is marked."""
    command = "`frobnicate --bucket {resource_name}`"
    write_rule(tmp_path, rule_text.replace("fix: Close it.", f"fix: '{command}'"))

    assert [(each.line, each.message.partition(";")[0]) for each in lint([tmp_path])] == [
        (14, "the shell of `frobnicate` is not known")
    ]
    assert load([tmp_path])
