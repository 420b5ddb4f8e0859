"""JSON Schemas of `cloudscan.toml`, rule files and permission templates, for editors: made from their records.

The comment behind a field is its description, as it is in docs/configuration.md.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar, get_args

import msgspec

from cloudscan import plugins
from cloudscan.config import Config
from cloudscan.engine.rule_file import Param, Rule, RuleFile
from cloudscan.errors import ConfigurationError
from cloudscan.organisation.template import TemplateFile

Plugin = TypeVar("Plugin")
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REF: Final = "#/$defs/{name}"
_FIELD: Final = re.compile(r"^ {4}(\w+): .*?(?:  # (.*))?$", re.MULTILINE)


def field_notes(record: type) -> Mapping[str, str]:
    """The comments behind the fields of a record, by field."""
    notes: dict[str, str] = {}
    for kind in reversed(record.__mro__[:-1]):
        if kind.__module__.startswith("cloudscan"):
            notes.update({name: note for name, note in _FIELD.findall(inspect.getsource(kind)) if note})
    return notes


def configuration_schema(rules: Iterable[Rule] = ()) -> dict[str, Any]:
    """The schema of `cloudscan.toml`, with the options of everything that is installed and the rules' parameters.

    A plugin that cannot be loaded is left out.
    """
    connectors = {one.name: one.options for one in _loaded(plugins.connector_names(), plugins.connector)}
    formats = {one.name: one.options for one in _loaded(plugins.format_names(), plugins.report_format)}
    trackers = {one.name: one.options for one in _loaded(plugins.tracker_names(), plugins.tracker)}
    records: list[type[msgspec.Struct]] = [Config, *connectors.values(), *formats.values(), *trackers.values()]
    shapes, definitions = msgspec.json.schema_components(records, ref_template=_REF)
    _describe(records, definitions)
    shape_of = dict(zip(records, shapes, strict=True))
    own = definitions["Config"]["properties"]
    own["connectors"] = _table({name: shape_of[record] for name, record in connectors.items()})
    own["reports"] = _table({name: shape_of[record] for name, record in formats.items()})
    own["rules"] = _table({rule.id: _parameters(rule) for rule in rules})
    own["trackers"] = _trackers({name: shape_of[record] for name, record in trackers.items()}, definitions)
    return _schema("config", "cloudscan.toml", shape_of[Config], definitions)


def rule_schema() -> dict[str, Any]:
    """The schema of a rule file."""
    (shape,), definitions = msgspec.json.schema_components([RuleFile], ref_template=_REF)
    _describe([RuleFile], definitions)
    return _schema("rule", "cloudscan rule", shape, definitions)


def template_schema() -> dict[str, Any]:
    """The schema of a file of permission templates."""
    (shape,), definitions = msgspec.json.schema_components([TemplateFile], ref_template=_REF)
    _describe([TemplateFile], definitions)
    return _schema("template", "cloudscan permission templates", shape, definitions)


def _schema(name: str, title: str, shape: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    return {"$schema": _DIALECT, "$id": f"urn:cloudscan:{name}", "title": title, **shape, "$defs": definitions}


def _loaded(names: Iterable[str], load: Callable[[str], Plugin]) -> Iterator[Plugin]:
    for name in names:
        with suppress(ConfigurationError):
            yield load(name)


def _table(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _trackers(shapes: Mapping[str, Mapping[str, str]], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """``[trackers.<name>]``: a name of one's own needs a `kind`, for others it is the name."""
    for name, shape in shapes.items():
        definitions[shape["$ref"].removeprefix("#/$defs/")]["properties"]["kind"] = {"const": name}
    of_kind = [{"if": {"properties": {"kind": {"const": name}}}, "then": shape} for name, shape in shapes.items()]
    others = {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": list(shapes)}}, "allOf": of_kind}
    return {"type": "object", "properties": shapes, "additionalProperties": others}


def _parameters(rule: Rule) -> dict[str, Any]:
    return _table(
        {name: {"description": one.meaning, "default": one.default} | _bounds(one) for name, one in rule.params.items()}
    )


def _bounds(param: Param) -> dict[str, Any]:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    given = {"type": kinds[type(param.default)], "minimum": param.min, "maximum": param.max}
    return {name: value for name, value in given.items() if value is not None}


def _describe(records: Iterable[type[msgspec.Struct]], definitions: Mapping[str, Any]) -> None:
    """Put the comments behind fields into their definitions."""
    for record in _all_of(records):
        names = (record.__name__, f"{record.__module__}.{record.__qualname__}")
        definition: dict[str, Any] = next(
            (definitions[name] for name in names if name in definitions), {"properties": {}}
        )
        notes = field_notes(record)
        for field in msgspec.structs.fields(record):
            if (note := notes.get(field.name)) and field.encode_name in definition["properties"]:
                definition["properties"][field.encode_name]["description"] = note


def _all_of(kinds: Iterable[Any]) -> set[type[msgspec.Struct]]:
    """The records among types, and those in their fields."""
    found: set[type[msgspec.Struct]] = set()
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        waiting += get_args(kind)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in found:
            found.add(kind)
            waiting += [field.type for field in msgspec.structs.fields(kind)]
    return found
