"""What joining an estate with what the organisation knows costs: `python tests/bench/organisation.py [--files N]`.

Each step in seconds of the processor, and as a ratio to the reference: one pass over all files that folds their paths.
A roster of people with accounts on two platforms, partners, ranks by pattern and department, templates with lines.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import duckdb

from cloudscan.facts import Access
from cloudscan.organisation import accounts, departments, leftovers, partners, people, ranks, rows, templates
from cloudscan.organisation.knowledge import Knowledge, Staff
from cloudscan.organisation.rank_lines import RankLine, Source
from cloudscan.organisation.register import PartnerTable
from cloudscan.organisation.template import Intent, Template, TemplateLine
from cloudscan.roster.entry import Post, RosterEntry
from cloudscan.roster.people import KnownPerson, People
from cloudscan.snapshot.database import set_up
from cloudscan.snapshot.tables import BASE, key_of

Result = TypeVar("Result")

TODAY = date(2026, 4, 1)
DEPARTMENTS = 200
FOLDERS = 200  # files in one


def known(people_count: int) -> Knowledge:
    """Everything that is configured."""
    persons = [
        KnownPerson(
            entry=RosterEntry(
                number=f"{number:06}",
                name=f"佐藤 花子 {number}",
                addresses=[f"p{number}@acme.example"],
                posts=[Post(department=f"第{number % DEPARTMENTS}課")],
                last_day=date(2026, 3, 1) if number % 200 == 0 else None,
            ),
            first_seen=TODAY,
            last_seen=TODAY,
            is_listed=True,
        )
        for number in range(people_count)
    ]
    return Knowledge(
        domains=["acme.example"],
        staff=Staff(people=People(persons=persons), is_configured=True),
        partners=[
            PartnerTable(
                name=f"Partner {number}", domains=[f"partner{number}.example"], places=[f"gdrive:**/folder {number}"]
            )
            for number in range(50)
        ],
        ranks=[
            *(RankLine(rank=5, source=Source.PATTERN, value=f"gdrive:**/*{word}*") for word in ("7777", "payroll")),
            *(RankLine(rank=3, source=Source.DEPARTMENT, value=f"第{number}課") for number in range(5)),
        ],
        intent=Intent(
            templates=[
                Template(
                    name=f"Folder {number}",
                    where=[f"gdrive:**/folder {number}"],
                    lines=[TemplateLine(department=f"第{number}課", access=Access.WRITE)],
                )
                for number in range(40)
            ]
        ),
    )  # fmt: skip


def estate(db: duckdb.DuckDBPyConnection, files: int, people_count: int) -> None:
    """Accounts on two platforms, partners' people, files in folders, 1.5 grants a file."""
    folders = max(1, files // FOLDERS)
    for table, columns in BASE.items():
        spec = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        db.execute(f"CREATE TABLE {table} ({'id VARCHAR, ' if 'uid' in columns else ''}{spec})")
    db.execute(
        f"""INSERT INTO principals BY NAME
            SELECT {key_of("platform || ':p' || n")} AS uid, platform, 'acme' AS account, 'user' AS kind,
                   'p' || n || '@acme.example' AS email, 'acme.example' AS domain, 'internal' AS affiliation,
                   'active' AS status, '{{}}' AS detail
            FROM range({people_count}) AS r(n), (VALUES ('gdrive'), ('m365')) AS v(platform)
            UNION ALL BY NAME
            SELECT {key_of("'gdrive:x' || n")} AS uid, 'gdrive:x' || n AS id, 'gdrive' AS platform,
                   'acme' AS account, 'user' AS kind,
                   'x' || n || '@partner' || (n % 100) || '.example' AS email,
                   'partner' || (n % 100) || '.example' AS domain,
                   CASE WHEN n % 100 < 50 THEN 'partner' ELSE 'external' END AS affiliation, 'active' AS status,
                   '{{"partner": "Partner ' || (n % 100) || '"}}' AS detail
            FROM range(10000) AS r(n)"""
    )
    db.execute(
        f"""INSERT INTO resources BY NAME
            SELECT {key_of("'gdrive:d' || n")} AS uid, 'gdrive' AS platform, 'acme' AS account, 'folder' AS kind,
                   'folder ' || n AS name, 'folder ' || n AS path, NULL::BIGINT AS parent_uid,
                   {key_of("'gdrive:drive' || (n % 1000)")} AS container_uid,
                   {key_of("'gdrive:p' || (n % " + str(people_count) + ")")} AS owner_uid, '{{}}' AS detail
            FROM range({folders}) AS r(n)
            UNION ALL BY NAME
            SELECT {key_of("'gdrive:drive' || n")} AS uid, 'gdrive' AS platform, 'acme' AS account,
                   'shared_drive' AS kind, 'Drive ' || n AS name, 'Drive ' || n AS path, '{{}}' AS detail
            FROM range(1000) AS r(n)
            UNION ALL BY NAME
            SELECT {key_of("'gdrive:f' || n")} AS uid, 'gdrive' AS platform, 'acme' AS account, 'file' AS kind,
                   '見積書 ' || n || '.xlsx' AS name,
                   'folder ' || (n % {folders}) || '/見積書 ' || n || '.xlsx' AS path,
                   {key_of("'gdrive:d' || (n % " + str(folders) + ")")} AS parent_uid,
                   {key_of("'gdrive:drive' || (n % " + str(folders) + " % 1000)")} AS container_uid,
                   {key_of("'gdrive:p' || (n % " + str(people_count) + ")")} AS owner_uid, '{{}}' AS detail
            FROM range({files}) AS r(n)"""
    )
    db.execute(
        f"""INSERT INTO grants BY NAME
            SELECT {key_of("'gdrive:g' || n")} AS uid,
                   {key_of("'gdrive:f' || (n % " + str(files) + ")")} AS resource_uid,
                   {key_of("'gdrive:f' || (n % " + str(files) + ")")} AS origin_uid, FALSE AS inherited,
                   CASE WHEN n % 20 = 0 THEN {key_of("'gdrive:x' || (n % 10000)")}
                        ELSE {key_of("'gdrive:p' || ((n * 7) % " + str(people_count) + ")")} END AS principal_uid,
                   CASE WHEN n % 20 = 0 THEN 'named_external' ELSE 'named' END AS audience, 'write' AS access,
                   'direct' AS via, TRUE AS effective, TIMESTAMP '2025-06-01' AS granted_on,
                   TIMESTAMP '9999-12-31' AS expires_on, '{{}}' AS detail
            FROM range({files * 3 // 2}) AS r(n)"""
    )  # fmt: skip


def timed(what: str, reference: float, work: Callable[[], Result]) -> Result:
    begin = time.process_time()
    result = work()
    spent = time.process_time() - begin
    ratio = f"{spent / reference:8.1f} ×" if reference else ""
    print(f"{what:>12}: {spent:7.2f} s {ratio}", flush=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=100_000)
    options = parser.parse_args()
    knowledge = known(options.people)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "estate.db")) as db:
        set_up(db, Path(folder) / "spill")
        estate(db, options.files, options.people)
        fold = "SELECT count(DISTINCT length(lower(path))) FROM resources"
        begin = time.process_time()
        db.execute(fold).fetchall()
        reference = time.process_time() - begin
        print(f"{options.files} files, {options.people} people; reference {reference:.2f} s")
        rows.create(db)
        persons = timed("people", reference, lambda: people.join(db, knowledge, TODAY))
        timed("accounts", reference, lambda: accounts.join(db, knowledge, persons))
        timed("departments", reference, lambda: departments.join(db))
        timed("leftovers", reference, lambda: leftovers.join(db, knowledge.timezone))
        timed("partners", reference, lambda: partners.join(db, knowledge))
        timed("ranks", reference, lambda: ranks.join(db, knowledge))
        now = datetime.combine(TODAY, datetime.min.time(), UTC)
        timed(
            "templates",
            reference,
            lambda: templates.join(db, knowledge.intent.templates, now=now, today=TODAY, timezone="UTC"),
        )
        for table in ("accounts", "leftovers", "partner_accounts", "partner_places", "ranks", "drift"):
            print(f"{table:>16}: {db.execute(f'SELECT count(*) FROM joined_{table}').fetchall()[0][0]}")
    print(f"peak: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
