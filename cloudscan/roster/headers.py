"""Which column of an export is what: by the spellings of HR systems, and by those that the configuration names."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from cloudscan.errors import ConfigurationError
from cloudscan.roster.folding import folded
from cloudscan.roster.spellings import spellings
from cloudscan.sentence import say
from cloudscan.text import suggestion


class Field(StrEnum):
    """What a column may tell."""

    NUMBER = "number"
    NAME = "name"
    FAMILY_NAME = "family_name"
    GIVEN_NAME = "given_name"
    ADDRESS = "address"
    ALIASES = "aliases"
    PRIVATE_ADDRESS = "private_address"
    DEPARTMENT = "department"
    DEPARTMENT_CODE = "department_code"
    OTHER_DEPARTMENTS = "other_departments"
    EARLIER_DEPARTMENT = "earlier_department"
    ROLE = "role"
    EMPLOYMENT = "employment"
    STATUS = "status"
    STARTS_ON = "starts_on"
    LAST_DAY = "last_day"
    TERM_ENDS = "term_ends"
    APPLIES_FROM = "applies_from"
    MANAGER = "manager"


SEVERAL: Final = frozenset({Field.ADDRESS, Field.ALIASES, Field.PRIVATE_ADDRESS, Field.OTHER_DEPARTMENTS})
"""What more than one column may tell."""


def fields_of(header: Sequence[str], configured: Mapping[str, str]) -> dict[int, Field]:
    """What each column tells, by its place; columns that tell nothing of interest are left out.

    `configured` names columns by field: they come before what their spelling says.
    """
    names = [folded(cell) for cell in header]
    own = {folded(column): _named(field) for field, column in configured.items()}
    taken = set(own.values())
    known = {name: field for name, field in spellings("column", Field).items() if field not in taken}
    fields: dict[int, Field] = {}
    for place, name in enumerate(names):
        field = own.get(name) or known.get(name)
        if field and (field in SEVERAL or field not in fields.values()):
            fields[place] = field
    return fields


def _named(name: str) -> Field:
    """A field by its name. Raises `ConfigurationError` with the nearest one where there is none."""
    try:
        return Field(name)
    except ValueError:
        hint = suggestion(name, [field.value for field in Field])
        raise ConfigurationError(
            say("[roster.columns] has no {field}; {hint}.", field=repr(name), hint=hint), key="columns"
        ) from None
