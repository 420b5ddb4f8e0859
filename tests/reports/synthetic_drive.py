"""Reports as a scan of Google Drive would give them: ids, names, folders and people that hardly repeat."""

import random
import string
from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from cloudscan.finding import Evidence, Finding
from cloudscan.report import Report, TimeOpen
from tests.reports import synthetic
from tests.reports.synthetic import NOW

_IDS = string.ascii_letters + string.digits + "-_"
_KINDS = ("見積書", "請求書", "名簿", "議事録", "顧客リスト", "契約")
_PLACES = ("営業", "経理", "人事", "開発", "2025", "共有", "取引先", "契約書")
_MESSAGE = {
    "en": "{resource_name} is shared externally.",
    "ja": "{resource_name} は社外の人と共有されています。",
}


def report(findings: int, *, seed: int = 3) -> Report:
    """A report with `findings` findings and thirty nights behind it, the same for the same arguments."""
    given = synthetic.with_past(synthetic.report(findings))
    dice = random.Random(seed)
    folders = [_folder(dice) for _ in range(8_000)]
    moved = [_in_drive(finding, folders, dice) for finding in given.findings]
    texts = [{lang: replace(text, message=_MESSAGE[lang]) for lang, text in rule.text.items()} for rule in given.rules]
    return replace(
        given,
        findings=moved,
        rules=[replace(rule, text=text) for rule, text in zip(given.rules, texts, strict=True)],
        time_open={finding.fingerprint: _exposure(finding) for finding in moved},
    )


def _folder(dice: random.Random) -> str:
    return "/".join(dice.choices(_PLACES, k=dice.randrange(1, 6))) + f"/{dice.randrange(300)}"


def _in_drive(finding: Finding, folders: Sequence[str], dice: random.Random) -> Finding:
    key = "1" + "".join(dice.choices(_IDS, k=32))
    ending = dice.choice(("最終.xlsx", "v2.docx", f"株式会社{dice.randrange(900)}.pdf"))
    name = f"{dice.choice(_KINDS)}_{dice.randrange(10**6)}_{ending}"
    subject = replace(
        finding.verdict.subject,
        uid=f"gdrive:file/{key}",
        platform="gdrive",
        account="example.co.jp",
        kind="file",
        name=name,
        path=f"{dice.choice(folders)}/{name}",
        url=f"https://drive.google.com/open?id={key}",
        owner=f"user{dice.randrange(5_000)}@example.co.jp",
    )
    ways = [_way(key, name, dice) for _ in range(dice.choice((1, 1, 1, 2, 4)))]
    opened = NOW - timedelta(seconds=dice.randrange(10**8))
    verdict = replace(finding.verdict, subject=subject, evidence=ways, rows=len(ways), since=opened, resources=1)
    message = {lang: text.replace("{resource_name}", name) for lang, text in _MESSAGE.items()}
    return replace(finding, verdict=verdict, message=message)


def _way(key: str, name: str, dice: random.Random) -> Evidence:
    number = dice.randrange(9_000)
    who = f"partner{number}@client{number % 400}.example"
    row = {
        "resource_uid": f"gdrive:file/{key}",
        "resource_name": name,
        "grant_uid": f"gdrive:permission/{key}/{dice.randrange(10**19, 10**20)}",
        "audience": "named_external",
        "via": "direct",
        "principal_name": who,
        "principal_uid": f"gdrive:user/{who}",
        "origin_uid": f"gdrive:file/{key}",
        "origin_name": name,
        "since": NOW - timedelta(seconds=dice.randrange(10**8)),
        "department": dice.choice("ABCDEFGH"),
    }
    chain = {
        "en": (f"{who} can read {name}.", "The permission stands on the file itself."),
        "ja": (f"{who} が {name} を閲覧できます。", "ファイル自体に権限があります。"),
    }
    return Evidence(row=row, chain=chain)


def _exposure(finding: Finding) -> TimeOpen:
    days = (NOW - (finding.verdict.since or finding.first_seen_on)) / timedelta(days=1)
    return TimeOpen(days=round(days, 1), resource_days=round(days * finding.verdict.resources, 1))
