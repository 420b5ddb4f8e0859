"""Notifications through apprise: Slack, Teams, mail and the other services that it supports.

Text is sent as plain text, and apprise escapes it for its destination. Text from outside is made harmless before that,
in case a destination interprets markup nevertheless: no mention, no link.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudscan.errors import ConfigurationError
from cloudscan.notifier import SPOKEN_OF, Notice, Notifier, NotifierPlugin
from cloudscan.sentence import say
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import shortened, visible

if TYPE_CHECKING:
    from apprise import Apprise

_MOST = 10
_LINE = 300
_HARMLESS = str.maketrans({sign: chr(ord(sign) + 0xFEE0) for sign in "@<>[]`*~|"})


@dataclass(frozen=True)
class ThroughApprise:
    """The configured addresses."""

    services: "Apprise"

    def addresses(self) -> Sequence[str]:
        """As apprise writes them with passwords and tokens masked, without the query."""
        return [service.url(privacy=True).partition("?")[0] for service in self.services]

    def words(self, notice: Notice, lang: str) -> tuple[str, str]:
        """Plain text: counts, then at most 10 findings of at most 300 characters each, then what could not be read."""
        words = load(lang, notice.report.timezone)
        title = words.say("notice.title", organisation=harmless(notice.organisation))
        return title, "\n".join(_lines(notice, words))

    def send(self, title: str, text: str) -> Sequence[str]:
        """Sends to one after the other; returns the addresses that rejected the message."""
        from apprise import Apprise, NotifyFormat

        refused = []
        for service in self.services:
            single = Apprise()
            single.add(service)
            if not single.notify(title=title, body=text, body_format=NotifyFormat.TEXT):
                refused.append(service.url(privacy=True).partition("?")[0])
        return refused


def harmless(text: str) -> str:
    """The text with full-width signs for characters that mention, link or mark up."""
    return visible(text).translate(_HARMLESS).replace("://", ":\uff0f\uff0f")


def _lines(notice: Notice, words: Texts) -> Iterator[str]:
    """Numbers first, then what changed, the worst first, then what could not be read."""
    counts = [words.count(f"notice.{kind}", n) for kind, n in notice.counts.items() if n]
    yield words.say("list.comma").join(counts) if counts else words.say("notice.unchanged")
    yield words.count("notice.needs_work", notice.standing)
    if notice.findings:
        yield ""
    for kind, finding in sorted(notice.findings, key=lambda change: SPOKEN_OF.index(change[0]))[:_MOST]:
        severity, how = words.name("severity", finding.severity), words.say(f"notice.was_{kind}")
        message = shortened(harmless(phrases.message_of(finding, words.lang)), _LINE)
        yield f"- {severity}{words.say('list.comma')}{how}{words.say('list.colon')}{message}"
        if judged := phrases.rejudged(words, notice.rejudged.get(finding.fingerprint)):
            yield f"  {judged}"
    if (more := len(notice.findings) - _MOST) > 0:
        yield words.count("terminal.more", more)
    if notice.unread:
        yield ""
        yield words.count("notice.unread", notice.unread)


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
