"""The query options of a request, checked: unknown ones are refused, as Graph does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cloudscan_emulators.microsoft import errors
from cloudscan_emulators.microsoft.schema import DEFAULTS, PROPERTIES

Json = dict[str, Any]
_SYSTEM = frozenset({"select", "expand", "top", "filter", "orderby", "search", "count", "skip", "skiptoken", "format"})


@dataclass(frozen=True, kw_only=True)
class Options:
    """The query options of an address. They may be written without the dollar sign, as Graph allows."""

    select: tuple[str, ...] = ()
    expand: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # relationship: its own $select
    top: str = ""
    filter: str = ""
    orderby: str = ""
    search: str = ""
    count: bool = False
    skip: str = ""
    skiptoken: str = ""
    others: Mapping[str, str] = field(default_factory=dict)

    def size(self, default: int, most: int, *, capped: bool = False) -> int:
        """The page size. Some services refuse too large a number, others (`capped`) reduce it."""
        if not self.top:
            return default
        if not self.top.isdigit() or int(self.top) == 0 or (int(self.top) > most and not capped):
            raise errors.bad_page_size(self.top, most)
        return min(int(self.top), most)

    def query(self, **overrides: str) -> str:
        """The query string for another page of the same list."""
        options: dict[str, str] = {}
        if self.select:
            options["$select"] = ",".join(self.select)
        if self.expand:
            options["$expand"] = ",".join(
                f"{name}($select={','.join(inner)})" if inner else name for name, inner in self.expand.items()
            )
        for name in ("top", "filter", "orderby", "search"):
            if getattr(self, name):
                options[f"${name}"] = getattr(self, name)
        if self.count:
            options["$count"] = "true"
        return urlencode({**options, **overrides}, safe="$,'()")


def read(query: str) -> Options:
    """The options in a query string. Unknown system options are refused."""
    system: dict[str, str] = {}
    others: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        plain = name.removeprefix("$").lower()
        if plain in _SYSTEM and (name.startswith("$") or plain != "search"):
            system[plain] = value
        elif name.startswith("$"):
            raise errors.no_such_option(name)
        else:
            others[name.lower()] = value
    return Options(
        select=_names(system.get("select", "")),
        expand=_expansions(system.get("expand", "")),
        top=system.get("top", ""),
        filter=system.get("filter", ""),
        orderby=system.get("orderby", ""),
        search=system.get("search", ""),
        count=system.get("count", "").lower() == "true",
        skip=system.get("skip", ""),
        skiptoken=system.get("skiptoken", ""),
        others=others,
    )


def wanted(options: Options, kind: str) -> frozenset[str] | None:
    """The selected properties; None: all. Unknown ones are refused."""
    return chosen(options.select, kind)


def chosen(select: tuple[str, ...], kind: str) -> frozenset[str] | None:
    """The properties of a type that `select` names; None: all. Unknown ones are refused."""
    if not select or select == ("*",):
        return DEFAULTS.get(kind)
    known = PROPERTIES[kind]
    lower = {name.lower(): name for name in known}
    names = set()
    for name in select:
        plain = name.partition("/")[0]
        if plain.lower() not in lower:
            raise errors.no_such_property(plain, kind)
        names.add(lower[plain.lower()])
    return frozenset(names)


def trimmed(view: Json, names: frozenset[str] | None) -> Json:
    """A resource with the properties `names` (None: all) and its annotations."""
    if names is None:
        return view
    return {name: value for name, value in view.items() if name in names or "@" in name}


def _names(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _expansions(text: str) -> Mapping[str, tuple[str, ...]]:
    expansions: dict[str, tuple[str, ...]] = {}
    for part in _split(text):
        name, _, inner = part.partition("(")
        select: tuple[str, ...] = ()
        for option in inner.rstrip(")").split(";") if inner else ():
            key, _, value = option.partition("=")
            if key.strip().lower() not in ("$select", "$levels", "$top"):
                raise errors.bad(f"Parsing OData Select and Expand failed: '{key}' is not supported in $expand.")
            if key.strip().lower() == "$select":
                select = _names(value)
        expansions[name.strip()] = select
    return expansions


def _split(text: str) -> list[str]:
    parts, depth, part = [], 0, ""
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += sign
    return [one for one in [*parts, part] if one.strip()]
