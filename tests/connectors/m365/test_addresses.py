"""Microsoft's own client knows every question to Graph, with its path and its options."""

import pytest

from cloudscan_m365.api.builders import Addresses
from cloudscan_m365.questions import GRAPH, ITEMS, PERMISSIONS, USERS, GraphQuestion


@pytest.mark.parametrize("question", GRAPH, ids=lambda question: question.name)
def test_the_declared_path_is_the_one_that_microsofts_client_builds(question: GraphQuestion) -> None:
    ids = ("b!first", "second")[: question.path.count("{}")]

    assert Addresses().of(question, ids, {}) == question.path.format(*ids)


def test_options_are_those_of_the_question() -> None:
    addresses = Addresses()

    assert addresses.of(ITEMS, ["b!1"], {"select": "id,name", "top": 5}) == (
        "drives/b!1/root/delta?%24select=id,name&%24top=5"
    )
    assert "%24expand=sponsors%28%24select%3Did%29" in addresses.of(USERS, (), {"expand": "sponsors($select=id)"})
    with pytest.raises(TypeError):
        addresses.of(USERS, (), {"chosen": "id"})


def test_an_id_cannot_lead_elsewhere() -> None:
    assert Addresses().of(PERMISSIONS, ("b!1", "01A?x=1#y"), {}) == "drives/b!1/items/01A%3Fx%3D1%23y/permissions"
