"""Answers that do not quite match Google's documented format: what can be decoded is kept.

Null counts as absent. A member that cannot be decoded is dropped where its record can do without it; otherwise the
record is. Permissions and changes are never decoded in part, because half of one would be a different one.
"""

from collections.abc import Sequence
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from cloudscan_gdrive.api.models import Change, Permission

Wanted = TypeVar("Wanted")
_ALL_OR_NOTHING = (Permission, Change)


def decoded_leniently(wanted: type[Wanted], body: bytes) -> Wanted | None:
    """As much of an answer as can be decoded; None: nothing can.

    `broken` of a list counts the items that were dropped from it.
    """
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    record: Wanted | None = _record(wanted, _without_nulls(answer))
    return record


def _record(wanted: Any, answer: Any) -> Any:
    if not isinstance(answer, dict):
        return None
    members: dict[str, Any] = {}
    is_list = "broken" in wanted.__struct_fields__
    strict = is_list or wanted in _ALL_OR_NOTHING  # a list without its next page token would end too early
    for field in msgspec.structs.fields(wanted):
        if field.encode_name not in answer:
            continue
        value = answer[field.encode_name]
        item_type = _item_type(field.type)
        if item_type is None:
            try:
                members[field.name] = _value(field.type, value)
            except (msgspec.ValidationError, TypeError):
                if strict:
                    return None
        elif isinstance(value, list):
            items = [item for item in (_record(item_type, entry) for entry in value) if item is not None]
            members[field.name] = items
            if is_list:
                members["broken"] = len(value) - len(items)
            elif strict and len(items) < len(value):
                return None
        elif strict:
            return None
    try:
        return wanted(**members)
    except TypeError:
        return None  # a required member is missing


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
        if get_origin(option) is Sequence and issubclass(get_args(option)[0], msgspec.Struct):
            return get_args(option)[0]
    return None


def _without_nulls(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: _without_nulls(value) for name, value in answer.items() if value is not None}
    if isinstance(answer, list):
        return [_without_nulls(value) for value in answer if value is not None]
    return answer
