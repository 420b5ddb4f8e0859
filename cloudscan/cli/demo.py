"""`cloudscan demo`: a small company in emulators, scanned for real."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec

from cloudscan.cli.language import current
from cloudscan.cli.options import lang_option
from cloudscan.connector import ConnectorPlugin


@click.command()
@click.option(
    "--into", type=click.Path(file_okay=False), default="cloudscan-demo", show_default=True, help="The folder."
)
@click.option("--open", "show", is_flag=True, help="Open the report in the browser.")
@lang_option
def demo(into: str, show: bool, lang: str | None) -> int:
    """Start the emulators, build a small company in them, scan it, and print the report's path.

    Nothing leaves this machine. The scan is real: the connectors talk HTTP to the emulators.
    """
    from cloudscan import plugins
    from cloudscan.cli.scan import ScanRequest, run
    from cloudscan.config import Config, LedgerTable, OrganisationTable, ScanTable
    from cloudscan.errors import ConfigurationError
    from cloudscan.finding import Severity
    from cloudscan.installation import install_hint
    from cloudscan.sentence import say

    language = lang or current()
    demos = [(plugin, plugins.demo(plugin.name)) for plugin in _usable()]
    if not demos:
        raise ConfigurationError(say("No demo is installed; {how}.", how=install_hint("demo")))
    ledger = Path(into) / "demo.db"
    ledger.unlink(missing_ok=True)  # each demo is a company of its own, without the history of an earlier one
    config = Config(
        organisation=OrganisationTable(name="Kumo Logistics", language="ja" if language == "ja" else "en"),
        scan=ScanTable(folder=into),
        ledger=LedgerTable(url=f"sqlite:///{ledger}"),
    )
    with ExitStack() as running:
        click.echo("Starting the emulators and building a small company …", err=True)
        with plugins.its_packages("The demo", "demo"):
            companies = [(plugin, running.enter_context(demo.start())) for plugin, demo in demos]
        connectors = [
            plugin.open(msgspec.convert(company.options, plugin.options), company.estate)
            for plugin, company in companies
        ]
        page = Path(into) / "report.html"
        request = ScanRequest(
            config=config,
            connectors=connectors,
            concurrency=config.scan.concurrency,
            fail_on=Severity.CRITICAL,
            language=language,
            full=True,
            page=page,
        )
        run(request)
    if show:
        click.launch(str(page))
    return 0


def _usable() -> Iterator[ConnectorPlugin]:
    """The installed connectors that have a demo and can be loaded; broken ones are reported and skipped."""
    from cloudscan import plugins
    from cloudscan.errors import ConfigurationError

    for name in sorted({*plugins.connector_names()} & {*plugins.demo_names()}):
        try:
            yield plugins.connector(name)
        except ConfigurationError as error:
            click.echo(f"cloudscan: skipped: {error}", err=True)
