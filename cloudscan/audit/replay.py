"""Replay: the packed rules on the packed snapshot, offline, and whether they say again what the pack says."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from cloudscan import rule
from cloudscan.audit.container import Pack, content, unpacked
from cloudscan.errors import AuditError
from cloudscan.finding import Severity, Verdict
from cloudscan.judge import Verdicts, judge
from cloudscan.report import Report
from cloudscan.rule import ParamValue
from cloudscan.snapshot import Snapshot

RULES: Final = "rules/files"
SNAPSHOT: Final = "snapshot"
PARAMS: Final = "configuration/rule-parameters.json"
REPORT: Final = "report/report.json"
_MOST: Final = 1 << 30


class Answer(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """What is said of one identity: flagged with a severity, or unknown."""

    rule_id: str
    fingerprint: str
    says: str  # a severity, or unknown


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a replay."""

    findings: int  # that the pack tells and the replay gives alike
    unknowns: int
    only_packed: tuple[Answer, ...]
    only_replayed: tuple[Answer, ...]

    @property
    def same(self) -> bool:
        return not self.only_packed and not self.only_replayed


def replay(pack: Pack) -> Replay:
    """Judge the packed snapshot with the packed rules, at the packed time, and compare with the packed report.

    Raises `AuditError` where the pack lacks what that needs, and what `rule.load`, `Snapshot.open` and `judge` raise.
    """
    try:
        report = msgspec.json.decode(content(pack, REPORT, _MOST), type=Report)
        params = msgspec.json.decode(content(pack, PARAMS, _MOST), type=dict[str, dict[str, ParamValue]])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AuditError(f"The report or the parameters in the pack are damaged ({error}).") from error
    with tempfile.TemporaryDirectory(prefix="cloudscan-replay-") as folder:
        needed = (name for name in pack.sizes if name.startswith((f"{RULES}/", f"{SNAPSHOT}/")))
        unpacked(pack, needed, Path(folder))
        rules = rule.load([Path(folder) / RULES])
        with Snapshot.open(Path(folder) / SNAPSHOT) as snapshot:
            return compared(report, judge(snapshot, rules, params=params))


def compared(report: Report, verdicts: Verdicts) -> Replay:
    """What a report says of its own scan, beside what rules say of the snapshot now."""
    packed, replayed = set(_told(report)), set(_answers(verdicts))
    alike = packed & replayed
    unknowns = sum(each.says == "unknown" for each in alike)
    return Replay(
        findings=len(alike) - unknowns,
        unknowns=unknowns,
        only_packed=tuple(sorted(packed - replayed)),
        only_replayed=tuple(sorted(replayed - packed)),
    )


def _told(report: Report) -> Iterator[Answer]:
    """What the scan itself found. What only an earlier one could look at is history, not judgement."""
    for finding in report.findings:
        if finding.last_seen_on >= report.scan.started_on:
            yield _answer(finding.verdict, finding.severity)
    for verdict in report.unknowns:
        yield _answer(verdict, "unknown")


def _answers(verdicts: Verdicts) -> Iterator[Answer]:
    severities: Mapping[str, Severity] = {each.id: each.severity for each in verdicts.rules}
    for verdict in verdicts.flagged:
        yield _answer(verdict, severities[verdict.rule_id])
    for verdict in verdicts.unknown:
        yield _answer(verdict, "unknown")


def _answer(verdict: Verdict, says: str) -> Answer:
    return Answer(rule_id=verdict.rule_id, fingerprint=verdict.fingerprint, says=str(says))
