"""Ninety nights of a company that changes, held against a model that knows nothing of ledgers.

Everything is real but the clock: the connector with its cursors, snapshots, rules, the ledger. Shelves cannot be read
at times, scans are killed and started again, the database is away, nights are skipped, waivers are given and revoked.
"""

import json
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest

from cloudscan.errors import LedgerUnreachable, WaiverError
from cloudscan.facts import Audience
from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.waivers import WaiverRequest
from cloudscan.nightly.scan import run_nightly
from cloudscan.report import Report
from cloudscan.snapshot.collect import CollectOptions, Event, Finished, collect
from cloudscan.snapshot.snapshot import Snapshot
from tests.kit.toy_cloud import rules, shelve
from tests.toy_connector.cloudscan_toy import ToyConnector

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
WIDTH = {"everybody": 1, "the web": 2}
AUDIENCE = {1: Audience.ANYONE_WITH_LINK, 2: Audience.ANYONE_DISCOVERABLE}
SHELVES = ("sales", "board", "lab")
NAMES = tuple("abcdefgh")
TROUBLES = {
    "": 48,
    "skipped": 10,
    "killed reading": 12,
    "killed at the end": 10,
    "database away": 10,
    "database away till tomorrow": 10,
}  # per cent of the nights


@dataclass
class Given:
    """A waiver: about which ids, until when, and how wide each document was when it was first covered."""

    place: str
    until: datetime
    revoked: bool = False
    width: dict[str, int] = field(default_factory=dict)
    outgrown: set[str] = field(default_factory=set)

    def in_force(self, now: datetime) -> bool:
        return not self.revoked and now.date() <= self.until.date()

    def covers(self, uid: str) -> bool:
        return self.place in ("toy", uid, f"toy:shelf/{uid.split('/')[1]}")


@dataclass
class Model:
    """What ought to stand, and what ought to have happened: document by document, night by night."""

    standing: dict[str, int] = field(default_factory=dict)  # how wide each was when last seen
    known: set[str] = field(default_factory=set)
    under: dict[str, int] = field(default_factory=dict)  # the waiver that holds
    waivers: dict[int, Given] = field(default_factory=dict)
    events: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    nights: list[dict[str, tuple[int, bool]]] = field(default_factory=list)  # width, waived
    complete: list[bool] = field(default_factory=list)

    def scan(self, shelves: Mapping[str, Mapping[str, str]], out: str, now: datetime) -> None:
        documents = {
            f"toy:document/{shelf}/{name}": whom
            for shelf, documents in shelves.items()
            if shelf != out
            for name, whom in documents.items()
        }
        for uid, whom in documents.items():
            if whom in WIDTH:
                if uid not in self.standing:
                    self._note(uid, "reopened" if uid in self.known else "opened")
                self.standing[uid] = WIDTH[whom]
                self.known.add(uid)
        for uid in list(self.standing):
            # A shelf that was not read might still have what is not seen any more.
            unread = uid.split("/")[1] == out
            if documents.get(uid, "?" if unread else "gone") not in (*WIDTH, "?"):
                del self.standing[uid]
                self.under.pop(uid, None)
                self._note(uid, "resolved", "passed" if uid in documents else "gone")
        self.weigh(now, set(self.standing))
        self.nights.append({uid: (width, uid in self.under) for uid, width in self.standing.items()})
        self.complete.append(not out)

    def weigh(self, now: datetime, uids: set[str]) -> None:
        for uid in sorted(uids & self.standing.keys()):
            width, holding = self.standing[uid], []
            for number, given in self.waivers.items():
                if given.in_force(now) and given.covers(uid) and uid not in given.outgrown:
                    if width > given.width.setdefault(uid, width):
                        given.outgrown.add(uid)
                    else:
                        holding.append((given.until.date(), number))
            before = self.under.pop(uid, None)
            if holding:
                self.under[uid] = max(holding)[1]
                if before is None:
                    self._note(uid, "waived")
            elif before is not None:
                ended = self.waivers[before]
                why = "widened" if uid in ended.outgrown else "revoked" if ended.revoked else "expired"
                self._note(uid, "reopened", why)

    def difference(self, old: int, new: int) -> dict[str, str]:
        before, now = self.nights[old], self.nights[new]
        earlier = {uid for run_nightly in self.nights[:old] for uid in run_nightly}
        kinds = {}
        for uid in before.keys() | now.keys():
            was, is_ = before.get(uid), now.get(uid)
            if is_ is None:
                kinds[uid] = "resolved"
            elif is_[1] and not (was and was[1]):
                kinds[uid] = "waived"
            elif was is None:
                kinds[uid] = "reopened" if uid in earlier else "new"
            elif was[1] and not is_[1]:
                kinds[uid] = "reopened"
            elif is_[0] > was[0]:
                kinds[uid] = "widened"
        return kinds

    def _note(self, uid: str, kind: str, reason: str = "") -> None:
        self.events.setdefault(uid, []).append((kind, reason))


class Company:
    """The company, its scans and its ledger. `dice` say what happens."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.dice = random.Random(seed)
        self.shelves: dict[str, dict[str, str]] = {shelf: {} for shelf in SHELVES}
        self.ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}")
        self.away = Ledger("postgresql+psycopg://auditor@127.0.0.1:1/cloudscan")
        self.model = Model()
        self.today = START
        self.incremental = 0
        self.happened: set[str] = set()
        self.waiting = False  # a night that is read and not yet entered

    def live(self, *, calm: bool = False) -> None:
        """A day and its night; a calm one has no trouble."""
        self._change()
        (trouble,) = [""] if calm else self.dice.choices(list(TROUBLES), list(TROUBLES.values()))
        self.happened.add(trouble)
        if trouble != "skipped":
            out = self.dice.choice(SHELVES) if self.dice.random() < 0.1 and not calm else ""
            self._write(out)
            self.model.scan(self.shelves, out, self.today)
            self._scan(trouble)
            if trouble != "database away till tomorrow":
                self._decide()
        self.today += timedelta(days=1)

    def _change(self) -> None:
        for _ in range(self.dice.randint(0, 3)):
            shelf, name = self.dice.choice(SHELVES), self.dice.choice(NAMES)
            if self.dice.random() < 0.25:
                self.shelves[shelf].pop(name, None)
            else:
                self.shelves[shelf][name] = self.dice.choice(
                    ["everybody"] * 3 + ["the web"] * 2 + ["company", "me", "?"]
                )

    def _write(self, out: str) -> None:
        for shelf, documents in self.shelves.items():
            shelve(self.folder / "company", documents, shelf)
        if out:
            (self.folder / "company" / f"{out}.json").write_text("no JSON")

    def _scan(self, trouble: str) -> None:
        if trouble == "killed reading":
            with suppress(KeyboardInterrupt):
                self._once(self.ledger, on_event=_die)
        elif trouble == "killed at the end":
            with suppress(KeyboardInterrupt):
                self._once(self.ledger, publish=_die)
        elif trouble.startswith("database away"):
            with suppress(LedgerUnreachable):
                self._once(self.away)
        if trouble != "database away till tomorrow":
            report = self._once(self.ledger)
            assert report.scan.complete is self.model.complete[-1]

    def _once(self, ledger: Ledger, **hears: object) -> Report:
        def count(event: Event) -> None:
            self.incremental += isinstance(event, Finished) and event.report.incremental

        return run_nightly(
            [ToyConnector(self.folder / "company")],
            rules(),
            snapshots=self.folder / "snapshots",
            ledger=ledger,
            now=self.today,
            options=CollectOptions(concurrency=2, clock=lambda: self.today),
            full=self.dice.random() < 0.1,
            **({"publish": _ignore, "on_event": count} | hears),  # type: ignore[arg-type]
        )

    def _decide(self) -> None:
        model, moment = self.model, self.today + timedelta(hours=6)
        if model.standing and self.dice.random() < 0.3:
            uid = self.dice.choice(sorted(model.standing))
            target = self.dice.choice([uid, uid, f"toy:shelf/{uid.split('/')[1]}", "toy"])
            until = moment + timedelta(days=self.dice.randint(0, 9))
            with suppress(WaiverError):  # one that says the same already
                number = self.ledger.waive(
                    WaiverRequest(target=target, owner="me", reason="why", until=until.date()), now=moment
                ).waiver.id
                model.waivers[number] = Given(target, until)
                model.weigh(moment, {uid for uid in model.standing if model.waivers[number].covers(uid)})
        current = [number for number, given in model.waivers.items() if given.in_force(moment)]
        if current and self.dice.random() < 0.15:
            number = self.dice.choice(current)
            self.ledger.revoke(number, now=moment)
            model.waivers[number].revoked = True
            model.weigh(moment, {uid for uid, under in model.under.items() if under == number})


def _die(_: object) -> None:
    raise KeyboardInterrupt


def _ignore(_: Report) -> None:
    pass


@pytest.mark.long
@pytest.mark.parametrize(
    ("nights", "seed"),
    [(36, 20260303), *(pytest.param(90, seed, marks=pytest.mark.campaign) for seed in range(20260301, 20260321))],
)
def test_nights_come_out_exactly(tmp_path: Path, nights: int, seed: int) -> None:
    company = Company(tmp_path, seed)
    for _ in range(nights):
        company.live()
    company.live(calm=True)
    model, ledger = company.model, company.ledger

    latest = ledger.latest()
    assert latest
    uid_of = {finding.fingerprint: finding.verdict.subject.uid for finding in latest.findings}
    trend = ledger.trend()
    differences = [
        (model.difference(old, new), ledger.diff(trend[old].id, trend[new].id))
        for old, new in [*((n, n + 1) for n in range(len(trend) - 1)), *list(combinations(range(len(trend)), 2))[::97]]
    ]
    for _, diff in differences:
        uid_of |= {difference.fingerprint: difference.uid for difference in diff.differences}
    events: dict[str, list[tuple[str, str]]] = {}
    for event in ledger.events():
        events.setdefault(uid_of[event.fingerprint], []).append((event.kind, event.reason))

    assert events == model.events
    assert [{difference.uid: difference.kind for difference in diff.differences} for _, diff in differences] == [
        expected for expected, _ in differences
    ]
    assert [scan.complete for scan in trend] == model.complete
    assert [_numbers(night) for night in model.nights] == [
        (
            sum(each.figures.findings.values()),
            each.figures.waived,
            {a: e.subjects for a, e in each.figures.exposure.items()},
        )
        for each in trend
        if each.figures
    ]
    assert company.happened == TROUBLES.keys()
    assert {kind for kinds in model.events.values() for kind in kinds} == {
        ("opened", ""), ("resolved", "passed"), ("resolved", "gone"), ("reopened", ""), ("waived", ""),
        ("reopened", "expired"), ("reopened", "revoked"), ("reopened", "widened"),
    }  # fmt: skip
    assert company.incremental > nights
    _assert_told_as_if_read_in_full(company)


def _numbers(run_nightly: Mapping[str, tuple[int, bool]]) -> tuple[int, int, dict[Audience, int]]:
    work = [width for width, waived in run_nightly.values() if not waived]
    places = {AUDIENCE[width]: work.count(width) for width in sorted(set(work), reverse=True)}
    return len(work), len(run_nightly) - len(work), places


def _assert_told_as_if_read_in_full(company: Company) -> None:
    """After ninety nights of changes the snapshot holds what a connector tells that is asked for everything."""
    last = max((company.folder / "snapshots").iterdir())
    full = collect([ToyConnector(company.folder / "company")], company.folder / "full")
    with Snapshot.open(last) as incremental, full:
        for table in ("resources", "grants", "principals"):
            asked = f"SELECT * FROM {table} ORDER BY ALL"
            assert json.dumps(incremental.query(asked).rows, default=str) == json.dumps(
                full.query(asked).rows, default=str
            )
