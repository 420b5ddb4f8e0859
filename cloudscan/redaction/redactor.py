"""Redaction: names, addresses, paths and ids become stable keyed hashes, so that a report or a snapshot can be shared.

Everything that is not known to be harmless is hashed. Numbers, times, booleans and words (`cloudscan.facts.Word`) are
kept, and so are the texts that a rule itself compares with: rules come to the same verdicts on a redacted snapshot. The
same text with the same key gives the same hash everywhere, so that one person remains one person. Without the key names
cannot be guessed and checked.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec

from cloudscan.coverage import Coverage
from cloudscan.engine.rule_file import Rule
from cloudscan.errors import ConfigurationError
from cloudscan.facts import EMPLOYEE_NUMBER, Hidden
from cloudscan.files import write_private
from cloudscan.finding import Evidence, Finding, Person, Subject, Verdict, Waiver, message
from cloudscan.reason import Reason
from cloudscan.report import GapStatus, PartnerSummary, Report, RuleSummary, WaiverReview
from cloudscan.second_opinion import SecondOpinions
from cloudscan.sentence import say
from cloudscan.snapshot.tables import TABLES, WORDS, is_uid

WORD_COLUMNS: Final = frozenset(
    column
    for words in WORDS.values()
    for column in words
    if all(column in WORDS[table] for table, columns in TABLES.items() if column in columns)
)
"""Columns that contain words (`cloudscan.facts.Word`) in every table that has them: a rule's rows do not say of which
table a column is."""

_KEY_BYTES: Final = 32
_HASH_LENGTH: Final = 16
_NUMBERS_OF_PEOPLE: Final = ("number", EMPLOYEE_NUMBER)
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HARMLESS: Final = re.compile(r"true|false|on|off|-?\d{1,6}(\.\d+)?|\d{4}-\d\d-\d\d([T ][\d:.]+(Z|\+00:00)?)?")
_PREFIX: Final = re.compile(r"[a-z][a-z0-9]{0,15}(?=:)")
_LITERAL: Final = re.compile(r"'((?:[^']|'')*)'")


def key_at(path: Path) -> bytes:
    """The key in a file, created on first use and readable by its owner only. Raises `ConfigurationError`."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            write_private(path, secrets.token_hex(_KEY_BYTES).encode() + b"\n")
        key = bytes.fromhex(path.read_text("ascii"))
    except OSError as error:
        raise ConfigurationError(
            say(
                "The redaction key {path} cannot be read or created ({why}); check the folder and the permissions.",
                path=path,
                why=error.strerror,
            )
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            say("The redaction key {path} cannot be used ({error}); repair or remove it.", path=path, error=error)
        ) from error
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(
            say(
                "The redaction key {path} is not {key_bytes} bytes in hex; remove it to get a new one.",
                path=path,
                key_bytes=_KEY_BYTES,
            )
        )
    return key


@dataclass(frozen=True)
class Redactor:
    """Redaction with one key. `rules` say which texts have to be kept, and what their identities consist of."""

    key: bytes = field(repr=False)
    rules: Sequence[Rule] = ()

    @cached_property
    def literals(self) -> frozenset[str]:
        """The texts that rules compare with: anyone who reads the rules knows them."""
        return frozenset(text.replace("''", "'") for rule in self.rules for text in _LITERAL.findall(rule.sql))

    @cached_property
    def identities(self) -> Mapping[str, Sequence[str]]:
        """The columns of each rule's identity, by rule id."""
        return {rule.id: rule.identity for rule in self.rules}

    def text(self, text: str) -> str:
        """The hash of a text. Empty stays empty."""
        return f"x-{self._digest(text)}" if text else ""

    def id(self, uid: str) -> str:
        """The hash of an id, with its platform in front. Empty stays empty."""
        prefix = _PREFIX.match(uid)
        return f"{prefix[0]}:{self._digest(uid)}" if prefix else self.text(uid)

    def _digest(self, text: str) -> str:
        return hmac.new(self.key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_HASH_LENGTH]

    def value(self, column: str, value: Any) -> Any:
        """A column's value, redacted; for rows of evidence and of tables alike."""
        match value:
            case str() if is_uid(column):
                return self.id(value)
            case str() if column == "gap":
                return self.gap(value)
            case str() if column == "reason":
                return self.code(value)
            case str() if column.endswith(_NUMBERS_OF_PEOPLE):
                return self.text(value)  # it looks like an amount, and is a person's
            case str():
                kept = column in WORD_COLUMNS or value in self.literals or _HARMLESS.fullmatch(value)
                return value if kept else self.text(value)
            case _:
                return self.detail(value)

    def detail(self, value: Any) -> Any:
        """A platform's own details, redacted: texts as everywhere, keys as well unless a rule reads them.

        The steps of a chain are redacted as `reason` does it; what is no such step is left out.
        """
        match value:
            case str():
                return self.value("", value)
            case Mapping():
                return {
                    **{
                        name if f"$.{name}" in self.literals else self.text(name): self._item(name, item)
                        for name, item in value.items()
                        if name != "chain"
                    },
                    **({"chain": self.steps(value["chain"])} if "chain" in value else {}),
                }
            case list() | tuple():
                return [self.detail(item) for item in value]
            case _:
                return value

    def _item(self, name: str, item: Any) -> Any:
        return self.value(name, item) if name == EMPLOYEE_NUMBER else self.detail(item)

    def steps(self, chain: Any) -> list[Any]:
        """The steps of a chain as they are in `detail`, redacted. Sentences of an older cloudscan are left out."""
        try:
            return [msgspec.to_builtins(self.reason(step)) for step in msgspec.convert(chain, list[Reason])]
        except msgspec.ValidationError:
            return []

    def report(self, report: Report) -> Report:
        """A whole report, redacted. Parts that are not listed here are left out."""
        rules = {rule.id: rule for rule in report.rules}
        return Report(
            schema=report.schema,
            tool=report.tool,
            generated_on=report.generated_on,
            organisation=self.text(report.organisation),
            scan=report.scan,
            rules=report.rules,
            findings=[self.finding(finding, rules.get(finding.verdict.rule_id)) for finding in report.findings],
            unknowns=[self.verdict(verdict) for verdict in report.unknowns],
            coverage=[self.coverage(row) for row in report.coverage],
            trend=report.trend,
            gaps={self.gap(gap): self.gap_status(status) for gap, status in report.gaps.items()},
            frameworks=report.frameworks,
            partners=[self.partner(one) for one in report.partners],
            comparisons=report.comparisons,
            departures=report.departures,
            opinions=report.opinions and self.opinions(report.opinions),
            timezone=report.timezone,
            deadlines=report.deadlines,
            rank_deadlines=report.rank_deadlines,
            only=[f"{name}={self.text(value)}" for name, _, value in (one.partition("=") for one in report.only)],
        )

    def finding(self, finding: Finding, rule: RuleSummary | None) -> Finding:
        """A finding, redacted, with its new fingerprint and a message made from redacted values."""
        verdict = self.verdict(finding.verdict)
        texts = rule.text if rule else {}
        return msgspec.structs.replace(
            finding,
            fingerprint=verdict.fingerprint,
            verdict=verdict,
            message={language: message(text, verdict, language) for language, text in texts.items()},
            waiver=self.waiver(finding.waiver, finding.fingerprint, verdict.fingerprint) if finding.waiver else None,
        )

    def verdict(self, verdict: Verdict) -> Verdict:
        """A verdict, redacted, without the address of its subject."""
        columns = self.identities.get(verdict.rule_id, ["uid"] * len(verdict.identity))
        subject = verdict.subject
        return msgspec.structs.replace(
            verdict,
            identity=tuple(
                str(self.value(column, value)) for column, value in zip(columns, verdict.identity, strict=True)
            ),
            subject=Subject(
                uid=self.id(subject.uid),
                platform=subject.platform,
                account=self.value("account", subject.account),
                kind=subject.kind,
                name=self.value("name", subject.name),
                path=self.value("path", subject.path),
                owner=self.value("owner", subject.owner),
                responsible=subject.responsible and self.person(subject.responsible),
                detail=self.detail(subject.detail),
            ),
            evidence=tuple(
                Evidence(
                    row={column: self.value(column, value) for column, value in piece.row.items()},
                    chain=() if isinstance(piece.chain, Mapping) else [self.step(step) for step in piece.chain],
                    party=piece.party and msgspec.structs.replace(piece.party, name=self.text(piece.party.name)),
                )
                for piece in verdict.evidence
            ),
        )

    def partner(self, partner: PartnerSummary) -> PartnerSummary:
        """A contract without names. Its findings are left out: redacted, they have other fingerprints."""
        return msgspec.structs.replace(
            partner,
            uid=self.id(partner.uid),
            name=self.text(partner.name),
            owner=self.text(partner.owner),
            deputy=self.text(partner.deputy),
            purpose=self.text(partner.purpose),
            contract=self.text(partner.contract),
            findings=(),
        )

    def opinions(self, opinions: SecondOpinions) -> SecondOpinions:
        """Second opinions without the names of what they are about."""
        return msgspec.structs.replace(
            opinions,
            differences=[
                msgspec.structs.replace(
                    one,
                    uid=self.id(one.uid),
                    name=self.value("name", one.name),
                    account=self.value("account", one.account),
                    reasons=[self.code(code) for code in one.reasons],
                )
                for one in opinions.differences
            ],
        )

    def person(self, person: Person) -> Person:
        """What is known of an owner, redacted."""
        return msgspec.structs.replace(
            person,
            uid=self.id(person.uid),
            account=self.value("account", person.account),
            address=self.value("owner", person.address),
            name=self.value("owner", person.name),
            manager=person.manager and self.person(person.manager),
        )

    def waiver(self, waiver: Waiver, before: str, after: str) -> Waiver:
        """A waiver, redacted. `before` and `after` are fingerprints of the finding that it may be about."""
        fingerprint = {"": "", before: after}.get(waiver.fingerprint, self.text(waiver.fingerprint))
        return msgspec.structs.replace(
            waiver,
            fingerprint=fingerprint,
            target=self.id(waiver.target),
            gap=self.gap(waiver.gap),
            owner=self.text(waiver.owner),
            reason=self.text(waiver.reason),
        )

    def review(self, review: WaiverReview) -> WaiverReview:
        """What a review decided, without who and why."""
        return msgspec.structs.replace(review, by=self.text(review.by), reason=self.text(review.reason))

    def coverage(self, row: Coverage) -> Coverage:
        """A row of coverage, redacted."""
        return msgspec.structs.replace(
            row,
            scope_uid=self.id(row.scope_uid),
            scope_name=self.value("scope_name", row.scope_name),
            account=self.value("account", row.account),
            gap=self.gap(row.gap),
            reason=self.reason(row.reason),
            hides=self.hidden(row.hides),
            resource_uid=None if row.resource_uid is None else self.id(row.resource_uid),
        )

    def hidden(self, hides: Iterable[Hidden]) -> tuple[Hidden, ...]:
        """What a gap hides, with hashed ids."""
        return tuple(
            msgspec.structs.replace(one, below=None if one.below is None else self.id(one.below)) for one in hides
        )

    def gap(self, gap: str) -> str:
        """The identity of a gap: a hash of names, but one without a key. Empty stays empty."""
        return self._digest(gap)[: len(gap)] if gap else ""

    def gap_status(self, status: GapStatus) -> GapStatus:
        """What is known about a gap, with its waiver redacted."""
        return msgspec.structs.replace(status, waiver=status.waiver and self.waiver(status.waiver, "", ""))

    def reason(self, reason: Reason | str) -> Reason | str:
        """A reason without names: its code stays, its values are hashed, the platform's words are left out."""
        return self.text(reason) if isinstance(reason, str) else self.step(reason)

    def step(self, reason: Reason) -> Reason:
        """The same for a reason that is a record, such as a step of a chain. Amounts and words of rules are kept."""
        return Reason(
            code=self.code(reason.code), values={name: self.value("", value) for name, value in reason.values.items()}
        )

    def code(self, code: str) -> str:
        """A reason's code; hashed where an older cloudscan or a plugin wrote a sentence there, which may name names."""
        return code if not code or _CODE.fullmatch(code) else self.text(code)

    def fingerprints(self, verdicts: Iterable[Verdict]) -> dict[str, str]:
        """Fingerprints after redaction, by those before."""
        return {verdict.fingerprint: self.verdict(verdict).fingerprint for verdict in verdicts}
