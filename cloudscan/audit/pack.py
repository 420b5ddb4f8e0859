"""What goes into a pack, under which names: a function of the scan and of the decisions about it."""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from cloudscan import plugins
from cloudscan.audit import manifest, replay, tables, wording
from cloudscan.audit.manifest import Part
from cloudscan.config import Config
from cloudscan.engine import framework_coverage, loader, remedies
from cloudscan.engine.framework_file import Framework
from cloudscan.engine.judge import streamed
from cloudscan.engine.judging_record import RecordedBasis
from cloudscan.engine.rule_file import Rule
from cloudscan.files import open_private
from cloudscan.redaction.redactor import Redactor
from cloudscan.redaction.snapshot import redact
from cloudscan.report import Event, Report, Scan, WaiverReview, WaiverStatus, pieces
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.text import as_csv

LANGUAGES: Final = remedies.LANGUAGES
# A password may contain a slash: SQLAlchemy reads up to the last @. In a query, any parameter named like a secret.
_CREDENTIALS: Final = re.compile(
    r"(?<=://)(?:[^/@\s:]*:\S*|[^/@\s]+)@"
    r"|(?<=[?&;])(\w*(?:passw|pwd|passphrase|secret|token|key|credential|sig)\w*)=[^&;\s]*",
    re.IGNORECASE,
)
_PLAIN_OPTIONS: Final = frozenset({"language", "fail_on"})


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Everything known about a scan."""

    snapshot: Path
    judged: RecordedBasis
    report: Report  # as it is now, with later decisions
    config: Config
    events: Sequence[Event] = ()
    waivers: Sequence[WaiverStatus] = ()
    reviews: Mapping[str, Sequence[WaiverReview]] = field(default_factory=dict)  # of exceptions, by uid
    scans: Sequence[Scan] = ()


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """The sources with their rules loaded, redacted or not."""

    sources: Sources
    rules: Sequence[Rule]
    frameworks: Sequence[Framework]
    config: Mapping[str, Any]
    redacted: bool


def write(sources: Sources, into: Path, *, key: bytes | None = None, sign_with: Path | None = None) -> Sequence[str]:
    """Write a pack into a new folder or zip:

    redacted with `key`, if one is given, and signed with the key in `sign_with`.

    Returns the rules whose replay would differ, because they read what was redacted. Raises `AuditError`.
    """
    with tempfile.TemporaryDirectory(prefix="cloudscan-audit-") as work:
        opened = _opened(sources, Path(work), key)
        differing = _differing(opened)
        parts = [*_parts(opened, differing, Path(work), signed=sign_with is not None)]
        whole = manifest.with_manifest(
            parts,
            tool=opened.sources.report.tool,
            scan=opened.sources.report.scan,
            redacted=opened.redacted,
            replay_differs=differing,
            key=sign_with,
        )
        manifest.write(whole, into)
        return differing


def _opened(sources: Sources, work: Path, key: bytes | None) -> _Opened:
    for name, content in sources.judged.files.items():
        file = work / "rules" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
    rules = loader.load_archived(work / "rules")
    opened = _Opened(
        sources=sources,
        rules=rules,
        frameworks=loader.load_frameworks([work / "rules"]),
        config=effective(sources.config),
        redacted=False,
    )
    return _redacted(opened, Redactor(key, rules), work / "snapshot") if key else opened


def _redacted(opened: _Opened, redactor: Redactor, snapshot: Path) -> _Opened:
    sources = opened.sources
    with Snapshot.open(sources.snapshot) as original:
        redact(original, redactor, snapshot)
    names = redactor.fingerprints(finding.verdict for finding in sources.report.findings)

    def renamed(fingerprint: str) -> str:
        return names.get(fingerprint) or redactor.text(fingerprint)

    return replace(
        opened,
        sources=replace(
            sources,
            snapshot=snapshot,
            report=redactor.report(sources.report),
            events=[msgspec.structs.replace(event, fingerprint=renamed(event.fingerprint)) for event in sources.events],
            waivers=[
                msgspec.structs.replace(
                    status,
                    waiver=redactor.waiver(
                        status.waiver, status.waiver.fingerprint, renamed(status.waiver.fingerprint)
                    ),
                    findings=[renamed(fingerprint) for fingerprint in status.findings],
                    reviews=[redactor.review(review) for review in status.reviews],
                    widened={renamed(fingerprint): amounts for fingerprint, amounts in status.widened.items()},
                )
                for status in sources.waivers
            ],
            reviews={
                redactor.id(uid): [redactor.review(review) for review in some] for uid, some in sources.reviews.items()
            },
        ),
        config={**_hidden(opened.config, redactor), "rules": opened.config["rules"]},
        redacted=True,
    )


def _differing(opened: _Opened) -> Sequence[str]:
    """The rules for which judging the packed snapshot does not give the packed report."""
    with Snapshot.open(opened.sources.snapshot) as snapshot:
        packed = opened.sources.report
        verdicts = streamed(snapshot, opened.rules, timezone=packed.timezone, params=opened.sources.judged.params)
        replayed = replay.compared(packed, opened.rules, verdicts)
    return sorted({answer.rule_id for answer in (*replayed.only_packed, *replayed.only_replayed)})


def _parts(opened: _Opened, differing: Sequence[str], work: Path, *, signed: bool) -> Iterator[Part]:
    sources, report = opened.sources, opened.sources.report
    controls = framework_coverage.results(opened.frameworks, report.rules, report.findings, report.unknowns)
    for language in LANGUAGES:
        suffix = "" if language == "en" else f".{language}"
        yield manifest.text(
            f"README{suffix}.md",
            wording.readme(language, report, redacted=opened.redacted, signed=signed, differing=differing),
        )
        yield _formatted("html", report, language, f"report/report.{language}.html", work)
        yield manifest.text(f"frameworks/controls.{language}.html", wording.controls_page(language, report, controls))
        yield _formatted("csv", report, language, f"report/findings.{language}.csv", work)
    yield _formatted("json", report, "en", replay.REPORT, work)
    yield _formatted("ndjson", report, "en", "report/findings.ndjson", work)
    yield manifest.text("coverage/coverage.csv", as_csv(*tables.coverage(report)))
    yield manifest.text("coverage/unknown.csv", as_csv(*tables.unknown(report)))
    yield manifest.text("frameworks/controls.csv", as_csv(*tables.controls(controls)))
    for name, content in sources.judged.files.items():
        yield manifest.text(f"{replay.RULES}/{name}", content)
    yield manifest.text("rules/rules.csv", as_csv(*tables.rules(report)))
    yield manifest.data("configuration/cloudscan.json", opened.config)
    yield manifest.data(replay.PARAMS, sources.judged.params)
    yield manifest.text("ledger/events.csv", as_csv(*tables.events(sources.events)))
    yield manifest.text("ledger/waivers.csv", as_csv(*tables.waivers(sources.waivers)))
    yield manifest.text("ledger/reviews.csv", as_csv(*tables.reviews(sources.reviews)))
    yield manifest.text("ledger/scans.csv", as_csv(*tables.scans(sources.scans)))
    yield manifest.data("versions.json", tables.versions())
    yield Part(name=f"{replay.SNAPSHOT}/manifest.json", content=sources.snapshot / "manifest.json")
    for file in sorted((sources.snapshot / "tables").glob("*.parquet")):
        yield Part(name=f"{replay.SNAPSHOT}/tables/{file.name}", content=file)


def _formatted(name: str, report: Report, language: str, to: str, work: Path) -> Part:
    """A report in a format; it waits on disk for the others, each of which may be large."""
    waiting = work / to.replace("/", "-")
    with open_private(waiting) as file:
        file.writelines(pieces(plugins.report_format(name).write(report, language)))
    return Part(name=to, content=waiting)


def effective(config: Config) -> dict[str, Any]:
    """The configuration with its defaults, as JSON values, without credentials in URLs."""
    values: dict[str, Any] = msgspec.to_builtins(config)
    values["ledger"]["url"] = config.ledger_url
    scrubbed: dict[str, Any] = _scrubbed(values)
    return scrubbed


def _scrubbed(value: Any) -> Any:
    match value:
        case str():
            return _CREDENTIALS.sub(lambda match: f"{match[1]}=…" if match[1] else "…@", value)
        case dict():
            return {name: _scrubbed(item) for name, item in value.items()}
        case list() | tuple():
            return [_scrubbed(item) for item in value]
        case _:
            return value


def _hidden(config: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    def hidden(name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {inner: hidden(inner, item) for inner, item in value.items()}
        return value if name in _PLAIN_OPTIONS else redactor.detail(value)

    return {name: hidden(name, value) for name, value in config.items()}


def until(sources: Sources, moment: datetime) -> Sources:
    """Only what was known at a given time: for a scan that is not the last."""
    return replace(
        sources,
        events=[event for event in sources.events if event.on <= moment],
        waivers=[_with_reviews(status, moment) for status in sources.waivers if status.waiver.given_on <= moment],
        reviews={uid: [one for one in some if one.on <= moment] for uid, some in sources.reviews.items()},
        scans=[scan for scan in sources.scans if scan.started_on <= moment],
    )


def _with_reviews(status: WaiverStatus, moment: datetime) -> WaiverStatus:
    return msgspec.structs.replace(status, reviews=[review for review in status.reviews if review.on <= moment])
