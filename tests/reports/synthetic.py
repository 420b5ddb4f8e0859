"""Reports as a scan of S3 would give them, of any size, the same for the same arguments."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from cloudscan.coverage import Coverage, ScanSummary, gap_id
from cloudscan.facts import Access, Affiliation, Audience, Hidden, Outcome
from cloudscan.finding import (
    Confidence,
    Evidence,
    Finding,
    Judgement,
    Person,
    RuleText,
    Severity,
    State,
    Subject,
    Verdict,
    Waiver,
)
from cloudscan.framework import ControlResult, ControlStanding, Extent, FrameworkResult
from cloudscan.reason import Reason
from cloudscan.report import (
    Comparison,
    Diff,
    Difference,
    DifferenceKind,
    Event,
    EventKind,
    GapStatus,
    Report,
    RuleSummary,
    Scan,
    TicketLink,
    TimeOpen,
    WaiverStatus,
    figures_of,
)
from cloudscan_wording.phrases import fill

NOW = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
_WORDS = (
    "finance",
    "invoices",
    "media",
    "backup",
    "logs",
    "web-assets",
    "customer-export",
    "hr",
    "contracts",
    "training",
)

_READ = RuleSummary(
    id="s3-policy-open-to-read",
    version="1f0a",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    cause="public-bucket",
    likelihood=5,
    effort="low",
    text={
        "en": RuleText(
            title="Bucket policy lets anyone read",
            message="Anyone can read the objects in {resource_name}.",
            why="Whoever finds the bucket's name can copy everything in it, and nobody will notice.",
            fix="Open the bucket in the S3 console, choose Permissions, Block public access, turn all on.\n"
            "Or run:\n"
            "`aws s3api put-public-access-block --bucket {resource_name} --public-access-block-configuration "
            "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true`",
        ),
        "ja": RuleText(
            title="バケットポリシーにより誰でも読み取れます",
            message="{resource_name} のオブジェクトは、誰でも読み取れる状態です。",
            why="バケット名を知った人は、気付かれることなく中身をすべて持ち出せます。",
            fix="S3コンソールでバケットを開き、「アクセス許可」の「パブリックアクセスをブロック」をすべてオンにします。\n"
            "または次のコマンドを実行します。\n"
            "`aws s3api put-public-access-block --bucket {resource_name} --public-access-block-configuration "
            "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true`",
        ),
    },
    frameworks=("cis-aws-3.0#2.1.4", "iso27001-2022#A.5.15"),
    passed=840,
)


def _like(
    rule_id: str, severity: Severity, cause: str, likelihood: int, texts: dict[str, tuple[str, str]]
) -> RuleSummary:
    text = {
        lang: msgspec.structs.replace(_READ.text[lang], title=title, message=message)
        for lang, (title, message) in texts.items()
    }
    return msgspec.structs.replace(
        _READ, id=rule_id, severity=severity, cause=cause, likelihood=likelihood, text=text, effort="medium"
    )


RULES = (
    _READ,
    _like(
        "s3-any-account-can-write",
        Severity.HIGH,
        "broad-access",
        4,
        {
            "en": ("Any AWS account can write", "Anyone with an AWS account can put objects into {resource_name}."),
            "ja": (
                "任意のAWSアカウントが書き込めます",
                "AWSアカウントを持つ人なら誰でも {resource_name} に書き込めます。",
            ),
        },
    ),
    _like(
        "s3-unknown-foreign-account",
        Severity.MEDIUM,
        "partner",
        3,
        {
            "en": ("Unknown outside account", "An account that is not a known partner can read {resource_name}."),
            "ja": ("未登録の外部アカウント", "登録されていない外部アカウントが {resource_name} を読み取れます。"),
        },
    ),
    _like(
        "s3-access-logs-off",
        Severity.LOW,
        "missing-log",
        2,
        {
            "en": ("No access log on a shared bucket", "{resource_name} is shared and keeps no access log."),
            "ja": (
                "共有バケットのログが無効です",
                "{resource_name} は共有されていますが、アクセスログを記録していません。",
            ),
        },
    ),
)
_REACH = {
    _READ.id: (Audience.ANYONE_WITH_LINK, Access.READ),
    "s3-any-account-can-write": (Audience.ANY_ACCOUNT, Access.WRITE),
    "s3-unknown-foreign-account": (Audience.NAMED_EXTERNAL, Access.READ),
    "s3-access-logs-off": (Audience.NOBODY, None),
}


def employee(name: str, **changes: Any) -> Person:
    """An active person of ours, as the directory describes them; `changes` say what is different."""
    address = name if "@" in name else ""
    known = Person(
        uid=f"gdrive:user/{name}",
        platform="gdrive",
        account=address.rpartition("@")[2],
        kind="user",
        address=address,
        name=name,
        affiliation=Affiliation.INTERNAL,
        status="active",
    )
    return msgspec.structs.replace(known, **changes)


def report(findings: int, *, seed: int = 1, complete: bool = False, names: Sequence[str] = ()) -> Report:
    """A report with so many findings. `names` replace the first buckets' names; `complete` leaves no gap."""
    dice = random.Random(seed)
    given = [names[index] if index < len(names) else _name(index, dice) for index in range(findings)]
    ordered = sorted(
        (_finding(name, index, dice) for index, name in enumerate(given)), key=lambda finding: -finding.score
    )
    return Report(
        tool="cloudscan 0.1.0",
        generated_on=NOW,
        organisation="株式会社サンプル商事",
        scan=ScanSummary(
            id="2026-03-02T04:12Z-7c1e",
            started_on=NOW - timedelta(minutes=18),
            finished_on=NOW - timedelta(minutes=1),
            complete=complete,
            resources={"account": 4, "bucket": 1_032, "access_point": 12},
            scopes={"complete": 18} if complete else {"complete": 17, "denied": 1},
            requests=4_214,
        ),
        rules=RULES,
        findings=ordered,
        unknowns=() if complete else [_unknown(index) for index in range(14)],
        coverage=[_whole()] if complete else [_whole(), *_gaps()],
    )


def with_past(given: Report) -> Report:
    """The report with thirty nights behind it, on which it slowly got better, and with waivers in every state."""
    now = figures_of(given)
    scans = [
        Scan(
            id=f"night-{back}",
            started_on=given.scan.started_on - timedelta(days=back),
            complete=bool(back % 7),
            figures=msgspec.structs.replace(now, score=round(now.score * (1 + 0.012 * back + 0.02 * (back % 3)), 1)),
        )
        for back in reversed(range(30))
    ]
    counts = {"new": 4, "reopened": 1, "widened": 2, "waived": 1, "resolved": 9}
    return msgspec.structs.replace(
        given,
        trend=scans,
        changes=Diff(old=scans[-2], new=scans[-1], counts=counts, differences=_differences(given)),
        tickets={
            finding.fingerprint: _tickets(index) for index, finding in enumerate(given.findings) if index % 10 == 0
        },
        events=[event for finding in given.findings for event in _events(finding)],
        time_open={finding.fingerprint: _exposure(finding) for finding in given.findings},
        waivers=[
            _status(index, note, given) for index, note in enumerate(("overdue", "widened", "due_soon", "unused", ""))
        ],
        gaps=_known_gaps(given),
        frameworks=[_framework()],
        comparisons=[
            Comparison(
                old=scans[0],
                days=29,
                asked_days=30,
                platforms=["s3"],
                added=["gdrive"],
                score_before=scans[0].figures.score if scans[0].figures else 0.0,
                score_now=now.score,
                new=12,
                reopened=2,
                resolved=19,
                rejudged=3,
            )
        ],
        deadlines=dict(zip(reversed(Severity), (7, 30, 90, 180, 365), strict=True)),
    )


def _framework() -> FrameworkResult:
    """One control of each standing."""
    controls = (
        ("A.5.15", "Access control", ControlStanding.FLAGGED, 3, 1, 9),
        ("A.5.18", "Access rights", ControlStanding.UNKNOWN, 0, 2, 9),
        ("A.8.3", "Information access restriction", ControlStanding.PASSED, 0, 0, 9),
        ("A.8.15", "Logging", ControlStanding.NOTHING, 0, 0, 0),
        ("A.8.9", "Configuration management", ControlStanding.NOT_COVERED, 0, 0, 0),
    )
    return FrameworkResult(
        id="iso27001-2022",
        title="ISO/IEC 27001:2022, Annex A",
        url="https://www.iso.org/standard/27001",
        controls=[
            ControlResult(
                id=identity,
                title=title,
                standing=standing,
                extent=Extent.UNSEEN if standing is ControlStanding.NOT_COVERED else Extent.PARTLY,
                unseen={"en": f"What {title} leaves open.", "ja": "確認できない内容。"},
                rules=() if standing is ControlStanding.NOT_COVERED else (_READ.id,),
                flagged=flagged,
                unknown=unknown,
                passed=passed,
            )
            for identity, title, standing, flagged, unknown, passed in controls
        ],
    )


def _differences(given: Report) -> list[Difference]:
    """Seven new ones and their kin among the findings, nine that are gone."""
    standing = [
        difference(kind, finding)
        for kind, finding in zip(
            ("new",) * 4 + ("reopened", "widened", "widened", "waived"), given.findings, strict=False
        )
    ]
    resolved = [
        msgspec.structs.replace(difference("resolved", finding), fingerprint=f"{index:032x}", name=f"acme-gone-{index}")
        for index, finding in enumerate(given.findings[:9])
    ]
    return [*standing, *resolved]


def difference(kind: str, finding: Finding) -> Difference:
    subject = finding.verdict.subject
    return Difference(
        kind=DifferenceKind(kind),
        fingerprint=finding.fingerprint,
        rule_id=finding.verdict.rule_id,
        platform=subject.platform,
        account=subject.account,
        uid=subject.uid,
        name=subject.name,
        severity=finding.severity,
        before=None,
        now=None,
    )


def _tickets(index: int) -> list[TicketLink]:
    key = f"OPS-{index}"
    return [
        TicketLink(
            tracker="jira", key=key, url=f"https://jira.example.com/browse/{key}", open=index % 20 == 0, as_of=NOW
        )
    ]


def _events(finding: Finding) -> list[Event]:
    opened = Event(fingerprint=finding.fingerprint, scan_id="night-9", on=finding.first_seen_on, kind=EventKind.OPENED)
    if finding.state is State.OPEN:
        return [opened]
    happened = EventKind.WAIVED if finding.state is State.WAIVED else EventKind.REOPENED
    return [opened, msgspec.structs.replace(opened, scan_id="night-1", on=NOW - timedelta(days=1), kind=happened)]


def _exposure(finding: Finding) -> TimeOpen:
    days = (NOW - (finding.verdict.since or finding.first_seen_on)).days
    return TimeOpen(days=days, resource_days=days * finding.verdict.resources)


def _status(index: int, note: str, given: Report) -> WaiverStatus:
    fingerprints = [finding.fingerprint for finding in given.findings[index : index + 2]]
    waiver = msgspec.structs.replace(
        _waiver(""), id=index + 1, rule_id=_READ.id, until=(NOW + timedelta(days=30 * index - 5)).date()
    )
    return WaiverStatus(
        waiver=waiver,
        current=True,
        notes=[note] if note else [],
        findings=[] if note == "unused" else fingerprints,
        widened={fingerprint: ["audience"] for fingerprint in fingerprints[:1]} if note == "widened" else {},
    )


def _name(index: int, dice: random.Random) -> str:
    return f"acme-{dice.choice(_WORDS)}-{dice.choice(('prod', 'dev', 'eu', 'jp'))}-{index:05d}"


def _finding(name: str, index: int, dice: random.Random) -> Finding:
    rule = RULES[dice.choices(range(4), (2, 2, 3, 5))[0]]
    audience, access = _REACH[rule.id]
    account = f"{dice.randrange(4):012d}"
    impact = round(dice.uniform(1, 20), 1)
    days = dice.randrange(900)
    statement = dice.randrange(1, 4)
    row = {
        "resource_uid": f"s3:bucket/{name}",
        "resource_name": name,
        "grant_uid": f"s3:grant/{name}#{statement}",
        "audience": audience.value,
        "via": "policy",
        "blocked_by": None,
        "flagged": True,
    }
    chain = {
        "en": (
            f"Anyone on the internet, without an AWS account, can read objects in {name}.",
            f'Statement {statement} of the bucket policy allows s3:GetObject to everybody (Principal "*").',
            "Its only condition is aws:Referer: the caller chooses that value, so it keeps nobody out.",
            "No block applies: Block Public Access is off at the bucket and at the account.",
        ),
        "ja": (
            f"インターネット上の誰でも（AWSアカウント不要）{name} のオブジェクトを読み取れます。",
            f"バケットポリシーのステートメント{statement}が、全員（Principal「*」）に s3:GetObject を許可しています。",
            "条件は aws:Referer だけです。値は呼び出し側が自由に選べるため、誰も制限しません。",
            "遮断する設定はありません。ブロックパブリックアクセスは、バケットとアカウントのどちらも無効です。",
        ),
    }
    verdict = Verdict(
        rule_id=rule.id,
        judgement=Judgement.FLAGGED,
        identity=(f"s3:bucket/{name}",),
        subject=Subject(
            uid=f"s3:bucket/{name}",
            platform="s3",
            account=account,
            kind="bucket",
            name=name,
            url="https://s3.console.aws.amazon.com/s3/buckets/example",
            owner=dice.choice(("mika.sato@example.co.jp", "tom.baker@example.co.jp", "")),
            detail={"region": "ap-northeast-1"},
        ),
        evidence=(Evidence(row=row, chain=chain),),
        audience=audience,
        access=access,
        resources=dice.randrange(1, 90_000),
        bytes=dice.randrange(10**6, 10**12),
        since=None if index % 3 else NOW - timedelta(days=days + 40),
    )
    state = (State.OPEN, State.OPEN, State.OPEN, State.OPEN, State.REOPENED, State.WAIVED)[index % 6]
    return Finding(
        fingerprint=verdict.fingerprint,
        verdict=verdict,
        severity=rule.severity,
        score=round(rule.likelihood * impact, 1),
        likelihood=rule.likelihood,
        impact=impact,
        state=state,
        verified=bool(index % 11),
        first_seen_on=NOW - timedelta(days=days),
        last_seen_on=NOW,
        message={lang: fill(text.message, {"resource_name": name}) for lang, text in rule.text.items()},
        waiver=_waiver(verdict.fingerprint) if state is State.WAIVED else None,
    )


def _waiver(fingerprint: str) -> Waiver:
    return Waiver(
        id=7,
        fingerprint=fingerprint,
        owner="mika.sato@example.co.jp",
        reason="The price list is public on purpose.",
        given_on=NOW - timedelta(days=20),
        until=(NOW + timedelta(days=70)).date(),
    )


def _unknown(index: int) -> Verdict:
    name = f"acme-locked-{index:02d}"
    return Verdict(
        rule_id=_READ.id,
        judgement=Judgement.UNKNOWN,
        identity=(f"s3:bucket/{name}",),
        subject=Subject(uid=f"s3:bucket/{name}", platform="s3", account="000000000003", kind="bucket", name=name),
        audience=None,
    )


def _whole() -> Coverage:
    return Coverage(
        scope_uid="s3:account/000000000001",
        scope_name="production (000000000001)",
        platform="s3",
        account="000000000001",
        table="grants",
        outcome=Outcome.COMPLETE,
        facts=4_120,
        requests=2_100,
    )


def _gaps() -> list[Coverage]:
    """Gaps as the connectors of today record them, one of an older cloudscan, and two rows that are no gaps."""
    policies = [
        _row(
            scope_uid="s3:account/000000000003",
            scope_name="archive (000000000003)",
            account="000000000003",
            table="grants",
            outcome=Outcome.DENIED,
            question="s3-bucket-policy",
            reason=Reason(
                code="s3-not-in-policy",
                values={"permission": "s3:GetBucketPolicy"},
                quote="no identity-based policy allows the action",
            ),
            needs="s3:GetBucketPolicy",
            hides=(Hidden(table="grants", below=f"s3:bucket/acme-locked-{index:02d}"),),
            resource_uid=f"s3:bucket/acme-locked-{index:02d}",
        )
        for index in range(14)
    ]
    return [
        *policies,
        _row(
            scope_uid="s3:account/000000000009",
            scope_name="acquired-company (000000000009)",
            account="000000000009",
            table="all",
            outcome=Outcome.FAILED,
            question="s3-buckets",
            reason=Reason(code="no-answer", values={"host": "https://s3.example"}),
            hides=(Hidden(table="resources", kinds=("bucket", "access_point")),),
        ),
        _row(
            scope_uid="s3:account/000000000002",
            scope_name="production (000000000002)",
            account="000000000002",
            table="principals",
            outcome=Outcome.FAILED,
            question="toy-sign-ins",
            reason=Reason(code="host-throttles", values={"host": "https://iam.example", "status": "429"}),
            hides=(Hidden(table="principals", columns=("last_seen_on", "redeemed")),),
        ),
        _row(
            scope_uid="s3:bucket/acme-media",
            scope_name="acme-media",
            account="000000000001",
            table="grants",
            outcome=Outcome.PARTIAL,
            reason="The budget for object lists was used up.",
            seen=10_000,
            total=481_233,
        ),
        _row(
            scope_uid="s3:account/000000000001",
            scope_name="main (000000000001)",
            account="000000000001",
            table="settings",
            outcome=Outcome.NOT_OFFERED,
            question="s3-directory-buckets",
            reason=Reason(code="s3-not-in-region", values={"region": "ap-northeast-3"}),
        ),
        _row(
            scope_uid="s3:account/000000000004",
            scope_name="sandbox (000000000004)",
            account="000000000004",
            table="all",
            outcome=Outcome.SKIPPED,
            reason=Reason(code="left-out", values={"name": "sandbox"}),
        ),
    ]


def _row(**values: Any) -> Coverage:
    row = Coverage(platform="s3", **values)
    return msgspec.structs.replace(row, gap=gap_id(row)) if row.outcome.is_gap else row


def _known_gaps(given: Report) -> dict[str, GapStatus]:
    """Two gaps are new, the others known for a week, and one of them is waived."""
    gaps = [row for row in given.coverage if row.outcome.is_gap]
    return {
        row.gap: GapStatus(
            first_seen_on=NOW - timedelta(days=0 if index < 2 else 7),
            new=index < 2,
            waiver=_gap_waiver(row.gap) if row.question == "toy-sign-ins" else None,
        )
        for index, row in enumerate(gaps)
    }


def _gap_waiver(gap: str) -> Waiver:
    return msgspec.structs.replace(_waiver(""), gap=gap, reason="No licence for it before April")
