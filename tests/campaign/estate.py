"""A company with its undisturbed nights, made once and used by all tests of a platform."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cloudscan import plugins
from cloudscan.engine import loader
from cloudscan_emulators.aws import questions as aws_questions
from cloudscan_emulators.google import questions as google_questions
from cloudscan_emulators.microsoft import questions as microsoft_questions
from tests.campaign.companies import COMPANIES, Company
from tests.campaign.failures import failures
from tests.campaign.nights import Night, Nights, Undisturbed, undisturbed
from tests.campaign.tampering import Spoil

PATTERNS: Mapping[str, Mapping[str, str]] = {
    "gdrive": google_questions.PATTERNS,
    "m365": microsoft_questions.PATTERNS,
    "s3": aws_questions.PATTERNS,
}
"""By platform and question: a regular expression that finds its requests."""


class Estate:
    """A running company, and what its nights come to where every question is answered."""

    def __init__(self, company: Company, folder: Path) -> None:
        self.company = company
        self.rules = loader.load(plugins.rule_folders(), plugins.declared_settings())
        self.right: Undisturbed = undisturbed(company, self.rules, folder)

    def spoilt(self, nights: Nights, question: str, failure: str) -> Night:
        """One night in which a question fails."""
        platform = self.company.platform
        with self.spoiling(PATTERNS[platform][question], failures(platform)[failure]):
            return nights.next()

    @contextmanager
    def spoiling(self, pattern: str, spoil: Spoil) -> Iterator[None]:
        """Spoil the answers to the requests that the pattern finds, until the block is left."""
        proxy = self.company.proxy
        proxy.pattern, proxy.spoil, proxy.met = pattern, spoil, 0
        try:
            yield
        finally:
            proxy.spoil = None


class Estates(dict[str, Estate]):
    """Estates by platform, each made when it is first asked for."""

    def __init__(self, folder: Path, until: ExitStack) -> None:
        super().__init__()
        self._folder = folder
        self._until = until

    def __missing__(self, platform: str) -> Estate:
        folder = self._folder / platform
        folder.mkdir()
        company = self._until.enter_context(COMPANIES[platform](folder))
        estate = self[platform] = Estate(company, folder)
        return estate
