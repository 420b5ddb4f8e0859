"""What is judged differently from yesterday, without a change in the cloud, is not called new."""

import hashlib
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
import sqlalchemy as sa

from cloudscan.connector import Cursor, Permission, Scope, Yielded
from cloudscan.engine.loader import load_archived
from cloudscan.engine.rule_file import Rule
from cloudscan.errors import AccessDenied
from cloudscan.facts import OBSERVED, Access, Audience, Gone, Grant, Resource, Via
from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.waivers import WaiverRequest
from cloudscan.nightly.scan import run_nightly
from cloudscan.report import ChangedBy, Diff, Difference, DifferenceKind, Report
from cloudscan.snapshot.collect import CollectOptions
from cloudscan.snapshot.translation import Translation
from tests.kit.facts import RULE, write_rule

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
PLAIN = "e.audience >= 'anyone_with_link' AND e.effective"
STRICT = "e.audience >= 'organisation' AND e.effective"
BY_PARAM = "CASE WHEN $strict THEN e.audience >= 'organisation' ELSE e.audience >= 'anyone_with_link' END"
COUNTS_PRIVATE = "e.audience >= 'owner' AND e.effective"
AUDIENCES = {
    "me": Audience.OWNER,
    "company": Audience.ORGANISATION,
    "friends": Audience.ORGANISATION,
    "everybody": Audience.ANYONE_WITH_LINK,
    "the web": Audience.ANYONE_DISCOVERABLE,
}


def rule(folder: Path, flagged: str = PLAIN, rule_id: str = "link-open-to-anyone", why: str = "It leaks.") -> Rule:
    """The one rule, with this condition."""
    text = RULE.format(id=rule_id).replace(PLAIN, flagged).replace("It leaks.", why)
    if "$strict" in flagged:
        text = text.replace("query: |", "params: {strict: {default: false, meaning: colleagues count}}\nquery: |")
    return loaded_from(folder, text, rule_id)


def by_shelf(folder: Path, flagged: str) -> Rule:
    """A rule that makes one finding of a whole shelf."""
    text = RULE.format(id="link-open-to-anyone").replace(PLAIN, flagged)
    text = text.replace("identity: [origin_uid]", "identity: [parent_uid]")
    text = text.replace("SELECT e.origin_uid,", "SELECT r.parent_uid,")
    text = text.replace("FROM exposures AS e", "FROM exposures AS e JOIN resources AS r ON r.uid = e.resource_uid")
    return loaded_from(folder, text, "link-open-to-anyone")


def loaded_from(folder: Path, text: str, rule_id: str) -> Rule:
    folder = folder / hashlib.sha256(text.encode()).hexdigest()[:8]
    write_rule(folder, text, rule_id)
    (loaded,) = load_archived(folder)
    return loaded


@dataclass(frozen=True)
class Shelf:
    """A connector: one shelf of documents, in the version that says "friends" are this audience."""

    documents: Mapping[str, str]
    friends: Audience = Audience.ORGANISATION
    digests: bool = False
    digest_version: str = ""
    created: Mapping[str, datetime] = field(default_factory=dict)
    unread: bool = False
    asked_since: list[bool] = field(default_factory=list)

    name: ClassVar[str] = "toy"
    permissions: ClassVar[Sequence[Permission]] = ()

    def scopes(self) -> Iterator[Scope]:
        yield Scope(uid="toy:shelf", platform="toy", kind="shelf", name="shelf", account="acme")

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        if self.unread:
            raise AccessDenied("toy-not-allowed", needs="read the folder")
        self.asked_since.append(since is not None)
        before = msgspec.json.decode(since.token, type=dict[str, str]) if since else {}
        yield Resource(uid="toy:shelf", platform="toy", account="acme", kind="folder", name="shelf")
        yield from (Gone(uid=f"toy:{name}") for name in before.keys() - self.documents.keys())
        for name, whom in self.documents.items():
            if before.get(name) == whom:
                continue
            digest = {OBSERVED: f"{whom}{self.digest_version}"} if self.digests else {}
            yield Resource(
                uid=f"toy:{name}", platform="toy", account="acme", kind="file", name=name, parent_uid="toy:shelf",
                created_on=self.created.get(name), detail=digest,
            )  # fmt: skip
            audience = self.friends if whom == "friends" else AUDIENCES[whom]
            yield Grant(
                uid=f"toy:{name}#share", resource_uid=f"toy:{name}", audience=audience, access=Access.READ, via=Via.LINK
            )
        yield Cursor(scope_uid=scope.uid, token=msgspec.json.encode(dict(self.documents)).decode())


@dataclass
class Company:
    """A shelf that is scanned night after night, each judged by what is named for it."""

    folder: Path
    url: str
    shelf: Shelf = field(default_factory=lambda: Shelf({"plan": "everybody", "notes": "company", "diary": "me"}))
    translation: Translation = field(default_factory=lambda: Translation(meaning=1, configuration="a"))
    nights: int = 0

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.url)

    def night(self, *rules: Rule, params: Mapping[str, Mapping[str, bool | int | float | str]] | None = None) -> Report:
        moment = START + timedelta(days=self.nights)
        self.nights += 1
        return run_nightly(
            [self.shelf],
            rules or [rule(self.folder)],
            snapshots=self.folder / "snapshots",
            ledger=self.ledger,
            publish=lambda _: None,
            now=moment,
            params=params,
            options=CollectOptions(concurrency=1, clock=lambda: moment, translations={"toy": self.translation}),
        )

    def share(self, **documents: str) -> None:
        self.shelf = replace(self.shelf, documents={**self.shelf.documents, **documents})

    def diff(self, old: str = "", new: str = "") -> Diff:
        return self.ledger.diff(old, new)

    def differences(self, old: str = "", new: str = "") -> dict[str, tuple[str, str]]:
        """By name: the kind, and what made the difference."""
        return {one.name: (one.kind.value, because(one)) for one in self.diff(old, new).differences}


def because(difference: Difference) -> str:
    return (difference.rejudged.changed_by if difference.rejudged else ChangedBy.ESTATE).value


@pytest.fixture
def company(tmp_path: Path, url: str) -> Company:
    return Company(tmp_path, url)


def test_what_the_estate_changes_is_new(company: Company) -> None:
    """The same rule, the same translation: what appears is new, what vanishes is resolved."""
    company.night()
    company.share(plan="me", notes="everybody")
    company.night()

    assert company.differences() == {"plan": ("resolved", "estate"), "notes": ("new", "estate")}
    assert company.ledger.trend()[-1].figures.rejudged == 0  # type: ignore[union-attr]
    assert company.ledger.trend()[-1].figures.basis_changes == []  # type: ignore[union-attr]


def test_what_a_changed_rule_flags_was_so_before(company: Company) -> None:
    """The rule counts colleagues now: nothing was opened, and the day after nothing is left to say."""
    company.night()
    report = company.night(rule(company.folder, STRICT))
    after = company.night(rule(company.folder, STRICT))

    (event,) = [event for event in report.events if event.rejudged]
    assert event.rejudged and event.rejudged.changed_by is ChangedBy.RULE
    assert report.changes and report.changes.counts == {
        "new": 0, "reopened": 0, "widened": 0, "rejudged": 1, "waived": 0, "resolved": 0,
    }  # fmt: skip
    assert report.trend[-1].figures and report.trend[-1].figures.rejudged == 1
    assert report.trend[-1].figures.basis_changes == [ChangedBy.RULE]
    assert after.changes and after.changes.differences == []


def test_what_a_changed_rule_no_longer_flags_was_not_fixed(company: Company) -> None:
    company.night(rule(company.folder, STRICT))
    company.night()

    assert company.differences() == {"notes": ("rejudged", "rule")}
    (difference,) = company.diff().differences
    assert (difference.now, difference.reason) == (None, "passed")


def test_a_changed_parameter_is_a_changed_configuration(company: Company) -> None:
    """`[rules.link-open-to-anyone] strict = true` opens a finding, and taking it back closes it."""
    one = rule(company.folder, BY_PARAM)
    company.night(one)
    company.night(one, params={one.id: {"strict": True}})
    opened = company.differences()
    company.night(one)

    assert opened == {"notes": ("rejudged", "configuration")}
    assert company.differences() == {"notes": ("rejudged", "configuration")}


def test_both_the_rule_and_the_estate(company: Company) -> None:
    """On the night of a new rule somebody opens one document and closes another."""
    company.share(letter="me", menu="everybody")
    company.night()
    company.share(letter="company", menu="me")
    company.night(rule(company.folder, STRICT))

    assert company.differences() == {
        "notes": ("rejudged", "rule"), "letter": ("new", "estate"), "menu": ("resolved", "estate"),
    }  # fmt: skip


def test_a_rule_that_only_reads_differently_changes_nothing(company: Company) -> None:
    """Its file has another hash, and yesterday's estate passes it as ever."""
    company.night()
    company.share(notes="everybody")
    company.night(rule(company.folder, why="It leaks unnoticed."))

    assert company.differences() == {"notes": ("new", "estate")}


def test_a_new_rule_finds_what_was_there_before(company: Company) -> None:
    first, second = rule(company.folder), rule(company.folder, STRICT, rule_id="open-to-colleagues")
    company.night(first)
    company.share(letter="company")
    company.night(first, second)

    assert company.differences() == {
        "plan": ("rejudged", "rule"), "notes": ("rejudged", "rule"), "letter": ("new", "estate"),
    }  # fmt: skip


def test_a_finding_that_reaches_further_by_its_rule_alone_is_not_widened(company: Company) -> None:
    """The rule counts all documents of a shelf as one finding, and private ones too from now on."""
    company.night(by_shelf(company.folder, PLAIN))
    company.night(by_shelf(company.folder, STRICT))
    by_rule = company.differences()
    company.share(letter="everybody", menu="everybody")
    company.night(by_shelf(company.folder, STRICT))

    assert by_rule == {"shelf": ("rejudged", "rule")}
    assert company.differences() == {"shelf": ("widened", "estate")}
    assert company.differences("2026-03-01", "2026-03-03") == {"shelf": ("widened", "estate")}


def test_without_yesterday_s_snapshot_it_is_unclear(company: Company) -> None:
    """Nobody can judge it again: it is neither called judged differently nor simply new."""
    company.night()
    for folder in (company.folder / "snapshots").iterdir():
        shutil.rmtree(folder)
    company.night(rule(company.folder, STRICT))

    assert company.differences() == {"notes": ("new", "unclear")}


def test_the_last_scan_that_could_see_it_counts(company: Company) -> None:
    """The shelf could not be read on the night of the change; the night before it could."""
    company.night()
    company.shelf = replace(company.shelf, unread=True)
    company.night(rule(company.folder, STRICT))
    company.shelf = replace(company.shelf, unread=False)
    company.share(letter="company")
    company.night(rule(company.folder, STRICT))

    assert company.differences() == {"notes": ("rejudged", "rule"), "letter": ("new", "estate")}


def test_nothing_that_was_never_seen_is_judged_differently(company: Company) -> None:
    """Before today no scan could read the shelf: what it contains may be old or new."""
    company.shelf = replace(company.shelf, unread=True)
    company.night()
    company.shelf = replace(company.shelf, unread=False)
    company.night(rule(company.folder, STRICT))

    assert company.differences() == {"plan": ("new", "unclear"), "notes": ("new", "unclear")}


@pytest.mark.parametrize("digests", [True, False])
@pytest.mark.parametrize(
    ("translation", "changed_by"),
    [
        (Translation(meaning=2, configuration="a"), "version"),
        (Translation(meaning=1, configuration="b"), "configuration"),
    ],
)
def test_a_new_translation_of_the_same_answers(
    company: Company, translation: Translation, changed_by: str, digests: bool
) -> None:
    """Friends are anyone from today on. Digests show that the platform said the same."""
    company.shelf = replace(company.shelf, digests=digests)
    company.share(list="friends")
    company.night()
    company.translation = translation
    company.shelf = replace(company.shelf, friends=Audience.ANYONE_WITH_LINK)
    company.share(letter="everybody")
    company.night()
    opened = company.differences()
    company.translation = Translation(meaning=3, configuration="c") if changed_by == "version" else replace_back()
    company.shelf = replace(company.shelf, friends=Audience.ORGANISATION)
    company.night()

    assert opened["list"] == (("rejudged", changed_by) if digests else ("new", "unclear"))
    assert opened["letter"] == ("new", "unclear")
    assert company.differences() == {
        "list": ("rejudged", changed_by) if digests else ("resolved", "unclear"),
    }
    assert company.shelf.asked_since == [False, False, False]  # what was kept of yesterday meant something else


def replace_back() -> Translation:
    return Translation(meaning=1, configuration="a")


def test_other_answers_under_another_configuration_are_new(company: Company) -> None:
    """Digests that differ show a change, where the same version made them; another version may look at more."""
    company.shelf = replace(company.shelf, digests=True)
    company.night()
    company.translation = Translation(meaning=1, configuration="b")
    company.share(notes="everybody")
    company.night()
    by_configuration = company.differences()
    company.translation = Translation(meaning=2, configuration="b")
    company.share(diary="everybody")
    company.night()

    assert by_configuration == {"notes": ("new", "estate")}
    assert company.differences() == {"diary": ("new", "unclear")}


def test_what_was_made_since_is_new_under_any_version(company: Company) -> None:
    company.night()
    company.translation = Translation(meaning=2, configuration="a")
    company.shelf = replace(company.shelf, created={"letter": START + timedelta(hours=5)})
    company.share(letter="everybody")
    company.night()

    assert company.differences() == {"letter": ("new", "estate")}


def test_two_nights_in_one_comparison(company: Company) -> None:
    """What the estate did and a judgement undid, and the other way round, over several nights."""
    company.night()
    company.night(rule(company.folder, STRICT))
    company.share(letter="company", menu="everybody")
    company.night(rule(company.folder, STRICT))
    company.share(menu="me")
    company.night()

    assert company.differences("2026-03-01", "2026-03-03") == {
        "notes": ("rejudged", "rule"), "letter": ("new", "estate"), "menu": ("new", "estate"),
    }  # fmt: skip
    assert company.differences("2026-03-03", "2026-03-04") == {
        "notes": ("rejudged", "rule"), "letter": ("rejudged", "rule"), "menu": ("resolved", "estate"),
    }  # fmt: skip
    assert company.differences("2026-03-01", "2026-03-04") == {}


def test_after_an_older_cloudscan_only_what_was_there_is_called_judged_differently(company: Company) -> None:
    """It did not record what it judged by: today's rule on its snapshot tells, and what it does not tell is unclear."""
    company.night()
    with sa.create_engine(company.url, poolclass=sa.NullPool).begin() as db:
        db.execute(sa.text("UPDATE scans SET basis = NULL, figures = NULL"))
    company.share(letter="everybody")
    company.night(rule(company.folder, STRICT))

    assert company.differences() == {"notes": ("rejudged", "rule"), "letter": ("new", "unclear")}


def test_a_new_version_is_named_once(company: Company, url: str) -> None:
    """Where the version changed with the judgement, it is named; where it did not, the day is enough."""
    company.night()
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as db:
        db.execute(sa.text('UPDATE scans SET figures = replace(figures, \'"version":"\', \'"version":"before \')'))
    first = company.night(rule(company.folder, STRICT))
    second = company.night(rule(company.folder, COUNTS_PRIVATE))

    versions = [event.rejudged.version for event in second.events if event.rejudged]
    assert versions == [first.tool.partition(" ")[2], ""]


def test_a_waiver_that_ends_by_judgement_says_so(company: Company) -> None:
    """Only the rule looks at more than before: somebody has to decide again, and is told why."""
    (finding,) = company.night(by_shelf(company.folder, PLAIN)).findings
    until = START.date() + timedelta(days=60)
    company.ledger.waive(WaiverRequest(finding=finding.fingerprint, owner="me", reason="why", until=until), now=START)
    company.night(by_shelf(company.folder, PLAIN))
    company.night(by_shelf(company.folder, STRICT))

    *_, ended = company.ledger.events(finding.fingerprint)
    assert (ended.kind, ended.reason) == ("reopened", "widened")
    assert ended.rejudged and ended.rejudged.changed_by is ChangedBy.RULE
    assert company.differences() == {"shelf": ("reopened", "rule")}


@pytest.mark.parametrize("seed", range(2))
def test_any_nights_with_any_rules(tmp_path: Path, sqlite: str, seed: int) -> None:
    """Against a model: a difference is one of judgement if today's rule says the same of yesterday's document."""
    chance = random.Random(seed)
    names = [f"document-{number}" for number in range(8)]
    open_to = {
        PLAIN: ("everybody", "the web"),
        STRICT: ("company", "friends", "everybody", "the web"),
        COUNTS_PRIVATE: (*AUDIENCES,),
    }
    rules = {flagged: rule(tmp_path, flagged) for flagged in open_to}
    company = Company(tmp_path, sqlite)
    told, before, flagged_before = set(), dict[str, str](), set[str]()
    for night in range(12):
        condition = chance.choice(list(open_to))
        now = dict(before) if chance.random() < 0.2 else {
            name: chance.choice([before.get(name, "me"), *AUDIENCES]) for name in names if chance.random() < 0.8
        }  # fmt: skip
        company.shelf = replace(company.shelf, documents=now)
        company.night(rules[condition])
        flagged = {name for name, whom in now.items() if whom in open_to[condition]}
        as_today = {name for name, whom in before.items() if whom in open_to[condition]}
        kinds = {
            name: "rejudged" if (name in as_today) == (name in flagged) else "open" if name in flagged else "resolved"
            for name in flagged ^ flagged_before
        }
        if night:
            seen = {
                one.name: "open" if one.kind in ("new", "reopened") else one.kind.value
                for one in company.diff().differences
                if one.kind is not DifferenceKind.WIDENED
            }
            assert seen == kinds
            told |= set(kinds.values())
        before, flagged_before = now, flagged

    assert told == {"open", "resolved", "rejudged"}
