"""`cloudscan notify`."""

import os
from typing import TYPE_CHECKING

import click

from cloudscan.cli.log import warn
from cloudscan.cli.main import EXIT_INCOMPLETE
from cloudscan.cli.opening import last_report, load_config, open_ledger
from cloudscan.cli.options import lang_option
from cloudscan.config import Config
from cloudscan.errors import ConfigurationError
from cloudscan.sentence import say
from cloudscan.text import plain

if TYPE_CHECKING:
    from cloudscan.notifier import Notice, Notifier


@click.command()
@click.option("--dry-run", is_flag=True, help="Send nothing; show what would be sent, and where.")
@click.option("--again", is_flag=True, help="Send again even if this scan was already announced.")
@lang_option
@click.pass_obj
def notify(config_path: str | None, dry_run: bool, again: bool, lang: str | None) -> int:
    """Notify people of changes in the last scan: new, reopened, widened, resolved, and what could not be read.

    Each scan is announced once, and not at all if nothing changed. Contents of files are never sent.
    """
    return send_notice(load_config(config_path), dry_run=dry_run, again=again, lang=lang or "")


def send_notice(config: Config, *, dry_run: bool = False, again: bool = False, lang: str = "") -> int:
    """Notify of the last scan; gives the exit code."""
    from cloudscan.notifier import notice

    report, ledger = last_report(config, None), open_ledger(config)
    notifier = open_notifier(config)
    diff = ledger.diff() if len(ledger.trend()) > 1 else None
    message = notice(report, diff, config.notify.min_severity)
    language = lang or config.notify.language or config.organisation.language
    if dry_run:
        _show(message, notifier, language, quiet=config.notify.quiet)
        return 0
    if (message.quiet and config.notify.quiet) or (ledger.was_notified(report.scan.id) and not again):
        click.echo("There is nothing new to announce.", err=True)
        return 0
    refused = notifier.send(*notifier.words(message, language))
    if len(refused) < len(notifier.addresses()):
        ledger.save_notification(report.scan.id)
    for address in refused:
        warn(
            say("could not notify: {address} rejected the message; check the address.", address=address),
            "notify.failed",
        )
    return EXIT_INCOMPLETE if refused else 0


def open_notifier(config: Config) -> "Notifier":
    """The configured notifier with its addresses. Raises `ConfigurationError` if there are none that can be used."""
    from cloudscan import plugins

    options = config.notify
    if not options.wanted:
        raise ConfigurationError(
            "No notifications are configured; write [notify] with urls_env or file into cloudscan.toml "
            "(docs/tickets.md)."
        )
    urls = os.environ.get(options.urls_env, "") if options.urls_env else ""
    if options.urls_env and not urls:
        raise ConfigurationError(f"[notify]: the environment variable {options.urls_env} is not set.")
    with plugins.its_packages("Notifying", "notify"):
        return plugins.notifier().open(urls, options.file, options.tags)


def _show(message: "Notice", notifier: "Notifier", language: str, *, quiet: bool) -> None:
    if message.quiet and quiet:
        click.echo("Nothing changed: nothing would be sent.")
        return
    title, text = notifier.words(message, language)
    for address in notifier.addresses():
        click.echo(f"to: {plain(address)}")
    click.echo(f"\n{plain(title)}\n")
    for line in text.splitlines():
        click.echo(plain(line))
