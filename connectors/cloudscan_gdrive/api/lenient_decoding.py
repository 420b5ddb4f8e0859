"""Answers that do not quite match Google's documented format: what can be decoded is kept, the rest is counted.

A member that cannot be decoded is None where its field may be None (not known), and left out where its record can do
without it; otherwise the record is dropped and counted. Null counts as absent where the field cannot be None. What must
be whole (permissions, changes, policies, members) is never decoded in part: half of one would be a different one.
"""

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, Final, TypeVar, get_args, get_origin

import msgspec

from cloudscan_gdrive.api.models import (
    Activity,
    Change,
    File,
    Group,
    Member,
    Page,
    Permission,
    Policy,
    Unit,
    User,
)

Wanted = TypeVar("Wanted")
_ALL_OR_NOTHING: Final = (Permission, Change, Policy, Member, Unit, Activity)
_NEEDED: Final[Mapping[type, frozenset[str]]] = {
    File: frozenset({"id", "parents", "drive_id", "inherited_permissions_disabled", "mime_type"}),
    User: frozenset({"id", "primary_email"}),
    Group: frozenset({"id", "email"}),
}
"""Without these a record would be a different one."""


def decoded_leniently(wanted: type[Wanted], body: bytes) -> Wanted | None:
    """As much of an answer as can be decoded; None: nothing can.

    `broken` of a list counts the items that were dropped from it.
    """
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    record: Wanted | None = _record(wanted, answer)
    return record


def _record(wanted: Any, answer: Any) -> Any:
    if not isinstance(answer, dict):
        return None
    is_page = issubclass(wanted, Page)
    whole = is_page or wanted in _ALL_OR_NOTHING  # a list without its next page token would end too early
    needed = _NEEDED.get(wanted, frozenset[str]())
    members: dict[str, Any] = {}
    for field in msgspec.structs.fields(wanted):
        if field.encode_name not in answer or (is_page and field.name == "broken"):
            continue
        optional = NoneType in get_args(field.type)
        value = answer[field.encode_name]
        if value is None and not optional:
            continue
        try:
            members[field.name], dropped = (None, 0) if value is None else _member(field.type, value)
        except (msgspec.ValidationError, TypeError):
            if whole or field.name in needed:
                return None
            if optional:
                members[field.name] = None
            continue
        if is_page:
            members["broken"] = members.get("broken", 0) + dropped
        elif dropped and whole:
            return None
        elif dropped and optional:
            members[field.name] = None
    try:
        return wanted(**members)
    except TypeError:
        return None  # a required member is missing


def _member(field_type: Any, value: Any) -> tuple[Any, int]:
    """A member's value, and how many entries of it, if it is a list of records, could not be decoded."""
    item_type = _item_type(field_type)
    return (_value(field_type, value), 0) if item_type is None else _items(item_type, value)


def _items(item_type: Any, value: Any) -> tuple[list[Any], int]:
    """The entries of a list that could be decoded, and how many could not."""
    if not isinstance(value, list):
        raise TypeError(item_type)
    items = [item for item in (_record(item_type, entry) for entry in value) if item is not None]
    return items, len(value) - len(items)


def _value(field_type: Any, value: Any) -> Any:
    if field_type is msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(value))
    for option in (field_type, *get_args(field_type)):
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            if (record := _record(option, value)) is None:
                raise TypeError(option)
            return record
    return msgspec.convert(value, field_type)


def _item_type(field_type: Any) -> Any:
    """The record type of a list's items; None where the member is not a list of records."""
    for option in (field_type, *get_args(field_type)):
        if get_origin(option) is Sequence:
            (item,) = get_args(option)
            if isinstance(item, type) and issubclass(item, msgspec.Struct):
                return item
    return None
