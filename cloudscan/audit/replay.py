"""Replay: the packed rules on the packed snapshot, offline, and whether they say again what the pack says.

A pack is a stranger's: its rules and tables are read in a process of their own, for so long and with so much memory as
honest ones need, and whatever becomes of it is told in one sentence.
"""

import multiprocessing
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from cloudscan.audit.archive import Pack, unpacked
from cloudscan.audit.verification import read_manifest
from cloudscan.engine import loader
from cloudscan.engine.judge import Verdicts, judge
from cloudscan.engine.rule_file import ParamValue
from cloudscan.errors import AuditError, CloudscanError
from cloudscan.finding import Severity, Verdict
from cloudscan.report import Report
from cloudscan.snapshot.snapshot import Snapshot

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

RULES: Final = "rules/files"
SNAPSHOT: Final = "snapshot"
PARAMS: Final = "configuration/rule-parameters.json"
REPORT: Final = "report/report.json"
SECONDS: Final = 900
"""How long a replay may take where nothing else is said; a night of a million files takes a few minutes."""

_MOST: Final = 1 << 30  # bytes of a report
_ADDRESSES: Final = 16 << 30  # bytes of addresses, several times what is used: DuckDB reserves more than it fills
_SPILL: Final = 8 << 30  # bytes on disk


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


def replay(pack: Pack, *, seconds: float = SECONDS) -> Replay:
    """Judge the packed snapshot with the packed rules, at the packed time, and compare with the packed report.

    Raises `AuditError` where the pack is of another version, lacks what that needs, cannot be judged, or takes longer
    than `seconds`.
    """
    read_manifest(pack)
    for name in (REPORT, PARAMS):
        if pack.sizes.get(name, _MOST + 1) > _MOST:
            raise AuditError(f"There is no {name} in it, or one that no pack has; it cannot be replayed.")
    with tempfile.TemporaryDirectory(prefix="cloudscan-replay-") as folder:
        needed = (name for name in pack.sizes if name.startswith((f"{RULES}/", f"{SNAPSHOT}/")))
        unpacked(pack, iter([REPORT, PARAMS, *needed]), Path(folder))
        return _apart(Path(folder), seconds)


def _apart(folder: Path, seconds: float) -> Replay:
    """What another process makes of an unpacked pack."""
    processes = _processes()
    answer, end = processes.Pipe(duplex=False)
    process = processes.Process(target=_answer_to, args=(end, folder), daemon=True)
    process.start()
    end.close()
    try:
        if not answer.poll(seconds):
            raise AuditError(
                f"The packed rules took longer than {seconds:g} seconds and were stopped; no replay. Name a longer "
                "time with --within if you trust who made the pack."
            )
        said = answer.recv_bytes()
    except EOFError as error:
        raise AuditError(
            "Judging the packed snapshot broke off: the pack asks for more than a replay may use."
        ) from error
    finally:
        process.kill()
        process.join()
        answer.close()
    if said.startswith(b"!"):
        raise AuditError(said[1:].decode().replace(f"{folder}/", ""))
    return msgspec.json.decode(said, type=Replay)


def _processes() -> "ForkServerContext | SpawnContext":
    """How other processes begin: with nothing of this one, and where the system can fork with all imports done."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "cloudscan.snapshot.sql"])
    return context


def _answer_to(end: Connection, folder: Path) -> None:
    _confine()
    try:
        end.send_bytes(msgspec.json.encode(_replayed(folder)))
    except CloudscanError as error:
        end.send_bytes(b"!" + str(error).encode("utf-8", "replace"))
    except (MemoryError, RecursionError):
        end.send_bytes(b"!Judging the packed snapshot broke off: the pack asks for more than a replay may use.")


def _confine() -> None:
    with suppress(ImportError):  # Windows has no such limits
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES if most < 0 else min(_ADDRESSES, most), most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _replayed(folder: Path) -> Replay:
    try:
        report = msgspec.json.decode((folder / REPORT).read_bytes(), type=Report)
        params = msgspec.json.decode((folder / PARAMS).read_bytes(), type=dict[str, dict[str, ParamValue]])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AuditError(f"The report or the parameters in the pack are damaged ({error}).") from error
    rules = loader.load([folder / RULES])
    with Snapshot.open(folder / SNAPSHOT, spill=_SPILL) as snapshot:
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
