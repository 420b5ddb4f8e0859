"""What is left of reasons when a report is redacted: codes and amounts, no names, nothing that could be guessed."""

from datetime import UTC, date, datetime

import msgspec

from cloudscan.coverage import Coverage, gap_id
from cloudscan.facts import Hidden, Outcome
from cloudscan.finding import Evidence, Judgement, Subject, Verdict, Waiver
from cloudscan.reason import Reason
from cloudscan.redaction.redactor import Redactor
from cloudscan.report import GapStatus
from tests.reports.synthetic import employee, report, with_past

REDACTOR = Redactor(key=b"k" * 32)
NOW = datetime(2026, 3, 2, tzinfo=UTC)
SECRET = "plan-of-mergers"  # the name that must not be seen
REASON = Reason(code="no-answer", values={"host": SECRET, "count": 12}, quote=f"{SECRET} is locked")
WAIVER = Waiver(id=1, gap="0123456789ab", owner="Mika Sato", reason=SECRET, given_on=NOW, until=date(2026, 4, 1))


def text_of(value: object) -> str:
    return msgspec.json.encode(value).decode()


def row(reason: Reason | str) -> Coverage:
    made = Coverage(
        scope_uid=f"toy:site/{SECRET}",
        scope_name=SECRET,
        platform="toy",
        account="acme",
        table="grants",
        outcome=Outcome.FAILED,
        question="toy-links",
        reason=reason,
        hides=(Hidden(table="grants", columns=("audience",), below=f"toy:site/{SECRET}"),),
        needs="Sites.Read.All",
    )
    return msgspec.structs.replace(made, gap=gap_id(made))


def test_a_reason_keeps_its_code_and_its_amounts() -> None:
    redacted = REDACTOR.coverage(row(REASON))

    assert SECRET not in text_of(redacted)
    assert isinstance(redacted.reason, Reason)
    assert (redacted.reason.code, redacted.reason.values["count"], redacted.reason.quote) == ("no-answer", 12, "")
    assert (redacted.question, redacted.needs) == ("toy-links", "Sites.Read.All")
    assert redacted.hides[0].columns == ("audience",)


def test_prose_of_an_older_cloudscan_is_hashed() -> None:
    assert SECRET not in text_of(REDACTOR.coverage(row(f"{SECRET} is gone")))
    assert SECRET not in text_of(REDACTOR.value("reason", f"{SECRET} is gone"))
    assert REDACTOR.value("reason", "no-answer") == "no-answer"


def test_the_identity_of_a_gap_cannot_be_guessed_from_a_name() -> None:
    """As it is, it is a hash without a key. Coverage, statuses and waivers still speak of the same gap."""
    before = row(REASON)

    after = REDACTOR.coverage(before)
    waiver = REDACTOR.waiver(msgspec.structs.replace(WAIVER, gap=before.gap), "", "")

    assert after.gap not in (before.gap, "", gap_id(after))
    assert len(after.gap) == len(before.gap)
    assert after.gap == waiver.gap == REDACTOR.gap(before.gap) == REDACTOR.value("gap", before.gap)
    assert Redactor(key=b"x" * 32).gap(before.gap) != after.gap


def test_a_redacted_report_still_knows_its_gaps() -> None:
    given = with_past(report(1))
    status = GapStatus(first_seen_on=NOW, new=False, waiver=WAIVER)
    given = msgspec.structs.replace(given, gaps={row.gap: status for row in given.coverage if row.gap})

    redacted = REDACTOR.report(given)

    assert {row.gap for row in redacted.coverage if row.gap} == redacted.gaps.keys()
    assert not redacted.gaps.keys() & given.gaps.keys()
    assert SECRET not in text_of(redacted)
    assert "Mika" not in text_of(redacted.gaps)


def test_a_chain_keeps_its_steps() -> None:
    """The steps are codes; what fills them is hashed, in evidence as in a platform's own details."""
    steps = (Reason(code="drive-link", values={"name": SECRET}), Reason(code="drive-discoverable"))
    older = {"en": (f"Anyone can read {SECRET}.",)}
    verdict = Verdict(
        rule_id="any",
        judgement=Judgement.FLAGGED,
        identity=("toy:1",),
        subject=Subject(uid="toy:1", platform="toy", detail={"chain": msgspec.to_builtins(steps)}),
        evidence=(Evidence(row={"uid": "toy:1"}, chain=steps), Evidence(chain=older)),
    )

    redacted = REDACTOR.verdict(verdict)

    assert SECRET not in text_of(redacted)
    assert [step["code"] for step in redacted.subject.detail["chain"]] == ["drive-link", "drive-discoverable"]
    assert [[getattr(step, "code", step) for step in piece.chain] for piece in redacted.evidence] == [
        ["drive-link", "drive-discoverable"],
        [],
    ]
    assert REDACTOR.detail({"chain": {"en": [SECRET]}})["chain"] == []


def test_what_is_known_of_an_owner_is_hashed_with_the_manager() -> None:
    """What they are is kept: whether they may be told is still to be seen."""
    person = employee(f"{SECRET}@acme.example", manager=employee(f"boss.{SECRET}@acme.example"))

    redacted = REDACTOR.person(person)

    assert SECRET not in text_of(redacted)
    assert (redacted.kind, redacted.status, redacted.affiliation) == (person.kind, person.status, person.affiliation)


def test_what_a_directory_says_of_a_person_is_hashed_but_for_days_and_amounts() -> None:
    days = {"starts_on": "2020-04-01", "leave_on": "false", "disabled_on": "2026-03-31T09:00:00+00:00"}
    amounts = {"sign_in": "true", "access_keys": "2", "keys_last_used_on": "2026-03-01"}
    personal = {
        "employee_number": "00101",
        "addresses": ["m.sato@acme.example"],
        "private_addresses": ["mika@home.example"],
        "departments": ["Sales"],
        "role": "Head of sales",
        "employment": "Contractor",
        "company": "Acme Staff",
        "identities": ["google|117", "entra|00101"],
    }

    redacted = REDACTOR.detail({**days, **amounts, **personal})

    kept = {REDACTOR.text(name): value for name, value in {**days, **amounts}.items()}
    assert {name: redacted[name] for name in kept} == kept
    texts = [text for value in personal.values() for text in ([value] if isinstance(value, str) else value)]
    assert not [text for text in texts if text in text_of(redacted)]
    assert redacted[REDACTOR.text("employee_number")] == REDACTOR.text("00101")
    assert REDACTOR.value("employee_number", "00101") == REDACTOR.text("00101")
