"""`cloudscan findings`."""

from collections.abc import Sequence

import click

from cloudscan.cli import completing
from cloudscan.cli.language import echo
from cloudscan.cli.only import narrowed_report, only_option
from cloudscan.cli.opening import load_config, open_ledger
from cloudscan.cli.options import SEVERITIES, lang_option
from cloudscan.facts import RANKS, UNRANKED, rank_name
from cloudscan.finding import Finding, Severity, State
from cloudscan.report import Report
from cloudscan.sentence import Sentence, joined, say


@click.command()
@click.option("--severity", type=SEVERITIES, default="info", show_default=True, help="Only this severity or worse.")
@click.option("--rule", "rule_id", shell_complete=completing.rules, help="Only findings of this rule.")
@click.option("--account", shell_complete=completing.accounts, help="Only findings in this account.")
@click.option("--rank", type=click.Choice([*RANKS, UNRANKED]), help="Only findings about resources of this rank.")
@only_option
@click.option("--waived/--not-waived", default=None, help="Only waived findings, or only those that are not.")
@click.option("--limit", type=click.IntRange(1), help="Show at most N findings.")
@click.option("--format", "format_name", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="A table to read, or JSON and nothing else.")  # fmt: skip
@lang_option
@click.pass_obj
def findings(
    config_path: str | None,
    severity: str,
    rule_id: str | None,
    account: str | None,
    rank: str | None,
    only: Sequence[str],
    waived: bool | None,
    limit: int | None,
    format_name: str,
    lang: str | None,
) -> None:
    """List the open findings of the last scan, most urgent first; waived ones say until when."""
    import msgspec

    from cloudscan.cli.table import show_table
    from cloudscan.days import day_of
    from cloudscan.errors import ConfigurationError

    config = load_config(config_path)
    last = open_ledger(config).last()
    if last is None:
        raise ConfigurationError(say("There are no findings yet; run `cloudscan scan` first."))
    language = lang or config.organisation.language
    _refuse_unknown("--rule", rule_id, [rule.id for rule in last.rules])
    _refuse_unknown("--account", account, sorted(_accounts(last) - {""}))
    last = narrowed_report(config, last, only)
    selected = [
        finding
        for finding in last.findings
        if finding.severity >= Severity(severity)
        and rule_id in (None, finding.verdict.rule_id)
        and account in (None, finding.verdict.subject.account)
        and rank in (None, rank_name(finding.verdict.rank))
        and waived in (None, finding.state is State.WAIVED)
    ][:limit]
    if format_name == "json":
        click.echo(msgspec.json.encode(selected))
        return
    if not selected:
        echo(say("No open findings."))
        return
    rows = [
        [f"{finding.score:.0f}", finding.severity, finding.message[language], finding.verdict.subject.account,
         day_of(finding.first_seen_on, last.timezone), _note(finding), finding.fingerprint[:8]]
        for finding in selected
    ]  # fmt: skip
    show_table(
        (say("score"), say("severity"), say("what"), say("account"), say("since"), "", say("id")),
        rows,
    )


def _accounts(report: Report) -> set[str]:
    return {row.account for row in report.coverage} | {finding.verdict.subject.account for finding in report.findings}


def _refuse_unknown(option: str, given: str | None, known: Sequence[str]) -> None:
    """Raises `ConfigurationError` with the nearest name for one that the last scan does not have."""
    from cloudscan.errors import ConfigurationError
    from cloudscan.text import suggestion

    if given is not None and given not in known:
        hint = suggestion(given, known)
        raise ConfigurationError(
            say("{option} {given} is not in the last scan; {hint}.", option=option, given=repr(given), hint=hint)
        )


def _note(finding: Finding) -> Sentence:
    waived = [say("waived until {day}", day=finding.waiver.until)] if finding.waiver else []
    return joined([*waived, *([] if finding.verified else ["?"])])
