"""`cloudscan nightly`: everything that the configuration asks of a night, in one command for schedulers."""

import click

from cloudscan.cli import main
from cloudscan.cli.opening import load_config

_SCANNED = (0, main.EXIT_FINDINGS, main.EXIT_INCOMPLETE, main.EXIT_BOTH)


@click.command()
@click.option("--full", is_flag=True, help="Ignore saved cursors and read everything again.")
@click.option("--metrics", type=click.Path(dir_okay=False), help="Also write Prometheus metrics of the scan.")
@click.option("--log", type=click.Choice(["text", "json"]), help="As for `cloudscan scan`.")
@click.pass_obj
def nightly(config_path: str | None, full: bool, metrics: str | None, log: str | None) -> int:
    """Scan, then bring tickets up to date and notify people, as far as they are configured.

    Exit code 0: it ran, and everything was delivered. What was found, and what could not be read, is in the report;
    `cloudscan health` tells monitoring. Other codes mean that something did not run: 2 wrong configuration, 3 a ticket
    or a notification was not delivered, 4 another scan is running.
    """
    config = load_config(config_path)
    common = ["--config", config_path] if config_path else []
    options = [
        *(["--full"] if full else []),
        *(["--metrics", metrics] if metrics else []),
        *(["--log", log] if log else []),
    ]
    code = main.run([*common, "scan", *options])
    if code not in _SCANNED:
        return code
    after = [
        *([["tickets"]] if config.trackers else []),
        *([["notify"]] if config.notify.wanted and not config.notify.after_scan else []),
    ]
    return max((main.run([*common, *command]) for command in after), default=0)
