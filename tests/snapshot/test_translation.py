"""What counts as another translation of the same answers."""

from dataclasses import replace
from datetime import date

import msgspec
import pytest

from cloudscan.connector import Connector, ConnectorPlugin, Estate, Partner
from cloudscan.snapshot.translation import translation_of


class Options(msgspec.Struct, frozen=True, kw_only=True):
    users: tuple[str, ...] = ()
    endpoint: str = ""


def never(_options: object, _estate: Estate) -> Connector:
    raise NotImplementedError


PLUGIN = ConnectorPlugin(
    name="toy",
    title="Toy",
    options=Options,
    permissions=(),
    open=never,
    basis_options=("users",),
)
US = Estate(name="Acme", domains=frozenset({"acme.example", "acme.co.jp"}))
BLUE = Partner(name="Blue", domains=frozenset({"blue.example"}))
BEFORE = translation_of(PLUGIN, Options(), US)


@pytest.mark.parametrize(
    ("options", "estate"),
    [
        (Options(users=("mika",)), US),
        (Options(), replace(US, domains=frozenset({"acme.example"}))),
        (Options(), replace(US, accounts=frozenset({"111122223333"}))),
        (Options(), replace(US, organisations=frozenset({"o-a1b2c3d4e5"}))),
        (Options(), replace(US, partners=(BLUE,))),
    ],
)
def test_what_connectors_are_told_of_us_is_part_of_it(options: Options, estate: Estate) -> None:
    after = translation_of(PLUGIN, options, estate)

    assert (after.meaning, after.configuration != BEFORE.configuration) == (BEFORE.meaning, True)


def test_a_partners_contract_is_part_of_it() -> None:
    ended = replace(BLUE, contract_ends=date(2026, 3, 1))

    assert translation_of(PLUGIN, Options(), replace(US, partners=(BLUE,))) != translation_of(
        PLUGIN, Options(), replace(US, partners=(ended,))
    )


@pytest.mark.parametrize(
    ("options", "estate"),
    [
        (Options(endpoint="http://127.0.0.1:9000"), US),
        (Options(users=()), US),
        (Options(), replace(US, name="Acme Corporation")),
        (Options(), replace(US, domains=frozenset({"acme.co.jp", "acme.example"}))),
    ],
)
def test_how_a_platform_is_reached_and_what_we_are_called_is_not(options: Options, estate: Estate) -> None:
    assert translation_of(PLUGIN, options, estate) == BEFORE


def test_a_new_meaning_is_another_translation() -> None:
    assert translation_of(replace(PLUGIN, meaning=2), Options(), US).configuration == BEFORE.configuration
    assert translation_of(replace(PLUGIN, meaning=2), Options(), US) != BEFORE
