"""Notifications through apprise: Slack, Teams, mail and the other services that it supports.

Text is sent as plain text, and apprise escapes it for its destination. Text from outside is made harmless before that,
in case a destination interprets markup nevertheless: no mention, no link.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudscan.errors import ConfigurationError
from cloudscan.fix import Fix
from cloudscan.notifier import SPOKEN_OF, Address, Notice, Notifier, NotifierPlugin
from cloudscan.recipient import Via, recipient_of
from cloudscan.sentence import say
from cloudscan.text import openable
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import shortened, visible

if TYPE_CHECKING:
    from apprise import Apprise

_MOST = 10
_LINE = 300
_NAME = 100
_PLAIN_LINK = re.compile(r"https://[A-Za-z0-9./?=&%#_:+-]{1,500}")
_HARMLESS = str.maketrans({sign: chr(ord(sign) + 0xFEE0) for sign in "@<>[]`*~|"})


@dataclass(frozen=True)
class ThroughApprise:
    """The configured addresses."""

    services: "Apprise"

    def addresses(self) -> Sequence[Address]:
        """As apprise writes them with passwords and tokens masked, without the query."""
        shown = {_identity(service): service.url(privacy=True).partition("?")[0] for service in self.services}
        return [Address(shown=text, identity=identity) for identity, text in shown.items()]

    def words(self, notice: Notice, lang: str) -> tuple[str, str]:
        """Plain text: counts, then at most 10 fixes of at most 300 characters each, then what could not be read."""
        words = load(lang, notice.report.timezone)
        title = words.say("notice.title", organisation=harmless(notice.organisation))
        return title, "\n".join(_lines(notice, words))

    def send(self, address: Address, title: str, text: str) -> bool:
        """Sends to one address; False if its service rejects the message or does not answer."""
        from apprise import Apprise, NotifyFormat

        single = Apprise()
        for service in self.services:
            if _identity(service) == address.identity:
                single.add(service)
        return bool(single.notify(title=title, body=text, body_format=NotifyFormat.TEXT))


def _identity(service: Any) -> str:
    """What distinguishes a service from others: where it is and as whom, without options."""
    return repr(service.url_identifier) if service.url_identifier else str(service.url())


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
    if notice.resolved:
        names = words.say("list.comma").join(shortened(harmless(name), _NAME) for name in notice.resolved[:_MOST])
        yield ""
        yield words.say("notice.resolved_names", names=names)
        if (more := len(notice.resolved) - _MOST) > 0:
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
    from apprise import Apprise, AppriseConfig

    given = urls.split()
    services = Apprise()
    for number, url in enumerate(given, 1):
        if not services.add(url):
            raise ConfigurationError(
                say(
                    "[notify]: address {number} of {count} is not an address that apprise understands; see "
                    "its list of services.",
                    number=number,
                    count=len(given),
                )
            )
    if file:
        config = AppriseConfig()
        if not config.add(file) or not len(config):
            raise ConfigurationError(
                say("[notify]: {file} contains no address that apprise can read; check the file.", file=file)
            )
        chosen = Apprise()
        chosen.add(config)
        for service in chosen.find(tag=list(tags)) if tags else chosen:
            services.add(service)
    if not len(services):
        raise ConfigurationError(say("[notify]: there is no address; name a variable as urls_env, or a file."))
    return ThroughApprise(services)


APPRISE = NotifierPlugin(name="apprise", title="apprise", open=open_apprise)
