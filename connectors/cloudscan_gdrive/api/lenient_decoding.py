"""Answers that are not quite what Google's documentation promises: what makes sense in them is kept.

Null means left out. A member that makes no sense is left out where its record can do without, else the record is; of a
permission or a change nothing is left out, because half of it would be another one.
"""

from collections.abc import Sequence
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from cloudscan_gdrive.api.models import Change, Permission

Wanted = TypeVar("Wanted")
_WHOLE = (Permission, Change)


def mended(wanted: type[Wanted], body: bytes) -> Wanted | None:
    """As much of an answer as makes sense, `broken` telling how many items of its list do not; None: nothing does."""
    try:
        told = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    found: Wanted | None = _record(wanted, _without_nulls(told))
    return found


def _record(wanted: Any, told: Any) -> Any:
    if not isinstance(told, dict):
        return None
    members: dict[str, Any] = {}
    is_list = "broken" in wanted.__struct_fields__
    for field in msgspec.structs.fields(wanted):
        if field.encode_name not in told:
            continue
        value = told[field.encode_name]
        item = _item(field.type)
        if item is not None:
            if not isinstance(value, list):
                if is_list or wanted in _WHOLE:
                    return None
                continue
            found = [_record(item, each) for each in value]
            members[field.name] = kept = [each for each in found if each is not None]
            if is_list:
                members["broken"] = len(found) - len(kept)
            elif wanted in _WHOLE and len(kept) < len(found):
                return None
        else:
            try:
                members[field.name] = _value(field.type, value)
            except (msgspec.ValidationError, TypeError):
                if is_list or wanted in _WHOLE:
                    return None  # a list without the token of its next page would end too early
    try:
        return wanted(**members)
    except TypeError:
        return None  # a member is missing that it cannot do without


def _value(kind: Any, value: Any) -> Any:
    if kind is msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(value))
    for one in (kind, *get_args(kind)):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            if (found := _record(one, value)) is None:
                raise TypeError(one)
            return found
    return msgspec.convert(value, kind)


def _item(kind: Any) -> Any:
    """What a list is made of, where that are records."""
    for one in (kind, *get_args(kind)):
        if get_origin(one) is Sequence and issubclass(get_args(one)[0], msgspec.Struct):
            return get_args(one)[0]
    return None


def _without_nulls(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: _without_nulls(value) for name, value in told.items() if value is not None}
    if isinstance(told, list):
        return [_without_nulls(each) for each in told if each is not None]
    return told
