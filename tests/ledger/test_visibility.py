"""Which gap keeps which finding open: the promises about what was not read."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.coverage import Coverage
from cloudscan.facts import Hidden, Outcome
from cloudscan.finding import Evidence, Judgement, Subject, Verdict
from cloudscan.ledger.visibility import (
    Foundation,
    Missing,
    hides_of,
    narrowed_to,
    remembered_containers,
    tables_of,
    visibility_of,
)
from cloudscan.snapshot.tables import Dependency

PLAN, FOLDER, DRIVE, OTHER = "toy:plan", "toy:folder", "toy:drive", "toy:other"
MIKA, TEAM = "toy:mika", "toy:team"

LINKS = Foundation(
    rests_on={Dependency("resources", "uid"), Dependency("grants", "audience"), Dependency("grants", "expires_on")},
    identity=(("resources",),),
    alone={"resources"},
)
SHARED_WITH = Foundation(
    rests_on={
        Dependency("resources", "uid"),
        Dependency("grants", "principal_uid"),
        Dependency("principals", "status"),
        Dependency("principals", "detail", "is_guest"),
    },
    identity=(("resources",), ("principals",)),
)
DORMANT = Foundation(
    rests_on={Dependency("principals", "last_seen_on"), Dependency("grants", "principal_uid")},
    identity=(("principals",),),
)


def file(*, kind: str = "file", cites: str = "") -> Verdict:
    subject = Subject(uid=PLAN, platform="toy", account="acme", kind=kind, inside=(FOLDER, DRIVE))
    evidence = (Evidence(row={"principal_uid": cites}),) if cites else ()
    return Verdict(rule_id="links", judgement=Judgement.FLAGGED, identity=(PLAN,), subject=subject, evidence=evidence)


def sharing() -> Verdict:
    subject = Subject(uid=PLAN, platform="toy", account="acme", kind="file", inside=(FOLDER, DRIVE))
    return Verdict(rule_id="shared", judgement=Judgement.FLAGGED, identity=(PLAN, MIKA), subject=subject)


def person(*, kind: str = "user") -> Verdict:
    subject = Subject(uid=MIKA, platform="toy", account="acme", kind=kind)
    return Verdict(rule_id="dormant", judgement=Judgement.FLAGGED, identity=(MIKA,), subject=subject)


def folder() -> Verdict:
    subject = Subject(uid=FOLDER, platform="toy", account="acme", kind="folder", inside=(DRIVE,))
    return Verdict(rule_id="links", judgement=Judgement.FLAGGED, identity=(FOLDER,), subject=subject)


def gap(hidden: Hidden, outcome: Outcome = Outcome.FAILED, account: str = "acme") -> Coverage:
    return Coverage(
        scope_uid=DRIVE,
        scope_name="drive",
        platform="toy",
        account=account,
        table=hidden.table,
        outcome=outcome,
        question="toy-question",
        hides=(hidden,),
    )


READ = Coverage(
    scope_uid=DRIVE, scope_name="drive", platform="toy", account="acme", table="resources", outcome=Outcome.COMPLETE
)


def misled(verdict: Verdict, rule: Foundation, *rows: Coverage) -> bool:
    containers = {OTHER: {FOLDER, DRIVE}}
    return visibility_of([READ, *rows], containers).may_mislead(verdict, rule)


def hidden(verdict: Verdict, rule: Foundation, missing: Sequence[str], *rows: Coverage) -> bool:
    present = {PLAN, FOLDER, DRIVE, OTHER, MIKA, TEAM} - set(missing)
    absent = Missing.of(rule.names(verdict), present)
    assert absent
    return visibility_of([READ, *rows], {}).may_hide(verdict, rule, absent)


@pytest.mark.parametrize(
    ("gone", "keeps_open"),
    [
        (Hidden(table="grants"), True),
        (Hidden(table="all"), True),
        (Hidden(table="grants", below=PLAN), True),
        (Hidden(table="grants", below=DRIVE), True),
        (Hidden(table="all", below=FOLDER), True),
        (Hidden(table="grants", columns=("expires_on",)), True),
        (Hidden(table="grants", columns=("expires_on",), below=FOLDER), True),
        (Hidden(table="grants", below=OTHER), False),
        (Hidden(table="grants", columns=("password",)), False),
        (Hidden(table="principals"), False),
        (Hidden(table="settings"), False),
        (Hidden(table="resources"), False),  # the file itself was read, and the rule reads no other
    ],
)
def test_a_passed_verdict_stands_unless_something_that_it_rests_on_is_unread(gone: Hidden, keeps_open: bool) -> None:
    assert misled(file(), LINKS, gap(gone)) is keeps_open


def test_a_verdict_on_a_folder_is_affected_by_what_is_unread_inside() -> None:
    assert misled(folder(), LINKS, gap(Hidden(table="grants", below=OTHER)))


def test_a_verdict_rests_on_one_key_of_a_detail_and_not_on_the_others() -> None:
    assert misled(sharing(), SHARED_WITH, gap(Hidden(table="principals", columns=("detail.is_guest",))))
    assert misled(sharing(), SHARED_WITH, gap(Hidden(table="principals", columns=("detail",))))
    assert not misled(sharing(), SHARED_WITH, gap(Hidden(table="principals", columns=("detail.enrolled",))))


def test_what_a_person_can_reach_is_not_in_one_place() -> None:
    assert misled(person(), DORMANT, gap(Hidden(table="grants", below=OTHER)))


def test_an_attribute_of_somebody_else_whom_the_evidence_does_not_name_matters_not() -> None:
    unread = gap(Hidden(table="principals", columns=("status",), below=TEAM))
    assert not misled(sharing(), SHARED_WITH, unread)
    assert misled(file(cites=TEAM), SHARED_WITH, unread)


@pytest.mark.parametrize(
    ("gone", "may_exist"),
    [
        (Hidden(table="resources"), True),
        (Hidden(table="all"), True),
        (Hidden(table="resources", below=FOLDER), True),
        (Hidden(table="all", below=DRIVE), True),
        (Hidden(table="resources", kinds=("file", "folder")), True),
        (Hidden(table="resources", kinds=("site",)), False),
        (Hidden(table="resources", below=OTHER), False),
        (Hidden(table="resources", columns=("owner_uid",)), False),
        (Hidden(table="grants"), False),
        (Hidden(table="grants", below=PLAN), False),
        (Hidden(table="principals"), False),
    ],
)
def test_a_file_that_no_list_names_is_gone_unless_its_list_is_unread(gone: Hidden, may_exist: bool) -> None:
    assert hidden(file(), LINKS, [PLAN], gap(gone)) is may_exist


@pytest.mark.parametrize(
    ("present", "rows", "may_exist"),
    [
        ({FOLDER, DRIVE}, [], False),
        ({DRIVE}, [], True),  # what it was in is missing too
        ({FOLDER, DRIVE}, [gap(Hidden(table="all", below=FOLDER))], True),  # the drive's own list was not complete
    ],
)
def test_a_file_of_a_drive_that_was_listed_is_gone_whatever_drives_were_not(
    present: set[str], rows: list[Coverage], may_exist: bool
) -> None:
    """A question about other drives that fails does not put the list of this one in doubt."""
    others = Coverage(
        scope_uid="toy:directory",
        scope_name="directory",
        platform="toy",
        account="acme",
        table="all",
        outcome=Outcome.FAILED,
        question="toy-drives",
        hides=(Hidden(table="all"),),
    )
    absent = Missing.of(LINKS.names(file()), set())

    asked = visibility_of([READ, others, *rows], {})
    doubtful = visibility_of([READ, msgspec.structs.replace(others, question=""), *rows], {})

    assert asked.may_hide(file(), LINKS, absent, present) is may_exist
    assert doubtful.may_hide(file(), LINKS, absent, present)


def test_the_list_of_what_is_far_above_says_nothing_of_what_is_further_below() -> None:
    """An account whose drives were all listed, and a drive in which one list could not be read."""
    account = msgspec.structs.replace(READ, scope_uid="toy:acme", scope_name="acme")
    copies = gap(Hidden(table="resources", kinds=("file",), below=DRIVE))
    verdict = file()
    inside = msgspec.structs.replace(verdict.subject, inside=(DRIVE, "toy:acme"))
    verdict = msgspec.structs.replace(verdict, subject=inside)
    absent = Missing.of(LINKS.names(verdict), set())

    unread = visibility_of([READ, account, copies], {})
    listed = visibility_of([READ, account, msgspec.structs.replace(copies, scope_uid=OTHER)], {})

    points = gap(Hidden(table="resources", kinds=("file",)))
    unnamed = visibility_of([READ, account, msgspec.structs.replace(points, scope_uid="toy:acme")], {})

    assert unread.may_hide(verdict, LINKS, absent, {DRIVE, "toy:acme"})
    assert unnamed.may_hide(verdict, LINKS, absent, {DRIVE, "toy:acme"})  # an account that lacks a list of such things
    assert not listed.may_hide(verdict, LINKS, absent, {DRIVE, "toy:acme"})


@pytest.mark.parametrize(
    ("gone", "may_exist"),
    [
        (Hidden(table="principals"), True),
        (Hidden(table="all", below=OTHER), True),  # a drive that was not read may name that person
        (Hidden(table="principals", kinds=("group",)), False),
        (Hidden(table="principals", columns=("last_seen_on",)), False),
        (Hidden(table="resources"), False),
        (Hidden(table="grants", below=OTHER), True),
    ],
)
def test_a_person_whom_nothing_names_is_gone_unless_something_that_names_people_is_unread(
    gone: Hidden, may_exist: bool
) -> None:
    assert hidden(person(), DORMANT, [MIKA], gap(gone)) is may_exist


def test_a_guest_stands_in_the_directory_and_nowhere_else() -> None:
    assert not hidden(person(kind="guest"), DORMANT, [MIKA], gap(Hidden(table="grants", below=OTHER)))
    assert hidden(person(kind="guest"), DORMANT, [MIKA], gap(Hidden(table="principals")))


def test_sharing_with_somebody_who_is_gone_stands_where_the_file_s_grants_are_unread() -> None:
    assert hidden(sharing(), SHARED_WITH, [MIKA], gap(Hidden(table="grants", below=PLAN)))
    assert not hidden(sharing(), SHARED_WITH, [MIKA], gap(Hidden(table="grants", columns=("access",), below=PLAN)))
    assert not hidden(sharing(), SHARED_WITH, [PLAN], gap(Hidden(table="grants", below=PLAN)))


def test_a_gap_of_another_account_or_platform_hides_nothing() -> None:
    everything = Hidden(table="all")
    assert not hidden(file(), LINKS, [PLAN], gap(everything, account="other"))
    assert hidden(file(), LINKS, [PLAN], gap(everything, account=""))


def test_what_does_not_exist_hides_nothing_and_what_was_left_out_hides_as_much_as_what_failed() -> None:
    everything = Hidden(table="all")
    assert not misled(file(), LINKS, gap(everything, Outcome.NOT_OFFERED))
    assert misled(file(), LINKS, gap(everything, Outcome.SKIPPED))


def test_a_gap_without_a_question_hides_its_table_and_a_question_may_hide_nothing() -> None:
    bare = Coverage(
        scope_uid=DRIVE, scope_name="drive", platform="toy", account="acme", table="grants", outcome=Outcome.FAILED
    )
    assert hides_of(bare) == (Hidden(table="grants"),)
    assert not hides_of(msgspec.structs.replace(bare, question="toy-tags"))


def test_where_the_unread_drive_is_is_remembered_from_earlier_findings() -> None:
    assert remembered_containers([file()], {FOLDER, PLAN, OTHER}) == {FOLDER: {DRIVE}, PLAN: {FOLDER, DRIVE}}
    assert narrowed_to([gap(Hidden(table="all", below=FOLDER)), READ]) == {FOLDER: DRIVE}


def test_a_column_names_a_row_of_its_table() -> None:
    assert tables_of("resource_uid", Dependency("resources", "uid")) == ("resources",)
    assert tables_of("principal_uid", Dependency("grants", "principal_uid")) == ("principals",)
    assert tables_of("resource_uid", Dependency("settings", "scope_uid")) == ("resources", "settings")
    assert tables_of("principal_domain", Dependency("principals", "domain")) == ()
    assert tables_of("owner_uid", None) == ("principals",)


@dataclass(frozen=True)
class Anything:
    """A gap, a finding and its rule."""

    hidden: Hidden
    verdict: Verdict
    rule: Foundation


anything = st.builds(
    Anything,
    st.builds(
        Hidden,
        table=st.sampled_from(["all", "resources", "principals", "grants", "memberships", "settings"]),
        columns=st.sampled_from([(), ("status",), ("audience", "expires_on"), ("detail",)]),
        kinds=st.sampled_from([(), ("file",), ("user", "group")]),
        below=st.sampled_from([None, PLAN, FOLDER, DRIVE, OTHER, MIKA]),
    ),
    st.sampled_from([file(), sharing(), person(), folder()]),
    st.sampled_from([LINKS, SHARED_WITH, DORMANT]),
)


@given(anything)
def test_an_attribute_never_keeps_a_vanished_finding_open(case: Anything) -> None:
    absent = Missing.of(case.rule.names(case.verdict), set())
    sight = visibility_of([READ, gap(case.hidden)], {})

    if case.hidden.columns and absent:
        assert not sight.may_hide(case.verdict, case.rule, absent)


@given(anything, st.sampled_from(["", "acme"]))
def test_a_wider_gap_keeps_no_less_open(case: Anything, account: str) -> None:
    """Everything of the account, or of the platform, is the widest gap there is."""
    everything = gap(Hidden(table="all"), account=account)
    narrow, wide = visibility_of([READ, gap(case.hidden)], {}), visibility_of([READ, everything], {})
    absent = Missing.of(case.rule.names(case.verdict), set())

    assert wide.may_mislead(case.verdict, case.rule) >= narrow.may_mislead(case.verdict, case.rule)
    if absent:
        assert wide.may_hide(case.verdict, case.rule, absent) >= narrow.may_hide(case.verdict, case.rule, absent)


@given(anything)
def test_what_a_rule_does_not_rest_on_changes_none_of_its_verdicts(case: Anything) -> None:
    if not case.rule.rests_on_any(case.hidden):
        assert not misled(case.verdict, case.rule, gap(case.hidden))
