"""`cloudscan rules list|show|test|lint|prove`."""

from collections.abc import Sequence
from pathlib import Path

import click

from cloudscan import plugins
from cloudscan.cli import completing
from cloudscan.cli.help import Group
from cloudscan.cli.language import echo
from cloudscan.cli.opening import all_rule_folders, load_config, load_rules, proven_file
from cloudscan.cli.options import lang_option
from cloudscan.sentence import say


@click.group(cls=Group)
def rules() -> None:
    """List, show, check and test the rules. FOLDERS contain rules of your own, which are added to the shipped ones."""


@rules.command("list")
@click.argument("folders", nargs=-1, type=click.Path(file_okay=False))
@lang_option
@click.pass_obj
def list_(config_path: str | None, folders: Sequence[str], lang: str | None) -> None:
    """List the rules: severity, id, title."""
    from cloudscan.cli.table import show_table
    from cloudscan.engine import described

    config = load_config(config_path)
    language = lang or config.organisation.language
    loaded = described.every(all_rule_folders(config, folders)) or load_rules(config, folders)
    rows = [[rule.severity, rule.id, rule.text[language].title, rule.cause] for rule in loaded]
    show_table((say("severity"), say("id"), say("title"), say("cause")), rows)


@rules.command()
@click.argument("rule_id", shell_complete=completing.rules)
@click.argument("folders", nargs=-1, type=click.Path(file_okay=False))
@lang_option
@click.pass_obj
def show(config_path: str | None, rule_id: str, folders: Sequence[str], lang: str | None) -> None:
    """Show one rule: what it asks, why it matters, how to fix it."""
    from cloudscan.cli.rule_text import show_rule
    from cloudscan.engine import described
    from cloudscan.errors import ConfigurationError
    from cloudscan.text import suggestion

    config = load_config(config_path)
    rule = described.find(all_rule_folders(config, folders), rule_id)
    if rule is None:
        ids = [rule.id for rule in load_rules(config, folders)]  # raises for a file that is no rule
        raise ConfigurationError(
            say("There is no rule {rule_id}; {hint}.", rule_id=repr(rule_id), hint=suggestion(rule_id, ids))
        )
    show_rule(rule, lang or config.organisation.language)


@rules.command()
@click.argument("folders", nargs=-1, type=click.Path(file_okay=False))
@click.pass_obj
def lint(config_path: str | None, folders: Sequence[str]) -> int:
    """Check the rule files. Each problem names file, line and what to write instead."""
    from cloudscan.engine import loader

    config = load_config(config_path)
    shelf = loader.read(all_rule_folders(config, folders), plugins.declared_settings(), proven_in=proven_file(config))
    problems = shelf.problems or shelf.complaints
    for problem in problems:
        echo(problem)
    echo(
        say("{count} rules are fine, {bad} problems.", count=len(shelf.rules), bad=len(problems)),
        err=True,
    )
    return 2 if problems else 0


@rules.command()
@click.argument("folder", type=click.Path(file_okay=False, exists=True, path_type=Path))
@click.pass_obj
def prove(config_path: str | None, folder: Path) -> int:
    """Prove all rules of a FOLDER anew, and list them in its proven.json, so that nobody who loads them has to.

    A rule is proven if forgetting never acquits: whatever part of its examples is not known, what was flagged does not
    pass, and what passed is not flagged.
    """
    from cloudscan.engine import loader, proven

    folders = all_rule_folders(load_config(config_path), [str(folder)])
    shelf = loader.read(folders, plugins.declared_settings(), anew=folder)
    for problem in shelf.problems:
        echo(problem)
    rules = [rule for rule in shelf.rules if Path(rule.source).resolve().is_relative_to(folder.resolve())]
    proven.write(rules, folder)
    echo(
        say("{count} rules are proven, {bad} problems.", count=len(rules), bad=len(shelf.problems)),
        err=True,
    )
    return 2 if shelf.problems else 0


@rules.command()
@click.argument("folders", nargs=-1, type=click.Path(file_okay=False))
@click.pass_obj
def test(config_path: str | None, folders: Sequence[str]) -> int:
    """Run the examples in the rule files."""
    from cloudscan.engine import example_runner

    rules = load_rules(load_config(config_path), folders, for_judging=True)
    outcomes = list(example_runner.run(rules))
    bad = [outcome for outcome in outcomes if not outcome.ok]
    for outcome in bad:
        echo(outcome)
    echo(
        say("{count} examples pass, {bad} fail.", count=len(outcomes) - len(bad), bad=len(bad)),
        err=True,
    )
    return 1 if bad else 0
