"""Rules as they are written, for readers: what a rule says and asks. Nothing is checked or proven here.

`cloudscan.engine.loader` says what is wrong with a rule; to look one up, nobody has to wait for that.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from cloudscan.engine import framework_file, yaml_file
from cloudscan.engine import remedies as shared
from cloudscan.engine.remedies import LANGUAGES, Remedies
from cloudscan.engine.rule_file import Param, RuleFile
from cloudscan.engine.yaml_file import Problem
from cloudscan.finding import Confidence, RuleText, Severity


class DescribedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule for a reader; the fields are those of `Rule`."""

    id: str
    severity: Severity
    confidence: Confidence
    cause: str
    likelihood: int
    query: str
    params: Mapping[str, Param]
    frameworks: Sequence[str]
    text: Mapping[str, RuleText]
    source: str


def find(folders: Iterable[Path], rule_id: str) -> DescribedRule | None:
    """The rule in the one file that has its id for a name; None if there is none, or it cannot be read as one."""
    files = _files(folders)
    named = [file for file in files if file.stem == rule_id and not _is_other(file)]
    remedies, problems = shared.read(files)
    return _described(named[0], remedies) if len(named) == 1 and not problems else None


def every(folders: Iterable[Path]) -> Sequence[DescribedRule] | None:
    """All rules, by id; None if one of the files cannot be read as a rule, or two have the same id."""
    files = _files(folders)
    remedies, problems = shared.read(files)
    read = [_described(file, remedies) for file in files if not _is_other(file)]
    rules = {rule.id: rule for rule in read if rule}
    return None if problems or len(rules) < len(read) else [rules[key] for key in sorted(rules)]


def _described(file: Path, remedies: Remedies) -> DescribedRule | None:
    outcome = yaml_file.read(file, RuleFile)
    if isinstance(outcome, Problem):
        return None
    _, written = outcome
    is_whole = written.id == file.stem and set(LANGUAGES) <= written.text.keys()
    if not is_whole or any(shared.problems_of(written, remedies)):
        return None
    return DescribedRule(
        id=written.id,
        severity=written.severity,
        confidence=written.confidence,
        cause=written.cause,
        likelihood=written.likelihood,
        query=written.query,
        params=written.params,
        frameworks=written.frameworks,
        text=shared.texts_of(written, remedies),
        source=str(file),
    )


def _is_other(file: Path) -> bool:
    return framework_file.is_framework(file) or shared.is_remedies(file)


def _files(folders: Iterable[Path]) -> Sequence[Path]:
    """Folders that do not exist have no files: the loader says so."""
    different = {folder.resolve(): folder for folder in folders}.values()
    return [file for folder in different for file in sorted(folder.rglob("*")) if file.suffix in (".yaml", ".yml")]
