"""Rules: one YAML file each, with query, texts, mappings and examples, read strictly.

`load` reads folders of rule files and refuses whatever cannot be used as written, with ``file:line:``, what is
wrong and what to write instead. `lint` gives the same problems as a list. What the SQL may say is checked in
`cloudscan.snapshot.sql`.

Layout of a folder::

    <topic>/<id>.yaml          a rule
    frameworks/<id>.yaml       a catalogue of controls, what `frameworks: [id#control]` refers to
                               (see `cloudscan.engine.framework_file`)
    remedies.yaml              fix steps that rules share, see `cloudscan.engine.remedies`
"""

import hashlib
import json
import re
import string
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cloudscan.engine import framework_file, yaml_file
from cloudscan.engine import remedies as shared
from cloudscan.engine.framework_file import Framework
from cloudscan.engine.remedies import LANGUAGES, Remedies
from cloudscan.engine.rule_file import DECLARED, Remedy, Rule, RuleFile
from cloudscan.engine.setting_vocabulary import DeclaredSettings, example_faults, query_faults
from cloudscan.engine.yaml_file import Problem
from cloudscan.errors import RuleError
from cloudscan.sentence import joined, say
from cloudscan.snapshot.sql import CLOCK
from cloudscan.text import suggestion

if TYPE_CHECKING:
    from cloudscan.snapshot.sql import Query

RESERVED = frozenset({"n", "judgement", ""})
_RETIRED = ("needs",)
"""What rule files of earlier versions may contain."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """What a set of folders contains."""

    rules: tuple[Rule, ...]
    frameworks: tuple[Framework, ...]
    problems: tuple[Problem, ...]
    complaints: tuple[Problem, ...]  # what keeps no rule from being used; known only if there are no problems


def load(
    folders: Iterable[Path], settings: DeclaredSettings | None = None, *, proven_in: Path | None = None
) -> tuple[Rule, ...]:
    """All rules of the folders, by id. Raises `RuleError` with one line per problem.

    `settings` are those that connectors declare, by platform; what rules say of settings is checked against them.
    Rules that were never proven (see `cloudscan.engine.proven`) are, and remembered in the file `proven_in`.
    """
    shelf = read(folders, settings, proven_in=proven_in)
    if shelf.problems:
        raise RuleError(joined(shelf.problems, "\n"))
    return shelf.rules


def load_frameworks(folders: Iterable[Path]) -> tuple[Framework, ...]:
    """All frameworks of the folders, by id. Raises `RuleError`."""
    frameworks, problems = framework_file.read(_files(folders))
    if problems:
        raise RuleError(joined(problems, "\n"))
    return tuple(frameworks.values())


def load_archived(folder: Path) -> tuple[Rule, ...]:
    """The rules that a scan of this or an earlier version was judged by, to judge in the same way again.

    They are neither proven nor held to what is asked of rules today. Raises `RuleError`.
    """
    shelf = read([folder], archived=True)
    if shelf.problems:
        raise RuleError(joined(shelf.problems, "\n"))
    return shelf.rules


def lint(folders: Iterable[Path], settings: DeclaredSettings | None = None) -> tuple[Problem, ...]:
    """Everything that is wrong with the rule files, in the order of files and lines. `settings` as in `load`."""
    shelf = read(folders, settings)
    return shelf.problems or shelf.complaints


def read(
    folders: Iterable[Path],
    settings: DeclaredSettings | None = None,
    *,
    proven_in: Path | None = None,
    anew: Path | None = None,
    archived: bool = False,
) -> Shelf:
    """Read folders of rules and frameworks; problems are returned, not raised. `settings` and `proven_in` as in `load`.

    `anew`: one of the folders, whose rules are proven again. `archived`: as in `load_archived`.
    """
    folders = list(folders)
    files = _files(folders)
    frameworks, problems = framework_file.read(files)
    ignored = _RETIRED if archived else ()
    remedies, remedy_problems = shared.read(files, ignored=ignored)
    problems += remedy_problems
    rules: dict[str, Rule] = {}
    for file in files:
        if framework_file.is_framework(file) or shared.is_remedies(file):
            continue
        outcome = read_rule(file, frameworks, remedies, settings or {}, ignored=ignored)
        if isinstance(outcome, Rule):
            if outcome.id in rules:
                first = rules[outcome.id].source
                problems.append(
                    Problem(
                        str(file),
                        1,
                        say("the id {id} is taken by {first}; write another id", id=repr(outcome.id), first=first),
                    )
                )
            else:
                rules[outcome.id] = outcome
        else:
            problems.extend(outcome)
    if not archived:
        problems += _unproven(rules, [folder for folder in folders if not _is_same(folder, anew)], proven_in)
    return Shelf(
        rules=tuple(rules[key] for key in sorted(rules)),
        frameworks=tuple(frameworks.values()),
        problems=tuple(sorted(problems)),
        complaints=() if problems or archived else tuple(_complaints(remedies, frameworks, rules.values())),
    )


def _complaints(remedies: Remedies, frameworks: Mapping[str, Framework], rules: Collection[Rule]) -> Iterator[Problem]:
    """Shared texts that no rule names, controls of unknown extent, commands that readers could not copy as they are."""
    yield from shared.unused(remedies, rules)
    yield from framework_file.unstated(frameworks.values(), rules)
    yield from sorted(set(shared.faults_of_commands(rules)))


def _is_same(folder: Path, other: Path | None) -> bool:
    return other is not None and Path(folder).resolve() == other.resolve()


def _unproven(rules: dict[str, Rule], folders: Iterable[Path], cache: Path | None) -> list[Problem]:
    """Prove the rules that have not been yet; takes those out that fail, and gives what is wrong with them."""
    from cloudscan.engine import proven

    new = proven.unproven(rules.values(), folders, cache)
    if not new:
        return []
    tried = proven.prove(new)
    for rule_id, problems in tried.items():
        if problems:
            del rules[rule_id]
    if cache is not None:
        proven.remember([rule for rule in new if not tried[rule.id]], cache)
    return [problem for problems in tried.values() for problem in problems]


def read_rule(
    file: Path,
    frameworks: Mapping[str, Framework],
    remedies: Remedies,
    settings: DeclaredSettings,
    *,
    ignored: Sequence[str] = (),
) -> Rule | list[Problem]:
    """One rule file, or all that is wrong with it. `ignored` are keys of earlier versions that may be there."""
    outcome = yaml_file.read(file, RuleFile, ignored=ignored)
    if isinstance(outcome, Problem):
        return [outcome]
    document, written = outcome
    from cloudscan.snapshot import sql  # sqlglot takes 0.2 s to import; only commands that read rules pay

    query_line = document.line("$.query")
    # In a block scalar the text begins on the line after its indicator.
    first_line = query_line + 1 if document.is_block("$.query") else query_line
    query = sql.check(written.query)
    faults = [*((fault.line, fault.message) for fault in query.faults), *query_faults(query, settings)]
    problems = [Problem(str(file), first_line + line - 1, message) for line, message in faults]
    problems += [
        Problem(str(file), document.line(path), message)
        for path, message in (
            *_problems(written, query, frameworks, Path(file).stem),
            *_setting_problems(written, query, settings),
        )
    ]
    problems += [
        Problem(str(file), document.line(path), message) for path, message in shared.problems_of(written, remedies)
    ]
    if problems:
        return sorted(problems)
    used = shared.used_by(written, remedies)
    return Rule(
        **{name: getattr(written, name) for name in DECLARED},
        text=shared.texts_of(written, remedies),
        source=str(file),
        remedies=used,
        version=_version(document.content, used),
        query_line=first_line,
        sql=query.sql,
        columns=query.columns,
        tables=query.tables,
        bound=query.bound,
        confined=query.confined,
    )


def _version(content: bytes, remedies: Sequence[Remedy]) -> str:
    texts = json.dumps([sorted(remedy.texts.items()) for remedy in remedies]).encode() if remedies else b""
    return hashlib.sha256(content + texts).hexdigest()[:12]


def _files(folders: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for folder in {Path(folder).resolve(): folder for folder in folders}.values():
        if not Path(folder).is_dir():
            raise RuleError(say("{folder}:1: there is no such folder of rules; name an existing one", folder=folder))
        files += sorted(file for file in Path(folder).rglob("*") if file.suffix in (".yaml", ".yml"))
    return files


def _problems(
    rule: RuleFile, query: "Query", frameworks: Mapping[str, Framework], stem: str
) -> Iterable[tuple[str, str]]:
    """(path, message) for everything that is wrong beside the SQL itself."""
    if not _NAME.fullmatch(rule.id):
        yield (
            "$.id",
            say("{id} is not a name in kebab-case; write something like public-read-by-policy", id=repr(rule.id)),
        )
    elif rule.id != stem:
        yield (
            "$.id",
            say(
                "the id {id} differs from the file's name; write id: {stem}, or rename the file",
                id=repr(rule.id),
                stem=stem,
            ),
        )
    if not _NAME.fullmatch(rule.cause):
        yield (
            "$.cause",
            say("{cause} is not a name in kebab-case; write something like shared-link", cause=repr(rule.cause)),
        )
    if not 1 <= rule.likelihood <= 5:
        yield (
            "$.likelihood",
            say("{likelihood} is outside the scale; write 1 (rare) to 5 (expected)", likelihood=rule.likelihood),
        )
    yield from _query_problems(rule, query)
    yield from _text_problems(rule, query)
    yield from _framework_problems(rule, frameworks)
    yield from _example_problems(rule)


def _query_problems(rule: RuleFile, query: "Query") -> Iterable[tuple[str, str]]:
    if not rule.identity:
        yield "$.identity", say("no identity; write the column that one person fixes once, e.g. [origin_uid]")
    if query.columns:
        if "flagged" not in query.columns:
            yield "$.query", say("the query yields no column `flagged`; write `… AS flagged` on the deciding condition")
        for column in rule.identity:
            if column not in query.columns:
                yield (
                    "$.identity",
                    say(
                        "the query yields no column `{column}`; {hint}",
                        column=column,
                        hint=suggestion(column, query.columns),
                    ),
                )
    for column in sorted({column for column in query.columns if query.columns.count(column) > 1}):
        yield "$.query", say("two columns are called `{column}`; write `… AS other_name` on one", column=column)
    for column in RESERVED.intersection(query.columns):
        yield "$.query", say("`{column}` is a name that the engine needs; write `… AS other_name`", column=column)
    for name in query.bound:
        if name not in CLOCK and name not in rule.params:
            yield (
                "$.query",
                say(
                    "`${name}` is not among the params; {hint}",
                    name=name,
                    hint=suggestion(name, (*CLOCK, *rule.params)),
                ),
            )
    for name, param in rule.params.items():
        if query.columns and name not in query.bound:
            yield f"$.params.{name}", say("the query never uses `${name}`; use it, or drop the param", name=name)
        if fault := param.fault(param.default):
            yield f"$.params.{name}", say("{fault}; write a default inside the bounds", fault=fault)


def _text_problems(rule: RuleFile, query: "Query") -> Iterable[tuple[str, str]]:
    for language in LANGUAGES:
        if language not in rule.text:
            yield (
                "$.text",
                say(
                    "no text in {language}; write {key}: {title, message, why, fix}",
                    language=repr(language),
                    key=language,
                ),
            )
    for language, text in rule.text.items():
        path = f"$.text.{language}"
        if language not in LANGUAGES:
            yield (
                path,
                say(
                    "the language {language} is not known; {hint}",
                    language=repr(language),
                    hint=suggestion(language, LANGUAGES),
                ),
            )
        for field in ("title", "message", "why"):
            if not str(getattr(text, field)).strip():
                yield f"{path}.{field}", say("empty; write what a reader needs here")
        yield from ((f"{path}.message", message) for message in _field_problems(text.message, query.columns))


def _field_problems(message: str, columns: Sequence[str]) -> Iterable[str]:
    try:
        fields = [(name, spec, conversion) for _, name, spec, conversion in string.Formatter().parse(message)]
    except ValueError as error:
        yield say("the message's braces do not match ({error}); write {{ and }} for braces that are meant", error=error)
        return
    for name, spec, conversion in fields:
        if name is None:
            continue
        if spec or conversion or not name.isidentifier():
            yield say(
                "`{{name}}` is more than a column's name; write {example} and shape the value in the query",
                name=name,
                example="{column}",
            )
        elif columns and name not in columns:
            yield say(
                "the query yields no column `{name}` for the message; {hint}", name=name, hint=suggestion(name, columns)
            )


def _framework_problems(rule: RuleFile, frameworks: Mapping[str, Framework]) -> Iterable[tuple[str, str]]:
    for index, reference in enumerate(rule.frameworks):
        path = f"$.frameworks[{index}]"
        framework, hash_mark, control = reference.partition("#")
        if not hash_mark:
            yield (
                path,
                say(
                    "{reference} names no control; write {framework}#<control>",
                    reference=repr(reference),
                    framework=framework,
                ),
            )
        elif framework not in frameworks:
            yield (
                path,
                say(
                    "the framework {framework} is not known; {hint}",
                    framework=repr(framework),
                    hint=suggestion(framework, frameworks),
                ),
            )
        elif control not in frameworks[framework].controls:
            known = suggestion(control, frameworks[framework].controls)
            yield (
                path,
                say(
                    "{framework} has no control {control}; {known}",
                    framework=framework,
                    control=repr(control),
                    known=known,
                ),
            )


def _setting_problems(rule: RuleFile, query: "Query", settings: DeclaredSettings) -> Iterable[tuple[str, str]]:
    for index, example in enumerate(rule.examples):
        for fault in example_faults(example.given.get("settings", ()), query, settings):
            yield f"$.examples[{index}]", fault


def _example_problems(rule: RuleFile) -> Iterable[tuple[str, str]]:
    from cloudscan.engine import examples

    for verdict, shown in (
        ("flags", any(example.flags for example in rule.examples)),
        ("passes", any(example.passes for example in rule.examples)),
        ("unknown", any(example.unknown for example in rule.examples)),
    ):
        if not shown:
            yield "$.examples", say("no example {verdict} anything; write one with `{verdict}: [[…]]`", verdict=verdict)
    for index, example in enumerate(rule.examples):
        path = f"$.examples[{index}]"
        for message in examples.problems(example):
            yield path, message
        for identity in (*example.flags, *example.passes, *example.unknown):
            if len(identity) != len(rule.identity):
                yield (
                    path,
                    say(
                        "{list} does not fit the identity; write one value for each of {identity}",
                        list=list(identity),
                        identity=rule.identity,
                    ),
                )
        for name, value in example.params.items():
            if name not in rule.params:
                yield (
                    path,
                    say("the rule has no param {name}; {hint}", name=repr(name), hint=suggestion(name, rule.params)),
                )
            elif fault := rule.params[name].fault(value):
                yield path, say("param {name}: {fault}", name=name, fault=fault)
