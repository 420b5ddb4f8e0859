"""What a scan is judged by: rules and their parameters, and what connectors make of answers. Pure functions.

Two scans with the same basis differ only in what the estate is like. Where the basis differs, a finding may appear or
vanish although nothing in the estate has changed: `cloudscan.ledger.attribution` tells the two apart.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cloudscan import __version__
from cloudscan.report import ChangedBy
from cloudscan.snapshot.translation import Translation

if TYPE_CHECKING:
    from cloudscan.engine.judge import Verdicts
    from cloudscan.engine.rule_file import ParamValue, Rule
    from cloudscan.snapshot.manifest import Manifest


class JudgedRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule as it was applied."""

    version: str  # hash of the rule's file
    params: str = ""  # digest of the values of its parameters; empty: it has none


class Basis(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a scan was judged by."""

    version: str  # of cloudscan
    rules: Mapping[str, JudgedRule]  # by id
    meaning: int = 1  # `cloudscan.snapshot.manifest.MEANING`
    translations: Mapping[str, Translation] = {}  # by platform; empty where it was not recorded

    def may_have_read(self, platform: str) -> bool:
        """Whether the scan may have read this platform."""
        return not self.translations or platform in self.translations


@dataclass(frozen=True, kw_only=True)
class PastScan:
    """A recorded scan, and where its snapshot is, or was."""

    id: str
    started_on: datetime
    basis: Basis | None  # None: an older cloudscan recorded it
    folder: Path


def basis_of(manifest: "Manifest", verdicts: "Verdicts") -> Basis:
    """The basis of the verdicts on a snapshot."""
    return Basis(
        version=__version__,
        rules={
            rule.id: JudgedRule(
                version=rule.version[:_DIGITS], params=_digest_of_params(rule, verdicts.params.get(rule.id, {}))
            )
            for rule in verdicts.rules
        },
        meaning=manifest.meaning,
        translations=manifest.translations,
    )


def rule_change(before: Basis | None, now: Basis, rule_id: str) -> ChangedBy | None:
    """How a rule differs from before; None if it does not. An older cloudscan did not record its rules."""
    old, new = before.rules.get(rule_id) if before else None, now.rules.get(rule_id)
    if old == new:
        return None
    return ChangedBy.CONFIGURATION if old and new and old.version == new.version else ChangedBy.RULE


def translation_change(before: Basis | None, now: Basis, platform: str) -> ChangedBy | None:
    """How answers of a platform are translated differently from before; None if they are not."""
    if before is None or before.meaning != now.meaning:
        return ChangedBy.VERSION
    old, new = before.translations.get(platform), now.translations.get(platform)
    if old == new:
        return None
    return ChangedBy.CONFIGURATION if old and new and old.meaning == new.meaning else ChangedBy.VERSION


def changes(before: Basis | None, now: Basis) -> Sequence[ChangedBy]:
    """What differs between the bases of two scans; nothing that only one of them read or judged by counts."""
    if before is None:
        return ()
    platforms = before.translations.keys() & now.translations.keys()
    found = {
        *(rule_change(before, now, rule_id) for rule_id in before.rules.keys() | now.rules.keys()),
        *(translation_change(before, now, platform) for platform in platforms),
        ChangedBy.VERSION if before.meaning != now.meaning else None,
    }
    return [kind for kind in ChangedBy if kind in found]


_DIGITS = 16


def _digest_of_params(rule: "Rule", given: "Mapping[str, ParamValue]") -> str:
    values = {name: given.get(name, param.default) for name, param in rule.params.items()}
    if not values:
        return ""
    return hashlib.sha256(msgspec.json.encode(values, order="deterministic")).hexdigest()[:_DIGITS]
