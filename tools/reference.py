#!/usr/bin/env python3
"""Write the pages of reference into docs/: what commands, tables, rules and options say about themselves.

With a folder as argument, they go there instead.
"""

import ast
import inspect
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import click
import msgspec

from cloudscan import config, facts, plugins, reason
from cloudscan.cli.main import cli
from cloudscan.engine import framework_coverage, loader
from cloudscan.facts import EVERYTHING, Hidden
from cloudscan.forecast import Approach, Charge, Quota
from cloudscan.framework import Extent
from cloudscan.organisation.register import PartnerTable
from cloudscan.planning import model
from cloudscan.schemas import field_notes
from cloudscan.snapshot import tables
from cloudscan.ticketing import policy, routing
from tools import manpages


def main() -> None:
    """Write every page."""
    os.environ["COLUMNS"] = "100"  # help is wrapped to the terminal, a page is not
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs"
    pages = {
        "cli": commands(),
        "tables": [*columns(), *settings()],
        "rules": rules(),
        "controls": controls("en"),
        "controls.ja": controls("ja"),
        "configuration": options(),
        "reliability": reliability(),
        "plan": plan(),
    }
    for name, lines in pages.items():
        (folder / f"{name}.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    manuals = {
        "cloudscan.1": manpages.command_page(cli),
        "cloudscan.toml.5": manpages.configuration_page((heading, keys(table)) for heading, table in option_tables()),
    }
    (folder / "man").mkdir(exist_ok=True)
    for name, lines in manuals.items():
        (folder / "man" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def plan() -> Iterator[str]:
    """The page of what a scan will cost: each platform's approaches, for four sizes of an estate."""
    yield _PLAN
    for name in plugins.connector_names():
        plugin = plugins.connector(name)
        forecasting = plugin.forecasting
        if forecasting is None:
            continue
        shares = ", ".join(
            f"one of its {unit} for {1 / share:,.0f} files" for unit, share in forecasting.typical.items() if share < 1
        )
        yield f"\n## {plugin.title}\n"
        yield f"An ordinary estate: {shares}. `--size {name}.UNIT=N` says better.\n"
        yield "| files | approach | requests | hours | of these by quota | processor, h | memory, MB | disk, MB | dollars |"
        yield "| --: | --- | --: | --: | --: | --: | --: | --: | --: |"
        for files in (10_000, 1_000_000, 100_000_000, 1_000_000_000):
            sizes = model.sizes_of(forecasting, {"files": files})
            found = model.costs(forecasting, sizes)
            for cost in found:
                yield (
                    f"| {files:,} | {cost.approach} | {cost.requests:,} | {_hours(cost.hours)} "
                    f"| {_hours(cost.hours_by_quota)} | {_hours(cost.processor_hours)} | {cost.memory_megabytes:,} "
                    f"| {cost.disk_megabytes:,} | {'' if cost.certain else '~'}{cost.dollars:,.0f} |"
                )
        yield "\nApproaches, and what they are:\n"
        for approach in forecasting.approaches:
            more = " ".join(filter(None, (
                f"Needs: {approach.needs}" if approach.needs else "",
                f"Does not say: {approach.lacks}" if approach.lacks else "",
                f"Answers are up to {approach.hours_old:.0f} hours old." if approach.hours_old else "",
            )))  # fmt: skip
            yield f"- **{approach.name}**: {approach.title}. {more}".rstrip()
        yield "\nSources of quotas and prices: " + "; ".join(sorted({
            source.source + ("" if source.certain else " (second-hand)")
            for approach in forecasting.approaches for source in _sources(approach) if source.source
        })) + "."  # fmt: skip


def _sources(approach: Approach) -> list[Quota | Charge]:
    return [*approach.quotas, *approach.charges]


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.2f}"


_PLAN = """# What a scan will cost

    cloudscan plan

counts users, drives, sites, buckets with a handful of requests, and says for each platform what a scan takes by each
approach: requests, hours, processor time, memory, disk, money, and which approach it advises. What cannot be counted is
taken to be as in an ordinary company, and said to be; `--size gdrive.files=2000000` says better, and with `--offline`
nobody is asked.

**Advised** is the live scan as long as it fits into a night (eight hours), because nothing else answers as much; beyond
that what the provider has written itself, where that takes less than half; on the nights after, what changed. Above 30
million resources judging is better done by Spark ([beyond one machine](scale.md)).

The hours are the longest of three: what the provider's quota allows, waiting for answers (0.2 seconds each, 16 at a
time), and the processor. Processor time contains sealing and judging. Memory stays below 2 GiB because DuckDB spills.
Quotas are those of a customer of that size; a `~` marks prices or quotas that are second-hand or guessed. The processor
time of a file is what [the benches](performance.md) measured."""


def commands() -> Iterator[str]:
    """The page of commands: what each says with ``--help``."""
    yield "# The command line\n"
    yield "`cloudscan COMMAND --help` says the same. Exit codes: 0 clean; 1 findings at or above `--fail-on`; 2 usage or"
    yield "configuration; 3 incomplete scan; 4 another scan is running in the same folder; 5 findings and incomplete; 70 a bug.\n"
    yield "Tables fit the terminal, or the width in `COLUMNS`; in a pipe each row is one line. Colour is for terminals: `NO_COLOR` switches it"
    yield "off, `FORCE_COLOR` on."
    yield ""
    yield from _sections(cli, "cloudscan")


def _sections(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path, max_content_width=100, terminal_width=100)
    yield f"## {path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            if subcommand is not None:
                yield from _sections(subcommand, f"{path} {name}")


def columns() -> Iterator[str]:
    """The page of tables: columns, types and meanings."""
    yield "# The tables that rules and queries read\n"
    yield "NULL means *could not be read* and only that. `uid` and `*_uid` are keys in a rule and the ids themselves in what"
    yield "`cloudscan query` prints. `audience` and `access` compare by rung:\n"
    for name, ladder in tables.LADDERS.items():
        yield f"- `{name}`: {' < '.join(f'`{rung}`' for rung in ladder)}"
    yield ""
    for name, kinds in tables.TABLES.items():
        fact = tables.FACTS.get(name)
        notes = field_notes(fact) if fact else {}
        yield f"## {name}\n"
        if fact:
            yield f"{(inspect.getdoc(fact) or '').partition(chr(10) * 2)[0]}\n"
        yield "| column | type | |\n| --- | --- | --- |"
        for column, kind in kinds.items():
            values = tables.VOCABULARIES.get(column, ()) if column not in tables.LADDERS else ()
            note = notes.get(column, "") or " · ".join(f"`{value}`" for value in values)
            yield f"| `{column}` | {kind.replace('_ladder', '').lower()} | {note} |"
        yield ""
        if name == "principals":
            yield from _account_keys()


def _account_keys() -> Iterator[str]:
    """What `detail` of a principal says of the person behind an account."""
    yield "What directories say of the person behind an account stands in `detail`. A key that is left out is not known:\n"
    yield "| key | |\n| --- | --- |"
    notes = _constants(Path(inspect.getfile(facts)))
    for key in facts.ACCOUNT_KEYS:
        yield f"| `{key}` | {notes[key]} |"
    yield ""


def _constants(module: Path) -> dict[str, str]:
    """What is written below the texts that a module names, by the text, in one line."""
    body = ast.parse(module.read_text(encoding="utf-8")).body
    return {
        constant.value.value: " ".join(below.value.value.split()).replace("``", "`").replace("|", "\\|")
        for constant, below in pairwise(body)
        if isinstance(constant, ast.AnnAssign) and isinstance(constant.value, ast.Constant)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(constant.value.value, str) and isinstance(below.value.value, str)
    }


def settings() -> Iterator[str]:
    """The settings that each connector declares."""
    yield "## The settings of each platform\n"
    yield "Each is a row in `settings`, with its value as text. A switch is `true` or `false`, a number is in digits, and NULL is"
    yield "a setting that could not be read. A name that ends in `*` covers all names with that beginning.\n"
    for platform, specs in plugins.declared_settings().items():
        yield f"### {platform}\n\n| name | value | meaning |\n| --- | --- | --- |"
        for spec in specs:
            values = " · ".join(f"`{value}`" for value in spec.choices) or str(spec.type)
            yield f"| `{spec.name}` | {values} | {spec.meaning} |"
        yield ""


def rules() -> Iterator[str]:
    """The page of rules: title, why, parameters, mappings."""
    loaded = loader.load(plugins.rule_folders())
    yield "# The rules that come with cloudscan\n"
    yield f"{len(loaded)} rules. `cloudscan rules show ID` prints one with its query; [write your own](write-a-rule.md).\n"
    topic = ""
    for rule in sorted(loaded, key=lambda rule: (Path(rule.source).parent.name, rule.id)):
        if Path(rule.source).parent.name != topic:
            topic = Path(rule.source).parent.name
            yield f"## {topic}\n"
        text = rule.text["en"]
        yield f"### {rule.id}\n\n{text.title.strip()} ({rule.text['ja'].title.strip()})\n"
        yield f"Severity {rule.severity}, confidence {rule.confidence}, likelihood {rule.likelihood}, cause {rule.cause}.\n"
        yield f"{text.why.strip()}\n"
        for name, param in rule.params.items():
            yield f"- parameter `{name}` = {json.dumps(param.default)}: {param.meaning}"
        if rule.frameworks:
            yield f"- {', '.join(rule.frameworks)}"
        if rule.params or rule.frameworks:
            yield ""


_CONTROLS: Final = {
    "en": (
        "Controls, and how far they can be checked",
        "*Checked*: rules look at all that the control asks for. *Partly*: rules look at some of it, and what they cannot see is\n"
        "said. *Cannot be seen*: no rule can say anything about it, and why. This does not depend on a scan: how a control came out\n"
        "is in the report, framework by framework, and in the [audit pack](audit.md). Each rule counts under its own controls, also\n"
        "where a graver one leads the fix.\n\n"
        "The catalogues list the controls that sharing, people and partners touch, not whole standards. That everything passes\n"
        "is no conformity. [日本語](controls.ja.md)",
        ("control", "how far", "what cannot be seen, and why", "rules"),
        {Extent.CHECKED: "checked", Extent.PARTLY: "partly", Extent.UNSEEN: "cannot be seen"},
    ),
    "ja": (
        "管理策と確認できる範囲",
        "「確認可」は管理策の求める内容をルールですべて確認できること、「一部確認可」は一部を確認できること、「確認不可」は\n"
        "ルールでは確認できないことを示し、後の二つには確認できない内容とその理由を記載します。これはスキャンの結果には\n"
        "よりません。管理策ごとの結果は、レポートと[監査パック](audit.md)に記載されます。同じ対応で解消する検出結果が\n"
        "ほかにあっても、どのルールもそれぞれの管理策に数えます。\n\n"
        "収録しているのは、共有、人、取引先に関係する管理策だけで、基準全体ではありません。すべて適合でも、基準への適合を\n"
        "意味するものではありません。[English](controls.md)",
        ("管理策", "確認できる範囲", "確認できない内容と理由", "ルール"),
        {Extent.CHECKED: "確認可", Extent.PARTLY: "一部確認可", Extent.UNSEEN: "確認不可"},
    ),
}


def controls(language: str) -> Iterator[str]:
    """The page of controls: how far each can be checked, by which rules, and what cannot be seen."""
    title, about, head, words = _CONTROLS[language]
    mapped: dict[str, list[str]] = defaultdict(list)
    for rule in loader.load(plugins.rule_folders()):
        for reference in rule.frameworks:
            mapped[reference].append(rule.id)
    yield f"# {title}\n\n{about}\n"
    for framework in sorted(loader.load_frameworks(plugins.rule_folders()), key=lambda framework: framework.id):
        extents = {
            name: framework_coverage.extent(control, has_rules=f"{framework.id}#{name}" in mapped)
            for name, control in framework.controls.items()
        }
        counts = Counter(extents.values())
        yield f"## {framework.titles[language]}\n"
        yield f"`{framework.id}`, <{framework.url}>. {' · '.join(f'{words[each]} {counts[each]}' for each in Extent)}\n"
        yield f"| {' | '.join(head)} |\n| --- | --- | --- | --- |"
        for name, control in framework.controls.items():
            row = (
                f"`{name}` {control.titles[language]}",
                words[extents[name]],
                control.unseen.get(language, "–"),
                ", ".join(f"`{rule}`" for rule in mapped[f"{framework.id}#{name}"]) or "–",
            )
            yield f"| {' | '.join(row)} |"
        yield ""


_FAILURES = (
    ("401, 403", "*refused*, with the cause that the platform names: a missing permission, a policy, dead credentials"),
    ("404", "the one thing that was asked for is gone; of a list or a setting: a gap"),
    ("400, 410, any other status", "a gap; of a cursor: the scope is read in full the same night"),
    ("429, 503", "asked again as long as the platform says that it throttles and the scan has time; then a gap"),
    ("500, no answer, time-out, a cut body", "asked again a few times, once more at the end of the scan; then a gap"),
    ("HTML, no JSON, another shape", "a gap"),
    ("an error in an answer of status 200", "a gap"),
    ("the asked-for list is not in the answer", "a gap, where the service always writes it"),
    ("a list lacks what cannot be missing from it", "a gap: what the list lacks is not gone"),
    ("an entry that does not parse", "costs itself, is counted, and a gap says how many"),
    ("a page token that has expired", "the list begins again; then a gap"),
    ("page tokens that repeat or never end", "a gap: a list has a bound"),
    ("a list lacks things with open findings", "they are asked for singly; what exists is a gap and not gone"),
)


def reliability() -> Iterator[str]:
    """The page of questions: what is asked, what each failure leads to, what stays unknown without an answer."""
    yield "# What was not read\n"
    yield "An answer that is missing is neither safe, nor gone, nor ours. Everything that a connector asks is a *question* with a"
    yield "name. A question that fails costs what hangs on its answer and nothing else: a *gap*, a row in the report with the"
    yield "question, the reason, and what to do. `cloudscan gaps` lists them, `cloudscan waive add --gap` waives one.\n"
    yield "A gap hides either that things *exist*: what is absent then stays open, unverified; or one of their *attributes*: rules"
    yield "that rest on it say *not evaluated*, and findings that rest on it stay open. Everything else is judged as ever.\n"
    yield "`make campaign` tries every question below with every failure, on a first night and on a second one.\n"
    yield "## What a failure leads to\n"
    yield "| failure | outcome |\n| --- | --- |"
    yield from (f"| {failure} | {outcome} |" for failure, outcome in _FAILURES)
    for name in plugins.connector_names():
        plugin = plugins.connector(name)
        if not plugin.questions:
            continue
        yield f"\n## {plugin.title}: the questions\n"
        yield "| question | asks for | with | without an answer |\n| --- | --- | --- | --- |"
        for asked in sorted(plugin.questions, key=lambda asked: asked.name):
            hidden = "; ".join(dict.fromkeys(map(_hidden, asked.hides))) or "nothing is unknown"
            more = ", and scopes that are not known by other means" if asked.names_scopes else ""
            yield f"| `{asked.name}` | {reason.question(asked.name, 'en')} | {asked.needs or '–'} | {hidden}{more} |"


def _hidden(hidden: Hidden) -> str:
    """What a gap hides, in a few words."""
    of = f" ({', '.join(hidden.kinds)})" if hidden.kinds else ""
    table = "anything" if hidden.table == EVERYTHING else hidden.table
    if not hidden.columns:
        return f"there may be further {table}{of}" if table != "anything" else "there may be anything"
    names = ", ".join(f"`{column.removeprefix('value.')}`" for column in hidden.columns)
    return f"unknown: {names} of {table}{of}"


def options() -> Iterator[str]:
    """The page of ``cloudscan.toml``: each key, its default and meaning."""
    yield "# cloudscan.toml\n"
    yield "`cloudscan init` writes one to start from. An unknown key is an error that names the nearest known one. No secret"
    yield "stands in it: credentials come from the provider's own chain, and a tracker's from the environment.\n"
    for heading, table in option_tables():
        yield from _option_table(heading, table)
    yield "## [rules.ID]\n\nParameters of one rule; see [the rules](rules.md).\n"


def option_tables() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Each table of ``cloudscan.toml``, with the record that reads it."""
    yield from (
        ("[organisation]", config.OrganisationTable),
        ("[[partners]]", PartnerTable),
        ("[scan]", config.ScanTable),
        ("[ledger]", config.LedgerTable),
        ("[roster]", config.RosterTable),
        ("[templates]", config.TemplatesTable),
        ("[waivers]", config.WaiversTable),
        ("[[ranks]]", config.RankTable),
        ("[deadlines]", config.DeadlinesTable),
        ("[deadlines.news-grade], [deadlines.confidential], [deadlines.working]", config.RankDeadlinesTable),
        ("[tickets]", policy.Policy),
        ("[[routes]]", routing.Route),
        ("[retention]", config.RetentionTable),
        ("[notify]", config.NotifyTable),
    )
    for name in plugins.connector_names():
        plugin = plugins.connector(name)
        yield f"[connectors.{name}]", plugin.options
    for name in plugins.format_names():
        format_ = plugins.report_format(name)
        if format_.using:
            yield f"[reports.{name}]", format_.options
    for name in plugins.tracker_names():
        yield f"[trackers.{name}]", plugins.tracker(name).options


def keys(table: type[msgspec.Struct]) -> Iterator[tuple[str, str, str]]:
    """The keys of a table: name, default, meaning."""
    notes = field_notes(table)
    for field in msgspec.structs.fields(table):
        yield field.encode_name, "required" if field.required else _toml(field.default), notes.get(field.name, "")


def _option_table(heading: str, table: type[msgspec.Struct]) -> Iterator[str]:
    summary = (inspect.getdoc(table) or "").partition(": ")[2]
    yield f"## {heading}\n"
    if summary and table.__module__.startswith("cloudscan."):
        yield f"{summary[:1].upper()}{summary[1:]}\n"
    yield "| key | default | |\n| --- | --- | --- |"
    for key, default, note in keys(table):
        yield f"| `{key}` | {default if default == 'required' else f'`{default}`'} | {note} |"
    yield ""


def _toml(value: object) -> str:
    if isinstance(value, msgspec.Struct):
        return "{}"
    if value in ((), None, msgspec.NODEFAULT):
        return "[]" if value == () else '""'
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False)


main()
