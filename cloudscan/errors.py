"""What can go wrong, worded so that the reader knows what to do next.

Library code raises one of these; only the command line prints and exits. Every message answers three questions: what
happened, where, and what to do about it. An exception of any other type that reaches the user is a bug in cloudscan.
"""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from cloudscan.reason import Reason, advice, sentence
from cloudscan.sentence import in_language, say


class CloudscanError(Exception):
    """The base class. `str(error)` is a complete sentence for the person at the terminal, in English.

    It is raised with a sentence from `cloudscan.sentence.say`, which can be shown in other languages.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)

    def in_language(self, language: str) -> str:
        """What happened and what to do next, in a language (`en`, `ja`)."""
        return in_language(self.args[0], language)


class ConfigurationError(CloudscanError):
    """The configuration, a flag or a rule file cannot be used as written. Exit code 2.

    A plugin's options may raise it in ``__post_init__``; `key` is then the option at fault, whose line is named.
    """

    def __init__(self, message: str, *, key: str = "") -> None:
        super().__init__(message)
        self.key = key


def check_url(key: str, url: str, *, needs_https: bool = False) -> None:
    """Raises `ConfigurationError` for the option `key` if no request can be sent to this URL; an empty one is no URL.

    `needs_https`: plain http only to this machine, since whatever is sent could be read on the way.
    """
    if not url:
        return
    shown = repr(re.sub(r"//[^/]*@", "//", url))  # no password
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError(
            say("{key}: {url} is not a URL; write one like https://127.0.0.1:5000.", key=key, url=shown), key=key
        ) from None
    if parts.scheme not in ("http", "https") or not host:
        bare = url.rpartition("://")[2].rpartition("@")[2].strip("/") or "example.com"
        local = bare.startswith(("127.", "localhost", "[::1]"))
        raise ConfigurationError(
            say("{key}: {url} does not begin with https:// or http://; write {instead}.",
                key=key, url=shown, instead=f"{'http' if local else 'https'}://{bare}"),
            key=key,
        )  # fmt: skip
    if needs_https and parts.scheme == "http" and not _is_this_machine(host):
        raise ConfigurationError(
            say("{key}: the access token would be sent to {host} unencrypted; write https://.", key=key, host=host),
            key=key,
        )


def check_least(key: str, number: float, least: float) -> None:
    """Raises `ConfigurationError` for the option `key` if its number is below the least that makes sense."""
    if number < least:
        raise ConfigurationError(say("{key} must be at least {least}.", key=key, least=least), key=key)


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class RuleError(ConfigurationError):
    """A rule file is refused.

    The message begins with ``file:line:`` so that an editor can jump there, says what is wrong and ends with
    what to write instead.
    """


class SnapshotError(CloudscanError):
    """A snapshot folder is missing, incomplete or written by an incompatible version."""


class LedgerError(CloudscanError):
    """The ledger's database cannot be reached or belongs to another version."""


class LedgerUnreachable(LedgerError):
    """The ledger's database does not answer. Worth another try."""


class WaiverError(CloudscanError):
    """A waiver cannot be granted or revoked as requested. Exit code 2."""


class ScanRunning(CloudscanError):
    """Another scan has locked this ledger or snapshot folder. Exit code 4."""


class ProviderError(CloudscanError):
    """A platform did not answer a question. Inside a scan it becomes a gap, with this reason.

    `code` has its words in a catalogue (`cloudscan.reason`), `values` fill them, `quote` is what the platform said
    itself. `needs` names the permission that would help, as the platform spells it.
    """

    def __init__(self, code: str, *, needs: str = "", quote: str = "", **values: str | int) -> None:
        Exception.__init__(self, code)
        self.reason = Reason(code=code, values=values, quote=quote)
        self.needs = needs

    def __str__(self) -> str:
        return self.in_language("en")

    def in_language(self, language: str) -> str:
        """What happened and what to do next, in a language (`en`, `ja`)."""
        what, next_step = sentence(self.reason, language), advice(self.reason, language)
        stop = "。" if language == "ja" else ". "
        return f"{what}{stop}{next_step}" if next_step else what


class AccessDenied(ProviderError):
    """The platform refused: a permission is missing, a policy forbids it, or the credentials are not accepted."""


class NotOffered(ProviderError):
    """What was asked for does not exist here: no licence, no such service in this region, edition or cloud.

    It is no gap: there is nothing that could be read.
    """


class Vanished(ProviderError):
    """What was asked for no longer exists, though it was listed before."""


class QuotaSpent(ProviderError):
    """The platform's quota for the day is used up: all further requests would be refused as well."""


class StaleCursor(ProviderError):
    """The platform no longer accepts this cursor: the scope has to be read in full. The message says why."""


class Unreachable(ProviderError):
    """No answer: a dead endpoint, a name that does not resolve, a time-out. Worth another try."""


class StalePage(Unreachable):
    """The rest of a list is no longer available; the list has to be read again from the beginning."""


class Throttled(ProviderError):
    """The platform is throttling requests. `retry_after` is in seconds, None if it does not say how long."""

    def __init__(
        self, code: str, *, retry_after: float | None = None, needs: str = "", quote: str = "", **values: str | int
    ) -> None:
        super().__init__(code, needs=needs, quote=quote, **values)
        self.retry_after = retry_after


class Malformed(ProviderError):
    """The platform's answer does not match its documentation."""


class AuditError(CloudscanError):
    """An audit pack, or a key for it, cannot be used as it is. Exit code 2."""


class TicketRefused(ProviderError):
    """A tracker does not accept a ticket as it was sent. `field` names the field at fault, if the tracker does."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field
