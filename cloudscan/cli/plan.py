"""`cloudscan plan`: what a scan will cost, before it is begun."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from cloudscan import config as configuration
from cloudscan import plugins
from cloudscan.cli import completing
from cloudscan.cli.language import echo, spoken
from cloudscan.cli.opening import chosen_plugins, load_config
from cloudscan.config import Config
from cloudscan.errors import CloudscanError, ConfigurationError
from cloudscan.forecast import ONCE
from cloudscan.planning import model
from cloudscan.sentence import say
from cloudscan.text import suggestion

if TYPE_CHECKING:
    from cloudscan.connector import ConnectorPlugin
    from cloudscan.forecast import Amount
    from cloudscan.planning.model import Advice, Cost


class PlatformPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one platform, and what follows from it."""

    platform: str
    title: str
    amounts: "Sequence[Amount]"
    given: Mapping[str, int]  # what the command line says
    sizes: Mapping[str, float]  # by unit; what was neither counted nor given is derived
    costs: "Sequence[Cost]"
    advice: "Advice | None"  # None: nothing is known of its size


@click.command()
@click.option(
    "--connector", "names", multiple=True, shell_complete=completing.connectors, help="Only this connector. Repeatable."
)
@click.option("--size", "given", multiple=True, metavar="PLATFORM.UNIT=N",
              help="How many there are, as gdrive.files=2000000: nothing is counted then. Repeatable.")  # fmt: skip
@click.option("--offline", is_flag=True, help="Ask nobody: only what --size says counts.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="Text to read, or JSON and nothing else.")  # fmt: skip
@click.pass_obj
def plan(config_path: str | None, names: Sequence[str], given: Sequence[str], offline: bool, format_name: str) -> None:
    """Say what a scan will cost: requests, hours, memory, money, by each approach, and which one is advised.

    The size of the estate is counted with a handful of requests. What cannot be counted is taken to be as in an
    ordinary company, and said to be; --size says better. Nothing is read or written.

    \b
    cloudscan plan
    cloudscan plan --offline --connector gdrive --size gdrive.files=40000000
    """
    config = load_config(config_path)
    chosen = [plugin for plugin in chosen_plugins(config, names) if plugin.forecasting is not None]
    sizes = _given(given, chosen)
    plans = [_of(config, plugin, sizes.get(plugin.name, {}), Path(config_path) if config_path else None, offline)
             for plugin in chosen]  # fmt: skip
    if format_name == "json":
        click.echo(msgspec.json.encode(plans, enc_hook=str))
        return
    for number, one in enumerate(plans):
        if number:
            echo()
        _show(one)
    if not plans:
        echo(say("None of these connectors says what it costs."))


def _given(sizes: Sequence[str], chosen: "Sequence[ConnectorPlugin]") -> dict[str, dict[str, int]]:
    """The sizes of the command line, by platform and unit. Raises `ConfigurationError`."""
    known = {
        f"{plugin.name}.{unit}" for plugin in chosen if plugin.forecasting is not None
        for unit in plugin.forecasting.typical
    }  # fmt: skip
    found: dict[str, dict[str, int]] = {}
    for text in sizes:
        name, _, count = text.partition("=")
        if name not in known:
            raise ConfigurationError(
                say("--size {text}: there is no {name}; {hint}.", text=text, name=name, hint=suggestion(name, known))
            )
        digits = count.replace(",", "").replace("_", "")
        if not (digits.isascii() and digits.isdecimal()):
            raise ConfigurationError(say("--size {text}: write a whole number, as {name}=50000.", text=text, name=name))
        platform, _, unit = name.partition(".")
        found.setdefault(platform, {})[unit] = int(digits)
    return found


def _of(
    config: Config, plugin: "ConnectorPlugin", given: Mapping[str, int], path: Path | None, offline: bool
) -> PlatformPlan:
    forecasting = plugin.forecasting
    assert forecasting is not None  # those without were left out
    amounts = [] if offline or given else list(_counted(config, plugin, path))
    known = {amount.unit: amount.count for amount in amounts if amount.count is not None} | dict(given)
    # One that counts for nothing says nothing of the others: a company without shared drives has files.
    known = {unit: count for unit, count in known.items() if count or unit in given}
    sizes = model.sizes_of(forecasting, known)
    costs = model.costs(forecasting, sizes)
    advice = model.advise(costs, sizes[forecasting.resources]) if known else None
    return PlatformPlan(
        platform=plugin.name, title=plugin.title, amounts=amounts, given=given, sizes=sizes, costs=costs, advice=advice
    )


def _counted(config: Config, plugin: "ConnectorPlugin", path: Path | None) -> "Iterator[Amount]":
    """What the platform says of its size; a connector that cannot be opened says why."""
    from cloudscan.forecast import Amount

    if plugin.size is None:
        return
    try:
        options = configuration.options(config, plugin.name, plugin.options, path)
        plugins.check_packages(plugin.name, plugin.name, plugin.packages)
        with plugins.its_errors(plugin.name), plugins.its_packages(plugin.name, plugin.name):
            yield from plugin.size(options, config.estate)
    except CloudscanError as error:
        yield Amount(unit="", count=None, certain=False, because=error.args[0] if error.args else str(error))


def _show(plan: PlatformPlan) -> None:
    from cloudscan.cli.table import show_table

    echo(f"{plan.platform}: {plan.title}")
    for amount in plan.amounts:
        count = say("not counted") if amount.count is None else f"{amount.count:,}"
        because = f" ({spoken(amount.because)})" if amount.because else ""
        echo(f"  {amount.unit or '-'}: {spoken(count)}{because}")
    if plan.advice is None:
        echo(say("  How large it is is not known; say so with --size {platform}.files=N.", platform=plan.platform))
        return
    for unit, size in plan.given.items():
        echo(f"  {unit}: {size:,}")
    known = {amount.unit for amount in plan.amounts if amount.count} | plan.given.keys() | {ONCE}
    for unit, derived in plan.sizes.items():
        if unit not in known:
            echo(say("  {unit}: taken to be {count}", unit=unit, count=f"{derived:,.0f}"))
    head = (
        say("approach"),
        say("requests"),
        say("hours"),
        say("processor"),
        say("memory"),
        say("dollars"),
        say("what it is"),
    )
    rows = [
        (
            cost.approach,
            f"{cost.requests:,}",
            _hours(cost.hours),
            say("{hours} h", hours=_hours(cost.processor_hours)),
            f"{cost.memory_megabytes:,} MB",
            _money(cost),
            cost.title,
        )
        for cost in plan.costs
    ]
    show_table(head, rows)
    for cost in plan.costs:
        if cost.needs:
            echo(f"  {cost.approach}: {spoken(say('needs'))}: {spoken(cost.needs)}")
        if cost.lacks:
            echo(f"  {cost.approach}: {spoken(say('does not say'))}: {spoken(cost.lacks)}")
    advice = plan.advice
    echo(say("Advised: {whole}, then {nights}; engine {engine}.", whole=advice.whole, nights=advice.nights,
             engine=advice.engine))  # fmt: skip
    for because in advice.because:
        echo(f"  {spoken(because)}")


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.2f}"


def _money(cost: "Cost") -> str:
    if not cost.dollars:
        return "0"
    return f"{'' if cost.certain else '~'}{cost.dollars:,.0f}" if cost.dollars >= 1 else "<1"
