"""A question that fails costs what hangs on it, and nothing else: one row names it, and the rest is read as ever."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cloudscan.connector import Gap
from cloudscan.facts import Affiliation, Grant, Principal, Setting
from cloudscan.reason import Reason
from cloudscan_emulators.microsoft import Server, company, errors, faults, outage, refusal, throttle
from cloudscan_emulators.microsoft.faults import Fault
from cloudscan_emulators.microsoft.questions import PATTERNS
from cloudscan_emulators.microsoft.server import GRAPH_ROLES
from cloudscan_m365 import questions as asked
from cloudscan_m365.permissions import GRAPH_FULL_CONTROL
from cloudscan_m365.questions import QUESTIONS
from tests.connectors.m365 import estate
from tests.connectors.reading import Read, read

OF_A_SCOPE = {asked.ITEMS.name}
"""Questions that list a scope's own things: their failure is the scope's."""

NOT_ASKED = {
    asked.USERS.name,  # only where sign-ins are refused
    asked.CHOSEN_SITE.name,
    asked.FILE_LABELS.name,
    asked.CHANGES.name,
    asked.ITEM.name,
    asked.CHILDREN.name,
    asked.USER.name,
    asked.GROUP.name,
    asked.SITE.name,
    asked.DRIVE.name,
    asked.SITE_PROPERTIES.name,  # only where the list of all of them fails
}
FALLS_BACK = {asked.SITES_PROPERTIES.name}  # another question answers in its place
ANSWERS = {("m365-tenant-names", "404")}  # it is an answer that there is no such thing
FAILURES: Mapping[str, Any] = {
    "403": lambda where: refusal(where, errors.denied("files", (), ())),
    "404": lambda where: refusal(where, errors.no_such_item()),
    "400": lambda where: refusal(where, errors.bad("as it happens")),
    "500": lambda where: outage(where, code=500, times=None),
    "429": lambda where: throttle(where, retry_after=0, times=None),
    "HTML": lambda where: Fault(where=where, html=503),
    "nothing": faults.nothing,
    "error in a 200": faults.error_in_answer,
    "one malformed": faults.one_malformed,
    "cut": lambda where: Fault(where=where, cut=True),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with estate.tenant(company.build(1).state, graph_roles={*GRAPH_ROLES, GRAPH_FULL_CONTROL}) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Read:
    return read(estate.connector(server, tmp_path_factory.mktemp("undisturbed")))


def sample() -> Iterator[Any]:
    """Each question with one of the failures, so that all failures have their turn."""
    names = list(FAILURES)
    questions = [one.name for one in QUESTIONS if one.name not in NOT_ASKED]
    for number, question in enumerate(questions):
        failure = names[number % len(names)]
        yield pytest.param(question, failure, id=f"{question} {failure}")


@pytest.mark.parametrize(("question", "failure"), list(sample()))
def test_a_failing_question_costs_what_hangs_on_it(
    server: Server, undisturbed: Read, tmp_path: Path, question: str, failure: str
) -> None:
    fault = FAILURES[failure](PATTERNS[question])
    server.faults.clear()
    server.faults.add_optional(fault)

    result = read(estate.connector(server, tmp_path))

    assert server.faults.met(fault)
    server.faults.clear()
    if question in OF_A_SCOPE:
        assert {uid.split("/")[0] for uid in result.refused} <= {"m365:library", "m365:onedrive"}
    else:
        assert result.refused == {}
    rows = [gap for gap in new_gaps(undisturbed, result) if gap.question == question]
    assert rows or question in OF_A_SCOPE | FALLS_BACK or (question, failure) in ANSWERS or same(undisturbed, result)
    assert invented(undisturbed, result) == set()


def test_a_library_is_not_asked_for_its_root_folder(server: Server, tmp_path: Path) -> None:
    """The list begins with it, and its permissions are among those of the first page."""
    server.faults.clear()
    before = len(server.log)

    read(estate.connector(server, tmp_path))

    paths = [request.path for request in server.log[before:] if request.path.startswith("/v1.0/drives/")]
    assert any(path.endswith("/root/delta") for path in paths)
    assert not any(path.endswith("/root") for path in paths)


def new_gaps(before: Read, after: Read) -> list[Gap]:
    known = {(gap.question, code(gap)) for gap in before.gaps}
    return [gap for gap in after.gaps if (gap.question, code(gap)) not in known]


def code(gap: Gap) -> str:
    assert isinstance(gap.reason, Reason), gap
    return gap.reason.code


def same(before: Read, after: Read) -> bool:
    return facts_of(before) == facts_of(after)


def facts_of(result: Read) -> Mapping[str, Any]:
    """What rules judge of grants, settings and people, by uid."""
    judged: dict[str, Any] = {}
    for fact in result.facts:
        match fact:
            case Grant():
                judged[fact.uid] = (fact.audience, fact.access, fact.effective)
            case Setting():
                judged[f"{fact.scope_uid} {fact.name}"] = (fact.value,)
            case Principal():
                judged[fact.uid] = (fact.affiliation, fact.status, fact.redeemed)
    return judged


def invented(before: Read, after: Read) -> set[str]:
    """The uids of facts that say something else than where everything was answered, and not that it is unknown."""
    was = facts_of(before)
    return {
        uid
        for uid, judged in facts_of(after).items()
        if uid in was and any(one is not None and one != other for one, other in zip(judged, was[uid], strict=True))
    }


def test_every_question_has_a_pattern() -> None:
    assert {question.name for question in QUESTIONS} == PATTERNS.keys()


def test_nobody_is_ours_or_deleted_where_the_directory_does_not_answer(server: Server, tmp_path: Path) -> None:
    server.faults.clear()
    server.faults.add(refusal("GET .*/(users|groups)\\?", errors.denied("directory", (), ())))

    result = read(estate.connector(server, tmp_path))

    server.faults.clear()
    people = [fact for fact in result.facts if isinstance(fact, Principal) and fact.kind in ("user", "guest")]
    assert people
    assert not [person for person in people if person.affiliation is Affiliation.INTERNAL or person.status == "deleted"]
    assert result.of_kind("file")
