"""A fault that no request runs into fails the test that added it."""

import pytest

from cloudscan_emulators.google import Fault, company, serve
from cloudscan_emulators.kit.faults import FaultNeverMet, Faults


def test_an_emulator_fails_at_its_end_for_a_fault_that_never_struck() -> None:
    with pytest.raises(FaultNeverMet, match="GET /nothing"), serve(company.build(10).state) as server:
        server.faults.add(Fault(where="GET /nothing"))


def test_requests_that_a_fault_let_pass_do_not_count() -> None:
    faults: Faults[Fault] = Faults()
    faults.add(Fault(where="/files", after=1))

    assert faults.hit("GET /files") is None
    with pytest.raises(FaultNeverMet):
        faults.require_met()

    faults.hit("GET /files")
    faults.require_met()


def test_clearing_faults_does_not_excuse_them() -> None:
    faults: Faults[Fault] = Faults()
    faults.add(Fault(where="/files"))
    faults.clear()

    assert faults.hit("GET /files") is None
    with pytest.raises(FaultNeverMet):
        faults.require_met()


def test_a_fault_may_be_optional() -> None:
    faults: Faults[Fault] = Faults()
    faults.add_optional(Fault(where="/files"))

    faults.require_met()
