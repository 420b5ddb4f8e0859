"""The invented companies are one company: the same people, with the same numbers, on every platform."""

from cloudscan_emulators.aws.company import DIRECTORY
from cloudscan_emulators.google import company as google
from cloudscan_emulators.kit.staff import STAFF, clerk
from cloudscan_emulators.microsoft import company as microsoft


def test_everybody_has_a_number_of_their_own_and_a_manager_who_exists() -> None:
    numbers = [employee.number for employee in STAFF.values()] + [clerk(index, 16)[1].number for index in range(5_000)]

    assert len(numbers) == len(set(numbers))
    assert all(employee.manager in ("", *STAFF) for employee in STAFF.values())


def test_a_number_is_the_same_persons_on_every_platform() -> None:
    in_google = {one.email: one.number_of_employee for one in google.build(2_000).state.accounts}
    in_entra = {one.mail: one.employee_id for one in microsoft.build(2_000).state.persons if not one.guest}
    in_aws = {user.user_name: str(user.enterprise["employeeNumber"]) for user in DIRECTORY}

    shared = in_google.keys() & in_entra.keys()
    assert len(shared) > 10
    assert {mail: in_google[mail] for mail in shared} == {mail: in_entra[mail] for mail in shared}
    assert in_aws.items() <= in_entra.items()
