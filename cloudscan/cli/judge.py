"""`cloudscan judge`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudscan.cli.only import only_option
from cloudscan.cli.opening import load_config, load_rules
from cloudscan.cli.options import SEVERITIES, rules_option
from cloudscan.cli.spark import Engine, folding, judging_options
from cloudscan.finding import Judgement, Severity, Verdict
from cloudscan.sentence import say

if TYPE_CHECKING:
    from cloudscan.snapshot.snapshot import Snapshot


@click.command()
@click.argument("snapshot", type=click.Path(file_okay=False))
@only_option
@rules_option
@judging_options
@click.option("--fail-on", type=SEVERITIES, help="Exit 1 from this severity up.  [default: as configured, high]")
@click.option("--format", "format_name", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="A table to read, or JSON and nothing else.")  # fmt: skip
@click.pass_obj
def judge(
    config_path: str | None,
    snapshot: str,
    only: Sequence[str],
    rule_folders: Sequence[str],
    fail_on: str | None,
    format_name: str,
    engine: Engine,
) -> int:
    """Judge a SNAPSHOT with today's rules, offline. The ledger is not asked: waived gaps count too."""
    import msgspec

    from cloudscan.cli.main import exit_code_for
    from cloudscan.cli.table import show_table
    from cloudscan.engine import judge as judging
    from cloudscan.snapshot.snapshot import Snapshot

    config = load_config(config_path)
    rules = load_rules(config, rule_folders, for_judging=True)
    with Snapshot.open(Path(snapshot)) as opened, folding(engine, opened) as folded:
        verdicts = judging.judge(
            opened, rules, timezone=config.organisation.timezone, params=config.rules, folding=folded
        )
        complete = opened.scan.complete
        shown = _chosen(opened, verdicts.verdicts, only)
    if format_name == "json":
        click.echo(msgspec.json.encode(shown))
    else:
        rows = [
            [
                verdicts.rule(verdict.rule_id).severity,
                verdict.judgement,
                verdict.rule_id,
                verdict.subject.name,
                verdict.subject.account,
            ]
            for verdict in shown
        ]
        show_table((say("severity"), say("verdict"), say("rule"), say("what"), say("account")), rows)
    limit = Severity(fail_on) if fail_on else config.scan.fail_on
    flagged = (verdict for verdict in shown if verdict.judgement is Judgement.FLAGGED)
    worst = any(verdicts.rule(verdict.rule_id).severity >= limit for verdict in flagged)
    return exit_code_for(findings=worst, incomplete=not complete)


def _chosen(snapshot: "Snapshot", verdicts: Sequence[Verdict], only: Sequence[str]) -> Sequence[Verdict]:
    if not only:
        return verdicts
    from cloudscan.organisation.narrowing import belonging
    from cloudscan.organisation.only import parsed

    return belonging(verdicts, parsed(only), snapshot)
