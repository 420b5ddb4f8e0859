"""`cloudscan notify`."""

import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click
from msgspec.structs import replace

from cloudscan.channel import Channel, ChannelKind
from cloudscan.cli.language import echo
from cloudscan.cli.log import warn
from cloudscan.cli.main import EXIT_INCOMPLETE
from cloudscan.cli.opening import last_report, load_config, open_ledger, redaction_key
from cloudscan.cli.options import lang_option
from cloudscan.config import Config
from cloudscan.errors import ConfigurationError
from cloudscan.sentence import Sentence, say
from cloudscan.text import plain

if TYPE_CHECKING:
    from cloudscan.ledger.ledger import Ledger
    from cloudscan.notifier import Address, Notice, Notifier
    from cloudscan.report import Report

_NOBODY: Final = Channel(kind=ChannelKind.ADDRESS, id="")


@click.command()
@click.option("--dry-run", is_flag=True, help="Send nothing; show what would be sent, and where.")
@click.option("--again", is_flag=True, help="Repeat the last message to those who were told of this scan already.")
@lang_option
@click.pass_obj
def notify(config_path: str | None, dry_run: bool, again: bool, lang: str | None) -> int:
    """Notify people of changes: new, reopened, widened, resolved, and what could not be read.

    Each address is told once of what changed since the scan that it was told of last: a message that did not arrive is
    made up for by the next one. Contents of files are never sent.
    """
    delivery = deliver(load_config(config_path), dry_run=dry_run, again=again, lang=lang or "")
    if not dry_run and not delivery.sent and not delivery.refused:
        echo(say("There is nothing new to announce."), err=True)
    for trouble in delivery.troubles:
        warn(trouble, "notify.failed")
    return EXIT_INCOMPLETE if delivery.refused else 0


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What became of messages: the addresses that took one, and those that did not, without secrets."""

    sent: Sequence[str]
    refused: Mapping[str, datetime | None]  # with the time of the first failure, if it failed before tonight

    @property
    def troubles(self) -> Iterator[Sentence]:
        """What did not arrive: each address once, and then only how many go on failing, and since when."""
        known = {address: since for address, since in self.refused.items() if since}
        for address in self.refused:
            if address not in known:
                yield say(
                    "could not notify: {address} rejected the message; check the address. The next scan repeats it.",
                    address=address,
                )
        if known:
            yield say(
                "{count} notification address(es) still reject messages, the oldest since {day}: {addresses}.",
                count=len(known),
                day=min(known.values()).date(),
                addresses=", ".join(known),
            )


def deliver(config: Config, *, dry_run: bool = False, again: bool = False, lang: str = "") -> Delivery:
    """Tell every address of what changed since the scan that it was told of last. `dry_run` prints it instead.

    Raises `ConfigurationError` if nobody can be notified, `LedgerError`.
    """
    report, ledger = last_report(config, None), open_ledger(config)
    notifier = open_notifier(config)
    addresses = {channel_id(config, address): address for address in notifier.addresses()}
    known = {channel.id: channel for channel in ledger.channels() if channel.kind is ChannelKind.ADDRESS}
    language = lang or config.notify.language or config.organisation.language
    sent, refused = list[str](), dict[str, datetime | None]()
    parts = _Parts(config, ledger)
    for identity, address in addresses.items():
        channel = replace(known.get(identity) or known.get("") or _NOBODY, id=identity)
        base = channel.scan_id
        if base == report.scan.id:
            if not again:
                continue
            base = channel.before_id
        message = _message(config, ledger, report, base)
        if dry_run:
            _show(message, address, notifier, language, quiet=config.notify.quiet)
            continue
        is_quiet = message.quiet and config.notify.quiet
        if is_quiet or parts.sent(notifier, identity, address, *notifier.words(message, language), again=again):
            now = datetime.now(UTC)
            ledger.save_channel(
                replace(channel, scan_id=report.scan.id, before_id=base, informed_on=now, failing_since=None)
            )
            sent += [] if is_quiet else [address.shown]
        else:
            ledger.save_channel(replace(channel, failing_since=channel.failing_since or datetime.now(UTC)))
            refused[address.shown] = channel.failing_since
    if not dry_run:
        ledger.keep_channels(ChannelKind.ADDRESS, addresses)
        ledger.keep_channels(ChannelKind.PART, parts.waiting)
    return Delivery(sent=sent, refused=refused)


@dataclass(frozen=True)
class _Parts:
    """Sends long messages in parts. Those that arrived before another failed are not sent again."""

    config: Config
    ledger: "Ledger"
    waiting: set[str] = field(default_factory=set)  # ids of parts that arrived, of messages that did not as a whole

    def sent(self, notifier: "Notifier", identity: str, address: "Address", title: str, text: str,
             *, again: bool) -> bool:  # fmt: skip
        """Send what has not arrived yet; returns whether all of it has now. `again`: send all of it."""
        known = {channel.id for channel in self.ledger.channels() if channel.kind is ChannelKind.PART}
        messages = notifier.parts(address, title, text)
        arrived = set[str]()
        for message in messages:
            part = f"{identity}-{_keyed(self.config, message.title + message.text)}"
            if again or part not in known:
                if not notifier.send(address, message):
                    self.waiting.update(arrived)
                    return False
                if len(messages) > 1:
                    self.ledger.save_channel(Channel(kind=ChannelKind.PART, id=part))
            arrived.add(part)
        return True


def channel_id(config: Config, address: "Address") -> str:
    """What the ledger knows an address by: a keyed hash, since an address contains secrets."""
    return _keyed(config, address.identity)


def _keyed(config: Config, text: str) -> str:
    return hmac.new(redaction_key(config), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def _message(config: Config, ledger: "Ledger", report: "Report", base: str) -> "Notice":
    """What changed since the scan `base`; everything, if there is none."""
    from cloudscan.notifier import notice

    earlier = {scan.id for scan in ledger.trend() if scan.started_on < report.scan.started_on}
    diff = ledger.diff(old=base, new=report.scan.id) if base in earlier else None
    gone = [one.fingerprint for one in diff.differences if one.now is None] if diff else []
    return notice(
        report,
        diff,
        config.notify.min_severity,
        fixes_of=ledger.fixes_of(gone),
        domains=config.terms.domains,
    )


def open_notifier(config: Config) -> "Notifier":
    """The configured notifier with its addresses. Raises `ConfigurationError` if there are none that can be used."""
    from cloudscan import plugins

    options = config.notify
    if not options.wanted:
        raise ConfigurationError(
            say(
                "No notifications are configured; write [notify] with urls_env or file into "
                "cloudscan.toml (docs/tickets.md)."
            )
        )
    urls = os.environ.get(options.urls_env, "") if options.urls_env else ""
    if options.urls_env and not urls:
        raise ConfigurationError(
            say("[notify]: the environment variable {urls_env} is not set.", urls_env=options.urls_env)
        )
    with plugins.its_packages(say("Notifying"), "notify"):
        return plugins.notifier().open(urls, options.file, options.tags)


def _show(message: "Notice", address: "Address", notifier: "Notifier", language: str, *, quiet: bool) -> None:
    echo(say("to: {address}", address=address.shown))
    if message.quiet and quiet:
        echo(say("Nothing changed: nothing would be sent."))
        return
    for part in notifier.parts(address, *notifier.words(message, language)):
        click.echo(f"\n{plain(part.title)}\n")
        for line in part.text.splitlines():
            click.echo(plain(line))
