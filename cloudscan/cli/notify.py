"""`cloudscan notify`."""

import os
from typing import TYPE_CHECKING

import click

from cloudscan.cli.main import EXIT_INCOMPLETE
from cloudscan.cli.opening import last_report, load_config, open_ledger
from cloudscan.cli.options import lang_option
from cloudscan.config import Config
from cloudscan.errors import ConfigurationError
from cloudscan.text import plain

if TYPE_CHECKING:
    from cloudscan.notifier import Notice, Notifier


@click.command()
@click.option("--dry-run", is_flag=True, help="Send nothing; show what would be sent, and where to.")
@click.option("--again", is_flag=True, help="Send also where this scan was told of already.")
@lang_option
@click.pass_obj
def notify(config_path: str | None, dry_run: bool, again: bool, lang: str | None) -> int:
    """Tell people what changed in the last scan: new, reopened, widened, resolved, and what could not be read.

    Each scan is told of once, and not at all where nothing changed. Never what a file holds.
    """
    return send_notice(load_config(config_path), dry_run=dry_run, again=again, lang=lang or "")


def send_notice(config: Config, *, dry_run: bool = False, again: bool = False, lang: str = "") -> int:
    """Notify of the last scan; gives the exit code."""
    from cloudscan.notifier import notice

    report, ledger = last_report(config, None), open_ledger(config)
    notifier = _notifier(config)
    diff = ledger.diff() if len(ledger.trend()) > 1 else None
    news = notice(report, diff, config.notify.min_severity)
    language = lang or config.notify.language or config.organisation.language
    if dry_run:
        _show(news, notifier, language, quiet=config.notify.quiet)
        return 0
    if (news.quiet and config.notify.quiet) or (ledger.was_notified(report.scan.id) and not again):
        click.echo("There is nothing new to tell.", err=True)
        return 0
    refused = notifier.send(*notifier.words(news, language))
    if len(refused) < len(notifier.addresses()):
        ledger.save_notification(report.scan.id)
    for address in refused:
        click.echo(f"cloudscan: not notified: {plain(address)} did not take it; check the address.", err=True)
    return EXIT_INCOMPLETE if refused else 0


def _notifier(config: Config) -> "Notifier":
    from cloudscan import plugins

    wanted = config.notify
    if not wanted.wanted:
        raise ConfigurationError(
            "Nobody is to be notified; write [notify] with urls_env or file into cloudscan.toml (docs/tickets.md)."
        )
    urls = os.environ.get(wanted.urls_env, "") if wanted.urls_env else ""
    if wanted.urls_env and not urls:
        raise ConfigurationError(f"[notify]: the environment variable {wanted.urls_env} is not set.")
    with plugins.its_packages("Notifying", "notify"):
        return plugins.notifier().open(urls, wanted.file, wanted.tags)


def _show(news: "Notice", notifier: "Notifier", language: str, *, quiet: bool) -> None:
    if news.quiet and quiet:
        click.echo("Nothing changed: nothing would be sent.")
        return
    title, text = notifier.words(news, language)
    for address in notifier.addresses():
        click.echo(f"to: {plain(address)}")
    click.echo(f"\n{plain(title)}\n")
    for line in text.splitlines():
        click.echo(plain(line))
