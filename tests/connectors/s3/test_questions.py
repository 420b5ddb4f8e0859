"""Any failure of any question costs that question: nothing else changes, and what changes becomes unknown.

A sample of the failures; `tests/campaign` tries all of them on whole nights, into the ledger.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import pytest

from cloudscan.connector import Estate
from cloudscan.facts import Fact, Grant, Principal, Resource, Setting
from cloudscan.reason import Reason, has_words
from cloudscan_emulators.aws import company, moto_server
from cloudscan_emulators.aws.around_buckets import AccessGrant
from cloudscan_emulators.aws.questions import PATTERNS
from cloudscan_emulators.aws.storage_metrics import DailyReport
from cloudscan_s3.options import Options
from cloudscan_s3.plugin import PLUGIN
from cloudscan_s3.questions import QUESTIONS
from tests.campaign.failures import TOLD_AS_OPEN, failures
from tests.campaign.tampering import Proxy, between
from tests.connectors import reading
from tests.connectors.reading import Read
from tests.connectors.s3.estate import bucket, replicated, s3

SAMPLE = ("403", "404", "500", "nothing in it", "error in a 200", "one entry malformed")
UNASKED = {  # of the company, which has no such things
    "s3-access-point-tags",
    "s3-bucket-exists",
    "s3-directory-bucket-policy",
    "s3-directory-bucket-tags",
    "s3-inventory-report",
    "s3-inventory-reports",
    "s3-directory-access-point",
    "s3-directory-access-point-policy",
    "s3-multi-region-access-point",
    "s3-organisation-block",
    "s3-multi-region-access-point-policy",
    *("s3-config-resources", "s3-config-items", "s3-config-sources"),  # test_aws_config.py
    *("s3-config-folders", "s3-config-files", "s3-config-file"),
    "s3-analyzer-findings",  # test_second_opinion.py
    "s3-roles",  # of few buckets all are asked
}

THEIR_ROLE = "arn:aws:iam::444455556666:role/analyst"


def cells() -> Iterator[object]:
    """One failure for each question, in turn; every eighth in each run, all in the campaign."""
    names = [one.name for one in QUESTIONS if one.name not in UNASKED]
    for number, cell in enumerate(zip(names, cycle(SAMPLE), strict=False)):
        yield pytest.param(*cell, marks=pytest.mark.campaign if number % 8 else (), id=" ".join(cell))


@dataclass(frozen=True)
class Company:
    """A company behind a proxy that can spoil answers, and what there is to be read of it."""

    proxy: Proxy
    right: Read

    def spoilt(self, question: str, failure: str) -> Read:
        self.proxy.pattern, self.proxy.spoil, self.proxy.met = PATTERNS[question], failures("s3")[failure], 0
        try:
            return read(self.proxy)
        finally:
            self.proxy.spoil = None


@pytest.fixture(scope="module")
def kumo() -> Iterator[Company]:
    with moto_server.running() as server, between(server.endpoint) as proxy:
        company.build(server.endpoint)
        bucket(server, "kumo-objects")
        replicated(server, "kumo-objects", "their-copies", account="444455556666")
        server.around.access_grants.append(AccessGrant(scope="s3://kumo-objects/*", grantee=THEIR_ROLE))
        server.around.object_lambda.append("redacting")
        server.around.outposts.append("op-1")
        server.identity_center.owner = moto_server.ACCOUNT
        server.identity_center.users += company.DIRECTORY
        server.storage.reports["kumo-objects"] = DailyReport(objects=2, size_bytes={"StandardStorage": 2})
        for key in ("a", "b"):
            s3(server).put_object(Bucket="kumo-objects", Key=key, Body=b"x", ACL="public-read")
        yield Company(proxy, read(proxy))


def read(proxy: Proxy) -> Read:
    options = Options(endpoint=proxy.url, organisation=True, patience=0.0)
    return reading.read(PLUGIN.open(options, Estate()))


@pytest.mark.parametrize(("question", "failure"), list(cells()))
def test_a_failure_costs_its_question_alone(kumo: Company, question: str, failure: str) -> None:
    spoilt = kumo.spoilt(question, failure)

    assert kumo.proxy.met
    assert spoilt.refused == {}
    check_gaps(kumo.right, spoilt, question)
    if question != "s3-caller" and (question, failure) not in TOLD_AS_OPEN:
        check_facts(kumo.right, spoilt)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_every_question_has_words_and_a_pattern(question: Any) -> None:
    assert question.name in PATTERNS
    assert all(has_words("question", question.name, language) for language in ("en", "ja"))


def check_gaps(right: Read, spoilt: Read, question: str) -> None:
    """Whatever is different has a gap of this question, with a reason that has words."""
    new = [gap for gap in spoilt.gaps if gap not in right.gaps]
    if as_rows(spoilt) != as_rows(right):
        assert question in {gap.question for gap in new}
    for gap in new:
        # An answer that could not be read may be asked for in another way, which finds something else.
        assert gap.question == question or gap.question in ("s3-objects", "s3-bucket-policy"), gap
        assert isinstance(gap.reason, Reason)
        assert all(has_words("reason", gap.reason.code, language) for language in ("en", "ja")), gap.reason


def check_facts(right: Read, spoilt: Read) -> None:
    """Nothing is known that was not known before; what is missing is hidden by a gap."""
    before, after = as_rows(right), as_rows(spoilt)
    for key, fact in after.items():
        other = before.get(key)
        if isinstance(fact, Grant):
            unknown = fact.audience is None or fact.effective is None
            assert unknown or same(fact, other, "audience", "access", "effective", "blocked_by"), fact
        elif isinstance(fact, Setting):
            # What is unknown is described: website, access log and key were not asked for before.
            assert fact.value is None or other is None or same(fact, other, "value"), fact
        elif isinstance(fact, Principal):
            assert fact.affiliation is None or same(fact, other, "affiliation"), fact
    hides = [hidden for gap in spoilt.gaps for hidden in gap.hidden if not hidden.columns]
    visited = {scope.account for scope in spoilt.scopes}  # of other accounts nothing is closed
    missing = [fact for key, fact in before.items() if key not in after and isinstance(fact, Resource)]
    for fact in (fact for fact in missing if fact.account in visited):
        assert any(
            hidden.table in ("all", "resources") and (not hidden.kinds or fact.kind in hidden.kinds) for hidden in hides
        ), fact


def same(fact: Fact, other: Fact | None, *columns: str) -> bool:
    return other is not None and all(getattr(fact, column) == getattr(other, column) for column in columns)


def as_rows(result: Read) -> Mapping[tuple[str, str], Fact]:
    rows: dict[tuple[str, str], Fact] = {}
    for fact in result.facts:
        if isinstance(fact, Setting):
            rows["setting", f"{fact.scope_uid} {fact.name}"] = fact
        elif isinstance(fact, Grant | Principal | Resource):
            rows[type(fact).__name__, fact.uid] = fact
    return rows
