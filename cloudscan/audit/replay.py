"""Replay: the packed rules on the packed snapshot, offline, and whether the result is the packed report.

A pack may come from anyone: its rules and tables are read in a separate process, limited to the time and memory that
honest packs need. Whatever happens there is reported in one sentence.
"""

import multiprocessing
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from cloudscan.audit.archive import Pack, unpacked
from cloudscan.audit.verification import read_manifest
from cloudscan.engine import loader
from cloudscan.engine.judge import streamed
from cloudscan.engine.rule_file import ParamValue, Rule
from cloudscan.errors import AuditError, CloudscanError
from cloudscan.finding import Judgement, Verdict
from cloudscan.report import Report
from cloudscan.sentence import say
from cloudscan.snapshot.snapshot import Snapshot

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

RULES: Final = "rules/files"
SNAPSHOT: Final = "snapshot"
PARAMS: Final = "configuration/rule-parameters.json"
REPORT: Final = "report/report.json"
SECONDS: Final = 900
"""How long a replay may take by default; a scan of a million files takes a few minutes."""

_STOPPED: Final = say("Judging the packed snapshot was stopped: the pack needs more memory than a replay may use.")
_MOST: Final = 1 << 30  # bytes of a report
_ADDRESS_SPACE: Final = 16 << 30  # bytes, several times what is used: DuckDB reserves more than it fills
_SPILL: Final = 8 << 30  # bytes on disk


class Answer(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """The answer on one identity: flagged with a severity, or unknown."""

    rule_id: str
    fingerprint: str
    says: str  # a severity, or unknown


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a replay."""

    findings: int  # in the pack and in the replay alike
    unknowns: int
    only_packed: tuple[Answer, ...]
    only_replayed: tuple[Answer, ...]

    @property
    def same(self) -> bool:
        """Whether the replay gave the packed report."""
        return not self.only_packed and not self.only_replayed


def replay(pack: Pack, *, seconds: float = SECONDS) -> Replay:
    """Judge the packed snapshot with the packed rules, at the packed time, and compare with the packed report.

    Raises `AuditError` if the pack is of another version, lacks something, cannot be judged, or takes longer than
    `seconds`.
    """
    read_manifest(pack)
    for name in (REPORT, PARAMS):
        if pack.sizes.get(name, _MOST + 1) > _MOST:
            raise AuditError(say("The pack has no {name}, or an oversized one; it cannot be replayed.", name=name))
    with tempfile.TemporaryDirectory(prefix="cloudscan-replay-") as folder:
        needed = (name for name in pack.sizes if name.startswith((f"{RULES}/", f"{SNAPSHOT}/")))
        unpacked(pack, iter([REPORT, PARAMS, *needed]), Path(folder))
        return _apart(Path(folder), seconds)


def _apart(folder: Path, seconds: float) -> Replay:
    """The replay of an unpacked pack, done by another process."""
    processes = _processes()
    answer, end = processes.Pipe(duplex=False)
    process = processes.Process(target=_answer_to, args=(end, folder), daemon=True)
    process.start()
    end.close()
    try:
        if not answer.poll(seconds):
            raise AuditError(
                say(
                    "The packed rules took longer than {seconds} seconds and were stopped; no replay. Allow "
                    "more time with --within if you trust the maker of the pack.",
                    seconds=f"{seconds:g}",
                )
            )
        message = answer.recv_bytes()
    except EOFError as error:
        raise AuditError(_STOPPED) from error
    finally:
        process.kill()
        process.join()
        answer.close()
    if message.startswith(b"!"):
        problem = message[1:].decode().replace(f"{folder}/", "")
        raise AuditError(
            _STOPPED if problem == _STOPPED else say("The pack cannot be replayed: {problem}", problem=problem)
        )
    return msgspec.json.decode(message, type=Replay)


def _processes() -> "ForkServerContext | SpawnContext":
    """How other processes start: with nothing of this one, and with all imports done where the system can fork."""
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
        end.send_bytes(b"!" + _STOPPED.encode())


def _confine() -> None:
    with suppress(ImportError):  # Windows has no such limits
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE if most < 0 else min(_ADDRESS_SPACE, most), most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _replayed(folder: Path) -> Replay:
    try:
        report = msgspec.json.decode((folder / REPORT).read_bytes(), type=Report)
        params = msgspec.json.decode((folder / PARAMS).read_bytes(), type=dict[str, dict[str, ParamValue]])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AuditError(say("The report or the parameters in the pack are damaged ({error}).", error=error)) from error
    rules = loader.load_archived(folder / RULES)
    with Snapshot.open(folder / SNAPSHOT, spill=_SPILL) as snapshot:
        verdicts = streamed(snapshot, rules, timezone=report.timezone, params=params)
        return compared(report, rules, verdicts)


def compared(report: Report, rules: Sequence[Rule], verdicts: Iterable[Verdict]) -> Replay:
    """The difference between what a report says of its own scan and what these rules decide about the snapshot now."""
    severities = {rule.id: rule.severity for rule in rules}
    packed = set(_answers_of(report))
    replayed = {
        _answer(verdict, severities[verdict.rule_id] if verdict.judgement is Judgement.FLAGGED else "unknown")
        for verdict in verdicts
    }
    alike = packed & replayed
    unknowns = sum(answer.says == "unknown" for answer in alike)
    return Replay(
        findings=len(alike) - unknowns,
        unknowns=unknowns,
        only_packed=tuple(sorted(packed - replayed)),
        only_replayed=tuple(sorted(replayed - packed)),
    )


def _answers_of(report: Report) -> Iterator[Answer]:
    """What the scan itself found. Findings that only an earlier scan could see are history, not judgement."""
    for finding in report.findings:
        if finding.last_seen_on >= report.scan.started_on:
            yield _answer(finding.verdict, finding.severity)
    for verdict in report.unknowns:
        yield _answer(verdict, "unknown")


def _answer(verdict: Verdict, says: str) -> Answer:
    return Answer(rule_id=verdict.rule_id, fingerprint=verdict.fingerprint, says=str(says))
