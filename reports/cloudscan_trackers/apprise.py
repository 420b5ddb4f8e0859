"""Notifications through apprise: Slack, Teams, mail and the other services that it supports.

Text is sent as plain text, and apprise escapes it for its destination. Text from outside is made harmless before that,
in case a destination interprets markup nevertheless: no mention, no link.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudscan.errors import ConfigurationError
from cloudscan.fix import Fix
from cloudscan.notifier import SPOKEN_OF, Address, Message, Notice, Notifier, NotifierPlugin
from cloudscan.recipient import Via, recipient_of
from cloudscan.sentence import say
from cloudscan.text import openable
from cloudscan_trackers.rooms import room_of, split
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import shortened, visible

if TYPE_CHECKING:
    from apprise import NotifyBase

_MOST = 10
_LINE = 300
_NAME = 100
_TICKET = 20
_NUMBERED = " (99/99)"
_LONG_AS_A_SECRET = 16  # characters
_PLAIN_LINK = re.compile(r"https://[A-Za-z0-9./?=&%#_:+-]{1,500}")
_HARMLESS = str.maketrans({sign: chr(ord(sign) + 0xFEE0) for sign in "@<>[]`*~|"})


@dataclass(frozen=True)
class ThroughApprise:
    """The configured addresses, by what distinguishes them."""

    services: Mapping[str, "NotifyBase"]

    def addresses(self) -> Sequence[Address]:
        """As apprise writes them with passwords and tokens masked, without the query."""
        return [Address(shown=_shown(service), identity=identity) for identity, service in self.services.items()]

    def words(self, notice: Notice, lang: str) -> tuple[str, str]:
        """Plain text: counts, then at most 10 fixes of at most 300 characters each, then what could not be read."""
        words = load(lang, notice.report.timezone)
        organisation = harmless(notice.organisation.strip())
        title = (
            words.say("notice.title", organisation=organisation) if organisation else words.say("notice.title_alone")
        )
        return title, "\n".join(_lines(notice, words))

    def parts(self, address: Address, title: str, text: str) -> Sequence[Message]:
        """Split between entries where the service takes less at once, and numbered."""
        room = room_of(self.services[address.identity])
        title = shortened(title, room.longest_title - len(_NUMBERED))
        if room.cuts or room.takes(title, text):
            return [Message(title=title, text=text)]
        texts = split(text, lambda part: room.takes(f"{title}{_NUMBERED}", part))
        return [
            Message(title=f"{title} ({number}/{len(texts)})", text=part) for number, part in enumerate(texts, start=1)
        ]

    def send(self, address: Address, message: Message) -> bool:
        """Sends to one address; False if its service rejects the message or does not answer."""
        from apprise import Apprise, NotifyFormat

        single = Apprise()
        single.add(self.services[address.identity])
        with _quiet():
            return bool(single.notify(title=message.title, body=message.text, body_format=NotifyFormat.TEXT))


def _by_identity(services: Iterable["NotifyBase"]) -> Mapping[str, "NotifyBase"]:
    """Each service once, by where it is and as whom; by its targets too, where that is the same for several."""
    targets: dict[str, dict[str, NotifyBase]] = {}
    for service in services:
        target = str(service.url()).partition("?")[0]
        identity = repr(service.url_identifier) if service.url_identifier else str(service.url())
        targets.setdefault(identity, {}).setdefault(target, service)
    return {
        identity if len(same) == 1 else f"{identity} {target}": service
        for identity, same in targets.items()
        for target, service in same.items()
    }


def _shown(service: "NotifyBase") -> str:
    """Where a service is, without secrets: apprise masks those that it knows, and long parts of a path may be one."""
    scheme, _, rest = service.url(privacy=True).partition("?")[0].partition("://")
    host, *path = rest.split("/")
    shown = [f"{part[0]}...{part[-1]}" if len(part) >= _LONG_AS_A_SECRET else part for part in path]
    return f"{scheme}://{'/'.join([host, *shown])}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what apprise logs: its lines contain addresses as they are."""
    logger = logging.getLogger("apprise")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def harmless(text: str) -> str:
    """The text with full-width signs for characters that mention, link or mark up."""
    return visible(text).translate(_HARMLESS).replace("://", ":\uff0f\uff0f")


def _lines(notice: Notice, words: Texts) -> Iterator[str]:
    """Numbers first, then what changed, the worst first, then what is resolved, and what could not be read."""
    counts = [words.count(f"notice.{kind}", n) for kind, n in notice.counts.items() if n]
    yield words.say("list.comma").join(counts) if counts else words.say("notice.unchanged")
    if notice.since:
        yield words.say("notice.since", day=words.day(notice.since))
    yield words.count("notice.needs_work", notice.standing)
    if notice.changed:
        yield ""
    for kind, fix in sorted(notice.changed, key=lambda change: SPOKEN_OF.index(change[0]))[:_MOST]:
        yield from _entry(kind, fix, notice, words)
    if (more := len(notice.changed) - _MOST) > 0:
        yield words.count("terminal.more", more)
    for kind, gone in (("resolved", notice.resolved), ("waived", notice.waived), ("rejudged", notice.uncounted)):
        if gone:
            names = words.say("list.comma").join(shortened(harmless(name), _NAME) for name in gone[:_MOST])
            yield ""
            yield words.say(f"notice.{kind}_names", names=names)
            if (more := len(gone) - _MOST) > 0:
                yield words.count("terminal.more", more)
    if notice.unread:
        yield ""
        yield words.count("notice.unread", notice.unread)


def _entry(kind: str, fix: Fix, notice: Notice, words: Texts) -> Iterator[str]:
    """What is exposed; whose it is, if it is one of ours; its number; where to look."""
    finding = fix.lead
    subject = finding.verdict.subject
    severity, how = words.name("severity", finding.severity), words.say(f"notice.was_{kind}")
    message = shortened(harmless(phrases.message_of(finding, words.lang)), _LINE)
    yield f"- {severity}{words.say('list.comma')}{how}{words.say('list.colon')}{message}"
    recipient = recipient_of(subject, notice.domains)
    facts = [f"{words.say('handout.number')} {finding.fingerprint[:8]}"]
    if recipient.via is Via.OWNER:
        owner = shortened(harmless(recipient.address), _NAME)
        facts.insert(0, f"{words.say('finding.owner')}{words.say('list.colon')}{owner}")
    if url := _link(subject.url):
        facts.append(url)
    if ticket := next((one for one in notice.report.tickets.get(finding.fingerprint, ()) if one.open), None):
        name = _link(ticket.url) or shortened(harmless(ticket.key), _TICKET)
        facts.append(f"{words.say('finding.ticket')}{words.say('list.colon')}{name}")
    yield f"  {' · '.join(facts)}"
    if judged := phrases.rejudged(words, notice.rejudged.get(finding.fingerprint)):
        yield f"  {judged}"


def _link(url: str) -> str:
    """The address of something on its platform, if nothing in it could be read as markup."""
    return url if openable(url) and _PLAIN_LINK.fullmatch(url) else ""


def open_apprise(urls: str, file: str, tags: Sequence[str]) -> Notifier:
    """The notifier for `urls`, separated by white space, and the addresses in `file`, a configuration of apprise's.

    Raises `ConfigurationError` for an address that apprise does not understand, and if there is none.
    """
    from apprise import Apprise, AppriseAsset, AppriseConfig

    given = urls.split()
    asset = AppriseAsset(http_redirects=False)  # a redirected POST becomes a GET, and its success would say nothing
    services = Apprise(asset=asset)
    for number, url in enumerate(given, 1):
        with _quiet():
            is_known = services.add(url)
        if not is_known and url.lower().startswith("msteams://"):
            raise ConfigurationError(
                say(
                    "[notify]: address {number} of {count} is one of Teams' connectors, which Microsoft has switched "
                    "off; make a workflow in Teams, and write its address as workflows://.",
                    number=number,
                    count=len(given),
                )
            )
        if not is_known:
            raise ConfigurationError(
                say(
                    "[notify]: address {number} of {count} is not an address that apprise understands; see "
                    "its list of services.",
                    number=number,
                    count=len(given),
                )
            )
    if file:
        config = AppriseConfig(asset=asset)
        with _quiet():
            is_read = config.add(file) and len(config)
        if not is_read:
            raise ConfigurationError(
                say("[notify]: {file} contains no address that apprise can read; check the file.", file=file)
            )
        chosen = Apprise(asset=asset)
        chosen.add(config)
        for service in chosen.find(tag=list(tags)) if tags else chosen:
            services.add(service)
    if not len(services):
        raise ConfigurationError(say("[notify]: there is no address; name a variable as urls_env, or a file."))
    return ThroughApprise(_by_identity(services))


APPRISE = NotifierPlugin(name="apprise", title="apprise", open=open_apprise)
